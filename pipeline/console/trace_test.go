package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestWhoLookedAtACustomer: the auditor sees who looked, how the caller was verified
// and why names were shown, nothing of the customer, and is on record; an administrator
// and the lead are not auditors.
func TestWhoLookedAtACustomer(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	w.user("aud", console.Auditor)
	w.user("adm", console.Admin)
	ctx, who := t.Context(), agent(c)
	k := w.cell()
	call := w.found(who, "C0001234")
	_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	_, err = k.Unmask(ctx, who, call.ID, "spells a rare name")
	w.must(err)
	w.must(k.Note(ctx, who, call.ID, "sealed words of the caller"))

	for _, login := range []string{"adm", "lea"} {
		if a := w.as(login).get("/audit/customer"); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", login, a.status)
		}
	}
	b := w.as("aud")
	if a := b.post("/audit/customer", "key", "C0001234", "reason", ""); !strings.Contains(a.body, `id="problems"`) {
		t.Error("nobody is asked why")
	}
	page := b.post("/audit/customer", "key", "C0001234", "reason", "request of the customer").body
	for _, want := range []string{"user:ana", "spells a rare name", "Verified in our own system"} {
		if !strings.Contains(page, strings.TrimPrefix(want, "user:")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"sealed words", "C0001234", "Dupont"} {
		if strings.Contains(page, never) {
			t.Errorf("the page says %q", never)
		}
	}
	last, err := w.ledger.LastAudits(ctx, c.ID, 1)
	w.must(err)
	if len(last) != 1 || last[0].Action != "trace" || last[0].Reason != "request of the customer" || !strings.HasPrefix(last[0].Detail, "notice ") {
		t.Errorf("on record: %+v", last)
	}
	if page := b.post("/audit/customer", "key", "C4711", "reason", "request").body; !strings.Contains(page, "nobody can have looked") {
		t.Error("somebody was found under a key of nobody")
	}
}
