package letter

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/markdown"
)

// section is the parsed form of a piece of a letter, values left open.
type section struct {
	blocks []pipeline.Block
	open   []bool // of blocks: whether it holds values; the others are shared as they are
	values int    // how many go into it
}

// document is a parsed document, values left open: its sections, and the numbers of
// the letter's values that go into them one after the other.
type document struct {
	sections []*section
	order    []uint16
}

// cacheBytes bounds the Markdown whose parsed form is kept, per locale and
// generation. The tree takes about six times that.
const cacheBytes = 1 << 20

// sections parses Markdown and keeps the result: customers with the same contracts
// and data kinds have the same sections but for the values. It holds no personal
// data. It keeps two generations; what is used stays.
type sections struct {
	parser *markdown.Parser
	locale *locale
	hosts  []string // that links may point to

	known recent[*section]
}

func newSections(p *markdown.Parser, l *locale, hosts []string) *sections {
	return &sections{parser: p, locale: l, hosts: hosts, known: recent[*section]{room: cacheBytes}}
}

// document parses Markdown. src is overwritten.
func (c *sections) document(src []byte) (document, error) {
	list := make([]*section, 0, 40)
	order := make([]uint16, 0, 40)
	fine := apart(src)
	for len(src) > 0 {
		n := pieceLen(src, fine)
		piece := src[:n]
		src = src[n:]
		before := len(order)
		order = renumber(piece, order)
		values := len(order) - before
		if values > maxValues {
			return document{}, markdown.ErrSize
		}
		s, err := c.section(piece, values)
		if err != nil {
			return document{}, err
		}
		list = append(list, s)
	}
	return document{slices.Clone(list), slices.Clone(order)}, nil
}

// filled returns the blocks of a document with values in their places.
func (d document) filled(v values) []pipeline.Block {
	n := 0
	for _, s := range d.sections {
		n += len(s.blocks)
	}
	out := make([]pipeline.Block, 0, n)
	order := d.order
	for _, s := range d.sections {
		f := filler{values: v, order: order[:s.values]}
		order = order[s.values:]
		for i, b := range s.blocks {
			if s.open[i] {
				b = f.block(b)
			}
			out = append(out, b)
		}
	}
	return out
}

// pieceLen returns the length of the first piece of a document that can be parsed by
// itself. A heading of the second level at the start of a line ends whatever came
// before; so does, where paragraphs stand apart, an empty line before a letter. Small
// pieces are the same for many customers, so that most are parsed once.
func pieceLen(src []byte, fine bool) int {
	for from := 1; ; {
		i := bytes.IndexByte(src[from:], '\n')
		if i < 0 {
			return len(src)
		}
		i += from + 1
		rest := src[i:]
		if bytes.HasPrefix(rest, []byte("## ")) {
			return i
		}
		if fine && src[i-2] == '\n' && len(rest) > 0 && (rest[0] >= 0x80 || 'a' <= rest[0]|0x20 && rest[0]|0x20 <= 'z') {
			return i
		}
		from = i
	}
}

// apart reports whether an empty line followed by a letter always begins a new
// paragraph: not within code or HTML, and not where a link is defined elsewhere.
func apart(src []byte) bool {
	return !bytes.ContainsAny(src, "<`~") && !bytes.Contains(src, []byte("]:"))
}

// renumber replaces the values of a piece by 0, 1, 2, … in order of appearance and
// appends which they were: pieces that differ in values only become equal.
func renumber(piece []byte, order []uint16) []uint16 {
	before := len(order)
	for i := 0; ; {
		j := bytes.IndexByte(piece[i:], valueLead)
		if j < 0 {
			return order
		}
		i += j
		if order = append(order, uint16(valueAt(piece[i:]))); len(order)-before > maxValues {
			return order
		}
		copy(piece[i:], string(rune(firstValue+len(order)-before-1)))
		i += valueLen
	}
}

func (c *sections) section(piece []byte, values int) (*section, error) {
	if s, ok := c.known.get(piece); ok {
		return s, nil
	}
	parsed, err := c.parser.Parse(piece)
	if err != nil {
		return nil, err
	}
	s := &section{values: values}
	for _, b := range parsed {
		block := c.block(b)
		is := open(block)
		if !is {
			block.Shared = new(pipeline.Shared)
		}
		s.blocks = append(s.blocks, block)
		s.open = append(s.open, is)
	}
	c.known.put(string(piece), s)
	return s, nil
}

