package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// blocked runs f while something else has the write lock of the ledger, so that
// the requests of f gather; they go on when f returns.
func blocked(t testing.TB, l *Ledger, f func()) {
	t.Helper()
	db := raw(t, l.cfg.Path)
	run(t, db, "BEGIN IMMEDIATE")
	f()
	run(t, db, "ROLLBACK")
	closed(t, db)
}

// waiting returns when so many requests wait behind the one that the writer tries
// to begin with.
func waiting(t testing.TB, l *Ledger, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); len(l.writer.queue) < n; {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests wait, want %d", len(l.writer.queue), n)
		}
	}
}

// inHand returns when the writer has taken up what it had, and tries to begin: what is
// asked for from then on waits in the queue.
func inHand(t testing.TB, l *Ledger) {
	t.Helper()
	other := newTurn(l.cfg.Path)
	defer other.close()
	other.courtesy = time.Hour
	for deadline := time.Now().Add(time.Minute); other.take(); {
		other.pass()
		if time.Now().After(deadline) {
			t.Fatal("the writer has begun nothing")
		}
		time.Sleep(poll)
	}
}

// TestRequestsShareTransactions: what gathers while the lock is away is committed
// together, and one that fails after it wrote takes nothing of the others along.
func TestRequestsShareTransactions(t *testing.T) {
	t.Parallel()
	l := open(t)
	const n, bad = 40, 17
	var mu sync.Mutex
	transactions := map[*tx]int{}
	errs := make([]error, n)
	var wg sync.WaitGroup
	blocked(t, l, func() {
		wg.Go(func() { _, _ = l.ReserveIDs(t.Context(), 1) })
		inHand(t, l)
		for i := range n {
			wg.Go(func() {
				errs[i] = l.write(t.Context(), "test", 1, func(tx *tx) error {
					mu.Lock()
					transactions[tx]++
					mu.Unlock()
					if _, err := tx.exec("INSERT INTO meta (key, value) VALUES (?, 'x')", fmt.Sprint(i)); err != nil {
						return err
					}
					if i == bad {
						return pipeline.ErrStale
					}
					return nil
				})
			})
		}
		waiting(t, l, n)
	})
	wg.Wait()
	for i, err := range errs {
		if i == bad && !errors.Is(err, pipeline.ErrStale) || i != bad && err != nil {
			t.Errorf("request %d: %v", i, err)
		}
		v, err := l.Meta(t.Context(), fmt.Sprint(i))
		if err != nil || (v == "x") != (i != bad) {
			t.Errorf("request %d left %q, %v", i, v, err)
		}
	}
	// One transaction that failed, one or two that did it again.
	if len(transactions) > 5 {
		t.Errorf("%d requests took %d transactions", n, len(transactions))
	}
}

