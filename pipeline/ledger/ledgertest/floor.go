package ledgertest

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func version(question, answer string) pipeline.QAVersion {
	return pipeline.QAVersion{Audiences: []pipeline.Audience{pipeline.ForCell, pipeline.ForShop}, Question: question, Answer: answer, Author: "user:ana", At: t0, Reason: "first wording"}
}

func (b *bench) qa(topic string) pipeline.QA {
	return pipeline.QA{Campaign: b.campaign.ID, Topic: topic, Locale: "fr"}
}

func (b *bench) step(q pipeline.QA, n int, kind pipeline.QAState) pipeline.QAStep {
	return pipeline.QAStep{QA: q.ID, N: n, Kind: kind, Actor: "user:lea", At: t0.Add(time.Duration(n) * time.Hour), Reason: "why"}
}

// find returns a question as QAs lists it.
func (b *bench) find(id int64) pipeline.QA {
	b.t.Helper()
	all, err := b.QAs(b.ctx, b.campaign.ID)
	b.must(err)
	for _, q := range all {
		if q.ID == id {
			return q
		}
	}
	b.t.Fatalf("no question %d among %d", id, len(all))
	return pipeline.QA{}
}

// testAnswersWritten: versions follow each other, one is in force or none, and
// nobody answers with a draft.
func testAnswersWritten(t *testing.T, e Engine) {
	b := newBench(t, e)
	audit := b.audit("qa-write")
	q, err := b.WriteQA(b.ctx, b.qa("am-i-concerned"), version("Suis-je concerné ?", "Oui."), 0, audit)
	b.must(err)
	if q.ID == 0 || q.Newest.N != 1 {
		t.Fatalf("%+v", q)
	}
	_, err = b.WriteQA(b.ctx, b.qa("am-i-concerned"), version("Suis-je concerné ?", "Non."), 0, audit)
	b.want(err, pipeline.ErrStale)
	if got := b.find(q.ID); got.State() != pipeline.QADraft || got.InForce.N != 0 || !got.Pending() || !reflect.DeepEqual(got.Newest, q.Newest) {
		t.Errorf("a draft: %+v", got)
	}
	_, err = b.StepQA(b.ctx, b.campaign.ID, b.step(q, 2, pipeline.QAPublished), audit)
	b.want(err, pipeline.ErrConflict)
	_, err = b.StepQA(b.ctx, b.campaign.ID, b.step(q, 1, pipeline.QAWithdrawn), audit)
	b.want(err, pipeline.ErrConflict)
	_, err = b.StepQA(b.ctx, b.campaign.ID+1, b.step(q, 1, pipeline.QAPublished), audit)
	b.want(err, pipeline.ErrConflict)
	first, err := b.StepQA(b.ctx, b.campaign.ID, b.step(q, 1, pipeline.QAPublished), b.audit("qa-publish"))
	b.must(err)
	_, err = b.StepQA(b.ctx, b.campaign.ID, b.step(q, 1, pipeline.QAPublished), audit)
	b.want(err, pipeline.ErrConflict)

	q, err = b.WriteQA(b.ctx, b.qa("am-i-concerned"), version("Suis-je concerné ?", "Oui.\n\nVoyez la lettre."), 1, audit)
	b.must(err)
	if got := b.find(q.ID); got.State() != pipeline.QAPublished || got.InForce.N != 1 || got.InForce.Answer != "Oui." || got.Newest.N != 2 || !got.Pending() || !reflect.DeepEqual(got.Last, first) {
		t.Errorf("a draft beside what is in force: %+v", got)
	}
	second, err := b.StepQA(b.ctx, b.campaign.ID, b.step(q, 2, pipeline.QAPublished), audit)
	b.must(err)
	if second.ID <= first.ID {
		t.Errorf("steps %d, then %d", first.ID, second.ID)
	}
	if got := b.find(q.ID); got.InForce.N != 2 || got.Pending() {
		t.Errorf("published: %+v", got)
	}
	_, err = b.StepQA(b.ctx, b.campaign.ID, b.step(q, 2, pipeline.QAWithdrawn), audit)
	b.must(err)
	if got := b.find(q.ID); got.State() != pipeline.QAWithdrawn || got.InForce.N != 0 || got.Pending() {
		t.Errorf("withdrawn: %+v", got)
	}
	// An older version may come back.
	_, err = b.StepQA(b.ctx, b.campaign.ID, b.step(q, 1, pipeline.QAPublished), audit)
	b.must(err)
	if got := b.find(q.ID); got.State() != pipeline.QAPublished || got.InForce.N != 1 || got.Newest.N != 2 {
		t.Errorf("the first one again: %+v", got)
	}
	versions, steps, err := b.QAHistory(b.ctx, b.campaign.ID, q.ID)
	b.must(err)
	if len(versions) != 2 || versions[0].Answer != "Oui." || versions[0].Author != "user:ana" || !versions[0].At.Equal(t0) || len(steps) != 4 || steps[2].Kind != pipeline.QAWithdrawn || steps[3].N != 1 {
		t.Errorf("history: %+v\n%+v", versions, steps)
	}
	_, _, err = b.QAHistory(b.ctx, b.campaign.ID+1, q.ID)
	b.want(err, pipeline.ErrNotFound)
}

