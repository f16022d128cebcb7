package returned

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/listfile"
)

// Entry is one row of a list, or one line of a scanner: a letter that came back.
type Entry struct {
	Line int
	Letter
	Reason   *Reason // nil: the row says none
	Unmapped bool    // the row gives a reason that nobody knows; Reason is then Other
	On       pipeline.Date
	Bag      string
	Err      *pipeline.Error // the row is rejected
}

// List is a list as it was read.
type List struct {
	Encoding string
	Entries  []Entry
	Ignored  int // columns that mean nothing here
}

// columns lists, folded, how the columns of a list may be called.
func columns() map[string][]string {
	return map[string][]string{
		"letter": {"letter ref", "letter reference", "reference", "ref", "notice ref", "reference courrier", "ref courrier", "reference lettre", "ref lettre", "reference pli", "ref pli", "reference client courrier", "numero de reference", "n de reference"},
		"scan":   {"datamatrix", "data matrix", "code", "barcode", "bar code", "code barres", "code a barres", "code 2d", "scan", "symbol", "symbole", "code scanne"},
		"run":    {"run id", "run", "print run", "tirage", "lot d impression"},
		"seq":    {"seq", "sequence", "position", "rang", "numero de sequence", "n de sequence"},
		"reason": {"reason", "return reason", "motif", "motif pnd", "motif de retour", "motif retour", "motif de non distribution", "motif npai", "cause", "cause de retour", "reason code", "code motif", "libelle motif", "anomalie"},
		"date":   {"date", "returned on", "return date", "date de retour", "date retour", "scanned at", "scanned on", "date de scan", "date de traitement", "date pnd", "received on", "date de reception"},
		"bag":    {"bag", "sac", "bac", "caisse", "carton", "container", "conteneur", "lot", "batch", "lot de retour"},
	}
}

// listError is a defect of the whole list.
func listError(sentence, hint string) *pipeline.Error {
	return &pipeline.Error{Code: "list-invalid", Sentence: "returned mail: " + sentence, Hint: hint, Permanent: true, Exit: 2}
}

// Explain makes a sentence of a file that cannot be read as a list.
func Explain(err error) error {
	switch {
	case errors.Is(err, listfile.ErrTooLarge):
		return listError("the file is larger than 64 MB", "split it")
	case errors.Is(err, listfile.ErrSheet):
		return listError("the file is a workbook, a PDF or an archive", "save it as CSV, or unpack it")
	case errors.Is(err, listfile.ErrBinary):
		return listError("the file is not text", "save it as CSV")
	case errors.Is(err, listfile.ErrEmpty):
		return listError("the file is empty", "")
	}
	return err
}

// Read reads a list: a table with a head line, whose columns are recognised by
// name (letter_ref or datamatrix or run_id with seq; reason, date, bag; in English
// and French, in any order), or lines without one, each a reference or a scanned
// symbol and perhaps a reason. A bad row is an entry with Err; the rows after it
// are read.
func Read(r io.Reader, names Names) (*List, error) {
	f, err := listfile.Read(r)
	if err != nil {
		return nil, Explain(err)
	}
	list := &List{Encoding: f.Encoding}
	head := slices.IndexFunc(f.Rows, func(r listfile.Row) bool { return r.Fault == "" })
	at := map[string]int{}
	if head >= 0 {
		var unknown []int
		var twice []string
		at, unknown, twice = listfile.Columns(f.Rows[head].Fields, columns())
		if len(twice) > 0 {
			return nil, listError("two columns of the head line mean the same: "+strings.Join(twice, ", "), "leave one of them out")
		}
		list.Ignored = len(unknown)
	}
	_, ref := at["letter"]
	_, scan := at["scan"]
	_, run := at["run"]
	_, seq := at["seq"]
	if !ref && !scan && !(run && seq) {
		if len(at) > 0 || head >= 0 && !named(f.Rows[head].Fields) && titled(f.Rows[head].Fields) {
			return nil, listError("no column of the head line says which letter", "call it letter_ref or datamatrix, or give run_id and seq as in the manifest")
		}
		list.Ignored = 0
		for _, row := range f.Rows {
			list.Entries = append(list.Entries, plain(row, names))
		}
		return list, nil
	}
	for i, row := range f.Rows {
		if i == head || row.Fault == "" && slices.Equal(row.Fields, f.Rows[head].Fields) {
			continue // the head line, or the same again where files were put together
		}
		list.Entries = append(list.Entries, entry(row, at, names))
	}
	if len(list.Entries) == 0 {
		return nil, listError("there is no row under the head line", "")
	}
	return list, nil
}

// named reports whether the first field of a line is, or was meant as, a letter.
func named(fields []string) bool {
	_, err := ParseLetter(fields[0])
	return err == nil || err == errMistyped || err == errMisread || err == errKeyboard
}

// titled reports whether a line looks like a head line: several fields, none with
// a digit.
func titled(fields []string) bool {
	return len(fields) > 1 && !slices.ContainsFunc(fields, func(s string) bool { return s == "" || strings.ContainsAny(s, "0123456789") })
}

