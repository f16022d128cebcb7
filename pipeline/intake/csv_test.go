package intake

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// scan reads a whole text; every record is "row: cell|cell" or "row: !code".
func scan(t testing.TB, r io.Reader, comma byte, limits Limits) []string {
	t.Helper()
	s := newCSVScanner(r, limits.orDefault())
	s.comma = comma
	var out []string
	for {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.problem != noCode {
			out = append(out, fmt.Sprintf("%d: !%s", rec.row, rec.problem))
			continue
		}
		if s.width == 0 {
			s.width = len(rec.cells)
		}
		var cells []string
		for _, c := range rec.cells {
			cells = append(cells, string(s.text(nil, c)))
		}
		out = append(out, fmt.Sprintf("%d: %s", rec.row, strings.Join(cells, "|")))
	}
}

func TestCSVScanner(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"plain":                      {"a,b\n1,2\n3,4\n", []string{"1: a|b", "2: 1|2", "3: 3|4"}},
		"no final line end":          {"a,b\n1,2", []string{"1: a|b", "2: 1|2"}},
		"crlf":                       {"a,b\r\n1,2\r\n", []string{"1: a|b", "2: 1|2"}},
		"empty cells":                {"a,b\n,\n1,\n,2\n", []string{"1: a|b", "2: !row-empty", "3: 1|", "4: |2"}},
		"quotes":                     {"a,b\n\"1,5\",\"say \"\"x\"\"\"\r\n\"\",\"2\"\n", []string{"1: a|b", `2: 1,5|say "x"`, "3: |2"}},
		"quoted line end":            {"a,b\n\"1\n2\",3\n4,5\n", []string{"1: a|b", "2: 1\n2|3", "3: 4|5"}},
		"quoted last cell":           {"a,b\n1,\"2\n3\"\n4,\"5\"", []string{"1: a|b", "2: 1|2\n3", "3: 4|5"}},
		"quote inside a cell":        {"a,b\nJean \"Jo\" D,2\n", []string{"1: a|b", `2: Jean "Jo" D|2`}},
		"text after a quote":         {"a,b\n\"1\"x,2\n3,4\n", []string{"1: a|b", "2: !quotes", "3: 3|4"}},
		"CR after a quote":           {"a,b\n\"1\"\rx,2\n3,4\n", []string{"1: a|b", "2: !quotes", "3: 3|4"}},
		"quote never closed":         {"a,b\n1,\"2\n3,4\n5,6\n", []string{"1: a|b", "2: !quotes", "3: 3|4", "4: 5|6"}},
		"quote closed by a later":    {"a,b\n\"1,2\n3,\"4\"\n5,6\n", []string{"1: a|b", "2: !quotes", "3: 3|4", "4: 5|6"}},
		"two lines, too many cells":  {"a,b\n1,\"2\n3\",4\n5,6\n", []string{"1: a|b", "2: !quotes", "3: 3\"|4", "4: 5|6"}},
		"few and many":               {"a,b\n1\n1,2,3\n1,2,,\n", []string{"1: a|b", "2: !cells-few", "3: !cells-many", "4: 1|2"}},
		"blank lines inside":         {"a,b\n\n1,2\n\r\n , \n3,4\n", []string{"1: a|b", "2: !row-empty", "3: 1|2", "4: !row-empty", "5: !row-empty", "6: 3|4"}},
		"blank lines at the end":     {"a,b\n1,2\n\n,\n\x1a", []string{"1: a|b", "2: 1|2"}},
		"blank lines before header":  {"\n\na,b\n1,2\n", []string{"3: a|b", "4: 1|2"}},
		"NUL":                        {"a,b\n1\x00,2\n3,4\n", []string{"1: a|b", "2: !nul-byte", "3: 3|4"}},
		"NUL on a second line":       {"a,b\n\"1\nx\x00\",2\n3,4\n", []string{"1: a|b", "2: !nul-byte", "3: 3|4"}},
		"long cell":                  {"a,b\n" + strings.Repeat("x", 40) + ",2\n3,4\n", []string{"1: a|b", "2: !field-long", "3: 3|4"}},
		"long row":                   {"a,b\n" + strings.Repeat("x,", 120) + "\n3,4\n", []string{"1: a|b", "2: !row-long", "3: 3|4"}},
		"long row after blank lines": {"a,b\n\n" + strings.Repeat("x,", 120) + "\n3,4\n", []string{"1: a|b", "2: !row-empty", "3: !row-long", "4: 3|4"}},
		"long last row":              {"a,b\n" + strings.Repeat("x,", 200_000), []string{"1: a|b", "2: !row-long"}},
		"very long row":              {"a,b\n" + strings.Repeat("x,", 200_000) + "\n3,4\n", []string{"1: a|b", "2: !row-long", "3: 3|4"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := Limits{Field: 32, Row: 200}
			for how, r := range map[string]io.Reader{
				"at once":  strings.NewReader(c.in),
				"bytewise": iotest.OneByteReader(strings.NewReader(c.in)),
				"late EOF": iotest.DataErrReader(strings.NewReader(c.in)),
			} {
				if got := scan(t, r, ',', limits); !reflect.DeepEqual(got, c.want) {
					t.Errorf("%s:\n got %q\nwant %q", how, got, c.want)
				}
			}
		})
	}
}

// FuzzCSVScanner compares with encoding/csv where that finds nothing wrong, and
// else demands that it ends, counts every line, and does not depend on how the
// bytes arrive.
func FuzzCSVScanner(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,b\r\n\"x\ny\",2\r\n", "a,\"b\"\"\"\n,\n", "\"", "a\n\"\n\n\"", "a,b\n\"1\"x,2\n3,\"4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got := scan(t, strings.NewReader(in), ',', Limits{})
		if slow := scan(t, iotest.OneByteReader(strings.NewReader(in)), ',', Limits{}); !reflect.DeepEqual(got, slow) {
			t.Fatalf("bytewise %q, at once %q", slow, got)
		}
		if strings.ContainsAny(in, "\x00\x1a") || bytes.ContainsAny([]byte(in), "\r \t") {
			return
		}
		r := csv.NewReader(strings.NewReader(in))
		all, err := r.ReadAll()
		if err != nil || len(all) == 0 {
			return
		}
		i := 0
		for _, rec := range all {
			if strings.Trim(strings.Join(rec, ""), ",") == "" {
				return // rows without content are told apart from blank lines
			}
			for i < len(got) && strings.HasSuffix(got[i], "!row-empty") {
				i++
			}
			if i >= len(got) || !strings.HasSuffix(got[i], ": "+strings.Join(rec, "|")) {
				t.Fatalf("record %d is %q, want %q", i, got[i:], rec)
			}
			i++
		}
	})
}
