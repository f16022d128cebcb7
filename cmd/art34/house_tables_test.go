package main

import (
	"bytes"
	"encoding/csv"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/postal"
)

// TestHouseTables: every table is written by inert.Table, in which no cell is a
// formula. So a new export cannot forget it. The sample writes lists as companies do,
// which are read by the program and hold people who do not exist.
func TestHouseTables(t *testing.T) {
	t.Parallel()
	may := []string{"pipeline/kit/inert", "pipeline/rehearsal/sample"}
	var found []string
	for name, p := range houseOf(t) {
		if isTest(name) {
			continue
		}
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			tables := slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"`+module+`/pipeline/kit/inert"` })
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "csv" && (n.Sel.Name == "NewWriter" || n.Sel.Name == "Writer") {
						found = append(found, name)
						if !slices.Contains(may, name) {
							t.Errorf("%s/%s writes CSV by itself: inert.NewTable or inert.NewSheet", name, file)
						}
					}
				case *ast.BasicLit:
					if strings.Contains(n.Value, "text/csv") && !tables && !strings.Contains(n.Value, "`") && strings.HasPrefix(name, "pipeline/") {
						t.Errorf("%s/%s hands CSV out that inert has not seen", name, file)
					}
				}
				return true
			})
		}
	}
	for _, name := range may {
		if !slices.Contains(found, name) {
			t.Errorf("%s writes no CSV: take it from the list", name)
		}
	}
}

// TestTablesOfTheProgram writes a formula into every cell that a text reaches.
func TestTablesOfTheProgram(t *testing.T) {
	t.Parallel()
	const formula = `=HYPERLINK("https://evil.test","x")`
	dir := t.TempDir()
	for name, write := range map[string]func(path string) error{
		"check.csv": func(path string) error {
			var l checklist
			l.add(7, pipeline.NewReference(1), saidRow{formula, formula, formula, "\t" + formula, "\r" + formula})
			_, err := l.write(path)
			return err
		},
		"rejects": func(path string) error {
			return writeRejects(path, []rejectedLine{{3, formula, "+" + formula, "@" + formula}})
		},
		"manifest": func(path string) error {
			var b bytes.Buffer
			m := postal.Manifest{Rows: []postal.ManifestRow{{RunID: formula, Reference: "-1", Class: "@x", Country: "+1", Postcode: formula, DataMatrix: "\n" + formula}}}
			if err := m.WriteCSV(&b); err != nil {
				return err
			}
			return os.WriteFile(path, b.Bytes(), 0o600)
		},
	} {
		path := filepath.Join(dir, name)
		if err := write(path); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil || len(rows) != 2 || !strings.Contains(string(data), "'") {
			t.Fatalf("%s: %v\n%s", name, err, data)
		}
		for i, cell := range rows[1] {
			if s := strings.TrimLeft(cell, " \t\r\n"); s != "" && strings.ContainsAny(s[:1], "=+-@") {
				t.Errorf("%s: the column %s holds the formula %q", name, rows[0][i], cell)
			}
		}
	}
}
