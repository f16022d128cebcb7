package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
)

func TestSetupOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, err := w.console.SetupPath(t.Context())
	w.must(err)
	path, err := w.console.SetupPath(t.Context())
	w.must(err)
	b := w.browser()
	if a := b.get(old); a.status != http.StatusNotFound {
		t.Errorf("a link that another replaced: %d", a.status)
	}
	if a := b.get(path); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	if a := b.post(path, "login", "ana", "name", "Ana", "password", "short", "again", "short"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "At least 12 characters") {
		t.Errorf("a short password: %d", a.status)
	}
	a := b.post(path, "login", "ana", "name", "Ana", "password", password, "again", password)
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a = b.get("/users"); a.status != http.StatusOK {
		t.Errorf("logged in after the setup: %d", a.status)
	}
	if a = w.browser().get(path); a.status != http.StatusNotFound {
		t.Errorf("the link again: %d", a.status)
	}
	if path, err = w.console.SetupPath(t.Context()); err != nil || path != "" {
		t.Errorf("a link once there is an account: %q, %v", path, err)
	}
}

func TestSetupLinkEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path, err := w.console.SetupPath(t.Context())
	w.must(err)
	w.clock.Advance(25 * time.Hour)
	if a := w.browser().get(path); a.status != http.StatusNotFound {
		t.Errorf("%d", a.status)
	}
}

func TestLoginAndOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Operator)
	b := w.browser()
	if a := b.get("/campaigns"); a.status != http.StatusSeeOther || a.to != "/login?next=%2Fcampaigns" {
		t.Fatalf("%d %s", a.status, a.to)
	}
	if a := b.post("/login", "login", "ana", "password", "wrong"); a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, "wrong") && strings.Contains(a.body, `value="wrong"`) {
		t.Errorf("%d", a.status)
	}
	a := b.post("/login", "login", " Ana ", "password", password, "next", "/campaigns")
	if a.status != http.StatusSeeOther || a.to != "/campaigns" {
		t.Fatalf("%d %s", a.status, a.to)
	}
	token := b.session()
	if a := b.get("/campaigns"); a.status != http.StatusOK {
		t.Fatalf("%d", a.status)
	}
	if a := b.post("/logout"); a.status != http.StatusSeeOther {
		t.Fatalf("%d", a.status)
	}
	thief := w.browser()
	r, _ := http.NewRequest(http.MethodGet, w.server.URL+"/campaigns", nil)
	r.AddCookie(&http.Cookie{Name: "art34-session", Value: token})
	if a := thief.send(r); a.status != http.StatusSeeOther {
		t.Errorf("a token after the logout: %d", a.status)
	}
}
