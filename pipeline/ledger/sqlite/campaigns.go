package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

const campaignColumns = `id, name, code_name, kind, state, version, launch_at, canary, paused_for, email, created_at`

func scanCampaign(r *sql.Rows) (c pipeline.Campaign, err error) {
	var email []byte
	err = r.Scan(&c.ID, &c.Name, &c.CodeName, &c.Kind, &c.State, &c.Version, when{&c.LaunchAt}, &c.Canary, &c.PausedFor, &email, when{&c.CreatedAt})
	if err == nil {
		err = json.Unmarshal(email, &c.Email)
	}
	return c, err
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
	err = l.write(ctx, "create campaign", 1, func(t *tx) error {
		err := t.scan(`SELECT id FROM campaigns WHERE name = ?`, []any{c.Name}, new(int64))
		if !errors.Is(err, sql.ErrNoRows) {
			return errors.Join(err, pipeline.ErrExists)
		}
		return t.scan(`INSERT INTO campaigns (name, code_name, kind, state, version, launch_at, canary, paused_for, email, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			[]any{c.Name, c.CodeName, c.Kind, string(c.State), c.Version, micros(c.LaunchAt), c.Canary, c.PausedFor, string(email), micros(c.CreatedAt)}, &c.ID)
	})
	c.LaunchAt, c.CreatedAt = moment(micros(c.LaunchAt)), moment(micros(c.CreatedAt))
	return c, err
}

// Campaign returns the campaign of a name, or pipeline.ErrNotFound.
func (l *Ledger) Campaign(ctx context.Context, name string) (pipeline.Campaign, error) {
	return one(ctx, l, "read campaign", scanCampaign, `SELECT `+campaignColumns+` FROM campaigns WHERE name = ?`, name)
}

// AllCampaigns returns all campaigns, oldest first.
func (l *Ledger) AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error) {
	return list(ctx, l, "read campaigns", scanCampaign, `SELECT `+campaignColumns+` FROM campaigns ORDER BY id`)
}

// UpdateCampaign writes c if the campaign is in one of the states from.
func (l *Ledger) UpdateCampaign(ctx context.Context, c pipeline.Campaign, from []pipeline.CampaignState, a pipeline.Audit) error {
	email, err := json.Marshal(c.Email)
	if err != nil {
		return err
	}
	return l.write(ctx, "update campaign", 1, func(t *tx) error {
		var now pipeline.CampaignState
		err := t.scan(`SELECT state FROM campaigns WHERE id = ?`, []any{c.ID}, &now)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return pipeline.ErrNotFound
		case err != nil:
			return err
		case !slices.Contains(from, now):
			return pipeline.ErrConflict
		}
		_, err = t.exec(`UPDATE campaigns SET code_name = ?, kind = ?, state = ?, launch_at = ?, canary = ?, paused_for = ?, email = ? WHERE id = ?`,
			c.CodeName, c.Kind, string(c.State), micros(c.LaunchAt), c.Canary, c.PausedFor, string(email), c.ID)
		if err != nil {
			return err
		}
		return t.audit(a)
	})
}

// AddVersion stores an approval and points the campaign to it.
func (l *Ledger) AddVersion(ctx context.Context, v pipeline.Version, from pipeline.Campaign, state pipeline.CampaignState, a pipeline.Audit) (pipeline.Version, error) {
	err := l.write(ctx, "add version", 1, func(t *tx) error {
		var version int
		var now string
		err := t.scan(`SELECT version, state FROM campaigns WHERE id = ?`, []any{v.Campaign}, &version, &now)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return pipeline.ErrNotFound
		case err != nil:
			return err
		case version != from.Version || now != string(from.State):
			return pipeline.ErrConflict
		}
		if err := t.scan(`SELECT coalesce(max(n), 0) + 1 FROM versions WHERE campaign_id = ?`, []any{v.Campaign}, &v.N); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO versions (campaign_id, n, hash, content, diff, authored_by, approved_by, approved_at, population, imports)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			v.Campaign, v.N, v.Hash, blob(v.Content), v.Diff, v.AuthoredBy, v.ApprovedBy, micros(v.ApprovedAt), v.Population, numbers(v.Imports)); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE campaigns SET version = ?, state = ? WHERE id = ?`, v.N, string(state), v.Campaign); err != nil {
			return err
		}
		return t.audit(a)
	})
	v.ApprovedAt = moment(micros(v.ApprovedAt))
	return v, err
}

func numbers(ids []int64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(strconv.FormatInt(id, 10))
	}
	return b.String()
}

func scanVersion(r *sql.Rows) (v pipeline.Version, err error) {
	var imports []string
	if err = r.Scan(&v.Campaign, &v.N, &v.Hash, &v.Content, &v.Diff, &v.AuthoredBy, &v.ApprovedBy, when{&v.ApprovedAt}, &v.Population, codes{&imports}); err != nil {
		return v, err
	}
	for _, s := range imports {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return v, err
		}
		v.Imports = append(v.Imports, id)
	}
	if len(v.Content) == 0 {
		v.Content = nil
	}
	return v, nil
}

// Version returns the n-th version of a campaign, or pipeline.ErrNotFound.
func (l *Ledger) Version(ctx context.Context, campaign int64, n int) (pipeline.Version, error) {
	return one(ctx, l, "read version", scanVersion, `SELECT campaign_id, n, hash, content, diff, authored_by, approved_by, approved_at, population, imports
		FROM versions WHERE campaign_id = ? AND n = ?`, campaign, n)
}

