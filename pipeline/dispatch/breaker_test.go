package dispatch

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestRelayAway: a relay that dies costs nobody anything; it is tried again with one
// connection, less and less often, and the work goes on when it is back.
func TestRelayAway(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 4 * time.Millisecond
		p := w.start()
		time.Sleep(time.Second)
		w.relay.set(func() {
			w.relay.dial = errRelay
			w.relay.script = func(int64, int, int) pipeline.Answer { return hungUp }
		})
		time.Sleep(time.Second)
		if w.open(scopeRelay) != BlockRelayAway {
			t.Fatalf("breaker: %q", w.open(scopeRelay))
		}
		if m := p.Missing(); len(m) != 1 || m[0] != "relay" {
			t.Errorf("missing: %v", m)
		}
		dials := w.relay.dialled()
		if i, err := p.Idle(t.Context()); err != nil || i.Idle {
			t.Errorf("idle while the relay is away for a moment: %+v, %v", i, err)
		}
		time.Sleep(4 * time.Minute)
		if n := w.relay.dialled() - dials; n < 5 || n > 9 {
			t.Errorf("%d dials in four minutes, want 5, 10, 20, 40, 60, 60 s apart", n)
		}
		if i := p.rest(time.Minute); i.Blocked[BlockRelayAway] == 0 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		w.relay.set(func() {
			w.relay.dial = nil
			w.relay.script = func(int64, int, int) pipeline.Answer { return ok250 }
		})
		time.Sleep(70 * time.Second)
		if i := p.rest(time.Minute); len(i.Blocked) != 0 || w.open(scopeRelay) != "" || len(p.Missing()) != 0 {
			t.Errorf("blocked %v, breaker %q, missing %v", i.Blocked, w.open(scopeRelay), p.Missing())
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
		if w.ledger.doubts != 0 {
			t.Errorf("%d doubts", w.ledger.doubts)
		}
	})
}

// TestRelayBackBeforeTheStart: a breaker that an earlier process left does not end
// the next one before it has tried.
func TestRelayBackBeforeTheStart(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(100, pipeline.Email, nil)
		b := pipeline.Breaker{Campaign: 1, Scope: scopeRelay, Reason: BlockRelayAway, Since: time.Now().Add(-time.Hour), Until: time.Now().Add(50 * time.Second)}
		if err := w.ledger.OpenBreaker(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		p := w.start()
		time.Sleep(20 * time.Second)
		if i, err := p.Idle(t.Context()); i.Idle || err != nil {
			t.Errorf("%+v, %v", i, err)
		}
		time.Sleep(35 * time.Second)
		if i := p.rest(time.Minute); len(i.Blocked) != 0 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 100})
	})
}

// TestRelayRefusesUs: whether at the door or at MAIL FROM, a person has to act, and
// nobody gets a letter for it.
func TestRelayRefusesUs(t *testing.T) {
	for name, break_ := range map[string]func(r *memRelay){
		"auth":      func(r *memRelay) { r.dial = errSecret },
		"mail from": func(r *memRelay) { r.script = func(int64, int, int) pipeline.Answer { return mailFrom } },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.people(1000, pipeline.Email, func(_ int, n *pipeline.Notice) { n.Reach |= pipeline.ByPost })
				w.relay.set(func() { break_(w.relay) })
				p := w.start()
				i := p.rest(time.Minute)
				if w.open(scopeRelay) != BlockRefused || i.Blocked["breaker:relay"] < 900 {
					t.Errorf("breaker %q, blocked %v", w.open(scopeRelay), i.Blocked)
				}
				time.Sleep(20 * time.Minute)
				if w.runs() != 0 || w.relay.total() != 0 {
					t.Errorf("%d print runs, %d messages", w.runs(), w.relay.total())
				}
				w.relay.set(func() {
					w.relay.dial = nil
					w.relay.script = func(int64, int, int) pipeline.Answer { return ok250 }
				})
				if err := w.operate().ReleaseBreaker(t.Context(), "muguet", scopeRelay, "password renewed"); err != nil {
					t.Fatal(err)
				}
				p.rest(time.Minute)
				p.stop()
				w.want(map[pipeline.State]int{pipeline.Accepted: 1000})
			})
		})
	}
}

