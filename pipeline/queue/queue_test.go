package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// bench is a queue of one of the two kinds.
type bench struct {
	*Queue
	real *testenv.RedisServer // nil: embedded
	log  *bytes.Buffer
}

// both runs a test over the embedded and over a real Redis.
func both(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, nil, Config{}))
	})
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, testenv.Redis(t, testenv.RedisConfig{Password: "s3cret"}), Config{}))
	})
}

func open(t *testing.T, real *testenv.RedisServer, c Config) *bench {
	t.Helper()
	b := &bench{real: real, log: &bytes.Buffer{}}
	var n atomic.Int64
	c.Random = func() string { return "epoch-" + strconv.FormatInt(n.Add(1), 10) }
	c.Check = 5 * time.Millisecond
	c.Log = slog.New(slog.NewTextHandler(&lockedWriter{w: b.log}, nil))
	if real != nil {
		c.URL = real.URL
	}
	q, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	b.Queue = q
	return b
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// flush wipes the Redis behind the queue.
func (b *bench) flush(t *testing.T) {
	t.Helper()
	if b.real != nil {
		b.real.FlushAll(t)
		return
	}
	if err := b.redis.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// serve runs Serve until the returned functions are called; stop drains and
// waits.
func (b *bench) serve(t *testing.T, kind string, concurrency int, h Handler) (stop, kill func()) {
	t.Helper()
	drain, stopDrain := context.WithCancel(context.Background())
	hard, stopHard := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Serve(drain, hard, kind, concurrency, h) }()
	var once sync.Once
	wait := func() {
		once.Do(func() {
			if err := <-done; err != nil {
				t.Errorf("Serve: %v", err)
			}
		})
	}
	t.Cleanup(func() { stopDrain(); stopHard(); wait() })
	return func() { stopDrain(); wait() }, func() { stopHard(); wait() }
}

func task(kind, id string, l pipeline.Lane) pipeline.Task {
	return pipeline.Task{Kind: kind, ID: id, Lane: l, Payload: []byte(`{"id":"` + id + `"}`)}
}

func add(t *testing.T, b *bench, tasks ...pipeline.Task) {
	t.Helper()
	for _, x := range tasks {
		if err := b.Enqueue(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
}

func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

func TestStrictLanes(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, b *bench) {
		add(t, b, task("email", "g", pipeline.LaneGeneral), task("email", "r", pipeline.LaneResend), task("email", "n1", pipeline.LaneNotice), task("email", "n2", pipeline.LaneNotice), task("print", "p", pipeline.LaneNotice))
		if n, err := b.Backlog(t.Context(), "email"); n != 4 || err != nil {
			t.Fatalf("backlog is %d, %v; want 4", n, err)
		}
		got := make(chan pipeline.Task, 10)
		b.serve(t, "email", 1, func(_ context.Context, x pipeline.Task) { got <- x })
		for i, want := range []pipeline.Task{task("email", "n1", pipeline.LaneNotice), task("email", "n2", pipeline.LaneNotice), task("email", "r", pipeline.LaneResend), task("email", "g", pipeline.LaneGeneral)} {
			x := receive(t, got)
			if x.ID != want.ID || x.Kind != want.Kind || x.Lane != want.Lane || string(x.Payload) != string(want.Payload) {
				t.Errorf("task %d is %+v, want %+v", i, x, want)
			}
		}
		if n, err := b.Backlog(t.Context(), "print"); n != 1 || err != nil {
			t.Errorf("the print task was touched: %d, %v", n, err)
		}
	})
}

// TestSameIDIsOneTask: an ID is taken while its task waits or runs, and free as
// soon as it is done.
func TestSameIDIsOneTask(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, b *bench) {
		x := task("email", "c1:n5:g3", pipeline.LaneNotice)
		add(t, b, x, x, x)
		if n, _ := b.Backlog(t.Context(), "email"); n != 1 {
			t.Fatalf("%d tasks wait, want 1", n)
		}
		started, release := make(chan bool, 10), make(chan bool)
		stop, _ := b.serve(t, "email", 4, func(context.Context, pipeline.Task) { started <- true; <-release })
		receive(t, started)
		add(t, b, x) // while it runs
		if open := unfinished(t, b, x, task("email", "other", pipeline.LaneNotice)); !open[0] || open[1] {
			t.Fatalf("unfinished: %v, want [true false]", open)
		}
		release <- true
		for unfinished(t, b, x)[0] {
			time.Sleep(time.Millisecond)
		}
		add(t, b, x)
		receive(t, started)
		release <- true
		stop()
		if len(started) != 0 {
			t.Error("a repetition ran")
		}
	})
}

