package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// Leases use the machine's clock: the file lives on one machine, and so do all
// who open it.
func now() time.Time { return clock.Real{}.Now() }

// Lease takes or renews a lease.
func (l *Ledger) Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	var has bool
	err := l.write(ctx, "lease", 1, func(t *tx) error {
		at := now()
		n, err := t.exec(`INSERT INTO leases (name, owner, until) VALUES (?1, ?2, ?3)
			ON CONFLICT DO UPDATE SET owner = ?2, until = ?3 WHERE owner = ?2 OR until <= ?4`,
			name, owner, micros(at.Add(ttl)), micros(at))
		has = n == 1
		return err
	})
	return has && err == nil, err
}

// ReleaseLease gives a lease back, if the owner has it.
func (l *Ledger) ReleaseLease(ctx context.Context, name, owner string) error {
	return l.write(ctx, "release a lease", 1, func(t *tx) error {
		_, err := t.exec(`DELETE FROM leases WHERE name = ? AND owner = ?`, name, owner)
		return err
	})
}

// Orphans returns notices in Sending whose owner's lease has lapsed.
func (l *Ledger) Orphans(ctx context.Context, limit int) ([]pipeline.Notice, error) {
	return list(ctx, l, "look for orphans", scanNotice, `SELECT `+noticeColumns+` FROM notices AS n INDEXED BY notices_moving CROSS`+visible+`
		WHERE n.state = 'sending'
		AND NOT EXISTS (SELECT 1 FROM leases AS l WHERE l.name = 'courier/' || n.owner AND l.owner = n.owner AND l.until > ?)
		ORDER BY n.moved_at LIMIT ?`, micros(now()), limit)
}

// StaleQueued returns tickets of notices that have been Queued for long.
func (l *Ledger) StaleQueued(ctx context.Context, movedBefore time.Time, limit int) ([]pipeline.Ticket, error) {
	return list(ctx, l, "look for stale tickets", scanner(func(k *pipeline.Ticket) []any { return []any{&k.Notice, &k.Gen} }),
		`SELECT n.id, n.gen FROM notices AS n INDEXED BY notices_moving CROSS`+visible+`
		WHERE n.state = 'queued' AND n.moved_at < ? ORDER BY n.moved_at LIMIT ?`, micros(movedBefore), limit)
}

// requeueRows is how many notices a short transaction of RequeueAll moves.
const requeueRows = 500

// RequeueAll returns every queued notice to Due, in short transactions.
func (l *Ledger) RequeueAll(ctx context.Context, at time.Time) (int64, error) {
	var total int64
	for after := int64(0); ; {
		var moved, last int64
		err := l.write(ctx, "requeue all", requeueRows, func(t *tx) error {
			moved, last = 0, 0
			if _, err := t.imports(); err != nil {
				return err
			}
			var tickets []pipeline.Ticket
			err := t.rows(func(r *sql.Rows) error {
				var k pipeline.Ticket
				err := r.Scan(&k.Notice, &k.Gen)
				tickets, last = append(tickets, k), k.Notice
				return err
			}, `SELECT id, gen FROM notices INDEXED BY notices_moving WHERE state = 'queued' AND id > ? ORDER BY id LIMIT ?`, after, requeueRows)
			if err != nil {
				return err
			}
			for _, k := range tickets {
				ok, err := t.requeue(k, micros(at))
				if err != nil {
					return err
				}
				if ok {
					moved++
				}
			}
			return nil
		})
		if err != nil || last == 0 {
			return total, err
		}
		total, after = total+moved, last
	}
}
