// Package clock gives the time. The program asks it instead of time.Now, so that
// a rehearsal can compress the schedule and a test can stand still.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time of the business: due times and windows. Leases, timeouts
// and pacing always use the real clock.
type Clock interface {
	Now() time.Time
}

// Real is the machine's clock in UTC.
type Real struct{}

// Now returns the time in UTC.
func (Real) Now() time.Time { return time.Now().UTC() }

// Scaled runs faster than the machine's clock from a starting point.
type Scaled struct {
	start  time.Time // real
	epoch  time.Time // told
	factor float64
}

// NewScaled returns a clock that shows epoch now and runs factor times as fast.
func NewScaled(epoch time.Time, factor float64) *Scaled {
	return &Scaled{start: time.Now(), epoch: epoch.UTC(), factor: factor}
}

// Now returns the compressed time in UTC.
func (s *Scaled) Now() time.Time {
	return s.epoch.Add(time.Duration(float64(time.Since(s.start)) * s.factor))
}

// Manual stands still until it is moved.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// NewManual returns a clock that shows now.
func NewManual(now time.Time) *Manual { return &Manual{now: now.UTC()} }

// Now returns the time it was set to.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}
