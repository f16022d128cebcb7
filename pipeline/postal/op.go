package postal

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
)

// point is a typographic point (1/72 inch) in millimetres.
const point = 25.4 / 72

// opKind is what a page is made of.
type opKind uint8

const (
	opText opKind = iota
	opRect
	opImage // text is the name of the logo
	opCode  // text is the content of the symbol
)

// op is one thing on a page, placed in millimetres from its top left corner. All
// ink is grey: nothing needs a colour separation.
type op struct {
	kind  opKind
	x, y  float64 // of a text: left end of the base line; else top left corner
	w, h  float64
	size  float64 // points
	face  face
	plate plate
	grey  uint8 // 0: black
	role  role
	text  string // encoded for plate
}

// role says what an op belongs to, where that decides where it may be.
type role uint8

const (
	roleLetter role = iota
	roleWindow      // address, return line and code that belong in the window
	roleMark        // fold and punch marks, in the margin
)

// box is the ground that an op covers, ascenders and descenders included.
func (o *op) box(f *fonts) Box {
	if o.kind == opText {
		t := f.faces[o.face]
		em := o.size * point / 1000
		top := t.ascent * em
		if o.role == roleWindow {
			top = t.capital * em
		}
		return Box{o.x, o.y - top, o.w, top + t.descent*em}
	}
	return Box{o.x, o.y, o.w, o.h}
}

// sheetHash is the hash of what is on the pages of a letter, in thousandths of a
// millimetre: the same on every machine, whatever the PDF around it.
func sheetHash(profile, class string, pages []page) [sha256.Size]byte {
	h := sha256.New()
	put(h, "art34/sheet/1", profile, class)
	number(h, len(pages))
	for _, p := range pages {
		number(h, len(p.ops))
		for i := range p.ops {
			o := &p.ops[i]
			number(h, int(o.kind), int(o.face), int(o.plate), int(o.grey), milli(o.x), milli(o.y), milli(o.w), milli(o.h), milli(o.size))
			put(h, o.text)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func milli(v float64) int { return int(math.Round(v * 1000)) }

func put(h hash.Hash, list ...string) {
	for _, s := range list {
		number(h, len(s))
		_, _ = h.Write([]byte(s))
	}
}

func number(h hash.Hash, list ...int) {
	var b [8]byte
	for _, n := range list {
		binary.BigEndian.PutUint64(b[:], uint64(n))
		_, _ = h.Write(b[:])
	}
}
