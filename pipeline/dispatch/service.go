package dispatch

import (
	"context"
	"time"
)

// Role is a part of the service that a process may play.
type Role string

const (
	RoleDispatch Role = "dispatch" // dispatcher and reconciler
	RoleCourier  Role = "courier"  // carries e-mail to the relay
	RolePrint    Role = "print"    // cuts and draws print runs
)

// Service runs the roles of one process.
type Service struct{}

// New checks the configuration.
func New(c Config) (*Service, error) { panic("dispatch: not built yet") }

// Run plays the roles until drain ends: then nothing new is begun, what is at the
// relay is finished and the rest returns to Due. The end of kill stops hard: what
// is at the relay is left to become InDoubt. Run returns nil after either. A
// ledger or queue that is away stops the work until it is back, and no longer.
func (s *Service) Run(drain, kill context.Context, roles ...Role) error {
	panic("dispatch: not built yet")
}

// Missing lists what this process cannot reach now: "ledger", "queue", "relay".
func (s *Service) Missing() []string { panic("dispatch: not built yet") }

// Idle says whether there is anything left to do without a person.
type Idle struct {
	Idle    bool             // nothing is queued, sending, in doubt or being drawn, and nothing unblocked falls due soon
	Blocked map[string]int64 // code → notices that are due and cannot go: paused, canary, hours, schedule, relay-away, …
	Next    time.Time        // the earliest work after the horizon; zero: none
}

// Idle looks at all campaigns by cheap queries; it may be asked every second.
func (s *Service) Idle(ctx context.Context) (Idle, error) { panic("dispatch: not built yet") }
