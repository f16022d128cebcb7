package ledgertest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func inbound(n int) pipeline.Inbound {
	m := pipeline.Inbound{Source: pipeline.FromLMTP, At: t0.Add(time.Duration(n) * time.Second), Sealed: fmt.Appendf(nil, "sealed message %d", n)}
	copy(m.Key[:], fmt.Sprintf("key %028d", n))
	return m
}

func (b *bench) inbox(f pipeline.InboundFilter) (list []pipeline.Inbound) {
	b.t.Helper()
	for m, err := range b.Inbox(b.ctx, f) {
		b.must(err)
		list = append(list, m)
	}
	return list
}

func testInbox(t *testing.T, e Engine) {
	b := newBench(t, e)
	if ok, err := b.Keep(b.ctx, nil); err != nil || len(ok) != 0 {
		t.Fatalf("nothing: %v, %v", ok, err)
	}
	// The same twice in a batch, and again in the next one, is one message.
	fresh, err := b.Keep(b.ctx, []pipeline.Inbound{inbound(1), inbound(2), inbound(1)})
	b.must(err)
	if fmt.Sprint(fresh) != "[true true false]" {
		t.Fatalf("fresh %v", fresh)
	}
	fresh, err = b.Keep(b.ctx, []pipeline.Inbound{inbound(2), inbound(3)})
	b.must(err)
	if fmt.Sprint(fresh) != "[false true]" {
		t.Fatalf("fresh %v", fresh)
	}
	all := b.inbox(pipeline.InboundFilter{States: []pipeline.InboundState{pipeline.InboundPending}, Raw: true})
	if len(all) != 3 {
		t.Fatalf("%d pending", len(all))
	}
	for i, m := range all {
		want := inbound(i + 1)
		if m.Key != want.Key || !bytes.Equal(m.Sealed, want.Sealed) || !m.At.Equal(want.At) || m.Source != want.Source || m.State != pipeline.InboundPending || !m.JudgedAt.IsZero() || i > 0 && m.ID <= all[i-1].ID {
			t.Fatalf("%+v", m)
		}
	}
	if list := b.inbox(pipeline.InboundFilter{After: all[0].ID, Limit: 1}); len(list) != 1 || list[0].ID != all[1].ID || list[0].Sealed != nil {
		t.Fatalf("a page of one: %+v", list)
	}

	judged := all[0]
	judged.State, judged.Notice, judged.Attempt, judged.Kind, judged.Outcome, judged.Code = pipeline.InboundApplied, 42, 2, "bounce", pipeline.Dead, "5.1.1 \xff\x00"
	judged.JudgedAt, judged.Rules = t0.Add(time.Hour), 7
	forwarded := all[1]
	forwarded.State, forwarded.Kind, forwarded.ForwardedAt = pipeline.InboundForwarded, "reply", t0.Add(2*time.Hour)
	b.must(b.Judge(b.ctx, []pipeline.Inbound{judged, forwarded}))
	got := b.inbox(pipeline.InboundFilter{Notice: 42})
	if len(got) != 1 || got[0].State != pipeline.InboundApplied || got[0].Attempt != 2 || got[0].Kind != "bounce" || got[0].Outcome != pipeline.Dead || got[0].Code != "5.1.1 \uFFFD\uFFFD" || !got[0].JudgedAt.Equal(judged.JudgedAt) || got[0].Rules != 7 {
		t.Fatalf("%+v", got)
	}
	if list := b.inbox(pipeline.InboundFilter{States: []pipeline.InboundState{pipeline.InboundForwarded, pipeline.InboundApplied}, Kinds: []string{"reply"}}); len(list) != 1 || list[0].ID != forwarded.ID {
		t.Fatalf("%+v", list)
	}
	counts, err := b.CountInbox(b.ctx)
	b.must(err)
	if fmt.Sprint(counts) != "[{applied bounce 1} {forwarded reply 1} {pending  1}]" {
		t.Fatalf("counts %v", counts)
	}

	// Judged again, it is not forwarded again.
	n, err := b.Reopen(b.ctx, []pipeline.InboundState{pipeline.InboundForwarded, pipeline.InboundPending, pipeline.InboundGarbage})
	b.must(err)
	if n != 1 {
		t.Fatalf("%d reopened", n)
	}
	again := b.inbox(pipeline.InboundFilter{Kinds: []string{"reply"}})[0]
	if again.State != pipeline.InboundPending || again.ForwardedAt.IsZero() {
		t.Fatalf("%+v", again)
	}
	again.State, again.ForwardedAt = pipeline.InboundRecorded, time.Time{}
	b.must(b.Judge(b.ctx, []pipeline.Inbound{again}))
	if got := b.inbox(pipeline.InboundFilter{Kinds: []string{"reply"}})[0]; !got.ForwardedAt.Equal(forwarded.ForwardedAt) {
		t.Fatalf("%+v", got)
	}

	wrong := all[2]
	wrong.State = "nonsense"
	if err := b.Judge(b.ctx, []pipeline.Inbound{wrong}); err == nil {
		t.Fatal("a state that does not exist was stored")
	}
}

// testInboxConcurrently: many keepers of overlapping messages, each message once.
func testInboxConcurrently(t *testing.T, e Engine) {
	b := newBench(t, e)
	const keepers, each = 8, 40
	var mu sync.Mutex
	stored := map[[32]byte]int{}
	var all sync.WaitGroup
	for k := range keepers {
		all.Go(func() {
			for i := 0; i < each; i += 4 {
				var batch []pipeline.Inbound
				for j := range 4 {
					// Half of them are those of the keeper before, in another order.
					batch = append(batch, inbound((k*each/2+each-i-j)%(keepers*each/2)))
				}
				fresh, err := b.Keep(b.ctx, batch)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for x := range fresh {
					if fresh[x] {
						stored[batch[x].Key]++
					}
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	list := b.inbox(pipeline.InboundFilter{})
	if len(list) != keepers*each/2 || len(stored) != len(list) {
		t.Fatalf("%d kept, %d reported", len(list), len(stored))
	}
	for k, n := range stored {
		if n != 1 {
			t.Fatalf("%q was new %d times", k, n)
		}
	}
}