// testAnswersConcurrently: of many who write the next version one does, and steps
// are seen in the order of their ids.
func testAnswersConcurrently(t *testing.T, e Engine) {
	b := newBench(t, e)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = b.WriteQA(b.ctx, b.qa("when"), version("Quand ?", string(rune('a'+i))), 0, b.audit("qa-write"))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, pipeline.ErrStale) {
			t.Error(err)
		}
	}
	if all, err := b.QAs(b.ctx, b.campaign.ID); won != 1 || err != nil || len(all) != 1 {
		t.Errorf("%d were first, %d are there, %v", won, len(all), err)
	}
}

func testAnswersGiven(t *testing.T, e Engine) {
	b := newBench(t, e)
	q, err := b.WriteQA(b.ctx, b.qa("when"), version("Quand ?", "Hier."), 0, b.audit("qa-write"))
	b.must(err)
	given := pipeline.QAGiven{Campaign: b.campaign.ID, QA: q.ID, N: 1, Call: 7, Actor: "user:ana", At: t0}
	b.want(b.GiveQA(b.ctx, given), pipeline.ErrConflict)
	step, err := b.StepQA(b.ctx, b.campaign.ID, b.step(q, 1, pipeline.QAPublished), b.audit("qa-publish"))
	b.must(err)
	b.must(b.GiveQA(b.ctx, given))
	alone := given
	alone.Call, alone.At = 0, t0.Add(time.Minute)
	b.must(b.GiveQA(b.ctx, alone))
	foreign := given
	foreign.Campaign++
	b.want(b.GiveQA(b.ctx, foreign), pipeline.ErrConflict)
	in, err := b.QAGivenIn(b.ctx, b.campaign.ID, 7)
	b.must(err)
	if !reflect.DeepEqual(in, []pipeline.QAGiven{given}) {
		t.Errorf("in the call: %+v", in)
	}
	if in, err = b.QAGivenIn(b.ctx, b.campaign.ID, 0); err != nil || len(in) != 0 {
		t.Errorf("in no call: %+v, %v", in, err)
	}
	told, err := b.QATold(b.ctx, b.campaign.ID)
	b.must(err)
	if !reflect.DeepEqual(told, []pipeline.QATold{{QA: q.ID, Count: 2, Last: t0.Add(time.Minute)}}) {
		t.Errorf("%+v", told)
	}

	u, err := b.CreateUser(b.ctx, user("ana"), false, installation("user-add"))
	b.must(err)
	if seen, err := b.QASeen(b.ctx, u.ID, b.campaign.ID); seen != 0 || err != nil {
		t.Errorf("before the first look: %d, %v", seen, err)
	}
	b.must(b.SeeQA(b.ctx, u.ID, b.campaign.ID, step.ID))
	b.must(b.SeeQA(b.ctx, u.ID, b.campaign.ID, step.ID-1))
	if seen, err := b.QASeen(b.ctx, u.ID, b.campaign.ID); seen != step.ID || err != nil {
		t.Errorf("after it: %d, %v", seen, err)
	}
}

