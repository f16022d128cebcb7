package pipeline

import (
	"log/slog"
	"time"
)

// User is somebody who works with the console: an account of this installation, or
// a person whom the company's identity provider vouches for.
type User struct {
	ID      int64
	Login   string   // lower case; as the audit trail names them: "user:LOGIN"
	Name    string   // as colleagues know them
	Roles   []string // codes of package console, sorted
	Source  string   // "local", or the issuer of an identity provider
	Subject string   // who they are there; "" if local

	Password   string    // encoded hash; "" until one is set
	MustChange bool      // the password was chosen by somebody else
	PasswordAt time.Time // when it was set
	TOTP       []byte    // sealed secret of RFC 6238; empty without one
	TOTPStep   int64     // time step of the last code that was taken; none is taken twice

	Failures    int       // wrong passwords and codes in a row
	LockedUntil time.Time // no login before
	Disabled    bool
	Epoch       int64 // sessions of an older epoch are over
	Locale      string

	Hands     []Hand // who had it in their hands, oldest first
	CreatedAt time.Time
	SeenAt    time.Time // last login
	Gen       int64     // for compare-and-set
}

// LogValue is what a log may say of a user.
func (u User) LogValue() slog.Value { return slog.Int64Value(u.ID) }

// Actor is the user as events and the audit trail name them.
func (u User) Actor() string { return "user:" + u.Login }

// Session is a login that is kept on the server. The browser holds the token, the
// ledger its SHA-256: who steals the one cannot make the other.
type Session struct {
	Hash      [32]byte
	User      int64
	Epoch     int64 // of the user at login
	CreatedAt time.Time
	SeenAt    time.Time // last request, to about a minute
	SureAt    time.Time // last time that the password or code was given
	Strong    bool      // the identity provider has vouched for a second factor
}
