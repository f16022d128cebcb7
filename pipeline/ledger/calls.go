package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/art34/art34/pipeline"
)

// Calls keeps the calls of the cell, what happened in them, and the corrections that
// wait for a second person.
type Calls interface {
	// OpenCall stores a call with its first steps; ID and Gen are given by the ledger.
	// If the steps hold a look-up and its agent has made as many as the quota allows,
	// the error is pipeline.ErrQuota and nothing is stored.
	OpenCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error)
	// Call returns a call, or pipeline.ErrNotFound.
	Call(ctx context.Context, id int64) (pipeline.Call, error)
	// UpdateCall writes c if nobody has since it was read, else pipeline.ErrStale, with
	// further steps in the same transaction; the quota is as for OpenCall. ID, Agent,
	// Source and OpenedAt stay as they are; c.Gen is as read, and one more afterwards.
	UpdateCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error)
	// AddSteps appends steps to calls, whatever else happens to them.
	AddSteps(ctx context.Context, steps ...pipeline.CallStep) error
	// TryAnswer counts a wrong answer ahead of looking at it: Tries of the call goes up
	// by one, unless the calls about the same customer (notice, or token without one)
	// that were opened since a time have most of them already; then it reports false.
	// Whoever was right takes it back with UpdateCall. Gen goes up too.
	TryAnswer(ctx context.Context, id int64, most int, since time.Time) (pipeline.Call, bool, error)
	// ForgetTries sets Tries of all calls about the customer of a call to 0.
	ForgetTries(ctx context.Context, id int64) error
	// WrongAnswers returns the calls about the customer of a call with wrong answers
	// that were opened since then, as TryAnswer counts them, in the order in which they
	// were opened.
	WrongAnswers(ctx context.Context, id int64, since time.Time) ([]pipeline.Call, error)
	// CallSteps returns what happened in a call, oldest first.
	CallSteps(ctx context.Context, id int64) ([]pipeline.CallStep, error)
	// EachCall yields calls that match, newest first.
	EachCall(ctx context.Context, f pipeline.CallFilter) iter.Seq2[pipeline.Call, error]
	// ToldBefore returns the calls in which somebody with one of the tokens was told
	// that they are not concerned, oldest first.
	ToldBefore(ctx context.Context, campaign int64, tokens [][]byte) ([]pipeline.Call, error)
	// CountCalls counts calls per hour, cause and outcome, in that order; those of a
	// campaign, or with 0 all.
	CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error)
	// CountTold counts calls per hour and what they came to, in that order: those of a
	// campaign, or with 0 those of none, in which nobody was found.
	CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error)

	// Propose stores a proposal as waiting, with the step of its call; ID is given by
	// the ledger and becomes the Detail of the step. One that waits for the same notice
	// and channel gives way: it fails with the note pipeline.ProposalReplaced, decided
	// by who asked and then. Those that gave way are returned too, oldest first.
	Propose(ctx context.Context, p pipeline.Proposal, s pipeline.CallStep) (now pipeline.Proposal, replaced []int64, err error)
	// Proposal returns a proposal, or pipeline.ErrNotFound.
	Proposal(ctx context.Context, id int64) (pipeline.Proposal, error)
	// Proposals returns those in a state, oldest first.
	Proposals(ctx context.Context, s pipeline.ProposalState) ([]pipeline.Proposal, error)
	// Unapplied returns those that are accepted and not in force yet, oldest first.
	Unapplied(ctx context.Context) ([]pipeline.Proposal, error)
	// Decide writes State, DecidedBy, DecidedAt, Note and AppliedAt of a proposal that is
	// in the state from and not applied, else pipeline.ErrConflict, and appends the audit
	// entry.
	Decide(ctx context.Context, p pipeline.Proposal, from pipeline.ProposalState, a pipeline.Audit) error

	// AddCopy stores one more notice of a published import: a copy of a notice in
	// force, with its search tokens, and counts it in Import.Copied. It goes to the
	// import of its Parent. A parent that is not there is pipeline.ErrNotFound. copied
	// is Import.Copied as it was before the notices were read that speak for a copy; if
	// one was added since, pipeline.ErrStale: two who ask at once do not both get one.
	AddCopy(ctx context.Context, s pipeline.Staged, copied int64, tokens []pipeline.Token, a pipeline.Audit) error
}
