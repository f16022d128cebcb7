package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const campaignColumns = `id, name, code_name, kind, state, version, launch_at, canary, paused_for, email, created_at`

func rowToCampaign(row pgx.CollectableRow) (c pipeline.Campaign, err error) {
	var email []byte
	var launch, created int64
	err = row.Scan(&c.ID, &c.Name, &c.CodeName, &c.Kind, &c.State, &c.Version, &launch, &c.Canary, &c.PausedFor, &email, &created)
	if err != nil {
		return c, err
	}
	c.LaunchAt, c.CreatedAt = moment(launch), moment(created)
	return c, json.Unmarshal(email, &c.Email)
}

// CreateCampaign stores a draft.
func (l *Ledger) CreateCampaign(ctx context.Context, c pipeline.Campaign) (pipeline.Campaign, error) {
	email, err := json.Marshal(c.Email)
	if err != nil {
		return c, err
	}
	if c.State == "" {
		c.State = pipeline.Draft
	}
	err = l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		err := q.QueryRow(ctx, `INSERT INTO campaigns (name, code_name, kind, state, version, launch_at, canary, paused_for, email, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
			c.Name, c.CodeName, c.Kind, string(c.State), c.Version, micros(c.LaunchAt), c.Canary, c.PausedFor, string(email), micros(c.CreatedAt)).Scan(&c.ID)
		if isUnique(err) {
			return pipeline.ErrExists
		}
		return err
	})
	c.LaunchAt, c.CreatedAt = moment(micros(c.LaunchAt)), moment(micros(c.CreatedAt))
	return c, err
}

// Campaign returns the campaign of a name, or pipeline.ErrNotFound.
func (l *Ledger) Campaign(ctx context.Context, name string) (pipeline.Campaign, error) {
	return one(ctx, l, l.hot, rowToCampaign, `SELECT `+campaignColumns+` FROM campaigns WHERE name = $1`, name)
}

// AllCampaigns returns all campaigns, oldest first.
func (l *Ledger) AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error) {
	return query(ctx, l, l.hot, rowToCampaign, `SELECT `+campaignColumns+` FROM campaigns ORDER BY id`)
}

// UpdateCampaign writes c if the campaign is in one of the states from.
func (l *Ledger) UpdateCampaign(ctx context.Context, c pipeline.Campaign, from []pipeline.CampaignState, a pipeline.Audit) error {
	email, err := json.Marshal(c.Email)
	if err != nil {
		return err
	}
	states := strs(from)
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE campaigns SET code_name = $3, kind = $4, state = $5, launch_at = $6, canary = $7, paused_for = $8, email = $9
			WHERE id = $1 AND state = ANY($2)`,
			c.ID, states, c.CodeName, c.Kind, string(c.State), micros(c.LaunchAt), c.Canary, c.PausedFor, string(email))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return missingOr(ctx, q, pipeline.ErrConflict, `SELECT EXISTS (SELECT FROM campaigns WHERE id = $1)`, c.ID)
		}
		return audit(ctx, q, a)
	})
}

// missingOr returns pipeline.ErrNotFound where the question is answered with no,
// otherwise the error given.
func missingOr(ctx context.Context, q querier, otherwise error, question string, args ...any) error {
	var there bool
	if err := q.QueryRow(ctx, question, args...).Scan(&there); err != nil {
		return err
	}
	if !there {
		return pipeline.ErrNotFound
	}
	return otherwise
}

