package ledgertest

import (
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func testTally(t *testing.T, e Engine) {
	b := newBench(t, e)
	i, n := b.publish(4, func(i int, x *pipeline.Notice) {
		if i == 3 {
			x.State, x.Born, x.Channel, x.Reason = pipeline.Unreachable, pipeline.Unreachable, pipeline.NoChannel, pipeline.ReasonNoContact
		}
	})
	b.take(1)
	want := map[pipeline.Tally]bool{
		{Import: i.ID, Role: pipeline.Primary, Channel: pipeline.Email, State: pipeline.Queued, Count: 1}:          true,
		{Import: i.ID, Role: pipeline.Primary, Channel: pipeline.Email, State: pipeline.Due, Count: 2}:             true,
		{Import: i.ID, Role: pipeline.Primary, Channel: pipeline.NoChannel, State: pipeline.Unreachable, Count: 1}: true,
	}
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	recount, err := b.Recount(b.ctx, b.campaign.ID)
	b.must(err)
	for name, list := range map[string][]pipeline.Tally{"tally": tally, "recount": recount} {
		list = slices.DeleteFunc(list, func(x pipeline.Tally) bool { return x.Count == 0 })
		if len(list) != len(want) {
			t.Errorf("%s: %+v", name, list)
		}
		for _, x := range list {
			if !want[x] {
				t.Errorf("%s has %+v", name, x)
			}
		}
	}
	_ = n
}

func testDueCounts(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(6, func(i int, x *pipeline.Notice) {
		x.DueAt = t0.Add(time.Duration(i) * time.Hour)
		if i == 1 {
			x.Provider = "google"
		}
		if i == 4 {
			byPost(0, x)
		}
	})
	due, err := b.NextDue(b.ctx, b.campaign.ID)
	b.must(err)
	if !due[pipeline.Email].Equal(t0) || !due[pipeline.Post].Equal(t0.Add(4*time.Hour)) || !due[pipeline.NoChannel].IsZero() {
		t.Fatalf("%v", due)
	}
	counts, err := b.CountDue(b.ctx, b.campaign.ID, t0.Add(3*time.Hour), 2)
	b.must(err)
	got := map[string]int64{}
	for _, c := range counts {
		got[string(c.Channel)+"/"+c.Provider] += c.Count
	}
	if got["email/google"] != 1 || got["email/orange"] != 2 || len(got) != 2 {
		t.Fatalf("%v; capped at 2", got)
	}
	if counts, err = b.CountDue(b.ctx, b.campaign.ID, t0.Add(3*time.Hour), 2, pipeline.Post); err != nil || len(counts) != 0 {
		t.Fatalf("by post: %v, %v", counts, err)
	}
	if counts, err = b.CountDue(b.ctx, b.campaign.ID, t0.Add(3*time.Hour), 2, pipeline.Email, pipeline.Post); err != nil || len(counts) != 2 {
		t.Fatalf("by e-mail and post: %v, %v", counts, err)
	}
}

func testReasons(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(3, func(i int, x *pipeline.Notice) {
		x.State, x.Born, x.Reason = pipeline.Held, pipeline.Held, []string{"vip", "vip", "press"}[i]
	})
	got, err := b.Reasons(b.ctx, b.campaign.ID, pipeline.Held)
	b.must(err)
	if got["vip"] != 2 || got["press"] != 1 || len(got) != 2 {
		t.Fatalf("%v", got)
	}
	release := b.move(n[0], pipeline.Event{Kind: pipeline.EvReleased, At: t0})
	b.commit(release)
	queued := pipeline.Hop(release.To, pipeline.Queued, "", t0)
	b.commit(queued)
	b.commit(send(queued.To, "p"))
	versions, err := b.PerVersion(b.ctx, b.campaign.ID)
	b.must(err)
	if versions[1] != 1 || len(versions) != 1 {
		t.Fatalf("%v", versions)
	}
}

func testEach(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(600, func(i int, x *pipeline.Notice) {
		switch i % 3 {
		case 0:
			x.Flags = []string{"employee", "vip"}
		case 1:
			x.State, x.Born, x.Reason, x.Flags = pipeline.Held, pipeline.Held, "press", []string{"press"}
		}
	})
	collect := func(f pipeline.Filter) (list []int64) {
		t.Helper()
		f.Campaign = b.campaign.ID
		for j, err := range b.Each(b.ctx, f) {
			b.must(err)
			if len(j.Sealed) == 0 {
				t.Fatal("no sealed person")
			}
			list = append(list, j.ID)
		}
		return list
	}
	for name, c := range map[string]struct {
		f    pipeline.Filter
		want func(i int) bool
	}{
		"all":         {pipeline.Filter{}, func(int) bool { return true }},
		"by state":    {pipeline.Filter{States: []pipeline.State{pipeline.Held}}, func(i int) bool { return i%3 == 1 }},
		"by states":   {pipeline.Filter{States: []pipeline.State{pipeline.Held, pipeline.Due}}, func(int) bool { return true }},
		"by flag":     {pipeline.Filter{Flag: "vip"}, func(i int) bool { return i%3 == 0 }},
		"part of one": {pipeline.Filter{Flag: "vi"}, func(int) bool { return false }},
		"by reason":   {pipeline.Filter{Reason: "press"}, func(i int) bool { return i%3 == 1 }},
		"after":       {pipeline.Filter{After: n[499].ID}, func(i int) bool { return i > 499 }},
		"limit":       {pipeline.Filter{Limit: 7}, func(i int) bool { return i < 7 }},
		"no role":     {pipeline.Filter{Roles: []pipeline.Role{pipeline.Copy}}, func(int) bool { return false }},
	} {
		var want []int64
		for i := range n {
			if c.want(i) {
				want = append(want, n[i].ID)
			}
		}
		equal(t, name, collect(c.f), want)
	}
	stopped := 0
	for range b.Each(b.ctx, pipeline.Filter{Campaign: b.campaign.ID}) {
		if stopped++; stopped == 3 {
			break
		}
	}
}

func testEventsByNotice(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(3, nil)
	for _, i := range []int{2, 0, 2, 1} {
		b.must(b.Record(b.ctx, []pipeline.Event{{Notice: n[i].ID, Attempt: 1, Kind: pipeline.EvReplied, At: t0, Actor: "x"}}))
	}
	var got []int64
	last := pipeline.Event{}
	for ev, err := range b.EventsByNotice(b.ctx, b.campaign.ID) {
		b.must(err)
		if ev.Notice == last.Notice && ev.ID <= last.ID {
			t.Error("events of a notice are out of order")
		}
		got, last = append(got, ev.Notice), ev
	}
	equal(t, "notices", got, []int64{n[0].ID, n[1].ID, n[2].ID, n[2].ID})
}
