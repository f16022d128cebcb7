package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func TestEverybodyIsWrittenToOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(2000, pipeline.Email, nil)
		p := w.start()
		if i := p.rest(time.Minute); len(i.Blocked) != 0 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 2000})
		if w.relay.total() != 2000 || w.relay.max != defaultConnections {
			t.Errorf("%d messages over %d connections, want 2000 over %d", w.relay.total(), w.relay.max, defaultConnections)
		}
		if w.relay.open != 0 {
			t.Errorf("%d connections were left open", w.relay.open)
		}
		// Two changes a message, in groups.
		if perCall := float64(w.ledger.changes) / float64(w.ledger.commits); perCall < 4 {
			t.Errorf("%.1f changes a commit, want at least 4", perCall)
		}
		a := w.ledger.attempts[7][0]
		if a.Tries != 1 || a.Version != 1 || a.QueueID != "Q1" || a.Renderer != "test/1" || len(a.Bytes) != 32 || a.At.IsZero() {
			t.Errorf("attempt: %+v", a)
		}
		if e := w.ledger.events[7][0]; e.Kind != pipeline.EvAccepted || e.Code != "2.0.0" || e.Attempt != 1 || e.Actor != actorCourier {
			t.Errorf("event: %+v", e)
		}
	})
}

// TestThroughput: neither the ledger's latency nor rendering holds up the wire.
// With 2 ms a commit and 1 ms a hand-over eight connections can do 8,000/s.
func TestThroughput(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(8000, pipeline.Email, nil)
		start := time.Now()
		p := w.start()
		for w.relay.total() < 8000 {
			time.Sleep(10 * time.Millisecond)
		}
		took := time.Since(start)
		p.stop()
		if took > 1700*time.Millisecond {
			t.Errorf("8000 took %v of the ideal second", took)
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: 8000})
	})
}

// TestWindowBoundsTheDoubt: at most a window of notices a connection is in Sending
// at any time.
func TestWindowBoundsTheDoubt(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Email = pipeline.EmailPolicy{Connections: 3, Window: 4}
		w.people(600, pipeline.Email, nil)
		p := w.start()
		most := 0
		for w.relay.total() < 600 {
			most = max(most, w.states()[pipeline.Sending])
			time.Sleep(500 * time.Microsecond)
		}
		p.stop()
		if most > 12 || most < 6 {
			t.Errorf("up to %d in Sending, want at most 3 × 4 and near it", most)
		}
	})
}

func TestOutcomesFollowThePolicy(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(40, pipeline.Email, func(i int, n *pipeline.Notice) { n.Reach = pipeline.ByEmail | pipeline.ByPost })
		w.people(1, pipeline.Email, nil)
		w.spec.Feedback.Resend = []pipeline.Duration{pipeline.Duration(5 * time.Minute)}
		w.relay.script = func(notice int64, attempt, _ int) pipeline.Answer {
			switch {
			case notice == 1 || notice == 41:
				return dead550
			case notice == 2 && attempt == 1:
				return later451
			case notice == 3 && attempt == 1:
				return ours554
			}
			return ok250
		}
		p := w.start()
		i := p.rest(time.Minute)
		if n := w.notice(2); n.State != pipeline.Due || n.Channel != pipeline.Email || n.Attempt != 2 || n.Kind != pipeline.Resend || n.Reason != pipeline.ReasonTransient {
			t.Errorf("deferred: %+v", n)
		}
		if n := w.notice(3); n.State != pipeline.Due || n.Channel != pipeline.Email || n.Attempt != 2 || n.Reason != pipeline.ReasonOurs {
			t.Errorf("refused by our fault: %+v", n)
		}
		if i.Next.IsZero() || i.Next.Sub(time.Now()) > 15*time.Minute {
			t.Errorf("next is %v", i.Next)
		}
		if n := w.notice(1); n.State != pipeline.Printing || n.Kind != pipeline.Fallback {
			t.Errorf("a dead address did not become a letter: %+v", n)
		}
		if n := w.notice(41); n.State != pipeline.Unreachable || n.Reason != pipeline.ReasonAddressDead {
			t.Errorf("a dead address without any other: %+v", n)
		}
		time.Sleep(16 * time.Minute) // both are sent again when their time comes
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 39, pipeline.Printing: 1, pipeline.Unreachable: 1})
	})
}

