package dispatch

import (
	"context"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// hand moves notices by events, many at once. Every move is a compare-and-set: a
// notice that has moved on since it was read is left alone.
type hand struct {
	ledger      Ledger
	clock, real clock.Clock
}

func (s *Service) hand() hand { return hand{s.Ledger, s.Clock, s.Real} }

// batch is how many notices are moved by one call of the ledger: others wait for it.
const batch = 200

// move applies an event to each notice and returns how many moved.
func (h hand) move(ctx context.Context, list []pipeline.Notice, what func(pipeline.Notice) (pipeline.Policy, pipeline.Event)) (moved int, err error) {
	ok, err := h.try(ctx, list, what)
	for _, applied := range ok {
		if applied {
			moved++
		}
	}
	return moved, err
}

// try is move with a result for each notice.
func (h hand) try(ctx context.Context, list []pipeline.Notice, what func(pipeline.Notice) (pipeline.Policy, pipeline.Event)) ([]bool, error) {
	out := make([]bool, len(list))
	changes := make([]pipeline.Change, 0, len(list))
	index := make([]int, 0, len(list))
	for i, n := range list {
		p, e := what(n)
		e.Notice, e.At = n.ID, h.clock.Now()
		next, ok, err := p.Apply(n, e)
		if err != nil || !ok {
			continue // not in a state that the event has a place in
		}
		next.MovedAt = h.real.Now()
		c := pipeline.Move(n, next, e)
		c.Again = again(n, e)
		changes, index = append(changes, c), append(index, i)
	}
	if len(changes) == 0 {
		return out, nil
	}
	ok, err := h.ledger.Commit(ctx, changes)
	for i, applied := range ok {
		out[index[i]] = applied
	}
	return out, err
}

// settle does move until every notice either moved or is in a state that does not
// allow it, reading again those that moved on meanwhile.
func (h hand) settle(ctx context.Context, list []pipeline.Notice, what func(pipeline.Notice) (pipeline.Policy, pipeline.Event)) (moved int, err error) {
	for range 5 {
		ok, err := h.try(ctx, list, what)
		if err != nil {
			return moved, err
		}
		var again []pipeline.Notice
		for i, n := range list {
			if ok[i] {
				moved++
				continue
			}
			j, err := h.ledger.Notice(ctx, n.ID)
			if err == nil && j.Gen != n.Gen {
				again = append(again, j.Notice)
			}
		}
		if len(again) == 0 {
			return moved, nil
		}
		list = again
	}
	return moved, nil
}

// each applies an event to all notices that a filter selects, in batches.
func (h hand) each(ctx context.Context, f pipeline.Filter, what func(pipeline.Notice) (pipeline.Policy, pipeline.Event)) (seen, moved int64, err error) {
	return h.some(ctx, f, func(pipeline.Notice) bool { return true }, what)
}

// some is each for those that keep lets pass.
func (h hand) some(ctx context.Context, f pipeline.Filter, keep func(pipeline.Notice) bool, what func(pipeline.Notice) (pipeline.Policy, pipeline.Event)) (seen, moved int64, err error) {
	var list []pipeline.Notice
	flush := func() error {
		n, err := h.settle(ctx, list, what)
		seen, moved, list = seen+int64(len(list)), moved+int64(n), list[:0]
		return err
	}
	for j, err := range h.ledger.Each(ctx, f) {
		if err != nil {
			return seen, moved, err
		}
		if !keep(j.Notice) {
			continue
		}
		if list = append(list, j.Notice); len(list) >= batch {
			if err := flush(); err != nil {
				return seen, moved, err
			}
		}
	}
	return seen, moved, flush()
}

// cancelAll cancels everything of a campaign that was not sent.
func (h hand) cancelAll(ctx context.Context, campaign int64, actor string) (int64, error) {
	states := []pipeline.State{pipeline.Held, pipeline.Due, pipeline.Queued}
	tally, err := h.ledger.Tally(ctx, campaign)
	if err != nil || !slices.ContainsFunc(tally, func(t pipeline.Tally) bool { return t.Count > 0 && slices.Contains(states, t.State) }) {
		return 0, err
	}
	_, moved, err := h.each(ctx, pipeline.Filter{Campaign: campaign, States: states}, func(pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		return pipeline.DefaultPolicy(), pipeline.Event{Kind: pipeline.EvCancelled, Actor: actor, Code: "campaign-cancelled"}
	})
	return moved, err
}
