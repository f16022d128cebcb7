package sqlite

import "github.com/art34/art34/pipeline/ledger"

var _ ledger.Ledger = (*Ledger)(nil)
