package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// Decide accepts a corrected address, which is applied and written to at once, or
// refuses it. Nobody decides about what they asked for.
func (k *Cell) Decide(ctx context.Context, who Asker, id int64, accept bool, reason string) error {
	p, campaign, err := k.proposed(ctx, who, id)
	if err != nil {
		return err
	}
	switch {
	case samePair(p.AskedBy, who.Actor):
		return refuse("own-proposal", "nobody is the second pair of eyes on their own correction", "another lead decides")
	case p.State != pipeline.ProposalWaiting:
		return refuse("decided", "this correction is decided already", "")
	}
	if err := k.secondPerson(ctx, who, p); err != nil {
		return err
	}
	p.State, p.DecidedBy, p.DecidedAt, p.Note = pipeline.ProposalRefused, who.Actor, k.Clock.Now().Truncate(time.Microsecond), reason
	action := "cell-refuse"
	if accept {
		p.State, action = pipeline.ProposalAccepted, "cell-accept"
	}
	err = k.Calls.Decide(ctx, p, pipeline.ProposalWaiting, k.decided(p, action, reason))
	if errors.Is(err, pipeline.ErrConflict) {
		return refuse("decided", "this correction is decided already", "")
	}
	if err != nil || !accept {
		return err
	}
	a, err := k.address(p)
	if err != nil {
		return err
	}
	return k.apply(ctx, campaign, p, a)
}

// secondPerson refuses whoever had the account of the one who asked in hand, or whose
// account was in their hands; a program is in the hands of who gave it its token.
func (k *Cell) secondPerson(ctx context.Context, who Asker, p pipeline.Proposal) error {
	users, err := k.Calls.AllUsers(ctx)
	if err != nil {
		return err
	}
	tokens, err := k.Calls.AllTokens(ctx)
	if err != nil {
		return err
	}
	// Who came by way of a program has an account too, as a rule.
	them, me := "user:"+pipeline.LoginOf(p.AskedBy), "user:"+pipeline.LoginOf(who.Actor)
	asked := []string{p.AskedBy, them}
	for _, t := range tokens {
		switch {
		case t.Actor() == pipeline.ProgramOf(p.AskedBy):
			asked = append(asked, t.CreatedBy)
		case t.Actor() == pipeline.ProgramOf(who.Actor) && (t.CreatedBy == p.AskedBy || t.CreatedBy == them):
			asked = append(asked, me)
		}
	}
	did := func(a string) bool { return slices.Contains(asked, a) }
	t := TiedTo(users, me, them, did)
	if did(me) {
		t = Tied{Tie: pipeline.Tie{Account: p.AskedBy, Hand: pipeline.Hand{Actor: who.Actor, Did: gaveToken}}, Refused: true}
	}
	if !t.Refused {
		return nil
	}
	p.DecidedBy = who.Actor
	if err := k.Calls.Append(ctx, k.decided(p, "cell-tied", "")); err != nil {
		return err
	}
	return RefuseTied(t)
}

// samePair reports whether two actors are one pair of eyes: one person, whichever way
// they came, or one program, whomever it names.
func samePair(a, b string) bool {
	program := pipeline.ProgramOf(a)
	return pipeline.LoginOf(a) == pipeline.LoginOf(b) || program != "" && program == pipeline.ProgramOf(b)
}

// decided is the audit entry of what becomes of a proposal.
func (k *Cell) decided(p pipeline.Proposal, action, reason string) pipeline.Audit {
	return pipeline.Audit{Campaign: p.Campaign, At: k.Clock.Now(), Actor: p.DecidedBy, Action: action, Reason: reason, Detail: fmt.Sprintf("correction %d", p.ID)}
}

// apply puts an accepted correction into force, and says so in the ledger; once more
// changes nothing. One that is refused is in force no more than before, and must not
// look as if it were. What was cut short is for ApplyAccepted.
func (k *Cell) apply(ctx context.Context, campaign pipeline.Campaign, p pipeline.Proposal, a Address) error {
	err := k.Deeds.Correct(ctx, p.DecidedBy, campaign, p.Notice, a, p.Reason, p.DecidedAt)
	entry := k.decided(p, "cell-applied", "")
	switch {
	case err == nil:
		p.AppliedAt = k.Clock.Now()
	case pipeline.ErrorCode(err) == "" || errors.Is(err, pipeline.ErrAway) || ctx.Err() != nil:
		return err
	default:
		p.State, p.Note = pipeline.ProposalFailed, pipeline.ErrorCode(err)
		entry.Action, entry.Reason = "cell-failed", p.Note
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	written := k.Calls.Decide(last, p, pipeline.ProposalAccepted, entry)
	if errors.Is(written, pipeline.ErrConflict) && err == nil { // somebody else has given up
		written = k.Calls.Decide(last, p, pipeline.ProposalFailed, entry)
	}
	if errors.Is(written, pipeline.ErrConflict) { // somebody else has applied it
		if now, failed := k.Calls.Proposal(last, p.ID); failed == nil && !now.AppliedAt.IsZero() {
			return nil
		}
	}
	return errors.Join(err, written)
}

// ApplyAccepted applies the corrections that were accepted and are not in force: the
// program was stopped between the two. Any number may do so at the same time.
func (k *Cell) ApplyAccepted(ctx context.Context) error {
	list, err := k.Calls.Unapplied(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	campaigns, err := k.Calls.AllCampaigns(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, p := range list {
		i := slices.IndexFunc(campaigns, func(c pipeline.Campaign) bool { return c.ID == p.Campaign })
		if i < 0 {
			continue
		}
		a, err := k.address(p)
		if err == nil {
			err = k.apply(ctx, campaigns[i], p, a)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("correction %d: %w", p.ID, err))
		}
	}
	return errors.Join(faults...)
}

// address opens the address of a proposal.
func (k *Cell) address(p pipeline.Proposal) (a Address, err error) {
	plain, err := k.Customers.Open(p.Campaign, p.Sealed, pipeline.ProposalSealContext(p.Call, p.AskedAt))
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(plain, &a); err != nil {
		return a, fmt.Errorf("correction %d cannot be read", p.ID)
	}
	return a, nil
}
