package console

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Tries is how near a customer is to being locked by wrong answers.
type Tries struct {
	Left  int       // answers that are still looked at
	Until time.Time // of a locked one: when answers are looked at again by themselves
}

// tries counts the wrong answers about the customer of a call. What is shown of them
// is the same whether they are concerned or not.
func (k *Cell) tries(ctx context.Context, c pipeline.Call) (Tries, error) {
	wrong, err := k.Calls.WrongAnswers(ctx, c.ID, k.Clock.Now().Add(-tryTime))
	sum := 0
	for _, w := range wrong {
		sum += w.Tries
	}
	t := Tries{Left: max(0, mostTries-sum)}
	for _, w := range wrong { // the oldest ones are forgotten first
		if sum < mostTries {
			break
		}
		sum, t.Until = sum-w.Tries, w.OpenedAt.Add(tryTime)
	}
	return t, err
}

// mismatch puts a wrong answer on record. The last one that is looked at locks.
func (k *Cell) mismatch(ctx context.Context, who Asker, c pipeline.Call, way pipeline.Verification) error {
	if err := k.Calls.AddSteps(ctx, k.step(who, c.ID, pipeline.StepMismatch, string(way), "")); err != nil {
		return err
	}
	if err := k.record(ctx, who, c, "cell-mismatch", "", string(way)); err != nil {
		return err
	}
	if err := k.lockAtLast(ctx, who, c); err != nil {
		return err
	}
	return &pipeline.Error{Code: "mismatch", Sentence: "this does not match"}
}

// lockAtLast is nil while answers about the customer of a call are still looked at.
func (k *Cell) lockAtLast(ctx context.Context, who Asker, c pipeline.Call) error {
	t, err := k.tries(ctx, c)
	if err != nil || t.Left > 0 {
		return err
	}
	return k.locked(ctx, who, c)
}

// locked says that nobody verifies this customer for now, and tells the lead once.
func (k *Cell) locked(ctx context.Context, who Asker, c pipeline.Call) error {
	news := false
	_, err := k.change(ctx, c.ID, func(c *pipeline.Call) []pipeline.CallStep {
		if news = !c.Waiting(); !news {
			return nil
		}
		c.Escalated, c.EscalatedAt, c.HandledBy, c.HandledAt = pipeline.EscalatedLocked, k.Clock.Now(), "", time.Time{}
		return []pipeline.CallStep{k.step(who, c.ID, pipeline.StepEscalated, pipeline.EscalatedLocked, "")}
	})
	if err == nil && news {
		err = k.record(ctx, who, c, "cell-locked", "", "")
	}
	if err != nil {
		return err
	}
	return refuse("locked", "too many answers about this customer were wrong; nobody verifies them for a day, or until the lead has looked", "the lead of the cell has been told; give the general answer, or send an answer in writing")
}
