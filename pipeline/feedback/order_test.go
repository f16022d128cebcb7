package feedback_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
)

// step is something that happens to a notice whose first attempt bounced and whose
// second is on its way.
type step string

const (
	queued   step = "queued" // the courier's steps, in this order
	sending  step = "sending"
	accepted step = "accepted"
	again    step = "again"   // the bounce of attempt 1 once more, by another way
	other    step = "other"   // another bounce of attempt 1, which says more
	arrived  step = "arrived" // attempt 1 is reported delivered
	second   step = "second"  // the bounce of attempt 2: dead
)

// orders are all orders in which the steps can happen: the courier's follow each
// other, and nothing bounces before it is sent.
func orders() (all [][]step) {
	steps := []step{queued, sending, accepted, again, other, arrived, second}
	var grow func(done, left []step)
	grow = func(done, left []step) {
		if len(left) == 0 {
			all = append(all, slices.Clone(done))
			return
		}
		for i, s := range left {
			before := map[step]step{sending: queued, accepted: sending, second: sending}[s]
			if before != "" && !slices.Contains(done, before) {
				continue
			}
			grow(append(done, s), slices.Concat(left[:i], left[i+1:]))
		}
	}
	grow(nil, steps)
	return all
}

// does is what a step changes, or what comes back because of it.
func (w *world) does(id int64, s step) (c []pipeline.Change, m []feedback.Message) {
	w.t.Helper()
	back := func(attempt int, action, status, said string) []feedback.Message {
		return []feedback.Message{{Source: pipeline.FromLMTP, To: w.path(id, attempt), Raw: w.report(id, attempt, action, status, said)}}
	}
	switch s {
	case queued:
		return []pipeline.Change{w.hop(id, pipeline.Queued)}, nil
	case sending:
		return []pipeline.Change{w.hop(id, pipeline.Sending)}, nil
	case accepted:
		return []pipeline.Change{w.event(id, pipeline.EvAccepted)}, nil
	case again:
		return nil, []feedback.Message{{Source: pipeline.FromIMAP, Raw: w.report(id, 1, "failed", "4.2.2", full)}}
	case other:
		return nil, back(1, "failed", "5.1.1", noUser)
	case arrived:
		return nil, back(1, "delivered", "2.0.0", "250 ok")
	}
	return nil, back(2, "failed", "5.1.1", noUser)
}

// TestEveryOrder: whatever comes back about attempt 1 while attempt 2 is on its
// way, in every order, the notice rests on attempt 2: its bounce, and nothing else,
// sends a letter.
func TestEveryOrder(t *testing.T) {
	t.Parallel()
	all := orders()
	w := newWorld(t)
	list := w.notices(len(all))
	w.accept(ids(list)...)
	var first []feedback.Message
	for _, n := range list {
		first = append(first, feedback.Message{Source: pipeline.FromLMTP, To: w.path(n.ID, 1), Raw: w.report(n.ID, 1, "failed", "4.2.2", full)})
	}
	w.takeAll(first...)
	w.round()
	w.clock.Advance(5 * time.Hour)
	for i := range all[0] {
		var changes []pipeline.Change
		var messages []feedback.Message
		for k, order := range all {
			c, m := w.does(list[k].ID, order[i])
			changes, messages = append(changes, c...), append(messages, m...)
		}
		w.commit(changes...)
		w.takeAll(messages...)
		w.round()
	}
	for k, order := range all {
		n := w.now(list[k].ID)
		if n.State != pipeline.Due || n.Channel != pipeline.Post || n.Attempt != 3 || n.Reason != pipeline.ReasonAddressDead || n.Resends != 1 {
			t.Fatalf("%v: %s by %s, attempt %d, %s, %d resends", order, n.State, n.Channel, n.Attempt, n.Reason, n.Resends)
		}
		if b := w.events(n.ID, pipeline.EvBounced); len(b) != 3 {
			t.Fatalf("%v: %d bounces in the timeline, want 3", order, len(b))
		}
	}
	counts, err := w.CountInbox(w.ctx)
	w.must(err)
	for _, c := range counts {
		if c.State == pipeline.InboundPending {
			t.Errorf("%d messages are still pending", c.Count)
		}
	}
	t.Logf("%d orders", len(all))
	w.sound()
}

// TestAnyHistory: any mix of hops, answers and messages, judged at any time. An
// older attempt never moves a notice, no message is lost, and judging all again
// changes nothing.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		id := w.notices(1)[0].ID
		sent := 0 // attempts that left
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			n := w.now(id)
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0:
				if n.State == pipeline.Due && n.Channel == pipeline.Email {
					w.commit(w.hop(id, pipeline.Queued))
				}
			case 1:
				if n.State == pipeline.Queued {
					w.commit(w.hop(id, pipeline.Sending))
					sent = n.Attempt
				}
			case 2:
				if n.State == pipeline.Sending {
					w.commit(w.event(id, rapid.SampledFrom([]pipeline.EventKind{pipeline.EvAccepted, pipeline.EvDoubted}).Draw(t, "answer")))
				}
			case 3:
				w.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			case 4, 5, 6:
				if sent == 0 {
					continue
				}
				attempt := rapid.IntRange(1, sent).Draw(t, "attempt")
				c := rapid.SampledFrom([][3]string{{"failed", "5.1.1", noUser}, {"failed", "4.2.2", full}, {"failed", "5.7.1", policied}, {"delayed", "4.4.1", "timed out"}, {"delivered", "2.0.0", "ok"}}).Draw(t, "report")
				old := attempt < n.Attempt && c[0] == "failed"
				w.take(w.path(id, attempt), w.report(id, attempt, c[0], c[1], c[2]))
				if !old {
					continue
				}
				w.round() // and nothing else is there that could move it
				w.take(w.path(id, attempt), append(w.report(id, attempt, c[0], c[1], c[2]), "once more\r\n"...))
				before := w.now(id)
				w.round()
				if after := w.now(id); attempt < before.Attempt && after.Gen != before.Gen {
					t.Fatalf("a bounce of attempt %d moved attempt %d from %s to %s", attempt, before.Attempt, before.State, after.State)
				}
			default:
				w.round()
			}
		}
		if n := w.now(id); n.State == pipeline.Sending {
			w.commit(w.event(id, pipeline.EvAccepted))
		}
		if got := w.round(); got[pipeline.InboundPending] != 0 {
			t.Fatalf("left pending: %v", got)
		}
		before := w.now(id)
		for m, err := range w.Inbox(w.ctx, pipeline.InboundFilter{Notice: id}) {
			w.must(err)
			m.State = pipeline.InboundPending
			w.must(w.Judge(w.ctx, []pipeline.Inbound{m}))
		}
		w.round()
		if after := w.now(id); after.Gen != before.Gen {
			t.Fatalf("judged again, %s became %s", before.State, after.State)
		}
	})
	w.sound()
}
