package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/art34/art34/pipeline"
)

// Embargoes returns those that were ever set.
func (l *Ledger) Embargoes(ctx context.Context) ([]pipeline.Embargo, error) {
	return list(ctx, l, "read embargoes", scanner(func(e *pipeline.Embargo) []any {
		return []any{&e.Campaign, when{&e.Until}, codes{&e.Members}, &e.Gen}
	}), `SELECT campaign_id, until, members, gen FROM embargoes ORDER BY campaign_id`)
}

// SetEmbargo writes e if nobody has since it was read.
func (l *Ledger) SetEmbargo(ctx context.Context, e pipeline.Embargo, a pipeline.Audit) (pipeline.Embargo, error) {
	err := l.write(ctx, "set embargo", 1, func(t *tx) error {
		n, err := t.exec(`INSERT INTO embargoes (campaign_id, until, members, gen) SELECT ?1, ?2, ?3, 1 WHERE ?4 = 0
			ON CONFLICT (campaign_id) DO NOTHING`, e.Campaign, micros(e.Until), clean(joined(e.Members)), e.Gen)
		if err == nil && e.Gen > 0 {
			n, err = t.exec(`UPDATE embargoes SET until = ?, members = ?, gen = gen + 1 WHERE campaign_id = ? AND gen = ?`, micros(e.Until), clean(joined(e.Members)), e.Campaign, e.Gen)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrStale
		}
		return t.audit(a)
	})
	if err == nil {
		e.Gen++
	}
	return e, err
}

const tokenColumns = `id, name, hash, scopes, per_minute, look_ups, created_at, created_by, expires_at, revoked_at, seen_at`

func scanAPIToken(r *sql.Rows) (t pipeline.APIToken, err error) {
	var hash []byte
	err = r.Scan(&t.ID, &t.Name, &hash, codes{&t.Scopes}, &t.PerMinute, &t.LookUps, when{&t.CreatedAt}, &t.CreatedBy, when{&t.ExpiresAt}, when{&t.RevokedAt}, when{&t.SeenAt})
	copy(t.Hash[:], hash)
	return t, err
}

// CreateToken stores a token.
func (l *Ledger) CreateToken(ctx context.Context, k pipeline.APIToken, a pipeline.Audit) (pipeline.APIToken, error) {
	err := l.write(ctx, "create token", 1, func(t *tx) error {
		err := t.scan(`INSERT INTO api_tokens (name, hash, scopes, per_minute, look_ups, created_at, created_by, expires_at, revoked_at, seen_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING id`,
			[]any{clean(k.Name), k.Hash[:], joined(k.Scopes), k.PerMinute, k.LookUps, micros(k.CreatedAt), clean(k.CreatedBy), micros(k.ExpiresAt), micros(k.RevokedAt), micros(k.SeenAt)}, &k.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return pipeline.ErrExists
		}
		if err != nil {
			return err
		}
		return t.audit(a)
	})
	return k, err
}

// TokenOf returns the token with this hash.
func (l *Ledger) TokenOf(ctx context.Context, hash [32]byte) (pipeline.APIToken, error) {
	return one(ctx, l, "read token", scanAPIToken, `SELECT `+tokenColumns+` FROM api_tokens WHERE hash = ?`, hash[:])
}

// AllTokens returns all there ever were.
func (l *Ledger) AllTokens(ctx context.Context) ([]pipeline.APIToken, error) {
	return list(ctx, l, "read tokens", scanAPIToken, `SELECT `+tokenColumns+` FROM api_tokens ORDER BY name`)
}

// RevokeToken ends a token.
func (l *Ledger) RevokeToken(ctx context.Context, name string, at time.Time, a pipeline.Audit) error {
	return l.write(ctx, "revoke token", 1, func(t *tx) error {
		var revoked int64
		err := t.scan(`SELECT revoked_at FROM api_tokens WHERE name = ?`, []any{name}, &revoked)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return pipeline.ErrNotFound
		case err != nil:
			return err
		case revoked != 0:
			return pipeline.ErrConflict
		}
		if _, err := t.exec(`UPDATE api_tokens SET revoked_at = ? WHERE name = ?`, micros(at), name); err != nil {
			return err
		}
		return t.audit(a)
	})
}

// TouchToken writes when a token was last used.
func (l *Ledger) TouchToken(ctx context.Context, id int64, at time.Time) error {
	return l.write(ctx, "touch token", 1, func(t *tx) error {
		_, err := t.exec(`UPDATE api_tokens SET seen_at = ? WHERE id = ?`, micros(at), id)
		return err
	})
}

// Remember stores r if its token has no answer for its key yet.
func (l *Ledger) Remember(ctx context.Context, r pipeline.Remembered) (kept pipeline.Remembered, first bool, err error) {
	err = l.write(ctx, "remember a request", 1, func(t *tx) error {
		n, err := t.exec(`INSERT INTO api_answers (token_id, key, request, at, status, body) VALUES (?, ?, ?, ?, 0, x'') ON CONFLICT DO NOTHING`,
			r.Token, r.Key[:], r.Request[:], micros(r.At))
		if err != nil || n == 1 {
			kept, first = r, err == nil
			kept.Status, kept.Body = 0, nil
			return err
		}
		var request []byte
		first, kept = false, pipeline.Remembered{Token: r.Token, Key: r.Key}
		err = t.scan(`SELECT request, at, status, body FROM api_answers WHERE token_id = ? AND key = ?`, []any{r.Token, r.Key[:]}, &request, when{&kept.At}, &kept.Status, &kept.Body)
		copy(kept.Request[:], request)
		return err
	})
	return kept, first, err
}

// Recall returns what Remember stored.
func (l *Ledger) Recall(ctx context.Context, token int64, key [32]byte) (pipeline.Remembered, error) {
	var request []byte
	kept, err := one(ctx, l, "recall a request", scanner(func(r *pipeline.Remembered) []any { return []any{&request, when{&r.At}, &r.Status, &r.Body} }),
		`SELECT request, at, status, body FROM api_answers WHERE token_id = ? AND key = ?`, token, key[:])
	kept.Token, kept.Key = token, key
	copy(kept.Request[:], request)
	return kept, err
}

// Answered writes the answer of what Remember stored.
func (l *Ledger) Answered(ctx context.Context, r pipeline.Remembered) error {
	return l.write(ctx, "remember an answer", 1, func(t *tx) error {
		_, err := t.exec(`UPDATE api_answers SET status = ?, body = ? WHERE token_id = ? AND key = ?`, r.Status, blob(r.Body), r.Token, r.Key[:])
		return err
	})
}

// Forget removes what Remember stored.
func (l *Ledger) Forget(ctx context.Context, r pipeline.Remembered) error {
	return l.write(ctx, "forget a request", 1, func(t *tx) error {
		_, err := t.exec(`DELETE FROM api_answers WHERE token_id = ? AND key = ?`, r.Token, r.Key[:])
		return err
	})
}

// ForgetAnswers removes all that is older.
func (l *Ledger) ForgetAnswers(ctx context.Context, before time.Time) error {
	return l.write(ctx, "forget answers", 1, func(t *tx) error {
		_, err := t.exec(`DELETE FROM api_answers WHERE at < ?`, micros(before))
		return err
	})
}
