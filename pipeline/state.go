package pipeline

// State says where a notice stands. Each state documents who moves it next; the
// ledger repeats the list as a CHECK constraint.
type State string

const (
	// Held waits for a person: release or exclude. VIP, press, a minor without
	// representative, an ambiguous record, an address unfit to print, a second
	// doubt.
	Held State = "held"
	// Due is taken by the dispatcher when DueAt has come and pacing allows.
	// Channel and attempt number are already decided.
	Due State = "due"
	// Queued is claimed by a courier; the reconciler returns it to Due with a
	// new generation if nobody does.
	Queued State = "queued"
	// Sending is moved by the courier with the relay's answer; the reconciler
	// makes it InDoubt if the courier died.
	Sending State = "sending"
	// InDoubt is resolved by policy (resend once, or hold), by a person, or by
	// late evidence.
	InDoubt State = "in_doubt"
	// Accepted was taken by the relay with a 250, which is never called
	// "delivered". Feedback or the clock moves it.
	Accepted State = "accepted"
	// Printing is a member of a print run; the printer's acknowledgement,
	// rejection or recall moves it.
	Printing State = "printing"
	// Posted was deposited according to the printer; returned mail or the clock
	// moves it.
	Posted State = "posted"
	// Informed is settled; a late bounce or a returned letter revokes it.
	Informed State = "informed"
	// Unreachable is settled with a reason: the substitute notice and the cell
	// take over.
	Unreachable State = "unreachable"
	// Excluded is settled by an approved decision with a reason (deceased,
	// duplicate person).
	Excluded State = "excluded"
	// Cancelled is settled: the campaign was cancelled before it was sent.
	Cancelled State = "cancelled"
)

// States lists every state in the order of a notice's life.
func States() []State {
	return []State{Held, Due, Queued, Sending, InDoubt, Accepted, Printing, Posted, Informed, Unreachable, Excluded, Cancelled}
}

// Valid reports whether s is one of States.
func (s State) Valid() bool {
	switch s {
	case Held, Due, Queued, Sending, InDoubt, Accepted, Printing, Posted, Informed, Unreachable, Excluded, Cancelled:
		return true
	}
	return false
}

// Settled reports whether no more work is planned for a notice in s.
func (s State) Settled() bool {
	return s == Informed || s == Unreachable || s == Excluded || s == Cancelled
}

// Written reports whether a notice in s has, or may have, left the house: new
// impacts for its customer need a supplement.
func (s State) Written() bool {
	switch s {
	case Queued, Sending, InDoubt, Accepted, Printing, Posted, Informed:
		return true
	}
	return false
}

// Channel is the way a notice travels now.
type Channel string

const (
	Email     Channel = "email"
	Post      Channel = "post"
	NoChannel Channel = "none"
)

// Channels lists the channels in the order in which they are reported.
func Channels() []Channel { return []Channel{Email, Post, NoChannel} }

// Role says why a notice exists. Only primary notices count towards the
// population; the others are counted apart.
type Role string

const (
	// Primary is the duty towards one customer.
	Primary Role = "primary"
	// Supplement tells a customer who was already written to what that letter
	// could not say yet. Its Parent is the primary notice.
	Supplement Role = "supplement"
	// Copy is the paper twin of an e-mailed notice where the campaign wants both
	// (channels.both_if). Its Parent is the primary notice.
	Copy Role = "copy"
)

// Lane orders what is due: notices to affected customers, then resends, then the
// general message to people who are not affected.
type Lane int

const (
	LaneNotice  Lane = 0
	LaneResend  Lane = 1
	LaneGeneral Lane = 2
)

// Lanes lists the lanes, most urgent first.
func Lanes() []Lane { return []Lane{LaneNotice, LaneResend, LaneGeneral} }

func (l Lane) String() string {
	switch l {
	case LaneNotice:
		return "notice"
	case LaneResend:
		return "resend"
	}
	return "general"
}

// AttemptKind says why an attempt was made.
type AttemptKind string

const (
	First    AttemptKind = "first"    // the first try
	Retry    AttemptKind = "retry"    // again after the relay asked to wait, or after a printer's rejection
	Resend   AttemptKind = "resend"   // again after a bounce, on schedule
	Fallback AttemptKind = "fallback" // by the other channel after an address proved dead
	CopyOf   AttemptKind = "copy"     // a copy of a letter already sent
)

// Outcome is what a refusal or a bounce means. There are four, not two: an
// address that is dead asks for a letter, a provider that refuses us does not.
type Outcome string

const (
	// Dead means that the address does not exist: a letter, or unreachable.
	Dead Outcome = "dead"
	// Transient means try again on schedule, letter at the deadline.
	Transient Outcome = "transient"
	// Ours means that we are refused (authentication, reputation, policy, size):
	// breaker and alert, never a letter before the deadline.
	Ours Outcome = "ours"
	// None means that it is no failure (delayed, delivered, vacation, complaint).
	None Outcome = "none"
)

// Reach is the set of channels by which a customer can still be reached. A
// channel leaves the set when its address proves dead.
type Reach uint8

const (
	ByEmail Reach = 1 << iota
	ByPost
)

// Has reports whether r contains all of c.
func (r Reach) Has(c Reach) bool { return r&c == c }

// Without returns r less c.
func (r Reach) Without(c Reach) Reach { return r &^ c }
