package postal

import (
	"fmt"
	"strings"

	"github.com/art34/art34/pipeline"
)

// laid is a letter that was laid out: everything that is on its pages.
type laid struct {
	pages   []page
	sheets  int
	class   string
	profile *Profile
}

// failed is a letter that cannot be printed as it is.
func failed(code, format string, a ...any) error {
	return &pipeline.Error{Code: code, Sentence: fmt.Sprintf(format, a...), Permanent: true}
}

// layout lays a letter out for the envelope that suits it: the standard one, or
// the large one for large print and for what is too thick.
func (p *Press) layout(it *Item) (l *laid, err error) {
	// A letter that breaks the layout is one bad letter; the others are printed.
	defer func() {
		if r := recover(); r != nil {
			l, err = nil, failed("layout-failed", "the letter cannot be laid out")
		}
	}()
	if it.Letter == nil {
		return nil, failed("layout-failed", "there is no letter")
	}
	if it.Letter.Format == pipeline.FormatLargePrint {
		return p.layoutFor(it, p.large, ClassLargePrint)
	}
	l, err = p.layoutFor(it, p.standard, ClassStandard)
	if err != nil || l.sheets <= p.standard.MaxSheets {
		return l, err
	}
	return p.layoutFor(it, p.large, ClassThick)
}

// layoutFor lays a letter out for one envelope.
func (p *Press) layoutFor(it *Item, profile *Profile, class string) (*laid, error) {
	styles := p.styles(class)
	var best []page
	var chosen style
	for _, st := range styles {
		pages, err := p.pages(it.Letter, profile, st)
		if err != nil {
			return nil, err
		}
		if best == nil || len(pages) < len(best) {
			best, chosen = pages, st
		}
		// Setting it tighter saves a page of a letter of a few, hardly of a long one.
		if len(pages) == 1 || len(pages) > 4 {
			break
		}
	}
	l := &laid{pages: best, class: class, profile: profile, sheets: len(best)}
	if !p.simplex {
		l.sheets = (len(best) + 1) / 2
	}
	if class != ClassStandard && l.sheets > profile.MaxSheets || len(best) > 99 {
		return nil, failed("letter-too-long", "the letter takes %d sheets, and no envelope holds so many", l.sheets)
	}
	f := framer{press: p, item: it, letter: it.Letter, profile: profile, style: chosen, pages: len(best)}
	for n := range best {
		if err := f.frame(&best[n], n+1); err != nil {
			return nil, err
		}
	}
	return l, p.verify(l)
}

func (p *Press) styles(class string) []style {
	if class == ClassLargePrint {
		return []style{largeStyle()}
	}
	return standardStyles()
}

// pages sets the text of a letter: subject and blocks.
func (p *Press) pages(l *pipeline.Letter, profile *Profile, st style) ([]page, error) {
	c := &composer{fonts: p.fonts, style: st, colon: colon(l)}
	body := profile.Body
	var subject []pipeline.Span
	if label := l.Labels.Subject; label != "" {
		subject = append(subject, pipeline.Span{Text: label + c.colon})
	}
	subject = append(subject, pipeline.Span{Text: l.Subject, Strong: true})
	s := setting{x: body.X, w: body.W, size: st.h2, lead: st.h2 * 1.3 * point}
	if err := c.paragraph(subject, s); err != nil {
		return nil, err
	}
	c.gap(1.6 * st.gap)
	end := max(len(l.Blocks)-1, 0)
	if err := c.blocks(l.Blocks[:end], body.X, body.W); err != nil {
		return nil, err
	}
	last := len(c.units)
	if end < len(l.Blocks) && signature(l.Blocks[end]) {
		c.gap(2.4 * st.gap)
	}
	if err := c.blocks(l.Blocks[end:], body.X, body.W); err != nil {
		return nil, err
	}
	// A signature is never alone on a page.
	if len(c.units)-last <= 6 {
		for i := last; i < len(c.units); i++ {
			c.units[i].glue = true
		}
	}
	return flow(c.units, body, profile.Next), nil
}

// signature reports whether the last block of a letter is the name under it: a few
// words. It gets some air.
func signature(b pipeline.Block) bool {
	n := len(pipeline.Plain(b.Spans))
	return b.Kind == pipeline.Paragraph && n > 0 && n < 160
}

func colon(l *pipeline.Letter) string {
	if l.Labels.Colon == "" {
		return ": "
	}
	return l.Labels.Colon
}

// verify proves for one letter what Profile.Validate proves for the profile:
// nothing but the address shows in the window, nothing is off the printable paper
// or in a zone that must stay clear.
func (p *Press) verify(l *laid) error {
	always, ever, paper := l.profile.Always(), l.profile.Ever(), l.profile.Printable()
	for n := range l.pages {
		for i := range l.pages[n].ops {
			o := &l.pages[n].ops[i]
			if o.role == roleMark {
				continue
			}
			b := o.box(p.fonts)
			switch {
			case !b.Inside(paper):
				return failed("outside-margins", "the letter does not fit into the margins of page %d", n+1)
			case n == 0 && o.role == roleWindow && !b.Inside(always):
				return failed("address-outside-window", "the address does not fit into the window")
			case n == 0 && o.role != roleWindow && b.Touches(ever):
				return failed("window-not-clear", "something but the address would show in the window")
			}
			for _, c := range l.profile.Clear {
				if b.Touches(c) {
					return failed("zone-not-clear", "page %d prints into a zone that must stay clear", n+1)
				}
			}
		}
	}
	return nil
}

// pageLabel writes "Page {n}/{total}".
func pageLabel(l *pipeline.Letter, n, total int) string {
	label := l.Labels.Page
	if !strings.Contains(label, "{n}") || !strings.Contains(label, "{total}") {
		label = "{n}/{total}"
	}
	return strings.NewReplacer("{n}", fmt.Sprint(n), "{total}", fmt.Sprint(total)).Replace(label)
}
