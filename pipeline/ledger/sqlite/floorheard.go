package sqlite

import (
	"context"
	"math"

	"github.com/art34/art34/pipeline"
)

// This file holds what the cell hears: queries without an answer, and forgeries.

const queryColumns = `id, campaign_id, call_id, locale, sealed, asked_by, asked_at, state, qa_id, reason, closed_by, closed_at`

func queryFields(q *pipeline.Query) []any {
	return []any{&q.ID, &q.Campaign, &q.Call, &q.Locale, &q.Sealed, &q.AskedBy, when{&q.AskedAt}, &q.State, &q.QA, &q.Reason, &q.ClosedBy, when{&q.ClosedAt}}
}

// AddQuery stores a query as open.
func (l *Ledger) AddQuery(ctx context.Context, q pipeline.Query) (pipeline.Query, error) {
	q.State, q.QA, q.Reason, q.ClosedBy, q.ClosedAt = pipeline.QueryOpen, 0, "", "", moment(0)
	err := l.write(ctx, "add query", 1, func(t *tx) error {
		return t.scan(`INSERT INTO queries (campaign_id, call_id, locale, sealed, asked_by, asked_at, state, qa_id, reason, closed_by, closed_at) VALUES (?, ?, ?, ?, ?, ?, 'open', 0, '', '', 0) RETURNING id`,
			[]any{q.Campaign, q.Call, clean(q.Locale), blob(q.Sealed), clean(q.AskedBy), micros(q.AskedAt)}, &q.ID)
	})
	return q, err
}

// CloseQuery answers or dismisses a query.
func (l *Ledger) CloseQuery(ctx context.Context, q pipeline.Query, a pipeline.Audit) error {
	return l.write(ctx, "close query", 1, func(t *tx) error {
		n, err := t.exec(`UPDATE queries SET state = ?, qa_id = ?, reason = ?, closed_by = ?, closed_at = ? WHERE id = ? AND campaign_id = ? AND state = 'open'`,
			string(q.State), q.QA, clean(q.Reason), clean(q.ClosedBy), micros(q.ClosedAt), q.ID, q.Campaign)
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrConflict
		}
		return t.audit(a)
	})
}

// Queries returns the newest queries of a campaign.
func (l *Ledger) Queries(ctx context.Context, campaign int64, f pipeline.QueryFilter, limit int) ([]pipeline.Query, error) {
	before := f.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	return list(ctx, l, "read queries", scanner(queryFields), `SELECT `+queryColumns+` FROM queries WHERE campaign_id = ?1 AND id < ?2
		AND (?3 = '' OR asked_by = ?3) AND (?4 = '' OR state = ?4) AND (NOT ?5 OR state <> 'open') ORDER BY id DESC LIMIT ?6`,
		campaign, before, f.AskedBy, string(f.State), f.Closed, limit)
}

// Query returns a query.
func (l *Ledger) Query(ctx context.Context, campaign, id int64) (pipeline.Query, error) {
	return one(ctx, l, "read query", scanner(queryFields), `SELECT `+queryColumns+` FROM queries WHERE id = ? AND campaign_id = ?`, id, campaign)
}

// AddForgery stores a report.
func (l *Ledger) AddForgery(ctx context.Context, f pipeline.Forgery, a pipeline.Audit) (pipeline.Forgery, error) {
	err := l.write(ctx, "add forgery", 1, func(t *tx) error {
		err := t.scan(`INSERT INTO forgeries (campaign_id, notice_id, way, verdict, print, sealed, actor, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			[]any{f.Campaign, f.Notice, clean(f.Way), clean(f.Verdict), blob(f.Print), blob(f.Sealed), clean(f.Actor), micros(f.At)}, &f.ID)
		if err != nil {
			return err
		}
		return t.audit(a)
	})
	return f, err
}

// Forgeries returns the newest reports of a campaign.
func (l *Ledger) Forgeries(ctx context.Context, campaign int64, limit int) ([]pipeline.Forgery, error) {
	return list(ctx, l, "read forgeries", scanner(func(f *pipeline.Forgery) []any {
		return []any{&f.ID, &f.Campaign, &f.Notice, &f.Way, &f.Verdict, &f.Print, &f.Sealed, &f.Actor, when{&f.At}}
	}), `SELECT id, campaign_id, notice_id, way, verdict, print, sealed, actor, at FROM forgeries WHERE campaign_id = ? ORDER BY id DESC LIMIT ?`, campaign, limit)
}

const hour = 3_600_000_000 // microseconds

func (l *Ledger) hourly(ctx context.Context, doing, query string, campaign int64) ([]pipeline.Hourly, error) {
	return list(ctx, l, doing, scanner(func(h *pipeline.Hourly) []any { return []any{&h.Hour, &h.Code, &h.Count} }), query, campaign, int64(hour))
}

// QueriesByHour counts queries by state.
func (l *Ledger) QueriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	return l.hourly(ctx, "count queries", `SELECT asked_at / ?2, state, count(*) FROM queries WHERE campaign_id = ?1 GROUP BY 1, 2 ORDER BY 1, 2`, campaign)
}

// ForgeriesByHour counts forgeries by way.
func (l *Ledger) ForgeriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	return l.hourly(ctx, "count forgeries", `SELECT at / ?2, way, count(*) FROM forgeries WHERE campaign_id = ?1 GROUP BY 1, 2 ORDER BY 1, 2`, campaign)
}

// LettersByHour counts customers by when the first letter to them left, by channel.
func (l *Ledger) LettersByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	return l.hourly(ctx, "count letters", `SELECT e.at / ?2, e.channel, count(*) FROM imports AS i CROSS JOIN notices AS n ON n.import_id = i.id AND n.role = 'primary'
		CROSS JOIN events AS e ON e.id = (SELECT min(id) FROM events WHERE notice_id = n.id AND (kind = 'accepted' OR kind = 'delivered' OR kind = 'deposited'))
		WHERE i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0 GROUP BY 1, 2 ORDER BY 1, 2`, campaign)
}
