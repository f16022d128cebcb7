package pipeline

import "errors"

// Error is a failure that a person can read: a stable code, a sentence, a hint
// what to do, and the cause for operators. It holds no personal data.
type Error struct {
	Code      string // stable, for scripts: "master-key-wrong"
	Sentence  string // what is wrong, without a full stop
	Hint      string // what to do about it
	Permanent bool   // trying again without a change does not help
	Exit      int    // exit code of the command line; 0 means 1
	Cause     error
}

func (e *Error) Error() string {
	s := e.Sentence
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	if e.Hint != "" {
		s += "\n  hint: " + e.Hint
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// ErrorCode returns the code of the outermost Error in err's tree, or "".
func ErrorCode(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// Conditions that more than one package tests for.
var (
	// ErrNotFound says that there is no such campaign, notice, run or version.
	ErrNotFound = errors.New("not found")
	// ErrStale says that the row has moved on since it was read.
	ErrStale = errors.New("the notice has moved on since it was read")
	// ErrExists says that a campaign of this name, or an import of this content, is
	// there already.
	ErrExists = errors.New("exists already")
	// ErrConflict says that the campaign or run is in a state that does not allow
	// this.
	ErrConflict = errors.New("not in this state")
	// ErrEarly says that feedback about an attempt came while that attempt is still
	// being handed over: the answer of the relay is not recorded yet. Whoever has the
	// feedback keeps it and applies it again in a moment.
	ErrEarly = errors.New("the attempt is being handed over at this very moment")
	// ErrQuota says that somebody has looked up as many customers as they may.
	ErrQuota = errors.New("too many look-ups")
	// ErrAway says that a needed service (ledger, queue, relay) cannot be reached
	// now and may be back soon.
	ErrAway = errors.New("service away")
)
