package postal

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// ackBook gathers the rows of a file by run.
type ackBook struct {
	runs   map[int64]*Ack
	posted map[int64][]postedRow
}

// postedRow is a row "posted", until it is known to which deposit it belongs.
type postedRow struct {
	AckItem
	row        int
	date, slip string
}

func (b *ackBook) csv(data []byte) error {
	head, _, _ := bytes.Cut(data, []byte("\n"))
	c := csv.NewReader(bytes.NewReader(data))
	c.Comma = delimiter(head)
	c.TrimLeadingSpace = true
	columns, err := c.Read()
	if err != nil {
		return ackError(1, "there is no head line")
	}
	at, err := ackHead(columns)
	if err != nil {
		return err
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := c.FieldPos(0)
		if err != nil {
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				line = pe.StartLine
			}
			return ackError(line, "the row has not as many fields as the head line, or a stray quote")
		}
		field := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		if err := b.add(line, field); err != nil {
			return err
		}
	}
}

// json reads an array of objects, or one object after the other.
func (b *ackBook) json(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if data[0] == '[' {
		_, _ = d.Token()
	}
	for n := 1; ; n++ {
		if data[0] == '[' && !d.More() {
			if _, err := d.Token(); err != nil {
				return ackError(0, "the array does not end")
			}
			return nil
		}
		var row map[string]any
		err := d.Decode(&row)
		if errors.Is(err, io.EOF) && data[0] != '[' {
			return nil
		}
		if err != nil {
			return ackError(n, "this is no JSON object")
		}
		for key, v := range row {
			if !slices.Contains(ackColumns(), key) {
				return ackError(n, "there is an unknown key; known are %s", strings.Join(ackColumns(), ", "))
			}
			switch v.(type) {
			case string, json.Number, nil:
			default:
				return ackError(n, "%s is neither text nor a number", key)
			}
		}
		field := func(name string) string {
			if v := row[name]; v != nil {
				return strings.TrimSpace(fmt.Sprint(v))
			}
			return ""
		}
		if err := b.add(n, field); err != nil {
			return err
		}
	}
}

// ackError is an error of a row; 0 means the file.
func ackError(row int, format string, a ...any) error {
	s := fmt.Sprintf(format, a...)
	if row > 0 {
		s = fmt.Sprintf("row %d: %s", row, s)
	}
	return &pipeline.Error{Code: "ack-invalid", Sentence: "acknowledgement: " + s, Hint: "nothing of the file was taken over; ask the print shop for a corrected one", Permanent: true, Exit: 2}
}

