package sqlite

import (
	"testing"
	"time"
)

// TestTurn: who has the turn gets the lock next, however eagerly the other writes;
// the other goes on when the turn is passed, or its holder ends or hangs.
func TestTurn(t *testing.T) {
	t.Parallel()
	l := open(t)
	l.writer.turn.courtesy = time.Hour
	for _, end := range []struct {
		name string
		f    func(*turn)
	}{
		{"passes", (*turn).pass},
		{"ends", (*turn).close},
		{"hangs", func(*turn) {}},
	} {
		desk := newTurn(l.cfg.Path)
		for !desk.take() { // the writer has it for a moment when it begins
			time.Sleep(poll)
		}
		ran, done := false, make(chan error, 1)
		if end.name == "hangs" {
			l.writer.turn.courtesy = 10 * time.Millisecond
		}
		go func() {
			done <- l.write(t.Context(), "test", 1, func(*tx) error {
				ran = true
				return nil
			})
		}()
		if end.name != "hangs" {
			select {
			case err := <-done:
				t.Fatalf("%s: wrote out of turn, %v", end.name, err)
			case <-time.After(50 * time.Millisecond):
			}
		}
		db := raw(t, l.cfg.Path)
		run(t, db, "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE; ROLLBACK")
		closed(t, db)
		end.f(desk)
		if err := <-done; err != nil || !ran {
			t.Errorf("%s: %v, %v", end.name, err, ran)
		}
		desk.close()
	}
}
