package postal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jung-kurt/gofpdf"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// mixedRun is a run of letters in two languages, with logos and foreign names.
func mixedRun(t testing.TB, press *Press) []Item {
	t.Helper()
	who := person()
	items := []Item{item(t, press, frenchLetter(2), who), item(t, press, frenchLetter(9), who)}
	pole := pipeline.Person{FirstName: "Łucja", LastName: "Żółć", Address: []string{"ul. Świętokrzyska 1"}, Postcode: "00-001", City: "Łódź", Country: "PL"}
	l := englishLetter()
	l.Blocks = append([]pipeline.Block{p("Dear Łucja Żółć, Юрий, Ελένη, Nguyễn,")}, l.Blocks[1:]...)
	l.Reference = pipeline.NewReference(99)
	items = append(items, item(t, press, l, pole), item(t, press, oneAPage(3), who))
	for i := range items {
		items[i].Notice, items[i].Attempt = int64(100+i), i+1
	}
	return items
}

func run(id int64) pipeline.Run {
	return pipeline.Run{ID: id, Version: 2, CutAt: time.Date(2026, 1, 23, 17, 30, 0, 0, time.UTC)}
}

func drawn(t testing.TB, press *Press, r pipeline.Run, items ...Item) (*Drawn, []byte) {
	t.Helper()
	var b bytes.Buffer
	d, err := press.Draw(context.Background(), &b, r, seq(items...))
	if err != nil {
		t.Fatal(err)
	}
	return d, b.Bytes()
}

func write(t testing.TB, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "run.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestRunIsWhatAPrintShopTakes(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{CodeName: "MUGUET"})
	items := mixedRun(t, press)
	d, data := drawn(t, press, run(42), items...)
	if len(d.Letters) != 4 || len(d.Unfit) != 0 {
		t.Fatalf("%d letters, %v", len(d.Letters), d.Unfit)
	}
	file := write(t, data)
	testenv.Run(t, "qpdf", "--check", file)
	if !bytes.HasPrefix(data, []byte("%PDF-1.3")) {
		t.Errorf("PDF version %q: a later one has transparency", data[:8])
	}
	for _, word := range []string{"/SMask", "/ExtGState", "/Encrypt", "/JavaScript", "/URI", "/DeviceRGB", "/DeviceCMYK"} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("the file has %s", word)
		}
	}

	fonts := string(testenv.Run(t, "pdffonts", file))
	lines := strings.Split(strings.TrimSpace(fonts), "\n")[2:]
	if len(lines) < 7 {
		t.Errorf("%d fonts", len(lines))
	}
	for _, l := range lines {
		// name type encoding emb sub uni object: embedded, and marked as a subset
		if !regexp.MustCompile(`^[A-Z]{6}\+LiberationS?M?(ans|ono)\S*\s+TrueType\s+\S+\s+yes\s+yes\s`).MatchString(l) {
			t.Errorf("font %q", l)
		}
	}

	// Odd pages begin a letter; pages add up.
	page := 1
	for i, l := range d.Letters {
		if l.FirstPage != page || l.FirstPage%2 != 1 || l.Pages != 2*l.Sheets || l.Seq != i+1 || l.Notice != int64(100+i) {
			t.Errorf("letter %d: %+v, want first page %d", i+1, l, page)
		}
		page += l.Pages
	}
	info := string(testenv.Run(t, "pdfinfo", file))
	if d.Pages != page-1 || !regexp.MustCompile(fmt.Sprintf(`Pages:\s+%d\n`, d.Pages)).MatchString(info) {
		t.Errorf("%d pages, want %d:\n%s", d.Pages, page-1, info)
	}
	if !strings.Contains(info, "MUGUET R000042") || !strings.Contains(info, "A4") {
		t.Error(info)
	}
	for _, l := range d.Letters {
		text := pageText(t, file, l.FirstPage, l.LastPage())
		it := items[l.Seq-1]
		for _, want := range append(it.Address, it.Letter.Reference.String(), it.Letter.Labels.Date, fmt.Sprintf("1/%d", l.Printed)) {
			if it.Letter.Locale == "en" {
				want = strings.Replace(want, fmt.Sprintf("1/%d", l.Printed), fmt.Sprintf("1 of %d", l.Printed), 1)
			}
			if !strings.Contains(text, plain(want)) {
				t.Errorf("letter %d: %q is not on its pages", l.Seq, want)
			}
		}
		for _, b := range it.Letter.Blocks {
			for _, row := range b.Rows {
				if want := plain(pipeline.Plain(row[0])); !strings.Contains(text, want) {
					t.Errorf("letter %d: contract %q is not on its pages", l.Seq, want)
				}
			}
		}
	}
	if all := pageText(t, file, 1, d.Pages); !strings.Contains(all, "Łucja Żółć, Юрий, Ελένη, Nguyễn") {
		t.Error("names of other alphabets do not read back")
	}
}

