package pipeline

import (
	"strings"
	"time"
)

// Policy is a campaign's answer to what goes wrong. It is pure: Apply is the only
// function that decides where a notice goes.
type Policy struct {
	InDoubt      DoubtPolicy
	DoubtWait    time.Duration   // how long late evidence may resolve a doubt before the policy does
	Resend       []time.Duration // waiting times before the 1st, 2nd, … resend
	Deadline     time.Duration   // from the first hand-over: after it a letter replaces the resends
	BounceWindow time.Duration   // silence after a 250 that counts as informed
	ReturnWindow time.Duration   // silence after a deposit that counts as informed
	OursWait     time.Duration   // waiting time after a refusal that is our fault
}

// DoubtPolicy says what happens to a notice in doubt.
type DoubtPolicy string

const (
	DoubtResend DoubtPolicy = "resend" // once, with the same Message-ID; a second doubt is held
	DoubtHold   DoubtPolicy = "hold"   // a person decides
)

// DefaultPolicy is what a campaign gets that says nothing about feedback.
func DefaultPolicy() Policy {
	return Policy{
		InDoubt:      DoubtResend,
		DoubtWait:    10 * time.Second,
		Resend:       []time.Duration{4 * time.Hour, 24 * time.Hour, 72 * time.Hour},
		Deadline:     168 * time.Hour,
		BounceWindow: 120 * time.Hour,
		ReturnWindow: 1344 * time.Hour,
		OursWait:     15 * time.Minute,
	}
}

// Reason codes that Policy gives.
const (
	ReasonAddressDead  = "address-dead"
	ReasonDeadline     = "deadline"
	ReasonTransient    = "transient"
	ReasonOurs         = "refused-by-provider"
	ReasonSecondDoubt  = "second-doubt"
	ReasonDoubt        = "doubt"
	ReasonReturned     = "returned-to-sender"
	ReasonRejected     = "rejected-by-printer"
	ReasonVoided       = "run-voided"
	ReasonRecalled     = "run-recalled"
	ReasonUnfit        = "unfit"
	ReasonNoContact    = "no-contact"
	ReasonNoAddress    = "no-usable-address"
	ReasonNoPrintable  = "no-printable-address"
	ReasonLateEvidence = "late-evidence"
	ReasonTold         = "told-otherwise" // informed by other means; nothing that comes back revokes it
	ReasonCorrected    = "address-corrected"

	// ReasonBounces begins the reason of what is held because too much of its cohort
	// comes back; the scope follows: "bounces:kind:mobile".
	ReasonBounces = "bounces:"
)

// Apply returns n as e leaves it. The second result is false when the event is
// to be recorded without moving the notice: feedback about an older attempt, a
// repetition, news that changes nothing. The error is a *TransitionError when
// the event has no place in the state; nothing may be recorded then.
//
// Only the attempt on which the state rests may move the notice. An event about
// an older attempt may only cancel planned work (a first mail that proves
// delivered late). EvTold, EvNotified and EvCorrected are about the duty as a
// whole.
//
// A bounce that overtakes the relay's answer is ErrEarly: apply it again once the
// notice has left Sending.
func (p Policy) Apply(n Notice, e Event) (Notice, bool, error) {
	if e.Attempt > n.Attempt {
		return n, false, &TransitionError{Notice: n.ID, Event: e.Kind, From: n.State}
	}
	next := n
	next.MovedAt = e.At
	if e.Attempt != 0 && e.Attempt < n.Attempt && !whole(e.Kind) {
		return p.late(n, next, e)
	}
	if n.State == Sending && n.Channel == Email && early(e.Kind) && e.Outcome != None {
		return n, false, &TransitionError{Notice: n.ID, Event: e.Kind, From: n.State}
	}
	if !known(e.Kind, e.Outcome, n.State) || !travels(e, n) {
		if stays(e) {
			return n, false, nil
		}
		return n, false, &TransitionError{Notice: n.ID, Event: e.Kind, From: n.State}
	}
	p.move(&next, e)
	if next.State == n.State && next.Attempt == n.Attempt && next.Reason == n.Reason && stays(e) {
		return n, false, nil
	}
	if !Allowed(e.Kind, e.Outcome, n.State, next.State) {
		return n, false, &TransitionError{Notice: n.ID, Event: e.Kind, From: n.State, To: next.State}
	}
	if next.State != Sending {
		next.Owner = ""
	}
	return next, true, nil
}

