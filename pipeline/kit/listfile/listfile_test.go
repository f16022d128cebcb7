package listfile

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
)

// show writes rows as "line:a|b" or "line!fault".
func show(f *File) string {
	var s []string
	for _, r := range f.Rows {
		if r.Fault != "" {
			s = append(s, fmt.Sprintf("%d!%s", r.Line, r.Fault))
			continue
		}
		s = append(s, fmt.Sprintf("%d:%s", r.Line, strings.Join(r.Fields, "|")))
	}
	return strings.Join(s, " ")
}

func wide16(s string, big bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			b.WriteByte(byte(u >> 8))
		}
		b.WriteByte(byte(u))
		if !big {
			b.WriteByte(byte(u >> 8))
		}
	}
	return b.String()
}

func TestRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", mostRow+1)
	for name, x := range map[string]struct{ in, want, encoding string }{
		"comma":            {"a,b\n1,2\n", "1:a|b 2:1|2", "utf-8"},
		"semicolon, CRLF":  {"a;b\r\n1,5;2\r\n", "1:a|b 2:1,5|2", "utf-8"},
		"tab, CR":          {"a\tb\r1\t\r", "1:a|b 2:1|", "utf-8"},
		"pipe":             {"a|b\n1|2", "1:a|b 2:1|2", "utf-8"},
		"one column":       {"a\nb\n\n\nc", "1:a 2:b 5:c", "utf-8"},
		"one column, CR":   {"a\rb\r", "1:a 2:b", "utf-8"},
		"byte order mark":  {"\xef\xbb\xbfa;b\n", "1:a|b", "utf-8"},
		"Windows-1252":     {"r\xe9f;\x80\n", "1:réf|€", "windows-1252"},
		"UTF-16":           {"\xff\xfe" + wide16("é;b\n1;2\n", false), "1:é|b 2:1|2", "utf-16"},
		"UTF-16, big":      {"\xfe\xff" + wide16("é;b\n", true), "1:é|b", "utf-16"},
		"UTF-16, no mark":  {wide16("abc;def\n1;2\n", false), "1:abc|def 2:1|2", "utf-16"},
		"sep=":             {"sep=;\na,x;b\n", "2:a,x|b", "utf-8"},
		"quoted":           {"a;b\n\"1;\n2\";\"3\"\"\"\n4;5\n", "1:a|b 2:1;\n2|3\" 4:4|5", "utf-8"},
		"open quote":       {"a;b\n\"1;2\n3;4\n5;6\n", "1:a|b 2!quote 3:3|4 4:5|6", "utf-8"},
		"stray quote":      {"a;b\n1\"x\";2\n3;4\n", "1:a|b 2:1\"x\"|2 3:3|4", "utf-8"},
		"quotes in column": {"a\nsay \"x\"\n", "1:a 2:say \"x\"", "utf-8"},
		"NUL":              {"a;b\n1;\x00\n3;4\n", "1:a|b 2!control 3:3|4", "utf-8"},
		"bell":             {"a;b\n1;\x07\n3;4\n", "1:a|b 2!control 3:3|4", "utf-8"},
		"escape":           {"a;b\n1;\x1b[2J\n", "1:a|b 2!control", "utf-8"},
		"long":             {"a;b\n" + long + ";1\n3;4\n", "1:a|b 2!long 3:3|4", "utf-8"},
		"many fields":      {"a;b\n" + strings.Repeat(";1", mostFields) + "\n3;4\n", "1:a|b 2!fields 3:3|4", "utf-8"},
		"kept from Excel":  {"a;b\n=\"0012\";'x\n", "1:a|b 2:0012|'x", "utf-8"},
		"blanks":           {"a;b\n;;\n  \n\u00a01\u202f; 2 \n", "1:a|b 4:1|2", "utf-8"},
		"ragged":           {"a;b;c\n1\n1;2;3;4\n", "1:a|b|c 2:1 3:1|2|3|4", "utf-8"},
	} {
		f, err := Read(strings.NewReader(x.in))
		if err != nil || show(f) != x.want || f.Encoding != x.encoding {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, show(f), x.want)
		}
	}
	for in, want := range map[string]error{
		"": ErrEmpty, " \n\r\n": ErrEmpty, "\xef\xbb\xbf\n": ErrEmpty, ";;\n;\n": ErrEmpty, "PK\x03\x04rest": ErrSheet, "%PDF-1.4": ErrSheet,
		"\x1f\x8b\x08": ErrSheet, strings.Repeat("\x00", 600): ErrBinary, strings.Repeat("a\n", mostBytes/2+1): ErrTooLarge,
	} {
		if _, err := Read(strings.NewReader(in)); !errors.Is(err, want) {
			t.Errorf("%.10q: %v, want %v", in, err, want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Défaut d’accès ou d'adressage": "defaut d acces ou d adressage", "  PLI   NON-RÉCLAMÉ. ": "pli non reclame",
		"de\u0301ce\u0301de\u0301": "decede", "N° client": "n client", "Œuvre ß": "oeuvre ss", "": "", "…": "", "letter_ref": "letter ref", "Łódź": "łodź",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	names := map[string][]string{"letter": {"reference", "ref"}, "reason": {"motif"}}
	at, unknown, twice := Columns([]string{"Nom", "Réf.", "MOTIF", "Référence"}, names)
	if !reflect.DeepEqual(at, map[string]int{"letter": 1, "reason": 2}) || !reflect.DeepEqual(unknown, []int{1}) || !reflect.DeepEqual(twice, []string{"letter"}) {
		t.Error(at, unknown, twice)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"a;b\n1;2", "\"a\nb\";c\n", "\xff\xfea\x00", "sep=,\na,b", "a\x00b\n\"", "é\t=1+1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file, err := Read(strings.NewReader(s))
		if (err == nil) != (file != nil) || err == nil && len(file.Rows) == 0 {
			t.Fatalf("%v %v", file, err)
		}
		if err != nil {
			return
		}
		last := 0
		for _, r := range file.Rows {
			if r.Line <= last || (r.Fault == "") == (r.Fields == nil) {
				t.Fatalf("%+v after line %d", r, last)
			}
			last = r.Line
			for _, x := range r.Fields {
				if strings.ContainsAny(x, "\x00\x07\x1b\x7f") {
					t.Fatalf("%q", x)
				}
			}
		}
	})
}
