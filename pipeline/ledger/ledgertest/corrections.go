package ledgertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// testProposals: of two who decide at the same moment, one does.
func testProposals(t *testing.T, e Engine) {
	b := newBench(t, e)
	c, err := b.OpenCall(b.ctx, aCall(b, "ana"), anyQuota)
	b.must(err)
	p, none, err := b.Propose(b.ctx, pipeline.Proposal{
		Call: c.ID, Campaign: b.campaign.ID, Notice: 7, What: pipeline.Email, Sealed: []byte{1, 2}, Reason: "new address", AskedBy: "user:ana", AskedAt: t0,
	}, pipeline.CallStep{At: t0, Agent: "user:ana", Kind: pipeline.StepProposed, Code: "email"})
	b.must(err)
	got, err := b.Proposal(b.ctx, p.ID)
	b.must(err)
	if !reflect.DeepEqual(got, p) || p.State != pipeline.ProposalWaiting || len(none) != 0 {
		t.Errorf("read back\n%+v, stored\n%+v, in place of %v", got, p, none)
	}
	steps, err := b.CallSteps(b.ctx, c.ID)
	b.must(err)
	if len(steps) != 1 || steps[0].Detail != "1" {
		t.Errorf("%+v", steps)
	}
	_, err = b.Proposal(b.ctx, p.ID+1)
	b.want(err, pipeline.ErrNotFound)
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() {
			d := p
			d.State, d.DecidedBy, d.DecidedAt, d.Note = pipeline.ProposalAccepted, "user:lea", t0.Add(time.Minute), "n"
			errs[i] = b.Decide(context.Background(), d, pipeline.ProposalWaiting, b.audit("correction"))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, pipeline.ErrConflict) {
			t.Error(err)
		}
	}
	if n := countAudit(b, b.campaign.ID); won != 1 || n != 1 {
		t.Errorf("%d decided, %d entries", won, n)
	}
	if list, err := b.Proposals(b.ctx, pipeline.ProposalWaiting); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	list, err := b.Proposals(b.ctx, pipeline.ProposalAccepted)
	b.must(err)
	if len(list) != 1 || list[0].DecidedBy != "user:lea" || list[0].Note != "n" || !list[0].DecidedAt.Equal(t0.Add(time.Minute)) {
		t.Errorf("%+v", list)
	}
	// Accepted is not applied: until it is, it is found; then it is final.
	open, err := b.Unapplied(b.ctx)
	b.must(err)
	if !reflect.DeepEqual(open, list) || !open[0].AppliedAt.IsZero() {
		t.Errorf("%+v", open)
	}
	d := open[0]
	d.AppliedAt = t0.Add(2 * time.Minute)
	b.must(b.Decide(b.ctx, d, pipeline.ProposalAccepted, b.audit("applied")))
	if got, err = b.Proposal(b.ctx, p.ID); err != nil || !got.AppliedAt.Equal(d.AppliedAt) || got.State != pipeline.ProposalAccepted {
		t.Errorf("%v, %+v", err, got)
	}
	if open, err = b.Unapplied(b.ctx); err != nil || len(open) != 0 {
		t.Errorf("%v, %+v", err, open)
	}
	b.want(b.Decide(b.ctx, d, pipeline.ProposalAccepted, b.audit("applied")), pipeline.ErrConflict)
	d.State, d.AppliedAt = pipeline.ProposalFailed, time.Time{}
	b.want(b.Decide(b.ctx, d, pipeline.ProposalAccepted, b.audit("failed")), pipeline.ErrConflict)
	if n := countAudit(b, b.campaign.ID); n != 2 {
		t.Errorf("%d entries", n)
	}
}

