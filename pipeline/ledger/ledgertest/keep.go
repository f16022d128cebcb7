package ledgertest

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func testLease(t *testing.T, e Engine) {
	b := newBench(t, e)
	lease := func(owner string, ttl time.Duration, want bool) {
		t.Helper()
		if got, err := b.Lease(b.ctx, "dispatcher", owner, ttl); err != nil || got != want {
			t.Fatalf("%s: %v, %v; want %v", owner, got, err, want)
		}
	}
	lease("a", time.Hour, true)
	lease("b", time.Hour, false)
	lease("a", time.Hour, true)
	b.must(b.ReleaseLease(b.ctx, "dispatcher", "b"))
	lease("b", time.Hour, false)
	b.must(b.ReleaseLease(b.ctx, "dispatcher", "a"))
	lease("b", time.Nanosecond, true) // runs out at once
	deadline := time.Now().Add(time.Minute)
	for {
		got, err := b.Lease(b.ctx, "dispatcher", "a", time.Hour)
		b.must(err)
		if got {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a lease that ran out was not taken over")
		}
	}
	lease("b", time.Hour, false)
}

func testOrphans(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(3, nil)
	jobs := b.load(b.take(3))
	for i, owner := range []string{"alive", "dead", "never"} {
		b.commit(send(jobs[i].Notice, owner))
	}
	if _, err := b.Lease(b.ctx, "courier/alive", "alive", time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Lease(b.ctx, "courier/dead", "dead", time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		list, err := b.Orphans(b.ctx, 10)
		b.must(err)
		if len(list) == 2 {
			for _, n := range list {
				if n.Owner == "alive" || n.State != pipeline.Sending {
					t.Fatalf("%+v", n)
				}
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d orphans, want 2", len(list))
		}
	}
	if list, _ := b.Orphans(b.ctx, 1); len(list) != 1 {
		t.Fatalf("limit 1 gave %d", len(list))
	}
}

func testStaleQueued(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(3, nil)
	tickets := b.take(3) // moved at t0 + 1 h
	if got, err := b.StaleQueued(b.ctx, t0.Add(time.Hour), 10); err != nil || len(got) != 0 {
		t.Fatalf("%v, %v: not older than that", got, err)
	}
	got, err := b.StaleQueued(b.ctx, t0.Add(2*time.Hour), 2)
	b.must(err)
	if len(got) != 2 || got[0].Gen != tickets[0].Gen {
		t.Fatalf("%v", got)
	}
}

func testExpired(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(2, nil)
	for _, j := range b.load(b.take(2)) {
		c := send(j.Notice, "p")
		b.commit(c)
		b.commit(b.move(c.To, pipeline.Event{Kind: pipeline.EvAccepted, At: t0.Add(time.Duration(j.ID) * time.Minute)}))
	}
	window := pipeline.DefaultPolicy().BounceWindow
	for _, c := range []struct {
		now  time.Time
		want int
	}{{t0, 0}, {t0.Add(window + 365*24*time.Hour), 2}} {
		got, err := b.Expired(b.ctx, b.campaign.ID, pipeline.Accepted, c.now, 10)
		b.must(err)
		if len(got) != c.want {
			t.Errorf("%d expired, want %d", len(got), c.want)
		}
	}
	if got, _ := b.Expired(b.ctx, b.campaign.ID, pipeline.Posted, t0.Add(9999*time.Hour), 10); len(got) != 0 {
		t.Errorf("%d expired in a state that nobody is in", len(got))
	}
}
