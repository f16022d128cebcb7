package ledger

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Access keeps who may know of a campaign, and the tokens of programs.
type Access interface {
	// Embargoes returns those that were ever set, also when they have ended.
	Embargoes(ctx context.Context) ([]pipeline.Embargo, error)
	// SetEmbargo writes e if nobody has since it was read (Gen 0: it was not there),
	// else pipeline.ErrStale, and appends the audit entry in the same transaction.
	SetEmbargo(ctx context.Context, e pipeline.Embargo, a pipeline.Audit) (pipeline.Embargo, error)

	// CreateToken stores a token; ID is given by the ledger. A name that is taken,
	// also by one that is over, is pipeline.ErrExists: the audit trail names tokens.
	CreateToken(ctx context.Context, t pipeline.APIToken, a pipeline.Audit) (pipeline.APIToken, error)
	// TokenOf returns the token with this hash, or pipeline.ErrNotFound. Whether it is
	// in force is for the caller to say.
	TokenOf(ctx context.Context, hash [32]byte) (pipeline.APIToken, error)
	// AllTokens returns all there ever were, in order of name.
	AllTokens(ctx context.Context) ([]pipeline.APIToken, error)
	// RevokeToken ends a token: pipeline.ErrNotFound if there is none of this name,
	// pipeline.ErrConflict if it was ended before.
	RevokeToken(ctx context.Context, name string, at time.Time, a pipeline.Audit) error
	// TouchToken writes SeenAt.
	TouchToken(ctx context.Context, id int64, at time.Time) error

	// Remember stores r, with Status 0, if its token has no answer for its key yet (a
	// form of a person: the negative of their number; a signature of a mail provider's
	// event: 0); first says so. Else it returns what is kept.
	Remember(ctx context.Context, r pipeline.Remembered) (kept pipeline.Remembered, first bool, err error)
	// Recall returns what is kept, or pipeline.ErrNotFound. It only reads: who waits
	// for an answer keeps nobody from writing.
	Recall(ctx context.Context, token int64, key [32]byte) (pipeline.Remembered, error)
	// Answered writes Status and Body of what Remember stored.
	Answered(ctx context.Context, r pipeline.Remembered) error
	// Forget removes what Remember stored: the request may be tried again.
	Forget(ctx context.Context, r pipeline.Remembered) error
	// ForgetAnswers removes all that is older.
	ForgetAnswers(ctx context.Context, before time.Time) error
}
