package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const runColumns = `id, campaign_id, state, profile, class, sheets, letters, pages, version, cut_at, letter_date, file, sha256, assembled_at, released_at, closed_at, deposit`

func rowToRun(row pgx.CollectableRow) (r pipeline.Run, err error) {
	var deposit []byte
	var cut, date, assembled, released, closed int64
	err = row.Scan(&r.ID, &r.Campaign, &r.State, &r.Profile, &r.Class, &r.Sheets, &r.Letters, &r.Pages, &r.Version, &cut, &date,
		&r.File, &r.SHA256, &assembled, &released, &closed, &deposit)
	if err != nil {
		return r, err
	}
	r.CutAt, r.LetterDate, r.AssembledAt, r.ReleasedAt, r.ClosedAt = moment(cut), moment(date), moment(assembled), moment(released), moment(closed)
	return r, json.Unmarshal(deposit, &r.Deposit)
}

// runValues are the values of runColumns.
func runValues(r pipeline.Run) ([]any, error) {
	deposit, err := json.Marshal(r.Deposit)
	return []any{
		r.ID, r.Campaign, string(r.State), clean(r.Profile), clean(r.Class), r.Sheets, r.Letters, r.Pages, r.Version, micros(r.CutAt), micros(r.LetterDate),
		clean(r.File), r.SHA256, micros(r.AssembledAt), micros(r.ReleasedAt), micros(r.ClosedAt), string(deposit),
	}, err
}

// CutRun stores a run with its members and moves them into Printing, all or
// nothing.
func (l *Ledger) CutRun(ctx context.Context, r pipeline.Run, items []pipeline.RunItem, members []pipeline.Change) (pipeline.Run, error) {
	if len(items) != len(members) {
		return r, fmt.Errorf("a run of %d items has %d members", len(items), len(members))
	}
	if err := errors.Join(check(members), onceEach(members)); err != nil {
		return r, err
	}
	cut := r
	err := l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		// A transaction that fails gives the number back: runs have no gaps.
		if err := q.QueryRow(ctx, `UPDATE sequences SET next = next + 1 WHERE name = 'run' RETURNING next - 1`).Scan(&cut.ID); err != nil {
			return err
		}
		values, err := runValues(cut)
		if err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `INSERT INTO runs (`+runColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`, values...); err != nil {
			return err
		}
		return enter(ctx, q, cut.ID, items, members)
	})
	if err != nil {
		return r, err
	}
	return cut, nil
}

// AddToRun adds members to a run that is being filled.
func (l *Ledger) AddToRun(ctx context.Context, id int64, items []pipeline.RunItem, members []pipeline.Change) error {
	if len(items) != len(members) {
		return fmt.Errorf("%d items and %d members of a run", len(items), len(members))
	}
	if err := errors.Join(check(members), onceEach(members)); err != nil {
		return err
	}
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		if err := runIn(ctx, q, id, pipeline.RunFilling); err != nil {
			return err
		}
		return enter(ctx, q, id, items, members)
	})
}

// CloseRun ends the filling of a run.
func (l *Ledger) CloseRun(ctx context.Context, id int64) error {
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		// Whoever adds members has the row locked. The letters are counted by a second
		// statement, which sees what was committed while this one waited.
		err := runIn(ctx, q, id, pipeline.RunFilling)
		if errors.Is(err, pipeline.ErrConflict) || errors.Is(err, pipeline.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = q.Exec(ctx, `UPDATE runs SET state = 'cut', letters = (SELECT count(*) FROM run_items WHERE run_id = $1) WHERE id = $1`, id)
		return err
	})
}

// enter writes members into a run.
func enter(ctx context.Context, q querier, run int64, items []pipeline.RunItem, members []pipeline.Change) error {
	_, err := q.CopyFrom(ctx, pgx.Identifier{"run_items"}, []string{"run_id", "seq", "notice_id", "attempt", "first_page", "pages", "state"},
		pgx.CopyFromSlice(len(items), func(i int) ([]any, error) {
			it := items[i]
			return []any{run, int32(it.Seq), it.Notice, int32(it.Attempt), int32(it.FirstPage), int32(it.Pages), string(it.State)}, nil
		}))
	if err != nil {
		return err
	}
	return applyAll(ctx, q, inRun(run, items, members))
}

// runIn locks the row of a run, and is pipeline.ErrConflict unless it is in that
// state.
func runIn(ctx context.Context, q querier, id int64, state pipeline.RunState) error {
	var is pipeline.RunState
	err := q.QueryRow(ctx, `SELECT state FROM runs WHERE id = $1 FOR UPDATE`, id).Scan(&is)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return pipeline.ErrNotFound
	case err == nil && is != state:
		return pipeline.ErrConflict
	}
	return err
}

// inRun returns members with the number of the run, and their place in it, in
// their attempts and events.
func inRun(id int64, items []pipeline.RunItem, members []pipeline.Change) []pipeline.Change {
	out := make([]pipeline.Change, len(members))
	for i, c := range members {
		if c.Attempt != nil {
			a := *c.Attempt
			a.Run, a.Seq = id, items[i].Seq
			c.Attempt = &a
		}
		if c.Event != nil && c.Event.Kind == pipeline.EvCut && c.Event.Detail == "" {
			e := *c.Event
			e.Detail = pipeline.RunName(id)
			c.Event = &e
		}
		out[i] = c
	}
	return out
}

// applyAll moves all members, or fails with pipeline.ErrStale.
func applyAll(ctx context.Context, q querier, members []pipeline.Change) error {
	if len(members) == 0 {
		return nil
	}
	ok, err := apply(ctx, q, members)
	if err != nil {
		return err
	}
	for _, moved := range ok {
		if !moved {
			return pipeline.ErrStale
		}
	}
	return nil
}

// UpdateRun writes r if it is in one of the states from, with items and members.
func (l *Ledger) UpdateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	return l.updateRun(ctx, r, from, nil, items, members, a)
}

// AssembleRun writes a run that was drawn, if none of the letters drawn has moved on.
func (l *Ledger) AssembleRun(ctx context.Context, r pipeline.Run, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	return l.updateRun(ctx, r, []pipeline.RunState{pipeline.RunCut}, drawn, items, members, a)
}

func (l *Ledger) updateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	if err := errors.Join(check(members), onceEach(members)); err != nil {
		return err
	}
	states := strs(from)
	values, err := runValues(r)
	if err != nil {
		return err
	}
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE runs SET (`+runColumns+`) = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
			WHERE id = $1 AND campaign_id = $2 AND state = ANY($18)`, append(values, states)...)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return missingOr(ctx, q, pipeline.ErrConflict, `SELECT EXISTS (SELECT FROM runs WHERE id = $1 AND campaign_id = $2)`, r.ID, r.Campaign)
		}
		if err := printing(ctx, q, drawn); err != nil {
			return err
		}
		if err := updateItems(ctx, q, r.ID, items); err != nil {
			return err
		}
		if err := applyAll(ctx, q, members); err != nil {
			return err
		}
		return audit(ctx, q, a)
	})
}

