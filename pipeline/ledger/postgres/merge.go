package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// Absorb gives the parent the sealed person of the change and removes the
// supplement.
func (l *Ledger) Absorb(ctx context.Context, parent pipeline.Change, supplement pipeline.Notice) (bool, error) {
	if !ledger.MayAbsorb(parent.From, supplement) {
		return false, nil
	}
	changes := []pipeline.Change{parent}
	if err := check(changes); err != nil {
		return false, err
	}
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if err := applyAll(ctx, q, changes); err != nil {
			return err
		}
		return removeSupplement(ctx, q, supplement, parent.From.ID)
	})
	if errors.Is(err, pipeline.ErrStale) {
		return false, nil
	}
	return err == nil, err
}

// removeSupplement takes out a supplement that its parent has taken in. Its
// tokens lead to the parent from now on.
func removeSupplement(ctx context.Context, q querier, s pipeline.Notice, parent int64) error {
	rows, err := q.Query(ctx, `WITH gone AS (
			DELETE FROM notices n WHERE n.id = $1 AND n.gen = $2 AND n.role = 'supplement' AND n.state = $3 AND `+inForce+`
				AND EXISTS (SELECT FROM people p WHERE p.notice_id = n.id AND p.parent_id = $5)
			RETURNING n.id, n.import_id, n.role, n.channel, n.state
		), p AS (DELETE FROM people WHERE notice_id IN (SELECT id FROM gone)
		), e AS (DELETE FROM events WHERE notice_id IN (SELECT id FROM gone)
		), a AS (DELETE FROM attempts WHERE notice_id IN (SELECT id FROM gone)
		), older AS (UPDATE absorptions SET parent_id = $4 WHERE parent_id IN (SELECT id FROM gone)
		), b AS (INSERT INTO absorptions (notice_id, parent_id) SELECT id, $4 FROM gone
		), i AS (UPDATE imports SET absorbed = absorbed + 1 WHERE id IN (SELECT import_id FROM gone)
		), t AS (
			INSERT INTO tallies AS t (import_id, role, channel, state, shard, n)
			SELECT import_id, role, channel, state, pg_backend_pid() % 64, -1 FROM gone
			ON CONFLICT (import_id, role, channel, state, shard) DO UPDATE SET n = t.n - 1
		)
		SELECT id FROM gone`, s.ID, s.Gen, string(s.State), parent, s.Parent)
	if err != nil {
		return err
	}
	gone, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err == nil && len(gone) == 0 {
		return pipeline.ErrStale
	}
	return err
}
