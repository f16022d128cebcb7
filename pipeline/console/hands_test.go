package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestSecondPairOfEyesIsAnother: who made the account of the agent who asks, or whose
// account they made, or who gave a program its token, does not decide about what it
// asks; somebody else's confirmation unties it.
func TestSecondPairOfEyesIsAnother(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k := t.Context(), w.cell()
	_, _, err := w.accounts.Add(ctx, "user:lea", "fay", "Fay", []string{"agent"}, "")
	w.must(err)
	_, _, err = w.accounts.Reset(ctx, "user:fay", "leo", false)
	w.must(err)
	propose := func(who console.Asker) int64 {
		t.Helper()
		call := w.found(who, "C0001234")
		_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
		w.must(err)
		w.must(k.Propose(ctx, who, call.ID, console.Address{Email: "new@mail.example"}, "moved"))
		list, err := w.ledger.Proposals(ctx, pipeline.ProposalWaiting)
		w.must(err)
		return list[len(list)-1].ID
	}
	fay := asker(c, "fay", "agent")
	id := propose(fay)
	w.refused(k.Decide(ctx, lead(c), id, true, "looks right"), "tied")
	w.refused(k.Decide(ctx, asker(c, "leo", "lead"), id, true, "looks right"), "tied")
	if strings.Contains(w.crowd.last(), "correct") {
		t.Errorf("it was done: %s", w.crowd.last())
	}
	if got := strings.Count(w.trail(c.ID), "cell-tied"); got != 2 {
		t.Errorf("%d of 2 attempts are on record", got)
	}
	_, err = w.accounts.Confirm(ctx, "user:root", "fay")
	w.must(err)
	w.must(k.Decide(ctx, lead(c), id, true, "looks right"))

	_, _, err = w.accounts.AddToken(ctx, "user:lea", console.TokenOrder{Name: "crm", Scopes: []string{"look-up", "help"}, LookUps: 5, Life: 24 * time.Hour}, "x")
	w.must(err)
	id = propose(console.Asker{Actor: "token:crm", Roles: []string{"agent"}, Source: "api", Campaigns: []pipeline.Campaign{c}})
	w.refused(k.Decide(ctx, lead(c), id, true, "looks right"), "tied")
}

// TestConfirming: the page says who had an account in hand, and lets the one confirm
// who had not.
func TestConfirming(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user("ana", console.Admin)
	w.user("bob", console.Admin)
	w.user("cho", console.Viewer)
	_, err := w.accounts.SetRoles(t.Context(), "user:ana", "cho", []string{"approver"})
	w.must(err)
	const button = `action="/users/cho/confirm"`
	ana, bob := w.as("ana"), w.as("bob")
	if a := ana.get("/users/cho"); !strings.Contains(a.body, "ana: gave it a role") || strings.Contains(a.body, button) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := ana.post("/users/cho/confirm"); a.status != http.StatusConflict {
		t.Errorf("one's own hand: %d", a.status)
	}
	if a := ana.post("/users/ana/confirm"); a.status != http.StatusConflict {
		t.Errorf("one's own account: %d", a.status)
	}
	if a := bob.get("/users/cho"); !strings.Contains(a.body, button) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := bob.post("/users/cho/confirm"); a.to != "/users/cho?done=confirmed" {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := bob.get("/users/cho"); !strings.Contains(a.body, "bob: confirmed that it is its owner") || strings.Contains(a.body, button) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if !strings.Contains(w.trail(0), "user:bob | user-confirm |  | cho") {
		t.Error(w.trail(0))
	}
}
