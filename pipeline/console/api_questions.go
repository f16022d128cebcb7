package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
	"github.com/art34/art34/pipeline/kit/redact"
)

// This file holds callers' questions for programs: the answers that are published,
// what has changed, that one was given, and questions that no answer fits.

func questionEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns/{name}/answers/{qa}", "showAnswer", "A published answer.", ActAnswer, apiAnswer),
		endpointOf("GET", "/campaigns/{name}/answers/changes", "listAnswerChanges", "What was published or withdrawn since a step, oldest first. Keep newest for the next time.", ActAnswer, apiChanges,
			queryField{"since", "The value of newest of the time before; 0: from the beginning.", true}),
		endpointOf("POST", "/campaigns/{name}/answers/{qa}/given", "giveAnswer", "Note that somebody was answered with a version.", ActAnswer, apiGive),
		endpointOf("POST", "/campaigns/{name}/queries", "askLead", "Ask the lead for an answer that is not there.", ActAnswer, apiAsk),
		endpointOf("GET", "/campaigns/{name}/queries", "listQueries", "Questions that no answer fitted, newest first.", ActPublish, apiQueries,
			queryField{"state", "open, answered or dismissed; all without it.", false}, queryField{"limit", "How many, 100 at most.", true}, queryField{"after", "The value of next of the page before.", false}),
		endpointOf("POST", "/campaigns/{name}/queries/{query}/settle", "settleQuery", "Point to the question that answers it, or dismiss it.", ActPublish, apiSettle),
	}
}

func apiAnswer(v *visit, _ nothing) (answerLine, error) {
	_, q, err := v.question()
	if err == nil && (q.InForce.N == 0 || !v.mayRead(q.InForce)) {
		err = pipeline.ErrNotFound // also of a draft: nobody learns that there is one
	}
	return answerOf(q), err
}

func answerOf(q pipeline.QA) answerLine {
	return answerLine{q.ID, q.Topic, q.Locale, q.InForce.N, q.InForce.Question, q.InForce.Answer}
}

type answerChanges struct {
	Newest    int64        `json:"newest" doc:"For the parameter since."`
	Published []answerLine `json:"published"`
	Withdrawn []int64      `json:"withdrawn" doc:"Ids of answers that nobody gives any more."`
}

