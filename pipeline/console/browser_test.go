package console_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/console/openid"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/templates"
)

// TestPagesInABrowser shows every page in both languages, wide and narrow, light and
// dark, and lets axe-core judge each. Templates mark their pages here, so that none
// is forgotten.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	for _, l := range []look{{"fr", 1280, "light"}, {"en", 390, "light"}, {"fr", 390, "dark"}, {"en", 1280, "dark"}} {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			e := &eye{Browser: testenv.Chrome(t, browserTime), t: t, look: l, seen: map[string]bool{}}
			e.Size(l.width, l.scheme)
			e.emptyHouse()
			e.company()
			e.pages()
			e.floorWithoutScript()
			e.leave()
			all, err := fs.Glob(templates.Console(), "html/*.html")
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range all {
				if name := strings.TrimSuffix(path.Base(file), ".html"); !e.seen[name] {
					t.Errorf("no browser has seen the page %s", name)
				}
			}
		})
	}
}

// browserTime bounds all that a test does in a browser, on a machine that has too much
// to do.
const browserTime = 35 * time.Minute

// look is how somebody sees a page.
type look struct {
	locale string
	width  int
	scheme string
}

func (l look) String() string { return fmt.Sprintf("%s-%d-%s", l.locale, l.width, l.scheme) }

// eye is somebody at a browser who judges what is shown.
type eye struct {
	*testenv.Browser
	look
	t    *testing.T
	w    *world
	url  string
	seen map[string]bool // by template
}

// open goes to a page of the console; business goes on meanwhile.
func (e *eye) open(path string) {
	e.t.Helper()
	e.w.clock.Advance(2 * time.Second)
	e.Open(e.url + path)
}

// see judges the page that is shown: by axe-core, at 320 pixels, and by tables that
// would have to be pushed aside to be read.
func (e *eye) see(name string) {
	e.t.Helper()
	name += "-" + e.look.String()
	e.Accessible(name)
	if wide := e.Eval(`[...document.querySelectorAll(".scroll")].filter(s => s.scrollWidth > s.clientWidth + 1).map(s => s.getAttribute("aria-label")).join()`); wide != "" {
		e.t.Errorf("%s: tables wider than the page: %s", name, wide)
	}
	e.Shot(name)
	e.Size(320, e.scheme)
	e.Fits(name + " at 320")
	e.Size(e.width, e.scheme)
	e.seen[e.Eval(`document.querySelector("[data-page]").dataset.page`)] = true
}

// visit opens and judges.
func (e *eye) visit(name, path string) {
	e.t.Helper()
	e.open(path)
	e.see(name)
}

// speak chooses the language.
func (e *eye) speak() {
	e.t.Helper()
	if e.Eval(`document.querySelector("footer .language button").value`) == e.locale {
		e.Press("footer .language button")
	}
}

// marked are the files of the console with the name of its template in each page.
type marked struct{ fs.FS }

func (m marked) Open(name string) (fs.File, error) {
	data, err := fs.ReadFile(m.FS, name)
	if dir, file := path.Split(name); err == nil && dir == "html/" {
		mark := fmt.Sprintf(`{{define "main"}}<template data-page="%s"></template>`, strings.TrimSuffix(file, ".html"))
		return &markedFile{bytes.NewReader(bytes.Replace(data, []byte(`{{define "main"}}`), []byte(mark), 1)), m.FS, name}, nil
	}
	return m.FS.Open(name)
}

type markedFile struct {
	*bytes.Reader
	files fs.FS
	name  string
}

func (f *markedFile) Stat() (fs.FileInfo, error) { return fs.Stat(f.files, f.name) }
func (f *markedFile) Close() error               { return nil }

