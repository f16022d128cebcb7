package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/postal"
)

// ackResult is what an acknowledgement or a recall did.
type ackResult struct {
	Run      string            `json:"run"`
	State    pipeline.RunState `json:"state"`
	Letters  int               `json:"letters"` // posted, or taken back
	Rejected int               `json:"rejected"`
	Open     int               `json:"open"` // still with the print shop
	NoChange bool              `json:"no_change"`
}

func (r ackResult) sentence() string {
	letters := count(int64(r.Letters), "letter is", "letters are")
	switch {
	case r.NoChange:
		return fmt.Sprintf("%s is %s already; nothing was changed.", r.Run, r.State)
	case r.State == pipeline.RunDeposited:
		return fmt.Sprintf("%s is deposited: %s posted, %d rejected.", r.Run, letters, r.Rejected)
	case r.State == pipeline.RunReleased:
		return fmt.Sprintf("%s: %s posted, %d rejected, %d still with the print shop.", r.Run, letters, r.Rejected, r.Open)
	case r.State == pipeline.RunVoided:
		return fmt.Sprintf("%s is voided: %s due again.", r.Run, letters)
	}
	return fmt.Sprintf("%s is recalled: %s held.", r.Run, letters)
}

// reconciled is an acknowledgement that agrees with its run.
type reconciled struct {
	ack      postal.Ack
	run      pipeline.Run
	deposits []postal.Resolved
}

// reconcile holds every acknowledgement of a file against its run before anything
// of it is written.
func (h *house) reconcile(ctx context.Context, acks []postal.Ack, partial bool) ([]reconciled, error) {
	var list []reconciled
	for _, ack := range acks {
		r, err := h.printRun(ctx, pipeline.RunName(ack.Run))
		if err != nil {
			return nil, err
		}
		x := reconciled{ack: ack, run: r}
		if !ack.Recalled {
			known, err := h.ackRun(ctx, r)
			if err != nil {
				return nil, err
			}
			if x.deposits, err = ack.Reconcile(known, partial); err != nil {
				return nil, err
			}
		}
		list = append(list, x)
	}
	return list, nil
}

// ackRun is what is known of a run.
func (h *house) ackRun(ctx context.Context, r pipeline.Run) (postal.AckRun, error) {
	known := postal.AckRun{Run: r}
	var err error
	if known.Items, err = h.ledger.RunItems(ctx, r.ID); err != nil {
		return known, err
	}
	if known.References, err = h.references(ctx, r, known.Items); err != nil {
		return known, err
	}
	if dir, err := os.OpenRoot(h.printRuns()); err == nil {
		defer dir.Close()
		if m, err := postal.ReadManifest(dir, r); err == nil {
			known.PDFSHA256 = m.PDFSHA256
		}
	}
	return known, nil
}

// acknowledge records what a print shop says about a run.
func (h *house) acknowledge(ctx context.Context, x reconciled) (ackResult, error) {
	if x.ack.Recalled {
		return h.takeBack(ctx, x.run, "acknowledged by the print shop")
	}
	before, err := h.ledger.RunItems(ctx, x.run.ID)
	if err != nil {
		return ackResult{}, err
	}
	r := x.run
	for _, part := range x.parts() {
		if r, err = h.operations().Deposit(ctx, r.ID, part); err != nil {
			return ackResult{}, err
		}
	}
	after, err := h.ledger.RunItems(ctx, r.ID)
	result := ackResult{Run: r.Name(), State: r.State, NoChange: slices.Equal(before, after)}
	for _, i := range after {
		switch i.State {
		case pipeline.ItemPosted:
			result.Letters++
		case pipeline.ItemRejected:
			result.Rejected++
		case pipeline.ItemIn:
			result.Open++
		}
	}
	return result, err
}

// parts are the deposits as they are recorded: each with the rejected letters of
// its own, and those of no deposit by themselves.
func (x reconciled) parts() []dispatch.Deposited {
	var list []dispatch.Deposited
	open := slices.Clone(x.ack.Rejected)
	for _, d := range x.deposits {
		part := dispatch.Deposited{Deposit: d.Deposit, Letters: d.Letters}
		open = slices.DeleteFunc(open, func(r postal.AckItem) bool {
			if d.Letters != nil && !slices.Contains(d.Letters, r.Seq) {
				return false
			}
			part.Rejected = append(part.Rejected, dispatch.Rejected{Seq: r.Seq, Code: r.Reason})
			return true
		})
		list = append(list, part)
	}
	if len(open) > 0 {
		alone := dispatch.Deposited{Letters: []int{}}
		for _, r := range open {
			alone.Rejected = append(alone.Rejected, dispatch.Rejected{Seq: r.Seq, Code: r.Reason})
		}
		// First, so that the deposit that closes the run is the last.
		list = append([]dispatch.Deposited{alone}, list...)
	}
	return list
}

// takeBack voids a run that was not released, or records the recall of one that
// was.
func (h *house) takeBack(ctx context.Context, r pipeline.Run, reason string) (ackResult, error) {
	before := r.State
	take := h.operations().VoidRun
	if r.State == pipeline.RunReleased || r.State == pipeline.RunRecalled || r.State == pipeline.RunDeposited {
		take = h.operations().RecallRun
	}
	r, err := take(ctx, r.ID, reason)
	if err != nil {
		return ackResult{}, err
	}
	return ackResult{Run: r.Name(), State: r.State, Letters: r.Letters, NoChange: before == r.State}, nil
}

// references gives the reference at each position of a run.
func (h *house) references(ctx context.Context, r pipeline.Run, items []pipeline.RunItem) (map[int]pipeline.Reference, error) {
	keys, err := h.keys.Existing(r.Campaign)
	if err != nil {
		return nil, err
	}
	jobs, err := h.ledger.RunJobs(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	byNotice := make(map[int64]pipeline.Reference, len(jobs))
	for _, j := range jobs {
		p, err := openPerson(keys, j)
		if err != nil {
			return nil, err
		}
		byNotice[j.ID] = p.Reference
	}
	refs := make(map[int]pipeline.Reference, len(items))
	for _, i := range items {
		refs[i.Seq] = byNotice[i.Notice]
	}
	return refs, nil
}
