package ledgertest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func testTake(t *testing.T, e Engine) {
	b := newBench(t, e)
	// DueAt rises with the id; every third is of another provider, the last two are
	// resends, one is not due yet, one goes by post.
	_, n := b.publish(12, func(i int, x *pipeline.Notice) {
		switch {
		case i >= 10:
			x.Lane = pipeline.LaneResend
		case i == 8:
			x.DueAt = t0.Add(48 * time.Hour)
		case i == 9:
			x.Channel = pipeline.Post
		case i%3 == 0:
			x.Provider = "google"
		}
	})
	ask := pipeline.Take{Campaign: b.campaign.ID, Lane: pipeline.LaneNotice, Channel: pipeline.Email, Provider: "google", Limit: 2, Now: t0.Add(time.Hour), Moved: t0.Add(time.Hour)}
	take := func(want ...int) {
		t.Helper()
		got, err := b.TakeDue(b.ctx, ask)
		b.must(err)
		var list []int64
		for _, i := range want {
			list = append(list, n[i].ID)
		}
		equal(t, "taken", ids(got), list)
	}
	take(0, 3)
	ask.Provider, ask.Limit = "", 3
	take(1, 2, 4)
	ask.Now = t0
	take()
	ask.Now, ask.Limit = t0.Add(time.Hour), 100
	take(5, 6, 7)
	ask.Lane = pipeline.LaneResend
	take(10, 11)
	take()
	got := b.notice(n[0].ID)
	if got.State != pipeline.Queued || !got.MovedAt.Equal(t0.Add(time.Hour)) || got.Gen != 2 {
		t.Fatalf("%+v", got)
	}
	ask.Campaign++
	take()
}

