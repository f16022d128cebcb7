package postgres

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// AddTokens adds tokens of notices to the blind index.
func (l *Ledger) AddTokens(ctx context.Context, tokens []pipeline.Token) error {
	if len(tokens) == 0 {
		return nil
	}
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		for _, x := range tokens {
			tag, err := q.Exec(ctx, `INSERT INTO tokens (import_id, hash, notice_id)
				SELECT n.import_id, $2, n.id FROM notices n WHERE n.id = $1 AND `+inForce+`
				ON CONFLICT (import_id, hash, notice_id) DO UPDATE SET notice_id = excluded.notice_id`, x.Notice, x.Hash)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 {
				return pipeline.ErrNotFound
			}
		}
		return nil
	})
}
