package dispatch

import (
	"maps"
	"math"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/art34/art34/pipeline"
)

// pacer holds the token buckets of a campaign: one for all e-mail and one a
// mailbox provider. It is used by the leading dispatcher only, and with times of
// the real clock.
type pacer struct {
	all       *rate.Limiter // nil: no limit
	providers map[string]*rate.Limiter
	limits    map[string]pipeline.ProviderLimit
}

// burst is how much of a second's rate may go at once; it must cover a few ticks.
const burst = 0.5

// set takes over the limits in force, which may change at any time.
func (p *pacer) set(k *campaign, real time.Time) {
	p.all = limiter(p.all, k.Email.Rate, real)
	p.limits = k.Email.Providers.InForce()
	if p.providers == nil {
		p.providers = map[string]*rate.Limiter{}
	}
	for name := range p.providers {
		if _, ok := p.limits[name]; !ok {
			delete(p.providers, name)
		}
	}
	for name, l := range p.limits {
		if b := limiter(p.providers[name], ramp(l, real.Sub(k.LaunchAt)), real); b != nil {
			p.providers[name] = b
		} else {
			delete(p.providers, name)
		}
	}
}

// limiter returns l at a new rate; nil for rate 0, which is no limit.
func limiter(l *rate.Limiter, perSecond float64, now time.Time) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	size := max(1, int(math.Ceil(perSecond*burst)))
	if l == nil {
		return rate.NewLimiter(rate.Limit(perSecond), size)
	}
	if l.Limit() != rate.Limit(perSecond) {
		l.SetLimitAt(now, rate.Limit(perSecond))
		l.SetBurstAt(now, size)
	}
	return l
}

// ramp is the rate of a provider some time after the start: a sender that is new
// to it begins slowly.
func ramp(l pipeline.ProviderLimit, since time.Duration) float64 {
	over := time.Duration(l.RampOver)
	if l.Rate <= 0 || over <= 0 || l.RampFrom <= 0 || l.RampFrom >= l.Rate || since >= over {
		return l.Rate
	}
	// In steps of a hundredth, so that the bucket is not set anew at every tick.
	done := math.Floor(100*float64(max(since, 0))/float64(over)) / 100
	return l.RampFrom + (l.Rate-l.RampFrom)*done
}

// unlimited stands for no limit.
const unlimited = math.MaxInt32

// room is how many notices may go now, to a provider or, with "", to all
// together.
func (p *pacer) room(provider string, now time.Time) int {
	l := p.all
	if provider != "" {
		l = p.providers[provider]
	}
	if l == nil {
		return unlimited
	}
	return max(0, int(l.TokensAt(now)))
}

// spend takes the tokens of n notices.
func (p *pacer) spend(provider string, n int, now time.Time) {
	if p.all != nil {
		p.all.AllowN(now, n)
	}
	if l := p.providers[provider]; l != nil {
		l.AllowN(now, n)
	}
}

// split reports whether providers have to be taken one by one.
func (p *pacer) split(k *campaign) bool {
	return len(p.limits) > 0 || slices.ContainsFunc(k.breakers, func(b pipeline.Breaker) bool { return b.Scope != scopeRelay })
}

// mailboxProviders lists everything that Notice.Provider can be.
func mailboxProviders(limits map[string]pipeline.ProviderLimit) []string {
	all := pipeline.DefaultProviderLimits()
	maps.Copy(all, limits)
	return slices.Sorted(maps.Keys(all))
}
