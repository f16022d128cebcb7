package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/art34/art34/pipeline"
)

// Queue is what waits for the lead of the cell.
type Queue struct {
	Calls     []pipeline.Call     // passed on, oldest first
	Proposals []pipeline.Proposal // corrected addresses, oldest first; not one's own
	Own       int                 // proposals of the asker, which another decides
	Recalls   []pipeline.Call     // who was told that they are not concerned, and is now
}

const (
	queueShown = 200
	// recallsLooked is how many of those who were told that they are not concerned are
	// looked up again for one page.
	recallsLooked = 1000
)

// Queue reads what waits.
func (k *Cell) Queue(ctx context.Context, who Asker) (Queue, error) {
	var q Queue
	if !who.may(ActSecond) {
		return q, errDenied
	}
	known := func(id int64) bool { _, ok := who.knows(id); return id == 0 || ok }
	for c, err := range k.Calls.EachCall(ctx, pipeline.CallFilter{Waiting: true}) {
		if err != nil {
			return q, err
		}
		if known(c.Campaign) {
			q.Calls = append(q.Calls, c)
		}
		if len(q.Calls) == queueShown {
			break
		}
	}
	slices.Reverse(q.Calls)
	all, err := k.Calls.Proposals(ctx, pipeline.ProposalWaiting)
	if err != nil {
		return q, err
	}
	for _, p := range all {
		switch {
		case !known(p.Campaign):
		case samePair(p.AskedBy, who.Actor):
			q.Own++
		case len(q.Proposals) < queueShown:
			q.Proposals = append(q.Proposals, p)
		}
	}
	q.Recalls, err = k.recalls(ctx, who.Campaigns)
	return q, err
}

// recalls finds who was told that they are not concerned and is in the population
// now, newest first. Each campaign is read by itself: along the index of such calls,
// and so that a large one leaves room for the others.
func (k *Cell) recalls(ctx context.Context, campaigns []pipeline.Campaign) (list []pipeline.Call, err error) {
	for _, campaign := range campaigns {
		var looked []pipeline.Call
		var tokens [][]byte
		for c, err := range k.Calls.EachCall(ctx, pipeline.CallFilter{Campaign: campaign.ID, Told: pipeline.ToldNotConcerned}) {
			if err != nil {
				return nil, err
			}
			if c.Escalated == pipeline.EscalatedRecall || len(c.Token) == 0 {
				continue
			}
			if looked, tokens = append(looked, c), append(tokens, c.Token); len(looked) >= recallsLooked/len(campaigns) {
				break
			}
		}
		if len(looked) == 0 {
			continue
		}
		found, err := k.Customers.Found(ctx, campaign.ID, tokens)
		if err != nil {
			return nil, err
		}
		for i, c := range looked {
			if found[i] {
				list = append(list, c)
			}
		}
	}
	slices.SortFunc(list, func(a, b pipeline.Call) int { return cmp.Compare(b.ID, a.ID) })
	return list[:min(len(list), queueShown)], nil
}

// Handle takes a call from the queue. unlock lets its customer be verified again.
func (k *Cell) Handle(ctx context.Context, who Asker, id int64, text string, unlock bool) error {
	if !who.may(ActSecond) {
		return errDenied
	}
	c, err := k.own(ctx, who, id)
	if err != nil {
		return err
	}
	recall := !c.Waiting() && c.Told == pipeline.ToldNotConcerned
	if !c.Waiting() && !recall {
		return errHandled
	}
	step := k.step(who, id, pipeline.StepHandled, c.Escalated, "")
	if step.Sealed, err = k.sealText(c, text); err != nil {
		return err
	}
	if unlock {
		if err := k.Calls.ForgetTries(ctx, id); err != nil {
			return err
		}
	}
	late := false
	c, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		if late = !c.Waiting() && (!recall || c.Escalated == pipeline.EscalatedRecall); late {
			return nil
		}
		if recall {
			c.Escalated, c.EscalatedAt = pipeline.EscalatedRecall, k.Clock.Now()
		}
		c.HandledBy, c.HandledAt = who.Actor, k.Clock.Now()
		return []pipeline.CallStep{step}
	})
	if err != nil {
		return err
	}
	if late {
		return errHandled
	}
	detail := c.Escalated
	if unlock {
		detail += ", unlocked"
	}
	return k.record(ctx, who, c, "cell-handle", "", fmt.Sprintf("call %d, %s", id, detail))
}

