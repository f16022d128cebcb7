package ledgertest

import (
	"context"
	"reflect"
	"slices"
	"sync"
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
