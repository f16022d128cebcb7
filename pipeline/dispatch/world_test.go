package dispatch

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// world is everything around the service, in memory, inside a bubble where time
// passes only while everybody waits.
type world struct {
	t        *testing.T
	ledger   *memLedger
	queue    *memQueue
	relay    *memRelay
	press    *memPress
	composer *memComposer
	spec     *pipeline.Spec
	wayBack  func(pipeline.Campaign, pipeline.Channel) bool
	noRelay  bool
	latency  time.Duration // of every call that writes
	slice    func(*flaky, string)
	n        int // notices
	owners   int
	log      logBuffer
}

// proc is one process.
type proc struct {
	*Service
	w      *world
	ledger *flaky
	drain  context.CancelFunc
	kill   context.CancelFunc
	done   chan error
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// bubble runs a test in a world of its own.
func bubble(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		test(t, w)
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, ledger: newMemLedger(), queue: newMemQueue(seed), relay: newMemRelay(), press: newMemPress(), composer: &memComposer{},
		spec: &pipeline.Spec{Channels: pipeline.ChannelPolicy{}}, latency: 2 * time.Millisecond,
	}
	w.ledger.campaigns[1] = &pipeline.Campaign{ID: 1, Name: "muguet", CodeName: "MUGUET", State: pipeline.Running, Version: 1, LaunchAt: time.Now().UTC()}
	return w
}

// people adds n notices that are due.
func (w *world) people(n int, ch pipeline.Channel, shape func(i int, n *pipeline.Notice)) {
	reach := pipeline.ByEmail
	if ch == pipeline.Post {
		reach = pipeline.ByPost
	}
	for i := range n {
		w.n++
		x := &pipeline.Notice{
			ID: int64(w.n), Campaign: 1, Import: 1, Role: pipeline.Primary, State: pipeline.Due, Born: pipeline.Due, Channel: ch, Attempt: 1, Kind: pipeline.First,
			DueAt: time.Now().UTC(), Reach: reach, Gen: 1, Format: pipeline.FormatStandard, Country: "FR", Area: fmt.Sprintf("%02d", i%95+1),
		}
		if ch == pipeline.Email {
			x.Provider = pipeline.OtherProvider
		}
		if shape != nil {
			shape(i, x)
		}
		w.ledger.put(*x)
	}
}

// start runs a process.
func (w *world) start(roles ...Role) *proc {
	w.t.Helper()
	if len(roles) == 0 {
		roles = []Role{RoleDispatch, RoleCourier, RolePrint}
	}
	w.owners++
	f := &flaky{memLedger: w.ledger, latency: w.latency, slice: w.slice}
	c := Config{
		Ledger: f, Queue: w.queue, Specs: memSpecs{w.spec}, Composer: w.composer, Press: w.press, Clock: clock.Real{}, Real: clock.Real{},
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Owner: fmt.Sprint("owner-", w.owners), WayBack: w.wayBack,
	}
	if !w.noRelay {
		c.Relay = w.relay
	}
	s, err := New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	drain, stop := context.WithCancel(context.Background())
	kill, hard := context.WithCancel(context.Background())
	p := &proc{Service: s, w: w, ledger: f, drain: stop, kill: hard, done: make(chan error, 1)}
	go func() {
		p.done <- s.Run(drain, kill, roles...)
		close(p.done)
	}()
	w.t.Cleanup(func() {
		hard()
		stop()
		<-p.done
	})
	return p
}

// stop drains a process and waits for it.
func (p *proc) stop() {
	p.w.t.Helper()
	p.drain()
	if err := <-p.done; err != nil {
		p.w.t.Errorf("Run: %v", err)
	}
	p.kill()
}

// crash ends a process as kill -9 does: nothing that it knows is written any
// more.
func (p *proc) crash() {
	p.ledger.set(func() { p.ledger.dead = true })
	p.kill()
	p.drain()
	<-p.done
}

// rest waits until there is nothing left to do, and returns what is blocked.
func (p *proc) rest(most time.Duration) Idle {
	p.w.t.Helper()
	end := time.Now().Add(most)
	for time.Now().Before(end) {
		time.Sleep(500 * time.Millisecond)
		i, err := p.Idle(context.Background())
		if err != nil {
			p.w.t.Fatalf("Idle: %v", err)
		}
		if i.Idle {
			return i
		}
	}
	p.w.t.Fatalf("not idle after %v: %v\n%s", most, p.w.states(), tail(p.w.log.String()))
	return Idle{}
}

func tail(s string) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// operate is what a person may do.
func (w *world) operate() Operations {
	return Operations{Ledger: w.ledger, Specs: memSpecs{w.spec}, Press: w.press, Clock: clock.Real{}, Real: clock.Real{}, Actor: "user:test"}
}

// states counts the notices by state.
func (w *world) states() map[pipeline.State]int {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	m := map[pipeline.State]int{}
	for _, n := range w.ledger.notices {
		m[n.State]++
	}
	return m
}

// want compares the states with what is expected, and the books with themselves.
func (w *world) want(states map[pipeline.State]int) {
	w.t.Helper()
	got := w.states()
	for s, n := range states {
		if got[s] != n {
			w.t.Errorf("%d are %s, want %d (all: %v)", got[s], s, n, got)
		}
	}
	w.sound()
}

// sound checks the books, and that nobody got more than the doubts explain.
func (w *world) sound() {
	w.t.Helper()
	if err := w.ledger.check(w.n); err != nil {
		w.t.Error(err)
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	w.relay.mu.Lock()
	defer w.relay.mu.Unlock()
	twice := int64(0)
	for id, k := range w.relay.delivered {
		n := w.ledger.notices[id]
		for _, e := range w.ledger.events[id] {
			if e.Kind == pipeline.EvBounced {
				k-- // what came back was not delivered
			}
		}
		if k > 1+n.Doubts {
			w.t.Errorf("notice %d was delivered %d times with %d doubts: %v", id, k, n.Doubts, w.ledger.events[id])
		}
		twice += int64(max(0, k-1))
	}
	if twice > w.ledger.again || w.ledger.again > w.ledger.doubts {
		w.t.Errorf("%d duplicates, %d counted as possible ones, %d doubts", twice, w.ledger.again, w.ledger.doubts)
	}
}

// notice reads one notice.
func (w *world) notice(id int64) pipeline.Notice {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return *w.ledger.notices[id]
}

// open returns the reason of an open breaker, "" for none.
func (w *world) open(scope string) string {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return w.ledger.breakers[1][scope].Reason
}

// run reads a print run; the zero Run if there is none.
func (w *world) run(id int64) pipeline.Run {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	if r := w.ledger.runs[id]; r != nil {
		return *r
	}
	return pipeline.Run{}
}

// runs counts the print runs.
func (w *world) runs() int {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return len(w.ledger.runs)
}

// campaign reads the campaign.
func (w *world) campaign() pipeline.Campaign {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return *w.ledger.campaigns[1]
}

// file reads what was drawn for a run.
func (w *world) file(id int64) string {
	w.press.mu.Lock()
	defer w.press.mu.Unlock()
	return w.press.files[id]
}
