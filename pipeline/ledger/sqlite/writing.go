package sqlite

import (
	"context"

	"github.com/art34/art34/pipeline"
)

func writingFields(w *pipeline.Writing) []any {
	return []any{&w.Campaign, &w.File, &w.N, &w.Hash, &w.Content, &w.Actor, when{&w.At}, &w.Reason}
}

// AddWriting stores a text as the next of its file.
func (l *Ledger) AddWriting(ctx context.Context, w pipeline.Writing, after int, entries ...pipeline.Audit) (pipeline.Writing, error) {
	w.N = after + 1
	err := l.write(ctx, "add writing", 1, func(t *tx) error {
		var newest int
		if err := t.scan(`SELECT coalesce(max(n), 0) FROM writings WHERE campaign_id = ? AND file = ?`, []any{w.Campaign, w.File}, &newest); err != nil {
			return err
		}
		switch {
		case newest > after:
			return pipeline.ErrStale
		case newest < after:
			return pipeline.ErrConflict
		}
		_, err := t.exec(`INSERT INTO writings (campaign_id, file, n, hash, content, actor, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			w.Campaign, w.File, w.N, w.Hash, clean(w.Content), clean(w.Actor), micros(w.At), clean(w.Reason))
		if err != nil {
			return err
		}
		for _, a := range entries {
			if err := t.audit(a); err != nil {
				return err
			}
		}
		return nil
	})
	return w, err
}

// Writing returns a text.
func (l *Ledger) Writing(ctx context.Context, campaign int64, file string, n int) (pipeline.Writing, error) {
	return one(ctx, l, "read writing", scanner(writingFields), `SELECT campaign_id, file, n, hash, content, actor, at, reason
		FROM writings WHERE campaign_id = ? AND file = ? AND n = ?`, campaign, file, n)
}

// Writings returns the texts of a campaign without their content.
func (l *Ledger) Writings(ctx context.Context, campaign int64) ([]pipeline.Writing, error) {
	return list(ctx, l, "read writings", scanner(writingFields), `SELECT campaign_id, file, n, hash, '', actor, at, reason
		FROM writings WHERE campaign_id = ? ORDER BY file, n`, campaign)
}
