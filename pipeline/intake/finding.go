package intake

import (
	"io"
	"strconv"

	"github.com/art34/art34/pipeline/kit/inert"
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
// would take for a formula.
type report struct{ w *inert.Table }

func newReport(w io.Writer) (*report, error) {
	if w == nil {
		return nil, nil
	}
	r := &report{inert.NewTable(w)}
	return r, r.w.Write("file", "row", "column", "code", "sentence")
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
	return r.w.Write(file, line, f.column, c.Code, c.Sentence)
}

func (r *report) close() error {
	if r == nil {
		return nil
	}
	return r.w.Flush()
}
