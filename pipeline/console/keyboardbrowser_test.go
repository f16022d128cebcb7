package console_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// atTheKeys is somebody with every role who has logged in without a mouse.
func atTheKeys(t *testing.T) *eye {
	t.Helper()
	w := furnished(t)
	w.user("ana", console.Roles()...)
	e := &eye{Browser: testenv.Chrome(t, browserTime), look: look{"en", 1280, "light"}, t: t, w: w, url: w.server.URL}
	e.Size(e.width, e.scheme)
	e.open("/login")
	e.Key("ana\t" + password)
	e.KeyTo("\r")
	e.KeyTo(w.code("ana") + "\r")
	return e
}

// focus is what has it, once the page was drawn: a busy browser sets the cursor no
// sooner.
func (e *eye) focus() string {
	e.t.Helper()
	return e.Eval(`new Promise(done => requestAnimationFrame(() => setTimeout(done))).then(() => document.activeElement).then(a => a.id ? "#" + a.id : a.className ? "." + a.className : a.tagName)`)
}

// TestKeyboardInABrowser: on every page the first key skips to the content, and one
// key leads to the pause of the campaign that the page is about, where a reason and
// Enter are enough.
func TestKeyboardInABrowser(t *testing.T) {
	t.Parallel()
	e := atTheKeys(t)
	begins := map[string]string{"/pause": "#reason", "/cell": "#key", "/answer": "#reference", "/sure?next=/account": "#code"}
	for _, p := range addresses() {
		e.open(p[1])
		if want, is := begins[p[1]], e.focus(); want != "" || is != "BODY" {
			if want != "" && is != want || e.Eval(`document.activeElement.autofocus`) != "true" {
				t.Errorf("%s: the cursor begins at %s", p[1], is)
			}
		} else {
			e.Key("\t")
			if is := e.focus(); is != ".skip" {
				t.Errorf("%s: the first key leads to %s", p[1], is)
			}
			if e.Eval(`document.activeElement.getBoundingClientRect().left >= 0`) != "true" {
				t.Errorf("%s: nobody sees the link that skips", p[1])
			}
			e.Key("\r")
			if is := e.focus(); is != "#main" {
				t.Errorf("%s: the skip leads to %s", p[1], is)
			}
		}
		e.AltTo("p")
		if where, is := e.Eval("location.pathname"), e.focus(); where != "/pause" || is != "#reason" {
			t.Errorf("%s: Alt+P leads to %s, %s", p[1], where, is)
		}
		if strings.HasPrefix(p[1], muguet) && e.Eval(`document.querySelector("input[name=campaign]:checked").value`) != "muguet" {
			t.Errorf("%s: the pause suggests another campaign", p[1])
		}
	}
	e.open("/campaigns/pivoine")
	e.AltTo("p")
	e.KeyTo("the hours are wrong\r")
	if last := e.w.desk.last(); last != "user:ana | pause | pivoine | the hours are wrong" {
		t.Errorf("done: %s", last)
	}
}

// TestCellByKeys: a key of the caller, Enter, and every stop after it can be seen.
func TestCellByKeys(t *testing.T) {
	t.Parallel()
	e := atTheKeys(t)
	e.open("/cell")
	e.KeyTo("C0001234\r")
	if where := e.Eval("location.pathname"); !strings.HasPrefix(where, "/cell/calls/") {
		t.Fatalf("Enter leads to %s", where)
	}
	e.open("/cell")
	e.KeyTo(" x \r")
	for _, path := range []string{"/cell/calls/1", muguet, "/users/zoe", muguet + "/qa/1/edit"} {
		e.open(path)
		stops := map[string]int{}
		for range 90 {
			e.Key("\t")
			at := e.Eval(`(a => { const s = getComputedStyle(a), r = a.getBoundingClientRect();
				return a === document.body ? "" : [a.outerHTML.slice(0, 60), a.matches(":focus-visible") && s.outlineStyle === "solid" && parseFloat(s.outlineWidth) >= 2 && r.width > 0 && r.bottom > 0 && r.top < innerHeight].join("\n") })(document.activeElement)`)
			if at == "" || stops[at] > 3 {
				break
			}
			stops[at]++
			if strings.HasSuffix(at, "false") {
				t.Errorf("%s: nobody sees the focus on %s", path, at)
			}
		}
		if want := e.Eval(`[...document.querySelectorAll("a[href], button, textarea, select, summary, input:not([type=hidden])")].filter(x => x.checkVisibility()).length`); len(stops) < 10 {
			t.Errorf("%s: %d stops of %s", path, len(stops), want)
		}
	}
}

// TestOnPaper: what was said and done is printed, answers that are closed on the page
// too; what is to be pressed is not.
func TestOnPaper(t *testing.T) {
	t.Parallel()
	pdftotext := testenv.Binary(t, "pdftotext")
	e := atTheKeys(t)
	for _, p := range []struct {
		name, path string
		want       []string
	}{
		{"audit", "/audit", []string{"Audit trail", "user-add", "zoe roles viewer"}},
		{"answers", muguet + "/answers?lang=fr", []string{"Mes coordonnées bancaires sont-elles concernées", "Surveillez vos comptes."}},
		{"qa-one", muguet + "/qa/1", []string{"History", "Version 2 published"}},
		{"qa-review", muguet + "/qa/review", []string{"Qui l'a fait ?", "BROUILLON"}},
		{"floor", muguet + "/floor", []string{"Calls by day", "37.5"}},
		{"campaign", muguet, []string{"Where everybody stands", "412,034", "retour.example: proven"}},
	} {
		e.open(p.path)
		out, err := exec.Command(pdftotext, "-layout", e.Print("paper-"+p.name), "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(string(out)), " ")
		for _, want := range p.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the paper does not say %q:\n%s", p.name, want, text)
			}
		}
		for _, not := range []string{"Log out", "Alt+P", "Skip to", "Why?", "I gave this answer", "All figures as CSV"} {
			if strings.Contains(text, not) {
				t.Errorf("%s: the paper says %q", p.name, not)
			}
		}
	}
}
