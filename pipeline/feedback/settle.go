package feedback

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/redact"
)

// codeOf is the short code of a verdict: what the system said, else why.
func codeOf(v Verdict) string {
	switch {
	case v.Kind != Bounce && v.Kind != Delayed:
		return string(v.Kind)
	case v.Status != "":
		return v.Status
	case v.Reply != "":
		return v.Reply
	}
	return v.Reason
}

// mostDetail is the most bytes of what a system said that an event keeps.
const mostDetail = 200

// event is what a verdict says in the timeline of its notice; nil where it says
// nothing. only says that it is to be recorded and may move nothing. Its Detail
// ends in a mark of the content, so that the same message is the same event by
// whatever way it comes, and another one is another.
func (j *Judge) event(in pipeline.Inbound, m Message, v Verdict) (e *pipeline.Event, only bool) {
	e = &pipeline.Event{At: in.At, Actor: "feedback", Outcome: pipeline.None, Code: codeOf(v)}
	switch v.Kind {
	case Bounce:
		e.Kind, e.Outcome = pipeline.EvBounced, v.Outcome
	case Delivered:
		e.Kind = pipeline.EvDelivered
	case Delayed:
		e.Kind = pipeline.EvDelayed
	case Relayed:
		e.Kind, only = pipeline.EvDelayed, true
	case Complaint:
		e.Kind = pipeline.EvComplained
	case Reply, Closed, Left, Challenge, Stop:
		e.Kind = pipeline.EvReplied
	default:
		return nil, false
	}
	if v.Kind != Bounce {
		e.Outcome = ""
	}
	said := redact.Recipient(redact.Addresses(v.Detail), v.Recipient)
	if v.Kind == Reply || v.Kind == Stop || v.Kind == Complaint {
		said = "" // what people write is for the cell to read
	}
	sum := digest(m.Raw)
	if m.ID != "" {
		key := m.key(j.Keys, j.Tokens)
		copy(sum[:], key[:])
	}
	mark := "message " + hex.EncodeToString(sum[:6])
	e.Detail = mark
	if said = redact.Line(said, mostDetail); said != "" {
		e.Detail = said + "; " + mark
	}
	if v.Reason != "" && v.Reason != e.Code {
		e.Detail = v.Reason + ": " + e.Detail
	}
	return e, only
}

// rounds is how often a message is tried whose notice moves away under our hands,
// before it waits for the next round.
const rounds = 8

// settle writes what a batch of messages means: the moves in one commit, the
// records in another, at last what became of each message. Whatever ends it in
// between, the next round finds what was written and goes on.
func (j *Judge) settle(ctx context.Context, list []*finding) error {
	for range rounds {
		left := 0
		var step stepping
		for _, f := range list {
			if f.event == nil || f.decided {
				continue
			}
			if step.has(f.in.Notice) {
				left++ // one at a time: what the other does changes what this one means
				continue
			}
			if err := j.decide(ctx, f, &step); err != nil {
				return err
			}
		}
		stale, err := j.write(ctx, &step)
		if err != nil {
			return err
		}
		if left+stale == 0 {
			break
		}
	}
	done := make([]pipeline.Inbound, 0, len(list))
	for _, f := range list {
		if f.forward != nil {
			j.send(ctx, f)
		} else if f.in.State == pipeline.InboundRecorded && !f.in.ForwardedAt.IsZero() {
			f.in.State = pipeline.InboundForwarded // judged again
		}
		if f.decided {
			done = append(done, f.in)
		}
	}
	return j.Ledger.Judge(ctx, done)
}

// stepping is what is written at a time: no two about the same notice.
type stepping struct {
	notices map[int64]bool
	moving  []*finding
	changes []pipeline.Change
	noting  []*finding
	before  []pipeline.Notice // of noting
}

func (s *stepping) has(notice int64) bool { return s.notices[notice] }

func (s *stepping) touch(notice int64) {
	if s.notices == nil {
		s.notices = map[int64]bool{}
	}
	s.notices[notice] = true
}

