package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/console/openid"
	"github.com/art34/art34/pipeline/console/openid/openidtest"
)

// company is a world whose people log in by way of a provider.
type company struct {
	*world
	provider *openidtest.Provider
	log      logged
}

// logged is what a console has logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newCompany(t testing.TB, adjust ...func(*openid.Config, *console.GroupRoles)) *company {
	t.Helper()
	c := &company{}
	c.world = furnished(t, func(cfg *console.Config) {
		c.provider = openidtest.New(t, cfg.Real.Now)
		cfg.Log = slog.New(slog.NewTextHandler(&c.log, nil))
		o := openid.Config{
			Issuer: c.provider.URL, ClientID: openidtest.ClientID, Secret: openidtest.Secret, Redirect: "https://console.example" + console.CompanyBack,
			Strong: []string{"mfa"}, Clock: cfg.Real,
		}
		g := console.GroupRoles{Of: map[string][]string{"agents": {"agent"}, "/ops": {"operator", "viewer"}, "dpo": {"approver"}, "it": {"admin"}}}
		for _, f := range adjust {
			f(&o, &g)
		}
		p, err := openid.New(o)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Company, cfg.CompanyName, cfg.Groups = p, "Muguet Telecom", g
	})
	c.user("root", console.Admin)
	return c
}

// authorise sends a browser to the provider and returns where that sends it back to.
func (b *browser) authorise(from string) (answer, string) {
	b.w.t.Helper()
	a := b.get(from)
	if a.status != http.StatusSeeOther {
		return a, ""
	}
	res, err := b.http.Get(a.to)
	b.w.must(err)
	defer res.Body.Close()
	to, err := url.Parse(res.Header.Get("Location"))
	b.w.must(err)
	if res.StatusCode != http.StatusFound || to.Host != "console.example" || to.Path != console.CompanyBack {
		b.w.t.Fatalf("the provider answers %d %s", res.StatusCode, to)
	}
	return a, to.RequestURI()
}

// vouched logs somebody in by way of the provider.
func (b *browser) vouched() answer {
	b.w.t.Helper()
	_, back := b.authorise("/login/company?next=/account")
	return b.get(back)
}

func person(sub, login string, groups ...string) map[string]any {
	return map[string]any{"sub": sub, "preferred_username": login + "@muguet.example", "name": strings.ToUpper(login), "groups": groups}
}

func TestCompanyLogin(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.provider.Person(person("1", "Lea.Martin", "agents", "everybody", "it"))
	b := c.browser()
	if a := b.get("/login?next=/campaigns"); strings.Index(a.body, "Log in with Muguet Telecom") < 0 || strings.Index(a.body, "Log in with Muguet Telecom") > strings.Index(a.body, `name="password"`) {
		t.Error("the company's login does not come first")
	}
	start, back := b.authorise("/login/company?next=/account")
	asked := c.provider.Asked()
	if asked.Get("scope") != "openid profile email" || asked.Get("prompt") != "" || asked.Get("redirect_uri") != "https://console.example/login/company/back" {
		t.Errorf("asked %v", asked)
	}
	if cookie := start.header.Get("Set-Cookie"); !strings.Contains(cookie, "art34-flow=") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("the cookie of the flow: %s", cookie)
	}
	a := b.get(back)
	if a.status != http.StatusOK || a.header.Get("Refresh") != "0;url=/account" || b.session() == "" {
		t.Fatalf("%d %v\n%s", a.status, a.header, a.body)
	}
	u, err := c.ledger.User(t.Context(), "lea.martin")
	c.must(err)
	if u.Source != c.provider.URL || u.Subject != "1" || u.Password != "" || !slices.Equal(u.Roles, []string{"agent"}) || u.SeenAt.IsZero() {
		t.Errorf("%+v", u)
	}
	if a := b.get("/account"); a.status != http.StatusOK || strings.Contains(a.body, "/account/password") {
		t.Errorf("the account: %d", a.status)
	}
	if a := b.post("/account/password", "old", "", "password", password, "again", password); a.status != http.StatusConflict {
		t.Errorf("a password for whom the company vouches: %d", a.status)
	}
	if a := b.post("/logout"); a.status != http.StatusOK || !strings.Contains(a.body, c.provider.URL+"/logout?client_id=art34") || b.session() != "" {
		t.Errorf("the logout: %d %s", a.status, a.body)
	}
	// No password opens the account here, not even an empty one.
	for _, p := range []string{"", password} {
		if a := c.browser().post("/login", "login", "lea.martin", "password", p, "next", "/"); a.status != http.StatusUnprocessableEntity {
			t.Errorf("with the password %q: %d", p, a.status)
		}
	}
}