func unfinished(t *testing.T, b *bench, tasks ...pipeline.Task) []bool {
	t.Helper()
	open, err := b.Unfinished(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// TestWipe is FLUSHALL in the middle of the work: the epoch tells, the queue goes
// on, and its queues are registered again.
func TestWipe(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, b *bench) {
		first, fresh, err := b.Epoch(t.Context())
		if err != nil || !fresh || first == "" {
			t.Fatalf("epoch %q, %v, %v", first, fresh, err)
		}
		if again, fresh, _ := b.Epoch(t.Context()); again != first || fresh {
			t.Fatalf("the epoch changed by itself: %q, %v", again, fresh)
		}
		started, release := make(chan string, 100), make(chan bool, 100)
		stop, _ := b.serve(t, "email", 2, func(_ context.Context, x pipeline.Task) { started <- x.ID; <-release })
		for i := range 10 {
			add(t, b, task("email", fmt.Sprint("old", i), pipeline.LaneNotice))
		}
		receive(t, started)
		receive(t, started) // two run, eight wait
		b.flush(t)
		if unfinished(t, b, task("email", "old9", pipeline.LaneNotice))[0] {
			t.Error("a wiped task is still there")
		}
		second, fresh, err := b.Epoch(t.Context())
		if err != nil || !fresh || second == first {
			t.Fatalf("after the wipe: epoch %q, %v, %v", second, fresh, err)
		}
		for range 20 {
			release <- true
		}
		add(t, b, task("email", "new", pipeline.LaneResend))
		if id := receive(t, started); id != "new" {
			t.Errorf("%s ran after the wipe", id)
		}
		queues, err := asynq.NewInspectorFromRedisClient(b.redis).Queues()
		if err != nil || len(queues) != 1 || queues[0] != "art34-email-resend" {
			t.Errorf("registered queues: %v, %v", queues, err)
		}
		stop()
	})
}

// TestDrain: the end of drain starts nothing more and waits for the handler,
// however long it takes.
func TestDrain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, b *bench) {
		add(t, b, task("email", "a", pipeline.LaneNotice), task("email", "b", pipeline.LaneNotice))
		started, release := make(chan bool, 2), make(chan bool)
		var ended atomic.Bool
		drained := make(chan bool)
		b.config.drained = func() { close(drained) }
		drain, stopDrain := context.WithCancel(t.Context())
		defer stopDrain()
		done := make(chan error, 1)
		go func() {
			done <- b.Serve(drain, t.Context(), "email", 1, func(ctx context.Context, _ pipeline.Task) {
				started <- true
				<-release
				ended.Store(ctx.Err() == nil)
			})
		}()
		receive(t, started)
		stopDrain()
		receive(t, drained)
		select {
		case <-done:
			t.Fatal("Serve did not wait")
		case <-time.After(50 * time.Millisecond):
		}
		release <- true
		if err := receive(t, done); err != nil || !ended.Load() {
			t.Errorf("Serve: %v; the handler ended in peace: %v", err, ended.Load())
		}
		if n, _ := b.Backlog(t.Context(), "email"); n != 1 || len(started) != 0 {
			t.Errorf("%d tasks wait and %d more started; want 1 and 0", n, len(started))
		}
	})
}

// TestKill: a hard stop ends the handlers' contexts and does not wait for one
// that ignores it.
func TestKill(t *testing.T) {
	t.Parallel()
	b := open(t, nil, Config{})
	add(t, b, task("email", "a", pipeline.LaneNotice), task("email", "b", pipeline.LaneNotice))
	started, cut, never := make(chan bool, 2), make(chan bool, 1), make(chan bool)
	t.Cleanup(func() { close(never) })
	_, kill := b.serve(t, "email", 2, func(ctx context.Context, x pipeline.Task) {
		started <- true
		if x.ID == "b" {
			<-never
		}
		<-ctx.Done()
		cut <- true
	})
	receive(t, started)
	receive(t, started)
	kill()
	receive(t, cut)
}

