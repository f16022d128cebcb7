package intake

import (
	"bytes"
	"errors"
	"io"
)

// csvScanner splits text into records, as RFC 4180 has it and as spreadsheets
// write it: a quotation mark inside an unquoted cell is a character, line ends
// are LF, CRLF or (throughout) CR.
//
// A quote that is never closed must not swallow the rest of the file. A record
// that is broken, or that runs over several lines and then has the wrong number
// of cells, is taken to be its first line only, and reading goes on with the next
// one.
type csvScanner struct {
	r          io.Reader
	comma, eol byte
	width      int // cells of the header; 0: not known yet
	limits     Limits

	buf        []byte
	start, end int // of what is unread in buf
	err        error
	blank      int64 // empty lines seen since the last record
	line       int64 // records read, the blank ones included

	cells []cell
}

// cell is where a cell lies in the buffer. escaped cells hold doubled quotes.
type cell struct {
	from, to int
	escaped  bool
}

func newCSVScanner(r io.Reader, limits Limits) *csvScanner {
	return &csvScanner{r: r, limits: limits, eol: '\n', buf: make([]byte, 128<<10)}
}

// csvRecord is one record: its number, its cells, or why it has none. The cells
// are valid until the next call.
type csvRecord struct {
	row     int64
	cells   []cell
	problem code
	column  int // of the problem, -1: the row
}

// text returns the content of a cell, appended to dst.
func (s *csvScanner) text(dst []byte, c cell) []byte {
	b := s.buf[c.from:c.to]
	if !c.escaped {
		return append(dst, b...)
	}
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 {
			return append(dst, b...)
		}
		dst = append(dst, b[:i+1]...)
		b = b[i+2:] // the second quote of the pair
	}
}

// next returns the next record. Empty lines are records with the problem
// emptyRow, except before the header and at the end of the file.
func (s *csvScanner) next() (csvRecord, error) {
	var blank int64
	for {
		if s.blank > 0 {
			s.blank--
			s.line++
			return csvRecord{row: s.line, problem: emptyRow, column: -1}, nil
		}
		n, err := s.lineEnd(s.start)
		if err != nil && !errors.Is(err, errLong) {
			return csvRecord{}, err
		}
		if err == nil && s.vacant(s.start, n) {
			s.start = min(n+1, s.end)
			blank++
			continue
		}
		if blank > 0 && s.width > 0 {
			s.blank, blank = blank, 0
			continue
		}
		s.line += blank + 1
		if err != nil {
			return csvRecord{row: s.line, problem: longRow, column: -1}, s.skipLine()
		}
		return s.record(n)
	}
}

// record splits the record whose first line ends at n.
func (s *csvScanner) record(n int) (csvRecord, error) {
	rec := csvRecord{row: s.line, column: -1}
	line := s.buf[s.start:n]
	if bytes.IndexByte(line, 0) >= 0 {
		s.start = min(n+1, s.end)
		rec.problem = nulByte
		return rec, nil
	}
	next := n
	if bytes.IndexByte(line, '"') < 0 {
		s.plain(n)
	} else {
		var err error
		next, err = s.quoted(n)
		if err != nil && !errors.Is(err, errQuotes) {
			return rec, err
		}
		n = s.firstLine() // quoted may have moved the buffer
		if err != nil || next > n && s.width > 0 && len(s.cells) != s.width {
			s.plain(n) // what stands before the quote can still be read
			s.start = min(n+1, s.end)
			rec.cells, rec.problem = s.cells, badQuotes
			return rec, nil
		}
	}
	switch {
	case next-s.start > s.limits.Row:
		rec.problem = longRow
	case next > n && bytes.IndexByte(s.buf[s.start:next], 0) >= 0:
		rec.problem = nulByte
	default:
		rec.cells = s.cells
		s.judge(&rec)
	}
	s.start = min(next+1, s.end)
	return rec, nil
}

// firstLine returns the end of the line at start, which is known to be there.
func (s *csvScanner) firstLine() int {
	if i := bytes.IndexByte(s.buf[s.start:s.end], s.eol); i >= 0 {
		return s.start + i
	}
	return s.end
}

