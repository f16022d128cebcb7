package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// dispatcher takes what is due, at the pace that is allowed, and keeps a shallow
// window of it outstanding in the queue. One process leads.
type dispatcher struct {
	s       *Service
	lead    *lease
	flights *flights

	// Of the leader's own loop:
	pacers   map[int64]*pacer
	empty    map[vein]time.Duration // where nothing was due, and when
	canaries map[int64]canary
	strange  map[int64]strangers
	epoch    string // of the queue, in agreement with the ledger
	checked  time.Duration
	turn     int // whose provider's turn it is to be first
}

// vein is a place to take notices from.
type vein struct {
	campaign int64
	lane     pipeline.Lane
	provider string
}

const (
	metaEpoch  = "queue-epoch"
	epochCheck = 500 * time.Millisecond
	emptyPause = 250 * time.Millisecond // before looking again where nothing was due
	// The window: what couriers are busy with, and some more to go on with while the
	// dispatcher refills.
	windowMore  = 800
	windowMost  = 4000
	windowLeast = 200
	// takeMost is how many notices one transaction takes: the desk waits for it.
	takeMost = 200
)

func newDispatcher(s *Service) *dispatcher {
	return &dispatcher{
		s: s, lead: s.newLease(leaseDispatcher, s.Times.LeadTTL), flights: s.flights,
		pacers: map[int64]*pacer{}, empty: map[vein]time.Duration{}, canaries: map[int64]canary{}, strange: map[int64]strangers{},
	}
}

// run dispatches until ctx ends. What was given to the queue and not claimed by
// then is taken back by giveBack, after the couriers have stopped.
func (d *dispatcher) run(ctx context.Context) {
	d.s.every(ctx, d.s.Times.Tick, d.flights.wake, d.tick)
}

// giveBack returns to Due what nobody has claimed: an embedded queue dies with the
// process, and with another one its couriers find their tasks stale.
func (d *dispatcher) giveBack(ctx context.Context) {
	d.s.requeue(ctx, d.flights.clear())
}

func (d *dispatcher) tick(ctx context.Context) {
	if !d.lead.held() {
		d.flights.clear() // whoever leads now counts for itself
		d.epoch = ""
		return
	}
	v := d.s.control.current()
	if v == nil || !d.sound(ctx) {
		return
	}
	if err := d.flights.ask(ctx, d.s.Queue, d.s.elapsed()); d.s.reached(ctx, "queue", err) != nil {
		return
	}
	d.turn++
	for _, k := range v.campaigns {
		if k.State == pipeline.Running && k.launched(d.s.Clock.Now()) {
			if err := d.campaign(ctx, k); err != nil {
				return // the ledger or the queue is away
			}
		}
	}
}

// sound compares the epoch of the queue with the ledger's. Another one means that
// the tasks are gone: what they were for is due again.
func (d *dispatcher) sound(ctx context.Context) bool {
	if d.epoch != "" && d.s.elapsed()-d.checked < epochCheck {
		return true
	}
	value, _, err := d.s.Queue.Epoch(ctx)
	if d.s.reached(ctx, "queue", err) != nil {
		return false
	}
	if value != d.epoch {
		known, err := d.s.Ledger.Meta(ctx, metaEpoch)
		if err == nil && known != value {
			var n int64
			if n, err = d.s.Ledger.RequeueAll(ctx, d.s.Real.Now()); err == nil {
				d.flights.clear()
				clear(d.empty)
				// After the requeue: who dies in between does it once more.
				_, err = d.s.Ledger.SetMeta(ctx, metaEpoch, value, false)
				if known != "" {
					d.s.Log.Info("the queue is new; what was in it is due again", "notices", n)
				}
			}
		}
		if d.s.reached(ctx, "ledger", err) != nil {
			return false
		}
		d.epoch = value
	}
	d.checked = d.s.elapsed()
	return true
}

// campaign fills the window of one campaign.
func (d *dispatcher) campaign(ctx context.Context, k *campaign) error {
	if d.s.Relay == nil && d.s.plays(RoleCourier) {
		return nil
	}
	now, real := d.s.Clock.Now(), d.s.Real.Now()
	p := d.pacers[k.ID]
	if p == nil {
		p = &pacer{}
		d.pacers[k.ID] = p
	}
	p.set(k, real)
	out := d.flights.outstanding(k.ID)
	room := min(windowOf(k)-out, p.room("", real))
	if k.Canary > 0 {
		var err error
		if room, err = d.canary(ctx, k, room); err != nil {
			return err
		}
	}
	for _, lane := range pipeline.Lanes() {
		block, probe := k.mayTake(lane, now, real)
		if block != "" {
			continue
		}
		if probe {
			// One notice finds out whether the relay is back.
			room = min(room, 1)
			if out > 0 {
				return nil
			}
		}
		took, err := d.lane(ctx, k, p, lane, room)
		if err != nil {
			return err
		}
		room -= took
		out += took
	}
	return nil
}

