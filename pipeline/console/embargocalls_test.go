package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
)

// TestEmbargoTakesNoLonger: of a campaign under embargo and of one that there never
// was, the console asks the ledger the same, on every page and in the interface for
// programs. So nobody can tell them apart by the time an answer takes.
func TestEmbargoTakesNoLonger(t *testing.T) {
	t.Parallel()
	asked := &overheard{}
	w := furnished(t, func(c *console.Config) { c.Ledger = overheardLedger{c.Ledger, asked} })
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.user("all", console.Roles()...)
	w.user("ann", console.Operator)
	p := w.token("all", console.Scopes()...)
	p.person = "all"
	w.embargo(c, t0.Add(48*time.Hour), "ann")
	b, since := w.as("all"), w.clock.Now()
	// A login and a token are touched once a minute, whatever they are used for.
	of := func(deed func()) []string {
		return slices.DeleteFunc(asked.of(deed), func(m string) bool { return m == "TouchSession" || m == "TouchToken" })
	}
	same := func(what string, ask func(campaign string) int) {
		t.Helper()
		var status [2]int
		hidden := of(func() { status[0] = ask("muguet") })
		never := of(func() { status[1] = ask("absent") })
		if !slices.Equal(hidden, never) || status[0] != status[1] || len(hidden) == 0 {
			t.Errorf("%s: %d %v, of a campaign that never was %d %v", what, status[0], hidden, status[1], never)
		}
	}
	pages, endpoints := 0, 0
	for _, rt := range w.console.Table() {
		if !strings.Contains(rt.Pattern, "{name}") {
			continue
		}
		if rt.Sure || w.clock.Now().Sub(since) > 5*time.Minute {
			if a := b.post("/sure", "code", w.code("all"), "next", "/account"); a.status != http.StatusSeeOther {
				t.Fatalf("%d", a.status)
			}
			since = w.clock.Now()
		}
		pages++
		same(rt.Pattern, func(campaign string) int {
			return b.attempt(strings.Replace(rt.Pattern, "{name}", campaign, 1), rt.Upload, true).status
		})
	}
	same("pause", func(campaign string) int { return b.post("/pause", "campaign", campaign, "reason", "x").status })
	doc, _ := w.documented()
	for _, e := range w.console.Endpoints() {
		if !strings.Contains(e.Path, "{name}") {
			continue
		}
		endpoints++
		same(e.Method+" "+e.Path, func(campaign string) int {
			return p.call(e.Method, fill(strings.Replace(e.Path, "{name}", campaign, 1)), requestExample(doc, e)).status
		})
	}
	if pages < 30 || endpoints < 10 {
		t.Errorf("%d pages and %d endpoints are about a campaign", pages, endpoints)
	}
}
