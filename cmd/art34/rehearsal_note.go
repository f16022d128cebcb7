package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/art34/art34/pipeline"
)

// rehearsalState says where a rehearsal stands.
type rehearsalState string

// The states of a rehearsal. One that is said to run and whose process is gone was cut
// off: the lock says so, which the kernel gives back.
const (
	rehearsalRuns    rehearsalState = "running"
	rehearsalDone    rehearsalState = "done"
	rehearsalStopped rehearsalState = "stopped" // by a person, or with the console that began it
	rehearsalFailed  rehearsalState = "failed"
)

// rehearsalNote is what is kept of the last rehearsal of a campaign, beside its files:
// figures and codes, no person.
type rehearsalNote struct {
	State   rehearsalState `json:"state"`
	Actor   string         `json:"actor"`
	Reason  string         `json:"reason"`
	Began   time.Time      `json:"began"`
	Seen    time.Time      `json:"seen"` // when this was written
	Content string         `json:"content"`
	Imports []int64        `json:"imports"` // in force when it began

	Population int64                    `json:"population"`
	States     map[pipeline.State]int64 `json:"states"`

	Code     string     `json:"code,omitempty"` // why it failed
	Sentence string     `json:"sentence,omitempty"`
	Hint     string     `json:"hint,omitempty"`
	Result   *rehearsed `json:"result,omitempty"`
}

const (
	rehearsalFile = "rehearsal.json" // in the folder of a campaign
	rehearsalLock = "rehearsal.lock" // in DIR
	rehearsalStop = "rehearsal.stop" // in DIR: asks the one that goes on to end
	rehearsalsDir = "rehearsals"     // in DIR: the scratch ledgers
)

// keepRehearsal keeps what is known of one, as a whole or not at all.
func (h *house) keepRehearsal(campaign string, n rehearsalNote) error {
	n.Seen = h.real.Now().UTC()
	return writeWhole(filepath.Join(h.folder(campaign).path, rehearsalFile), 0o600, func(w io.Writer) error {
		return json.NewEncoder(w).Encode(n)
	})
}

// lastRehearsal is what was kept; nil without any. A note that cannot be read, of an
// older program or half a disk, is none.
func (h *house) lastRehearsal(campaign string) (*rehearsalNote, error) {
	data, err := os.ReadFile(filepath.Join(h.folder(campaign).path, rehearsalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var n rehearsalNote
	if json.Unmarshal(data, &n) != nil {
		return nil, nil
	}
	return &n, nil
}

// How long who wants the lock waits for others who only look whether it is taken.
const (
	lockPatience = 2 * time.Second
	lockEvery    = 50 * time.Millisecond
)

// lockRehearsal lets one rehearsal of an installation go on at a time: it takes a
// core and a second ledger. The kernel gives the lock back however the process ends,
// and what one that was killed has left behind goes now; nobody can read it.
func (a *app) lockRehearsal(campaign string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(a.Dir, rehearsalLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for until := a.real.Now().Add(lockPatience); ; time.Sleep(lockEvery) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || a.real.Now().After(until) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errRehearsalRuns()
		}
		return nil, err
	}
	if err := errors.Join(f.Truncate(0), os.RemoveAll(filepath.Join(a.Dir, rehearsalsDir)), removeIfThere(filepath.Join(a.Dir, rehearsalStop))); err != nil {
		_ = f.Close()
		return nil, err
	}
	if _, err := fmt.Fprintln(f, campaign); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// sweepRehearsals removes what a rehearsal that was killed has left, unless one goes on.
func (h *house) sweepRehearsals() {
	release, err := h.lockRehearsal("")
	if err == nil {
		release()
	} else if pipeline.ErrorCode(err) != "rehearsal-running" {
		h.log.Warn("what a rehearsal has left cannot be removed", "error", pathless(err))
	}
}

func errRehearsalRuns() error {
	return decline("rehearsal-running", "another rehearsal goes on in this installation", "wait for its end, or stop it; only one goes on at a time")
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// rehearsing is the campaign that is rehearsed now, by whichever process; "" if none
// is.
func (a *app) rehearsing() (string, error) {
	f, err := os.Open(filepath.Join(a.Dir, rehearsalLock))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return "", err // free, and given back with the file
	}
	name, err := io.ReadAll(io.LimitReader(f, 200))
	if err == nil && len(name) == 0 {
		return "?", nil // it has just been taken
	}
	return strings.TrimSpace(string(name)), err
}
