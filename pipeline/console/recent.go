package console

import (
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds what spares the ledger from counting for everybody who looks.

// recent keeps for a minute what was counted: counting letters and calls reads the
// whole campaign.
type recent[T any] struct {
	mu sync.Mutex
	by map[int64]*counting[T]
}

type counting[T any] struct {
	mu   sync.Mutex
	at   time.Time
	list []T
}

func newRecent[T any]() *recent[T] { return &recent[T]{by: map[int64]*counting[T]{}} }

func (r *recent[T]) of(campaign int64) *counting[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by[campaign] == nil {
		r.by[campaign] = &counting[T]{}
	}
	return r.by[campaign]
}

// counted counts at most once a minute, and once for all who ask meanwhile.
func (r *recent[T]) counted(campaign int64, now time.Time, count func() ([]T, error)) ([]T, error) {
	c := r.of(campaign)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && now.Sub(c.at) < time.Minute {
		return c.list, nil
	}
	list, err := count()
	if err == nil {
		c.at, c.list = now, list
	}
	return list, err
}

func (v *visit) lettersByHour(campaign int64) ([]pipeline.Hourly, error) {
	return v.letters.counted(campaign, v.Real.Now(), func() ([]pipeline.Hourly, error) { return v.Ledger.LettersByHour(v.ctx(), campaign) })
}

func (v *visit) callsByHour(campaign int64) ([]pipeline.CallCount, error) {
	return v.calls.counted(campaign, v.Real.Now(), func() ([]pipeline.CallCount, error) {
		return v.Ledger.CountCalls(v.ctx(), campaign, time.Time{})
	})
}

func (v *visit) toldByHour(campaign int64) ([]pipeline.CallTold, error) {
	return v.told.counted(campaign, v.Real.Now(), func() ([]pipeline.CallTold, error) {
		return v.Ledger.CountTold(v.ctx(), campaign, time.Time{})
	})
}
