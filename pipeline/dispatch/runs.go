package dispatch

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
)

// Rejected is a letter that the print shop spoiled or refused.
type Rejected struct {
	Seq  int    // position in the run
	Code string // the print shop's reason
}

// ReleaseRun hands an assembled print run to the print shop. Repeating it changes
// nothing.
func (o Operations) ReleaseRun(ctx context.Context, id int64) (pipeline.Run, error) {
	return o.run(ctx, id, func(r *pipeline.Run, _ []RunLetter, at time.Time) (*runChange, error) {
		switch r.State {
		case pipeline.RunAssembled:
			r.State, r.ReleasedAt = pipeline.RunReleased, at
			return &runChange{action: "run-release"}, nil
		case pipeline.RunReleased, pipeline.RunDeposited:
			return nil, nil
		case pipeline.RunCut:
			return nil, runState(r, "is not drawn yet", "art34 run --roles print draws it")
		}
		return nil, runState(r, "was taken back", "")
	})
}

// VoidRun takes back a run that was not released; its letters are due again and
// its files are destroyed.
func (o Operations) VoidRun(ctx context.Context, id int64, reason string) (pipeline.Run, error) {
	r, err := o.run(ctx, id, func(r *pipeline.Run, letters []RunLetter, at time.Time) (*runChange, error) {
		switch r.State {
		case pipeline.RunCut, pipeline.RunAssembled:
			r.State, r.ClosedAt = pipeline.RunVoided, at
			return &runChange{action: "run-void", reason: reason, letters: letters, item: pipeline.ItemOut, event: pipeline.Event{Kind: pipeline.EvVoided}}, nil
		case pipeline.RunVoided:
			return nil, nil
		}
		return nil, runState(r, "was released", "only a recall that the print shop acknowledges takes it back: art34 print recall")
	})
	if err == nil && o.Press != nil {
		if err := o.Press.Remove(ctx, r); err != nil {
			return r, &pipeline.Error{Code: "run-files", Sentence: "the files of " + r.Name() + " could not be destroyed", Hint: "remove them by hand: they hold names and addresses", Cause: err}
		}
	}
	return r, err
}

// depositTime is when the letters count as posted: noon of the day of the deposit,
// and never after now. The return window and the sentence of the cell start there,
// not where somebody typed it in.
func depositTime(r *pipeline.Run, d pipeline.Deposit, now time.Time) (time.Time, error) {
	if d.On.IsZero() {
		return now, nil
	}
	wrong := func(sentence string) error {
		return &pipeline.Error{Code: "deposit-date", Permanent: true, Sentence: sentence, Hint: "give the day on which the post took the letters, as the deposit slip has it"}
	}
	const day = 24 * time.Hour
	switch on := d.On.Time; {
	case on.After(now.Add(day)):
		return now, wrong("the deposit of " + r.Name() + " lies in the future")
	case on.Add(2 * day).Before(r.CutAt):
		return now, wrong("the deposit of " + r.Name() + " lies before the run was made")
	}
	noon := d.On.Add(day / 2)
	if r.ReleasedAt.After(noon) && r.ReleasedAt.Before(d.On.Add(day)) {
		noon = r.ReleasedAt // the same day: not before the print shop had it
	}
	if noon.Before(now) {
		return noon, nil
	}
	return now, nil
}

// RecallRun records that the print shop stopped a released run; its letters are
// held. Repeating it changes nothing.
func (o Operations) RecallRun(ctx context.Context, id int64, reason string) (pipeline.Run, error) {
	return o.run(ctx, id, func(r *pipeline.Run, letters []RunLetter, at time.Time) (*runChange, error) {
		switch r.State {
		case pipeline.RunReleased:
			r.State, r.ClosedAt = pipeline.RunRecalled, at
			return &runChange{action: "run-recall", reason: reason, letters: stillIn(letters), item: pipeline.ItemOut, event: pipeline.Event{Kind: pipeline.EvRecalled}}, nil
		case pipeline.RunRecalled:
			return nil, nil
		case pipeline.RunCut, pipeline.RunAssembled:
			return nil, runState(r, "was not released", "art34 print recall takes it back")
		case pipeline.RunDeposited:
			return nil, runState(r, "is deposited: its letters are with the post, and nobody can call them back", "art34 print return records those that come back; what was wrong in the others a supplement puts right")
		}
		return nil, runState(r, "was voided before its release", "its letters are due again, in another run")
	})
}

// runChange is what an operation does to a run and to the letters in it.
type runChange struct {
	action, reason string
	letters        []RunLetter
	item           pipeline.RunItemState
	event          pipeline.Event
	rejected       map[int]string // by Seq, the code: these are rejected instead
}

