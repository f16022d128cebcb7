package postgres_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/art34/art34/pipeline/ledger/ledgertest"
)

// bigTables grow with the population or with the calls.
var bigTables = []string{"notices", "people", "attempts", "events", "tokens", "absorptions", "run_items", "calls", "call_steps", "audits", "api_answers"}

// few are indexes of what is never much at a time.
var few = []string{"notices_moving", "calls_waiting", "proposals_unapplied", "audits_by_hand"}

// crowd fills the big tables beside what the notices of a population have. A print run
// is as small beside them as one of a thousand letters beside a million.
const crowd = `
	INSERT INTO events (notice_id, attempt, kind, outcome, at, actor, code, detail, into_state, channel, moved)
		SELECT id, 1, 'held', '', 1, 'x', '', '', 'held', 'email', true FROM notices n, generate_series(1, 3);
	INSERT INTO attempts (notice_id, n, kind, channel, version, told, at, tries, letter, bytes, renderer, run_id, seq, queue_id)
		SELECT id, 7, 'first', 'email', 1, 1, 1, 1, '', '', '1', 0, 0, '' FROM notices;
	INSERT INTO tokens (import_id, hash, notice_id)
		SELECT import_id, md5(id::text || k)::uuid, id FROM notices n, generate_series(1, 4) k;
	INSERT INTO absorptions (notice_id, parent_id) SELECT id + 10000000, id FROM notices;
	INSERT INTO run_items (run_id, seq, notice_id, attempt, first_page, pages, state)
		SELECT 1000 + id / 50, id % 50 + 1, id, 7, 1, 2, 'in' FROM notices;
	INSERT INTO audits (campaign_id, at, actor, action, reason, detail)
		SELECT 1, 1, 'user:ana', CASE WHEN k % 5000 = 0 THEN 'pause' ELSE 'look-up' END, '', '' FROM generate_series(1, 30000) k;
	INSERT INTO calls (campaign_id, notice_id, import_id, agent, source, opened_at, closed_at, key, token, found,
			verified, verified_at, tries, told, cause, outcome, escalated, escalated_at, handled_by, handled_at, gen)
		SELECT 1, CASE WHEN id % 3 = 0 THEN 0 ELSE id END, 0, 'user:a' || id % 300, 'console', id, id, 'reference', CASE WHEN id % 3 = 0 THEN decode(md5(id::text), 'hex') ELSE '' END,
			CASE WHEN id % 3 = 0 THEN 'bystander' ELSE 'notice' END, '', 0, 0, CASE WHEN id % 3 = 0 THEN 'not-concerned' ELSE '' END, '', '', '', 0, '', 0, 1 FROM notices;
	INSERT INTO call_steps (call_id, at, agent, kind, code, detail, sealed)
		SELECT c.id, c.opened_at, CASE WHEN c.id % 2 = 0 THEN c.agent ELSE 'token:crm/a' || c.id % 300 END, k, '', '', '' FROM calls c, unnest(ARRAY['look-up', 'verified', 'closed']) k;
	INSERT INTO api_answers (token_id, key, request, at, status, body)
		SELECT -1 - k % 300, decode(md5(k::text) || md5('x' || k), 'hex'), decode(md5(k::text) || md5('y' || k), 'hex'), k, 200, '' FROM generate_series(1, 30000) k;
	ANALYZE`

// TestNoScans asks PostgreSQL how it runs every statement that was prepared, with the
// statistics of a population and with table scans allowed, and finds none that reads a
// big table, or an index of it, from end to end.
func TestNoScans(t *testing.T) {
	t.Parallel()
	p := populate(t, openAt(t, engine.Place(t)), "muguet", 20_000)
	ctx := t.Context()
	for _, sql := range strings.Split(crowd, ";\n") {
		if _, err := p.Pools()[1].Exec(ctx, sql); err != nil {
			t.Fatalf("%v:\n%s", err, sql)
		}
	}
	if err := ledgertest.Ask(ctx, p, p.campaign.ID, p.first+40, start); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, pool := range p.Pools() {
		for _, c := range pool.AcquireAllIdle(ctx) {
			noScans(t, c, seen)
			c.Release()
		}
	}
	if len(seen) < 50 {
		t.Errorf("only %d statements seen", len(seen))
	}
}

// noScans explains what is prepared on a connection.
func noScans(t *testing.T, c *pgxpool.Conn, seen map[string]bool) {
	t.Helper()
	ctx := t.Context()
	// As production has it, but for what forbids a scan where there is any other way.
	if _, err := c.Exec(ctx, "SET enable_seqscan = on; SET plan_cache_mode = force_generic_plan", pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	rows, err := c.Query(ctx, "SELECT name, statement, coalesce(array_length(parameter_types, 1), 0) FROM pg_prepared_statements", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatal(err)
	}
	type prepared struct {
		Name, SQL string
		Arguments int
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[prepared])
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		verb := strings.Fields(s.SQL)[0] // pgx asks in small letters for the columns of a COPY
		if seen[s.SQL] || !slices.Contains([]string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, verb) {
			continue
		}
		seen[s.SQL] = true
		call := `EXPLAIN (FORMAT JSON) EXECUTE "` + s.Name + `"`
		if s.Arguments > 0 {
			call += "(" + strings.TrimSuffix(strings.Repeat("NULL, ", s.Arguments), ", ") + ")"
		}
		var text []byte
		if err := c.QueryRow(ctx, call, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
			t.Fatalf("%v:\n%s", err, s.SQL)
		}
		var plans []struct{ Plan planned }
		if err := json.Unmarshal(text, &plans); err != nil {
			t.Fatal(err)
		}
		for _, plan := range plans {
			for _, fault := range plan.Plan.faults(strings.Contains(s.SQL, "LIMIT")) {
				t.Errorf("%s:\n%s", fault, s.SQL)
			}
		}
	}
}

// planned is a step of a plan.
type planned struct {
	NodeType  string `json:"Node Type"`
	Relation  string `json:"Relation Name"`
	Index     string `json:"Index Name"`
	IndexCond string `json:"Index Cond"`
	Plans     []planned
}

// faults are the steps that read a big table, or what a campaign or an import has in
// it, from end to end. That may be begun where a limit ends it.
func (s planned) faults(limited bool) (list []string) {
	big := slices.Contains(bigTables, s.Relation)
	whole := big && s.NodeType != "Seq Scan" && !limited && !slices.Contains(few, s.Index)
	switch {
	case big && s.NodeType == "Seq Scan":
		list = append(list, "scan of "+s.Relation)
	case whole && strings.HasPrefix(s.NodeType, "Index") && s.IndexCond == "":
		list = append(list, fmt.Sprintf("all of %s, by %s", s.Relation, s.Index))
	case whole && s.IndexCond != "" && !strings.Contains(s.IndexCond, " AND ") && (strings.Contains(s.IndexCond, "import_id = ") || strings.Contains(s.IndexCond, "campaign_id = ")):
		list = append(list, fmt.Sprintf("all of a campaign in %s, by %s", s.Relation, s.Index))
	}
	limited = limited || s.NodeType == "Limit"
	for _, sub := range s.Plans {
		list = append(list, sub.faults(limited)...)
	}
	return list
}
