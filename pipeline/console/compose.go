package console

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strconv"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
	"github.com/art34/art34/pipeline/kit/redact"
)

// This file holds the writing of questions and answers: drafts, versions, and their
// publication by a lead.

func composeRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/qa", may: ActCompose, do: listQA},
		{pattern: "GET /campaigns/{name}/qa/new", may: ActCompose, do: newQA},
		{pattern: "POST /campaigns/{name}/qa/new", may: ActCompose, do: saveQA},
		{pattern: "GET /campaigns/{name}/qa/starters", may: ActCompose, do: deedForm(startersDeed)},
		{pattern: "POST /campaigns/{name}/qa/starters", may: ActCompose, do: deedDone(startersDeed)},
		{pattern: "GET /campaigns/{name}/qa/review", may: ActPublish, do: reviewQA},
		{pattern: "POST /campaigns/{name}/qa/review", may: ActPublish, do: publishMany},
		{pattern: "GET /campaigns/{name}/qa/{qa}", may: ActCompose, do: showQA},
		{pattern: "GET /campaigns/{name}/qa/{qa}/edit", may: ActCompose, do: editQA},
		{pattern: "POST /campaigns/{name}/qa/{qa}/edit", may: ActCompose, do: saveQA},
		{pattern: "GET /campaigns/{name}/qa/{qa}/versions/{n}", may: ActCompose, do: showQAVersion},
		{pattern: "GET /campaigns/{name}/qa/{qa}/publish/{n}", may: ActPublish, do: deedForm(publishDeed)},
		{pattern: "POST /campaigns/{name}/qa/{qa}/publish/{n}", may: ActPublish, do: deedDone(publishDeed)},
		{pattern: "GET /campaigns/{name}/qa/{qa}/withdraw", may: ActPublish, do: deedForm(withdrawDeed)},
		{pattern: "POST /campaigns/{name}/qa/{qa}/withdraw", may: ActPublish, do: deedDone(withdrawDeed)},
	}
}

func qaPath(c pipeline.Campaign, q pipeline.QA) string {
	return campaignPath(c) + "/qa/" + strconv.FormatInt(q.ID, 10)
}

// qaList is all questions of a campaign as their writers see them.
type qaList struct {
	Campaign pipeline.Campaign
	All      []pipeline.QA
	Told     map[int64]int64
	Pending  int
	Open     int // queries
}

