package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/art34/art34/pipeline"
)

// control looks at the campaigns and their breakers a few times a second and
// shows everybody in the process the same picture: what people decide in another
// process takes effect here within a second.
type control struct {
	s    *Service
	seen atomic.Pointer[view]

	mu         sync.Mutex
	local      []override      // opened or closed here, and not yet read back
	complained map[string]bool // campaign/version that was reported as unreadable
}

// view is what the ledger said at a time.
type view struct {
	at        time.Duration // when it was asked, since s.start
	campaigns []*campaign   // running, paused and withdrawn ones, oldest first
}

// campaign is a campaign as this process sees it. It is not changed
// after it was published.
type campaign struct {
	pipeline.Campaign
	spec     *pipeline.Spec
	policy   pipeline.Policy
	hours    pipeline.Hours
	from     time.Time
	until    time.Time
	breakers []pipeline.Breaker
}

// override is a breaker that this process has just changed.
type override struct {
	at      time.Duration
	breaker pipeline.Breaker
	closed  bool
}

// maxAge is how old a view may be: with an older one nothing is sent, because
// nobody knows whether somebody said stop.
const maxAge = 900 * time.Millisecond

// current returns the view, or nil if the ledger has not answered lately.
func (c *control) current() *view {
	v := c.seen.Load()
	if v == nil || c.s.elapsed()-v.at > max(maxAge, 4*c.s.Times.Control) {
		return nil
	}
	return v
}

// campaign returns a campaign of the current view, or nil.
func (c *control) campaign(id int64) *campaign { return c.current().campaign(id) }

func (v *view) campaign(id int64) *campaign {
	if v == nil {
		return nil
	}
	for _, k := range v.campaigns {
		if k.ID == id {
			return k
		}
	}
	return nil
}

// look reads the ledger once and publishes what it says.
func (c *control) look(ctx context.Context) {
	v, err := c.read(ctx)
	c.s.reached(ctx, "ledger", err)
	if err == nil {
		c.publish(v)
	}
}

func (c *control) read(ctx context.Context) (*view, error) {
	v := &view{at: c.s.elapsed()}
	all, err := c.s.Ledger.AllCampaigns(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		switch k.State {
		case pipeline.Running, pipeline.Paused, pipeline.Withdrawn:
		default:
			continue
		}
		p, err := c.prepare(ctx, k)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, pipeline.ErrAway) {
				return nil, err
			}
			// One campaign whose version cannot be read must not stop the others.
			if key := fmt.Sprint(k.ID, "/", k.Version); !c.complained[key] {
				c.complained[key] = true
				c.s.Log.Error("the campaign cannot be dispatched", "campaign", k.ID, "version", k.Version, "code", pipeline.ErrorCode(err), "error", err)
			}
			continue
		}
		v.campaigns = append(v.campaigns, p)
	}
	return v, nil
}

func (c *control) prepare(ctx context.Context, k pipeline.Campaign) (*campaign, error) {
	p := &campaign{Campaign: k, spec: &pipeline.Spec{}, policy: pipeline.DefaultPolicy()}
	if k.State == pipeline.Withdrawn && k.Version == 0 {
		return p, nil // never approved: there is only to cancel
	}
	var err error
	if k.State == pipeline.Running {
		if p.breakers, err = c.s.Ledger.Breakers(ctx, k.ID); err != nil {
			return nil, err
		}
	}
	if p.spec, err = c.s.Specs.Spec(ctx, k); err != nil {
		return nil, err
	}
	p.policy = p.spec.Policy()
	if p.hours, err = pipeline.ParseHours(k.Email.Hours); err != nil {
		return nil, err
	}
	if p.from, err = p.spec.Schedule.From(); err != nil {
		return nil, err
	}
	p.until, err = p.spec.Schedule.Until()
	return p, err
}

// publish shows a view, corrected by what this process did since it was asked
// for.
func (c *control) publish(v *view) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.local = slices.DeleteFunc(c.local, func(o override) bool { return o.at < v.at })
	for _, o := range c.local {
		v.apply(o)
	}
	c.seen.Store(v)
}

// note shows a breaker of ours at once, before the ledger is asked again.
func (c *control) note(b pipeline.Breaker, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := override{at: c.s.elapsed(), breaker: b, closed: closed}
	c.local = append(c.local, o)
	if old := c.seen.Load(); old != nil {
		v := &view{at: old.at, campaigns: slices.Clone(old.campaigns)}
		v.apply(o)
		c.seen.Store(v)
	}
}

// apply replaces the campaign of an override by a corrected copy.
func (v *view) apply(o override) {
	for i, k := range v.campaigns {
		if k.ID != o.breaker.Campaign {
			continue
		}
		n := *k
		n.breakers = slices.DeleteFunc(slices.Clone(k.breakers), func(b pipeline.Breaker) bool { return b.Scope == o.breaker.Scope })
		if !o.closed {
			n.breakers = append(n.breakers, o.breaker)
		}
		v.campaigns[i] = &n
	}
}

// breaker returns the open breaker of a scope, or nil.
func (k *campaign) breaker(scope string) *pipeline.Breaker {
	for i := range k.breakers {
		if k.breakers[i].Scope == scope {
			return &k.breakers[i]
		}
	}
	return nil
}

// connections is how many connections the campaign may use in one process.
func (k *campaign) connections() int {
	if k.Email.Connections > 0 {
		return k.Email.Connections
	}
	return defaultConnections
}

// window is how many notices a connection may have in Sending.
func (k *campaign) window() int {
	if k.Email.Window > 0 {
		return k.Email.Window
	}
	return defaultWindow
}

// Defaults of campaign.yaml.
const (
	defaultConnections = 8
	mostConnections    = 256
	defaultWindow      = 8
	defaultRunSize     = 1000
	defaultRefusals    = 5
	defaultDoubtShare  = 0.05
)
