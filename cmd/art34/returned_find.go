package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/postal/returned"
)

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
	case pipeline.RunFilling, pipeline.RunCut, pipeline.RunAssembled:
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
	return c, j, 0, refuse("seq-unknown", fmt.Sprintf("%s has no letter %d", r.run.Name(), l.Seq), "read the number from the letter again, or give its reference")
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
