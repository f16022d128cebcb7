package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/art34/art34/pipeline"
)

// Keep stores messages that came back.
func (l *Ledger) Keep(ctx context.Context, batch []pipeline.Inbound) ([]bool, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	fresh := make([]bool, len(batch))
	err := l.write(ctx, "keep what came back", len(batch), func(t *tx) error {
		for i := range batch {
			m := &batch[i]
			var id int64
			err := t.scan(`INSERT INTO inbox (key, source, at, state, notice_id, attempt, kind, outcome, code, judged_at, rules, forwarded_at)
				VALUES (?, ?, ?, 'pending', 0, 0, '', '', '', 0, 0, 0) ON CONFLICT (key) DO NOTHING RETURNING id`,
				[]any{m.Key[:], string(m.Source), micros(m.At)}, &id)
			fresh[i] = err == nil
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			t.wrote = true
			if _, err := t.exec(`INSERT INTO inbox_raw (id, sealed) VALUES (?, ?)`, id, blob(m.Sealed)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

const inboundColumns = `m.id, m.key, m.source, m.at, m.state, m.notice_id, m.attempt, m.kind, m.outcome, m.code, m.judged_at, m.rules, m.forwarded_at`

func scanInbound(r *sql.Rows) (m pipeline.Inbound, err error) {
	var key []byte
	err = r.Scan(&m.ID, &key, &m.Source, when{&m.At}, &m.State, &m.Notice, &m.Attempt, &m.Kind, &m.Outcome, &m.Code, when{&m.JudgedAt}, &m.Rules, when{&m.ForwardedAt})
	copy(m.Key[:], key)
	return m, err
}

// Inbox yields messages that match. Of the raw ones no more than one is in memory.
func (l *Ledger) Inbox(ctx context.Context, f pipeline.InboundFilter) iter.Seq2[pipeline.Inbound, error] {
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
			page, err := l.inboxPage(ctx, f, max(f.After, last.ID), size)
			left -= len(page)
			return page, err
		})(func(m pipeline.Inbound, err error) bool {
			if err == nil && f.Raw {
				err = l.rows(ctx, "read what came back", func(r *sql.Rows) error { return r.Scan(&m.Sealed) }, `SELECT sealed FROM inbox_raw WHERE id = ?`, m.ID)
			}
			return yield(m, err) && err == nil
		})
	}
}

func (l *Ledger) inboxPage(ctx context.Context, f pipeline.InboundFilter, after int64, size int) ([]pipeline.Inbound, error) {
	query, args := `SELECT `+inboundColumns+` FROM inbox AS m WHERE m.id > ?`, []any{after}
	switch {
	case len(f.States) == 1 && f.States[0] == pipeline.InboundPending:
		query += ` AND m.state = 'pending'` // the text lets a partial index be used
	case len(f.States) > 0:
		query += ` AND m.state IN ` + marks(len(f.States))
		for _, s := range f.States {
			args = append(args, string(s))
		}
	}
	if len(f.Kinds) > 0 {
		query += ` AND m.kind IN ` + marks(len(f.Kinds))
		for _, k := range f.Kinds {
			args = append(args, k)
		}
	}
	if f.Notice > 0 {
		query += ` AND m.notice_id > 0 AND m.notice_id = ?`
		args = append(args, f.Notice)
	}
	return list(ctx, l, "read what came back", scanInbound, query+` ORDER BY m.id LIMIT ?`, append(args, size)...)
}

// Judge writes what became of messages.
func (l *Ledger) Judge(ctx context.Context, batch []pipeline.Inbound) error {
	if len(batch) == 0 {
		return nil
	}
	return l.write(ctx, "judge what came back", len(batch), func(t *tx) error {
		for i := range batch {
			m := &batch[i]
			if _, err := t.exec(`UPDATE inbox SET state = ?, notice_id = ?, attempt = ?, kind = ?, outcome = ?, code = ?, judged_at = ?, rules = ?,
				forwarded_at = CASE WHEN forwarded_at > 0 THEN forwarded_at ELSE ? END WHERE id = ?`,
				string(m.State), m.Notice, int64(m.Attempt), m.Kind, string(m.Outcome), clean(m.Code), micros(m.JudgedAt), int64(m.Rules), micros(m.ForwardedAt), m.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// reopenRows is how many messages a short transaction of Reopen touches.
const reopenRows = 500

// Reopen makes messages pending again, in short transactions.
func (l *Ledger) Reopen(ctx context.Context, states []pipeline.InboundState) (int64, error) {
	var total int64
	for _, s := range states {
		for s != pipeline.InboundPending {
			var n int64
			err := l.write(ctx, "judge again", reopenRows, func(t *tx) (err error) {
				n, err = t.exec(`UPDATE inbox SET state = 'pending' WHERE id IN (SELECT id FROM inbox WHERE state = ? LIMIT ?)`, string(s), reopenRows)
				return err
			})
			if err != nil {
				return total, err
			}
			if total += n; n == 0 {
				break
			}
		}
	}
	return total, nil
}

// CountInbox counts messages by state and kind.
func (l *Ledger) CountInbox(ctx context.Context) ([]pipeline.InboundCount, error) {
	return list(ctx, l, "count what came back", scanner(func(c *pipeline.InboundCount) []any { return []any{&c.State, &c.Kind, &c.Count} }),
		`SELECT state, kind, count(*) FROM inbox GROUP BY state, kind ORDER BY state, kind`)
}
