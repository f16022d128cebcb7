package postal

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/go-fonts/liberation/liberationmonoregular"
	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansbolditalic"
	"github.com/go-fonts/liberation/liberationsansitalic"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/jung-kurt/gofpdf"
	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// face is one of the typefaces that letters are set in.
type face uint8

const (
	regular face = iota
	bold
	italic
	boldItalic
	mono // of the address: fixed pitch, as NF Z10-011 recommends
	faceCount
)

// A PDF font has 256 codes. gofpdf's way round that, a font with all of Unicode,
// costs 12 ms a document and breaks on many characters; so each face is cut into
// plates of at most 222 characters, a plate is a font of its own with one byte
// a character, and a text goes from plate to plate as it needs. Plate 0 is
// Windows-1252, which almost every letter stays in.
type plate uint8

const (
	plateWestern plate = iota
	plateLatin
	plateVietnamese
	plateGreek
	plateCyrillic
	plateSigns
	plateCount
)

// maxRune bounds the table of characters.
const maxRune = 0x2300

// slot says where a character is: plate and code. code 0 means nowhere.
type slot struct {
	plate plate
	code  byte
}

// fonts are the faces with their plates. They are read-only after newFonts but
// for the definitions, which are cut when first needed.
type fonts struct {
	slots [maxRune]slot
	runes [plateCount][256]rune
	faces [faceCount]*typeface
	hash  string
}

// typeface is one face.
type typeface struct {
	widths   [plateCount][256]int // in 1/1000 of the size
	capital  float64              // height of capitals, in 1/1000 of the size
	ascent   float64
	descent  float64
	families [plateCount]string
	plates   [plateCount]func() (*definition, error)
}

// definition is a plate as gofpdf takes it.
type definition struct {
	json []byte
	file []byte // zlib
}

func newFonts() (*fonts, error) {
	f := &fonts{}
	sources := [faceCount]struct {
		name string
		ttf  []byte
	}{
		{"LiberationSans", liberationsansregular.TTF},
		{"LiberationSans-Bold", liberationsansbold.TTF},
		{"LiberationSans-Italic", liberationsansitalic.TTF},
		{"LiberationSans-BoldItalic", liberationsansbolditalic.TTF},
		{"LiberationMono", liberationmonoregular.TTF},
	}
	var parsed [faceCount]*sfnt.Font
	h := sha256.New()
	for i, s := range sources {
		// gofpdf takes a broken font without an error; this does not.
		p, err := sfnt.Parse(s.ttf)
		if err != nil {
			return nil, fmt.Errorf("font %s: %w", s.name, err)
		}
		parsed[i] = p
		_, _ = h.Write(s.ttf)
	}
	f.hash = hex.EncodeToString(h.Sum(nil))
	f.assign(parsed[:])
	for i, s := range sources {
		t, err := f.newTypeface(parsed[i], s.name, s.ttf)
		if err != nil {
			return nil, fmt.Errorf("font %s: %w", s.name, err)
		}
		for p := range t.families {
			t.families[p] = fmt.Sprintf("a34f%dp%d", i, p)
		}
		f.faces[i] = t
	}
	return f, nil
}

// assign gives every character that all faces have its slot.
func (f *fonts) assign(parsed []*sfnt.Font) {
	var b sfnt.Buffer
	everywhere := func(r rune) bool {
		for _, p := range parsed {
			if g, err := p.GlyphIndex(&b, r); err != nil || g == 0 {
				return false
			}
		}
		return true
	}
	for code := 0x20; code < 0x100; code++ {
		if r, ok := windows1252(byte(code)); ok && everywhere(r) {
			f.slots[r] = slot{plateWestern, byte(code)}
			f.runes[plateWestern][code] = r
		}
	}
	for p, ranges := range plateRanges {
		code := 33
		for _, span := range ranges {
			for r := span[0]; r <= span[1]; r++ {
				if f.slots[r].code != 0 || code > 255 || !everywhere(r) {
					continue
				}
				f.slots[r] = slot{plate(p), byte(code)}
				f.runes[p][code] = r
				code++
			}
		}
	}
}

