package ledgertest

import (
	"context"
	"crypto/sha256"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func testEmbargoes(t *testing.T, e Engine) {
	b := newBench(t, e)
	if all, err := b.Embargoes(b.ctx); err != nil || len(all) != 0 {
		t.Fatalf("%v, %v", all, err)
	}
	want := pipeline.Embargo{Campaign: b.campaign.ID, Until: t0.Add(time.Hour), Members: []string{"ana", "token:crm"}}
	set, err := b.SetEmbargo(b.ctx, want, b.audit("embargo"))
	b.must(err)
	_, err = b.SetEmbargo(b.ctx, want, b.audit("embargo"))
	b.want(err, pipeline.ErrStale)
	want.Gen = 1
	if all, err := b.Embargoes(b.ctx); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], want) || !reflect.DeepEqual(set, want) {
		t.Errorf("%+v, %+v, %v", all, set, err)
	}
	stale := set
	set.Until, set.Members = time.Time{}, nil
	set, err = b.SetEmbargo(b.ctx, set, b.audit("embargo"))
	b.must(err)
	_, err = b.SetEmbargo(b.ctx, stale, b.audit("embargo"))
	b.want(err, pipeline.ErrStale)
	if all, err := b.Embargoes(b.ctx); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], set) || set.Gen != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	n := 0
	for a, err := range b.AuditTrail(b.ctx, b.campaign.ID) {
		b.must(err)
		if a.Action == "embargo" {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d entries of the audit trail, want 2", n)
	}
}

func testPrograms(t *testing.T, e Engine) {
	b := newBench(t, e)
	crm := pipeline.APIToken{Name: "crm", Hash: sha256.Sum256([]byte("one")), Scopes: []string{"look-up", "see"}, PerMinute: 60, LookUps: 500, CreatedAt: t0, CreatedBy: "user:ana", ExpiresAt: t0.Add(time.Hour)}
	made, err := b.CreateToken(b.ctx, crm, installation("token-add"))
	b.must(err)
	crm.ID = made.ID
	twin := crm
	twin.Hash = sha256.Sum256([]byte("two"))
	_, err = b.CreateToken(b.ctx, twin, installation("token-add"))
	b.want(err, pipeline.ErrExists)
	got, err := b.TokenOf(b.ctx, crm.Hash)
	b.must(err)
	if made.ID == 0 || !reflect.DeepEqual(got, crm) {
		t.Errorf("read %+v, stored %+v", got, crm)
	}
	_, err = b.TokenOf(b.ctx, twin.Hash)
	b.want(err, pipeline.ErrNotFound)
	b.must(b.TouchToken(b.ctx, crm.ID, t0.Add(time.Minute)))
	b.must(b.RevokeToken(b.ctx, "crm", t0.Add(2*time.Minute), installation("token-revoke")))
	b.want(b.RevokeToken(b.ctx, "crm", t0.Add(3*time.Minute), installation("token-revoke")), pipeline.ErrConflict)
	b.want(b.RevokeToken(b.ctx, "nobody", t0, installation("token-revoke")), pipeline.ErrNotFound)
	all, err := b.AllTokens(b.ctx)
	b.must(err)
	if len(all) != 1 || !all[0].SeenAt.Equal(t0.Add(time.Minute)) || !all[0].RevokedAt.Equal(t0.Add(2*time.Minute)) {
		t.Errorf("%+v", all)
	}
	var actions []string
	for a, err := range b.AuditTrail(b.ctx, 0) {
		b.must(err)
		actions = append(actions, a.Action)
	}
	if want := []string{"token-add", "token-revoke"}; !reflect.DeepEqual(actions, want) {
		t.Errorf("audit trail: %v", actions)
	}
}

// testRemembered: of many who ask with the same key at the same moment one does the
// work, and all others find it.
func testRemembered(t *testing.T, e Engine) {
	b := newBench(t, e)
	k, err := b.CreateToken(b.ctx, pipeline.APIToken{Name: "crm", Hash: sha256.Sum256([]byte("one")), CreatedAt: t0, ExpiresAt: t0.Add(time.Hour)}, installation("token-add"))
	b.must(err)
	r := pipeline.Remembered{Token: k.ID, Key: sha256.Sum256([]byte("key")), Request: sha256.Sum256([]byte("pause")), At: t0}
	var wg sync.WaitGroup
	var first atomic.Int32
	for range 8 {
		wg.Go(func() {
			kept, won, err := b.Remember(context.Background(), r)
			if err != nil || kept.Request != r.Request || kept.Status != 0 {
				t.Errorf("%+v, %v", kept, err)
			}
			if won {
				first.Add(1)
			}
		})
	}
	wg.Wait()
	if first.Load() != 1 {
		t.Errorf("%d were first", first.Load())
	}
	// The signature of a mail provider's event belongs to no program.
	event := r
	event.Token = 0
	if _, won, err := b.Remember(b.ctx, event); err != nil || !won {
		t.Errorf("an event: %t, %v", won, err)
	}
	again := event
	again.Request = sha256.Sum256([]byte("another event"))
	if kept, won, err := b.Remember(b.ctx, again); err != nil || won || kept.Request != event.Request {
		t.Errorf("another event: %+v, %t, %v", kept, won, err)
	}
	if kept, err := b.Recall(b.ctx, r.Token, r.Key); err != nil || kept.Status != 0 || kept.Request != r.Request || !kept.At.Equal(t0) {
		t.Errorf("%+v, %v", kept, err)
	}
	_, err = b.Recall(b.ctx, r.Token, sha256.Sum256([]byte("another key")))
	b.want(err, pipeline.ErrNotFound)
	r.Status, r.Body = 200, []byte("sealed")
	b.must(b.Answered(b.ctx, r))
	if kept, err := b.Recall(b.ctx, r.Token, r.Key); err != nil || !reflect.DeepEqual(kept, r) {
		t.Errorf("%+v, %v", kept, err)
	}
	other := r
	other.Request = sha256.Sum256([]byte("launch"))
	if kept, won, err := b.Remember(b.ctx, other); err != nil || won || !reflect.DeepEqual(kept, r) {
		t.Errorf("%+v, %t, %v", kept, won, err)
	}
	b.must(b.ForgetAnswers(b.ctx, t0))
	if _, won, err := b.Remember(b.ctx, r); err != nil || won {
		t.Errorf("forgotten too early: %v", err)
	}
	b.must(b.ForgetAnswers(b.ctx, t0.Add(time.Second)))
	if _, won, err := b.Remember(b.ctx, r); err != nil || !won {
		t.Errorf("still there: %v", err)
	}
	b.must(b.Forget(b.ctx, r))
	if _, won, err := b.Remember(b.ctx, r); err != nil || !won {
		t.Errorf("not forgotten: %v", err)
	}
}
