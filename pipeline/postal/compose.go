package postal

import (
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// style is how a letter is set. Lengths in millimetres, sizes in points.
type style struct {
	size   float64
	lead   float64 // distance of base lines
	gap    float64 // above a paragraph
	h2, h3 float64
	cell   float64 // text of tables
	head   float64 // heads of tables
	small  float64 // head and foot of the page
	fine   float64 // registered line
	lists  bool    // tables become lists of values
}

// standardStyles are tried in this order where a letter is a little too long: a
// page less is worth half a point, but no less than 10.5.
func standardStyles() []style {
	return []style{
		{size: 11, lead: 15.2 * point, gap: 2.7, h2: 12, h3: 11, cell: 10, head: 9, small: 8.5, fine: 7.5},
		{size: 11, lead: 14.4 * point, gap: 2.2, h2: 12, h3: 11, cell: 10, head: 9, small: 8.5, fine: 7.5},
		{size: 10.5, lead: 13.6 * point, gap: 1.9, h2: 11.5, h3: 10.5, cell: 9.5, head: 8.5, small: 8.5, fine: 7.5},
	}
}

// largeStyle is large print: 18 point, left-aligned, nothing in columns, nothing
// smaller than 14 point but the registered line.
func largeStyle() style {
	return style{size: 18, lead: 25 * point, gap: 4.5, h2: 20, h3: 18, cell: 18, head: 18, small: 14, fine: 9, lists: true}
}

// unit is what pages are made of: a line, a row, a mark. It is never divided.
type unit struct {
	gap  float64 // white above, unless it opens a page
	h    float64
	ops  []op  // placed from the top of the unit
	glue bool  // stays on the page of the unit before
	wish bool  // does so if that costs no page
	head *unit // repeated above the unit if it opens a page: the head of its table
	bar  *Box  // X and W of the ground behind it, if it is part of a note
}

// composer turns blocks into units.
type composer struct {
	fonts *fonts
	style style
	colon string // between a label and its value
	units []unit
	space float64 // white above the next unit
	glue  bool    // the next unit stays with the last one
}

// setting says how a paragraph is set.
type setting struct {
	x, w float64
	face face
	size float64
	lead float64
	grey uint8
}

func (c *composer) body(x, w float64) setting {
	return setting{x: x, w: w, face: regular, size: c.style.size, lead: c.style.lead}
}

// gap asks for white above the next unit; of two demands the larger counts.
func (c *composer) gap(mm float64) { c.space = max(c.space, mm) }

func (c *composer) add(u unit) {
	u.gap, u.glue = c.space, u.glue || c.glue
	c.space, c.glue = 0, false
	c.units = append(c.units, u)
}

// blocks composes a list of blocks in a column.
func (c *composer) blocks(list []pipeline.Block, x, w float64) error {
	for i, b := range list {
		var err error
		switch b.Kind {
		case pipeline.Heading:
			err = c.heading(b, x, w)
		case pipeline.List:
			err = c.list(b, x, w)
		case pipeline.Table:
			err = c.table(b, x, w)
		case pipeline.Quote:
			err = c.quote(b, x, w)
		case pipeline.Divider:
			c.gap(c.style.gap)
			c.add(unit{h: 0.2, ops: []op{{kind: opRect, x: x, w: w, h: 0.2, grey: 150}}})
			c.gap(c.style.gap)
		case pipeline.Paragraph:
			c.gap(c.style.gap)
			err = c.paragraph(b.Spans, c.body(x, w))
			c.glue = c.glue || i+1 < len(list) && announces(b, list[i+1])
		default:
			err = &pipeline.Error{Code: "layout-failed", Sentence: "the letter has a block of a kind that paper does not know", Permanent: true}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// announces reports whether a paragraph leads over to the block below it, so that
// no page ends between them.
func announces(b, next pipeline.Block) bool {
	text := strings.TrimRight(pipeline.Plain(b.Spans), " \u00a0\u202f\n")
	return strings.HasSuffix(text, ":") && (next.Kind == pipeline.List || next.Kind == pipeline.Table || next.Kind == pipeline.Quote)
}

// paragraph composes one paragraph, a unit a line. Two lines at least stay
// together at either end.
func (c *composer) paragraph(spans []pipeline.Span, s setting) error {
	words, err := c.fonts.shape(spans, s.face)
	if err != nil {
		return err
	}
	width := widthUnits(s.w, s.size)
	words = c.fonts.splitWide(words, width)
	lines := breakLines(words, width)
	for i, l := range lines {
		c.add(unit{h: s.lead, glue: i == 1 || i > 0 && i == len(lines)-1, ops: c.fonts.setLine(nil, words, l, s, c.fonts.baseline(s))})
	}
	return nil
}

// widthUnits is a width in 1/1000 of a size.
func widthUnits(mm, size float64) int { return int(mm / (size * point) * 1000) }

// baseline is the distance from the top of a line to its base line: the glyphs
// stand in the middle of the leading.
func (f *fonts) baseline(s setting) float64 {
	t := f.faces[s.face]
	em := s.size * point / 1000
	return (s.lead-(t.ascent+t.descent)*em)/2 + t.ascent*em
}

// setLine appends the ops of one line with its base line at y.
func (f *fonts) setLine(ops []op, words []word, l line, s setting, y float64) []op {
	em := s.size * point / 1000
	x := s.x
	cur := op{kind: opText, x: x, y: y, size: s.size, grey: s.grey}
	var text []byte
	flush := func() {
		if len(text) > 0 {
			cur.w = x - cur.x
			cur.text = string(text)
			ops = append(ops, cur)
			text = text[:0]
		}
	}
	for i := l.from; i < l.to; i++ {
		w := &words[i]
		if i > l.from && w.space > 0 {
			if len(text) > 0 && cur.plate == plateWestern {
				text = append(text, ' ')
			}
			x += float64(w.space) * em
		}
		for _, g := range w.segs {
			if len(text) > 0 && (cur.face != g.face || cur.plate != g.plate) {
				flush()
			}
			if len(text) == 0 {
				cur = op{kind: opText, x: x, y: y, size: s.size, grey: s.grey, face: g.face, plate: g.plate}
			}
			text = append(text, g.text...)
			x += float64(g.units) * em
		}
	}
	flush()
	return ops
}

func (c *composer) heading(b pipeline.Block, x, w float64) error {
	size, above := c.style.h2, 2.1*c.style.gap
	if b.Level > 2 {
		size, above = c.style.h3, 1.5*c.style.gap
	}
	c.gap(above)
	from := len(c.units)
	err := c.paragraph(b.Spans, setting{x: x, w: w, face: bold, size: size, lead: size * 1.3 * point})
	for i := from + 1; i < len(c.units); i++ {
		c.units[i].glue = true
	}
	c.gap(0.45 * c.style.gap)
	c.glue = len(c.units) > from
	return err
}

// list composes a list with hanging marks.
func (c *composer) list(b pipeline.Block, x, w float64) error {
	em := c.style.size * point
	indent := 1.5 * em
	if b.Ordered {
		indent = 1.9 * em
	}
	between := 0.45 * c.style.gap
	c.gap(0.7 * c.style.gap)
	for i, item := range b.Items {
		if len(item) == 0 {
			continue
		}
		mark := "•"
		markX := x + 0.45*em
		if b.Ordered {
			mark, markX = strconv.Itoa(i+1)+".", x+0.2*em
		}
		s := c.body(markX, indent)
		words, err := c.fonts.shape([]pipeline.Span{{Text: mark}}, regular)
		if err != nil {
			return err
		}
		ops := c.fonts.setLine(nil, words, line{to: len(words), last: true}, s, c.fonts.baseline(s))
		from := len(c.units)
		if i > 1 && i == len(b.Items)-1 {
			c.glue = true // the last item is not alone on a page
		}
		beside := item[0].Kind == pipeline.Paragraph && pipeline.Plain(item[0].Spans) != ""
		if !beside { // nothing to stand beside: a line of its own
			c.add(unit{h: s.lead, ops: ops})
			c.glue = true
		}
		if err := c.item(item, x+indent, w-indent, between); err != nil {
			return err
		}
		if i == 1 && len(c.units) > from {
			c.units[from].wish = true // nor is the first
		}
		if beside && len(c.units) > from {
			c.units[from].ops = append(c.units[from].ops, ops...)
		}
		c.gap(between)
	}
	c.gap(0.7 * c.style.gap)
	return nil
}

// item composes the blocks of one item; its first paragraph has no white above
// but that between items.
func (c *composer) item(list []pipeline.Block, x, w, between float64) error {
	tight := *c
	tight.style.gap = between
	err := tight.blocks(list, x, w)
	c.units, c.space, c.glue = tight.units, tight.space, tight.glue
	return err
}

// quote composes an important note on a grey ground with a rule at its left.
func (c *composer) quote(b pipeline.Block, x, w float64) error {
	em := c.style.size * point
	pad := 0.55 * em
	ground := Box{X: x, W: w}
	c.gap(1.3 * c.style.gap)
	from := len(c.units)
	c.add(unit{h: pad})
	c.glue = true
	for _, item := range b.Items {
		if err := c.blocks(item, x+1.3*em, w-2*em); err != nil {
			return err
		}
	}
	c.space = 0
	c.add(unit{h: pad, glue: true})
	for i := from; i < len(c.units); i++ {
		u := &c.units[i]
		u.bar = &ground
		if i > from { // the white between paragraphs belongs to the ground
			if i == from+1 {
				u.gap = 0
			}
			u.h += u.gap
			for k := range u.ops {
				u.ops[k].y += u.gap
			}
			u.gap = 0
		}
	}
	c.gap(1.3 * c.style.gap)
	return nil
}
