package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// courier carries the notices of tasks to the relay. A task occupies one
// connection; see trip for what happens on it.
type courier struct {
	s     *Service
	lease *lease
	pool  *pool
	slots *slots
	drain context.Context // its end: claim nothing more

	mu     sync.Mutex
	unsent map[int64]unsent
	inHand map[int64]struct{}
}

// unsent counts how often a relay that takes other messages took nothing of this
// one.
type unsent struct {
	times  int
	others int64 // messages taken by then
}

// unsentMost is after how many times a message that the relay hangs up on is held
// for a person. Without it one such message would go round for ever.
const unsentMost = 5

func newCourier(s *Service, drain context.Context) *courier {
	return &courier{s: s, lease: s.newLease(leaseCourier+s.Owner, s.Times.CourierTTL), pool: &pool{s: s}, slots: newSlots(), drain: drain, unsent: map[int64]unsent{}, inHand: map[int64]struct{}{}}
}

// serve takes as many tasks at once as the running campaigns have connections: a
// task that waits for one would only be held by us if we died. When somebody
// changes the number, a new server begins and the old one ends with its tasks.
func (c *courier) serve(drain, kill context.Context) error {
	var servers sync.WaitGroup
	failed := make(chan error, 1)
	now := 0
	stop := func() {}
	for drain.Err() == nil && len(failed) == 0 {
		if n := c.concurrency(); n != now && n > 0 {
			stop()
			var some context.Context
			some, stop = context.WithCancel(drain)
			now = n
			servers.Go(func() {
				if err := c.s.Queue.Serve(some, kill, kindEmail, n, c.handle); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			})
		}
		select {
		case <-drain.Done():
		case <-time.After(c.s.Times.Control):
		}
	}
	stop()
	servers.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// concurrency is how many tasks may run; 0 before the ledger has told.
func (c *courier) concurrency() (n int) {
	v := c.s.control.current()
	if v == nil {
		return 0
	}
	for _, k := range v.campaigns {
		if k.State != pipeline.Withdrawn { // a paused one may be resumed any time
			n += k.connections()
		}
	}
	return min(max(n, 1), c.s.Connections)
}

// handle is the queue's handler for e-mail. It ends when every ticket is either
// recorded or back in Due; what it cannot give back because the ledger is away,
// the reconciler finds.
func (c *courier) handle(ctx context.Context, t pipeline.Task) {
	defer c.s.flights.landed(t.ID)
	id, tickets, err := readEmailTask(t)
	if err != nil {
		c.s.Log.Error("a task cannot be read", "task", t.ID)
		return
	}
	if !c.admit(ctx, id, t.Lane) {
		c.s.requeue(ctx, tickets)
		return
	}
	defer c.slots.free(id)
	jobs, err := c.s.Ledger.Load(ctx, tickets)
	if c.s.reached(ctx, "ledger", err) != nil {
		c.s.requeue(ctx, tickets)
		return
	}
	if len(jobs) == 0 {
		return // late, or a copy
	}
	k := c.s.control.campaign(id)
	conn := c.connect(ctx, k)
	if conn == nil {
		c.s.requeue(ctx, tickets)
		return
	}
	r := &round{c: c, campaign: id, conn: conn}
	left := r.run(ctx, jobs)
	if r.conn != nil {
		c.pool.put(r.conn)
	}
	c.s.requeue(ctx, left)
}

// admit waits for one of the campaign's connections and our lease. It reports
// false when the work has to stop.
func (c *courier) admit(ctx context.Context, id int64, lane pipeline.Lane) bool {
	const look = 50 * time.Millisecond
	for c.drain.Err() == nil && ctx.Err() == nil {
		var freed <-chan struct{}
		if c.s.control.current() != nil && c.lease.held() { // else the ledger is away: wait
			k := c.s.control.campaign(id)
			if k.maySend(pipeline.Notice{Lane: lane}, 0, c.s.Clock.Now(), c.s.Real.Now()) != "" {
				return false
			}
			var ok bool
			if ok, freed = c.slots.try(id, k.connections()); ok {
				return true
			}
		}
		select {
		case <-freed:
		case <-time.After(look):
		case <-c.drain.Done():
		case <-ctx.Done():
		}
	}
	return false
}

// connect returns a connection, or nil after telling the breaker.
func (c *courier) connect(ctx context.Context, k *campaign) Conn {
	if c.s.Relay == nil || k == nil {
		return nil
	}
	conn, err := c.pool.take(ctx)
	if ctx.Err() != nil {
		if err == nil {
			c.pool.drop(conn)
		}
		return nil
	}
	c.s.reachedRelay(err)
	c.s.trip(ctx, k, c.s.guard(k.ID).dialled(err))
	if err != nil {
		c.s.Log.Debug("the relay cannot be reached", "campaign", k.ID, "code", pipeline.ErrorCode(err))
		return nil
	}
	return conn
}

// grasp claims a notice within the process, and reports false while another
// connection has it: the queue may hand out copies of a task, and in the ledger two
// claims of one process look the same when the answer to a commit was lost.
func (c *courier) grasp(notice int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.inHand[notice]; taken {
		return false
	}
	c.inHand[notice] = struct{}{}
	return true
}

// loose ends the claim.
func (c *courier) loose(notice int64) {
	c.mu.Lock()
	delete(c.inHand, notice)
	c.mu.Unlock()
}

// hangsUp counts that the relay took nothing of a message, and reports whether it
// did so often enough, while it took others, to blame the message.
func (c *courier) hangsUp(notice int64) bool {
	taken := c.s.taken.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.unsent[notice]
	if u.times > 0 && taken == u.others {
		return false // it takes nothing from anybody
	}
	u.times, u.others = u.times+1, taken
	if u.times >= unsentMost {
		delete(c.unsent, notice)
		return true
	}
	c.unsent[notice] = u
	return false
}

// forget ends the count of a notice.
func (c *courier) forget(notice int64) {
	c.mu.Lock()
	delete(c.unsent, notice)
	c.mu.Unlock()
}
