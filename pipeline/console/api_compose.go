package console

import (
	"errors"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

// This file holds the writing of questions and answers for programs, and their
// publication, which stays with a lead.

func composeEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns/{name}/qa", "listQA", "All questions as their writers see them.", ActCompose, apiQAs),
		endpointOf("GET", "/campaigns/{name}/qa/{qa}", "showQA", "A question with its versions and what became of them.", ActCompose, apiQA),
		endpointOf("POST", "/campaigns/{name}/qa", "writeQA", "Write a question that is not there yet, as a draft.", ActCompose, apiWriteQA),
		endpointOf("POST", "/campaigns/{name}/qa/{qa}/versions", "rewriteQA", "Write a new version, as a draft.", ActCompose, apiRewriteQA),
		endpointOf("POST", "/campaigns/{name}/qa/starters", "takeStarters", "Take the starting questions over whose topic is not there yet, as drafts.", ActCompose, apiStarters),
		endpointOf("POST", "/campaigns/{name}/qa/{qa}/publish", "publishQA", "Put a version in force. One with gaps is not published.", ActPublish, apiPublish),
		endpointOf("POST", "/campaigns/{name}/qa/{qa}/withdraw", "withdrawQA", "Take what is in force back.", ActPublish, apiWithdraw),
	}
}

type qaLine struct {
	QA      int64  `json:"qa"`
	Topic   string `json:"topic" eg:"bank"`
	Locale  string `json:"locale" eg:"fr"`
	State   string `json:"state" enum:"draft|published|withdrawn"`
	InForce int    `json:"in_force" doc:"Version that is published; 0: none."`
	Newest  int    `json:"newest" doc:"Version that was written last."`
	Pending bool   `json:"pending" doc:"The newest waits for a lead."`
	Given   int64  `json:"given" doc:"How often somebody was answered with it."`
}

type qaLines struct {
	Items []qaLine `json:"items"`
}

func qaLineOf(q pipeline.QA, given int64) qaLine {
	return qaLine{q.ID, q.Topic, q.Locale, string(q.State()), q.InForce.N, q.Newest.N, q.Pending(), given}
}