func audit(ctx context.Context, q querier, a pipeline.Audit) error {
	_, err := q.Exec(ctx, `INSERT INTO audits (campaign_id, at, actor, action, reason, detail) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.Campaign, micros(a.At), clean(a.Actor), clean(a.Action), clean(a.Reason), clean(a.Detail))
	return err
}

// AddVersion stores an approval and points the campaign to it.
func (l *Ledger) AddVersion(ctx context.Context, v pipeline.Version, from pipeline.Campaign, state pipeline.CampaignState, a pipeline.Audit) (pipeline.Version, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		// The row lock makes numbers of concurrent approvals follow each other.
		var version int
		var now string
		err := q.QueryRow(ctx, `SELECT version, state FROM campaigns WHERE id = $1 FOR NO KEY UPDATE`, v.Campaign).Scan(&version, &now)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return pipeline.ErrNotFound
		case err != nil:
			return err
		case version != from.Version || now != string(from.State):
			return pipeline.ErrConflict
		}
		err = q.QueryRow(ctx, `INSERT INTO versions (campaign_id, n, hash, content, diff, authored_by, approved_by, approved_at, population, imports)
			SELECT $1, coalesce((SELECT max(n) FROM versions WHERE campaign_id = $1), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9 RETURNING n`,
			v.Campaign, v.Hash, bytes(v.Content), clean(v.Diff), v.AuthoredBy, v.ApprovedBy, micros(v.ApprovedAt), v.Population, numbers(v.Imports)).Scan(&v.N)
		if err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `UPDATE campaigns SET version = $2, state = $3 WHERE id = $1`, v.Campaign, v.N, string(state)); err != nil {
			return err
		}
		return audit(ctx, q, a)
	})
	v.ApprovedAt = moment(micros(v.ApprovedAt))
	return v, err
}

func numbers(ids []int64) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(out, "|")
}

func rowToVersion(row pgx.CollectableRow) (v pipeline.Version, err error) {
	var imports string
	var at int64
	err = row.Scan(&v.Campaign, &v.N, &v.Hash, &v.Content, &v.Diff, &v.AuthoredBy, &v.ApprovedBy, &at, &v.Population, &imports)
	if err != nil {
		return v, err
	}
	v.ApprovedAt = moment(at)
	if len(v.Content) == 0 {
		v.Content = nil
	}
	for _, s := range split(imports) {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return v, err
		}
		v.Imports = append(v.Imports, id)
	}
	return v, nil
}

// Version returns the n-th version of a campaign, or pipeline.ErrNotFound.
func (l *Ledger) Version(ctx context.Context, campaign int64, n int) (pipeline.Version, error) {
	return one(ctx, l, l.hot, rowToVersion, `SELECT campaign_id, n, hash, content, diff, authored_by, approved_by, approved_at, population, imports
		FROM versions WHERE campaign_id = $1 AND n = $2`, campaign, n)
}

// Versions returns all versions of a campaign without their content.
func (l *Ledger) Versions(ctx context.Context, campaign int64) ([]pipeline.Version, error) {
	return query(ctx, l, l.desk, rowToVersion, `SELECT campaign_id, n, hash, ''::bytea, diff, authored_by, approved_by, approved_at, population, imports
		FROM versions WHERE campaign_id = $1 ORDER BY n`, campaign)
}

// OpenBreaker stores a breaker, in place of one in the same scope.
func (l *Ledger) OpenBreaker(ctx context.Context, b pipeline.Breaker) error {
	return l.on(ctx, l.hot, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `INSERT INTO breakers (campaign_id, scope, reason, detail, since, until) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (campaign_id, scope) DO UPDATE SET reason = excluded.reason, detail = excluded.detail, since = excluded.since, until = excluded.until`,
			b.Campaign, b.Scope, clean(b.Reason), clean(b.Detail), micros(b.Since), micros(b.Until))
		return err
	})
}

// CloseBreaker removes a breaker; one that is closed already leaves no entry.
func (l *Ledger) CloseBreaker(ctx context.Context, campaign int64, scope string, a pipeline.Audit) error {
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `DELETE FROM breakers WHERE campaign_id = $1 AND scope = $2`, campaign, scope)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit(ctx, q, a)
	})
}

// Breakers returns the open breakers of a campaign in order of scope.
func (l *Ledger) Breakers(ctx context.Context, campaign int64) ([]pipeline.Breaker, error) {
	return query(ctx, l, l.hot, func(row pgx.CollectableRow) (b pipeline.Breaker, err error) {
		var since, until int64
		err = row.Scan(&b.Campaign, &b.Scope, &b.Reason, &b.Detail, &since, &until)
		b.Since, b.Until = moment(since), moment(until)
		return b, err
	}, `SELECT campaign_id, scope, reason, detail, since, until FROM breakers WHERE campaign_id = $1 ORDER BY scope`, campaign)
}

// Append adds an entry to the audit trail.
func (l *Ledger) Append(ctx context.Context, a pipeline.Audit) error {
	return l.on(ctx, l.hot, func(ctx context.Context, q querier) error { return audit(ctx, q, a) })
}

func rowToAudit(row pgx.CollectableRow) (a pipeline.Audit, err error) {
	var at int64
	err = row.Scan(&a.ID, &a.Campaign, &at, &a.Actor, &a.Action, &a.Reason, &a.Detail)
	a.At = moment(at)
	return a, err
}

// LastAudits returns the newest entries, newest first.
func (l *Ledger) LastAudits(ctx context.Context, campaign int64, limit int) ([]pipeline.Audit, error) {
	return query(ctx, l, l.desk, rowToAudit, `SELECT id, campaign_id, at, actor, action, reason, detail
		FROM audits WHERE campaign_id = $1 ORDER BY id DESC LIMIT $2`, campaign, limit)
}

// Actions returns what was ever done in a campaign: from one to the next in the index.
func (l *Ledger) Actions(ctx context.Context, campaign int64) ([]string, error) {
	return query(ctx, l, l.desk, pgx.RowTo[string], `WITH RECURSIVE k (action) AS (
			(SELECT action FROM audits WHERE campaign_id = $1 ORDER BY action LIMIT 1)
			UNION ALL SELECT n.action FROM k CROSS JOIN LATERAL (SELECT action FROM audits WHERE campaign_id = $1 AND action > k.action ORDER BY action LIMIT 1) n
		) SELECT action FROM k`, campaign)
}

// LastDeeds returns the newest entries of some actions.
func (l *Ledger) LastDeeds(ctx context.Context, campaign int64, actions []string, limit int) ([]pipeline.Audit, error) {
	return query(ctx, l, l.desk, rowToAudit, `SELECT a.id, a.campaign_id, a.at, a.actor, a.action, a.reason, a.detail FROM unnest($2::text[]) AS k (action)
		CROSS JOIN LATERAL (SELECT id, campaign_id, at, actor, action, reason, detail FROM audits
			WHERE campaign_id = $1 AND action = k.action ORDER BY id DESC LIMIT $3) a
		ORDER BY a.id DESC LIMIT $3`, campaign, actions, limit)
}

// ByHand returns the entries of letters that only hands can pull, oldest first.
func (l *Ledger) ByHand(ctx context.Context, campaign int64) ([]pipeline.Audit, error) {
	return query(ctx, l, l.desk, rowToAudit, `SELECT id, campaign_id, at, actor, action, reason, detail
		FROM audits WHERE campaign_id = $1 AND action = 'pull-by-hand' ORDER BY id`, campaign)
}

// AuditTrail yields the entries of a campaign, oldest first.
func (l *Ledger) AuditTrail(ctx context.Context, campaign int64) iter.Seq2[pipeline.Audit, error] {
	return pages(func(last pipeline.Audit) ([]pipeline.Audit, error) {
		return query(ctx, l, l.desk, rowToAudit, `SELECT id, campaign_id, at, actor, action, reason, detail FROM audits WHERE campaign_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
			campaign, last.ID, pageSize)
	})
}
