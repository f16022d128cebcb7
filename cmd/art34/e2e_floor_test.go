package main

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/vouch"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestGenuineAgainstWhatArrived holds what lies in mailboxes against the letters that
// are rendered again: every line of a customer's own message is ours, and that of
// another customer, or with another number, is not. A letter that is still at the
// printer's vouches for nothing. The shop has a sentence for each of them.
func TestGenuineAgainstWhatArrived(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := install(t, 200, 11, "ART34_RELAY="+sink.URL)
	in.must("launch", "muguet")
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run: exit %d", code)
	}
	notices := readNotices(t, in)
	h, err := newApp(&globals{Dir: in.path("data"), Log: "info"}, nil, io.Discard, io.Discard).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	floor := consoleFloor{h}
	ask := func(ref string) []vouch.Sent {
		t.Helper()
		r, err := pipeline.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		l, err := floor.Letters(t.Context(), "user:ana", r)
		if err != nil {
			t.Fatal(err)
		}
		return l.Sent
	}
	before := ""
	for i, m := range sink.Messages(t) {
		if i == 12 {
			break
		}
		text := plainPart(t, m.Data(t))
		ref := referenceLike.FindString(text)
		sent := ask(ref)
		compared := 0
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); !vouch.Enough(line) {
				continue
			}
			compared++
			if got := vouch.Compare(vouch.Heard{Sentence: line}, sent); got.Verdict != vouch.Genuine {
				t.Errorf("a line that arrived is %s: %d letters", got.Verdict, len(sent))
			}
		}
		if compared < 5 {
			t.Errorf("%d lines were compared", compared)
		}
		own := contractLike.FindString(text)
		for name, h := range map[string]vouch.Heard{
			"another number": {Sentence: firstSentence(text), Phones: "08 99 01 02 03"}, "a link": {Sentence: firstSentence(text), Links: "https://telecom-exemple.example.remboursement.test"},
			"another sender": {Sentence: firstSentence(text), Sender: "cellule@telecom-exemple.test"},
		} {
			if got := vouch.Compare(h, sent); got.Verdict != vouch.Foreign {
				t.Errorf("%s: %s", name, got.Verdict)
			}
		}
		if before != "" && own != "" && before != ref {
			if got := vouch.Compare(vouch.Heard{Sentence: firstSentence(text) + " " + own}, ask(before)); got.Verdict != vouch.Foreign {
				t.Errorf("another's contract is vouched for: %s", got.Verdict)
			}
		}
		before = ref
	}
	if before == "" {
		t.Fatal("nothing arrived")
	}
	states := map[pipeline.State]bool{}
	for ref, n := range notices {
		if states[n.State] && !slices.Contains(n.Flags, "vip") {
			continue
		}
		states[n.State] = true
		r, err := pipeline.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		s, err := floor.Spoken(t.Context(), "user:sam", r)
		if err != nil {
			t.Fatal(err)
		}
		vip := slices.ContainsFunc(reserved[:], func(f string) bool { return slices.Contains(n.Flags, f) })
		if s.Reserved != vip || !vip && (s.Sentence["fr"] == "" || s.Sentence["en"] == "") || vip && len(s.Sentence) > 0 || s.Phone == "" {
			t.Errorf("notice %d, %s, %v: %+v", n.ID, n.State, n.Flags, s)
		}
		if n.State == pipeline.Printing && len(ask(ref)) != 0 {
			t.Errorf("notice %d: a letter at the printer's vouches", n.ID)
		}
	}
	if !states[pipeline.Printing] || !states[pipeline.Accepted] {
		t.Errorf("states %v", states)
	}
	if _, err := floor.Letters(t.Context(), "user:ana", pipeline.NewReference(7)); err == nil {
		t.Error("nobody's reference has letters")
	}
	looked := 0
	for a, err := range h.ledger.AuditTrail(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Action == "find" && (a.Actor == "user:ana" || a.Actor == "user:sam") {
			looked++
		}
	}
	if looked < 12 {
		t.Errorf("%d look-ups on record", looked)
	}
}

// firstSentence is the first line that is long enough to compare.
func firstSentence(text string) string {
	for line := range strings.Lines(text) {
		if vouch.Enough(line) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
