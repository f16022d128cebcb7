package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/queue"
)

// metaNamespace sets this installation apart from others in a shared Redis.
const metaNamespace = "namespace"

// service is a running art34: the roles of one process.
type service struct {
	h        *house
	roles    []dispatch.Role
	queue    *queue.Queue
	worker   *dispatch.Service
	console  *consoleServer   // nil without one
	feedback *feedbackService // nil without the role
	prover   *prover
	states   *stateFiles // nil without them
	unlock   func()
	blocked  map[string]int64 // of the last look at Idle
}

// serviceConfig is what distinguishes a real run from a rehearsal.
type serviceConfig struct {
	roles   []dispatch.Role
	relay   dispatch.Relay
	redis   string // "": embedded
	wayBack func(pipeline.Campaign, pipeline.Channel) bool
	times   dispatch.Times
	prover  *prover // nil: the way back is not probed
}

// newService opens the queue and prepares the roles. The house stays open until
// after Close.
func (h *house) newService(ctx context.Context, c serviceConfig) (*service, error) {
	s := &service{h: h, roles: c.roles, prover: c.prover, unlock: func() {}}
	if !h.shared || c.redis == "" {
		unlock, err := h.lockRun()
		if err != nil {
			return nil, err
		}
		s.unlock = unlock
	}
	namespace, err := h.ledger.SetMeta(ctx, metaNamespace, "art34-"+strings.ToLower(rand.Text()[:8]), true)
	if err != nil {
		s.Close()
		return nil, err
	}
	err = h.wait(ctx, "Redis", func(ctx context.Context) error {
		q, err := queue.Open(ctx, queue.Config{URL: c.redis, Namespace: namespace, Random: rand.Text, Log: h.log})
		s.queue = q
		return err
	})
	if err != nil {
		s.queue = nil
		s.Close()
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	s.worker, err = dispatch.New(dispatch.Config{
		Ledger: h.ledger, Queue: s.queue, Specs: h.editions, Composer: h.editions, Relay: c.relay, Press: pressRoom{h.editions},
		Clock: h.clock, Real: h.real, Log: h.log,
		Owner:   fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:8]),
		WayBack: c.wayBack, Times: c.times,
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close gives the queue and the lock back.
func (s *service) Close() {
	if s.feedback != nil {
		s.feedback.Close()
	}
	if s.queue != nil {
		_ = s.queue.Close()
	}
	s.unlock()
}

// run plays the roles until drain ends, or, with until, until it reports true.
// kill stops hard.
func (s *service) run(drain, kill context.Context, until func(context.Context) (bool, error)) error {
	drain, stop := context.WithCancel(drain)
	defer stop()
	var beside sync.WaitGroup
	var failed error
	beside.Go(func() { s.beat(drain) })
	if slices.Contains(s.roles, dispatch.RolePrint) {
		beside.Go(func() { _ = poll(drain, tidyEvery, s.tidy) })
	}
	if s.states != nil {
		beside.Go(func() { _ = poll(drain, 5*time.Second, s.states.look) })
	}
	if s.prover != nil {
		beside.Go(func() { s.prover.run(drain) })
	}
	if s.console != nil {
		beside.Go(func() { s.console.run(drain, s.h) })
	}
	var broken error
	if s.feedback != nil {
		beside.Go(func() {
			if broken = s.feedback.run(drain); broken != nil {
				stop()
			}
		})
	}
	if until != nil {
		beside.Go(func() {
			defer stop()
			failed = poll(drain, 500*time.Millisecond, until)
		})
	}
	err := s.worker.Run(drain, kill, s.roles...)
	stop()
	beside.Wait()
	return errors.Join(err, failed, broken)
}

// Files of print runs hold names in clear: they go some time after the print shop
// has closed the run.
const (
	runGrace  = 14 * 24 * time.Hour
	tidyEvery = time.Minute
)

// tidy removes the files of print runs that were closed long enough ago. It never
// reports that it is done.
func (s *service) tidy(ctx context.Context) (bool, error) {
	runs, err := s.h.ledger.Runs(ctx, 0)
	if err != nil {
		return false, err
	}
	for _, r := range runs {
		if r.ClosedAt.IsZero() || s.h.clock.Now().Sub(r.ClosedAt) < runGrace {
			continue
		}
		if _, err := os.Stat(filepath.Join(s.h.printRuns(), r.File)); err != nil {
			continue // gone already
		}
		if err := (pressRoom{s.h.editions}).Remove(ctx, r); err != nil {
			return false, err
		}
		if err := s.h.ledger.Append(ctx, pipeline.Audit{Campaign: r.Campaign, At: s.h.clock.Now(), Actor: "service", Action: "print-files-removed", Detail: r.Name()}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// poll asks until the answer is yes. A service that is away is asked again.
func poll(ctx context.Context, every time.Duration, ask func(context.Context) (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		done, err := ask(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, pipeline.ErrAway) {
			return err
		}
		if done {
			return nil
		}
	}
}

// idle reports whether nothing is left to do without a person, and remembers what
// is blocked.
func (s *service) idle(ctx context.Context) (bool, error) {
	i, err := s.worker.Idle(ctx)
	if err == nil {
		s.blocked = i.Blocked
	}
	return i.Idle, err
}

// Meta keys that tell other processes what the service does.
const (
	metaService = "service/" // + role
	metaPace    = "pace/"    // + id of the campaign
)

// heartbeat is what a process says of itself in the ledger, for status.
type heartbeat struct {
	At      time.Time `json:"at"`
	Missing []string  `json:"missing,omitempty"` // ledger, queue, relay: what it cannot reach
}

// pace is how fast a campaign goes.
type pace struct {
	At        time.Time `json:"at"`
	PerSecond float64   `json:"per_second"` // attempts, over the last seconds
}

// beatEvery is the pause between two heartbeats; one older than beatStale says
// that nobody does the work.
const (
	beatEvery = 2 * time.Second
	beatStale = 10 * time.Second
)

// beat writes heartbeats and paces until ctx ends.
func (s *service) beat(ctx context.Context) {
	meter := map[int64]reading{}
	s.h.beat(ctx, s.roles, func() heartbeat {
		if slices.Contains(s.roles, dispatch.RoleDispatch) {
			s.measure(ctx, meter)
		}
		return heartbeat{At: s.h.real.Now(), Missing: s.worker.Missing()}
	})
}

// beat writes heartbeats of roles until ctx ends. It is news for people: a write that
// fails is tried again with the next one. The last one is taken back: whoever looks
// right after the end is not told that somebody does the work.
func (h *house) beat(ctx context.Context, roles []dispatch.Role, say func() heartbeat) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	var before, last string // the end of ctx may have kept the last from being written
	for ctx.Err() == nil {
		if data, err := json.Marshal(say()); err == nil {
			before, last = last, string(data)
		}
		for _, r := range roles {
			_, _ = h.ledger.SetMeta(ctx, metaService+string(r), last, false)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatEvery)
	defer cancel()
	for _, r := range roles {
		// Another process may play the role too, and have said so since.
		if is, err := h.ledger.Meta(end, metaService+string(r)); err == nil && (is == last || is == before) {
			_, _ = h.ledger.SetMeta(end, metaService+string(r), "", false)
		}
	}
}

type reading struct {
	at       time.Time
	attempts int64
}

func (s *service) measure(ctx context.Context, meter map[int64]reading) {
	campaigns, err := s.h.ledger.AllCampaigns(ctx)
	if err != nil {
		return
	}
	for _, c := range campaigns {
		if c.State != pipeline.Running {
			delete(meter, c.ID)
			continue
		}
		n, err := s.h.ledger.Counters(ctx, c.ID)
		if err != nil {
			return
		}
		now := reading{s.h.real.Now(), n.Attempts}
		if was, ok := meter[c.ID]; ok {
			s.post(ctx, fmt.Sprint(metaPace, c.ID), pace{now.at, float64(now.attempts-was.attempts) / now.at.Sub(was.at).Seconds()})
		}
		meter[c.ID] = now
	}
}

func (s *service) post(ctx context.Context, key string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		return
	}
	_, _ = s.h.ledger.SetMeta(ctx, key, string(data), false)
}

// news reads what a service posted; zero if there is nothing.
func news[T any](ctx context.Context, h *house, key string) (v T, err error) {
	text, err := h.ledger.Meta(ctx, key)
	if err != nil || text == "" {
		return v, err
	}
	return v, json.Unmarshal([]byte(text), &v)
}

// signals returns the contexts of a service: the first SIGTERM or interrupt ends
// drain, the second kill.
func (a *app) signals(ctx context.Context) (drain, kill context.Context, release func()) {
	kill, hard := context.WithCancel(ctx)
	drain, soft := context.WithCancel(kill)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, syscall.SIGTERM, os.Interrupt)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-ch:
			}
			if n == 0 {
				a.say("stopping: what is on the wire is finished, nothing new is begun; once more stops at once")
				soft()
			} else {
				a.say("stopping at once: what is on the wire will be in doubt")
				hard()
			}
		}
	}()
	return drain, kill, func() {
		signal.Stop(ch)
		close(done)
		soft()
		hard()
	}
}
