package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestWhatComesNext: a launch set for later, closed hours, what falls due and the next
// print run stand on the page of the campaign, in its zone.
func TestWhatComesNext(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.board.zone = time.UTC
	w.user("ona", console.Operator)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	c.LaunchAt, c.Email.Hours = t0.Add(30*time.Hour), "20:00-22:00 UTC"
	w.must(w.ledger.UpdateCampaign(t.Context(), c, []pipeline.CampaignState{pipeline.Running}, pipeline.Audit{Campaign: c.ID, Actor: "t", At: t0, Action: "pacing"}))
	a := w.as("ona").get("/campaigns/muguet")
	for _, want := range []string{"The launch is set for 21 January 2026 at 14:00", "Sending hours: 20:00-22:00 UTC.", "They are closed now, and open again on 20 January 2026 at 20:00", "5,200 by e-mail, 310 by post"} {
		if a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%d, without %q\n%s", a.status, want, a.body)
		}
	}
	c.LaunchAt, c.Email.Hours = t0.Add(-time.Hour), ""
	w.must(w.ledger.UpdateCampaign(t.Context(), c, []pipeline.CampaignState{pipeline.Running}, pipeline.Audit{Campaign: c.ID, Actor: "t", At: t0, Action: "pacing"}))
	if a := w.as("ona").get("/campaigns/muguet"); strings.Contains(a.body, "The launch is set") || !strings.Contains(a.body, "E-mails may go at any hour") {
		t.Errorf("%d\n%s", a.status, a.body)
	}
}
