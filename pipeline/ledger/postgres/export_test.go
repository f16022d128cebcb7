package postgres

import "github.com/jackc/pgx/v5/pgxpool"

// Pools are the connections of a ledger, for tests that ask the server what it
// prepared on them.
func (l *Ledger) Pools() []*pgxpool.Pool { return []*pgxpool.Pool{l.hot, l.desk} }