func pageText(t testing.TB, file string, from, to int) string {
	t.Helper()
	return plain(string(testenv.Run(t, "pdftotext", "-enc", "UTF-8", "-layout", "-f", itoa(from), "-l", itoa(to), file, "-")))
}

// plain makes blanks of one kind.
func plain(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), " ")
}

// The outline leads to each letter and names nobody.
func TestOutlineNamesNobody(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	_, data := drawn(t, press, run(1), mixedRun(t, press)...)
	titles := regexp.MustCompile(`/Title \((.*?)\)`).FindAllSubmatch(data, -1)
	if len(titles) != 5 { // the document's and four letters'
		t.Fatalf("%d titles", len(titles))
	}
	for i, m := range titles[:4] {
		if !regexp.MustCompile(fmt.Sprintf(`^0000%d  [0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$`, i+1)).Match(m[1]) {
			t.Errorf("outline %q", m[1])
		}
	}
}

const childEnv = "ART34_POSTAL_CHILD"

// The same run is the same bytes: twice in this process, and in another one.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	logos := map[string][]byte{"logo.png": logoPNG(), "a.png": logoPNG(), "b.png": logoPNG()}
	sum := func() string {
		press := newPress(t, Config{Logos: logos})
		items := mixedRun(t, press)
		for i, name := range []string{"logo.png", "a.png", "b.png"} {
			items[i].Letter.Sender.Logo = name
		}
		_, data := drawn(t, press, run(1), items...)
		return fmt.Sprintf("%x", sha256.Sum256(data))
	}
	want := sum()
	if os.Getenv(childEnv) != "" {
		fmt.Println("SUM", want)
		return
	}
	for range 3 {
		if got := sum(); got != want {
			t.Fatal("two runs in one process differ")
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestSameBytes$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SUM "+want) {
		t.Fatalf("another process draws other bytes: %v %s", err, out)
	}
}

// The hash of a letter is that of its pages alone: the same in a run of many, in
// a run of one and as a proof; another letter, address or attempt has another.
func TestHashFollowsThePages(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	items := mixedRun(t, press)
	d, _ := drawn(t, press, run(1), items...)
	seen := map[[32]byte]bool{}
	for i, it := range items {
		single, err := press.DrawLetter(io.Discard, it)
		if err != nil {
			t.Fatal(err)
		}
		if single.Hash != d.Letters[i].Hash || single.Code != d.Letters[i].Code {
			t.Errorf("letter %d: its proof has another hash", i+1)
		}
		again := it
		again.Attempt++
		moved := it
		moved.Address = append([]string{"X"}, it.Address[1:]...)
		for _, other := range []Item{again, moved} {
			o, err := press.DrawLetter(io.Discard, other)
			if err != nil {
				t.Fatal(err)
			}
			if o.Hash == single.Hash {
				t.Errorf("letter %d: attempt or address leaves no trace in the hash", i+1)
			}
		}
		if seen[single.Hash] {
			t.Errorf("letter %d: the hash of another", i+1)
		}
		seen[single.Hash] = true
	}
}

// badCanvas breaks when it is to draw a certain word.
type badCanvas struct {
	canvas
	word  string
	how   string
	fault error
}

func (c *badCanvas) Text(x, y float64, text string) {
	if strings.Contains(text, c.word) {
		switch c.how {
		case "panic":
			panic("index out of range: " + text)
		case "error":
			c.fault = errors.New("cannot draw " + text)
		}
	}
	c.canvas.Text(x, y, text)
}

func (c *badCanvas) Error() error {
	if c.fault != nil {
		return c.fault
	}
	return c.canvas.Error()
}

