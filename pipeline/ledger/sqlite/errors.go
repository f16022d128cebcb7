package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// result returns the primary result code of SQLite in err's tree, 0 without one.
func result(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff
	}
	return 0
}

// poisoned reports whether SQLite may have rolled the whole transaction back by
// itself: none of its requests was done.
func poisoned(err error) bool {
	switch result(err) {
	case 0, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return false
	}
	return true
}

// translate turns SQLite's errors, by code, into errors for people. doing says
// what was being done; there is no personal data in either.
func translate(doing string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*pipeline.Error](err); ok {
		return err
	}
	fault := func(code, sentence, hint string, cause error) error {
		return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Exit: 3, Cause: cause}
	}
	code := result(err)
	if err == errNotYet {
		code = sqlite3.SQLITE_BUSY
	}
	switch code {
	case 0:
		return err
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault("ledger-locked", "another process keeps the ledger locked",
			"end the program that has the file open (a backup tool, a database browser), or wait", away(err))
	case sqlite3.SQLITE_FULL:
		return fault("ledger-disk-full", "the disk that holds the ledger is full",
			"make room; nothing was lost, and work goes on by itself", away(err))
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return fault("ledger-read-only", "the ledger cannot be written",
			"the file and its directory must be writable for the user that runs art34", err)
	case sqlite3.SQLITE_CANTOPEN:
		return fault("ledger-cannot-open", "the ledger cannot be opened",
			"the file and its directory must exist and be writable for the user that runs art34", err)
	case sqlite3.SQLITE_NOTADB:
		return fault("ledger-foreign", "the file is not a ledger of art34", "check --dir; nothing was touched", err)
	case sqlite3.SQLITE_CORRUPT:
		return fault("ledger-damaged", "the ledger is damaged", "stop, keep a copy of the file, and restore the last backup", err)
	case sqlite3.SQLITE_IOERR:
		return fault("ledger-io", "the disk that holds the ledger fails", "look at the system's log before going on", err)
	case sqlite3.SQLITE_INTERRUPT:
		return context.Canceled
	}
	return fmt.Errorf("ledger: %s: %w", doing, err)
}

// away marks a fault that may pass: callers wait and try again.
func away(err error) error { return fmt.Errorf("%w: %w", pipeline.ErrAway, err) }

func errNewer(have, know int) error {
	return &pipeline.Error{
		Code: "ledger-newer", Sentence: fmt.Sprintf("the ledger has schema %d, this program knows %d", have, know),
		Hint: "use the program that wrote it, or a newer one; nothing was touched", Permanent: true, Exit: 2, Cause: ledger.ErrNewer,
	}
}

func errForeign() error {
	return &pipeline.Error{
		Code: "ledger-foreign", Sentence: "the file is not a ledger of art34",
		Hint: "check --dir; nothing was touched", Permanent: true, Exit: 2,
	}
}
