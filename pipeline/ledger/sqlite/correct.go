package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/art34/art34/pipeline"
)

// AddTokens adds tokens of notices to the blind index.
func (l *Ledger) AddTokens(ctx context.Context, tokens []pipeline.Token) error {
	if len(tokens) == 0 {
		return nil
	}
	return l.write(ctx, "add tokens", len(tokens), func(t *tx) error {
		for _, x := range tokens {
			var in int64
			err := t.scan(`SELECT n.import_id FROM notices AS n`+visible+` WHERE n.id = ?`, []any{x.Notice}, &in)
			if errors.Is(err, sql.ErrNoRows) {
				return pipeline.ErrNotFound
			}
			if err != nil {
				return err
			}
			if _, err := t.exec(`INSERT OR IGNORE INTO tokens (import_id, hash, notice_id) VALUES (?, ?, ?)`, in, x.Hash[:], x.Notice); err != nil {
				return err
			}
		}
		return nil
	})
}
