package console

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/redact"
)

// Accounts gives and takes accounts, for the pages and for the command line. Errors
// are *pipeline.Error; their codes are also keys of messages ("account." + code).
type Accounts struct {
	Users  Users
	Seal   Sealer
	Clock  clock.Clock // of the machine
	Random func([]byte)

	hash  hasher
	gates *gates
}

// NewAccounts returns the accounts of an installation.
func NewAccounts(u Users, s Sealer, c clock.Clock, random func([]byte)) *Accounts {
	return &Accounts{Users: u, Seal: s, Clock: c, Random: random, hash: newHasher(), gates: newGates(c)}
}

// Local is the source of accounts with a password kept here.
const Local = "local"

func refuse(code, sentence, hint string) error {
	return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Permanent: true, Exit: 1}
}

func cleanLogin(login string) (string, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	if !pipeline.ValidLogin(login) {
		return "", refuse("login-form", "a login is 2 to 63 letters, digits and . _ @ -, and begins with a letter or digit", "")
	}
	return login, nil
}

// Setup makes the first account of an installation: an administrator who also
// operates, so that one person can begin. Approving takes a second one.
func (a *Accounts) Setup(ctx context.Context, login, name, password, locale string) (pipeline.User, error) {
	u, err := a.fresh(login, name, []string{string(Admin), string(Operator)}, locale)
	if err != nil {
		return u, err
	}
	if key := weak(password, u.Login, u.Name); key != "" {
		return u, refuse("password-weak", "this password is too easy to guess", "")
	}
	u.Password, u.PasswordAt = a.encode(password), u.CreatedAt
	u, err = a.Users.CreateUser(ctx, u, true, a.audit(u.Actor(), "setup", u))
	if errors.Is(err, pipeline.ErrConflict) {
		return u, refuse("set-up-already", "this installation is set up already", "log in, or ask an administrator for an account")
	}
	return u, err
}

// Add makes an account and returns the password to be told to its owner, who has to
// choose another at the first login.
func (a *Accounts) Add(ctx context.Context, actor, login, name string, roles []string, locale string) (pipeline.User, string, error) {
	u, err := a.fresh(login, name, roles, locale)
	if err != nil {
		return u, "", err
	}
	password := a.invent()
	u.Password, u.PasswordAt, u.MustChange = a.encode(password), u.CreatedAt, true
	u = a.inHand(u, actor, "user-add")
	u, err = a.Users.CreateUser(ctx, u, false, a.audit(actor, "user-add", u))
	if errors.Is(err, pipeline.ErrExists) {
		return u, "", refuse("login-taken", "there is an account "+u.Login+" already", "")
	}
	return u, password, err
}

func (a *Accounts) fresh(login, name string, roles []string, locale string) (u pipeline.User, err error) {
	if u.Login, err = cleanLogin(login); err != nil {
		return u, err
	}
	name = redact.Line(name, 100)
	if name == "" {
		name = u.Login
	}
	list, ok := known(roles)
	if !ok {
		return u, refuse("role-unknown", "there is no such role", "art34 user roles lists them")
	}
	u.Name, u.Roles, u.Source, u.Locale, u.CreatedAt = name, list, Local, locale, a.Clock.Now()
	return u, nil
}

// invent returns a password of 80 random bits that can be read out: letters and
// digits that are not mistaken for each other, in groups of four.
func (a *Accounts) invent() string {
	b := make([]byte, 10)
	a.Random(b)
	s := strings.ToLower(base32.NewEncoding("ABCDEFGHJKMNPQRSTUVWXYZ234567890").EncodeToString(b))
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}

func (a *Accounts) encode(password string) string {
	salt := make([]byte, saltLength)
	a.Random(salt)
	return a.hash.encode(password, salt)
}

func (a *Accounts) audit(actor, action string, u pipeline.User) pipeline.Audit {
	detail := u.Login
	if action == "user-add" || action == "user-roles" || action == "setup" {
		detail += " roles " + strings.Join(u.Roles, ",")
	}
	return pipeline.Audit{At: a.Clock.Now(), Actor: actor, Action: action, Detail: detail}
}

// change reads a user, lets f change it and writes it; again if somebody was
// faster. The audit entry names what the user is then.
func (a *Accounts) change(ctx context.Context, actor, login, action string, f func(*pipeline.User) error) (pipeline.User, error) {
	return a.changeNoting(ctx, login, func(u *pipeline.User) (entries []pipeline.Audit, err error) {
		if err = f(u); err == nil && action != "" {
			entries = append(entries, a.audit(actor, action, *u))
		}
		return entries, err
	})
}

// changeNoting is change for what notes something sometimes only.
func (a *Accounts) changeNoting(ctx context.Context, login string, f func(*pipeline.User) ([]pipeline.Audit, error)) (pipeline.User, error) {
	for range 8 {
		u, err := a.Users.User(ctx, login)
		if errors.Is(err, pipeline.ErrNotFound) {
			return u, refuse("user-unknown", "there is no account "+login, "art34 user list shows them")
		}
		if err != nil {
			return u, err
		}
		entries, err := f(&u)
		if err != nil {
			return u, err
		}
		u, err = a.Users.UpdateUser(ctx, u, entries...)
		if !errors.Is(err, pipeline.ErrStale) {
			return u, err
		}
	}
	return pipeline.User{}, &pipeline.Error{Code: "busy", Sentence: "this account is being changed by somebody else", Hint: "try again", Cause: pipeline.ErrStale}
}

