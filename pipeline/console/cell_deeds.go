package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// deed runs f on the customer of a call that was verified, with a step on record.
func (k *Cell) deed(ctx context.Context, who Asker, id int64, f func(c pipeline.Call, campaign pipeline.Campaign) (pipeline.CallStep, error)) error {
	c, err := k.under(ctx, who, id, StageAnswer)
	if err != nil {
		return err
	}
	campaign, _ := who.knows(c.Campaign)
	step, err := f(c, campaign)
	if err != nil {
		return err
	}
	return k.Calls.AddSteps(ctx, step)
}

// Copy sends the letter once more: on paper or by e-mail, larger, or in another
// language, to an address from before the incident.
func (k *Cell) Copy(ctx context.Context, who Asker, id int64, o CopyOrder, reason string) error {
	return k.deed(ctx, who, id, func(c pipeline.Call, campaign pipeline.Campaign) (pipeline.CallStep, error) {
		n, err := k.Deeds.Copy(ctx, who.Actor, campaign, c.Notice, o, reason)
		return k.step(who, id, pipeline.StepCopy, string(o.Channel), "notice "+strconv.FormatInt(n, 10)), err
	})
}

// ByPost lets what is planned by e-mail go by post.
func (k *Cell) ByPost(ctx context.Context, who Asker, id int64, reason string) error {
	return k.deed(ctx, who, id, func(c pipeline.Call, campaign pipeline.Campaign) (pipeline.CallStep, error) {
		err := k.Deeds.ByPost(ctx, who.Actor, campaign, c.Notice, reason)
		return k.step(who, id, pipeline.StepRerouted, string(pipeline.Post), ""), err
	})
}

// MarkFlags are the flags that the cell may give.
func MarkFlags() []string {
	return []string{pipeline.FlagDeceased, pipeline.FlagProtectedAdult, pipeline.FlagProtectedAddress}
}

// Mark adds a flag to the customer, holds what has not left, and tells the lead.
func (k *Cell) Mark(ctx context.Context, who Asker, id int64, flag, reason string) error {
	if !slices.Contains(MarkFlags(), flag) {
		return refuse("flag", "the cell does not give this flag", "")
	}
	c, err := k.under(ctx, who, id, StageAnswer)
	if err != nil {
		return err
	}
	campaign, _ := who.knows(c.Campaign)
	marked, err := k.Deeds.Mark(ctx, who.Actor, campaign, c.Notice, flag, reason)
	if err != nil {
		return err
	}
	why := "vulnerable"
	if flag == pipeline.FlagDeceased {
		why = "deceased"
	}
	// In one: who was marked and is not passed on would wait for nobody.
	_, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		c.Escalated, c.EscalatedAt, c.HandledBy, c.HandledAt = why, k.Clock.Now(), "", time.Time{}
		return append(k.marked(who, id, flag, marked), k.step(who, id, pipeline.StepEscalated, why, ""))
	})
	return err
}

// marked are the steps that say what was stopped, what only hands can stop, and what
// has left.
func (k *Cell) marked(who Asker, id int64, flag string, m Marked) []pipeline.CallStep {
	steps := []pipeline.CallStep{k.step(who, id, pipeline.StepMarked, flag, "")}
	for _, run := range m.Pulled {
		steps = append(steps, k.step(who, id, pipeline.StepPulled, pipeline.RunName(run), ""))
	}
	for _, l := range m.ByHand {
		steps = append(steps, k.step(who, id, pipeline.StepByHand, l.String(), ""))
	}
	if m.Gone > 0 {
		steps = append(steps, k.step(who, id, pipeline.StepGone, strconv.Itoa(m.Gone), ""))
	}
	return steps
}

// Propose asks a second person for a corrected address. Until they agree nothing
// changes, and nothing goes there. What waits for the same address already gives way:
// whoever corrects twice means the second.
func (k *Cell) Propose(ctx context.Context, who Asker, id int64, a Address, reason string) error {
	c, err := k.under(ctx, who, id, StageAnswer)
	if err != nil {
		return err
	}
	campaign, _ := who.knows(c.Campaign)
	if err := k.Deeds.Judge(ctx, campaign, c.Notice, a); err != nil {
		return err
	}
	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	now := k.Clock.Now().Truncate(time.Microsecond)
	sealed, err := k.Customers.Seal(c.Campaign, plain, pipeline.ProposalSealContext(c.ID, now))
	if err != nil {
		return err
	}
	p := pipeline.Proposal{Call: id, Campaign: c.Campaign, Notice: c.Notice, What: a.Channel(), Sealed: sealed, Reason: reason, AskedBy: who.Actor, AskedAt: now}
	p, replaced, err := k.Calls.Propose(ctx, p, k.step(who, id, pipeline.StepProposed, string(p.What), ""))
	if err != nil {
		return err
	}
	detail := fmt.Sprintf("correction %d", p.ID)
	for _, r := range replaced {
		detail += fmt.Sprintf(" in place of %d", r)
	}
	return k.record(ctx, who, c, "cell-propose", reason, detail)
}

