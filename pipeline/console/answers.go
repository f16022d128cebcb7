package console

import (
	"cmp"
	"errors"
	"html/template"
	"slices"
	"strconv"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

// This file holds the published answers, for whoever has somebody on the phone or
// across the counter.

func answerRoutes() []route {
	return []route{
		{pattern: "GET /answers", may: ActAnswer, do: answersHome},
		{pattern: "GET /campaigns/{name}/answers", may: ActAnswer, do: listAnswers},
		{pattern: "POST /campaigns/{name}/answers", may: ActAnswer, do: listAnswers},
		{pattern: "POST /campaigns/{name}/answers/seen", may: ActAnswer, do: seenAnswers},
		{pattern: "GET /campaigns/{name}/answers/{qa}", may: ActAnswer, do: showAnswer},
		{pattern: "POST /campaigns/{name}/answers/{qa}/given", may: ActAnswer, do: giveAnswer},
	}
}

// audiences are those whose answers the visitor reads. A program reads for the cell and
// the shops, and through it nobody with an account more than they do themselves.
func (v *visit) audiences() []pipeline.Audience {
	if v.program.ID == 0 {
		return audiencesOf(v.user.Roles)
	}
	list := []pipeline.Audience{pipeline.ForCell, pipeline.ForShop}
	if v.behalf.ID == 0 {
		return list
	}
	own := audiencesOf(v.behalf.Roles)
	return slices.DeleteFunc(list, func(a pipeline.Audience) bool { return !slices.Contains(own, a) })
}

// audiencesOf are those of somebody with these roles. Who writes reads all.
func audiencesOf(roles []string) (list []pipeline.Audience) {
	if May(roles, ActCompose) {
		return pipeline.Audiences()
	}
	if slices.Contains(roles, string(Agent)) {
		list = append(list, pipeline.ForCell)
	}
	if slices.Contains(roles, string(Shop)) {
		list = append(list, pipeline.ForShop)
	}
	return list
}

// mayRead reports whether a version is written for the visitor.
func (v *visit) mayRead(x pipeline.QAVersion) bool {
	return slices.ContainsFunc(v.audiences(), x.For)
}

// answersHome goes to the answers of the only campaign, or lists campaigns.
func answersHome(v *visit) error {
	all, err := v.campaigns()
	if err != nil {
		return err
	}
	if len(all) == 1 {
		return v.seeOther(campaignPath(all[0]) + "/answers")
	}
	return v.page("answers_home", all)
}

// shownAnswer is a published answer on a page.
type shownAnswer struct {
	pipeline.QA
	HTML template.HTML
	New  bool // published since the visitor looked last
}

// answersData is the list of answers.
type answersData struct {
	Campaign  pipeline.Campaign
	Lang      string
	Other     string
	Query     string
	Searched  bool
	Answers   []shownAnswer
	Changed   []shownAnswer // since the visitor looked last
	Withdrawn []pipeline.QA
	Newest    int64  // step
	First     bool   // the visitor has not looked yet
	Call      int64  // that they are looked up for; 0: none
	Back      string // to that call
}

// published returns what the visitor may read of a campaign in one language, newest
// step first, and what was withdrawn since a step.
func (v *visit) published(c pipeline.Campaign, locale string) (list []shownAnswer, all []pipeline.QA, err error) {
	if all, err = v.Ledger.QAs(v.ctx(), c.ID); err != nil {
		return nil, nil, err
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return nil, nil, err
	}
	for _, q := range all {
		if q.InForce.N > 0 && (locale == "" || q.Locale == locale) && v.mayRead(q.InForce) {
			list = append(list, shownAnswer{QA: q, HTML: answer.HTML(q.InForce.Answer, q.Locale, hosts)})
		}
	}
	// In the order in which they were brought in: what is asked most stands first.
	slices.SortFunc(list, func(a, b shownAnswer) int { return cmp.Compare(a.ID, b.ID) })
	return list, all, nil
}

// lang is the language of the answers that somebody asks for, else of the page.
func (v *visit) lang(asked string) (lang, other string) {
	lang = asked
	if !slices.Contains(answer.Locales(), lang) {
		lang = v.words.locale
	}
	for _, l := range answer.Locales() {
		if l != lang {
			other = l
		}
	}
	return lang, other
}

func listAnswers(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	d := answersData{Campaign: c, Query: v.value("q"), Searched: v.r.PostForm.Has("q")}
	asked, call := v.r.URL.Query().Get("lang"), v.r.URL.Query().Get("call")
	if d.Searched {
		asked, call = v.value("lang"), v.value("call")
	}
	if d.Call, _ = strconv.ParseInt(call, 10, 64); d.Call > 0 {
		d.Back = callPath(d.Call)
	}
	d.Lang, d.Other = v.lang(asked)
	list, all, err := v.published(c, d.Lang)
	if err != nil {
		return err
	}
	seen, err := v.Ledger.QASeen(v.ctx(), v.user.ID, c.ID)
	if err != nil {
		return err
	}
	d.First = seen == 0
	for i := range list {
		list[i].New = !d.First && list[i].Last.ID > seen
		if list[i].New {
			d.Changed = append(d.Changed, list[i])
		}
	}
	for _, q := range all {
		d.Newest = max(d.Newest, q.Last.ID)
		// A withdrawn answer is news to those who could have given it.
		if q.Last.Kind == pipeline.QAWithdrawn && q.Last.ID > seen && !d.First && q.Locale == d.Lang && v.mayRead(q.Newest) {
			d.Withdrawn = append(d.Withdrawn, q)
		}
	}
	d.Answers = list
	if d.Searched {
		entries := make([]answer.Entry, len(list))
		for i, a := range list {
			entries[i] = entryOf(a.QA, a.InForce)
		}
		d.Answers = nil
		for _, i := range answer.Search(entries, d.Query) {
			d.Answers = append(d.Answers, list[i])
		}
	}
	return v.page("answers", d)
}

func entryOf(q pipeline.QA, x pipeline.QAVersion) answer.Entry {
	return answer.Entry{Topic: q.Topic, Locale: q.Locale, Audiences: x.Audiences, Question: x.Question, Answer: x.Answer}
}

// seenAnswers notes up to where somebody has looked.
func seenAnswers(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	step, _ := strconv.ParseInt(v.value("step"), 10, 64)
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	if err != nil {
		return err
	}
	newest := int64(0)
	for _, q := range all {
		newest = max(newest, q.Last.ID)
	}
	if step > 0 {
		if err := v.Ledger.SeeQA(v.ctx(), v.user.ID, c.ID, min(step, newest)); err != nil {
			return err
		}
	}
	lang, _ := v.lang(v.value("lang"))
	return v.done(campaignPath(c)+"/answers?lang="+lang, "answers_seen")
}

// question is the one that the path names, of the campaign that the path names.
func (v *visit) question() (pipeline.Campaign, pipeline.QA, error) {
	c, err := v.campaign()
	if err != nil {
		return c, pipeline.QA{}, err
	}
	id, err := strconv.ParseInt(v.r.PathValue("qa"), 10, 64)
	if err != nil {
		return c, pipeline.QA{}, pipeline.ErrNotFound
	}
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	if err != nil {
		return c, pipeline.QA{}, err
	}
	i := slices.IndexFunc(all, func(q pipeline.QA) bool { return q.ID == id })
	if i < 0 {
		return c, pipeline.QA{}, pipeline.ErrNotFound
	}
	return c, all[i], nil
}

// answerData is one answer, and what its last publication changed.
type answerData struct {
	Campaign pipeline.Campaign
	Answer   shownAnswer
	Before   pipeline.QAVersion // in force before; N is 0 for the first
	Changes  []answer.Piece
}

func showAnswer(v *visit) error {
	c, q, err := v.question()
	if err != nil {
		return err
	}
	if q.InForce.N == 0 || !v.mayRead(q.InForce) {
		return pipeline.ErrNotFound // also of a draft: nobody learns that there is one
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return err
	}
	versions, steps, err := v.Ledger.QAHistory(v.ctx(), c.ID, q.ID)
	if err != nil {
		return err
	}
	d := answerData{Campaign: c, Answer: shownAnswer{QA: q, HTML: answer.HTML(q.InForce.Answer, q.Locale, hosts)}}
	for _, s := range steps[:len(steps)-1] {
		if s.Kind == pipeline.QAPublished {
			d.Before = versions[s.N-1]
		}
	}
	// What was written for others before stays theirs.
	if d.Before.N > 0 && v.mayRead(d.Before) {
		d.Changes = answer.Compare(d.Before.Question+"\n\n"+d.Before.Answer, q.InForce.Question+"\n\n"+q.InForce.Answer)
	} else {
		d.Before = pipeline.QAVersion{}
	}
	return v.page("answer_one", d)
}

// giveAnswer notes that somebody answered with the version that they had before
// them, which may be older than the one in force by now.
func giveAnswer(v *visit) error {
	c, q, err := v.question()
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(v.value("n"))
	call, err := v.ownCall(c, v.number64("call"))
	if err != nil {
		return err
	}
	if err := v.give(c, q, n, call); err != nil {
		return err
	}
	if call > 0 {
		return v.done(callPath(call), "answer_given")
	}
	return v.done(campaignPath(c)+"/answers?lang="+q.Locale, "answer_given")
}

// give records that a version was answered with; call is 0 outside one.
func (v *visit) give(c pipeline.Campaign, q pipeline.QA, n int, call int64) error {
	versions, _, err := v.Ledger.QAHistory(v.ctx(), c.ID, q.ID)
	if err != nil {
		return err
	}
	if n < 1 || n > len(versions) || !v.mayRead(versions[n-1]) {
		return pipeline.ErrNotFound
	}
	err = v.Ledger.GiveQA(v.ctx(), pipeline.QAGiven{Campaign: c.ID, QA: q.ID, N: n, Call: call, Actor: v.actor(), At: v.Clock.Now()})
	if errors.Is(err, pipeline.ErrConflict) {
		return pipeline.ErrNotFound // never published
	}
	if err != nil || call == 0 {
		return err
	}
	return v.Ledger.AddSteps(v.ctx(), pipeline.CallStep{Call: call, At: v.Clock.Now(), Agent: v.actor(), Kind: pipeline.StepAnswer, Code: q.Topic, Detail: q.Locale + " " + strconv.Itoa(n)})
}

// callPath is the page of a call.
func callPath(call int64) string { return "/cell/calls/" + strconv.FormatInt(call, 10) }

// ownCall is the call that something belongs to, 0 without one. It must be one of the
// visitor, under way and about this campaign or about none yet.
func (v *visit) ownCall(c pipeline.Campaign, id int64) (int64, error) {
	if id <= 0 {
		return 0, nil
	}
	call, err := v.Ledger.Call(v.ctx(), id)
	if err != nil {
		return 0, err
	}
	if call.Agent != v.actor() || !call.Open() || call.Campaign != 0 && call.Campaign != c.ID {
		return 0, pipeline.ErrNotFound
	}
	return id, nil
}
