package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/xuri/excelize/v2"

	"github.com/art34/art34/fixtures"
	"github.com/art34/art34/pipeline"
)

// fixture is a source of a sample list.
func fixture(name string) Source {
	return Source{Name: path.Base(name), Open: func() (io.ReadCloser, error) { return fixtures.FS.Open("lists/" + name) }}
}

// everybody writes out all primary notices, in order, without what depends on the
// keys.
func everybody(t testing.TB, b *bench) string {
	t.Helper()
	var lines []string
	for _, j := range b.sink.jobs {
		p, err := openPerson(b.config.Keys, *j)
		if err != nil {
			t.Fatal(err)
		}
		p.Reference = ""
		out, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s %s %s %v %s", p.CustomerIDs[0], j.State, j.Channel, j.Locale, j.Format, j.Sender, j.Defects, out))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestFormats imports the same people from every format.
func TestFormats(t *testing.T) {
	t.Parallel()
	reference := newBench(t)
	reference.must(read(t, "customers.csv"), read(t, "impact.csv"))
	want := everybody(t, reference)
	for _, c := range []struct{ customers, impact, format, encoding, delimiter string }{
		{"customers.csv", "impact.csv", "csv", "utf-8", "comma"},
		{"customers-bom.csv", "impact.ndjson", "csv", "utf-8 with BOM", "comma"},
		{"customers-1252.csv", "impact.csv.zst", "csv", "windows-1252", "semicolon"},
		{"customers-tab-utf16.txt", "impact.xlsx", "csv", "utf-16le", "tab"},
		{"customers-cr.csv", "impact.csv", "csv", "utf-8", "semicolon"},
		{"customers.csv.gz", "impact-nested.ndjson", "csv+gzip", "utf-8", "comma"},
		{"customers.ndjson", "impact.csv", "ndjson", "utf-8", ""},
		{"customers.xlsx", "impact.csv", "xlsx", "", ""},
	} {
		t.Run(c.customers+" "+c.impact, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.config.Customers, b.config.Impacts = []Source{fixture(c.customers)}, []Source{fixture(c.impact)}
			r, err := Run(context.Background(), b.config)
			if err != nil {
				t.Fatal(err)
			}
			if got := everybody(t, b); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			f := r.Import.Manifest.Files[0]
			if f.Format != c.format || f.Encoding != c.encoding || f.Delimiter != c.delimiter || f.Rows != 7 || f.Accepted != 7 || len(f.SHA256) != 64 {
				t.Errorf("file: %+v", f)
			}
			if g := r.Import.Manifest.Ignored; !slices.Equal(g, []string{"opt_in"}) {
				t.Errorf("ignored %v", g)
			}
		})
	}
}

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := fs.ReadFile(fixtures.FS, "lists/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHeaderlessListIsNotQuoted: the first row of a list without a header is
// somebody's data, whatever it looks like.
func TestHeaderlessListIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"Zzcanary,Zzcanary,a@b.example,K1\nx,y,z,K2\n", "K1,Zzcanary,fr,FR\nK2,y,fr,FR\n", "K1,Zzcanary,city\nK2,y,z\n"} {
		b := newBench(t)
		b.config.Customers, b.config.Impacts = []Source{text("customers.csv", list)}, []Source{text("impact.csv", someImpacts)}
		_, err := Run(context.Background(), b.config)
		if err == nil || strings.Contains(err.Error(), "Zzcanary") || !strings.Contains(err.Error(), "the first row must hold the names") {
			t.Errorf("got %v", err)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, code, says string }{
		{"no-header.csv", "header-missing", "the first row must hold the names: customer_id, person_id"},
		{"no-required.csv", "header-incomplete", `no column last_name or first_name or company` + "\n  hint: found: \"customer_id\", \"email\", \"city\""},
		{"twice.csv", "header-twice", `"Customer ID"`},
		{"swapped.csv", "header-incomplete", "it looks like a file for --impact"},
		{"array.json", "format-unknown", "NDJSON"},
		{"utf16-no-bom.csv", "format-unknown", "UTF-16 without a byte order mark"},
		{"empty.csv", "file-empty", "is empty"},
		{"truncated.csv.gz", "file-damaged", "damaged or cut off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.config.Customers, b.config.Impacts = []Source{fixture("bad/" + c.name)}, []Source{text("impact.csv", someImpacts)}
			_, err := Run(context.Background(), b.config)
			if pipeline.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), c.name+": ") {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), "Dubreuil") {
				t.Errorf("the error holds a value: %v", err)
			}
			if len(b.sink.imports)+len(b.sink.jobs) != 0 {
				t.Error("something was staged")
			}
		})
	}
}

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zst(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func sheet(t testing.TB, rows int, cell string) []byte {
	t.Helper()
	f := excelize.NewFile()
	s, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetRow("A1", []any{"customer_id", "last_name"}); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := s.SetRow(fmt.Sprintf("A%d", i+2), []any{i + 1000, cell}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestBombs: what unpacks to far more than it should is refused, whatever packs it.
func TestBombs(t *testing.T) {
	t.Parallel()
	flat := []byte("customer_id,last_name\nC1,Dubreuil\n" + strings.Repeat("C1,"+strings.Repeat("Dubreuil", 1000)+"\n", 2400))
	for _, c := range []struct {
		name, code string
		data       []byte
		limits     Limits
	}{
		{"ratio.gz", "file-expands", gz(t, flat), Limits{}},
		{"ratio.zst", "file-expands", zst(t, flat), Limits{}},
		{"absolute.gz", "file-expands", gz(t, flat), Limits{Expanded: 1 << 20}},
		{"window.zst", "window-too-large", []byte("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00"), Limits{}}, // 128 MiB
		{"twice.gz", "format-unknown", gz(t, gz(t, flat[:100])), Limits{}},
		{"sheet-rows.xlsx", "sheet-too-large", sheet(t, 50, "Dubreuil"), Limits{SheetRows: 20}},
		{"sheet-bytes.xlsx", "sheet-too-large", sheet(t, 2000, strings.Repeat("Dubreuil", 100)), Limits{Sheet: 100 << 10}},
		{"sheet.xlsx.gz", "sheet-too-large", gz(t, sheet(t, 2000, strings.Repeat("Dubreuil", 100))), Limits{Sheet: 10 << 10}},
		{"not-a-sheet.xlsx", "file-damaged", append([]byte("PK\x03\x04"), flat[:1000]...), Limits{}},
		{"old.xls", "format-unknown", append([]byte("\xd0\xcf\x11\xe0"), flat[:1000]...), Limits{}},
		{"letter.pdf", "format-unknown", []byte("%PDF-1.4\n"), Limits{}},
		{"page.html", "format-unknown", []byte("<!doctype html>"), Limits{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.config.Limits = c.limits
			b.config.Customers = []Source{text(c.name, string(c.data))}
			b.config.Impacts = []Source{text("impact.csv", someImpacts)}
			_, err := Run(context.Background(), b.config)
			if pipeline.ErrorCode(err) != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
}

// TestSheetRows: rows of a spreadsheet are numbered as it numbers them, and empty
// ones at its end are none.
func TestSheetRows(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	for cell, v := range map[string]any{
		"A1": "customer_id", "B1": "last_name", "C1": "note", "A2": 1001, "B2": "Dubreuil", "C2": "x",
		"A5": "", "B5": "Nobody", "A6": 6.123456789e25, "B6": "Rounded", "A7": "C7", "B7": "Petit", "E7": "outside", "A9": " ",
	} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.NewSheet("More"); err != nil {
		t.Fatal(err)
	}
	if err := f.SetCellValue("More", "A1", "remark"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	r := b.must(out.String(), "customer_id,data_kinds\n1001,identity\n")
	want := "file,row,column,code,sentence\ncustomers.csv,3,,row-empty\ncustomers.csv,4,,row-empty\ncustomers.csv,5,customer_id,id-missing\ncustomers.csv,6,customer_id,id-mangled\ncustomers.csv,7,,cells-many\ncustomers.csv,8,,row-empty\ncustomers.csv,9,customer_id,id-missing\n"
	if got := codesOnly(b.rejects.String()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if m := r.Import.Manifest; m.Files[0].Rows != 8 || m.Population != 1 || !slices.Equal(m.Ignored, []string{"sheet More"}) {
		t.Errorf("%+v", m)
	}
}

// codesOnly cuts the sentences off a report.
func codesOnly(report string) string {
	var b strings.Builder
	for i, line := range strings.SplitAfter(report, "\n") {
		if cells := strings.SplitN(line, ",", 5); i > 0 && len(cells) == 5 {
			line = strings.Join(cells[:4], ",") + "\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestBadRows: each bad row is rejected with its number, column and code, and
// nothing else is.
func TestBadRows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.config.MaxUnmatched = 1 // C2010 is one of the rejected
	r := b.must(read(t, "bad/rows.csv"), "customer_id,data_kinds\nC2001,identity\nC2010,identity\n")
	want := `file,row,column,code,sentence
customers.csv,3,,row-empty
customers.csv,4,customer_id,id-mangled
customers.csv,5,customer_id,id-date
customers.csv,6,customer_id,id-missing
customers.csv,7,last_name,name-missing
customers.csv,8,,quotes
customers.csv,9,,cells-many
customers.csv,10,,cells-few
customers.csv,11,last_name,name-missing
customers.csv,12,,totals-row
`
	if got := codesOnly(b.rejects.String()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if f := r.Import.Manifest.Files[0]; f.Rows != 11 || f.Accepted != 1 || f.Rejected != 10 {
		t.Errorf("%+v", f)
	}
	for _, secret := range []string{"Dubreuil", "Rounded", "6,12E+08", "amelie", "C2001"} {
		if strings.Contains(b.rejects.String()+b.finds.String(), secret) {
			t.Errorf("the reports hold the value %s", secret)
		}
	}
}
