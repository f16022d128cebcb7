package postal

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// sample is a letter that people looked at and would sign.
type sample struct {
	name   string
	config Config
	letter *pipeline.Letter
	who    pipeline.Person
}

func samples() []sample {
	de := pipeline.Person{Title: "Herrn", FirstName: "Łukasz", LastName: "Großmann", Address: []string{"Schloßstraße 12"}, Postcode: "10115", City: "Berlin", Country: "DE"}
	gb := pipeline.Person{Title: "Ms", FirstName: "Sarah", LastName: "O’Connor", Address: []string{"Flat 3", "221B Baker Street"}, Postcode: "NW1 6XE", City: "London", Country: "GB"}
	return []sample{
		{"french", Config{}, frenchLetter(2), person()},
		{"one-page", Config{}, oneAPage(1), person()},
		{"french-c5", Config{Profile: "fr-c5"}, frenchLetter(1), person()},
		{"two-page", Config{}, frenchLetter(7), person()},
		{"english", Config{}, englishLetter(), gb},
		{"large", Config{}, largeLetter(), person()},
		{"din", Config{Profile: "din5008b"}, englishLetter(), de},
		{"govuk", Config{Profile: "govuk"}, englishLetter(), gb},
	}
}

// TestGolden compares the first two pages of the samples with the images in
// testdata/golden, tolerantly: fonts are drawn a little differently by every
// version of the renderer. ART34_LOOK=DIR also writes all pages into DIR for eyes;
// ART34_GOLDEN=write replaces the images: look before committing.
func TestGolden(t *testing.T) {
	t.Parallel()
	const dpi = 50
	testenv.Binary(t, "pdftoppm")
	for _, x := range samples() {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			press := newPress(t, x.config)
			var b bytes.Buffer
			d, err := press.DrawLetter(&b, item(t, press, x.letter, x.who))
			if err != nil {
				t.Fatal(err)
			}
			file := write(t, b.Bytes())
			if dir := os.Getenv("ART34_LOOK"); dir != "" {
				testenv.Run(t, "pdftoppm", "-r", "100", "-png", file, filepath.Join(dir, x.name))
			}
			for n := 1; n <= min(2, d.Printed); n++ {
				got := pagePNG(t, file, n, dpi)
				golden := filepath.Join("testdata", "golden", fmt.Sprintf("%s-%d.png", x.name, n))
				if os.Getenv("ART34_GOLDEN") == "write" {
					var out bytes.Buffer
					if err := png.Encode(&out, got); err != nil {
						t.Fatal(err)
					}
					if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
						t.Fatal(err)
					}
					continue
				}
				data, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				want, err := png.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				if share := unlike(got, want); share > 0.004 {
					t.Errorf("page %d: %.1f %% of the page looks otherwise than %s", n, 100*share, golden)
				}
			}
		})
	}
}

// unlike is the share of blocks of 6 × 6 pixels whose mean grey differs clearly.
func unlike(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	const side = 6
	bad, all := 0, 0
	r := a.Bounds()
	for y := r.Min.Y; y+side <= r.Max.Y; y += side {
		for x := r.Min.X; x+side <= r.Max.X; x += side {
			d := 0
			for k := range side * side {
				d += grey(a, x+k%side, y+k/side) - grey(b, x+k%side, y+k/side)
			}
			if d = d / (side * side); d > 25 || d < -25 {
				bad++
			}
			all++
		}
	}
	return float64(bad) / float64(all)
}

// The comparison sees what it is there to see: another page, and lines that moved
// by a millimetre.
func TestGoldenWouldNotice(t *testing.T) {
	t.Parallel()
	load := func(name string) image.Image {
		data, err := os.ReadFile(filepath.Join("testdata", "golden", name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	french := load("french-1.png")
	if share := unlike(french, load("two-page-1.png")); share < 0.03 {
		t.Errorf("another letter: %.4f", share)
	}
	moved := image.NewGray(french.Bounds())
	draw.Draw(moved, moved.Rect, french, image.Pt(0, -2), draw.Src)
	if share := unlike(french, moved); share < 0.03 {
		t.Errorf("moved by a millimetre: %.4f", share)
	}
}
