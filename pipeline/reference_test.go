package pipeline_test

import (
	"math/rand/v2"
	"testing"

	"github.com/art34/art34/pipeline"
)

const refLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// TestReferenceCatchesEveryMisreading tries every single wrong character and
// every swap of neighbours on many references.
func TestReferenceCatchesEveryMisreading(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		ref := pipeline.NewReference(rnd.Uint64())
		if got, err := pipeline.ParseReference(ref.String()); err != nil || got != ref {
			t.Fatalf("%s: %v", ref, err)
		}
		b := []byte(ref)
		for i := range b {
			for _, c := range []byte(refLetters) {
				if c == b[i] {
					continue
				}
				wrong := []byte(ref)
				wrong[i] = c
				if _, err := pipeline.ParseReference(string(wrong)); err == nil {
					t.Fatalf("%s read as %s was believed", ref, wrong)
				}
			}
			if i > 0 && b[i] != b[i-1] {
				swap := []byte(ref)
				swap[i], swap[i-1] = swap[i-1], swap[i]
				if _, err := pipeline.ParseReference(string(swap)); err == nil {
					t.Fatalf("%s read as %s was believed", ref, swap)
				}
			}
		}
	}
}

func TestParseReferenceAsPeopleWriteIt(t *testing.T) {
	t.Parallel()
	ref := pipeline.NewReference(1 << 50)
	for _, s := range []string{ref.String(), ref.Compact(), "  " + ref.Compact()[:5] + " " + ref.Compact()[5:], lower(ref.String()), oh(ref.String())} {
		if got, err := pipeline.ParseReference(s); err != nil || got != ref {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "7KQ2", ref.Compact() + "0", "7KQ2-M9XD-4T0\x00", "çççç-çççç-çççç", "UUUU-UUUU-UUUU"} {
		if got, err := pipeline.ParseReference(s); err == nil {
			t.Errorf("%q was read as %s", s, got)
		}
	}
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

func oh(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c == '0' {
			b[i] = 'o'
		}
	}
	return string(b)
}

func FuzzParseReference(f *testing.F) {
	f.Add("7KQ2-M9XD-4T0V")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := pipeline.ParseReference(s)
		if err != nil {
			return
		}
		if again, err := pipeline.ParseReference(ref.String()); err != nil || again != ref {
			t.Fatalf("%q → %s → %s, %v", s, ref, again, err)
		}
	})
}
