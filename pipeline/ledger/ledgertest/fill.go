package ledgertest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// testFillRun: a run is filled in slices, each all or nothing, until somebody closes
// it.
func testFillRun(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(6, byPost)
	r, items, members := b.cut(n)
	r.State = pipeline.RunFilling
	run, err := b.CutRun(b.ctx, r, items[:2], members[:2])
	b.must(err)
	b.must(b.AddToRun(b.ctx, run.ID, items[2:4], members[2:4]))
	stale := members[5]
	stale.From.Gen, stale.To.Gen = 7, 8
	b.want(b.AddToRun(b.ctx, run.ID, items[4:], []pipeline.Change{members[4], stale}), pipeline.ErrStale)
	if got := b.notice(n[4].ID); got.State != pipeline.Due {
		t.Errorf("a slice that failed moved %+v", got)
	}
	b.want(b.AddToRun(b.ctx, run.ID+1, items[4:], members[4:]), pipeline.ErrNotFound)
	if err := b.AddToRun(b.ctx, run.ID, items[4:5], members[4:]); err == nil {
		t.Error("two members, one item")
	}
	b.want(b.DrawRun(b.ctx, run.ID, nil), pipeline.ErrConflict)
	other := b.open()
	b.must(other.CloseRun(b.ctx, run.ID))
	b.must(b.CloseRun(b.ctx, run.ID))
	b.must(b.CloseRun(b.ctx, run.ID+1))
	b.want(b.AddToRun(b.ctx, run.ID, items[4:], members[4:]), pipeline.ErrConflict)
	got, err := b.Run(b.ctx, run.ID)
	b.must(err)
	if got.State != pipeline.RunCut || got.Letters != 4 || got.Profile != "fr-dl" || !got.CutAt.Equal(t0) {
		t.Errorf("closed: %+v", got)
	}
	list, err := b.RunItems(b.ctx, run.ID)
	b.must(err)
	for i, item := range list {
		if item.Run != run.ID || item.Seq != i+1 || item.Notice != n[i].ID || b.notice(n[i].ID).State != pipeline.Printing {
			t.Errorf("%d: %+v", i, item)
		}
		a, err := b.Attempts(b.ctx, item.Notice)
		b.must(err)
		if len(a) != 1 || a[0].Run != run.ID || a[0].Seq != i+1 {
			t.Errorf("%d: %+v", i, a)
		}
		ev, err := b.Events(b.ctx, item.Notice)
		b.must(err)
		if len(ev) != 1 || ev[0].Detail != run.Name() {
			t.Errorf("%d: %+v", i, ev)
		}
	}
	if len(list) != 4 {
		t.Errorf("%d letters", len(list))
	}
	if got := b.notice(n[5].ID); got.State != pipeline.Due {
		t.Errorf("not in the run: %+v", got)
	}
}

// drawnAs is what a drawing says about letters of a run as they stand.
func (b *bench) drawnAs(run int64) (drawn []pipeline.Drawn, tickets []pipeline.Ticket) {
	b.t.Helper()
	drawn, tickets, err := draw(b.ctx, b.Ledger, run)
	b.must(err)
	return drawn, tickets
}

func draw(ctx context.Context, l ledger.Ledger, run int64) (drawn []pipeline.Drawn, tickets []pipeline.Ticket, err error) {
	jobs, err := l.RunJobs(ctx, run)
	for i, j := range jobs {
		k := pipeline.Ticket{Notice: j.ID, Gen: j.Gen}
		drawn = append(drawn, pipeline.Drawn{Ticket: k, Seq: i + 1, FirstPage: 2*i + 1, Pages: 2, Bytes: bytes.Repeat([]byte{byte(j.ID)}, 32)})
		tickets = append(tickets, k)
	}
	return drawn, tickets, err
}

