package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// Embargoes returns those that were ever set.
func (l *Ledger) Embargoes(ctx context.Context) ([]pipeline.Embargo, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (e pipeline.Embargo, err error) {
		var until int64
		var members string
		err = row.Scan(&e.Campaign, &until, &members, &e.Gen)
		e.Until, e.Members = moment(until), split(members)
		return e, err
	}, `SELECT campaign_id, until, members, gen FROM embargoes ORDER BY campaign_id`)
}

// SetEmbargo writes e if nobody has since it was read.
func (l *Ledger) SetEmbargo(ctx context.Context, e pipeline.Embargo, a pipeline.Audit) (pipeline.Embargo, error) {
	text := `UPDATE embargoes SET until = $2, members = $3, gen = gen + 1 WHERE campaign_id = $1 AND gen = $4`
	if e.Gen == 0 {
		text = `INSERT INTO embargoes (campaign_id, until, members, gen) VALUES ($1, $2, $3, $4 + 1) ON CONFLICT (campaign_id) DO NOTHING`
	}
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, text, e.Campaign, micros(e.Until), clean(joined(e.Members)), e.Gen)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pipeline.ErrStale
		}
		return audit(ctx, q, a)
	})
	if err == nil {
		e.Gen++
	}
	return e, err
}

const tokenColumns = `id, name, hash, scopes, per_minute, look_ups, created_at, created_by, expires_at, revoked_at, seen_at`

func rowToAPIToken(row pgx.CollectableRow) (t pipeline.APIToken, err error) {
	var hash []byte
	var scopes string
	var created, expires, revoked, seen int64
	err = row.Scan(&t.ID, &t.Name, &hash, &scopes, &t.PerMinute, &t.LookUps, &created, &t.CreatedBy, &expires, &revoked, &seen)
	copy(t.Hash[:], hash)
	t.Scopes, t.CreatedAt, t.ExpiresAt, t.RevokedAt, t.SeenAt = split(scopes), moment(created), moment(expires), moment(revoked), moment(seen)
	return t, err
}

// CreateToken stores a token.
func (l *Ledger) CreateToken(ctx context.Context, k pipeline.APIToken, a pipeline.Audit) (pipeline.APIToken, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		err := q.QueryRow(ctx, `INSERT INTO api_tokens (name, hash, scopes, per_minute, look_ups, created_at, created_by, expires_at, revoked_at, seen_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (name) DO NOTHING RETURNING id`,
			clean(k.Name), k.Hash[:], joined(k.Scopes), k.PerMinute, k.LookUps, micros(k.CreatedAt), clean(k.CreatedBy), micros(k.ExpiresAt), micros(k.RevokedAt), micros(k.SeenAt)).Scan(&k.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return pipeline.ErrExists
		}
		if err != nil {
			return err
		}
		return audit(ctx, q, a)
	})
	return k, err
}

// TokenOf returns the token with this hash.
func (l *Ledger) TokenOf(ctx context.Context, hash [32]byte) (pipeline.APIToken, error) {
	return one(ctx, l, l.desk, rowToAPIToken, `SELECT `+tokenColumns+` FROM api_tokens WHERE hash = $1`, hash[:])
}

// AllTokens returns all there ever were.
func (l *Ledger) AllTokens(ctx context.Context) ([]pipeline.APIToken, error) {
	return query(ctx, l, l.desk, rowToAPIToken, `SELECT `+tokenColumns+` FROM api_tokens ORDER BY name`)
}

// RevokeToken ends a token.
func (l *Ledger) RevokeToken(ctx context.Context, name string, at time.Time, a pipeline.Audit) error {
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE api_tokens SET revoked_at = $2 WHERE name = $1 AND revoked_at = 0`, clean(name), micros(at))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			return audit(ctx, q, a)
		}
		var there bool
		if err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM api_tokens WHERE name = $1)`, clean(name)).Scan(&there); err != nil {
			return err
		}
		if there {
			return pipeline.ErrConflict
		}
		return pipeline.ErrNotFound
	})
}

// TouchToken writes when a token was last used.
func (l *Ledger) TouchToken(ctx context.Context, id int64, at time.Time) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `UPDATE api_tokens SET seen_at = $2 WHERE id = $1`, id, micros(at))
		return err
	})
}

// Remember stores r if its token has no answer for its key yet. A second one that
// comes at the same moment waits for the first, and finds its row.
func (l *Ledger) Remember(ctx context.Context, r pipeline.Remembered) (kept pipeline.Remembered, first bool, err error) {
	err = l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `INSERT INTO api_answers (token_id, key, request, at, status, body) VALUES ($1, $2, $3, $4, 0, '') ON CONFLICT DO NOTHING`,
			r.Token, r.Key[:], r.Request[:], micros(r.At))
		if err != nil || tag.RowsAffected() == 1 {
			kept, first = r, err == nil
			kept.Status, kept.Body = 0, nil
			return err
		}
		var request []byte
		var at int64
		first, kept = false, pipeline.Remembered{Token: r.Token, Key: r.Key}
		err = q.QueryRow(ctx, `SELECT request, at, status, body FROM api_answers WHERE token_id = $1 AND key = $2`, r.Token, r.Key[:]).Scan(&request, &at, &kept.Status, &kept.Body)
		copy(kept.Request[:], request)
		kept.At = moment(at)
		return err
	})
	return kept, first, err
}

// Recall returns what Remember stored.
func (l *Ledger) Recall(ctx context.Context, token int64, key [32]byte) (pipeline.Remembered, error) {
	return one(ctx, l, l.desk, func(row pgx.CollectableRow) (pipeline.Remembered, error) {
		var request []byte
		var at int64
		kept := pipeline.Remembered{Token: token, Key: key}
		err := row.Scan(&request, &at, &kept.Status, &kept.Body)
		copy(kept.Request[:], request)
		kept.At = moment(at)
		return kept, err
	}, `SELECT request, at, status, body FROM api_answers WHERE token_id = $1 AND key = $2`, token, key[:])
}

// Answered writes the answer of what Remember stored.
func (l *Ledger) Answered(ctx context.Context, r pipeline.Remembered) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `UPDATE api_answers SET status = $3, body = $4 WHERE token_id = $1 AND key = $2`, r.Token, r.Key[:], r.Status, bytes(r.Body))
		return err
	})
}

// Forget removes what Remember stored.
func (l *Ledger) Forget(ctx context.Context, r pipeline.Remembered) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM api_answers WHERE token_id = $1 AND key = $2`, r.Token, r.Key[:])
		return err
	})
}

// ForgetAnswers removes all that is older.
func (l *Ledger) ForgetAnswers(ctx context.Context, before time.Time) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM api_answers WHERE at < $1`, micros(before))
		return err
	})
}
