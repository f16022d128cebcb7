package postal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/art34/art34/pipeline"
)

// seg is a run of characters in one face and plate, encoded.
type seg struct {
	face  face
	plate plate
	text  string
	units int // width in 1/1000 of the size
}

// word is what is never broken: no-break blanks are characters like others.
type word struct {
	segs  []seg
	units int
	space int  // width of the blank before it, in units; 0: it touches the word before
	brk   bool // a line ends before it
}

// shaper turns spans of text into words.
type shaper struct {
	fonts *fonts
	words []word
	cur   word
	open  bool // cur has characters
	space int
	brk   bool
}

// shape cuts spans into words. It fails on a character that no font has.
func (f *fonts) shape(spans []pipeline.Span, base face) ([]word, error) {
	s := shaper{fonts: f}
	for _, span := range spans {
		text := span.Text
		if span.Link != "" && !strings.Contains(span.Text, bareLink(span.Link)) {
			text += " (" + span.Link + ")" // paper cannot be clicked
		}
		if err := s.add(text, faceOf(span, base)); err != nil {
			return nil, err
		}
	}
	s.flush()
	return s.words, nil
}

func bareLink(link string) string {
	link = strings.TrimPrefix(strings.TrimPrefix(link, "https://"), "http://")
	return strings.TrimSuffix(strings.TrimPrefix(link, "mailto:"), "/")
}

func faceOf(s pipeline.Span, base face) face {
	b, i := s.Strong || base == bold || base == boldItalic, s.Em || base == italic || base == boldItalic
	switch {
	case base == mono:
		return mono
	case b && i:
		return boldItalic
	case b:
		return bold
	case i:
		return italic
	}
	return regular
}

func (s *shaper) add(text string, f face) error {
	if !utf8.ValidString(text) {
		return missing("the letter has bytes that are no text")
	}
	if !norm.NFC.IsNormalString(text) {
		text = norm.NFC.String(text)
	}
	if strings.IndexByte(text, 0xEF) >= 0 { // U+F000 and above
		text = latinLigatures.Replace(text)
	}
	t := s.fonts.faces[f]
	var cur seg
	var buf []byte
	flush := func() {
		if len(buf) > 0 {
			cur.text = string(buf)
			s.cur.segs = append(s.cur.segs, cur)
			s.cur.units += cur.units
			buf, cur = buf[:0], seg{}
		}
	}
	for _, r := range text {
		r, drop := substitute(r)
		switch {
		case drop:
			continue
		case r == '\n':
			flush()
			s.flush()
			s.brk = true
			continue
		case r == ' ':
			flush()
			s.flush()
			s.space = max(s.space, t.widths[plateWestern][' '])
			continue
		}
		at := s.fonts.slotOf(r)
		if at.code == 0 {
			return missing(fmt.Sprintf("the letter has a character that no font has (U+%04X)", r))
		}
		if len(buf) > 0 && cur.plate != at.plate {
			flush()
		}
		if len(buf) == 0 {
			cur = seg{face: f, plate: at.plate}
		}
		s.open = true
		buf = append(buf, at.code)
		cur.units += t.widths[at.plate][at.code]
	}
	flush()
	return nil
}

// latinLigatures come from copies out of PDF files.
var latinLigatures = strings.NewReplacer("\ufb00", "ff", "\ufb01", "fi", "\ufb02", "fl", "\ufb03", "ffi", "\ufb04", "ffl", "\ufb05", "st", "\ufb06", "st")

// flush ends the word.
func (s *shaper) flush() {
	if !s.open {
		return
	}
	s.cur.brk = s.brk
	if len(s.words) > 0 && !s.brk {
		s.cur.space = s.space
	}
	s.words = append(s.words, s.cur)
	s.cur, s.open, s.space, s.brk = word{}, false, 0, false
}

func (f *fonts) slotOf(r rune) slot {
	if r < 0 || r >= maxRune {
		return slot{}
	}
	return f.slots[r]
}

func missing(sentence string) error {
	return &pipeline.Error{Code: "glyph-missing", Sentence: sentence, Hint: "correct the record, or write to this customer by other means", Permanent: true}
}

// substitute maps characters that no font has to those that look the same, and
// drops what is invisible.
func substitute(r rune) (rune, bool) {
	switch {
	case r < utf8.RuneSelf && r >= ' ' && r != 0x7F || r == '\n':
		return r, false
	case r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u200b':
		return ' ', false
	case r == '\u202f' || r == '\u2007' || r == '\u2060':
		return '\u00a0', r == '\u2060'
	case r >= '\u2000' && r <= '\u200a' || r == '\u3000' || r == '\u1680' || r == '\u205f':
		return ' ', false
	case r == '\u2010' || r == '\u2011' || r == '\u2212':
		return '-', false
	case r == '\u2012':
		return '–', false
	case r == '\u02bc' || r == '\u2032':
		return '’', false
	case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
		return r, true
	}
	return r, false
}
