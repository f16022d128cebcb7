package console

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// Answer is how a caller proves who they are.
type Answer struct {
	Way       pipeline.Verification
	Reference string            // that they read out
	Values    map[string]string // column → what they say
	Reached   bool              // they answered at the number on file
}

// Verify makes sure of a caller. What they say is compared by the program, which
// never shows what it should be; three wrong answers about one customer lock them.
// The way and its result are on record.
func (k *Cell) Verify(ctx context.Context, who Asker, id int64, a Answer) (pipeline.Call, error) {
	c, err := k.under(ctx, who, id, StageVerify)
	if err != nil {
		return c, err
	}
	campaign, _ := who.knows(c.Campaign)
	proofs, err := k.Customers.Proofs(ctx, campaign, 0)
	if err != nil {
		return c, err
	}
	if !slices.Contains(proofs.Ways, a.Way) {
		return c, refuse("way", "this campaign does not verify callers in this way", "")
	}
	if err := complete(a, proofs); err != nil {
		return c, err
	}
	c, free, err := k.Calls.TryAnswer(ctx, id, mostTries, k.Clock.Now().Add(-tryTime))
	if err != nil {
		return c, err
	}
	if !free {
		return c, k.locked(ctx, who, c)
	}
	right, err := k.right(ctx, campaign, c, a)
	if err != nil {
		return c, err
	}
	if !right {
		return c, k.mismatch(ctx, who, c, a.Way)
	}
	told := pipeline.ToldNotConcerned
	if c.Notice != 0 {
		f, err := k.Customers.File(ctx, campaign, c.Notice)
		if err != nil {
			return c, err
		}
		told = string(f.State)
	}
	return k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		c.Tries = max(0, c.Tries-1)
		if c.Verified != "" {
			return nil
		}
		c.Verified, c.VerifiedAt, c.Told = a.Way, k.Clock.Now(), told
		return []pipeline.CallStep{k.step(who, id, pipeline.StepVerified, string(a.Way), told)}
	})
}

// complete refuses what cannot be compared, before it counts as a wrong answer. It
// knows of the campaign only: what is missing on file is no other answer than a wrong
// one.
func complete(a Answer, p Proofs) error {
	switch a.Way {
	case pipeline.ByReference:
		if _, err := pipeline.ParseReference(a.Reference); err != nil {
			return refuse("reference", "this is no reference: a character was misheard or mistyped", "twelve letters and digits; ask for it again")
		}
	case pipeline.ByCallback:
		if !a.Reached {
			return refuse("not-reached", "call the number on file first, and say that you reached the customer there", "")
		}
	case pipeline.ByValues:
		if len(p.Columns) == 0 {
			return refuse("no-values", "this campaign asks for no values", "")
		}
		for _, c := range p.Columns {
			if strings.TrimSpace(a.Values[c]) == "" {
				return refuse("values", "all values are asked for", "")
			}
		}
	}
	return nil
}

// right compares. Of somebody who is not concerned only the company's own system
// knows more than that.
func (k *Cell) right(ctx context.Context, campaign pipeline.Campaign, c pipeline.Call, a Answer) (bool, error) {
	switch {
	case a.Way == pipeline.ByCRM:
		return true, nil
	case c.Notice == 0:
		return false, nil
	case a.Way == pipeline.ByReference:
		return k.Customers.HasReference(ctx, campaign, c.Notice, a.Reference)
	case a.Way == pipeline.ByValues:
		return k.Customers.Knows(ctx, campaign, c.Notice, a.Values)
	}
	p, err := k.Customers.Proofs(ctx, campaign, c.Notice)
	return a.Reached && p.Phone != "", err
}

// mismatch puts a wrong answer on record.
func (k *Cell) mismatch(ctx context.Context, who Asker, c pipeline.Call, way pipeline.Verification) error {
	if err := k.Calls.AddSteps(ctx, k.step(who, c.ID, pipeline.StepMismatch, string(way), "")); err != nil {
		return err
	}
	if err := k.record(ctx, who, c, "cell-mismatch", "", string(way)); err != nil {
		return err
	}
	return &pipeline.Error{Code: "mismatch", Sentence: "this does not match"}
}

// locked says that nobody verifies this customer for now, and tells the lead.
func (k *Cell) locked(ctx context.Context, who Asker, c pipeline.Call) error {
	if !c.Waiting() {
		_, err := k.change(ctx, c.ID, func(c *pipeline.Call) []pipeline.CallStep {
			c.Escalated, c.EscalatedAt, c.HandledBy, c.HandledAt = pipeline.EscalatedLocked, k.Clock.Now(), "", time.Time{}
			return []pipeline.CallStep{k.step(who, c.ID, pipeline.StepEscalated, pipeline.EscalatedLocked, "")}
		})
		if err != nil {
			return err
		}
		if err := k.record(ctx, who, c, "cell-locked", "", ""); err != nil {
			return err
		}
	}
	return refuse("locked", "too many answers about this customer were wrong; nobody verifies them for now", "the lead of the cell has been told; give the general answer")
}

// Number returns the number on file, for a call back. That it was shown is on
// record; it is dialled, and never read out. To ask for one that is not there is a
// wrong answer, and counts as one: nobody finds out who is concerned by asking.
func (k *Cell) Number(ctx context.Context, who Asker, id int64) (string, error) {
	c, err := k.under(ctx, who, id, StageVerify)
	if err != nil {
		return "", err
	}
	campaign, _ := who.knows(c.Campaign)
	p, err := k.Customers.Proofs(ctx, campaign, c.Notice)
	if err != nil {
		return "", err
	}
	if !slices.Contains(p.Ways, pipeline.ByCallback) {
		return "", refuse("no-phone", "this campaign calls nobody back", "")
	}
	if p.Phone == "" {
		c, free, err := k.Calls.TryAnswer(ctx, id, mostTries, k.Clock.Now().Add(-tryTime))
		if err != nil {
			return "", err
		}
		if !free {
			return "", k.locked(ctx, who, c)
		}
		return "", k.mismatch(ctx, who, c, pipeline.ByCallback)
	}
	if err := k.Calls.AddSteps(ctx, k.step(who, id, pipeline.StepUnmasked, "phone", "")); err != nil {
		return "", err
	}
	return p.Phone, k.record(ctx, who, c, "cell-number", "", callDetail(c))
}

// Compare reports whether an address that the caller states is the one on file. A
// wrong one counts like a wrong answer: nobody finds an address out by asking.
func (k *Cell) Compare(ctx context.Context, who Asker, id int64, a Address) (bool, error) {
	c, err := k.under(ctx, who, id, StageAnswer)
	if err != nil {
		return false, err
	}
	if a.Email == "" && len(a.Lines) == 0 {
		return false, refuse("address-missing", "type what the caller says", "")
	}
	c, free, err := k.Calls.TryAnswer(ctx, id, mostTries, k.Clock.Now().Add(-tryTime))
	if err != nil {
		return false, err
	}
	if !free {
		return false, k.locked(ctx, who, c)
	}
	campaign, _ := who.knows(c.Campaign)
	same, err := k.Customers.Lives(ctx, campaign, c.Notice, a)
	if err != nil {
		return false, err
	}
	result := "no-match"
	if same {
		result = "match"
	}
	_, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		if same {
			c.Tries = max(0, c.Tries-1)
		}
		return []pipeline.CallStep{k.step(who, id, pipeline.StepCompared, string(a.Channel()), result)}
	})
	return same, err
}