// TestCompanyRolesFollowTheGroups: at every login, and other logins end when they
// change.
func TestCompanyRolesFollowTheGroups(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.provider.Person(person("1", "lea", "/ops"))
	old := c.browser()
	if a := old.vouched(); a.status != http.StatusOK || old.get("/campaigns").status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	c.provider.Person(person("1", "renamed", "agents"))
	b := c.browser()
	if a := b.vouched(); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	u, err := c.ledger.User(t.Context(), "lea")
	c.must(err)
	if !slices.Equal(u.Roles, []string{"agent"}) || u.Name != "RENAMED" {
		t.Errorf("%+v", u)
	}
	if a := old.get("/campaigns"); a.status != http.StatusSeeOther {
		t.Errorf("the login with the old roles goes on: %d", a.status)
	}
	if a := b.get("/campaigns"); a.status != http.StatusForbidden {
		t.Errorf("an agent sees campaigns: %d", a.status)
	}
	if _, err := c.accounts.SetRoles(t.Context(), "user:root", "lea", []string{"lead"}); err == nil {
		t.Error("roles that the next login would undo")
	}
	// Out of all groups: no login, and the one there is ends.
	c.provider.Person(person("1", "lea", "everybody"))
	if a := c.browser().vouched(); a.status != http.StatusForbidden || !strings.Contains(a.body, "none of your groups") {
		t.Errorf("without a group: %d", a.status)
	}
	if a := b.get("/account"); a.status != http.StatusSeeOther {
		t.Errorf("the login goes on without a group: %d", a.status)
	}
	// Disabled stays disabled, whatever the company says.
	_, err = c.accounts.SetDisabled(t.Context(), "user:root", "lea", true)
	c.must(err)
	c.provider.Person(person("1", "lea", "/ops"))
	if a := c.browser().vouched(); a.status != http.StatusForbidden {
		t.Errorf("a closed account: %d", a.status)
	}
}

func TestCompanyTakesNobodysAccount(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.provider.Person(person("9", "root", "agents"))
	b := c.browser()
	if a := b.vouched(); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	if u, err := c.ledger.User(t.Context(), "root-2"); err != nil || u.Subject != "9" || slices.Contains(u.Roles, "admin") {
		t.Errorf("%+v, %v", u, err)
	}
	if u, err := c.ledger.User(t.Context(), "root"); err != nil || u.Source != console.Local {
		t.Errorf("%+v, %v", u, err)
	}
	if a := b.get("/users"); a.status != http.StatusForbidden {
		t.Errorf("an administrator by name: %d", a.status)
	}
	for i, login := range []string{"../../etc", "\r\nSet-Cookie: a=b", "<script>", "é", strings.Repeat("a", 300), "user:root"} {
		c.provider.Person(person(fmt.Sprint("x", i), login, "agents"))
		if a := c.browser().vouched(); a.status != http.StatusOK {
			t.Errorf("%q: %d", login, a.status)
		}
	}
}

func TestCompanyAdministratorsAreAllowedOrNot(t *testing.T) {
	t.Parallel()
	if err := (console.GroupRoles{Of: map[string][]string{"it": {"admin"}}}).Check(); err == nil {
		t.Error("administrators by group without a word")
	}
	if err := (console.GroupRoles{Of: map[string][]string{"it": {"root"}}, Admin: true}).Check(); err == nil {
		t.Error("a role that there is not")
	}
	c := newCompany(t, func(_ *openid.Config, g *console.GroupRoles) { g.Admin = true })
	c.provider.Person(person("1", "ida", "it"))
	b := c.browser()
	if a := b.vouched(); a.status != http.StatusOK || b.get("/users").status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
}

