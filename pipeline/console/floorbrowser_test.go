package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestFloorInABrowser shows the pages of the floor in both languages, wide and
// narrow, light and dark, and lets axe-core judge each; then it asks, answers and
// compares without JavaScript.
func TestFloorInABrowser(t *testing.T) {
	t.Parallel()
	for _, look := range []look{{"fr", 1280, "light"}, {"en", 390, "light"}, {"fr", 390, "dark"}, {"en", 1280, "dark"}} {
		t.Run(fmt.Sprintf("%s %d %s", look.locale, look.width, look.scheme), func(t *testing.T) {
			t.Parallel()
			lookAtFloor(t, look)
		})
	}
}

// look is how somebody sees a page.
type look struct {
	locale string
	width  int
	scheme string
}

func lookAtFloor(t *testing.T, look look) {
	w := furnished(t)
	c := testenv.Chrome(t, 8*time.Minute)
	w.user("ana", console.Roles()...)
	open := func(path string) {
		t.Helper()
		w.clock.Advance(2 * time.Second)
		c.Open(w.server.URL + path)
	}
	c.Size(look.width, look.scheme)
	open("/login")
	c.Type("#login", "ana")
	c.Type("#password", password)
	c.Press("main form button")
	c.Type("#code", w.code("ana"))
	c.Press("main form button")
	pages := [][2]string{
		{"answers", "/campaigns/muguet/answers?lang=fr"}, {"answer", "/campaigns/muguet/answers/1"}, {"qa", "/campaigns/muguet/qa"}, {"qa-new", "/campaigns/muguet/qa/new?query=2"},
		{"qa-edit", "/campaigns/muguet/qa/1/edit"}, {"qa-one", "/campaigns/muguet/qa/1"}, {"qa-version", "/campaigns/muguet/qa/1/versions/2"}, {"qa-review", "/campaigns/muguet/qa/review"},
		{"qa-publish", "/campaigns/muguet/qa/1/publish/3"}, {"ask", "/campaigns/muguet/ask"}, {"queries", "/campaigns/muguet/queries"}, {"query", "/campaigns/muguet/queries/1"},
		{"counter", "/answer"}, {"genuine", "/genuine"}, {"forgeries", "/campaigns/muguet/forgeries"}, {"floor", "/campaigns/muguet/floor"},
	}
	open("/account")
	if c.Eval(`document.querySelector("footer .language button").value`) == look.locale {
		c.Press("footer .language button")
	}
	see := func(name string) {
		t.Helper()
		name = fmt.Sprintf("floor-%s-%s-%d-%s", name, look.locale, look.width, look.scheme)
		c.Accessible(name)
		c.Shot(name)
	}
	for _, p := range pages {
		open(p[1])
		see(p[0])
	}
	// Without JavaScript; only axe-core needs it, once the page is there.
	unscripted := func(name string) {
		t.Helper()
		c.Script(true)
		see(name)
		c.Script(false)
	}
	c.Script(false)
	open("/campaigns/muguet/answers?lang=fr")
	c.Type("#q", "bancaires")
	c.Press("main form button")
	unscripted("found")
	open("/answer")
	c.Type("#reference", refSent.String())
	c.Press("main form button")
	unscripted("spoken")
	open("/genuine")
	c.Click("#way-sms")
	c.Type("#reference", refSent.String())
	c.Type("#sentence", "Des données qui vous concernent ont été exposées.")
	c.Type("#phones", "08 99 00 00 00")
	c.Press("main form button")
	unscripted("foreign")
	open("/genuine")
	c.Type("#sentence", "Deux mots.")
	c.Press("main form button")
	unscripted("genuine-problems")
}
