package ledgertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// testLargeBatches: every method that takes or gives a list does so with more than
// a page, a transaction or a statement of any engine holds.
func testLargeBatches(t *testing.T, e Engine) {
	b := newBench(t, e)
	const n = 2500
	b.publish(n, nil)
	tickets := b.take(n + 100)
	jobs := b.load(tickets)
	if len(tickets) != n || len(jobs) != n {
		t.Fatalf("%d tickets, %d jobs; want %d", len(tickets), len(jobs), n)
	}
	if k, err := b.Requeue(b.ctx, tickets, t0); err != nil || k != n {
		t.Fatalf("requeued %d, %v", k, err)
	}
	tickets = b.take(n)
	if k, err := b.RequeueAll(b.ctx, t0); err != nil || k != n {
		t.Fatalf("requeued %d of all, %v", k, err)
	}
	if jobs := b.load(tickets); len(jobs) != 0 {
		t.Fatalf("loaded %d with tickets of an older generation", len(jobs))
	}
	var marks, accepts []pipeline.Change
	var news []pipeline.Event
	var people [][]byte
	for _, j := range b.load(b.take(n)) {
		marks = append(marks, send(j.Notice, "p"))
		accepts = append(accepts, b.move(marks[len(marks)-1].To, pipeline.Event{Kind: pipeline.EvAccepted}))
		news = append(news, pipeline.Event{Notice: j.ID, Attempt: 1, Kind: pipeline.EvDelayed, At: t0, Actor: "feedback"})
		people = append(people, j.Person)
	}
	b.commit(marks...)
	b.commit(accepts...)
	b.must(b.Record(b.ctx, news))
	found, err := b.People(b.ctx, b.campaign.ID, people)
	b.must(err)
	if len(found) != n {
		t.Errorf("%d of %d people", len(found), n)
	}
	expired, err := b.Expired(b.ctx, b.campaign.ID, pipeline.Accepted, t0.Add(9999*time.Hour), n+1)
	b.must(err)
	if len(expired) != n {
		t.Errorf("%d of %d expired", len(expired), n)
	}
	last, k := pipeline.Event{}, 0
	for ev, err := range b.EventsByNotice(b.ctx, b.campaign.ID) {
		b.must(err)
		if ev.Notice < last.Notice || ev.Notice == last.Notice && ev.ID <= last.ID {
			t.Fatalf("event %d of %d after %d of %d", ev.ID, ev.Notice, last.ID, last.Notice)
		}
		last, k = ev, k+1
	}
	if k != 2*n {
		t.Errorf("%d events, want %d", k, 2*n)
	}
	b.visible(n)
}

// testPages reads page by page what lies in several imports, whose IDs interleave:
// everything once, in order.
func testPages(t *testing.T, e Engine) {
	b := newBench(t, e)
	const n = 1300
	first, err := b.ReserveIDs(b.ctx, 3*n)
	b.must(err)
	want := map[string][]int64{}
	for k := range 3 {
		i := b.begin(fmt.Sprint("part ", k))
		list := b.staged(i.ID, n, func(at int, x *pipeline.Notice) {
			x.ID = first + int64(3*at+k)
			x.Person = person(x.ID)
			x.Channel, x.Country, x.Area = pipeline.Post, []string{"BE", "FR", "FR", "FR"}[at%4], []string{"", "01", "75", "75"}[at%4]
			key := x.Country + "/" + x.Area
			want[key] = append(want[key], x.ID)
		})
		b.must(b.Stage(b.ctx, i.ID, list))
		b.must(b.Publish(b.ctx, i.ID, manifest(list), false, b.audit("import")))
		b.must(b.Merged(b.ctx, i.ID, t0))
	}
	var all []int64
	for j, err := range b.Each(b.ctx, pipeline.Filter{Campaign: b.campaign.ID}) {
		b.must(err)
		all = append(all, j.ID)
	}
	if len(all) != 3*n || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != 3*n {
		t.Errorf("each gave %d of %d notices, or in another order, or twice", len(all), 3*n)
	}
	var peeked, inOrder []int64
	for _, key := range []string{"BE/", "FR/01", "FR/75"} {
		inOrder = append(inOrder, slices.Sorted(slices.Values(want[key]))...)
	}
	for at := (pipeline.PeekPosition{}); ; {
		page, err := b.PeekDue(b.ctx, b.campaign.ID, pipeline.Post, "standard", t0.Add(99*time.Hour), at, 170)
		b.must(err)
		if len(page) == 0 {
			break
		}
		peeked = append(peeked, jobIDs(page)...)
		end := page[len(page)-1]
		at = pipeline.PeekPosition{Country: end.Country, Area: end.Area, ID: end.ID}
	}
	if !slices.Equal(peeked, inOrder) {
		t.Errorf("peeked at %d notices in %d; not the same in the same order", len(peeked), len(inOrder))
	}
	for range 1200 {
		b.must(b.Append(b.ctx, b.audit("note")))
	}
	if k := countAudit(b, b.campaign.ID); k != 1203 {
		t.Errorf("%d audit entries, want 1203", k)
	}
}

