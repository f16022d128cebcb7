package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

func notice(s pipeline.State) pipeline.Notice {
	return pipeline.Notice{
		ID: 7, Campaign: 1, Import: 2, Role: pipeline.Primary, State: s, Born: pipeline.Due, Channel: pipeline.Email,
		Attempt: 1, Kind: pipeline.First, Reach: pipeline.ByEmail | pipeline.ByPost, Gen: 3,
	}
}

// TestWhatTheRulesDecideIsWritten: whatever Policy.Apply makes of an event in a
// state passes the check, on both channels.
func TestWhatTheRulesDecideIsWritten(t *testing.T) {
	t.Parallel()
	moves := 0
	for _, tr := range pipeline.Transitions() {
		for _, s := range pipeline.States() {
			for _, ch := range pipeline.Channels() {
				for _, outcome := range []pipeline.Outcome{tr.Outcome, pipeline.Dead, pipeline.Transient, pipeline.Ours, pipeline.None} {
					n := notice(s)
					n.Channel = ch
					e := pipeline.Event{Notice: 7, Attempt: 1, Kind: tr.Event, Outcome: outcome, At: time.Unix(1e9, 0)}
					next, moved, err := pipeline.DefaultPolicy().Apply(n, e)
					if err != nil || !moved {
						continue
					}
					moves++
					if err := ledger.CheckChange(pipeline.Move(n, next, e)); err != nil {
						t.Errorf("%s (%s) in %s: %v", tr.Event, outcome, s, err)
					}
				}
			}
		}
	}
	if moves < 50 {
		t.Errorf("only %d moves tried", moves)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	hop := func() pipeline.Change {
		return pipeline.Hop(notice(pipeline.Due), pipeline.Queued, "", time.Unix(1e9, 0))
	}
	if err := ledger.CheckChange(hop()); err != nil {
		t.Fatal(err)
	}
	for name, bend := range map[string]func(*pipeline.Change){
		"no id":                 func(c *pipeline.Change) { c.From.ID, c.To.ID = 0, 0 },
		"another notice":        func(c *pipeline.Change) { c.To.ID = 8 },
		"another import":        func(c *pipeline.Change) { c.To.Import = 9 },
		"another role":          func(c *pipeline.Change) { c.To.Role = pipeline.Copy },
		"another birth":         func(c *pipeline.Change) { c.To.Born = pipeline.Held },
		"same generation":       func(c *pipeline.Change) { c.To.Gen = c.From.Gen },
		"no such state":         func(c *pipeline.Change) { c.To.State = "lost" },
		"another's event":       func(c *pipeline.Change) { c.Event = &pipeline.Event{Notice: 8, Kind: pipeline.EvHeld} },
		"event without place":   func(c *pipeline.Change) { c.Event = &pipeline.Event{Notice: 7, Kind: pipeline.EvAccepted} },
		"another's attempt":     func(c *pipeline.Change) { c.Attempt = &pipeline.Attempt{Notice: 8, N: 1} },
		"attempt without count": func(c *pipeline.Change) { c.Attempt = &pipeline.Attempt{Notice: 7} },
	} {
		c := hop()
		bend(&c)
		if ledger.CheckChange(c) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	leap := pipeline.Hop(notice(pipeline.Due), pipeline.Accepted, "", time.Unix(1e9, 0))
	if err := ledger.CheckChange(leap); !isTransition(err) {
		t.Errorf("a leap: %v", err)
	}
}

func isTransition(err error) bool {
	_, ok := errors.AsType[*pipeline.TransitionError](err)
	return ok
}

func TestMayAbsorb(t *testing.T) {
	t.Parallel()
	primary := pipeline.Notice{ID: 1, Role: pipeline.Primary}
	sup := func(id, parent int64) pipeline.Notice {
		return pipeline.Notice{ID: id, Parent: parent, Role: pipeline.Supplement}
	}
	for _, x := range []struct {
		into, s pipeline.Notice
		want    bool
	}{
		{primary, sup(5, 1), true},
		{sup(4, 1), sup(5, 1), true},
		{sup(5, 1), sup(5, 1), false},
		{sup(4, 2), sup(5, 1), false},
		{primary, sup(5, 2), false},
		{primary, pipeline.Notice{ID: 5, Parent: 1, Role: pipeline.Copy}, false},
		{pipeline.Notice{ID: 4, Parent: 1, Role: pipeline.Copy}, sup(5, 1), false},
	} {
		if got := ledger.MayAbsorb(x.into, x.s); got != x.want {
			t.Errorf("%+v into %+v: %v", x.s, x.into, got)
		}
	}
}
