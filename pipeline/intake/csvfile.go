package intake

import (
	"bytes"
	"errors"
	"io"
)

// csvReader reads the rows of a CSV file.
type csvReader struct {
	file    *file
	schema  *schema
	decoder *decoder
	scan    *csvScanner
	header  *header
}

// delimiters of CSV that are recognised, with their names.
var delimiters = map[byte]string{',': "comma", ';': "semicolon", '\t': "tab"}

func newCSVReader(f *file, s *schema) (*csvReader, error) {
	r := &csvReader{file: f, schema: s, decoder: newDecoder(f.body)}
	r.scan = newCSVScanner(r.decoder, f.limits)
	if err := r.scan.more(); err != nil && !errors.Is(err, io.EOF) {
		return nil, f.broken(err)
	}
	head := r.scan.buf[:r.scan.end]
	if bytes.IndexByte(head, 0) >= 0 && bytes.Count(head, []byte{0}) > len(head)/4 {
		return nil, fileError(f.name, "format-unknown", "is not text, or UTF-16 without a byte order mark", "export it as CSV UTF-8", nil)
	}
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		r.scan.eol = '\r'
	}
	if err := r.separator(); err != nil {
		return nil, err
	}
	return r, r.names()
}

// separator finds the delimiter: what Excel declares ("sep=;"), or the one that
// cuts the most known names out of the first line, or most cells.
func (r *csvReader) separator() error {
	s := r.scan
	s.comma = ',' // vacant needs one
	for {
		n, err := s.lineEnd(s.start)
		switch {
		case errors.Is(err, io.EOF):
			return fileError(r.file.name, "file-empty", "is empty", "export it again; art34 sample writes an example of each list", nil)
		case errors.Is(err, errLong):
			return r.noHeader()
		case err != nil:
			return r.file.broken(err)
		}
		line := bytes.TrimSuffix(s.buf[s.start:n], []byte{'\r'})
		if len(bytes.Trim(line, ",;\t \x1a")) == 0 {
			s.start = min(n+1, s.end)
			s.line++
			continue
		}
		if len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) && delimiters[line[4]] != "" {
			s.comma = line[4]
			s.start = min(n+1, s.end) // spreadsheets do not show this line: not counted
			return nil
		}
		s.comma = r.guess(line)
		return nil
	}
}

func (r *csvReader) guess(line []byte) byte {
	best, bestKnown, bestCells := byte(','), -1, -1
	for _, c := range []byte{',', ';', '\t'} {
		known, cells := 0, 0
		for name := range bytes.SplitSeq(line, []byte{c}) {
			cells++
			if _, ok := r.schema.index[foldName(string(bytes.Trim(name, `" `)))]; ok {
				known++
			}
		}
		if known > bestKnown || known == bestKnown && cells > bestCells {
			best, bestKnown, bestCells = c, known, cells
		}
	}
	return best
}

func (r *csvReader) noHeader() error {
	return fileError(r.file.name, "header-missing", "the first line is too long to hold the names of columns", "export it as CSV with a first row of names", nil)
}

// names reads the header.
func (r *csvReader) names() error {
	rec, err := r.scan.next()
	if err != nil {
		return r.file.broken(err)
	}
	if rec.problem != noCode {
		return fileError(r.file.name, "header-missing", "the first row, which names the columns, cannot be read: "+codes[rec.problem].Sentence, "is it the right file? art34 sample writes an example", nil)
	}
	names := make([]string, 0, len(rec.cells))
	for _, c := range rec.cells {
		names = append(names, string(r.scan.text(nil, c)))
	}
	r.scan.width = len(names)
	r.header, err = r.schema.match(r.file.name, names)
	return err
}

func (r *csvReader) fill(b *batch) error {
	width := len(r.schema.names) + len(r.header.extra)
	b.extra = r.header.extra
	for !b.full() {
		rec, err := r.scan.next()
		if errors.Is(err, io.EOF) {
			if len(b.rows) == 0 {
				return io.EOF
			}
			break
		}
		if err != nil {
			return r.file.broken(err)
		}
		row := b.add(rec.row, width)
		if rec.problem != noCode {
			row.problem = rec.problem
			if rec.column >= 0 && rec.column < len(r.header.slot) {
				row.column = r.schema.name(r.header.slot[rec.column], r.header.extra)
			}
			// What can be read of the customer number still tells whose notice would be
			// incomplete.
			if id := r.customer(); id >= 0 && id < len(rec.cells) {
				r.put(b, row, rec.cells[id], 0)
			}
			continue
		}
		for i, c := range rec.cells {
			if slot := r.header.slot[i]; slot >= 0 && c.to > c.from {
				r.put(b, row, c, slot)
			}
		}
	}
	b.bytes = r.file.raw.n
	return nil
}

// put copies a cell.
func (r *csvReader) put(b *batch, row *row, c cell, slot int) {
	from := len(b.arena)
	b.arena = r.scan.text(b.arena, c)
	row.cells[slot] = b.arena[from:len(b.arena):len(b.arena)]
}

// customer returns the place of the customer number in the file, or -1.
func (r *csvReader) customer() int {
	for i, slot := range r.header.slot {
		if slot == 0 {
			return i
		}
	}
	return -1
}

func (r *csvReader) about() (encoding, delimiter string, ignored []string) {
	return r.decoder.name(), delimiters[r.scan.comma], r.header.ignored
}
