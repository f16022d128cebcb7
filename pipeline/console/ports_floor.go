package console

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
	"github.com/art34/art34/pipeline/console/vouch"
)

// FloorLedger is where questions, answers, queries and forgeries are kept; package
// ledger says what each method does.
type FloorLedger interface {
	WriteQA(ctx context.Context, q pipeline.QA, v pipeline.QAVersion, after int, a pipeline.Audit) (pipeline.QA, error)
	StepQA(ctx context.Context, campaign int64, s pipeline.QAStep, a pipeline.Audit) (pipeline.QAStep, error)
	QAs(ctx context.Context, campaign int64) ([]pipeline.QA, error)
	QAHistory(ctx context.Context, campaign, id int64) ([]pipeline.QAVersion, []pipeline.QAStep, error)
	QASeen(ctx context.Context, user, campaign int64) (int64, error)
	SeeQA(ctx context.Context, user, campaign, step int64) error
	GiveQA(ctx context.Context, g pipeline.QAGiven) error
	QATold(ctx context.Context, campaign int64) ([]pipeline.QATold, error)

	AddQuery(ctx context.Context, q pipeline.Query) (pipeline.Query, error)
	CloseQuery(ctx context.Context, q pipeline.Query, a pipeline.Audit) error
	Queries(ctx context.Context, campaign int64, f pipeline.QueryFilter, limit int) ([]pipeline.Query, error)
	Query(ctx context.Context, campaign, id int64) (pipeline.Query, error)
	AddForgery(ctx context.Context, f pipeline.Forgery, a pipeline.Audit) (pipeline.Forgery, error)
	Forgeries(ctx context.Context, campaign int64, limit int) ([]pipeline.Forgery, error)

	QueriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error)
	ForgeriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error)
	LettersByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error)
	CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error)
	CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error)
	ByHand(ctx context.Context, campaign int64) ([]pipeline.Audit, error)
	AddSteps(ctx context.Context, steps ...pipeline.CallStep) error
	Call(ctx context.Context, id int64) (pipeline.Call, error)
}

// Floor knows what the pages of the floor need of letters and keys.
type Floor interface {
	// Spoken is what may be said to whoever shows a reference; pipeline.ErrNotFound if
	// nobody has it. Each look-up is on record.
	Spoken(ctx context.Context, actor string, r pipeline.Reference) (Spoken, error)
	// Letters returns what was sent under a reference, rendered again, or
	// pipeline.ErrNotFound. Each look-up is on record.
	Letters(ctx context.Context, actor string, r pipeline.Reference) (Letters, error)
	// Keys are those of a campaign. Once it is erased there are none.
	Keys(campaign int64) (CampaignKeys, error)
	// Links are the hosts that texts of a campaign may link to.
	Links(ctx context.Context, c pipeline.Campaign) ([]string, error)
	// Starters are the questions to begin with, filled with what the campaign says.
	Starters(ctx context.Context, c pipeline.Campaign) ([]answer.Entry, error)
}

// Spoken is the sentence for one notice.
type Spoken struct {
	Campaign pipeline.Campaign
	Notice   int64
	Sentence map[string]string // per locale
	Reserved bool              // of somebody whom only few may see: nothing is said
	Phone    string            // of the cell
}

// Letters are what was sent to one person.
type Letters struct {
	Campaign pipeline.Campaign
	Notice   int64
	Sent     []vouch.Sent
	Reserved bool // of somebody whom only few may see
}

// CampaignKeys seal what belongs to a campaign.
type CampaignKeys interface {
	Sealer
	Token(kind, normalised string) [16]byte
}
