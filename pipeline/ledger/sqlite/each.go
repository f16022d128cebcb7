package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"iter"
	"math"
	"slices"

	"github.com/art34/art34/pipeline"
)

// Each yields the notices that match, in order of ID.
func (l *Ledger) Each(ctx context.Context, f pipeline.Filter) iter.Seq2[pipeline.Job, error] {
	left := f.Limit
	all := pages(func(last pipeline.Job) ([]pipeline.Job, error) {
		size := pageSize
		if f.Limit > 0 {
			size = min(size, left)
		}
		if size == 0 {
			return nil, nil
		}
		page, err := l.page(ctx, f, max(f.After, last.ID), size)
		left -= len(page)
		return page, err
	})
	return func(yield func(pipeline.Job, error) bool) {
		left = f.Limit
		all(yield)
	}
}

// page returns the next notices after an ID. Each import is read along its own
// index and the pages are merged: IDs of one import lie together.
func (l *Ledger) page(ctx context.Context, f pipeline.Filter, after int64, size int) ([]pipeline.Job, error) {
	imports, err := l.inForceOf(ctx, f.Campaign)
	if err != nil {
		return nil, err
	}
	query := `SELECT ` + noticeColumns + `, p.sealed FROM notices AS n INDEXED BY notices_import CROSS JOIN people AS p ON p.notice_id = n.id
		WHERE n.import_id = ? AND n.id > ? AND n.id < ?`
	args := []any{int64(0), after, int64(math.MaxInt64)}
	if len(f.States) > 0 {
		query += ` AND n.state IN ` + marks(len(f.States))
		for _, s := range f.States {
			args = append(args, string(s))
		}
	}
	if len(f.Roles) > 0 {
		query += ` AND n.role IN ` + marks(len(f.Roles))
		for _, r := range f.Roles {
			args = append(args, string(r))
		}
	}
	if f.Flag != "" {
		query += ` AND instr('|' || n.flags || '|', ?) > 0`
		args = append(args, "|"+f.Flag+"|")
	}
	if f.Reason != "" {
		query += ` AND n.reason = ?`
		args = append(args, f.Reason)
	}
	query += ` ORDER BY n.id LIMIT ?`
	args = append(args, size)
	var jobs []pipeline.Job
	for _, id := range imports {
		args[0] = id
		page, err := list(ctx, l, "read notices", scanJob, query, args...)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, page...)
		slices.SortFunc(jobs, func(a, b pipeline.Job) int { return cmp.Compare(a.ID, b.ID) })
		if len(jobs) >= size { // of the imports to come only what lies before
			jobs = jobs[:size]
			args[2] = jobs[size-1].ID
		}
	}
	return jobs, nil
}

// EventsByNotice yields the events of a campaign in order of notice, then ID.
func (l *Ledger) EventsByNotice(ctx context.Context, campaign int64) iter.Seq2[pipeline.Event, error] {
	return func(yield func(pipeline.Event, error) bool) {
		first, last, err := l.span(ctx, campaign)
		if err != nil {
			yield(pipeline.Event{}, err)
			return
		}
		pages(func(e pipeline.Event) ([]pipeline.Event, error) {
			return list(ctx, l, "read events", scanEvent, `SELECT `+eventColumns+` FROM events AS e INDEXED BY events_notice
				CROSS JOIN notices AS n ON n.id = e.notice_id CROSS`+visible+` AND i.campaign_id = ?
				WHERE e.notice_id <= ? AND (e.notice_id, e.id) > (?, ?) ORDER BY e.notice_id, e.id LIMIT ?`,
				campaign, last, max(e.Notice, first), e.ID, pageSize)
		})(yield)
	}
}

// span returns the IDs between which the notices of a campaign lie.
func (l *Ledger) span(ctx context.Context, campaign int64) (first, last int64, err error) {
	imports, err := l.inForceOf(ctx, campaign)
	if err != nil {
		return 0, 0, err
	}
	for i, id := range imports {
		err := l.rows(ctx, "read notices", func(r *sql.Rows) error {
			var lo, hi int64
			err := r.Scan(&lo, &hi)
			if i == 0 || lo < first {
				first = lo
			}
			last = max(last, hi)
			return err
		}, `SELECT coalesce((SELECT min(id) FROM notices INDEXED BY notices_import WHERE import_id = ?1), 0),
			coalesce((SELECT max(id) FROM notices INDEXED BY notices_import WHERE import_id = ?1), 0)`, id)
		if err != nil {
			return 0, 0, err
		}
	}
	return first, last, nil
}
