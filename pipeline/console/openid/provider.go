package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/redact"
)

// Config says who vouches for people, and how we are known there.
type Config struct {
	Issuer   string // https://…, as the provider itself writes it
	ClientID string
	Secret   string // "" for a public client: PKCE alone
	Redirect string // the address of ours that the provider sends people back to
	Scopes   []string
	Groups   string   // claim that holds the groups; "a.b" is b within a
	Strong   []string // values of acr or amr that stand for a second factor

	Clock clock.Clock // of the machine
	// Client reaches the provider; nil: one with time-outs.
	Client *http.Client
}

// Provider is a company's identity provider. It is asked for its addresses and keys
// when the first person logs in, so that one that is away stops no console from
// starting.
type Provider struct {
	Config
	client *http.Client

	mu    sync.Mutex
	known *metadata
	away  error     // why the last discovery failed
	tried time.Time // and when
}

// metadata is what discovery says.
type metadata struct {
	provider   *oidc.Provider
	verifier   *oidc.IDTokenVerifier
	oauth      oauth2.Config
	endSession string
	issInReply bool
	at         time.Time
}

const (
	// trust is how long what discovery said is believed.
	trust = 12 * time.Hour
	// rest is how long a provider that is away is not asked again: each would wait for
	// those before it, until the time-outs of all have passed.
	rest = 5 * time.Second
)

// New checks the configuration. It asks nobody anything yet.
func New(c Config) (*Provider, error) {
	for name, address := range map[string]string{"issuer": c.Issuer, "redirect address": c.Redirect} {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
			return nil, refuse("oidc-config", "the "+name+" of the company login is not an https:// address")
		}
	}
	if c.ClientID == "" {
		return nil, refuse("oidc-config", "the company login needs the client id under which this console is known there")
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	if c.Groups == "" {
		c.Groups = "groups"
	}
	p := &Provider{Config: c, client: c.Client}
	if p.client == nil {
		p.client = &http.Client{
			Timeout:       10 * time.Second,
			Transport:     limited{http.DefaultTransport},
			CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the provider sends elsewhere") },
		}
	}
	return p, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func refuse(code, sentence string) error {
	return &pipeline.Error{Code: code, Sentence: sentence, Permanent: true, Exit: 2}
}

// limited cuts answers that are longer than any provider's.
type limited struct{ http.RoundTripper }

const longestAnswer = 1 << 20

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, longestAnswer), res.Body}
	}
	return res, err
}

// away says that the provider cannot be reached, or does not say what it should. The
// answer itself may hold anything and is not repeated.
func away(what string, err error) error {
	var wire *url.Error
	var code *oauth2.RetrieveError
	cause := errors.New(what)
	switch {
	case errors.As(err, &code):
		// RFC 6749 section 5.2: a closed list of words; anything else is a stranger's.
		if slices.Contains([]string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}, code.ErrorCode) {
			cause = errors.New(what + ": " + code.ErrorCode)
		}
	case errors.As(err, &wire):
		cause = fmt.Errorf("%s: %w", what, wire.Err)
	}
	return &pipeline.Error{Code: "oidc-away", Sentence: "the company's login cannot be reached", Hint: "try again in a moment; local accounts still work", Cause: errors.Join(pipeline.ErrAway, cause)}
}

// algorithms are those that an identity may be signed with: none that the client's
// secret, or no key at all, could make (RFC 8725 section 3.1).
func algorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

// discover returns what the provider says of itself.
func (p *Provider) discover(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	switch {
	case p.known != nil && now.Sub(p.known.at) < trust:
		return p.known, nil
	case p.away != nil && now.Sub(p.tried) < rest:
		return nil, p.away
	}
	m, err := p.ask(ctx, now)
	p.away, p.tried = err, p.Clock.Now()
	if err == nil {
		p.known = m
	}
	return m, err
}

