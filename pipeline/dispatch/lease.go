package dispatch

import (
	"context"
	"sync/atomic"
	"time"
)

// Names of leases. The dispatcher's and the print room's choose a leader, for
// pacing and not for correctness; a courier's says that its process is alive, and
// without it the notices that it has in Sending are taken to be orphans.
const (
	leaseDispatcher = "dispatcher"
	leasePrint      = "print"
	leaseCourier    = "courier/" // + owner
)

// lease is held by a process while it renews it in time. It is judged by this
// machine's monotonic clock, with a margin, so that we stop before the ledger
// gives it to somebody else, also when we were suspended.
type lease struct {
	s     *Service
	name  string
	ttl   time.Duration
	until atomic.Int64 // since s.start
	known atomic.Bool  // the ledger has answered at least once
}

func (s *Service) newLease(name string, ttl time.Duration) *lease {
	return &lease{s: s, name: name, ttl: ttl}
}

// held reports whether the lease is ours now.
func (l *lease) held() bool { return int64(l.s.elapsed()) < l.until.Load() }

// keep renews the lease until ctx ends, then gives it back.
func (l *lease) keep(ctx context.Context) {
	l.s.every(ctx, l.ttl/4, nil, l.renew)
	l.until.Store(0)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = l.s.Ledger.ReleaseLease(end, l.name, l.s.Owner) // it ends by itself otherwise
}

// renew asks once. An answer that comes late counts from when it was asked for.
func (l *lease) renew(ctx context.Context) {
	asked := l.s.elapsed()
	ctx, cancel := context.WithTimeout(ctx, l.ttl)
	defer cancel()
	ok, err := l.s.Ledger.Lease(ctx, l.name, l.s.Owner, l.ttl)
	switch {
	case err != nil: // what we hold runs out by itself
	case ok:
		l.until.Store(int64(asked + l.ttl*3/4))
		l.known.Store(true)
	default:
		l.until.Store(0)
		l.known.Store(true)
	}
}
