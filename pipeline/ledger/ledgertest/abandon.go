package ledgertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// stageForever is the child that dies in the middle of an import.
func stageForever(ctx context.Context, l ledger.Ledger, c pipeline.Campaign) error {
	i, err := l.BeginImport(ctx, pipeline.Import{Campaign: c.ID, Content: "abandoned", StagedAt: t0, Actor: "child"})
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		first, err := l.ReserveIDs(ctx, 20)
		if err != nil {
			return err
		}
		var list []pipeline.Staged
		for id := first; id < first+20; id++ {
			list = append(list, pipeline.Staged{Sealed: []byte("x"), Notice: pipeline.Notice{
				ID: id, Campaign: c.ID, Import: i.ID, Role: pipeline.Primary, Person: person(id), State: pipeline.Due, Born: pipeline.Due,
				Channel: pipeline.Email, Attempt: 1, Kind: pipeline.First, DueAt: t0, Gen: 1, MovedAt: t0, Provider: "orange", Locale: "fr", Format: "standard",
			}})
		}
		if err := l.Stage(ctx, i.ID, list); err != nil {
			return err
		}
		if err := l.StageTokens(ctx, i.ID, []pipeline.Token{{Hash: [16]byte{8, byte(first >> 8), byte(first)}, Notice: first}}); err != nil {
			return err
		}
		fmt.Printf("staged %d\n", first)
	}
	return ctx.Err()
}

// testAbandonedImport kills a process that stages: nobody sees anything of it,
// Sweep takes it away, and its IDs are not given again.
func testAbandonedImport(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(5, nil)
	said := map[int64]pipeline.State{}
	runChild(t, b.place, childStages, 15, said)
	b.visible(5)
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	if len(imports) != 2 || !imports[1].PublishedAt.IsZero() {
		t.Fatalf("%+v", imports)
	}
	if got := b.take(100); len(got) != 5 {
		t.Errorf("took %d, want 5", len(got))
	}
	b.must(b.Sweep(b.ctx, b.campaign.ID, t0)) // staged at that time, not before
	if imports, _ := b.Imports(b.ctx, b.campaign.ID); len(imports) != 2 {
		t.Error("an import that may still be at work was swept")
	}
	b.must(b.Sweep(b.ctx, b.campaign.ID, t0.Add(time.Hour)))
	if imports, _ := b.Imports(b.ctx, b.campaign.ID); len(imports) != 1 {
		t.Errorf("%d imports after the sweep", len(imports))
	}
	if err := b.Stage(b.ctx, imports[1].ID, b.staged(imports[1].ID, 1, nil)); !is(err, pipeline.ErrNotFound) && !is(err, pipeline.ErrConflict) {
		t.Errorf("staged into an import that was swept: %v", err)
	}
	first, err := b.ReserveIDs(b.ctx, 1)
	b.must(err)
	for id := range said {
		if first <= id {
			t.Errorf("id %d given again, after %d", first, id)
		}
	}
	_, more := b.publish(7, nil)
	b.visible(12)
	if more[0].ID <= n[4].ID {
		t.Errorf("ids go back from %d to %d", n[4].ID, more[0].ID)
	}
}
