package intake

// batchRows is how many rows travel from a reader to the checks at a time.
const batchRows = 256

// row is one input row as a reader found it: cells by column of the schema, then
// further columns by their place in batch.extra. A cell that is not there is nil.
type row struct {
	n       int64 // as people count: the header is row 1; in NDJSON the line
	cells   [][]byte
	nested  []nested // of nested NDJSON
	problem code
	column  string // where the problem is
}

// nested is one contract of a nested impact, or the data of the person himself
// (Own).
type nested struct {
	own                 bool
	id, kind, label     string
	kinds               []string
	certainty, src, obs string
}

// batch owns the rows of one step and their bytes.
type batch struct {
	rows  []row
	cells [][]byte
	arena []byte
	extra []string // names of further columns
	bytes int64    // of the file on disk, read so far
}

func (b *batch) reset() {
	b.rows, b.cells, b.arena = b.rows[:0], b.cells[:0], b.arena[:0]
}

func (b *batch) full() bool { return len(b.rows) >= batchRows || len(b.arena) > 256<<10 }

// add appends a row of width empty cells and returns it.
func (b *batch) add(n int64, width int) *row {
	from := len(b.cells)
	for range width {
		b.cells = append(b.cells, nil)
	}
	b.rows = append(b.rows, row{n: n, cells: b.cells[from:len(b.cells):len(b.cells)]})
	return &b.rows[len(b.rows)-1]
}

// keep copies text into the batch.
func keep[T string | []byte](b *batch, text T) []byte {
	from := len(b.arena)
	b.arena = append(b.arena, text...)
	return b.arena[from:len(b.arena):len(b.arena)]
}

// reader reads the rows of one file.
type reader interface {
	// fill adds rows to an empty batch until it is full. io.EOF comes with an empty
	// batch.
	fill(b *batch) error
	// about says what was recognised, complete after the last row.
	about() (encoding, delimiter string, ignored []string)
}
