package console

import (
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds the tokens with which programs of the company use the interface.

func tokenRoutes() []route {
	return []route{
		{pattern: "GET /tokens", may: ActUsers, do: listTokens},
		{pattern: "GET /tokens/new", may: ActUsers, sure: true, do: func(v *visit) error { return v.page("token_new", v.tokenForm()) }},
		{pattern: "POST /tokens/new", may: ActUsers, sure: true, do: addToken},
		{pattern: "GET /tokens/{token}/revoke", may: ActUsers, do: deedForm(revokeDeed)},
		{pattern: "POST /tokens/{token}/revoke", may: ActUsers, do: deedDone(revokeDeed)},
	}
}

// Scopes are the actions that a token may be for. Preparing, approving, erasing,
// taking lists out of the house and giving accounts stay with people; what is a
// decision of a lead a program does only for one who has an account.
func Scopes() []Action {
	return []Action{
		ActSee, ActLaunch, ActPause, ActControl, ActCohort, ActPrint,
		ActAnswer, ActLookUp, ActHelp, ActVIP, ActSecond, ActCompose, ActPublish, ActFloor, ActAudit,
	}
}

// Bounds of a token.
const (
	tokenPrefix   = "art34_" // so that a scanner of sources finds one that was left there
	TokenLongest  = 366 * 24 * time.Hour
	TokenMinute   = 120 // requests, unless said otherwise
	TokenLookUps  = 600 // look-ups an hour
	mostPerMinute = 6000
	mostLookUps   = 100_000
)

var tokenForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,39}$`)

// TokenOrder is a token that somebody asks for.
type TokenOrder struct {
	Name               string
	Scopes             []string
	PerMinute, LookUps int // 0: TokenMinute, TokenLookUps
	Life               time.Duration
}

// AddToken makes a token and returns its text, which is kept nowhere.
func (a *Accounts) AddToken(ctx context.Context, actor string, o TokenOrder, reason string) (pipeline.APIToken, string, error) {
	var none pipeline.APIToken
	if o.PerMinute == 0 {
		o.PerMinute = TokenMinute
	}
	if o.LookUps == 0 {
		o.LookUps = TokenLookUps
	}
	scopes := slices.Clone(o.Scopes)
	slices.Sort(scopes)
	scopes = slices.Compact(scopes)
	switch {
	case !tokenForm.MatchString(o.Name):
		return none, "", refuse("token-name", "the name of a token is 2 to 40 small letters, digits and . _ -, and begins with a letter or digit", "")
	case len(scopes) == 0 || slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(Scopes(), Action(s)) }):
		return none, "", refuse("token-scope", "a token is for one or more of the actions that programs may do", "art34 user token scopes lists them")
	case o.Life < time.Hour || o.Life > TokenLongest:
		return none, "", refuse("token-life", "a token lives an hour at least and a year at most", "")
	case o.PerMinute < 1 || o.PerMinute > mostPerMinute || o.LookUps < 1 || o.LookUps > mostLookUps:
		return none, "", refuse("token-rate", "these limits are out of bounds", "1 to 6,000 requests a minute, 1 to 100,000 look-ups an hour")
	}
	b := make([]byte, 32)
	a.Random(b)
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
	now := a.Clock.Now()
	t := pipeline.APIToken{
		Name: o.Name, Hash: a.tokenHash(text), Scopes: scopes, PerMinute: o.PerMinute, LookUps: o.LookUps,
		CreatedAt: now, CreatedBy: actor, ExpiresAt: now.Add(o.Life),
	}
	t, err := a.Users.CreateToken(ctx, t, pipeline.Audit{At: now, Actor: actor, Action: "token-add", Reason: reason, Detail: t.Name + " for " + strings.Join(scopes, ",") + " until " + t.ExpiresAt.UTC().Format(time.RFC3339)})
	if errors.Is(err, pipeline.ErrExists) {
		return none, "", refuse("token-taken", "there is, or was, a token of this name", "names are not used twice: the record names them")
	}
	return t, text, err
}

// tokenHash is what is kept of a token: without the key file nobody can tell what
// would have this hash.
func (a *Accounts) tokenHash(text string) [32]byte {
	return a.Seal.MAC("art34/api-token/1", []byte(text))
}

// RevokeToken ends a token at once.
func (a *Accounts) RevokeToken(ctx context.Context, actor, name, reason string) error {
	now := a.Clock.Now()
	err := a.Users.RevokeToken(ctx, name, now, pipeline.Audit{At: now, Actor: actor, Action: "token-revoke", Reason: reason, Detail: name})
	switch {
	case errors.Is(err, pipeline.ErrNotFound):
		return refuse("token-unknown", "there is no token of this name", "art34 user token list shows them")
	case errors.Is(err, pipeline.ErrConflict):
		return refuse("token-over", "this token was revoked before", "")
	}
	return err
}

func listTokens(v *visit) error {
	all, err := v.Ledger.AllTokens(v.ctx())
	if err != nil {
		return err
	}
	return v.page("tokens", struct {
		Tokens []pipeline.APIToken
		Now    time.Time
	}{all, v.Real.Now()})
}

// tokenData is the form of a new token.
type tokenData struct {
	Name, Days, PerMinute, LookUps string
	Scopes                         []scopeBox
}

type scopeBox struct {
	Scope   Action
	Checked bool
}

func (v *visit) tokenForm() tokenData {
	d := tokenData{v.value("name"), v.value("days"), v.value("per_minute"), v.value("look_ups"), nil}
	for _, s := range Scopes() {
		d.Scopes = append(d.Scopes, scopeBox{s, slices.Contains(v.r.PostForm["scope"], string(s))})
	}
	for _, x := range []struct {
		to  *string
		def string
	}{{&d.Days, "90"}, {&d.PerMinute, "120"}, {&d.LookUps, "600"}} {
		if *x.to == "" {
			*x.to = x.def
		}
	}
	return d
}

func addToken(v *visit) error {
	o := TokenOrder{
		Name: v.value("name"), Scopes: v.r.PostForm["scope"], PerMinute: int(v.number("per_minute", mostPerMinute)), LookUps: int(v.number("look_ups", mostLookUps)),
		Life: time.Duration(v.number("days", 366)) * 24 * time.Hour,
	}
	reason := v.reason()
	if !tokenForm.MatchString(o.Name) {
		v.wrong("name", "account.token-name")
	}
	if len(o.Scopes) == 0 {
		v.wrong("scope", "account.token-scope")
	}
	if len(v.problems) == 0 {
		t, text, err := v.Accounts.AddToken(v.ctx(), v.user.Actor(), o, reason)
		if err == nil {
			return v.page("token_made", struct {
				Token pipeline.APIToken
				Text  string
			}{t, text})
		}
		if err := v.refused("name", err); err != nil {
			return err
		}
	}
	return v.again("token_new", v.tokenForm())
}

func revokeDeed(v *visit) (deed, error) {
	name := v.r.PathValue("token")
	all, err := v.Ledger.AllTokens(v.ctx())
	if err == nil && !slices.ContainsFunc(all, func(t pipeline.APIToken) bool { return t.Name == name }) {
		err = pipeline.ErrNotFound
	}
	return deed{Key: "token_revoke", About: name, Danger: true, Back: "/tokens", code: "token_revoked", do: func(v *visit, reason string) error {
		return v.Accounts.RevokeToken(v.ctx(), v.user.Actor(), name, reason)
	}}, err
}
