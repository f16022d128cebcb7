package openid

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// skew is how far the clocks of provider and console may be apart.
const skew = time.Minute

// identity reads who somebody is from claims that were verified.
func (p *Provider) identity(ctx context.Context, m *metadata, f console.Flow, id *oidc.IDToken, token *oauth2.Token) (console.Identity, error) {
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return console.Identity{}, errRefused("claims cannot be read")
	}
	// OpenID Connect Core section 3.1.3.7: of several audiences one was meant.
	if azp, ok := claims["azp"].(string); len(id.Audience) > 1 && !ok || ok && azp != p.ClientID {
		return console.Identity{}, errRefused("meant for another client")
	}
	if id.IssuedAt.After(p.Clock.Now().Add(skew)) {
		return console.Identity{}, errRefused("from the future")
	}
	if f.Fresh {
		at, ok := claims["auth_time"].(float64)
		if !ok || time.Unix(int64(at), 0).Before(f.Began.Add(-skew)) {
			return console.Identity{}, errRefused("no fresh login (auth_time)")
		}
	}
	groups, there := textsOf(claims, p.Groups)
	var silent error
	if !there && m.provider.UserInfoEndpoint() != "" {
		more, err := m.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err == nil && more.Subject != id.Subject {
			return console.Identity{}, errRefused("the details are about somebody else")
		}
		about := map[string]any{}
		if err == nil {
			err = more.Claims(&about)
		}
		if silent = err; err == nil {
			groups, there = textsOf(about, p.Groups)
		}
	}
	if names, ok := claims["_claim_names"].(map[string]any); ok && !there && names[p.Groups] != nil {
		return console.Identity{}, &pipeline.Error{Code: "oidc-many-groups", Sentence: "the company's login names too many groups to say which", Permanent: true,
			Hint: "let it send only the groups that are assigned to this application, or application roles"}
	}
	if silent != nil {
		return console.Identity{}, noDetails(silent)
	}
	who := console.Identity{Subject: id.Subject, Groups: groups, Strong: p.strong(claims)}
	who.Name, _ = claims["name"].(string)
	for _, claim := range []string{"preferred_username", "upn", "email"} {
		if s, ok := claims[claim].(string); ok && s != "" && who.Login == "" {
			who.Login, _, _ = strings.Cut(s, "@")
		}
	}
	if who.Subject == "" || len(who.Subject) > 255 {
		return console.Identity{}, errRefused("no subject")
	}
	return who, nil
}

// noDetails says that the provider did not say what groups somebody is in, which is
// not the same as none. Its answer may hold who they are, and is not repeated.
func noDetails(err error) error {
	cause := "userinfo: no answer that can be read"
	if wire, ok := errors.AsType[*url.Error](err); ok {
		cause = "userinfo: " + wire.Err.Error()
	} else if m := statusOf.FindString(err.Error()); m != "" {
		cause = "userinfo: answered " + m
	}
	return &pipeline.Error{Code: "oidc-details", Sentence: "the company's login did not say what groups this person is in", Hint: "try again in a moment; local accounts still work", Cause: errors.New(cause)}
}

// statusOf finds the status in what go-oidc says of an answer: there is no type for it.
var statusOf = regexp.MustCompile(`^[1-5][0-9][0-9]`)

// strong reports whether the provider saw a second factor.
func (p *Provider) strong(claims map[string]any) bool {
	said, _ := textsOf(claims, "amr")
	if acr, ok := claims["acr"].(string); ok {
		said = append(said, acr)
	}
	for _, want := range p.Strong {
		for _, s := range said {
			if s == want {
				return true
			}
		}
	}
	return false
}

// textsOf reads a claim that is a text or a list of texts. The name is tried as it
// is, some are addresses, and then as a path.
func textsOf(claims map[string]any, name string) ([]string, bool) {
	v, ok := claims[name]
	if !ok {
		first, rest, deeper := strings.Cut(name, ".")
		in, isMap := claims[first].(map[string]any)
		if !deeper || !isMap {
			return nil, false
		}
		return textsOf(in, rest)
	}
	switch v := v.(type) {
	case string:
		return []string{v}, true
	case []any:
		list := []string{}
		for _, x := range v {
			if _, ok := x.(string); ok {
				list = append(list, fmt.Sprint(x))
			}
		}
		return list, true
	}
	return nil, false
}
