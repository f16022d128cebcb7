// Package markdown is the one home of goldmark: the Markdown that letters are
// written in. It is CommonMark without code, raw HTML, autolinks, reference links
// and entities, with the tables of GitHub Flavored Markdown; images are refused.
// What is left out stays text.
package markdown

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Kind is the type of a Block.
type Kind string

// The kinds of blocks.
const (
	Paragraph Kind = "paragraph"
	Heading   Kind = "heading" // Level 1 to 6
	List      Kind = "list"    // Items, Ordered or not
	Table     Kind = "table"   // Rows of cells; the first row is the head
	Quote     Kind = "quote"   // one item
	Divider   Kind = "divider"
)

// Block is a paragraph-level element.
type Block struct {
	Kind    Kind
	Level   int
	Ordered bool
	Spans   []Span
	Items   [][]Block
	Rows    [][][]Span
}

// Span is a run of text in one style, at least one byte long. Text holds no
// markup; "\n" is a hard line break.
type Span struct {
	Text   string
	Strong bool
	Em     bool
	Link   string // target as written; nothing is checked here
}

// Limits of a document. They bound what a hostile file can cost.
const (
	maxSize  = 256 << 10
	maxDepth = 6
)

// Conditions that Parse reports.
var (
	ErrImage = errors.New("an image: letters have none")
	ErrDepth = fmt.Errorf("lists and quotes in more than %d levels", maxDepth)
	ErrSize  = fmt.Errorf("longer than %d bytes", maxSize)
	ErrCells = errors.New("a row of a table with more cells than its head")
	ErrStart = errors.New("an ordered list that does not start at 1")
)

// Parser parses documents. It is safe for concurrent use.
type Parser struct{ inner parser.Parser }

// New returns a Parser.
func New() *Parser {
	return &Parser{parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(paragraphs{parser.NewParagraphParser()}, 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(extension.NewTableParagraphTransformer(), 200),
		),
	)}
}

// Parse returns the blocks of a document. The error is one of the conditions
// above, or a *HeavyError.
func (p *Parser) Parse(src []byte) ([]Block, error) {
	if len(src) > maxSize {
		return nil, ErrSize
	}
	if err := Heavy(src); err != nil {
		return nil, err
	}
	c := converter{src: src}
	return c.blocks(p.inner.Parse(text.NewReader(src)), 0)
}

// paragraphs takes indented lines as well: without a parser for indented code
// they, and all that follows, would be dropped.
type paragraphs struct{ parser.BlockParser }

func (paragraphs) CanAcceptIndentedLine() bool { return true }

type converter struct{ src []byte }

// blocks converts the children of a container.
func (c converter) blocks(parent ast.Node, depth int) ([]Block, error) {
	if depth > maxDepth {
		return nil, ErrDepth
	}
	var out []Block
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b, err := c.block(n, depth)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (c converter) block(n ast.Node, depth int) (b Block, err error) {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		b.Kind = Paragraph
		b.Spans, err = c.spans(n)
	case *ast.Heading:
		b.Kind, b.Level = Heading, n.Level
		b.Spans, err = c.spans(n)
	case *ast.ThematicBreak:
		b.Kind = Divider
	case *ast.Blockquote:
		b.Kind = Quote
		b.Items = make([][]Block, 1)
		b.Items[0], err = c.blocks(n, depth+1)
	case *ast.List:
		b.Kind, b.Ordered = List, n.IsOrdered()
		if b.Ordered && n.Start != 1 {
			return b, ErrStart
		}
		for item := n.FirstChild(); item != nil && err == nil; item = item.NextSibling() {
			var blocks []Block
			blocks, err = c.blocks(item, depth+1)
			b.Items = append(b.Items, blocks)
		}
	case *tables.Table:
		b.Kind = Table
		b.Rows, err = c.rows(n)
	default:
		err = fmt.Errorf("unexpected element %s", n.Kind())
	}
	return b, err
}

func (c converter) rows(table ast.Node) (rows [][][]Span, err error) {
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		var cells [][]Span
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			spans, err := c.spans(cell)
			if err != nil {
				return nil, err
			}
			cells = append(cells, spans)
			if cell.NextSibling() == nil && c.cut(cell) {
				return nil, ErrCells
			}
		}
		rows = append(rows, cells)
	}
	return rows, nil
}

// cut reports whether text follows the last cell of a row: goldmark, like the
// specification, drops cells that the head has no column for.
func (c converter) cut(cell ast.Node) bool {
	if cell.Lines().Len() == 0 {
		return false
	}
	rest := c.src[cell.Lines().At(cell.Lines().Len()-1).Stop:]
	if end := bytes.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	return len(bytes.Trim(rest, " \t\r|")) > 0
}

// spans converts the inline content of a block.
func (c converter) spans(block ast.Node) ([]Span, error) {
	w := spanWriter{src: c.src}
	if err := w.inline(block, Span{}, 0); err != nil {
		return nil, err
	}
	return w.spans, nil
}

type spanWriter struct {
	src   []byte
	spans []Span
}

// maxInline bounds emphasis within emphasis.
const maxInline = 32

// inline walks the children of n; style is what they inherit.
func (w *spanWriter) inline(n ast.Node, style Span, depth int) error {
	if depth > maxInline {
		return ErrDepth
	}
	for n := n.FirstChild(); n != nil; n = n.NextSibling() {
		inner := style
		switch n := n.(type) {
		case *ast.Text:
			w.add(unescape(n.Segment.Value(w.src)), style)
			switch {
			case n.HardLineBreak():
				w.add("\n", style)
			case n.SoftLineBreak():
				w.add(" ", style)
			}
			continue
		case *ast.String:
			w.add(unescape(n.Value), style)
			continue
		case *ast.Emphasis:
			if n.Level >= 2 {
				inner.Strong = true
			} else {
				inner.Em = true
			}
		case *ast.Link:
			inner.Link = unescape(n.Destination)
		case *ast.Image:
			return ErrImage
		default:
			return fmt.Errorf("unexpected element %s", n.Kind())
		}
		if err := w.inline(n, inner, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// add appends text, to the last span if the style is the same.
func (w *spanWriter) add(s string, style Span) {
	if s == "" {
		return
	}
	if i := len(w.spans) - 1; i >= 0 {
		last := &w.spans[i]
		if last.Strong == style.Strong && last.Em == style.Em && last.Link == style.Link {
			last.Text += s
			return
		}
	}
	style.Text = s
	w.spans = append(w.spans, style)
}
