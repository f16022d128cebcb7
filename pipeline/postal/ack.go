package postal

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// Status of a row of an acknowledgement.
const (
	AckDeposited = "deposited" // the run was handed to the post; count, date, place, product, slip
	AckRejected  = "rejected"  // one letter was spoiled or refused; seq, letter_ref, reason
	AckRecalled  = "recalled"  // the run was stopped before the deposit
)

// Ack is what a print shop says about one print run.
type Ack struct {
	Run      int64
	Deposit  *pipeline.Deposit // nil: no row "deposited"
	Rejected []AckItem         // in order of Seq
	Recalled bool
	Hash     string // SHA-256 of the normalised rows, hex: the same content is no news
}

// AckItem is one rejected letter.
type AckItem struct {
	Seq       int
	Reference pipeline.Reference
	Reason    string // code or short text of the print shop
}

// ackSize bounds an acknowledgement; one of 5,000 letters all spoiled is smaller.
const ackSize = 4 << 20

// ackColumns are the columns of an acknowledgement; reason and slip may be left
// out of a file, the others not.
func ackColumns() []string {
	return []string{"run_id", "status", "seq", "letter_ref", "date", "place", "product", "slip", "count", "reason"}
}

// ParseAck reads an acknowledgement file: CSV (comma, semicolon or tab, UTF-8)
// with the head line
//
//	run_id,status,seq,letter_ref,date,place,product,slip,count,reason
//
// in any order of columns, one row "deposited" or "recalled" per run and one row
// "rejected" per spoiled letter. A run's deposited count is without the rejected
// ones; dates are like 2026-01-23. Unknown columns, unknown statuses,
// contradictions and repetitions are errors that name the row (the head line is
// row 1); then nothing of the file is returned. Runs come in order of their
// number.
func ParseAck(r io.Reader) ([]Ack, error) {
	data, err := io.ReadAll(io.LimitReader(r, ackSize+1))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > ackSize:
		return nil, ackError(0, "the file is larger than %d MB", ackSize>>20)
	case !utf8.Valid(data):
		return nil, ackError(0, "the file is not UTF-8")
	}
	head, _, _ := bytes.Cut(data, []byte("\n"))
	c := csv.NewReader(bytes.NewReader(data))
	c.Comma = delimiter(head)
	c.TrimLeadingSpace = true
	columns, err := c.Read()
	if err != nil {
		return nil, ackError(1, "there is no head line")
	}
	at, err := ackHead(columns)
	if err != nil {
		return nil, err
	}
	runs := map[int64]*Ack{}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := c.FieldPos(0)
		if err != nil {
			var pe *csv.ParseError
			if errors.As(err, &pe) {
				line = pe.StartLine
			}
			return nil, ackError(line, "the row has not as many fields as the head line, or a stray quote")
		}
		field := func(name string) string {
			if i, ok := at[name]; ok {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		if err := addRow(runs, line, field); err != nil {
			return nil, err
		}
	}
	return finishAcks(runs)
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
	for _, name := range []string{"run_id", "status", "seq", "letter_ref", "date", "count"} {
		if _, ok := at[name]; !ok {
			return nil, ackError(1, "column %s is missing", name)
		}
	}
	return at, nil
}

func addRow(runs map[int64]*Ack, line int, field func(string) string) error {
	id, err := parseRunName(field("run_id"))
	if err != nil {
		return ackError(line, "run_id is not like R000042")
	}
	a := runs[id]
	if a == nil {
		a = &Ack{Run: id}
		runs[id] = a
	}
	switch status := strings.ToLower(field("status")); status {
	case AckDeposited:
		return addDeposit(a, line, field)
	case AckRejected:
		return addRejected(a, line, field)
	case AckRecalled:
		if a.Recalled {
			return ackError(line, "the run is recalled twice")
		}
		if err := empty(line, field, status, "seq", "letter_ref", "count"); err != nil {
			return err
		}
		a.Recalled = true
		return nil
	default:
		return ackError(line, "the status is none of deposited, rejected, recalled")
	}
}

func addDeposit(a *Ack, line int, field func(string) string) error {
	if a.Deposit != nil {
		return ackError(line, "the run is deposited twice")
	}
	if err := empty(line, field, AckDeposited, "seq", "letter_ref"); err != nil {
		return err
	}
	d := &pipeline.Deposit{Place: short(field("place")), Product: short(field("product")), Slip: short(field("slip"))}
	if err := d.On.UnmarshalText([]byte(field("date"))); err != nil || d.On.IsZero() {
		return ackError(line, "the date is not like 2026-01-23")
	}
	var ok bool
	if d.Count, ok = positive(field("count"), 0); !ok {
		return ackError(line, "the count is no whole number")
	}
	a.Deposit = d
	return nil
}

func addRejected(a *Ack, line int, field func(string) string) error {
	if err := empty(line, field, AckRejected, "count"); err != nil {
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

// finishAcks checks each run as a whole.
func finishAcks(runs map[int64]*Ack) ([]Ack, error) {
	if len(runs) == 0 {
		return nil, ackError(0, "there is no row")
	}
	var out []Ack
	for _, a := range runs {
		if a.Recalled && (a.Deposit != nil || len(a.Rejected) > 0) {
			return nil, ackError(0, "run %s is recalled and deposited", pipeline.RunName(a.Run))
		}
		slices.SortFunc(a.Rejected, func(x, y AckItem) int { return x.Seq - y.Seq })
		a.Hash = a.hash()
		out = append(out, *a)
	}
	slices.SortFunc(out, func(x, y Ack) int { return int(min(max(x.Run-y.Run, -1), 1)) })
	return out, nil
}

func (a *Ack) hash() string {
	h := sha256.New()
	put(h, "art34/ack/1", pipeline.RunName(a.Run), strconv.FormatBool(a.Recalled))
	if d := a.Deposit; d != nil {
		put(h, d.On.Format("2006-01-02"), d.Place, d.Product, d.Slip, strconv.Itoa(d.Count))
	}
	for _, r := range a.Rejected {
		put(h, strconv.Itoa(r.Seq), r.Reference.Compact(), r.Reason)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Check holds an acknowledgement against the run it speaks of: the control total
// (deposited + rejected = letters in the run), and for every rejected letter that
// position and reference belong together (one that a person typed in may have no
// reference). refs gives the reference at a position, "" for none.
func (a Ack) Check(letters int, refs func(seq int) pipeline.Reference) error {
	run := pipeline.RunName(a.Run)
	for _, r := range a.Rejected {
		if have := refs(r.Seq); have == "" || r.Reference != "" && have != r.Reference {
			return ackError(0, "letter %d of run %s has another reference, or is none of its letters", r.Seq, run)
		}
	}
	if a.Deposit != nil && a.Deposit.Count+len(a.Rejected) != letters {
		return ackError(0, "run %s has %d letters, but %d are deposited and %d rejected", run, letters, a.Deposit.Count, len(a.Rejected))
	}
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