func listQA(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	d := qaList{Campaign: c, Told: map[int64]int64{}}
	if d.All, err = v.Ledger.QAs(v.ctx(), c.ID); err != nil {
		return err
	}
	other := func(q pipeline.QA) int { // the language of the page comes first
		if q.Locale == v.words.locale {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(d.All, func(a, b pipeline.QA) int { return cmp.Compare(other(a), other(b)) })
	told, err := v.Ledger.QATold(v.ctx(), c.ID)
	if err != nil {
		return err
	}
	for _, t := range told {
		d.Told[t.QA] = t.Count
	}
	for _, q := range d.All {
		if q.Pending() {
			d.Pending++
		}
	}
	if d.Open, err = v.openQueries(c); err != nil {
		return err
	}
	return v.page("qa", d)
}

// openQueries counts the questions of callers that wait for the lead.
func (v *visit) openQueries(c pipeline.Campaign) (open int, err error) {
	hours, err := v.Ledger.QueriesByHour(v.ctx(), c.ID)
	for _, h := range hours {
		if h.Code == string(pipeline.QueryOpen) {
			open += int(h.Count)
		}
	}
	return open, err
}

// qaForm is a question being written.
type qaForm struct {
	Campaign  pipeline.Campaign
	QA        pipeline.QA // ID 0: a new one
	Entry     answer.Entry
	After     int
	Query     int64 // that it answers
	Asked     string
	Audiences []audienceBox
	Locales   []string
	Preview   template.HTML
	Back      string
}

type audienceBox struct {
	Audience pipeline.Audience
	Checked  bool
}

func (f *qaForm) boxes() {
	f.Audiences, f.Locales = nil, answer.Locales()
	for _, a := range pipeline.Audiences() {
		f.Audiences = append(f.Audiences, audienceBox{a, slices.Contains(f.Entry.Audiences, a)})
	}
}

func newQA(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f := qaForm{Campaign: c, Entry: answer.Entry{Locale: v.words.locale, Audiences: []pipeline.Audience{pipeline.ForCell}}, Back: campaignPath(c) + "/qa"}
	if err := v.fromQuery(c, &f, v.r.URL.Query().Get("query")); err != nil {
		return err
	}
	f.boxes()
	return v.page("qa_edit", f)
}

// fromQuery puts what a caller asked beside the form.
func (v *visit) fromQuery(c pipeline.Campaign, f *qaForm, id string) error {
	f.Query, _ = strconv.ParseInt(id, 10, 64)
	if f.Query <= 0 {
		f.Query = 0
		return nil
	}
	q, err := v.Ledger.Query(v.ctx(), c.ID, f.Query)
	if err != nil {
		return err
	}
	f.Asked = v.unsealed(c, q.Sealed, q.SealContext())
	f.Back = campaignPath(c) + "/queries"
	return nil
}

func editQA(v *visit) error {
	c, q, err := v.question()
	if err != nil {
		return err
	}
	f := qaForm{Campaign: c, QA: q, Entry: entryOf(q, q.Newest), After: q.Newest.N, Back: qaPath(c, q)}
	f.boxes()
	return v.page("qa_edit", f)
}

// saveQA stores a version, of a new question or of one that is there. It is a draft:
// nobody answers with it before a lead has published it.
func saveQA(v *visit) error {
	f := qaForm{}
	var err error
	if v.r.PathValue("qa") == "" {
		if f.Campaign, err = v.campaign(); err != nil {
			return err
		}
		f.Back = campaignPath(f.Campaign) + "/qa"
		f.Entry.Topic, f.Entry.Locale = v.value("topic"), v.value("locale")
		if err := v.fromQuery(f.Campaign, &f, v.value("query")); err != nil {
			return err
		}
	} else {
		if f.Campaign, f.QA, err = v.question(); err != nil {
			return err
		}
		f.Back = qaPath(f.Campaign, f.QA)
		f.Entry.Topic, f.Entry.Locale = f.QA.Topic, f.QA.Locale
		f.After, _ = strconv.Atoi(v.value("after"))
	}
	for _, a := range v.r.PostForm["for"] {
		f.Entry.Audiences = append(f.Entry.Audiences, pipeline.Audience(a))
	}
	f.Entry.Question, f.Entry.Answer = v.value("question"), v.text("answer", answer.MostAnswer+1)
	hosts, err := v.Floor.Links(v.ctx(), f.Campaign)
	if err != nil {
		return err
	}
	v.faulty(answer.Check(f.Entry, hosts))
	f.boxes()
	if v.value("preview") == "yes" {
		f.Preview = answer.HTML(f.Entry.Answer, f.Entry.Locale, hosts)
		return v.page("qa_edit", f)
	}
	reason := v.reason()
	if len(v.problems) > 0 {
		return v.again("qa_edit", f)
	}
	return v.storeQA(f, reason)
}

// faulty notes what is wrong with an entry.
func (v *visit) faulty(faults []answer.Fault) {
	for _, x := range faults {
		field := x.Field
		text, err := v.words.say("qa_fault."+x.Code, x.Detail)
		if err != nil {
			text = x.Sentence()
		}
		v.problems = append(v.problems, problem{field, text})
	}
}

func (v *visit) storeQA(f qaForm, reason string) error {
	now := v.Clock.Now()
	version := pipeline.QAVersion{Audiences: f.Entry.Audiences, Question: f.Entry.Question, Answer: f.Entry.Answer, Author: v.actor(), At: now, Reason: reason}
	if f.QA.ID > 0 && f.After == f.QA.Newest.N && version.SameText(f.QA.Newest) {
		return v.done(f.Back, "qa_same")
	}
	q, err := v.writeQA(f.Campaign, f.Entry, version, f.After)
	if errors.Is(err, pipeline.ErrStale) {
		if f.QA.ID == 0 {
			v.wrong("topic", "problem.qa_there")
		} else {
			v.wrong("answer", "problem.qa_stale")
		}
		return v.again("qa_edit", f)
	}
	if err != nil {
		return err
	}
	if f.Query > 0 && May(v.user.Roles, ActPublish) {
		err := v.closeQuery(f.Campaign, pipeline.Query{ID: f.Query, State: pipeline.QueryAnswered, QA: q.ID}, reason)
		if err != nil && !errors.Is(err, pipeline.ErrConflict) {
			return err
		}
	}
	return v.done(qaPath(f.Campaign, q), "qa_saved")
}

// writeQA stores a version after the one that its writer had before them:
// pipeline.ErrStale if there is another since.
func (v *visit) writeQA(c pipeline.Campaign, e answer.Entry, x pipeline.QAVersion, after int) (pipeline.QA, error) {
	a := pipeline.Audit{Campaign: c.ID, At: x.At, Actor: x.Author, Action: "qa-write", Reason: x.Reason, Detail: fmt.Sprintf("%s %s, version %d", e.Topic, e.Locale, after+1)}
	return v.Ledger.WriteQA(v.ctx(), pipeline.QA{Campaign: c.ID, Topic: e.Topic, Locale: e.Locale}, x, after, a)
}

// startersDeed takes over the starting questions whose topic is not there yet.
func startersDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	return deed{Key: "qa_starters", About: c.Name, Back: campaignPath(c) + "/qa", code: "qa_starters", do: func(v *visit, reason string) error {
		return v.starters(c, reason)
	}}, err
}

// starters writes them down; what is there stays.
func (v *visit) starters(c pipeline.Campaign, reason string) error {
	list, err := v.Floor.Starters(v.ctx(), c)
	if err != nil {
		return err
	}
	for _, e := range list {
		now := v.Clock.Now()
		version := pipeline.QAVersion{Audiences: e.Audiences, Question: e.Question, Answer: e.Answer, Author: v.actor(), At: now, Reason: reason}
		a := pipeline.Audit{Campaign: c.ID, At: now, Actor: v.actor(), Action: "qa-write", Reason: reason, Detail: e.Topic + " " + e.Locale + ", version 1, from the starting questions"}
		_, err := v.Ledger.WriteQA(v.ctx(), pipeline.QA{Campaign: c.ID, Topic: e.Topic, Locale: e.Locale}, version, 0, a)
		if err != nil && !errors.Is(err, pipeline.ErrStale) {
			return err
		}
	}
	return nil
}

// qaPage is a question as its writers see it, with its history.
type qaPage struct {
	Campaign pipeline.Campaign
	QA       pipeline.QA
	HTML     template.HTML // of the newest version
	Gaps     []string
	Changes  []answer.Piece // from what is in force to the newest
	History  []qaMoment     // newest first
}

// qaMoment is a version or a step.
type qaMoment struct {
	Kind string // written | published | withdrawn
	N    int
	Step pipeline.QAStep
	Was  pipeline.QAVersion
}

func showQA(v *visit) error {
	c, q, err := v.question()
	if err != nil {
		return err
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return err
	}
	versions, steps, err := v.Ledger.QAHistory(v.ctx(), c.ID, q.ID)
	if err != nil {
		return err
	}
	d := qaPage{Campaign: c, QA: q, HTML: answer.HTML(q.Newest.Answer, q.Locale, hosts), Gaps: answer.Gaps(entryOf(q, q.Newest))}
	if q.InForce.N > 0 && q.Pending() {
		d.Changes = answer.Compare(q.InForce.Question+"\n\n"+q.InForce.Answer, q.Newest.Question+"\n\n"+q.Newest.Answer)
	}
	for _, x := range versions {
		d.History = append(d.History, qaMoment{Kind: "written", N: x.N, Was: x, Step: pipeline.QAStep{Actor: x.Author, At: x.At, Reason: x.Reason}})
	}
	for _, s := range steps {
		d.History = append(d.History, qaMoment{Kind: string(s.Kind), N: s.N, Step: s})
	}
	slices.SortStableFunc(d.History, func(a, b qaMoment) int { return b.Step.At.Compare(a.Step.At) })
	return v.page("qa_one", d)
}

// qaVersionPage is one version, and what it changed.
type qaVersionPage struct {
	Campaign pipeline.Campaign
	QA       pipeline.QA
	Version  pipeline.QAVersion
	HTML     template.HTML
	Changes  []answer.Piece
}

func showQAVersion(v *visit) error {
	c, q, x, before, err := v.qaVersion()
	if err != nil {
		return err
	}
	hosts, err := v.Floor.Links(v.ctx(), c)
	if err != nil {
		return err
	}
	d := qaVersionPage{Campaign: c, QA: q, Version: x, HTML: answer.HTML(x.Answer, q.Locale, hosts)}
	if before.N > 0 {
		d.Changes = answer.Compare(before.Question+"\n\n"+before.Answer, x.Question+"\n\n"+x.Answer)
	}
	return v.page("qa_version", d)
}

// qaVersion is the version that the path names, and the one before it.
func (v *visit) qaVersion() (c pipeline.Campaign, q pipeline.QA, x, before pipeline.QAVersion, err error) {
	if c, q, err = v.question(); err != nil {
		return
	}
	versions, _, err := v.Ledger.QAHistory(v.ctx(), c.ID, q.ID)
	n, bad := strconv.Atoi(v.r.PathValue("n"))
	if err == nil && (bad != nil || n < 1 || n > len(versions)) {
		err = pipeline.ErrNotFound
	}
	if err != nil {
		return
	}
	if n > 1 {
		before = versions[n-2]
	}
	return c, q, versions[n-1], before, nil
}

// unsealed opens what was sealed for a campaign; what is gone is "".
func (v *visit) unsealed(c pipeline.Campaign, sealed, context []byte) string {
	keys, err := v.Floor.Keys(c.ID)
	if err != nil {
		return ""
	}
	plain, err := keys.Open(sealed, context)
	if err != nil {
		return ""
	}
	return string(plain)
}

// nameless notes a problem if a text names somebody beyond doubt.
func (v *visit) nameless(field, text string) {
	if redact.Personal(text) != "" {
		v.wrong(field, "problem.personal")
	}
}
