package postal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// AckRun is a print run as we know it, to hold an acknowledgement against.
type AckRun struct {
	Run        pipeline.Run
	PDFSHA256  string                     // of the PDF where the file is encrypted (Manifest); "": not known any more
	Items      []pipeline.RunItem         // in order of Seq
	References map[int]pipeline.Reference // by Seq
}

// AckMismatch says in what an acknowledgement disagrees with its run. It is a
// *pipeline.Error too.
type AckMismatch struct {
	Run         int64
	Differences []string  // sentences: count, pages, sheets, SHA-256
	Missing     []AckItem // letters of the run that the deposit does not have and that are not rejected
	Surplus     []AckItem // letters that are not of the run, or listed twice
}

const mismatchMost = 20 // letters that a sentence names; all are in the struct

func (m *AckMismatch) Error() string { return m.forPeople().Error() }

// Unwrap gives the error for people.
func (m *AckMismatch) Unwrap() error { return m.forPeople() }

// forPeople is the error for people, with the letters by position and reference.
func (m *AckMismatch) forPeople() *pipeline.Error {
	parts := slices.Clone(m.Differences)
	if len(m.Missing) > 0 {
		parts = append(parts, listed(m.Missing, "missing"))
	}
	if len(m.Surplus) > 0 {
		parts = append(parts, listed(m.Surplus, "too many"))
	}
	hint := "nothing was taken over; count again, or ask the print shop for a corrected acknowledgement"
	if len(m.Missing) > 0 && len(m.Surplus)+len(m.Differences) == 0 {
		hint = "if they are not at the post yet, --partial records the others; if they were spoiled, name them as rejected"
	}
	return &pipeline.Error{Code: "ack-invalid", Sentence: "acknowledgement of " + pipeline.RunName(m.Run) + ": " + strings.Join(parts, "; "), Hint: hint, Permanent: true, Exit: 2}
}

// listed names letters: "2 letters are missing: 17 (7KQ2-M9XD-4T0V), 400 (…)".
func listed(list []AckItem, what string) string {
	var s []string
	for i, x := range list {
		if i == mismatchMost {
			s = append(s, fmt.Sprintf("… and %d more", len(list)-i))
			break
		}
		s = append(s, x.String())
	}
	verb := "letters are"
	if len(list) == 1 {
		verb = "letter is"
	}
	return fmt.Sprintf("%d %s %s: %s", len(list), verb, what, strings.Join(s, ", "))
}

// Resolved is a deposit with its letters by position.
type Resolved struct {
	pipeline.Deposit
	Letters []int // nil: all that are open
}

// Reconcile holds an acknowledgement against the run that it speaks of: count,
// pages, sheets and SHA-256 where they are said; every letter that is named, by
// position and reference; and whether together they are the run. With partial,
// letters that a list leaves out are not missing, they stay with the print shop.
// The error is an *AckMismatch.
func (a Ack) Reconcile(r AckRun, partial bool) ([]Resolved, error) {
	m := &AckMismatch{Run: a.Run}
	rejected := map[int]bool{}
	for _, x := range a.Rejected {
		switch have := r.References[x.Seq]; {
		case have == "":
			m.Differences = append(m.Differences, fmt.Sprintf("letter %d is none of run %s", x.Seq, r.Run.Name()))
		case x.Reference != "" && have != x.Reference:
			m.Differences = append(m.Differences, fmt.Sprintf("letter %d of run %s has another reference", x.Seq, r.Run.Name()))
		}
		rejected[x.Seq] = true
	}
	var out []Resolved
	one := false // letters are listed one by one
	for _, d := range a.Deposits {
		m.totals(d, r)
		letters := m.letters(d, r)
		m.count(d, r, letters, rejected)
		one = one || d.Posted != nil
		out = append(out, Resolved{d.Deposit, letters})
	}
	if one && !partial {
		m.missing(r, out, rejected)
	}
	if len(m.Differences)+len(m.Missing)+len(m.Surplus) > 0 {
		return nil, m
	}
	return out, nil
}

