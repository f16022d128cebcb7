package ledgertest

import (
	"bytes"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func testMeta(t *testing.T, e Engine) {
	b := newBench(t, e)
	get := func(want string) {
		t.Helper()
		if v, err := b.Meta(b.ctx, "k"); err != nil || v != want {
			t.Fatalf("got %q, %v; want %q", v, err, want)
		}
	}
	set := func(value string, ifEmpty bool, want string) {
		t.Helper()
		if v, err := b.SetMeta(b.ctx, "k", value, ifEmpty); err != nil || v != want {
			t.Fatalf("got %q, %v; want %q", v, err, want)
		}
		get(want)
	}
	get("")
	set("a", true, "a")
	set("b", true, "a")
	set("b", false, "b")
	b.must(b.Ping(b.ctx))
	// Of many who change what they read one does.
	b.want(b.SwapMeta(b.ctx, "k", "a", "c"), pipeline.ErrConflict)
	b.want(b.SwapMeta(b.ctx, "k", "", "c"), pipeline.ErrConflict)
	get("b")
	b.must(b.SwapMeta(b.ctx, "k", "b", "c"))
	get("c")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = b.SwapMeta(b.ctx, "new", "", strconv.Itoa(i+1)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, pipeline.ErrConflict) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d changed it", won)
	}
}

func testCampaigns(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, err := b.CreateCampaign(b.ctx, pipeline.Campaign{Name: "muguet", CodeName: "X", Kind: "breach", State: pipeline.Draft, CreatedAt: t0})
	b.want(err, pipeline.ErrExists)
	_, err = b.Campaign(b.ctx, "nobody")
	b.want(err, pipeline.ErrNotFound)

	c := b.campaign
	c.State, c.LaunchAt, c.Canary, c.PausedFor = pipeline.Running, t0.Add(time.Hour), 100, "operator"
	c.Email = pipeline.EmailPolicy{Connections: 4, Window: 8, Rate: 2.5, Hours: "08:00-20:00", Providers: pipeline.ProviderPolicy{Default: true, Limits: map[string]pipeline.ProviderLimit{"orange": {Rate: 1}}}}
	b.want(b.UpdateCampaign(b.ctx, c, []pipeline.CampaignState{pipeline.Approved}, b.audit("launch")), pipeline.ErrConflict)
	b.must(b.UpdateCampaign(b.ctx, c, []pipeline.CampaignState{pipeline.Approved, pipeline.Draft}, b.audit("launch")))
	got, err := b.Campaign(b.ctx, "muguet")
	b.must(err)
	if got.State != c.State || !got.LaunchAt.Equal(c.LaunchAt) || got.Canary != 100 || got.PausedFor != "operator" || got.Email.Rate != 2.5 || !got.Email.Providers.Default || got.Email.Providers.Limits["orange"].Rate != 1 || got.ID != b.campaign.ID {
		t.Fatalf("%+v", got)
	}
	_, err = b.CreateCampaign(b.ctx, pipeline.Campaign{Name: "second", CodeName: "LILAS", Kind: "awareness", State: pipeline.Draft, CreatedAt: t0})
	b.must(err)
	all, err := b.AllCampaigns(b.ctx)
	b.must(err)
	if len(all) != 2 {
		t.Fatalf("%d campaigns", len(all))
	}
	if n := countAudit(b, b.campaign.ID); n != 1 {
		t.Fatalf("%d audit entries, want the one of the change that applied", n)
	}
}

func countAudit(b *bench, campaign int64) (n int) {
	b.t.Helper()
	for _, err := range b.AuditTrail(b.ctx, campaign) {
		b.must(err)
		n++
	}
	return n
}

func testVersions(t *testing.T, e Engine) {
	b := newBench(t, e)
	add := func(i int, from pipeline.Campaign, state pipeline.CampaignState) (pipeline.Version, error) {
		return b.AddVersion(b.ctx, pipeline.Version{Campaign: b.campaign.ID, Hash: "h", Content: []byte{byte(i)}, Diff: "d", AuthoredBy: "a", ApprovedBy: "b", ApprovedAt: t0, Population: 5, Imports: []int64{1, 2}}, from, state, b.audit("approve"))
	}
	c := b.campaign
	for i := 1; i <= 2; i++ {
		v, err := add(i, c, pipeline.Approved)
		b.must(err)
		if v.N != i {
			t.Fatalf("version %d, want %d", v.N, i)
		}
		c, err = b.Campaign(b.ctx, "muguet")
		b.must(err)
	}
	if c.Version != 2 || c.State != pipeline.Approved {
		t.Fatalf("%+v", c)
	}
	testOldApprovals(b, c, add)
	v, err := b.Version(b.ctx, c.ID, 1)
	b.must(err)
	if !bytes.Equal(v.Content, []byte{1}) || v.Diff != "d" || v.ApprovedBy != "b" || !v.ApprovedAt.Equal(t0) || len(v.Imports) != 2 {
		t.Fatalf("%+v", v)
	}
	_, err = b.Version(b.ctx, c.ID, 3)
	b.want(err, pipeline.ErrNotFound)
	list, err := b.Versions(b.ctx, c.ID)
	b.must(err)
	if len(list) != 2 || list[0].N != 1 || list[0].Content != nil {
		t.Fatalf("%+v", list)
	}
	// Who resumes with an old copy does not bring old letters back.
	old := b.campaign
	old.State = pipeline.Running
	b.must(b.UpdateCampaign(b.ctx, old, []pipeline.CampaignState{pipeline.Approved}, b.audit("launch")))
	if c, _ := b.Campaign(b.ctx, "muguet"); c.Version != 2 {
		t.Fatalf("version %d after a change with an old copy", c.Version)
	}
}