// testProposedAgain: of what is proposed for one address only the last waits, however
// many ask at once; the other address of the customer, and other customers, are theirs.
func testProposedAgain(t *testing.T, e Engine) {
	b := newBench(t, e)
	c, err := b.OpenCall(b.ctx, aCall(b, "ana"), anyQuota)
	b.must(err)
	propose := func(notice int64, what pipeline.Channel, by string) (pipeline.Proposal, []int64) {
		p, replaced, err := b.Propose(context.Background(), pipeline.Proposal{
			Call: c.ID, Campaign: b.campaign.ID, Notice: notice, What: what, Sealed: []byte{1}, Reason: "r", AskedBy: by, AskedAt: t0.Add(time.Minute),
		}, pipeline.CallStep{At: t0, Agent: by, Kind: pipeline.StepProposed, Code: string(what)})
		if err != nil {
			t.Error(err)
		}
		return p, replaced
	}
	post, _ := propose(7, pipeline.Post, "user:ana")
	other, _ := propose(8, pipeline.Email, "user:ana")
	first, _ := propose(7, pipeline.Email, "user:ana")
	second, replaced := propose(7, pipeline.Email, "user:ben")
	equal(t, "replaced", replaced, []int64{first.ID})
	waiting := func() (ids []int64) {
		list, err := b.Proposals(b.ctx, pipeline.ProposalWaiting)
		b.must(err)
		for _, p := range list {
			ids = append(ids, p.ID)
		}
		return ids
	}
	equal(t, "waiting", waiting(), []int64{post.ID, other.ID, second.ID})
	was, err := b.Proposal(b.ctx, first.ID)
	b.must(err)
	if was.State != pipeline.ProposalFailed || was.Note != pipeline.ProposalReplaced || was.DecidedBy != "user:ben" || !was.DecidedAt.Equal(second.AskedAt) {
		t.Errorf("%+v", was)
	}
	// Whoever looks at what has given way decides nothing any more.
	d := first
	d.State, d.DecidedBy, d.DecidedAt = pipeline.ProposalAccepted, "user:lea", t0
	b.want(b.Decide(b.ctx, d, pipeline.ProposalWaiting, b.audit("correction")), pipeline.ErrConflict)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() { propose(7, pipeline.Email, "user:ana") })
	}
	wg.Wait()
	if ids := waiting(); len(ids) != 3 {
		t.Errorf("%v wait", ids)
	}
}

// testAddCopy: a copy is a notice like others, is found, is taken, and the balance
// stays at nought.
func testAddCopy(t *testing.T, e Engine) {
	b := newBench(t, e)
	i, n := b.publish(2, nil)
	id, err := b.ReserveIDs(b.ctx, 1)
	b.must(err)
	c := n[0]
	c.ID, c.Role, c.Parent, c.Channel, c.Kind, c.Reach, c.Born = id, pipeline.Copy, n[0].ID, pipeline.Post, pipeline.CopyOf, pipeline.ByPost, ""
	c.Format, c.Locale = pipeline.FormatLargePrint, "en"
	token := [16]byte{7}
	add := func(c pipeline.Notice, copied int64) error {
		return b.AddCopy(b.ctx, pipeline.Staged{Notice: c, Sealed: []byte("sealed copy")}, copied, []pipeline.Token{{Hash: token, Notice: c.ID}}, b.audit("copy"))
	}
	b.must(add(c, 0))
	j, err := b.Notice(b.ctx, id)
	b.must(err)
	c.Born = pipeline.Due
	if string(j.Sealed) != "sealed copy" || !reflect.DeepEqual(j.Notice, c) {
		t.Errorf("%q\n%+v\n%+v", j.Sealed, j.Notice, c)
	}
	ids, _, err := b.Search(b.ctx, b.campaign.ID, token, 10)
	b.must(err)
	if !slices.Equal(ids, []int64{id}) {
		t.Errorf("found %v", ids)
	}
	jobs, err := b.PeekDue(b.ctx, b.campaign.ID, pipeline.Post, pipeline.FormatLargePrint, t0.Add(time.Hour), pipeline.PeekPosition{}, 10)
	b.must(err)
	if len(jobs) != 1 || jobs[0].ID != id {
		t.Errorf("%d to print", len(jobs))
	}
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	counted, err := b.Recount(b.ctx, b.campaign.ID)
	b.must(err)
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	if !reflect.DeepEqual(tally, counted) || imports[0].ID != i.ID || imports[0].Copied != 1 || pipeline.NewBalance(imports, tally).Difference() != 0 {
		t.Errorf("%+v\n%+v\n%+v", tally, counted, imports)
	}
	if countAudit(b, b.campaign.ID) != 2 {
		t.Error("the copy is not on record")
	}
	stray := c
	stray.ID, stray.Parent = id+1, 1<<40
	b.want(add(stray, 1), pipeline.ErrNotFound)
	late := c
	late.ID = id + 1
	b.want(add(late, 0), pipeline.ErrStale)
	_, err = b.Notice(b.ctx, late.ID)
	b.want(err, pipeline.ErrNotFound)

	// Eight who have read the same: one of them adds a copy.
	var group sync.WaitGroup
	var added, stale atomic.Int32
	for i := range int64(8) {
		group.Go(func() {
			x := c
			x.ID = id + 10 + i
			switch err := add(x, 1); {
			case err == nil:
				added.Add(1)
			case errors.Is(err, pipeline.ErrStale):
				stale.Add(1)
			default:
				b.t.Error(err)
			}
		})
	}
	group.Wait()
	imports, err = b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	if added.Load() != 1 || stale.Load() != 7 || imports[0].Copied != 2 || countAudit(b, b.campaign.ID) != 3 {
		t.Errorf("%d added, %d stale, %d counted", added.Load(), stale.Load(), imports[0].Copied)
	}
}
