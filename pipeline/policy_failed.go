package pipeline

import (
	"encoding/binary"
	"hash/fnv"
	"time"
)

// failed answers a refusal or a bounce of an e-mail.
func (p Policy) failed(n *Notice, e Event) {
	if n.FirstAt.IsZero() {
		n.FirstAt = e.At
	}
	deadline := n.FirstAt.Add(p.Deadline)
	if n.Reach == 0 {
		// Nothing follows by itself: the customer has died since, or is to be protected.
		p.fallBack(n, e, map[Outcome]string{Dead: ReasonAddressDead, Transient: ReasonTransient, Ours: ReasonOurs}[e.Outcome])
		return
	}
	switch e.Outcome {
	case Dead:
		n.Reach = n.Reach.Without(ByEmail)
		p.fallBack(n, e, ReasonAddressDead)
	case Transient:
		if n.Resends < len(p.Resend) {
			at := e.At.Add(p.Resend[n.Resends] + jitter(n.ID, n.Attempt, p.Resend[n.Resends]))
			if !at.After(deadline) {
				n.Resends++
				n.again(Resend, at, ReasonTransient)
				return
			}
		}
		switch {
		case !e.At.Before(deadline):
			p.fallBack(n, e, ReasonDeadline)
		case n.Reach.Has(ByPost):
			// The resends are used up before the deadline: no reason to wait longer.
			p.fallBack(n, e, ReasonTransient)
		default:
			// There is no other way: one more try when the time is up.
			n.again(Resend, deadline, ReasonTransient)
		}
	case Ours:
		if !e.At.Before(deadline) {
			p.fallBack(n, e, ReasonDeadline)
			return
		}
		// The last try is at the deadline, never a letter before.
		at := e.At.Add(p.repair(n))
		if at.After(deadline) {
			at = deadline
		}
		n.again(Resend, at, ReasonOurs)
	}
}

const (
	// manyAttempts is where trying again by itself ends before the deadline: the
	// return path counts attempts in one byte.
	manyAttempts = 200
	longestWait  = 24 * time.Hour
)

// repair is how long to wait for somebody to repair what a provider objects to:
// twice as long each time, up to a day. Anybody may release it earlier.
func (p Policy) repair(n *Notice) time.Duration {
	if n.Attempt >= manyAttempts {
		return p.Deadline // not before the deadline
	}
	wait := p.OursWait
	for range n.Attempt - 1 {
		if wait *= 2; wait >= longestWait {
			wait = longestWait
			break
		}
	}
	return wait + jitter(n.ID, n.Attempt, wait)
}

// unread answers a robot that says that nobody reads the mailbox: a letter at the
// deadline, or sooner if a person releases it.
func (p Policy) unread(n *Notice, e Event) {
	if e.Code != ReplyChallenge {
		n.Reach = n.Reach.Without(ByEmail)
	}
	p.fallBack(n, e, e.Code)
	if deadline := n.FirstAt.Add(p.Deadline); n.State == Due && deadline.After(e.At) {
		n.DueAt = deadline
	}
}

// fallBack plans the other channel, or gives up with the reason.
func (p Policy) fallBack(n *Notice, e Event, reason string) {
	switch {
	case n.Channel == Email && n.Reach.Has(ByPost):
		n.Channel = Post
	case n.Channel == Post && n.Reach.Has(ByEmail) && reason == ReasonReturned:
		n.Channel = Email
	default:
		n.State, n.Reason, n.Channel = Unreachable, reason, NoChannel
		return
	}
	n.again(Fallback, e.At, reason)
}

// again plans the next attempt.
func (n *Notice) again(kind AttemptKind, at time.Time, reason string) {
	n.State, n.Attempt, n.Kind, n.DueAt, n.Reason = Due, n.Attempt+1, kind, at, reason
	if n.Lane == LaneNotice {
		n.Lane = LaneResend
	}
}

// jitter spreads resends over ten per cent of their waiting time, the same for
// the same attempt every time.
func jitter(notice int64, attempt int, wait time.Duration) time.Duration {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(notice))
	binary.BigEndian.PutUint64(b[8:], uint64(attempt))
	h := fnv.New64a()
	_, _ = h.Write(b[:])
	return time.Duration(float64(wait) * 0.1 * float64(h.Sum64()>>40) / float64(1<<24))
}
