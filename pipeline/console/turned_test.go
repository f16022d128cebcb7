package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestTurnedText: what turns the direction of a text is seen on the page, in what moves
// by itself too, and comes back unchanged to whoever edits it.
func TestTurnedText(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.board.figures.Breakers[0].Detail = "550 \u2066refused\u2069 \u202eyb"
	w.user("ana", console.Operator)
	w.user("aud", console.Auditor)
	b := w.as("ana")
	if a := b.get("/campaigns/muguet"); a.status != http.StatusOK || strings.ContainsAny(a.body, "\u202e\u2066\u2069") || !strings.Contains(a.body, "[U+2066]refused[U+2069] [U+202E]yb") {
		t.Errorf("what a mail server wrote: %d", a.status)
	}
	a := b.post("/pause", "campaign", "muguet", "token", "", "reason", "paid \u202edecnuob")
	if a.status == http.StatusOK && !strings.Contains(a.body, "value=\"paid \u202edecnuob\"") {
		t.Error("the form comes back with something else")
	}
	w.must(w.ledger.Append(t.Context(), pipeline.Audit{At: w.clock.Now(), Actor: "user:ana", Action: "pause", Reason: "paid \u202edecnuob\u202c", Detail: "\u2067x"}))
	if a := w.as("aud").get("/audit"); strings.ContainsAny(a.body, "\u202e\u202c\u2067") || !strings.Contains(a.body, "paid [U+202E]decnuob[U+202C]") {
		t.Error("the audit trail shows a reason turned round")
	}
}
