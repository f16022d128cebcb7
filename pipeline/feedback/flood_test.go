package feedback_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/art34/art34/fixtures"
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/feedback"
)

// TestFlood: ten thousand notifications that are forged, cut short, shuffled,
// doubled and bit-flipped, some hundred genuine ones among them. No notice moves
// but those that a genuine one is about, and each of those once.
func TestFlood(t *testing.T) {
	t.Parallel()
	const size, notices = 10_000, 300
	w := newWorld(t)
	list := w.notices(notices)
	w.accept(ids(list)...)
	r := rand.New(rand.NewPCG(3, 2026))
	shapes := shapesOf(t)
	// Every third notice really bounced: of those whatever verifies may do something.
	bounced := func(i int) bool { return i%3 == 0 }
	var flood []feedback.Message
	for i, n := range list {
		if bounced(i) {
			m := feedback.Message{Source: pipeline.FromLMTP, To: w.path(n.ID, 1), Raw: w.report(n.ID, 1, "failed", "5.1.1", noUser)}
			flood = append(flood, m, m)
		}
	}
	for len(flood) < size {
		i := r.IntN(notices)
		raw := w.about(list[i].ID, shapes[r.IntN(len(shapes))])
		if bounced(i) {
			flood = append(flood, feedback.Message{Source: pipeline.FromLMTP, To: w.path(list[i].ID, 1), Raw: mutilate(r, raw)})
			continue
		}
		// The others are attacked: by everything that holds no valid token.
		raw = w.unsigned(r, list[i].ID, raw)
		if r.IntN(2) == 0 {
			raw = mutilate(r, raw)
		}
		m := feedback.Message{Source: pipeline.FromLMTP, From: "evil@example.com", To: w.forged(r, list[i].ID, list[r.IntN(notices)].ID), Raw: raw}
		flood = append(flood, m)
		if r.IntN(4) == 0 {
			flood = append(flood, m)
		}
	}
	r.Shuffle(len(flood), func(i, j int) { flood[i], flood[j] = flood[j], flood[i] })
	for len(flood) > 0 {
		n := min(len(flood), 1+r.IntN(400))
		if _, err := w.intake.Take(w.ctx, flood[:n]...); err != nil {
			t.Fatal(err)
		}
		flood = flood[n:]
		if r.IntN(5) == 0 {
			w.round()
		}
	}
	w.round()
	check := func(when string) {
		t.Helper()
		for i, n := range list {
			now := w.now(n.ID)
			all, err := w.Events(w.ctx, n.ID)
			w.must(err)
			if !bounced(i) && (now.State != pipeline.Accepted || now.Attempt != 1 || now.Gen != list[i].Gen+3 || len(all) != 1) {
				t.Errorf("%s: notice %d was attacked and is %s, attempt %d, %d events", when, i, now.State, now.Attempt, len(all))
			}
			if bounced(i) && (now.State != pipeline.Due || now.Attempt != 2) {
				t.Errorf("%s: notice %d bounced and is %s, attempt %d", when, i, now.State, now.Attempt)
			}
		}
	}
	check("once")
	counts, err := w.CountInbox(w.ctx)
	w.must(err)
	by := map[pipeline.InboundState]int64{}
	for _, c := range counts {
		by[c.State] += c.Count
	}
	t.Logf("%v", by)
	if by[pipeline.InboundPending] != 0 || by[pipeline.InboundQuarantined] < size/4 {
		t.Errorf("%v", by)
	}
	if _, err := w.Reopen(w.ctx, pipeline.InboundStates()); err != nil {
		t.Fatal(err)
	}
	w.round()
	check("judged again")
	w.sound()
}

// shapesOf are notifications of real systems.
func shapesOf(t *testing.T) (list [][]byte) {
	t.Helper()
	names, err := fs.Glob(fixtures.FS, "bounces/*.eml")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, raw)
	}
	return list
}

// about rewrites a notification so that it is about one of our messages.
func (w *world) about(id int64, raw []byte) []byte {
	raw = theirs.ReplaceAll(raw, []byte(w.path(id, 1)))
	return theirID.ReplaceAll(raw, []byte(email.MessageID(w.mac, id, 1, domain)))
}

// forged is a recipient that we did not sign: bent, of an unknown key, put together
// from two genuine ones, of another key, or none at all.
func (w *world) forged(r *rand.Rand, id, other int64) string {
	good := w.path(id, 1)
	switch r.IntN(7) {
	case 0: // one character of notice, attempt or signature
		for {
			i := 3 + r.IntN(32)
			if i == 18 {
				continue
			}
			c := "0123456789abcdefghijklmnopqrstuv"[r.IntN(32)]
			if good[i] != c {
				return good[:i] + string(c) + good[i+1:]
			}
		}
	case 1: // another key number
		return "b1" + good[2:]
	case 2: // a later attempt with the signature of the first
		return w.path(id, 2)[:19] + good[19:]
	case 3: // somebody else's signature
		if other == id {
			other++
		}
		return good[:19] + w.path(other, 1)[19:]
	case 4: // signed by a campaign that is not ours
		p, _ := email.ReturnPath(func(string, ...[]byte) [32]byte { return [32]byte{byte(r.IntN(256))} }, 0, id, 1, domain)
		return p
	case 5: // cut
		return good[:3+r.IntN(30)] + "@" + domain
	}
	return fmt.Sprintf("bounce+%d@%s", id, domain)
}

// unsigned takes what is signed out of a message, or replaces it by forgeries.
func (w *world) unsigned(r *rand.Rand, id int64, raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte(w.path(id, 1)), []byte(w.forged(r, id, id+1)))
	bad := email.MessageID(func(string, ...[]byte) [32]byte { return [32]byte{byte(r.IntN(256)), 1} }, id, 1, domain)
	return bytes.ReplaceAll(raw, []byte(email.MessageID(w.mac, id, 1, domain)), []byte(bad))
}

// mutilate cuts, doubles, shuffles or flips.
func mutilate(r *rand.Rand, raw []byte) []byte {
	raw = bytes.Clone(raw)
	switch r.IntN(5) {
	case 0:
		return raw[:r.IntN(len(raw))]
	case 1:
		for range 1 + r.IntN(20) {
			raw[r.IntN(len(raw))] ^= 1 << r.IntN(8)
		}
		return raw
	case 2:
		lines := strings.SplitAfter(string(raw), "\n")
		r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		return []byte(strings.Join(lines, ""))
	case 3:
		return append(raw, raw[r.IntN(len(raw)):]...)
	}
	return append([]byte(fmt.Sprintf("X-Noise: %d\n", r.Uint64())), raw...)
}
