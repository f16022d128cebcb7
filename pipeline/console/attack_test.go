package console_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// This file holds attacks that fail.

func TestOtherSitesCannotPost(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	b := w.as("ana")
	form := url.Values{"token": {b.token("/account")}, "campaign": {"muguet"}, "reason": {"because"}}.Encode()
	for name, header := range map[string][2]string{"origin": {"Origin", "https://evil.example"}, "fetch metadata": {"Sec-Fetch-Site", "cross-site"}, "same site, other host": {"Sec-Fetch-Site", "same-site"}} {
		r, _ := http.NewRequest(http.MethodPost, w.server.URL+"/pause", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header[0], header[1])
		if a := b.send(r); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	if got := w.desk.last(); got != "" {
		t.Errorf("done all the same: %s", got)
	}
	// The token of one login is worth nothing in another.
	w.user("bob", console.Operator)
	if a := w.as("bob").post("/pause", "token", b.token("/account"), "campaign", "muguet", "reason", "because"); a.status != http.StatusForbidden {
		t.Errorf("another's token: %d", a.status)
	}
	if a := b.post("/pause", "campaign", "muguet", "reason", "because"); a.status != http.StatusSeeOther || w.desk.last() != "user:ana | pause | muguet | because" {
		t.Errorf("one's own: %d, %s", a.status, w.desk.last())
	}
}

func TestNoSessionIsFixed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Viewer)
	planted := strings.Repeat("A", 43)
	b := w.browser()
	u, _ := url.Parse(w.server.URL)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: "art34-session", Value: planted}, {Name: "art34-guest", Value: planted}})
	if a := b.get("/campaigns"); a.status != http.StatusSeeOther {
		t.Errorf("a made-up session: %d", a.status)
	}
	if a := b.post("/login", "login", "ana", "password", password, "next", "/account"); a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	first := b.session()
	if first == planted || len(first) != 43 {
		t.Errorf("the login took over the planted session %q", first)
	}
	if a := b.post("/login", "token", b.token("/account"), "login", "ana", "password", password, "next", "/account"); a.status != http.StatusSeeOther || b.session() == first {
		t.Errorf("a second login keeps the token: %d", a.status)
	}
	get := func(values ...string) int {
		r, _ := http.NewRequest(http.MethodGet, w.server.URL+"/campaigns", nil)
		for _, v := range values {
			r.AddCookie(&http.Cookie{Name: "art34-session", Value: v})
		}
		return w.browser().send(r).status
	}
	if got := get(b.session()); got != http.StatusOK {
		t.Errorf("the session: %d", got)
	}
	for name, values := range map[string][]string{"ended": {first}, "two": {b.session(), planted}, "cut": {b.session()[:42]}, "longer": {b.session() + "A"}, "flipped": {flip(b.session())}} {
		if got := get(values...); got != http.StatusSeeOther {
			t.Errorf("%s: %d", name, got)
		}
	}
}

func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Viewer)
	in := func(b *browser) bool { return b.get("/campaigns").status == http.StatusOK }

	idle := w.as("ana")
	w.clock.Advance(44 * time.Minute)
	if !in(idle) {
		t.Error("ended before it was idle for long")
	}
	w.clock.Advance(46 * time.Minute)
	if in(idle) {
		t.Error("an idle login goes on")
	}
	long := w.as("ana")
	for range 24 {
		w.clock.Advance(30 * time.Minute)
		in(long)
	}
	w.clock.Advance(time.Minute)
	if in(long) {
		t.Error("a login of more than twelve hours goes on")
	}
	for name, end := range map[string]func() error{
		"disabled": func() error {
			_, err := w.accounts.SetDisabled(context.Background(), "user:admin", "ana", true)
			return err
		},
		"another password": func() error { _, err := w.accounts.SetPassword(context.Background(), "ana", password); return err },
		"another role": func() error {
			_, err := w.accounts.SetRoles(context.Background(), "user:admin", "ana", []string{"viewer", "lead"})
			return err
		},
	} {
		_, err := w.accounts.SetDisabled(context.Background(), "user:admin", "ana", false)
		w.must(err)
		b := w.as("ana")
		if !in(b) {
			t.Fatalf("%s: not logged in", name)
		}
		w.must(end())
		if in(b) {
			t.Errorf("%s: the login goes on", name)
		}
	}
}

func TestBruteForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Viewer)
	try := func(password string) int {
		w.clock.Advance(7 * time.Second) // the limit per address is another test
		return w.browser().post("/login", "login", "ana", "password", password, "next", "/").status
	}
	for range 5 {
		if got := try("wrong and wrong again"); got != http.StatusUnprocessableEntity {
			t.Fatalf("%d", got)
		}
	}
	if got := try(password); got != http.StatusUnprocessableEntity {
		t.Errorf("the right password of a locked account: %d", got)
	}
	w.clock.Advance(2 * time.Minute)
	if got := try(password); got != http.StatusSeeOther {
		t.Errorf("after the lock: %d", got)
	}
	// Many at the same moment find no gap.
	var wg sync.WaitGroup
	var mu sync.Mutex
	looked := 0
	for range 40 {
		wg.Go(func() {
			_, err := w.accounts.Check(context.Background(), "ana", "wrong and wrong again", console.From{})
			if pipeline.ErrorCode(err) == "login" {
				mu.Lock()
				looked++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	u, err := w.ledger.User(t.Context(), "ana")
	w.must(err)
	if looked < 40 || u.Failures != 5 {
		t.Errorf("%d were refused, %d passwords were looked at", looked, u.Failures)
	}
	got := 0
	for range 15 {
		if got = w.browser().post("/login", "login", "nobody", "password", "x", "next", "/").status; got == http.StatusTooManyRequests {
			break
		}
	}
	if got != http.StatusTooManyRequests {
		t.Errorf("one address may try for ever: %d", got)
	}
}

func TestSecondFactor(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	// Whoever approves sets up a second factor before anything else.
	ctx := context.Background()
	_, temporary, err := w.accounts.Add(ctx, "user:admin", "dpo", "D. P. O.", []string{"approver"}, "")
	w.must(err)
	b := w.browser()
	if a := b.post("/login", "login", "dpo", "password", temporary, "next", "/campaigns"); a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	if a := b.get("/campaigns"); a.to != "/account/password" {
		t.Fatalf("before the password is changed: %d %s", a.status, a.to)
	}
	if a := b.post("/pause", "token", b.token("/account/password"), "campaign", "muguet", "reason", "x"); a.to != "/account/password" || w.desk.last() != "" {
		t.Errorf("a deed before the password is changed: %d %s", a.status, a.to)
	}
	if a := b.post("/account/password", "token", b.token("/account/password"), "old", temporary, "password", password, "again", password); a.to != "/account?done=password" {
		t.Fatalf("%d %s %s", a.status, a.to, a.body)
	}
	if a := b.get("/campaigns"); a.to != "/account/code" {
		t.Fatalf("before the second factor: %d %s", a.status, a.to)
	}

	w.user("eve", console.Approver)
	half := w.browser()
	if a := half.post("/login", "login", "eve", "password", password, "next", "/"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.to, "/login/code") {
		t.Fatalf("%d %s", a.status, a.to)
	}
	if a := half.get("/campaigns"); !strings.HasPrefix(a.to, "/login") {
		t.Errorf("with the password alone: %d %s", a.status, a.to)
	}
	code := w.code("eve")
	if a := half.post("/login/code", "code", "000000", "next", "/"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", a.status)
	}
	if a := half.post("/login/code", "code", code[:3]+" "+code[3:], "next", "/"); a.status != http.StatusSeeOther {
		t.Errorf("the code: %d", a.status)
	}
	again := w.browser()
	w.clock.Advance(7 * time.Second)
	again.post("/login", "login", "eve", "password", password, "next", "/")
	if a := again.post("/login/code", "code", code, "next", "/"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the same code again: %d", a.status)
	}
}

// TestTOTP holds the vectors of RFC 6238 appendix B, cut to six digits.
func TestTOTP(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := console.TOTPCode(secret, time.Unix(at, 0)); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	now := time.Unix(1111111111, 0)
	step, ok := console.TOTPMatch(secret, "050471", now, 0)
	if !ok {
		t.Error("the code of now is refused")
	}
	if _, ok := console.TOTPMatch(secret, "050471", now, step); ok {
		t.Error("a code is taken twice")
	}
	if _, ok := console.TOTPMatch(secret, "050471", now.Add(30*time.Second), 0); !ok {
		t.Error("the code of a moment ago is refused")
	}
	if _, ok := console.TOTPMatch(secret, "050471", now.Add(2*time.Minute), 0); ok {
		t.Error("an old code is taken")
	}
}

func TestAsksAgainBeforeGraveDeeds(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	b := w.as("ana")
	if a := b.get("/campaigns/muguet/launch"); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	w.clock.Advance(11 * time.Minute)
	if a := b.post("/campaigns/muguet/launch", "read", "yes", "reason", "x"); a.to != "/sure?next=%2Fcampaigns%2Fmuguet%2Flaunch" || w.desk.last() != "" {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := b.post("/sure", "password", "wrong", "next", "/"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
	old := b.session()
	if a := b.post("/sure", "password", password, "next", "/campaigns/muguet/launch"); a.to != "/campaigns/muguet/launch" || b.session() == old {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := b.post("/campaigns/muguet/launch", "canary", "200", "read", "yes", "reason", "all clear"); a.status != http.StatusSeeOther || w.desk.last() != "user:ana | launch | muguet | 200 | all clear" {
		t.Errorf("%d %s", a.status, w.desk.last())
	}
}

func TestOwnPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/campaigns/muguet": "/campaigns/muguet", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/",
		"/a\r\nSet-Cookie: x=y": "/", "javascript:alert(1)": "/", "": "/", "campaigns": "/", "/%0d%0aX: y": "/%0D%0AX:%20y", "/ok?x=1": "/ok",
	} {
		if got := console.OwnPath(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestHostsPathsAndHeaders(t *testing.T) {
	t.Parallel()
	w := furnished(t, func(c *console.Config) { c.Hosts = []string{"console.example"}; c.Secure = true })
	r, _ := http.NewRequest(http.MethodGet, w.server.URL+"/login", nil)
	b := w.browser()
	if a := b.send(r); a.status != http.StatusMisdirectedRequest {
		t.Errorf("by another name: %d", a.status)
	}
	r, _ = http.NewRequest(http.MethodGet, w.server.URL+"/login", nil)
	r.Host = "console.example"
	a := b.send(r)
	cookie := a.header.Get("Set-Cookie")
	if a.status != http.StatusOK || !strings.HasPrefix(cookie, "__Host-art34-guest=") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "Secure") || !strings.Contains(cookie, "SameSite=Strict") || a.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d %s", a.status, cookie)
	}

	w = furnished(t)
	w.user("ana", console.Operator)
	b = w.as("ana")
	a = b.get("/campaigns/muguet/runs/R000001/file")
	if got := a.header.Get("Content-Disposition"); a.status != http.StatusOK || got != `attachment; filename="R000001__X-Evil__1.pdf"` || a.header.Get("X-Evil") != "" {
		t.Errorf("%d %q", a.status, got)
	}
	for _, p := range []string{"/static/..%2f..%2fmessages%2ffr.yaml", "/static/console.css", "/campaigns/..%2f..%2fetc", "/campaigns/muguet/runs/..%2fR000001", "/campaigns/muguet/proofs/7%20OR%201", "/campaigns/lilas"} {
		if a := b.get(p); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", p, a.status)
		}
	}
	if a := b.post("/campaigns/muguet/customers", "verb", "hold", "customers", strings.Repeat("C1,", 40_000), "reason", "x"); a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of 120 kB: %d", a.status)
	}
	if a := b.post("/campaigns/muguet/customers", "verb", "hold", "customers", "C1 C2", "reason", "because <script>"); a.status != http.StatusOK || !strings.Contains(a.body, "C9&lt;b&gt;") || w.desk.last() != "user:ana | hold | muguet | C1,C2 |  | because <script>" {
		t.Errorf("%d %s", a.status, w.desk.last())
	}
}

func TestNobodyRaisesThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Admin)
	w.user("bob", console.Viewer)
	b := w.as("ana")
	if a := b.post("/users/ana/roles", "role", "approver", "role", "admin"); a.status != http.StatusConflict {
		t.Errorf("one's own roles: %d", a.status)
	}
	if a := b.post("/users/ana/disable"); a.status != http.StatusConflict {
		t.Errorf("one's own account: %d", a.status)
	}
	if a := b.post("/users/bob/roles", "role", "lead"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if _, err := w.accounts.SetDisabled(t.Context(), "user:os", "ana", true); pipeline.ErrorCode(err) != "last-admin" {
		t.Errorf("the last administrator: %v", err)
	}
	if a := b.post("/users/new", "login", "Éve!", "name", "Eve", "role", "root"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]string{
		password: "", "short": "problem.password_short", strings.Repeat("ab", 65): "problem.password_long", "aaaaaaaaaaaaaaaa": "problem.password_common",
		"motdepasse2026!": "problem.password_common", "Password12345!!": "problem.password_common", "dupont-et-dupont": "problem.password_common", "j.dupont12345": "problem.password_common",
	} {
		if got := console.Weak(password, "j.dupont", "Jeanne Dupont"); got != want {
			t.Errorf("%q: %q, want %q", password, got, want)
		}
	}
}

// TestLive: figures move by themselves, and stop when the reader may not see them
// any more.
func TestLive(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.board.figures.Breakers[0].Detail = "550\r\revent: over\rdata: <b>\r\r"
	w.user("ana", console.Viewer)
	b := w.as("ana")
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/campaigns/muguet/live", nil)
	res, err := b.http.Do(r)
	w.must(err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	until := func(what string) bool {
		for lines.Scan() {
			// Browsers end a line at a CR as well.
			if i := strings.IndexByte(lines.Text(), '\r'); i >= 0 {
				t.Errorf("a line that a mail server has written: %q", lines.Text()[i:])
			}
			if strings.Contains(lines.Text(), what) {
				return true
			}
		}
		return false
	}
	if res.Header.Get("Content-Type") != "text/event-stream" || !until("event: figures") || !until("412,034") {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	_, err = w.accounts.SetDisabled(context.Background(), "user:admin", "ana", true)
	w.must(err)
	if !until("event: over") {
		t.Error("the figures go on for who was disabled")
	}
}

// TestUnlockedScreens: who finds a screen unlocked can neither make the account theirs
// nor make themselves another.
func TestUnlockedScreens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ann", console.Admin)
	w.user("bob", console.Viewer)
	b := w.as("ann")
	w.clock.Advance(11 * time.Minute)
	page := "/users/bob"
	for _, x := range []struct {
		path, back string
		pairs      []string
	}{
		{"/account/code", "/account/code", []string{"sealed", "x", "code", "123456"}}, {"/users/new", "/users/new", []string{"login", "eve", "role", "approver"}},
		{"/users/bob/roles", page, []string{"role", "approver"}}, {"/users/bob/enable", page, nil}, {"/users/bob/reset", page, nil},
	} {
		if a := b.post(x.path, x.pairs...); a.to != "/sure?next="+url.QueryEscape(x.back) {
			t.Errorf("%s: %d %s", x.path, a.status, a.to)
		}
	}
	for _, path := range []string{"/account/code", "/users/new"} {
		if a := b.get(path); a.to != "/sure?next="+url.QueryEscape(path) {
			t.Errorf("%s: %d %s", path, a.status, a.to)
		}
	}
	all, err := w.ledger.AllUsers(t.Context())
	w.must(err)
	if len(all) != 2 || len(all[0].TOTP)+len(all[1].TOTP) > 0 || strings.Contains(strings.Join(all[1].Roles, " "), "approver") {
		t.Errorf("%+v", all)
	}
	if a := b.post("/sure", "password", password, "next", "/users/new"); a.to != "/users/new" || b.get(a.to).status != http.StatusOK {
		t.Errorf("with the password: %d %s", a.status, a.to)
	}
	// Who has to enrol is asked too, and not sent in circles.
	_, err = w.accounts.SetRoles(t.Context(), "user:ann", "bob", []string{"approver"})
	w.must(err)
	b = w.as("bob")
	w.clock.Advance(11 * time.Minute)
	if a := b.get("/account/code"); a.to != "/sure?next=%2Faccount%2Fcode" || b.get(a.to).status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := b.post("/sure", "token", b.token("/sure"), "password", password, "next", "/account/code"); a.to != "/account/code" || b.get(a.to).status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.to)
	}
}

// TestNobodyTakesAllStreams: one person's pages leave room for the others'.
func TestNobodyTakesAllStreams(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Viewer)
	w.user("bob", console.Viewer)
	open := func(b *browser) int {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/campaigns/muguet/live", nil)
		w.clock.Advance(time.Second)
		res, err := b.http.Do(r)
		w.must(err)
		t.Cleanup(func() { _ = res.Body.Close() })
		return res.StatusCode
	}
	ana, bob := w.as("ana"), w.as("bob")
	for i := range 20 {
		if got := open(ana); got != http.StatusOK {
			t.Fatalf("stream %d: %d", i+1, got)
		}
	}
	if got := open(ana); got != http.StatusTooManyRequests {
		t.Errorf("one more: %d", got)
	}
	if got := open(bob); got != http.StatusOK {
		t.Errorf("somebody else's: %d", got)
	}
}

// TestHashesAreDear: what the accounts of an installation really use, in the form
// that others understand.
func TestHashesAreDear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := console.NewAccounts(w.ledger, nil, w.clock, func(b []byte) { clear(b) }).Setup(t.Context(), "ana", "Ana", password, "fr")
	w.must(err)
	u, err := w.ledger.User(t.Context(), "ana")
	w.must(err)
	if !strings.HasPrefix(u.Password, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Error(u.Password)
	}
	if _, err := w.accounts.Check(t.Context(), "ana", password, console.From{}); err != nil {
		t.Error(err)
	}
}
