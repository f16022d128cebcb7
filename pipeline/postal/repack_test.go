package postal

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/kit/testenv"
)

// plainDocument is a document as gofpdf writes it without compression, with what
// must come through untouched: an image, a font, an outline, an empty page, text
// that looks like the file's own words.
func plainDocument(t testing.TB) []byte {
	t.Helper()
	press := newPress(t, Config{})
	d := newPainter(press, newCanvas("repack", testDay))
	for i, it := range mixedRun(t, press) {
		l, err := press.layout(&it)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.safely(l, itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	d.canvas.AddPage()
	d.canvas.SetFont(press.fonts.faces[regular].families[0], "", 10)
	d.canvas.Text(20, 20, "startxref\nendstream\nendobj\n<</Length 3>>\nstream\nxref")
	var b bytes.Buffer
	if err := d.canvas.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRepackChangesNothingButTheSize(t *testing.T) {
	t.Parallel()
	doc := plainDocument(t)
	var small bytes.Buffer
	if err := repack(&small, doc); err != nil {
		t.Fatal(err)
	}
	if small.Len() >= len(doc) {
		t.Errorf("%d bytes of %d", small.Len(), len(doc))
	}
	// qpdf writes both out in one form: they are the same document.
	var forms [2]string
	for i, data := range [][]byte{doc, small.Bytes()} {
		file := write(t, data)
		testenv.Run(t, "qpdf", "--check", file)
		out := filepath.Join(filepath.Dir(file), "out.pdf")
		testenv.Run(t, "qpdf", "--qdf", "--static-id", "--no-original-object-ids", "--decode-level=generalized", file, out)
		forms[i] = string(testenv.Run(t, "cat", out))
	}
	if forms[0] != forms[1] {
		t.Error("the document is another")
	}
}

// What is not as gofpdf writes it is an error, and never a broken file that looks
// whole.
func TestRepackRefuses(t *testing.T) {
	t.Parallel()
	doc := plainDocument(t)
	for _, bad := range []string{"", "%PDF-1.3\n", "startxref\n5\n%%EOF\n", "xref\n0 9\nstartxref\n0\n%%EOF\n", strings.Repeat("startxref\n", 3)} {
		if err := repack(io.Discard, []byte(bad)); !errors.Is(err, errRepack) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		cut := bytes.Clone(doc[:rnd.IntN(len(doc)-20)])
		if err := repack(io.Discard, cut); err == nil {
			t.Fatalf("cut at %d of %d: accepted", len(cut), len(doc))
		}
	}
	if err := repack(badWriter{}, doc); err == nil {
		t.Error("a write error is no error")
	}
}