// block converts a parsed block: the typography of the language, and links only
// where the campaign allows them.
func (c *sections) block(b markdown.Block) pipeline.Block {
	out := pipeline.Block{Kind: pipeline.BlockKind(b.Kind), Level: b.Level, Ordered: b.Ordered, Spans: c.spans(b.Spans)}
	for _, item := range b.Items {
		var blocks []pipeline.Block
		for _, x := range item {
			blocks = append(blocks, c.block(x))
		}
		out.Items = append(out.Items, blocks)
	}
	for _, row := range b.Rows {
		var cells []pipeline.Cell
		for _, cell := range row {
			cells = append(cells, c.spans(cell))
		}
		out.Rows = append(out.Rows, cells)
	}
	if out.Kind == pipeline.Heading {
		out.Level = min(max(out.Level, 2), 3) // the subject is the only heading of level 1
	}
	return out
}

func (c *sections) spans(list []markdown.Span) []pipeline.Span {
	var out []pipeline.Span
	for _, s := range list {
		p := pipeline.Span{Text: c.locale.typeset(s.Text), Strong: s.Strong, Em: s.Em}
		if allowedLink(s.Link, s.Text, c.hosts) {
			p.Link, p.Text = s.Link, s.Text
		}
		out = append(out, p)
	}
	return out
}

// allowedLink reports whether a link may be one: https, a host of the campaign's
// list, no port, no user, and its text is its address, so that the reader sees
// where it leads. It holds no value of the customer.
func allowedLink(link, text string, hosts []string) bool {
	if link == "" || strings.ContainsFunc(link, func(r rune) bool { return r >= firstValue || r <= ' ' }) {
		return false
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !slices.Contains(hosts, u.Host) {
		return false
	}
	return text == link || "https://"+text == link
}

// open reports whether a block holds values.
func open(b pipeline.Block) bool {
	has := func(list []pipeline.Span) bool {
		return slices.ContainsFunc(list, func(s pipeline.Span) bool { return strings.IndexByte(s.Text, valueLead) >= 0 })
	}
	for _, item := range b.Items {
		if slices.ContainsFunc(item, open) {
			return true
		}
	}
	for _, row := range b.Rows {
		if slices.ContainsFunc(row, func(c pipeline.Cell) bool { return has(c) }) {
			return true
		}
	}
	return has(b.Spans)
}

// filler copies blocks and puts values in the place of their stand-ins.
type filler struct {
	values values
	order  []uint16
}

func (f filler) block(b pipeline.Block) pipeline.Block {
	b.Spans = f.spans(b.Spans)
	if b.Items != nil {
		items := make([][]pipeline.Block, len(b.Items))
		for i, item := range b.Items {
			items[i] = make([]pipeline.Block, len(item))
			for j, x := range item {
				items[i][j] = f.block(x)
			}
		}
		b.Items = items
	}
	if b.Rows != nil {
		rows := make([][]pipeline.Cell, len(b.Rows))
		for i, row := range b.Rows {
			rows[i] = make([]pipeline.Cell, len(row))
			for j, cell := range row {
				rows[i][j] = f.spans(cell)
			}
		}
		b.Rows = rows
	}
	return b
}

func (f filler) spans(list []pipeline.Span) []pipeline.Span {
	if list == nil {
		return nil
	}
	out := make([]pipeline.Span, len(list))
	for i, s := range list {
		s.Text = f.text(s.Text)
		out[i] = s
	}
	return out
}

func (f filler) text(s string) string {
	i := strings.IndexByte(s, valueLead)
	if i < 0 {
		return s
	}
	b := make([]byte, 0, len(s)+32)
	for {
		b = append(b, s[:i]...)
		b = append(b, f.values[f.order[valueAt([]byte(s[i:i+valueLen]))]]...)
		s = s[i+valueLen:]
		if i = strings.IndexByte(s, valueLead); i < 0 {
			return string(append(b, s...))
		}
	}
}
