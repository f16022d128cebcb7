package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/console"
)

// TestLanguagePage: a language is added by who writes, with the phrases that they
// translated; what they wrote is kept where something is wrong.
func TestLanguagePage(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("wil", console.Operator)
	b := w.as("wil")
	const path = "/campaigns/muguet/language"
	a := b.get(path + "?from=en")
	if a.status != http.StatusOK || !strings.Contains(a.body, `lang="en"`) || strings.Contains(a.body, "<b> est") || !strings.Contains(a.body, "&lt;b&gt; est") {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, form := range [][]string{
		{"from", "fr", "locale", "", "incident.facts", "Etwas", "reason", "x"},
		{"from", "fr", "locale", "fr", "incident.facts", "Etwas", "reason", "x"},
		{"from", "fr", "locale", "de", "incident.facts", "Etwas", "reason", ""},
	} {
		if a := b.post(path, form...); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, ">Etwas</textarea>") || w.desk.count() != 0 {
			t.Errorf("%v: %d %s", form, a.status, a.body)
		}
	}
	if a := b.post(path, "from", "nonsense", "locale", "NL_be", "incident.facts", "Een\r\n\r\ntwee\r\n", "incident.other", "x", "reason", "customers in Dutch"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got, want := w.desk.last(), "user:wil | language | muguet | nl-be | fr | map[incident.facts:Een\n\ntwee] | customers in Dutch"; got != want {
		t.Errorf("%q", got)
	}
}

// TestLanguageOfANewAccount: who makes an account chooses the language of its pages;
// an unknown one is their own.
func TestLanguageOfANewAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("adm", console.Admin)
	b := w.as("adm")
	if page := b.get("/users/new").body; !strings.Contains(page, `<option value="en" selected`) {
		t.Error("the language of who makes it is not proposed")
	}
	for login, want := range map[string]string{"fran": "fr", "unse": "xx"} {
		b.post("/users/new", "login", login, "name", "New", "role", "viewer", "locale", want)
		u, err := w.ledger.User(t.Context(), login)
		w.must(err)
		if want == "xx" {
			want = "en"
		}
		if u.Locale != want {
			t.Errorf("%s has %q, not %q", login, u.Locale, want)
		}
	}
}
