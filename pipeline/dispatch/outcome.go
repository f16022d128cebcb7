package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/art34/art34/pipeline"
)

// Actors in events.
const (
	actorCourier    = "courier"
	actorReconciler = "reconciler"
	actorClock      = "clock"
	actorPrint      = "print-room"
)

// commit writes the outcomes that came in and the marks of what goes out next.
func (r *round) commit(ctx context.Context) {
	done, marks := r.done, r.marks
	r.done, r.marks = nil, nil
	changes := make([]pipeline.Change, 0, len(done)+len(marks))
	for _, p := range done {
		changes = append(changes, r.outcome(p))
	}
	marks = r.claim(marks)
	for _, p := range marks {
		changes = append(changes, r.mark(p))
	}
	if len(changes) == 0 {
		return
	}
	ok, err := r.c.s.commit(ctx, changes, false)
	if err != nil && ctx.Err() != nil {
		// A hard stop: what we know is worth one more try, and marks are not.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTry)
		defer cancel()
		var known []bool
		if known, err = r.c.s.commit(end, changes[:len(done)], true); err == nil {
			ok = append(known, make([]bool, len(marks))...)
		}
		ctx = end
	}
	for i, p := range done {
		if p.unfit == "" {
			r.sending--
		}
		if err == nil && !ok[i] {
			r.late(ctx, p, changes[i])
		}
		r.settled(p)
	}
	for i, p := range marks {
		if err != nil || !ok[len(done)+i] {
			r.settled(p) // it has moved on, or we are being stopped
			continue
		}
		p.row = changes[len(done)+i].To
		r.sending++
		r.atRelay++
		r.marked <- p
	}
}

// claim returns those that may still be sent, and that no other connection of this
// process has in hand. The others are given back: what somebody has claimed by then
// stays his. He may also be about to fail, because the notice was queued anew under
// another number.
func (r *round) claim(marks []*parcel) []*parcel {
	out := marks[:0]
	for _, p := range marks {
		if r.mayMark(p) && r.c.grasp(p.row.ID) {
			out = append(out, p)
		}
	}
	return out
}

// settled ends our part in a notice: nothing is left to give back.
func (r *round) settled(p *parcel) {
	r.claimed[p.index] = true
	if p.unfit == "" {
		r.c.loose(p.row.ID)
	}
}

// lastTry bounds the recording of known outcomes after a hard stop.
const lastTry = 700 * time.Millisecond

// mayMark looks once more before a notice is claimed: a commit may have taken
// long.
func (r *round) mayMark(p *parcel) bool {
	s := r.c.s
	k := s.control.campaign(r.campaign)
	return r.c.lease.held() && k.maySend(p.row, p.k.Version, s.Clock.Now(), s.Real.Now()) == ""
}

// mark claims a notice and writes the attempt, before the first byte.
func (r *round) mark(p *parcel) pipeline.Change {
	c := pipeline.Hop(p.row, pipeline.Sending, r.c.s.Owner, r.c.s.Real.Now())
	c.Attempt = &p.attempt
	return c
}

// outcome is the change that an answer makes.
func (r *round) outcome(p *parcel) pipeline.Change {
	s := r.c.s
	e := pipeline.Event{Notice: p.row.ID, Attempt: p.row.Attempt, At: s.Clock.Now(), Actor: actorCourier}
	a := p.answer
	switch {
	case p.unfit != "":
		e.Kind, e.Code = pipeline.EvUnfit, p.unfit
	case p.kept:
		return pipeline.Hop(p.row, pipeline.Due, "", s.Real.Now())
	case a.Phase == pipeline.PhaseUnsent:
		if a.Policy || !r.c.hangsUp(p.row.ID) {
			return pipeline.Hop(p.row, pipeline.Due, "", s.Real.Now())
		}
		e.Kind, e.Code, e.Detail = pipeline.EvUnfit, "relay-hangs-up", replyDetail(a)
		s.Log.Warn("the relay takes others and hangs up on this one", "notice", p.row.ID)
	case a.Phase == pipeline.PhaseAccepted:
		e.Kind, e.Code, e.Detail = pipeline.EvAccepted, answerCode(a), a.QueueID
	case a.Phase == pipeline.PhaseRefused:
		e.Kind, e.Outcome, e.Code, e.Detail = pipeline.EvRefused, a.Outcome, answerCode(a), a.Reply
		if e.Outcome != pipeline.Dead && e.Outcome != pipeline.Ours {
			e.Outcome = pipeline.Transient
		}
	default:
		e.Kind, e.Code = pipeline.EvDoubted, "no-answer"
	}
	if a.Phase == pipeline.PhaseAccepted || a.Phase == pipeline.PhaseRefused {
		r.c.forget(p.row.ID)
	}
	return r.apply(p, e)
}

