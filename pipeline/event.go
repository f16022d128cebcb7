package pipeline

import "time"

// EventKind is the type of an Event.
type EventKind string

const (
	// Evented by the courier and the reconciler.

	EvAccepted EventKind = "accepted" // the relay answered 250 to the final dot
	EvRefused  EventKind = "refused"  // the relay refused this recipient or this message; Outcome says what that means
	EvDoubted  EventKind = "doubted"  // the dot was sent and no answer came, or the courier died
	EvResolved EventKind = "resolved" // policy or a person decided about a doubt: send again, or hold
	EvUnfit    EventKind = "unfit"    // this letter cannot be rendered, built or printed; a person has to look

	// Evented by feedback and by the clock.

	EvBounced    EventKind = "bounced"    // a delivery status notification with Action: failed (RFC 3464)
	EvDelivered  EventKind = "delivered"  // a success notification
	EvConfirmed  EventKind = "confirmed"  // the bounce or return window closed in silence
	EvReturned   EventKind = "returned"   // the letter came back
	EvComplained EventKind = "complained" // an abuse report (RFC 5965)
	EvDelayed    EventKind = "delayed"    // Action: delayed
	EvOverdue    EventKind = "overdue"    // the deadline passed while a resend waited for somebody to release it
	EvReplied    EventKind = "replied"    // a person or a robot answered; Code says what kind of answer

	// Evented by print runs.

	EvCut       EventKind = "cut"       // became a member of a print run
	EvDeposited EventKind = "deposited" // the printer acknowledged the deposit
	EvRejected  EventKind = "rejected"  // the printer spoiled or refused this letter
	EvVoided    EventKind = "voided"    // the run was voided before its release
	EvRecalled  EventKind = "recalled"  // the printer confirmed a recall after the release

	// Evented by people and by imports.

	EvHeld      EventKind = "held"
	EvReleased  EventKind = "released"
	EvExcluded  EventKind = "excluded"
	EvCancelled EventKind = "cancelled"
	EvRouted    EventKind = "routed"   // check chose another channel or state before launch
	EvAbsorbed  EventKind = "absorbed" // a later import added impacts before the notice was queued

	// About the duty as a whole, whichever attempt is under way: Attempt does not
	// matter.

	EvTold      EventKind = "told"      // the customer was informed by other means: phone, counter, SMS
	EvNotified  EventKind = "notified"  // a public notice stands in for who cannot be reached (Article 34(3)(c) GDPR)
	EvCorrected EventKind = "corrected" // a person corrected an address; Channel says whose: Email or Post
)

// Codes of an EvReplied by a robot which says that nobody reads this mailbox. They
// are also the Reason of what is planned because of them. Any other answer moves
// nothing.
const (
	ReplyClosed    = "closed-mailbox" // the mailbox is no longer read
	ReplyLeft      = "left-company"   // its owner works elsewhere now
	ReplyChallenge = "challenge"      // the mail waits until its sender proves to be human
)

// Unread reports whether a code is one of ReplyClosed, ReplyLeft and
// ReplyChallenge: the mail arrived, and the customer did not get it.
func Unread(code string) bool {
	return code == ReplyClosed || code == ReplyLeft || code == ReplyChallenge
}

// Event is something that happened to an attempt of a notice, or to the notice
// itself (Attempt 0). Events are appended and never changed. They hold no
// personal data: Detail is for codes, replies with addresses taken out, queue
// ids, run names and reasons.
type Event struct {
	ID      int64 // given by the ledger
	Notice  int64
	Attempt int // 0: the notice as a whole
	Kind    EventKind
	Outcome Outcome // of EvRefused, EvBounced and EvReturned
	At      time.Time
	Actor   string // "courier", "reconciler", "clock", "user:…", "printer"
	Code    string // a short code, for example an enhanced status code (RFC 3463) or a reason
	Detail  string // free text without personal data
	// Into is the state in which the event left the notice. The ledger fills it
	// from the Change that carries the event.
	Into State
	// Channel is the channel of the notice after the event, like Into. Whoever makes
	// an EvCorrected says here which address was corrected.
	Channel Channel
}
