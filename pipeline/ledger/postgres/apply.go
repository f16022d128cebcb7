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
// transaction. It takes a table of changes, each with its event and its attempt,
// column by column as arrays; a notice is in it once, and they are sorted by it.
// The imports in force are an array and not a join, so that the changes are the
// outer side of the only join and rows are locked in their order. Everything
// after the move is computed from what the move returns: nothing for the planner
// to choose.
//
// b is the attempt as it was. The snapshot is that of the statement: an attempt
// changes only together with its notice's generation, and if that has changed
// since, the notice does not move.
//
// Sums are written last, in order of their key and to the shard of this
// connection, so that statements side by side do not wait for each other.
const applySQL = `
WITH moved AS (
	UPDATE notices n SET
		state = c.state, channel = c.channel, lane = c.lane, attempt = c.attempt, kind = c.kind, due_at = c.due_at, reason = c.reason,
		reach = c.reach, doubts = c.doubts, resends = c.resends, first_at = c.first_at, owner = c.owner, moved_at = c.moved_at, gen = n.gen + 1
	FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
		$7::text[], $8::text[], $9::int[], $10::int[], $11::text[], $12::bigint[], $13::text[], $14::int[], $15::int[], $16::int[], $17::bigint[], $18::text[], $19::bigint[], $20::boolean[],
		$21::int[], $22::text[], $23::text[], $24::bigint[], $25::text[], $26::text[], $27::text[],
		$28::smallint[], $29::int[], $30::text[], $31::text[], $32::int[], $33::bigint[], $34::bigint[], $35::bytea[], $36::bytea[], $37::text[], $38::bigint[], $39::int[], $40::text[])
	AS c (id, gen, import_id, role, from_state, from_channel,
		state, channel, lane, attempt, kind, due_at, reason, reach, doubts, resends, first_at, owner, moved_at, again,
		e_attempt, e_kind, e_outcome, e_at, e_actor, e_code, e_detail,
		a_how, a_n, a_kind, a_channel, a_version, a_told, a_at, a_letter, a_bytes, a_renderer, a_run, a_seq, a_queue)
	LEFT JOIN attempts b ON b.notice_id = c.id AND b.n = c.a_n
	WHERE n.id = c.id AND n.gen = c.gen AND n.import_id = c.import_id AND n.role = c.role AND n.state = c.from_state AND n.channel = c.from_channel
		AND c.import_id = ANY (ARRAY (SELECT i.id FROM imports i WHERE i.published_at <> 0 AND i.replaced_at = 0))
	RETURNING n.id, n.campaign_id, n.import_id, n.role, n.state, n.channel, n.provider, n.products, c.from_state, c.from_channel, c.again,
		c.e_attempt, c.e_kind, c.e_outcome, c.e_at, c.e_actor, c.e_code, c.e_detail,
		c.a_how, c.a_n, c.a_kind, c.a_channel, c.a_version, c.a_told, c.a_at, c.a_letter, c.a_bytes, c.a_renderer, c.a_run, c.a_seq, c.a_queue,
		b.tries AS b_tries, b.version AS b_version
), told AS (
	INSERT INTO events (notice_id, attempt, kind, outcome, at, actor, code, detail, into_state, channel, moved)
	SELECT id, e_attempt, e_kind, e_outcome, e_at, e_actor, e_code, e_detail, state, channel, true FROM moved WHERE e_kind <> ''
), tried AS (
	INSERT INTO attempts (notice_id, n, kind, channel, version, told, at, tries, letter, bytes, renderer, run_id, seq, queue_id)
	SELECT id, a_n, a_kind, a_channel, a_version, a_told, a_at, coalesce(b_tries + (a_how = 1)::int, 1), a_letter, a_bytes, a_renderer, a_run, a_seq, a_queue
	FROM moved WHERE a_how IN (1, 2)
	ON CONFLICT (notice_id, n) DO UPDATE SET
		kind = excluded.kind, channel = excluded.channel, version = excluded.version, told = excluded.told, at = excluded.at, tries = excluded.tries,
		letter = excluded.letter, bytes = excluded.bytes, renderer = excluded.renderer, run_id = excluded.run_id, seq = excluded.seq, queue_id = excluded.queue_id
), answered AS (
	INSERT INTO attempts (notice_id, n, kind, channel, version, told, at, tries, letter, bytes, renderer, run_id, seq, queue_id)
	SELECT id, a_n, a_kind, a_channel, a_version, a_told, a_at, 1, a_letter, a_bytes, a_renderer, a_run, a_seq, a_queue
	FROM moved WHERE a_how = 3
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
		SELECT campaign_id, 'attempts' AS name, 1 AS n FROM moved WHERE a_how = 1
		UNION ALL
		SELECT campaign_id, 'doubts', 1 FROM moved WHERE e_kind = 'doubted'
		UNION ALL
		SELECT campaign_id, 'again', 1 FROM moved WHERE again
		UNION ALL
		SELECT m.campaign_id, 'mail/' || m.e_kind || CASE m.e_kind WHEN 'accepted' THEN '' ELSE '.' || m.e_outcome END || '/' || s.scope, 1
		FROM moved m CROSS JOIN LATERAL (
			VALUES ('all'), ('provider:' || m.provider), ('import:' || m.import_id)
			UNION ALL
			SELECT 'kind:' || k FROM unnest(string_to_array(m.products, '|')) k WHERE k <> ''
		) AS s (scope) WHERE m.e_kind IN ('accepted', 'refused', 'bounced')
		UNION ALL
		SELECT campaign_id, 'version/' || a_version, 1 FROM moved WHERE a_how > 0 AND b_tries IS NULL OR a_how IN (1, 2) AND b_version <> a_version
		UNION ALL
		SELECT campaign_id, 'version/' || b_version, -1 FROM moved WHERE a_how IN (1, 2) AND b_version <> a_version
	) d
	GROUP BY 1, 2 HAVING sum(d.n) <> 0 ORDER BY 1, 2
	ON CONFLICT (campaign_id, name, shard) DO UPDATE SET n = t.n + excluded.n
)
SELECT id FROM moved`

// How an attempt that comes with a change is written.
const (
	attemptNone      = 0
	attemptStarted   = 1 // as given; one try more
	attemptRewritten = 2 // as given; Tries stays
	attemptAnswered  = 3 // the relay's queue id only
)

// apply moves the notices of changes and returns which ones applied, parallel to
// changes. Every notice is in changes once. q is a transaction if one of the
// changes brings a sealed person.
func apply(ctx context.Context, q querier, changes []pipeline.Change) ([]bool, error) {
	rows, err := q.Query(ctx, applySQL, newArguments(changes)...)
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