// run changes a run and its letters in one transaction. decide returns nil when
// nothing is left to do.
func (o Operations) run(ctx context.Context, id int64, decide func(r *pipeline.Run, letters []RunLetter, at time.Time) (*runChange, error)) (pipeline.Run, error) {
	for range 10 {
		r, letters, err := o.readRun(ctx, id)
		if err != nil {
			return r, err
		}
		from := []pipeline.RunState{r.State}
		at := o.Clock.Now()
		c, err := decide(&r, letters, at)
		if err != nil || c == nil {
			return r, err
		}
		items, members, facts, err := o.letters(ctx, r, c, at)
		if err != nil {
			return r, err
		}
		a := o.audit(r.Campaign, c.action, c.reason, r.Name())
		if err = o.Ledger.UpdateRun(ctx, r, from, items, members, a); err == nil {
			if len(facts) > 0 {
				err = o.Ledger.Record(ctx, facts)
			}
			return r, o.explain(err, "")
		}
		if !conflict(err) {
			return r, o.explain(err, "")
		}
	}
	return pipeline.Run{}, &pipeline.Error{Code: "run-busy", Sentence: pipeline.RunName(id) + " is being changed by somebody else", Hint: "try again", Cause: pipeline.ErrConflict}
}

// readRun reads a run with all its items; Job is the notice as it is now.
func (o Operations) readRun(ctx context.Context, id int64) (pipeline.Run, []RunLetter, error) {
	r, err := o.Ledger.Run(ctx, id)
	if errors.Is(err, pipeline.ErrNotFound) {
		return r, nil, &pipeline.Error{Code: "run-unknown", Permanent: true, Sentence: "there is no print run " + pipeline.RunName(id), Hint: "art34 print list shows them", Cause: err}
	}
	if err == nil && r.State == pipeline.RunFilling {
		// Nothing may join it any more, or the letters read here would not be all.
		if err = o.Ledger.CloseRun(ctx, id); err == nil {
			r, err = o.Ledger.Run(ctx, id)
		}
	}
	if err != nil {
		return r, nil, o.explain(err, "")
	}
	items, err := o.Ledger.RunItems(ctx, id)
	if err != nil {
		return r, nil, o.explain(err, "")
	}
	jobs, err := o.Ledger.RunJobs(ctx, id)
	if err != nil {
		return r, nil, o.explain(err, "")
	}
	by := make(map[int64]pipeline.Job, len(jobs))
	for _, j := range jobs {
		by[j.ID] = j
	}
	var letters []RunLetter
	for _, i := range items {
		if i.State != pipeline.ItemOut {
			letters = append(letters, RunLetter{Item: i, Job: by[i.Notice]})
		}
	}
	return r, letters, nil
}

// letters turns a change of the run into changes of its letters. What concerns a
// letter that has moved on (it came back before the deposit was acknowledged) is
// recorded as a fact.
func (o Operations) letters(ctx context.Context, r pipeline.Run, c *runChange, at time.Time) (items []pipeline.RunItem, members []pipeline.Change, facts []pipeline.Event, err error) {
	policy := pipeline.DefaultPolicy()
	if len(c.letters) > 0 {
		k, err := (&Service{Config: Config{Ledger: o.Ledger}}).campaignOf(ctx, r.Campaign)
		if err != nil {
			return nil, nil, nil, o.explain(err, strconv.FormatInt(r.Campaign, 10))
		}
		spec, err := o.Specs.Spec(ctx, k)
		if err != nil {
			return nil, nil, nil, o.explain(err, k.Name)
		}
		policy = spec.Policy()
	}
	for _, l := range c.letters {
		item, e := l.Item, c.event
		item.State = c.item
		e.Notice, e.Attempt, e.Actor = item.Notice, item.Attempt, o.Actor
		if e.Detail == "" {
			e.Detail = r.Name()
		}
		if e.At.IsZero() {
			e.At = at
		}
		if code, ok := c.rejected[item.Seq]; ok {
			item.State, e.Kind, e.Code = pipeline.ItemRejected, pipeline.EvRejected, code
		}
		items = append(items, item)
		next, moved, err := policy.Apply(l.Job.Notice, e)
		switch {
		case err != nil: // it has moved on, and this has nothing to say any more
		case !moved:
			facts = append(facts, e)
		default:
			next.MovedAt = o.Real.Now()
			members = append(members, pipeline.Move(l.Job.Notice, next, e))
		}
	}
	return items, members, facts, nil
}

func runState(r *pipeline.Run, is, hint string) error {
	return &pipeline.Error{Code: "run-state", Permanent: true, Sentence: "print run " + r.Name() + " " + is, Hint: hint, Cause: pipeline.ErrConflict}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