// PassReasons are the reasons to pass a call on that people choose.
func PassReasons() []string {
	return slices.DeleteFunc(pipeline.Escalations(), func(e string) bool {
		return e == pipeline.EscalatedWritten || e == pipeline.EscalatedLocked || e == pipeline.EscalatedQuota
	})
}

// Escalate passes a call on to the lead.
func (k *Cell) Escalate(ctx context.Context, who Asker, id int64, why, text string) error {
	if !slices.Contains(PassReasons(), why) {
		return refuse("escalation", "say why the call is passed on", "")
	}
	c, err := k.under(ctx, who, id, begun...)
	if err != nil {
		return err
	}
	step := k.step(who, id, pipeline.StepEscalated, why, "")
	if step.Sealed, err = k.sealText(c, text); err != nil {
		return err
	}
	_, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		c.Escalated, c.EscalatedAt, c.HandledBy, c.HandledAt = why, k.Clock.Now(), "", time.Time{}
		return []pipeline.CallStep{step}
	})
	return err
}

// sealText seals free text of a call; nothing stays nothing.
func (k *Cell) sealText(c pipeline.Call, text string) ([]byte, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	return k.Customers.Seal(c.Campaign, []byte(text), pipeline.CallSealContext(c.ID))
}

// Note keeps what was said, sealed.
func (k *Cell) Note(ctx context.Context, who Asker, id int64, text string) error {
	c, err := k.under(ctx, who, id, begun...)
	if err != nil {
		return err
	}
	step := k.step(who, id, pipeline.StepNote, "", "")
	if step.Sealed, err = k.sealText(c, text); err != nil {
		return err
	}
	if step.Sealed == nil {
		return refuse("note-empty", "the note is empty", "")
	}
	return k.Calls.AddSteps(ctx, step)
}

// Written sends an answer in writing to the address on file, whatever it says: the
// letter once more to whoever is concerned; to others the company's own system
// writes, which the lead asks it to. The caller hears the same in both cases.
func (k *Cell) Written(ctx context.Context, who Asker, id int64, key, reason string) error {
	c, err := k.under(ctx, who, id, StageVerify, StageNotConcerned, StageAnswer)
	if err != nil {
		return err
	}
	campaign, _ := who.knows(c.Campaign)
	step := k.step(who, id, pipeline.StepWritten, "", "")
	sent := false
	if c.Notice != 0 {
		f, err := k.Customers.File(ctx, campaign, c.Notice)
		if err != nil {
			return err
		}
		if sent = coming(f); !sent {
			for _, ch := range []pipeline.Channel{pipeline.Post, pipeline.Email} {
				if !f.Reach[ch] {
					continue
				}
				if _, err = k.Deeds.Copy(ctx, who.Actor, campaign, c.Notice, CopyOrder{Channel: ch}, reason); err == nil || pipeline.ErrorCode(err) == "copy-coming" {
					sent = true
					break
				}
				if pipeline.ErrorCode(err) == "" {
					return err
				}
			}
		}
	}
	if step.Sealed, err = k.sealText(c, key); err != nil {
		return err
	}
	if !sent {
		_, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
			if !c.Waiting() {
				c.Escalated, c.EscalatedAt, c.HandledBy, c.HandledAt = pipeline.EscalatedWritten, k.Clock.Now(), "", time.Time{}
			}
			return []pipeline.CallStep{step}
		})
		return err
	}
	return k.Calls.AddSteps(ctx, step)
}

// coming reports whether a letter that has not left yet is on its way anyway.
func coming(f File) bool {
	return slices.ContainsFunc(f.Notices, func(n pipeline.Notice) bool {
		return n.State == pipeline.Due || n.State == pipeline.Queued || n.State == pipeline.Sending || n.State == pipeline.Printing
	})
}

// Close ends a call.
func (k *Cell) Close(ctx context.Context, who Asker, id int64, cause, outcome, text string) error {
	if !slices.Contains(pipeline.CallCauses(), cause) {
		return refuse("cause", "say why the customer called", "")
	}
	if !slices.Contains(pipeline.CallOutcomes(), outcome) {
		return refuse("outcome", "say what came of the call", "")
	}
	c, err := k.under(ctx, who, id, begun...)
	if err != nil {
		return err
	}
	step := k.step(who, id, pipeline.StepClosed, outcome, cause)
	if step.Sealed, err = k.sealText(c, text); err != nil {
		return err
	}
	was, twice := c.ClosedAt, false
	_, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		if twice = !c.ClosedAt.Equal(was); twice {
			return nil
		}
		c.Cause, c.Outcome, c.ClosedAt = cause, outcome, k.Clock.Now()
		if c.Told == "" && outcome != "hung-up" {
			c.Told = pipeline.ToldGeneral
			if c.Found == pipeline.FoundNobody {
				c.Told = pipeline.ToldNotFound
			}
		}
		return []pipeline.CallStep{step}
	})
	if err == nil && twice {
		return errClosed
	}
	return err
}