func (f *fonts) newTypeface(p *sfnt.Font, name string, ttf []byte) (*typeface, error) {
	var b sfnt.Buffer
	const em = 1000
	m, err := p.Metrics(&b, fixed.I(em), font.HintingNone)
	if err != nil {
		return nil, err
	}
	t := &typeface{capital: float(m.CapHeight), ascent: float(m.Ascent), descent: float(m.Descent)}
	for pl := range f.runes {
		for code, r := range f.runes[pl] {
			if r == 0 {
				continue
			}
			g, err := p.GlyphIndex(&b, r)
			if err != nil {
				return nil, err
			}
			w, err := p.GlyphAdvance(&b, g, fixed.I(em), font.HintingNone)
			if err != nil {
				return nil, err
			}
			t.widths[pl][code] = w.Round()
		}
		t.plates[pl] = sync.OnceValues(func() (*definition, error) { return f.cut(t, p, name, ttf, plate(pl)) })
	}
	return t, nil
}

func float(x fixed.Int26_6) float64 { return float64(x) / 64 }

// cut makes the definition of one plate: the part of the font file with its
// characters, and how codes map to them. It is the same in every document, so a
// printer that keeps fonts from one job to the next cannot mix them up.
func (f *fonts) cut(t *typeface, p *sfnt.Font, name string, ttf []byte, pl plate) (*definition, error) {
	var text strings.Builder
	var diff strings.Builder
	var b sfnt.Buffer
	last := 0
	for code, r := range f.runes[pl] {
		if r == 0 {
			continue
		}
		text.WriteRune(r)
		if pl == plateWestern {
			continue // WinAnsiEncoding
		}
		g, err := p.GlyphIndex(&b, r)
		if err != nil {
			return nil, err
		}
		glyph, err := glyphName(p, &b, g, r)
		if err != nil {
			return nil, err
		}
		if code != last+1 {
			fmt.Fprintf(&diff, "%d ", code)
		}
		last = code
		diff.WriteString("/" + glyph + " ")
	}
	// The cutter writes padding into its input.
	file := gofpdf.UTF8CutFont(bytes.Clone(ttf), text.String())
	if _, err := sfnt.Parse(file); err != nil {
		return nil, fmt.Errorf("cutting: %w", err)
	}
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	if _, err := zw.Write(file); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	desc, err := describe(p, &b, t, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(file)
	def := map[string]any{
		"Tp": "TrueType", "Name": subsetTag(sum[:]) + "+" + name, "Desc": desc, "Up": -100, "Ut": 50,
		"Cw": t.widths[pl], "Enc": "cp1252", "Diff": strings.TrimSpace(diff.String()),
		"File": fmt.Sprintf("%s-%d.z", name, pl), "OriginalSize": len(file),
	}
	j, err := json.Marshal(def)
	if err != nil {
		return nil, err
	}
	return &definition{json: j, file: z.Bytes()}, nil
}

// describe is the font descriptor (PDF 1.3, 7.11.2).
func describe(p *sfnt.Font, b *sfnt.Buffer, t *typeface, name string) (map[string]any, error) {
	box, err := p.Bounds(b, fixed.I(1000), font.HintingNone)
	if err != nil {
		return nil, err
	}
	flags, angle, stem := 1<<5, 0, 80
	if post := p.PostTable(); post != nil {
		angle = int(post.ItalicAngle)
		if post.IsFixedPitch {
			flags |= 1
		}
	}
	if angle != 0 {
		flags |= 1 << 6
	}
	if strings.Contains(name, "Bold") {
		stem = 140
	}
	return map[string]any{
		"Ascent": int(t.ascent), "Descent": -int(t.descent), "CapHeight": int(t.capital), "Flags": flags,
		// sfnt's y axis points down.
		"FontBBox":    map[string]int{"Xmin": box.Min.X.Floor(), "Ymin": -box.Max.Y.Ceil(), "Xmax": box.Max.X.Ceil(), "Ymax": -box.Min.Y.Floor()},
		"ItalicAngle": angle, "StemV": stem, "MissingWidth": 0,
	}, nil
}

// subsetTag is the prefix of a subset's name (PDF 1.3, 5.5.3): six capitals that
// no other subset of the font has.
func subsetTag(sum []byte) string {
	var tag [6]byte
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return string(tag[:])
}
