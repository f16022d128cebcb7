package ledger

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// Writer keeps what people write: every saved text of a campaign's folder.
type Writer interface {
	// AddWriting stores a text as number after+1 of its file, with the audit entries
	// in the same transaction. If there is such a number already, somebody was
	// faster: pipeline.ErrStale. after beyond the newest is pipeline.ErrConflict.
	AddWriting(ctx context.Context, w pipeline.Writing, after int, a ...pipeline.Audit) (pipeline.Writing, error)
	// Writing returns a text, or pipeline.ErrNotFound.
	Writing(ctx context.Context, campaign int64, file string, n int) (pipeline.Writing, error)
	// Writings returns the texts of a campaign without their content, in order of file
	// and number.
	Writings(ctx context.Context, campaign int64) ([]pipeline.Writing, error)
}
