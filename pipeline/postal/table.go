package postal

import (
	"slices"

	"github.com/art34/art34/pipeline"
)

// Measures of tables, in times the size of their text.
const (
	padSide = 0.55
	padTop  = 0.42
)

// table composes a table: the head on a grey ground, rows divided by thin rules,
// columns as wide as their content asks for. A table too wide for the page, and
// every table in large print, becomes a list of values.
func (c *composer) table(b pipeline.Block, x, w float64) error {
	if len(b.Rows) == 0 {
		return nil
	}
	columns := 0
	for _, r := range b.Rows {
		columns = max(columns, len(r))
	}
	if c.style.lists || columns < 2 {
		return c.values(b, x, w)
	}
	cells := make([][][]word, len(b.Rows))
	for i, row := range b.Rows {
		cells[i] = make([][]word, columns)
		for j, cell := range row {
			base := regular
			if i == 0 {
				base = bold
			}
			words, err := c.fonts.shape(cell, base)
			if err != nil {
				return err
			}
			cells[i][j] = words
		}
	}
	widths, ok := c.columns(cells, w)
	if !ok {
		return c.values(b, x, w)
	}
	var rows []unit
	for i, row := range cells {
		u := c.row(row, x, widths, i == 0)
		if u.h > maxRow {
			return c.values(b, x, w)
		}
		rows = append(rows, u)
	}
	c.gap(1.2 * c.style.gap)
	for i, u := range rows {
		if i > 0 {
			u.head = &rows[0]
			u.glue = i == 1
		}
		c.add(u)
	}
	c.gap(1.4 * c.style.gap)
	return nil
}

// maxRow is the height above which a row is set as a list of values, which can be
// divided between pages.
const maxRow = 90.0

// columns shares the width out: at least its widest word to each column, the
// rest by what each would take on one line.
func (c *composer) columns(cells [][][]word, w float64) ([]float64, bool) {
	n := len(cells[0])
	least, most := make([]float64, n), make([]float64, n)
	for i, row := range cells {
		size := c.style.cell
		if i == 0 {
			size = c.style.head
		}
		em := size * point
		pad := 2*padSide*c.style.cell*point + 0.1
		for j, words := range row {
			least[j] = max(least[j], float64(widest(words))*em/1000+pad)
			most[j] = max(most[j], float64(longest(words))*em/1000+pad)
		}
	}
	if sum(least) > w {
		return nil, false
	}
	return share(least, most, w), true
}

// share gives narrow columns what they ask for and divides the rest among the
// wide ones, by what they need beyond their widest word.
func share(least, most []float64, w float64) []float64 {
	out := slices.Clone(most)
	if total := sum(most); total <= w {
		for j := range out {
			out[j] += (w - total) * most[j] / total
		}
		return out
	}
	wide := make([]bool, len(out))
	for limit := w / float64(len(out)); ; limit *= 0.9 {
		fixed, needed, want := 0.0, 0.0, 0.0
		for j := range out {
			if wide[j] = most[j] > limit; wide[j] {
				needed += least[j]
				want += most[j] - least[j]
			} else {
				fixed += most[j]
			}
		}
		if fixed+needed > w {
			continue // too generous: the next round makes more columns wide
		}
		for j := range out {
			if wide[j] && want > 0 {
				out[j] = least[j] + (w-fixed-needed)*(most[j]-least[j])/want
			}
		}
		return out
	}
}

func sum(list []float64) (n float64) {
	for _, v := range list {
		n += v
	}
	return n
}

// longest is the width of the longest line without breaking.
func longest(words []word) int {
	n, cur := 0, 0
	for _, w := range words {
		if w.brk {
			cur = 0
		}
		cur += w.space + w.units
		n = max(n, cur)
	}
	return n
}

// row composes one row.
func (c *composer) row(row [][]word, x float64, widths []float64, head bool) unit {
	s := setting{size: c.style.cell, lead: c.style.cell * 1.32 * point, grey: 0}
	if head {
		s = setting{size: c.style.head, lead: c.style.head * 1.32 * point, face: bold, grey: 40}
	}
	em := c.style.cell * point
	var u unit
	height := 0.0
	at := x
	for j, words := range row {
		s.x, s.w = at+padSide*em, widths[j]-2*padSide*em
		lines := breakLines(words, widthUnits(s.w+0.05, s.size))
		for i, l := range lines {
			u.ops = c.fonts.setLine(u.ops, words, l, s, padTop*em+float64(i)*s.lead+c.fonts.baseline(s))
		}
		height = max(height, float64(len(lines))*s.lead)
		at += widths[j]
	}
	u.h = height + 2*padTop*em
	width := sum(widths)
	rule := op{kind: opRect, x: x, y: u.h - 0.1, w: width, h: 0.15, grey: 170}
	if head {
		ground := op{kind: opRect, x: x, y: 0, w: width, h: u.h, grey: 236}
		rule.h, rule.grey = 0.3, 90
		u.ops = append([]op{ground}, u.ops...)
	}
	u.ops = append(u.ops, rule)
	return u
}

// values composes a table as a list: for every row its first cell in bold, and
// the others each with the head of its column.
func (c *composer) values(b pipeline.Block, x, w float64) error {
	head := b.Rows[0]
	for i, row := range b.Rows[1:] {
		c.gap(1.2 * c.style.gap)
		if i > 0 {
			c.gap(1.8 * c.style.gap)
		}
		for j, cell := range row {
			if len(cell) == 0 {
				continue
			}
			var spans []pipeline.Span
			if j < len(head) && pipeline.Plain(head[j]) != "" {
				spans = append(spans, pipeline.Span{Text: pipeline.Plain(head[j]) + c.colon, Strong: j > 0})
			}
			spans = append(spans, cell...)
			s := c.body(x, w)
			if j == 0 {
				s.face = bold
			}
			from := len(c.units)
			if err := c.paragraph(spans, s); err != nil {
				return err
			}
			if j == 0 {
				for k := from + 1; k < len(c.units); k++ {
					c.units[k].glue = true
				}
				c.glue = true
			}
			c.gap(0.5 * c.style.gap)
		}
	}
	c.gap(1.2 * c.style.gap)
	return nil
}
