package seal

import "errors"

// Conditions that callers test for. Those of the key file come wrapped in an
// *Error.
var (
	// ErrMaster says that the master key is not the one of this key file.
	ErrMaster = errors.New("wrong master key")
	// ErrMissing says that there is no key file.
	ErrMissing = errors.New("no key file")
	// ErrExists says that there is a key file already.
	ErrExists = errors.New("key file exists")
	// ErrDamaged says that the key file cannot be read.
	ErrDamaged = errors.New("key file damaged")
	// ErrNewer says that the key file was written by a newer version.
	ErrNewer = errors.New("key file of a newer version")
	// ErrNoKeys says that the campaign has no keys.
	ErrNoKeys = errors.New("campaign without keys")
	// ErrDestroyed says that the campaign's keys were destroyed: its people are
	// erased.
	ErrDestroyed = errors.New("keys destroyed")
	// ErrSealed says that sealed data does not open: it was altered, moved to
	// another row, cut short, or sealed under another key.
	ErrSealed = errors.New("sealed data does not open: altered, moved from another row, or under another key")
)

// Error is a failure that a person can do something about.
type Error struct {
	Code     string // stable: "master-key-wrong"
	Sentence string // what is wrong
	Hint     string // what to do about it
	Cause    error  // one of the conditions above, or what the system said
}

func (e *Error) Error() string {
	s := e.Sentence
	if e.Hint != "" {
		s += "\n  hint: " + e.Hint
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }
