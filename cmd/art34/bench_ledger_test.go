package main

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// ledgers measures each engine alone: eight couriers that take, mark and record,
// eight notices a commit.
func (s *suite) ledgers() {
	s.mailing()
	s.say("the ledger alone")
	in := s.mail.copy()
	s.note("Ledger alone, 8 couriers, 8 changes a commit: SQLite", "%.0f changes/s", s.carry(in, s.mail.due))
	in.remove()
	if !installed("postgres", "initdb") {
		return
	}
	p := s.prepare(s.mails, "ART34_LEDGER="+s.servers().Ledger)
	s.note("  PostgreSQL", "%.0f changes/s", s.carry(p.installation, p.due))
	p.remove()
}

// carry moves everything that is due to Accepted, and returns how many changes a
// second it made: two a notice, the taking not counted.
func (s *suite) carry(in *installation, due int64) float64 {
	ctx := context.Background()
	h := in.house()
	defer h.Close()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		s.Fatal(err)
	}
	var wg sync.WaitGroup
	start := time.Now()
	for range 8 {
		wg.Go(func() {
			for {
				n, err := carrySome(ctx, h.ledger, c.ID)
				if err != nil {
					s.Error(err)
				}
				if err != nil || n == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	return float64(2*due) / time.Since(start).Seconds()
}

// carrySome does for a hundred notices what a courier does, without the relay.
func carrySome(ctx context.Context, l ledger.Ledger, campaign int64) (int, error) {
	const window = 8
	now := time.Now()
	tickets, err := l.TakeDue(ctx, pipeline.Take{Campaign: campaign, Channel: pipeline.Email, Limit: 100, Now: now, Moved: now})
	if err != nil {
		return 0, err
	}
	jobs, err := l.Load(ctx, tickets)
	for len(jobs) > 0 && err == nil {
		some := jobs[:min(window, len(jobs))]
		jobs = jobs[len(some):]
		marks, ends := make([]pipeline.Change, len(some)), make([]pipeline.Change, len(some))
		for i, j := range some {
			sum := sha256.Sum256([]byte{byte(j.ID)})
			marks[i] = pipeline.Hop(j.Notice, pipeline.Sending, "bench", now)
			marks[i].Attempt = &pipeline.Attempt{
				Notice: j.ID, N: j.Attempt, Kind: j.Kind, Channel: pipeline.Email, Version: 1, Told: j.Import, At: now, Letter: sum[:], Bytes: sum[:], Renderer: renderer,
			}
			e := pipeline.Event{Notice: j.ID, Attempt: j.Attempt, Kind: pipeline.EvAccepted, At: now, Actor: "bench", Code: "2.0.0", Detail: "queued"}
			next, _, failed := pipeline.DefaultPolicy().Apply(marks[i].To, e)
			if failed != nil {
				return 0, failed
			}
			next.MovedAt = now
			ends[i] = pipeline.Move(marks[i].To, next, e)
		}
		if _, err = l.Commit(ctx, marks); err == nil {
			_, err = l.Commit(ctx, ends)
		}
	}
	return len(tickets), err
}
