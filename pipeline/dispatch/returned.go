package dispatch

import (
	"context"
	"errors"

	"github.com/art34/art34/pipeline"
)

// News is something that somebody outside tells about notices: a letter that came
// back, a customer who was told on the phone. Event holds what is known; Actor and,
// where it is zero, At are set here.
type News struct {
	Notice int64
	Event  pipeline.Event
}

// Taken says what became of one News.
type Taken struct {
	Before pipeline.Notice
	After  pipeline.Notice
	Moved  bool // else it is on record and changed nothing
	// Refused is the reason why the event has no place here; nothing is on record.
	Refused error
}

// Returned records letters that came back. A bad address (Outcome Dead) gives the
// channel up: the e-mail address is next, or the notice is unreachable, also where
// it counted as informed already; any other outcome is recorded only. News about
// an attempt that the notice no longer rests on is recorded. Saying the same again
// changes nothing, and neither order nor repetition makes a difference to where
// the notices end.
func (o Operations) Returned(ctx context.Context, campaign int64, news []News) ([]Taken, error) {
	for i := range news {
		news[i].Event.Kind = pipeline.EvReturned
	}
	return o.take(ctx, campaign, news)
}

// take applies news to their notices: one transaction per batch for what moves, one
// for what is only recorded. Results are parallel to news.
func (o Operations) take(ctx context.Context, campaign int64, news []News) ([]Taken, error) {
	policy, err := o.policy(ctx, campaign)
	if err != nil {
		return nil, err
	}
	out := make([]Taken, len(news))
	open := make([]int, len(news))
	for i := range news {
		open[i] = i
	}
	for try := 0; len(open) > 0; try++ {
		if try == 20 {
			return out, &pipeline.Error{Code: "notice-busy", Sentence: "notices are being changed by somebody else all the time", Hint: "try again: what was recorded is not recorded twice", Cause: pipeline.ErrStale}
		}
		if open, err = o.takeOnce(ctx, policy, news, open, out); err != nil {
			return out, o.explain(err, "")
		}
	}
	return out, nil
}

// takeOnce tries the open news, and returns those that are still open: their notice
// has moved on meanwhile, or has other news before them.
func (o Operations) takeOnce(ctx context.Context, policy pipeline.Policy, news []News, open []int, out []Taken) ([]int, error) {
	var again, index []int
	var changes []pipeline.Change
	var facts []pipeline.Event
	busy := map[int64]bool{}
	for k, i := range open {
		x := news[i]
		if busy[x.Notice] || len(changes)+len(facts) >= batch {
			again = append(again, open[k:]...)
			break
		}
		busy[x.Notice] = true
		j, err := o.Ledger.Notice(ctx, x.Notice)
		if err != nil {
			return nil, err
		}
		e := x.Event
		e.Notice, e.Actor = j.ID, o.Actor
		if now := o.Clock.Now(); e.At.IsZero() || e.At.After(now) {
			e.At = now
		}
		next, moved, err := policy.Apply(j.Notice, e)
		out[i] = Taken{Before: j.Notice, After: j.Notice}
		switch {
		case errors.Is(err, pipeline.ErrAway):
			return nil, err
		case err != nil:
			out[i].Refused = err
		case !moved:
			facts = append(facts, e)
		default:
			next.MovedAt = o.Real.Now()
			c := pipeline.Move(j.Notice, next, e)
			changes, index = append(changes, c), append(index, i)
			out[i].After, out[i].Moved = c.To, true
		}
	}
	if len(changes) > 0 {
		ok, err := o.Ledger.Commit(ctx, changes)
		if err != nil {
			return nil, err
		}
		for n, applied := range ok {
			if !applied {
				again = append(again, index[n])
				out[index[n]] = Taken{}
			}
		}
	}
	if len(facts) > 0 {
		if err := o.Ledger.Record(ctx, facts); err != nil {
			return nil, err
		}
	}
	return again, nil
}

// policy is that of the version of a campaign that is in force.
func (o Operations) policy(ctx context.Context, campaign int64) (pipeline.Policy, error) {
	k, err := (&Service{Config: Config{Ledger: o.Ledger}}).campaignOf(ctx, campaign)
	if err != nil {
		return pipeline.Policy{}, o.explain(err, "")
	}
	if k.Version == 0 {
		return pipeline.DefaultPolicy(), nil
	}
	spec, err := o.Specs.Spec(ctx, k)
	if err != nil {
		return pipeline.Policy{}, o.explain(err, k.Name)
	}
	return spec.Policy(), nil
}

// ReturnedDry says what Returned would do, and writes nothing.
func (o Operations) ReturnedDry(ctx context.Context, campaign int64, news []News) ([]Taken, error) {
	o.Ledger = &pretended{Ledger: o.Ledger, notices: map[int64]pipeline.Notice{}}
	return o.Returned(ctx, campaign, news)
}

// ToldDry says what Told would do, and writes nothing.
func (o Operations) ToldDry(ctx context.Context, campaign int64, news []News) ([]Taken, error) {
	o.Ledger = &pretended{Ledger: o.Ledger, notices: map[int64]pipeline.Notice{}}
	return o.Told(ctx, campaign, news)
}

// pretended is a ledger that remembers moves instead of writing them: a dry run is
// the same code with another implementation.
type pretended struct {
	Ledger
	notices map[int64]pipeline.Notice
}

// Notice returns a notice as it would be.
func (p *pretended) Notice(ctx context.Context, id int64) (pipeline.Job, error) {
	j, err := p.Ledger.Notice(ctx, id)
	if n, ok := p.notices[id]; ok {
		j.Notice = n
	}
	return j, err
}

// Commit remembers where the notices would be.
func (p *pretended) Commit(_ context.Context, changes []pipeline.Change) ([]bool, error) {
	ok := make([]bool, len(changes))
	for i, c := range changes {
		p.notices[c.To.ID], ok[i] = c.To, true
	}
	return ok, nil
}

// Record writes nothing.
func (p *pretended) Record(context.Context, []pipeline.Event) error { return nil }