// SetRoles gives somebody these roles instead of the ones that they had. Nobody
// changes their own, and one administrator stays.
func (a *Accounts) SetRoles(ctx context.Context, actor, login string, roles []string) (pipeline.User, error) {
	list, ok := known(roles)
	if !ok {
		return pipeline.User{}, refuse("role-unknown", "there is no such role", "art34 user roles lists them")
	}
	return a.change(ctx, actor, login, "user-roles", func(u *pipeline.User) error {
		if actor == u.Actor() {
			return refuse("self", "nobody changes their own roles", "another administrator can")
		}
		if u.Source != Local {
			return refuse("foreign-roles", "the roles of this account come from its groups at "+u.Source, "change the groups there; they are read at every login")
		}
		if !slices.Contains(list, string(Admin)) {
			if err := a.oneAdminLeft(ctx, *u); err != nil {
				return err
			}
		}
		if slices.ContainsFunc(list, func(r string) bool { return !slices.Contains(u.Roles, r) }) {
			*u = a.inHand(*u, actor, "user-roles")
		}
		u.Roles = list
		u.Epoch++ // whoever is logged in with the old roles logs in again
		return nil
	})
}

// SetDisabled closes or opens an account. Closing ends its logins at once.
func (a *Accounts) SetDisabled(ctx context.Context, actor, login string, disabled bool) (pipeline.User, error) {
	action := "user-enable"
	if disabled {
		action = "user-disable"
	}
	return a.change(ctx, actor, login, action, func(u *pipeline.User) error {
		if disabled {
			if actor == u.Actor() {
				return refuse("self", "nobody closes their own account", "another administrator can")
			}
			if err := a.oneAdminLeft(ctx, *u); err != nil {
				return err
			}
		}
		if !disabled && u.Disabled {
			*u = a.inHand(*u, actor, action)
		}
		u.Disabled, u.Failures, u.LockedUntil = disabled, 0, time.Time{}
		u.Epoch++
		return nil
	})
}

func (a *Accounts) oneAdminLeft(ctx context.Context, without pipeline.User) error {
	if without.Disabled || !slices.Contains(without.Roles, string(Admin)) {
		return nil
	}
	all, err := a.Users.AllUsers(ctx)
	if err != nil {
		return err
	}
	for _, u := range all {
		if u.ID != without.ID && !u.Disabled && slices.Contains(u.Roles, string(Admin)) {
			return nil
		}
	}
	return refuse("last-admin", "this is the last administrator", "make another one first")
}

// Reset gives an account a new password to be told to its owner, and, with code,
// forgets the device that made codes. It also unlocks. The password is "" for whom a
// provider vouches: only the device is forgotten.
func (a *Accounts) Reset(ctx context.Context, actor, login string, code bool) (pipeline.User, string, error) {
	action, password := "user-reset", a.invent()
	if code {
		action = "user-reset-code"
	}
	encoded := a.encode(password)
	u, err := a.change(ctx, actor, login, action, func(u *pipeline.User) error {
		if actor == u.Actor() {
			return refuse("self", "nobody resets their own account", "another administrator can, or art34 user reset at the machine")
		}
		u.Failures, u.LockedUntil = 0, time.Time{}
		*u = a.inHand(*u, actor, action)
		switch {
		case u.Source == Local:
			u.Password, u.PasswordAt, u.MustChange = encoded, a.Clock.Now(), true
		case code:
			password = ""
		default:
			return refuse("foreign", "this account has no password here: "+u.Source+" vouches for it", "")
		}
		if code {
			u.TOTP, u.TOTPStep = nil, 0
		}
		u.Epoch++
		return nil
	})
	return u, password, err
}

// SetPassword lets somebody choose another password. It ends all their logins.
func (a *Accounts) SetPassword(ctx context.Context, login, password string) (pipeline.User, error) {
	encoded := a.encode(password)
	return a.change(ctx, "user:"+login, login, "password", func(u *pipeline.User) error {
		u.Password, u.PasswordAt, u.MustChange = encoded, a.Clock.Now(), false
		u.Epoch++
		return nil
	})
}

// NewSecret returns a fresh secret for an authenticator.
func (a *Accounts) NewSecret() []byte {
	b := make([]byte, totpSecret)
	a.Random(b)
	return b
}

// Enrol gives a user the authenticator that has made this code.
func (a *Accounts) Enrol(ctx context.Context, login string, secret []byte, code string) (pipeline.User, error) {
	step, ok := totpMatch(secret, code, a.Clock.Now(), 0)
	if !ok {
		return pipeline.User{}, refuse("code", "this is not the code of this moment", "look at the clock of the device")
	}
	return a.change(ctx, "user:"+login, login, "code-enrolled", func(u *pipeline.User) error {
		u.TOTP, u.TOTPStep = a.Seal.Seal(secret, totpContext(u.ID)), step
		return nil
	})
}

// totpContext binds a sealed secret to its user.
func totpContext(user int64) []byte { return fmt.Appendf(nil, "user|%d|totp", user) }

// longName cuts what people type to what a page can show.
func longName(s string) string {
	if utf8.RuneCountInString(s) <= 100 {
		return s
	}
	return string([]rune(s)[:100])
}
