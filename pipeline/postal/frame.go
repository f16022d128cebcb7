package postal

import (
	"errors"
	"strings"
	"unicode"

	"github.com/art34/art34/pipeline"
)

// framer draws what stands round the text of a letter: sender and address on the
// first page, code, registered line and page number on every page.
type framer struct {
	press   *Press
	item    *Item
	letter  *pipeline.Letter
	profile *Profile
	style   style
	pages   int
}

func (f *framer) frame(pg *page, n int) error {
	if n == 1 {
		if err := f.sender(pg); err != nil {
			return err
		}
		if err := f.date(pg); err != nil {
			return err
		}
		if err := f.address(pg); err != nil {
			return err
		}
		f.marks(pg)
	}
	return f.foot(pg, n)
}

// text sets lines in a column from y down and returns where it ended.
func (f *framer) text(pg *page, spans []pipeline.Span, s setting, y float64) (float64, error) {
	c := &composer{fonts: f.press.fonts, style: f.style}
	if err := c.paragraph(spans, s); err != nil {
		return y, err
	}
	for _, u := range c.units {
		pg.ops = shift(pg.ops, u.ops, y)
		y += u.h
	}
	return y, nil
}

// sender sets logo, name and return address at the top of the sender's column,
// below them reference and telephone.
func (f *framer) sender(pg *page) error {
	l, box, small := f.letter, f.profile.Sender, f.style.small
	y := box.Y
	logo, err := f.press.logo(l.Sender.Logo)
	if err != nil {
		return err
	}
	if logo != nil {
		w, h := logo.fit(f.profile.Logo)
		pg.ops = append(pg.ops, op{kind: opImage, x: f.profile.Logo.X, y: f.profile.Logo.Y, w: w, h: h, text: l.Sender.Logo})
		if f.profile.Logo.Touches(box) {
			y = f.profile.Logo.Y + h + 3
		}
	}
	s := setting{x: box.X, w: box.W, size: small, lead: small * 1.32 * point}
	strong := s
	strong.size, strong.face = small+1, bold
	strong.lead = strong.size * 1.32 * point
	if y, err = f.text(pg, []pipeline.Span{{Text: f.senderName()}}, strong, y); err != nil {
		return err
	}
	if y, err = f.text(pg, []pipeline.Span{{Text: strings.Join(f.returnAddress(), "\n")}}, s, y+0.4); err != nil {
		return err
	}
	// The lower part is set on a page of its own to know its height.
	var low page
	end := 0.0
	if l.Reference != "" {
		label := s
		label.grey = 70
		if l.Labels.Reference != "" {
			if end, err = f.text(&low, []pipeline.Span{{Text: l.Labels.Reference}}, label, end); err != nil {
				return err
			}
		}
		if end, err = f.text(&low, []pipeline.Span{{Text: l.Reference.String()}}, strong, end); err != nil {
			return err
		}
	}
	if end, err = f.contact(&low, s, strong, end); err != nil {
		return err
	}
	// Beside the address where there is room, else as low as the column reaches.
	top := f.profile.Address.Y + f.press.fonts.faces[regular].capital*s.size*point/1000 - f.press.fonts.baseline(s)
	if top < y+0.5*s.lead || top+end > box.Bottom() {
		top = box.Bottom() - end
	}
	if top < y+1 {
		return failed("sender-too-long", "name, return address and telephone of the sender do not fit beside the window")
	}
	pg.ops = shift(pg.ops, low.ops, top)
	return nil
}

// date sets the date of the letter.
func (f *framer) date(pg *page) error {
	box, size := f.profile.Date, max(f.style.small, 10)
	s := setting{x: box.X, w: box.W, size: size, lead: size * 1.32 * point}
	end, err := f.text(pg, []pipeline.Span{{Text: f.letter.Labels.Date}}, s, box.Y)
	if err == nil && end > box.Bottom() {
		return failed("sender-too-long", "the date does not fit its place")
	}
	return err
}

// contact sets telephone and hours of the cell.
func (f *framer) contact(pg *page, s, strong setting, y float64) (float64, error) {
	l := f.letter
	if l.Sender.Phone == "" {
		return y, nil
	}
	gap := 0.0
	if y > 0 {
		gap = 0.35 * s.lead
	}
	phone := strings.ReplaceAll(l.Sender.Phone, " ", "\u00a0")
	y, err := f.text(pg, []pipeline.Span{{Text: phone}}, strong, y+gap)
	if err != nil {
		return y, err
	}
	if hours := inLocale(l.Sender.Hours, l.Locale); hours != "" {
		return f.text(pg, []pipeline.Span{{Text: hours}}, s, y)
	}
	return y, nil
}