// TestGivingUp: who stops waiting before the writer takes the request up gets it
// not done; the ledger is locked meanwhile.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	l := open(t)
	blocked(t, l, func() {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		for i := range 3 {
			go func() {
				_, err := l.SetMeta(ctx, fmt.Sprint(i), "x", false)
				done <- err
			}()
			if i == 0 {
				inHand(t, l)
			}
		}
		waiting(t, l, 2)
		cancel()
		for range 3 {
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
	if _, err := l.SetMeta(t.Context(), "last", "x", false); err != nil {
		t.Error(err)
	}
	for i := range 3 {
		if v, err := l.Meta(t.Context(), fmt.Sprint(i)); v != "" || err != nil {
			t.Errorf("%d was written by a call that failed: %q %v", i, v, err)
		}
	}
}

// TestLockedForLong: a writer that does not get its turn says that the ledger is
// away, and goes on when it is back. Readers do not notice.
func TestLockedForLong(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(t.Context(), Config{Path: path, Wait: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, l)
	c := populate(t, l, "muguet", 10)
	blocked(t, l, func() {
		_, err := c.TakeDue(t.Context(), pipeline.Take{Campaign: c.campaign.ID, Channel: pipeline.Email, Limit: 5, Now: start})
		if !errors.Is(err, pipeline.ErrAway) || pipeline.ErrorCode(err) != "ledger-locked" {
			t.Error(err)
		}
		if s := c.states(t); s[pipeline.Due] != 10 {
			t.Errorf("%v", s)
		}
	})
	if n := c.carry(t, 5, 8, "p"); n != 5 {
		t.Errorf("carried %d", n)
	}
}

// TestFullDisk: a full disk is a clear error, nothing of the call is there, and
// work goes on when there is room.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	l := open(t)
	c := populate(t, l, "muguet", 50)
	limit := func(pages int) {
		t.Helper()
		if err := l.write(t.Context(), "limit", 1, func(tx *tx) error {
			return tx.scan(fmt.Sprintf("PRAGMA max_page_count = %d", pages), nil, new(int64))
		}); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // SQLite does not go below what there is
	i, err := l.BeginImport(t.Context(), pipeline.Import{Campaign: c.campaign.ID, Content: "more", StagedAt: start})
	if err != nil {
		t.Fatal(err)
	}
	first, err := l.ReserveIDs(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	var batch []pipeline.Staged
	for n := range int64(500) {
		batch = append(batch, staged(first+n))
	}
	err = l.Stage(t.Context(), i.ID, batch)
	if !errors.Is(err, pipeline.ErrAway) || pipeline.ErrorCode(err) != "ledger-disk-full" {
		t.Fatal(err)
	}
	limit(1 << 30)
	if err := l.Stage(t.Context(), i.ID, batch); err != nil {
		t.Fatalf("the same again, with room: %v", err)
	}
	if err := l.Publish(t.Context(), i.ID, pipeline.Manifest{Population: 500}, false, c.audit("publish")); err != nil {
		t.Fatal(err)
	}
	if s := c.states(t); s[pipeline.Due] != 550 {
		t.Errorf("%v", s)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	l := open(t)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = l.SetMeta(t.Context(), fmt.Sprint(i), "x", false) })
	}
	closed(t, l)
	wg.Wait()
	again := openAt(t, l.cfg.Path)
	for i, err := range errs {
		v, e := again.Meta(t.Context(), fmt.Sprint(i))
		if e != nil || (v == "x") != (err == nil) {
			t.Errorf("call %d said %v and left %q, %v", i, err, v, e)
		}
	}
	if _, err := l.ReserveIDs(t.Context(), 1); err == nil {
		t.Error("wrote after Close")
	}
	closed(t, l)
}

// TestBesideAnotherProcess lets a second process carry notices of the same ledger
// while this one does: each notice is carried once, and both get on.
func TestBesideAnotherProcess(t *testing.T) {
	t.Parallel()
	const env = "ART34_TEST_LEDGER"
	carryAll := func(c crowd, owner string) (n int) {
		for {
			k := c.carry(t, 10, 5, owner)
			if k == 0 {
				return n
			}
			n += k
		}
	}
	if path := os.Getenv(env); path != "" {
		l := openAt(t, path)
		campaign, err := l.Campaign(t.Context(), "muguet")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("carried", carryAll(crowd{Ledger: l, campaign: campaign}, "child"))
		return
	}
	c := populate(t, open(t), "muguet", 600)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBesideAnotherProcess$")
	child.Env = append(os.Environ(), env+"="+c.cfg.Path)
	var out strings.Builder
	child.Stdout = &out
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	mine := carryAll(c, "parent")
	if err := child.Wait(); err != nil {
		t.Fatal(err, out.String())
	}
	var theirs int
	_, _ = fmt.Sscanf(out.String(), "carried %d", &theirs)
	if mine+theirs != 600 {
		t.Errorf("%d and %d carried, of 600", mine, theirs)
	}
	if s := c.states(t); s[pipeline.Accepted] != 600 {
		t.Errorf("%v", s)
	}
	k, err := c.Counters(t.Context(), c.campaign.ID)
	if err != nil || k.Attempts != 600 {
		t.Errorf("%+v %v", k, err)
	}
}
