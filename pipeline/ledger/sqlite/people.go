package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/art34/art34/pipeline"
)

const userColumns = `u.id, u.login, u.name, u.roles, u.source, u.subject, u.password, u.must_change, u.password_at, u.totp, u.totp_step,
	u.failures, u.locked_until, u.disabled, u.epoch, u.locale, u.created_at, u.seen_at, u.gen, u.hands`

func userFields(u *pipeline.User) []any {
	return []any{
		&u.ID, &u.Login, &u.Name, codes{&u.Roles}, &u.Source, &u.Subject, &u.Password, &u.MustChange, when{&u.PasswordAt}, &u.TOTP, &u.TOTPStep,
		&u.Failures, when{&u.LockedUntil}, &u.Disabled, &u.Epoch, &u.Locale, when{&u.CreatedAt}, when{&u.SeenAt}, &u.Gen, hands{&u.Hands},
	}
}

// CreateUser stores a user.
func (l *Ledger) CreateUser(ctx context.Context, u pipeline.User, first bool, a pipeline.Audit) (pipeline.User, error) {
	u.Gen = 1
	err := l.write(ctx, "create user", 1, func(t *tx) error {
		var there int
		if err := t.scan(`SELECT count(*) FROM users`, nil, &there); err != nil {
			return err
		}
		if first && there > 0 {
			return pipeline.ErrConflict
		}
		if err := t.scan(`SELECT count(*) FROM users WHERE login = ?1 OR source = ?2 AND subject = ?3 AND ?3 <> ''`, []any{u.Login, u.Source, u.Subject}, &there); err != nil {
			return err
		}
		if there > 0 {
			return pipeline.ErrExists
		}
		err := t.scan(`INSERT INTO users (login, name, roles, source, subject, password, must_change, password_at, totp, totp_step,
			failures, locked_until, disabled, epoch, locale, created_at, seen_at, gen, hands)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			[]any{clean(u.Login), clean(u.Name), joined(u.Roles), clean(u.Source), clean(u.Subject), u.Password, u.MustChange, micros(u.PasswordAt), blob(u.TOTP), u.TOTPStep,
				u.Failures, micros(u.LockedUntil), u.Disabled, u.Epoch, u.Locale, micros(u.CreatedAt), micros(u.SeenAt), u.Gen, handed(u.Hands)}, &u.ID)
		if err != nil {
			return err
		}
		return t.audit(a)
	})
	return u, err
}

// UpdateUser writes u if nobody has since it was read.
func (l *Ledger) UpdateUser(ctx context.Context, u pipeline.User, entries ...pipeline.Audit) (pipeline.User, error) {
	err := l.write(ctx, "update user", 1, func(t *tx) error {
		n, err := t.exec(`UPDATE users SET login = ?, name = ?, roles = ?, password = ?, must_change = ?, password_at = ?, totp = ?, totp_step = ?,
			failures = ?, locked_until = ?, disabled = ?, epoch = ?, locale = ?, seen_at = ?, hands = ?, gen = gen + 1 WHERE id = ? AND gen = ?`,
			clean(u.Login), clean(u.Name), joined(u.Roles), u.Password, u.MustChange, micros(u.PasswordAt), blob(u.TOTP), u.TOTPStep,
			u.Failures, micros(u.LockedUntil), u.Disabled, u.Epoch, u.Locale, micros(u.SeenAt), handed(u.Hands), u.ID, u.Gen)
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrStale
		}
		for _, a := range entries {
			if err := t.audit(a); err != nil {
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
	return one(ctx, l, "read user", scanner(userFields), `SELECT `+userColumns+` FROM users AS u WHERE u.login = ?`, login)
}

// UserOf returns the user whom an identity provider knows by a subject.
func (l *Ledger) UserOf(ctx context.Context, source, subject string) (pipeline.User, error) {
	return one(ctx, l, "read user", scanner(userFields), `SELECT `+userColumns+` FROM users AS u WHERE u.source = ? AND u.subject = ? AND u.subject <> ''`, source, subject)
}

// AllUsers returns everybody.
func (l *Ledger) AllUsers(ctx context.Context) ([]pipeline.User, error) {
	return list(ctx, l, "read users", scanner(userFields), `SELECT `+userColumns+` FROM users AS u ORDER BY u.login`)
}

// AddSession stores a login.
func (l *Ledger) AddSession(ctx context.Context, s pipeline.Session) error {
	return l.write(ctx, "add session", 1, func(t *tx) error {
		_, err := t.exec(`INSERT INTO sessions (hash, user_id, epoch, created_at, seen_at, sure_at, strong) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			s.Hash[:], s.User, s.Epoch, micros(s.CreatedAt), micros(s.SeenAt), micros(s.SureAt), s.Strong)
		return err
	})
}

// Session returns a login and whose it is.
func (l *Ledger) Session(ctx context.Context, hash [32]byte) (pipeline.Session, pipeline.User, error) {
	type login struct {
		s pipeline.Session
		u pipeline.User
	}
	v, err := one(ctx, l, "read session", func(r *sql.Rows) (v login, err error) {
		err = r.Scan(append([]any{&v.s.User, &v.s.Epoch, when{&v.s.CreatedAt}, when{&v.s.SeenAt}, when{&v.s.SureAt}, &v.s.Strong}, userFields(&v.u)...)...)
		v.s.Hash = hash
		return v, err
	}, `SELECT s.user_id, s.epoch, s.created_at, s.seen_at, s.sure_at, s.strong, `+userColumns+`
		FROM sessions AS s JOIN users AS u ON u.id = s.user_id AND u.epoch = s.epoch AND u.disabled = 0 WHERE s.hash = ?`, hash[:])
	return v.s, v.u, err
}

// TouchSession writes when a login was last seen.
func (l *Ledger) TouchSession(ctx context.Context, s pipeline.Session) error {
	return l.write(ctx, "touch session", 1, func(t *tx) error {
		_, err := t.exec(`UPDATE sessions SET seen_at = ?, sure_at = ? WHERE hash = ?`, micros(s.SeenAt), micros(s.SureAt), s.Hash[:])
		return err
	})
}

// EndSession removes a login.
func (l *Ledger) EndSession(ctx context.Context, hash [32]byte) error {
	return l.write(ctx, "end session", 1, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE hash = ?`, hash[:])
		return err
	})
}

// SweepSessions removes old logins.
func (l *Ledger) SweepSessions(ctx context.Context, seenBefore, begunBefore time.Time) error {
	return l.write(ctx, "sweep sessions", 1, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sessions WHERE seen_at < ? OR created_at < ?`, micros(seenBefore), micros(begunBefore))
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

// hands reads them.
type hands struct{ to *[]pipeline.Hand }

// Scan implements sql.Scanner.
func (h hands) Scan(v any) error {
	s, _ := v.(string)
	*h.to = nil
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), h.to)
}
