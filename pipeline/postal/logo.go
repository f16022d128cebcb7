package postal

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"

	"github.com/art34/art34/pipeline"
)

// logo is a sender's mark, grey and opaque.
type logo struct {
	png  []byte
	w, h int // pixels
}

// fit returns the size in millimetres at which a logo fills a box.
func (l *logo) fit(b Box) (w, h float64) {
	scale := min(b.W/float64(l.w), b.H/float64(l.h))
	return float64(l.w) * scale, float64(l.h) * scale
}

// Limits of logos.
const (
	logoMaxPixels = 16_000_000 // refused above: a small file can hold a huge picture, and 8 bytes of memory a pixel
	logoMaxSide   = 20_000     // no letter is so wide or high
	logoWidth     = 900        // pixels kept; 60 mm at 380 dpi
)

// loadLogos decodes all logos, so that a broken one stops the program and not a
// run.
func loadLogos(files map[string][]byte) (map[string]*logo, error) {
	names := make([]string, 0, len(files))
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	out := make(map[string]*logo, len(files))
	used := map[int]bool{}
	for _, n := range names {
		grey, err := decodeLogo(files[n])
		if err != nil {
			return nil, &pipeline.Error{Code: "logo-unreadable", Sentence: fmt.Sprintf("the logo %s cannot be read", n),
				Hint: "give a PNG or JPEG file of at most 16 million pixels", Permanent: true, Exit: 2, Cause: err}
		}
		// gofpdf orders images by their width alone: two of the same would make the
		// file different from run to run.
		for used[grey.Rect.Dx()] {
			grey = widen(grey)
		}
		used[grey.Rect.Dx()] = true
		var b bytes.Buffer
		if err := png.Encode(&b, grey); err != nil {
			return nil, err
		}
		out[n] = &logo{png: b.Bytes(), w: grey.Rect.Dx(), h: grey.Rect.Dy()}
	}
	return out, nil
}

// decodeLogo makes a picture grey, puts it on white and brings it down to a
// sensible size.
func decodeLogo(data []byte) (*image.Gray, error) {
	// By name, not through what other packages have registered with image.
	size, decode := jpeg.DecodeConfig, jpeg.Decode
	if bytes.HasPrefix(data, []byte("\x89PNG")) {
		size, decode = png.DecodeConfig, png.Decode
	}
	c, err := size(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if c.Width < 1 || c.Height < 1 || c.Width > logoMaxSide || c.Height > logoMaxSide || c.Width*c.Height > logoMaxPixels {
		return nil, fmt.Errorf("%d × %d pixels", c.Width, c.Height)
	}
	src, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if w > logoWidth {
		w, h = logoWidth, max(1, h*logoWidth/w)
	}
	grey := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			grey.SetGray(x, y, color.Gray{Y: average(src, image.Rect(
				b.Min.X+x*b.Dx()/w, b.Min.Y+y*b.Dy()/h,
				b.Min.X+max((x+1)*b.Dx()/w, x*b.Dx()/w+1), b.Min.Y+max((y+1)*b.Dy()/h, y*b.Dy()/h+1)))})
		}
	}
	return grey, nil
}

// average is the grey of a part of a picture on white paper.
func average(src image.Image, r image.Rectangle) uint8 {
	var total, n uint64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			red, green, blue, alpha := src.At(x, y).RGBA() // premultiplied, 16 bits
			luma := (299*uint64(red) + 587*uint64(green) + 114*uint64(blue)) / 1000
			total += luma + 0xFFFF - uint64(alpha)
			n++
		}
	}
	if n == 0 {
		return 0xFF
	}
	return uint8(min(total/n, 0xFFFF) >> 8)
}

// widen adds a column of white.
func widen(g *image.Gray) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, g.Rect.Dx()+1, g.Rect.Dy()))
	for i := range out.Pix {
		out.Pix[i] = 0xFF
	}
	for y := range g.Rect.Dy() {
		copy(out.Pix[y*out.Stride:], g.Pix[y*g.Stride:y*g.Stride+g.Rect.Dx()])
	}
	return out
}
