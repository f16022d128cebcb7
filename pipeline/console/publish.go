package console

import (
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

// This file holds what a lead decides about questions and answers: which version is
// in force, or none.

// publish puts a version in force. One with gaps is not published, nor one whose
// links the campaign does not allow any more.
func (v *visit) publish(c pipeline.Campaign, q pipeline.QA, x pipeline.QAVersion, reason string) error {
	e := entryOf(q, x)
	if gaps := answer.Gaps(e); len(gaps) > 0 {
		return refuse("qa-gaps", "something is still to be filled in", strings.Join(gaps, "; "))
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return err
	}
	if faults := answer.Check(e, hosts); len(faults) > 0 {
		return refuse("qa-faults", faults[0].Sentence(), "")
	}
	s := pipeline.QAStep{QA: q.ID, N: x.N, Kind: pipeline.QAPublished, Actor: v.actor(), At: v.Clock.Now(), Reason: reason}
	_, err = v.Ledger.StepQA(v.ctx(), c.ID, s, pipeline.Audit{Campaign: c.ID, At: s.At, Actor: s.Actor, Action: "qa-publish", Reason: reason, Detail: fmt.Sprintf("%s %s, version %d", q.Topic, q.Locale, x.N)})
	if errors.Is(err, pipeline.ErrConflict) {
		return refuse("qa-in-force", "this version is in force already", "")
	}
	return err
}

func publishDeed(v *visit) (deed, error) {
	c, q, x, _, err := v.qaVersion()
	return deed{Key: "qa_publish", About: x.Question, Back: qaPath(c, q), code: "qa_published", do: func(v *visit, reason string) error {
		return v.publish(c, q, x, reason)
	}}, err
}

func withdrawDeed(v *visit) (deed, error) {
	c, q, err := v.question()
	return deed{Key: "qa_withdraw", About: q.Newest.Question, Danger: true, Back: qaPath(c, q), code: "qa_withdrawn", do: func(v *visit, reason string) error {
		return v.withdraw(c, q, reason)
	}}, err
}

// withdraw takes what is in force back.
func (v *visit) withdraw(c pipeline.Campaign, q pipeline.QA, reason string) error {
	s := pipeline.QAStep{QA: q.ID, N: q.InForce.N, Kind: pipeline.QAWithdrawn, Actor: v.actor(), At: v.Clock.Now(), Reason: reason}
	_, err := v.Ledger.StepQA(v.ctx(), c.ID, s, pipeline.Audit{Campaign: c.ID, At: s.At, Actor: s.Actor, Action: "qa-withdraw", Reason: reason, Detail: fmt.Sprintf("%s %s, version %d", q.Topic, q.Locale, s.N)})
	if errors.Is(err, pipeline.ErrConflict) {
		return refuse("qa-not-in-force", "nothing of this question is in force", "")
	}
	return err
}

// reviewData is everything that waits for a lead.
type reviewData struct {
	Campaign pipeline.Campaign
	Waiting  []reviewed
}

type reviewed struct {
	pipeline.QA
	HTML    template.HTML
	Gaps    []string
	Changes []answer.Piece
	Checked bool
}

func (v *visit) review() (reviewData, error) {
	c, err := v.campaign()
	if err != nil {
		return reviewData{}, err
	}
	d := reviewData{Campaign: c}
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	if err != nil {
		return d, err
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return d, err
	}
	for _, q := range all {
		if !q.Pending() {
			continue
		}
		r := reviewed{QA: q, HTML: answer.HTML(q.Newest.Answer, q.Locale, hosts), Gaps: answer.Gaps(entryOf(q, q.Newest))}
		if q.InForce.N > 0 {
			r.Changes = answer.Compare(q.InForce.Question+"\n\n"+q.InForce.Answer, q.Newest.Question+"\n\n"+q.Newest.Answer)
		}
		d.Waiting = append(d.Waiting, r)
	}
	return d, nil
}

func reviewQA(v *visit) error {
	d, err := v.review()
	if err != nil {
		return err
	}
	return v.page("qa_review", d)
}

// publishMany publishes what was ticked: exactly the versions that were on the page.
func publishMany(v *visit) error {
	d, err := v.review()
	if err != nil {
		return err
	}
	reason := v.reason()
	ticked := 0
	for i := range d.Waiting {
		r := &d.Waiting[i]
		if r.Checked = slices.Contains(v.r.PostForm["qa"], fmt.Sprintf("%d.%d", r.ID, r.Newest.N)); r.Checked {
			ticked++
		}
	}
	if ticked == 0 {
		v.wrong("qa", "problem.qa_none")
	}
	if len(v.problems) > 0 {
		return v.again("qa_review", d)
	}
	for _, r := range d.Waiting {
		if !r.Checked {
			continue
		}
		if err := v.refused("qa", v.publish(d.Campaign, r.QA, r.Newest, reason)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		if d, err = v.review(); err != nil {
			return err
		}
		return v.again("qa_review", d)
	}
	return v.done(campaignPath(d.Campaign)+"/qa", "qa_published")
}
