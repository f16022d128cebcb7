package letter

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// textWidth is the longest line of a letter in plain text, in columns (RFC 3676
// recommends no more than 78).
const textWidth = 76

// Text is the letter as text/plain: UTF-8, lines of at most 76 columns that end in
// LF. Lines break at blanks only, so a longer word makes a longer line: a number is
// never broken. Tables become lists of values.
func Text(l *pipeline.Letter) []byte {
	w := textWriter{out: make([]byte, 0, 6<<10), colon: l.Labels.Colon, form: pipeline.FormText}
	w.letter(l)
	return w.out
}

// AppendText appends what Text returns, encoded. What many letters share is encoded
// once.
func AppendText(dst []byte, l *pipeline.Letter, quote Encoding) []byte {
	scratch := scratches.Get().(*[]byte)
	w := textWriter{out: (*scratch)[:0], colon: l.Labels.Colon, form: pipeline.FormTextQuoted, quoter: newQuoter(dst, quote)}
	w.letter(l)
	w.flush(&w.out)
	*scratch = w.out
	scratches.Put(scratch)
	return w.done
}

func (w *textWriter) letter(l *pipeline.Letter) {
	w.paragraph(l.Sender.DisplayName, "", "")
	w.gap = false
	if l.Labels.Date != "" {
		w.paragraph(l.Labels.Date, "", "")
		w.gap = false
	}
	w.paragraph(l.Labels.Reference+l.Labels.Colon+l.Reference.String(), "", "")
	w.title(l.Subject)
	for i := range l.Blocks {
		w.top(&l.Blocks[i])
	}
	if l.Sender.RegisteredLine != "" {
		w.paragraph(l.Sender.RegisteredLine, "", "")
	}
}

// textWriter lays blocks out. gap says that the next block is set apart by an
// empty line.
type textWriter struct {
	out     []byte // what is not encoded yet, or all of it
	colon   string
	form    pipeline.Form
	gap     bool
	scratch []byte
	quoter
}

// top writes a block of the letter itself. What many letters share is laid out once:
// it begins on a line of its own, so it looks the same wherever it stands. Labels are
// those of one locale, as the block is.
func (w *textWriter) top(b *pipeline.Block) {
	if b.Shared == nil {
		w.block(b, "", "")
		return
	}
	made := b.Shared.Get(w.form)
	if made == nil {
		alone := textWriter{colon: w.colon}
		alone.block(b, "", "")
		made = w.keep(b.Shared, w.form, alone.out)
	}
	if len(made) == 0 {
		return
	}
	if w.gap {
		w.out = append(w.out, '\n')
	}
	w.join(&w.out, made)
	w.gap = true
}

// block writes one block; its first line starts with first, the others with rest.
func (w *textWriter) block(b *pipeline.Block, first, rest string) {
	switch b.Kind {
	case pipeline.Heading:
		w.heading(b, first, rest)
	case pipeline.List:
		for i, item := range b.Items {
			mark := "- "
			if b.Ordered {
				mark = strconv.Itoa(i+1) + ". "
			}
			if i > 0 {
				w.gap, first = false, rest
			}
			w.item(item, first+mark, rest+blanks(len(mark)))
		}
		w.gap = true
	case pipeline.Quote:
		for _, item := range b.Items {
			w.item(item, first+"    ", rest+"    ")
		}
	case pipeline.Table:
		w.table(b.Rows, first, rest)
	case pipeline.Divider:
		w.paragraph("* * *", first, rest)
	default:
		w.spans(b.Spans, first, rest)
	}
}

// title writes the subject.
func (w *textWriter) title(s string) {
	start := len(w.out) + 1
	w.paragraph(s, "", "")
	w.underline(start, "", '=')
}

// item writes the blocks of a list item behind its mark.
func (w *textWriter) item(list []pipeline.Block, first, rest string) {
	if len(list) == 0 {
		w.paragraph("", first, rest)
	}
	for i := range list {
		if i > 0 {
			first = rest
			w.gap = list[i].Kind != pipeline.List
		}
		w.block(&list[i], first, rest)
	}
}

