package console_test

import (
	"net/http"
	"strings"
	"testing"

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
	b.settled("/campaigns/muguet/check")
	if a := b.upload("/campaigns/muguet/import", "file:impact", "x"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	for path, words := range map[string][]string{
		"/campaigns/muguet/check": {
			"</th><td>10", "</th><td>2", "unreachable</th><td>1", "excluded</th><td>1", "Notices</th><td>14",
			"13 of them are the customers to inform.", "1 paper copy goes beside an e-mail", "No letter was written for whoever", "Held because of a decision, a flag or a format",
		},
		"/campaigns/muguet/import": {
			"</th><td>9", "</th><td>2", "unreachable</th><td>1", "opulation</th><td>12", "1 of the impact list is in no directory", "2 paper copies go beside e-mails", "Ignored on purpose: optin&lt;b&gt;",
		},
	} {
		body := b.settled(path)
		for _, want := range words {
			if !strings.Contains(strings.ToLower(body), strings.ToLower(want)) {
				t.Errorf("%s: no %q", path, want)
			}
		}
	}
}

// TestDraftFromTheExample: the example is shown and fetched, what is written over it
// makes the campaign, and a fault keeps it on the page. Half of a text too long is
// taken by nobody.
func TestDraftFromTheExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ona", console.Operator)
	b := w.as("ona")
	a := b.get("/new/example")
	if a.status != http.StatusOK || !strings.Contains(a.body, "code_name: MUGUET            # capitals;") {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	a = b.get("/new/example/campaign.yaml")
	if a.header.Get("Content-Disposition") != `attachment; filename="campaign.yaml"` || !strings.HasPrefix(a.body, "code_name: MUGUET") {
		t.Errorf("%v %.40s", a.header, a.body)
	}
	w.desk.broken(&pipeline.Error{Code: "campaign-file", Sentence: "campaign.yaml: [12:3] unknown field <b>"})
	a = b.upload("/new", "name", "lilas", "text", "code_name: LILAS\r\nmine: yes\r\n")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "line 12, column 3: unknown field &lt;b&gt;") || !strings.Contains(a.body, "code_name: LILAS\nmine: yes\n</textarea>") || !strings.Contains(a.body, `value="lilas"`) {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	w.desk.broken(nil)
	a = b.upload("/new", "name", "lilas", "text", "code_name: LILAS\r\n")
	if a.status != http.StatusSeeOther || w.desk.last() != "user:ona | new | lilas | code_name: LILAS\n | 0" {
		t.Errorf("%d %q", a.status, w.desk.last())
	}
	n := w.desk.count()
	if a = b.upload("/new", "name", "iris", "text", strings.Repeat("# long\n", 20_000)); a.status != http.StatusRequestEntityTooLarge || w.desk.count() != n {
		t.Errorf("%d", a.status)
	}
}
