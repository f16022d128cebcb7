package console

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/art34/art34/pipeline/kit/clock"
)

// throttle limits how often something is done, per key: an address, a user. Keys
// that were quiet for long are forgotten; so are all when there are too many, which
// is an attack.
type throttle struct {
	every time.Duration
	burst int
	clock clock.Clock

	mu     sync.Mutex
	by     map[string]*rate.Limiter
	swept  time.Time
	topped int
}

const throttleKeys = 50_000

func newThrottle(c clock.Clock, every time.Duration, burst int) *throttle {
	return &throttle{every: every, burst: burst, clock: c, by: map[string]*rate.Limiter{}, topped: throttleKeys}
}

// allow reports whether this key may do it now.
func (t *throttle) allow(key string) bool {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.swept) > time.Duration(t.burst)*t.every+time.Minute || len(t.by) >= t.topped {
		for k, l := range t.by {
			if l.TokensAt(now) >= float64(t.burst) || len(t.by) >= t.topped {
				delete(t.by, k)
			}
		}
		t.swept = now
	}
	l := t.by[key]
	if l == nil {
		l = rate.NewLimiter(rate.Every(t.every), t.burst)
		t.by[key] = l
	}
	return l.AllowN(now, 1)
}

// has reports whether this key could do it now, without doing it.
func (t *throttle) has(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.by[key]
	return l == nil || l.TokensAt(t.clock.Now()) >= 1
}

// shares counts what somebody holds of something that there is little of.
type shares struct {
	mu sync.Mutex
	by map[string]int
}

func newShares() *shares { return &shares{by: map[string]int{}} }

// take takes one more, unless there are as many as one may have.
func (s *shares) take(key string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[key] >= most {
		return false
	}
	s.by[key]++
	return true
}

func (s *shares) giveBack(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by[key]--; s.by[key] <= 0 {
		delete(s.by, key)
	}
}

// queue lets few at a time do what takes the machine long, and one person one of it:
// the others wait a moment.
type queue struct {
	own    *shares
	places chan struct{}
	wait   time.Duration
}

// Two letters at a time are rendered while somebody writes: more would take the machine
// from those who send, and from those who have a customer on the phone.
const (
	mostLooks = 2
	looksWait = 5 * time.Second
)

func newQueue(places int, wait time.Duration) *queue {
	return &queue{own: newShares(), places: make(chan struct{}, places), wait: wait}
}

// begin takes a place; done gives it back. errTooMany says that somebody is at it
// already, or that all places stayed taken.
func (q *queue) begin(ctx context.Context, key string) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, q.wait)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !q.own.take(key, 1) {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, errTooMany
		}
	}
	select {
	case q.places <- struct{}{}:
		return func() { <-q.places; q.own.giveBack(key) }, nil
	case <-ctx.Done():
		q.own.giveBack(key)
		return nil, errTooMany
	}
}
