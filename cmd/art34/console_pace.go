package main

import (
	"slices"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// meters remember what was counted a moment ago, so that the pages can say how fast
// each channel and each provider goes. They are fed by whoever looks.
type meters struct {
	mu sync.Mutex
	by map[int64][]gauge
}

// gauge is what had been done at a moment.
type gauge struct {
	at   time.Time
	done map[string]int64
}

const (
	// meterSpan is the time over which a pace is taken, meterFresh how old the older
	// reading may be, meterStep how close two are kept.
	meterSpan  = 30 * time.Second
	meterFresh = 2 * time.Minute
	meterStep  = time.Second
)

// take adds a reading and returns what was done a second since the oldest one that
// is recent enough; nil without one.
func (m *meters) take(campaign int64, now time.Time, done map[string]int64) map[string]float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[int64][]gauge{}
	}
	list := slices.DeleteFunc(m.by[campaign], func(r gauge) bool { return now.Sub(r.at) > meterFresh || r.at.After(now) })
	for len(list) > 2 && now.Sub(list[1].at) >= meterSpan {
		list = list[1:]
	}
	if n := len(list); n == 0 || now.Sub(list[n-1].at) >= meterStep {
		list = append(list, gauge{now, done})
	}
	m.by[campaign] = list
	took := now.Sub(list[0].at).Seconds()
	if took < meterStep.Seconds() {
		return nil
	}
	rates := map[string]float64{}
	for key, n := range done {
		rates[key] = max(0, float64(n-list[0].done[key])/took)
	}
	return rates
}

// paces say how each channel and each provider goes on. moving are the e-mails that are
// queued or being sent, by provider: they are to go, too.
func (m *meters) paces(c pipeline.Campaign, f console.Figures, moving map[string]int64, now time.Time) map[string]console.Pace {
	all := map[string]console.Pace{}
	for _, ch := range []pipeline.Channel{pipeline.Email, pipeline.Post} {
		var p console.Pace
		for s, n := range f.Balance.Channels[ch] {
			switch s {
			case pipeline.Due, pipeline.Queued, pipeline.Sending:
				p.Left += n
			case pipeline.Held, pipeline.Excluded, pipeline.Cancelled, pipeline.Unreachable:
			default:
				p.Done += n
			}
		}
		if ch == pipeline.Email {
			p.Limit = c.Email.Rate
		}
		all[string(ch)] = p
	}
	const scope = "provider:"
	for _, d := range f.Due {
		if d.Channel == pipeline.Email {
			p := all[scope+d.Provider]
			p.Left += d.Count
			all[scope+d.Provider] = p
		}
	}
	for provider, n := range moving {
		p := all[scope+provider]
		p.Left += n
		all[scope+provider] = p
	}
	for _, a := range f.Answers {
		if len(a.Scope) > len(scope) && a.Scope[:len(scope)] == scope {
			p := all[a.Scope]
			p.Done = a.Sent()
			all[a.Scope] = p
		}
	}
	limits := c.Email.Providers.InForce()
	done := map[string]int64{}
	for key, p := range all {
		done[key] = p.Done
	}
	rates := m.take(c.ID, now, done)
	for key, p := range all {
		p.PerSecond = rates[key]
		if len(key) > len(scope) {
			if l, ok := limits[key[len(scope):]]; ok {
				p.Limit = l.Rate
			}
		}
		if p.Left > 0 && p.PerSecond > 0 && c.State == pipeline.Running {
			p.End = now.Add(time.Duration(float64(p.Left) / p.PerSecond * float64(time.Second)))
		}
		all[key] = p
	}
	return all
}