// emptyHouse is a console on its first day: the setup, and every place without
// anything in it.
func (e *eye) emptyHouse() {
	e.t.Helper()
	e.w = newWorld(e.t, func(c *console.Config) { c.Locale = e.locale })
	e.url = e.w.server.URL
	setup, err := e.w.console.SetupPath(e.t.Context())
	e.w.must(err)
	e.open(setup)
	e.speak()
	e.visit("setup", setup)
	e.Type("#login", "ina")
	e.Type("#name", "Ina")
	e.Type("#password", password)
	e.Type("#again", "another one altogether")
	e.Press("main form button")
	e.see("setup-problems")
	e.Type("#password", password)
	e.Type("#again", password)
	e.Press("main form button")
	e.see("empty-users")
	e.visit("setup-over", setup)
	e.visit("code", "/account/code")
	e.w.user("ora", slices.DeleteFunc(console.Roles(), func(r console.Role) bool { return console.NeedsCode([]string{string(r)}) })...)
	e.Press(`form[action="/logout"] button`)
	e.logIn("ora")
	e.speak()
	for _, p := range []string{"/campaigns", "/cell", "/answers", "/queue", "/genuine", "/answer", "/pause", "/audit"} {
		e.visit("empty-"+strings.TrimPrefix(p, "/"), p)
	}
}

func (e *eye) logIn(login string) {
	e.t.Helper()
	e.open("/login")
	e.Type("#login", login)
	e.Type("#password", password)
	e.Press("main form button")
}

// company is a house whose people come by way of a provider, with something on every
// page. Its page between the two goes on by itself; here it waits.
func (e *eye) company() {
	e.t.Helper()
	var c *company
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.console.ServeHTTP(&waiting{ResponseWriter: w}, r) }))
	e.t.Cleanup(front.Close)
	c = newCompany(e.t, func(o *openid.Config, _ *console.GroupRoles) { o.Redirect = front.URL + console.CompanyBack })
	e.w, e.url = c.world, front.URL
	c.provider.Person(person("1", "Lea.Martin", "agents"))
	e.open("/login")
	e.speak()
	e.visit("login", "/login")
	e.open("/login/company?next=/account")
	e.see("login-company")
	e.Press("main a.button")
	e.see("account-company")
	e.Press(`form[action="/logout"] button`)
	e.see("logged-out")
	e.logIn("nobody")
	e.see("login-problems")
	e.w.user("ana", console.Roles()...)
	e.logIn("ana")
	e.see("login-code")
	e.Type("#code", e.w.code("ana"))
	e.Press("main form button")
	e.speak()
}

// waiting drops what would send a browser on before anybody has looked.
type waiting struct{ http.ResponseWriter }

func (w *waiting) WriteHeader(status int) {
	w.Header().Del("Refresh")
	w.ResponseWriter.WriteHeader(status)
}

