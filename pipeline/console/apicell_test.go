package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
)

// TestAPICell: a customer system opens a call, says how the caller was verified, and
// gets what the console would show; each answer is as the document says.
func TestAPICell(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, check := w.documented()
	crm, other := w.token("crm", console.ActLookUp, console.ActHelp), w.token("other", console.ActLookUp, console.ActHelp)
	crm.check = check
	a := crm.call("POST", "/calls", `{"key":"C0001234","campaign":"pivoine"}`)
	if a.status != http.StatusOK || a.body["stage"] != "verify" || a.body["customer"] != nil || len(a.body["sentence"].(map[string]any)) != 0 {
		t.Fatalf("before the caller is verified: %d %s", a.status, a.text)
	}
	path := fmt.Sprintf("/calls/%.0f", a.body["call"])
	for _, deed := range []string{"copy", "correct"} {
		if a := crm.call("POST", path+"/"+deed, `{"reason":"x","channel":"post"}`); a.status == http.StatusOK {
			t.Errorf("%s before the caller is verified", deed)
		}
	}
	if a := other.call("GET", path, ""); a.status != http.StatusNotFound {
		t.Errorf("the call of another program: %d", a.status)
	}
	if a := crm.call("POST", path+"/verify", `{"way":"crm"}`); a.status != http.StatusOK || a.body["stage"] != "answer" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	a = crm.call("GET", path, "")
	customer, _ := a.body["customer"].(map[string]any)
	if customer == nil || !strings.Contains(fmt.Sprint(customer["name"]), "•") || len(customer["timeline"].([]any)) == 0 || len(a.body["sentence"].(map[string]any)) == 0 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	for _, l := range customer["letters"].([]any) {
		m := l.(map[string]any)
		if a := crm.call("GET", fmt.Sprintf("%s/letters/%.0f/%.0f", path, m["notice"], m["attempt"]), ""); a.status != http.StatusOK || a.body["text"] == "" {
			t.Errorf("the letter: %d %s", a.status, a.text)
		}
	}
	if a := crm.call("GET", path+"/letters/999/1", ""); a.status != http.StatusNotFound {
		t.Errorf("the letter of somebody else: %d", a.status)
	}
	if a := crm.call("POST", path+"/copy", `{"reason":"mislaid","channel":"post"}`, "Idempotency-Key", "copy-1"); a.status != http.StatusOK {
		t.Errorf("a copy: %d %s", a.status, a.text)
	}
	if a := crm.call("POST", path+"/correct", `{"reason":"moved","email":"new@mail.example"}`); a.status != http.StatusOK {
		t.Errorf("a correction: %d %s", a.status, a.text)
	}
	if a := crm.call("POST", path+"/note", `{"text":"rings back"}`); a.status != http.StatusOK {
		t.Errorf("a note: %d %s", a.status, a.text)
	}
	if a := crm.call("POST", path+"/close", `{"cause":"data","outcome":"answered"}`); a.status != http.StatusOK || a.body["stage"] != "closed" {
		t.Errorf("the end: %d %s", a.status, a.text)
	}
	if a := crm.call("POST", "/calls", `{"key":"nobody at all"}`); a.status != http.StatusOK || a.body["stage"] != "nobody" {
		t.Errorf("nobody: %d %s", a.status, a.text)
	}
}

// TestAPINobodyEnumerates: a token looks up so many an hour, and not what is under an
// embargo.
func TestAPINobodyEnumerates(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, text, err := w.accounts.AddToken(t.Context(), "user:root", console.TokenOrder{Name: "crm", Scopes: []string{"look-up"}, LookUps: 5, Life: time.Hour}, "x")
	w.must(err)
	p := &program{w: w, token: text}
	var a reply
	n := 0
	for ; n < 12; n++ {
		if a = p.call("POST", "/calls", fmt.Sprintf(`{"key":"C%07d"}`, n)); a.status != http.StatusOK {
			break
		}
	}
	if n != 5 || a.status != http.StatusTooManyRequests || a.code() != "quota" || a.header.Get("Retry-After") == "" {
		t.Errorf("after %d look-ups: %d %s", n, a.status, a.text)
	}
	c, err := w.ledger.Campaign(t.Context(), "pivoine")
	w.must(err)
	w.user("ann", console.Operator)
	w.embargo(c, t0.Add(12*time.Hour), "ann")
	q := w.token("other", console.ActLookUp)
	if a := q.call("POST", "/calls", `{"key":"C0001234"}`); a.status != http.StatusOK || a.body["stage"] != "nobody" {
		t.Errorf("a customer of a campaign under an embargo: %d %s", a.status, a.text)
	}
}
