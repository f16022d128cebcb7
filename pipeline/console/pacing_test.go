package console_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestPaceOfOneProvider: its limits are changed alone, with a reason, after the page
// has said what that does to the end; without a reason, or for a provider that does
// not exist, nothing happens.
func TestPaceOfOneProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.campaign("muguet", pipeline.Running)
	c.Email.Providers = pipeline.ProviderPolicy{Default: true}
	w.must(w.ledger.UpdateCampaign(t.Context(), c, []pipeline.CampaignState{pipeline.Running}, pipeline.Audit{Campaign: c.ID, Actor: "t", At: t0, Action: "pacing"}))
	w.user("ona", console.Operator)
	b := w.as("ona")
	const path = "/campaigns/muguet/pacing/orange"

	if a := b.get(path); a.status != http.StatusOK || !strings.Contains(a.body, "20 a second") || !strings.Contains(a.body, "1\u00a0h\u00a040") || !strings.Contains(a.body, `name="ramp" value="yes" id="ramp" checked`) {
		t.Fatalf("%d\n%s", a.status, a.body)
	}
	a := b.post(path, "do", "look", "rate", "5", "connections", "2")
	if a.status != http.StatusOK || !strings.Contains(a.body, "Nothing was changed yet") || !strings.Contains(a.body, "6\u00a0h\u00a040") || w.desk.count() != 0 {
		t.Fatalf("%d %s\n%s", a.status, w.desk.last(), a.body)
	}
	if a := b.post(path, "rate", "5", "connections", "2"); a.status != http.StatusUnprocessableEntity || w.desk.count() != 0 {
		t.Errorf("without a reason: %d", a.status)
	}
	if a := b.post(path, "rate", "-5", "connections", "2", "reason", "slower"); a.status != http.StatusUnprocessableEntity || w.desk.count() != 0 {
		t.Errorf("a negative rate: %d", a.status)
	}
	if a := b.post(path, "rate", "5", "connections", "2", "reason", "their postmaster asked"); a.status != http.StatusSeeOther || w.desk.last() != "user:ona | pacing | muguet | 0 0 orange 5/2 from 0 | their postmaster asked" {
		t.Errorf("%d %s", a.status, w.desk.last())
	}
	if a := b.post(path, "rate", "1,5", "connections", "", "ramp", "yes", "reason", "gently"); a.status != http.StatusSeeOther || w.desk.last() != "user:ona | pacing | muguet | 0 0 orange 1.5/0 from 1.5 | gently" {
		t.Errorf("%d %s", a.status, w.desk.last())
	}
	for _, name := range []string{"nobody", "..%2f..", "orange%0d%0a"} {
		if a := b.get("/campaigns/muguet/pacing/" + name); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	a = b.post("/campaigns/muguet/pacing", "do", "look", "rate", "100", "hours", "", "connections", "0", "window", "0", "providers", "off")
	if a.status != http.StatusOK || !strings.Contains(a.body, "nothing but the relay would bound them") || w.desk.count() != 2 {
		t.Errorf("%d\n%s", a.status, a.body)
	}
}

// TestAPIPaceOfOneProvider: programs limit a provider as the page does; what they leave
// out stays, and what is out of bounds changes nothing.
func TestAPIPaceOfOneProvider(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.campaign("muguet", pipeline.Running)
	c.Email.Providers = pipeline.ProviderPolicy{Default: true}
	w.must(w.ledger.UpdateCampaign(t.Context(), c, []pipeline.CampaignState{pipeline.Running}, pipeline.Audit{Campaign: c.ID, Actor: "t", At: t0, Action: "pacing"}))
	p := w.token("crm", console.ActSee, console.ActControl)
	const path = "/campaigns/muguet/pacing/orange"
	for body, status := range map[string]int{
		`{"reason":"x"}`: http.StatusUnprocessableEntity, `{"reason":"x","rate":-1}`: http.StatusUnprocessableEntity, `{"reason":"x","connections":257}`: http.StatusUnprocessableEntity,
		`{"rate":5}`: http.StatusUnprocessableEntity, `{"reason":"x","limit":5}`: http.StatusUnprocessableEntity,
	} {
		if a := p.call("POST", path, body); a.status != status || w.desk.count() != 0 {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	if a := p.call("POST", "/campaigns/muguet/pacing/nobody", `{"reason":"x","rate":5}`); a.status != http.StatusNotFound || w.desk.count() != 0 {
		t.Errorf("%d %s", a.status, a.text)
	}
	ramp := pipeline.DefaultProviderLimits()["orange"]
	if a := p.call("POST", path, `{"reason":"their postmaster asked","rate":1.5,"connections":2}`); a.status != http.StatusOK || w.desk.last() != "token:crm/kim | pacing | muguet | 0 0 orange 1.5/2 from 1.5 | their postmaster asked" {
		t.Errorf("%d %s %s (%+v)", a.status, w.desk.last(), a.text, ramp)
	}
	if a := p.call("POST", path, `{"reason":"they know us now","ramp":false}`); a.status != http.StatusOK || !strings.Contains(w.desk.last(), "from 0 |") {
		t.Errorf("%d %s %s", a.status, w.desk.last(), a.text)
	}
}
