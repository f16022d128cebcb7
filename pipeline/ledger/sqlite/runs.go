package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/art34/art34/pipeline"
)

const runColumns = `id, campaign_id, state, profile, class, sheets, letters, pages, version, cut_at, letter_date, file, sha256, assembled_at, released_at, closed_at, deposit`

func scanRun(r *sql.Rows) (v pipeline.Run, err error) {
	var deposit []byte
	err = r.Scan(&v.ID, &v.Campaign, &v.State, &v.Profile, &v.Class, &v.Sheets, &v.Letters, &v.Pages, &v.Version,
		when{&v.CutAt}, when{&v.LetterDate}, &v.File, &v.SHA256, when{&v.AssembledAt}, when{&v.ReleasedAt}, when{&v.ClosedAt}, &deposit)
	if err == nil {
		err = json.Unmarshal(deposit, &v.Deposit)
	}
	return v, err
}

// runValues are the values of runColumns from state on.
func runValues(r *pipeline.Run) ([]any, error) {
	deposit, err := json.Marshal(r.Deposit)
	return []any{
		string(r.State), r.Profile, r.Class, r.Sheets, r.Letters, r.Pages, r.Version,
		micros(r.CutAt), micros(r.LetterDate), r.File, r.SHA256, micros(r.AssembledAt), micros(r.ReleasedAt), micros(r.ClosedAt), string(deposit),
	}, err
}

// CutRun stores a run with its members.
func (l *Ledger) CutRun(ctx context.Context, r pipeline.Run, items []pipeline.RunItem, members []pipeline.Change) (pipeline.Run, error) {
	values, err := runValues(&r)
	if err != nil {
		return r, err
	}
	if len(items) != len(members) {
		return r, fmt.Errorf("ledger: a run of %d items and %d members", len(items), len(members))
	}
	if err := check(members); err != nil {
		return r, err
	}
	err = l.write(ctx, "cut a run", len(items), func(t *tx) error {
		err := t.scan(`INSERT INTO runs (campaign_id, state, profile, class, sheets, letters, pages, version, cut_at, letter_date, file, sha256, assembled_at, released_at, closed_at, deposit)
			VALUES `+marks(16)+` RETURNING id`, append([]any{r.Campaign}, values...), &r.ID)
		if err != nil {
			return err
		}
		t.wrote = true
		return t.enter(r.ID, items, members)
	})
	if err != nil {
		r.ID = 0 // rolled back
	}
	r.CutAt, r.LetterDate = moment(micros(r.CutAt)), moment(micros(r.LetterDate))
	return r, err
}

// AddToRun adds members to a run that is being filled.
func (l *Ledger) AddToRun(ctx context.Context, id int64, items []pipeline.RunItem, members []pipeline.Change) error {
	if len(items) != len(members) {
		return fmt.Errorf("ledger: %d items and %d members of a run", len(items), len(members))
	}
	if err := check(members); err != nil {
		return err
	}
	return l.write(ctx, "add to a run", len(items), func(t *tx) error {
		if err := t.runIn(id, pipeline.RunFilling); err != nil {
			return err
		}
		return t.enter(id, items, members)
	})
}

// CloseRun ends the filling of a run.
func (l *Ledger) CloseRun(ctx context.Context, id int64) error {
	return l.write(ctx, "close a run", 1, func(t *tx) error {
		_, err := t.exec(`UPDATE runs SET state = 'cut', letters = (SELECT count(*) FROM run_items WHERE run_id = runs.id) WHERE id = ? AND state = 'filling'`, id)
		return err
	})
}

// enter writes members into a run.
func (t *tx) enter(run int64, items []pipeline.RunItem, members []pipeline.Change) error {
	for i := range members {
		items[i].Run = run
		if err := t.item(items[i]); err != nil {
			return err
		}
		ok, err := t.apply(inRun(members[i], items[i]))
		if err != nil {
			return err
		}
		if !ok {
			return pipeline.ErrStale
		}
	}
	return nil
}

// runIn is pipeline.ErrConflict unless the run is in one of the states.
func (t *tx) runIn(id int64, states ...pipeline.RunState) error {
	var state pipeline.RunState
	err := t.scan(`SELECT state FROM runs WHERE id = ?`, []any{id}, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return pipeline.ErrNotFound
	case err != nil:
		return err
	case !slices.Contains(states, state):
		return pipeline.ErrConflict
	}
	return nil
}

