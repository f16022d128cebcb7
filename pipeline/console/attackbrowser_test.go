package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// probe is a browser that knows when markup of an attacker has done something.
type probe struct {
	*testenv.Browser
	t       testing.TB
	evil    *httptest.Server // what nothing of ours may call
	hits    atomic.Int64
	dialogs func() []string
}

func newProbe(t testing.TB) *probe {
	p := &probe{Browser: testenv.Chrome(t, browserTime), t: t}
	p.evil = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { p.hits.Add(1) }))
	t.Cleanup(p.evil.Close)
	p.dialogs = p.Watch(`addEventListener("securitypolicyviolation", e => (window.violations ||= []).push(e.violatedDirective + " " + e.blockedURI + " " + e.sample))`)
	return p
}

// marks are what an attacker writes, by a name for each: out of text, attributes,
// comments, titles, scripts and styles; as a template; as a link; turned around.
func (p *probe) marks() map[string]string {
	at := strings.TrimPrefix(p.evil.URL, "http:")
	return map[string]string{
		"markup":    `"'><x-evil></x-evil><script>top.evil=1;alert(1)</script><img src=` + at + `/i onerror=top.evil=1><svg onload=top.evil=1>`,
		"ends":      `--></title></textarea></style></script></select><x-evil></x-evil><iframe src=` + at + `/f srcdoc="<script>top.evil=1</script>"></iframe>`,
		"attribute": "` onmouseover=top.evil=1 autofocus onfocus=top.evil=1 style=background:url(" + at + "/s) x='\" onfocus=\"top.evil=1\" autofocus x=\"",
		"template":  "{{7191*7}}{{html \"<x-evil>\"}}${7191*7}<%= 7191*7 %>\r\rdata: <x-evil></x-evil>\revent: over\rdata: .\r\r&lt;x-evil&gt;",
		"turned":    "\u202e\u2066<x-evil>\u2028\u0000\ufeff</x-evil>} *{background:url(" + at + "/s)} @import '" + at + "/c';",
		"link":      "javascript:top.evil=1//",
		"data":      "data:text/html,<script>top.evil=1;alert(1)</script>",
		"host":      at + "/l",
		"slash":     `\\` + strings.TrimPrefix(at, "//") + `/l`,
	}
}

// found is what the markup of an attacker has done to the page that is shown.
func (p *probe) found() string {
	p.t.Helper()
	text := p.Eval(`JSON.stringify([
		...(window.evil ? ["a script ran"] : []),
		...(window.violations || []),
		...[...document.querySelectorAll("x-evil, main script, main style, [onerror], [onload], [onfocus], [onmouseover], main [style]")].map(e => "an element: " + e.outerHTML.slice(0, 200)),
		...[...document.querySelectorAll("[href], [src], [action], [formaction], [data]")].flatMap(e => ["href", "src", "action", "formaction", "data"].filter(a => e.hasAttribute(a)).map(a => [e, new URL(e.getAttribute(a), location.href)]))
			.filter(([e, u]) => u.origin !== location.origin && !(u.protocol === "otpauth:") && !(e.localName === "link" && u.protocol === "data:")).map(([e, u]) => "a link: " + e.outerHTML.slice(0, 200)),
		...(document.documentElement.innerText.includes(7191 * 7) ? ["a template ran"] : []),
	])`)
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		p.t.Fatalf("%v: %s", err, text)
	}
	if n := p.hits.Load(); n > 0 {
		list = append(list, fmt.Sprintf("%d calls for another host", n))
	}
	for _, d := range p.dialogs() {
		list = append(list, "a dialog: "+d)
	}
	return strings.Join(list, "\n")
}

// TestProbe: the probe sees what an unguarded page would let happen.
func TestProbe(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/strict" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
		}
		fmt.Fprintf(w, "<!doctype html><title>x</title><main><p>%s</p><a href=\"%s\">x</a> %d</main>", p.marks()["markup"], p.marks()["link"], 7191*7)
	}))
	t.Cleanup(open.Close)
	p.Open(open.URL + "/strict")
	// A page tells of violations, and asks for pictures, in its own time.
	sees := func(list ...string) {
		t.Helper()
		for _, want := range list {
			got := p.found()
			for end := time.Now().Add(time.Minute); !strings.Contains(got, want) && time.Now().Before(end); got = p.found() {
				time.Sleep(10 * time.Millisecond)
			}
			if !strings.Contains(got, want) {
				t.Errorf("the probe does not see %q:\n%s", want, got)
			}
		}
	}
	sees("script-src-elem", "img-src", "an element: <x-evil>", "a link: ", "a template ran")
	if got := p.found(); strings.Contains(got, "dialog") || strings.Contains(got, "another host") || strings.Contains(got, "a script ran") {
		t.Errorf("a strict policy lets through: %s", got)
	}
	p.Open(open.URL)
	sees("a script ran", "a dialog: 1", "calls for another host")
}

