package console

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Users is where accounts and logins are kept; package ledger says what each method
// does.
type Users interface {
	CreateUser(ctx context.Context, u pipeline.User, first bool, a pipeline.Audit) (pipeline.User, error)
	UpdateUser(ctx context.Context, u pipeline.User, a ...pipeline.Audit) (pipeline.User, error)
	User(ctx context.Context, login string) (pipeline.User, error)
	AllUsers(ctx context.Context) ([]pipeline.User, error)
	Append(ctx context.Context, a pipeline.Audit) error
}

// Ledger is what the console reads and keeps by itself.
type Ledger interface {
	Users
	AddSession(ctx context.Context, s pipeline.Session) error
	Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error)
	TouchSession(ctx context.Context, s pipeline.Session) error
	EndSession(ctx context.Context, hash [32]byte) error
	SweepSessions(ctx context.Context, seenBefore, begunBefore time.Time) error

	Meta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error)

	Campaign(ctx context.Context, name string) (pipeline.Campaign, error)
	AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error)
}

// Sealer keeps secrets of the installation, bound to what aad names.
type Sealer interface {
	Seal(plain, aad []byte) []byte
	Open(sealed, aad []byte) ([]byte, error)
}

// Board reads what is known about a campaign.
type Board interface {
	// Figures are read by cheap queries, whatever the size of the campaign.
	Figures(ctx context.Context, c pipeline.Campaign) (Figures, error)
	// Planned counts what is planned, by day; it takes a second or so a million.
	Planned(ctx context.Context, c pipeline.Campaign) ([]pipeline.Planned, error)
}

// Figures are a campaign at one moment. The states sum to the population.
type Figures struct {
	Balance     pipeline.Balance
	Counters    pipeline.Counters
	PerSecond   float64   // attempts, lately; 0: nothing moves or nobody works
	ExpectedEnd time.Time // of the e-mails; zero: cannot be said
	Due         []pipeline.DueCount
	Answers     []pipeline.Answers
	Blocked     []Blockage
	Missing     []string // ledger, queue, relay, or service: what is not there
	Breakers    []pipeline.Breaker
	Versions    []pipeline.Version // without content, oldest first
	Held        map[string]int64   // reason → notices
	Unreachable map[string]int64
	Runs        []pipeline.Run
}

// Blockage says why notices that are due do not go. Code is as in `art34 status`:
// "paused", "hours", "breaker:provider:orange", …
type Blockage struct {
	Code    string
	Notices int64
}

// Desk does what people decide, in their name.
type Desk interface {
	As(actor string) Operations
}

// Operations is everything that changes a campaign. Errors are *pipeline.Error;
// each deed is on record with its reason.
type Operations interface {
	Pause(ctx context.Context, campaign, reason string) error
	Resume(ctx context.Context, campaign, reason string) error
}
