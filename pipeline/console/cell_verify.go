package console

import (
	"context"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// Answer is how a caller proves who they are.
type Answer struct {
	Way       pipeline.Verification
	Reference string            // that they read out; "" if the call was opened with it
	Values    map[string]string // column → what they say
	Reached   bool              // they answered at the number on file, which Number has shown before
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
	if err := k.complete(ctx, who, c, a, proofs); err != nil {
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
// knows of the campaign and of the call only: what is missing on file is no other
// answer than a wrong one.
func (k *Cell) complete(ctx context.Context, who Asker, c pipeline.Call, a Answer, p Proofs) error {
	switch a.Way {
	case pipeline.ByReference:
		if a.Reference == "" && readOut(c) {
			return nil
		}
		if _, err := pipeline.ParseReference(a.Reference); err != nil {
			return refuse("reference", "this is no reference: a character was misheard or mistyped", "twelve letters and digits; ask for it again")
		}
	case pipeline.ByCallback:
		dialled, err := k.dialled(ctx, who, c)
		if err != nil {
			return err
		}
		if !a.Reached || !dialled {
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

// readOut reports whether the customer of a call was found by the reference of a
// letter. Whoever reads that out has the letter: it is not asked for a second time.
func readOut(c pipeline.Call) bool { return c.Found == pipeline.FoundNotice && c.Key == keyReference }

// keyReference is the kind of key that Customers.Seek calls a reference.
const keyReference = "reference"

// dialled reports whether the asker was shown the number on file in this call, or was
// told that there is none, since somebody was found: nobody is reached at a number
// that was never seen.
func (k *Cell) dialled(ctx context.Context, who Asker, c pipeline.Call) (bool, error) {
	steps, err := k.Calls.CallSteps(ctx, c.ID)
	asked := false
	for _, s := range steps {
		switch {
		case s.Kind == pipeline.StepLookUp || s.Kind == pipeline.StepChosen:
			asked = false
		case s.Agent != who.Actor:
		case s.Kind == pipeline.StepUnmasked && s.Code == unmaskedPhone, s.Kind == pipeline.StepMismatch && s.Code == string(pipeline.ByCallback):
			asked = true
		}
	}
	return asked, err
}

// unmaskedPhone is the code of the step in which the number on file was shown.
const unmaskedPhone = "phone"

// right compares. Of somebody who is not concerned only the company's own system
// knows more than that.
func (k *Cell) right(ctx context.Context, campaign pipeline.Campaign, c pipeline.Call, a Answer) (bool, error) {
	switch {
	case a.Way == pipeline.ByCRM:
		return true, nil
	case c.Notice == 0:
		return false, nil
	case a.Way == pipeline.ByReference && a.Reference == "":
		return readOut(c), nil
	case a.Way == pipeline.ByReference:
		return k.Customers.HasReference(ctx, campaign, c.Notice, a.Reference)
	case a.Way == pipeline.ByValues:
		return k.Customers.Knows(ctx, campaign, c.Notice, a.Values)
	}
	p, err := k.Customers.Proofs(ctx, campaign, c.Notice)
	return a.Reached && p.Phone != "", err
}

// Number returns the number on file, for a call back. That it was shown is on
// record; it is dialled, and never read out. To ask for one that is not there is a
// wrong answer, and counts as one: nobody finds out who is concerned by asking. A
// customer who is locked has no number either.
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
	c, free, err := k.Calls.TryAnswer(ctx, id, mostTries, k.Clock.Now().Add(-tryTime))
	if err != nil {
		return "", err
	}
	if !free {
		return "", k.locked(ctx, who, c)
	}
	if p.Phone == "" {
		return "", k.mismatch(ctx, who, c, pipeline.ByCallback)
	}
	_, err = k.change(ctx, id, func(c *pipeline.Call) []pipeline.CallStep {
		c.Tries = max(0, c.Tries-1)
		return []pipeline.CallStep{k.step(who, id, pipeline.StepUnmasked, unmaskedPhone, "")}
	})
	if err != nil {
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
	if err != nil || same {
		return same, err
	}
	return false, k.lockAtLast(ctx, who, c)
}
