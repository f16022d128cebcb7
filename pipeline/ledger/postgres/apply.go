package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// applySQL moves notices by compare-and-set and writes what goes with the moves.
// It is one statement, so it is one round trip and, outside a transaction, one
// transaction. It takes three tables as arrays: changes ($1…$19), events
// ($20…$26) and attempts ($27…$40), the last two with the notice first. A notice
// is in it once; the arrays are sorted by notice, so that rows are locked in that
// order.
//
// before reads what an attempt was. Its snapshot is that of the statement: an
// attempt changes only together with its notice's generation, and if that
// changed since, the notice is not in moved.
//
// Sums are written last, in order of their key and to the shard of this
// connection, so that statements side by side do not wait for each other.
const applySQL = `
WITH c AS (
	SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
		$7::text[], $8::text[], $9::int[], $10::int[], $11::text[], $12::bigint[], $13::text[], $14::int[], $15::int[], $16::int[], $17::bigint[], $18::text[], $19::bigint[])
	AS c (id, gen, import_id, role, from_state, from_channel,
		state, channel, lane, attempt, kind, due_at, reason, reach, doubts, resends, first_at, owner, moved_at)
), e AS (
	SELECT * FROM unnest($20::bigint[], $21::int[], $22::text[], $23::text[], $24::bigint[], $25::text[], $26::text[], $41::text[])
	AS e (notice_id, attempt, kind, outcome, at, actor, code, detail)
), a AS (
	SELECT * FROM unnest($27::bigint[], $28::int[], $29::text[], $30::text[], $31::int[], $32::bigint[], $33::bigint[], $34::bytea[], $35::bytea[], $36::text[], $37::bigint[], $38::int[], $39::text[], $40::smallint[])
	AS a (notice_id, n, kind, channel, version, told, at, letter, bytes, renderer, run_id, seq, queue_id, how)
), before AS (
	SELECT b.notice_id, b.version, b.tries FROM a JOIN attempts b ON b.notice_id = a.notice_id AND b.n = a.n
), moved AS (
	UPDATE notices n SET
		state = c.state, channel = c.channel, lane = c.lane, attempt = c.attempt, kind = c.kind, due_at = c.due_at, reason = c.reason,
		reach = c.reach, doubts = c.doubts, resends = c.resends, first_at = c.first_at, owner = c.owner, moved_at = c.moved_at, gen = n.gen + 1
	FROM c
	WHERE n.id = c.id AND n.gen = c.gen AND n.import_id = c.import_id AND n.role = c.role AND n.state = c.from_state AND n.channel = c.from_channel
		AND EXISTS (SELECT FROM imports i WHERE i.id = n.import_id AND i.published_at <> 0 AND i.replaced_at = 0)
	RETURNING n.id, n.campaign_id, n.import_id, n.role, n.state, n.channel, c.from_state, c.from_channel
), told AS (
	INSERT INTO events (notice_id, attempt, kind, outcome, at, actor, code, detail, into_state, channel, moved)
	SELECT m.id, e.attempt, e.kind, e.outcome, e.at, e.actor, e.code, e.detail, m.state, m.channel, true
	FROM e JOIN moved m ON m.id = e.notice_id
), tried AS (
	INSERT INTO attempts AS t (notice_id, n, kind, channel, version, told, at, tries, letter, bytes, renderer, run_id, seq, queue_id)
	SELECT a.notice_id, a.n, a.kind, a.channel, a.version, a.told, a.at, coalesce(b.tries + CASE a.how WHEN 1 THEN 1 ELSE 0 END, 1),
		a.letter, a.bytes, a.renderer, a.run_id, a.seq, a.queue_id
	FROM a JOIN moved m ON m.id = a.notice_id LEFT JOIN before b ON b.notice_id = a.notice_id
	WHERE a.how <> 2
	ON CONFLICT (notice_id, n) DO UPDATE SET
		kind = excluded.kind, channel = excluded.channel, version = excluded.version, told = excluded.told, at = excluded.at, tries = excluded.tries,
		letter = excluded.letter, bytes = excluded.bytes, renderer = excluded.renderer, run_id = excluded.run_id, seq = excluded.seq, queue_id = excluded.queue_id
), answered AS (
	INSERT INTO attempts AS t (notice_id, n, kind, channel, version, told, at, tries, letter, bytes, renderer, run_id, seq, queue_id)
	SELECT a.notice_id, a.n, a.kind, a.channel, a.version, a.told, a.at, 1, a.letter, a.bytes, a.renderer, a.run_id, a.seq, a.queue_id
	FROM a JOIN moved m ON m.id = a.notice_id
	WHERE a.how = 2
	ON CONFLICT (notice_id, n) DO UPDATE SET queue_id = excluded.queue_id
), tallied AS (
	INSERT INTO tallies AS t (import_id, role, channel, state, shard, n)
	SELECT d.import_id, d.role, d.channel, d.state, pg_backend_pid() % 64, sum(d.n) FROM (
		SELECT import_id, role, channel, state, 1 AS n FROM moved
		UNION ALL
		SELECT import_id, role, from_channel, from_state, -1 FROM moved
	) d
	GROUP BY 1, 2, 3, 4 HAVING sum(d.n) <> 0 ORDER BY 1, 2, 3, 4
	ON CONFLICT (import_id, role, channel, state, shard) DO UPDATE SET n = t.n + excluded.n
), counted AS (
	INSERT INTO counters AS t (campaign_id, name, shard, n)
	SELECT d.campaign_id, d.name, pg_backend_pid() % 64, sum(d.n) FROM (
		SELECT m.campaign_id, 'attempts' AS name, 1 AS n FROM a JOIN moved m ON m.id = a.notice_id WHERE a.how = 1
		UNION ALL
		SELECT m.campaign_id, 'doubts', 1 FROM e JOIN moved m ON m.id = e.notice_id WHERE e.kind = 'doubted'
		UNION ALL
		SELECT m.campaign_id, 'again', 1 FROM unnest($42::bigint[]) x (id) JOIN moved m ON m.id = x.id
		UNION ALL
		SELECT m.campaign_id, 'version/' || a.version, 1 FROM a JOIN moved m ON m.id = a.notice_id
			LEFT JOIN before b ON b.notice_id = a.notice_id WHERE b.notice_id IS NULL OR a.how <> 2 AND b.version <> a.version
		UNION ALL
		SELECT m.campaign_id, 'version/' || b.version, -1 FROM a JOIN moved m ON m.id = a.notice_id
			JOIN before b ON b.notice_id = a.notice_id WHERE a.how <> 2 AND b.version <> a.version
	) d
	GROUP BY 1, 2 HAVING sum(d.n) <> 0 ORDER BY 1, 2
	ON CONFLICT (campaign_id, name, shard) DO UPDATE SET n = t.n + excluded.n
)
SELECT id FROM moved`

