package console_test

import (
	"bytes"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// upload sends a form with files as the pages of lists do.
func (b *browser) upload(path string, pairs ...string) answer {
	b.w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	b.w.must(m.WriteField("token", b.token("/account")))
	for i := 0; i < len(pairs); i += 2 {
		if name, ok := strings.CutPrefix(pairs[i], "file:"); ok {
			w, err := m.CreateFormFile(name, "list.csv")
			b.w.must(err)
			_, err = w.Write([]byte(pairs[i+1]))
			b.w.must(err)
			continue
		}
		b.w.must(m.WriteField(pairs[i], pairs[i+1]))
	}
	b.w.must(m.Close())
	r, err := http.NewRequest(http.MethodPost, b.w.server.URL+path, &body)
	b.w.must(err)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

// TestTwoWhoWrite: who was slower loses nothing, sees what the other wrote, and may
// save over it knowingly.
func TestTwoWhoWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.campaign("muguet", pipeline.Draft)
	w.user("ana", console.Operator)
	w.user("wil", console.Writer)
	ana, wil := w.as("ana"), w.as("wil")
	const path = "/campaigns/muguet/letters/breach.fr.md"
	base := hashOf(letterText)
	// Browsers send CRLF; files have LF.
	a := ana.post(path, "do", "save", "base", base, "reason", "clearer", "text", strings.ReplaceAll(letterText, "\n", "\r\n")+"Ana's line.\r\n")
	if a.status != http.StatusSeeOther || !strings.HasSuffix(a.to, "?done=text") || w.desk.last() != "user:ana | save | muguet | breach.fr.md | false | clearer" {
		t.Fatalf("%d %s %s", a.status, a.to, w.desk.last())
	}
	if is := w.desk.texts.content["breach.fr.md"]; is != letterText+"Ana's line.\n" {
		t.Errorf("%q", is)
	}
	mine := letterText + "Wil's <script>alert(1)</script> line, eeee.\n"
	a = wil.post(path, "do", "save", "base", base, "reason", "mine", "text", mine)
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Somebody else has saved this text") || !strings.Contains(html.UnescapeString(a.body), "Wil's <script>alert(1)</script> line, eeee.") {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	if !strings.Contains(a.body, "d-new") || !strings.Contains(a.body, "d-old") || !strings.Contains(a.body, `value="mine"`) {
		t.Error("the page does not show both texts, or has lost the reason")
	}
	inspect(t, "conflict", a)
	next := hashOf(w.desk.texts.content["breach.fr.md"])
	if !strings.Contains(a.body, `name="base" value="`+next+`"`) {
		t.Fatal("the form does not begin with the text of the other")
	}
	a = wil.post(path, "do", "save", "base", next, "reason", "both", "text", mine)
	if a.status != http.StatusSeeOther || w.desk.last() != "user:wil | save | muguet | breach.fr.md | true | both" {
		t.Errorf("%d %s", a.status, w.desk.last()) // a writer changes words only
	}
	// Without a reason nothing is saved, and nothing is lost.
	a = wil.post(path, "do", "save", "base", hashOf(mine), "text", mine+"More.\n")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "More.") || strings.Contains(w.desk.texts.content["breach.fr.md"], "More.") {
		t.Errorf("%d", a.status)
	}
}

// TestPreviewWithoutScript: the button shows the letter with a fault's line, and
// keeps the text.
func TestPreviewWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.campaign("muguet", pipeline.Draft)
	w.user("wil", console.Writer)
	b := w.as("wil")
	const path = "/campaigns/muguet/letters/breach.fr.md"
	a := b.post(path, "do", "preview", "text", letterText+"{{.Nonsense}}\n", "reason", "half a reason")
	for _, want := range []string{"This text cannot be used yet", "line 6", "There is no field .Nonsense", "half a reason", "<code>{{.Nonsense}}</code>"} {
		if a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%d: no %q", a.status, want)
		}
	}
	if len(w.desk.texts.saved["breach.fr.md"]) > 0 {
		t.Error("a preview has saved something")
	}
	b.post(path, "do", "preview", "text", letterText+"Unsaved.\n", "sender", "second")
	frame := b.get(path + "/preview/html")
	if !strings.Contains(frame.body, "Unsaved.") {
		t.Error("the frame does not show what is in the form")
	}
	// What a letter holds runs nowhere: the frame is a sandbox, without our origin.
	policy := frame.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox;") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "frame-ancestors 'self'") {
		t.Errorf("policy %q", policy)
	}
	pdf := b.get(path + "/preview/pdf")
	if pdf.header.Get("Content-Type") != "application/pdf" || !strings.Contains(pdf.header.Get("Content-Security-Policy"), "default-src 'none'") || pdf.header.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("%v", pdf.header)
	}
	// Another login sees the text as it is, not what this one has in the form.
	w.user("zoe", console.Writer)
	if other := w.as("zoe").get(path + "/preview/html"); strings.Contains(other.body, "Unsaved.") {
		t.Error("a preview is shown to somebody else")
	}
	piece := b.post(path+"/preview", "text", letterText+"Live.\n")
	if piece.status != http.StatusOK || strings.Contains(piece.body, "<html") || !strings.Contains(piece.body, path+"/preview/html") {
		t.Errorf("%d %s", piece.status, piece.body)
	}
}

