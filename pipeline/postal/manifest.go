package postal

import (
	"io"
	"time"

	"github.com/art34/art34/pipeline"
)

// Manifest lists what is in a print run: no names, no data kinds.
type Manifest struct {
	RunID     string        `json:"run_id"` // "R000042"
	CodeName  string        `json:"code_name"`
	File      string        `json:"file"`
	SHA256    string        `json:"sha256"`     // of the file as handed over
	PDFSHA256 string        `json:"pdf_sha256"` // of the PDF; differs where the file is encrypted
	Profile   string        `json:"profile"`
	Class     string        `json:"class"`
	Duplex    bool          `json:"duplex"`
	Letters   int           `json:"letters"` // control totals
	Pages     int           `json:"pages"`
	Sheets    int           `json:"sheets"`
	Version   int           `json:"version"` // approved version of the letters
	Fonts     string        `json:"fonts"`
	Renderer  string        `json:"renderer"`
	CreatedAt time.Time     `json:"created_at"` // when the run was cut
	Rows      []ManifestRow `json:"rows"`
}

// ManifestRow is one letter.
type ManifestRow struct {
	RunID      string `json:"run_id"`
	Seq        int    `json:"seq"`
	Reference  string `json:"letter_ref"` // without hyphens
	Notice     int64  `json:"notice_id"`
	FirstPage  int    `json:"first_page"`
	LastPage   int    `json:"last_page"`
	Pages      int    `json:"pages"`
	Sheets     int    `json:"sheets"`
	Class      string `json:"class"`
	Country    string `json:"country"`
	Postcode   string `json:"postcode"`
	DataMatrix string `json:"datamatrix"`
	SHA256     string `json:"sha256"` // of what is on the letter's pages
}

// WriteCSV writes the rows with a head line: run_id, seq, letter_ref, notice_id,
// first_page, last_page, pages, sheets, class, country, postcode, datamatrix,
// sha256. Comma, UTF-8, LF.
func (m *Manifest) WriteCSV(w io.Writer) error { panic("postal: not built yet") }

// WriteJSON writes the whole manifest.
func (m *Manifest) WriteJSON(w io.Writer) error { panic("postal: not built yet") }

// SortKey orders the letters of a run as sorting centres want them: domestic,
// overseas departments and territories, abroad by country; then by postcode,
// then by street.
func SortKey(origin string, p pipeline.Person, address []string) string {
	panic("postal: not built yet")
}
