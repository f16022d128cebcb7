package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// program is a client with a token.
type program struct {
	w     *world
	token string
	check validator.Validator // nil: answers are not held against the document
	// person is for whom it acts; "": somebody who has no account, "-": for nobody.
	person string
}

// token makes a token for actions.
func (w *world) token(name string, scopes ...console.Action) *program {
	w.t.Helper()
	var list []string
	for _, s := range scopes {
		list = append(list, string(s))
	}
	_, text, err := w.accounts.AddToken(w.t.Context(), "user:root", console.TokenOrder{Name: name, Scopes: list, Life: 24 * time.Hour}, "for a test")
	w.must(err)
	return &program{w: w, token: text}
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

// call sends one request; header are pairs.
func (p *program) call(method, path, body string, header ...string) reply {
	p.w.t.Helper()
	p.w.clock.Advance(600 * time.Millisecond)
	r, err := http.NewRequest(method, p.w.server.URL+"/api/v1"+path, strings.NewReader(body))
	p.w.must(err)
	if p.token != "" {
		r.Header.Set("Authorization", "Bearer "+p.token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	switch p.person {
	case "":
		r.Header.Set("On-Behalf-Of", "kim")
	case "-":
	default:
		r.Header.Set("On-Behalf-Of", p.person)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	p.w.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	p.w.must(err)
	a := reply{status: res.StatusCode, header: res.Header, text: string(text)}
	if err := json.Unmarshal(text, &a.body); err != nil && res.StatusCode != http.StatusNotModified {
		p.w.t.Errorf("%s %s: %d, no JSON object: %s", method, path, res.StatusCode, text)
	}
	if res.StatusCode >= 400 && (res.Header.Get("Content-Type") != "application/problem+json" || a.body["code"] == "" || a.body["status"] != float64(res.StatusCode)) {
		p.w.t.Errorf("%s %s: %d is no problem as RFC 9457 has it: %s %s", method, path, res.StatusCode, res.Header.Get("Content-Type"), text)
	}
	if len(res.Cookies()) > 0 || res.Header.Get("Access-Control-Allow-Origin") != "" {
		p.w.t.Errorf("%s %s: cookies or CORS: %v", method, path, res.Header)
	}
	if p.check != nil {
		res.Body = io.NopCloser(bytes.NewReader(text))
		if ok, faults := p.check.ValidateHttpResponse(r, res); !ok {
			for _, f := range faults {
				p.w.t.Errorf("%s %s: %d is not as the document says: %s %s %v\n%s", method, path, res.StatusCode, f.Message, f.Reason, f.SchemaValidationErrors, text)
			}
		}
	}
	return a
}

func (r reply) code() string { return fmt.Sprint(r.body["code"]) }

// documented is the document that the console serves, and a validator of it.
func (w *world) documented() (map[string]any, validator.Validator) {
	w.t.Helper()
	res, err := http.Get(w.server.URL + "/api/v1/openapi.json")
	w.must(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	w.must(err)
	doc, err := libopenapi.NewDocument(text)
	w.must(err)
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		w.t.Fatal(errs)
	}
	if ok, faults := v.ValidateDocument(); !ok {
		for _, f := range faults {
			w.t.Errorf("the document: %s %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
		}
	}
	var m map[string]any
	w.must(json.Unmarshal(text, &m))
	return m, v
}

// TestAPIDocument: the document is OpenAPI 3.1, and every operation of the table is in
// it, with its scope.
func TestAPIDocument(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	doc, _ := w.documented()
	if doc["openapi"] != "3.1.0" {
		t.Errorf("openapi %v", doc["openapi"])
	}
	paths := doc["paths"].(map[string]any)
	table := w.console.Endpoints()
	n := 0
	for _, p := range paths {
		n += len(p.(map[string]any))
	}
	if n != len(table) || n < 12 {
		t.Errorf("%d operations in the document, %d in the table", n, len(table))
	}
	ids := map[string]bool{}
	for _, e := range table {
		op, _ := paths[e.Path].(map[string]any)[strings.ToLower(e.Method)].(map[string]any)
		if op == nil || ids[e.ID] || op["operationId"] != e.ID || !strings.Contains(fmt.Sprint(op["security"]), "["+string(e.May)+"]") {
			t.Errorf("%s %s: %v", e.Method, e.Path, op)
		}
		ids[e.ID] = true
	}
}

// TestAPIWalk asks for every operation with every kind of fault, and holds each answer
// against the document.
func TestAPIWalk(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, check := w.documented()
	w.user("boss", console.Roles()...)
	all := w.token("all", console.Scopes()...)
	all.check, all.person = check, "boss"
	for name, call := range map[string]func() reply{
		"campaigns": func() reply { return all.call("GET", "/campaigns", "") },
		"campaign":  func() reply { return all.call("GET", "/campaigns/muguet", "") },
		"runs":      func() reply { return all.call("GET", "/campaigns/muguet/print-runs?limit=5", "") },
		"pause":     func() reply { return all.call("POST", "/campaigns/muguet/pause", `{"reason":"ticket 7"}`) },
		"resume":    func() reply { return all.call("POST", "/campaigns/muguet/resume", `{"reason":"ticket 7"}`) },
		"launch": func() reply {
			return all.call("POST", "/campaigns/muguet/launch", `{"reason":"go","canary":200,"at":"2026-01-21T08:00:00Z"}`)
		},
		"pacing": func() reply {
			return all.call("POST", "/campaigns/muguet/pacing", `{"reason":"slower","rate":20.5,"hours":"08:00-20:00 Europe/Paris"}`)
		},
		"breaker": func() reply {
			return all.call("POST", "/campaigns/muguet/breakers/release", `{"reason":"they answered","scope":"provider:orange"}`)
		},
		"hold": func() reply {
			return all.call("POST", "/campaigns/muguet/hold", `{"reason":"press","customers":["C1","C2"]}`)
		},
		"release": func() reply { return all.call("POST", "/campaigns/muguet/release", `{"reason":"done","flag":"vip"}`) },
		"exclude": func() reply {
			return all.call("POST", "/campaigns/muguet/exclude", `{"reason":"twice","customers":["C3"]}`)
		},
		"answers": func() reply { return all.call("POST", "/campaigns/muguet/answers/search", `{"locale":"en"}`) },
		"words": func() reply {
			return all.call("POST", "/campaigns/muguet/answers/search", `{"locale":"fr","words":"banque"}`)
		},
	} {
		if a := call(); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	for _, e := range w.console.Endpoints() {
		path := fill(e.Path)
		if e.Method == "POST" {
			for name, body := range map[string]string{"nothing": "{}", "an unknown field": `{"nonsense":1}`, "no object": `[1]`, "two objects": `{} {}`, "no JSON": `{`} {
				a := all.call("POST", path, body)
				if a.status != http.StatusUnprocessableEntity && !(name == "nothing" && e.ID == "showNumber") {
					t.Errorf("%s with %s: %d %s", e.Path, name, a.status, a.text)
				}
			}
			if a := all.call("POST", path, `{"x":"`+strings.Repeat("x", 70_000)+`"}`); a.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s with 70 kB: %d", e.Path, a.status)
			}
			if a := all.call("POST", path, "x=1", "Content-Type", "application/x-www-form-urlencoded"); a.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s with a form: %d", e.Path, a.status)
			}
		}
		if strings.Contains(e.Path, "{name}") {
			if a := all.call(e.Method, strings.Replace(e.Path, "{name}", "absent", 1), `{"reason":"x","locale":"fr","scope":"relay","flag":"vip"}`); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s of no campaign: %d %s", e.Path, a.status, a.text)
			}
		}
	}
	for path, want := range map[string]int{"/campaigns?limit=0": 422, "/campaigns?limit=1000": 422, "/campaigns?after=nobody": 422, "/nothing": 404, "/campaigns/..%2f..%2fetc": 404} {
		all.check = nil
		if a := all.call("GET", path, ""); a.status != want {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if got := w.desk.last(); !strings.HasPrefix(got, "token:all/boss | ") {
		t.Errorf("done in the name of %s", got)
	}
}

// TestAPIPages: a list is whole, page by page.
func TestAPIPages(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	for i := range 7 {
		w.campaign(fmt.Sprintf("c%d", i), pipeline.Draft)
	}
	p := w.token("crm", console.ActSee)
	names, after := []string{}, ""
	for range 10 {
		a := p.call("GET", "/campaigns?limit=3&after="+after, "")
		for _, x := range a.body["items"].([]any) {
			names = append(names, x.(map[string]any)["name"].(string))
		}
		if after = a.body["next"].(string); after == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "c0 c1 c2 c3 c4 c5 c6 muguet pivoine" {
		t.Error(got)
	}
}

// TestAPITokens: who has none, a wrong one, one that is over or one for something else
// gets nothing, and all the first kinds the same.
func TestAPITokens(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	see := w.token("see", console.ActSee)
	before := w.desk.count()
	if a := see.call("GET", "/campaigns/muguet", ""); a.status != http.StatusOK || a.body["population"] == nil {
		t.Fatalf("%d %s", a.status, a.text)
	}
	for _, e := range w.console.Endpoints() {
		if e.May == console.ActSee {
			continue
		}
		if a := see.call(e.Method, fill(e.Path), `{"reason":"x"}`); a.status != http.StatusForbidden || a.code() != "scope" {
			t.Errorf("%s with another scope: %d %s", e.Path, a.status, a.text)
		}
	}
	if w.desk.count() != before {
		t.Errorf("done without the scope: %s", w.desk.last())
	}
	over := w.token("over", console.ActSee)
	w.must(w.accounts.RevokeToken(t.Context(), "user:root", "over", "left the company"))
	flipped := *see
	flipped.token = see.token[:len(see.token)-1] + flip(see.token[len(see.token)-1:])
	same := ""
	for name, p := range map[string]*program{"none": {w: w}, "revoked": over, "flipped": &flipped, "of a login": {w: w, token: strings.Repeat("A", 43)}, "cut": {w: w, token: see.token[:20]}} {
		w.clock.Advance(time.Minute)
		a := p.call("GET", "/campaigns", "")
		if same == "" {
			same = a.text
		}
		if a.status != http.StatusUnauthorized || a.text != same || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	// A login is no token, and a token no login.
	w.user("ana", console.Operator, console.Viewer)
	b := w.as("ana")
	if a := b.get("/api/v1/campaigns"); a.status != http.StatusUnauthorized {
		t.Errorf("with the cookie of a login: %d", a.status)
	}
	r, _ := http.NewRequest(http.MethodGet, w.server.URL+"/campaigns", nil)
	r.Header.Set("Authorization", "Bearer "+see.token)
	if a := w.browser().send(r); a.status != http.StatusSeeOther {
		t.Errorf("a page with a token: %d", a.status)
	}
	w.clock.Advance(25 * time.Hour)
	if a := see.call("GET", "/campaigns", ""); a.status != http.StatusUnauthorized {
		t.Errorf("after its end: %d", a.status)
	}
	for name, o := range map[string]console.TokenOrder{
		"to give accounts": {Name: "a1", Scopes: []string{"users"}, Life: time.Hour}, "to approve": {Name: "a1", Scopes: []string{"see", "approve"}, Life: time.Hour}, "for nothing": {Name: "a1", Life: time.Hour},
		"for ever": {Name: "a1", Scopes: []string{"see"}, Life: 10 * 366 * 24 * time.Hour}, "with a line break": {Name: "a\r\nb", Scopes: []string{"see"}, Life: time.Hour}, "once more": {Name: "over", Scopes: []string{"see"}, Life: time.Hour},
	} {
		if _, _, err := w.accounts.AddToken(t.Context(), "user:root", o, "x"); err == nil {
			t.Errorf("a token %s", name)
		}
	}
}

func TestAPIBruteForce(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	good := w.token("crm", console.ActSee)
	got := 0
	for i := range 60 {
		p := &program{w: w, token: "art34_" + strings.Repeat("B", 41) + fmt.Sprintf("%02d", i)}
		if got = p.call("GET", "/campaigns", "").status; got == http.StatusTooManyRequests {
			break
		}
	}
	if got != http.StatusTooManyRequests {
		t.Errorf("tokens may be tried for ever: %d", got)
	}
	w.clock.Advance(time.Hour)
	if a := good.call("GET", "/campaigns", ""); a.status != http.StatusOK {
		t.Errorf("the right one later: %d", a.status)
	}
	// Of its own requests a token has so many a minute.
	limited := 0
	var after string
	for range 200 {
		w.clock.Advance(-600 * time.Millisecond)
		if a := good.call("GET", "/campaigns", ""); a.status == http.StatusTooManyRequests {
			limited++
			after = a.header.Get("Retry-After")
		}
	}
	if limited == 0 || after == "" {
		t.Errorf("a token asks as often as it likes")
	}
}

func TestAPIOtherSitesAndHeaders(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	p := w.token("all", console.Scopes()...)
	if a := p.call("POST", "/campaigns/muguet/pause", `{"reason":"x"}`, "Origin", "https://evil.example"); a.status != http.StatusForbidden || strings.HasPrefix(w.desk.last(), "token:") {
		t.Errorf("from another site: %d", a.status)
	}
	if a := p.call("POST", "/campaigns/muguet/pause", `{"reason":"a\r\nX-Evil: 1"}`); a.status != http.StatusOK || a.header.Get("X-Evil") != "" || strings.ContainsAny(w.desk.last(), "\r\n") {
		t.Errorf("%d %q", a.status, w.desk.last())
	}
	for _, reason := range []string{"", "   ", "moved, now jean@orange.example", "call 06 39 98 10 01"} {
		text, _ := json.Marshal(map[string]string{"reason": reason})
		if a := p.call("POST", "/campaigns/muguet/pause", string(text)); a.status != http.StatusUnprocessableEntity || strings.Contains(a.text, "jean@") {
			t.Errorf("the reason %q: %d %s", reason, a.status, a.text)
		}
	}
}

// TestAPIOnceOnly: the same key does nothing twice, whoever asks how often.
func TestAPIOnceOnly(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	p, other := w.token("crm", console.ActPause, console.ActCohort), w.token("intranet", console.ActPause)
	begun := w.desk.count()
	pause := func(p *program, key, reason string) reply {
		return p.call("POST", "/campaigns/muguet/pause", `{"reason":"`+reason+`"}`, "Idempotency-Key", key)
	}
	first := pause(p, "k1", "ticket 7")
	again := pause(p, "k1", "ticket 7")
	if first.status != http.StatusOK || again.status != http.StatusOK || again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" || w.desk.count() != begun+1 {
		t.Errorf("%d, %d, done %d times", first.status, again.status, w.desk.count()-begun)
	}
	if a := pause(p, "k1", "ticket 8"); a.status != http.StatusUnprocessableEntity || a.code() != "idempotency-mismatch" {
		t.Errorf("another request with the key: %d %s", a.status, a.text)
	}
	if a := pause(other, "k1", "ticket 7"); a.status != http.StatusOK || w.desk.count() != begun+2 {
		t.Errorf("the key of another token: %d", a.status)
	}
	for _, key := range []string{strings.Repeat("k", 201), "a b", "é"} {
		if a := pause(p, key, "x"); a.status != http.StatusBadRequest {
			t.Errorf("the key %q: %d", key, a.status)
		}
	}
	// What failed for a reason of ours may be tried again.
	w.desk.broken(fmt.Errorf("disk: %w", pipeline.ErrAway))
	if a := pause(p, "k2", "x"); a.status != http.StatusServiceUnavailable {
		t.Errorf("%d", a.status)
	}
	w.desk.broken(nil)
	if a := pause(p, "k2", "x"); a.status != http.StatusOK {
		t.Errorf("again: %d %s", a.status, a.text)
	}
	before := w.desk.count()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if a := pause(p, "k3", "many"); a.status != http.StatusOK && a.code() != "idempotency-busy" {
				t.Errorf("%d %s", a.status, a.text)
			}
		})
	}
	wg.Wait()
	if got := w.desk.count() - before; got != 1 {
		t.Errorf("done %d times for one key", got)
	}
}

// TestAPIEmbargo: for a token that is no member the campaign is not there.
func TestAPIEmbargo(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.user("ann", console.Operator)
	member, other := w.token("crm", console.Scopes()...), w.token("intranet", console.Scopes()...)
	paused := func() reply {
		return other.call("POST", "/campaigns/muguet/pause", `{"reason":"x"}`, "Idempotency-Key", "before")
	}
	if a := paused(); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.text)
	}
	w.embargo(c, t0.Add(12*time.Hour), "ann", "token:crm")
	// What was answered before is not given again to who must not know of it now.
	if a := paused(); a.status != http.StatusNotFound || strings.Contains(a.text, "muguet") {
		t.Errorf("a remembered answer: %d %s", a.status, a.text)
	}
	// Each operation is asked for as the document shows it: for somebody who has every
	// role, by a token that is no member, and by a member for somebody who is none.
	w.user("boss", console.Roles()...)
	doc, _ := w.documented()
	other.person, member.person = "boss", "boss"
	for _, e := range w.console.Endpoints() {
		if !strings.Contains(e.Path, "{name}") {
			continue
		}
		for _, p := range []*program{other, member} {
			body := requestExample(doc, e)
			hidden, never := p.call(e.Method, fill(e.Path), body), p.call(e.Method, fill(strings.Replace(e.Path, "{name}", "absent", 1)), body)
			if hidden.status != never.status || hidden.text != never.text || hidden.status != http.StatusNotFound {
				t.Errorf("%s: %d %s, of no campaign %d %s", e.Path, hidden.status, hidden.text, never.status, never.text)
			}
		}
	}
	member.person = ""
	if a := other.call("GET", "/campaigns", ""); strings.Contains(a.text, "muguet") {
		t.Error(a.text)
	}
	if a := member.call("GET", "/campaigns/muguet", ""); a.status != http.StatusNotFound {
		t.Errorf("a member for somebody who is none: %d", a.status)
	}
	member.person = "-"
	if a := member.call("GET", "/campaigns/muguet", ""); a.status != http.StatusOK {
		t.Errorf("a member: %d", a.status)
	}
	member.person = "ann"
	if a := member.call("GET", "/campaigns/muguet", ""); a.status != http.StatusOK {
		t.Errorf("a member for a member: %d", a.status)
	}
}

// TestTokenPages: an administrator makes a token, sees it once, and revokes it.
func TestTokenPages(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("root", console.Admin)
	b := w.as("root")
	for name, pairs := range map[string][]string{
		"without a reason": {"name", "crm", "scope", "see", "days", "30"}, "without a scope": {"name", "crm", "days", "30", "reason", "x"},
		"to give accounts": {"name", "crm", "scope", "users", "days", "30", "reason", "x"}, "with markup": {"name", "<b>", "scope", "see", "days", "30", "reason", "x"},
	} {
		if a := b.post("/tokens/new", pairs...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	a := b.post("/tokens/new", "name", "crm", "scope", "see", "scope", "pause", "days", "30", "per_minute", "60", "look_ups", "10", "reason", "shows letters")
	_, rest, _ := strings.Cut(a.body, "<code>")
	text, _, _ := strings.Cut(rest, "</code>")
	p := &program{w: w, token: text}
	if got := p.call("GET", "/campaigns", ""); a.status != http.StatusOK || got.status != http.StatusOK {
		t.Fatalf("%d, %d", a.status, got.status)
	}
	if a := b.get("/tokens"); strings.Contains(a.body, text) || !strings.Contains(a.body, "crm") {
		t.Error("the token is shown again")
	}
	if a := b.post("/tokens/crm/revoke", "reason", "lost"); a.to != "/tokens?done=token_revoked" {
		t.Errorf("%d", a.status)
	}
	if got := p.call("GET", "/campaigns", ""); got.status != http.StatusUnauthorized {
		t.Errorf("revoked: %d", got.status)
	}
	w.clock.Advance(11 * time.Minute)
	if a := b.get("/tokens/new"); !strings.HasPrefix(a.to, "/sure") {
		t.Errorf("without the password once more: %d", a.status)
	}
}
