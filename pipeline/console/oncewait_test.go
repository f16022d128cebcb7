package console_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// waitedLedger counts what a second click asks of the ledger while it waits for the
// first, which ends when it has waited for a while.
type waitedLedger struct {
	console.Ledger
	writes, reads atomic.Int32
	enough        chan struct{}
}

func (l *waitedLedger) Remember(ctx context.Context, r pipeline.Remembered) (pipeline.Remembered, bool, error) {
	l.writes.Add(1)
	return l.Ledger.Remember(ctx, r)
}

func (l *waitedLedger) Recall(ctx context.Context, token int64, key [32]byte) (pipeline.Remembered, error) {
	if l.reads.Add(1) == 3 {
		close(l.enough)
	}
	return l.Ledger.Recall(ctx, token, key)
}

// waitedCalls keep the first click until the second has waited.
type waitedCalls struct {
	console.Calls
	enough chan struct{}
}

func (l waitedCalls) OpenCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error) {
	<-l.enough
	return l.Calls.OpenCall(ctx, c, q, steps...)
}

// TestSecondClickOnlyReads: who waits for the first click takes no turn at writing.
func TestSecondClickOnlyReads(t *testing.T) {
	t.Parallel()
	l := &waitedLedger{enough: make(chan struct{})}
	w := newWorld(t, func(c *console.Config) {
		l.Ledger = c.Ledger
		c.Ledger = l
		cell := c.Cell.CellConfig
		cell.Calls = waitedCalls{cell.Calls, l.enough}
		c.Cell = console.NewCell(cell)
	})
	w.people(w.campaign("muguet", pipeline.Running))
	w.user("ana", console.Agent)
	b := w.as("ana")
	once, token := b.onceOf("/cell"), b.token("/account")
	answers := make(chan string, 2)
	for range 2 {
		go func() {
			a := b.post("/cell", "token", token, "once", once, "key", "C0001234")
			if a.status != http.StatusSeeOther {
				t.Errorf("%d", a.status)
			}
			answers <- a.to
		}()
	}
	if x, y := <-answers, <-answers; x != y || x != "/cell/calls/1" {
		t.Errorf("%s, %s", x, y)
	}
	if n := l.writes.Load(); n != 2 {
		t.Errorf("%d writes and %d reads of two clicks", n, l.reads.Load())
	}
}
