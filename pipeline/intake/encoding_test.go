package intake

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

func decoded(t testing.TB, r io.Reader) (string, string) {
	t.Helper()
	d := newDecoder(bufio.NewReaderSize(r, 64<<10))
	b, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), d.name()
}

func TestDecoder(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("only ASCII so far\n", 10_000)
	latin := func(s string) string {
		b, err := charmap.Windows1252.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct{ in, want, encoding string }{
		"empty":                  {"", "", "utf-8"},
		"ASCII":                  {"a,b\n", "a,b\n", "utf-8"},
		"UTF-8":                  {"é,œ€\n", "é,œ€\n", "utf-8"},
		"BOM":                    {"\xef\xbb\xbfé", "é", "utf-8 with BOM"},
		"Windows-1252":           {latin("Zoé Œuvrard, 3 €\n"), "Zoé Œuvrard, 3 €\n", "windows-1252"},
		"late accent":            {long + latin("Zoé\n"), long + "Zoé\n", "windows-1252"},
		"late UTF-8":             {long + "Zoé\n", long + "Zoé\n", "utf-8"},
		"accent at the very end": {latin("Zoé"), "Zoé", "windows-1252"},
		"open bytes of 1252":     {latin("Zoé ") + "\x81\x8d", "Zoé \ufffd\ufffd", "windows-1252"},
		"a bad byte in UTF-8":    {"Zoé Œuvrard \xff", "Zoé Œuvrard \xff", "utf-8"},
		"UTF-16 LE":              {"\xff\xfeZ\x00\xe9\x00", "Zé", "utf-16le"},
		"UTF-16 BE":              {"\xfe\xff\x00Z\x00\xe9", "Zé", "utf-16be"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, encoding := decoded(t, strings.NewReader(c.in)); got != c.want || encoding != c.encoding {
				t.Errorf("%q in %s", cut(got), encoding)
			}
			if strings.Count(c.want, "é") == 1 && len(c.in) < 100 {
				if got, encoding := decoded(t, iotest.OneByteReader(strings.NewReader(c.in))); got != c.want || encoding != c.encoding {
					t.Errorf("bytewise %q in %s", cut(got), encoding)
				}
			}
		})
	}
	d := newDecoder(bufio.NewReader(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(errors.New("gone")))))
	if _, err := io.ReadAll(d); err == nil || err.Error() != "gone" {
		t.Errorf("got %v", err)
	}
}

func cut(s string) string { return s[max(0, len(s)-40):] }

// FuzzDecoder: no byte is lost, whatever the encoding is taken for.
func FuzzDecoder(f *testing.F) {
	f.Add("é\xe9")
	f.Add("\xff\xfea\x00")
	f.Fuzz(func(t *testing.T, in string) {
		got, encoding := decoded(t, strings.NewReader(in))
		switch encoding {
		case "utf-8":
			if got != in {
				t.Fatalf("%q became %q", in, got)
			}
		case "windows-1252":
			if utf8.RuneCountInString(got) != len(in) {
				t.Fatalf("%q became %q", in, got)
			}
		}
	})
}

// FuzzNDJSON: every line is a row, and a row is whole or has a problem.
func FuzzNDJSON(f *testing.F) {
	f.Add(`{"customer_id":"C1","data":["identity"],"contracts":[{"id":"M","data":"a|b"}]}` + "\n\n" + `{"customer_id":1.5E3,"data_kinds":["a",null,true]}`)
	f.Add(`{"a":{"b":1},"Customer ID":null}`)
	f.Add("[1]\n{\x00}\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, role := range []string{roleCustomers, roleImpact} {
			s := newSchema(role)
			r := newNDJSONReader(&file{name: "x", body: bufio.NewReader(strings.NewReader(in)), raw: &counter{}, limits: DefaultLimits()}, s)
			last := int64(0)
			for b := new(batch); ; b.reset() {
				err := r.fill(b)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range b.rows {
					if row.n != last+1 {
						t.Fatalf("row %d after %d", row.n, last)
					}
					last = row.n
					if row.problem == noCode && len(row.cells) < len(s.names) {
						t.Fatalf("row %d has %d cells", row.n, len(row.cells))
					}
				}
			}
			text := strings.TrimRight(in, "\n\r\t \x1a\x00")
			if utf8.ValidString(in) && !strings.ContainsAny(in, "\ufeff\x00") && text != "" && last != int64(strings.Count(text, "\n")+1) {
				t.Fatalf("%d rows in %q", last, in)
			}
		}
	})
}
