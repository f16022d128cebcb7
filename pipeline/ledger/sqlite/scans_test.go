package sqlite

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/ledger/ledgertest"
)

// TestNoScans asks SQLite how it runs every statement that the methods used, and
// finds none that reads a table of notices, or all notices of an import, from end
// to end.
func TestNoScans(t *testing.T) {
	t.Parallel()
	l := open(t)
	c := populate(t, l, "muguet", 60)
	ctx, id := t.Context(), c.campaign.ID
	c.carry(t, 8, 8, "p")
	if err := ledgertest.Ask(ctx, c, id, c.first+20, start); err != nil {
		t.Fatal(err)
	}
	var queries []string
	l.stmts.Range(func(q, _ any) bool { queries = append(queries, q.(string)); return true })
	for q := range l.writer.stmts {
		queries = append(queries, q)
	}
	if len(queries) < 50 {
		t.Fatalf("only %d statements seen", len(queries))
	}
	db := raw(t, c.cfg.Path)
	for _, q := range queries {
		for _, step := range plan(t, db, q) {
			for _, table := range []string{"n", "notices", "p", "people", "e", "events", "a", "attempts", "t", "tokens", "absorptions", "run_items", "k", "c", "calls", "s", "call_steps", "audits"} {
				if step == "SCAN "+table || strings.HasPrefix(step, "SCAN "+table+" ") && !strings.Contains(step, "VIRTUAL TABLE") {
					t.Errorf("%s:\n%s", step, q)
				}
			}
			if strings.HasSuffix(step, "notices_import (import_id=?)") && !strings.Contains(q, "LIMIT") && !strings.Contains(q, "min(id)") {
				t.Errorf("%s:\n%s", step, q)
			}
		}
	}
}

// plan returns the steps of a statement.
func plan(t *testing.T, db *sql.DB, query string) (steps []string) {
	t.Helper()
	args := make([]any, 31)
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		if strings.HasPrefix(query, "COMMIT") {
			return nil
		}
		t.Fatal(err, query)
	}
	err = each(rows, nil, func(r *sql.Rows) error {
		var step string
		err := r.Scan(new(int), new(int), new(int), &step)
		steps = append(steps, step)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return steps
}
