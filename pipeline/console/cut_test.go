package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestImportThatWasCutOff: whoever comes back after the console was killed in the middle
// of an import is told, until an import has ended.
func TestImportThatWasCutOff(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ona", "operator")
	b := w.as("ona")
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	const cut = "nobody has seen its end"
	if a := b.get(muguet + "/import"); strings.Contains(a.body, cut) {
		t.Fatal("none was begun")
	}
	key := fmt.Sprint("console-job:", c.ID, ":import")
	_, err = w.ledger.SetMeta(t.Context(), key, fmt.Sprintf("user:ina|%d", t0.Unix()), false)
	w.must(err)
	if a := b.get(muguet + "/import"); !strings.Contains(a.body, cut) || !strings.Contains(a.body, "ina") {
		t.Error(a.body)
	}
	if a := b.upload(muguet+"/import", "file:impact", "x"); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		a := b.get(muguet + "/import")
		if !strings.Contains(a.body, "This is under way") {
			if strings.Contains(a.body, cut) {
				t.Error("still said")
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("the import does not end")
		}
	}
	if left, err := w.ledger.Meta(t.Context(), key); err != nil || left != "" {
		t.Errorf("%q %v", left, err)
	}
}
