package postal

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/datamatrix"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

func TestCodeRoundTrip(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := Code{pipeline.NewReference(rnd.Uint64()), 1 + rnd.IntN(99), 1 + rnd.IntN(99), 1 + rnd.IntN(99)}
		got, err := ParseCode(c.String())
		if err != nil || got != c {
			t.Fatalf("%+v: %+v %v", c, got, err)
		}
		if low, err := ParseCode(" " + strings.ToLower(c.String()) + "\n"); err != nil || low != c {
			t.Fatal("a scanner's line end or case", err)
		}
	}
}

// Every single wrong character and every foreign code is refused.
func TestForeignCodesAreRefused(t *testing.T) {
	t.Parallel()
	good := Code{pipeline.NewReference(12345678901), 1, 1, 2}.String()
	for i := range good {
		for _, c := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
			if bad := good[:i] + string(c) + good[i+1:]; bad != good {
				if _, err := ParseCode(bad); err == nil {
					t.Fatalf("%s read as %s", bad, good)
				}
			}
		}
	}
	for _, bad := range []string{"", "A34", "ARLAPOSTE;01;000", good + "0", good[1:], strings.Repeat("0", len(good)), "%000001234567890", "A34\u00e9" + good[5:]} {
		if _, err := ParseCode(bad); pipeline.ErrorCode(err) != "code-foreign" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add("A340938NKRJ2NWB0101025")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err == nil && c.String() != strings.ToUpper(strings.TrimSpace(s)) {
			t.Fatalf("%q reads as %+v", s, c)
		}
	})
}

// The symbols are read back by two readers that know nothing of the writer.
func TestSymbolsReadBack(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		text := Code{pipeline.NewReference(rnd.Uint64()), 1 + rnd.IntN(99), 1, 2}.String()
		bars, err := symbolBars(text)
		if err != nil {
			t.Fatal(err)
		}
		const px = 4
		img := image.NewGray(image.Rect(0, 0, (modules+8)*px, (modules+8)*px))
		draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
		for _, b := range bars {
			draw.Draw(img, image.Rect((b.x+4)*px, (b.y+4)*px, (b.x+4+b.n)*px, (b.y+5)*px), image.NewUniform(color.Black), image.Point{}, draw.Src)
		}
		if got, err := scan(img); err != nil || got != text {
			t.Fatalf("%q %v, want %q", got, err, text)
		}
	}
}

func scan(img image.Image) (string, error) {
	bmp, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		return "", err
	}
	r, err := datamatrix.NewDataMatrixReader().Decode(bmp, nil)
	if err != nil {
		return "", err
	}
	return r.GetText(), nil
}

// From paper: the page is rendered as a scanner sees it, the symbol found and
// read, on every page of the letter and in the window where the profile has one.
func TestCodesAreReadFromThePage(t *testing.T) {
	t.Parallel()
	press := newPress(t, Config{Profile: "din5008b"})
	who := pipeline.Person{FirstName: "Anna", LastName: "Lee", Address: []string{"Weg 1"}, Postcode: "10115", City: "Berlin", Country: "DE"}
	it := item(t, press, frenchLetter(9), who)
	var b bytes.Buffer
	d, err := press.DrawLetter(&b, it)
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, b.Bytes())
	foot := Point{press.standard.Foot.X, press.standard.Foot.Bottom() - symbol}
	for n := 1; n <= d.Printed; n++ {
		want := Code{it.Letter.Reference, 1, n, d.Printed}.String()
		page := pagePNG(t, file, n, 150)
		places := []Point{foot}
		if n == 1 {
			places = append(places, *press.standard.WindowCode)
			if want != d.Code {
				t.Errorf("code %q, want %q", d.Code, want)
			}
		}
		for _, at := range places {
			if got, err := scan(crop(page, at, 150)); err != nil || got != want {
				t.Errorf("page %d at %v: %q %v, want %q", n, at, got, err, want)
			}
		}
	}
	// The reader of Debian, on the whole foot of the page.
	testenv.Binary(t, "dmtxread")
	dir := t.TempDir()
	testenv.Run(t, "pdftoppm", "-r", "200", "-f", "1", "-l", "1", "-singlefile", "-gray", "-png", "-x", "100", "-y", "2050", "-W", "400", "-H", "289", file, filepath.Join(dir, "foot"))
	if got := string(testenv.Run(t, "dmtxread", "-N1", filepath.Join(dir, "foot.png"))); got != d.Code {
		t.Errorf("dmtxread: %q, want %q", got, d.Code)
	}
	if _, err := os.Stat(filepath.Join(dir, "foot.png")); err != nil {
		t.Fatal(err)
	}
}

func crop(img image.Image, at Point, dpi float64) image.Image {
	r := pixels(Box{at.X - 1.5, at.Y - 1.5, symbol + 3, symbol + 3}, dpi)
	out := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(out, out.Rect, img, r.Min, draw.Src)
	return out
}
