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

// anyQuota bounds nothing.
var anyQuota pipeline.Quota

func aCall(b *bench, agent string) pipeline.Call {
	return pipeline.Call{
		Campaign: b.campaign.ID, Notice: 7, Import: 3, Agent: "user:" + agent, Source: "console", OpenedAt: t0, Key: "customer",
		Token: []byte("0123456789abcdef"), Found: pipeline.FoundNotice,
	}
}

func lookUp(agent string, at time.Time) pipeline.CallStep {
	return pipeline.CallStep{At: at, Agent: "user:" + agent, Kind: pipeline.StepLookUp, Code: string(pipeline.FoundNotice), Detail: "customer", Sealed: []byte{}}
}

func testCalls(t *testing.T, e Engine) {
	b := newBench(t, e)
	c, err := b.OpenCall(b.ctx, aCall(b, "ana"), anyQuota, lookUp("ana", t0))
	b.must(err)
	if c.ID == 0 || c.Gen != 1 {
		t.Fatalf("%+v", c)
	}
	got, err := b.Call(b.ctx, c.ID)
	b.must(err)
	if !reflect.DeepEqual(got, c) {
		t.Fatalf("read back\n%+v, stored\n%+v", got, c)
	}
	_, err = b.Call(b.ctx, c.ID+1)
	b.want(err, pipeline.ErrNotFound)

	c.Verified, c.VerifiedAt, c.Tries, c.Told = pipeline.ByValues, t0.Add(time.Minute), 2, "accepted"
	c.Cause, c.Outcome, c.ClosedAt = "data", "answered", t0.Add(time.Hour)
	c.Escalated, c.EscalatedAt, c.HandledBy, c.HandledAt = "press", t0.Add(time.Second), "user:lea", t0.Add(2*time.Hour)
	note := pipeline.CallStep{At: t0.Add(time.Hour), Agent: "user:ana", Kind: pipeline.StepNote, Code: "é\x00\xff", Detail: "d", Sealed: []byte{9, 8}}
	next, err := b.UpdateCall(b.ctx, c, anyQuota, note)
	b.must(err)
	if got, err = b.Call(b.ctx, c.ID); err != nil || !reflect.DeepEqual(got, next) || next.Gen != 2 {
		t.Fatalf("%v\n%+v, stored\n%+v", err, got, next)
	}
	_, err = b.UpdateCall(b.ctx, c, anyQuota, note)
	b.want(err, pipeline.ErrStale)
	b.must(b.AddSteps(b.ctx, pipeline.CallStep{Call: c.ID, At: t0, Agent: "user:lea", Kind: "answer", Code: "q12", Detail: "3"}))
	b.must(b.AddSteps(b.ctx))
	steps, err := b.CallSteps(b.ctx, c.ID)
	b.must(err)
	if len(steps) != 3 || steps[0].Kind != pipeline.StepLookUp || steps[1].Code != "é\uFFFD\uFFFD" || !slices.Equal(steps[1].Sealed, []byte{9, 8}) || steps[2].Agent != "user:lea" || steps[2].Call != c.ID || !steps[1].At.Equal(note.At) {
		t.Errorf("%+v", steps)
	}
	b.must(b.Close())
	b.Ledger = b.open()
	if got, err = b.Call(b.ctx, c.ID); err != nil || !reflect.DeepEqual(got, next) {
		t.Errorf("after a restart: %v, %+v", err, got)
	}
}