// TestNamesOfFiles: no name of a file leaves the letters, splits a header, or names
// what is no text.
func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("all", console.Roles()...)
	b := w.as("all")
	for _, name := range []string{"..%2fcampaign.yaml", "..%2f..%2fmaster.key", "%2e%2e%2fx.md", "x.md%0d%0aX-Evil:%201", "breach.fr.md%00", "Breach.fr.md", "logo.png", ".md", "a%5c..%5cb.md", "letters%2fbreach.fr.md", "c:%5cx.yaml"} {
		for _, path := range []string{"/campaigns/muguet/letters/" + name, "/campaigns/muguet/letters/" + name + "/preview/html", "/campaigns/muguet/letters/" + name + "/saved/1"} {
			if a := b.get(path); a.status != http.StatusNotFound || a.header.Get("X-Evil") != "" {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		if a := b.get("/campaigns/muguet/import/rejects/" + name); a.status != http.StatusNotFound {
			t.Errorf("rejects %s: %d", name, a.status)
		}
	}
	a := b.get("/campaigns/muguet/import/rejects/I000001%0d%0aX-Evil:%201")
	if a.header.Get("X-Evil") != "" || strings.ContainsAny(a.header.Get("Content-Disposition"), "\r\n") {
		t.Errorf("%v", a.header)
	}
	for _, path := range []string{"/campaigns/muguet/notices?state=nonsense", "/campaigns/muguet/notices?state=held&after=-1", "/campaigns/muguet/notices?state=held&after=x", "/campaigns/muguet/notices?state=held&reason=" + strings.Repeat("x", 300)} {
		if a := b.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	a = b.get("/campaigns/muguet/notices?state=held&reason=" + url.QueryEscape(`"><script>alert(1)</script>`))
	inspect(t, "a reason of markup", a)
}

// TestTablesAreInert: no cell of a table that leaves the house is a formula.
func TestTablesAreInert(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	b := w.as("ana")
	a := b.get("/campaigns/muguet/import/rejects/I000001-rejects.csv")
	if a.status != http.StatusOK || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment;") {
		t.Fatalf("%d %v", a.status, a.header)
	}
	for line := range strings.Lines(a.body) {
		for cell := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			if s := strings.TrimLeft(cell, "\" \t"); s != "" && strings.ContainsAny(s[:1], "=+-@") {
				t.Errorf("a formula: %s", cell)
			}
		}
	}
	// Lists that leave the house want the password once more, and are on record.
	w.clock.Advance(11 * 60 * 1e9)
	if a := b.get("/campaigns/muguet/notices/csv?state=held"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.to, "/sure") {
		t.Errorf("%d %s", a.status, a.to)
	}
	b.post("/sure", "password", password, "next", "/account")
	if a := b.get("/campaigns/muguet/notices/csv?state=held"); a.status != http.StatusOK || !strings.Contains(a.body, "7KQ2-M9XD-4T0V") {
		t.Errorf("%d %s", a.status, a.body)
	}
	// On record with the campaign: the trail of the installation is also for those who
	// must not know of it.
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	for of, want := range map[int64]bool{c.ID: true, 0: false} {
		found := false
		for e, err := range w.ledger.AuditTrail(t.Context(), of) {
			w.must(err)
			found = found || e.Action == "export" && e.Actor == "user:ana" && strings.HasPrefix(e.Detail, "notices held")
			if of == 0 && strings.Contains(e.Detail, "muguet") {
				t.Errorf("the trail of the installation names the campaign: %+v", e)
			}
		}
		if found != want {
			t.Errorf("trail %d: the list is on record: %v", of, found)
		}
	}
}

