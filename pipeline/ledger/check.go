package ledger

import (
	"fmt"

	"github.com/art34/art34/pipeline"
)

// CheckChange reports what is wrong with a change before an engine touches
// anything: a move that the transition table does not know is a
// *pipeline.TransitionError. Engines call it for every change that they are given.
func CheckChange(c pipeline.Change) error {
	f, t := c.From, c.To
	switch {
	case f.ID <= 0 || t.ID != f.ID || t.Campaign != f.Campaign || t.Import != f.Import || t.Parent != f.Parent || t.Role != f.Role || t.Born != f.Born:
		return fmt.Errorf("notice %d: a change may not alter its id, campaign, import, parent, role or birth", f.ID)
	case t.Gen != f.Gen+1:
		return fmt.Errorf("notice %d: a change leads from generation %d to %d", f.ID, f.Gen, t.Gen)
	case !t.State.Valid():
		return fmt.Errorf("notice %d: no such state: %q", f.ID, t.State)
	}
	if a := c.Attempt; a != nil && (a.Notice != f.ID || a.N < 1) {
		return fmt.Errorf("notice %d: the change carries attempt %d of notice %d", f.ID, a.N, a.Notice)
	}
	e := c.Event
	if e == nil {
		if t.State != f.State && !pipeline.HopAllowed(f.State, t.State) {
			return &pipeline.TransitionError{Notice: f.ID, From: f.State, To: t.State}
		}
		return nil
	}
	if e.Notice != f.ID {
		return fmt.Errorf("notice %d: the change carries an event of notice %d", f.ID, e.Notice)
	}
	if !pipeline.Allowed(e.Kind, e.Outcome, f.State, t.State) {
		return &pipeline.TransitionError{Notice: f.ID, Event: e.Kind, From: f.State, To: t.State}
	}
	return nil
}

// Starts reports whether a change starts the attempt that it carries: a hand-over
// that begins, or a letter that is cut into a run. Attempt.Tries and
// Counters.Attempts count these.
func Starts(c pipeline.Change) bool {
	return c.Attempt != nil && c.From.State != c.To.State &&
		(c.To.State == pipeline.Sending || c.To.State == pipeline.Printing)
}

// MayAbsorb reports whether a notice can take a supplement in: the primary notice
// that it belongs to, or another supplement of the same one.
func MayAbsorb(n, supplement pipeline.Notice) bool {
	s := supplement
	return s.Role == pipeline.Supplement && s.ID != n.ID &&
		(s.Parent == n.ID || n.Role == pipeline.Supplement && s.Parent == n.Parent)
}
