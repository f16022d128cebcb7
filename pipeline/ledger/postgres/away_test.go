package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/ledger/postgres"
)

// persist repeats a call until the ledger is back.
func persist[T any](t *testing.T, f func() (T, error)) T {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := f()
		if err == nil {
			return v
		}
		if !errors.Is(err, pipeline.ErrAway) {
			t.Errorf("a server that went away is reported as: %v", err)
			return v
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Error("the ledger does not come back")
			return v
		}
	}
}

// TestServerDiesUnderCouriers kills the server, twice, while eight couriers work
// in two processes' worth of pools, and brings it back. Nothing may be lost, done
// twice, or left to nobody.
func TestServerDiesUnderCouriers(t *testing.T) {
	t.Parallel()
	server := testenv.NewPostgres(t, testenv.PostgresConfig{})
	db := server.Database(t)
	const notices, couriers = 480, 6
	p := populate(t, openAt(t, db), "dies", notices)
	ledgers := []*postgres.Ledger{p.Ledger, openAt(t, db)}
	var done atomic.Int64
	var wg sync.WaitGroup
	late := time.AfterFunc(5*time.Minute, func() { t.Errorf("stuck: %d of %d are done", done.Load(), notices) })
	defer late.Stop()
	for c := range couriers {
		l, owner := ledgers[c%2], fmt.Sprintf("courier-%d", c)
		wg.Go(func() {
			for done.Load() < notices && !t.Failed() {
				done.Add(int64(carry(t, l, p.campaign.ID, owner)))
			}
		})
	}
	for _, at := range []int64{notices / 4, notices / 2} {
		for done.Load() < at && !t.Failed() {
			waitMoment(t)
		}
		server.Kill(t)
		server.Start(t)
	}
	wg.Wait()
	// A connection that the last kill broke may be found out only now.
	for errors.Is(p.Ping(t.Context()), pipeline.ErrAway) {
		waitMoment(t)
	}
	if got := p.balanced(t, notices); got[pipeline.Accepted] != notices {
		t.Errorf("states %v", got)
	}
	c, err := p.Counters(t.Context(), p.campaign.ID)
	if err != nil || c.Attempts != notices {
		t.Errorf("counters %+v %v", c, err)
	}
	events := map[int64]int{}
	for e, err := range p.EventsByNotice(t.Context(), p.campaign.ID) {
		if err != nil {
			t.Fatal(err)
		}
		events[e.Notice]++
	}
	for id := p.first; id < p.first+notices; id++ {
		if events[id] != 1 {
			t.Errorf("notice %d has %d events", id, events[id])
		}
	}
}

// waitMoment lets another process get on.
func waitMoment(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(time.Millisecond):
	case <-t.Context().Done():
	}
}

// carry takes a window, marks it and records the answers; it returns how many
// notices it ended. Tickets whose answer got lost are returned to Due at once, as
// the reconciler does later.
func carry(t *testing.T, l *postgres.Ledger, campaign int64, owner string) int {
	ctx := context.Background()
	tickets, err := l.TakeDue(ctx, pipeline.Take{Campaign: campaign, Channel: pipeline.Email, Limit: 8, Now: start, Moved: start})
	if err != nil || len(tickets) == 0 {
		if err != nil && !errors.Is(err, pipeline.ErrAway) {
			t.Errorf("take: %v", err)
		}
		stale := persist(t, func() ([]pipeline.Ticket, error) { return l.StaleQueued(ctx, start.Add(time.Second), 100) })
		persist(t, func() (int, error) { return l.Requeue(ctx, stale, start) })
		return 0
	}
	jobs := persist(t, func() ([]pipeline.Job, error) { return l.Load(ctx, tickets) })
	var marks, accepts []pipeline.Change
	for _, j := range jobs {
		marks = append(marks, mark(j.Notice, owner, start))
	}
	ok := persist(t, func() ([]bool, error) { return l.Commit(ctx, marks) })
	for i := range ok {
		if ok[i] { // else somebody thought it stale and has it now
			accepts = append(accepts, accept(t, marks[i].To, start))
		}
	}
	n := 0
	for i, ok := range persist(t, func() ([]bool, error) { return l.Commit(ctx, accepts) }) {
		if !ok {
			t.Errorf("notice %d is marked as %s's and cannot be moved by it", accepts[i].From.ID, owner)
		}
		n++
	}
	return n
}

// lossy is a way to a server that can lose an answer.
type lossy struct {
	net.Listener
	server string
	lose   atomic.Bool // the next answer is swallowed and the connection cut
}

func newLossy(t *testing.T, server string) *lossy {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &lossy{Listener: l, server: server}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
	return w
}

func (w *lossy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp4", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil || w.lose.CompareAndSwap(true, false) {
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	_, _ = io.Copy(server, client)
}

