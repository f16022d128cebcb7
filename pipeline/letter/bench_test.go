package letter_test

import (
	"testing"

	"github.com/art34/art34/pipeline/letter"
)

// BenchmarkRender is what a letter costs from the notice to both parts of the
// e-mail, in a campaign that is under way.
func BenchmarkRender(b *testing.B) {
	set := load(b, sampleSpec())
	r := sampleRequest("fr")
	b.Run("blocks", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := set.Render(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	l := render(b, set, r)
	b.Run("text", func(b *testing.B) {
		b.SetBytes(int64(len(letter.Text(l))))
		for b.Loop() {
			letter.Text(l)
		}
	})
	b.Run("html", func(b *testing.B) {
		b.SetBytes(int64(len(letter.HTML(l))))
		for b.Loop() {
			letter.HTML(l)
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, err := set.Render(r)
			if err != nil {
				b.Fatal(err)
			}
			letter.Text(l)
			letter.HTML(l)
		}
	})
}

// BenchmarkLint is what `check` pays once, and for every letter.
func BenchmarkLint(b *testing.B) {
	set := load(b, sampleSpec())
	b.Run("campaign", func(b *testing.B) {
		for b.Loop() {
			set.Lint()
		}
	})
	b.Run("letter", func(b *testing.B) {
		r := sampleRequest("fr")
		l := render(b, set, r)
		for b.Loop() {
			set.LintLetter(r, l)
		}
	})
}

// BenchmarkLoad is what a campaign's letters cost when a process starts.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		load(b, sampleSpec())
	}
}