// TestCompanySecondFactor: who approves needs one, the provider's or ours.
func TestCompanySecondFactor(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	p := person("1", "dpo", "dpo")
	c.provider.Person(p)
	b := c.browser()
	b.vouched()
	if a := b.get("/campaigns"); a.to != "/account/code" {
		t.Errorf("with a password alone: %d %s", a.status, a.to)
	}
	p["amr"] = []string{"pwd", "mfa"}
	c.provider.Person(p)
	b = c.browser()
	b.vouched()
	if a := b.get("/campaigns"); a.status != http.StatusOK {
		t.Errorf("with the provider's second factor: %d %s", a.status, a.to)
	}
	delete(p, "amr")
	secret := c.accounts.NewSecret()
	_, err := c.accounts.Enrol(t.Context(), "dpo", secret, console.TOTPCode(secret, c.clock.Now()))
	c.must(err)
	c.secrets["dpo"] = secret
	c.provider.Person(p)
	b = c.browser()
	if a := b.vouched(); a.header.Get("Refresh") != "0;url=/login/code?next=%2Faccount" {
		t.Fatalf("with an authenticator: %v", a.header)
	}
	if a := b.get("/campaigns"); !strings.HasPrefix(a.to, "/login") {
		t.Errorf("before the code: %d %s", a.status, a.to)
	}
	if a := b.post("/login/code", "code", c.code("dpo"), "next", "/account"); a.to != "/account" {
		t.Errorf("the code: %d", a.status)
	}
	if a := b.get("/campaigns"); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
}

