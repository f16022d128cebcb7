package console

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestQueue: one person has one place, all have few, and whoever waits too long is
// told.
func TestQueue(t *testing.T) {
	t.Parallel()
	q := newQueue(2, 50*time.Millisecond)
	ana, err := q.begin(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.begin(t.Context(), "ana"); !errors.Is(err, errTooMany) {
		t.Errorf("a second of the same: %v", err)
	}
	bob, err := q.begin(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.begin(t.Context(), "eve"); !errors.Is(err, errTooMany) {
		t.Errorf("a third: %v", err)
	}
	q.wait = time.Minute
	got := make(chan error)
	go func() {
		done, err := q.begin(context.Background(), "ana")
		if err == nil {
			done()
		}
		got <- err
	}()
	ana()
	if err := <-got; err != nil {
		t.Errorf("after the first is done: %v", err)
	}
	bob()
	if len(q.places) != 0 || len(q.own.by) != 0 {
		t.Errorf("%d places, %v stay taken", len(q.places), q.own.by)
	}
}