// TestPanicIsNoFailure: a handler that panics takes nothing with it, and what it
// said stays out of the log.
func TestPanicIsNoFailure(t *testing.T) {
	t.Parallel()
	b := open(t, nil, Config{})
	add(t, b, task("email", "bad", pipeline.LaneNotice), task("email", "good", pipeline.LaneNotice))
	got := make(chan string, 2)
	stop, _ := b.serve(t, "email", 1, func(_ context.Context, x pipeline.Task) {
		if x.ID == "bad" {
			panic("person@example.com")
		}
		got <- x.ID
	})
	receive(t, got)
	for unfinished(t, b, task("email", "bad", pipeline.LaneNotice))[0] {
		time.Sleep(time.Millisecond)
	}
	stop()
	if s := b.log.String(); !strings.Contains(s, "panicked") || strings.Contains(s, "person") {
		t.Errorf("log: %s", s)
	}
}

// TestRedisAway: every call says so, and all goes on when it is back.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t, testenv.RedisConfig{AppendOnly: true})
	b := open(t, r, Config{})
	got := make(chan string, 10)
	b.serve(t, "email", 2, func(_ context.Context, x pipeline.Task) { got <- x.ID })
	add(t, b, task("email", "a", pipeline.LaneNotice))
	receive(t, got)
	epoch, _, err := b.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Kill(t)
	for name, call := range map[string]func() error{
		"Enqueue":    func() error { return b.Enqueue(t.Context(), task("email", "b", pipeline.LaneNotice)) },
		"Backlog":    func() error { _, err := b.Backlog(t.Context(), "email"); return err },
		"Epoch":      func() error { _, _, err := b.Epoch(t.Context()); return err },
		"Ping":       func() error { return b.Ping(t.Context()) },
		"Unfinished": func() error { _, err := b.Unfinished(t.Context(), []pipeline.Task{task("email", "b", 0)}); return err },
	} {
		if err := call(); !errors.Is(err, pipeline.ErrAway) {
			t.Errorf("%s: %v, want ErrAway", name, err)
		}
	}
	r.Start(t)
	for b.Ping(t.Context()) != nil {
		time.Sleep(10 * time.Millisecond)
	}
	if again, fresh, err := b.Epoch(t.Context()); err != nil || fresh || again != epoch {
		t.Errorf("a restart that lost nothing began a new epoch: %q, %v, %v", again, fresh, err)
	}
	add(t, b, task("email", "c", pipeline.LaneNotice))
	if id := receive(t, got); id != "c" {
		t.Errorf("%s came", id)
	}
}

// TestNothingIsArchived: what a dead process left is handed out again and not
// buried. The lease of asynq is 30 s and its patience another 30, so the test
// puts a task into the state that a dead process leaves.
func TestNothingIsArchived(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, b *bench) {
		x := task("email", "left", pipeline.LaneNotice)
		add(t, b, x)
		ctx := t.Context()
		if err := b.redis.RPopLPush(ctx, b.key("email", 0, "pending"), b.key("email", 0, "active")).Err(); err != nil {
			t.Fatal(err)
		}
		b.redis.HSet(ctx, b.key("email", 0, "t:left"), "state", "active")
		b.redis.Do(ctx, "ZADD", b.key("email", 0, "lease"), time.Now().Add(-2*time.Minute).Unix(), "left")
		got := make(chan string, 2)
		stop, _ := b.serve(t, "email", 1, func(_ context.Context, x pipeline.Task) { got <- x.ID })
		if id := receive(t, got); id != "left" {
			t.Errorf("%s came", id)
		}
		for unfinished(t, b, x)[0] {
			time.Sleep(time.Millisecond)
		}
		stop()
		if n, err := b.redis.ZCard(ctx, b.key("email", 0, "archived")).Result(); n != 0 || err != nil {
			t.Errorf("%d tasks archived, %v", n, err)
		}
	})
}

