package dispatch

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestDeadCourier: what a dead process had in hand is resolved within 30 s, with no
// more doubts than connections times window, and no more duplicates than doubts.
func TestDeadCourier(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(3000, pipeline.Email, nil)
		w.relay.took = 5 * time.Millisecond
		dead := w.start(RoleCourier)
		p := w.start(RoleDispatch)
		time.Sleep(time.Second)
		dead.crash()
		inHand := w.states()[pipeline.Sending]
		if inHand == 0 || inHand > defaultConnections*defaultWindow {
			t.Errorf("%d in Sending at the crash", inHand)
		}
		other := w.start(RoleCourier)
		time.Sleep(30 * time.Second)
		if n := w.states(); n[pipeline.InDoubt] != 0 || n[pipeline.Sending] > defaultConnections*defaultWindow {
			t.Errorf("30 s after the crash: %v", n)
		}
		for id, list := range w.ledger.events {
			if list[0].Kind == pipeline.EvDoubted && w.notice(id).State == pipeline.Sending {
				t.Errorf("notice %d is still in Sending", id)
			}
		}
		other.rest(time.Minute) // asynq never hands the dead one's tasks out again here
		p.stop()
		other.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 3000})
		if w.ledger.doubts != int64(inHand) {
			t.Errorf("%d doubts, %d were in hand", w.ledger.doubts, inHand)
		}
	})
}

// TestWipe is FLUSHALL at full speed: nothing is lost and nothing sent twice.
func TestWipe(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 2 * time.Millisecond
		p := w.start()
		for range 3 {
			time.Sleep(400 * time.Millisecond)
			w.queue.wipe()
		}
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
		if w.relay.total() != 6000 || w.ledger.doubts != 0 {
			t.Errorf("%d messages, %d doubts", w.relay.total(), w.ledger.doubts)
		}
	})
}

// TestLostTasks: tasks that vanish without a trace (a failover loses the tail of
// the writes) are found by their age.
func TestLostTasks(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(500, pipeline.Email, nil)
		p := w.start(RoleDispatch)
		time.Sleep(time.Second)
		w.queue.mu.Lock()
		lost := len(w.queue.pending[kindEmail])
		clear(w.queue.pending)
		clear(w.queue.open)
		w.queue.mu.Unlock()
		if lost == 0 {
			t.Fatal("nothing was queued")
		}
		c := w.start(RoleCourier)
		time.Sleep(w.timesOf(p).StaleQueued + 10*time.Second)
		c.rest(time.Minute)
		c.stop()
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 500})
	})
}

func (w *world) timesOf(p *proc) Times { return p.Times }

// TestBacklogIsNoLoss: notices that wait because no courier runs are left in the
// queue.
func TestBacklogIsNoLoss(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(500, pipeline.Email, nil)
		p := w.start(RoleDispatch)
		time.Sleep(10 * time.Minute)
		if n := w.states()[pipeline.Queued]; n != 500 {
			t.Errorf("%d queued", n)
		}
		for _, n := range w.ledger.notices {
			if n.Gen != 2 {
				t.Fatalf("notice %d was taken back and queued again", n.ID)
			}
		}
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Due: 500})
	})
}

// TestSilenceInforms: only where the way back is proven.
func TestSilenceInforms(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Feedback.BounceWindow = pipeline.Duration(time.Minute)
		var proven atomic.Bool
		w.wayBack = func(_ pipeline.Campaign, ch pipeline.Channel) bool { return proven.Load() }
		w.people(700, pipeline.Email, nil)
		p := w.start()
		time.Sleep(2 * time.Minute)
		w.want(map[pipeline.State]int{pipeline.Accepted: 700})
		proven.Store(true)
		time.Sleep(5 * time.Second)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Informed: 700})
		if e := w.ledger.events[1]; e[1].Kind != pipeline.EvConfirmed || e[1].Actor != actorClock {
			t.Errorf("%+v", e)
		}
	})
}