// testDrawRun: what was drawn is noted in slices, and the run is assembled only if
// all its letters are still those that were drawn.
func testDrawRun(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(4, byPost)
	r, items, members := b.cut(n)
	run, err := b.CutRun(b.ctx, r, items, members)
	b.must(err)
	drawn, tickets := b.drawnAs(run.ID)
	bad := append([]pipeline.Drawn(nil), drawn[:2]...)
	bad[1].Gen++
	b.want(b.DrawRun(b.ctx, run.ID, bad), pipeline.ErrStale)
	bad[1] = drawn[1]
	bad[1].Seq = 4
	b.want(b.DrawRun(b.ctx, run.ID, bad), pipeline.ErrStale)
	if a, _ := b.Attempts(b.ctx, n[0].ID); len(a) != 1 || bytes.Equal(a[0].Bytes, drawn[0].Bytes) {
		t.Errorf("a slice that failed left %+v", a)
	}
	for range 2 { // a second drawing says the same
		b.must(b.DrawRun(b.ctx, run.ID, drawn[:3]))
		b.must(b.DrawRun(b.ctx, run.ID, drawn[3:]))
	}
	a, err := b.Attempts(b.ctx, n[1].ID)
	b.must(err)
	if len(a) != 1 || !bytes.Equal(a[0].Bytes, drawn[1].Bytes) || a[0].Tries != 1 || a[0].Run != run.ID {
		t.Errorf("%+v", a)
	}
	list, err := b.RunItems(b.ctx, run.ID)
	b.must(err)
	if list[3].FirstPage != 7 || list[3].Pages != 2 || list[3].State != pipeline.ItemIn {
		t.Errorf("%+v", list[3])
	}
	if got := b.notice(n[0].ID); got.Gen != members[0].To.Gen {
		t.Errorf("drawing moved %+v", got)
	}

	// A letter that moves on after it was drawn.
	j := b.notice(n[2].ID)
	b.commit(b.move(j, pipeline.Event{Kind: pipeline.EvRecalled, At: t0, Actor: "user:ana"}))
	run.State, run.File, run.AssembledAt = pipeline.RunAssembled, run.Name()+".pdf", t0.Add(time.Minute)
	b.want(b.AssembleRun(b.ctx, run, tickets, nil, nil, b.audit("run-assembled")), pipeline.ErrStale)
	if got, _ := b.Run(b.ctx, run.ID); got.State != pipeline.RunCut || got.File != "" {
		t.Errorf("assembled with a letter that is not in it any more: %+v", got)
	}
	rest := append(tickets[:2:2], tickets[3])
	list[2].State = pipeline.ItemOut
	b.must(b.AssembleRun(b.ctx, run, rest, list[2:3], nil, b.audit("run-assembled")))
	b.want(b.AssembleRun(b.ctx, run, rest, nil, nil, b.audit("run-assembled")), pipeline.ErrConflict)
	b.want(b.DrawRun(b.ctx, run.ID, drawn[:1]), pipeline.ErrConflict)
	b.want(b.DrawRun(b.ctx, run.ID+1, drawn[:1]), pipeline.ErrNotFound)
	if list, err = b.RunItems(b.ctx, run.ID); err != nil || list[2].State != pipeline.ItemOut {
		t.Errorf("%+v, %v", list[2], err)
	}
}

const printSlice = 3

// printForever cuts runs in slices, draws and assembles them, and says which letters
// are durably in a run.
func printForever(ctx context.Context, l ledger.Ledger, c pipeline.Campaign) error {
	for ctx.Err() == nil {
		if err := tidyRuns(ctx, l, c.ID); err != nil {
			return err
		}
		jobs, err := l.PeekDue(ctx, c.ID, pipeline.Post, "standard", t0.Add(time.Hour), pipeline.PeekPosition{}, 4*printSlice)
		if err != nil {
			return err
		}
		run := pipeline.Run{Campaign: c.ID, State: pipeline.RunFilling, Profile: "fr-dl", Class: "standard", Sheets: 1, Letters: len(jobs), Version: 1, CutAt: t0, LetterDate: t0}
		for i := 0; i < len(jobs); i += printSlice {
			items, members, err := slice(jobs[i:min(len(jobs), i+printSlice)], i)
			if err != nil {
				return err
			}
			if i == 0 {
				run, err = l.CutRun(ctx, run, items, members)
			} else {
				err = l.AddToRun(ctx, run.ID, items, members)
			}
			if err != nil {
				return err
			}
			for _, m := range members {
				fmt.Printf("printing %d\n", m.To.ID)
			}
		}
	}
	return ctx.Err()
}

func slice(jobs []pipeline.Job, in int) (items []pipeline.RunItem, members []pipeline.Change, err error) {
	for i, j := range jobs {
		ev := pipeline.Event{Notice: j.ID, Attempt: j.Attempt, Kind: pipeline.EvCut, At: t0, Actor: "print"}
		next, _, err := pipeline.DefaultPolicy().Apply(j.Notice, ev)
		if err != nil {
			return nil, nil, err
		}
		m := pipeline.Move(j.Notice, next, ev)
		m.Attempt = attempt(j.Notice)
		items = append(items, pipeline.RunItem{Seq: in + i + 1, Notice: j.ID, Attempt: j.Attempt, State: pipeline.ItemIn})
		members = append(members, m)
	}
	return items, members, nil
}