func (w *waiting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

const muguet = "/campaigns/muguet"

// addresses are the pages that can be opened by address, by a name for each.
func addresses() [][2]string {
	return [][2]string{
		{"campaigns", "/campaigns"}, {"campaign", muguet}, {"pause", "/pause"}, {"resume", muguet + "/resume"}, {"breaker", muguet + "/breakers/relay"}, {"cancel", muguet + "/cancel"},
		{"pacing", muguet + "/pacing"}, {"pacing-provider", muguet + "/pacing/orange"}, {"doubts", muguet + "/doubts"}, {"customers", muguet + "/customers"}, {"launch", muguet + "/launch"},
		{"planned", muguet + "/planned"}, {"version", muguet + "/version/1"}, {"run", muguet + "/runs/R000001"}, {"deposit", muguet + "/runs/R000001/deposit"},
		{"prepare", muguet + "/prepare"}, {"import", muguet + "/import"}, {"rehearsal", muguet + "/rehearsal"}, {"rehearse", muguet + "/rehearsal/start"}, {"rehearse-stop", muguet + "/rehearsal/stop"}, {"proofs", muguet + "/proofs"}, {"proof", muguet + "/proofs/7"}, {"proof-post", muguet + "/proofs/8"},
		{"approve", muguet + "/approve"}, {"embargo", muguet + "/embargo"}, {"new", "/new"}, {"new-example", "/new/example"}, {"users", "/users"}, {"user", "/users/zoe"}, {"tokens", "/tokens"},
		{"account", "/account"}, {"password", "/account/password"}, {"sure", "/sure?next=/account"},
		{"letters", muguet + "/letters"}, {"letter", muguet + "/letters/breach.fr.md"}, {"saved", muguet + "/letters/breach.fr.md/saved/1"}, {"language", muguet + "/language"},
		{"notices", muguet + "/notices?state=held&reason=vip"}, {"returns", muguet + "/returns"},
		{"audit", "/audit"}, {"trace", "/audit/customer"}, {"audit-campaign", muguet + "/audit"}, {"not-found", "/nowhere"},
		{"cell", "/cell"}, {"cell-answer", "/cell/calls/1"}, {"cell-verify", "/cell/calls/2"}, {"cell-verify-other", "/cell/calls/3"}, {"cell-nobody", "/cell/calls/4"}, {"cell-many", "/cell/calls/5"}, {"cell-vip", "/cell/calls/6"},
		{"cell-letter", "/cell/calls/1/letters/7/1"}, {"cell-letter-post", "/cell/calls/1/letters/7/2"}, {"cell-copy", "/cell/calls/1/copy"}, {"cell-post", "/cell/calls/1/post"}, {"cell-compare", "/cell/calls/1/compare"},
		{"cell-correct", "/cell/calls/1/correct"}, {"cell-mark", "/cell/calls/1/mark"}, {"cell-pass", "/cell/calls/1/pass-on"}, {"queue", "/queue"}, {"queue-call", "/queue/calls/1"}, {"queue-correction", "/queue/corrections/1"},
		{"answers-home", "/answers"}, {"answers", muguet + "/answers?lang=fr"}, {"answer", muguet + "/answers/1"}, {"qa", muguet + "/qa"}, {"qa-new", muguet + "/qa/new?query=2"}, {"qa-starters", muguet + "/qa/starters"},
		{"qa-edit", muguet + "/qa/1/edit"}, {"qa-one", muguet + "/qa/1"}, {"qa-version", muguet + "/qa/1/versions/2"}, {"qa-review", muguet + "/qa/review"}, {"qa-withdraw", muguet + "/qa/1/withdraw"},
		{"qa-publish", muguet + "/qa/1/publish/3"}, {"ask", muguet + "/ask"}, {"queries", muguet + "/queries"}, {"query", muguet + "/queries/1"},
		{"counter", "/answer"}, {"genuine", "/genuine"}, {"forgeries", muguet + "/forgeries"}, {"floor", muguet + "/floor"},
	}
}

// pages are those with an address, and what follows from their forms.
func (e *eye) pages() {
	e.t.Helper()
	for _, p := range addresses() {
		e.visit(p[0], p[1])
	}
	e.open(muguet + "/check")
	e.Press("main form button")
	e.report(muguet + "/check")
	e.see("check")
	e.open(muguet + "/prepare")
	e.see("prepare-checked")
	e.open(muguet + "/returns")
	e.Type("#letters", reference(34))
	e.Press(`button[value="look"]`)
	e.see("returns-looked")
	e.open("/pause")
	e.Type("#reason", "asked by jean@orange.example")
	e.Press("main form button")
	e.see("pause-problems")
	e.visit("token-new", "/tokens/new")
	e.Type("#name", "crm")
	e.Click("#scope")
	e.Type("#reason", "the new system")
	e.Press("main form button")
	e.see("token-made")
	e.visit("user-new", "/users/new")
	e.Type("#login", "neo")
	e.Type("#name", "Neo")
	e.Click("#role")
	e.Press("main form button")
	e.see("user-password")
}

// report opens a page until its job has ended.
func (e *eye) report(path string) {
	e.t.Helper()
	for end := time.Now().Add(time.Minute); e.Eval(`document.querySelectorAll("[data-wait]").length`) != "0"; e.open(path) {
		if time.Now().After(end) {
			e.t.Fatalf("%s still runs", path)
		}
	}
}

// leave logs out.
func (e *eye) leave() {
	e.t.Helper()
	e.Press(`form[action="/logout"] button`)
	e.see("login-after")
}
