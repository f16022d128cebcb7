package console

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/art34/art34/pipeline"
)

// This file holds callers' questions that no answer fits: agents ask, the lead
// answers or dismisses, the agent sees what came of it.

func queryRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/ask", may: ActAnswer, do: askForm},
		{pattern: "POST /campaigns/{name}/ask", may: ActAnswer, do: ask},
		{pattern: "GET /campaigns/{name}/queries", may: ActPublish, do: listQueries},
		{pattern: "GET /campaigns/{name}/queries/{query}", may: ActPublish, do: queryForm},
		{pattern: "POST /campaigns/{name}/queries/{query}", may: ActPublish, do: settleQuery},
	}
}

// mostQueries is how many a page lists of those that are open, and of the others: the
// newest.
const mostQueries = 500

// mostAsked is how long a question may be, in characters.
const mostAsked = 600

// shownQuery is a query with its words, and what came of it.
type shownQuery struct {
	pipeline.Query
	Text   string
	Answer pipeline.QA // that answers it; ID is 0 without one
}

// shownQueries opens queries and lays the answers beside them.
func (v *visit) shownQueries(c pipeline.Campaign, list []pipeline.Query) ([]shownQuery, error) {
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	if err != nil {
		return nil, err
	}
	by := map[int64]pipeline.QA{}
	for _, q := range all {
		by[q.ID] = q
	}
	var out []shownQuery
	for _, q := range list {
		out = append(out, shownQuery{q, v.unsealed(c, q.Sealed, q.SealContext()), by[q.QA]})
	}
	return out, nil
}

// newestQueries are the newest that match, with their words.
func (v *visit) newestQueries(c pipeline.Campaign, f pipeline.QueryFilter, most int) ([]shownQuery, error) {
	list, err := v.Ledger.Queries(v.ctx(), c.ID, f, most)
	if err != nil {
		return nil, err
	}
	return v.shownQueries(c, list)
}

// askData is the form of an agent, with their own questions.
type askData struct {
	Campaign pipeline.Campaign
	Text     string
	Call     string
	Mine     []shownQuery
}

func (v *visit) askData() (askData, error) {
	c, err := v.campaign()
	if err != nil {
		return askData{}, err
	}
	d := askData{Campaign: c}
	mine, err := v.Ledger.Queries(v.ctx(), c.ID, pipeline.QueryFilter{AskedBy: v.actor()}, 50)
	if err != nil {
		return d, err
	}
	d.Mine, err = v.shownQueries(c, mine)
	return d, err
}

func askForm(v *visit) error {
	d, err := v.askData()
	if err != nil {
		return err
	}
	d.Call = v.r.URL.Query().Get("call")
	return v.page("ask", d)
}

func ask(v *visit) error {
	d, err := v.askData()
	if err != nil {
		return err
	}
	d.Text, d.Call = v.text("question", mostAsked+1), v.value("call")
	switch n := len([]rune(d.Text)); {
	case n < 5:
		v.wrong("question", "problem.needed")
	case n > mostAsked:
		v.wrong("question", "problem.ask_long", mostAsked)
	}
	v.nameless("question", d.Text)
	if len(v.problems) > 0 {
		return v.again("ask", d)
	}
	call, err := v.ownCall(d.Campaign, v.number64("call"))
	if err != nil {
		return err
	}
	if _, err := v.addQuery(d.Campaign, call, v.words.locale, d.Text); err != nil {
		return err
	}
	if call > 0 {
		return v.done(callPath(call), "asked")
	}
	return v.done(campaignPath(d.Campaign)+"/ask", "asked")
}

// addQuery keeps a question for the lead, sealed.
func (v *visit) addQuery(c pipeline.Campaign, call int64, locale, text string) (pipeline.Query, error) {
	keys, err := v.Floor.Keys(c.ID)
	if err != nil {
		return pipeline.Query{}, err
	}
	q := pipeline.Query{Campaign: c.ID, Call: call, Locale: locale, AskedBy: v.actor(), AskedAt: v.Clock.Now()}
	q.Sealed = keys.Seal([]byte(text), q.SealContext())
	return v.Ledger.AddQuery(v.ctx(), q)
}