// TestProviderRefusesUs: a 554 5.7.1 of one provider stops that provider alone, and
// never turns the list to post.
func TestProviderRefusesUs(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		names := []string{"orange", "google"}
		w.people(2000, pipeline.Email, func(i int, n *pipeline.Notice) {
			n.Provider = names[i%2]
			n.Reach |= pipeline.ByPost
		})
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			if notice%2 == 1 {
				return ours554
			}
			return ok250
		}
		p := w.start()
		i := p.rest(time.Minute)
		if w.open("provider:orange") != BlockProvider || w.open("provider:google") != "" || i.Blocked["breaker:provider:orange"] == 0 {
			t.Errorf("breaker %q, blocked %v", w.open("provider:orange"), i.Blocked)
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: 1000, pipeline.Due: 1000})
		refused := 0
		for _, n := range w.ledger.notices {
			if n.Attempt > 1 {
				refused++
			}
			if n.Channel != pipeline.Email {
				t.Errorf("notice %d goes by %s", n.ID, n.Channel)
			}
		}
		if refused < defaultRefusals || refused > defaultRefusals+defaultConnections*2 {
			t.Errorf("%d were refused before the breaker opened", refused)
		}
		p.stop()
	})
}

// TestDoubtShare: a relay that always drops after the dot is stopped, and nobody
// gets more than two.
func TestDoubtShare(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(400, pipeline.Email, nil)
		w.relay.script = func(int64, int, int) pipeline.Answer { return doubt }
		p := w.start()
		i := p.rest(2 * time.Minute)
		if w.open(scopeRelay) != BlockDoubts || i.Blocked["breaker:relay"] == 0 {
			t.Errorf("breaker %q, blocked %v", w.open(scopeRelay), i.Blocked)
		}
		if w.relay.total() > 60 {
			t.Errorf("%d messages before it stopped", w.relay.total())
		}
		for range 200 { // a person who never learns
			if w.states()[pipeline.Due] == 0 {
				break
			}
			if w.open(scopeRelay) != "" {
				if err := w.operate().ReleaseBreaker(t.Context(), "muguet", scopeRelay, ""); err != nil {
					t.Fatal(err)
				}
			}
			p.rest(2 * time.Minute)
		}
		p.stop()
		w.sound()
		for id, n := range w.relay.delivered {
			if n > 2 {
				t.Errorf("notice %d was delivered %d times", id, n)
			}
		}
	})
}

// TestDeadShare: too many dead addresses at one provider stop it, and hold back the
// letters of those already refused, until a person has looked.
func TestDeadShare(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		names := []string{"free", "google"}
		w.people(2400, pipeline.Email, func(i int, n *pipeline.Notice) {
			n.Provider = names[i%2]
			n.Reach |= pipeline.ByPost
		})
		w.spec.Post.MinLetters = 2000 // so that no letter is cut before the breaker opens
		w.spec.Post.MaxWait = pipeline.Duration(2 * time.Minute)
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			if notice%2 == 1 && notice%5 == 0 || notice%40 == 0 {
				return dead550 // a fifth at free, a twentieth at google
			}
			return ok250
		}
		p := w.start()
		i := p.rest(time.Minute)
		if w.open("provider:free") != BlockDeadShare || w.open("provider:google") != "" {
			t.Fatalf("breakers: free %q, google %q", w.open("provider:free"), w.open("provider:google"))
		}
		if i.Blocked["breaker:provider:free"] < 900 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		time.Sleep(3 * time.Minute) // the others' letters have waited long enough
		p.rest(time.Minute)
		for _, list := range w.ledger.items {
			for _, item := range list {
				if w.notice(item.Notice).Provider == "free" {
					t.Errorf("the letter of notice %d was cut", item.Notice)
				}
			}
		}
		if w.runs() == 0 {
			t.Error("the other provider's letters were not cut")
		}
		if err := w.operate().ReleaseBreaker(t.Context(), "muguet", "provider:free", "they are really gone"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Minute)
		if i := p.rest(time.Minute); len(i.Blocked) != 0 {
			t.Errorf("blocked after a person looked: %v", i.Blocked)
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Due: 0})
	})
}

func TestRingForgets(t *testing.T) {
	t.Parallel()
	r := newRing(3)
	for i, step := range []struct {
		hit     bool
		n, hits int
	}{{true, 1, 1}, {true, 2, 2}, {false, 3, 2}, {false, 3, 1}, {false, 3, 0}, {true, 3, 1}, {true, 3, 2}, {true, 3, 3}, {false, 3, 2}} {
		r.add(step.hit)
		if r.n != step.n || r.hits != step.hits {
			t.Errorf("step %d: %d of %d, want %d of %d", i, r.hits, r.n, step.hits, step.n)
		}
	}
}
