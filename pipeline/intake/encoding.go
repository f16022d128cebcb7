package intake

import (
	"bufio"
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Encodings of an input, as manifests name them.
const (
	encodingUTF8   = "utf-8"
	encodingBOM    = "utf-8 with BOM"
	encoding1252   = "windows-1252"
	encodingUTF16L = "utf-16le"
	encodingUTF16B = "utf-16be"
)

// decoder turns the bytes of a text file into UTF-8. A file without a byte order
// mark is ASCII until the first other byte; the rest of that buffer decides
// between UTF-8 and Windows-1252, whichever explains more of it. So even a file
// whose first accent comes after a gigabyte is read in one pass.
//
// Bytes that the encoding does not have are passed on (UTF-8) or become U+FFFD
// (Windows-1252, UTF-16); the row they are in is judged later.
type decoder struct {
	r        *bufio.Reader
	encoding string // "" while undecided
	table    [256]string
	in       []byte
	out      []byte // decoded and not yet handed out
	err      error
}

func newDecoder(r *bufio.Reader) *decoder {
	d := &decoder{r: r, in: make([]byte, 0, 64<<10)}
	head, _ := r.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		d.encoding = encodingBOM
		_, _ = r.Discard(3)
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		d.utf16(encodingUTF16L, unicode.LittleEndian)
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		d.utf16(encodingUTF16B, unicode.BigEndian)
	}
	return d
}

func (d *decoder) utf16(name string, order unicode.Endianness) {
	d.encoding = name
	d.r = bufio.NewReaderSize(transform.NewReader(d.r, unicode.UTF16(order, unicode.ExpectBOM).NewDecoder()), 64<<10)
}

// name returns the encoding for the manifest.
func (d *decoder) name() string {
	if d.encoding == "" {
		return encodingUTF8 // pure ASCII
	}
	return d.encoding
}

func (d *decoder) Read(p []byte) (int, error) {
	for len(d.out) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		d.fill()
	}
	n := copy(p, d.out)
	d.out = d.out[n:]
	return n, nil
}

// fill reads and decodes the next piece.
func (d *decoder) fill() {
	n, err := d.r.Read(d.in[:cap(d.in)])
	d.err = err
	b := d.in[:n]
	if d.encoding == "" {
		if i := firstHigh(b); i >= 0 {
			// A character that this piece cuts in two is looked at as a whole.
			tail, _ := d.r.Peek(utf8.UTFMax - 1)
			d.decide(append(bytes.Clone(b[i:]), tail...))
		}
	}
	if d.encoding != encoding1252 {
		d.out = b
		return
	}
	// Characters of Windows-1252 take up to three bytes of UTF-8.
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		if c < utf8.RuneSelf {
			out = append(out, c)
			continue
		}
		out = append(out, d.table[c]...)
	}
	d.out = out
}

// decide chooses the encoding by the first piece that is not ASCII.
func (d *decoder) decide(b []byte) {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case n > 1:
			good++
		case r == utf8.RuneError && (utf8.FullRune(b) || good+bad == 0):
			bad++
		}
		b = b[n:]
	}
	d.encoding = encodingUTF8
	if bad > good {
		d.encoding = encoding1252
		for i := range d.table {
			r := charmap.Windows1252.DecodeByte(byte(i))
			if r >= 0x80 && r < 0xa0 {
				r = utf8.RuneError // the five bytes that Windows-1252 leaves open
			}
			d.table[i] = string(r)
		}
	}
}

// firstHigh returns the index of the first byte that is not ASCII, or -1.
func firstHigh(b []byte) int {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return i
		}
	}
	return -1
}
