package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/postal/returned"
)

// returnDesk takes in returned mail, letter by letter.
type returnDesk struct {
	h         *house
	names     returned.Names
	campaigns []pipeline.Campaign // whose letters are looked for
	reason    returned.Reason     // of lines that give none
	on        pipeline.Date
	bag       string
	dry       bool

	result returnResult
	seen   map[letterKey]string // letters of this bag, and the reason said last
	runs   map[int64]runOnDesk
	perRun map[int64]int // letters by campaign, for the audit trail
}

type letterKey struct {
	notice  int64
	attempt int
}

type runOnDesk struct {
	run   pipeline.Run
	items []pipeline.RunItem
	err   error
}

// What became of a returned letter.
const (
	returnEmail       = "email"       // the address is given up, an e-mail follows
	returnUnreachable = "unreachable" // the address is given up, and there is no other
	returnRecorded    = "recorded"    // on record; nothing follows
	returnAlready     = "already"     // was on record
)

// returnedLetter is a letter that came back.
type returnedLetter struct {
	Line      int             `json:"line"`
	Reference string          `json:"reference"`
	Campaign  string          `json:"campaign"`
	Notice    int64           `json:"notice"`
	Attempt   int             `json:"attempt"`
	Run       string          `json:"run"`
	Seq       int             `json:"seq"`
	Reason    string          `json:"reason"`
	Bag       string          `json:"bag,omitempty"`
	Result    string          `json:"result"`
	State     pipeline.State  `json:"state"`
	Was       pipeline.State  `json:"was"`
	Note      string          `json:"note,omitempty"`
	Moved     bool            `json:"-"`
	key       letterKey       //
	event     pipeline.Event  //
	campaign  int64           //
	notice    pipeline.Notice //
}

// sentence is what who scans reads.
func (l returnedLetter) sentence() string {
	what := map[string]string{
		returnEmail: "an e-mail follows", returnUnreachable: "unreachable now", returnRecorded: "recorded", returnAlready: "recorded already",
	}[l.Result]
	s := fmt.Sprintf("%s, letter %d of %s: %s; %s", l.Reference, l.Seq, l.Run, l.Reason, what)
	if l.Note != "" {
		s += " (" + l.Note + ")"
	}
	return s
}

func newReturnDesk(h *house, names returned.Names) *returnDesk {
	return &returnDesk{
		h: h, names: names, seen: map[letterKey]string{}, runs: map[int64]runOnDesk{}, perRun: map[int64]int{},
		result: returnResult{Letters: []returnedLetter{}, Rejected: []rejectedLine{}, Unmapped: []int{}, Reasons: map[string]*reasonCount{}, Bags: map[string]*bagCount{}, Notes: []string{}},
	}
}

// take records entries. What they are rejected for is in the result, not in the
// error.
func (d *returnDesk) take(ctx context.Context, entries []returned.Entry) error {
	var open []returnedLetter
	for _, e := range entries {
		d.result.Lines++
		if e.Err != nil {
			d.result.Rejected = append(d.result.Rejected, reject(e.Line, e.Err))
			continue
		}
		l, err := d.locate(ctx, e)
		if no, ok := errors.AsType[*pipeline.Error](err); ok && no.Permanent {
			d.result.Rejected = append(d.result.Rejected, reject(e.Line, no))
			continue
		}
		if err != nil {
			return err
		}
		if e.Unmapped {
			d.result.Unmapped = append(d.result.Unmapped, e.Line)
		}
		open = append(open, l)
	}
	return d.record(ctx, open)
}

// locate finds the letter that an entry means, and what it says about it.
func (d *returnDesk) locate(ctx context.Context, e returned.Entry) (returnedLetter, error) {
	l := returnedLetter{Line: e.Line, Reference: e.Letter.String(), Bag: e.Bag, Result: returnRecorded}
	reason, on := d.reason, d.on
	if e.Reason != nil {
		reason = *e.Reason
	}
	if !e.On.IsZero() {
		on = e.On
	}
	if l.Bag == "" {
		l.Bag = d.bag
	}
	l.Reason = reason.Code
	campaign, job, attempt, err := d.find(ctx, e.Letter)
	if err != nil {
		return l, err
	}
	if e.Letter.Reference == "" {
		if l.Reference, err = d.referenceOf(job); err != nil {
			return l, err
		}
	}
	posted, events, err := d.posted(ctx, job.ID)
	if err != nil {
		return l, err
	}
	a, note, err := choose(posted, attempt)
	if err != nil {
		return l, err
	}
	l.Campaign, l.campaign, l.Notice, l.notice, l.Attempt, l.Seq, l.Run, l.Note = campaign.Name, campaign.ID, job.ID, job.Notice, a.N, a.Seq, pipeline.RunName(a.Run), note
	l.key = letterKey{job.ID, a.N}
	at, err := returnTime(on, a.At, d.h.clock.Now())
	if err != nil {
		return l, err
	}
	l.event = pipeline.Event{Attempt: a.N, At: at, Code: reason.Code, Outcome: reason.Outcome(), Detail: l.Run}
	if l.Bag != "" {
		l.event.Detail += ", bag " + l.Bag
	}
	for _, old := range events {
		if old.Kind != pipeline.EvReturned || old.Attempt != a.N {
			continue
		}
		if old.Code == reason.Code || reason.Code == returned.NotStated || reason.Code == returned.Other {
			l.Result = returnAlready
		} else {
			l.note("on record as " + old.Code + " too")
		}
	}
	return l, d.noteRun(ctx, &l, a.Run)
}

func (l *returnedLetter) note(s string) {
	if l.Note != "" {
		s = l.Note + "; " + s
	}
	l.Note = s
}

// noteRun says where the run of a letter is not known to have left the house.
func (d *returnDesk) noteRun(ctx context.Context, l *returnedLetter, id int64) error {
	r, err := d.run(ctx, id)
	if err != nil {
		return err
	}
	switch r.run.State {
	case pipeline.RunCut, pipeline.RunAssembled:
		d.result.note(r.run.Name() + " was never released here, and letters of it come back: art34 print release, then art34 print ack")
	case pipeline.RunReleased:
		d.result.note("the deposit of " + r.run.Name() + " is not acknowledged yet, and letters of it come back already: art34 print ack")
	}
	return nil
}

// find returns the notice of a letter, and the attempt if that is said.
func (d *returnDesk) find(ctx context.Context, l returned.Letter) (c pipeline.Campaign, j pipeline.Job, attempt int, err error) {
	if l.Reference == "" {
		return d.findInRun(ctx, l)
	}
	erased := false
	for _, c := range d.campaigns {
		keys, err := d.h.keys.Existing(c.ID)
		if errors.Is(err, seal.ErrNoKeys) || errors.Is(err, seal.ErrDestroyed) {
			erased = erased || errors.Is(err, seal.ErrDestroyed)
			continue
		}
		if err != nil {
			return c, j, 0, err
		}
		ids, _, err := d.h.ledger.Search(ctx, c.ID, keys.Token(intake.KeyReference, l.Reference.Compact()), 2)
		if err != nil {
			return c, j, 0, err
		}
		for _, id := range ids {
			j, err := d.h.ledger.Notice(ctx, id)
			if errors.Is(err, pipeline.ErrNotFound) {
				continue
			}
			return c, j, l.Attempt, err
		}
	}
	hint := "is it of another installation?"
	if len(d.campaigns) == 1 {
		hint = "is it of another campaign? leave the campaign out"
	}
	if erased {
		hint = "it may be of a campaign that was erased"
	}
	return c, j, 0, refuse("reference-unknown", "no letter of ours has this reference", hint)
}

// referenceOf is the reference of a notice that was named by its place in a run.
func (d *returnDesk) referenceOf(j pipeline.Job) (string, error) {
	keys, err := d.h.keys.Existing(j.Campaign)
	if err != nil {
		return "", err
	}
	p, err := openPerson(keys, j)
	return p.Reference.String(), err
}

// findInRun finds a letter by its place in a print run.
func (d *returnDesk) findInRun(ctx context.Context, l returned.Letter) (c pipeline.Campaign, j pipeline.Job, attempt int, err error) {
	r, err := d.run(ctx, l.Run)
	if errors.Is(err, pipeline.ErrNotFound) {
		return c, j, 0, refuse("run-unknown", "there is no print run "+pipeline.RunName(l.Run), "art34 print list shows them")
	}
	if err != nil {
		return c, j, 0, err
	}
	at := slices.IndexFunc(d.campaigns, func(c pipeline.Campaign) bool { return c.ID == r.run.Campaign })
	if at < 0 {
		return c, j, 0, refuse("run-unknown", pipeline.RunName(l.Run)+" is of another campaign", "leave the campaign out")
	}
	for _, i := range r.items {
		if i.Seq == l.Seq {
			j, err := d.h.ledger.Notice(ctx, i.Notice)
			return d.campaigns[at], j, i.Attempt, err
		}
	}
	return c, j, 0, refuse("seq-unknown", fmt.Sprintf("%s has no letter %d", r.run.Name(), l.Seq), "")
}

func (d *returnDesk) run(ctx context.Context, id int64) (runOnDesk, error) {
	if r, ok := d.runs[id]; ok {
		return r, r.err
	}
	var r runOnDesk
	if r.run, r.err = d.h.ledger.Run(ctx, id); r.err == nil {
		r.items, r.err = d.h.ledger.RunItems(ctx, id)
	}
	if r.err == nil || errors.Is(r.err, pipeline.ErrNotFound) {
		d.runs[id] = r
	}
	return r, r.err
}

// postedLetter is an attempt on paper, and how surely it left.
type postedLetter struct {
	pipeline.Attempt
	deposited bool
}

