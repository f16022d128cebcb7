package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestPagesInABrowser shows every kind of page in both languages, wide and narrow,
// light and dark, and lets axe-core judge each.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c := testenv.Chrome(t, 4*time.Minute)
	w.user("ana", console.Roles()...)
	open := func(path string) {
		t.Helper()
		w.clock.Advance(2 * time.Second)
		c.Open(w.server.URL + path)
	}
	c.Size(1280, "light")
	open("/login")
	c.Accessible("login")
	c.Shot("login")
	c.Type("#login", "ana")
	c.Type("#password", password)
	c.Press("main form button")
	c.Shot("login-code")
	c.Type("#code", w.code("ana"))
	c.Press("main form button")
	pages := [][2]string{
		{"campaigns", "/campaigns"}, {"campaign", "/campaigns/muguet"}, {"pause", "/pause"}, {"resume", "/campaigns/muguet/resume"}, {"breaker", "/campaigns/muguet/breakers/relay"},
		{"pacing", "/campaigns/muguet/pacing"}, {"doubts", "/campaigns/muguet/doubts"}, {"customers", "/campaigns/muguet/customers"}, {"launch", "/campaigns/muguet/launch"},
		{"planned", "/campaigns/muguet/planned"}, {"version", "/campaigns/muguet/version/1"}, {"run", "/campaigns/muguet/runs/R000001"}, {"deposit", "/campaigns/muguet/runs/R000001/deposit"},
		{"prepare", "/campaigns/muguet/prepare"}, {"import", "/campaigns/muguet/import"}, {"check", "/campaigns/muguet/check"}, {"proofs", "/campaigns/muguet/proofs"}, {"proof", "/campaigns/muguet/proofs/7"},
		{"approve", "/campaigns/muguet/approve"}, {"embargo", "/campaigns/muguet/embargo"}, {"new", "/new"}, {"users", "/users"}, {"user", "/users/zoe"}, {"user-new", "/users/new"}, {"tokens", "/tokens"}, {"token-new", "/tokens/new"}, {"account", "/account"}, {"password", "/account/password"},
		{"letters", "/campaigns/muguet/letters"}, {"letter", "/campaigns/muguet/letters/breach.fr.md"}, {"saved", "/campaigns/muguet/letters/breach.fr.md/saved/1"},
		{"notices", "/campaigns/muguet/notices?state=held&reason=vip"}, {"returns", "/campaigns/muguet/returns"},
		{"audit", "/audit"}, {"not-found", "/nowhere"},
		{"cell", "/cell"}, {"cell-answer", "/cell/calls/1"}, {"cell-verify", "/cell/calls/2"}, {"cell-verify-other", "/cell/calls/3"}, {"cell-nobody", "/cell/calls/4"}, {"cell-many", "/cell/calls/5"}, {"cell-vip", "/cell/calls/6"},
		{"cell-letter", "/cell/calls/1/letters/7/1"}, {"cell-letter-post", "/cell/calls/1/letters/7/2"}, {"cell-copy", "/cell/calls/1/copy"}, {"cell-post", "/cell/calls/1/post"}, {"cell-compare", "/cell/calls/1/compare"},
		{"cell-correct", "/cell/calls/1/correct"}, {"cell-mark", "/cell/calls/1/mark"}, {"cell-pass", "/cell/calls/1/pass-on"}, {"queue", "/queue"}, {"queue-call", "/queue/calls/1"}, {"queue-correction", "/queue/corrections/1"},
	}
	for _, look := range []struct {
		locale string
		width  int
		scheme string
	}{{"fr", 1280, "light"}, {"en", 390, "light"}, {"fr", 390, "dark"}, {"en", 1280, "dark"}} {
		c.Size(look.width, look.scheme)
		open("/account")
		if c.Eval(`document.querySelector("footer .language button").value`) == look.locale {
			c.Press("footer .language button")
		}
		for _, p := range pages {
			name := fmt.Sprintf("%s-%s-%d-%s", p[0], look.locale, look.width, look.scheme)
			open(p[1])
			c.Accessible(name)
			c.Shot(name)
		}
	}
}
