package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestReportsAddUp: what an import and a check say adds up to a figure that the page
// shows, and what is held by a flag is among it.
func TestReportsAddUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.campaign("muguet", pipeline.Draft)
	w.user("ona", console.Operator)
	b := w.as("ona")
	if a := b.post("/campaigns/muguet/check"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	if a := b.upload("/campaigns/muguet/import", "impact", "x"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	settled := func(path string) string {
		for range 500 {
			if a := b.get(path); !strings.Contains(a.body, "This is under way") {
				return a.body
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal(path + " does not end")
		return ""
	}
	for path, words := range map[string][]string{
		"/campaigns/muguet/check": {
			"due</th><td>10", "held</th><td>2", "unreachable</th><td>1", "excluded</th><td>1", "Notices</th><td>14",
			"13 of them are the customers to inform.", "1 paper copy goes beside an e-mail", "No letter was written for whoever", "Held because of a decision, a flag or a format",
		},
		"/campaigns/muguet/import": {
			"due</th><td>9", "held</th><td>2", "unreachable</th><td>1", "opulation</th><td>12", "1 of the impact list is in no directory", "2 paper copies go beside e-mails", "Ignored on purpose: optin&lt;b&gt;",
		},
	} {
		body := settled(path)
		for _, want := range words {
			if !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
				t.Errorf("%s: no %q", path, want)
			}
		}
	}
}
