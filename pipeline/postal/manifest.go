package postal

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/inert"
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
	Pages      int    `json:"pages"` // with the blank back
	Sheets     int    `json:"sheets"`
	Class      string `json:"class"`
	Country    string `json:"country"`
	Postcode   string `json:"postcode"`
	DataMatrix string `json:"datamatrix"` // on the first page
	SHA256     string `json:"sha256"`     // of what is on the letter's pages
}

// manifest describes what was drawn; the hashes of the file are the caller's.
func (p *Press) manifest(run pipeline.Run, d *Drawn) *Manifest {
	m := &Manifest{
		RunID: run.Name(), CodeName: p.codeName, Profile: run.Profile, Class: run.Class, Duplex: !p.simplex,
		Letters: len(d.Letters), Pages: d.Pages, Sheets: d.Sheets, Version: run.Version, Fonts: d.Fonts, Renderer: Renderer,
		CreatedAt: run.CutAt.UTC(), Rows: make([]ManifestRow, 0, len(d.Letters)),
	}
	if m.Profile == "" {
		m.Profile = p.standard.Name
	}
	for _, l := range d.Letters {
		m.Rows = append(m.Rows, ManifestRow{
			RunID: run.Name(), Seq: l.Seq, Reference: l.Reference.Compact(), Notice: l.Notice, FirstPage: l.FirstPage, LastPage: l.LastPage(),
			Pages: l.Pages, Sheets: l.Sheets, Class: l.Class, Country: l.Country, Postcode: l.Postcode, DataMatrix: l.Code, SHA256: hex.EncodeToString(l.Hash[:]),
		})
	}
	return m
}

// manifestColumns is the head line of the CSV form.
func manifestColumns() []string {
	return []string{"run_id", "seq", "letter_ref", "notice_id", "first_page", "last_page", "pages", "sheets", "class", "country", "postcode", "datamatrix", "sha256"}
}

// WriteCSV writes the rows with a head line: run_id, seq, letter_ref, notice_id,
// first_page, last_page, pages, sheets, class, country, postcode, datamatrix,
// sha256. Comma, UTF-8, LF; no cell is a formula.
func (m *Manifest) WriteCSV(w io.Writer) error {
	c := inert.NewTable(w)
	if err := c.Write(manifestColumns()...); err != nil {
		return err
	}
	for _, r := range m.Rows {
		if err := c.Write(r.RunID, strconv.Itoa(r.Seq), r.Reference, strconv.FormatInt(r.Notice, 10), strconv.Itoa(r.FirstPage), strconv.Itoa(r.LastPage),
			strconv.Itoa(r.Pages), strconv.Itoa(r.Sheets), r.Class, r.Country, r.Postcode, r.DataMatrix, r.SHA256); err != nil {
			return err
		}
	}
	return c.Flush()
}

// WriteJSON writes the whole manifest.
func (m *Manifest) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(m)
}

// ParseManifest reads the JSON form.
func ParseManifest(r io.Reader) (*Manifest, error) {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	var m Manifest
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	return &m, nil
}
