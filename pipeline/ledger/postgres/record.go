package postgres

import (
	"context"
	"slices"

	"github.com/art34/art34/pipeline"
)

// Record appends events that move nothing. The notices are locked first, so that
// Into is the state between the event before and the event after, and the ids of
// a notice's events follow the order in which they happened to it.
func (l *Ledger) Record(ctx context.Context, events []pipeline.Event) error {
	if len(events) == 0 {
		return nil
	}
	var a eventArrays
	for _, e := range events {
		a.add(e)
	}
	ids := slices.Clone(a.notice)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `SELECT n.id FROM notices n WHERE n.id = ANY($1) AND `+inForce+` ORDER BY n.id FOR NO KEY UPDATE OF n`, ids)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != int64(len(ids)) {
			return pipeline.ErrNotFound
		}
		_, err = q.Exec(ctx, `INSERT INTO events (notice_id, attempt, kind, outcome, at, actor, code, detail, into_state, channel, moved)
			SELECT e.notice_id, e.attempt, e.kind, e.outcome, e.at, e.actor, e.code, e.detail, n.state, n.channel, false
			FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
				WITH ORDINALITY AS e (notice_id, attempt, kind, outcome, at, actor, code, detail, place)
			JOIN notices n ON n.id = e.notice_id
			WHERE e.detail = '' OR NOT EXISTS (
				SELECT FROM events o WHERE o.notice_id = e.notice_id AND o.attempt = e.attempt AND o.kind = e.kind AND o.code = e.code AND o.detail = e.detail)
			ORDER BY e.place
			ON CONFLICT DO NOTHING`,
			a.notice, a.attempt, a.kind, a.outcome, a.at, a.actor, a.code, a.detail)
		return err
	})
}
