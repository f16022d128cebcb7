package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// left reports whether a letter is on its way, or was: another one may follow it.
func left(s pipeline.State) bool {
	return slices.Contains([]pipeline.State{pipeline.Accepted, pipeline.Printing, pipeline.Posted, pipeline.Informed}, s)
}

// Mark adds a flag to all notices of a customer, and stops what can be stopped: what
// has not left is held, a letter in a print run that nobody has handed over is taken
// out of it. One that lies with the print shop is named, for hands to pull. What has
// left is not followed by anything by itself, whatever comes back. Once more changes
// nothing but what can be stopped since.
func (k consoleCustomers) Mark(ctx context.Context, actor string, c pipeline.Campaign, notice int64, flag, reason string) (m console.Marked, err error) {
	if err := why(reason); err != nil {
		return m, err
	}
	x, err := k.customer(ctx, c, notice)
	if err != nil {
		return m, err
	}
	h := k.as(actor)
	if err := h.ledger.Append(ctx, h.audit(c.ID, "mark", reason, fmt.Sprintf("notice %d: %s", notice, flag))); err != nil {
		return m, err
	}
	for _, j := range x.notices {
		if err := h.mark(ctx, j.ID, flag, reason, &m); err != nil {
			return m, err
		}
	}
	for _, l := range m.ByHand {
		if err := h.ledger.Append(ctx, h.audit(c.ID, pipeline.ActionPullByHand, reason, l.String())); err != nil {
			return m, err
		}
	}
	return m, nil
}

// mark marks one notice. It may go into a print run, or out of the house, at this very
// moment: then it is looked at again.
func (h *house) mark(ctx context.Context, id int64, flag, reason string, m *console.Marked) error {
	tried := map[int64]bool{} // print runs that the letter cannot be taken out of
	for {
		var in int64
		var at pipeline.Notice // as it was marked
		var letter console.InRun
		_, err := h.patiently(ctx, id, func(j pipeline.Job) (*pipeline.Change, error) {
			in, at, letter = 0, j.Notice, console.InRun{}
			if j.State == pipeline.Printing {
				var err error
				if letter, err = h.inRun(ctx, j.Notice); err != nil {
					return nil, err
				}
				if letter.Run != 0 && !tried[letter.Run] {
					in = letter.Run
					return nil, nil
				}
			}
			return h.flagged(j, flag, reason), nil
		})
		if err != nil {
			return err
		}
		if in == 0 {
			m.Note(at, letter)
			return nil
		}
		tried[in] = true
		_, pulled, err := h.operations().PullLetter(ctx, in, id, flag, reason)
		if err != nil {
			return err
		}
		if pulled {
			m.Pulled = append(m.Pulled, in)
		}
	}
}

// flagged is the change that adds a flag to a notice, nil if nothing is left to do.
func (h *house) flagged(j pipeline.Job, flag, reason string) *pipeline.Change {
	stops := j.State == pipeline.Due || j.State == pipeline.InDoubt
	if slices.Contains(j.Flags, flag) && !stops && (!left(j.State) || j.Reach == 0) {
		return nil
	}
	next := j.Notice
	next.Flags, next.MovedAt = pipeline.Set(append(slices.Clone(j.Flags), flag)), h.real.Now()
	change := pipeline.Change{From: j.Notice, To: next, Sealed: j.Sealed}
	change.To.Gen++
	if left(j.State) {
		change.To.Reach = 0
	}
	if stops {
		next.State, next.Reason, next.Owner = pipeline.Held, flag, ""
		change = pipeline.Move(j.Notice, next, pipeline.Event{Kind: pipeline.EvHeld, At: h.clock.Now(), Actor: h.actor(), Code: flag, Detail: reason})
		change.Sealed = j.Sealed
	}
	return &change
}

// inRun says where a letter lies that is being printed.
func (h *house) inRun(ctx context.Context, n pipeline.Notice) (console.InRun, error) {
	attempts, err := h.ledger.Attempts(ctx, n.ID)
	for _, a := range attempts {
		if a.N == n.Attempt && a.Run != 0 {
			return console.InRun{Run: a.Run, Seq: a.Seq}, err
		}
	}
	return console.InRun{}, err
}
