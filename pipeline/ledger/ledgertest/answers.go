package ledgertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func (b *bench) answers() map[string]pipeline.Answers {
	b.t.Helper()
	list, err := b.Answers(b.ctx, b.campaign.ID)
	b.must(err)
	by := map[string]pipeline.Answers{}
	for i, a := range list {
		if i > 0 && list[i-1].Scope >= a.Scope {
			b.t.Fatalf("%s comes after %s", a.Scope, list[i-1].Scope)
		}
		by[a.Scope] = a
	}
	return by
}

func testAnswers(t *testing.T, e Engine) {
	b := newBench(t, e)
	if got := b.answers(); len(got) != 0 {
		t.Fatalf("before anything was sent: %v", got)
	}
	in, _ := b.publish(4, func(i int, n *pipeline.Notice) {
		if i == 3 {
			n.Provider, n.Products = "free", []string{"internet", "mobile"}
		}
	})
	jobs := b.load(b.take(4))
	if way, err := b.UnderWay(b.ctx, b.campaign.ID); err != nil || len(way) != 2 || way["orange"] != 3 || way["free"] != 1 {
		t.Errorf("queued: %v, %v", way, err)
	}
	slices.SortFunc(jobs, func(x, y pipeline.Job) int { return int(x.ID - y.ID) })
	var sending []pipeline.Notice
	for _, j := range jobs {
		c := send(j.Notice, "p1")
		b.commit(c)
		sending = append(sending, c.To)
	}
	if way, err := b.UnderWay(b.ctx, b.campaign.ID); err != nil || way["orange"] != 3 || way["free"] != 1 {
		t.Errorf("sending: %v, %v", way, err)
	}
	if way, err := b.UnderWay(b.ctx, b.campaign.ID+1); err != nil || len(way) != 0 {
		t.Errorf("of another campaign: %v, %v", way, err)
	}
	accepted := b.move(sending[0], pipeline.Event{Kind: pipeline.EvAccepted})
	b.commit(accepted, b.move(sending[1], pipeline.Event{Kind: pipeline.EvRefused, Outcome: pipeline.Dead}), b.move(sending[3], pipeline.Event{Kind: pipeline.EvAccepted}))
	b.commit(b.move(sending[2], pipeline.Event{Kind: pipeline.EvRefused, Outcome: pipeline.Transient}))
	b.commit(b.move(accepted.To, pipeline.Event{Kind: pipeline.EvBounced, Outcome: pipeline.Ours}))
	if way, err := b.UnderWay(b.ctx, b.campaign.ID); err != nil || len(way) != 0 {
		t.Errorf("answered: %v, %v", way, err)
	}
	// What moves nothing, or did not apply, does not count.
	b.must(b.Record(b.ctx, []pipeline.Event{{Notice: sending[1].ID, Attempt: 1, Kind: pipeline.EvBounced, Outcome: pipeline.Dead, At: t0, Actor: "x"}}))
	if ok, err := b.Commit(b.ctx, []pipeline.Change{b.move(sending[1], pipeline.Event{Kind: pipeline.EvAccepted})}); err != nil || ok[0] {
		t.Fatalf("a stale change: %v, %v", ok, err)
	}
	scope := fmt.Sprint("import:", in.ID)
	all := pipeline.Answers{Accepted: 2, Refused: 2, Bounced: 1, Dead: 1, Ours: 1}
	want := map[string]pipeline.Answers{
		"all": all, scope: all, "kind:internet": all,
		"kind:mobile":     {Accepted: 1},
		"provider:orange": {Accepted: 1, Refused: 2, Bounced: 1, Dead: 1, Ours: 1},
		"provider:free":   {Accepted: 1},
	}
	got := b.answers()
	for s, w := range want {
		w.Scope = s
		if got[s] != w {
			t.Errorf("%+v; want %+v", got[s], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
}

func testPlanned(t *testing.T, e Engine) {
	b := newBench(t, e)
	const day = 24 * time.Hour
	base := t0.Truncate(day)
	b.publish(9, func(i int, n *pipeline.Notice) {
		n.DueAt = base.Add(23 * time.Hour)
		switch i {
		case 1: // the day after, where the zone is an hour east
			n.DueAt = base.Add(23*time.Hour + 30*time.Minute)
		case 2:
			n.State, n.Born = pipeline.Held, pipeline.Held
		case 3:
			n.Channel, n.Lane = pipeline.Post, pipeline.LaneGeneral
		case 4:
			n.Role, n.Channel, n.Kind, n.Parent = pipeline.Copy, pipeline.Post, pipeline.CopyOf, n.ID-4
		}
	})
	tickets, err := b.TakeDue(b.ctx, pipeline.Take{Campaign: b.campaign.ID, Channel: pipeline.Email, Limit: 4, Now: base.Add(23 * time.Hour), Moved: t0})
	b.must(err)
	jobs := b.load(tickets)
	if len(jobs) != 4 {
		t.Fatalf("%d jobs", len(jobs))
	}
	var sent []pipeline.Notice
	for _, j := range jobs[:3] {
		c := send(j.Notice, "p1")
		b.commit(c)
		sent = append(sent, c.To)
	}
	b.commit(b.move(sent[0], pipeline.Event{Kind: pipeline.EvAccepted, At: base}),
		b.move(sent[1], pipeline.Event{Kind: pipeline.EvRefused, Outcome: pipeline.Dead, At: base}),
		b.move(sent[2], pipeline.Event{Kind: pipeline.EvRefused, Outcome: pipeline.Transient, At: base}))
	got, err := b.Planned(b.ctx, b.campaign.ID, 30*time.Minute)
	b.must(err)
	today := base.Unix() / 86400
	want := []pipeline.Planned{
		{Day: today, State: pipeline.Due, Role: pipeline.Copy, Channel: pipeline.Post, Kind: pipeline.CopyOf, Count: 1},
		{Day: today, State: pipeline.Due, Role: pipeline.Primary, Channel: pipeline.Email, Kind: pipeline.First, Count: 2}, // one of them queued
		{Day: today, State: pipeline.Due, Role: pipeline.Primary, Channel: pipeline.Email, Kind: pipeline.Resend, Reason: pipeline.ReasonTransient, Resends: 1, Count: 1},
		{Day: today, State: pipeline.Due, Role: pipeline.Primary, Channel: pipeline.Post, Kind: pipeline.Fallback, Reason: pipeline.ReasonAddressDead, Count: 1},
		{Day: today, State: pipeline.Due, Role: pipeline.Primary, Channel: pipeline.Post, Kind: pipeline.First, Count: 1},
		{Day: today + 1, State: pipeline.Due, Role: pipeline.Primary, Channel: pipeline.Email, Kind: pipeline.First, Count: 1},
		{Day: today + 5, State: pipeline.Accepted, Channel: pipeline.Email, Count: 1},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func testAddTokens(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(2, nil)
	token := pipeline.Token{Hash: [16]byte{1, 2, 3}, Notice: n[1].ID}
	for range 2 {
		b.must(b.AddTokens(b.ctx, []pipeline.Token{token}))
	}
	if ids, of, err := b.Search(b.ctx, b.campaign.ID, token.Hash, 10); err != nil || len(ids) != 1 || ids[0] != n[1].ID || of != 0 {
		t.Fatalf("%v, %d, %v", ids, of, err)
	}
	b.want(b.AddTokens(b.ctx, []pipeline.Token{{Hash: [16]byte{9}, Notice: n[0].ID}, {Hash: [16]byte{9}, Notice: n[1].ID + 1000}}), pipeline.ErrNotFound)
	if ids, _, err := b.Search(b.ctx, b.campaign.ID, [16]byte{9}, 10); err != nil || len(ids) != 0 {
		t.Fatalf("half of it was added: %v, %v", ids, err)
	}
	b.must(b.AddTokens(b.ctx, nil))
}
