package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// takeable are the imports in force of campaign $1 with the roles whose notices
// the dispatcher may have: supplements only once their absorption has ended.
const takeable = `
	FROM imports i CROSS JOIN (VALUES ('primary'), ('copy'), ('supplement')) AS r (role)
	WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 AND (r.role <> 'supplement' OR i.merged_at <> 0)`

// takeSQL takes the oldest of each import and role from an index in the right
// order, so what is staged or not to be had costs nothing, and keeps the oldest
// of those. Rows that another caller has just locked are passed over.
const takeSQL = `
WITH source AS MATERIALIZED (SELECT i.id AS import_id, r.role` + takeable + `),
chosen AS MATERIALIZED (
	SELECT c.id FROM source s CROSS JOIN LATERAL (
		SELECT n.id, n.due_at FROM notices n
		WHERE n.import_id = s.import_id AND n.role = s.role AND n.lane = $2 AND n.channel = $3 AND n.due_at <= $4 AND n.state = 'due' %s
		ORDER BY n.due_at, n.id LIMIT $6 FOR NO KEY UPDATE SKIP LOCKED
	) c ORDER BY c.due_at, c.id LIMIT $6
), moved AS (
	UPDATE notices n SET state = 'queued', gen = n.gen + 1, moved_at = $5
	FROM chosen c WHERE n.id = c.id
	RETURNING n.id, n.gen, n.import_id, n.role, n.channel, n.due_at
), ` + hopTally + `
SELECT id, gen FROM moved ORDER BY due_at, id`

// hopTally keeps the sums of a hop between due and queued in the relation moved:
// the first and second parameter of fmt are the states.
const hopTally = `tallied AS (
	INSERT INTO tallies AS t (import_id, role, channel, state, shard, n)
	SELECT d.import_id, d.role, d.channel, d.state, pg_backend_pid() %% 64, sum(d.n) FROM (
		SELECT import_id, role, channel, '%[2]s' AS state, 1 AS n FROM moved
		UNION ALL
		SELECT import_id, role, channel, '%[3]s', -1 FROM moved
	) d
	GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
	ON CONFLICT (import_id, role, channel, state, shard) DO UPDATE SET n = t.n + excluded.n
)`

// TakeDue moves due notices to Queued, oldest DueAt first, and returns their
// tickets.
func (l *Ledger) TakeDue(ctx context.Context, t pipeline.Take) ([]pipeline.Ticket, error) {
	if t.Limit <= 0 {
		return nil, nil
	}
	provider := ""
	args := []any{t.Campaign, int(t.Lane), string(t.Channel), micros(t.Now), micros(t.Moved), t.Limit}
	if t.Provider != "" {
		provider = "AND n.provider = $7"
		args = append(args, t.Provider)
	}
	sql := fmt.Sprintf(takeSQL, provider, pipeline.Queued, pipeline.Due)
	return query(ctx, l, l.hot, rowToTicket, sql, args...)
}

// PeekDue returns due notices of a channel and format in order of country, area
// and ID.
func (l *Ledger) PeekDue(ctx context.Context, campaign int64, ch pipeline.Channel, format string, now time.Time, after pipeline.PeekPosition, limit int) ([]pipeline.Job, error) {
	if !valid(ch) || limit <= 0 {
		return nil, nil
	}
	// The channel is part of the text: only then the partial index is used.
	sql := `WITH source AS MATERIALIZED (SELECT i.id AS import_id, r.role` + takeable + `)
		SELECT ` + jobColumns + ` FROM (
			SELECT c.id FROM (SELECT DISTINCT import_id FROM source) s CROSS JOIN LATERAL (
				SELECT n.id, n.country, n.area FROM notices n
				WHERE n.import_id = s.import_id AND n.format = $2 AND (n.country, n.area, n.id) > ($4, $5, $6) AND n.due_at <= $3
					AND n.state = 'due' AND n.channel = '` + string(ch) + `' AND (n.import_id, n.role) IN (SELECT import_id, role FROM source)
				ORDER BY n.country, n.area, n.id LIMIT $7
			) c ORDER BY c.country, c.area, c.id LIMIT $7
		) c JOIN notices n ON n.id = c.id JOIN people p ON p.notice_id = n.id
		ORDER BY n.country, n.area, n.id`
	return query(ctx, l, l.hot, rowToJob, sql, campaign, format, micros(now), after.Country, after.Area, after.ID, limit)
}

