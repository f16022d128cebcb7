package postal

import (
	"bytes"
	"cmp"
	"crypto/sha256"
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
	AckDeposited = "deposited" // letters were handed to the post; count, date, place, product, slip, and seq "1-500" where it is not the whole run
	AckPosted    = "posted"    // one letter of a deposit, by seq, letter_ref or both
	AckRejected  = "rejected"  // one letter was spoiled or refused; seq, letter_ref, reason
	AckRecalled  = "recalled"  // the run was stopped before the deposit
)

// Ack is what a print shop says about one print run.
type Ack struct {
	Run      int64
	Deposits []AckDeposit // in order of date and slip
	Rejected []AckItem    // in order of Seq
	Recalled bool
	Hash     string // SHA-256 of the normalised rows, hex: the same content is no news
}

// AckDeposit is one deposit of letters of a run, with what the print shop says of
// the file that it printed.
type AckDeposit struct {
	pipeline.Deposit
	Letters []int     // positions that it is about, in order; nil: all
	Posted  []AckItem // letters listed one by one; without a reference or, where Seq is 0, a position
	Pages   int       // of the file, with blank backs; 0: not said
	Sheets  int       // of the whole run; 0: not said
	SHA256  string    // of the file as handed over, or of the PDF in it, hex; "": not said
}

// AckItem is one letter that an acknowledgement names.
type AckItem struct {
	Seq       int
	Reference pipeline.Reference
	Reason    string // code or short text of the print shop
}

// String names the letter as people do.
func (i AckItem) String() string {
	switch {
	case i.Seq == 0:
		return i.Reference.String()
	case i.Reference == "":
		return strconv.Itoa(i.Seq)
	}
	return fmt.Sprintf("%d (%s)", i.Seq, i.Reference)
}

// ackSize bounds an acknowledgement; one of 5,000 letters one by one is smaller.
const ackSize = 4 << 20

// ackColumns are the columns of an acknowledgement.
func ackColumns() []string {
	return []string{"run_id", "status", "seq", "letter_ref", "date", "place", "product", "slip", "count", "reason", "pages", "sheets", "sha256"}
}

// ackRequired are the columns that a CSV may not leave out.
func ackRequired() []string {
	return []string{"run_id", "status", "seq", "letter_ref", "date", "count"}
}

// ParseAck reads an acknowledgement file: CSV (comma, semicolon or tab, UTF-8)
// with the head line
//
//	run_id,status,seq,letter_ref,date,place,product,slip,count,reason,pages,sheets,sha256
//
// in any order of columns, or JSON: an array of objects with the same keys, or one
// object a line. There is one row "deposited" per deposit or "recalled" per run, and
// one row "rejected" per spoiled letter. A deposit is of the whole run, or of the
// positions in its seq ("1-500 502"), or of the letters that rows "posted" list;
// where a run has several, those rows repeat date or slip of theirs. The count is
// without the rejected ones; pages, sheets and sha256 are of the file that was
// printed, as the manifest has them. Dates are like 2026-01-23. Unknown columns,
// unknown statuses, contradictions and repetitions are errors that name the row
// (the head line is row 1, in JSON the first object); then nothing of the file is
// returned. Runs come in order of their number.
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
	book := ackBook{runs: map[int64]*Ack{}}
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		err = book.json(start)
	} else {
		err = book.csv(data)
	}
	if err != nil {
		return nil, err
	}
	return book.finish()
}

// finish checks each run as a whole.
func (b *ackBook) finish() ([]Ack, error) {
	if len(b.runs) == 0 {
		return nil, ackError(0, "there is no row")
	}
	var out []Ack
	for _, a := range b.runs {
		if a.Recalled && (len(a.Deposits) > 0 || len(a.Rejected) > 0) {
			return nil, ackError(0, "run %s is recalled and deposited", pipeline.RunName(a.Run))
		}
		slices.SortStableFunc(a.Deposits, func(x, y AckDeposit) int {
			return cmp.Or(x.On.Compare(y.On.Time), cmp.Compare(x.Slip, y.Slip), slices.Compare(x.Letters, y.Letters))
		})
		for _, p := range b.posted[a.Run] {
			if err := a.place(p); err != nil {
				return nil, err
			}
		}
		if n := len(a.Deposits); n > 1 {
			for _, d := range a.Deposits {
				if d.Letters == nil && d.Posted == nil {
					return nil, ackError(0, "run %s has %d deposits, and not every one says which letters: seq, or rows posted", pipeline.RunName(a.Run), n)
				}
			}
		}
		slices.SortFunc(a.Rejected, func(x, y AckItem) int { return x.Seq - y.Seq })
		a.Hash = a.hash()
		out = append(out, *a)
	}
	slices.SortFunc(out, func(x, y Ack) int { return cmp.Compare(x.Run, y.Run) })
	return out, nil
}

// place puts a listed letter to its deposit.
func (a *Ack) place(p postedRow) error {
	at := -1
	for i, d := range a.Deposits {
		if p.date != "" && p.date != d.On.Format("2006-01-02") || p.slip != "" && p.slip != d.Slip {
			continue
		}
		if at >= 0 {
			return ackError(p.row, "the row fits two deposits of the run; give it the slip of one")
		}
		at = i
	}
	if at < 0 {
		return ackError(p.row, "the run has no deposit of this date and slip")
	}
	if a.Deposits[at].Letters != nil {
		return ackError(p.row, "the deposit has its seq, and rows posted as well")
	}
	a.Deposits[at].Posted = append(a.Deposits[at].Posted, p.AckItem)
	return nil
}

func (a *Ack) hash() string {
	h := sha256.New()
	put(h, "art34/ack/1", pipeline.RunName(a.Run), strconv.FormatBool(a.Recalled))
	for _, d := range a.Deposits {
		put(h, d.On.Format("2006-01-02"), d.Place, d.Product, d.Slip, strconv.Itoa(d.Count))
		if d.Letters != nil || d.Posted != nil || d.Pages+d.Sheets > 0 || d.SHA256 != "" {
			put(h, fmt.Sprint(d.Letters), fmt.Sprint(d.Posted), strconv.Itoa(d.Pages), strconv.Itoa(d.Sheets), d.SHA256)
		}
	}
	for _, r := range a.Rejected {
		put(h, strconv.Itoa(r.Seq), r.Reference.Compact(), r.Reason)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ParsePositions reads positions in a run, "1-500 502" or "1-500,502": in order,
// each once, at most 10,000.
func ParsePositions(s string) ([]int, error) {
	var list []int
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
		from, to, ranged := strings.Cut(word, "-")
		a, ok := positive(from, 1)
		b := a
		if ranged && ok {
			b, ok = positive(to, a)
		}
		if !ok || len(list)+b-a >= 10_000 || len(list) > 0 && a <= list[len(list)-1] {
			return nil, errors.New("positions are like 1-500 502, in order")
		}
		for n := a; n <= b; n++ {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("no positions")
	}
	return list, nil
}