var errHandled = refuse("handled", "somebody has taken this call already", "")

// Proposed is a proposal for the second pair of eyes: the new address beside the one
// on file, masked unless Full.
type Proposed struct {
	Proposal pipeline.Proposal
	Campaign pipeline.Campaign
	Call     pipeline.Call // in which it was asked for: how was the caller verified?
	Rows     []AddressRow
	Full     bool
	Flags    []string // of the customer, as they are now
}

// Standing says where it stands: its state, or "applying" between accepted and in
// force, or "replaced" by a later one.
func (d Proposed) Standing() string {
	if d.Proposal.State == pipeline.ProposalFailed && d.Proposal.Note == pipeline.ProposalReplaced {
		return pipeline.ProposalReplaced
	}
	if d.Proposal.State == pipeline.ProposalAccepted && d.Proposal.AppliedAt.IsZero() {
		return "applying"
	}
	return string(d.Proposal.State)
}

// Proposal reads a proposal. That it was shown is on record.
func (k *Cell) Proposal(ctx context.Context, who Asker, id int64) (Proposed, error) {
	return k.proposal(ctx, who, id, "cell-proposal", "")
}

// FullProposal is Proposal with both addresses in full. It is on record, with its
// reason.
func (k *Cell) FullProposal(ctx context.Context, who Asker, id int64, reason string) (Proposed, error) {
	return k.proposal(ctx, who, id, "cell-proposal-full", reason)
}

func (k *Cell) proposal(ctx context.Context, who Asker, id int64, action, reason string) (Proposed, error) {
	d := Proposed{Full: action == "cell-proposal-full"}
	p, campaign, err := k.proposed(ctx, who, id)
	if err != nil {
		return d, err
	}
	d.Proposal, d.Campaign = p, campaign
	if d.Call, err = k.Calls.Call(ctx, p.Call); err != nil {
		return d, err
	}
	fresh, err := k.address(p)
	if err != nil {
		return d, err
	}
	f, err := k.Customers.File(ctx, campaign, p.Notice)
	if err != nil {
		return d, err
	}
	d.Flags = f.Flags
	if d.Rows = addressRows(f.Address, fresh, p.What, k.Customers.Country); !d.Full {
		for i := range d.Rows {
			d.Rows[i].mask()
		}
	}
	return d, k.record(ctx, who, d.Call, action, reason, fmt.Sprintf("correction %d", id))
}

// proposed is a proposal that the asker may decide on, and its campaign.
func (k *Cell) proposed(ctx context.Context, who Asker, id int64) (p pipeline.Proposal, c pipeline.Campaign, err error) {
	if !who.may(ActSecond) {
		return p, c, errDenied
	}
	if p, err = k.Calls.Proposal(ctx, id); err != nil {
		return p, c, err
	}
	c, known := who.knows(p.Campaign)
	if !known {
		return p, c, pipeline.ErrNotFound
	}
	return p, c, nil
}

// Mine are the calls that an asker has under way, newest first.
func (k *Cell) Mine(ctx context.Context, who Asker) (list []pipeline.Call, err error) {
	for c, err := range k.Calls.EachCall(ctx, pipeline.CallFilter{Agent: who.Actor, Open: true, Since: k.Clock.Now().Add(-callTime)}) {
		if err != nil {
			return nil, err
		}
		if _, known := who.knows(c.Campaign); known || c.Campaign == 0 {
			list = append(list, c)
		}
		if len(list) == earlierShown {
			break
		}
	}
	return list, nil
}