// Line reads one line of a scanner or keyboard: a letter, and after a semicolon,
// tab or comma perhaps its reason. A line that is nothing but a reason is returned
// as such: it holds for the letters after it.
func Line(n int, text string, names Names) (e Entry, reasonOnly bool) {
	text = strings.TrimFunc(text, func(r rune) bool { return r <= ' ' || r == 0xfeff })
	if r, ok := names.Parse(text); ok && text != "" {
		return Entry{Line: n, Reason: &r}, true
	}
	i := strings.IndexAny(text, ";\t,")
	row := listfile.Row{Line: n, Fields: []string{text}}
	if i >= 0 {
		row.Fields = []string{text[:i], strings.TrimSpace(text[i+1:])}
	}
	e = plain(row, names)
	if e.Err == errLength {
		_, e.Err = ParseLetter(text) // a stranger's symbol has separators too
	}
	return e, false
}

// plain reads a row without a head line: letter, reason, date.
func plain(row listfile.Row, names Names) Entry {
	at := map[string]int{"letter": 0, "reason": 1, "date": 2}
	return entry(row, at, names)
}

// entry reads a row.
func entry(row listfile.Row, at map[string]int, names Names) Entry {
	e := Entry{Line: row.Line}
	if row.Fault != "" {
		e.Err = rowFault(row.Fault)
		return e
	}
	field := func(name string) string {
		if i, ok := at[name]; ok && i < len(row.Fields) {
			return row.Fields[i]
		}
		return ""
	}
	if e.Letter, e.Err = letter(field); e.Err != nil {
		return e
	}
	if text := field("reason"); text != "" {
		r, ok := names.Parse(text)
		if !ok {
			r, _ = ReasonOf(Other)
			e.Unmapped = true
		}
		e.Reason = &r
	}
	if text := field("date"); text != "" {
		var ok bool
		if e.On, ok = date(text); !ok {
			e.Err = fault("date-invalid", "the date cannot be read", "write 2026-01-31 or 31/01/2026")
			return e
		}
	}
	if e.Bag = field("bag"); !BagName(e.Bag) {
		e.Err = fault("bag-invalid", "the name of the bag is longer than 40 letters, digits and hyphens, or something else", "")
	}
	return e
}

func rowFault(code string) *pipeline.Error {
	switch code {
	case listfile.FaultQuote:
		return fault("row-quote", "a quotation mark is open, and nothing closes it", "")
	case listfile.FaultControl:
		return fault("row-control", "the row holds control characters", "")
	case listfile.FaultLong:
		return fault("row-long", "the row is longer than 16 kB", "")
	}
	return fault("row-fields", "the row has too many fields", "")
}

// letter finds the letter that a row names; where it names it twice both must be
// the same.
func letter(field func(string) string) (Letter, *pipeline.Error) {
	var l Letter
	if s := field("scan"); s != "" {
		got, err := ParseLetter(s)
		if err != nil {
			return l, err
		}
		l = got
	}
	if s := field("letter"); s != "" {
		got, err := ParseLetter(s)
		switch {
		case err != nil:
			return l, err
		case l.Reference != "" && l.Reference != got.Reference:
			return l, fault("letter-two", "reference and symbol of the row are of two letters", "")
		case l.Reference == "":
			l = got
		}
	}
	run, seq := field("run"), field("seq")
	if l.Reference != "" && (run == "" || seq == "") || run == "" && seq == "" {
		if l.Reference == "" {
			return l, errNothing
		}
		return l, nil
	}
	var err error
	if l.Run, err = strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(run), "R"), 10, 64); err != nil || l.Run < 1 {
		return l, fault("run-invalid", "the print run is not like R000042", "")
	}
	if l.Seq, err = strconv.Atoi(seq); err != nil || l.Seq < 1 {
		return l, fault("seq-invalid", "the position in the run is no number from 1", "")
	}
	return l, nil
}

// date reads a day, with or without a time of day after it: 2026-01-31,
// 31/01/2026, 31.01.2026, 31/01/26, 20260131. Day before month: the American order
// would be a guess.
func date(s string) (pipeline.Date, bool) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	if len(s) > 10 && s[10] == 'T' {
		s = s[:10]
	}
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006", "02.01.2006", "02-01-2006", "02/01/06", "20060102", "2006/01/02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 2000 && t.Year() < 2200 {
			return pipeline.Date{Time: t}, true
		}
	}
	return pipeline.Date{}, false
}

// BagName reports whether a text can name a bag: it is printed and recorded, and
// must not be a way to put something else there. Empty names none.
func BagName(s string) bool {
	if len(s) > 40 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_' && r != '.' && r != ' ' && r != '/'
	})
}

// String names the letter as people do.
func (l Letter) String() string {
	if l.Reference == "" {
		return fmt.Sprintf("letter %d of %s", l.Seq, pipeline.RunName(l.Run))
	}
	return l.Reference.String()
}

// IsHead reports whether a line is the head line of a list.
func IsHead(line string) bool {
	f, err := listfile.Read(strings.NewReader(line))
	if err != nil || f.Rows[0].Fault != "" {
		return false
	}
	at, _, _ := listfile.Columns(f.Rows[0].Fields, columns())
	_, ref := at["letter"]
	_, scan := at["scan"]
	_, run := at["run"]
	_, seq := at["seq"]
	return ref || scan || run && seq
}
