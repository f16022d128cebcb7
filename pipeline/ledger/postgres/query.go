package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/art34/art34/pipeline"
)

// query runs one reading statement, or one that changes and returns rows, and
// collects them.
func query[T any](ctx context.Context, l *Ledger, pool *pgxpool.Pool, f pgx.RowToFunc[T], sql string, args ...any) (out []T, err error) {
	err = l.on(ctx, pool, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, f)
		return err
	})
	return out, err
}

// one is query for a single row; without it the error is pipeline.ErrNotFound.
func one[T any](ctx context.Context, l *Ledger, pool *pgxpool.Pool, f pgx.RowToFunc[T], sql string, args ...any) (T, error) {
	all, err := query(ctx, l, pool, f, sql, args...)
	if err == nil && len(all) == 0 {
		err = pipeline.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

// pageSize is how many rows an iterator reads at a time.
const pageSize = 500

// pages yields page after page until one is not full. next gets the last value
// that was yielded, at first the zero value. No connection is held while the
// caller looks at a value.
func pages[T any](next func(last T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last T
		for {
			page, err := next(last)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
				last = v
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}