func listQueries(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	d := struct {
		Campaign     pipeline.Campaign
		Open, Closed []shownQuery
	}{Campaign: c}
	if d.Open, err = v.newestQueries(c, pipeline.QueryFilter{State: pipeline.QueryOpen}, mostQueries); err != nil {
		return err
	}
	if d.Closed, err = v.newestQueries(c, pipeline.QueryFilter{Closed: true}, mostQueries); err != nil {
		return err
	}
	return v.page("queries", d)
}

// settleData is a query that the lead decides about.
type settleData struct {
	Campaign pipeline.Campaign
	Query    shownQuery
	Answers  []pipeline.QA
	What     string
	QA       int64
}

func (v *visit) settleData() (settleData, error) {
	c, err := v.campaign()
	if err != nil {
		return settleData{}, err
	}
	id, err := strconv.ParseInt(v.r.PathValue("query"), 10, 64)
	if err != nil {
		return settleData{}, pipeline.ErrNotFound
	}
	q, err := v.Ledger.Query(v.ctx(), c.ID, id)
	if err != nil {
		return settleData{}, err
	}
	shown, err := v.shownQueries(c, []pipeline.Query{q})
	if err != nil {
		return settleData{}, err
	}
	all, err := v.Ledger.QAs(v.ctx(), c.ID)
	return settleData{Campaign: c, Query: shown[0], Answers: all}, err
}

func queryForm(v *visit) error {
	d, err := v.settleData()
	if err != nil {
		return err
	}
	return v.page("query", d)
}

// settleQuery points to an answer that is there, or dismisses for a reason.
func settleQuery(v *visit) error {
	d, err := v.settleData()
	if err != nil {
		return err
	}
	d.What, d.QA = v.value("what"), v.number64("qa")
	q := pipeline.Query{ID: d.Query.ID}
	switch d.What {
	case "there":
		q.State, q.QA = pipeline.QueryAnswered, d.QA
		known := false
		for _, a := range d.Answers {
			known = known || a.ID == d.QA
		}
		if !known {
			v.wrong("qa", "problem.choose")
		}
	case "dismiss":
		q.State = pipeline.QueryDismissed
	default:
		v.wrong("what", "problem.choose")
	}
	reason := v.reason()
	if len(v.problems) > 0 {
		return v.again("query", d)
	}
	if err := v.settle(d.Campaign, q, reason); err != nil {
		return err
	}
	return v.done(campaignPath(d.Campaign)+"/queries", "query_settled")
}

// settle closes a query that nobody has closed.
func (v *visit) settle(c pipeline.Campaign, q pipeline.Query, reason string) error {
	err := v.closeQuery(c, q, reason)
	if errors.Is(err, pipeline.ErrConflict) {
		return refuse("query-closed", "somebody else has settled this question already", "")
	}
	return err
}

func (v *visit) closeQuery(c pipeline.Campaign, q pipeline.Query, reason string) error {
	q.Campaign, q.Reason, q.ClosedBy, q.ClosedAt = c.ID, reason, v.actor(), v.Clock.Now()
	detail := fmt.Sprintf("query %d", q.ID)
	if q.QA > 0 {
		detail += fmt.Sprintf(", by question %d", q.QA)
	}
	return v.Ledger.CloseQuery(v.ctx(), q, pipeline.Audit{Campaign: c.ID, At: q.ClosedAt, Actor: q.ClosedBy, Action: "query-" + string(q.State), Reason: reason, Detail: detail})
}

// number64 is a field that holds an id; 0 if it is none.
func (v *visit) number64(name string) int64 {
	n, _ := strconv.ParseInt(v.value(name), 10, 64)
	return max(n, 0)
}
