package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
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
