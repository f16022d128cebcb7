package main

import (
	"context"
	"sync"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestApprovalsAtTheSameMoment: of several approvals at once one counts, and none takes
// back what was done to the campaign while it was checked.
func TestApprovalsAtTheSameMoment(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := context.Background()
	draft, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	if err := (consoleDesk{h}).As("user:ana").Submit(ctx, "muguet", "ready"); err != nil {
		t.Fatal(err)
	}
	dpo := consoleDesk{h}.As("user:dpo")
	s, err := dpo.Submission(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		all.Go(func() { errs[i] = dpo.Approve(ctx, "muguet", s.Now, "read") })
	}
	all.Wait()
	approved := 0
	for _, err := range errs {
		switch code(err) {
		case "":
			if err != nil {
				t.Error(err)
			}
			approved++
		case "approve-meanwhile", "approved-already":
		default:
			t.Errorf("%v", err)
		}
	}
	versions, err := h.ledger.Versions(ctx, draft.ID)
	if err != nil || len(versions) != 1 || approved == 0 {
		t.Fatalf("%d approvals, versions %v, %v", approved, versions, err)
	}

	// It runs, and is paused while an approval of what was a draft goes on.
	running, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	paused := running
	paused.State, paused.PausedFor = pipeline.Paused, "wrong number in the letter"
	if err := h.ledger.UpdateCampaign(ctx, paused, []pipeline.CampaignState{pipeline.Approved}, h.audit(paused.ID, "pause", "", "")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.approve(ctx, draft, ""); code(err) != "approve-meanwhile" {
		t.Errorf("an approval that began earlier: %v", err)
	}
	now, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil || now.State != pipeline.Paused || now.Version != 1 {
		t.Errorf("%+v, %v", now, err)
	}
}
