// Package inert keeps tables that leave the house from doing anything where they are
// opened.
//
// Reference: OWASP ASVS 5.0, 1.2.10 (formula injection).
package inert

import (
	"encoding/csv"
	"io"
	"strings"
	"unicode"
)

// Cell keeps a spreadsheet from running a value as a formula: an apostrophe before
// what starts like one, and no control characters. Where the list separator of the
// machine is a semicolon, as in France, a spreadsheet cuts our rows at those, whatever
// stands in quotes: what follows one is the beginning of a cell as well.
func Cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if !strings.Contains(s, ";") {
		return start(s, "")
	}
	parts := strings.Split(s, ";")
	parts[0] = start(parts[0], "")
	for i := 1; i < len(parts); i++ {
		parts[i] = start(parts[i], `"`) // a quote there would be one of the table
	}
	return strings.Join(parts, ";")
}

// start puts an apostrophe before what would begin a formula after space, characters
// that nobody sees, and those of skip.
func start(s, skip string) string {
	at := strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.In(r, unicode.Cf, unicode.Mn) && !strings.ContainsRune(skip, r)
	})
	if at >= 0 && strings.ContainsRune("=+-@|%\uff1d\uff0b\uff0d\uff20", []rune(s[at:])[0]) {
		return "'" + s
	}
	return s
}

// Table writes CSV of which no cell does anything. Every table that leaves the house
// is one.
type Table struct {
	w   *csv.Writer
	bom io.Writer // nil once it is written, or where there is none
	row []string
}

// NewTable writes for programs: LF at the end of lines.
func NewTable(w io.Writer) *Table { return &Table{w: csv.NewWriter(w)} }

// NewSheet writes for spreadsheets: CRLF, and a byte order mark first, so that they
// read accents.
func NewSheet(w io.Writer) *Table {
	t := &Table{w: csv.NewWriter(w), bom: w}
	t.w.UseCRLF = true
	return t
}

// Write writes a row. The cells stay as they are with the caller.
func (t *Table) Write(cells ...string) error {
	if t.bom != nil {
		if _, err := io.WriteString(t.bom, "\ufeff"); err != nil {
			return err
		}
		t.bom = nil
	}
	t.row = t.row[:0]
	for _, c := range cells {
		t.row = append(t.row, Cell(c))
	}
	return t.w.Write(t.row)
}

// Flush writes what is left, and returns the first error of all.
func (t *Table) Flush() error {
	t.w.Flush()
	return t.w.Error()
}
