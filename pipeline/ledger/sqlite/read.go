package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/art34/art34/pipeline"
)

// stmt returns the statement on the reading pool, prepared once.
func (l *Ledger) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := l.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := l.reads.PrepareContext(ctx, query)
	if err != nil {
		return nil, translate("prepare", err)
	}
	if first, loaded := l.stmts.LoadOrStore(query, s); loaded {
		_ = s.Close()
		return first.(*sql.Stmt), nil
	}
	return s, nil
}

// rows runs a query and calls f for each row.
func (l *Ledger) rows(ctx context.Context, doing string, f func(*sql.Rows) error, query string, args ...any) error {
	s, err := l.stmt(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	return translate(doing, each(rows, err, f))
}

// list collects what scan makes of each row.
func list[T any](ctx context.Context, l *Ledger, doing string, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := l.rows(ctx, doing, func(r *sql.Rows) error {
		v, err := scan(r)
		all = append(all, v)
		return err
	}, query, args...)
	return all, err
}

// one returns the only row of a query, or pipeline.ErrNotFound.
func one[T any](ctx context.Context, l *Ledger, doing string, scan func(*sql.Rows) (T, error), query string, args ...any) (T, error) {
	all, err := list(ctx, l, doing, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = pipeline.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// scanner makes a scan function of a list of fields.
func scanner[T any](fields func(*T) []any) func(*sql.Rows) (T, error) {
	return func(r *sql.Rows) (v T, err error) {
		err = r.Scan(fields(&v)...)
		return v, err
	}
}

func scanInt(r *sql.Rows) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// inForceOf returns the imports in force of a campaign, oldest first.
func (l *Ledger) inForceOf(ctx context.Context, campaign int64) ([]int64, error) {
	return list(ctx, l, "read imports", scanInt, `SELECT id FROM imports WHERE campaign_id = ? AND published_at > 0 AND replaced_at = 0 ORDER BY id`, campaign)
}

// Ping reports whether the file can be read.
func (l *Ledger) Ping(ctx context.Context) error {
	_, err := one(ctx, l, "ping", scanInt, `SELECT count(*) FROM meta`)
	return err
}

// Meta returns a fact of the installation, "" if it was never set.
func (l *Ledger) Meta(ctx context.Context, key string) (string, error) {
	v, err := one(ctx, l, "read meta", scanText, `SELECT value FROM meta WHERE key = ?`, key)
	if errors.Is(err, pipeline.ErrNotFound) {
		return "", nil
	}
	return v, err
}

func scanText(r *sql.Rows) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// SwapMeta sets a fact that is still what it was.
func (l *Ledger) SwapMeta(ctx context.Context, key, was, value string) error {
	return l.write(ctx, "swap meta", 2, func(t *tx) error {
		if was == "" { // a fact that was never set is the empty one
			if _, err := t.exec(`INSERT INTO meta (key, value) VALUES (?, '') ON CONFLICT DO NOTHING`, key); err != nil {
				return err
			}
		}
		n, err := t.exec(`UPDATE meta SET value = ? WHERE key = ? AND value = ?`, value, key, was)
		if err == nil && n == 0 {
			err = pipeline.ErrConflict
		}
		return err
	})
}

// SetMeta sets a fact of the installation and returns the value in force.
func (l *Ledger) SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error) {
	in := value
	err := l.write(ctx, "set meta", 1, func(t *tx) error {
		_, err := t.exec(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value WHERE ?`, key, value, !ifEmpty)
		if err != nil {
			return err
		}
		return t.scan(`SELECT value FROM meta WHERE key = ?`, []any{key}, &in)
	})
	return in, err
}
