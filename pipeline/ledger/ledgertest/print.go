package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func byPost(i int, n *pipeline.Notice) {
	n.Channel = pipeline.Post
	n.Country, n.Area = []string{"FR", "BE", "FR", "FR"}[i%4], []string{"75", "", "01", "75"}[i%4]
}

func testPeek(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(4, func(i int, x *pipeline.Notice) {
		byPost(i, x)
		if i == 3 {
			x.Format = "large-print"
		}
	})
	peek := func(format string, now time.Time, after pipeline.PeekPosition, limit int, want ...int) {
		t.Helper()
		got, err := b.PeekDue(b.ctx, b.campaign.ID, pipeline.Post, format, now, after, limit)
		b.must(err)
		var list []int64
		for _, i := range want {
			list = append(list, n[i].ID)
		}
		equal(t, "peeked", jobIDs(got), list)
	}
	later := t0.Add(time.Hour)
	peek("standard", later, pipeline.PeekPosition{}, 10, 1, 2, 0)
	peek("standard", later, pipeline.PeekPosition{Country: "FR", Area: "01", ID: n[2].ID}, 10, 0)
	peek("standard", later, pipeline.PeekPosition{}, 1, 1)
	peek("standard", t0.Add(-time.Hour), pipeline.PeekPosition{}, 10)
	peek("large-print", later, pipeline.PeekPosition{}, 10, 3)
	if got := b.notice(n[0].ID); got.State != pipeline.Due || got.Gen != 1 {
		t.Fatalf("peeking moved %+v", got)
	}
}

// cut makes a run of the notices.
func (b *bench) cut(n []pipeline.Notice) (pipeline.Run, []pipeline.RunItem, []pipeline.Change) {
	r := pipeline.Run{Campaign: b.campaign.ID, State: pipeline.RunCut, Profile: "fr-dl", Class: "standard", Sheets: 1, Letters: len(n), Pages: 2 * len(n), Version: 1, CutAt: t0, LetterDate: t0}
	var items []pipeline.RunItem
	var members []pipeline.Change
	for i, x := range n {
		items = append(items, pipeline.RunItem{Seq: i + 1, Notice: x.ID, Attempt: x.Attempt, FirstPage: 2*i + 1, Pages: 2, State: pipeline.ItemIn})
		c := b.move(x, pipeline.Event{Kind: pipeline.EvCut, At: t0, Actor: "print"})
		c.Attempt = attempt(x)
		members = append(members, c)
	}
	return r, items, members
}

func testCutRun(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(3, byPost)
	r, items, members := b.cut([]pipeline.Notice{n[2], n[0]})
	stale := members[1]
	stale.From.Gen, stale.To.Gen = 5, 6
	_, err := b.CutRun(b.ctx, r, items, []pipeline.Change{members[0], stale})
	b.want(err, pipeline.ErrStale)
	if got := b.notice(n[2].ID); got.State != pipeline.Due {
		t.Fatalf("a run that failed moved %+v", got)
	}
	if runs, _ := b.Runs(b.ctx, 0); len(runs) != 0 {
		t.Fatalf("a run that failed is there: %+v", runs)
	}
	run, err := b.CutRun(b.ctx, r, items, members)
	b.must(err)
	if run.ID == 0 || run.Letters != 2 {
		t.Fatalf("%+v", run)
	}
	got, err := b.Run(b.ctx, run.ID)
	b.must(err)
	if got.State != pipeline.RunCut || got.Profile != "fr-dl" || got.Pages != 4 || !got.CutAt.Equal(t0) || !got.AssembledAt.IsZero() {
		t.Fatalf("%+v", got)
	}
	list, err := b.RunItems(b.ctx, run.ID)
	b.must(err)
	if len(list) != 2 || list[0].Notice != n[2].ID || list[0].Run != run.ID || list[1].FirstPage != 3 || list[0].State != pipeline.ItemIn {
		t.Fatalf("%+v", list)
	}
	jobs, err := b.RunJobs(b.ctx, run.ID)
	b.must(err)
	equal(t, "jobs in order of the run", jobIDs(jobs), []int64{n[2].ID, n[0].ID})
	if jobs[0].State != pipeline.Printing || len(jobs[0].Sealed) == 0 {
		t.Fatalf("%+v", jobs[0].Notice)
	}
	attempts, err := b.Attempts(b.ctx, n[0].ID)
	b.must(err)
	if len(attempts) != 1 || attempts[0].Run != run.ID || attempts[0].Seq != 2 || attempts[0].Channel != pipeline.Post {
		t.Fatalf("%+v", attempts)
	}
	events, err := b.Events(b.ctx, n[0].ID)
	b.must(err)
	if len(events) != 1 || events[0].Kind != pipeline.EvCut || events[0].Detail != run.Name() {
		t.Fatalf("%+v", events)
	}
	_, err = b.Run(b.ctx, run.ID+1)
	b.want(err, pipeline.ErrNotFound)
}