// updateItems writes items of a run by their place in it.
func updateItems(ctx context.Context, q querier, run int64, items []pipeline.RunItem) error {
	if len(items) == 0 {
		return nil
	}
	var seq, attempt, page, pages []int32
	var notice []int64
	var state []string
	for _, it := range items {
		seq = append(seq, int32(it.Seq))
		notice = append(notice, it.Notice)
		attempt = append(attempt, int32(it.Attempt))
		page = append(page, int32(it.FirstPage))
		pages = append(pages, int32(it.Pages))
		state = append(state, string(it.State))
	}
	_, err := q.Exec(ctx, `UPDATE run_items r SET attempt = x.attempt, first_page = x.first_page, pages = x.pages, state = x.state
		FROM unnest($2::int[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::text[]) AS x (seq, notice_id, attempt, first_page, pages, state)
		WHERE r.run_id = $1 AND r.seq = x.seq AND r.notice_id = x.notice_id`, run, seq, notice, attempt, page, pages, state)
	return err
}

// Run returns a print run, or pipeline.ErrNotFound.
func (l *Ledger) Run(ctx context.Context, id int64) (pipeline.Run, error) {
	return one(ctx, l, l.hot, rowToRun, `SELECT `+runColumns+` FROM runs WHERE id = $1`, id)
}

// Runs returns the runs of a campaign, oldest first; campaign 0: all.
func (l *Ledger) Runs(ctx context.Context, campaign int64) ([]pipeline.Run, error) {
	return query(ctx, l, l.hot, rowToRun, `SELECT `+runColumns+` FROM runs WHERE campaign_id = $1 OR $1 = 0 ORDER BY id`, campaign)
}

// RunItems returns the items of a run in order of Seq.
func (l *Ledger) RunItems(ctx context.Context, id int64) ([]pipeline.RunItem, error) {
	return query(ctx, l, l.hot, func(row pgx.CollectableRow) (it pipeline.RunItem, err error) {
		err = row.Scan(&it.Run, &it.Seq, &it.Notice, &it.Attempt, &it.FirstPage, &it.Pages, &it.State)
		return it, err
	}, `SELECT run_id, seq, notice_id, attempt, first_page, pages, state FROM run_items WHERE run_id = $1 ORDER BY seq`, id)
}

// RunJobs returns the members of a run in order of Seq, whatever their state.
func (l *Ledger) RunJobs(ctx context.Context, id int64) ([]pipeline.Job, error) {
	return query(ctx, l, l.hot, rowToJob, `SELECT `+jobColumns+` FROM run_items r
		JOIN notices n ON n.id = r.notice_id JOIN people p ON p.notice_id = n.id WHERE r.run_id = $1 ORDER BY r.seq`, id)
}
