package postal

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// The sheet: ISO 216 A4, portrait.
const (
	sheetWidth  = 210.0
	sheetHeight = 297.0
)

// Box is a rectangle on the sheet in millimetres from its top left corner.
type Box struct {
	X float64 `yaml:"x"`
	Y float64 `yaml:"y"`
	W float64 `yaml:"w"`
	H float64 `yaml:"h"`
}

// Right and Bottom are the far edges.
func (b Box) Right() float64  { return b.X + b.W }
func (b Box) Bottom() float64 { return b.Y + b.H }

// tolerance is what two edges may overlap by, in mm: rounding, not ink.
const tolerance = 0.01

// Inside reports whether b lies within o.
func (b Box) Inside(o Box) bool {
	return b.X >= o.X-tolerance && b.Y >= o.Y-tolerance && b.Right() <= o.Right()+tolerance && b.Bottom() <= o.Bottom()+tolerance
}

// Touches reports whether b and o overlap.
func (b Box) Touches(o Box) bool {
	return b.X < o.Right()-tolerance && o.X < b.Right()-tolerance && b.Y < o.Bottom()-tolerance && o.Y < b.Bottom()-tolerance
}

// Point is a place on the sheet.
type Point struct {
	X float64 `yaml:"x"`
	Y float64 `yaml:"y"`
}

// Profile is the geometry of an envelope and of the letter that goes into it.
// profiles.yaml explains the keys.
type Profile struct {
	Name       string       `yaml:"name"`
	About      string       `yaml:"about"`
	Origin     string       `yaml:"origin"` // country of posting, ISO 3166-1 alpha-2
	Margins    Margins      `yaml:"margins"`
	Envelopes  []Envelope   `yaml:"envelopes"`
	Visible    *Box         `yaml:"visible"`
	HiddenFrom *Box         `yaml:"hidden_from"`
	Address    AddressField `yaml:"address"`
	ReturnLine *Box         `yaml:"return_line"` // sender's address in one line, in the window
	WindowCode *Point       `yaml:"window_code"` // a second code, in the window: returned mail is scanned unopened
	Logo       Box          `yaml:"logo"`
	Sender     Box          `yaml:"sender"` // name, return address, reference, telephone
	Date       Box          `yaml:"date"`
	Body       Box          `yaml:"body"` // of the first page
	Next       Box          `yaml:"next"` // of the pages after it
	Foot       Box          `yaml:"foot"` // code, registered line, page number
	Folds      []float64    `yaml:"folds"`
	Punch      float64      `yaml:"punch"` // mark for the hole punch; 0: none
	Clear      []Box        `yaml:"clear"`
	MaxSheets  int          `yaml:"max_sheets"`
}

// Margins are what the print shop leaves white.
type Margins struct {
	Top    float64 `yaml:"top"`
	Right  float64 `yaml:"right"`
	Bottom float64 `yaml:"bottom"`
	Left   float64 `yaml:"left"`
}

// Envelope is an envelope with a window and the sheet folded for it.
type Envelope struct {
	Name   string  `yaml:"name"`
	W      float64 `yaml:"w"`
	H      float64 `yaml:"h"`
	Panel  float64 `yaml:"panel"`
	Window Box     `yaml:"window"`
}

// AddressField is where the address goes and how it is set.
type AddressField struct {
	X       float64 `yaml:"x"`
	Y       float64 `yaml:"y"`
	W       float64 `yaml:"w"`
	H       float64 `yaml:"h"`
	Pitch   float64 `yaml:"pitch"`
	Face    string  `yaml:"face"` // mono, sans
	Size    float64 `yaml:"size"` // points
	MinSize float64 `yaml:"min_size"`
}

// Box is the field's rectangle.
func (a AddressField) Box() Box { return Box{a.X, a.Y, a.W, a.H} }

// always is what the window shows of the sheet however it lies: the sheet moves
// from the left and top edge of the envelope by the difference of their sizes.
func (e Envelope) always() Box {
	dx, dy := e.W-sheetWidth, e.H-e.Panel
	return Box{e.Window.X, e.Window.Y, e.Window.W - dx, e.Window.H - dy}
}

// ever is what the window may show of the sheet.
func (e Envelope) ever() Box {
	dx, dy := e.W-sheetWidth, e.H-e.Panel
	return Box{e.Window.X - dx, e.Window.Y - dy, e.Window.W + dx, e.Window.H + dy}
}

// Always is the part of the first page that every envelope of the profile shows
// in every position of the sheet.
func (p *Profile) Always() Box {
	if p.Visible != nil {
		return *p.Visible
	}
	b := p.Envelopes[0].always()
	for _, e := range p.Envelopes[1:] {
		o := e.always()
		x, y := max(b.X, o.X), max(b.Y, o.Y)
		b = Box{x, y, min(b.Right(), o.Right()) - x, min(b.Bottom(), o.Bottom()) - y}
	}
	return b
}