// TestEmbeddedIsRenewed: the embedded Redis is replaced before its leak counts,
// and that looks like a wipe.
func TestEmbeddedIsRenewed(t *testing.T) {
	t.Parallel()
	b := open(t, nil, Config{renewAfter: 10})
	first, _, err := b.Epoch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 100)
	b.serve(t, "email", 2, func(_ context.Context, x pipeline.Task) { got <- x.ID })
	for i := range 25 {
		x := task("email", fmt.Sprint("t", i), pipeline.LaneNotice)
		for b.Enqueue(t.Context(), x) != nil { // the connection may just have been cut
			time.Sleep(time.Millisecond)
		}
		for { // one by one, so that none is wiped
			id := receive(t, got)
			if id == x.ID {
				break
			}
		}
	}
	for {
		second, fresh, err := b.Epoch(t.Context())
		if err == nil {
			if !fresh || second == first {
				t.Errorf("epoch %q, %v; it was %q", second, fresh, first)
			}
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestNamespacesAreApart(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t, testenv.RedisConfig{})
	a, z := open(t, r, Config{Namespace: "a"}), open(t, r, Config{Namespace: "z"})
	add(t, a, task("email", "x", pipeline.LaneNotice))
	if n, err := z.Backlog(t.Context(), "email"); n != 0 || err != nil {
		t.Errorf("another installation sees %d tasks, %v", n, err)
	}
	if _, fresh, err := a.Epoch(t.Context()); !fresh || err != nil {
		t.Error(fresh, err)
	}
	if _, fresh, err := z.Epoch(t.Context()); !fresh || err != nil {
		t.Error("two installations share an epoch", err)
	}
}

// TestOpenRefuses: what is wrong is said before anything is touched, and without
// the password.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t, testenv.RedisConfig{Password: "s3cret"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	for url, want := range map[string]string{
		"postgres://user:s3cret@x/":         "redis-url",
		"redis://:s3cret@127.0.0.1:0x/zero": "redis-url",
		"redis://:wrong-s3cret@" + r.Addr:   "redis-auth",
		"redis://" + r.Addr:                 "redis-auth",
		"redis://:s3cret@" + closed + "/0":  "",
	} {
		q, err := Open(t.Context(), Config{URL: url, Random: func() string { return "x" }})
		if err == nil {
			q.Close()
			t.Errorf("%s was opened", url)
			continue
		}
		if got := pipeline.ErrorCode(err); got != want || want == "" && !errors.Is(err, pipeline.ErrAway) {
			t.Errorf("%s: code %q (%v), want %q", url, got, err, want)
		}
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestWarnsOfEviction(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t, testenv.RedisConfig{})
	b := open(t, r, Config{})
	if b.log.Len() != 0 {
		t.Errorf("warned without a reason: %s", b.log)
	}
	r.Command(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	b = open(t, r, Config{})
	if !strings.Contains(b.log.String(), "noeviction") {
		t.Errorf("no warning: %s", b.log)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for v, old := range map[string]bool{"7.0.15": false, "6.2.0": false, "6.0.20": true, "5.0.7": true, "10.1": false, "": false, "unknown": false} {
		if tooOld(v) != old {
			t.Errorf("version %q: too old %v, want %v", v, !old, old)
		}
	}
}

// TestOutstandingCopies: asynq hands out at least once; two workers on one task id
// after a wipe must both end in peace.
func TestCopiesOfATaskEndInPeace(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, b *bench) {
		x := task("email", "twin", pipeline.LaneNotice)
		started, release := make(chan bool, 2), make(chan bool)
		stop, _ := b.serve(t, "email", 2, func(context.Context, pipeline.Task) { started <- true; <-release })
		add(t, b, x)
		receive(t, started)
		b.flush(t)
		add(t, b, x)
		receive(t, started)
		release <- true
		release <- true
		stop()
		add(t, b, task("email", "after", pipeline.LaneNotice))
		if n, err := b.Backlog(t.Context(), "email"); n != 1 || err != nil {
			t.Errorf("backlog %d, %v", n, err)
		}
	})
}
