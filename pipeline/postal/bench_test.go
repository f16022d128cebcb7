package postal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/jung-kurt/gofpdf"

	"github.com/art34/art34/pipeline"
)

// oneAPage is a letter of one page as most are: two contracts, six paragraphs.
func oneAPage(n int) *pipeline.Letter {
	l := frenchLetter(2)
	l.Reference = pipeline.NewReference(uint64(n)*7919 + 1)
	b := l.Blocks
	l.Blocks = []pipeline.Block{b[0], b[1], b[3], b[4], b[10], b[11], b[12], b[13]}
	l.Blocks[0] = p(fmt.Sprintf("Madame Martin-%05d,", n))
	return l
}

// many makes n letters with their addresses.
func many(t testing.TB, press *Press, n int) []Item {
	t.Helper()
	items := make([]Item, n)
	who := person()
	for i := range items {
		who.LastName = fmt.Sprintf("Martin %05d", i)
		items[i] = item(t, press, oneAPage(i), who)
	}
	return items
}

// BenchmarkLetters compares letters of a print run with the plain way: one gofpdf
// document a letter with its own UTF-8 fonts. Both take turns, so that a busy
// machine slows both: one iteration is a run of 250 letters and 15 plain ones. Our
// letter is drawn with a blank back, the plain one without. The target is 15
// times as many.
func BenchmarkLetters(b *testing.B) {
	const inRun, apart = 250, 15
	press := newPress(b, Config{})
	items := many(b, press, inRun)
	if d, err := press.Draw(context.Background(), io.Discard, pipeline.Run{ID: 1}, seq(items[0])); err != nil || len(d.Letters) != 1 || d.Letters[0].Printed != 1 {
		b.Fatal(d, err)
	}
	var run, plain time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := press.Draw(context.Background(), io.Discard, pipeline.Run{ID: 1}, seq(items...)); err != nil {
			b.Fatal(err)
		}
		run += time.Since(start)
		start = time.Now()
		for i := range apart {
			if err := plainLetter(io.Discard, items[i]); err != nil {
				b.Fatal(err)
			}
		}
		plain += time.Since(start)
	}
	ours, theirs := float64(b.N*inRun)/run.Seconds(), float64(b.N*apart)/plain.Seconds()
	b.ReportMetric(ours, "letters/s")
	b.ReportMetric(theirs, "plain-letters/s")
	b.ReportMetric(ours/theirs, "times")
}

// plainLetter draws the same text the way gofpdf's documentation shows.
func plainLetter(w io.Writer, it Item) error {
	l := it.Letter
	doc := gofpdf.New("P", "mm", "A4", "")
	doc.AddUTF8FontFromBytes("sans", "", bytes.Clone(liberationsansregular.TTF))
	doc.AddUTF8FontFromBytes("sans", "B", bytes.Clone(liberationsansbold.TTF))
	doc.SetMargins(20, 15, 20)
	doc.AddPage()
	doc.SetFont("sans", "", 8.5)
	doc.MultiCell(66, 4, l.Sender.DisplayName+"\n"+strings.Join(l.Sender.ReturnAddress, "\n"), "", "L", false)
	doc.SetXY(109, 55)
	doc.SetFont("sans", "", 10)
	doc.MultiCell(80, 4, strings.Join(it.Address, "\n"), "", "L", false)
	doc.SetY(106)
	doc.SetFont("sans", "B", 12)
	doc.MultiCell(170, 5, l.Subject, "", "L", false)
	doc.SetFont("sans", "", 11)
	for _, b := range l.Blocks {
		for _, row := range b.Rows {
			y := doc.GetY()
			for j, cell := range row {
				doc.SetXY(20+[]float64{0, 32, 66}[j], y)
				doc.MultiCell([]float64{32, 34, 104}[j], 4.6, pipeline.Plain(cell), "T", "L", false)
			}
		}
		text := pipeline.Plain(b.Spans)
		for _, item := range b.Items {
			for _, in := range item {
				text += "• " + pipeline.Plain(in.Spans) + "\n"
			}
		}
		doc.MultiCell(170, 5.3, text, "", "L", false)
		doc.Ln(2.5)
	}
	bars, err := symbolBars(Code{Reference: l.Reference, Attempt: 1, Page: 1, Pages: 1}.String())
	if err != nil {
		return err
	}
	for _, b := range bars {
		doc.Rect(20+float64(b.x)*module, 272+float64(b.y)*module, float64(b.n)*module, module, "F")
	}
	return doc.Output(w)
}

// BenchmarkAddress is what intake pays to know whether a customer can be written
// to.
func BenchmarkAddress(b *testing.B) {
	press := newPress(b, Config{})
	who := person()
	b.ReportAllocs()
	for b.Loop() {
		if err := press.Printable(who); err != nil {
			b.Fatal(err)
		}
	}
}