func testEachCall(t *testing.T, e Engine) {
	b := newBench(t, e)
	open := func(adjust func(*pipeline.Call)) int64 {
		t.Helper()
		c := aCall(b, "ana")
		adjust(&c)
		c, err := b.OpenCall(b.ctx, c, anyQuota)
		b.must(err)
		return c.ID
	}
	first := open(func(*pipeline.Call) {})
	told := open(func(c *pipeline.Call) {
		c.Notice, c.Told, c.ClosedAt, c.Outcome = 0, pipeline.ToldNotConcerned, t0, "answered"
	})
	waits := open(func(c *pipeline.Call) { c.Agent, c.Escalated, c.EscalatedAt = "user:bob", "vip", t0 })
	late := open(func(c *pipeline.Call) {
		c.Campaign, c.OpenedAt, c.Cause = 99, t0.Add(2*time.Hour), "data"
		c.Escalated, c.HandledAt = "press", t0
	})
	for name, x := range map[string]struct {
		f    pipeline.CallFilter
		want []int64
	}{
		"all":      {pipeline.CallFilter{}, []int64{late, waits, told, first}},
		"campaign": {pipeline.CallFilter{Campaign: 99}, []int64{late}},
		"agent":    {pipeline.CallFilter{Agent: "user:bob"}, []int64{waits}},
		"notice":   {pipeline.CallFilter{Notice: 7, Campaign: b.campaign.ID}, []int64{waits, first}},
		"told":     {pipeline.CallFilter{Told: pipeline.ToldNotConcerned}, []int64{told}},
		"waiting":  {pipeline.CallFilter{Waiting: true}, []int64{waits}},
		"open":     {pipeline.CallFilter{Open: true, Agent: "user:ana"}, []int64{late, first}},
		"since":    {pipeline.CallFilter{Since: t0.Add(time.Hour)}, []int64{late}},
	} {
		var ids []int64
		for c, err := range b.EachCall(b.ctx, x.f) {
			b.must(err)
			ids = append(ids, c.ID)
		}
		if !slices.Equal(ids, x.want) {
			t.Errorf("%s: %v, want %v", name, ids, x.want)
		}
	}
	// Many pages, each call once; and refused look-ups are no calls.
	for range 700 {
		open(func(c *pipeline.Call) { c.Agent = "user:many" })
	}
	open(func(c *pipeline.Call) { c.Found, c.Campaign = pipeline.FoundRefused, 0 })
	n, last := 0, int64(1<<62)
	for c, err := range b.EachCall(b.ctx, pipeline.CallFilter{Agent: "user:many"}) {
		b.must(err)
		if c.ID >= last {
			t.Fatal("out of order")
		}
		n, last = n+1, c.ID
	}
	if n != 700 {
		t.Errorf("%d calls", n)
	}
	counts, err := b.CountCalls(b.ctx, 0, t0)
	b.must(err)
	hour := t0.Truncate(time.Hour)
	want := []pipeline.CallCount{{Hour: hour, Count: 702}, {Hour: hour, Outcome: "answered", Count: 1}, {Hour: hour.Add(2 * time.Hour), Cause: "data", Count: 1}}
	if !reflect.DeepEqual(counts, want) {
		t.Errorf("%+v", counts)
	}
	if counts, err = b.CountCalls(b.ctx, 99, t0); err != nil || len(counts) != 1 {
		t.Errorf("%+v, %v", counts, err)
	}
	open(func(c *pipeline.Call) {
		c.Found, c.Campaign, c.Notice, c.Told = pipeline.FoundNobody, 0, 0, pipeline.ToldNotFound
	})
	open(func(c *pipeline.Call) {
		c.Found, c.Campaign, c.Notice, c.Told = pipeline.FoundNobody, 0, 0, pipeline.ToldGeneral
	})
	open(func(c *pipeline.Call) { c.Found, c.Campaign, c.Notice = pipeline.FoundMany, 0, 0 })
	came, err := b.CountTold(b.ctx, 0, t0)
	b.must(err)
	if want := []pipeline.CallTold{{Hour: hour, Told: "many", Count: 1}, {Hour: hour, Told: "nobody", Count: 2}}; !reflect.DeepEqual(came, want) {
		t.Errorf("of no campaign: %+v", came)
	}
	came, err = b.CountTold(b.ctx, b.campaign.ID, t0)
	b.must(err)
	if want := []pipeline.CallTold{{Hour: hour, Count: 702}, {Hour: hour, Told: pipeline.ToldNotConcerned, Count: 1}}; !reflect.DeepEqual(came, want) {
		t.Errorf("of the campaign: %+v", came)
	}
	if came, err = b.CountTold(b.ctx, b.campaign.ID, t0.Add(time.Hour)); err != nil || len(came) != 0 {
		t.Errorf("later: %+v, %v", came, err)
	}
}