// heading underlines a heading of the second level.
func (w *textWriter) heading(b *pipeline.Block, first, rest string) {
	start := len(w.out)
	w.spans(b.Spans, first, rest)
	if b.Level != 2 {
		return
	}
	w.underline(start, rest, '-')
}

// underline draws a line below what was written since start.
func (w *textWriter) underline(start int, rest string, stroke byte) {
	end := len(w.out) - 1
	for start < end && w.out[start] == '\n' {
		start++
	}
	longest, from := 0, start
	for i := start; i <= end; i++ {
		if w.out[i] == '\n' {
			longest = max(longest, columns(w.out[from:i]))
			from = i + 1
		}
	}
	w.out = append(w.out, rest...)
	for range longest - len(rest) {
		w.out = append(w.out, stroke)
	}
	w.out = append(w.out, '\n')
}

// table writes each row as a list of "head: value".
func (w *textWriter) table(rows [][]pipeline.Cell, first, rest string) {
	if len(rows) == 0 {
		return
	}
	if len(rows) == 1 {
		for _, cell := range rows[0] {
			w.spans(cell, first, rest)
			first, w.gap = rest, false
		}
	}
	for _, row := range rows[1:] {
		for i, cell := range row {
			w.scratch = w.scratch[:0]
			if i < len(rows[0]) && len(rows[0][i]) > 0 {
				w.scratch = appendSpans(w.scratch, rows[0][i])
				w.scratch = append(w.scratch, w.colon...)
			}
			w.scratch = appendSpans(w.scratch, cell)
			w.wrap(w.scratch, first, rest)
			first, w.gap = rest, false
		}
		w.gap = true
	}
	w.gap = true
}

func (w *textWriter) spans(list []pipeline.Span, first, rest string) {
	w.scratch = appendSpans(w.scratch[:0], list)
	w.wrap(w.scratch, first, rest)
}

func appendSpans(b []byte, list []pipeline.Span) []byte {
	for _, s := range list {
		b = append(b, s.Text...)
		if s.Link != "" && s.Link != s.Text && "https://"+s.Text != s.Link {
			b = append(append(append(b, " <"...), s.Link...), '>')
		}
	}
	return b
}

func (w *textWriter) paragraph(s, first, rest string) {
	w.scratch = append(w.scratch[:0], s...)
	w.wrap(w.scratch, first, rest)
}

// wrap writes text filled to the width. Line feeds in it are kept.
func (w *textWriter) wrap(text []byte, first, rest string) {
	if w.gap && (len(w.out) > 0 || len(w.done) > 0) {
		w.out = append(w.out, '\n')
	}
	w.gap = true
	w.out = append(w.out, first...)
	column, indent := len(first), len(first)
	for i := 0; i < len(text); {
		switch text[i] {
		case ' ':
			i++
			continue
		case '\n':
			w.out = append(append(w.out, '\n'), rest...)
			column, indent = len(rest), len(rest)
			i++
			continue
		}
		end := i
		for end < len(text) && text[end] != ' ' && text[end] != '\n' {
			end++
		}
		word := text[i:end]
		width := columns(word)
		if column > indent {
			if column+1+width > textWidth {
				w.out = append(append(w.out, '\n'), rest...)
				column, indent = len(rest), len(rest)
			} else {
				w.out = append(w.out, ' ')
				column++
			}
		}
		w.out = append(w.out, word...)
		column += width
		i = end
	}
	for len(w.out) > 0 && w.out[len(w.out)-1] == ' ' {
		w.out = w.out[:len(w.out)-1] // of an empty item
	}
	w.out = append(w.out, '\n')
}

// columns is the width of a text: a character a column, marks none, wide East
// Asian characters two.
func columns(b []byte) int {
	n := 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		i += size
		switch {
		case r < 0x300:
			n++
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case r >= 0x1100 && r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3, r >= 0xF900 && r <= 0xFAFF, r >= 0xFE30 && r <= 0xFE6F, r >= 0xFF00 && r <= 0xFF60, r >= 0x1F300 && r <= 0x1FAFF, r >= 0x20000 && r <= 0x3FFFD:
			n += 2
		default:
			n++
		}
	}
	return n
}

// blanks returns n blanks; marks are short.
func blanks(n int) string {
	const b = "                "
	return b[:min(n, len(b))]
}