// testTakeFairly: without a provider TakeDue is as old as it gets over all
// providers, imports and roles.
func testTakeFairly(t *testing.T, e Engine) {
	b := newBench(t, e)
	at := map[int64]time.Time{}
	for k := range 3 {
		_, list := b.publish(40, func(i int, x *pipeline.Notice) {
			x.Provider = []string{"", "free", "google", "orange", "other"}[(i*7+k)%5]
			x.DueAt = t0.Add(time.Duration((i*31+k*17)%40) * time.Second)
			if i%4 == 0 {
				x.Role, x.Parent = pipeline.Copy, x.ID+1
			}
		})
		for _, x := range list {
			at[x.ID] = x.DueAt
		}
	}
	last := time.Time{}
	for taken := 0; taken < 120; {
		got := b.take(11)
		if len(got) == 0 {
			t.Fatalf("only %d of 120 taken", taken)
		}
		for _, x := range got {
			if at[x.Notice].Before(last) {
				t.Fatalf("notice %d, due %s, after one due %s", x.Notice, at[x.Notice], last)
			}
			last = at[x.Notice]
		}
		taken += len(got)
	}
}

// testRewrittenAttempt: what a print run learns when it is drawn is written into
// the attempts without counting as another try.
func testRewrittenAttempt(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(1, byPost)
	r, items, members := b.cut(n)
	run, err := b.CutRun(b.ctx, r, items, members)
	b.must(err)
	drawn := members[0].To
	change := pipeline.Change{From: drawn, To: drawn}
	change.To.Gen++
	change.Attempt = attempt(drawn)
	change.Attempt.Letter, change.Attempt.Renderer, change.Attempt.Run, change.Attempt.Seq, change.Attempt.Version = []byte("12345678901234567890123456789012"), "test/2", run.ID, 1, 3
	run.State = pipeline.RunAssembled
	b.must(b.UpdateRun(b.ctx, run, []pipeline.RunState{pipeline.RunCut}, nil, []pipeline.Change{change}, b.audit("assemble")))
	list, err := b.Attempts(b.ctx, drawn.ID)
	b.must(err)
	if len(list) != 1 || list[0].Tries != 1 || list[0].Renderer != "test/2" || string(list[0].Letter[:4]) != "1234" || list[0].Run != run.ID || list[0].Version != 3 {
		t.Fatalf("%+v", list)
	}
	if c, err := b.Counters(b.ctx, b.campaign.ID); err != nil || c.Attempts != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	v, err := b.PerVersion(b.ctx, b.campaign.ID)
	b.must(err)
	if len(v) != 1 || v[3] != 1 {
		t.Errorf("per version %v, want the attempt under version 3 only", v)
	}
}

// testSearchOverImports: somebody who was not concerned at first, then was.
func testSearchOverImports(t *testing.T, e Engine) {
	b := newBench(t, e)
	token := [16]byte{3}
	var imports []pipeline.Import
	var notices []int64
	for k := range 4 { // not concerned, not concerned, concerned, unpublished
		i := b.begin(fmt.Sprint("list ", k))
		list := b.staged(i.ID, 2, nil)
		x := pipeline.Token{Hash: token}
		if k >= 2 {
			x.Notice = list[1].Notice.ID
		}
		b.must(b.Stage(b.ctx, i.ID, list))
		b.must(b.StageTokens(b.ctx, i.ID, []pipeline.Token{{Hash: [16]byte{1}, Notice: list[0].Notice.ID}, x}))
		if k < 3 {
			b.must(b.Publish(b.ctx, i.ID, manifest(list), false, b.audit("import")))
		}
		imports, notices = append(imports, i), append(notices, list[1].Notice.ID)
	}
	found, by, err := b.Search(b.ctx, b.campaign.ID, token, 10)
	b.must(err)
	equal(t, "found", found, notices[2:3])
	if by != imports[1].ID {
		t.Errorf("bystander of %d, want the newest import that says so, %d", by, imports[1].ID)
	}
	if found, by, err := b.Search(b.ctx, b.campaign.ID+1, token, 10); err != nil || len(found) != 0 || by != 0 {
		t.Errorf("found in another campaign: %v, %d, %v", found, by, err)
	}
}