// whole reports whether an event is about the duty, not about an attempt.
func whole(k EventKind) bool { return k == EvTold || k == EvNotified || k == EvCorrected }

// travels reports whether an event about the current attempt can be true: it
// belongs to the channel, and something may have left. Who was told by other means
// stays told, whatever comes back.
func travels(e Event, n Notice) bool {
	if n.State == Informed && n.Reason == ReasonTold && (e.Kind == EvBounced || e.Kind == EvReturned || e.Kind == EvReplied) {
		return false
	}
	switch e.Kind {
	case EvAccepted, EvRefused, EvDoubted, EvResolved, EvBounced, EvDelivered:
		if n.Channel != Email {
			return false
		}
		// Before the courier has it, only a doubt about the same attempt can have
		// left anything.
		return n.State != Due && n.State != Queued || n.Reason == ReasonDoubt
	case EvCut, EvDeposited, EvRejected, EvVoided, EvRecalled, EvReturned:
		return n.Channel == Post
	case EvReleased:
		// What is due already can only be brought forward, where it waits for nothing
		// but a date.
		return n.State != Due || n.Reason == ReasonOurs || Unread(n.Reason)
	case EvReplied:
		return n.Channel == Email && Unread(e.Code)
	case EvOverdue:
		return n.Channel == Email && (n.Reason == ReasonOurs || n.Reason == ReasonTransient)
	case EvCorrected:
		return e.Channel == Email || e.Channel == Post
	}
	return true
}

// late judges an event about an attempt that the notice no longer rests on.
func (p Policy) late(n, next Notice, e Event) (Notice, bool, error) {
	if !stays(e) {
		return n, false, &TransitionError{Notice: n.ID, Event: e.Kind, From: n.State}
	}
	if e.Kind == EvDelivered && (n.State == Due || n.State == Queued) && n.Reason != ReasonDoubt && n.Reason != ReasonCorrected && !Unread(n.Reason) {
		// The planned attempt was never made: the state rests on the older one. That a
		// mail was delivered is no news where a robot answered it, nor where it went to
		// an address that was corrected since.
		next.Reach |= ByEmail
		next.State, next.Channel, next.Attempt, next.Reason, next.Owner = Informed, Email, e.Attempt, ReasonLateEvidence, ""
		return next, true, nil
	}
	return n, false, nil
}

// move sets the fields of n that e changes.
func (p Policy) move(n *Notice, e Event) {
	switch e.Kind {
	case EvAccepted:
		n.State, n.Reason, n.DueAt = Accepted, "", e.At.Add(p.BounceWindow)
		if n.FirstAt.IsZero() {
			n.FirstAt = e.At
		}
	case EvRefused, EvBounced:
		p.failed(n, e)
	case EvDoubted:
		n.State, n.Reason, n.DueAt = InDoubt, ReasonDoubt, e.At.Add(p.DoubtWait)
		n.Doubts++
		if n.FirstAt.IsZero() {
			n.FirstAt = e.At
		}
	case EvResolved:
		if p.InDoubt == DoubtHold || n.Doubts > 1 {
			n.State, n.Reason = Held, ReasonSecondDoubt
			if n.Doubts < 2 {
				n.Reason = ReasonDoubt
			}
			return
		}
		// Same attempt, same Message-ID: many receivers drop the second copy.
		n.State, n.Reason, n.DueAt, n.Lane = Due, ReasonDoubt, e.At, LaneResend
	case EvUnfit:
		n.State, n.Reason = Held, code(e, ReasonUnfit)
	case EvDelivered, EvConfirmed:
		n.State, n.Reason = Informed, ""
	case EvReturned:
		if e.Outcome == Dead {
			n.Reach = n.Reach.Without(ByPost)
			p.fallBack(n, e, ReasonReturned)
		}
	case EvCut:
		n.State, n.Reason = Printing, ""
		if n.FirstAt.IsZero() {
			n.FirstAt = e.At
		}
	case EvDeposited:
		n.State, n.DueAt = Posted, e.At.Add(p.ReturnWindow)
	case EvRejected:
		if n.Kind == Retry || n.Reach == 0 {
			n.State, n.Reason = Held, ReasonRejected
			return
		}
		n.again(Retry, e.At, ReasonRejected)
	case EvVoided:
		// The letter never left: the attempt is made again under its number.
		n.State, n.Reason, n.DueAt = Due, ReasonVoided, e.At
	case EvRecalled:
		n.State, n.Reason = Held, code(e, ReasonRecalled) // with a code: one letter of a run
	case EvHeld:
		n.State, n.Reason = Held, code(e, "held")
	case EvReleased:
		n.release(e)
	case EvReplied:
		p.unread(n, e)
	case EvOverdue:
		p.fallBack(n, e, ReasonDeadline)
	case EvTold:
		n.State, n.Reason = Informed, ReasonTold
	case EvCorrected:
		n.correct(e)
	case EvExcluded:
		n.State, n.Reason = Excluded, code(e, "excluded")
	case EvCancelled:
		n.State, n.Reason = Cancelled, code(e, "cancelled")
	}
}

