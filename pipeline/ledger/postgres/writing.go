package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

func rowToWriting(row pgx.CollectableRow) (w pipeline.Writing, err error) {
	var at int64
	err = row.Scan(&w.Campaign, &w.File, &w.N, &w.Hash, &w.Content, &w.Actor, &at, &w.Reason)
	w.At = moment(at)
	return w, err
}

// AddWriting stores a text as the next of its file. The key decides who was first.
func (l *Ledger) AddWriting(ctx context.Context, w pipeline.Writing, after int, entries ...pipeline.Audit) (pipeline.Writing, error) {
	w.N = after + 1
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		var newest int
		if err := q.QueryRow(ctx, `SELECT coalesce(max(n), 0) FROM writings WHERE campaign_id = $1 AND file = $2`, w.Campaign, w.File).Scan(&newest); err != nil {
			return err
		}
		switch {
		case newest > after:
			return pipeline.ErrStale
		case newest < after:
			return pipeline.ErrConflict
		}
		_, err := q.Exec(ctx, `INSERT INTO writings (campaign_id, file, n, hash, content, actor, at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			w.Campaign, w.File, w.N, w.Hash, clean(w.Content), clean(w.Actor), micros(w.At), clean(w.Reason))
		if isUnique(err) {
			return pipeline.ErrStale
		}
		if err != nil {
			return err
		}
		for _, a := range entries {
			if err := audit(ctx, q, a); err != nil {
				return err
			}
		}
		return nil
	})
	return w, err
}

// Writing returns a text.
func (l *Ledger) Writing(ctx context.Context, campaign int64, file string, n int) (pipeline.Writing, error) {
	return one(ctx, l, l.desk, rowToWriting, `SELECT campaign_id, file, n, hash, content, actor, at, reason
		FROM writings WHERE campaign_id = $1 AND file = $2 AND n = $3`, campaign, clean(file), n)
}

// Writings returns the texts of a campaign without their content.
func (l *Ledger) Writings(ctx context.Context, campaign int64) ([]pipeline.Writing, error) {
	return query(ctx, l, l.desk, rowToWriting, `SELECT campaign_id, file, n, hash, '', actor, at, reason
		FROM writings WHERE campaign_id = $1 ORDER BY file, n`, campaign)
}