func valid(ch pipeline.Channel) bool {
	return ch == pipeline.Email || ch == pipeline.Post || ch == pipeline.NoChannel
}

// Load returns the jobs of tickets whose notice is still Queued in that
// generation, in order of the tickets.
func (l *Ledger) Load(ctx context.Context, tickets []pipeline.Ticket) ([]pipeline.Job, error) {
	ids, gens := ticketArrays(tickets)
	// OFFSET 0 keeps the conditions out of the subquery: by its statistics, which are
	// always late, the planner would take the index of what is queued for short and
	// walk it for every ticket.
	return query(ctx, l, l.hot, rowToJob, `SELECT `+jobColumns+`
		FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS t (id, gen, place)
		CROSS JOIN LATERAL (SELECT * FROM notices n WHERE n.id = t.id OFFSET 0) n
		CROSS JOIN LATERAL (SELECT * FROM people p WHERE p.notice_id = n.id OFFSET 0) p
		WHERE n.gen = t.gen AND n.state = 'queued' AND `+inForce+`
		ORDER BY t.place`, ids, gens)
}

// Requeue moves notices that are still Queued in that generation back to Due.
func (l *Ledger) Requeue(ctx context.Context, tickets []pipeline.Ticket, now time.Time) (int, error) {
	ids, gens := ticketArrays(tickets)
	moved, err := query(ctx, l, l.hot, pgx.RowTo[int64], fmt.Sprintf(`WITH chosen AS MATERIALIZED (
		SELECT n.id, n.gen FROM unnest($1::bigint[], $2::bigint[]) AS t (id, gen)
		CROSS JOIN LATERAL (SELECT * FROM notices n WHERE n.id = t.id OFFSET 0) n
		WHERE n.gen = t.gen AND n.state = 'queued' AND `+inForce+`
		ORDER BY n.id
	), `+requeued+`, `+hopTally+` SELECT id FROM moved`, now.UnixMicro(), pipeline.Due, pipeline.Queued), ids, gens)
	return len(moved), err
}

// requeued returns the rows of chosen to Due; the first parameter of fmt is the
// time in microseconds. A row of the same generation is in the same state.
const requeued = `moved AS (
	UPDATE notices n SET state = 'due', gen = n.gen + 1, owner = '', moved_at = %[1]d
	FROM chosen c WHERE n.id = c.id AND n.gen = c.gen
	RETURNING n.id, n.import_id, n.role, n.channel
)`

func ticketArrays(tickets []pipeline.Ticket) (ids, gens []int64) {
	for _, t := range tickets {
		ids = append(ids, t.Notice)
		gens = append(gens, t.Gen)
	}
	return ids, gens
}

// requeueChunk bounds a statement of RequeueAll.
const requeueChunk = 5000

// RequeueAll returns every Queued notice to Due.
func (l *Ledger) RequeueAll(ctx context.Context, now time.Time) (total int64, err error) {
	// What is queued before the first statement ends up due; what the dispatcher
	// queues meanwhile is none of our business, or this would never end.
	var last int64
	err = l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		return q.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM notices WHERE state = 'queued'").Scan(&last)
	})
	for after := int64(0); err == nil; {
		var ids []int64
		ids, err = query(ctx, l, l.hot, pgx.RowTo[int64], fmt.Sprintf(`WITH chosen AS MATERIALIZED (
			SELECT n.id, n.gen FROM notices n WHERE n.state = 'queued' AND n.id > $1 AND n.id <= $2 ORDER BY n.id LIMIT $3
		), `+requeued+`, `+hopTally+` SELECT id FROM moved ORDER BY id`, now.UnixMicro(), pipeline.Due, pipeline.Queued), after, last, requeueChunk)
		if len(ids) == 0 {
			break
		}
		total += int64(len(ids))
		after = ids[len(ids)-1]
	}
	return total, err
}

// StaleQueued returns tickets of notices that have been Queued since before a
// time.
func (l *Ledger) StaleQueued(ctx context.Context, movedBefore time.Time, limit int) ([]pipeline.Ticket, error) {
	return query(ctx, l, l.hot, rowToTicket, `SELECT n.id, n.gen FROM notices n
		WHERE n.state = 'queued' AND n.moved_at < $1 AND `+inForce+`
		ORDER BY n.moved_at, n.id LIMIT $2`, micros(movedBefore), limit)
}
