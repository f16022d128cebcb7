package rehearsal

import (
	"time"

	"github.com/art34/art34/pipeline"
)

// Load is the work ahead of a campaign.
type Load struct {
	Email   map[string]int64  // e-mails per mailbox provider
	Letters map[int]int64     // letters per number of pages
}

// Capacity is what the house can do.
type Capacity struct {
	PerSecond float64 // e-mails that the relay takes, over all connections
	Policy    pipeline.EmailPolicy
	RunSize   int
	Duplex    bool
}

// Forecast is how long it takes and how much is printed.
type Forecast struct {
	Emails, Letters, Pages, Sheets, Runs int64
	Email                                time.Duration            // until the last first e-mail is handed over
	Providers                            map[string]time.Duration // alone
}
