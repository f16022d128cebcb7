// Package openidtest is an identity provider for tests: OpenID Connect over real
// sockets, with real keys, that checks what a client sends and can be made to lie.
package openidtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// What the client is known by.
const (
	ClientID = "art34"
	Secret   = "secret of the client"
)

// Provider is a running identity provider. Whoever comes is the person of Claims.
type Provider struct {
	URL string

	mu     sync.Mutex
	t      testing.TB
	now    func() time.Time
	rsa    *rsa.PrivateKey
	ecdsa  *ecdsa.PrivateKey
	grants map[string]*grant
	asked  url.Values // of the last request to authorise

	claims    map[string]any // of the person
	tamper    func(claims map[string]any)
	alg       string
	userInfo  map[string]any
	callsMade map[string]int
}

// grant is a code on its way.
type grant struct {
	nonce, challenge, redirect string
	authTime                   time.Time
	used                       bool
}

// New starts a provider that ends with the test.
func New(t testing.TB, now func() time.Time) *Provider {
	t.Helper()
	p := &Provider{t: t, now: now, grants: map[string]*grant{}, alg: "RS256", claims: map[string]any{"sub": "1"}, callsMade: map[string]int{}}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ecdsa, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

// Person says who comes next, and forgets all lies.
func (p *Provider) Person(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims, p.tamper, p.alg, p.userInfo = claims, nil, "RS256", nil
}

// Lie changes the claims of identities before they are signed with alg: RS256, ES256,
// HS256 (with the client's secret), HS256-key (with the public key), none, RS256-other
// (with a key that the provider does not publish).
func (p *Provider) Lie(alg string, tamper func(claims map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alg, p.tamper = alg, tamper
}

// UserInfo is what the endpoint for details answers.
func (p *Provider) UserInfo(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.userInfo = claims
}

// Asked is what the last request to authorise said.
func (p *Provider) Asked() url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// Calls counts how often an endpoint was asked.
func (p *Provider) Calls(endpoint string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.callsMade[endpoint]
}

func (p *Provider) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.answer(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		"userinfo_endpoint": p.URL + "/userinfo", "end_session_endpoint": p.URL + "/logout", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "code_challenge_methods_supported": []string{"S256"},
		// It claims more than it should be believed.
		"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "HS256", "none"},
	})
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	p.asked = q
	if q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("nonce") == "" || q.Get("state") == "" {
		http.Error(w, "not a request of the client", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.grants[code] = &grant{nonce: q.Get("nonce"), challenge: q.Get("code_challenge"), redirect: q.Get("redirect_uri"), authTime: p.now()}
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.URL}}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.callsMade["token"]++
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	} else {
		secret, _ = url.QueryUnescape(secret)
	}
	if id != ClientID || secret != Secret {
		p.answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	g := p.grants[r.FormValue("code")]
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if g == nil || g.used || g.redirect != r.FormValue("redirect_uri") || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge {
		p.answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "<script>alert(1)</script>"})
		return
	}
	g.used = true
	now := p.now()
	claims := map[string]any{"iss": p.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "nonce": g.nonce, "auth_time": g.authTime.Unix()}
	maps.Copy(claims, p.claims)
	if p.tamper != nil {
		p.tamper(claims)
	}
	p.answer(w, http.StatusOK, map[string]any{"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": p.sign(claims)})
}

func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer access" || p.userInfo == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	p.answer(w, http.StatusOK, p.userInfo)
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	b64 := func(n *big.Int, size int) string {
		return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, size)))
	}
	point, err := p.ecdsa.PublicKey.Bytes() // 4, x, y
	if err != nil {
		p.t.Error(err)
		return
	}
	p.answer(w, http.StatusOK, map[string]any{"keys": []map[string]any{
		{"kty": "RSA", "use": "sig", "kid": "r", "alg": "RS256", "n": b64(p.rsa.N, 256), "e": b64(big.NewInt(int64(p.rsa.E)), 3)},
		{"kty": "EC", "use": "sig", "kid": "e", "alg": "ES256", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:])},
	}})
}

// sign makes a JSON web token (RFC 7515), right or wrong.
func (p *Provider) sign(claims map[string]any) string {
	head := map[string]string{"typ": "JWT", "alg": p.alg, "kid": "r"}
	switch p.alg {
	case "ES256":
		head["kid"] = "e"
	case "HS256-key":
		head["alg"] = "HS256"
	case "RS256-other":
		head["alg"] = "RS256"
	case "none":
		delete(head, "kid")
	}
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			p.t.Error(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(head) + "." + part(claims)
	sig, err := p.signature(text)
	if err != nil {
		p.t.Error(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func (p *Provider) signature(text string) ([]byte, error) {
	sum := sha256.Sum256([]byte(text))
	with := func(key []byte) ([]byte, error) {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return m.Sum(nil), nil
	}
	switch p.alg {
	case "RS256":
		return rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum[:])
	case "RS256-other":
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		return rsa.SignPKCS1v15(rand.Reader, other, crypto.SHA256, sum[:])
	case "ES256":
		r, s, err := ecdsa.Sign(rand.Reader, p.ecdsa, sum[:])
		if err != nil {
			return nil, err
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
	case "HS256":
		return with([]byte(Secret))
	case "HS256-key":
		return with(p.rsa.N.Bytes())
	case "none":
		return nil, nil
	}
	return nil, fmt.Errorf("no algorithm %s", p.alg)
}