func (r *round) apply(p *parcel, e pipeline.Event) pipeline.Change {
	next, _, err := p.k.policy.Apply(p.row, e)
	if err != nil {
		// Cannot be: the row is ours. Whoever finds it in Sending will doubt it.
		r.c.s.Log.Error("an answer has no place", "notice", p.row.ID, "event", string(e.Kind), "error", err)
		return pipeline.Hop(p.row, p.row.State, p.row.Owner, p.row.MovedAt)
	}
	next.MovedAt = r.c.s.Real.Now()
	c := pipeline.Move(p.row, next, e)
	c.Again = again(p.row, e)
	if e.Kind == pipeline.EvAccepted && p.answer.QueueID != "" {
		c.Attempt = &pipeline.Attempt{Notice: p.row.ID, N: p.row.Attempt, Kind: p.row.Kind, Channel: pipeline.Email, QueueID: p.answer.QueueID}
	}
	return c
}

// again reports whether a sending that ended was one out of doubt: the customer
// may have two now. One that the relay took nothing of was none.
func again(n pipeline.Notice, e pipeline.Event) bool {
	return n.State == pipeline.Sending && n.Doubts > 0 && n.Reason == pipeline.ReasonDoubt &&
		(e.Kind == pipeline.EvAccepted || e.Kind == pipeline.EvDoubted)
}

// answerCode is the most specific code of an answer.
func answerCode(a pipeline.Answer) string {
	switch {
	case a.Enhanced != "":
		return a.Enhanced
	case a.Code != 0:
		return fmt.Sprint(a.Code)
	}
	return ""
}

// late records an outcome for a notice that has moved on meanwhile, because our
// lease had lapsed and we were taken for dead. What the relay said is evidence all
// the same; an accepted is never lost.
func (r *round) late(ctx context.Context, p *parcel, c pipeline.Change) {
	s := r.c.s
	if c.Event == nil || c.Event.Kind == pipeline.EvDoubted || p.unfit != "" {
		return // nothing was sent, or it is in doubt already, or a person was first
	}
	e := *c.Event
	for range 20 {
		j, err := s.notice(ctx, p.row.ID)
		if err != nil {
			if !errors.Is(err, pipeline.ErrNotFound) {
				s.Log.Error("a late answer could not be recorded", "notice", p.row.ID, "event", string(e.Kind), "error", err)
			}
			return
		}
		next, moved, err := p.k.policy.Apply(j.Notice, e)
		if err != nil {
			s.Log.Warn("a late answer has no place", "notice", p.row.ID, "event", string(e.Kind), "state", string(j.State))
			return
		}
		// Somebody else is sending it right now: his answer will be the newer one.
		othersHands := j.State == pipeline.Sending && j.Owner != s.Owner && e.Kind == pipeline.EvRefused
		change := pipeline.Change{From: j.Notice, To: j.Notice}
		change.To.Gen++
		if moved && !othersHands {
			next.MovedAt = s.Real.Now()
			change = pipeline.Move(j.Notice, next, e)
		} else if err := s.Ledger.Record(ctx, []pipeline.Event{e}); err != nil {
			if away(err) && s.pause(ctx) {
				continue
			}
			return
		}
		// A sending out of doubt is counted once: if it was doubted meanwhile, that
		// has counted it.
		change.Again = c.Again && j.Doubts == p.row.Doubts
		if change.Event == nil && !change.Again {
			return
		}
		ok, err := s.commit(ctx, []pipeline.Change{change}, false)
		if err != nil || ok[0] {
			return
		}
	}
	s.Log.Error("a late answer could not be recorded: the notice keeps moving", "notice", p.row.ID, "event", string(e.Kind))
}