// TestMarkupOfStrangersInABrowser: whatever stands in names, notes, letters, questions,
// reasons, file names and answers of mail servers, no page runs it, calls for another
// host, or needs its content policy to keep it from that.
func TestMarkupOfStrangersInABrowser(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		whole, forms bool
		marks        []string
	}{
		"markup": {false, true, []string{"markup", "attribute", "ends"}},
		"turned": {false, false, []string{"turned", "template"}},
		"links":  {true, false, []string{"link", "data", "host", "slash"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, s := newProbe(t), &spoiler{whole: x.whole}
			var marks []string
			for _, m := range x.marks {
				marks = append(marks, p.marks()[m])
			}
			if !x.whole {
				marks = []string{strings.Join(marks, "")}
			}
			p.attack(s, marks, x.forms)
		})
	}
}

// attack spoils a furnished house with marks and looks at every page of it; with forms
// it sends each form of them too, with marks in all fields.
func (p *probe) attack(s *spoiler, marks []string, forms bool) {
	p.t.Helper()
	w := furnished(p.t, s.all)
	w.user("ana", console.Roles()...)
	c, err := w.ledger.Campaign(p.t.Context(), "muguet")
	w.must(err)
	w.sealMarks(c, strings.Join(marks, " "))
	e := &eye{Browser: p.Browser, t: p.t.(*testing.T), w: w, url: w.server.URL}
	e.logIn("ana")
	e.Type("#code", w.code("ana"))
	e.Press("main form button")
	s.begin(marks)
	look := func(where string) {
		p.t.Helper()
		if got := p.found(); got != "" {
			p.t.Errorf("%s:\n%s", where, got)
		}
		if code := e.Eval(`performance.getEntriesByType("navigation")[0].responseStatus`); code >= "5" {
			p.t.Errorf("%s: %s", where, code)
		}
	}
	sure, marked := w.clock.Now(), 0
	for _, a := range addresses() {
		if w.clock.Now().Sub(sure) > 5*time.Minute {
			sure = w.clock.Now()
			e.open("/sure?next=/account")
			e.Type("#code", w.code("ana"))
			e.Press("main form button")
		}
		e.open(a[1])
		look(a[0])
		if e.Eval(`/evil|7191|127\.0\.0\.1:/.test(document.documentElement.outerHTML)`) == "true" {
			marked++
		}
		if !forms {
			continue
		}
		n, err := strconv.Atoi(e.Eval(`document.querySelectorAll("main form").length`))
		w.must(err)
		for i := range n {
			if i > 0 {
				e.open(a[1])
			}
			if e.Eval(fillIn(i, marks[0])) == "true" {
				w.clock.Advance(2 * time.Second)
				e.EvalTo(`filled.submit()`)
				look(fmt.Sprintf("%s, form %d", a[0], i))
			}
		}
	}
	if all := len(addresses()); marked < all*9/10 {
		p.t.Errorf("only %d of %d pages show a mark", marked, all)
	}
}

// fillIn writes a mark into every field of the form i of a page, files by their names
// too, and says whether there is such a form and a mark fits.
func fillIn(i int, mark string) string {
	text, _ := json.Marshal(mark)
	return fmt.Sprintf(`(() => {
		const form = document.querySelectorAll("main form")[%d], mark = %s;
		if (!form || form.action.endsWith("/logout")) return false;
		let some = false;
		for (const f of form.elements) {
			if (f.name === "token" || f.name === "once") continue;
			if (f.type === "file") {
				const files = new DataTransfer();
				files.items.add(new File(["customer_id\n" + mark], mark));
				f.files = files.files;
			} else if (f.type === "checkbox") f.checked = true;
			else if (f.localName === "textarea" || ["text", "search", "hidden", "password", "email", "tel", "url"].includes(f.type)) { f.type === "hidden" || (f.value = mark); }
			else continue;
			some = true;
		}
		window.filled = { submit: () => HTMLFormElement.prototype.submit.call(form) };
		return some;
	})()`, i, text)
}

// sealMarks writes a mark into what is kept sealed: questions of the cell, forgeries,
// notes and corrections of a call.
func (w *world) sealMarks(c pipeline.Campaign, mark string) {
	w.t.Helper()
	ctx := context.Background()
	keys, err := w.floor.Keys(c.ID)
	w.must(err)
	q := pipeline.Query{Campaign: c.ID, Locale: "fr", AskedBy: "user:agent-1", AskedAt: t0}
	q.Sealed = keys.Seal([]byte(mark), q.SealContext())
	_, err = w.ledger.AddQuery(ctx, q)
	w.must(err)
	f := pipeline.Forgery{Campaign: c.ID, Way: "sms", Verdict: "foreign", Print: []byte{9}, Actor: "user:agent-1", At: t0}
	text, err := json.Marshal(map[string]string{"Sentence": mark, "Links": mark, "Sender": mark})
	w.must(err)
	f.Sealed = keys.Seal(text, f.SealContext())
	_, err = w.ledger.AddForgery(ctx, f, pipeline.Audit{Campaign: c.ID, At: t0, Actor: "user:agent-1", Action: "forgery"})
	w.must(err)
	other, err := w.ledger.Campaign(ctx, "pivoine")
	w.must(err)
	k := w.console.Config.Cell
	who := console.Asker{Actor: "user:zoe", Roles: []string{"agent"}, Source: "console", Campaigns: []pipeline.Campaign{other}}
	w.must(k.Note(ctx, who, 1, mark))
	call, err := k.LookUp(ctx, who, console.LookUp{Key: "C0001234"})
	w.must(err)
	_, err = k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	w.must(k.Escalate(ctx, who, call.ID, "press", mark))
}