// testAbsorbTooLate: once the parent or the supplement has moved on, or if they do
// not belong together, nothing is absorbed and nothing half done.
func testAbsorbTooLate(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(3, nil)
	absorb := func(parent, sup pipeline.Notice) bool {
		t.Helper()
		c := pipeline.Move(parent, parent, pipeline.Event{Kind: pipeline.EvAbsorbed, At: t0})
		c.Sealed = []byte("both")
		ok, err := b.Absorb(b.ctx, c, sup)
		b.must(err)
		return ok
	}
	_, sup := b.supplement(n[1], "b")
	held := b.move(sup, pipeline.Event{Kind: pipeline.EvHeld, At: t0})
	b.commit(held)
	if absorb(n[1], sup) {
		t.Error("absorbed a supplement that has moved on")
	}
	same(t, b.notice(n[1].ID), n[1])
	if !absorb(n[1], held.To) {
		t.Error("did not absorb the supplement as it is now")
	}
	_, sup = b.supplement(n[2], "c")
	if absorb(b.notice(n[1].ID), sup) || absorb(n[0], sup) {
		t.Error("absorbed by somebody else's notice")
	}
	b.commit(pipeline.Hop(n[2], pipeline.Queued, "", t0))
	if absorb(n[2], sup) {
		t.Error("absorbed by a notice that is queued")
	}
	b.visible(4)
}

// testAbsorbChain: a supplement goes into an older one that has not left yet, and
// that one into the primary notice; all tokens lead there.
func testAbsorbChain(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(2, nil)
	i1, older := b.supplement(n[0], "a")
	i2, newer := b.supplement(n[0], "b")
	_, stranger := b.supplement(n[1], "c")
	leads := func(i pipeline.Import, want int64) {
		t.Helper()
		found, _, err := b.Search(b.ctx, b.campaign.ID, [16]byte{0xAA, byte(i.ID)}, 5)
		b.must(err)
		equal(t, "the token leads to", found, []int64{want})
	}
	absorb := func(into, sup pipeline.Notice, want bool) pipeline.Notice {
		t.Helper()
		c := pipeline.Move(into, into, pipeline.Event{Kind: pipeline.EvAbsorbed, At: t0})
		c.Sealed = []byte("both")
		ok, err := b.Absorb(b.ctx, c, sup)
		b.must(err)
		if ok != want {
			t.Fatalf("notice %d absorbed %d: %v, want %v", into.ID, sup.ID, ok, want)
		}
		return c.To
	}
	absorb(stranger, newer, false)
	older = absorb(older, newer, true)
	leads(i2, older.ID)
	absorb(n[0], older, true)
	leads(i2, n[0].ID)
	leads(i1, n[0].ID)
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	if d := pipeline.NewBalance(imports, tally).Difference(); d != 0 {
		t.Errorf("balance %d", d)
	}
	b.visible(3)
}

// testWhatStrangersWrite stores replies that are no text; they come back as text.
func testWhatStrangersWrite(t *testing.T, e Engine) {
	b := newBench(t, e)
	b.publish(1, nil)
	mark := send(b.load(b.take(1))[0].Notice, "p")
	b.commit(mark)
	done := b.move(mark.To, pipeline.Event{Kind: pipeline.EvAccepted, Detail: "a\x00b\xff"})
	done.Attempt = attempt(mark.To)
	done.Attempt.QueueID = "\xc3\x28"
	b.commit(done)
	for range 2 {
		b.must(b.Record(b.ctx, []pipeline.Event{{Notice: mark.To.ID, Attempt: 1, Kind: pipeline.EvDelayed, At: t0, Code: "\xff", Detail: "\x00"}}))
	}
	events, err := b.Events(b.ctx, mark.To.ID)
	b.must(err)
	if len(events) != 2 || events[0].Detail != "a\uFFFDb\uFFFD" || events[1].Detail != "\uFFFD" {
		t.Errorf("%+v", events)
	}
	list, err := b.Attempts(b.ctx, mark.To.ID)
	b.must(err)
	if len(list) != 1 || list[0].QueueID != "\uFFFD(" {
		t.Errorf("%+v", list)
	}
}
