package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// practiceClock is the compressed clock of a practice run. It compresses waiting,
// not work: while there is work at hand that is due by now, it hardly moves, so
// that a slow machine gets the same rehearsal as a fast one.
type practiceClock struct {
	mu     sync.Mutex
	at     time.Time // what it showed
	since  time.Time // when it showed that, by the machine
	factor float64
}

// newPracticeClock returns a clock that stands still at a time.
func newPracticeClock(at time.Time) *practiceClock {
	return &practiceClock{at: at.UTC(), since: time.Now()}
}

// Now implements clock.Clock.
func (c *practiceClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now(time.Now())
}

func (c *practiceClock) now(real time.Time) time.Time {
	return c.at.Add(time.Duration(float64(real.Sub(c.since)) * c.factor))
}

// run lets the clock go on a number of times as fast as that of the machine.
func (c *practiceClock) run(factor float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	real := time.Now()
	c.at, c.since, c.factor = c.now(real), real, factor
}

// How the clock is driven.
const (
	driveEvery = 20 * time.Millisecond
	slowdown   = 1000 // times slower while there is work at hand
)

// drive runs the clock until ctx ends: fast while everybody waits for something.
func (p *practice) drive(ctx context.Context) error {
	tick := time.NewTicker(driveEvery)
	defer tick.Stop()
	for {
		busy, err := p.busy(ctx)
		switch {
		case err != nil && ctx.Err() == nil && !errors.Is(err, pipeline.ErrAway):
			return err
		case busy || err != nil:
			p.clock.run(max(1, p.factor/slowdown))
		default:
			p.clock.run(p.factor)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// busy reports whether e-mails are due or on their way, or something that came
// back is being delivered or judged. Letters do not count: they gather into runs.
func (p *practice) busy(ctx context.Context) (bool, error) {
	if p.relay.Overdue() {
		return true, nil
	}
	for _, err := range p.h.ledger.Inbox(ctx, pipeline.InboundFilter{States: []pipeline.InboundState{pipeline.InboundPending}, Limit: 1}) {
		return true, err
	}
	tallies, err := p.h.ledger.Tally(ctx, p.campaign.ID)
	if err != nil {
		return false, err
	}
	for _, t := range tallies {
		if t.Count > 0 && (t.State == pipeline.Queued || t.State == pipeline.Sending) {
			return true, nil
		}
	}
	next, err := p.h.ledger.NextDue(ctx, p.campaign.ID)
	due := next[pipeline.Email]
	return !due.IsZero() && !due.After(p.clock.Now()), err
}
