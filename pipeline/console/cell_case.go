package console

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// Case is a call as whoever works with it may see it now. Before the caller is
// verified it says nothing of the customer.
type Case struct {
	Call     pipeline.Call
	Campaign pipeline.Campaign
	Stage    Stage
	Proofs   Proofs // of the campaign
	Locked   bool   // no answer is looked at any more
	Tries    Tries  // how many are, or until when none is
	File     *File  // of StageAnswer; masked unless Full
	Full     bool
	Sentence map[string]string // of StageNotConcerned: what to read, per locale
	AsOf     time.Time         // and when the import says so
	Steps    []Step
	Earlier  []EarlierCall       // about the same customer, newest first
	Proposed bool                // a corrected address waits for a second person
	Choices  []pipeline.Campaign // of StageMany: one customer in several campaigns
	Told     []ToldEarlier       // the customer was told that they are not concerned, oldest first
}

// Step is a step of a call with its free text opened.
type Step struct {
	pipeline.CallStep
	Text string
}

// EarlierCall is another call about the same customer.
type EarlierCall struct {
	Call  pipeline.Call
	Notes []Step
}

// ToldEarlier is when somebody was told that they are not concerned, as of an
// import.
type ToldEarlier struct {
	At     time.Time
	Import int64
	Agent  string
}

// earlierShown is how many calls before this one a case shows.
const earlierShown = 10

// Case reads a call.
func (k *Cell) Case(ctx context.Context, who Asker, id int64) (Case, error) {
	c, err := k.own(ctx, who, id)
	if err != nil {
		return Case{}, err
	}
	return k.open(ctx, who, c, false)
}

// Unmask is Case with everything in full. It is on record, with its reason.
func (k *Cell) Unmask(ctx context.Context, who Asker, id int64, reason string) (Case, error) {
	c, err := k.under(ctx, who, id, StageAnswer)
	if err != nil {
		return Case{}, err
	}
	if err := k.Calls.AddSteps(ctx, k.step(who, id, pipeline.StepUnmasked, "file", "")); err != nil {
		return Case{}, err
	}
	if err := k.record(ctx, who, c, "cell-unmask", reason, callDetail(c)); err != nil {
		return Case{}, err
	}
	return k.open(ctx, who, c, true)
}

func callDetail(c pipeline.Call) string { return fmt.Sprintf("call %d, notice %d", c.ID, c.Notice) }

func (k *Cell) open(ctx context.Context, who Asker, c pipeline.Call, full bool) (Case, error) {
	d := Case{Call: c, Full: full}
	d.Campaign, _ = who.knows(c.Campaign)
	var err error
	if d.Stage, err = k.stageNow(ctx, who, c, nil); err != nil {
		return d, err
	}
	if d.Steps, err = k.steps(ctx, c); err != nil || d.Stage == StageClosed {
		return d, err
	}
	switch d.Stage {
	case StageMany:
		d.Choices = k.choosable(who, d.Steps)
	case StageVerify:
		// What the campaign asks, whoever was found: what is on file of this one would tell
		// a customer who is concerned from somebody who is not.
		if d.Proofs, err = k.Customers.Proofs(ctx, d.Campaign, 0); err != nil {
			return d, err
		}
		d.Tries, err = k.tries(ctx, c)
		d.Locked = d.Tries.Left == 0
		return d, err
	case StageAnswer:
		f, err := k.Customers.File(ctx, d.Campaign, c.Notice)
		if err != nil {
			return d, err
		}
		if d.Told, err = k.told(ctx, c, f.Tokens); err != nil {
			return d, err
		}
		if !full {
			f.mask()
		}
		f.Tokens, f.Address = nil, Address{}
		d.File = &f
		if d.Tries, err = k.tries(ctx, c); err != nil {
			return d, err
		}
		d.Locked = d.Tries.Left == 0
		d.File.Cannot = d.cannot()
		if d.Proposed, err = k.waits(ctx, c); err != nil {
			return d, err
		}
		d.Earlier, err = k.earlier(ctx, c)
		return d, err
	case StageNotConcerned:
		d.Sentence, d.AsOf, err = k.Customers.NotConcerned(ctx, d.Campaign, c.Import)
	}
	return d, err
}

// cannot adds to what cannot be done what the call itself rules out.
func (d *Case) cannot() map[string]string {
	no := maps.Clone(d.File.Cannot)
	if no == nil {
		no = map[string]string{}
	}
	switch {
	case d.Locked:
		no[DeedCompare] = "locked"
	case !d.File.OnFile[pipeline.Email] && !d.File.OnFile[pipeline.Post]:
		no[DeedCompare] = "no-address-on-file"
	}
	return no
}