// Overdue reports whether the deadline of a notice has passed while the resend of
// an e-mail that failed is still to come.
func (p Policy) Overdue(n Notice, now time.Time) bool {
	return n.State == Due && n.Channel == Email && (n.Reason == ReasonOurs || n.Reason == ReasonTransient) &&
		!n.FirstAt.IsZero() && !now.Before(n.FirstAt.Add(p.Deadline))
}

// correct gives a notice another address to go to. A new attempt is planned where
// one was made; one that is only planned keeps its number.
func (n *Notice) correct(e Event) {
	way := ByEmail
	if e.Channel == Post {
		way = ByPost
	}
	n.Reach |= way
	made := n.State != Held && n.State != Due && n.State != Queued && !n.FirstAt.IsZero() || n.Reason == ReasonDoubt || n.Reason == ReasonSecondDoubt
	switch {
	case n.State == Held && !AddressReason(n.Reason):
		return // held for something else, which a person still has to look at
	case (n.State == Due || n.State == Queued) && !made && n.Channel != e.Channel && n.reaches() && !Unread(n.Reason):
		n.State = Due // what is planned goes the other way, and may
		return
	}
	n.Channel, n.Resends = e.Channel, 0
	switch {
	case made:
		n.again(Resend, e.At, ReasonCorrected)
	case !n.FirstAt.IsZero():
		n.State, n.Kind, n.DueAt, n.Reason = Due, Resend, e.At, ReasonCorrected
	default:
		if n.DueAt.IsZero() {
			n.DueAt = e.At
		}
		n.State, n.Reason = Due, ""
	}
}

// reaches reports whether the channel of n is one by which the customer can be
// reached.
func (n *Notice) reaches() bool {
	switch n.Channel {
	case Email:
		return n.Reach.Has(ByEmail)
	case Post:
		return n.Reach.Has(ByPost)
	}
	return false
}

// AddressReason reports whether a notice that is held or unreachable for this
// reason is helped by another address.
func AddressReason(code string) bool {
	code = strings.TrimPrefix(code, "check:")
	switch code {
	case ReasonNoContact, ReasonNoAddress, ReasonNoPrintable, ReasonReturned, ReasonDoubt, ReasonSecondDoubt, "country-unknown", "postcode-unfit":
		return true
	}
	return Unread(code) || strings.HasPrefix(code, "address-") || strings.HasPrefix(code, "email-") || strings.HasPrefix(code, "recipient-")
}

// release lets a held or doubtful notice go on where it was, or brings forward
// what is planned.
func (n *Notice) release(e Event) {
	if n.State == Due {
		n.DueAt = e.At
		return
	}
	if n.Channel == NoChannel {
		switch {
		case n.Reach.Has(ByEmail):
			n.Channel = Email
		case n.Reach.Has(ByPost):
			n.Channel = Post
		default:
			n.State, n.Reason = Unreachable, ReasonNoAddress
			return
		}
	}
	if n.Reason == ReasonRecalled {
		n.again(Retry, e.At, "") // the recalled letter was an attempt of its own
		return
	}
	reason := ""
	if n.State == InDoubt || n.Reason == ReasonDoubt || n.Reason == ReasonSecondDoubt {
		reason = ReasonDoubt // it may have arrived: what follows is a possible duplicate
	}
	if strings.HasPrefix(n.Reason, ReasonBounces) && n.DueAt.After(e.At) {
		e.At = n.DueAt // it was held with its whole cohort: its own date stands
	}
	n.State, n.Reason, n.DueAt = Due, reason, e.At
}

// code returns the event's code, or the given one.
func code(e Event, otherwise string) string {
	if e.Code != "" {
		return e.Code
	}
	return otherwise
}
