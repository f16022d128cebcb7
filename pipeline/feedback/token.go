package feedback

import (
	"context"
	"errors"
)

// MAC is a keyed hash over labelled, length-delimited parts.
type MAC func(label string, parts ...[]byte) [32]byte

// Token is what a return path, an ENVID or a Message-ID of ours says. It is not to
// be believed before Verify.
type Token struct {
	Notice  int64 // 0: a probe of the way back
	Attempt int   // of a probe: ProbeLoop or ProbeBounce
	Key     int   // number of the key that signed
	Domain  string
	Text    string // one spelling, without domain
	Verify  func(MAC) bool
}

// Tokens reads tokens by their form. False is a text that is none of ours.
type Tokens interface {
	// ReturnPath reads an address or an ENVID; wrappers of BATV and SRS, and case, do
	// not matter.
	ReturnPath(s string) (Token, bool)
	MessageID(s string) (Token, bool)
}

// Keys gives the keys that sign, by campaign and number; campaign 0 is the
// installation, which signs probes. Two numbers may be in force while one key
// replaces the other. ErrKey is one that is not in force, ErrErased says that the
// people of the campaign are gone.
type Keys interface {
	MAC(ctx context.Context, campaign int64, number int) (MAC, error)
}

// Conditions of Keys.
var (
	ErrKey    = errors.New("no such key is in force")
	ErrErased = errors.New("the people of this campaign are erased")
)

// Probes of the way back, as the attempt of their token says.
const (
	ProbeLoop   = 1 // a message that we sent to ourselves came back
	ProbeBounce = 2 // a notification that we provoked came back
)

// MetaWayBack begins the keys under which the ledger keeps when the way back of a
// domain was last proven: MetaWayBack+domain+"/loop" or "/bounce", RFC 3339.
const MetaWayBack = "wayback/"
