package main

import (
	"context"
	"fmt"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/postal"
)

// ackResult is what an acknowledgement or a recall did.
type ackResult struct {
	Run      string            `json:"run"`
	State    pipeline.RunState `json:"state"`
	Letters  int               `json:"letters"`
	Rejected int               `json:"rejected"`
	NoChange bool              `json:"no_change"`
}

func (r ackResult) sentence() string {
	letters := count(int64(r.Letters), "letter is", "letters are")
	switch {
	case r.NoChange:
		return fmt.Sprintf("%s is %s already; nothing was changed.", r.Run, r.State)
	case r.State == pipeline.RunDeposited:
		return fmt.Sprintf("%s is deposited: %s posted, %d rejected.", r.Run, letters, r.Rejected)
	case r.State == pipeline.RunVoided:
		return fmt.Sprintf("%s is voided: %s due again.", r.Run, letters)
	}
	return fmt.Sprintf("%s is recalled: %s held.", r.Run, letters)
}

// acknowledge records what a print shop says about a run.
func (h *house) acknowledge(ctx context.Context, ack postal.Ack) (ackResult, error) {
	r, err := h.printRun(ctx, pipeline.RunName(ack.Run))
	if err != nil {
		return ackResult{}, err
	}
	if ack.Recalled {
		return h.takeBack(ctx, r, "acknowledged by the print shop")
	}
	if ack.Deposit == nil {
		return ackResult{}, refuse("ack", r.Name()+": no deposit is acknowledged, only rejected letters", "the file needs a row deposited for each run")
	}
	refs, err := h.references(ctx, r)
	if err != nil {
		return ackResult{}, err
	}
	if err := ack.Check(r.Letters, func(seq int) pipeline.Reference { return refs[seq] }); err != nil {
		return ackResult{}, err
	}
	rejected := make([]dispatch.Rejected, len(ack.Rejected))
	for i, x := range ack.Rejected {
		rejected[i] = dispatch.Rejected{Seq: x.Seq, Code: x.Reason}
	}
	before := r.State
	if r, err = h.operations().AcknowledgeRun(ctx, r.ID, *ack.Deposit, rejected); err != nil {
		return ackResult{}, err
	}
	return ackResult{Run: r.Name(), State: r.State, Letters: r.Letters - len(rejected), Rejected: len(rejected), NoChange: before == pipeline.RunDeposited}, nil
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
func (h *house) references(ctx context.Context, r pipeline.Run) (map[int]pipeline.Reference, error) {
	keys, err := h.keys.Existing(r.Campaign)
	if err != nil {
		return nil, err
	}
	items, err := h.ledger.RunItems(ctx, r.ID)
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
