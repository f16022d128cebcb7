package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestOpenQuestionBehindMany: a question that waits for the lead is found behind any
// number of newer ones that are settled, on the pages and by programs.
func TestOpenQuestionBehindMany(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	ctx := t.Context()
	w.user("ana", console.Agent)
	w.user("lea", console.Lead)
	const at, oldest = "/campaigns/muguet", "Is my landlord told?"
	c, err := w.ledger.Campaign(ctx, "muguet")
	w.must(err)
	before, err := w.ledger.Queries(ctx, c.ID, pipeline.QueryFilter{}, 100)
	w.must(err)
	if a := w.as("ana").post(at+"/ask", "question", oldest); a.status != http.StatusSeeOther {
		t.Fatal(a.status)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 33 {
				q, err := w.ledger.AddQuery(ctx, pipeline.Query{Campaign: c.ID, Locale: "fr", AskedBy: "user:bob", AskedAt: t0})
				if err == nil {
					q.State, q.ClosedBy, q.ClosedAt, q.Reason = pipeline.QueryDismissed, "user:lea", t0, "x"
					err = w.ledger.CloseQuery(ctx, q, pipeline.Audit{Campaign: c.ID, At: t0, Actor: "user:lea", Action: "query-dismiss"})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()

	lea := w.as("lea")
	for _, path := range []string{at + "/queries", at + "/floor", at + "/floor/csv"} {
		if a := lea.get(path); !strings.Contains(a.body, oldest) {
			t.Errorf("%s does not have the question that waits", path)
		}
	}
	if a := lea.get(at + "/floor/csv"); strings.Count(a.body, ",dismissed,") < 528 {
		t.Errorf("%d questions in the table", strings.Count(a.body, ",dismissed,"))
	}
	p := w.token("desk", console.ActPublish)
	p.person = "lea"
	if a := p.call("GET", at+"/queries?state=open", ""); a.status != http.StatusOK || len(a.body["items"].([]any)) > 3 || !strings.Contains(a.text, oldest) || a.body["next"] != "" {
		t.Errorf("%d %.300s", a.status, a.text)
	}
	seen, after := map[any]bool{}, ""
	for range 20 {
		a := p.call("GET", fmt.Sprint(at, "/queries?limit=90&after=", after), "")
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.text)
		}
		for _, x := range a.body["items"].([]any) {
			seen[x.(map[string]any)["query"]] = true
		}
		if after = a.body["next"].(string); after == "" {
			break
		}
	}
	if len(seen) != len(before)+1+528 {
		t.Errorf("%d questions page by page", len(seen))
	}
	for _, bad := range []string{"after=x", "after=-1", "after=0", "limit=0", "limit=101", "limit=x", "state=lost", "after=99999999999999999999"} {
		if a := p.call("GET", at+"/queries?"+bad, ""); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
}