func testQueries(t *testing.T, e Engine) {
	b := newBench(t, e)
	add := func(by string, at time.Time) pipeline.Query {
		q, err := b.AddQuery(b.ctx, pipeline.Query{Campaign: b.campaign.ID, Call: 3, Locale: "fr", Sealed: []byte("sealed"), AskedBy: by, AskedAt: at})
		b.must(err)
		return q
	}
	first, second := add("user:ana", t0), add("user:bob", t0.Add(2*time.Hour))
	if first.State != pipeline.QueryOpen {
		t.Errorf("%+v", first)
	}
	got, err := b.Query(b.ctx, b.campaign.ID, first.ID)
	b.must(err)
	if !reflect.DeepEqual(got, first) {
		t.Errorf("read back\n%+v, stored\n%+v", got, first)
	}
	_, err = b.Query(b.ctx, b.campaign.ID+1, first.ID)
	b.want(err, pipeline.ErrNotFound)
	first.State, first.Reason, first.ClosedBy, first.ClosedAt = pipeline.QueryDismissed, "off topic", "user:lea", t0.Add(time.Hour)
	b.must(b.CloseQuery(b.ctx, first, b.audit("query-dismiss")))
	b.want(b.CloseQuery(b.ctx, first, b.audit("query-dismiss")), pipeline.ErrConflict)
	all, err := b.Queries(b.ctx, b.campaign.ID, pipeline.QueryFilter{}, 10)
	b.must(err)
	if !reflect.DeepEqual(all, []pipeline.Query{second, first}) {
		t.Errorf("all: %+v", all)
	}
	for _, x := range []struct {
		f    pipeline.QueryFilter
		want int64
	}{
		{pipeline.QueryFilter{AskedBy: "user:ana"}, first.ID}, {pipeline.QueryFilter{State: pipeline.QueryOpen}, second.ID}, {pipeline.QueryFilter{State: pipeline.QueryDismissed}, first.ID},
		{pipeline.QueryFilter{Closed: true}, first.ID}, {pipeline.QueryFilter{Before: second.ID}, first.ID},
		{pipeline.QueryFilter{Before: first.ID}, 0}, {pipeline.QueryFilter{AskedBy: "user:ana", State: pipeline.QueryOpen}, 0}, {pipeline.QueryFilter{State: pipeline.QueryAnswered}, 0},
	} {
		// The filter comes before the limit.
		if got, err := b.Queries(b.ctx, b.campaign.ID, x.f, 1); err != nil || (len(got) == 1) != (x.want > 0) || x.want > 0 && got[0].ID != x.want {
			t.Errorf("%+v: %+v, %v", x.f, got, err)
		}
	}
	hours, err := b.QueriesByHour(b.ctx, b.campaign.ID)
	b.must(err)
	if want := []pipeline.Hourly{{Hour: t0.Unix() / 3600, Code: "dismissed", Count: 1}, {Hour: t0.Unix()/3600 + 2, Code: "open", Count: 1}}; !reflect.DeepEqual(hours, want) {
		t.Errorf("by hour: %+v", hours)
	}
}

func testForgeries(t *testing.T, e Engine) {
	b := newBench(t, e)
	for i := range 3 {
		_, err := b.AddForgery(b.ctx, pipeline.Forgery{Campaign: b.campaign.ID, Notice: int64(i), Way: "sms", Verdict: "foreign", Print: []byte{1}, Sealed: []byte{2}, Actor: "user:ana", At: t0}, b.audit("forgery"))
		b.must(err)
	}
	all, err := b.Forgeries(b.ctx, b.campaign.ID, 2)
	b.must(err)
	if len(all) != 2 || all[0].Notice != 2 || all[0].ID <= all[1].ID || string(all[0].Sealed) != "\x02" || !all[0].At.Equal(t0) {
		t.Errorf("%+v", all)
	}
	hours, err := b.ForgeriesByHour(b.ctx, b.campaign.ID)
	b.must(err)
	if want := []pipeline.Hourly{{Hour: t0.Unix() / 3600, Code: "sms", Count: 3}}; !reflect.DeepEqual(hours, want) {
		t.Errorf("by hour: %+v", hours)
	}
	_, list := b.publish(3, nil)
	var wire []pipeline.Notice
	for _, j := range b.load(b.take(3)) {
		c := send(j.Notice, "courier")
		b.commit(c)
		wire = append(wire, c.To)
	}
	if hours, err = b.LettersByHour(b.ctx, b.campaign.ID); err != nil || len(hours) != 0 {
		t.Errorf("on the wire: %+v, %v", hours, err)
	}
	b.commit(b.move(wire[0], pipeline.Event{Kind: pipeline.EvAccepted, At: t0}), b.move(wire[1], pipeline.Event{Kind: pipeline.EvAccepted, At: t0}), b.move(wire[2], pipeline.Event{Kind: pipeline.EvRefused, Outcome: pipeline.Dead, At: t0}))
	b.commit(b.move(b.notice(wire[0].ID), pipeline.Event{Kind: pipeline.EvDelivered, At: t0.Add(3 * time.Hour)})) // the same letter
	if hours, err = b.LettersByHour(b.ctx, b.campaign.ID); err != nil || len(list) != 3 || !reflect.DeepEqual(hours, []pipeline.Hourly{{Hour: t0.Unix() / 3600, Code: "email", Count: 2}}) {
		t.Errorf("letters: %+v, %v", hours, err)
	}
}