// inRun writes the number of the run, which the caller could not know, into what
// the change brings along.
func inRun(c pipeline.Change, item pipeline.RunItem) *pipeline.Change {
	if c.Attempt != nil {
		a := *c.Attempt
		a.Run, a.Seq = item.Run, item.Seq
		c.Attempt = &a
	}
	if c.Event != nil && c.Event.Kind == pipeline.EvCut && c.Event.Detail == "" {
		e := *c.Event
		e.Detail = pipeline.RunName(item.Run)
		c.Event = &e
	}
	return &c
}

func (t *tx) item(i pipeline.RunItem) error {
	_, err := t.exec(`INSERT INTO run_items (run_id, seq, notice_id, attempt, first_page, pages, state) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET first_page = excluded.first_page, pages = excluded.pages, state = excluded.state`,
		i.Run, i.Seq, i.Notice, i.Attempt, i.FirstPage, i.Pages, string(i.State))
	return err
}

// Run returns a run, or pipeline.ErrNotFound.
func (l *Ledger) Run(ctx context.Context, id int64) (pipeline.Run, error) {
	return one(ctx, l, "read run", scanRun, `SELECT `+runColumns+` FROM runs WHERE id = ?`, id)
}

// Runs returns the runs of a campaign, or all of them for campaign 0, oldest first.
func (l *Ledger) Runs(ctx context.Context, campaign int64) ([]pipeline.Run, error) {
	if campaign == 0 {
		return list(ctx, l, "read runs", scanRun, `SELECT `+runColumns+` FROM runs ORDER BY id`)
	}
	return list(ctx, l, "read runs", scanRun, `SELECT `+runColumns+` FROM runs WHERE campaign_id = ? ORDER BY id`, campaign)
}

// RunItems returns the letters of a run in order of Seq.
func (l *Ledger) RunItems(ctx context.Context, id int64) ([]pipeline.RunItem, error) {
	return list(ctx, l, "read run", scanner(func(i *pipeline.RunItem) []any {
		return []any{&i.Run, &i.Seq, &i.Notice, &i.Attempt, &i.FirstPage, &i.Pages, &i.State}
	}), `SELECT run_id, seq, notice_id, attempt, first_page, pages, state FROM run_items WHERE run_id = ? ORDER BY seq`, id)
}

// RunJobs returns the members of a run in order of Seq.
func (l *Ledger) RunJobs(ctx context.Context, id int64) ([]pipeline.Job, error) {
	return list(ctx, l, "read run", scanJob, `SELECT `+noticeColumns+`, p.sealed FROM run_items AS r CROSS JOIN notices AS n ON n.id = r.notice_id
		CROSS JOIN people AS p ON p.notice_id = n.id WHERE r.run_id = ? ORDER BY r.seq`, id)
}

// UpdateRun writes a run, its items and its members if it is in one of the states
// from.
func (l *Ledger) UpdateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	return l.updateRun(ctx, r, from, nil, items, members, a)
}

// AssembleRun writes a run that was drawn, if none of the letters drawn has moved on.
func (l *Ledger) AssembleRun(ctx context.Context, r pipeline.Run, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	return l.updateRun(ctx, r, []pipeline.RunState{pipeline.RunCut}, drawn, items, members, a)
}

func (l *Ledger) updateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	values, err := runValues(&r)
	if err != nil {
		return err
	}
	if err := check(members); err != nil {
		return err
	}
	return l.write(ctx, "update a run", 1+len(items)+len(members), func(t *tx) error {
		if err := t.runIn(r.ID, from...); err != nil {
			return err
		}
		if err := t.printing(drawn); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE runs SET state = ?, profile = ?, class = ?, sheets = ?, letters = ?, pages = ?, version = ?,
			cut_at = ?, letter_date = ?, file = ?, sha256 = ?, assembled_at = ?, released_at = ?, closed_at = ?, deposit = ? WHERE id = ?`, append(values, r.ID)...); err != nil {
			return err
		}
		for _, i := range items {
			if i.Run != r.ID {
				return fmt.Errorf("ledger: item %d of run %d given for run %d", i.Seq, i.Run, r.ID)
			}
			if err := t.item(i); err != nil {
				return err
			}
		}
		for i := range members {
			ok, err := t.apply(&members[i])
			if err != nil {
				return err
			}
			if !ok {
				return pipeline.ErrStale
			}
		}
		return t.audit(a)
	})
}
