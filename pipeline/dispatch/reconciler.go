package dispatch

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// reconciler puts right what somebody left behind, and lets the clock decide what
// it has to: notices of couriers that died, doubts, windows that closed, tasks that
// were lost, campaigns that were cancelled. It runs beside the leading dispatcher;
// every step is a compare-and-set, so that two of them would do no harm.
type reconciler struct {
	s    *Service
	lead *lease
	// stale is when queued notices were last looked for; that needs no hurry, unless
	// a courier has died: what it had not claimed yet is queued for nobody.
	stale time.Duration
	hurry bool
}

const staleEvery = 5 * time.Second

func (r *reconciler) run(ctx context.Context) { r.s.every(ctx, r.s.Times.Reconcile, nil, r.tick) }

func (r *reconciler) tick(ctx context.Context) {
	v := r.s.control.current()
	if !r.lead.held() || v == nil {
		return
	}
	err := r.orphans(ctx, v)
	for _, k := range v.campaigns {
		if err == nil {
			err = r.campaign(ctx, k)
		}
	}
	if err == nil && (r.hurry || r.s.elapsed()-r.stale >= min(staleEvery, r.s.Times.StaleQueued)) {
		r.stale = r.s.elapsed()
		err = r.lost(ctx)
	}
	r.s.reached(ctx, "ledger", err)
}

// orphans puts what dead couriers had in their hands in doubt: the dot may have
// been sent.
func (r *reconciler) orphans(ctx context.Context, v *view) error {
	for {
		list, err := r.s.Ledger.Orphans(ctx, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		n, err := r.s.hand().move(ctx, list, func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
			p := pipeline.DefaultPolicy()
			if k := v.campaign(n.Campaign); k != nil {
				p = k.policy
			}
			return p, pipeline.Event{Attempt: n.Attempt, Kind: pipeline.EvDoubted, Actor: actorReconciler, Code: "courier-died"}
		})
		if n > 0 {
			r.hurry = true
			r.s.Log.Warn("a courier died; what it had in hand is in doubt", "notices", n)
		}
		if err != nil || len(list) < batch || n == 0 {
			return err
		}
	}
}

func (r *reconciler) campaign(ctx context.Context, k *campaign) error {
	if k.State == pipeline.Withdrawn {
		if err := r.sweep(ctx, k); err != nil {
			return err
		}
	}
	resolve := pipeline.Event{Kind: pipeline.EvResolved, Actor: actorReconciler, Code: string(k.policy.InDoubt)}
	if err := r.expired(ctx, k, pipeline.InDoubt, resolve); err != nil {
		return err
	}
	closed := pipeline.Event{Kind: pipeline.EvConfirmed, Actor: actorClock, Code: "window-closed"}
	// Silence proves nothing until the way back is proven to work. A letter that
	// comes back is handed in by a person, so there is nothing to prove for paper.
	if r.s.WayBack != nil && r.s.WayBack(k.Campaign, pipeline.Email) {
		if err := r.expired(ctx, k, pipeline.Accepted, closed); err != nil {
			return err
		}
	}
	if r.s.WayBack == nil || r.s.WayBack(k.Campaign, pipeline.Post) {
		return r.expired(ctx, k, pipeline.Posted, closed)
	}
	return nil
}

// expired applies an event to all notices of a state whose time has come.
func (r *reconciler) expired(ctx context.Context, k *campaign, state pipeline.State, e pipeline.Event) error {
	for ctx.Err() == nil {
		list, err := r.s.Ledger.Expired(ctx, k.ID, state, r.s.Clock.Now(), batch)
		if err != nil || len(list) == 0 {
			return err
		}
		n, err := r.s.hand().move(ctx, list, func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
			e := e
			e.Attempt = n.Attempt
			return k.policy, e
		})
		if err != nil || len(list) < batch || n == 0 {
			return err
		}
	}
	return ctx.Err()
}

// sweep cancels what came back to Due after the campaign was cancelled: a doubt
// that was resolved, a resend that was planned.
func (r *reconciler) sweep(ctx context.Context, k *campaign) error {
	_, err := r.s.hand().cancelAll(ctx, k.ID, "clock")
	return err
}

// lost takes back notices that were queued long ago and that no task will come
// for: it was lost with a failover, or its courier died between taking the task
// and claiming the notice. While tasks wait in the queue that is the reason, and
// they will come.
func (r *reconciler) lost(ctx context.Context) error {
	n, err := r.s.Queue.Backlog(ctx, kindEmail)
	if r.s.reached(ctx, "queue", err) != nil || n > 0 {
		return nil
	}
	age := r.s.Times.StaleQueued
	if r.hurry {
		age = r.s.Times.CourierTTL
		r.hurry = false
	}
	for ctx.Err() == nil {
		tickets, err := r.s.Ledger.StaleQueued(ctx, r.s.Real.Now().Add(-age), batch)
		if err != nil || len(tickets) == 0 {
			return err
		}
		n, err := r.s.Ledger.Requeue(ctx, tickets, r.s.Real.Now())
		if n > 0 {
			r.s.Log.Info("queued notices that nobody came for are due again", "notices", n)
		}
		if err != nil || n == 0 || len(tickets) < batch {
			return err
		}
	}
	return ctx.Err()
}