// tidyRuns closes what was left half full, and draws and assembles what is cut.
func tidyRuns(ctx context.Context, l ledger.Ledger, campaign int64) error {
	runs, err := l.Runs(ctx, campaign)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if r.State != pipeline.RunFilling && r.State != pipeline.RunCut {
			continue
		}
		if err := l.CloseRun(ctx, r.ID); err != nil {
			return err
		}
		if r, err = l.Run(ctx, r.ID); err != nil {
			return err
		}
		drawn, tickets, err := draw(ctx, l, r.ID)
		if err != nil {
			return err
		}
		for i := 0; i < len(drawn); i += printSlice {
			if err := l.DrawRun(ctx, r.ID, drawn[i:min(len(drawn), i+printSlice)]); err != nil {
				return err
			}
		}
		r.State, r.Pages, r.File = pipeline.RunAssembled, 2*len(drawn), r.Name()+".pdf"
		err = l.AssembleRun(ctx, r, tickets, nil, nil, pipeline.Audit{Campaign: campaign, At: t0, Actor: "print", Action: "run-assembled", Detail: r.Name()})
		if err != nil {
			return err
		}
	}
	return nil
}

// testKillPrinting kills a process that cuts, draws and assembles, several times:
// every letter is due or in exactly one run, a run that is assembled has all its
// letters drawn, and what was left half full is finished.
func testKillPrinting(t *testing.T, e Engine) {
	b := newBench(t, e)
	const population = 3000
	b.publish(population, byPost)
	said := map[int64]pipeline.State{}
	for round := range 4 {
		runChild(t, b.place, childPrints, 50+37*round, said)
	}
	wrong := append(b.whole(said), b.inOneRun(population)...)
	for limit := time.Now().Add(20 * time.Second); len(wrong) > 0 && time.Now().Before(limit); {
		wrong = append(b.whole(said), b.inOneRun(population)...) // the server may still be at the last statement of the last child
	}
	for _, w := range wrong {
		t.Error(w)
	}
	b.must(tidyRuns(b.ctx, b.Ledger, b.campaign.ID))
	for _, w := range append(b.whole(said), b.inOneRun(population)...) {
		t.Errorf("tidied: %s", w)
	}
	runs, err := b.Runs(b.ctx, b.campaign.ID)
	b.must(err)
	for _, r := range runs {
		if r.State != pipeline.RunAssembled {
			t.Errorf("%s is still %s", r.Name(), r.State)
		}
	}
}

// inOneRun returns what is wrong with the runs.
func (b *bench) inOneRun(population int) (wrong []string) {
	b.t.Helper()
	runs, err := b.Runs(b.ctx, b.campaign.ID)
	b.must(err)
	of := map[int64]int64{}
	for _, r := range runs {
		items, err := b.RunItems(b.ctx, r.ID)
		b.must(err)
		if r.State != pipeline.RunFilling && r.Letters != len(items) {
			wrong = append(wrong, fmt.Sprintf("%s is %s with %d letters, and has %d", r.Name(), r.State, r.Letters, len(items)))
		}
		for i, item := range items {
			if item.Seq != i+1 || of[item.Notice] != 0 {
				wrong = append(wrong, fmt.Sprintf("%s: letter %d of notice %d, which is in run %d", r.Name(), item.Seq, item.Notice, of[item.Notice]))
			}
			of[item.Notice] = r.ID
			a, err := b.Attempts(b.ctx, item.Notice)
			b.must(err)
			if len(a) != 1 || a[0].Run != r.ID || a[0].Seq != item.Seq || r.State == pipeline.RunAssembled && (item.Pages != 2 || !bytes.Equal(a[0].Bytes, bytes.Repeat([]byte{byte(item.Notice)}, 32))) {
				wrong = append(wrong, fmt.Sprintf("%s: letter %d is not on record: %+v", r.Name(), item.Seq, a))
			}
		}
	}
	seen := 0
	for j, err := range b.Each(b.ctx, pipeline.Filter{Campaign: b.campaign.ID}) {
		b.must(err)
		if seen++; (j.State == pipeline.Printing) != (of[j.ID] != 0) {
			wrong = append(wrong, fmt.Sprintf("notice %d is %s and in run %d", j.ID, j.State, of[j.ID]))
		}
	}
	if seen != population {
		wrong = append(wrong, fmt.Sprintf("%d notices of %d", seen, population))
	}
	return wrong
}