// How an attempt that comes with a change is written.
const (
	attemptRewritten = 0 // as given; Tries stays
	attemptStarted   = 1 // as given; one try more
	attemptAnswered  = 2 // the relay's queue id only
)

// apply moves the notices of changes and returns which ones applied, parallel to
// changes. Every notice is in changes once. q is a transaction if one of the
// changes brings a sealed person.
func apply(ctx context.Context, q querier, changes []pipeline.Change) ([]bool, error) {
	args := newArguments(changes)
	rows, err := q.Query(ctx, applySQL, args...)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	moved := make(map[int64]bool, len(ids))
	for _, id := range ids {
		moved[id] = true
	}
	ok := make([]bool, len(changes))
	for i, c := range changes {
		ok[i] = moved[c.From.ID]
		if ok[i] && c.Sealed != nil {
			if err := reseal(ctx, q, c); err != nil {
				return nil, err
			}
		}
	}
	return ok, nil
}

// reseal writes a new sealed person and the fields in clear that follow from it.
// The notice's row is locked by apply.
func reseal(ctx context.Context, q querier, c pipeline.Change) error {
	n := c.To
	if _, err := q.Exec(ctx, "UPDATE people SET sealed = $2 WHERE notice_id = $1", n.ID, c.Sealed); err != nil {
		return err
	}
	_, err := q.Exec(ctx, `UPDATE notices SET provider = $2, locale = $3, format = $4, country = $5, area = $6, sender = $7,
		kinds = $8, products = $9, flags = $10, defects = $11 WHERE id = $1`,
		n.ID, clean(n.Provider), clean(n.Locale), clean(n.Format), clean(n.Country), clean(n.Area), clean(n.Sender),
		joined(n.Kinds), joined(n.Products), joined(n.Flags), joined(n.Defects))
	return err
}

// check refuses changes that the transition table does not know, before anything
// is touched.
func check(changes []pipeline.Change) error {
	for _, c := range changes {
		if err := ledger.CheckChange(c); err != nil {
			return err
		}
	}
	return nil
}

// onceEach returns an error if a notice is in changes twice: in one transaction the
// second could not apply.
func onceEach(changes []pipeline.Change) error {
	seen := make(map[int64]bool, len(changes))
	for _, c := range changes {
		if seen[c.From.ID] {
			return fmt.Errorf("notice %d is in the call twice", c.From.ID)
		}
		seen[c.From.ID] = true
	}
	return nil
}