// testOldApprovals: an approval that took long does not undo what was done to the
// campaign meanwhile, and of several at the same moment one counts.
func testOldApprovals(b *bench, found pipeline.Campaign, add func(int, pipeline.Campaign, pipeline.CampaignState) (pipeline.Version, error)) {
	b.t.Helper()
	older, stopped := found, found
	older.Version--
	stopped.State = pipeline.Running
	before := countAudit(b, found.ID)
	for _, from := range []pipeline.Campaign{older, stopped} {
		_, err := add(9, from, pipeline.Running)
		b.want(err, pipeline.ErrConflict)
	}
	now, err := b.Campaign(b.ctx, found.Name)
	b.must(err)
	if now.Version != found.Version || now.State != found.State || countAudit(b, found.ID) != before {
		b.t.Fatalf("an old approval left %+v", now)
	}
	nobody := found
	nobody.ID = 1 << 40
	_, err = b.AddVersion(b.ctx, pipeline.Version{Campaign: nobody.ID}, nobody, pipeline.Approved, b.audit("approve"))
	b.want(err, pipeline.ErrNotFound)
}

func testBreakers(t *testing.T, e Engine) {
	b := newBench(t, e)
	open := func(reason string, until time.Time) {
		b.must(b.OpenBreaker(b.ctx, pipeline.Breaker{Campaign: b.campaign.ID, Scope: "relay", Reason: reason, Detail: "d", Since: t0, Until: until}))
	}
	open("dead", t0.Add(time.Minute))
	open("policy", time.Time{})
	list, err := b.Breakers(b.ctx, b.campaign.ID)
	b.must(err)
	if len(list) != 1 || list[0].Reason != "policy" || !list[0].Until.IsZero() || !list[0].Since.Equal(t0) {
		t.Fatalf("%+v", list)
	}
	for range 2 {
		b.must(b.CloseBreaker(b.ctx, b.campaign.ID, "relay", b.audit("release")))
	}
	if list, _ := b.Breakers(b.ctx, b.campaign.ID); len(list) != 0 {
		t.Fatalf("%+v", list)
	}
	if n := countAudit(b, b.campaign.ID); n != 1 {
		t.Fatalf("%d audit entries for closing once", n)
	}
}

func testAudit(t *testing.T, e Engine) {
	b := newBench(t, e)
	for _, action := range []string{"one", "two"} {
		a := b.audit(action)
		a.Detail = "x=1"
		b.must(b.Append(b.ctx, a))
	}
	b.must(b.Append(b.ctx, pipeline.Audit{At: t0, Actor: "system", Action: "start"}))
	var got []string
	for a, err := range b.AuditTrail(b.ctx, b.campaign.ID) {
		b.must(err)
		if a.Actor != "user:test" || a.Reason != "why" || a.Detail != "x=1" || !a.At.Equal(t0) {
			t.Fatalf("%+v", a)
		}
		got = append(got, a.Action)
	}
	equal(t, "actions", got, []string{"one", "two"})
	if n := countAudit(b, 0); n != 1 {
		t.Fatalf("%d entries of the installation", n)
	}
	last, err := b.LastAudits(b.ctx, b.campaign.ID, 1)
	b.must(err)
	if len(last) != 1 || last[0].Action != "two" || !last[0].At.Equal(t0) || last[0].Detail != "x=1" {
		t.Fatalf("%+v", last)
	}
	last, err = b.LastAudits(b.ctx, b.campaign.ID, 9)
	b.must(err)
	if len(last) != 2 || last[1].Action != "one" {
		t.Fatalf("%+v", last)
	}
	for range 20 {
		b.must(b.Append(b.ctx, b.audit("look-up")))
	}
	actions, err := b.Actions(b.ctx, b.campaign.ID)
	b.must(err)
	equal(t, "what was done", actions, []string{"look-up", "one", "two"})
	b.must(b.Append(b.ctx, b.audit("one")))
	deeds, err := b.LastDeeds(b.ctx, b.campaign.ID, []string{"one", "none", "two"}, 2)
	b.must(err)
	if len(deeds) != 2 || deeds[0].Action != "one" || deeds[1].Action != "two" || deeds[1].Detail != "x=1" || deeds[1].Campaign != b.campaign.ID || deeds[0].ID < deeds[1].ID {
		t.Fatalf("%+v", deeds)
	}
	if deeds, err = b.LastDeeds(b.ctx, b.campaign.ID, nil, 5); err != nil || len(deeds) != 0 {
		t.Fatalf("%+v, %v", deeds, err)
	}
	for _, detail := range []string{"R000001 letter 2", "R000001 letter 1"} {
		a := b.audit(pipeline.ActionPullByHand)
		a.Detail = detail
		b.must(b.Append(b.ctx, a))
	}
	hands, err := b.ByHand(b.ctx, b.campaign.ID)
	b.must(err)
	if len(hands) != 2 || hands[0].Detail != "R000001 letter 2" || hands[1].Action != pipeline.ActionPullByHand || hands[1].Actor != "user:test" {
		t.Fatalf("%+v", hands)
	}
	if hands, err = b.ByHand(b.ctx, 0); err != nil || len(hands) != 0 {
		t.Fatalf("of the installation: %+v, %v", hands, err)
	}
}