// TestDoubtIsSentOnceMore: a relay that drops some after the dot, having taken
// them.
func TestDoubtIsSentOnceMore(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Email.Breaker.DoubtShare = 1
		w.people(300, pipeline.Email, nil)
		w.relay.script = func(notice int64, _, times int) pipeline.Answer {
			if notice <= 10 || notice <= 20 && times == 0 {
				return doubt
			}
			return ok250
		}
		p := w.start()
		p.rest(2 * time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 290, pipeline.Held: 10})
		for id, want := range map[int64]int{5: 2, 15: 2, 25: 1} {
			if w.relay.delivered[id] != want {
				t.Errorf("notice %d was delivered %d times, want %d", id, w.relay.delivered[id], want)
			}
		}
		if w.ledger.again != 20 || w.ledger.doubts != 30 {
			t.Errorf("%d again, %d doubts; want 20 and 30", w.ledger.again, w.ledger.doubts)
		}
		if n := w.notice(5); n.Reason != pipeline.ReasonSecondDoubt {
			t.Errorf("held for %s", n.Reason)
		}
	})
}

// TestUnfitIsHeld: one customer's letter that cannot be built, or that panics the
// renderer, holds that notice and nothing else.
func TestUnfitIsHeld(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(200, pipeline.Email, nil)
		w.composer.fail = func(n pipeline.Notice) error {
			switch n.ID {
			case 50:
				return &pipeline.Error{Code: "no-data-kind", Sentence: "x", Permanent: true}
			case 60:
				panic("person@example.com")
			}
			return nil
		}
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 198, pipeline.Held: 2})
		if a, b := w.notice(50).Reason, w.notice(60).Reason; a != "no-data-kind" || b != "render-panic" {
			t.Errorf("held for %q and %q", a, b)
		}
		if strings.Contains(w.log.String(), "person@") {
			t.Error("the log shows what was panicked with")
		}
	})
}

// TestUnfitLettersStopTheLine: when nothing can be built it is not the customers.
func TestUnfitLettersStopTheLine(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(5000, pipeline.Email, nil)
		w.composer.fail = func(pipeline.Notice) error { return &pipeline.Error{Code: "key-lost", Sentence: "x"} }
		p := w.start()
		i := p.rest(time.Minute)
		held := w.states()[pipeline.Held]
		if held > 500 || i.Blocked["breaker:relay"] != int64(5000-held) || w.open(scopeRelay) != BlockUnfit {
			t.Errorf("%d held, blocked %v, breaker %q", held, i.Blocked, w.open(scopeRelay))
		}
		p.stop()
		w.sound()
	})
}

// TestRelayHangsUpOnOne: a message that the relay drops every time does not go
// round for ever.
func TestRelayHangsUpOnOne(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(1000, pipeline.Email, nil)
		w.relay.took = 10 * time.Millisecond
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			if notice == 100 {
				return hungUp
			}
			return ok250
		}
		p := w.start()
		p.rest(5 * time.Minute)
		p.stop()
		n := w.notice(100)
		if n.State != pipeline.Held || n.Reason != "relay-hangs-up" || w.relay.delivered[100] != 0 {
			t.Errorf("%+v", n)
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: 999})
	})
}

// TestPause: within a second nothing more reaches the relay, and resuming goes on
// exactly.
func TestPause(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 4 * time.Millisecond
		p := w.start()
		time.Sleep(1500 * time.Millisecond)
		if err := w.operate().Pause(t.Context(), "muguet", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		before := w.relay.total()
		if before == 0 || before == 6000 {
			t.Fatalf("%d before the pause", before)
		}
		i := p.rest(time.Minute)
		if w.relay.total() != before {
			t.Errorf("%d more came after the pause", w.relay.total()-before)
		}
		if i.Blocked[BlockPaused] != int64(6000-before) {
			t.Errorf("blocked: %v, want %d paused", i.Blocked, 6000-before)
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: before, pipeline.Due: 6000 - before})
		if err := w.operate().Resume(t.Context(), "muguet", ""); err != nil {
			t.Fatal(err)
		}
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
		if w.relay.total() != 6000 {
			t.Errorf("%d messages", w.relay.total())
		}
	})
}

