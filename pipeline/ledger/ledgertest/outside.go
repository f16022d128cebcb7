package ledgertest

import (
	"maps"
	"testing"

	"github.com/art34/art34/pipeline"
)

func testOutside(t *testing.T, e Engine) {
	b := newBench(t, e)
	want := func(told, notified int64, returned map[string]int64) {
		t.Helper()
		got, err := b.Outside(b.ctx, b.campaign.ID)
		b.must(err)
		if got.Told != told || got.Notified != notified || !maps.Equal(got.Returned, returned) {
			t.Fatalf("%+v; want %d, %d, %v", got, told, notified, returned)
		}
	}
	want(0, 0, map[string]int64{})
	_, n := b.publish(4, func(i int, x *pipeline.Notice) {
		byPost(i, x)
		x.Reach = pipeline.ByPost
	})
	r, items, members := b.cut(n)
	_, err := b.CutRun(b.ctx, r, items, members)
	b.must(err)
	came := func(x pipeline.Notice, code string, outcome pipeline.Outcome) pipeline.Event {
		return pipeline.Event{Notice: x.ID, Attempt: 1, Kind: pipeline.EvReturned, Outcome: outcome, Code: code, Detail: "R000001", At: t0, Actor: "x"}
	}
	printing := func(i int) pipeline.Notice { return members[i].To }
	b.commit(b.move(printing(0), came(n[0], "moved", pipeline.Dead)), b.move(printing(1), came(n[1], "moved", pipeline.Dead)))
	b.must(b.Record(b.ctx, []pipeline.Event{came(n[0], "moved", pipeline.Dead), came(n[2], "refused", pipeline.None), came(n[2], "refused", pipeline.None)}))
	want(0, 0, map[string]int64{"moved": 2, "refused": 1})
	notified := pipeline.Event{Kind: pipeline.EvNotified, Code: "public-notice", Detail: "page 5", At: t0, Actor: "x"}
	for i := range 2 {
		notified.Notice = n[i].ID
		b.must(b.Record(b.ctx, []pipeline.Event{notified, notified}))
	}
	want(0, 2, map[string]int64{"moved": 2, "refused": 1})
	// Who is told is unreachable no longer.
	b.commit(b.move(b.notice(n[0].ID), pipeline.Event{Kind: pipeline.EvTold, Code: "phone", At: t0, Actor: "x"}))
	want(1, 1, map[string]int64{"moved": 2, "refused": 1})
	// Another campaign has its own count.
	other, err := b.Outside(b.ctx, b.campaign.ID+1)
	b.must(err)
	if other.Told+other.Notified+other.Letters() != 0 {
		t.Fatalf("%+v", other)
	}
}
