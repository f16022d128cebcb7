package ledger

import (
	"context"
	"iter"

	"github.com/art34/art34/pipeline"
)

// Inbox keeps what came back, raw, before and after it is judged.
type Inbox interface {
	// Keep stores messages as pending and reports which ones are new: one whose Key
	// is there already is not stored again, whatever became of it. ID and what
	// judging sets are ignored. Concurrent calls may share transactions.
	Keep(ctx context.Context, batch []pipeline.Inbound) ([]bool, error)
	// Inbox yields messages that match, in order of ID; Sealed only with f.Raw.
	Inbox(ctx context.Context, f pipeline.InboundFilter) iter.Seq2[pipeline.Inbound, error]
	// Judge writes, by ID, what became of messages: State to ForwardedAt. A
	// ForwardedAt that is set stays.
	Judge(ctx context.Context, batch []pipeline.Inbound) error
	// Reopen makes messages pending that are in one of the states, so that they are
	// judged again, and returns how many.
	Reopen(ctx context.Context, states []pipeline.InboundState) (int64, error)
	// CountInbox counts all messages, in order of state and kind.
	CountInbox(ctx context.Context) ([]pipeline.InboundCount, error)
}
