package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// Lease takes or renews a named lease by the database's clock.
func (l *Ledger) Lease(ctx context.Context, name, owner string, ttl time.Duration) (mine bool, err error) {
	err = l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		err := q.QueryRow(ctx, `INSERT INTO leases (name, owner, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
			ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
			WHERE leases.owner = excluded.owner OR leases.until <= clock_timestamp()
			RETURNING true`, name, owner, ttl.Microseconds()).Scan(&mine)
		if errors.Is(err, pgx.ErrNoRows) {
			mine = false
			return nil
		}
		return err
	})
	return mine && err == nil, err
}

// ReleaseLease gives a lease back; one that somebody else has stays theirs.
func (l *Ledger) ReleaseLease(ctx context.Context, name, owner string) error {
	return l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM leases WHERE name = $1 AND owner = $2`, name, owner)
		return err
	})
}

// Orphans returns notices in Sending whose owner holds no live lease.
func (l *Ledger) Orphans(ctx context.Context, limit int) ([]pipeline.Notice, error) {
	return query(ctx, l, l.hot, rowToNotice, `SELECT `+noticeColumns+` FROM notices n JOIN people p ON p.notice_id = n.id
		WHERE n.state = 'sending' AND `+inForce+` AND NOT EXISTS (
			SELECT FROM leases s WHERE s.name = 'courier/' || n.owner AND s.owner = n.owner AND s.until > clock_timestamp())
		ORDER BY n.moved_at, n.id LIMIT $1`, limit)
}

// Expired returns notices of a campaign in a state whose DueAt is not after now,
// oldest first.
func (l *Ledger) Expired(ctx context.Context, campaign int64, s pipeline.State, now time.Time, limit int) ([]pipeline.Notice, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("no such state: %q", s)
	}
	// The state is part of the text: only then a partial index is used.
	return query(ctx, l, l.hot, rowToNotice, `SELECT `+noticeColumns+` FROM (
			SELECT c.id FROM imports i CROSS JOIN LATERAL (
				SELECT n.id, n.due_at FROM notices n WHERE n.import_id = i.id AND n.state = '`+string(s)+`' AND n.due_at <= $2
				ORDER BY n.due_at LIMIT $3
			) c
			WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0
			ORDER BY c.due_at LIMIT $3
		) c JOIN notices n ON n.id = c.id JOIN people p ON p.notice_id = n.id
		ORDER BY n.due_at, n.id`, campaign, micros(now), limit)
}