// TestAnswerLostOnTheWay loses the server's answer to a commit that it made. The
// caller is told that the ledger is away; when it tries again it must hear that
// the change applied, once, and nobody else may hear the same.
func TestAnswerLostOnTheWay(t *testing.T) {
	t.Parallel()
	direct := testenv.Postgres(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	way := newLossy(t, u.Host)
	u.Host = way.Addr().String()
	p := populate(t, openAt(t, u.String()), "lost", 10)
	other := openAt(t, direct)
	ctx := t.Context()
	var marks []pipeline.Change
	for _, j := range p.take(t, 4) {
		marks = append(marks, mark(j.Notice, "me", start))
	}
	p.commit(t, marks[3]) // the statement is prepared on its connection by now
	marks = marks[:3]
	way.lose.Store(true)
	if _, err := p.Commit(ctx, marks); !errors.Is(err, pipeline.ErrAway) {
		t.Fatalf("the answer is lost and the error is %v", err)
	}
	if ok, err := other.Commit(ctx, marks[:1]); err != nil || ok[0] {
		t.Errorf("somebody else is told that the change applied: %v %v", ok, err)
	}
	// A change that is not the same must not be taken for it.
	stranger := marks[1]
	stranger.To.Owner = "someone else"
	if ok, err := p.Commit(ctx, []pipeline.Change{stranger}); err != nil || ok[0] {
		t.Errorf("another change is taken for the one whose answer got lost: %v %v", ok, err)
	}
	if ok, err := p.Commit(ctx, []pipeline.Change{marks[0], marks[2]}); err != nil || !ok[0] || !ok[1] {
		t.Errorf("the second try is told %v %v", ok, err)
	}
	if ok, err := p.Commit(ctx, marks[:1]); err != nil || ok[0] {
		t.Errorf("a third try is told %v %v", ok, err)
	}
	if got := p.balanced(t, 10); got[pipeline.Sending] != 4 {
		t.Errorf("states %v", got)
	}
}

// TestServerDoesNotAnswer stops the server without ending it: calls end by their
// own time limit, and the ledger works again when it goes on.
func TestServerDoesNotAnswer(t *testing.T) {
	t.Parallel()
	server := testenv.NewPostgres(t, testenv.PostgresConfig{})
	db := server.Database(t)
	p := populate(t, openAt(t, db), "stopped", 1)
	l, err := postgres.Open(t.Context(), postgres.Config{URL: db, Timeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	server.Pause(t)
	if err := l.Ping(t.Context()); !errors.Is(err, pipeline.ErrAway) {
		t.Errorf("ping: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := l.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pipeline.ErrAway) {
		t.Errorf("a caller whose own time is up is told %v", err)
	}
	server.Resume(t)
	persist(t, func() (bool, error) { return true, l.Ping(t.Context()) })
	if got := p.balanced(t, 1); got[pipeline.Due] != 1 {
		t.Errorf("states %v", got)
	}
}

// TestErrorsSayNothingOfPeople looks for values in errors.
func TestErrorsSayNothingOfPeople(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := testenv.NewPostgres(t, testenv.PostgresConfig{})
	db := server.Database(t)
	p := populate(t, openAt(t, db), "errors", 2)
	secret := "marie.durand@example.com"
	bad := mark(p.take(t, 1)[0].Notice, "me", start)
	bad.To.Channel = pipeline.Channel(secret) // the CHECK constraint's detail shows the row
	_, commit := p.Commit(ctx, []pipeline.Change{bad})
	var stage error
	if i, err := p.BeginImport(ctx, pipeline.Import{Campaign: p.campaign.ID, Content: "x", StagedAt: start}); err != nil {
		t.Fatal(err)
	} else {
		s := staged(p.campaign.ID, i.ID, p.first) // an id that is there already
		s.Notice.Locale = secret
		stage = p.Stage(ctx, i.ID, []pipeline.Staged{s})
	}
	server.Stop(t)
	away := p.Ping(ctx)
	_, closed := postgres.Open(ctx, postgres.Config{URL: db})
	_, address := postgres.Open(ctx, postgres.Config{URL: strings.Replace(db, "sslmode=disable", "sslmode=never", 1)})
	for name, err := range map[string]error{"commit": commit, "stage": stage, "away": away, "closed": closed, "address": address} {
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, word := range []string{secret, "durand", "not-to-be-printed", "Failing row", "pe_rson"} {
			if strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error holds %q: %v", name, word, err)
			}
		}
		if name == "away" || name == "closed" {
			if !errors.Is(err, pipeline.ErrAway) || pipeline.ErrorCode(err) != "ledger-away" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if code := pipeline.ErrorCode(address); code != "ledger-address" {
		t.Errorf("address: code %q", code)
	}
}
