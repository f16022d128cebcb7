package intake

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/xuri/excelize/v2"
)

// maxParts is how many files an XLSX may hold inside.
const maxParts = 2_000

// xlsxReader reads the first sheet that holds anything. Cells come unformatted:
// a number format would round long numbers.
type xlsxReader struct {
	file   *file
	schema *schema
	book   *excelize.File
	rows   *excelize.Rows
	header *header
	n      int64    // of the last row read, as the sheet counts
	blank  int64    // empty rows before next, not yet reported
	next   []string // the row that was read ahead
	others []string // further sheets that hold rows
}

func newXLSXReader(f *file, s *schema) (*xlsxReader, error) {
	data, err := io.ReadAll(io.LimitReader(f.body, f.limits.Sheet+1))
	switch {
	case err != nil:
		return nil, f.broken(err)
	case int64(len(data)) > f.limits.Sheet:
		return nil, tooLarge(f)
	}
	if err := safeZip(f, data); err != nil {
		return nil, err
	}
	// Sheets above UnzipXMLSizeLimit would be unpacked into temporary files, in
	// clear. With both limits equal there are none.
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: f.limits.Sheet, UnzipXMLSizeLimit: f.limits.Sheet, RawCellValue: true,
	})
	if err != nil {
		return nil, fileError(f.name, "file-damaged", "is no XLSX workbook that can be read", "save it again, or as CSV UTF-8", err)
	}
	f.close = append(f.close, book.Close)
	r := &xlsxReader{file: f, schema: s, book: book}
	return r, r.open()
}

func tooLarge(f *file) error {
	return fileError(f.name, "sheet-too-large", fmt.Sprintf("is larger than an XLSX file may be (%s unzipped, %d rows)", size(f.limits.Sheet), f.limits.SheetRows), "save it as CSV UTF-8: that has no such limit", nil)
}

// safeZip looks at the directory of the archive before anything is unpacked.
// archive/zip itself refuses entries that are longer than they say.
func safeZip(f *file, data []byte) error {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return f.damaged(err)
	}
	if len(z.File) > maxParts {
		return fileError(f.name, "sheet-too-large", fmt.Sprintf("holds more than %d parts", maxParts), "save it as CSV UTF-8", nil)
	}
	var sum uint64
	for _, part := range z.File {
		sum += part.UncompressedSize64
		if part.UncompressedSize64 > uint64(f.limits.Sheet) || sum > uint64(f.limits.Sheet) {
			return tooLarge(f)
		}
	}
	return nil
}

// open finds the sheet and reads its header.
func (r *xlsxReader) open() error {
	for _, name := range r.book.GetSheetList() {
		rows, err := r.book.Rows(name)
		if err != nil {
			continue // a chart sheet
		}
		cells, n, err := first(rows)
		switch {
		case err != nil:
			return r.damaged(err)
		case n == 0:
			_ = rows.Close()
		case r.rows == nil:
			r.rows, r.n = rows, n
			if r.header, err = r.schema.match(r.file.name, cells); err != nil {
				return err
			}
		default:
			_ = rows.Close()
			r.others = append(r.others, "sheet "+cleanName(name))
		}
	}
	if r.rows == nil {
		return fileError(r.file.name, "file-empty", "has no sheet with rows", "save the sheet with the list as CSV UTF-8", nil)
	}
	return nil
}

// first returns the first of a hundred rows that holds anything, and its number;
// 0 when there is none.
func first(rows *excelize.Rows) ([]string, int64, error) {
	for n := int64(1); n <= 100 && rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, 0, err
		}
		if !empty(cells) {
			return cells, n, nil
		}
	}
	return nil, 0, rows.Error()
}

func (r *xlsxReader) fill(b *batch) error {
	b.extra = r.header.extra
	for !b.full() {
		if r.next == nil {
			if err := r.advance(); err != nil {
				return err
			}
			if r.next == nil {
				break // the empty rows at the end are none
			}
		}
		if r.blank > 0 {
			r.blank--
			b.add(r.n-r.blank-1, 0).problem = emptyRow
			continue
		}
		r.put(b)
		r.next = nil
	}
	b.bytes = r.file.raw.n
	if len(b.rows) == 0 {
		return io.EOF
	}
	return nil
}

// advance reads up to the next row that holds anything, and counts the empty ones
// before it.
func (r *xlsxReader) advance() error {
	for r.rows.Next() {
		cells, err := r.rows.Columns()
		if err != nil {
			return r.damaged(err)
		}
		if r.n++; r.n > r.file.limits.SheetRows {
			return tooLarge(r.file)
		}
		if !empty(cells) {
			r.next = cells
			return nil
		}
		r.blank++
	}
	if err := r.rows.Error(); err != nil {
		return r.damaged(err)
	}
	return nil
}

func (r *xlsxReader) put(b *batch) {
	row := b.add(r.n, len(r.schema.names)+len(r.header.extra))
	for i, text := range r.next {
		switch {
		case text == "":
		case i >= len(r.header.slot):
			row.problem = manyCells
		case len(text) > r.file.limits.Field:
			row.problem, row.column = longField, r.schema.name(r.header.slot[i], r.header.extra)
		case r.header.slot[i] >= 0:
			row.cells[r.header.slot[i]] = keep(b, text)
		}
	}
}

func (r *xlsxReader) about() (encoding, delimiter string, ignored []string) {
	return "", "", append(slices.Clone(r.header.ignored), r.others...)
}

func (r *xlsxReader) damaged(err error) error {
	return fileError(r.file.name, "file-damaged", "holds a sheet that cannot be read", "save it again, or as CSV UTF-8", err)
}

func empty(cells []string) bool {
	return !slices.ContainsFunc(cells, func(s string) bool { return s != "" })
}