// TestCompanyOnceMore: before what cannot be undone the provider asks again.
func TestCompanyOnceMore(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.provider.Person(person("1", "olga", "/ops"))
	b := c.browser()
	b.vouched()
	c.clock.Advance(11 * time.Minute)
	if a := b.get("/campaigns/muguet/launch"); a.to != "/sure?next=%2Fcampaigns%2Fmuguet%2Flaunch" {
		t.Fatalf("%d %s", a.status, a.to)
	}
	if a := b.get("/sure?next=/campaigns/muguet/launch"); !strings.Contains(a.body, "/sure/company?next=%2fcampaigns%2fmuguet%2flaunch") || strings.Contains(a.body, `name="password"`) {
		t.Error(a.body)
	}
	old := b.session()
	_, back := b.authorise("/sure/company?next=/campaigns/muguet/launch")
	if asked := c.provider.Asked(); asked.Get("prompt") != "login" || asked.Get("max_age") != "0" {
		t.Errorf("asked %v", asked)
	}
	if a := b.get(back); a.header.Get("Refresh") != "0;url=/campaigns/muguet/launch" || b.session() == old {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := b.get("/campaigns/muguet/launch"); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.to)
	}
	// An old login at the provider is not enough, and neither is somebody else's.
	for name, lie := range map[string]func(map[string]any){
		"not said when": func(m map[string]any) { delete(m, "auth_time") },
		"long ago":      func(m map[string]any) { m["auth_time"] = c.clock.Now().Add(-time.Hour).Unix() },
		"another":       func(m map[string]any) { m["sub"] = "2" },
	} {
		c.provider.Lie("RS256", lie)
		_, back := b.authorise("/sure/company?next=/account")
		if a := b.get(back); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

// TestCompanyLies: what a provider or a forger may send instead.
func TestCompanyLies(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	set := func(name string, v any) func(map[string]any) { return func(m map[string]any) { m[name] = v } }
	none := func(map[string]any) {}
	for _, x := range []struct {
		name, alg string
		lie       func(map[string]any)
	}{
		{"nonce", "RS256", set("nonce", "another")}, {"no nonce", "RS256", func(m map[string]any) { delete(m, "nonce") }},
		{"audience", "RS256", set("aud", "another")}, {"several audiences", "RS256", set("aud", []string{"art34", "another"})},
		{"meant for another", "RS256", func(m map[string]any) { m["aud"], m["azp"] = []string{"art34", "another"}, "another" }},
		{"issuer", "RS256", set("iss", "https://evil.example")}, {"expired", "RS256", set("exp", c.clock.Now().Add(-time.Hour).Unix())},
		{"from the future", "RS256", set("iat", c.clock.Now().Add(48*time.Hour).Unix())}, {"no subject", "RS256", func(m map[string]any) { delete(m, "sub") }},
		{"no signature", "none", none}, {"signed with the secret", "HS256", none}, {"signed with the public key", "HS256-key", none}, {"another key", "RS256-other", none},
	} {
		c.provider.Person(person("1", "lea", "agents"))
		c.provider.Lie(x.alg, x.lie)
		b := c.browser()
		if a := b.vouched(); a.status != http.StatusForbidden || b.session() != "" || strings.Contains(a.body, "script>alert") {
			t.Errorf("%s: %d", x.name, a.status)
		}
	}
	c.provider.Person(person("1", "lea", "agents"))
	c.provider.Lie("ES256", none)
	if a := c.browser().vouched(); a.status != http.StatusOK {
		t.Errorf("ES256: %d", a.status)
	}
	if all, err := c.ledger.AllUsers(t.Context()); err != nil || len(all) != 3 { // root, zoe, lea
		t.Errorf("%d accounts, %v", len(all), err)
	}
}

// TestCompanyReplies: replies that this browser did not ask for.
func TestCompanyReplies(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.provider.Person(person("1", "lea", "agents"))
	refused := func(name string, b *browser, path string) {
		t.Helper()
		if a := b.get(path); a.status != http.StatusForbidden || b.session() != "" || strings.Contains(a.body, "evil") {
			t.Errorf("%s: %d %s", name, a.status, a.to)
		}
	}
	b := c.browser()
	_, back := b.authorise("/login/company")
	refused("in another browser", c.browser(), back)
	tokens := c.provider.Calls("token")
	refused("another state", b, console.CompanyBack+"?state=another&code=x")
	refused("after a wrong one", b, back)
	if got := c.provider.Calls("token"); got != tokens {
		t.Errorf("codes of strangers were sent to the provider: %d", got-tokens)
	}
	_, back = b.authorise("/login/company")
	u, err := url.Parse(back)
	c.must(err)
	with := func(name, value string) string {
		q := u.Query()
		q.Set(name, value)
		return u.Path + "?" + q.Encode()
	}
	refused("another issuer", b, with("iss", "https://evil.example"))
	_, back = b.authorise("/login/company")
	refused("an error", b, strings.Replace(back, "code=", "error=access_denied&error_description=evil&x=", 1))

	// Who went through once does not again, and neither does somebody with the cookie.
	_, back = b.authorise("/login/company?next=/account")
	site, _ := url.Parse(c.server.URL)
	cookies := b.http.Jar.Cookies(site)
	if a := b.get(back); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	thief := c.browser()
	thief.http.Jar.SetCookies(site, cookies)
	refused("replayed", thief, back)
	// A flow that is left open for long is over.
	late := c.browser()
	_, back = late.authorise("/login/company")
	c.clock.Advance(16 * time.Minute)
	refused("late", late, back)
	forged := c.browser()
	forged.http.Jar.SetCookies(site, []*http.Cookie{{Name: "art34-flow", Value: strings.Repeat("QUFB", 60), Path: "/"}})
	refused("forged", forged, back)
}

func TestCompanySendsNobodyElsewhere(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.provider.Person(person("1", "lea", "agents"))
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/%0d%0aX-Evil:1"} {
		b := c.browser()
		_, back := b.authorise("/login/company?next=" + url.QueryEscape(next))
		a := b.get(back)
		if refresh := a.header.Get("Refresh"); a.status != http.StatusOK || strings.HasPrefix(refresh, "0;url=//") || strings.Contains(refresh, "evil.example") || a.header.Get("X-Evil") != "" {
			t.Errorf("%s: %d %q", next, a.status, refresh)
		}
	}
}

