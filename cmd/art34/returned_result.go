package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/postal/returned"
)

// returnResult is the answer of print return.
type returnResult struct {
	Lines    int                     `json:"lines"`
	Recorded int                     `json:"recorded"` // letters that were news
	Already  int                     `json:"already"`
	Twice    int                     `json:"twice"` // lines about a letter that the same list had
	Revoked  int                     `json:"revoked"`
	Reasons  map[string]*reasonCount `json:"reasons"`
	Bags     map[string]*bagCount    `json:"bags"`
	Rejected []rejectedLine          `json:"rejected"`
	Unmapped []int                   `json:"unmapped"` // lines with a reason that nobody knows
	Notes    []string                `json:"notes"`
	Letters  []returnedLetter        `json:"letters"`
	Encoding string                  `json:"encoding,omitempty"`
	DryRun   bool                    `json:"dry_run"`

	Counted int    `json:"-"`
	BagName string `json:"-"`
}

// reasonCount counts the letters of one reason.
type reasonCount struct {
	Letters     int `json:"letters"`
	Email       int `json:"email"`
	Unreachable int `json:"unreachable"`
	Recorded    int `json:"recorded"`
	Already     int `json:"already"`
}

// bagCount holds a bag's letters against what somebody counted.
type bagCount struct {
	Read    int  `json:"read"`
	Counted *int `json:"counted,omitempty"`

	letters map[letterKey]bool
}

func (r *returnResult) note(s string) {
	if !slices.Contains(r.Notes, s) {
		r.Notes = append(r.Notes, s)
	}
}

func (r *returnResult) bag(name string) *bagCount {
	b := r.Bags[name]
	if b == nil {
		b = &bagCount{letters: map[letterKey]bool{}}
		r.Bags[name] = b
	}
	return b
}

func (r *returnResult) count(l returnedLetter) {
	r.Letters = append(r.Letters, l)
	if l.Bag != "" {
		b := r.bag(l.Bag)
		b.letters[l.key] = true
		b.Read = len(b.letters)
	}
	c := r.Reasons[l.Reason]
	if c == nil {
		c = &reasonCount{}
		r.Reasons[l.Reason] = c
	}
	c.Letters++
	if l.Moved && l.Was == pipeline.Informed {
		r.Revoked++
	}
	switch l.Result {
	case returnEmail:
		c.Email++
	case returnUnreachable:
		c.Unreachable++
	case returnAlready:
		c.Already++
		r.Already++
		return
	default:
		c.Recorded++
	}
	r.Recorded++
}

// short reports whether the bag that was counted holds another number.
func (r *returnResult) short() bool { return r.Counted > 0 && r.Bags[r.BagName].Read != r.Counted }

func (r *returnResult) clean() bool {
	return len(r.Rejected) == 0 && len(r.Unmapped) == 0 && !r.short()
}

// printMost is how many lines of one kind are printed; all are in --json and
// --rejects.
const printMost = 20

func (r *returnResult) print(w io.Writer) {
	verb := "recorded"
	if r.DryRun {
		verb = "would be recorded"
	}
	fmt.Fprintf(w, "%s %s, %s on record already.\n", count(int64(r.Recorded), "returned letter", "returned letters"), verb, thousands(int64(r.Already)))
	if len(r.Reasons) > 0 {
		table(w, func(w io.Writer) {
			fmt.Fprintln(w, "REASON\tLETTERS\tE-MAIL FOLLOWS\tUNREACHABLE\tRECORDED\tALREADY")
			for _, code := range returned.Codes() {
				if c := r.Reasons[code]; c != nil {
					fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", code, c.Letters, c.Email, c.Unreachable, c.Recorded, c.Already)
				}
			}
		})
	}
	if r.Revoked > 0 {
		fmt.Fprintf(w, "%s had counted as informed, and no longer do.\n", count(int64(r.Revoked), "customer", "customers"))
	}
	if d := r.Reasons["deceased"]; d != nil {
		fmt.Fprintf(w, "%s: a person decides whether the heirs are written to; art34 exclude takes a notice out.\n", count(int64(d.Letters), "addressee is deceased", "addressees are deceased"))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "Note: %s.\n", n)
	}
	shown := 0
	for _, l := range r.Letters {
		if l.Note != "" && shown < printMost {
			fmt.Fprintf(w, "Line %d: %s\n", l.Line, l.sentence())
			shown++
		}
	}
	r.printFaults(w)
}

func (r *returnResult) printFaults(w io.Writer) {
	for i, x := range r.Rejected {
		if i == printMost {
			fmt.Fprintf(w, "… and %d more; --rejects writes them all.\n", len(r.Rejected)-printMost)
			break
		}
		fmt.Fprintf(w, "Line %d is not recorded: %s (%s)", x.Line, x.Sentence, x.Code)
		if x.Hint != "" {
			fmt.Fprintf(w, "; %s", x.Hint)
		}
		fmt.Fprintln(w)
	}
	if n := len(r.Unmapped); n > 0 {
		fmt.Fprintf(w, "%s a reason that nobody knows, recorded as other: lines %s. Teach it with --map \"TEXT=REASON\" and read the list again.\n", count(int64(n), "line gives", "lines give"), someLines(r.Unmapped))
	}
	if r.short() {
		fmt.Fprintf(w, "Bag %s: %d counted, %d read, %s. Scan the bag again: what is on record is not recorded twice.\n", r.BagName, r.Counted, r.Bags[r.BagName].Read, missingOrMore(r.Counted-r.Bags[r.BagName].Read))
	} else if r.Counted > 0 {
		fmt.Fprintf(w, "Bag %s: %d counted, %d read.\n", r.BagName, r.Counted, r.Counted)
	}
}

func missingOrMore(n int) string {
	if n < 0 {
		return fmt.Sprintf("%d too many", -n)
	}
	return fmt.Sprintf("%d missing", n)
}

func someLines(list []int) string {
	var s []string
	for i, n := range list {
		if i == printMost {
			s = append(s, "…")
			break
		}
		s = append(s, fmt.Sprint(n))
	}
	return strings.Join(s, ", ")
}
