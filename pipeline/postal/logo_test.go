package postal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// hugePNG says that it is w × h pixels, and holds next to nothing.
func hugePNG(w, h uint32) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	header := make([]byte, 13)
	binary.BigEndian.PutUint32(header, w)
	binary.BigEndian.PutUint32(header[4:], h)
	header[8], header[9] = 16, 6 // eight bytes a pixel
	chunk := append([]byte("IHDR"), header...)
	_ = binary.Write(&b, binary.BigEndian, uint32(len(header)))
	b.Write(chunk)
	_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(chunk))
	return b.Bytes()
}

// TestHostileLogos: what is no picture of a sensible size is refused before memory is
// taken for it; what a browser would run is no logo at all.
func TestHostileLogos(t *testing.T) {
	t.Parallel()
	small := image.NewGray(image.Rect(0, 0, 8, 8))
	var good, photo, moving bytes.Buffer
	if err := png.Encode(&good, small); err != nil {
		t.Fatal(err)
	}
	if err := jpeg.Encode(&photo, small, nil); err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(&moving, small, nil); err != nil {
		t.Fatal(err)
	}
	wide := bytes.Clone(photo.Bytes()) // SOF0: marker, length, precision, height, width
	i := bytes.Index(wide, []byte{0xff, 0xc0})
	copy(wide[i+5:], []byte{0xff, 0xff, 0xff, 0xff})
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("logo"), "svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "html": []byte("<script>alert(1)</script>"),
		"gif": moving.Bytes(), "ico": []byte("\x00\x00\x01\x00\x01\x00"), "pdf": []byte("%PDF-1.4"), "webp": []byte("RIFF\x00\x00\x00\x00WEBPVP8 "),
		"huge png": hugePNG(1<<16, 1<<17), "huge png that overflows": hugePNG(1<<31-1, 1<<31-1), "huge line": hugePNG(1<<24, 1), "huge column": hugePNG(1, 1<<24), "huge square": hugePNG(4001, 4001), "png of 0": hugePNG(0, 8),
		"huge jpeg": wide, "cut png": good.Bytes()[:good.Len()/2], "cut jpeg": photo.Bytes()[:photo.Len()/3],
	} {
		_, err := loadLogos(map[string][]byte{"logo": data})
		if pipeline.ErrorCode(err) != "logo-unreadable" {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "alert") {
			t.Errorf("%s: the error holds what the file holds", name)
		}
		if early := errors.Unwrap(err); strings.HasPrefix(name, "huge ") != (early != nil && (strings.HasSuffix(early.Error(), " pixels") || strings.Contains(early.Error(), "overflow"))) {
			t.Errorf("%s: refused for %v", name, early)
		}
	}
	for name, data := range map[string][]byte{"png": good.Bytes(), "jpeg": photo.Bytes(), "png with a script behind it": append(bytes.Clone(good.Bytes()), "<script>alert(1)</script>"...)} {
		all, err := loadLogos(map[string][]byte{name: data})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// What is printed is drawn anew: nothing of the file but its greys goes on.
		if bytes.Contains(all[name].png, []byte("script")) {
			t.Errorf("%s: the file itself goes on", name)
		}
		if p, err := png.Decode(bytes.NewReader(all[name].png)); err != nil || p.ColorModel() != color.GrayModel {
			t.Errorf("%s: %v", name, fmt.Sprint(err))
		}
	}
}
