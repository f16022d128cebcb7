package ledger

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// Listener counts what people and the post reported.
type Listener interface {
	// Outside counts returned letters by reason, customers who were told otherwise,
	// and unreachable ones with a public notice. It reads along indexes that hold
	// nothing else.
	Outside(ctx context.Context, campaign int64) (pipeline.Outside, error)
}
