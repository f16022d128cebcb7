package postgres

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const userColumns = `u.id, u.login, u.name, u.roles, u.source, u.subject, u.password, u.must_change, u.password_at, u.totp, u.totp_step,
	u.failures, u.locked_until, u.disabled, u.epoch, u.locale, u.created_at, u.seen_at, u.gen, u.hands`

// scanUser reads userColumns behind the columns given.
func scanUser(row pgx.CollectableRow, before ...any) (u pipeline.User, err error) {
	var roles, hands string
	var passwordAt, locked, created, seen int64
	err = row.Scan(append(before,
		&u.ID, &u.Login, &u.Name, &roles, &u.Source, &u.Subject, &u.Password, &u.MustChange, &passwordAt, &u.TOTP, &u.TOTPStep,
		&u.Failures, &locked, &u.Disabled, &u.Epoch, &u.Locale, &created, &seen, &u.Gen, &hands)...)
	if err == nil && hands != "" {
		err = json.Unmarshal([]byte(hands), &u.Hands)
	}
	u.Roles = split(roles)
	u.PasswordAt, u.LockedUntil, u.CreatedAt, u.SeenAt = moment(passwordAt), moment(locked), moment(created), moment(seen)
	return u, err
}

func rowToUser(row pgx.CollectableRow) (pipeline.User, error) { return scanUser(row) }

// CreateUser stores a user.
func (l *Ledger) CreateUser(ctx context.Context, u pipeline.User, first bool, a pipeline.Audit) (pipeline.User, error) {
	u.Gen = 1
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if first {
			// Only a lock on the table keeps a second first user out.
			if _, err := q.Exec(ctx, `LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE`); err != nil {
				return err
			}
			var there bool
			if err := q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM users)`).Scan(&there); err != nil {
				return err
			}
			if there {
				return pipeline.ErrConflict
			}
		}
		err := q.QueryRow(ctx, `INSERT INTO users (login, name, roles, source, subject, password, must_change, password_at, totp, totp_step,
			failures, locked_until, disabled, epoch, locale, created_at, seen_at, gen, hands)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) RETURNING id`,
			clean(u.Login), clean(u.Name), joined(u.Roles), clean(u.Source), clean(u.Subject), u.Password, u.MustChange, micros(u.PasswordAt), bytes(u.TOTP), u.TOTPStep,
			u.Failures, micros(u.LockedUntil), u.Disabled, u.Epoch, u.Locale, micros(u.CreatedAt), micros(u.SeenAt), u.Gen, handed(u.Hands)).Scan(&u.ID)
		if isUnique(err) {
			return pipeline.ErrExists
		}
		if err != nil {
			return err
		}
		return audit(ctx, q, a)
	})
	return u, err
}

// UpdateUser writes u if nobody has since it was read.
func (l *Ledger) UpdateUser(ctx context.Context, u pipeline.User, entries ...pipeline.Audit) (pipeline.User, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE users SET login = $3, name = $4, roles = $5, password = $6, must_change = $7, password_at = $8, totp = $9, totp_step = $10,
			failures = $11, locked_until = $12, disabled = $13, epoch = $14, locale = $15, seen_at = $16, hands = $17, gen = gen + 1 WHERE id = $1 AND gen = $2`,
			u.ID, u.Gen, clean(u.Login), clean(u.Name), joined(u.Roles), u.Password, u.MustChange, micros(u.PasswordAt), bytes(u.TOTP), u.TOTPStep,
			u.Failures, micros(u.LockedUntil), u.Disabled, u.Epoch, u.Locale, micros(u.SeenAt), handed(u.Hands))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pipeline.ErrStale
		}
		for _, a := range entries {
			if err := audit(ctx, q, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		u.Gen++
	}
	return u, err
}

// User returns the user of a login.
func (l *Ledger) User(ctx context.Context, login string) (pipeline.User, error) {
	return one(ctx, l, l.desk, rowToUser, `SELECT `+userColumns+` FROM users u WHERE u.login = $1`, clean(login))
}

// UserOf returns the user whom an identity provider knows by a subject.
func (l *Ledger) UserOf(ctx context.Context, source, subject string) (pipeline.User, error) {
	return one(ctx, l, l.desk, rowToUser, `SELECT `+userColumns+` FROM users u WHERE u.source = $1 AND u.subject = $2 AND u.subject <> ''`, clean(source), clean(subject))
}

// AllUsers returns everybody.
func (l *Ledger) AllUsers(ctx context.Context) ([]pipeline.User, error) {
	return query(ctx, l, l.desk, rowToUser, `SELECT `+userColumns+` FROM users u ORDER BY u.login`)
}

// AddSession stores a login.
func (l *Ledger) AddSession(ctx context.Context, s pipeline.Session) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `INSERT INTO sessions (hash, user_id, epoch, created_at, seen_at, sure_at, strong) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.Hash[:], s.User, s.Epoch, micros(s.CreatedAt), micros(s.SeenAt), micros(s.SureAt), s.Strong)
		return err
	})
}

// Session returns a login and whose it is.
func (l *Ledger) Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error) {
	s := pipeline.Session{Hash: hash}
	u, err := one(ctx, l, l.desk, func(row pgx.CollectableRow) (pipeline.User, error) {
		var created, seen, sure int64
		u, err := scanUser(row, &s.User, &s.Epoch, &created, &seen, &sure, &s.Strong)
		s.CreatedAt, s.SeenAt, s.SureAt = moment(created), moment(seen), moment(sure)
		return u, err
	}, `SELECT s.user_id, s.epoch, s.created_at, s.seen_at, s.sure_at, s.strong, `+userColumns+`
		FROM sessions s JOIN users u ON u.id = s.user_id AND u.epoch = s.epoch AND NOT u.disabled WHERE s.hash = $1`, hash[:])
	return s, u, err
}

// TouchSession writes when a login was last seen.
func (l *Ledger) TouchSession(ctx context.Context, s pipeline.Session) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `UPDATE sessions SET seen_at = $2, sure_at = $3 WHERE hash = $1`, s.Hash[:], micros(s.SeenAt), micros(s.SureAt))
		return err
	})
}

// EndSession removes a login.
func (l *Ledger) EndSession(ctx context.Context, hash [32]byte) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM sessions WHERE hash = $1`, hash[:])
		return err
	})
}

// SweepSessions removes old logins.
func (l *Ledger) SweepSessions(ctx context.Context, seenBefore, begunBefore time.Time) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM sessions WHERE seen_at < $1 OR created_at < $2`, micros(seenBefore), micros(begunBefore))
		return err
	})
}

// handed writes who had an account in their hands.
func handed(list []pipeline.Hand) string {
	if len(list) == 0 {
		return ""
	}
	b, err := json.Marshal(list)
	if err != nil { // strings and times marshal
		panic(err)
	}
	return string(b)
}
