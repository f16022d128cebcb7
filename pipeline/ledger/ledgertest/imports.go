package ledgertest

import (
	"bytes"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// visible counts the notices that readers see, every way there is.
func (b *bench) visible(want int) {
	b.t.Helper()
	n := 0
	for _, err := range b.Each(b.ctx, pipeline.Filter{Campaign: b.campaign.ID}) {
		b.must(err)
		n++
	}
	tallied, recounted := int64(0), int64(0)
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	for _, x := range tally {
		tallied += x.Count
	}
	tally, err = b.Recount(b.ctx, b.campaign.ID)
	b.must(err)
	for _, x := range tally {
		recounted += x.Count
	}
	if n != want || tallied != int64(want) || recounted != int64(want) {
		b.t.Fatalf("each sees %d, tally %d, recount %d; want %d", n, tallied, recounted, want)
	}
}

func testPublish(t *testing.T, e Engine) {
	b := newBench(t, e)
	i := b.begin("a")
	list := b.staged(i.ID, 10, nil)
	b.must(b.Stage(b.ctx, i.ID, list[:6]))
	b.must(b.Stage(b.ctx, i.ID, list[6:]))
	b.must(b.StageTokens(b.ctx, i.ID, []pipeline.Token{{Hash: [16]byte{1}, Notice: list[0].Notice.ID}}))
	b.visible(0)
	if got := b.take(5); len(got) != 0 {
		t.Fatalf("took %v of an unpublished import", got)
	}
	if found, _, err := b.Search(b.ctx, b.campaign.ID, [16]byte{1}, 5); err != nil || len(found) != 0 {
		t.Fatalf("found %v, %v", found, err)
	}
	if _, err := b.Notice(b.ctx, list[0].Notice.ID); !is(err, pipeline.ErrNotFound) {
		t.Fatalf("an unpublished notice: %v", err)
	}
	m := manifest(list)
	m.Files = []pipeline.FileCount{{Name: "customers.csv", Rows: 11, Accepted: 10, Rejected: 1}}
	m.Defects = map[string]int64{"shared-email": 2}
	b.must(b.Publish(b.ctx, i.ID, m, false, b.audit("import")))
	b.visible(10)
	b.want(b.Publish(b.ctx, i.ID, m, false, b.audit("import")), pipeline.ErrConflict)
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	if len(imports) != 1 || imports[0].Manifest.Files[0].Rejected != 1 || imports[0].Manifest.Defects["shared-email"] != 2 || !imports[0].PublishedAt.Equal(t0) || imports[0].Actor != "user:test" {
		t.Fatalf("%+v", imports)
	}
	for k, s := range list {
		j, err := b.Notice(b.ctx, s.Notice.ID)
		b.must(err)
		same(t, j.Notice, s.Notice)
		if !bytes.Equal(j.Sealed, list[k].Sealed) {
			t.Fatalf("sealed %q", j.Sealed)
		}
	}
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	if d := pipeline.NewBalance(imports, tally).Difference(); d != 0 {
		t.Fatalf("balance %d", d)
	}
}

func testReplace(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, old := b.publish(4, nil)
	i := b.begin("new")
	list := b.staged(i.ID, 3, nil)
	b.must(b.Stage(b.ctx, i.ID, list))
	b.visible(4)
	b.must(b.Publish(b.ctx, i.ID, manifest(list), true, b.audit("import")))
	b.visible(3)
	if _, err := b.Notice(b.ctx, old[0].ID); !is(err, pipeline.ErrNotFound) {
		t.Fatalf("a replaced notice: %v", err)
	}
	b.must(b.Sweep(b.ctx, b.campaign.ID, t0.Add(-time.Hour)))
	b.visible(3)
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	if len(imports) != 2 || imports[0].ReplacedAt.IsZero() || !imports[1].ReplacedAt.IsZero() {
		t.Fatalf("%+v", imports)
	}
	// After the launch a list is added, never exchanged.
	c := b.campaign
	c.State, c.LaunchAt = pipeline.Running, t0
	b.must(b.UpdateCampaign(b.ctx, c, []pipeline.CampaignState{pipeline.Draft}, b.audit("launch")))
	late := b.begin("late")
	b.want(b.Publish(b.ctx, late.ID, pipeline.Manifest{}, true, b.audit("import")), pipeline.ErrConflict)
	b.visible(3)
}

func testSameContent(t *testing.T, e Engine) {
	b := newBench(t, e)
	first, twin := b.begin("same"), b.begin("same")
	b.must(b.Publish(b.ctx, first.ID, pipeline.Manifest{}, false, b.audit("import")))
	b.want(b.Publish(b.ctx, twin.ID, pipeline.Manifest{}, false, b.audit("import")), pipeline.ErrExists)
	got, err := b.BeginImport(b.ctx, pipeline.Import{Campaign: b.campaign.ID, Content: "same", StagedAt: t0})
	b.want(err, pipeline.ErrExists)
	if got.ID != first.ID {
		t.Fatalf("import %d, want %d", got.ID, first.ID)
	}
}

func testDiscard(t *testing.T, e Engine) {
	b := newBench(t, e)
	gone, dead := b.begin("gone"), b.begin("dead")
	for _, i := range []pipeline.Import{gone, dead} {
		b.must(b.Stage(b.ctx, i.ID, b.staged(i.ID, 3, nil)))
		b.must(b.StageTokens(b.ctx, i.ID, []pipeline.Token{{Hash: [16]byte{byte(i.ID)}, Notice: 0}}))
	}
	published, _ := b.publish(2, nil)
	b.must(b.Discard(b.ctx, gone.ID))
	b.want(b.Discard(b.ctx, published.ID), pipeline.ErrConflict)
	b.must(b.Sweep(b.ctx, b.campaign.ID, t0.Add(time.Second)))
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	if len(imports) != 1 || imports[0].ID != published.ID {
		t.Fatalf("%+v", imports)
	}
	b.visible(2)
}

func testStageRefuses(t *testing.T, e Engine) {
	b := newBench(t, e)
	i, notices := b.publish(1, nil)
	b.want(b.Stage(b.ctx, i.ID, b.staged(i.ID, 1, nil)), pipeline.ErrConflict)
	next := b.begin("next")
	again := b.staged(next.ID, 1, nil)
	again[0].Notice.ID = notices[0].ID
	if err := b.Stage(b.ctx, next.ID, again); err == nil {
		t.Fatal("an id that is taken was staged")
	}
	wrong := b.staged(next.ID, 1, func(_ int, n *pipeline.Notice) { n.State, n.Born = "lost", "lost" })
	if err := b.Stage(b.ctx, next.ID, wrong); err == nil {
		t.Fatal("a state that does not exist was staged")
	}
	b.visible(1)
}

func testPeople(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, notices := b.publish(5, nil)
	staged := b.begin("unseen")
	b.must(b.Stage(b.ctx, staged.ID, b.staged(staged.ID, 1, func(_ int, n *pipeline.Notice) { n.Person = []byte("somebody else!!!") })))
	found, err := b.People(b.ctx, b.campaign.ID, [][]byte{notices[1].Person, notices[3].Person, []byte("nobody 123456789"), []byte("somebody else!!!")})
	b.must(err)
	if len(found) != 2 || found[string(notices[3].Person)].ID != notices[3].ID || len(found[string(notices[1].Person)].Sealed) == 0 {
		t.Fatalf("%d found", len(found))
	}
}

// supplement stages and publishes one supplement of a parent, not merged.
func (b *bench) supplement(parent pipeline.Notice, content string) (pipeline.Import, pipeline.Notice) {
	b.t.Helper()
	i := b.begin(content)
	list := b.staged(i.ID, 1, func(_ int, n *pipeline.Notice) {
		n.Role, n.Parent, n.Person = pipeline.Supplement, parent.ID, parent.Person
	})
	b.must(b.Stage(b.ctx, i.ID, list))
	b.must(b.StageTokens(b.ctx, i.ID, []pipeline.Token{{Hash: [16]byte{0xAA, byte(i.ID)}, Notice: list[0].Notice.ID}}))
	b.must(b.Publish(b.ctx, i.ID, manifest(list), false, b.audit("import")))
	return i, list[0].Notice
}

func testSupplements(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, notices := b.publish(1, nil)
	b.take(1) // the parent is on its way
	i, sup := b.supplement(notices[0], "more")
	if got := b.take(10); len(got) != 0 {
		t.Fatalf("took %v before the import was merged", got)
	}
	due, err := b.NextDue(b.ctx, b.campaign.ID)
	b.must(err)
	if !due[pipeline.Email].IsZero() {
		t.Fatal("a supplement that waits is due")
	}
	list, err := b.Unmerged(b.ctx, i.ID, 0, 10)
	b.must(err)
	equal(t, "unmerged", jobIDs(list), []int64{sup.ID})
	if list, _ := b.Unmerged(b.ctx, i.ID, sup.ID, 10); len(list) != 0 {
		t.Fatal("the same supplement twice")
	}
	siblings, err := b.Siblings(b.ctx, notices[0].ID)
	b.must(err)
	equal(t, "siblings", jobIDs(siblings), []int64{sup.ID})
	b.must(b.Merged(b.ctx, i.ID, t0))
	equal(t, "taken", ids(b.take(10)), []int64{sup.ID})
}

func testAbsorb(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, notices := b.publish(2, nil)
	parent := notices[0]
	i, sup := b.supplement(parent, "more")
	next := parent
	next.Kinds = []string{"bank-truncated", "contact", "identity"}
	change := pipeline.Move(parent, next, pipeline.Event{Kind: pipeline.EvAbsorbed, At: t0, Actor: "import"})
	change.Sealed = []byte("both")
	stale := change
	stale.From.Gen, stale.To.Gen = 7, 8
	if ok, err := b.Absorb(b.ctx, stale, sup); err != nil || ok {
		t.Fatalf("a stale parent absorbed: %v, %v", ok, err)
	}
	ok, err := b.Absorb(b.ctx, change, sup)
	b.must(err)
	if !ok {
		t.Fatal("not absorbed")
	}
	j, err := b.Notice(b.ctx, parent.ID)
	b.must(err)
	if string(j.Sealed) != "both" || len(j.Kinds) != 3 || j.Gen != parent.Gen+1 || j.State != pipeline.Due {
		t.Fatalf("%q %+v", j.Sealed, j.Notice)
	}
	if _, err := b.Notice(b.ctx, sup.ID); !is(err, pipeline.ErrNotFound) {
		t.Fatalf("the supplement: %v", err)
	}
	found, _, err := b.Search(b.ctx, b.campaign.ID, [16]byte{0xAA, byte(i.ID)}, 5)
	b.must(err)
	equal(t, "its token leads to", found, []int64{parent.ID})
	if ok, err := b.Absorb(b.ctx, change, sup); err != nil || ok {
		t.Fatalf("absorbed twice: %v, %v", ok, err)
	}
	imports, err := b.Imports(b.ctx, b.campaign.ID)
	b.must(err)
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	if d := pipeline.NewBalance(imports, tally).Difference(); d != 0 || imports[1].Absorbed != 1 {
		t.Fatalf("balance %d, absorbed %d", d, imports[1].Absorbed)
	}
}

func testSearch(t *testing.T, e Engine) {
	b := newBench(t, e)
	i := b.begin("a")
	list := b.staged(i.ID, 3, nil)
	b.must(b.Stage(b.ctx, i.ID, list))
	shared, nobody := [16]byte{5}, [16]byte{9}
	b.must(b.StageTokens(b.ctx, i.ID, []pipeline.Token{{Hash: shared, Notice: list[0].Notice.ID}, {Hash: shared, Notice: list[2].Notice.ID}, {Hash: shared, Notice: list[2].Notice.ID}}))
	b.must(b.StageTokens(b.ctx, i.ID, []pipeline.Token{{Hash: nobody}}))
	b.must(b.Publish(b.ctx, i.ID, manifest(list), false, b.audit("import")))
	found, by, err := b.Search(b.ctx, b.campaign.ID, shared, 10)
	b.must(err)
	equal(t, "newest first", found, []int64{list[2].Notice.ID, list[0].Notice.ID})
	if by != 0 {
		t.Fatalf("bystander of %d", by)
	}
	found, by, err = b.Search(b.ctx, b.campaign.ID, nobody, 10)
	b.must(err)
	if len(found) != 0 || by != i.ID {
		t.Fatalf("found %v, bystander of %d; want none, %d", found, by, i.ID)
	}
	if found, _, _ := b.Search(b.ctx, b.campaign.ID, shared, 1); len(found) != 1 {
		t.Fatalf("limit 1 gave %v", found)
	}
	if found, by, err := b.Search(b.ctx, b.campaign.ID, [16]byte{77}, 10); err != nil || len(found) != 0 || by != 0 {
		t.Fatalf("an unknown token: %v, %d, %v", found, by, err)
	}
	some, err := b.Concerned(b.ctx, b.campaign.ID, [][16]byte{shared, nobody, {77}, shared})
	b.must(err)
	if len(some) != 1 || !some[shared] {
		t.Fatalf("of several: %v", some)
	}
	for _, none := range [][][16]byte{nil, {nobody}} {
		if some, err := b.Concerned(b.ctx, b.campaign.ID, none); err != nil || len(some) != 0 {
			t.Fatalf("of %d: %v, %v", len(none), some, err)
		}
	}
	if some, err := b.Concerned(b.ctx, b.campaign.ID+1, [][16]byte{shared}); err != nil || len(some) != 0 {
		t.Fatalf("in another campaign: %v, %v", some, err)
	}
}