func testUpdateRun(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(2, byPost)
	r, items, members := b.cut(n)
	run, err := b.CutRun(b.ctx, r, items, members)
	b.must(err)
	run.State, run.File, run.SHA256, run.AssembledAt = pipeline.RunAssembled, run.Name()+".pdf", "abc", t0.Add(time.Minute)
	b.want(b.UpdateRun(b.ctx, run, []pipeline.RunState{pipeline.RunReleased}, nil, nil, b.audit("assemble")), pipeline.ErrConflict)
	b.must(b.UpdateRun(b.ctx, run, []pipeline.RunState{pipeline.RunCut}, nil, nil, b.audit("assemble")))

	run.State, run.ClosedAt = pipeline.RunDeposited, t0.Add(time.Hour)
	run.Deposit = pipeline.Deposit{On: pipeline.Date{Time: time.Date(2026, 1, 21, 0, 0, 0, 0, time.UTC)}, Place: "Lyon PPDC", Product: "P", Slip: "S1", Count: 1}
	var acked []pipeline.Change
	for i, m := range members {
		kind := pipeline.EvDeposited
		if i == 1 {
			kind = pipeline.EvRejected
		}
		acked = append(acked, b.move(m.To, pipeline.Event{Kind: kind, At: t0.Add(time.Hour), Actor: "printer"}))
	}
	list, _ := b.RunItems(b.ctx, run.ID)
	list[0].State, list[1].State = pipeline.ItemPosted, pipeline.ItemRejected
	stale := append([]pipeline.Change(nil), acked...)
	stale[1].From.Gen, stale[1].To.Gen = 9, 10
	b.want(b.UpdateRun(b.ctx, run, []pipeline.RunState{pipeline.RunAssembled}, list, stale, b.audit("ack")), pipeline.ErrStale)
	if got, _ := b.Run(b.ctx, run.ID); got.State != pipeline.RunAssembled {
		t.Fatalf("an acknowledgement that failed left %s", got.State)
	}
	b.must(b.UpdateRun(b.ctx, run, []pipeline.RunState{pipeline.RunAssembled}, list, acked, b.audit("ack")))
	got, err := b.Run(b.ctx, run.ID)
	b.must(err)
	if got.State != pipeline.RunDeposited || got.Deposit.Place != "Lyon PPDC" || got.Deposit.On.Format(time.DateOnly) != "2026-01-21" || got.SHA256 != "abc" || !got.ClosedAt.Equal(t0.Add(time.Hour)) {
		t.Fatalf("%+v", got)
	}
	list, _ = b.RunItems(b.ctx, run.ID)
	if list[0].State != pipeline.ItemPosted || list[1].State != pipeline.ItemRejected {
		t.Fatalf("%+v", list)
	}
	for i, want := range []pipeline.State{pipeline.Posted, pipeline.Due} {
		if x := b.notice(n[i].ID); x.State != want {
			t.Errorf("%s, want %s", x.State, want)
		}
	}
	// The spoiled letter goes into another run, as its second attempt.
	again := b.notice(n[1].ID)
	r2, items2, members2 := b.cut([]pipeline.Notice{again})
	run2, err := b.CutRun(b.ctx, r2, items2, members2)
	b.must(err)
	runs, err := b.Runs(b.ctx, b.campaign.ID)
	b.must(err)
	if len(runs) != 2 || runs[1].ID != run2.ID || again.Attempt != 2 {
		t.Fatalf("%s, attempt %d", fmt.Sprint(runs), again.Attempt)
	}
}
