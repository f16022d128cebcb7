package pipeline

import "time"

// Notice is the duty to inform one customer in one campaign, as far as it is
// kept in clear: ids, codes and times, never a person. The person travels sealed
// in Job.Sealed.
type Notice struct {
	ID       int64
	Campaign int64
	Import   int64 // the import that created it
	Parent   int64 // of a supplement or copy: the primary notice; else 0
	Role     Role
	Person   []byte // 16 bytes: keyed hash of the person or customer id, for merging imports

	State   State
	Channel Channel
	Lane    Lane
	Attempt int // number of the current or planned attempt, from 1
	Kind    AttemptKind
	DueAt   time.Time // when the planned work falls due; in Accepted and Posted when the window closes
	Reason  string    // code: why held, unreachable, excluded or resent
	Reach   Reach
	Doubts  int       // how often a sending ended in doubt
	Resends int       // failures that were answered with a resend, index into Policy.Resend
	FirstAt time.Time // first hand-over; zero before
	Gen     int64     // row version: every committed change adds one

	Owner   string    // the process that has it in Sending
	MovedAt time.Time // last change of state, by the real clock

	// Fixed at import.

	Born     State    // the state at import, from which the events lead to State
	Provider string   // mailbox provider of the e-mail address (Provider), "" without one
	Locale   string   // fr, en, …
	Format   string   // standard, large-print, braille, audio
	Country  string   // ISO 3166-1 alpha-2
	Area     string   // first two digits of a French postcode, "" elsewhere
	Sender   string   // key of the sender
	Kinds    []string // codes of the exposed data kinds, sorted
	Products []string // codes of the contract kinds, sorted
	Flags    []string // codes of the customer's flags, sorted
	Defects  []string // codes of what intake found wrong with this record, sorted
}

// Ticket addresses one queued notice. It is all that a task carries: no personal
// data, and a generation so that a late task does nothing.
type Ticket struct {
	Notice int64 `json:"n"`
	Gen    int64 `json:"g"`
}

// Job is a notice with its sealed personal part, as a courier loads it.
type Job struct {
	Notice
	Sealed []byte // a sealed Person; associated data: SealContext
}

// Attempt is one try to deliver a notice on one channel. The row is written
// before the first byte leaves and rewritten if the same attempt is tried again.
type Attempt struct {
	Notice  int64
	N       int
	Kind    AttemptKind
	Channel Channel
	Version int       // version of the campaign's letters
	Told    int64     // newest import whose impacts the letter told
	At      time.Time // date of the letter, and when it started
	Tries   int       // how often it was started; more than 1 only after a doubt or a requeue
	// Letter is the SHA-256 of the canonical block tree, Bytes of what was handed
	// over (the MIME message, or this letter's content in the print run).
	Letter   []byte
	Bytes    []byte
	Renderer string // version of the renderers
	Run      int64  // print run, 0 for e-mail
	Seq      int    // position in the print run, from 1
	// Relay's identification of the message, if it gave one.
	QueueID string
}

// Change moves one notice by compare-and-set: it applies only while the row's
// generation is still From.Gen. Event and Attempt, if any, are written in the
// same transaction. To.Gen is From.Gen+1.
type Change struct {
	From, To Notice
	Event    *Event
	Attempt  *Attempt
	Again    bool   // the attempt is sent again out of doubt; counted as possible duplicate
	Sealed   []byte // a new sealed person, if the change brings one (absorb, correction)
}

// Move returns the change that carries n to next because of e.
func Move(n, next Notice, e Event) Change {
	next.Gen = n.Gen + 1
	e.Notice, e.Into, e.Channel = n.ID, next.State, next.Channel
	return Change{From: n, To: next, Event: &e}
}

// Hop returns a change without an event: a hop through the queue.
func Hop(n Notice, to State, owner string, now time.Time) Change {
	next := n
	next.State, next.Owner, next.MovedAt, next.Gen = to, owner, now, n.Gen+1
	return Change{From: n, To: next}
}

// SealContext is the associated data that binds a sealed person to its row.
func (n Notice) SealContext() []byte { return SealContext(n.Campaign, n.ID) }