// testTries: however many answers are tried at once, over however many calls about
// one customer, most are looked at.
func testTries(t *testing.T, e Engine) {
	b := newBench(t, e)
	open := func(notice int64, token string, at time.Time) pipeline.Call {
		t.Helper()
		c := aCall(b, "ana")
		c.Notice, c.Token, c.OpenedAt = notice, []byte(token), at
		c, err := b.OpenCall(b.ctx, c, anyQuota)
		b.must(err)
		return c
	}
	one, two, other, old := open(7, "", t0), open(7, "", t0), open(8, "", t0), open(7, "", t0.Add(-48*time.Hour))
	since := t0.Add(-24 * time.Hour)
	for range 3 {
		if _, ok, err := b.TryAnswer(b.ctx, old.ID, 3, t0.Add(-72*time.Hour)); err != nil || !ok {
			t.Fatalf("%v, %v", ok, err)
		}
	}
	var wg sync.WaitGroup
	oks := make([]bool, 10)
	for i := range oks {
		wg.Go(func() {
			_, ok, err := b.TryAnswer(context.Background(), []pipeline.Call{one, two}[i%2].ID, 3, since)
			if err != nil {
				t.Error(err)
			}
			oks[i] = ok
		})
	}
	wg.Wait()
	tried := 0
	for _, ok := range oks {
		if ok {
			tried++
		}
	}
	if tried != 3 {
		t.Errorf("%d answers were looked at", tried)
	}
	c, ok, err := b.TryAnswer(b.ctx, other.ID, 3, since)
	if err != nil || !ok || c.Tries != 1 || c.Gen != 2 {
		t.Fatalf("another customer: %v, %v, %+v", ok, err, c)
	}
	c.Tries, c.Verified = 0, pipeline.ByReference
	if c, err = b.UpdateCall(b.ctx, c, anyQuota); err != nil || c.Tries != 0 {
		t.Fatalf("%v, %+v", err, c)
	}
	// Who has no notice is known by the token.
	left, right, stranger := open(0, "0123456789abcdef", t0), open(0, "0123456789abcdef", t0), open(0, "another", t0)
	for range 3 {
		if _, ok, err := b.TryAnswer(b.ctx, left.ID, 3, since); err != nil || !ok {
			t.Fatalf("%v, %v", ok, err)
		}
	}
	if _, ok, err := b.TryAnswer(b.ctx, right.ID, 3, since); err != nil || ok {
		t.Errorf("the same token: %v, %v", ok, err)
	}
	if _, ok, err := b.TryAnswer(b.ctx, stranger.ID, 3, since); err != nil || !ok {
		t.Errorf("another token: %v, %v", ok, err)
	}
	for name, x := range map[string]struct {
		of    pipeline.Call
		since time.Time
		want  []int64
	}{
		"by the token": {right, since, []int64{left.ID}},
		"too old":      {right, t0.Add(time.Second), nil},
		"none":         {stranger, t0.Add(time.Second), nil},
		"was right":    {other, since, nil},
	} {
		list, err := b.WrongAnswers(b.ctx, x.of.ID, x.since)
		b.must(err)
		var ids []int64
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		if !slices.Equal(ids, x.want) {
			t.Errorf("%s: %v, want %v", name, ids, x.want)
		}
	}
	_, err = b.WrongAnswers(b.ctx, 1<<40, since)
	b.want(err, pipeline.ErrNotFound)
	b.must(b.ForgetTries(b.ctx, right.ID))
	if _, ok, err := b.TryAnswer(b.ctx, left.ID, 3, since); err != nil || !ok {
		t.Errorf("forgotten: %v, %v", ok, err)
	}
	_, _, err = b.TryAnswer(b.ctx, 1<<40, 3, since)
	b.want(err, pipeline.ErrNotFound)
}

func testToldBefore(t *testing.T, e Engine) {
	b := newBench(t, e)
	told := func(campaign int64, token, what string) int64 {
		c := aCall(b, "ana")
		c.Campaign, c.Notice, c.Token, c.Told = campaign, 0, []byte(token), what
		c, err := b.OpenCall(b.ctx, c, anyQuota)
		b.must(err)
		return c.ID
	}
	one := told(b.campaign.ID, "token-one", pipeline.ToldNotConcerned)
	told(b.campaign.ID, "token-one", pipeline.ToldGeneral)
	told(b.campaign.ID+1, "token-one", pipeline.ToldNotConcerned)
	two := told(b.campaign.ID, "token-two", pipeline.ToldNotConcerned)
	told(b.campaign.ID, "", pipeline.ToldNotConcerned)
	for name, x := range map[string]struct {
		tokens [][]byte
		want   []int64
	}{
		"both": {[][]byte{[]byte("token-two"), []byte("token-one"), []byte("nobody's")}, []int64{one, two}},
		"one":  {[][]byte{[]byte("token-two")}, []int64{two}},
		"none": {nil, nil}, "empty": {[][]byte{{}}, nil},
	} {
		list, err := b.ToldBefore(b.ctx, b.campaign.ID, x.tokens)
		b.must(err)
		var ids []int64
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		if !slices.Equal(ids, x.want) {
			t.Errorf("%s: %v, want %v", name, ids, x.want)
		}
	}
}

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
