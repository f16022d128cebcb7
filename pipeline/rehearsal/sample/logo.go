package sample

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
)

// logo draws a sign in grey: a disc with rings for the main brand, clouds for the
// second.
func logo(second bool) ([]byte, error) {
	const w, h = 480, 160
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetGray(x, y, color.Gray{Y: shade(x, y, second)})
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return b.Bytes(), err
}

func shade(x, y int, second bool) uint8 {
	in := func(cx, cy, r int) bool { return (x-cx)*(x-cx)+(y-cy)*(y-cy) <= r*r }
	if second {
		if in(60, 96, 44) || in(110, 70, 56) || in(164, 98, 42) || y > 96 && y < 140 && x > 60 && x < 164 {
			return 60
		}
		if y > 60 && y < 72 && x > 230 && x < 450 || y > 88 && y < 100 && x > 230 && x < 400 {
			return 60
		}
		return 255
	}
	switch {
	case in(80, 80, 22), in(80, 80, 64) && !in(80, 80, 52), in(80, 80, 44) && !in(80, 80, 34):
		return 25
	case y > 52 && y < 70 && x > 180 && x < 440, y > 88 && y < 98 && x > 180 && x < 360:
		return 25
	}
	return 255
}
