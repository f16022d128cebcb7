package ledger

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Watcher counts what came back and what is planned.
type Watcher interface {
	// Answers returns what became of the e-mails of a campaign, per scope, in order of
	// scope. It is kept up to date by every move and costs next to nothing; moves of
	// imports that were replaced since stay in it.
	Answers(ctx context.Context, campaign int64) ([]pipeline.Answers, error)
	// UnderWay counts the notices in force that are queued or being sent, by provider.
	UnderWay(ctx context.Context, campaign int64) (map[string]int64, error)
	// Planned counts the notices in force that something is planned for, by day,
	// state, role, channel, kind, reason and number of resends, in that order. Days
	// begin at midnight of a zone that is east of UTC by offset. First tries have
	// neither reason nor number. It reads what is planned, and takes a second or so a
	// million.
	Planned(ctx context.Context, campaign int64, offset time.Duration) ([]pipeline.Planned, error)
}