// posted returns the attempts of a notice on paper, oldest first.
func (d *returnDesk) posted(ctx context.Context, notice int64) ([]postedLetter, []pipeline.Event, error) {
	attempts, err := d.h.ledger.Attempts(ctx, notice)
	if err != nil {
		return nil, nil, err
	}
	events, err := d.h.ledger.Events(ctx, notice)
	if err != nil {
		return nil, nil, err
	}
	var list []postedLetter
	for _, a := range attempts {
		if a.Channel == pipeline.Post && a.Run > 0 {
			list = append(list, postedLetter{a, slices.ContainsFunc(events, func(e pipeline.Event) bool { return e.Kind == pipeline.EvDeposited && e.Attempt == a.N })})
		}
	}
	return list, events, nil
}

// choose returns the attempt that came back: the one that the symbol names, or else
// the newest that was deposited, or else the newest that was printed.
func choose(posted []postedLetter, attempt int) (a pipeline.Attempt, note string, err error) {
	if len(posted) == 0 {
		return a, "", refuse("never-printed", "this customer was never sent a letter", "was it the reference of another letter?")
	}
	if attempt > 0 {
		for _, p := range posted {
			if p.N == attempt {
				return p.Attempt, "", nil
			}
		}
		return a, "", refuse("attempt-unknown", fmt.Sprintf("attempt %d of this notice was no letter", attempt), "the symbol is of another installation, or of a rehearsal")
	}
	left := slices.DeleteFunc(slices.Clone(posted), func(p postedLetter) bool { return !p.deposited })
	if len(left) == 0 {
		return posted[len(posted)-1].Attempt, "", nil
	}
	if len(left) > 1 {
		var all []string
		for _, p := range left {
			all = append(all, fmt.Sprint(p.N))
		}
		note = "attempts " + strings.Join(all, " and ") + " were posted; taken for the newest, scan the symbol to tell them apart"
	}
	return left[len(left)-1].Attempt, note, nil
}

// returnTime is when a letter came back: noon of the day that is said, else now.
func returnTime(on pipeline.Date, made, now time.Time) (time.Time, error) {
	const day = 24 * time.Hour
	switch {
	case on.IsZero():
		return now, nil
	case on.After(now.Add(day)):
		return now, refuse("date-future", "the date lies in the future", "write the day before the month, or 2026-01-31")
	case on.Add(2 * day).Before(made):
		return now, refuse("date-early", "the date lies before the letter was made", "write the day before the month, or 2026-01-31")
	}
	noon := on.Add(day / 2)
	switch {
	case noon.After(now):
		return now, nil
	case noon.Before(made):
		return made, nil
	}
	return noon, nil
}

// record writes what was located, campaign by campaign, and counts it.
func (d *returnDesk) record(ctx context.Context, list []returnedLetter) error {
	news := map[int64][]dispatch.News{}
	index := map[int64][]int{}
	for i := range list {
		l := &list[i]
		if said, again := d.seen[l.key]; again && said == l.Reason {
			l.Result = returnAlready
			l.note("twice in this list")
			d.result.Twice++
		}
		d.seen[l.key] = l.Reason
		if l.Result == returnAlready {
			l.State, l.Was = l.notice.State, l.notice.State
			continue
		}
		news[l.campaign] = append(news[l.campaign], dispatch.News{Notice: l.Notice, Event: l.event})
		index[l.campaign] = append(index[l.campaign], i)
	}
	for campaign, part := range news {
		do := d.h.operations().Returned
		if d.dry {
			do = d.h.operations().ReturnedDry
		}
		taken, err := do(ctx, campaign, part)
		if err != nil {
			return err
		}
		for n, t := range taken {
			list[index[campaign][n]].settle(t)
		}
	}
	for _, l := range list {
		d.perRun[l.campaign]++
		d.result.count(l)
	}
	return nil
}

// settle says what became of a letter.
func (l *returnedLetter) settle(t dispatch.Taken) {
	l.Was, l.State, l.Moved = t.Before.State, t.After.State, t.Moved
	switch {
	case t.Refused != nil:
		l.note("it has no place where the notice stands")
	case t.Moved && t.After.State == pipeline.Unreachable:
		l.Result = returnUnreachable
	case t.Moved:
		l.Result = returnEmail
	case l.event.Outcome != pipeline.Dead:
	case t.Before.Attempt > l.Attempt:
		l.note("the notice has moved on to another attempt")
	default:
		l.note("the notice is " + string(t.Before.State) + " and stays so")
	}
}

// finish counts the bag and leaves the audit trail.
func (d *returnDesk) finish(ctx context.Context, counted int) (*returnResult, error) {
	r := &d.result
	r.DryRun = d.dry
	if counted > 0 {
		b := r.bag(d.bag)
		b.Counted = &counted
		r.Counted, r.BagName = counted, d.bag
	}
	if d.dry {
		return r, nil
	}
	for _, c := range d.campaigns {
		if n := d.perRun[c.ID]; n > 0 {
			detail := fmt.Sprintf("%d letters, %d lines rejected", n, len(r.Rejected))
			if counted > 0 {
				detail += fmt.Sprintf("; bag counted %d, read %d", counted, r.bag(d.bag).Read)
			}
			if err := d.h.ledger.Append(ctx, d.h.audit(c.ID, "print-return", d.bag, detail)); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

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