// judge finds what is wrong with the shape of a record.
func (s *csvScanner) judge(rec *csvRecord) {
	for i, c := range rec.cells {
		if c.to-c.from > s.limits.Field {
			rec.problem, rec.column = longField, i
			return
		}
	}
	if s.width == 0 {
		return
	}
	empty := true
	for _, c := range rec.cells {
		if c.to > c.from {
			empty = false
			break
		}
	}
	switch {
	case empty:
		rec.problem = emptyRow
	case len(rec.cells) < s.width:
		rec.problem = fewCells
	case len(rec.cells) > s.width:
		for _, c := range rec.cells[s.width:] {
			if c.to > c.from {
				rec.problem = manyCells
				return
			}
		}
		rec.cells = rec.cells[:s.width]
	}
}

// plain splits a line without quotes.
func (s *csvScanner) plain(n int) {
	s.cells = s.cells[:0]
	to := s.trimCR(n)
	from := s.start
	for {
		i := bytes.IndexByte(s.buf[from:to], s.comma)
		if i < 0 {
			s.cells = append(s.cells, cell{from: from, to: to})
			return
		}
		s.cells = append(s.cells, cell{from: from, to: from + i})
		from += i + 1
	}
}

func (s *csvScanner) trimCR(n int) int {
	if n > s.start && s.buf[n-1] == '\r' {
		return n - 1
	}
	return n
}

var (
	errQuotes = errors.New("quotes")
	errLong   = errors.New("too long")
)

// quoted splits a record with quotes, which may run over several lines. It
// returns where the last of its lines ends. Positions are kept relative to start
// while more is read, because that moves the buffer.
func (s *csvScanner) quoted(n int) (int, error) {
	s.cells = s.cells[:0]
	at := 0      // relative to s.start
	n -= s.start // end of the line that at is in
	for {
		c, closed, err := s.cell(at, n)
		if err != nil {
			return 0, err
		}
		if c.to > n { // the cell ran over line ends
			end, err := s.lineEnd(s.start + c.to)
			if err != nil {
				return 0, s.asQuotes(err)
			}
			n = end - s.start
		}
		s.cells = append(s.cells, c)
		at = c.to + closed
		if at >= n || at == s.trimCR(s.start+n)-s.start {
			break
		}
		at++ // the separator
	}
	for i := range s.cells {
		s.cells[i].from += s.start
		s.cells[i].to += s.start
	}
	return s.start + n, nil
}

// cell finds the cell at a position, both relative to start. closed is 1 when a
// closing quote follows the cell.
func (s *csvScanner) cell(at, n int) (c cell, closed int, err error) {
	end := s.trimCR(s.start+n) - s.start
	if at >= end || s.buf[s.start+at] != '"' {
		to := end
		if i := bytes.IndexByte(s.buf[s.start+at:s.start+end], s.comma); i >= 0 {
			to = at + i
		}
		return cell{from: at, to: to}, 0, nil
	}
	c.from = at + 1
	to := c.from
	for {
		i, err := s.quote(to)
		if err != nil {
			return c, 0, err
		}
		if next, ok := s.peek(i + 1); ok && next == '"' {
			c.escaped = true
			to = i + 2
			continue
		}
		c.to = i
		break
	}
	next, ok := s.peek(c.to + 1)
	if ok && next == '\r' && s.eol == '\n' {
		next, ok = s.peek(c.to + 2)
		if ok && next != s.eol {
			return c, 0, errQuotes
		}
	}
	if ok && next != s.comma && next != s.eol {
		return c, 0, errQuotes
	}
	return c, 1, nil
}

// quote finds the next quote from a position relative to start, reading on as far
// as a cell may go.
func (s *csvScanner) quote(at int) (int, error) {
	from := at
	for {
		if i := bytes.IndexByte(s.buf[s.start+from:s.end], '"'); i >= 0 {
			return from + i, nil
		}
		from = s.end - s.start
		if from-at > s.limits.Field {
			return 0, errQuotes
		}
		if err := s.more(); err != nil {
			return 0, s.asQuotes(err)
		}
	}
}

// peek returns the byte at a position relative to start.
func (s *csvScanner) peek(at int) (byte, bool) {
	for s.start+at >= s.end {
		if s.more() != nil {
			return 0, false
		}
	}
	return s.buf[s.start+at], true
}

// asQuotes makes the end of the file, or of what a row may be, a broken quote.
func (s *csvScanner) asQuotes(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, errLong) {
		return errQuotes
	}
	return err
}