func delimiter(head []byte) rune {
	best, most := ',', bytes.Count(head, []byte(","))
	for _, d := range []rune{';', '\t'} {
		if n := bytes.Count(head, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}

func ackHead(columns []string) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range columns {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(ackColumns(), name) {
			return nil, ackError(1, "column %d is unknown; known are %s", i+1, strings.Join(ackColumns(), ", "))
		}
		if _, twice := at[name]; twice {
			return nil, ackError(1, "column %s is there twice", name)
		}
		at[name] = i
	}
	for _, name := range ackRequired() {
		if _, ok := at[name]; !ok {
			return nil, ackError(1, "column %s is missing", name)
		}
	}
	return at, nil
}

func (b *ackBook) add(line int, field func(string) string) error {
	id, err := parseRunName(field("run_id"))
	if err != nil {
		return ackError(line, "run_id is not like R000042")
	}
	a := b.runs[id]
	if a == nil {
		a = &Ack{Run: id}
		b.runs[id] = a
	}
	switch status := strings.ToLower(field("status")); status {
	case AckDeposited:
		return addDeposit(a, line, field)
	case AckPosted:
		return b.addPosted(id, line, field)
	case AckRejected:
		return addRejected(a, line, field)
	case AckRecalled:
		if a.Recalled {
			return ackError(line, "the run is recalled twice")
		}
		if err := empty(line, field, status, "seq", "letter_ref", "count", "pages", "sheets", "sha256"); err != nil {
			return err
		}
		a.Recalled = true
		return nil
	default:
		return ackError(line, "the status is none of deposited, posted, rejected, recalled")
	}
}

func addDeposit(a *Ack, line int, field func(string) string) error {
	if err := empty(line, field, AckDeposited, "letter_ref", "reason"); err != nil {
		return err
	}
	d := AckDeposit{Deposit: pipeline.Deposit{Place: short(field("place")), Product: short(field("product")), Slip: short(field("slip"))}}
	if err := d.On.UnmarshalText([]byte(field("date"))); err != nil || d.On.IsZero() {
		return ackError(line, "the date is not like 2026-01-23")
	}
	var ok bool
	if d.Count, ok = positive(field("count"), 0); !ok {
		return ackError(line, "the count is no whole number")
	}
	for name, n := range map[string]*int{"pages": &d.Pages, "sheets": &d.Sheets} {
		if s := field(name); s != "" {
			if *n, ok = positive(s, 1); !ok {
				return ackError(line, "%s is no whole number above 0", name)
			}
		}
	}
	if d.SHA256 = strings.ToLower(field("sha256")); d.SHA256 != "" && !isSHA256(d.SHA256) {
		return ackError(line, "sha256 is not 64 hexadecimal digits")
	}
	if s := field("seq"); s != "" {
		var err error
		if d.Letters, err = ParsePositions(s); err != nil {
			return ackError(line, "seq of a deposit is not like 1-500 or 1-500 502")
		}
	}
	for _, o := range a.Deposits {
		if o.Letters == nil || d.Letters == nil {
			if o.On.Equal(d.On.Time) && o.Slip == d.Slip {
				return ackError(line, "the run is deposited twice")
			}
		} else if slices.ContainsFunc(d.Letters, func(n int) bool { _, there := slices.BinarySearch(o.Letters, n); return there }) {
			return ackError(line, "letters of this run are in two deposits")
		}
	}
	a.Deposits = append(a.Deposits, d)
	return nil
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size
}

func (b *ackBook) addPosted(run int64, line int, field func(string) string) error {
	if err := empty(line, field, AckPosted, "count", "reason", "pages", "sheets", "sha256"); err != nil {
		return err
	}
	p := postedRow{row: line, date: field("date"), slip: short(field("slip"))}
	var ok bool
	if s := field("seq"); s != "" {
		if p.Seq, ok = positive(s, 1); !ok {
			return ackError(line, "seq is no whole number above 0")
		}
	}
	if s := field("letter_ref"); s != "" {
		var err error
		if p.Reference, err = pipeline.ParseReference(s); err != nil {
			return ackError(line, "letter_ref is no reference")
		}
	}
	if p.Seq == 0 && p.Reference == "" {
		return ackError(line, "neither seq nor letter_ref says which letter")
	}
	if b.posted == nil {
		b.posted = map[int64][]postedRow{}
	}
	b.posted[run] = append(b.posted[run], p)
	return nil
}

func addRejected(a *Ack, line int, field func(string) string) error {
	if err := empty(line, field, AckRejected, "count", "pages", "sheets", "sha256"); err != nil {
		return err
	}
	seq, ok := positive(field("seq"), 1)
	if !ok {
		return ackError(line, "seq is no whole number above 0")
	}
	ref, err := pipeline.ParseReference(field("letter_ref"))
	if err != nil {
		return ackError(line, "letter_ref is no reference")
	}
	if slices.ContainsFunc(a.Rejected, func(o AckItem) bool { return o.Seq == seq }) {
		return ackError(line, "letter %d of this run is rejected twice", seq)
	}
	a.Rejected = append(a.Rejected, AckItem{Seq: seq, Reference: ref, Reason: short(field("reason"))})
	return nil
}

// parseRunName reads "R000042" or "42".
func parseRunName(s string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(s), "R"), 10, 64)
	if err != nil || id < 1 {
		return 0, errors.New("not a run")
	}
	return id, nil
}

func positive(s string, least int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= least && n <= 1_000_000
}

// empty refuses values in columns that do not belong to a status.
func empty(line int, field func(string) string, status string, columns ...string) error {
	for _, c := range columns {
		if field(c) != "" {
			return ackError(line, "%s does not belong to %s", c, status)
		}
	}
	return nil
}

// short keeps a text of the print shop to one line of reasonable length.
func short(s string) string {
	s, _ = tidy(s)
	if r := []rune(s); len(r) > 120 {
		s = string(r[:120])
	}
	return s
}
