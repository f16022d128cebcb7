package dispatch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// BenchmarkRound is what dispatch itself costs a message: marking, handing over and
// recording against a ledger, a composer and a relay that cost nothing, with a body
// of the usual size. Under 20 µs is the aim.
func BenchmarkRound(b *testing.B) {
	const size = 5 << 10
	ledger := nothing{newMemLedger()}
	ledger.campaigns[1] = &pipeline.Campaign{ID: 1, Name: "muguet", State: pipeline.Running, Version: 1, LaunchAt: time.Unix(1, 0)}
	s, err := New(Config{
		Ledger: ledger, Queue: newMemQueue(1), Specs: memSpecs{&pipeline.Spec{}}, Composer: still{body: make([]byte, size)}, Relay: newMemRelay(),
		Clock: clock.Real{}, Real: clock.Real{}, Owner: "bench",
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	s.control.look(ctx)
	c := newCourier(s, ctx)
	c.lease.renew(ctx)
	jobs := make([]pipeline.Job, chunk)
	for i := range jobs {
		jobs[i].Notice = pipeline.Notice{ID: int64(i + 1), Campaign: 1, State: pipeline.Queued, Channel: pipeline.Email, Attempt: 1, Kind: pipeline.First, Gen: 2, Provider: "other"}
	}
	b.ReportAllocs()
	for b.Loop() {
		s.control.look(ctx)
		c.lease.renew(ctx)
		r := &round{c: c, campaign: 1, conn: yes{}}
		if left := r.run(ctx, jobs); len(left) != 0 {
			b.Fatal(len(left), "left")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*chunk), "ns/message")
}

// nothing is a ledger whose writes cost nothing.
type nothing struct{ *memLedger }

func (nothing) Commit(_ context.Context, c []pipeline.Change) ([]bool, error) {
	ok := make([]bool, len(c))
	for i := range ok {
		ok[i] = true
	}
	return ok, nil
}

// still is a composer that has the same body for all.
type still struct{ body []byte }

func (s still) Compose(_ context.Context, j pipeline.Job, _ pipeline.Campaign, _ time.Time) (*pipeline.Message, error) {
	return &pipeline.Message{ID: fmt.Sprint(j.ID), Body: s.body}, nil
}

type yes struct{}

func (yes) Send(context.Context, *pipeline.Message, *pipeline.Message) pipeline.Answer { return ok250 }
func (yes) Close() error                                                               { return nil }
