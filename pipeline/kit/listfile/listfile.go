// Package listfile reads the lists that other people make: returned mail of a
// scanning service, acknowledgements of a print shop, calls of a call centre. It
// finds out encoding and delimiter by itself, and a bad row never costs the rows
// after it.
package listfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// Conditions that make a whole file unreadable.
var (
	ErrTooLarge = errors.New("the file is too large for a list")
	ErrSheet    = errors.New("the file is a workbook or an archive, not text")
	ErrBinary   = errors.New("the file is not text")
	ErrEmpty    = errors.New("the file is empty")
)

// Faults of single rows.
const (
	FaultQuote   = "quote"   // a quotation mark is open, and nothing closes it
	FaultControl = "control" // NUL or another control character
	FaultLong    = "long"    // longer than a row of a list can be
	FaultFields  = "fields"  // more fields than a list can have
)

// File is a list as it was read.
type File struct {
	Encoding  string // "utf-8", "utf-16", "windows-1252"
	Delimiter rune   // 0: every line is one field
	Rows      []Row  // those that are not blank, in order
}

// Row is one row. One with a Fault has no Fields.
type Row struct {
	Line   int // where it starts in the file, from 1
	Fields []string
	Fault  string
}

const (
	mostBytes  = 64 << 20
	mostRow    = 16 << 10
	mostFields = 200
	mostLines  = 20 // that one quoted field may span
)

// Read reads a list of at most 64 MB.
func Read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > mostBytes {
		return nil, ErrTooLarge
	}
	text, encoding, err := decode(data)
	if err != nil {
		return nil, err
	}
	f := &File{Encoding: encoding}
	lines := splitLines(text)
	first := 0
	if len(lines) > 0 { // Excel writes the delimiter into the first line
		if d, ok := strings.CutPrefix(strings.ToLower(strings.Trim(lines[0], "\" ")), "sep="); ok && len(d) == 1 {
			f.Delimiter, first = rune(d[0]), 1
		}
	}
	if f.Delimiter == 0 {
		f.Delimiter = delimiter(lines)
	}
	for i := first; i < len(lines); {
		row, n := f.row(lines[i:])
		row.Line = i + 1
		i += n
		if row.Fault != "" || strings.Join(row.Fields, "") != "" {
			f.Rows = append(f.Rows, row)
		}
	}
	if len(f.Rows) == 0 {
		return nil, ErrEmpty
	}
	return f, nil
}

// row reads the row that starts at the first line, and says how many lines it
// takes. A quoted field may go on over some lines; one that never ends costs only
// its first.
func (f *File) row(lines []string) (Row, int) {
	raw, n := lines[0], 1
	if f.Delimiter != 0 && strings.Contains(raw, `"`) {
		var whole strings.Builder
		whole.WriteString(raw)
		quotes := strings.Count(raw, `"`)
		for quotes%2 == 1 && n < len(lines) && n < mostLines && whole.Len() <= mostRow {
			whole.WriteByte('\n')
			whole.WriteString(lines[n])
			quotes += strings.Count(lines[n], `"`)
			n++
		}
		if quotes%2 == 1 {
			return Row{Fault: FaultQuote}, 1
		}
		raw = whole.String()
	}
	switch {
	case len(raw) > mostRow:
		return Row{Fault: FaultLong}, n
	case hostile(raw):
		return Row{Fault: FaultControl}, n
	case strings.TrimSpace(raw) == "":
		return Row{}, n
	case f.Delimiter == 0:
		return Row{Fields: []string{clean(raw)}}, n
	}
	fields, fault := f.split(raw)
	if fault != "" {
		// What a stray quotation mark joined may be several rows: only the first is
		// lost, the others are read again.
		return Row{Fault: fault}, 1
	}
	return Row{Fields: fields}, n
}

func (f *File) split(raw string) ([]string, string) {
	c := csv.NewReader(strings.NewReader(raw))
	c.Comma, c.FieldsPerRecord, c.TrimLeadingSpace, c.LazyQuotes = f.Delimiter, -1, f.Delimiter != '\t', true
	fields, err := c.Read()
	switch {
	case err != nil:
		return nil, FaultQuote
	case len(fields) > mostFields:
		return nil, FaultFields
	}
	for i := range fields {
		fields[i] = clean(fields[i])
	}
	return fields, ""
}

// clean takes blanks off, also those that do not look like one, and the form
// ="00123" by which people keep Excel from changing a value.
func clean(s string) string {
	s = strings.Trim(s, " \t\r\n\u00a0\u202f\u200b\ufeff")
	if strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) && len(s) > 3 {
		s = s[2 : len(s)-1]
	}
	return s
}

// hostile reports control characters that no text has.
func hostile(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' && !separator(r) || r == 0x7f
	})
}

// separator is one of the characters that a scanner of data symbols sends between
// and around them (GS, RS, EOT, STX, ETX, FS).
func separator(r rune) bool { return r == 0x1c || r == 0x1d || r == 0x1e || r == 2 || r == 3 || r == 4 }

func splitLines(s string) []string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if !strings.Contains(s, "\n") || strings.Count(s, "\r") > strings.Count(s, "\n") {
		s = strings.ReplaceAll(s, "\r", "\n") // old Macs, and scanners
	}
	lines := strings.Split(s, "\n")
	if n := len(lines); lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}

// delimiter is the character that most of the first lines have equally often.
func delimiter(lines []string) rune {
	var head []string
	for _, l := range lines {
		if strings.TrimSpace(l) != "" {
			if head = append(head, l); len(head) == 30 {
				break
			}
		}
	}
	if len(head) == 0 {
		return 0
	}
	best, most := rune(0), 0
	for _, d := range []rune{';', '\t', ',', '|'} {
		want := outside(head[0], d)
		if want == 0 {
			continue
		}
		score := want
		for _, l := range head {
			if outside(l, d) == want {
				score += 10
			}
		}
		if score > most {
			best, most = d, score
		}
	}
	return best
}

// outside counts a delimiter outside of quotation marks.
func outside(line string, d rune) (n int) {
	quoted := false
	for _, r := range strings.TrimRight(line, "\t\r ") {
		switch {
		case r == '"':
			quoted = !quoted
		case r == d && !quoted:
			n++
		}
	}
	return n
}

// archive reports the first bytes of ZIP (which XLSX and ODS are), gzip, zstd, OLE
// (XLS) and PDF.
func archive(data []byte) bool {
	for _, magic := range []string{"PK\x03\x04", "\x1f\x8b", "\x28\xb5\x2f\xfd", "\xd0\xcf\x11\xe0", "%PDF-"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}