// inLocale returns the text of a locale or of its language.
func inLocale(t pipeline.Texts, locale string) string {
	if v := t[locale]; v != "" {
		return v
	}
	lang, _, _ := strings.Cut(locale, "-")
	return t[lang]
}

// senderName is what the sender calls himself.
func (f *framer) senderName() string {
	if f.letter.Sender.DisplayName != "" {
		return f.letter.Sender.DisplayName
	}
	return f.letter.Sender.LegalName
}

// returnAddress is the sender's, with the country on letters that leave it.
func (f *framer) returnAddress() []string {
	lines := append([]string(nil), f.letter.Sender.ReturnAddress...)
	if len(lines) > 0 && (lines[0] == f.letter.Sender.DisplayName || lines[0] == f.letter.Sender.LegalName) {
		lines = lines[1:] // the name stands above them
	}
	to, origin := f.item.Country, f.press.atlas.origin
	if home, ok := countryOf(origin); ok && to != "" && to != origin && (!frenchPost(to) || !frenchPost(origin)) {
		lines = append(lines, f.press.atlas.name(home))
	}
	return lines
}

// address sets the lines of the envelope: in the window, and nothing else there
// but what the profile has a place for.
func (f *framer) address(pg *page) error {
	lines := f.item.Address
	if len(lines) == 0 {
		return unprintable("no-address", "there is no address")
	}
	set, err := f.press.setAddress(f.profile, lines)
	if err != nil {
		return err
	}
	pg.ops = append(pg.ops, set...)
	if r := f.profile.ReturnLine; r != nil {
		if err := f.returnLine(pg, *r); err != nil {
			return err
		}
	}
	if at := f.profile.WindowCode; at != nil {
		return f.code(pg, *at, 1, roleWindow)
	}
	return nil
}

// setAddress sets address lines in the field of a profile, in the largest size
// that holds the longest of them.
func (p *Press) setAddress(profile *Profile, lines []string) ([]op, error) {
	a := profile.Address
	tf := mono
	if a.Face == "sans" {
		tf = regular
	}
	var words [][]word
	longestLine := 0
	for _, l := range lines {
		// One word a line: an address is never broken.
		w, err := p.fonts.shape([]pipeline.Span{{Text: strings.ReplaceAll(l, " ", "\u00a0")}}, tf)
		if err != nil {
			var e *pipeline.Error
			if errors.As(err, &e) {
				return nil, unprintable("address-not-encodable", "the address has a character that no font has")
			}
			return nil, err
		}
		words = append(words, w)
		longestLine = max(longestLine, naturalWidth(w))
	}
	size := a.Size
	for ; size >= a.MinSize; size -= 0.5 {
		if float64(longestLine)*size*point/1000 <= a.W {
			break
		}
	}
	if size < a.MinSize {
		return nil, unprintable("address-line-too-long", "a line of the address is wider than the window")
	}
	em := size * point / 1000
	face := p.fonts.faces[tf]
	pitch := a.Pitch
	ink := (face.capital + face.descent) * em
	if n := float64(len(lines) - 1); n > 0 {
		pitch = min(pitch, (a.H-ink)/n)
	}
	if pitch < 0.92*size*point {
		return nil, unprintable("address-too-many-lines", "the address has more lines than the window holds")
	}
	var out []op
	for i, w := range words {
		if len(w) == 0 {
			continue
		}
		s := setting{x: a.X, w: a.W, size: size}
		at := len(out)
		out = p.fonts.setLine(out, w, line{from: 0, to: len(w), last: true}, s, a.Y+face.capital*em+float64(i)*pitch)
		for k := at; k < len(out); k++ {
			out[k].role = roleWindow
		}
	}
	return out, nil
}

