package ledger

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// Floor keeps what the cell says and hears. Versions, steps and answers given are
// only ever added: the database refuses anything else.
type Floor interface {
	// WriteQA stores v as the next version of the question (campaign, topic, locale),
	// which is made if it is not there, and appends the audit entry. after is the
	// number of the version that the writer has read, 0 for a question that is not
	// there; another one is pipeline.ErrStale.
	WriteQA(ctx context.Context, q pipeline.QA, v pipeline.QAVersion, after int, a pipeline.Audit) (pipeline.QA, error)
	// StepQA publishes or withdraws a version, and appends the audit entry. The
	// version must be there, what is in force is not published again, and nothing
	// else is withdrawn: pipeline.ErrConflict.
	StepQA(ctx context.Context, campaign int64, s pipeline.QAStep, a pipeline.Audit) (pipeline.QAStep, error)
	// QAs returns the questions of a campaign, by topic and locale.
	QAs(ctx context.Context, campaign int64) ([]pipeline.QA, error)
	// QAHistory returns the versions and the steps of a question, oldest first.
	QAHistory(ctx context.Context, campaign, id int64) ([]pipeline.QAVersion, []pipeline.QAStep, error)
	// QASeen returns the newest step that a user has looked at, 0 without any, and
	// SeeQA stores it; one that is older than the one stored changes nothing.
	QASeen(ctx context.Context, user, campaign int64) (int64, error)
	SeeQA(ctx context.Context, user, campaign, step int64) error
	// GiveQA notes an answer given. A version that was never published is
	// pipeline.ErrConflict.
	GiveQA(ctx context.Context, g pipeline.QAGiven) error
	// QAGivenIn returns the answers given in a call, oldest first; QATold counts
	// those of a campaign by question.
	QAGivenIn(ctx context.Context, campaign, call int64) ([]pipeline.QAGiven, error)
	QATold(ctx context.Context, campaign int64) ([]pipeline.QATold, error)

	// AddQuery stores a query as open; CloseQuery answers or dismisses one that is
	// open, else pipeline.ErrConflict, and appends the audit entry.
	AddQuery(ctx context.Context, q pipeline.Query) (pipeline.Query, error)
	CloseQuery(ctx context.Context, q pipeline.Query, a pipeline.Audit) error
	// Queries returns the newest queries of a campaign that match, newest first.
	Queries(ctx context.Context, campaign int64, f pipeline.QueryFilter, limit int) ([]pipeline.Query, error)
	Query(ctx context.Context, campaign, id int64) (pipeline.Query, error)

	// AddForgery stores a report and appends the audit entry.
	AddForgery(ctx context.Context, f pipeline.Forgery, a pipeline.Audit) (pipeline.Forgery, error)
	// Forgeries returns the newest reports of a campaign, newest first.
	Forgeries(ctx context.Context, campaign int64, limit int) ([]pipeline.Forgery, error)

	// QueriesByHour and ForgeriesByHour count what came in, by state of the query and
	// by way of the forgery. LettersByHour counts customers by the hour in which the
	// first letter to them left (the relay took it, or the post), by its channel: not what
	// was refused, nor what followed. It takes some seconds a million.
	QueriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error)
	ForgeriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error)
	LettersByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error)
}
