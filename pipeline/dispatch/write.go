package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/art34/art34/pipeline"
)

// away reports whether an error will pass by itself.
func away(err error) bool { return errors.Is(err, pipeline.ErrAway) }

// conflict reports whether somebody else was first.
func conflict(err error) bool {
	return errors.Is(err, pipeline.ErrConflict) || errors.Is(err, pipeline.ErrStale)
}

// permanent reports whether somebody has to change something first.
func permanent(err error) bool {
	e, ok := errors.AsType[*pipeline.Error](err)
	return ok && e.Permanent
}

// awayPause is the pause before a ledger that is away is asked again.
const awayPause = 100 * time.Millisecond

// pause waits a moment and reports whether ctx still goes on.
func (s *Service) pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(awayPause):
		return true
	}
}

// commit writes changes, however long the ledger is away, until ctx ends. again
// says that the changes may have been written before by a call whose answer was
// lost.
func (s *Service) commit(ctx context.Context, changes []pipeline.Change, again bool) ([]bool, error) {
	for {
		ok, err := s.Ledger.Commit(ctx, changes)
		s.reached(ctx, "ledger", err)
		switch {
		case err == nil && again:
			return ok, s.recheck(ctx, changes, ok)
		case err == nil:
			return ok, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !away(err):
			return s.commitEach(ctx, changes, err)
		}
		// A connection that breaks in the middle of a commit does not say whether it
		// was one.
		again = true
		if !s.pause(ctx) {
			return nil, ctx.Err()
		}
	}
}

// commitEach writes what can be written when the ledger refuses one of the
// changes, and with it all: a defect of ours, which must not take the others
// along.
func (s *Service) commitEach(ctx context.Context, changes []pipeline.Change, err error) ([]bool, error) {
	ok := make([]bool, len(changes))
	if len(changes) == 1 {
		s.Log.Error("the ledger refuses a change", "notice", changes[0].From.ID, "from", string(changes[0].From.State), "to", string(changes[0].To.State), "error", err)
		return ok, nil
	}
	for i := range changes {
		one, err := s.commit(ctx, changes[i:i+1], true)
		if err != nil {
			return nil, err
		}
		ok[i] = one[0]
	}
	return ok, nil
}

// recheck finds out which changes that did not apply were applied before.
func (s *Service) recheck(ctx context.Context, changes []pipeline.Change, ok []bool) error {
	for i, c := range changes {
		if ok[i] {
			continue
		}
		j, err := s.notice(ctx, c.From.ID)
		if errors.Is(err, pipeline.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		ok[i] = j.Gen == c.To.Gen && j.State == c.To.State && j.Owner == c.To.Owner && j.Attempt == c.To.Attempt
	}
	return nil
}

// notice reads a notice, however long the ledger is away, until ctx ends.
func (s *Service) notice(ctx context.Context, id int64) (pipeline.Job, error) {
	for {
		j, err := s.Ledger.Notice(ctx, id)
		if !away(err) || !s.pause(ctx) {
			return j, err
		}
	}
}

// requeue gives tickets back that nobody claimed. It does not try for long: the
// reconciler finds what stays behind.
func (s *Service) requeue(ctx context.Context, tickets []pipeline.Ticket) {
	if len(tickets) == 0 {
		return
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for {
		_, err := s.Ledger.Requeue(end, tickets, s.Real.Now())
		if s.reached(end, "ledger", err) == nil || !away(err) || !s.pause(end) {
			return
		}
	}
}