// returnLine sets the sender's address in one small line above the recipient's.
func (f *framer) returnLine(pg *page, box Box) error {
	var parts []string
	if name := f.senderName(); name != "" {
		parts = append(parts, name)
	}
	parts = append(parts, f.returnAddress()...)
	words, err := f.press.fonts.shape([]pipeline.Span{{Text: strings.ReplaceAll(strings.Join(parts, " · "), " ", "\u00a0")}}, regular)
	if err != nil || len(words) == 0 {
		return err
	}
	size := 7.0
	if fit := box.W / (float64(naturalWidth(words)) * point / 1000); fit < size {
		size = fit
	}
	if size < 5 {
		return failed("sender-too-long", "the sender's address does not fit on one line above the recipient's")
	}
	face := f.press.fonts.faces[regular]
	from := len(pg.ops)
	pg.ops = f.press.fonts.setLine(pg.ops, words, line{to: len(words), last: true}, setting{x: box.X, w: box.W, size: size}, box.Y+face.capital*size*point/1000)
	for i := from; i < len(pg.ops); i++ {
		pg.ops[i].role = roleWindow
	}
	pg.ops = append(pg.ops, op{kind: opRect, x: box.X, y: box.Bottom() - 0.15, w: box.W, h: 0.1, grey: 110, role: roleWindow})
	return nil
}

// code places the DataMatrix of a page.
func (f *framer) code(pg *page, at Point, n int, r role) error {
	if len(f.letter.Reference) != 12 {
		return failed("no-reference", "the letter has no reference")
	}
	if f.item.Attempt < 1 || f.item.Attempt > 99 {
		return failed("no-reference", "the attempt is not between 1 and 99")
	}
	text := Code{Reference: f.letter.Reference, Attempt: f.item.Attempt, Page: n, Pages: f.pages}.String()
	if _, err := ParseCode(text); err != nil {
		return failed("no-reference", "the reference of the letter is none")
	}
	pg.ops = append(pg.ops, op{kind: opCode, x: at.X, y: at.Y, w: symbol, h: symbol, text: text, role: r})
	return nil
}

// foot sets code and reference at the left, the registered line beside them, the
// page number at the right.
func (f *framer) foot(pg *page, n int) error {
	box, st := f.profile.Foot, f.style
	at := Point{box.X, box.Bottom() - symbol}
	if err := f.code(pg, at, n, roleLetter); err != nil {
		return err
	}
	left := at.X + symbol + 3
	s := setting{w: box.W, size: st.small, lead: st.small * 1.25 * point}
	label := pageLabel(f.letter, n, f.pages)
	words, err := f.press.fonts.shape([]pipeline.Span{{Text: strings.ReplaceAll(label, " ", "\u00a0")}}, regular)
	if err != nil {
		return err
	}
	width := float64(naturalWidth(words)) * s.size * point / 1000
	s.x = box.Right() - width
	base := box.Bottom() - f.press.fonts.faces[regular].descent*max(st.small, st.fine)*point/1000
	pg.ops = f.press.fonts.setLine(pg.ops, words, line{to: len(words), last: true}, s, base)

	fine := setting{x: left, w: s.x - left - 6, size: st.fine, lead: st.fine * 1.25 * point, grey: 60}
	text := f.letter.Sender.RegisteredLine
	if n > 1 || text == "" {
		text = f.senderName() + " · " + f.letter.Reference.String()
	}
	c := &composer{fonts: f.press.fonts, style: st}
	if err := c.paragraph([]pipeline.Span{{Text: unbrokenNumbers(text)}}, fine); err != nil {
		return err
	}
	h := height(c.units)
	if h > box.H+0.5 {
		return failed("sender-too-long", "the registered line of the sender does not fit the foot of the page")
	}
	// Its last base line is the page number's.
	y := base - h + (fine.lead - f.press.fonts.baseline(fine))
	for _, u := range c.units {
		pg.ops = shift(pg.ops, u.ops, y)
		y += u.h
	}
	return nil
}

// unbrokenNumbers keeps the groups of a number on one line.
func unbrokenNumbers(s string) string {
	r := []rune(s)
	for i := 1; i+1 < len(r); i++ {
		if r[i] == ' ' && unicode.IsDigit(r[i-1]) && unicode.IsDigit(r[i+1]) {
			r[i] = '\u00a0'
		}
	}
	return string(r)
}

// marks sets fold and punch marks in the left margin.
func (f *framer) marks(pg *page) {
	mark := func(y, w float64) {
		pg.ops = append(pg.ops, op{kind: opRect, x: 5, y: y - 0.05, w: w, h: 0.1, grey: 110, role: roleMark})
	}
	for _, y := range f.profile.Folds {
		mark(y, 4)
	}
	if f.profile.Punch > 0 {
		mark(f.profile.Punch, 6)
	}
}