// Versions returns all versions of a campaign without their content.
func (l *Ledger) Versions(ctx context.Context, campaign int64) ([]pipeline.Version, error) {
	return list(ctx, l, "read versions", scanVersion, `SELECT campaign_id, n, hash, x'', diff, authored_by, approved_by, approved_at, population, imports
		FROM versions WHERE campaign_id = ? ORDER BY n`, campaign)
}

// OpenBreaker stores a breaker, in place of one in the same scope.
func (l *Ledger) OpenBreaker(ctx context.Context, b pipeline.Breaker) error {
	return l.write(ctx, "open breaker", 1, func(t *tx) error {
		_, err := t.exec(`INSERT INTO breakers (campaign_id, scope, reason, detail, since, until) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET reason = excluded.reason, detail = excluded.detail, since = excluded.since, until = excluded.until`,
			b.Campaign, b.Scope, b.Reason, b.Detail, micros(b.Since), micros(b.Until))
		return err
	})
}

// CloseBreaker removes a breaker.
func (l *Ledger) CloseBreaker(ctx context.Context, campaign int64, scope string, a pipeline.Audit) error {
	return l.write(ctx, "close breaker", 1, func(t *tx) error {
		n, err := t.exec(`DELETE FROM breakers WHERE campaign_id = ? AND scope = ?`, campaign, scope)
		if err != nil || n == 0 {
			return err
		}
		return t.audit(a)
	})
}

// Breakers returns the open breakers of a campaign in order of scope.
func (l *Ledger) Breakers(ctx context.Context, campaign int64) ([]pipeline.Breaker, error) {
	return list(ctx, l, "read breakers", scanner(func(b *pipeline.Breaker) []any {
		return []any{&b.Campaign, &b.Scope, &b.Reason, &b.Detail, when{&b.Since}, when{&b.Until}}
	}), `SELECT campaign_id, scope, reason, detail, since, until FROM breakers WHERE campaign_id = ? ORDER BY scope`, campaign)
}

// Append adds an entry to the audit trail.
func (l *Ledger) Append(ctx context.Context, a pipeline.Audit) error {
	return l.write(ctx, "append to the audit trail", 1, func(t *tx) error { return t.audit(a) })
}

// AuditTrail yields the entries of a campaign, oldest first.
func (l *Ledger) AuditTrail(ctx context.Context, campaign int64) iter.Seq2[pipeline.Audit, error] {
	return pages(func(last pipeline.Audit) ([]pipeline.Audit, error) {
		return list(ctx, l, "read the audit trail", scanner(auditFields), `SELECT id, campaign_id, at, actor, action, reason, detail
			FROM audits WHERE campaign_id = ? AND id > ? ORDER BY id LIMIT ?`, campaign, last.ID, pageSize)
	})
}

func auditFields(a *pipeline.Audit) []any {
	return []any{&a.ID, &a.Campaign, when{&a.At}, &a.Actor, &a.Action, &a.Reason, &a.Detail}
}

// LastAudits returns the newest entries, newest first.
func (l *Ledger) LastAudits(ctx context.Context, campaign int64, limit int) ([]pipeline.Audit, error) {
	return list(ctx, l, "read the audit trail", scanner(auditFields), `SELECT id, campaign_id, at, actor, action, reason, detail
		FROM audits WHERE campaign_id = ? ORDER BY id DESC LIMIT ?`, campaign, limit)
}

// Actions returns what was ever done in a campaign: from one to the next in the index.
func (l *Ledger) Actions(ctx context.Context, campaign int64) ([]string, error) {
	return list(ctx, l, "read the audit trail", scanner(func(s *string) []any { return []any{s} }), `WITH RECURSIVE done (action) AS (
			SELECT min(action) FROM audits WHERE campaign_id = ?1
			UNION ALL SELECT (SELECT min(action) FROM audits WHERE campaign_id = ?1 AND action > done.action) FROM done WHERE done.action IS NOT NULL
		) SELECT action FROM done WHERE action IS NOT NULL`, campaign)
}

// LastDeeds returns the newest entries of some actions.
func (l *Ledger) LastDeeds(ctx context.Context, campaign int64, actions []string, limit int) ([]pipeline.Audit, error) {
	var all []pipeline.Audit
	for _, action := range actions {
		some, err := list(ctx, l, "read the audit trail", scanner(auditFields), `SELECT id, campaign_id, at, actor, action, reason, detail
			FROM audits WHERE campaign_id = ? AND action = ? ORDER BY id DESC LIMIT ?`, campaign, action, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b pipeline.Audit) int { return cmp.Compare(b.ID, a.ID) })
	return all[:min(limit, len(all))], nil
}

// ByHand returns the entries of letters that only hands can pull, oldest first.
func (l *Ledger) ByHand(ctx context.Context, campaign int64) ([]pipeline.Audit, error) {
	return list(ctx, l, "read the audit trail", scanner(auditFields), `SELECT id, campaign_id, at, actor, action, reason, detail
		FROM audits WHERE campaign_id = ? AND action = 'pull-by-hand' ORDER BY id`, campaign)
}

// pageSize is how many rows an iterator reads at a time.
const pageSize = 500

// pages yields page after page until one is not full. next gets the last value
// that was yielded, at first the zero value.
func pages[T any](next func(last T) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var last T
		for {
			page, err := next(last)
			for _, v := range page {
				if !yield(v, nil) {
					return
				}
				last = v
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}
