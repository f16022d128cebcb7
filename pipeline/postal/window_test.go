package postal

import (
	"bytes"
	"image"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// What can be seen through the window, in pixels: the address, and the whole of
// it; round it nothing.
func TestWindowShowsTheAddressAlone(t *testing.T) {
	t.Parallel()
	const dpi = 100
	testenv.Binary(t, "pdftoppm")
	for _, name := range []string{"fr-dl", "fr-c5", "c4", "govuk"} {
		press := newPress(t, Config{Profile: name})
		profile := press.standard
		who := person()
		who.Company = "Établissements Grandchamp et compagnie"
		who.Address = []string{"Appartement 12", "Résidence les Grands Cèdres du Nord", "12 rue de la Grande Promenade"}
		if name == "govuk" {
			who = pipeline.Person{FirstName: "Sarah", LastName: "O’Connor", Address: []string{"Flat 3", "221B Baker Street", "Marylebone"}, Postcode: "NW1 6XE", City: "London", Country: "GB"}
		}
		var b bytes.Buffer
		if _, err := press.DrawLetter(&b, item(t, press, frenchLetter(2), who)); err != nil {
			t.Fatal(name, err)
		}
		page := pagePNG(t, write(t, b.Bytes()), 1, dpi)
		inside, outside := 0, 0
		always, ever := pixels(profile.Always(), dpi), pixels(profile.Ever(), dpi)
		for y := ever.Min.Y; y < ever.Max.Y; y++ {
			for x := ever.Min.X; x < ever.Max.X; x++ {
				if grey(page, x, y) > 200 {
					continue
				}
				if (image.Point{X: x, Y: y}).In(always) {
					inside++
				} else {
					outside++
				}
			}
		}
		if inside < 500 || outside > 0 {
			t.Errorf("%s: %d dark pixels always visible, %d that only some positions show", name, inside, outside)
		}
	}
}

func pixels(b Box, dpi float64) image.Rectangle {
	px := func(mm float64) int { return int(mm / 25.4 * dpi) }
	return image.Rect(px(b.X), px(b.Y), px(b.Right())+1, px(b.Bottom())+1)
}