func apiQAs(v *visit, _ nothing) (qaLines, error) {
	d := qaLines{[]qaLine{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	if err != nil {
		return d, err
	}
	told, err := v.Ledger.QATold(v.ctx(), c.ID)
	by := map[int64]int64{}
	for _, t := range told {
		by[t.QA] = t.Count
	}
	for _, q := range all {
		d.Items = append(d.Items, qaLineOf(q, by[q.ID]))
	}
	return d, err
}

type qaWhole struct {
	QA       qaLine      `json:"qa"`
	Gaps     []string    `json:"gaps" doc:"What the newest version leaves to be filled in."`
	Versions []qaWritten `json:"versions"`
	Steps    []qaStep    `json:"steps"`
}

type qaWritten struct {
	Version   int       `json:"version"`
	Audiences []string  `json:"audiences" eg:"cell"`
	Question  string    `json:"question" eg:"Were bank details taken?"`
	Answer    string    `json:"answer" eg:"No." doc:"Markdown."`
	Author    string    `json:"author" eg:"user:lea"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason" eg:"first wording"`
}

type qaStep struct {
	Step    int64     `json:"step"`
	Kind    string    `json:"kind" enum:"published|withdrawn"`
	Version int       `json:"version"`
	Actor   string    `json:"actor" eg:"user:lea"`
	At      time.Time `json:"at"`
	Reason  string    `json:"reason" eg:"read by the officer"`
}

func apiQA(v *visit, _ nothing) (qaWhole, error) {
	c, q, err := v.question()
	if err != nil {
		return qaWhole{}, err
	}
	return v.qaWhole(c, q)
}

func (v *visit) qaWhole(c pipeline.Campaign, q pipeline.QA) (qaWhole, error) {
	d := qaWhole{QA: qaLineOf(q, 0), Gaps: append([]string{}, answer.Gaps(entryOf(q, q.Newest))...), Versions: []qaWritten{}, Steps: []qaStep{}}
	told, err := v.Ledger.QATold(v.ctx(), c.ID)
	if err != nil {
		return d, err
	}
	for _, t := range told {
		if t.QA == q.ID {
			d.QA.Given = t.Count
		}
	}
	versions, steps, err := v.Ledger.QAHistory(v.ctx(), c.ID, q.ID)
	for _, x := range versions {
		w := qaWritten{x.N, []string{}, x.Question, x.Answer, x.Author, x.At.UTC(), x.Reason}
		for _, a := range x.Audiences {
			w.Audiences = append(w.Audiences, string(a))
		}
		d.Versions = append(d.Versions, w)
	}
	for _, s := range steps {
		d.Steps = append(d.Steps, qaStep{s.ID, string(s.Kind), s.N, s.Actor, s.At.UTC(), s.Reason})
	}
	return d, err
}

type qaOrder struct {
	Topic     string   `json:"topic" max:"40" eg:"meter" doc:"The same in every language."`
	Locale    string   `json:"locale" enum:"fr|en"`
	Audiences []string `json:"audiences" eg:"cell" doc:"cell, shop, press."`
	Question  string   `json:"question" eg:"Is the meter number among the data?"`
	Answer    string   `json:"answer" eg:"No." doc:"Markdown."`
	Query     int64    `json:"query,omitempty" doc:"The question of a caller that it answers; a lead closes it so."`
	Reason    string   `json:"reason" max:"300" eg:"asked often" doc:"Why; a sentence without names. It goes on record."`
}

func apiWriteQA(v *visit, in qaOrder) (qaWhole, error) {
	c, err := v.campaign()
	if err != nil {
		return qaWhole{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return qaWhole{}, err
	}
	if in.Query > 0 {
		if _, err := v.Ledger.Query(v.ctx(), c.ID, in.Query); err != nil {
			return qaWhole{}, err
		}
	}
	q, err := v.apiWrite(c, answer.Entry{Topic: in.Topic, Locale: in.Locale}, qaText{in.Audiences, in.Question, in.Answer, 0, reason})
	if err != nil {
		return qaWhole{}, err
	}
	if in.Query > 0 && v.may(ActPublish) {
		err := v.closeQuery(c, pipeline.Query{ID: in.Query, State: pipeline.QueryAnswered, QA: q.ID}, reason)
		if err != nil && !errors.Is(err, pipeline.ErrConflict) {
			return qaWhole{}, err
		}
	}
	return v.qaWhole(c, q)
}

type qaText struct {
	Audiences []string `json:"audiences" eg:"cell" doc:"cell, shop, press."`
	Question  string   `json:"question" eg:"Is the meter number among the data?"`
	Answer    string   `json:"answer" eg:"No: it was not." doc:"Markdown."`
	After     int      `json:"after" eg:"1" doc:"The version that the writer had before them."`
	Reason    string   `json:"reason" max:"300" eg:"clearer" doc:"Why; a sentence without names. It goes on record."`
}

func apiRewriteQA(v *visit, in qaText) (qaWhole, error) {
	c, q, err := v.question()
	if err != nil {
		return qaWhole{}, err
	}
	if in.After < 1 {
		return qaWhole{}, invalid("after", "missing", "say after which version this one comes")
	}
	if q, err = v.apiWrite(c, answer.Entry{Topic: q.Topic, Locale: q.Locale}, in); err != nil {
		return qaWhole{}, err
	}
	return v.qaWhole(c, q)
}

// apiWrite checks a text as the page does, and stores it.
func (v *visit) apiWrite(c pipeline.Campaign, e answer.Entry, in qaText) (pipeline.QA, error) {
	reason, err := v.why(in.Reason)
	if err != nil {
		return pipeline.QA{}, err
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return pipeline.QA{}, err
	}
	for _, a := range in.Audiences {
		e.Audiences = append(e.Audiences, pipeline.Audience(a))
	}
	e.Question = oneLine(in.Question)
	if e.Answer, err = prose("answer", in.Answer, answer.MostAnswer, true); err != nil {
		return pipeline.QA{}, err
	}
	var wrong faults
	for _, f := range answer.Check(e, hosts) {
		wrong = append(wrong, fieldFault{f.Field, f.Code, f.Sentence()})
	}
	if len(wrong) > 0 {
		return pipeline.QA{}, wrong
	}
	x := pipeline.QAVersion{Audiences: e.Audiences, Question: e.Question, Answer: e.Answer, Author: v.actor(), At: v.Clock.Now(), Reason: reason}
	q, err := v.writeQA(c, e, x, in.After)
	if errors.Is(err, pipeline.ErrStale) {
		if in.After == 0 {
			return q, refuse("qa-there", "there is a question of this topic and language", "write a version of it")
		}
		return q, refuse("qa-changed", "somebody has written another version since", "look at it again")
	}
	return q, err
}

func apiStarters(v *visit, in because) (qaLines, error) {
	c, err := v.campaign()
	if err != nil {
		return qaLines{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return qaLines{}, err
	}
	if err := v.starters(c, reason); err != nil {
		return qaLines{}, err
	}
	return apiQAs(v, nothing{})
}

type publishOrder struct {
	Version int    `json:"version" eg:"2" doc:"Exactly the one that was read."`
	Reason  string `json:"reason" max:"300" eg:"read by the officer" doc:"Why; a sentence without names. It goes on record."`
}

func apiPublish(v *visit, in publishOrder) (qaWhole, error) {
	if in.Version < 1 {
		return qaWhole{}, invalid("version", "missing", "say which version is published")
	}
	v.r.SetPathValue("n", strconv.Itoa(in.Version))
	c, q, x, _, err := v.qaVersion()
	if err != nil {
		return qaWhole{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return qaWhole{}, err
	}
	if err := v.publish(c, q, x, reason); err != nil {
		return qaWhole{}, err
	}
	return apiQA(v, nothing{})
}

func apiWithdraw(v *visit, in because) (qaWhole, error) {
	c, q, err := v.question()
	if err != nil {
		return qaWhole{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return qaWhole{}, err
	}
	if err := v.withdraw(c, q, reason); err != nil {
		return qaWhole{}, err
	}
	return apiQA(v, nothing{})
}
