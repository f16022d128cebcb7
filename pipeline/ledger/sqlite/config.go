package sqlite

import "time"

// Config says where the ledger is.
type Config struct {
	// Path of the file. Its directory must exist; beside it live Path-turn, and
	// Path-wal and Path-shm while it is open.
	Path string
	// MustExist refuses to create a ledger: the error has the code
	// "ledger-missing".
	MustExist bool
	// ReadOnly opens it for reading only; every writing method fails.
	ReadOnly bool
	// Wait is how long a write waits for another process to finish its own before
	// it fails with pipeline.ErrAway; 0: 10 s.
	Wait time.Duration
}