func testTakeConcurrently(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(400, nil)
	other := b.open()
	var mu sync.Mutex
	seen := map[int64]int{}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			l := b.Ledger
			if w%2 == 1 {
				l = other
			}
			for empty := 0; empty < 3; {
				got, err := l.TakeDue(b.ctx, pipeline.Take{Campaign: b.campaign.ID, Channel: pipeline.Email, Limit: 7, Now: t0.Add(time.Hour), Moved: t0})
				if err != nil {
					t.Error(err)
					return
				}
				if len(got) == 0 {
					empty++
				}
				mu.Lock()
				for _, x := range got {
					seen[x.Notice]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 400 {
		t.Errorf("%d of 400 taken", len(seen))
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("notice %d taken %d times", id, times)
		}
	}
}

func testLoadRequeue(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(5, nil)
	tickets := b.take(4)
	stale := slices.Clone(tickets)
	stale[0].Gen--
	jobs := b.load(stale)
	if len(jobs) != 3 {
		t.Fatalf("%d jobs for one stale ticket and three good ones", len(jobs))
	}
	for _, j := range jobs {
		if len(j.Sealed) == 0 || j.State != pipeline.Queued {
			t.Fatalf("%+v", j.Notice)
		}
	}
	if k, err := b.Requeue(b.ctx, stale, t0); err != nil || k != 3 {
		t.Fatalf("requeued %d, %v; want 3", k, err)
	}
	if k, err := b.Requeue(b.ctx, tickets[1:], t0); err != nil || k != 0 {
		t.Fatalf("requeued %d twice, %v", k, err)
	}
	if got := b.notice(n[1].ID); got.State != pipeline.Due || got.Gen <= tickets[1].Gen {
		t.Fatalf("%+v", got)
	}
	if k, err := b.RequeueAll(b.ctx, t0); err != nil || k != 1 {
		t.Fatalf("requeued %d of all, %v; want the one that was left", k, err)
	}
	if jobs := b.load(tickets); len(jobs) != 0 {
		t.Fatalf("loaded %d by tickets of an older generation", len(jobs))
	}
	if got := b.take(10); len(got) != 5 {
		t.Fatalf("took %d of 5 after the requeue", len(got))
	}
}

func testCommit(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(3, nil)
	jobs := b.load(b.take(3))
	var mark, done []pipeline.Change
	for _, j := range jobs {
		mark = append(mark, send(j.Notice, "p1"))
	}
	b.commit(mark...)
	for _, c := range mark {
		done = append(done, b.move(c.To, pipeline.Event{Kind: pipeline.EvAccepted, Code: "2.0.0", Detail: "queued as X", Actor: "courier"}))
	}
	stale := done[1]
	stale.From.Gen, stale.To.Gen = stale.From.Gen-1, stale.To.Gen-1
	ok, err := b.Commit(b.ctx, []pipeline.Change{done[0], stale, done[2]})
	b.must(err)
	equal(t, "applied", ok, []bool{true, false, true})
	for i, c := range done {
		want := c.To
		if i == 1 {
			want = mark[1].To
		}
		same(t, b.notice(want.ID), want)
	}
	events, err := b.Events(b.ctx, done[0].To.ID)
	b.must(err)
	if len(events) != 1 || events[0].Kind != pipeline.EvAccepted || events[0].Into != pipeline.Accepted || events[0].Channel != pipeline.Email || events[0].Code != "2.0.0" || events[0].Detail != "queued as X" || events[0].Attempt != 1 || events[0].ID == 0 {
		t.Fatalf("%+v", events)
	}
	if events, _ := b.Events(b.ctx, done[1].To.ID); len(events) != 0 {
		t.Fatalf("an event of a change that did not apply: %+v", events)
	}
}

func testCommitRefuses(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(2, nil)
	good := pipeline.Hop(n[0], pipeline.Queued, "", t0)
	leap := pipeline.Hop(n[1], pipeline.Accepted, "", t0)
	_, err := b.Commit(b.ctx, []pipeline.Change{good, leap})
	var te *pipeline.TransitionError
	if !errors.As(err, &te) {
		t.Fatalf("a leap to accepted: %v", err)
	}
	if got := b.notice(n[0].ID); got.State != pipeline.Due {
		t.Fatalf("a call that failed moved %+v", got)
	}
	ghost := pipeline.Hop(n[0], pipeline.Queued, "", t0)
	ghost.From.ID, ghost.To.ID = 999_999, 999_999
	ok, err := b.Commit(b.ctx, []pipeline.Change{ghost})
	b.must(err)
	equal(t, "a notice that is not there", ok, []bool{false})
	if ok, err := b.Commit(b.ctx, nil); err != nil || len(ok) != 0 {
		t.Fatalf("nothing to commit: %v, %v", ok, err)
	}
}

func testCommitConcurrently(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(40, nil)
	other := b.open()
	// Eight writers try to take each notice by compare-and-set: one each succeeds.
	wins := make([]int, len(n))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			l := b.Ledger
			if w%2 == 1 {
				l = other
			}
			for at := 0; at < len(n); at += 5 {
				var changes []pipeline.Change
				for _, x := range n[at : at+5] {
					changes = append(changes, pipeline.Hop(x, pipeline.Queued, "", t0))
				}
				if w%3 == 0 {
					slices.Reverse(changes) // in another order: no deadlock
				}
				ok, err := l.Commit(b.ctx, changes)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i, won := range ok {
					if won {
						wins[slices.IndexFunc(n, func(x pipeline.Notice) bool { return x.ID == changes[i].From.ID })]++
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for i, w := range wins {
		if w != 1 {
			t.Errorf("notice %d was taken %d times", n[i].ID, w)
		}
	}
}

// testLateWriter: a courier that was given up comes back with its answer.
func testLateWriter(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(1, nil)
	mark := send(b.load(b.take(1))[0].Notice, "p1")
	b.commit(mark)
	doubt := b.move(mark.To, pipeline.Event{Kind: pipeline.EvDoubted, Actor: "reconciler"})
	b.commit(doubt)
	late := b.move(mark.To, pipeline.Event{Kind: pipeline.EvAccepted, Actor: "courier"})
	ok, err := b.Commit(b.ctx, []pipeline.Change{late})
	b.must(err)
	equal(t, "the late answer on the old row", ok, []bool{false})
	b.commit(b.move(b.notice(mark.To.ID), pipeline.Event{Kind: pipeline.EvAccepted, Actor: "courier"}))
	if got := b.notice(mark.To.ID); got.State != pipeline.Accepted || got.Doubts != 1 {
		t.Fatalf("%+v", got)
	}
}

func testAttempts(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(1, nil)
	n := b.load(b.take(1))[0].Notice
	first := send(n, "p1")
	b.commit(first)
	doubt := b.move(first.To, pipeline.Event{Kind: pipeline.EvDoubted})
	b.commit(doubt)
	resolved := b.move(doubt.To, pipeline.Event{Kind: pipeline.EvResolved})
	b.commit(resolved)
	queued := pipeline.Hop(resolved.To, pipeline.Queued, "", t0)
	b.commit(queued)
	second := send(queued.To, "p2")
	second.Attempt.Version = 2
	b.commit(second)
	done := b.move(second.To, pipeline.Event{Kind: pipeline.EvAccepted})
	done.Again = true
	done.Attempt = attempt(second.To)
	done.Attempt.QueueID = "QID7"
	b.commit(done)

	list, err := b.Attempts(b.ctx, n.ID)
	b.must(err)
	if len(list) != 1 {
		t.Fatalf("%d attempts", len(list))
	}
	a := list[0]
	if a.N != 1 || a.Tries != 2 || a.QueueID != "QID7" || a.Version != 2 || a.Channel != pipeline.Email || a.Kind != pipeline.First || len(a.Letter) != 32 || !a.At.Equal(t0) || a.Renderer != "test/1" || a.Told != n.Import {
		t.Fatalf("%+v", a)
	}
	c, err := b.Counters(b.ctx, b.campaign.ID)
	b.must(err)
	if (c != pipeline.Counters{Attempts: 2, Doubts: 1, Again: 1}) {
		t.Fatalf("%+v", c)
	}
}

func testSealed(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(1, nil)
	next := n[0]
	next.Kinds, next.Provider = []string{"household"}, "free"
	c := pipeline.Move(n[0], next, pipeline.Event{Kind: pipeline.EvAbsorbed, At: t0})
	c.Sealed = []byte("new person")
	b.commit(c)
	j, err := b.Notice(b.ctx, n[0].ID)
	b.must(err)
	if string(j.Sealed) != "new person" || j.Provider != "free" || len(j.Kinds) != 1 {
		t.Fatalf("%q %+v", j.Sealed, j.Notice)
	}
}

func testRecord(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(1, nil)
	ev := pipeline.Event{Notice: n[0].ID, Attempt: 1, Kind: pipeline.EvDelayed, At: t0, Actor: "feedback", Code: "4.4.1", Detail: "id 7"}
	for range 2 {
		b.must(b.Record(b.ctx, []pipeline.Event{ev}))
	}
	other := ev
	other.Detail = "id 8"
	b.must(b.Record(b.ctx, []pipeline.Event{other}))
	events, err := b.Events(b.ctx, n[0].ID)
	b.must(err)
	if len(events) != 2 || events[0].Into != pipeline.Due || events[0].Channel != pipeline.Email || !events[0].At.Equal(t0) {
		t.Fatalf("%+v", events)
	}
	if got := b.notice(n[0].ID); got.Gen != 1 {
		t.Fatalf("recording moved the notice: %+v", got)
	}
	ghost := ev
	ghost.Notice = 999_999
	fresh := ev
	fresh.Detail = "id 9"
	b.want(b.Record(b.ctx, []pipeline.Event{fresh, ghost}), pipeline.ErrNotFound)
	if events, _ := b.Events(b.ctx, n[0].ID); len(events) != 2 {
		t.Fatalf("a call that failed recorded %d", len(events)-2)
	}
}
