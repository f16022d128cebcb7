package dispatch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestChaos throws everything at two processes that may go wrong, at random: a
// relay that refuses, defers, hangs up and leaves doubts, couriers that die, a
// queue that is wiped, away and hands out copies, a ledger that is away and loses
// its answers, people who pause and hold. In the end everybody is accounted for,
// and nobody got more than the doubts explain.
func TestChaos(t *testing.T) {
	seeds := 6
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { chaos(t, uint64(seed)) })
		})
	}
}

func chaos(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	rng := rand.New(rand.NewPCG(seed, 2))
	w.queue.copies = 0.2
	w.spec.Post.RunSize = 40
	w.spec.Feedback.Resend = []pipeline.Duration{pipeline.Duration(20 * time.Second), pipeline.Duration(40 * time.Second)}
	w.spec.Feedback.Deadline = pipeline.Duration(15 * time.Minute)
	w.ledger.campaigns[1].Email = pipeline.EmailPolicy{Connections: 4, Window: 1 + rng.IntN(8), Breaker: pipeline.BreakerPolicy{DoubtShare: 1, Refusals: 1000}}
	w.people(600, pipeline.Email, func(i int, n *pipeline.Notice) {
		if i%2 == 0 {
			n.Reach |= pipeline.ByPost
		}
		n.Provider = []string{"orange", "google", "other"}[i%3]
	})
	w.people(60, pipeline.Post, nil)
	scripted := rand.New(rand.NewPCG(seed, 3))
	w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
		w.relay.took = time.Duration(1+scripted.IntN(30)) * time.Millisecond
		if scripted.IntN(200) == 0 {
			w.relay.took = time.Duration(scripted.IntN(40)) * time.Second
		}
		switch x := scripted.IntN(100); {
		case x < 5:
			return later451
		case x < 7:
			return ours554
		case x < 13:
			return hungUp
		case x < 19:
			return doubt
		case notice%25 == 0: // one in 25 of each provider, by no chance more: a cohort that is held waits for a person
			return dead550
		}
		return ok250
	}
	w.relay.delivers = func() bool { return scripted.IntN(2) == 0 }

	procs := []*proc{w.start(), w.start()}
	for range 25 {
		time.Sleep(time.Duration(rng.IntN(1500)) * time.Millisecond)
		i := rng.IntN(len(procs))
		p := procs[i]
		switch rng.IntN(8) {
		case 0, 1:
			p.crash()
			procs[i] = w.start()
		case 2:
			w.queue.wipe()
		case 3:
			w.queue.setDown(true)
			time.Sleep(time.Second)
			w.queue.setDown(false)
		case 4: // long enough, now and then, to be taken for dead
			p.ledger.set(func() { p.ledger.down = true })
			time.Sleep(time.Duration(rng.IntN(15)) * time.Second)
			p.ledger.set(func() { p.ledger.down = false })
		case 5:
			p.ledger.set(func() { p.ledger.lose = func() bool { return rand.IntN(5) == 0 } })
		case 6:
			o := w.operate()
			_ = o.Pause(t.Context(), "muguet", "")
			time.Sleep(time.Second)
			_ = o.Resume(t.Context(), "muguet", "")
		case 7:
			id := int64(1 + rng.IntN(600))
			_, _ = w.operate().Hold(t.Context(), Cohort{Campaign: 1, Notices: []int64{id}}, "held")
			_, _ = w.operate().Release(t.Context(), Cohort{Campaign: 1, Notices: []int64{id}}, "")
		}
	}
	for _, p := range procs {
		p.ledger.set(func() { p.ledger.lose = nil })
	}
	w.relay.set(func() {
		w.relay.took = time.Millisecond
		w.relay.script = func(int64, int, int) pipeline.Answer { return ok250 }
	})
	time.Sleep(20 * time.Minute) // resends and what our own fault put off fall due
	for _, p := range procs {
		p.rest(5 * time.Minute)
	}
	for _, p := range procs {
		p.stop()
	}
	if t.Failed() {
		return
	}
	w.sound()
	for s, n := range w.states() {
		switch s {
		case pipeline.Accepted, pipeline.Printing, pipeline.Unreachable, pipeline.Held:
		default:
			t.Errorf("%d ended as %s", n, s)
		}
	}
	for _, n := range w.ledger.notices {
		if n.State == pipeline.Held && n.Reason != pipeline.ReasonSecondDoubt && n.Reason != "relay-hangs-up" {
			t.Errorf("notice %d is held for %q", n.ID, n.Reason)
		}
		if n.State == pipeline.Accepted && w.relay.delivered[n.ID] == 0 {
			t.Errorf("notice %d is called accepted and never was: %v", n.ID, w.ledger.events[n.ID])
		}
	}
	if t.Failed() {
		t.Log(w.log.String())
	}
}
