package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// fill puts values into the parameters of a path.
func fill(path string) string {
	return strings.NewReplacer("{name}", "muguet", "{$}", "", "{login}", "zoe", "{scope}", "relay", "{provider}", "orange", "{run}", "R000001", "{notice}", "7", "{n}", "1", "{file}", "breach.fr.md", "{list}", "I000001-rejects.csv", "{token}", "none", "{qa}", "1", "{query}", "1", "{call}", "1", "{attempt}", "1", "{correction}", "1").Replace(path)
}

// furnished is a world with something on every page.
func furnished(t testing.TB, adjust ...func(*console.Config)) *world {
	w := newWorld(t, adjust...)
	c := w.campaign("muguet", pipeline.Running)
	w.user("zoe", console.Viewer)
	w.calls(w.campaign("pivoine", pipeline.Running))
	w.token("none", console.ActSee)
	w.furnishFloor(c)
	w.board.figures = someFigures(c.ID)
	w.must(w.desk.As("user:ana").Save(t.Context(), "muguet", "breach.fr.md", letterText+"Clair.\n", hashOf(letterText), "clearer <b>", false))
	w.desk.done = nil // what furnishing asked of the desk is nobody's deed
	w.board.planned = []pipeline.Planned{
		{Day: t0.Unix()/86400 - 1, State: pipeline.Due, Role: pipeline.Primary, Channel: pipeline.Post, Kind: pipeline.Fallback, Reason: pipeline.ReasonAddressDead, Count: 12},
		{Day: t0.Unix()/86400 + 3, State: pipeline.Accepted, Role: pipeline.Primary, Channel: pipeline.Email, Kind: pipeline.First, Count: 412_034},
	}
	return w
}

func someFigures(campaign int64) console.Figures {
	states := map[pipeline.Channel]map[pipeline.State]int64{
		pipeline.Email:     {pipeline.Due: 310_000, pipeline.Queued: 2_000, pipeline.Sending: 64, pipeline.InDoubt: 3, pipeline.Accepted: 412_034, pipeline.Held: 118, pipeline.Excluded: 7},
		pipeline.Post:      {pipeline.Due: 20_774, pipeline.Printing: 42_000, pipeline.Posted: 11_500},
		pipeline.NoChannel: {pipeline.Unreachable: 1_500},
	}
	b := pipeline.Balance{States: map[pipeline.State]int64{}, Channels: states}
	for _, m := range states {
		for s, n := range m {
			b.States[s] += n
			b.Population += n
		}
	}
	return console.Figures{
		Balance: b, Counters: pipeline.Counters{Attempts: 480_000, Doubts: 5, Again: 2}, PerSecond: 212.4, ExpectedEnd: t0.Add(25 * time.Minute),
		Coming: map[pipeline.Channel]int64{pipeline.Email: 5_200, pipeline.Post: 310}, CutOff: t0.Add(6 * time.Hour),
		Due:     []pipeline.DueCount{{Channel: pipeline.Email, Provider: "orange", Count: 120_000}, {Channel: pipeline.Email, Provider: "gmail", Count: 190_000}},
		Answers: []pipeline.Answers{{Scope: pipeline.AllAnswers, Accepted: 412_034}, {Scope: "provider:orange", Accepted: 200_012, Refused: 310, Bounced: 12, Dead: 290}},
		Blocked: []console.Blockage{{Code: "hours", Notices: 310_000}, {Code: "breaker:provider:orange", Notices: 120_000}}, Missing: []string{"relay"},
		Breakers:    []pipeline.Breaker{{Campaign: campaign, Scope: "provider:orange", Reason: "refused-by-provider", Detail: "550 5.7.1 <script>alert(1)</script>", Since: t0}},
		Versions:    []pipeline.Version{{Campaign: campaign, N: 1, Hash: strings.Repeat("ab", 32), ApprovedBy: "user:dpo", ApprovedAt: t0, Population: b.Population, Diff: "-alt\n+neu <b>"}},
		Held:        map[string]int64{"vip": 40, "unfit": 78},
		Unreachable: map[string]int64{pipeline.ReasonNoContact: 1_200, "said <i>no</i>": 300},
		Paces:       map[string]console.Pace{"email": {Left: 312_064, Done: 412_034, PerSecond: 212.4, End: t0.Add(25 * time.Minute)}, "post": {Left: 20_774, Done: 53_500}, "provider:orange": {Left: 120_000, Done: 200_322, PerSecond: 3.4, Limit: 5, End: t0.Add(30 * time.Hour)}},
		Outside:     pipeline.Outside{Returned: map[string]int64{"moved": 12, "new <b>": 1}},
		WayBack:     []console.WayBack{{Domain: "retour.example", Proven: true, BounceAt: t0}, {Domain: "retour2.example", Code: "loop"}},
		Attempts:    map[int]int64{1: 480_000},
		Imports:     []console.ImportDone{{Import: pipeline.Import{ID: 1, Actor: "user:ana", PublishedAt: t0, Manifest: pipeline.Manifest{Population: b.Population}}, Rejected: 14, List: "I000001-rejects.csv"}},
		Latest:      []pipeline.Audit{{At: t0, Actor: "user:ana", Action: "pause", Reason: "the hours <b>"}, {At: t0, Actor: "system", Action: "unheard-of"}},
		Runs:        []pipeline.Run{{ID: 1, Campaign: campaign, State: pipeline.RunAssembled, Profile: "fr-dl", Class: "standard", Letters: 1000, Pages: 2000, File: "R000001.pdf", SHA256: strings.Repeat("cd", 32), CutAt: t0}},
	}
}

