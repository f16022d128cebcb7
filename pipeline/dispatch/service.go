package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/art34/art34/pipeline"
)

// Role is a part of the service that a process may play.
type Role string

const (
	RoleDispatch Role = "dispatch" // dispatcher and reconciler
	RoleCourier  Role = "courier"  // carries e-mail to the relay
	RolePrint    Role = "print"    // cuts and draws print runs
)

// Service runs the roles of one process.
type Service struct {
	Config

	start   time.Time // by the real clock, for monotonic time
	control *control
	flights *flights
	room    *printRoom
	taken   atomic.Int64 // messages that the relay took or refused one by one

	mu      sync.Mutex
	roles   []Role
	guards  map[int64]*guard
	missing map[string]bool
	said    map[string]bool          // the log's last word on a service is that it is away
	told    map[string]time.Duration // when that was last said
	relay   time.Duration            // when the relay was last found away, after it had answered
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	for name, missing := range map[string]bool{
		"Ledger": c.Ledger == nil, "Queue": c.Queue == nil, "Specs": c.Specs == nil, "Clock": c.Clock == nil, "Real": c.Real == nil, "Owner": c.Owner == "",
	} {
		if missing {
			return nil, errors.New("dispatch: Config." + name + " is missing")
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Connections <= 0 {
		c.Connections = mostConnections
	}
	c.Times = c.Times.withDefaults()
	s := &Service{Config: c, start: c.Real.Now(), guards: map[int64]*guard{}, missing: map[string]bool{}, said: map[string]bool{}, told: map[string]time.Duration{}, flights: newFlights()}
	s.control = &control{s: s, complained: map[string]bool{}}
	s.room = newPrintRoom(s)
	return s, nil
}

// Run plays the roles until drain ends: then nothing new is begun, what is at the
// relay is finished and the rest returns to Due. The end of kill stops hard: what
// is at the relay is left to become InDoubt. Run returns nil after either. A
// ledger or queue that is away stops the work until it is back, and no longer.
func (s *Service) Run(drain, kill context.Context, roles ...Role) error {
	if slices.Contains(roles, RoleCourier) && s.Composer == nil || slices.Contains(roles, RolePrint) && s.Press == nil {
		return errors.New("dispatch: a role lacks its Composer or Press")
	}
	s.mu.Lock()
	s.roles = roles
	s.mu.Unlock()
	// Leases and the picture of the campaigns are kept until the last handler has
	// ended; workers ends then.
	workers, stop := context.WithCancel(kill)
	drain, halt := context.WithCancel(drain) // also when a part fails to start
	defer halt()
	var beneath, work sync.WaitGroup
	var failed error
	var once sync.Once
	fail := func(err error) {
		if err != nil {
			once.Do(func() { failed = err; halt() })
		}
	}
	beneath.Go(func() { s.every(workers, s.Times.Control, nil, s.watch) })
	var d *dispatcher
	if slices.Contains(roles, RoleDispatch) {
		d = newDispatcher(s)
		r := &reconciler{s: s, lead: d.lead}
		beneath.Go(func() { d.lead.keep(workers) })
		work.Go(func() { d.run(drain) })
		work.Go(func() { r.run(drain) })
		work.Go(func() { newGovernor(s, d.lead).run(drain) })
	}
	if slices.Contains(roles, RoleCourier) {
		c := newCourier(s, drain)
		beneath.Go(func() { c.lease.keep(workers) })
		beneath.Go(func() {
			s.every(workers, restMost/4, nil, func(context.Context) { c.pool.tire(restMost) })
			c.pool.tire(0)
		})
		work.Go(func() { fail(c.serve(drain, kill)) })
	}
	if slices.Contains(roles, RolePrint) {
		beneath.Go(func() { s.room.lead.keep(workers) })
		work.Go(func() { s.room.run(drain) })
		work.Go(func() { fail(s.Queue.Serve(drain, kill, kindPrint, 1, s.room.handle)) })
	}
	work.Wait()
	if d != nil && kill.Err() == nil {
		d.giveBack(kill)
	}
	stop()
	beneath.Wait()
	return failed
}

// watch looks at the campaigns and tells the guards what people released.
func (s *Service) watch(ctx context.Context) {
	s.control.look(ctx)
	if v := s.control.current(); v != nil {
		for _, k := range v.campaigns {
			if k.State == pipeline.Running {
				s.guard(k.ID).seen(k)
			}
		}
	}
}

// every calls f at once, then in intervals and whenever wake tells, until ctx
// ends.
func (s *Service) every(ctx context.Context, interval time.Duration, wake <-chan struct{}, f func(context.Context)) {
	t := time.NewTicker(interval)
	defer t.Stop()
	for ctx.Err() == nil {
		f(ctx)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-wake:
		}
	}
}

// elapsed is the time since New, by the real clock and monotonic.
func (s *Service) elapsed() time.Duration { return s.Real.Now().Sub(s.start) }

// plays reports whether this process plays a role.
func (s *Service) plays(r Role) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.roles, r)
}

// quiet is the least time between two lines of the log about a service that is
// away.
const quiet = 10 * time.Second

// reached notes whether a service answered, and returns err. An error that is
// nobody's absence is logged: the loop that met it goes on with the next round.
//
// A full disk can be read and not written to: what comes and goes all the time is
// told now and then.
func (s *Service) reached(ctx context.Context, name string, err error) error {
	if err != nil && ctx.Err() != nil {
		return err
	}
	s.mu.Lock()
	s.missing[name] = away(err)
	last, ever := s.told[name]
	tell := away(err) && !s.said[name] && (!ever || s.elapsed()-last >= quiet)
	back := err == nil && s.said[name]
	if tell {
		s.told[name] = s.elapsed()
	}
	if tell || back {
		s.said[name] = tell
	}
	s.mu.Unlock()
	switch {
	case tell:
		s.Log.Warn("away; the work waits", "service", name, "error", err)
	case back:
		s.Log.Info("back", "service", name)
	case err != nil && !away(err) && !conflict(err) && pipeline.ErrorCode(err) == "":
		s.Log.Error("unexpected", "service", name, "error", err)
	}
	return err
}

// reachedRelay notes whether the relay could be connected to.
func (s *Service) reachedRelay(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && !s.missing["relay"] {
		s.relay = s.elapsed()
	}
	s.missing["relay"] = err != nil
}

// Missing lists what this process cannot reach now: "ledger", "queue", "relay".
func (s *Service) Missing() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := maps.Clone(s.missing)
	maps.DeleteFunc(m, func(_ string, missing bool) bool { return !missing })
	return slices.Sorted(maps.Keys(m))
}