// totals compares what is said of the file that was printed.
func (m *AckMismatch) totals(d AckDeposit, r AckRun) {
	differ := func(what string, said, is any) {
		m.Differences = append(m.Differences, fmt.Sprintf("%s: the print shop says %v, the run has %v", what, said, is))
	}
	if d.Pages > 0 && d.Pages != r.Run.Pages {
		differ("pages", d.Pages, r.Run.Pages)
	}
	if sheets := r.Run.Sheets * r.Run.Letters; d.Sheets > 0 && d.Sheets != sheets {
		differ("sheets", d.Sheets, sheets)
	}
	if d.SHA256 != "" && d.SHA256 != r.Run.SHA256 && d.SHA256 != r.PDFSHA256 {
		differ("SHA-256", d.SHA256, r.Run.SHA256)
	}
}

// letters are the positions of a deposit; nil where it names none. What is not of
// the run, or named twice, is surplus.
func (m *AckMismatch) letters(d AckDeposit, r AckRun) []int {
	if d.Letters == nil && d.Posted == nil {
		return nil
	}
	bySeq := map[int]bool{}
	byRef := map[pipeline.Reference]int{}
	for _, i := range r.Items {
		if i.State != pipeline.ItemOut {
			bySeq[i.Seq] = true
			byRef[r.References[i.Seq]] = i.Seq
		}
	}
	list := []int{}
	seen := map[int]bool{}
	for _, n := range d.Letters {
		if !bySeq[n] {
			m.Surplus = append(m.Surplus, AckItem{Seq: n})
			continue
		}
		list = append(list, n)
	}
	for _, x := range d.Posted {
		n := x.Seq
		if n == 0 {
			n = byRef[x.Reference]
		}
		if n == 0 || !bySeq[n] || x.Reference != "" && r.References[n] != x.Reference || seen[n] {
			m.Surplus = append(m.Surplus, x)
			continue
		}
		seen[n] = true
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// open are the letters that a deposit of the whole run is about: those that are
// neither deposited nor rejected yet, or, where it is said again, those that are
// deposited.
func (r AckRun) open(rejected map[int]bool) (list []AckItem) {
	still := pipeline.ItemIn
	if r.Run.State == pipeline.RunDeposited {
		still = pipeline.ItemPosted
	}
	for _, i := range r.Items {
		if i.State == still && !rejected[i.Seq] {
			list = append(list, AckItem{Seq: i.Seq, Reference: r.References[i.Seq]})
		}
	}
	return list
}

// count compares the number of letters that is said.
func (m *AckMismatch) count(d AckDeposit, r AckRun, letters []int, rejected map[int]bool) {
	if letters == nil {
		n := len(r.open(rejected))
		if r.Run.State == pipeline.RunDeposited && len(r.Run.Deposit.Parts) > 0 || d.Count == n {
			return // of the rest said again the operation compares more than the count
		}
		what := fmt.Sprintf("run %s has %s, but %d are deposited and %d rejected", r.Run.Name(), countLetters(r.Run.Letters), d.Count, len(rejected))
		if n+len(rejected) != r.Run.Letters {
			what += fmt.Sprintf("; %d are open", n)
		}
		m.Differences = append(m.Differences, what)
		return
	}
	n := 0
	for _, seq := range letters {
		if !rejected[seq] {
			n++
		}
	}
	if d.Count != n {
		m.Differences = append(m.Differences, fmt.Sprintf("of run %s %d letters are named and not rejected, but the count says %d", r.Run.Name(), n, d.Count))
	}
}

// missing finds the letters that a list of single letters leaves out.
func (m *AckMismatch) missing(r AckRun, deposits []Resolved, rejected map[int]bool) {
	for _, x := range r.open(rejected) {
		if !slices.ContainsFunc(deposits, func(d Resolved) bool {
			_, there := slices.BinarySearch(d.Letters, x.Seq)
			return there || d.Letters == nil
		}) {
			m.Missing = append(m.Missing, x)
		}
	}
}

func countLetters(n int) string {
	if n == 1 {
		return "1 letter"
	}
	return fmt.Sprintf("%d letters", n)
}
