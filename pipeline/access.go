package pipeline

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Embargo hides a campaign until a time from everyone but its members.
type Embargo struct {
	Campaign int64
	Until    time.Time // zero: there is none
	Members  []string  // logins; "token:NAME" of the interface for programs; sorted
	Gen      int64     // for compare-and-set; 0: never set
}

var memberForm = regexp.MustCompile(`^(token:)?[a-z0-9][a-z0-9._@-]{1,62}$`)

// ValidMember reports whether something can be a member of an embargo: a login, or
// "token:NAME".
func ValidMember(s string) bool { return memberForm.MatchString(s) }

// Hides reports whether the campaign is hidden from an actor, "user:LOGIN",
// "token:NAME" or "token:NAME/LOGIN", at a time. Of a program that acts for somebody
// both have to be members.
func (e Embargo) Hides(actor string, at time.Time) bool {
	if !at.Before(e.Until) {
		return false
	}
	if program := ProgramOf(actor); program != "" && program != actor && !slices.Contains(e.Members, program) {
		return true
	}
	return !slices.Contains(e.Members, LoginOf(actor))
}

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{1,62}$`)

// ValidLogin reports whether something can be a login, here or in a system of the
// company.
func ValidLogin(s string) bool { return loginForm.MatchString(s) }

// ProgramOf is the program of an actor, "token:NAME"; "" of one who came by themselves.
func ProgramOf(actor string) string {
	program, _, _ := strings.Cut(actor, "/")
	if !strings.HasPrefix(program, "token:") {
		return ""
	}
	return program
}

// LoginOf is who an actor is, whichever way they came: LOGIN of "user:LOGIN" and of
// "token:NAME/LOGIN". A program that names nobody is itself.
func LoginOf(actor string) string {
	if program := ProgramOf(actor); program != "" && program != actor {
		return actor[len(program)+1:]
	}
	return strings.TrimPrefix(actor, "user:")
}

// APIToken lets a program of the company use the console's interface for programs. The
// program holds the text, the ledger a keyed hash of it.
type APIToken struct {
	ID        int64
	Name      string // lower case; as the audit trail names it: "token:NAME"
	Hash      [32]byte
	Scopes    []string // actions of package console, sorted
	PerMinute int      // requests
	LookUps   int      // look-ups an hour
	CreatedAt time.Time
	CreatedBy string // actor
	ExpiresAt time.Time
	RevokedAt time.Time // zero: in force
	SeenAt    time.Time // last use, to about a minute
}

// LogValue is what a log may say of a token.
func (t APIToken) LogValue() slog.Value { return slog.Int64Value(t.ID) }

// Actor is the token as events and the audit trail name it.
func (t APIToken) Actor() string { return "token:" + t.Name }

// ActorFor is the token with the person for whom it acts; login "": for nobody.
func (t APIToken) ActorFor(login string) string {
	if login == "" {
		return t.Actor()
	}
	return t.Actor() + "/" + login
}

// Remembered is the answer to a request of a program that carried an idempotency
// key: who asks again with the same key gets it again, and nothing is done twice.
type Remembered struct {
	Token   int64
	Key     [32]byte // hash of the idempotency key
	Request [32]byte // hash of what was asked
	At      time.Time
	Status  int    // 0: it is being worked on
	Body    []byte // sealed
}
