package dispatch

import (
	"context"
	"errors"
	"strings"

	"github.com/art34/art34/pipeline"
)

// Cohort selects notices: those named, or those that the filter selects.
type Cohort struct {
	Campaign int64
	Notices  []int64
	Flag     string // of the customers, when Notices is empty; "" selects all
	Reason   string // of the notices; "" selects all
}

// Moved counts what an operation on a cohort did.
type Moved struct {
	Moved   int64
	Skipped int64 // named, and in a state that does not allow it
}

// Hold keeps notices from being sent until they are released.
func (o Operations) Hold(ctx context.Context, c Cohort, reason string) (Moved, error) {
	return o.cohort(ctx, c, "hold", reason, pipeline.EvHeld, "held", pipeline.Due, pipeline.Queued, pipeline.InDoubt)
}

// Release lets held notices go on.
func (o Operations) Release(ctx context.Context, c Cohort, reason string) (Moved, error) {
	return o.cohort(ctx, c, "release", reason, pipeline.EvReleased, "released", pipeline.Held)
}

// Exclude takes notices out for good, with a reason.
func (o Operations) Exclude(ctx context.Context, c Cohort, reason string) (Moved, error) {
	return o.cohort(ctx, c, "exclude", reason, pipeline.EvExcluded, "excluded", pipeline.Held, pipeline.Due, pipeline.Queued, pipeline.Unreachable)
}

// Resolve decides about doubts: send again, or hold.
func (o Operations) Resolve(ctx context.Context, c Cohort, send bool, reason string) (Moved, error) {
	if send {
		return o.cohort(ctx, c, "resolve-send", reason, pipeline.EvReleased, "doubt-resent", pipeline.InDoubt)
	}
	return o.cohort(ctx, c, "resolve-hold", reason, pipeline.EvHeld, pipeline.ReasonDoubt, pipeline.InDoubt)
}

// cohort applies one event to a cohort, in the states that it is meant for. The
// audit trail gets one entry, before anything moves.
func (o Operations) cohort(ctx context.Context, c Cohort, action, reason string, kind pipeline.EventKind, code string, states ...pipeline.State) (m Moved, err error) {
	if c.Campaign == 0 {
		return m, &pipeline.Error{Code: "cohort-campaign", Permanent: true, Exit: 2, Sentence: "a cohort needs a campaign"}
	}
	if isCode(reason) {
		code = reason
	}
	what := func(pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		return pipeline.DefaultPolicy(), pipeline.Event{Kind: kind, Actor: o.Actor, Code: code, Detail: reason}
	}
	if err := o.Ledger.Append(ctx, o.audit(c.Campaign, action, reason, c.describe())); err != nil {
		return m, o.explain(err, "")
	}
	if len(c.Notices) == 0 {
		_, m.Moved, err = o.hand().each(ctx, pipeline.Filter{Campaign: c.Campaign, Flag: c.Flag, Reason: c.Reason, States: states}, what)
		return m, o.explain(err, "")
	}
	for _, id := range c.Notices {
		j, err := o.Ledger.Notice(ctx, id)
		if err != nil && !errors.Is(err, pipeline.ErrNotFound) {
			return m, o.explain(err, "")
		}
		n := 0
		if err == nil && j.Campaign == c.Campaign {
			if n, err = o.hand().settle(ctx, []pipeline.Notice{j.Notice}, within(states, what)); err != nil {
				return m, o.explain(err, "")
			}
		}
		m.Moved += int64(n)
		m.Skipped += int64(1 - n)
	}
	return m, nil
}

// within limits an event to the states that an operation is meant for: releasing
// what is held must not also resolve doubts.
func within(states []pipeline.State, what func(pipeline.Notice) (pipeline.Policy, pipeline.Event)) func(pipeline.Notice) (pipeline.Policy, pipeline.Event) {
	return func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		p, e := what(n)
		for _, s := range states {
			if n.State == s {
				return p, e
			}
		}
		return p, pipeline.Event{} // has no place in any state
	}
}

// describe says what was selected, for the audit trail. Notices are ids.
func (c Cohort) describe() string {
	if n := len(c.Notices); n > 0 {
		return plural(n, "notice", "notices")
	}
	var s []string
	if c.Flag != "" {
		s = append(s, "flag "+c.Flag)
	}
	if c.Reason != "" {
		s = append(s, "reason "+c.Reason)
	}
	if len(s) == 0 {
		return "all"
	}
	return strings.Join(s, ", ")
}

// isCode reports whether a reason that a person gave can serve as a code.
func isCode(s string) bool {
	if s == "" || len(s) > 40 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
}
