package email_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline/email"
)

func TestReturnPath(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.IntRange(0, 31).Draw(t, "key")
		notice := rapid.Int64Range(1, math.MaxInt64).Draw(t, "notice")
		attempt := rapid.IntRange(1, 255).Draw(t, "attempt")
		path, err := email.ReturnPath(testMAC, key, notice, attempt, "retour.example.fr")
		if err != nil {
			t.Fatal(err)
		}
		local, _, _ := strings.Cut(path, "@")
		if len(local) != 35 || local != strings.ToLower(local) {
			t.Fatalf("local part %q", local)
		}
		for _, arrived := range []string{
			path, strings.ToUpper(path), "<" + path + ">", local,
			"prvs=0123abcdef=" + path, "PRVS=0123ABCDEF=" + path,
			"btv1==0123abc==" + path, "msprvs1=18abc:bounces-17=" + path,
			"SRS0=HHH=TT=retour.example.fr=" + local + "@relay.example.net",
			"srs0+HHH=TT=retour.example.fr=" + local + "@relay.example.net",
			"SRS1=HHH=relay.example.net==HHH=TT=retour.example.fr=" + local + "@other.example.net",
		} {
			tok, err := email.ParseReturnPath(arrived)
			if err != nil {
				t.Fatalf("%q: %v", arrived, err)
			}
			if tok.Key != key || tok.Notice != notice || tok.Attempt != attempt || !tok.Verify(testMAC) || tok.String() != local {
				t.Fatalf("%q gives %+v", arrived, tok)
			}
		}
		// Any other character anywhere is no token, or one that does not verify.
		i := rapid.IntRange(0, len(local)-1).Draw(t, "position")
		c := rapid.SampledFrom([]byte("0123456789abcdefghijklmnopqrstuvwxyz-=+")).Draw(t, "character")
		if local[i] != c {
			forged := local[:i] + string(c) + local[i+1:]
			if tok, err := email.ParseReturnPath(forged + "@retour.example.fr"); err == nil && tok.Verify(testMAC) {
				t.Fatalf("%q verifies as %q", forged, local)
			}
		}
	})
}

func TestReturnPathLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		key, attempt int
	}{{-1, 1}, {32, 1}, {0, 0}, {0, 256}} {
		if got, err := email.ReturnPath(testMAC, tt.key, 1, tt.attempt, "example.fr"); err == nil {
			t.Errorf("key %d, attempt %d: %q", tt.key, tt.attempt, got)
		}
	}
	other := func(label string, parts ...[]byte) [32]byte { return testMAC("x"+label, parts...) }
	path, err := email.ReturnPath(testMAC, 0, 7, 1, "example.fr")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := email.ParseReturnPath(path)
	if err != nil || tok.Domain != "example.fr" {
		t.Fatalf("%+v, %v", tok, err)
	}
	if tok.Verify(other) {
		t.Error("verifies with another key")
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for notice := int64(1); notice < 50; notice++ {
		for attempt := 1; attempt < 5; attempt++ {
			id := email.MessageID(testMAC, notice, attempt, "retour.example.fr")
			if seen[id] || id != email.MessageID(testMAC, notice, attempt, "retour.example.fr") {
				t.Fatalf("notice %d, attempt %d: %s", notice, attempt, id)
			}
			if !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@retour.example.fr>") {
				t.Fatalf("id %q", id)
			}
			seen[id] = true
			for _, quoted := range []string{id, strings.ToUpper(id), strings.Trim(id, "<>"), " " + id + " "} {
				tok, err := email.ParseMessageID(quoted)
				if err != nil || tok.Notice != notice || tok.Attempt != attempt || !tok.Verify(testMAC) {
					t.Fatalf("%q gives %+v, %v", quoted, tok, err)
				}
			}
		}
	}
}

func FuzzParseReturnPath(f *testing.F) {
	path, _ := email.ReturnPath(testMAC, 3, 42, 1, "retour.example.fr")
	for _, s := range []string{path, "SRS0=a=b=c=" + path, "prvs=", "b0-", "", "@", strings.Repeat("=", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := email.ParseReturnPath(s)
		if err != nil {
			return
		}
		if tok.Notice < 0 || tok.Attempt < 1 || tok.Attempt > 255 || tok.Key < 0 || tok.Key > 31 {
			t.Fatalf("%q gives %+v", s, tok)
		}
	})
}

// TestMessageIDIsNoReturnPath: what stands in every reply makes no bounce.
func TestMessageIDIsNoReturnPath(t *testing.T) {
	t.Parallel()
	id, err := email.ParseMessageID(email.MessageID(testMAC, 7, 1, "example.fr"))
	if err != nil {
		t.Fatal(err)
	}
	path, err := email.ReturnPath(testMAC, 0, 7, 1, "example.fr")
	if err != nil {
		t.Fatal(err)
	}
	local, _, _ := strings.Cut(path, "@")
	tail := strings.Trim(email.MessageID(testMAC, 7, 1, "example.fr"), "<>")
	forged := local[:19] + tail[15:31] + "@example.fr"
	if tok, err := email.ParseReturnPath(forged); err == nil && tok.Verify(testMAC) {
		t.Error("a Message-ID was turned into a return path")
	}
	if !id.Verify(testMAC) {
		t.Error("the id itself does not verify")
	}
}

// TestProbe: notice 0 is signed like any other and belongs to nobody.
func TestProbe(t *testing.T) {
	t.Parallel()
	path, err := email.ReturnPath(testMAC, 0, 0, 2, "retour.example.fr")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := email.ParseReturnPath(path)
	if err != nil || tok.Notice != 0 || tok.Attempt != 2 || !tok.Verify(testMAC) {
		t.Fatalf("%+v, %v", tok, err)
	}
}