// One bad letter is left out and reported; the file is the one that would have
// been drawn without it.
func TestOneBadLetterSpoilsNothing(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"panic", "error"} {
		press := newPress(t, Config{})
		items := mixedRun(t, press)
		for i := range items {
			items[i].Seq = 10 + i
		}
		good := []Item{items[0], items[2], items[3]}
		wantDrawn, want := drawn(t, press, run(1), good...)
		items[1].Letter.Blocks[0] = p("Madame Grenouille,")
		press.newCanvas = func(title string, at time.Time) canvas {
			return &badCanvas{canvas: newCanvas(title, at), word: "Grenouille", how: how}
		}
		d, got := drawn(t, press, run(1), items...)
		if len(d.Unfit) != 1 || d.Unfit[0].Seq != 11 || d.Unfit[0].Notice != 101 || pipeline.ErrorCode(d.Unfit[0].Err) != "draw-failed" {
			t.Fatalf("%s: %+v", how, d.Unfit)
		}
		if strings.Contains(d.Unfit[0].Err.Error(), "Grenouille") {
			t.Errorf("%s: the error tells a name", how)
		}
		if !bytes.Equal(got, want) || d.Pages != wantDrawn.Pages || d.Letters[1].Seq != 12 {
			t.Errorf("%s: the others are not as they would have been", how)
		}
	}
}

func TestUnfitLetters(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	good := item(t, press, frenchLetter(1), person())
	for _, x := range []struct {
		code  string
		spoil func(it *Item)
	}{
		{"layout-failed", func(it *Item) { it.Letter = nil }},
		{"layout-failed", func(it *Item) { it.Letter.Blocks = append(it.Letter.Blocks, pipeline.Block{Kind: "poem"}) }},
		{"glyph-missing", func(it *Item) { it.Letter.Blocks[0] = p("Madame 漢字,") }},
		{"glyph-missing", func(it *Item) { it.Letter.Subject = "😀" }},
		{"glyph-missing", func(it *Item) { it.Letter.Blocks[0] = p("caf\xc3") }},
		{"glyph-missing", func(it *Item) {
			it.Letter.Blocks = append(it.Letter.Blocks, table([]string{"a", "b"}, []string{"c", "\u0e01"}))
		}},
		{"no-reference", func(it *Item) { it.Letter.Reference = "" }},
		{"no-reference", func(it *Item) { it.Letter.Reference = "ABCDEFGHJKMN" }},
		{"no-reference", func(it *Item) { it.Attempt = 0 }},
		{"no-reference", func(it *Item) { it.Attempt = 100 }},
		{"no-address", func(it *Item) { it.Address = nil }},
		{"address-line-too-long", func(it *Item) { it.Address = []string{strings.Repeat("W", 39)} }},
		{"address-too-many-lines", func(it *Item) { it.Address = []string{"A", "B", "C", "D", "E", "F", "G", "H"} }},
		{"address-not-encodable", func(it *Item) { it.Address[0] = "漢字" }},
		{"logo-missing", func(it *Item) { it.Letter.Sender.Logo = "other.png" }},
		{"sender-too-long", func(it *Item) { it.Letter.Sender.ReturnAddress = strings.Split(strings.Repeat("line ", 30), " ") }},
		{"sender-too-long", func(it *Item) { it.Letter.Sender.RegisteredLine = strings.Repeat("registered ", 80) }},
		{"letter-too-long", func(it *Item) {
			it.Letter.Blocks = append(it.Letter.Blocks, p(strings.Repeat("un texte sans fin ", 20000)))
		}},
	} {
		it := good
		l := *frenchLetter(1)
		it.Letter, it.Address = &l, append([]string(nil), good.Address...)
		x.spoil(&it)
		if _, err := press.Measure(it); pipeline.ErrorCode(err) != x.code {
			t.Errorf("%s: Measure says %v", x.code, err)
		}
		d, data := drawn(t, press, run(1), good, it, good)
		if len(d.Letters) != 2 || len(d.Unfit) != 1 || pipeline.ErrorCode(d.Unfit[0].Err) != x.code || d.Unfit[0].Seq != 2 || d.Letters[1].Seq != 3 {
			t.Errorf("%s: %+v", x.code, d.Unfit)
		}
		if len(data) == 0 {
			t.Errorf("%s: nothing was written", x.code)
		}
	}
}

