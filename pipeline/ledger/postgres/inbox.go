package postgres

import (
	"context"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// Keep stores messages that came back.
func (l *Ledger) Keep(ctx context.Context, batch []pipeline.Inbound) ([]bool, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	var keys, sealed [][]byte
	var sources []string
	var at []int64
	first := map[[32]byte]int{} // of a message that is twice in the batch
	for i := range batch {
		m := &batch[i]
		if _, twice := first[m.Key]; twice {
			continue
		}
		first[m.Key] = i
		keys, sealed = append(keys, m.Key[:]), append(sealed, bytes(m.Sealed))
		sources, at = append(sources, string(m.Source)), append(at, micros(m.At))
	}
	var fresh []bool
	err := l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		// In order of key, so that two batches with the same messages do not wait for
		// each other.
		rows, err := q.Query(ctx, `WITH came AS (
				SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bytea[]) AS c (key, source, at, sealed)
			), kept AS (
				INSERT INTO inbox (key, source, at, state, notice_id, attempt, kind, outcome, code, judged_at, rules, forwarded_at)
				SELECT key, source, at, 'pending', 0, 0, '', '', '', 0, 0, 0 FROM came ORDER BY key
				ON CONFLICT (key) DO NOTHING RETURNING id, key
			), raw AS (
				INSERT INTO inbox_raw (id, sealed) SELECT k.id, c.sealed FROM kept k JOIN came c ON c.key = k.key
			)
			SELECT key FROM kept`, keys, sources, at, sealed)
		if err != nil {
			return err
		}
		stored, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		fresh = make([]bool, len(batch))
		for _, k := range stored {
			fresh[first[[32]byte(k)]] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

const inboundColumns = `m.id, m.key, m.source, m.at, m.state, m.notice_id, m.attempt, m.kind, m.outcome, m.code, m.judged_at, m.rules, m.forwarded_at`

func rowToInbound(row pgx.CollectableRow) (m pipeline.Inbound, err error) {
	var key []byte
	var at, judged, forwarded int64
	err = row.Scan(&m.ID, &key, &m.Source, &at, &m.State, &m.Notice, &m.Attempt, &m.Kind, &m.Outcome, &m.Code, &judged, &m.Rules, &forwarded)
	copy(m.Key[:], key)
	m.At, m.JudgedAt, m.ForwardedAt = moment(at), moment(judged), moment(forwarded)
	return m, err
}

// Inbox yields messages that match. Of the raw ones no more than one is in memory.
func (l *Ledger) Inbox(ctx context.Context, f pipeline.InboundFilter) iter.Seq2[pipeline.Inbound, error] {
	states := make([]string, len(f.States))
	for i, s := range f.States {
		states[i] = string(s)
	}
	where := ` WHERE m.id > $1 AND ($2::text[] IS NULL OR m.state = ANY($2))`
	if slices.Equal(f.States, []pipeline.InboundState{pipeline.InboundPending}) {
		where = ` WHERE m.id > $1 AND m.state = 'pending' AND $2::text[] IS NOT NULL` // the text lets a partial index be used
	}
	if len(states) == 0 {
		states = nil
	}
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = nil
	}
	text := `SELECT ` + inboundColumns + ` FROM inbox m` + where + ` AND ($3::text[] IS NULL OR m.kind = ANY($3))
		AND ($4::bigint = 0 OR m.notice_id > 0 AND m.notice_id = $4) ORDER BY m.id LIMIT $5`
	return func(yield func(pipeline.Inbound, error) bool) {
		left := f.Limit
		pages(func(last pipeline.Inbound) ([]pipeline.Inbound, error) {
			size := pageSize
			if f.Limit > 0 {
				size = min(size, left)
			}
			if size == 0 {
				return nil, nil
			}
			page, err := query(ctx, l, l.hot, rowToInbound, text, max(f.After, last.ID), states, kinds, f.Notice, size)
			left -= len(page)
			return page, err
		})(func(m pipeline.Inbound, err error) bool {
			if err == nil && f.Raw {
				m.Sealed, err = one(ctx, l, l.hot, pgx.RowTo[[]byte], `SELECT sealed FROM inbox_raw WHERE id = $1`, m.ID)
			}
			return yield(m, err) && err == nil
		})
	}
}

// Judge writes what became of messages.
func (l *Ledger) Judge(ctx context.Context, batch []pipeline.Inbound) error {
	if len(batch) == 0 {
		return nil
	}
	n := len(batch)
	ids, notices, attempts, rules := make([]int64, n), make([]int64, n), make([]int32, n), make([]int32, n)
	states, kinds, outcomes, codes := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	judged, forwarded := make([]int64, n), make([]int64, n)
	for i := range batch {
		m := &batch[i]
		ids[i], notices[i], attempts[i], rules[i] = m.ID, m.Notice, int32(m.Attempt), int32(m.Rules)
		states[i], kinds[i], outcomes[i], codes[i] = string(m.State), m.Kind, string(m.Outcome), clean(m.Code)
		judged[i], forwarded[i] = micros(m.JudgedAt), micros(m.ForwardedAt)
	}
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		if _, err := q.Exec(ctx, `SELECT id FROM inbox WHERE id = ANY($1) ORDER BY id FOR UPDATE`, ids); err != nil {
			return err
		}
		_, err := q.Exec(ctx, `UPDATE inbox m SET state = j.state, notice_id = j.notice_id, attempt = j.attempt, kind = j.kind, outcome = j.outcome, code = j.code,
				judged_at = j.judged_at, rules = j.rules, forwarded_at = CASE WHEN m.forwarded_at > 0 THEN m.forwarded_at ELSE j.forwarded_at END
			FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::int[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::int[], $10::bigint[])
				AS j (id, state, notice_id, attempt, kind, outcome, code, judged_at, rules, forwarded_at)
			WHERE m.id = j.id`, ids, states, notices, attempts, kinds, outcomes, codes, judged, rules, forwarded)
		return err
	})
}

// Reopen makes messages pending again.
func (l *Ledger) Reopen(ctx context.Context, states []pipeline.InboundState) (n int64, err error) {
	var names []string
	for _, s := range states {
		if s != pipeline.InboundPending {
			names = append(names, string(s))
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	err = l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE inbox SET state = 'pending' WHERE state = ANY($1)`, names)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

// CountInbox counts messages by state and kind.
func (l *Ledger) CountInbox(ctx context.Context) ([]pipeline.InboundCount, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (c pipeline.InboundCount, err error) {
		err = row.Scan(&c.State, &c.Kind, &c.Count)
		return c, err
	}, `SELECT state, kind, count(*) FROM inbox GROUP BY state, kind ORDER BY state, kind`)
}