func apiChanges(v *visit, _ nothing) (answerChanges, error) {
	d := answerChanges{Published: []answerLine{}, Withdrawn: []int64{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	if d.Newest, err = v.queryNumber("since"); err != nil {
		return d, err
	}
	since := d.Newest
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	if err != nil {
		return d, err
	}
	slices.SortFunc(all, func(a, b pipeline.QA) int { return int(a.Last.ID - b.Last.ID) })
	for _, q := range all {
		if q.Last.ID <= since {
			continue
		}
		d.Newest = max(d.Newest, q.Last.ID)
		switch {
		case q.InForce.N > 0 && v.mayRead(q.InForce):
			d.Published = append(d.Published, answerOf(q))
		case q.InForce.N > 0, q.Last.Kind == pipeline.QAWithdrawn && v.mayRead(q.Newest): // or not for this reader any more
			d.Withdrawn = append(d.Withdrawn, q.ID)
		}
	}
	return d, nil
}

type givenOrder struct {
	Version int   `json:"version" eg:"2"`
	Call    int64 `json:"call,omitempty" eg:"17" doc:"In which; a call of the person that is under way."`
}

func apiGive(v *visit, in givenOrder) (givenOrder, error) {
	c, q, err := v.question()
	if err != nil {
		return in, err
	}
	if in.Version < 1 {
		return in, invalid("version", "missing", "say which version was given")
	}
	call, err := v.ownCall(c, in.Call)
	if err != nil {
		return in, err
	}
	return in, v.give(c, q, in.Version, call)
}

type askOrder struct {
	Question string `json:"question" max:"600" eg:"Is the meter number among the data?" doc:"Without names; kept sealed."`
	Locale   string `json:"locale" enum:"fr|en"`
	Call     int64  `json:"call,omitempty" eg:"17" doc:"In which; a call of the person that is under way."`
}

type queryLine struct {
	Query    int64      `json:"query"`
	State    string     `json:"state" enum:"open|answered|dismissed"`
	Question string     `json:"question" eg:"Is the meter number among the data?"`
	Locale   string     `json:"locale" eg:"fr"`
	AskedBy  string     `json:"asked_by" eg:"token:crm/ana"`
	AskedAt  time.Time  `json:"asked_at"`
	QA       int64      `json:"qa" doc:"The question that answers it, or 0."`
	ClosedBy string     `json:"closed_by" eg:"user:lea"`
	ClosedAt *time.Time `json:"closed_at"`
	Reason   string     `json:"reason"`
}

func queryOf(q pipeline.Query, text string) queryLine {
	return queryLine{q.ID, string(q.State), text, q.Locale, q.AskedBy, q.AskedAt.UTC(), q.QA, q.ClosedBy, instant(q.ClosedAt), q.Reason}
}

func apiAsk(v *visit, in askOrder) (queryLine, error) {
	c, err := v.campaign()
	if err != nil {
		return queryLine{}, err
	}
	text, err := prose("question", in.Question, mostAsked, true)
	switch {
	case err != nil:
		return queryLine{}, err
	case len([]rune(text)) < 5:
		return queryLine{}, invalid("question", "missing", "this is too short for a question")
	case redact.Personal(text) != "":
		return queryLine{}, invalid("question", "personal", "the question holds "+redact.Personal(text))
	case !slices.Contains(answer.Locales(), in.Locale):
		return queryLine{}, invalid("locale", "unknown", "there are answers in "+strings.Join(answer.Locales(), " and "))
	}
	call, err := v.ownCall(c, in.Call)
	if err != nil {
		return queryLine{}, err
	}
	q, err := v.addQuery(c, call, in.Locale, text)
	if q.State == "" {
		q.State = pipeline.QueryOpen
	}
	return queryOf(q, text), err
}

type queryList struct {
	Items []queryLine `json:"items"`
	Next  string      `json:"next" doc:"For the parameter after; empty on the last page."`
}

func apiQueries(v *visit, _ nothing) (queryList, error) {
	d := queryList{Items: []queryLine{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	state := pipeline.QueryState(v.r.URL.Query().Get("state"))
	if !slices.Contains([]pipeline.QueryState{"", pipeline.QueryOpen, pipeline.QueryAnswered, pipeline.QueryDismissed}, state) {
		return d, invalid("state", "unknown", "state is open, answered or dismissed")
	}
	limit, err := v.pageLimit()
	if err != nil {
		return d, err
	}
	f := pipeline.QueryFilter{State: state}
	if after := v.r.URL.Query().Get("after"); after != "" {
		if f.Before, err = strconv.ParseInt(after, 10, 64); err != nil || f.Before < 1 {
			return d, invalid("after", "unknown", "after is no value of next")
		}
	}
	all, err := v.Ledger.Queries(v.ctx(), c.ID, f, limit+1)
	for _, q := range all[:min(limit, len(all))] {
		d.Items = append(d.Items, queryOf(q, v.unsealed(c, q.Sealed, q.SealContext())))
	}
	if len(all) > limit {
		d.Next = strconv.FormatInt(all[limit-1].ID, 10)
	}
	return d, err
}

type settleOrder struct {
	QA      int64  `json:"qa,omitempty" eg:"3" doc:"The question that answers it; or dismiss."`
	Dismiss bool   `json:"dismiss,omitempty" eg:"false"`
	Reason  string `json:"reason" max:"300" eg:"answered by another" doc:"Why; a sentence without names. It goes on record."`
}

func apiSettle(v *visit, in settleOrder) (queryLine, error) {
	d, err := v.settleData()
	if err != nil {
		return queryLine{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return queryLine{}, err
	}
	q := pipeline.Query{ID: d.Query.ID, State: pipeline.QueryDismissed, QA: in.QA}
	if in.QA > 0 {
		q.State = pipeline.QueryAnswered
	}
	switch known := slices.ContainsFunc(d.Answers, func(a pipeline.QA) bool { return a.ID == in.QA }); {
	case (in.QA > 0) == in.Dismiss:
		return queryLine{}, invalid("qa", "choose", "qa or dismiss, and not both")
	case in.QA > 0 && !known:
		return queryLine{}, invalid("qa", "unknown", "there is no such question")
	}
	if err := v.settle(d.Campaign, q, reason); err != nil {
		return queryLine{}, err
	}
	now, err := v.Ledger.Query(v.ctx(), d.Campaign.ID, q.ID)
	return queryOf(now, d.Query.Text), err
}
