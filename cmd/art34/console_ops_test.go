package main

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/templates"
)

// TestNothingIsApprovedTwice: what is approved as it stands is neither handed in nor
// approved again; after a change it is.
func TestNothingIsApprovedTwice(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	ana, dpo := consoleDesk{h}.As("user:ana"), consoleDesk{h}.As("user:dpo")
	approve := func() error {
		t.Helper()
		s, err := dpo.Submission(ctx, "muguet")
		if err != nil {
			t.Fatal(err)
		}
		return dpo.Approve(ctx, "muguet", s.Now, "read")
	}
	if err := ana.Submit(ctx, "muguet", "ready"); err != nil {
		t.Fatal(err)
	}
	if err := approve(); err != nil {
		t.Fatal(err)
	}
	if s, err := dpo.Submission(ctx, "muguet"); err != nil || s.Approved != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if err := ana.Submit(ctx, "muguet", "again"); code(err) != "approved-already" {
		t.Errorf("handed in again: %v", err)
	}
	if err := approve(); err == nil {
		t.Error("approved again")
	}
	c, err := h.ledger.Campaign(ctx, "muguet")
	if versions, err2 := h.ledger.Versions(ctx, c.ID); err != nil || err2 != nil || len(versions) != 1 {
		t.Errorf("%d versions, %v %v", len(versions), err, err2)
	}
	is, err := ana.Text(ctx, "muguet", "breach.fr.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := ana.Save(ctx, "muguet", "breach.fr.md", is.Content+"\nEncore.\n", is.Hash, "more", false); err != nil {
		t.Fatal(err)
	}
	if s, err := dpo.Submission(ctx, "muguet"); err != nil || s.Approved != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if err := ana.Submit(ctx, "muguet", "with more"); err != nil {
		t.Error(err)
	}
	if err := approve(); err != nil {
		t.Error(err)
	}
}

// TestCheckAddsUp: what a check counts adds up to its notices, and those to the
// population; what is held has a reason.
func TestCheckAddsUp(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	r, err := consoleDesk{h}.As("user:ana").Check(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	total := func(by map[pipeline.State]int64) (n int64) {
		for _, x := range by {
			n += x
		}
		return n
	}
	var roles, held int64
	for _, n := range r.Roles {
		roles += n
	}
	for _, by := range []map[string]int64{r.Held, r.Waiting} {
		for _, n := range by {
			held += n
		}
	}
	if total(r.States) != r.Notices || roles != r.Notices || held != r.States[pipeline.Held] || held == 0 || r.Rendered != r.States[pipeline.Due]+held {
		t.Errorf("%+v", r)
	}
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	if _, population, err := h.inForce(ctx, c.ID); err != nil || population != r.Roles[pipeline.Primary] {
		t.Errorf("population %d, %d primary notices, %v", population, r.Roles[pipeline.Primary], err)
	}
}

// TestExampleIsACampaign: the example of the page makes a draft as it stands, and a
// fault in it is named with its line and column, and what it says.
func TestExampleIsACampaign(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ana := consoleDesk{h}.As("user:ana")
	example, err := fs.ReadFile(templates.Console(), "example/campaign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := ana.New(ctx, "lilas", example, nil); err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(example), "  connections: 8 ", "  conections: 8 ", 1)
	line := strings.Count(wrong[:strings.Index(wrong, "conections")], "\n") + 1
	err = ana.New(ctx, "iris", []byte(wrong), nil)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("[%d:3]", line)) || !strings.Contains(err.Error(), "conections") {
		t.Errorf("line %d: %v", line, err)
	}
	if _, err := ana.Texts(ctx, "iris"); err == nil {
		t.Error("a campaign with faults was made")
	}
}

// TestPaceOutlook: the time of what is left follows the limits of its providers, and a
// ramp begins where it has come to since the launch.
func TestPaceOutlook(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	ana := consoleDesk{h}.As("user:ana")
	free, err := ana.PaceOutlook(ctx, "muguet", pipeline.EmailPolicy{})
	if err != nil || free.Emails == 0 || free.Time != 0 || len(free.Providers) < 3 {
		t.Fatalf("%+v %v", free, err)
	}
	slow, err := ana.PaceOutlook(ctx, "muguet", pipeline.EmailPolicy{Rate: 0.5})
	if want := time.Duration(float64(free.Emails) / 0.5 * float64(time.Second)); err != nil || slow.Time != want {
		t.Errorf("%v, want %v, %v", slow.Time, want, err)
	}
	first := free.Providers[0]
	one, err := ana.PaceOutlook(ctx, "muguet", pipeline.EmailPolicy{Providers: pipeline.ProviderPolicy{Limits: map[string]pipeline.ProviderLimit{first.Provider: {Rate: 0.1}}}})
	if want := time.Duration(first.Emails) * 10 * time.Second; err != nil || one.Time != want || one.Providers[0] != (console.ProviderOutlook{Provider: first.Provider, Emails: first.Emails, Time: want}) {
		t.Errorf("%+v, want %v, %v", one, want, err)
	}
	hour := pipeline.Duration(time.Hour)
	is := warmed(pipeline.ProviderPolicy{Limits: map[string]pipeline.ProviderLimit{"orange": {Rate: 20, RampFrom: 2, RampOver: hour}}}, 30*time.Minute).Limits["orange"]
	if is.RampFrom != 11 || is.RampOver != hour/2 {
		t.Errorf("%+v", is)
	}
	if is := warmed(pipeline.ProviderPolicy{Limits: map[string]pipeline.ProviderLimit{"orange": {Rate: 20, RampFrom: 2, RampOver: hour}}}, 5*time.Hour).Limits["orange"]; is.RampFrom != 20 || is.RampOver != 0 {
		t.Errorf("%+v", is)
	}
}
