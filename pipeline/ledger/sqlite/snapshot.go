package sqlite

import (
	"context"
	"database/sql"
)

// snapshot is a reading transaction: all its queries see the same state.
type snapshot struct {
	ctx context.Context
	l   *Ledger
	tx  *sql.Tx
}

// snapshot runs f on one.
func (l *Ledger) snapshot(ctx context.Context, doing string, f func(*snapshot) error) error {
	tx, err := l.reads.BeginTx(ctx, nil)
	if err != nil {
		return translate(doing, err)
	}
	err = f(&snapshot{ctx, l, tx})
	_ = tx.Rollback() // nothing was written
	return translate(doing, err)
}

func (s *snapshot) rows(f func(*sql.Rows) error, query string, args ...any) error {
	q, err := s.l.stmt(s.ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.tx.StmtContext(s.ctx, q).QueryContext(s.ctx, args...)
	return each(rows, err, f)
}

// imports returns the imports in force of a campaign, oldest first.
func (s *snapshot) imports(campaign int64) (ids []int64, merged []bool, err error) {
	err = s.rows(func(r *sql.Rows) error {
		var id int64
		var m bool
		err := r.Scan(&id, &m)
		ids, merged = append(ids, id), append(merged, m)
		return err
	}, `SELECT id, merged_at > 0 FROM imports WHERE campaign_id = ? AND published_at > 0 AND replaced_at = 0 ORDER BY id`, campaign)
	return ids, merged, err
}
