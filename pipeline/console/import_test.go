package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestSeveralListsAtOnce: the directories of two brands and an impact list of both come
// in together. Where customers are in none of them the page says how many, what to do
// about it and where their rows are listed; so many can be allowed there.
func TestSeveralListsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.campaign("muguet", pipeline.Draft)
	w.user("ona", console.Operator)
	b := w.as("ona")
	const path = "/campaigns/muguet/import"
	if a := b.get(path); strings.Count(a.body, `type="file" value="" multiple`) != 2 {
		t.Errorf("not several files a field\n%s", a.body)
	}
	lists := []string{"file:customers", "x", "file:customers", "y", "file:impact", "z"}
	if a := b.upload(path, append(lists, "unmatched", "")...); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	body := b.settled(path)
	for _, want := range []string{"nothing was published. Send the directory", "or allow 3 below", "/import/rejects/refused-findings.csv", "The customer is in no directory"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	for _, wrong := range []string{"many", "-1", "2.5", "1e9"} {
		if a := b.upload(path, append(lists, "unmatched", wrong)...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", wrong, a.status)
		}
		if did := w.desk.last(); !strings.HasSuffix(did, "3") || !strings.Contains(did, "discard") {
			t.Errorf("%s: the lists are left: %q", wrong, did)
		}
	}
	if a := b.upload(path, append(lists, "unmatched", "3")...); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	if body := b.settled(path); strings.Contains(body, "nothing was published") {
		t.Error(body)
	}
	if did := w.desk.last(); !strings.HasSuffix(did, "3") {
		t.Errorf("the desk was asked for %q", did)
	}
}

// TestPauseIsOfWhatWasMeant: on the page of a campaign that does not run, the key does
// not lead to a form that pauses another one at once.
func TestPauseIsOfWhatWasMeant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.campaign("muguet", pipeline.Running)
	w.campaign("rose", pipeline.Paused)
	w.user("ona", console.Operator)
	b := w.as("ona")
	a := b.get("/pause?campaign=rose")
	if !strings.Contains(a.body, "rose does not run now") || strings.Contains(a.body, " checked") || strings.Contains(a.body, `type="hidden" name="campaign"`) {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	a = b.post("/pause?campaign=rose", "reason", "wrong number")
	if a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, `type="hidden" name="campaign"`) {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	if a := b.get("/pause?campaign=muguet"); strings.Contains(a.body, "does not run now") || !strings.Contains(a.body, `name="campaign" value="muguet"`) {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	if a := b.get("/pause?campaign=nobodys"); strings.Contains(a.body, "does not run now") {
		t.Errorf("%d\n%s", a.status, a.body)
	}
}