func TestLettersOfAnotherClassAreRefused(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	one, large := item(t, press, oneAPage(1), person()), item(t, press, largeLetter(), person())
	size, err := press.Measure(large)
	if err != nil || size.Class != ClassLargePrint || size.Profile != "c4" || size.Sheets != 2 {
		t.Fatal(size, err)
	}
	r := run(1)
	r.Class, r.Profile, r.Sheets = ClassStandard, "fr-dl", 1
	d, _ := drawn(t, press, r, one, large)
	if len(d.Letters) != 1 || len(d.Unfit) != 1 || pipeline.ErrorCode(d.Unfit[0].Err) != "run-mismatch" {
		t.Errorf("%+v", d.Unfit)
	}
}

// A letter with more sheets than the envelope holds goes into the large one.
func TestThickLetters(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	l := frenchLetter(2)
	l.Blocks = append(l.Blocks, p(strings.Repeat("une longue explication qui ne finit pas ", 1300)))
	size, err := press.Measure(item(t, press, l, person()))
	if err != nil || size.Class != ClassThick || size.Profile != "c4" || size.Sheets <= 5 {
		t.Errorf("%+v %v", size, err)
	}
	simplex := newPress(t, Config{Simplex: true})
	s, err := simplex.Measure(item(t, simplex, frenchLetter(2), person()))
	if err != nil || s.Sheets != s.Pages || s.Pages != 2 {
		t.Errorf("%+v %v", s, err)
	}
	d, _ := drawn(t, simplex, run(1), item(t, simplex, oneAPage(1), person()), item(t, simplex, oneAPage(2), person()))
	if d.Pages != 2 || d.Letters[1].FirstPage != 2 {
		t.Errorf("simplex: %+v", d)
	}
}

func TestDrawStops(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	it := item(t, press, oneAPage(1), person())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := press.Draw(ctx, io.Discard, run(1), seq(it)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	broken := errors.New("the ledger is away")
	if _, err := press.Draw(context.Background(), io.Discard, run(1), func(yield func(Item, error) bool) { yield(Item{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("source: %v", err)
	}
	if _, err := press.Draw(context.Background(), badWriter{}, run(1), seq(it)); err == nil {
		t.Error("a write error is no error")
	}
	var b bytes.Buffer
	d, err := press.Draw(context.Background(), &b, run(1), seq())
	if err != nil || d.Pages != 0 || b.Len() != 0 {
		t.Errorf("empty run: %+v %v %d bytes", d, err, b.Len())
	}
}

type badWriter struct{}

func (badWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Many goroutines share one press and its fonts.
func TestPressIsShared(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	items := mixedRun(t, press)
	_, want := drawn(t, press, run(1), items...)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var b bytes.Buffer
			if _, err := press.Draw(context.Background(), &b, run(1), seq(items...)); err != nil || !bytes.Equal(b.Bytes(), want) {
				t.Errorf("another goroutine draws other bytes: %v", err)
			}
		})
	}
	wg.Wait()
}

// gofpdf must never be asked for one of its own fonts: they are not embedded.
func TestCanvasIsGofpdf(t *testing.T) {
	t.Parallel()
	if _, ok := newCanvas("x", time.Time{}).(*gofpdf.Fpdf); !ok {
		t.Error("the canvas is not gofpdf's document")
	}
}

// Whatever a customer is called, it is text on the page and nothing else.
func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{})
	for _, name := range []string{
		`*O'Neil* <b>bold</b> &amp;`, `\) Tj ET 0 0 1 rg BT (`, `) Tj (`, `{nb} {{.Name}} %s %d`, "(((", `\\\`, "\\(\r)", "endstream endobj", "x" + strings.Repeat(")", 60),
	} {
		l := oneAPage(1)
		l.Blocks = append([]pipeline.Block{p("Madame " + name + " fin")}, l.Blocks[1:]...)
		_, data := drawn(t, press, run(1), item(t, press, l, person()))
		file := write(t, data)
		testenv.Run(t, "qpdf", "--check", file)
		if text := pageText(t, file, 1, 1); !strings.Contains(text, plain("Madame "+name+" fin")) {
			t.Errorf("%q is not on the page:\n%.300s", name, text)
		}
	}
}