// TestCancelled: what comes back to Due after the campaign was cancelled is
// cancelled too.
func TestCancelled(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(2000, pipeline.Email, nil)
		w.people(30, pipeline.Post, nil)
		w.relay.took = 20 * time.Millisecond
		w.ledger.campaigns[1].Email.Breaker.DoubtShare = 1
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			if notice%10 == 0 {
				return doubt
			}
			return ok250
		}
		p := w.start()
		time.Sleep(2 * time.Second)
		m, err := w.operate().Cancel(t.Context(), "muguet", "wrong list")
		if err != nil || m.Moved == 0 {
			t.Fatal(m, err)
		}
		sent := w.relay.total()
		if i := p.rest(time.Minute); len(i.Blocked) != 0 {
			t.Errorf("blocked: %v", i.Blocked)
		}
		p.stop()
		if n := w.relay.total() - sent; n > 100 { // within the next look
			t.Errorf("%d were sent after the end", n)
		}
		s := w.states()
		if s[pipeline.Due]+s[pipeline.Queued]+s[pipeline.Sending]+s[pipeline.InDoubt]+s[pipeline.Printing] != 0 {
			t.Errorf("left: %v", s)
		}
		if _, err := w.operate().Cancel(t.Context(), "muguet", ""); err != nil {
			t.Errorf("a second time: %v", err)
		}
		w.sound()
	})
}

// TestLedgerAway: work stops and goes on by itself; a commit whose answer was lost
// is not repeated and not forgotten.
func TestLedgerAway(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 3 * time.Millisecond
		p := w.start()
		time.Sleep(500 * time.Millisecond)
		lost := 0
		p.ledger.set(func() {
			p.ledger.lose = func() bool { lost++; return lost%7 == 0 }
		})
		time.Sleep(300 * time.Millisecond)
		p.ledger.set(func() { p.ledger.down = true })
		time.Sleep(4 * time.Second)
		n := w.relay.total()
		if m := p.Missing(); len(m) != 1 || m[0] != "ledger" {
			t.Errorf("missing: %v", m)
		}
		time.Sleep(2 * time.Second) // less than the lease, so that nobody is taken for dead
		if got := w.relay.total(); got != n {
			t.Errorf("%d were sent without a ledger", got-n)
		}
		p.ledger.set(func() { p.ledger.down = false })
		p.rest(time.Minute)
		p.stop()
		if len(p.Missing()) != 0 {
			t.Errorf("missing: %v", p.Missing())
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
		if w.relay.total() != 6000 || w.ledger.doubts != 0 {
			t.Errorf("%d messages, %d doubts", w.relay.total(), w.ledger.doubts)
		}
	})
}

// TestQueueAway: the same for Redis.
func TestQueueAway(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(6000, pipeline.Email, nil)
		w.relay.took = 3 * time.Millisecond
		p := w.start()
		time.Sleep(500 * time.Millisecond)
		w.queue.setDown(true)
		time.Sleep(5 * time.Second)
		if m := p.Missing(); len(m) != 1 || m[0] != "queue" {
			t.Errorf("missing: %v", m)
		}
		w.queue.setDown(false)
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 6000})
		if w.relay.total() != 6000 {
			t.Errorf("%d messages", w.relay.total())
		}
	})
}

// TestCopiesOfTasks: a queue that hands everything out twice sends nothing twice.
func TestCopiesOfTasks(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.queue.copies = 1
		w.people(3000, pipeline.Email, nil)
		a, b := w.start(), w.start()
		a.rest(time.Minute)
		a.stop()
		b.stop()
		w.want(map[pipeline.State]int{pipeline.Accepted: 3000})
		if w.relay.total() != 3000 {
			t.Errorf("%d messages", w.relay.total())
		}
	})
}

// TestFullDiskIsToldNowAndThen: a full disk can be read and not written to, many
// times a second.
func TestFullDiskIsToldNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		p := w.start(RoleDispatch)
		ctx := t.Context()
		for range 600 {
			_ = p.reached(ctx, "ledger", errAway)
			_ = p.reached(ctx, "ledger", nil)
			time.Sleep(50 * time.Millisecond)
		}
		p.drain()
		log := w.log.String()
		if away, back := strings.Count(log, "away; the work waits"), strings.Count(log, "msg=back"); away < 3 || away > 4 || back != away {
			t.Errorf("%d times away, %d times back in 30 s", away, back)
		}
		// One that stays away is not forgotten.
		p = w.start(RoleDispatch)
		_, _ = p.reached(ctx, "queue", errAway), p.reached(ctx, "queue", nil)
		for range 30 {
			_ = p.reached(ctx, "queue", errAway)
			time.Sleep(500 * time.Millisecond)
		}
		if n := strings.Count(w.log.String(), "service=queue error"); n != 2 {
			t.Errorf("told %d times", n)
		}
	})
}
