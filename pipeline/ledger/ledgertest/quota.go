package ledgertest

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// testQuota: of many look-ups at the same moment only as many as the quota has
// happen; calls and steps of another kind do not count.
func testQuota(t *testing.T, e Engine) {
	b := newBench(t, e)
	q := pipeline.Quota{Hour: 5, Day: 7, Now: t0.Add(time.Minute)}
	open := func(agent string, at time.Time) error {
		_, err := b.OpenCall(context.Background(), aCall(b, agent), q, lookUp(agent, at))
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		wg.Go(func() { errs[i] = open("ana", t0) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, pipeline.ErrQuota) {
			t.Error(err)
		}
	}
	if made != 5 {
		t.Errorf("%d look-ups, 5 are allowed", made)
	}
	n := 0
	for _, err := range b.EachCall(b.ctx, pipeline.CallFilter{}) {
		b.must(err)
		n++
	}
	if n != 5 {
		t.Errorf("%d calls are stored", n)
	}
	b.must(open("bob", t0)) // somebody else
	q.Now = t0.Add(61 * time.Minute)
	c, err := b.OpenCall(b.ctx, aCall(b, "ana"), q, lookUp("ana", q.Now))
	b.must(err)
	if c, err = b.UpdateCall(b.ctx, c, q, lookUp("ana", q.Now)); err != nil {
		t.Fatal(err)
	}
	_, err = b.UpdateCall(b.ctx, c, q, lookUp("ana", q.Now)) // the eighth of the day
	b.want(err, pipeline.ErrQuota)
	if _, err = b.UpdateCall(b.ctx, c, q, pipeline.CallStep{At: t0, Agent: "user:ana", Kind: pipeline.StepNote}); err != nil {
		t.Error(err)
	}
	q.Now = t0.Add(25 * time.Hour)
	b.must(open("ana", q.Now))
}

// testSharedQuota: the agents of one program share a bound, whoever they are; another
// program with a longer name does not count.
func testSharedQuota(t *testing.T, e Engine) {
	b := newBench(t, e)
	q := pipeline.Quota{Hour: 3, Now: t0.Add(time.Minute), Shared: "token:crm/", SharedHour: 4}
	open := func(agent string, at time.Time) error {
		s := lookUp("x", at)
		s.Agent = agent
		c := aCall(b, "x")
		c.Agent, c.OpenedAt = agent, at
		_, err := b.OpenCall(context.Background(), c, q, s)
		return err
	}
	b.must(open("token:crm/a", t0))
	b.must(open("token:crm", t0))
	q.Shared = "token:crm2/"
	b.must(open("token:crm2/a", t0))
	q.Shared = "token:crm/"
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = open("token:crm/"+string(rune('b'+i)), t0) })
	}
	wg.Wait()
	refused := 0
	for _, err := range errs {
		if errors.Is(err, pipeline.ErrQuota) {
			refused++
		} else {
			b.must(err)
		}
	}
	if refused != 5 {
		t.Errorf("%d of 8 are refused; with the one before there are 4", refused)
	}
	q.Now = t0.Add(61 * time.Minute)
	b.must(open("token:crm/z", q.Now))
}

// testQuotaOfOnePerson: who comes by the pages and through two programs has one quota,
// also at the same moment; a program that names nobody, and somebody whose login only
// ends in the same way, have their own.
func testQuotaOfOnePerson(t *testing.T, e Engine) {
	b := newBench(t, e)
	for _, name := range []string{"crm", "intranet"} {
		_, err := b.CreateToken(b.ctx, pipeline.APIToken{Name: name, Hash: sha256.Sum256([]byte(name)), CreatedAt: t0, ExpiresAt: t0.Add(time.Hour)}, pipeline.Audit{At: t0, Actor: "user:boss", Action: "token-add"})
		b.must(err)
	}
	q := pipeline.Quota{Hour: 4, Day: 9, Now: t0.Add(time.Minute)}
	open := func(agent string) error {
		c, s := aCall(b, "x"), lookUp("x", t0)
		c.Agent, s.Agent = agent, agent
		_, err := b.OpenCall(context.Background(), c, q, s)
		return err
	}
	ways := []string{"user:ana", "token:crm/ana", "token:intranet/ana"}
	errs := make([]error, 12)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = open(ways[i%len(ways)]) })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, pipeline.ErrQuota) {
			t.Error(err)
		}
	}
	if made != 4 {
		t.Errorf("%d look-ups by three ways, 4 are allowed", made)
	}
	for _, way := range ways {
		b.want(open(way), pipeline.ErrQuota)
	}
	for _, other := range []string{"token:crm", "user:anna", "user:banana", "token:crm/bob"} {
		b.must(open(other))
	}
}
