package console

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Rehearsing carries a campaign out where nothing leaves the house and nothing real
// changes.
type Rehearsing interface {
	// Rehearse begins one, which goes on by itself. One goes on at a time, in the whole
	// installation.
	Rehearse(ctx context.Context, campaign, reason string) error
	// StopRehearsal ends the one of a campaign.
	StopRehearsal(ctx context.Context, campaign, reason string) error
	// Rehearsal is the last one of a campaign, wherever it was begun.
	Rehearsal(ctx context.Context, campaign string) (Rehearsal, error)
}

// RehearsalState says where a rehearsal stands.
type RehearsalState string

// The states of a rehearsal.
const (
	RehearsalNone    RehearsalState = ""
	RehearsalRunning RehearsalState = "running"
	RehearsalDone    RehearsalState = "done"
	RehearsalStopped RehearsalState = "stopped" // by a person, or with the console that began it
	RehearsalFailed  RehearsalState = "failed"
	RehearsalCut     RehearsalState = "cut" // its process died; what it made is gone with the next
)

// Rehearsal is the last one of a campaign. It holds figures, no person.
type Rehearsal struct {
	State       RehearsalState
	By, Reason  string
	Began, Seen time.Time // Seen: when it was last heard of
	Same        bool      // it is of the texts and lists as they are now
	Busy        bool      // one of another campaign goes on, so that none can begin

	Population, Settled int64
	States              map[pipeline.State]int64

	Fault  *pipeline.Error  // of one that failed
	Result *RehearsalResult // of one that is done
}

// Running reports whether it goes on.
func (r Rehearsal) Running() bool { return r.State == RehearsalRunning }

// Took is how long it went on.
func (r Rehearsal) Took() time.Duration { return r.Seen.Sub(r.Began) }

// RehearsalResult is what came of a rehearsal.
type RehearsalResult struct {
	Took            time.Duration
	Outlook         Outlook // in earnest
	Letters, Sheets int64   // with those in place of e-mails
	Balance         int64

	Accepted, Refused, Deferred    int64 // answers of the practice relay
	Bounced, Resent, Dead, Instead int64
	Late                           int64 // counted as informed until a bounce or a letter came back
	Answers, Complaints, Forged    int64
	Returned, Spoiled              int64 // letters
	Held, Unreachable              map[string]int64
	Released                       map[string]int64 // breakers that somebody would have had to look into
}
