package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/ledger/postgres"
)

// TestSideBySide lets two processes' worth of pools move, record and requeue the
// same notices in any order: of several changes from one generation one applies,
// and the events of each notice lead to its state.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	server := testenv.NewPostgres(t, testenv.PostgresConfig{})
	db := server.Database(t)
	const notices, workers, rounds = 60, 6, 12
	p := populate(t, openAt(t, db), "side", notices)
	ledgers := []*postgres.Ledger{p.Ledger, openAt(t, db)}
	var mu sync.Mutex
	winners := map[pipeline.Ticket]int{}
	var wg sync.WaitGroup
	for w := range workers {
		l, rnd := ledgers[w%2], rand.New(rand.NewPCG(34, uint64(w)))
		wg.Go(func() {
			for range rounds {
				applied, err := jostle(t, p, l, rnd, fmt.Sprintf("w%d", w))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, c := range applied {
					winners[pipeline.Ticket{Notice: c.From.ID, Gen: c.From.Gen}]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for ticket, n := range winners {
		if n != 1 {
			t.Errorf("notice %d left generation %d %d times", ticket.Notice, ticket.Gen, n)
		}
	}
	if len(winners) < rounds {
		t.Errorf("only %d changes applied", len(winners))
	}
	p.balanced(t, notices)
	for j, err := range p.Each(t.Context(), pipeline.Filter{Campaign: p.campaign.ID}) {
		if err != nil {
			t.Fatal(err)
		}
		events, err := p.Events(t.Context(), j.ID)
		if err != nil {
			t.Fatal(err)
		}
		at, err := pipeline.Replay(j.Born, events)
		if err != nil || !pipeline.SameState(at, j.State) {
			t.Errorf("notice %d is %s, its events lead to %s: %v\n%v", j.ID, j.State, at, err, events)
		}
	}
	// Every statement locks in the same order, so none had to be tried again.
	for _, l := range ledgers {
		if err := l.Close(); err != nil { // a session reports its figures when it ends
			t.Error(err)
		}
	}
	server.Exec(t, db, "SELECT 1/(deadlocks = 0)::int FROM pg_stat_database WHERE datname = current_database()")
}

// jostle moves some notices one step, in no order, as it last saw them.
func jostle(t *testing.T, p population, l *postgres.Ledger, rnd *rand.Rand, owner string) (applied []pipeline.Change, err error) {
	ctx := t.Context()
	var changes []pipeline.Change
	var news []pipeline.Event
	for _, i := range rnd.Perm(60)[:20] {
		j, err := l.Notice(ctx, p.first+int64(i))
		if err != nil {
			return nil, err
		}
		if c, ok := step(j.Notice, owner, rnd); ok {
			changes = append(changes, c)
		}
		news = append(news, pipeline.Event{Notice: j.ID, Attempt: 1, Kind: pipeline.EvDelayed, At: start, Actor: owner, Detail: fmt.Sprint(rnd.IntN(5))})
	}
	if err := l.Record(ctx, news); err != nil {
		return nil, err
	}
	ok, err := l.Commit(ctx, changes)
	if err != nil {
		return nil, err
	}
	for i := range ok {
		if ok[i] {
			applied = append(applied, changes[i])
		}
	}
	return applied, nil
}

// step is a next step in the life of n, there and back again.
func step(n pipeline.Notice, owner string, rnd *rand.Rand) (pipeline.Change, bool) {
	move := func(kind pipeline.EventKind) (pipeline.Change, bool) {
		e := pipeline.Event{Notice: n.ID, Attempt: n.Attempt, Kind: kind, At: start, Actor: owner}
		next, moves, err := pipeline.DefaultPolicy().Apply(n, e)
		return pipeline.Move(n, next, e), moves && err == nil
	}
	switch n.State {
	case pipeline.Due:
		if rnd.IntN(3) == 0 {
			return move(pipeline.EvHeld)
		}
		return pipeline.Hop(n, pipeline.Queued, "", start), true
	case pipeline.Queued:
		return mark(n, owner, start), true
	case pipeline.Sending:
		return move(pipeline.EvDoubted)
	case pipeline.InDoubt:
		return move(pipeline.EvHeld)
	case pipeline.Held:
		return move(pipeline.EvReleased)
	}
	return pipeline.Change{}, false
}

// TestOneBadChangeHurtsNobodyElse mixes a change that the database refuses with
// good ones of other callers.
func TestOneBadChangeHurtsNobodyElse(t *testing.T) {
	t.Parallel()
	const notices = 40
	p := populate(t, openAt(t, testenv.Postgres(t)), "bad", notices)
	jobs := p.take(t, notices)
	var wg sync.WaitGroup
	for i, j := range jobs {
		wg.Go(func() {
			c := mark(j.Notice, "me", start)
			if i == 7 {
				c.To.Channel = "pigeon"
			}
			ok, err := p.Commit(t.Context(), []pipeline.Change{c})
			if i == 7 && err == nil || i != 7 && (err != nil || !ok[0]) {
				t.Errorf("change %d: %v %v", i, ok, err)
			}
		})
	}
	wg.Wait()
	if got := p.balanced(t, notices); got[pipeline.Sending] != notices-1 || got[pipeline.Queued] != 1 {
		t.Errorf("states %v", got)
	}
}

// TestWhatStrangersWrite stores a reply that is no text.
func TestWhatStrangersWrite(t *testing.T) {
	t.Parallel()
	p := populate(t, openAt(t, testenv.Postgres(t)), "strange", 1)
	n := p.commit(t, mark(p.take(t, 1)[0].Notice, "me", start))[0]
	c := accept(t, n, start)
	c.Event.Detail, c.Attempt.QueueID = "a\x00b\xff", "\xc3\x28"
	p.commit(t, c)
	if err := p.Record(t.Context(), []pipeline.Event{{Notice: n.ID, Attempt: 1, Kind: pipeline.EvDelayed, At: start, Detail: "\x00"}}); err != nil {
		t.Fatal(err)
	}
	events, err := p.Events(t.Context(), n.ID)
	if err != nil || len(events) != 2 || events[0].Detail != "a\uFFFDb\uFFFD" || events[1].Detail != "\uFFFD" {
		t.Errorf("events %+v %v", events, err)
	}
}
