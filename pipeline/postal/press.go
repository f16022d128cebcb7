package postal

import (
	"context"
	"io"
	"iter"

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
type Press struct{}

// NewPress checks the configuration, the fonts and the logos.
func NewPress(c Config) (*Press, error) { panic("postal: not built yet") }

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
	Country  string   // ISO 3166-1 alpha-2; "": Origin
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
func (p *Press) Address(person pipeline.Person) ([]string, error) { panic("postal: not built yet") }

// Printable reports why a person's postal address cannot be printed: nil, or a
// *pipeline.Error with one of the codes
//
//	no-recipient no-address no-postcode postcode-invalid city-missing
//	country-unknown address-line-too-long address-too-many-lines
//	address-not-encodable address-invalid
func (p *Press) Printable(person pipeline.Person) error { panic("postal: not built yet") }

// Postcode returns the postcode in the form that sorting and manifests use:
// "01000" for a French "1000", otherwise as given without blanks at the ends.
func (p *Press) Postcode(person pipeline.Person) string { panic("postal: not built yet") }

// Measure lays a letter out and says what it takes, without drawing it. Whatever
// makes a letter unfit for print shows here: a *pipeline.Error with the codes of
// Printable, or letter-too-long, glyph-missing, text-too-wide, logo-missing,
// locale-unknown, layout-failed.
func (p *Press) Measure(it Item) (Size, error) { panic("postal: not built yet") }

// Draw writes the PDF of a print run: each letter starts on the front of a sheet.
// items is iterated once, and again if a letter has to be taken out. All letters
// are drawn for the run's profile and class and, if run.Sheets is set, must take
// so many sheets. A letter that cannot be drawn is left out and reported in
// Drawn.Unfit; it spoils nothing. An error that items yields, a write error and
// the end of ctx end the drawing.
func (p *Press) Draw(ctx context.Context, w io.Writer, run pipeline.Run, items iter.Seq2[Item, error]) (*Drawn, error) {
	panic("postal: not built yet")
}

// DrawLetter writes one letter as a PDF of its own, for proofs and for showing
// the very letter again. Its Hash is the one that the print run recorded.
func (p *Press) DrawLetter(w io.Writer, it Item) (DrawnLetter, error) {
	panic("postal: not built yet")
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
