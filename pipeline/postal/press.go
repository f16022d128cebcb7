package postal

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/art34/art34/pipeline"
)

// Config is what a Press needs to know. The zero value prints both sides of the
// sheet for the French DL envelope.
type Config struct {
	Profile  string            // envelope of the standard format; "": "fr-dl"
	Large    string            // envelope of large print and of letters too thick for Profile; "": "c4"
	Profiles []Profile         // beyond the shipped ones (ParseProfiles), or instead of one of the same name
	Simplex  bool              // print the front of the sheet only
	Origin   string            // ISO 3166-1 alpha-2 code of the country of posting; "": the profile's
	Logos    map[string][]byte // name of the file (pipeline.Sender.Logo) → PNG or JPEG
	CodeName string            // the campaign's; the only name in the PDF's metadata
}

// Press lays out and draws letters. It is safe for concurrent use.
type Press struct {
	fonts           *fonts
	atlas           *atlas
	profiles        map[string]*Profile
	standard, large *Profile
	simplex         bool
	logos           map[string]*logo
	codeName        string
	newCanvas       func(title string, at time.Time) canvas // tests put a bad one in its place
}

// NewPress checks the configuration, the fonts and the logos.
func NewPress(c Config) (*Press, error) {
	p := &Press{simplex: c.Simplex, codeName: c.CodeName, profiles: map[string]*Profile{}, newCanvas: newCanvas}
	shipped, err := Shipped()
	if err != nil {
		return nil, err
	}
	for _, list := range [][]Profile{shipped, c.Profiles} {
		for _, pr := range list {
			if err := pr.Validate(); err != nil {
				return nil, &pipeline.Error{Code: "profile-invalid", Sentence: "the envelope profile is not safe to print", Permanent: true, Exit: 2, Cause: err}
			}
			p.profiles[pr.Name] = &pr
		}
	}
	for _, x := range []struct {
		to         **Profile
		name, none string
	}{{&p.standard, c.Profile, "fr-dl"}, {&p.large, c.Large, "c4"}} {
		if x.name == "" {
			x.name = x.none
		}
		if *x.to = p.profiles[x.name]; *x.to == nil {
			return nil, &pipeline.Error{Code: "profile-unknown", Sentence: fmt.Sprintf("there is no envelope profile %q", x.name),
				Hint: "shipped are fr-dl, fr-c5, c4, din5008b and govuk", Permanent: true, Exit: 2}
		}
	}
	origin := c.Origin
	if origin == "" {
		origin = p.standard.Origin
	}
	if p.atlas, err = newAtlas(origin); err != nil {
		return nil, err
	}
	if p.logos, err = loadLogos(c.Logos); err != nil {
		return nil, err
	}
	if p.fonts, err = newFonts(); err != nil {
		return nil, err
	}
	return p, nil
}

// Classes of letters. A print run holds one class, and one number of sheets.
const (
	ClassStandard   = "standard"
	ClassThick      = "thick"       // too many sheets for the standard envelope
	ClassLargePrint = "large-print" // 18 point, flat in a C4 envelope
)

// Item is one letter for a print run.
type Item struct {
	Seq      int   // position in the run, from 1; 0: the next one
	Notice   int64 //
	Attempt  int   // is part of the code on the page, so that returned mail names it
	Letter   *pipeline.Letter
	Address  []string // as Press.Address gave them
	Country  string   // ISO 3166-1 alpha-2; "": the country of posting
	Postcode string   // as Press.Postcode gives it; for the manifest
}

// Size is what a letter takes.
type Size struct {
	Pages   int // that bear text
	Sheets  int
	Class   string // ClassStandard, ClassThick or ClassLargePrint
	Profile string // name of the envelope profile
}