// ask fetches it.
func (p *Provider) ask(ctx context.Context, now time.Time) (*metadata, error) {
	// The keys are fetched later, by a request of their own: not with this one's end.
	background := oidc.ClientContext(context.WithoutCancel(ctx), p.client)
	provider, err := oidc.NewProvider(background, p.Issuer)
	if err != nil {
		return nil, away("discovery", err)
	}
	var more struct {
		EndSession string   `json:"end_session_endpoint"`
		Iss        bool     `json:"authorization_response_iss_parameter_supported"`
		PKCE       []string `json:"code_challenge_methods_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, away("discovery", err)
	}
	for _, address := range []string{provider.Endpoint().AuthURL, provider.Endpoint().TokenURL} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u.Hostname()) {
			return nil, away("discovery names no https address", nil)
		}
	}
	return &metadata{
		provider: provider, endSession: more.EndSession, issInReply: more.Iss, at: now,
		verifier: provider.VerifierContext(background, &oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: algorithms(), Now: p.Clock.Now}),
		oauth:    oauth2.Config{ClientID: p.ClientID, ClientSecret: p.Secret, Endpoint: provider.Endpoint(), RedirectURL: p.Redirect, Scopes: append([]string{oidc.ScopeOpenID}, p.Scopes...)},
	}, nil
}

// Name is the issuer: the source of the accounts that it vouches for.
func (p *Provider) Name() string { return p.Issuer }

// Check reports whether the provider answers as one.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

// Begin returns where to send somebody who wants to log in.
func (p *Provider) Begin(ctx context.Context, f console.Flow) (string, error) {
	m, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier), oidc.Nonce(f.Nonce)}
	if f.Fresh {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return m.oauth.AuthCodeURL(f.State, options...), nil
}

// End returns where somebody ends their login at the provider too, "" if it has no
// such place.
func (p *Provider) End(ctx context.Context, back string) string {
	m, err := p.discover(ctx)
	if err != nil || m.endSession == "" {
		return ""
	}
	u, err := url.Parse(m.endSession)
	if err != nil || u.Scheme != "https" && !loopback(u.Hostname()) {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.ClientID)
	q.Set("post_logout_redirect_uri", back)
	u.RawQuery = q.Encode()
	return u.String()
}

// errRefused is the one answer to a reply that is not what it should be; the cause is
// for the log.
func errRefused(cause string) error {
	return &pipeline.Error{Code: "oidc-refused", Sentence: "the answer of the company's login was not accepted", Hint: "begin again", Permanent: true, Cause: errors.New(cause)}
}

func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Finish makes an identity of what the provider sent back.
func (p *Provider) Finish(ctx context.Context, f console.Flow, r console.Reply) (console.Identity, error) {
	m, err := p.discover(ctx)
	if err != nil {
		return console.Identity{}, err
	}
	switch {
	case !same(f.State, r.State):
		return console.Identity{}, errRefused("another state")
	case r.Issuer != "" && r.Issuer != p.Issuer, r.Issuer == "" && m.issInReply:
		return console.Identity{}, errRefused("another issuer (RFC 9207)")
	case r.Error != "":
		return console.Identity{}, errRefused("the provider said no")
	case r.Code == "":
		return console.Identity{}, errRefused("no code")
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := m.oauth.Exchange(ctx, r.Code, oauth2.VerifierOption(f.Verifier))
	var said *oauth2.RetrieveError
	if errors.As(err, &said) && said.ErrorCode == "invalid_grant" {
		return console.Identity{}, errRefused("the code is used, too old, or not ours")
	}
	if err != nil {
		return console.Identity{}, away("the exchange of the code", err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return console.Identity{}, errRefused("no identity")
	}
	id, err := m.verifier.Verify(ctx, raw)
	if err != nil {
		return console.Identity{}, errRefused("the identity does not verify: " + redact.Line(redact.Addresses(err.Error()), 200))
	}
	if !same(id.Nonce, f.Nonce) {
		return console.Identity{}, errRefused("another nonce")
	}
	return p.identity(ctx, m, f, id, token)
}
