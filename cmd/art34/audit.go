package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/art34/art34/pipeline"
)

// auditResult is what counting and replaying everything found.
type auditResult struct {
	Notices  int64   `json:"notices"`
	Events   int64   `json:"events"`
	Balance  int64   `json:"balance"`  // counted from the rows
	Counters bool    `json:"counters"` // the running counters agree with the rows
	Wrong    []int64 `json:"wrong"`    // notices whose events do not lead to their state; the first of them
	WrongAll int64   `json:"wrong_all"`
}

func (r *auditResult) clean() bool { return r.Balance == 0 && r.WrongAll == 0 && r.Counters }

func (r *auditResult) print(w io.Writer) {
	fmt.Fprintf(w, "Audit: %s followed through %s; balance counted from the rows: %d\n", count(r.Notices, "notice", "notices"), count(r.Events, "event", "events"), r.Balance)
	if !r.Counters {
		fmt.Fprintln(w, "The running counters do not agree with the rows.")
	}
	if r.WrongAll > 0 {
		fmt.Fprintf(w, "%s not where the events lead: %v\n", count(r.WrongAll, "notice is", "notices are"), r.Wrong)
	}
}

// listedWrong is how many wrong notices an audit names.
const listedWrong = 20

// auditCampaign counts the notices again and follows each through its events. It
// may run beside a service: a notice that seems wrong is looked at again.
func (h *house) auditCampaign(ctx context.Context, c pipeline.Campaign, population int64) (*auditResult, error) {
	r := &auditResult{Wrong: []int64{}}
	if err := h.recount(ctx, c, r); err != nil {
		return nil, err
	}
	bar := h.progress("auditing", population)
	defer bar.End()
	next, stop := iter.Pull2(h.ledger.EventsByNotice(ctx, c.ID))
	defer stop()
	e, err, more := next()
	for j, jobErr := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID}) {
		if jobErr != nil {
			return nil, jobErr
		}
		var events []pipeline.Event
		for ; more && err == nil && e.Notice <= j.ID; e, err, more = next() {
			if e.Notice == j.ID {
				events = append(events, e)
			}
		}
		if err != nil {
			return nil, err
		}
		r.Notices++
		r.Events += int64(len(events))
		bar.Add(1)
		if follows(j.Notice, events) {
			continue
		}
		wrong, err := h.stillWrong(ctx, j.ID)
		if err != nil {
			return nil, err
		}
		if wrong {
			r.WrongAll++
			if len(r.Wrong) < listedWrong {
				r.Wrong = append(r.Wrong, j.ID)
			}
		}
	}
	return r, ctx.Err()
}

// follows reports whether the events lead from the birth of a notice to where it
// stands.
func follows(n pipeline.Notice, events []pipeline.Event) bool {
	s, err := pipeline.Replay(n.Born, events)
	return err == nil && pipeline.SameState(s, n.State)
}

// stillWrong looks at a notice again, between two readings of its row that agree:
// it may have moved between the two scans.
func (h *house) stillWrong(ctx context.Context, id int64) (bool, error) {
	for {
		before, err := h.ledger.Notice(ctx, id)
		if errors.Is(err, pipeline.ErrNotFound) {
			return false, nil // absorbed meanwhile
		}
		if err != nil {
			return false, err
		}
		events, err := h.ledger.Events(ctx, id)
		if err != nil {
			return false, err
		}
		after, err := h.ledger.Notice(ctx, id)
		if err != nil {
			return false, err
		}
		if before.Gen == after.Gen {
			return !follows(after.Notice, events), nil
		}
	}
}

// recount counts the rows and compares them with the running counters. Beside a
// service the two are read at different instants, so only the sums are compared.
func (h *house) recount(ctx context.Context, c pipeline.Campaign, r *auditResult) error {
	imports, err := h.ledger.Imports(ctx, c.ID)
	if err != nil {
		return err
	}
	before, err := h.ledger.Tally(ctx, c.ID)
	if err != nil {
		return err
	}
	counted, err := h.ledger.Recount(ctx, c.ID)
	if err != nil {
		return err
	}
	after, err := h.ledger.Tally(ctx, c.ID)
	if err != nil {
		return err
	}
	r.Balance = pipeline.NewBalance(published(imports), counted).Difference()
	r.Counters = sameTallies(before, counted) || sameTallies(after, counted)
	if !r.Counters && !sameTallies(before, after) {
		// Somebody works: the sums must agree all the same.
		r.Counters = total(before) == total(counted) || total(after) == total(counted)
	}
	return nil
}

func sameTallies(a, b []pipeline.Tally) bool {
	counts := map[pipeline.Tally]int64{}
	add := func(list []pipeline.Tally, sign int64) {
		for _, t := range list {
			n := t.Count
			t.Count = 0
			counts[t] += sign * n
		}
	}
	add(a, 1)
	add(b, -1)
	for _, n := range counts {
		if n != 0 {
			return false
		}
	}
	return true
}

func total(list []pipeline.Tally) (n int64) {
	for _, t := range list {
		n += t.Count
	}
	return n
}
