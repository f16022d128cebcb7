package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
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
	tickets, err := c.TakeDue(ctx, pipeline.Take{Campaign: id, Channel: pipeline.Email, Provider: "google", Limit: 2, Now: start})
	if err != nil || len(tickets) != 2 {
		t.Fatal(tickets, err)
	}
	for _, do := range []func() error{
		func() error { _, err := c.Requeue(ctx, tickets, start); return err },
		func() error { _, err := c.RequeueAll(ctx, start); return err },
		func() error {
			return c.Record(ctx, []pipeline.Event{{Notice: c.first, Attempt: 1, Kind: pipeline.EvReplied, At: start, Detail: "x"}})
		},
		func() error {
			_, err := c.PeekDue(ctx, id, pipeline.Post, "standard", start, pipeline.PeekPosition{Country: "FR"}, 5)
			return err
		},
		func() error {
			for _, s := range []pipeline.State{pipeline.Queued, pipeline.Sending, pipeline.InDoubt, pipeline.Accepted, pipeline.Posted} {
				if _, err := c.Expired(ctx, id, s, start, 5); err != nil {
					return err
				}
			}
			for _, s := range []pipeline.State{pipeline.Held, pipeline.Unreachable, pipeline.Excluded, pipeline.Cancelled} {
				if _, err := c.Reasons(ctx, id, s); err != nil {
					return err
				}
			}
			return nil
		},
		func() error { _, err := c.Orphans(ctx, 5); return err },
		func() error { _, err := c.StaleQueued(ctx, start, 5); return err },
		func() error { _, err := c.NextDue(ctx, id); return err },
		func() error { _, err := c.CountDue(ctx, id, start, 5); return err },
		func() error { _, err := c.Tally(ctx, id); return err },
		func() error { _, err := c.Counters(ctx, id); return err },
		func() error { _, err := c.People(ctx, id, [][]byte{{1}}); return err },
		func() error { _, err := c.Siblings(ctx, 1); return err },
		func() error { _, err := c.Unmerged(ctx, 1, 0, 5); return err },
		func() error { _, _, err := c.Search(ctx, id, [16]byte{1}, 5); return err },
		func() error { _, err := c.Notice(ctx, c.first); return err },
		func() error { _, err := c.Events(ctx, c.first); return err },
		func() error { _, err := c.Attempts(ctx, c.first); return err },
		func() error { _, err := c.RunJobs(ctx, 1); return err },
		func() error { _, err := c.Lease(ctx, "l", "o", time.Minute); return err },
		func() error {
			for _, err := range c.Each(ctx, pipeline.Filter{Campaign: id, States: []pipeline.State{pipeline.Held}, Flag: "vip", Reason: "x", Roles: []pipeline.Role{pipeline.Primary}}) {
				return err
			}
			return nil
		},
		func() error {
			for _, err := range c.EventsByNotice(ctx, id) {
				return err
			}
			return nil
		},
		func() error { return c.Sweep(ctx, id, start.Add(time.Hour)) },
		func() error { _, err := c.Concerned(ctx, id, [][16]byte{{1}, {2}}); return err },
		func() error { return desk(ctx, c, id) },
		func() error { _, err := c.ByHand(ctx, id); return err },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
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

// desk is what the cell does in one call.
func desk(ctx context.Context, c crowd, id int64) error {
	quota := pipeline.Quota{Hour: 10, Day: 10, Now: start, Shared: "token:crm/", SharedHour: 10}
	step := pipeline.CallStep{At: start, Agent: "token:crm/ana", Kind: pipeline.StepLookUp}
	for _, call := range []pipeline.Call{
		{Campaign: id, Notice: c.first, Agent: "token:crm/ana", OpenedAt: start, Found: pipeline.FoundNotice},
		{Campaign: id, Token: []byte{1}, Agent: "token:crm/ana", OpenedAt: start, Found: pipeline.FoundBystander},
	} {
		call, err := c.OpenCall(ctx, call, quota, step)
		if err != nil {
			return err
		}
		if _, _, err := c.TryAnswer(ctx, call.ID, 3, start); err != nil {
			return err
		}
		if _, err := c.WrongAnswers(ctx, call.ID, start); err != nil {
			return err
		}
		if _, err := c.CallSteps(ctx, call.ID); err != nil {
			return err
		}
		if err := c.ForgetTries(ctx, call.ID); err != nil {
			return err
		}
	}
	_, err := c.CountTold(ctx, id, start)
	return err
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