// attempt does what a route is for, with nothing filled in.
func (b *browser) attempt(pattern string, upload, token bool) answer {
	b.w.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	path = fill(path)
	if method == http.MethodGet {
		return b.get(path)
	}
	form := "none"
	if token {
		if form = b.token("/account"); form == "" {
			form = b.token("/login")
		}
	}
	if !upload {
		return b.post(path, "token", form)
	}
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	b.w.must(m.WriteField("token", form))
	b.w.must(m.Close())
	r, err := http.NewRequest(http.MethodPost, b.w.server.URL+path, &body)
	b.w.must(err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

// TestEveryRouteEveryRole: the table of permissions decides on every page, for
// everybody.
func TestEveryRouteEveryRole(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	names := map[console.Role]string{}
	for _, r := range append(console.Roles(), "none") {
		names[r] = string(r) + "-1"
		if r == "none" {
			w.user(names[r])
		} else {
			w.user(names[r], r)
		}
	}
	for role, login := range names {
		b := w.as(login)
		since := w.clock.Now()
		for _, rt := range w.console.Table() {
			if rt.Pattern == "POST /logout" || rt.May == console.ActAnyone || strings.HasSuffix(rt.Pattern, "/live") && console.May([]string{string(role)}, rt.May) {
				continue
			}
			if w.clock.Now().Sub(since) > 5*time.Minute {
				b, since = w.as(login), w.clock.Now()
			}
			a := b.attempt(rt.Pattern, rt.Upload, true)
			allowed := console.May([]string{string(role)}, rt.May)
			switch {
			case allowed && (a.status == http.StatusForbidden || a.status >= 500 || strings.HasPrefix(a.to, "/login") || strings.HasPrefix(a.to, "/sure")):
				t.Errorf("%s as %s: %d %s\n%s", rt.Pattern, role, a.status, a.to, a.body)
			case !allowed && a.status != http.StatusForbidden:
				t.Errorf("%s as %s: %d %s", rt.Pattern, role, a.status, a.to)
			case strings.HasPrefix(rt.Pattern, "POST") && allowed && !rt.Upload:
				if a := b.attempt(rt.Pattern, rt.Upload, false); a.status != http.StatusForbidden {
					t.Errorf("%s as %s without the token of the form: %d", rt.Pattern, role, a.status)
				}
			}
			if b.session() == "" {
				b, since = w.as(login), w.clock.Now()
			}
		}
	}
}

func TestNobodyWithoutALogin(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	b := w.browser()
	for _, rt := range w.console.Table() {
		a := b.attempt(rt.Pattern, rt.Upload, true)
		switch {
		case rt.May == console.ActAnyone:
			if a.status >= 500 {
				t.Errorf("%s: %d", rt.Pattern, a.status)
			}
		case a.status != http.StatusSeeOther || !strings.HasPrefix(a.to, "/login"):
			t.Errorf("%s: %d %s", rt.Pattern, a.status, a.to)
		}
	}
}

// TestEveryPageInEveryLanguage: each page can be shown, with the headers that keep
// it to itself, and without anything that they would forbid.
func TestEveryPageInEveryLanguage(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("all", console.Roles()...)
	b := w.as("all")
	for _, locale := range []string{"fr", "en"} {
		if a := b.post("/language", "locale", locale, "next", "/account"); a.status != http.StatusSeeOther {
			t.Fatalf("%d", a.status)
		}
		for _, rt := range w.console.Table() {
			method, path, _ := strings.Cut(rt.Pattern, " ")
			if method != http.MethodGet || rt.May == console.ActAnyone || strings.HasSuffix(path, "/live") {
				continue
			}
			if rt.Sure {
				b.post("/sure", "code", w.code("all"), "next", "/account")
			}
			a := b.get(fill(path))
			if a.status == http.StatusSeeOther && (path == "/{$}" || path == "/account/code" || path == "/answers") {
				continue
			}
			if a.status != http.StatusOK {
				if !(a.status == http.StatusNotFound && (strings.HasSuffix(path, "/pdf") || path == "/sure/company")) {
					t.Errorf("%s %s: %d %s\n%s", locale, path, a.status, a.to, a.body)
				}
				continue
			}
			if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || strings.HasSuffix(path, "/html") {
				continue
			}
			if !strings.Contains(a.body, `<html lang="`+locale+`"`) {
				t.Errorf("%s %s: another language", locale, path)
			}
			inspect(t, locale+" "+path, a)
		}
	}
}

// inspect looks for what a strict content policy forbids, and for markup of
// strangers.
func inspect(t *testing.T, name string, a answer) {
	t.Helper()
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
		if got := a.header.Get(header); got != want {
			t.Errorf("%s: %s is %q", name, header, got)
		}
	}
	policy := a.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("%s: policy %q", name, policy)
	}
	low := strings.ToLower(a.body)
	for _, bad := range []string{" style=", " onclick=", " onload=", "javascript:", "<script>", "<style", "http://", "https://", "<b>", "<i>no", "zgotmplz", "<no value>", "%!"} {
		if i := strings.Index(low, bad); i >= 0 {
			t.Errorf("%s holds %q: %s", name, bad, a.body[max(0, i-60):min(len(a.body), i+60)])
		}
	}
	if strings.Count(low, "<h1") != 1 || strings.Count(low, "<main") != 1 {
		t.Errorf("%s: one heading of the page, one main part", name)
	}
}
