package inert

import (
	"encoding/csv"
	"errors"
	"strings"
	"testing"
)

func TestCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Martin": "Martin", "=1+1": "'=1+1", "+33": "'+33", "-cmd": "'-cmd", "@x": "'@x", " =1": "' =1", "\t=1": "' =1", "\u00a0=1": "'\u00a0=1", "＝1": "'＝1",
		"\u200b=1": "'\u200b=1", "\ufeff=1": "'\ufeff=1", "a\x00b\r\nc": "a b  c", "": "", "   ": "   ", "|calc": "'|calc",
		"a;=1+1": "a;'=1+1", "a; \"=1": "a;' \"=1", ";;-1;b": ";;'-1;b", "a;b": "a;b", "=1;=2": "'=1;'=2", "\u202e=1": "'\u202e=1", "\u2003=1": "'\u2003=1", "a\u0085=1": "a =1", "\u2060=1": "'\u2060=1", "%x": "'%x", "12 rue X": "12 rue X",
	} {
		if got := Cell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestTable: whatever a cell holds, what a spreadsheet reads back begins no formula,
// and stays in its cell.
func TestTable(t *testing.T) {
	t.Parallel()
	cells := []string{"=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "a\r\n=1,=2", `"=1"`, "\ufeff=1", "＝1", `a","=1`, "a\tb", "|x", "%y", "'=1", "Martin"}
	for name, open := range map[string]func(*strings.Builder) *Table{"table": func(b *strings.Builder) *Table { return NewTable(b) }, "sheet": func(b *strings.Builder) *Table { return NewSheet(b) }} {
		var b strings.Builder
		w := open(&b)
		kept := strings.Join(cells, "")
		if err := errors.Join(w.Write(cells...), w.Write("last"), w.Flush()); err != nil {
			t.Fatal(err)
		}
		text, marked := strings.CutPrefix(b.String(), "\ufeff")
		if marked != (name == "sheet") || strings.Contains(text, "\r\n") != marked || strings.Contains(text, "\ufeff'=") || strings.Join(cells, "") != kept {
			t.Errorf("%s: %q", name, b.String())
		}
		r := csv.NewReader(strings.NewReader(text))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil || len(rows) != 2 || len(rows[0]) != len(cells) {
			t.Fatalf("%s: %v %q", name, err, rows)
		}
		for i, cell := range rows[0] {
			if s := strings.TrimLeft(cell, " \ufeff"); strings.ContainsAny(cell, "\t\r\n") || s == "" || strings.ContainsRune("=+-@|%＝", []rune(s)[0]) {
				t.Errorf("%s: %q became %q", name, cells[i], cell)
			}
		}
	}
}

// TestTableCutAtSemicolons: a spreadsheet whose separator is the semicolon knows nothing
// of our quotes.
func TestTableCutAtSemicolons(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := NewSheet(&b)
	cells := []string{"first", "a;=cmd|'/c calc'!A1;b", `a";"=1`, `;""=1`, ",;\n+1", "; ;@x", "x;\u200b-2"}
	if err := errors.Join(w.Write(cells...), w.Flush()); err != nil {
		t.Fatal(err)
	}
	for _, cell := range strings.Split(b.String(), ";")[1:] {
		if s := strings.TrimLeft(cell, " \"\u200b"); s != "" && strings.ContainsRune("=+-@", []rune(s)[0]) {
			t.Errorf("%q begins a formula", cell)
		}
	}
}

// TestTableOfABrokenPipe: a row that is lost is an error at the end.
func TestTableOfABrokenPipe(t *testing.T) {
	t.Parallel()
	for _, w := range []*Table{NewTable(broken{}), NewSheet(broken{})} {
		if err := errors.Join(w.Write("a"), w.Flush()); err == nil {
			t.Error("nobody heard of it")
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }
