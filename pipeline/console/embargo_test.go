package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

func (w *world) embargo(c pipeline.Campaign, until time.Time, members ...string) {
	w.t.Helper()
	e, err := w.accounts.Embargo(w.t.Context(), c.ID)
	w.must(err)
	e.Until = until
	e.Members, err = w.accounts.Members(w.t.Context(), members)
	w.must(err)
	_, err = w.accounts.SetEmbargo(w.t.Context(), "user:test", e, "not yet")
	w.must(err)
}

var (
	anyToken = regexp.MustCompile(`[0-9a-f]{64}|name="once" value="[^"]+"`)
	anyDate  = regexp.MustCompile(`(?m)^Date: .*$`)
)

// TestEmbargoHides walks every page of a campaign as somebody who may do everything
// and is no member: each answers as for a campaign that there never was.
func TestEmbargoHides(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.user("all", console.Roles()...)
	w.user("ann", console.Operator, console.Viewer)
	w.embargo(c, t0.Add(12*time.Hour), "ann")
	b := w.as("all")
	plain := func(a answer, name string) string {
		var head strings.Builder
		_ = a.header.Write(&head)
		s := anyDate.ReplaceAllString(head.String(), "") + a.to + a.body
		return anyToken.ReplaceAllString(strings.ReplaceAll(s, name, "NAME"), "TOKEN")
	}
	walked := 0
	since := w.clock.Now()
	for _, rt := range w.console.Table() {
		if !strings.Contains(rt.Pattern, "{name}") {
			continue
		}
		walked++
		if rt.Sure || w.clock.Now().Sub(since) > 5*time.Minute {
			if a := b.post("/sure", "code", w.code("all"), "next", "/account"); a.status != http.StatusSeeOther {
				t.Fatalf("%d", a.status)
			}
			since = w.clock.Now()
		}
		hidden := b.attempt(rt.Pattern, rt.Upload, true)
		never := b.attempt(strings.Replace(rt.Pattern, "{name}", "absent", 1), rt.Upload, true)
		if hidden.status != http.StatusNotFound || plain(hidden, "muguet") != plain(never, "absent") {
			t.Errorf("%s: %d, of a campaign that never was %d\n%s\n%s", rt.Pattern, hidden.status, never.status, plain(hidden, "muguet"), plain(never, "absent"))
		}
	}
	if walked < 30 {
		t.Errorf("only %d pages are about a campaign", walked)
	}
	for _, path := range []string{"/campaigns", "/pause", "/audit", "/users"} {
		if a := b.get(path); a.status != http.StatusOK || strings.Contains(a.body, "muguet") || strings.Contains(a.body, "MUGUET") {
			t.Errorf("%s: %d names the campaign", path, a.status)
		}
	}
	if a := b.post("/pause", "campaign", "muguet", "reason", "x"); a.status != http.StatusUnprocessableEntity || strings.Contains(w.desk.last(), "| pause |") {
		t.Errorf("paused by somebody who must not know of it: %d %s", a.status, w.desk.last())
	}

	// Its members see it, and what they do stands in its own trail alone.
	member := w.as("ann")
	for _, path := range []string{"/campaigns", "/campaigns/muguet", "/campaigns/muguet/proofs/7", "/campaigns/muguet/embargo"} {
		if a := member.get(path); a.status != http.StatusOK || !strings.Contains(a.body, "muguet") {
			t.Errorf("%s as a member: %d", path, a.status)
		}
	}
	for _, path := range []string{"/campaigns/muguet/notices/csv?state=held", "/campaigns/muguet/import/rejects/I000001-rejects.csv"} {
		if a := member.get(path); a.status != http.StatusOK {
			t.Errorf("%s as a member: %d", path, a.status)
		}
	}
	for a, err := range w.ledger.AuditTrail(t.Context(), 0) {
		w.must(err)
		if s := a.Action + a.Detail + a.Reason; strings.Contains(s, "muguet") || a.Action == "proof" {
			t.Errorf("the trail of the installation says %q", s)
		}
	}
	// When it has ended everybody sees it.
	w.clock.Advance(13 * time.Hour)
	if a := w.as("all").get("/campaigns/muguet"); a.status != http.StatusOK {
		t.Errorf("after the embargo: %d", a.status)
	}
}

func TestEmbargoIsChanged(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ann", console.Operator)
	w.user("bob", console.Operator)
	b := w.as("ann")
	until := t0.Add(100 * time.Hour).Local().Format("2006-01-02T15:04")
	set := func(pairs ...string) answer { return b.post("/campaigns/muguet/embargo", pairs...) }
	for name, pairs := range map[string][]string{
		"without a reason": {"until", until, "members", "ann"}, "without oneself": {"until", until, "members", "bob", "reason", "x"}, "without members": {"until", until, "reason", "x"},
		"with a stranger": {"until", until, "members", "ann\nnobody", "reason", "x"}, "with nonsense": {"until", "tomorrow", "members", "ann", "reason", "x"}, "with markup": {"until", until, "members", "ann <b>", "reason", "x"},
	} {
		if a := set(pairs...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	other := w.as("bob")
	if a := set("until", until, "members", "ann", "reason", "press conference"); a.to != "/campaigns/muguet?done=embargo" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := other.get("/campaigns/muguet"); a.status != http.StatusNotFound {
		t.Errorf("somebody else: %d", a.status)
	}
	if a := set("until", until, "members", "ann, bob", "reason", "prints the letters"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if a := other.get("/campaigns/muguet"); a.status != http.StatusOK {
		t.Errorf("a new member: %d", a.status)
	}
	if a := set("until", "", "members", "ann", "reason", "announced"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	n := 0
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	for a, err := range w.ledger.AuditTrail(t.Context(), c.ID) {
		w.must(err)
		if a.Action == "embargo" && a.Actor == "user:ann" && a.Reason != "" {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d changes on record, want 3", n)
	}
}