// TestCompanyGroupsFromElsewhere: from the endpoint for details, a nested claim, or
// nowhere because there are too many.
func TestCompanyGroupsFromElsewhere(t *testing.T) {
	t.Parallel()
	c := newCompany(t, func(o *openid.Config, _ *console.GroupRoles) { o.Groups = "realm_access.roles" })
	c.provider.Person(map[string]any{"sub": "1", "preferred_username": "kim", "realm_access": map[string]any{"roles": []string{"agents"}}})
	if a := c.browser().vouched(); a.status != http.StatusOK {
		t.Errorf("nested: %d", a.status)
	}
	c = newCompany(t)
	c.provider.Person(map[string]any{"sub": "1", "preferred_username": "kim"})
	c.provider.UserInfo(map[string]any{"sub": "1", "groups": []string{"agents"}})
	if a := c.browser().vouched(); a.status != http.StatusOK {
		t.Errorf("details: %d", a.status)
	}
	c.provider.UserInfo(map[string]any{"sub": "2", "groups": []string{"/ops"}})
	if a := c.browser().vouched(); a.status != http.StatusForbidden {
		t.Errorf("details of another: %d", a.status)
	}
	c.provider.UserInfo(nil) // the endpoint answers 401
	c.provider.Person(map[string]any{"sub": "1", "preferred_username": "kim"})
	if a := c.browser().vouched(); a.status != http.StatusBadGateway || !strings.Contains(a.body, "did not say which groups") {
		t.Errorf("details refused: %d", a.status)
	}
	if log := c.log.String(); !strings.Contains(log, "userinfo: answered 401") || strings.Contains(log, "kim") {
		t.Errorf("the log does not say why, or says who: %s", log)
	}
	c.provider.Person(map[string]any{"sub": "1", "_claim_names": map[string]string{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]string{"endpoint": "https://graph.example/getMemberObjects"}}})
	if a := c.browser().vouched(); a.status != http.StatusForbidden || !strings.Contains(a.body, "too many groups") {
		t.Errorf("too many: %d\n%s", a.status, a.body)
	}
}

// TestCompanyAway: local accounts go on.
func TestCompanyAway(t *testing.T) {
	t.Parallel()
	c := newCompany(t, func(o *openid.Config, _ *console.GroupRoles) { o.Issuer = "http://127.0.0.1:1" })
	if a := c.browser().get("/login/company"); a.status != http.StatusBadGateway || !strings.Contains(a.body, "cannot be reached") {
		t.Errorf("%d", a.status)
	}
	c.user("ana", console.Viewer)
	if a := c.as("ana").get("/campaigns"); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
}

// TestCompanyAwayIsLeftInPeace: not everybody who wants to log in waits for a provider
// that is away.
func TestCompanyAwayIsLeftInPeace(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "away", http.StatusServiceUnavailable)
	}))
	defer s.Close()
	c := newCompany(t, func(o *openid.Config, _ *console.GroupRoles) { o.Issuer = s.URL })
	for range 5 {
		if a := c.browser().get("/login/company"); a.status != http.StatusBadGateway {
			t.Errorf("%d", a.status)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times at once", n)
	}
	c.clock.Advance(6 * time.Second)
	if a := c.browser().get("/login/company"); a.status != http.StatusBadGateway || asked.Load() != 2 {
		t.Errorf("%d, asked %d times", a.status, asked.Load())
	}
}

func TestCompanyConfiguration(t *testing.T) {
	t.Parallel()
	good := openid.Config{Issuer: "https://id.example/realms/x", ClientID: "art34", Redirect: "https://console.example" + console.CompanyBack}
	if _, err := openid.New(good); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*openid.Config){
		"issuer in clear": func(c *openid.Config) { c.Issuer = "http://id.example" }, "issuer with a query": func(c *openid.Config) { c.Issuer += "?x=1" },
		"redirect in clear": func(c *openid.Config) { c.Redirect = "http://console.example/x" }, "no client": func(c *openid.Config) { c.ClientID = "" },
		"a password in the address": func(c *openid.Config) { c.Issuer = "https://a:b@id.example" },
	} {
		c := good
		spoil(&c)
		if _, err := openid.New(c); err == nil {
			t.Error(name)
		}
	}
}

func TestCompanyBeforeTheSetup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := console.GroupRoles{Of: map[string][]string{"agents": {"agent"}}}
	if _, err := w.accounts.Vouched(context.Background(), "https://id.example", console.Identity{Subject: "1", Login: "lea", Groups: []string{"agents"}}, g); err == nil {
		t.Error("the first account is one that administers nothing")
	}
}
