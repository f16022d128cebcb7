package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"

	"github.com/art34/art34/pipeline"
)

// tx is the transaction of a group of requests.
type tx struct {
	ctx   context.Context
	w     *writer
	wrote bool // by the request that runs now

	force   map[int64]inForce // by import, nil: not read yet
	tallies map[pipeline.Tally]int64
	counts  map[counter]int64
}

// inForce is what moves need to know about an import in force.
type inForce struct {
	campaign int64
	merged   bool
}

type counter struct {
	campaign int64
	name     string
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if s := t.w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := t.w.conn.PrepareContext(t.ctx, query)
	if err == nil {
		t.w.stmts[query] = s
	}
	return s, err
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	s, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, args...)
	if err != nil {
		t.wrote = true // perhaps: OR FAIL keeps the rows before the one that failed
		return 0, err
	}
	n, err := r.RowsAffected()
	t.wrote = t.wrote || n > 0
	return n, err
}

// scan runs a query and scans its first row; sql.ErrNoRows without one.
func (t *tx) scan(query string, args []any, into ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(t.ctx, args...).Scan(into...)
}

// rows runs a query and calls f for each row. f must not use the transaction.
func (t *tx) rows(f func(*sql.Rows) error, query string, args ...any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(t.ctx, args...)
	return each(rows, err, f)
}

func each(rows *sql.Rows, err error, f func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := f(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// imports returns the imports in force. What publishes, replaces or merges one
// calls forget.
func (t *tx) imports() (map[int64]inForce, error) {
	if t.force != nil {
		return t.force, nil
	}
	force := map[int64]inForce{}
	err := t.rows(func(r *sql.Rows) error {
		var id int64
		var f inForce
		err := r.Scan(&id, &f.campaign, &f.merged)
		force[id] = f
		return err
	}, "SELECT id, campaign_id, merged_at > 0 FROM imports WHERE published_at > 0 AND replaced_at = 0")
	if err != nil {
		return nil, err
	}
	t.force = force
	return force, nil
}

func (t *tx) forget() { t.force = nil }

// tally notes that n notices more (or less) stand here; key.Count is not used.
func (t *tx) tally(key pipeline.Tally, n int64) {
	if t.tallies == nil {
		t.tallies = map[pipeline.Tally]int64{}
	}
	key.Count = 0
	t.tallies[key] += n
}

func tallyOf(n pipeline.Notice) pipeline.Tally {
	return pipeline.Tally{Import: n.Import, Role: n.Role, Channel: n.Channel, State: n.State}
}

func (t *tx) count(campaign int64, name string, n int64) {
	if t.counts == nil {
		t.counts = map[counter]int64{}
	}
	t.counts[counter{campaign, name}] += n
}

// versionPrefix begins the counters of attempts per version.
const versionPrefix = "version/"

func versionCounter(n int) string { return versionPrefix + strconv.Itoa(n) }

// settle writes what tally and count noted: once a transaction, whatever the
// number of moves in it.
func (t *tx) settle() error {
	for k, n := range t.tallies {
		if n == 0 {
			continue
		}
		if _, err := t.exec(`INSERT INTO tallies (import_id, role, channel, state, n) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n`, k.Import, k.Role, k.Channel, k.State, n); err != nil {
			return err
		}
	}
	for k, n := range t.counts {
		if n == 0 {
			continue
		}
		if _, err := t.exec(`INSERT INTO counters (campaign_id, name, n) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET n = n + excluded.n`, k.campaign, k.name, n); err != nil {
			return err
		}
	}
	return nil
}

// audit appends an entry to the audit trail.
func (t *tx) audit(a pipeline.Audit) error {
	_, err := t.exec(`INSERT INTO audits (campaign_id, at, actor, action, reason, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		a.Campaign, micros(a.At), a.Actor, a.Action, a.Reason, a.Detail)
	return err
}

// force returns the imports in force of a campaign in order of id.
func (t *tx) importsOf(campaign int64) ([]int64, error) {
	all, err := t.imports()
	if err != nil {
		return nil, err
	}
	var ids []int64
	for id, f := range all {
		if f.campaign == campaign {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
