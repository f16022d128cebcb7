package postgres

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// Commit applies each change by compare-and-set. It shares statements with
// concurrent calls.
func (l *Ledger) Commit(ctx context.Context, changes []pipeline.Change) ([]bool, error) {
	if err := check(changes); err != nil {
		return nil, err
	}
	applied := make([]bool, len(changes))
	// A statement can move a notice once. A call that moves one twice takes as many
	// rounds; there is one round as a rule.
	for rest := indexes(len(changes)); len(rest) > 0; {
		var now, later []int
		seen := make(map[int64]bool, len(rest))
		for _, i := range rest {
			if id := changes[i].From.ID; seen[id] {
				later = append(later, i)
			} else {
				seen[id] = true
				now = append(now, i)
			}
		}
		batch := changes
		if len(now) < len(changes) {
			batch = make([]pipeline.Change, len(now))
			for k, i := range now {
				batch[k] = changes[i]
			}
		}
		ok, err := l.group.commit(ctx, batch)
		if err != nil {
			return nil, err
		}
		for k, i := range now {
			applied[i] = ok[k]
		}
		rest = later
	}
	return applied, nil
}

func indexes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// write runs one statement for a group of changes. When the connection breaks in
// the middle it remembers that the changes may have been applied; see unsure.
func (l *Ledger) write(ctx context.Context, changes []pipeline.Change) (applied []bool, err error) {
	f := func(ctx context.Context, q querier) error {
		applied, err = apply(ctx, q, changes)
		return err
	}
	if slices.ContainsFunc(changes, func(c pipeline.Change) bool { return c.Sealed != nil }) {
		err = l.tx(ctx, l.hot, f)
	} else {
		err = l.on(ctx, l.hot, f)
	}
	if errors.Is(err, pipeline.ErrAway) {
		l.unsure.add(changes)
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if err := l.settle(ctx, changes, applied); err != nil {
		l.unsure.add(changes) // those that have just been applied too
		return nil, err
	}
	return applied, nil
}

// unsure remembers changes whose answer got lost on the way: the server may have
// committed them. A caller that was told ErrAway tries the same change again; if
// it does not apply, and the row is exactly what the change makes of it, then it
// was applied the first time, and saying no would leave the notice to nobody. The
// memory is that of the process, as the claim is.
type unsure struct {
	mu   sync.Mutex
	rows map[pipeline.Ticket]bool
}

// mostUnsure bounds the memory. More than that cannot be on its way.
const mostUnsure = 100_000

func (u *unsure) add(changes []pipeline.Change) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.rows == nil || len(u.rows) > mostUnsure {
		u.rows = map[pipeline.Ticket]bool{}
	}
	for _, c := range changes {
		u.rows[pipeline.Ticket{Notice: c.From.ID, Gen: c.From.Gen}] = true
	}
}

// take returns the indexes of those changes that were remembered, and forgets
// them.
func (u *unsure) take(changes []pipeline.Change) (known []int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.rows) == 0 {
		return nil
	}
	for i, c := range changes {
		t := pipeline.Ticket{Notice: c.From.ID, Gen: c.From.Gen}
		if u.rows[t] {
			known = append(known, i)
			delete(u.rows, t)
		}
	}
	return known
}

// settle corrects applied for changes that had been applied by an earlier call
// whose answer got lost.
func (l *Ledger) settle(ctx context.Context, changes []pipeline.Change, applied []bool) error {
	for _, i := range l.unsure.take(changes) {
		if applied[i] {
			continue
		}
		to := changes[i].To
		err := l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
			err := q.QueryRow(ctx, `SELECT true FROM notices WHERE id = $1 AND gen = $2 AND state = $3 AND owner = $4 AND moved_at = $5
				AND attempt = $6 AND channel = $7 AND due_at = $8 AND reason = $9`,
				to.ID, to.Gen, string(to.State), clean(to.Owner), micros(to.MovedAt), to.Attempt, string(to.Channel), micros(to.DueAt), clean(to.Reason)).Scan(&applied[i])
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
