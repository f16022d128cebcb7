// Package inert keeps tables that leave the house from doing anything where they are
// opened.
//
// Reference: OWASP ASVS 5.0, 1.2.10 (formula injection).
package inert

import (
	"encoding/csv"
	"io"
	"strings"
)

// Cell keeps a spreadsheet from running a value as a formula: an apostrophe before
// what starts like one, and no control characters.
func Cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if t := strings.TrimLeft(s, " \u00a0\u200b\ufeff"); t != "" && strings.ContainsRune("=+-@|%\uff1d\uff0b\uff0d\uff20", []rune(t)[0]) {
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