// decide asks the policy what an event does to its notice as it stands now.
func (j *Judge) decide(ctx context.Context, f *finding, step *stepping) error {
	e := *f.event
	job, err := j.Ledger.Notice(ctx, e.Notice)
	if errors.Is(err, pipeline.ErrNotFound) {
		f.in.Code = CodeNotice
		f.became(pipeline.InboundUnmatched)
		return nil
	}
	if err != nil {
		return err
	}
	n := job.Notice
	events, err := j.Ledger.Events(ctx, n.ID)
	if err != nil {
		return err
	}
	if found, moved := repeated(events, n, e); found {
		f.in.State = pipeline.InboundRecorded
		if moved {
			f.in.State = pipeline.InboundApplied
		}
		f.decided = true
		if f.fresh { // whoever stored it may have died before anybody was told
			j.noted(ctx, n, e)
		}
		return nil
	}
	next, moved, early := n, false, false
	if !f.only && !contradicted(events, e) {
		policy, err := j.Policies.Policy(ctx, n.Campaign)
		if err != nil {
			return err
		}
		next, moved, err = policy.Apply(n, e)
		early = errors.Is(err, pipeline.ErrEarly) || err == nil && !moved && n.State == pipeline.Sending && e.Attempt == n.Attempt && e.Kind == pipeline.EvReplied && pipeline.Unread(e.Code)
		if err != nil && !early {
			moved = false // no place for it here: it is recorded, not lost
		}
	}
	step.touch(n.ID)
	switch {
	case early:
		// The relay's answer is not written yet: the next round knows more.
	case moved:
		next.MovedAt = j.Real.Now()
		step.moving, step.changes = append(step.moving, f), append(step.changes, pipeline.Move(n, next, e))
	default:
		step.noting, step.before = append(step.noting, f), append(step.before, n)
	}
	return nil
}

// repeated reports whether an event stands in the timeline already, and whether it
// moved the notice then.
func repeated(events []pipeline.Event, n pipeline.Notice, e pipeline.Event) (found, moved bool) {
	was := n.Born
	for _, o := range events {
		if o.Attempt == e.Attempt && o.Kind == e.Kind && o.Code == e.Code && o.Detail == e.Detail {
			return true, !pipeline.SameState(was, o.Into)
		}
		was = o.Into
	}
	return false, false
}

// contradicted reports whether a delivery was reported of an attempt that also
// bounced: a report of delivery is often about the first server only, so the
// bounce holds, whichever came first.
func contradicted(events []pipeline.Event, e pipeline.Event) bool {
	if e.Kind != pipeline.EvDelivered {
		return false
	}
	for _, o := range events {
		if o.Kind == pipeline.EvBounced && o.Attempt == e.Attempt && o.Outcome != pipeline.None {
			return true
		}
	}
	return false
}

// write writes a step and returns how many moves came too late: their notices had
// moved on.
func (j *Judge) write(ctx context.Context, step *stepping) (stale int, err error) {
	if len(step.changes) > 0 {
		ok, err := j.Ledger.Commit(ctx, step.changes)
		if err != nil {
			return 0, err
		}
		for i, f := range step.moving {
			if !ok[i] {
				stale++
				continue
			}
			f.became(pipeline.InboundApplied)
			j.noted(ctx, step.changes[i].From, *f.event)
		}
	}
	if len(step.noting) == 0 {
		return stale, nil
	}
	events := make([]pipeline.Event, len(step.noting))
	for i, f := range step.noting {
		events[i] = *f.event
	}
	err = j.Ledger.Record(ctx, events)
	if errors.Is(err, pipeline.ErrNotFound) {
		// One of the notices was replaced a moment ago; the others have a right to
		// theirs.
		err = nil
		for i, f := range step.noting {
			switch one := j.Ledger.Record(ctx, events[i:i+1]); {
			case errors.Is(one, pipeline.ErrNotFound):
				f.in.Code = CodeNotice
				f.became(pipeline.InboundUnmatched)
			case one != nil:
				return stale, one
			}
		}
	}
	if err != nil {
		return stale, err
	}
	for i, f := range step.noting {
		if f.decided {
			continue
		}
		f.became(pipeline.InboundRecorded)
		j.noted(ctx, step.before[i], *f.event)
	}
	return stale, nil
}

func (j *Judge) noted(ctx context.Context, n pipeline.Notice, e pipeline.Event) {
	if j.Noted != nil {
		j.Noted(ctx, n, e)
	}
}

// send sends an answer on to the cell. It is done last: the timeline does not wait
// for the relay.
func (j *Judge) send(ctx context.Context, f *finding) {
	if f.event != nil && !f.decided {
		return
	}
	f.in.State, f.decided = pipeline.InboundPending, false
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.Real.Now().Before(j.rest) {
		return
	}
	err := j.Forward.Forward(ctx, *f.forward, f.in.ID)
	if errors.Is(err, ErrNotForwarded) {
		f.in.Code = CodeNotForwarded
		f.became(pipeline.InboundGarbage)
		return
	}
	if err != nil {
		j.rest = j.Real.Now().Add(forwardRest)
		j.Log.Warn("an answer could not be sent on to the cell; it is tried again", "message", f.in.ID, "error", redact.Addresses(err.Error()))
		return
	}
	f.in.ForwardedAt = j.Clock.Now()
	f.became(pipeline.InboundForwarded)
}