// TestReasonsNameNobody: a reason lies in clear and outlives the people's data.
func TestReasonsNameNobody(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	b := w.as("ana")
	for _, reason := range []string{"moved, now jean@orange.example", "call 06 39 98 10 01"} {
		a := b.post("/pause", "campaign", "muguet", "reason", reason)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "e-mail address or a phone number") || strings.Contains(w.desk.last(), "| pause |") {
			t.Errorf("%q: %d, %s", reason, a.status, w.desk.last())
		}
	}
	if a := b.post("/pause", "campaign", "muguet", "reason", "the wording of 2026-01-12"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
}

// TestReturnsAreLookedAtFirst: only the button that says so records anything.
func TestReturnsAreLookedAtFirst(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	b := w.as("ana")
	const path = "/campaigns/muguet/returns"
	a := b.upload(path, "letters", "7KQ2-M9XD-4T0V\nnonsense", "reason", "moved", "bag", "12", "counted", "3", "do", "look")
	if a.status != http.StatusOK || !strings.Contains(a.body, "nothing is recorded yet") || w.desk.last() != "user:ana | return | muguet | true | moved | 12 | 0 | 7KQ2-M9XD-4T0V\nnonsense" {
		t.Fatalf("%d %s\n%s", a.status, w.desk.last(), a.body)
	}
	inspect(t, "returns", a)
	a = b.upload(path, "file:list", "letter_ref;reason\n7KQ2-M9XD-4T0V;moved\n", "do", "record", "reason", "refused")
	if a.status != http.StatusOK || w.desk.last() != "user:ana | return | muguet | false | refused |  | 39 | " {
		t.Errorf("%d %q", a.status, w.desk.last())
	}
	if a := b.upload(path, "do", "record"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("nothing was given: %d", a.status)
	}
	if a := b.upload(path, "letters", "x", "counted", "many"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a count of words: %d", a.status)
	}
}

// TestApprovalSaysWhatWasSeen: the form carries what its page showed.
func TestApprovalSaysWhatWasSeen(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("dpo", console.Approver)
	b := w.as("dpo")
	a := b.get("/campaigns/muguet/approve")
	if !strings.Contains(a.body, `name="seen" value="sha256 ab"`) || !strings.Contains(a.body, "Submitted by ana") {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	a = b.post("/campaigns/muguet/approve", "seen", "sha256 ab", "read", "yes", "reason", "read it")
	if a.status != http.StatusSeeOther || w.desk.last() != "user:dpo | approve | muguet | sha256 ab | read it" {
		t.Errorf("%d %s", a.status, w.desk.last())
	}
}

// TestProofByNumber: a customer's number is in no address.
func TestProofByNumber(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	b := w.as("ana")
	if a := b.post("/campaigns/muguet/proofs", "customer", "C7"); a.status != http.StatusSeeOther || a.to != "/campaigns/muguet/proofs/7" {
		t.Errorf("%d %s", a.status, a.to)
	}
	a := b.post("/campaigns/muguet/proofs", "customer", "C8<script>")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Nobody in this campaign") {
		t.Errorf("%d", a.status)
	}
	inspect(t, "proofs", a)
}

// TestReservedCustomers: whoever may not see customers reserved for few gets them
// neither by a list, nor by a table, nor by a proof letter, whatever the address.
func TestReservedCustomers(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Operator)
	w.user("both", console.Operator, console.Lead)
	for login, may := range map[string]bool{"ana": false, "both": true} {
		b := w.as(login)
		if a := b.get("/campaigns/muguet/notices?state=held"); strings.Contains(a.body, "7KQ2-M9XD-4T0W") != may {
			t.Errorf("%s: the list: %d %s", login, a.status, a.body)
		}
		if a := b.get("/campaigns/muguet/notices/csv?state=held"); !strings.Contains(a.body, fmt.Sprintf("held,%v", may)) {
			t.Errorf("%s: the table: %d %s", login, a.status, a.body)
		}
		if a := b.get("/campaigns/muguet/proofs"); strings.Contains(a.body, "/proofs/9\"") != may || !strings.Contains(a.body, "/proofs/8\"") {
			t.Errorf("%s: the letters to look at: %d %s", login, a.status, a.body)
		}
		for path, want := range map[string]bool{"/proofs/8": true, "/proofs/9": may, "/proofs/9/pdf": may} {
			if a := b.get("/campaigns/muguet" + path); (a.status == http.StatusOK) != want || !want && strings.Contains(a.body, "O'Neil") {
				t.Errorf("%s: %s: %d", login, path, a.status)
			}
		}
	}
}
