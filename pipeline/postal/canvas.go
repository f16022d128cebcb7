package postal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jung-kurt/gofpdf"
)

// canvas is the part of gofpdf that letters are drawn with.
type canvas interface {
	AddPage()
	AddFontFromBytes(family, style string, json, z []byte)
	SetFont(family, style string, size float64)
	SetTextColor(r, g, b int)
	SetFillColor(r, g, b int)
	Text(x, y float64, text string)
	Rect(x, y, w, h float64, style string)
	RawWriteStr(operators string)
	RegisterImageOptionsReader(name string, o gofpdf.ImageOptions, r io.Reader) *gofpdf.ImageInfoType
	ImageOptions(name string, x, y, w, h float64, flow bool, o gofpdf.ImageOptions, link int, linkStr string)
	Bookmark(text string, level int, y float64)
	Error() error
	Output(w io.Writer) error
}

// newCanvas starts a document with everything fixed that would make it different
// from run to run. title is what the PDF calls itself.
func newCanvas(title string, at time.Time) canvas {
	doc := gofpdf.New("P", "mm", "A4", "")
	doc.SetCatalogSort(true)
	doc.SetCompression(false) // repack does it
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	doc.SetCreationDate(at.UTC())
	doc.SetModificationDate(at.UTC())
	doc.SetProducer("Art34 "+Renderer, false)
	doc.SetTitle(title, false)
	return doc
}

// painter draws pages on a canvas and remembers what is set there.
type painter struct {
	press  *Press
	canvas canvas
	fonts  [faceCount][plateCount]bool
	logos  map[string]bool

	// State of the current page.
	face   face
	plate  plate
	size   float64
	ink    int // grey of texts
	ground int // grey of rectangles
}

func newPainter(p *Press, c canvas) *painter {
	return &painter{press: p, canvas: c, logos: map[string]bool{}}
}

// letter draws the pages of a letter and, where both sides are printed, the blank
// back of its last sheet.
func (d *painter) letter(l *laid, bookmark string) error {
	for n := range l.pages {
		d.page()
		if n == 0 && bookmark != "" {
			d.canvas.Bookmark(bookmark, 0, 0)
		}
		for i := range l.pages[n].ops {
			if err := d.op(&l.pages[n].ops[i]); err != nil {
				return err
			}
		}
	}
	for n := len(l.pages); n < l.side(d.press.simplex); n++ {
		d.page()
	}
	return d.canvas.Error()
}

// side is the number of pages in the PDF, blank backs included.
func (l *laid) side(simplex bool) int {
	if simplex {
		return l.sheets
	}
	return 2 * l.sheets
}

// page starts a page; the state of a new one is gofpdf's, so all is set again.
func (d *painter) page() {
	d.canvas.AddPage()
	d.size, d.ink, d.ground = 0, -1, -1
}

func (d *painter) op(o *op) error {
	switch o.kind {
	case opText:
		return d.text(o)
	case opRect:
		d.fill(int(o.grey))
		d.canvas.Rect(o.x, o.y, o.w, o.h, "F")
	case opCode:
		bars, err := symbolBars(o.text)
		if err != nil {
			return err
		}
		d.fill(0)
		d.canvas.RawWriteStr(symbolPath(bars, o.x, o.y))
	case opImage:
		l, err := d.press.logo(o.text)
		if err != nil || l == nil {
			return err
		}
		opt := gofpdf.ImageOptions{ImageType: "PNG"}
		if !d.logos[o.text] {
			d.canvas.RegisterImageOptionsReader(o.text, opt, bytes.NewReader(l.png))
			d.logos[o.text] = true
		}
		d.canvas.ImageOptions(o.text, o.x, o.y, o.w, o.h, false, opt, 0, "")
	}
	return nil
}

func (d *painter) text(o *op) error {
	t := d.press.fonts.faces[o.face]
	family := t.families[o.plate]
	if !d.fonts[o.face][o.plate] {
		def, err := t.plates[o.plate]()
		if err != nil {
			return err
		}
		d.canvas.AddFontFromBytes(family, "", def.json, def.file)
		d.fonts[o.face][o.plate] = true
	}
	if d.size != o.size || d.face != o.face || d.plate != o.plate {
		d.canvas.SetFont(family, "", o.size)
		d.face, d.plate, d.size = o.face, o.plate, o.size
	}
	if grey := int(o.grey); d.ink != grey {
		d.canvas.SetTextColor(grey, grey, grey)
		d.ink = grey
	}
	d.canvas.Text(o.x, o.y, o.text)
	return nil
}

func (d *painter) fill(grey int) {
	if d.ground != grey {
		d.canvas.SetFillColor(grey, grey, grey)
		d.ground = grey
	}
}

// symbolPath draws all bars of a symbol as one path, in modules from its top left
// corner: a rectangle each would be half of the page's content.
func symbolPath(bars []bar, x, y float64) string {
	b := make([]byte, 0, 12*len(bars)+60)
	b = fmt.Appendf(b, "q %.4f 0 0 %.4f %.3f %.3f cm", module/point, -module/point, x/point, (sheetHeight-y)/point)
	for _, r := range bars {
		b = append(b, '\n')
		b = strconv.AppendInt(b, int64(r.x), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(r.y), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(r.n), 10)
		b = append(b, " 1 re"...)
	}
	return string(append(b, " f Q"...))
}

// finish writes the document. gofpdf does all its work here; a panic in it is
// the failure of the file, not of the process.
func (d *painter) finish(w io.Writer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("writing the PDF broke off")
		}
	}()
	var doc repacker
	if err := d.canvas.Output(&doc); err != nil {
		return err
	}
	return repack(w, doc.doc)
}
