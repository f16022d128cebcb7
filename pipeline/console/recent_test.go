package console_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// countedLedger counts how often it counts.
type countedLedger struct {
	console.Ledger
	calls, told, letters atomic.Int64
	broken               atomic.Bool
}

func (l *countedLedger) CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error) {
	l.calls.Add(1)
	if l.broken.Load() {
		return nil, errors.Join(errors.New("disk"), pipeline.ErrAway)
	}
	return l.Ledger.CountCalls(ctx, campaign, since)
}

func (l *countedLedger) CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error) {
	if campaign != 0 {
		l.told.Add(1)
	}
	return l.Ledger.CountTold(ctx, campaign, since)
}

func (l *countedLedger) LettersByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	l.letters.Add(1)
	return l.Ledger.LettersByHour(ctx, campaign)
}

// TestFloorIsCountedOnceAMinute: however many look at the floor, calls and letters of
// a campaign are counted once a minute; a count that failed is not kept.
func TestFloorIsCountedOnceAMinute(t *testing.T) {
	t.Parallel()
	l := &countedLedger{}
	w := furnished(t, func(c *console.Config) { l.Ledger, c.Ledger = c.Ledger, l })
	p := w.token("intranet", console.ActFloor)
	look := func(campaign string, status int) {
		t.Helper()
		if a := p.call("GET", "/campaigns/"+campaign+"/floor", ""); a.status != status {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	counted := func(calls, letters int64, when string) {
		t.Helper()
		if l.calls.Load() != calls || l.told.Load() != letters || l.letters.Load() != letters {
			t.Errorf("%s: calls are counted %d times, what they came to %d, letters %d; want %d, %d, %d", when, l.calls.Load(), l.told.Load(), l.letters.Load(), calls, letters, letters)
		}
	}
	l.broken.Store(true)
	look("muguet", http.StatusServiceUnavailable)
	l.broken.Store(false)
	var all sync.WaitGroup
	at := w.clock.Now()
	for range 6 {
		all.Go(func() { look("muguet", http.StatusOK) })
	}
	all.Wait()
	counted(2, 1, "many at once, after one that failed")
	look("muguet", http.StatusOK)
	counted(2, 1, "within the minute")
	look("pivoine", http.StatusOK)
	counted(3, 2, "another campaign")
	// The clock moves with each request here, so the minute is counted from the first.
	w.clock.Advance(58*time.Second - w.clock.Now().Sub(at))
	look("muguet", http.StatusOK)
	counted(3, 2, "just before the minute is over")
	w.clock.Advance(8 * time.Second)
	look("muguet", http.StatusOK)
	counted(4, 3, "after it")
	look("muguet", http.StatusOK)
	counted(4, 3, "within the next")
}
