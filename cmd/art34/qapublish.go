package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

type qaPublishCmd struct {
	campaignArg
	Topic  []string `arg:"" optional:"" help:"Topics to publish." placeholder:"TOPIC"`
	All    bool     `help:"Every draft that has no gaps."`
	Locale string   `help:"Only in this language." placeholder:"LOCALE"`
	Number int      `help:"This version instead of the newest; of one topic in one language." placeholder:"N"`
	Reason string   `help:"Why, for the history." placeholder:"TEXT"`
}

// Help shows examples.
func (qaPublishCmd) Help() string {
	return `From then on it is the answer: agents and shops see it and that it is new. What has gaps, [[like this]], is not published. Read drafts before you publish them.

Examples:

    art34 qa publish muguet am-i-concerned --reason "read by the officer"
    art34 qa publish muguet am-i-concerned --locale en --number 2 --reason "the new wording was wrong"
    art34 qa publish muguet --all --reason "all read by the officer and the press office"`
}

// qaDone is what came of a publication.
type qaDone struct {
	Published []string `json:"published"` // topic.locale
	Gaps      []string `json:"gaps"`
	InForce   []string `json:"in_force"` // already
}

// Run publishes.
func (c qaPublishCmd) Run(ctx context.Context, a *app) error {
	switch {
	case c.All == (len(c.Topic) > 0):
		return refuse("usage", "name topics, or --all", "art34 qa list "+c.Campaign+" lists them")
	case c.Number != 0 && (len(c.Topic) != 1 || c.Locale == ""):
		return refuse("usage", "--number belongs to one topic in one language", "name both: TOPIC --locale fr --number 2")
	}
	if err := (qaFilter{Locale: c.Locale}).check(); err != nil {
		return err
	}
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		done := qaDone{[]string{}, []string{}, []string{}}
		seen := map[string]bool{}
		for _, q := range all {
			if c.Locale != "" && q.Locale != c.Locale || !c.All && !slices.Contains(c.Topic, q.Topic) {
				continue
			}
			seen[q.Topic] = true
			if c.All && !q.Pending() {
				continue
			}
			if err := c.publish(ctx, h, campaign, q, &done); err != nil {
				return err
			}
		}
		for _, t := range c.Topic {
			if !seen[t] {
				return decline("qa-unknown", "there is no question of the topic "+t, "art34 qa list "+c.Campaign+" lists them")
			}
		}
		err := a.answer(done, func(w io.Writer) {
			fmt.Fprintf(w, "%s published.\n", count(int64(len(done.Published)), "answer is", "answers are"))
			for _, g := range done.Gaps {
				fmt.Fprintf(w, "%s has gaps that are to be filled in first.\n", g)
			}
		})
		if err == nil && len(done.Gaps) > 0 {
			return errNo
		}
		return err
	})
}

func (c qaPublishCmd) publish(ctx context.Context, h *house, campaign pipeline.Campaign, q pipeline.QA, done *qaDone) error {
	name, x := q.Topic+"."+q.Locale, q.Newest
	if c.Number != 0 {
		versions, _, err := h.ledger.QAHistory(ctx, campaign.ID, q.ID)
		if err != nil {
			return err
		}
		if c.Number < 1 || c.Number > len(versions) {
			return decline("qa-version", fmt.Sprintf("there is no version %d", c.Number), fmt.Sprintf("there are %d", len(versions)))
		}
		x = versions[c.Number-1]
	}
	if x.N == q.InForce.N {
		done.InForce = append(done.InForce, name)
		return nil
	}
	e := qaEntry(q, x)
	if len(answer.Gaps(e)) > 0 {
		done.Gaps = append(done.Gaps, name)
		return nil
	}
	hosts, err := consoleFloor{h}.Links(ctx, campaign)
	if err != nil {
		return err
	}
	if faults := answer.Check(e, hosts); len(faults) > 0 {
		return decline("qa-faults", name+": "+faults[0].Sentence(), "correct the question, and publish it then")
	}
	s := pipeline.QAStep{QA: q.ID, N: x.N, Kind: pipeline.QAPublished, Actor: h.actor(), At: h.clock.Now(), Reason: c.Reason}
	if _, err := h.ledger.StepQA(ctx, campaign.ID, s, h.audit(campaign.ID, "qa-publish", c.Reason, fmt.Sprintf("%s %s, version %d", q.Topic, q.Locale, x.N))); err != nil {
		return err
	}
	done.Published = append(done.Published, name)
	return nil
}

type qaWithdrawCmd struct {
	topicArg
	Reason string `help:"Why: whoever has read the answer is told." placeholder:"TEXT"`
}

// Help shows examples.
func (qaWithdrawCmd) Help() string {
	return `Nobody answers with it any more; agents see that it is gone, and why.

Example:

    art34 qa withdraw muguet compensation --reason "the board decides on Monday"`
}

// Run withdraws an answer.
func (c qaWithdrawCmd) Run(ctx context.Context, a *app) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		q, err := c.of(all)
		if err != nil {
			return err
		}
		s := pipeline.QAStep{QA: q.ID, N: q.InForce.N, Kind: pipeline.QAWithdrawn, Actor: h.actor(), At: h.clock.Now(), Reason: c.Reason}
		_, err = h.ledger.StepQA(ctx, campaign.ID, s, h.audit(campaign.ID, "qa-withdraw", c.Reason, fmt.Sprintf("%s %s, version %d", q.Topic, q.Locale, s.N)))
		if errors.Is(err, pipeline.ErrConflict) {
			return decline("qa-not-in-force", "nothing of this question is in force", "publish a version of it first")
		}
		if err != nil {
			return err
		}
		q.Last, q.InForce = s, pipeline.QAVersion{}
		v := viewQA(campaign, q, 0)
		return a.answer(v, func(w io.Writer) { fmt.Fprintf(w, "%s (%s), version %d, is withdrawn.\n", v.Topic, v.Locale, s.N) })
	})
}
