package console_test

import (
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestWhatWasTypedComesBack: a long text is not lost because a login has ended, was
// begun anew in another tab, or was ended by an administrator; what is secret and what
// is markup stays out of the page.
func TestWhatWasTypedComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("olga", console.Operator)
	w.campaign("muguet", pipeline.Draft)
	const path = "/campaigns/muguet/letters/fr%2Fbreach.md"
	text := "\nBonjour,\n\n" + strings.Repeat("Une phrase qui a coûté une heure. ", 20) + "\n</textarea><script>alert(1)</script>\n"
	send := func(b *browser, token string) answer {
		return b.post(path, "token", token, "text", text, "reason", "short", "password", strings.Repeat("geheim", 40), "note", strings.Repeat("x", 119))
	}
	whole := func(t *testing.T, a answer, title string) {
		t.Helper()
		if a.status != http.StatusForbidden || !strings.Contains(a.body, "<h1>"+title+"</h1>") {
			t.Fatalf("%d\n%s", a.status, a.body)
		}
		_, rest, _ := strings.Cut(a.body, "<textarea")
		_, rest, _ = strings.Cut(rest, ">\n")
		got, _, _ := strings.Cut(rest, "</textarea>")
		if html.UnescapeString(got) != text {
			t.Errorf("what came back is %q", got)
		}
		for _, none := range []string{"<script>alert", "geheim", strings.Repeat("x", 119)} {
			if strings.Contains(a.body, none) {
				t.Errorf("the page holds %q", none)
			}
		}
	}

	old := w.as("olga")
	token := old.token("/account")
	w.clock.Advance(2 * time.Hour)
	whole(t, send(old, token), "You are signed out")

	again := w.as("olga")
	whole(t, send(again, token), "This page was too old")

	if a := w.browser().post(path, "token", token, "text", "short"); a.status != http.StatusSeeOther || a.to != "/login" {
		t.Errorf("what is short goes to the login: %d %s", a.status, a.to)
	}
}