// TestDrain: SIGTERM finishes what is at the relay and returns the rest to Due.
func TestDrain(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(5000, pipeline.Email, nil)
		w.relay.took = 20 * time.Millisecond
		p := w.start()
		time.Sleep(2 * time.Second)
		p.stop()
		done := w.relay.total()
		if done == 0 || done == 5000 {
			t.Fatalf("%d", done)
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: done, pipeline.Due: 5000 - done, pipeline.InDoubt: 0, pipeline.Sending: 0, pipeline.Queued: 0})
		p = w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 5000})
		if w.ledger.doubts != 0 {
			t.Errorf("%d doubts", w.ledger.doubts)
		}
	})
}

// TestHardStop: a second SIGTERM ends at once, though the relay takes minutes; what
// was at the relay is in doubt and nothing is lost.
func TestHardStop(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(500, pipeline.Email, nil)
		w.relay.took = 5 * time.Minute
		p := w.start()
		time.Sleep(2 * time.Second)
		p.drain()
		time.Sleep(time.Second)
		before := time.Now()
		p.kill()
		if err := <-p.done; err != nil || time.Since(before) > 5*time.Second {
			t.Errorf("Run: %v after %v", err, time.Since(before))
		}
		w.relay.set(func() { w.relay.took = time.Millisecond })
		p = w.start()
		p.rest(3 * time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 500})
		if d := w.ledger.doubts; d == 0 || d > defaultConnections*defaultWindow {
			t.Errorf("%d doubts", d)
		}
	})
}

// TestSlowAnswerKeepsTheLease: a courier that waits for the answer after the dot
// for ten minutes is not taken for dead.
func TestSlowAnswerKeepsTheLease(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(16, pipeline.Email, nil)
		w.relay.took = 9 * time.Minute
		p := w.start()
		p.rest(time.Hour)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 16})
		if w.ledger.doubts != 0 || w.relay.total() != 16 {
			t.Errorf("%d doubts, %d messages", w.ledger.doubts, w.relay.total())
		}
	})
}

// TestLeaseLost: without its lease a courier sends nothing more, and what the relay
// says about what it had sent is still recorded.
func TestLeaseLost(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(200, pipeline.Email, nil)
		w.ledger.campaigns[1].Email.Breaker.DoubtShare = 1
		w.relay.took = 40 * time.Second // one answer outlasts lease and doubt
		w.relay.script = func(int64, int, int) pipeline.Answer { return ok250 }
		a := w.start(RoleCourier)
		b := w.start(RoleDispatch)
		time.Sleep(2 * time.Second) // eight are at the relay
		a.ledger.set(func() { a.ledger.down = true })
		time.Sleep(30 * time.Second) // doubted, resolved, due again
		w.relay.set(func() { w.relay.took = time.Millisecond })
		a.ledger.set(func() { a.ledger.down = false })
		a.rest(5 * time.Minute)
		a.stop()
		b.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 200})
		if w.relay.total() > 200+int(w.ledger.again) {
			t.Errorf("%d messages, %d again", w.relay.total(), w.ledger.again)
		}
	})
}

// TestInOtherHands: after a wipe a notice may be queued anew while another
// connection of the process still has it in hand under the number of before, where
// its claim can only fail. Whoever carries the new task gives it back, and does not
// leave it in the queue for nobody until it is looked for two minutes later.
func TestInOtherHands(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(10, pipeline.Email, nil)
		p := w.start(RoleDispatch)
		time.Sleep(time.Second)
		ctx := t.Context()
		c := newCourier(p.Service, ctx)
		c.lease.renew(ctx)
		carry := func() {
			for {
				task, ok, _ := w.queue.take(kindEmail)
				if !ok {
					return
				}
				c.handle(ctx, task)
				w.queue.done(task)
			}
		}
		before := w.notice(5)
		if before.State != pipeline.Queued || !c.grasp(5) {
			t.Fatalf("notice 5 is %s", before.State)
		}
		carry()
		if n := w.notice(5); n.Gen == before.Gen || w.relay.total() != 9 {
			t.Errorf("notice 5 was left in the queue: %+v; %d messages", n, w.relay.total())
		}
		c.loose(5)
		time.Sleep(time.Second)
		carry()
		p.stop()
		c.pool.tire(0)
		w.want(map[pipeline.State]int{pipeline.Accepted: 10})
	})
}