// Address returns the lines of the envelope, most specific first, postcode and
// city last or, abroad, the country. Errors are of type *pipeline.Error with the
// codes of Printable; they hold no personal data.
func (p *Press) Address(person pipeline.Person) ([]string, error) {
	lines, err := p.atlas.lines(person)
	if err != nil {
		return nil, err
	}
	// A letter may go into either envelope: both windows must hold the address.
	for _, profile := range []*Profile{p.standard, p.large} {
		if p.surelyFits(profile, lines) {
			continue
		}
		if _, err := p.setAddress(profile, lines); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// surelyFits reports what needs no measuring: up to six lines of up to 38 ASCII
// characters, in a field that was made for them.
func (p *Press) surelyFits(profile *Profile, lines []string) bool {
	a := profile.Address
	em := a.Size * point
	face := p.fonts.faces[mono]
	if a.Face != "mono" || len(lines) > maxLines || a.W < maxLine*float64(face.widths[plateWestern]['0'])*em/1000 ||
		a.H < (maxLines-1)*0.92*em+(face.capital+face.descent)*em/1000 {
		return false
	}
	for _, l := range lines {
		if !ascii(l) {
			return false
		}
	}
	return true
}

// Printable reports why a person's postal address cannot be printed: nil, or a
// *pipeline.Error with one of the codes
//
//	no-recipient no-address no-postcode postcode-invalid city-missing
//	country-unknown address-line-too-long address-too-many-lines
//	address-not-encodable address-invalid
func (p *Press) Printable(person pipeline.Person) error {
	_, err := p.Address(person)
	return err
}

// Postcode returns the postcode in the form that sorting and manifests use:
// "01000" for a French "1000", otherwise as given without blanks at the ends.
func (p *Press) Postcode(person pipeline.Person) string { return p.atlas.postcode(person) }

// Measure lays a letter out and says what it takes, without drawing it. Whatever
// makes a letter unfit for print shows here: a *pipeline.Error with the codes of
// Printable, or letter-too-long, glyph-missing, logo-missing, no-reference,
// sender-too-long, outside-margins, window-not-clear, address-outside-window,
// zone-not-clear, layout-failed.
func (p *Press) Measure(it Item) (Size, error) {
	l, err := p.layout(&it)
	if err != nil {
		return Size{}, err
	}
	return Size{Pages: len(l.pages), Sheets: l.sheets, Class: l.class, Profile: l.profile.Name}, nil
}

// logo returns the logo of that name; nil if the sender has none.
func (p *Press) logo(name string) (*logo, error) {
	if name == "" {
		return nil, nil
	}
	if l := p.logos[name]; l != nil {
		return l, nil
	}
	return nil, failed("logo-missing", "the logo of the sender is not there")
}

// Drawn says what is in a file that Draw wrote.
type Drawn struct {
	Letters []DrawnLetter
	Unfit   []Unfit
	Pages   int // of the PDF, with blank backs
	Sheets  int
	Fonts   string // hash of the fonts in use, hex
}

// DrawnLetter is one letter as it was drawn.
type DrawnLetter struct {
	Seq       int
	Notice    int64
	Attempt   int
	Reference pipeline.Reference
	FirstPage int // in the PDF, from 1
	Pages     int // in the PDF, with the blank back
	Printed   int // pages that bear text
	Sheets    int
	Class     string
	Country   string
	Postcode  string
	Code      string   // text of the DataMatrix on its first page
	Hash      [32]byte // of what is on its pages: pipeline.Attempt.Bytes
}

// LastPage is the last page of the letter in the PDF.
func (d DrawnLetter) LastPage() int { return d.FirstPage + d.Pages - 1 }

// Unfit is a letter that could not be drawn.
type Unfit struct {
	Seq     int
	Notice  int64
	Attempt int
	Err     error // *pipeline.Error without personal data
}

// Draw writes the PDF of a print run: each letter starts on the front of a sheet.
// items is iterated once, and again if a letter has to be taken out of a document
// that it broke. All letters are drawn for the run's profile and class and, if
// run.Sheets is set, must take so many sheets. A letter that cannot be drawn is
// left out and reported in Drawn.Unfit; it spoils nothing. An error that items
// yields, a write error and the end of ctx end the drawing. gofpdf keeps the
// document in memory until it is whole, some 55 kB a letter of two pages: runs of
// more than 4,000 letters take more than 256 MB.
func (p *Press) Draw(ctx context.Context, w io.Writer, run pipeline.Run, items iter.Seq2[Item, error]) (*Drawn, error) {
	title := run.Name()
	if p.codeName != "" {
		title = p.codeName + " " + title
	}
	job := &drawing{press: p, run: run, broken: map[int]error{}}
	for {
		d := newPainter(p, p.newCanvas(title, run.CutAt))
		drawn, err := job.once(ctx, d, items)
		if err != nil {
			return nil, err
		}
		if drawn == nil {
			continue // a letter broke the document: all over again without it
		}
		if len(drawn.Letters) == 0 {
			return drawn, nil // a PDF has at least one page: nothing is written
		}
		if err := d.finish(w); err != nil {
			return nil, err
		}
		return drawn, nil
	}
}

// DrawLetter writes one letter as a PDF of its own, for proofs and for showing
// the very letter again. Its Hash is the one that the print run recorded.
func (p *Press) DrawLetter(w io.Writer, it Item) (DrawnLetter, error) {
	l, err := p.layout(&it)
	if err != nil {
		return DrawnLetter{}, err
	}
	date := time.Time{}
	if it.Letter != nil {
		date = it.Letter.Date
	}
	d := newPainter(p, p.newCanvas(it.Letter.Reference.String(), date))
	if err := d.safely(l, ""); err != nil {
		return DrawnLetter{}, err
	}
	if err := d.finish(w); err != nil {
		return DrawnLetter{}, err
	}
	return p.drawn(&it, l, 1), nil
}
