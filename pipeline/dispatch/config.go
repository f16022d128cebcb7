package dispatch

import (
	"log/slog"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// Config is what a Service needs.
type Config struct {
	Ledger   Ledger
	Queue    Queue
	Specs    Specs
	Composer Composer // of role RoleCourier
	Relay    Relay    // of role RoleCourier; nil: no e-mail can leave, and Idle says so
	Press    Press    // of role RolePrint

	Clock clock.Clock // of the business: due times and windows
	Real  clock.Clock // of the machine: leases, pacing, backoff; with a monotonic reading
	Log   *slog.Logger

	// Owner names this process in leases and in Notice.Owner. It must be new for
	// every start, so that what an earlier one left is recognised.
	Owner string
	// Connections bounds the connections of this process over all campaigns. 0 is
	// 256. A campaign uses at most its own email.connections of them.
	Connections int
	// WayBack reports whether feedback of a campaign is proven to reach us on a
	// channel. Until then silence proves nothing and notices stay Accepted. nil:
	// never for e-mail. Letters do not need it.
	WayBack func(c pipeline.Campaign, ch pipeline.Channel) bool
	Times   Times
}

// Times are intervals by the real clock; zero values take the defaults.
type Times struct {
	Control     time.Duration // between two looks at campaigns and breakers: 150 ms
	Tick        time.Duration // of the dispatcher: 100 ms
	Reconcile   time.Duration // of the reconciler: 1 s
	Print       time.Duration // of the print room: 1 s
	Govern      time.Duration // between two looks at what comes back: 2 s
	LeadTTL     time.Duration // of the leases of the leaders: 3 s
	CourierTTL  time.Duration // of the leases of the couriers: 10 s
	StaleQueued time.Duration // after which a queued notice that nobody claimed is taken back: 2 min
	BackoffMin  time.Duration // of a relay that is away: 5 s …
	BackoffMax  time.Duration // … to 60 s
	Patience    time.Duration // how long a relay may be away before Idle calls it a block: 30 s
	Horizon     time.Duration // what falls due within it, by the business clock, keeps Idle waiting: 60 s
}

func (t Times) withDefaults() Times {
	for _, d := range []struct {
		to *time.Duration
		is time.Duration
	}{
		{&t.Control, 150 * time.Millisecond}, {&t.Tick, 100 * time.Millisecond}, {&t.Reconcile, time.Second}, {&t.Print, time.Second}, {&t.Govern, 2 * time.Second},
		{&t.LeadTTL, 3 * time.Second}, {&t.CourierTTL, 10 * time.Second}, {&t.StaleQueued, 2 * time.Minute},
		{&t.BackoffMin, 5 * time.Second}, {&t.BackoffMax, time.Minute}, {&t.Patience, 30 * time.Second}, {&t.Horizon, time.Minute},
	} {
		if *d.to <= 0 {
			*d.to = d.is
		}
	}
	return t
}
