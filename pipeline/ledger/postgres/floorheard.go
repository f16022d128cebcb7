package postgres

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// This file holds what the cell hears: queries without an answer, and forgeries.

const queryColumns = `id, campaign_id, call_id, locale, sealed, asked_by, asked_at, state, qa_id, reason, closed_by, closed_at`

func rowToQuery(row pgx.CollectableRow) (q pipeline.Query, err error) {
	var asked, closed int64
	err = row.Scan(&q.ID, &q.Campaign, &q.Call, &q.Locale, &q.Sealed, &q.AskedBy, &asked, &q.State, &q.QA, &q.Reason, &q.ClosedBy, &closed)
	q.AskedAt, q.ClosedAt = moment(asked), moment(closed)
	return q, err
}

// AddQuery stores a query as open.
func (l *Ledger) AddQuery(ctx context.Context, qu pipeline.Query) (pipeline.Query, error) {
	qu.State, qu.QA, qu.Reason, qu.ClosedBy, qu.ClosedAt = pipeline.QueryOpen, 0, "", "", moment(0)
	err := l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		return q.QueryRow(ctx, `INSERT INTO queries (campaign_id, call_id, locale, sealed, asked_by, asked_at, state, qa_id, reason, closed_by, closed_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'open', 0, '', '', 0) RETURNING id`, qu.Campaign, qu.Call, clean(qu.Locale), bytes(qu.Sealed), clean(qu.AskedBy), micros(qu.AskedAt)).Scan(&qu.ID)
	})
	return qu, err
}

// CloseQuery answers or dismisses a query.
func (l *Ledger) CloseQuery(ctx context.Context, qu pipeline.Query, a pipeline.Audit) error {
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE queries SET state = $3, qa_id = $4, reason = $5, closed_by = $6, closed_at = $7 WHERE id = $1 AND campaign_id = $2 AND state = 'open'`,
			qu.ID, qu.Campaign, string(qu.State), qu.QA, clean(qu.Reason), clean(qu.ClosedBy), micros(qu.ClosedAt))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pipeline.ErrConflict
		}
		return audit(ctx, q, a)
	})
}

// Queries returns the newest queries of a campaign.
func (l *Ledger) Queries(ctx context.Context, campaign int64, f pipeline.QueryFilter, limit int) ([]pipeline.Query, error) {
	before := f.Before
	if before <= 0 {
		before = math.MaxInt64
	}
	return query(ctx, l, l.desk, rowToQuery, `SELECT `+queryColumns+` FROM queries WHERE campaign_id = $1 AND id < $2
		AND ($3 = '' OR asked_by = $3) AND ($4 = '' OR state = $4) AND (NOT $5 OR state <> 'open') ORDER BY id DESC LIMIT $6`,
		campaign, before, clean(f.AskedBy), string(f.State), f.Closed, limit)
}

// Query returns a query.
func (l *Ledger) Query(ctx context.Context, campaign, id int64) (pipeline.Query, error) {
	return one(ctx, l, l.desk, rowToQuery, `SELECT `+queryColumns+` FROM queries WHERE id = $1 AND campaign_id = $2`, id, campaign)
}

// AddForgery stores a report.
func (l *Ledger) AddForgery(ctx context.Context, f pipeline.Forgery, a pipeline.Audit) (pipeline.Forgery, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		err := q.QueryRow(ctx, `INSERT INTO forgeries (campaign_id, notice_id, way, verdict, print, sealed, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
			f.Campaign, f.Notice, clean(f.Way), clean(f.Verdict), bytes(f.Print), bytes(f.Sealed), clean(f.Actor), micros(f.At)).Scan(&f.ID)
		if err != nil {
			return err
		}
		return audit(ctx, q, a)
	})
	return f, err
}

// Forgeries returns the newest reports of a campaign.
func (l *Ledger) Forgeries(ctx context.Context, campaign int64, limit int) ([]pipeline.Forgery, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (f pipeline.Forgery, err error) {
		var at int64
		err = row.Scan(&f.ID, &f.Campaign, &f.Notice, &f.Way, &f.Verdict, &f.Print, &f.Sealed, &f.Actor, &at)
		f.At = moment(at)
		return f, err
	}, `SELECT id, campaign_id, notice_id, way, verdict, print, sealed, actor, at FROM forgeries WHERE campaign_id = $1 ORDER BY id DESC LIMIT $2`, campaign, limit)
}

const hour = 3_600_000_000 // microseconds

// QueriesByHour counts queries by state.
func (l *Ledger) QueriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	return query(ctx, l, l.desk, pgx.RowToStructByPos[pipeline.Hourly], `SELECT asked_at / $2, state, count(*) FROM queries WHERE campaign_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`, campaign, int64(hour))
}

// ForgeriesByHour counts forgeries by way.
func (l *Ledger) ForgeriesByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	return query(ctx, l, l.desk, pgx.RowToStructByPos[pipeline.Hourly], `SELECT at / $2, way, count(*) FROM forgeries WHERE campaign_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`, campaign, int64(hour))
}

// LettersByHour counts customers by when the first letter to them left, by channel.
func (l *Ledger) LettersByHour(ctx context.Context, campaign int64) ([]pipeline.Hourly, error) {
	return query(ctx, l, l.desk, pgx.RowToStructByPos[pipeline.Hourly], `SELECT e.at / $2, e.channel, count(*) FROM imports i JOIN notices n ON n.import_id = i.id AND n.role = 'primary'
		CROSS JOIN LATERAL (SELECT at, channel FROM events WHERE notice_id = n.id AND kind IN ('accepted', 'delivered', 'deposited') ORDER BY id LIMIT 1) e
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 GROUP BY 1, 2 ORDER BY 1, 2`, campaign, int64(hour))
}