func (k *Cell) told(ctx context.Context, c pipeline.Call, tokens [][]byte) (list []ToldEarlier, err error) {
	calls, err := k.Calls.ToldBefore(ctx, c.Campaign, tokens)
	for _, t := range calls {
		list = append(list, ToldEarlier{t.VerifiedAt, t.Import, t.Agent})
	}
	return list, err
}

// waits reports whether a corrected address of the customer waits.
func (k *Cell) waits(ctx context.Context, c pipeline.Call) (bool, error) {
	all, err := k.Calls.Proposals(ctx, pipeline.ProposalWaiting)
	return slices.ContainsFunc(all, func(p pipeline.Proposal) bool { return p.Notice == c.Notice }), err
}

// steps reads the steps of a call, with what is sealed in them.
func (k *Cell) steps(ctx context.Context, c pipeline.Call) (list []Step, err error) {
	all, err := k.Calls.CallSteps(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		one := Step{CallStep: s}
		if len(s.Sealed) > 0 {
			plain, err := k.Customers.Open(c.Campaign, s.Sealed, pipeline.CallSealContext(c.ID))
			if err != nil && c.Campaign != 0 { // from before somebody was found
				plain, err = k.Customers.Open(0, s.Sealed, pipeline.CallSealContext(c.ID))
			}
			if err != nil {
				return nil, err
			}
			one.Text = string(plain)
		}
		one.Sealed = nil
		list = append(list, one)
	}
	return list, nil
}

func (k *Cell) earlier(ctx context.Context, c pipeline.Call) (list []EarlierCall, err error) {
	for e, err := range k.Calls.EachCall(ctx, pipeline.CallFilter{Notice: c.Notice}) {
		if err != nil {
			return nil, err
		}
		if e.ID == c.ID {
			continue
		}
		steps, err := k.steps(ctx, e)
		if err != nil {
			return nil, err
		}
		notes := slices.DeleteFunc(steps, func(s Step) bool { return s.Text == "" })
		if e.Cause == "" && e.Outcome == "" && e.Escalated == "" && len(notes) == 0 { // a look-up that nobody ended says nothing
			continue
		}
		list = append(list, EarlierCall{e, notes})
		if len(list) == earlierShown {
			break
		}
	}
	return list, nil
}

// mask leaves of names and numbers what tells them apart.
func (f *File) mask() {
	f.Name = maskName(f.Name)
	f.Reference = maskNumber(f.Reference)
	f.Customers = slices.Clone(f.Customers)
	for i := range f.Customers {
		f.Customers[i] = maskNumber(f.Customers[i])
	}
	f.Impacts = slices.Clone(f.Impacts)
	for i := range f.Impacts {
		f.Impacts[i].Contract = maskNumber(f.Impacts[i].Contract)
	}
}

const dots = "•••"

// maskName keeps the first letter of each word.
func maskName(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = string([]rune(w)[:1]) + dots
	}
	return strings.Join(words, " ")
}

// maskNumber keeps the last three characters of a number that has enough others.
func maskNumber(s string) string {
	r := []rune(s)
	switch {
	case len(r) == 0:
		return ""
	case len(r) < 7:
		return dots
	}
	return dots + string(r[len(r)-3:])
}

// Letter shows a letter of the customer as it went out. That it was shown is on
// record.
func (k *Cell) Letter(ctx context.Context, who Asker, id, notice int64, attempt int) (SentLetter, error) {
	c, err := k.under(ctx, who, id, StageAnswer)
	if err != nil {
		return SentLetter{}, err
	}
	d, err := k.open(ctx, who, c, true)
	if err != nil {
		return SentLetter{}, err
	}
	if d.File == nil || !slices.ContainsFunc(d.File.Letters, func(l LetterOf) bool { return l.Notice == notice && l.Attempt == attempt }) {
		return SentLetter{}, pipeline.ErrNotFound
	}
	l, err := k.Customers.Letter(ctx, d.Campaign, notice, attempt)
	if err != nil {
		return l, err
	}
	l.Campaign = d.Campaign
	what := fmt.Sprintf("notice %d attempt %d", notice, attempt)
	if err := k.Calls.AddSteps(ctx, k.step(who, id, pipeline.StepLetter, string(l.Of.Channel), what)); err != nil {
		return l, err
	}
	return l, k.record(ctx, who, c, "cell-letter", "", what)
}
