package ledger

import "errors"

// ErrNewer says that the ledger was written by a newer version of the program.
// Nothing was touched.
var ErrNewer = errors.New("the ledger was written by a newer version of art34")