// windowOf is how many notices of a campaign are outstanding at most.
func windowOf(k *campaign) int {
	return min(max(k.connections()*chunk+windowMore, windowLeast), windowMost)
}

// lane takes from one lane, from all providers at once where none is limited.
func (d *dispatcher) lane(ctx context.Context, k *campaign, p *pacer, lane pipeline.Lane, room int) (took int, err error) {
	if !p.split(k) {
		return d.take(ctx, k, p, vein{k.ID, lane, ""}, room, unlimited)
	}
	list, err := d.providers(ctx, k, p)
	if err != nil {
		return 0, err
	}
	for i := range list {
		name := list[(i+d.turn)%len(list)]
		if took >= room {
			break
		}
		if k.provider(name) != "" {
			continue
		}
		tasks := unlimited
		if c := p.limits[name].Connections; c > 0 {
			tasks = c - d.flights.tasks(k.ID, name)
		}
		n, err := d.take(ctx, k, p, vein{k.ID, lane, name}, min(room-took, p.room(name, d.s.Real.Now())), tasks)
		took += n
		if err != nil {
			return took, err
		}
	}
	return took, nil
}

// strangers are providers that the table does not know: an import of an older
// version of the program may have known them, and nobody is forgotten.
type strangers struct {
	at    time.Duration
	names []string
}

const strangersEvery = 10 * time.Second

// providers lists everybody whom notices of a campaign may be for.
func (d *dispatcher) providers(ctx context.Context, k *campaign, p *pacer) ([]string, error) {
	list := mailboxProviders(p.limits)
	x, ok := d.strange[k.ID]
	if !ok || d.s.elapsed()-x.at >= strangersEvery {
		counts, err := d.s.Ledger.CountDue(ctx, k.ID, d.s.Clock.Now(), 1)
		if d.s.reached(ctx, "ledger", err) != nil {
			return nil, err
		}
		x = strangers{at: d.s.elapsed()}
		for _, c := range counts {
			if c.Channel == pipeline.Email && c.Provider != "" && !slices.Contains(list, c.Provider) {
				x.names = append(x.names, c.Provider)
			}
		}
		d.strange[k.ID] = x
	}
	return append(list, x.names...), nil
}

// take moves up to room notices into the queue, in at most so many tasks.
func (d *dispatcher) take(ctx context.Context, k *campaign, p *pacer, from vein, room, tasks int) (int, error) {
	if tasks < unlimited/chunk {
		room = min(room, tasks*chunk)
	}
	if room <= 0 {
		return 0, nil
	}
	if at, ok := d.empty[from]; ok && d.s.elapsed()-at < emptyPause {
		return 0, nil
	}
	delete(d.empty, from)
	var tickets []pipeline.Ticket
	for more := true; more && len(tickets) < room; {
		limit := min(takeMost, room-len(tickets))
		some, err := d.s.Ledger.TakeDue(ctx, pipeline.Take{
			Campaign: k.ID, Lane: from.lane, Channel: pipeline.Email, Provider: from.provider,
			Limit: limit, Now: d.s.Clock.Now(), Moved: d.s.Real.Now(),
		})
		if d.s.reached(ctx, "ledger", err) != nil && len(tickets) == 0 {
			return 0, err
		}
		tickets, more = append(tickets, some...), err == nil && len(some) == limit
	}
	if len(tickets) < room {
		d.empty[from] = d.s.elapsed()
	}
	p.spend(from.provider, len(tickets), d.s.Real.Now())
	return len(tickets), d.enqueue(ctx, k, from, tickets, tasks)
}

// enqueue gives taken notices to the queue: a chunk to a task, or less where there
// is not enough to keep all connections busy. Those that it does not take are due
// again.
func (d *dispatcher) enqueue(ctx context.Context, k *campaign, from vein, tickets []pipeline.Ticket, tasks int) error {
	busy := min(k.connections(), tasks)
	size := min(chunk, max(1, (d.flights.outstanding(k.ID)+len(tickets)+busy-1)/busy))
	for len(tickets) > 0 {
		n := min(size, len(tickets))
		t := newEmailTask(k.ID, from.lane, tickets[:n])
		d.flights.add(flight{task: t, campaign: k.ID, provider: from.provider, tickets: tickets[:n:n], since: d.s.elapsed()})
		if err := d.s.Queue.Enqueue(ctx, t); err != nil {
			// It may have been added all the same; then its tickets are stale.
			d.flights.landed(t.ID)
			d.s.requeue(ctx, tickets)
			return d.s.reached(ctx, "queue", err)
		}
		tickets = tickets[n:]
	}
	return nil
}