// Ever is the part of the first page that some envelope may show in some position.
func (p *Profile) Ever() Box {
	if p.HiddenFrom != nil {
		return *p.HiddenFrom
	}
	b := p.Envelopes[0].ever()
	for _, e := range p.Envelopes[1:] {
		o := e.ever()
		x, y := min(b.X, o.X), min(b.Y, o.Y)
		b = Box{x, y, max(b.Right(), o.Right()) - x, max(b.Bottom(), o.Bottom()) - y}
	}
	return b
}

// Printable is the sheet less the margins.
func (p *Profile) Printable() Box {
	m := p.Margins
	return Box{m.Left, m.Top, sheetWidth - m.Left - m.Right, sheetHeight - m.Top - m.Bottom}
}

// Validate checks the geometry: the address within what is always visible,
// everything else outside what may ever be, all within the margins and off the
// zones that must stay clear. It reports every fault.
func (p *Profile) Validate() error {
	v := &validation{p: p}
	if p.Name == "" {
		v.fail("has no name")
	}
	if len(p.Envelopes) == 0 && (p.Visible == nil || p.HiddenFrom == nil) {
		v.fail("has neither envelopes nor visible and hidden_from")
		return errors.Join(v.errs...)
	}
	for _, e := range p.Envelopes {
		if e.W < sheetWidth || e.H < e.Panel || e.Panel <= 0 || !e.Window.Inside(Box{0, 0, e.W, e.H}) {
			v.fail("envelope %s is smaller than the folded sheet or than its window", e.Name)
		}
	}
	if a := p.Address; a.Face != "mono" && a.Face != "sans" || a.Size < a.MinSize || a.MinSize < 8 || a.Pitch <= 0 {
		v.fail("address: face is mono or sans, 8 ≤ min_size ≤ size, pitch above 0")
	}
	v.window()
	v.rest()
	if p.MaxSheets < 1 {
		v.fail("max_sheets is below 1")
	}
	return errors.Join(v.errs...)
}

// validation gathers the faults of a profile.
type validation struct {
	p    *Profile
	errs []error
}

func (v *validation) fail(format string, a ...any) {
	v.errs = append(v.errs, fmt.Errorf("profile %s: "+format, append([]any{v.p.Name}, a...)...))
}

// named is a part of the page.
type named struct {
	name string
	Box
}

// window checks what is to be seen: always, and nothing over anything else.
func (v *validation) window() {
	always := v.p.Always()
	parts := []named{{"address", v.p.Address.Box()}}
	if v.p.ReturnLine != nil {
		parts = append(parts, named{"return_line", *v.p.ReturnLine})
	}
	if v.p.WindowCode != nil {
		parts = append(parts, named{"window_code", v.p.WindowCode.symbol()})
	}
	for i, part := range parts {
		if part.W <= 0 || part.H <= 0 || !part.Inside(always) {
			v.fail("%s %v is not within what the window always shows, %v", part.name, part.Box, always)
		}
		for _, other := range parts[:i] {
			if part.Touches(other.Box) {
				v.fail("%s and %s overlap", part.name, other.name)
			}
		}
	}
}

// rest checks what is not to be seen.
func (v *validation) rest() {
	p, ever, paper := v.p, v.p.Ever(), v.p.Printable()
	parts := []named{{"logo", p.Logo}, {"sender", p.Sender}, {"date", p.Date}, {"body", p.Body}, {"foot", p.Foot}, {"next", p.Next}}
	for _, part := range parts {
		if part.name != "next" && part.Touches(ever) {
			v.fail("%s %v may show in the window, %v", part.name, part.Box, ever)
		}
		if part.W <= 0 || part.H <= 0 || !part.Inside(paper) {
			v.fail("%s %v is not within the margins, %v", part.name, part.Box, paper)
		}
		for _, c := range p.Clear {
			if part.Touches(c) {
				v.fail("%s lies in a zone that must stay clear", part.name)
			}
		}
	}
	if p.Body.Touches(p.Foot) || p.Next.Touches(p.Foot) || p.Body.Touches(p.Sender) || p.Body.Touches(p.Date) || p.Sender.Touches(p.Date) || p.Logo.Touches(p.Date) {
		v.fail("body, foot, sender and date overlap")
	}
	if p.Foot.H < symbol {
		v.fail("the foot is too low for the code")
	}
}

// symbol is the ground that a code at p takes, with its quiet zone.
func (p Point) symbol() Box {
	return Box{p.X - quiet, p.Y - quiet, symbol + 2*quiet, symbol + 2*quiet}
}

//go:embed profiles.yaml
var shippedProfiles []byte

// Shipped returns the profiles that come with the program.
func Shipped() ([]Profile, error) { return ParseProfiles("profiles.yaml", shippedProfiles) }

// ParseProfiles reads a list of profiles from YAML and validates them. name is
// used in errors.
func ParseProfiles(name string, data []byte) ([]Profile, error) {
	var list []Profile
	if err := strictyaml.Decode(name, data, &list); err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return list, nil
}
