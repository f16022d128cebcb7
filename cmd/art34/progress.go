package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// progress shows how far long work is: a bar that is redrawn on a terminal, a
// plain line every five seconds elsewhere.
type progress struct {
	a     *app
	label string
	total int64 // 0: unknown

	mu     sync.Mutex
	done   int64
	base   int64 // done before the first look
	start  time.Time
	last   time.Time
	drawn  bool
	silent bool
}

const barWidth = 30

func (a *app) progress(label string, total int64) *progress {
	now := a.real.Now()
	return &progress{a: a, label: label, total: total, start: now, last: now, silent: a.JSON && !a.terminal}
}

// Add counts n more as done.
func (p *progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	p.show(false)
}

// Set says how much is done, and of how much.
func (p *progress) Set(label string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if label != p.label || p.total == 0 {
		p.label, p.base, p.start = label, done, p.a.real.Now()
	}
	p.done, p.total = done, total
	p.show(false)
}

// End removes the bar.
func (p *progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.a.err, "\r\x1b[K")
		p.drawn = false
	}
}

func (p *progress) show(force bool) {
	every := 5 * time.Second
	if p.a.terminal {
		every = 100 * time.Millisecond
	}
	now := p.a.real.Now()
	if p.silent || !force && now.Sub(p.last) < every {
		return
	}
	p.last = now
	rate := float64(p.done-p.base) / max(now.Sub(p.start).Seconds(), 0.001)
	line := fmt.Sprintf("%s: %s", p.label, thousands(p.done))
	if p.total > 0 {
		line += " of " + thousands(p.total)
	}
	line += fmt.Sprintf(", %s/s", thousands(int64(rate)))
	if p.total > p.done && rate > 0 {
		line += ", " + roughly(time.Duration(float64(p.total-p.done)/rate*float64(time.Second))) + " left"
	}
	if !p.a.terminal {
		fmt.Fprintln(p.a.err, line)
		return
	}
	if p.total > 0 {
		full := int(min(p.done, p.total) * barWidth / p.total)
		line = "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + line
	}
	fmt.Fprint(p.a.err, "\r\x1b[K"+line)
	p.drawn = true
}

// roughly writes a duration as people say it: "40 s", "12 min", "3 h 20 min", "2 days".
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return "1 s"
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", int(d.Round(time.Second)/time.Second))
	case d < 100*time.Minute:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
	}
	return fmt.Sprintf("%d days", int(d.Round(24*time.Hour)/(24*time.Hour)))
}
