package ledger

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// Corrector lets what a person corrected be found.
type Corrector interface {
	// AddTokens adds tokens of notices to the blind index, next to those that their
	// imports brought. A repetition is no error; a notice that is not there is
	// pipeline.ErrNotFound, and then nothing is added.
	AddTokens(ctx context.Context, tokens []pipeline.Token) error
}
