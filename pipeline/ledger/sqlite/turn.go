package sqlite

import (
	"os"
	"syscall"
	"time"
)

// courtesy is how long others may have the turn: a process that hangs with it must
// not stop those that work.
const courtesy = time.Second

// turn lets the processes that write to one file do so one after the other. SQLite's
// lock has no queue: a service that commits without end takes it again a millisecond
// later, and an agent's entry in the audit trail, which looks for it now and then,
// waited up to 250 ms. Whoever wants the lock therefore holds the turn until it has
// it; the one that has just written waits behind.
//
// The turn is a courtesy: where it can't be had, SQLite's lock alone keeps writers
// apart. The kernel gives it back when a process ends (flock(2)).
type turn struct {
	file     *os.File // nil: there is none
	courtesy time.Duration
	mine     bool
	patience <-chan time.Time // ends the wait for it, nil: we don't wait
	hangs    bool             // the one who has it
}

func newTurn(path string) *turn {
	f, err := os.OpenFile(path+"-turn", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		f = nil
	}
	return &turn{file: f, courtesy: courtesy}
}

// take reports whether we may look for the lock: it is our turn, or the other one
// has had it for too long.
func (t *turn) take() bool {
	if t.file == nil || t.mine {
		return true
	}
	err := syscall.Flock(int(t.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if t.mine = err == nil; t.mine {
		return true
	}
	if t.patience == nil {
		t.patience = time.After(t.courtesy)
	}
	select {
	case <-t.patience:
		t.hangs = true
	default:
	}
	return t.hangs || err != syscall.EWOULDBLOCK && err != syscall.EINTR
}

// pass lets the next one have its turn.
func (t *turn) pass() {
	if t.mine {
		_ = syscall.Flock(int(t.file.Fd()), syscall.LOCK_UN)
	}
	t.mine, t.patience, t.hangs = false, nil, false
}

func (t *turn) close() {
	if t.file != nil {
		_ = t.file.Close()
	}
}
