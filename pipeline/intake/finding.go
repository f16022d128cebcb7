package intake

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// found is one finding in one cell.
type found struct {
	code   code
	column string // name of the column, "" for the whole row
}

// findings collects what is wrong with one row.
type findings struct{ list []found }

func (f *findings) add(c code, column string) { f.list = append(f.list, found{c, column}) }
func (f *findings) reset()                    { f.list = f.list[:0] }

// rejected returns the first finding that rejects the row.
func (f *findings) rejected() (found, bool) {
	for _, x := range f.list {
		if x.code.effect() == Reject {
			return x, true
		}
	}
	return found{}, false
}

// report writes findings as CSV: file, row, column, code, sentence. Values of
// cells never get there, and neither do file or column names that a spreadsheet
// would take for a formula (ASVS 5.0, 1.2.10).
type report struct {
	w   *csv.Writer
	row [5]string
}

func newReport(w io.Writer) (*report, error) {
	if w == nil {
		return nil, nil
	}
	r := &report{w: csv.NewWriter(w)}
	return r, r.w.Write([]string{"file", "row", "column", "code", "sentence"})
}

func (r *report) add(file string, row int64, f found) error {
	if r == nil {
		return nil
	}
	c := codes[f.code]
	line := ""
	if row > 0 {
		line = strconv.FormatInt(row, 10)
	}
	r.row = [5]string{inert(file), line, inert(f.column), c.Code, c.Sentence}
	return r.w.Write(r.row[:])
}

func (r *report) close() error {
	if r == nil {
		return nil
	}
	r.w.Flush()
	return r.w.Error()
}

// inert keeps a spreadsheet from running a text as a formula.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@ ", rune(s[0])) {
		return "'" + s
	}
	return s
}
