package postal

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/jung-kurt/gofpdf"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

func testFonts(t testing.TB) *fonts {
	t.Helper()
	f, err := newFonts()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// decode gives the text of words back.
func decode(f *fonts, words []word) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 && w.space > 0 {
			b.WriteByte(' ')
		}
		for _, s := range w.segs {
			for k := range len(s.text) {
				b.WriteRune(f.runes[s.plate][s.text[k]])
			}
		}
	}
	return b.String()
}

// Names of all Europe are set in full: what no code page has alone, several plates
// have together.
func TestEveryCharacterIsSet(t *testing.T) {
	t.Parallel()
	f := testFonts(t)
	for given, want := range map[string]string{
		"Œuvre à 12\u202f€\u00a0; l’été n°\u00a05": "Œuvre à 12\u00a0€\u00a0; l’été n°\u00a05",
		"Łukasz Żółć, Ştefan Țăranu, Jiří Dvořák":  "Łukasz Żółć, Ştefan Țăranu, Jiří Dvořák",
		"Ελένη Παπαδοπούλου":                       "Ελένη Παπαδοπούλου",
		"Юрий Щёголев":                             "Юрий Щёголев",
		"Nguyễn Thị Hạnh":                          "Nguyễn Thị Hạnh",
		"e\u0301te\u0301 n\u0303":                  "été ñ",
		"AB\u2011CD\u00adEF\u200b\u2060":           "AB-CDEF",
		"ﬁn de l’oﬃce":                             "fin de l’office",
		"tab\there\u2009now":                       "tab here now",
		"≤ ½ → ∞ №":                                "≤ ½ → ∞ №",
	} {
		words, err := f.shape([]pipeline.Span{{Text: given}}, regular)
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		if got := decode(f, words); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
	for _, bad := range []string{"漢字", "שלום", "مرحبا", "😀", "caf\xc3", "\U0010FFFF", "e\u0302\u0323\u0302"} {
		if _, err := f.shape([]pipeline.Span{{Text: bad}}, bold); pipeline.ErrorCode(err) != "glyph-missing" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestPlatesLookRight draws every character of every plate beside the same text
// set by gofpdf's own Unicode font: a wrong name in an encoding would show.
func TestPlatesLookRight(t *testing.T) {
	t.Parallel()
	testenv.Binary(t, "pdftoppm")
	f := testFonts(t)
	dir := t.TempDir()
	for pl := range plateCount {
		var pages [2]image.Image
		for way := range pages {
			doc := gofpdf.New("P", "mm", "A4", "")
			doc.SetCreationDate(time.Unix(0, 0))
			doc.AddPage()
			if way == 0 {
				d, err := f.faces[regular].plates[pl]()
				if err != nil {
					t.Fatal(err)
				}
				doc.AddFontFromBytes("x", "", d.json, d.file)
			} else {
				doc.AddUTF8FontFromBytes("x", "", bytes.Clone(liberationsansregular.TTF))
			}
			doc.SetFont("x", "", 14)
			n := 0
			for code, r := range f.runes[pl] {
				if r == 0 {
					continue
				}
				text := string(rune(r))
				if way == 0 {
					text = string([]byte{byte(code)})
				}
				doc.Text(10+float64(n%15)*12, 15+float64(n/15)*15, text)
				n++
			}
			if n == 0 || n > 222 {
				t.Fatalf("plate %d has %d characters", pl, n)
			}
			file := filepath.Join(dir, "p.pdf")
			if err := doc.OutputFileAndClose(file); err != nil {
				t.Fatal(err)
			}
			pages[way] = pagePNG(t, file, 1, 80)
		}
		if d := difference(pages[0], pages[1]); d > 0.0005 {
			t.Errorf("plate %d: %.4f of the page differs", pl, d)
		}
	}
}

// pagePNG renders a page with poppler.
func pagePNG(t testing.TB, file string, n, dpi int) image.Image {
	t.Helper()
	out := strings.TrimSuffix(file, ".pdf")
	testenv.Run(t, "pdftoppm", "-r", itoa(dpi), "-f", itoa(n), "-l", itoa(n), "-singlefile", "-gray", "-png", file, out)
	data, err := os.ReadFile(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// difference is the share of pixels whose grey differs clearly.
func difference(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	n, r := 0, a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if d := grey(a, x, y) - grey(b, x, y); d > 96 || d < -96 {
				n++
			}
		}
	}
	return float64(n) / float64(r.Dx()*r.Dy())
}

func grey(m image.Image, x, y int) int {
	r, _, _, _ := m.At(x, y).RGBA()
	return int(r >> 8)
}

func TestNoBreakBlanksHold(t *testing.T) {
	t.Parallel()
	f := testFonts(t)
	text := strings.Repeat("Contrat 00\u00a0312\u00a0417\u00a010\u00a0: fibre\u202f; ", 30)
	words, err := f.shape([]pipeline.Span{{Text: text}}, regular)
	if err != nil {
		t.Fatal(err)
	}
	for width := 8000; width < 60000; width += 700 {
		for _, l := range breakLines(words, width) {
			got := decode(f, words[l.from:l.to])
			if strings.HasPrefix(got, ":") || strings.HasPrefix(got, ";") || strings.HasPrefix(got, "312") || strings.HasSuffix(got, "00") {
				t.Fatalf("width %d breaks a no-break blank: %q", width, got)
			}
			if l.units > width {
				t.Fatalf("width %d: a line of %d", width, l.units)
			}
		}
	}
}

// Every text comes out whole, in order, at every width.
func TestNothingIsLostInBreaking(t *testing.T) {
	t.Parallel()
	f := testFonts(t)
	for _, text := range []string{
		"", " ", "a", "un mot", "trois\nlignes\nforcées", "ligne\n\nvide",
		strings.Repeat("anticonstitutionnellement", 20), strings.Repeat("Łódź-", 60), "a " + strings.Repeat("x", 300) + " b",
		"court " + strings.Repeat("de plus en plus long ", 40),
	} {
		words, err := f.shape([]pipeline.Span{{Text: text[:len(text)/2]}, {Text: text[len(text)/2:], Strong: true}}, regular)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(strings.Join(strings.Fields(text), ""), " ", "")
		for _, width := range []int{1200, 3000, 9000, 45000} {
			w := f.splitWide(words, width)
			var got strings.Builder
			for _, l := range breakLines(w, width) {
				if l.units > width {
					t.Errorf("%.20q at %d: a line of %d", text, width, l.units)
				}
				got.WriteString(strings.ReplaceAll(decode(f, w[l.from:l.to]), " ", ""))
			}
			if got.String() != want {
				t.Errorf("%.20q at %d: %q", text, width, got.String())
			}
		}
	}
}

// A break that saves no line is not made, and the lines of a paragraph are even.
func TestFewestLines(t *testing.T) {
	t.Parallel()
	f := testFonts(t)
	words, err := f.shape([]pipeline.Span{{Text: strings.Repeat("une phrase ordinaire de longueur moyenne ", 12)}}, regular)
	if err != nil {
		t.Fatal(err)
	}
	for width := 15000; width < 50000; width += 1300 {
		greedy, used := 1, 0
		for i, w := range words {
			if i > 0 && used+w.space+w.units > width {
				greedy, used = greedy+1, w.units
				continue
			}
			used += w.space + w.units
		}
		if n := len(breakLines(words, width)); n != greedy {
			t.Errorf("width %d: %d lines, %d are enough", width, n, greedy)
		}
	}
}

// The share of the pieces and the whole agree, so that what was measured is what
// is drawn.
func TestWordsHaveTheirWidth(t *testing.T) {
	t.Parallel()
	f := testFonts(t)
	words, err := f.shape([]pipeline.Span{{Text: "Łukasz et"}, {Text: "Ελένη", Strong: true}, {Text: "\u00a0: deux"}}, regular)
	if err != nil {
		t.Fatal(err)
	}
	if len(words) != 3 || len(words[1].segs) != 3 {
		t.Fatalf("%d words", len(words))
	}
	for _, w := range words {
		n := 0
		for _, s := range w.segs {
			for k := range len(s.text) {
				n += f.faces[s.face].widths[s.plate][s.text[k]]
			}
		}
		if n != w.units {
			t.Errorf("%d units, want %d", w.units, n)
		}
	}
}
