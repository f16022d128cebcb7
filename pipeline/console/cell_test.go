package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// cell is a world with customers, an agent and two leads.
func newCell(t testing.TB) (*world, pipeline.Campaign) {
	w := newWorld(t)
	c := w.campaign("muguet", pipeline.Running)
	w.people(c)
	for _, login := range []string{"ana", "bob"} {
		w.user(login, console.Agent)
	}
	for _, login := range []string{"lea", "leo"} {
		w.user(login, console.Lead)
	}
	return w, c
}

func (w *world) cell() *console.Cell { return w.console.Config.Cell }

func asker(c pipeline.Campaign, login string, roles ...string) console.Asker {
	return console.Asker{Actor: "user:" + login, Roles: roles, Source: "console", Campaigns: []pipeline.Campaign{c}}
}

func agent(c pipeline.Campaign) console.Asker { return asker(c, "ana", "agent") }
func lead(c pipeline.Campaign) console.Asker  { return asker(c, "lea", "lead") }

// found opens a call about a key.
func (w *world) found(who console.Asker, key string) pipeline.Call {
	w.t.Helper()
	c, err := w.cell().LookUp(w.t.Context(), who, console.LookUp{Key: key})
	w.must(err)
	return c
}

// refused fails unless err has the code.
func (w *world) refused(err error, code string) {
	w.t.Helper()
	if pipeline.ErrorCode(err) != code {
		w.t.Fatalf("got %v, want the code %s", err, code)
	}
}

// TestNothingBeforeVerification: what a key led to is not said before the caller is
// verified, and each deed is refused.
func TestNothingBeforeVerification(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	call := w.found(who, "C0001234")
	d, err := k.Case(ctx, who, call.ID)
	w.must(err)
	if d.Stage != console.StageVerify || d.File != nil || d.Sentence != nil || d.Told != nil || d.Earlier != nil || d.Proofs.Phone != "" {
		t.Errorf("%+v", d)
	}
	other, err := k.Case(ctx, who, w.found(who, "C7").ID)
	w.must(err)
	if other.Stage != console.StageVerify || other.Sentence != nil {
		t.Errorf("%+v", other)
	}
	for name, err := range map[string]error{
		"copy":    k.Copy(ctx, who, call.ID, console.CopyOrder{Channel: pipeline.Post}, "r"),
		"post":    k.ByPost(ctx, who, call.ID, "r"),
		"correct": k.Propose(ctx, who, call.ID, console.Address{Email: "x@mail.example"}, "r"),
		"mark":    k.Mark(ctx, who, call.ID, pipeline.FlagDeceased, "r"),
		"compare": second(k.Compare(ctx, who, call.ID, console.Address{Email: "x@mail.example"})),
		"letter":  second(k.Letter(ctx, who, call.ID, 7, 1)),
		"full":    second(k.Unmask(ctx, who, call.ID, "r")),
	} {
		if pipeline.ErrorCode(err) != "call-stage" {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := w.as("ana")
	a := b.get(fmt.Sprint("/cell/calls/", call.ID))
	for _, secret := range []string{"Jeanne", "O'Neil", "C0001234", "jeanne@", "0639981001", "33639981001", "e-mail on", "par e-mail le"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the page says %q before the caller is verified", secret)
		}
	}
	if a.status != http.StatusOK || strings.Contains(a.body, "4711") {
		t.Errorf("%d", a.status)
	}
}

// TestBystandersLookLikeCustomers: before the caller is verified a customer who is
// concerned, with everything on file or nothing, and somebody who is not concerned
// have the same page, and the same answers to what is wrong.
func TestBystandersLookLikeCustomers(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who, b := t.Context(), w.cell(), agent(c), w.as("ana")
	w.crowd.add(&somebody{notice: 9, campaign: c, name: "Rien Du Tout", reference: reference(36), state: pipeline.Due}, "C9")
	number := regexp.MustCompile(`/cell/calls/[0-9]+|call=[0-9]+|name="call" value="[0-9]+"|value="[A-Za-z0-9_-]{20,}"|<time.*?</time>`)
	var pages []string
	for _, key := range []string{"C0001234", "C9", "C7"} {
		call := w.found(who, key)
		a := b.get(fmt.Sprint("/cell/calls/", call.ID))
		for _, form := range []string{"/number", `name="value-pin"`, `name="reference"`, `value="crm"`} {
			if !strings.Contains(a.body, form) {
				t.Errorf("%s: no %s", key, form)
			}
		}
		pages = append(pages, number.ReplaceAllString(a.body, ""))
		for _, wrong := range []console.Answer{{Way: pipeline.ByReference, Reference: reference(99)}, {Way: pipeline.ByValues, Values: map[string]string{"pin": "0000"}}} {
			w.refused(second(k.Verify(ctx, who, call.ID, wrong)), "mismatch")
		}
	}
	if pages[0] != pages[1] || pages[0] != pages[2] {
		t.Errorf("the pages differ:\n%s\n---\n%s\n---\n%s", pages[0], pages[1], pages[2])
	}
	// A number that is not there is a wrong answer, for either.
	for _, key := range []string{"C9", "C7"} {
		call := w.found(who, key)
		if a := b.post(fmt.Sprint("/cell/calls/", call.ID, "/number")); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Too many answers about this customer were wrong") {
			t.Errorf("%s: %d", key, a.status)
		}
		w.refused(second(k.Number(ctx, who, call.ID)), "locked")
		w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCallback, Reached: true})), "locked")
	}
	if _, err := k.Number(ctx, who, w.found(who, "C0001234").ID); err != nil {
		t.Errorf("two wrong answers, and the number: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestVerification(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	for way, a := range map[pipeline.Verification]console.Answer{
		pipeline.ByCRM:       {},
		pipeline.ByReference: {Reference: strings.ToLower(reference(34))},
		pipeline.ByCallback:  {Reached: true},
		pipeline.ByValues:    {Values: map[string]string{"pin": "4711"}},
	} {
		call := w.found(who, "C0001234")
		a.Way = way
		if way == pipeline.ByCallback {
			w.must(second(k.Number(ctx, who, call.ID)))
		}
		got, err := k.Verify(ctx, who, call.ID, a)
		w.must(err)
		if got.Verified != way || got.Tries != 0 || got.Told != "accepted" || got.VerifiedAt.IsZero() {
			t.Errorf("%s: %+v", way, got)
		}
		d, err := k.Case(ctx, who, call.ID)
		w.must(err)
		if d.Stage != console.StageAnswer || d.File == nil || d.Steps[len(d.Steps)-1].Kind != pipeline.StepVerified || d.Steps[len(d.Steps)-1].Code != string(way) {
			t.Errorf("%s: %+v", way, d)
		}
		w.refused(second(k.Verify(ctx, who, call.ID, a)), "call-stage")
	}
	call := w.found(who, "C0001234")
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: "sms"})), "way")
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCallback})), "not-reached")
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByValues})), "values")
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByReference, Reference: "7KQ2"})), "reference")
	if got, err := w.ledger.Call(ctx, call.ID); err != nil || got.Tries != 0 {
		t.Errorf("what cannot be compared counts: %+v, %v", got, err)
	}
	w.crowd.ways = []pipeline.Verification{pipeline.ByReference}
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})), "way")
	w.refused(second(k.Number(ctx, who, call.ID)), "no-phone")
}

// TestThreeWrongAnswers: three wrong answers about one customer lock them for every
// agent, over all calls, in every way, until the lead unlocks; however many are tried
// at once.
func TestThreeWrongAnswers(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	var wg sync.WaitGroup
	var mu sync.Mutex
	codes := map[string]int{}
	for i := range 12 {
		call := w.found(asker(c, fmt.Sprint("a", i%3), "agent"), "C0001234")
		wg.Go(func() {
			_, err := k.Verify(context.WithoutCancel(ctx), asker(c, fmt.Sprint("a", i%3), "agent"), call.ID, console.Answer{Way: pipeline.ByValues, Values: map[string]string{"pin": fmt.Sprint(1000 + i)}})
			mu.Lock()
			defer mu.Unlock()
			codes[pipeline.ErrorCode(err)]++
		})
	}
	wg.Wait()
	looked := 0
	for c, err := range w.ledger.EachCall(ctx, pipeline.CallFilter{Notice: 7}) {
		w.must(err)
		steps, err := w.ledger.CallSteps(ctx, c.ID)
		w.must(err)
		for _, s := range steps {
			if s.Kind == pipeline.StepMismatch {
				looked++
			}
		}
	}
	if looked != 3 || codes["mismatch"] > 2 || codes["mismatch"]+codes["locked"] != 12 {
		t.Fatalf("%d answers were looked at, %v", looked, codes)
	}
	call := w.found(who, "oneil 75011")
	for way, a := range map[pipeline.Verification]console.Answer{pipeline.ByCRM: {}, pipeline.ByReference: {Reference: reference(34)}, pipeline.ByValues: {Values: map[string]string{"pin": "4711"}}} {
		a.Way = way
		w.refused(second(k.Verify(ctx, who, call.ID, a)), "locked")
	}
	w.refused(second(k.Number(ctx, who, call.ID)), "locked")
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCallback, Reached: true})), "not-reached")
	q, err := k.Queue(ctx, lead(c))
	w.must(err)
	i := slices.IndexFunc(q.Calls, func(c pipeline.Call) bool { return c.ID == call.ID })
	if i < 0 || q.Calls[i].Escalated != pipeline.EscalatedLocked {
		t.Fatalf("the lead is not told: %+v", q.Calls)
	}
	if _, err := k.Verify(ctx, who, w.found(who, "C7").ID, console.Answer{Way: pipeline.ByCRM}); err != nil {
		t.Errorf("another customer: %v", err)
	}
	w.must(k.Handle(ctx, lead(c), call.ID, "spoke to the customer", true))
	if _, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByValues, Values: map[string]string{"pin": "4711"}}); err != nil {
		t.Errorf("unlocked: %v", err)
	}
}

// TestGuessingAnAddress: an address is not found out by asking.
func TestGuessingAnAddress(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	call := w.found(who, "C0001234")
	_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	for range 5 {
		if same, err := k.Compare(ctx, who, call.ID, console.Address{Email: "jeanne@mail.example"}); err != nil || !same {
			t.Fatalf("%v, %v", same, err)
		}
	}
	for i := range 2 {
		if same, err := k.Compare(ctx, who, call.ID, console.Address{Email: fmt.Sprint("j", i, "@mail.example")}); err != nil || same {
			t.Fatalf("%v, %v", same, err)
		}
	}
	w.refused(second(k.Compare(ctx, who, call.ID, console.Address{Email: "j3@mail.example"})), "locked")
	w.refused(second(k.Compare(ctx, who, call.ID, console.Address{Email: "jeanne@mail.example"})), "locked")
}

// TestAnotherAgentsCall: a call is there for its agent and the lead, and for nobody
// else, whatever they try; neither is one of a campaign that they must not know of.
func TestAnotherAgentsCall(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	call := w.found(agent(c), "C0001234")
	_, err := w.cell().Verify(t.Context(), agent(c), call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	bob := w.as("bob")
	for _, rt := range w.console.Table() {
		method, path, _ := strings.Cut(rt.Pattern, " ")
		if !strings.HasPrefix(path, "/cell/calls/") {
			continue
		}
		path = strings.NewReplacer("{call}", fmt.Sprint(call.ID), "{notice}", "7", "{attempt}", "1").Replace(path)
		var a answer
		if method == http.MethodGet {
			a = bob.get(path)
		} else {
			a = bob.post(path, "reason", "curious", "key", "C7", "way", "crm", "cause", "other", "outcome", "answered", "channel", "post", "what", "email", "email", "x@mail.example", "flag", "deceased", "why", "press", "note", "n")
		}
		if a.status != http.StatusNotFound {
			t.Errorf("%s as another agent: %d %s", rt.Pattern, a.status, a.to)
		}
		if strings.Contains(a.body, "Jeanne") {
			t.Errorf("%s says who it is", rt.Pattern)
		}
	}
	for _, n := range []string{"-1", "0", "9223372036854775808", "1%2F..", "x"} {
		if a := bob.get("/cell/calls/" + n); a.status != http.StatusNotFound {
			t.Errorf("call %s: %d", n, a.status)
		}
	}
	if a := w.as("lea").get(fmt.Sprint("/cell/calls/", call.ID)); a.status != http.StatusOK || !strings.Contains(a.body, "e-mail on 19 January") {
		t.Errorf("the lead: %d", a.status)
	}
	embargoed := asker(c, "lea", "lead")
	embargoed.Campaigns = nil
	if _, err := w.cell().Case(t.Context(), embargoed, call.ID); err != pipeline.ErrNotFound {
		t.Errorf("under embargo: %v", err)
	}
	if got, err := w.cell().LookUp(t.Context(), embargoed, console.LookUp{Key: "C0001234"}); err != nil || got.Found != pipeline.FoundNobody {
		t.Errorf("under embargo: %+v, %v", got, err)
	}
}

// TestEnumeration: an agent who looks up more than calls explain is stopped, and the
// lead is told once. Other agents go on.
func TestEnumeration(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	found := 0
	for i := range 60 {
		_, err := k.LookUp(ctx, who, console.LookUp{Key: fmt.Sprint("C", i)})
		if err == nil {
			found++
			continue
		}
		w.refused(err, "quota")
	}
	if found != 40 {
		t.Errorf("%d look-ups in an hour", found)
	}
	w.found(asker(c, "bob", "agent"), "C0001234")
	q, err := k.Queue(ctx, lead(c))
	w.must(err)
	alerts := slices.DeleteFunc(q.Calls, func(c pipeline.Call) bool { return c.Escalated != pipeline.EscalatedQuota })
	if len(alerts) != 1 || alerts[0].Agent != who.Actor {
		t.Errorf("%+v", alerts)
	}
	// A call goes on with another key: that counts too.
	w.clock.Advance(61 * time.Minute)
	call := w.found(who, "C1")
	for range 39 {
		if call, err = k.LookUp(ctx, who, console.LookUp{Key: "C2", Call: call.ID}); err != nil {
			t.Fatal(err)
		}
	}
	w.refused(second(k.LookUp(ctx, who, console.LookUp{Key: "C0001234", Call: call.ID})), "quota")
	if got, err := w.ledger.Call(ctx, call.ID); err != nil || got.Notice != 0 {
		t.Errorf("a look-up beyond the quota was answered: %+v", got)
	}
	w.clock.Advance(61 * time.Minute)
	for range 20 { // 100 a day
		w.found(who, "C1")
	}
	w.refused(second(k.LookUp(ctx, who, console.LookUp{Key: "C0001234"})), "quota")
}

// TestReserved: a customer for few is not shown to an agent, who learns nothing but
// that the lead takes the call.
func TestReserved(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	call := w.found(who, "C0000009")
	d, err := k.Case(ctx, who, call.ID)
	w.must(err)
	if d.Stage != console.StageReserved || d.File != nil {
		t.Errorf("%+v", d)
	}
	w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})), "call-stage")
	q, err := k.Queue(ctx, lead(c))
	w.must(err)
	if len(q.Calls) != 1 || q.Calls[0].ID != call.ID {
		t.Fatalf("%+v", q)
	}
	if _, err := k.Verify(ctx, lead(c), call.ID, console.Answer{Way: pipeline.ByCRM}); err != nil {
		t.Fatal(err)
	}
	if d, err = k.Case(ctx, lead(c), call.ID); err != nil || d.Stage != console.StageAnswer {
		t.Errorf("the lead: %v, %+v", err, d)
	}
	if d, err = k.Case(ctx, who, call.ID); err != nil || d.Stage != console.StageReserved || d.File != nil {
		t.Errorf("the agent, once the lead has verified: %v, %+v", err, d)
	}
	// A flag that comes later closes the file.
	late := w.found(who, "C0001234")
	_, err = k.Verify(ctx, who, late.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	s, err := w.crowd.of(7)
	w.must(err)
	s.flags = []string{"vip"}
	if d, err = k.Case(ctx, who, late.ID); err != nil || d.Stage != console.StageReserved || d.File != nil {
		t.Errorf("marked since: %v, %+v", err, d)
	}
	// And everything that could be done with it.
	fresh, err := w.ledger.OpenCall(ctx, pipeline.Call{Agent: who.Actor, Source: "console", OpenedAt: w.clock.Now(), Found: pipeline.FoundNotice, Campaign: c.ID, Notice: 7, Import: 3}, pipeline.Quota{})
	w.must(err)
	before := w.crowd.last()
	for name, err := range map[string]error{
		"copy":    k.Copy(ctx, who, late.ID, console.CopyOrder{Channel: pipeline.Post}, "r"),
		"post":    k.ByPost(ctx, who, late.ID, "r"),
		"correct": k.Propose(ctx, who, late.ID, console.Address{Email: "x@mail.example"}, "r"),
		"mark":    k.Mark(ctx, who, late.ID, pipeline.FlagDeceased, "r"),
		"compare": second(k.Compare(ctx, who, late.ID, console.Address{Email: "jeanne@mail.example"})),
		"letter":  second(k.Letter(ctx, who, late.ID, 7, 1)),
		"full":    second(k.Unmask(ctx, who, late.ID, "r")),
		"written": k.Written(ctx, who, late.ID, "", "r"),
		"number":  second(k.Number(ctx, who, fresh.ID)),
		"verify":  second(k.Verify(ctx, who, fresh.ID, console.Answer{Way: pipeline.ByCRM})),
	} {
		if pipeline.ErrorCode(err) != "call-stage" {
			t.Errorf("%s of a customer marked since: %v", name, err)
		}
	}
	if w.crowd.last() != before {
		t.Errorf("it was done: %s", w.crowd.last())
	}
	if d, err = k.Case(ctx, who, fresh.ID); err != nil || d.Stage != console.StageReserved {
		t.Errorf("before verification: %v, %+v", err, d)
	}
	w.must(k.Escalate(ctx, who, late.ID, "press", ""))
	w.must(k.ByPost(ctx, lead(c), late.ID, "the lead may"))
}

// TestThreeAnswersThatAreNotYes: not concerned as of an import, nobody, several.
func TestThreeAnswersThatAreNotYes(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	for key, want := range map[string]console.Stage{"C5555": console.StageNobody, "shared@mail.example": console.StageMany, "durand 75011": console.StageMany} {
		call := w.found(who, key)
		d, err := k.Case(ctx, who, call.ID)
		w.must(err)
		if d.Stage != want || d.File != nil {
			t.Errorf("%s: %+v", key, d)
		}
		w.must(k.Note(ctx, who, call.ID, "does not have the letter at hand"))
		if call, err = k.LookUp(ctx, who, console.LookUp{Key: "C0001234", Call: call.ID}); err != nil || call.Notice != 7 {
			t.Errorf("another key: %+v, %v", call, err)
		}
		if d, err = k.Case(ctx, who, call.ID); err != nil || d.Steps[1].Text != "does not have the letter at hand" {
			t.Errorf("the note from before somebody was found: %v, %+v", err, d.Steps)
		}
		w.refused(second(k.LookUp(ctx, who, console.LookUp{Key: "C7", Call: call.ID})), "call-taken")
	}
	call := w.found(who, "C7")
	for range 2 {
		w.refused(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByReference, Reference: reference(34)})), "mismatch")
	}
	if call, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM}); err != nil || call.Told != pipeline.ToldNotConcerned || call.Import != 3 {
		t.Fatalf("%+v, %v", call, err)
	}
	d, err := k.Case(ctx, who, call.ID)
	w.must(err)
	if d.Stage != console.StageNotConcerned || !strings.Contains(d.Sentence["en"], "does not list you") {
		t.Errorf("%+v", d)
	}
	// An import adds the person: the lead calls back, and the next agent sees it.
	q, err := k.Queue(ctx, lead(c))
	w.must(err)
	if len(q.Recalls) != 0 {
		t.Errorf("%+v", q.Recalls)
	}
	w.crowd.add(&somebody{notice: 12, campaign: c, name: "Marc Tard", reference: reference(77), state: pipeline.Due}, "C7")
	if q, err = k.Queue(ctx, lead(c)); err != nil || len(q.Recalls) != 1 || q.Recalls[0].ID != call.ID {
		t.Fatalf("%+v, %v", q.Recalls, err)
	}
	again := w.found(who, reference(77))
	_, err = k.Verify(ctx, who, again.ID, console.Answer{Way: pipeline.ByReference, Reference: reference(77)})
	w.must(err)
	if d, err = k.Case(ctx, who, again.ID); err != nil || len(d.Told) != 1 || d.Told[0].Import != 3 || d.Told[0].At.IsZero() {
		t.Errorf("%v, %+v", err, d.Told)
	}
	a := w.as("lea").get(fmt.Sprint("/cell/calls/", again.ID))
	if !strings.Contains(a.body, "that they were not concerned, as of list 3") {
		t.Error("the page does not say that the customer was told otherwise")
	}
	w.must(k.Handle(ctx, lead(c), call.ID, "called back", false))
	if q, err = k.Queue(ctx, lead(c)); err != nil || len(q.Recalls) != 0 {
		t.Errorf("%+v, %v", q.Recalls, err)
	}
}

// TestDraftsAreNoAnswer: a list that is not frozen answers nobody.
func TestDraftsAreNoAnswer(t *testing.T) {
	t.Parallel()
	w, _ := newCell(t)
	d := w.campaign("draft", pipeline.Draft)
	w.crowd.add(&somebody{notice: 31, campaign: d, name: "X"}, "C31")
	if c := w.found(asker(d, "ana", "agent"), "C31"); c.Found != pipeline.FoundNobody {
		t.Errorf("%+v", c)
	}
}

// TestMasked: names and numbers are shortened until somebody asks, with a reason, and
// that is on record.
func TestMasked(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	call := w.found(who, "C0001234")
	_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	d, err := k.Case(ctx, who, call.ID)
	w.must(err)
	text, err := json.Marshal(d)
	w.must(err)
	for _, secret := range []string{"Jeanne", "O'Neil", "C0001234", "K00098761", reference(34), "33639981001", "4711"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the masked file says %q", secret)
		}
	}
	if d.File.Customers[0] != "•••234" || !strings.HasPrefix(d.File.Name, "J•••") {
		t.Errorf("%+v", d.File)
	}
	b := w.as("ana")
	if a := b.post(fmt.Sprint("/cell/calls/", call.ID, "/full")); a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, "Jeanne") {
		t.Errorf("without a reason: %d", a.status)
	}
	a := b.post(fmt.Sprint("/cell/calls/", call.ID, "/full"), "reason", "two contracts alike")
	if a.status != http.StatusOK || !strings.Contains(a.body, "Jeanne") || !strings.Contains(a.body, "K00098761") {
		t.Errorf("with a reason: %d", a.status)
	}
	on := w.trail(c.ID)
	if !strings.Contains(on, "cell-unmask | two contracts alike") {
		t.Errorf("not on record: %s", on)
	}
	for _, path := range []string{"/letters/7/1", "/letters/7/1/html", "/letters/7/1/file", "/letters/7/2/file"} {
		if a := b.get(fmt.Sprint("/cell/calls/", call.ID, path)); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := b.get(fmt.Sprint("/cell/calls/", call.ID, "/letters/8/1")); a.status != http.StatusNotFound {
		t.Errorf("somebody else's letter: %d", a.status)
	}
	if n := strings.Count(w.trail(c.ID), "cell-letter"); n != 4 {
		t.Errorf("%d letters on record, 4 were shown", n)
	}
}

// trail is the audit trail of a campaign, a line an entry.
func (w *world) trail(campaign int64) string {
	w.t.Helper()
	var b strings.Builder
	for a, err := range w.ledger.AuditTrail(w.t.Context(), campaign) {
		w.must(err)
		fmt.Fprintf(&b, "%s | %s | %s | %s\n", a.Actor, a.Action, a.Reason, a.Detail)
	}
	return b.String()
}

// TestSecondPairOfEyes: a corrected address changes nothing until somebody else
// agrees; nobody agrees with themselves, and two do not decide both.
func TestSecondPairOfEyes(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), lead(c)
	call := w.found(who, "C0001234")
	_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	b := w.as("lea")
	path := fmt.Sprint("/cell/calls/", call.ID, "/correct")
	for _, wrong := range [][]string{{"what", "email", "reason", "r"}, {"email", "x@mail.example", "reason", "r"}, {"what", "email", "email", "nonsense", "reason", "r"}, {"what", "email", "email", "x@mail.example"}} {
		if a := b.post(path, wrong...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", wrong, a.status)
		}
	}
	if a := b.post(path, "what", "email", "email", "new@mail.example", "lines", "4 rue des Lilas", "reason", "moved"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if strings.Contains(w.crowd.last(), "correct") {
		t.Fatalf("it changed at once: %s", w.crowd.last())
	}
	// Whoever comes next sees that it waits, and what was learnt of the customer since.
	w.crowd.by["muguet/C0001234"].flags = []string{pipeline.FlagDeceased}
	if a := b.get(fmt.Sprint("/cell/calls/", call.ID)); !strings.Contains(a.body, "A corrected address waits") || !strings.Contains(a.body, "We were told that this person has died. Read out the sentence below") {
		t.Errorf("the call does not say what waits, or that the customer has died: %s", a.body)
	}
	if a := b.get("/queue/corrections/1"); !strings.Contains(a.body, "would leave all the same") {
		t.Errorf("the second pair of eyes does not see that the customer has died: %s", a.body)
	}
	w.crowd.by["muguet/C0001234"].flags = nil
	q, err := k.Queue(ctx, who)
	w.must(err)
	if len(q.Proposals) != 0 || q.Own != 1 {
		t.Errorf("%+v", q)
	}
	w.refused(k.Decide(ctx, who, 1, true, "looks right"), "own-proposal")
	if err := k.Decide(ctx, agent(c), 1, true, "r"); err == nil {
		t.Error("an agent decided")
	}
	leo := asker(c, "leo", "lead")
	d, err := k.Proposal(ctx, leo, 1)
	w.must(err)
	if want := []console.AddressRow{{Part: "email", Old: "j•••@m•••.e•••", New: "n•••@m•••.e•••", Different: true}}; !slices.Equal(d.Rows, want) || d.Call.Verified != pipeline.ByCRM {
		t.Errorf("%+v", d)
	}
	// Both stand there masked, and in full for a reason that is on record.
	second := w.as("leo")
	if a := second.get("/queue/corrections/1"); strings.Contains(a.body, "new@mail") || strings.Contains(a.body, "jeanne@mail") || !strings.Contains(a.body, "j•••@m•••.e•••") || !strings.Contains(a.body, "different") {
		t.Errorf("masked: %s", a.body)
	}
	if a := second.post("/queue/corrections/1/full"); a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, "new@mail") {
		t.Errorf("in full without a reason: %d", a.status)
	}
	if a := second.post("/queue/corrections/1/full", "reason", "the domains look alike"); a.status != http.StatusOK || !strings.Contains(a.body, "new@mail.example") || !strings.Contains(a.body, "jeanne@mail.example") {
		t.Errorf("in full: %d", a.status)
	}
	if !strings.Contains(w.trail(c.ID), "user:leo | cell-proposal-full | the domains look alike | correction 1") {
		t.Error("that it was shown in full is not on record")
	}
	if _, err := k.FullProposal(ctx, agent(c), 1, "curious"); err == nil {
		t.Error("an agent read it")
	}
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = k.Decide(context.WithoutCancel(ctx), leo, 1, true, "verified in our system") })
	}
	wg.Wait()
	agreed := 0
	for _, err := range errs {
		if err == nil {
			agreed++
		} else if pipeline.ErrorCode(err) != "decided" {
			t.Error(err)
		}
	}
	if agreed != 1 || w.crowd.last() != "user:leo | correct | 7 | new@mail.example |  |  | moved" {
		t.Errorf("%d agreed; %s", agreed, w.crowd.last())
	}
	// One that cannot be applied does not look as if it were in force.
	w.must(k.Propose(ctx, who, call.ID, console.Address{Email: "other@mail.example"}, "again"))
	w.crowd.fail = &pipeline.Error{Code: "notice-busy", Sentence: "busy"}
	w.refused(k.Decide(ctx, leo, 2, true, "r"), "notice-busy")
	p, err := w.ledger.Proposal(ctx, 2)
	w.must(err)
	if p.State != pipeline.ProposalFailed || p.Note != "notice-busy" {
		t.Errorf("%+v", p)
	}
	// Whoever corrects once more means that: it takes the place of what waits.
	w.crowd.fail = nil
	w.must(k.Propose(ctx, who, call.ID, console.Address{Email: "mispelt@mail.example"}, "moved"))
	if a := b.get(path); !strings.Contains(a.body, "yours takes its place") {
		t.Error("the form does not say that one waits")
	}
	w.must(k.Propose(ctx, who, call.ID, console.Address{Email: "misspelt@mail.example"}, "it was mistyped"))
	if q, err = k.Queue(ctx, leo); err != nil || len(q.Proposals) != 1 || q.Proposals[0].ID != 4 {
		t.Errorf("%v, %+v", err, q.Proposals)
	}
	if a := second.get("/queue/corrections/3"); !strings.Contains(a.body, "a later one took its place") {
		t.Errorf("the one before: %s", a.body)
	}
	w.refused(k.Decide(ctx, leo, 3, true, "r"), "decided")
	if !strings.Contains(w.trail(c.ID), "cell-propose | it was mistyped | correction 4 in place of 3") {
		t.Errorf("the trail does not say what gave way:\n%s", w.trail(c.ID))
	}
	for a := range strings.SplitSeq(w.trail(c.ID), "\n") {
		if strings.Contains(a, "mail.example") {
			t.Errorf("an address is in the trail: %s", a)
		}
	}
}

// stoppedCalls is a ledger whose program is stopped once somebody has accepted, and
// before what was accepted is applied or on record.
type stoppedCalls struct {
	console.Calls
	stop func()
}

func (s stoppedCalls) Decide(ctx context.Context, p pipeline.Proposal, from pipeline.ProposalState, a pipeline.Audit) error {
	err := s.Calls.Decide(ctx, p, from, a)
	if from == pipeline.ProposalWaiting {
		s.stop()
	}
	return err
}

// stoppedDeeds does nothing once its context has ended, like real ones.
type stoppedDeeds struct{ *crowd }

func (s stoppedDeeds) Correct(ctx context.Context, actor string, c pipeline.Campaign, notice int64, a console.Address, reason string, decided time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.crowd.Correct(ctx, actor, c, notice, a, reason, decided)
}

// TestStoppedBetweenAcceptedAndApplied: a correction that was accepted is applied
// later if the program was stopped just then, once, and is not called failed.
func TestStoppedBetweenAcceptedAndApplied(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), lead(c)
	call := w.found(who, "C0001234")
	w.must(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})))
	w.must(k.Propose(ctx, who, call.ID, console.Address{Email: "new@mail.example"}, "moved"))
	short, stop := context.WithCancel(ctx)
	config := k.CellConfig
	config.Calls, config.Deeds = stoppedCalls{w.ledger, stop}, stoppedDeeds{w.crowd}
	if err := console.NewCell(config).Decide(short, asker(c, "leo", "lead"), 1, true, "verified"); err == nil {
		t.Fatal("the program was not stopped")
	}
	p, err := w.ledger.Proposal(ctx, 1)
	w.must(err)
	if p.State != pipeline.ProposalAccepted || !p.AppliedAt.IsZero() || strings.Contains(w.crowd.last(), "correct") {
		t.Fatalf("%+v, %s", p, w.crowd.last())
	}
	if a := w.as("leo").get("/queue/corrections/1"); !strings.Contains(a.body, "agreed, and not in force yet") {
		t.Error("the page says that it is in force")
	}
	// Refused for now: it stays what it is.
	w.crowd.fail = pipeline.ErrAway
	if err := k.ApplyAccepted(ctx); err == nil {
		t.Error("nothing was wrong")
	}
	w.crowd.fail = nil
	w.must(k.ApplyAccepted(ctx))
	if p, err = w.ledger.Proposal(ctx, 1); err != nil || p.State != pipeline.ProposalAccepted || p.AppliedAt.IsZero() || p.DecidedBy != "user:leo" {
		t.Errorf("%v, %+v", err, p)
	}
	if w.crowd.last() != "user:leo | correct | 7 | new@mail.example |  |  | moved" {
		t.Error(w.crowd.last())
	}
	n := len(w.crowd.done)
	w.must(k.ApplyAccepted(ctx))
	if len(w.crowd.done) != n || strings.Count(w.trail(c.ID), "cell-applied") != 1 {
		t.Errorf("applied again: %s", w.trail(c.ID))
	}
}

// TestDeedsOfACall: what an agent does goes to the right customer, with the reason,
// and stands in the call.
func TestDeedsOfACall(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	b := w.as("ana")
	a := b.post("/cell", "key", "jeanne@mail.example")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.to, "/cell/calls/") || strings.Contains(a.to, "@") {
		t.Fatalf("%d %s", a.status, a.to)
	}
	path := a.to
	if a := b.post(path+"/verify", "way", "reference", "reference", reference(34)); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, x := range []struct {
		to    string
		pairs []string
		did   string
	}{
		{"/copy", []string{"channel", "post", "large", "yes", "locale", "en", "reason", "reads badly"}, "user:ana | copy | 7 | post | en | large-print | reads badly"},
		{"/post", []string{"reason", "no computer"}, "user:ana | by-post | 7 | no computer"},
		{"/mark", []string{"flag", "deceased", "reason", "told by the daughter"}, "user:ana | mark | 7 | deceased | told by the daughter"},
	} {
		if a := b.post(path+x.to, x.pairs[:len(x.pairs)-2]...); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s without a reason: %d", x.to, a.status)
		}
		if a := b.post(path+x.to, x.pairs...); a.status != http.StatusSeeOther {
			t.Errorf("%s: %d %s", x.to, a.status, a.body)
		}
		if w.crowd.last() != x.did {
			t.Errorf("%s: %s", x.to, w.crowd.last())
		}
	}
	if a := b.post(path+"/mark", "flag", "vip", "reason", "r"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a flag that the cell does not give: %d", a.status)
	}
	nasty := `<script>alert(1)</script> "'><img src=x onerror=alert(1)> =cmd|' /C calc'!A0`
	if a := b.post(path+"/note", "note", nasty); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if a := b.post(path+"/pass-on", "why", "quota", "note", nasty); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a reason of the program's own: %d", a.status)
	}
	if a := b.post(path+"/pass-on", "why", "lawyer", "note", nasty); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	page := b.get(path)
	inspect(t, path, page)
	if !strings.Contains(page.body, "&lt;script&gt;alert(1)") || strings.Contains(page.body, "<img src=x") {
		t.Error("the note is not shown as text")
	}
	for _, raw := range w.raw() {
		if strings.Contains(raw, "onerror") || strings.Contains(raw, "jeanne@") || strings.Contains(raw, "C0001234") {
			t.Errorf("in clear in the ledger: %q", raw)
		}
	}
	if a := b.post(path+"/end", "cause", "data"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without an outcome: %d", a.status)
	}
	if a := b.post(path+"/end", "cause", "data", "outcome", "answered", "note", "done"); a.status != http.StatusSeeOther || a.to != "/cell?done=ended" {
		t.Errorf("%d %s", a.status, a.to)
	}
	if a := b.get(path); strings.Contains(a.body, "e-mail on 19") || !strings.Contains(a.body, "This call has ended") {
		t.Error("a call that has ended shows the customer")
	}
	counts, err := w.ledger.CountCalls(t.Context(), c.ID, t0)
	w.must(err)
	if len(counts) != 1 || counts[0].Cause != "data" || counts[0].Outcome != "answered" {
		t.Errorf("%+v", counts)
	}
}

// raw is everything that the cell has written in clear.
func (w *world) raw() (list []string) {
	w.t.Helper()
	ctx := w.t.Context()
	for c, err := range w.ledger.EachCall(ctx, pipeline.CallFilter{}) {
		w.must(err)
		list = append(list, fmt.Sprintf("%+v", c))
		steps, err := w.ledger.CallSteps(ctx, c.ID)
		w.must(err)
		for _, s := range steps {
			list = append(list, fmt.Sprintf("%s %s %s %s", s.Kind, s.Code, s.Detail, s.Sealed))
		}
	}
	return append(list, w.trail(0), w.trail(1))
}

// TestInWriting: who cannot be verified hears the same, whether a letter goes out or
// the company's own system has to write.
func TestInWriting(t *testing.T) {
	t.Parallel()
	w, _ := newCell(t)
	b := w.as("ana")
	bodies := []string{}
	for _, key := range []string{"C0001234", "C7"} {
		path := b.post("/cell", "key", key).to
		a := b.post(path+"/written", "who", "K-5 in the CRM")
		if a.status != http.StatusSeeOther {
			t.Fatalf("%d %s", a.status, a.body)
		}
		page := b.get(a.to).body
		_, page, _ = strings.Cut(page, "<main")
		page, _, _ = strings.Cut(page, "<section")
		bodies = append(bodies, strings.ReplaceAll(page, path, ""))
	}
	if bodies[0] != bodies[1] {
		t.Errorf("the two differ:\n%s\n%s", bodies[0], bodies[1])
	}
	if !strings.Contains(w.crowd.last(), "copy | 7 | post") && !slices.ContainsFunc(w.crowd.done, func(s string) bool { return strings.Contains(s, "copy | 7 | post") }) {
		t.Errorf("no letter goes out: %v", w.crowd.done)
	}
	lea := w.as("lea")
	queue := lea.get("/queue").body
	if strings.Count(queue, "/queue/calls/") != 1 || !strings.Contains(queue, "To be written to") {
		t.Errorf("the lead is not asked to let the other be written to: %s", queue)
	}
	if a := lea.get("/queue/calls/2"); !strings.Contains(a.body, "K-5 in the CRM") {
		t.Error("the lead does not see whom to write to")
	}
	if a := lea.post("/queue/calls/2", "note", "asked the CRM"); a.status != http.StatusSeeOther {
		t.Errorf("%d", a.status)
	}
	if a := lea.get("/queue"); strings.Contains(a.body, "/queue/calls/") {
		t.Error("it still waits")
	}
}

// TestOldCalls: a call that nobody ended is over after some hours.
func TestOldCalls(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	call := w.found(who, "C0001234")
	_, err := k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})
	w.must(err)
	w.clock.Advance(5 * time.Hour)
	if d, err := k.Case(ctx, who, call.ID); err != nil || d.Stage != console.StageClosed || d.File != nil {
		t.Errorf("%v, %+v", err, d)
	}
	w.refused(k.Copy(ctx, who, call.ID, console.CopyOrder{Channel: pipeline.Post}, "r"), "call-closed")
}

// TestNoKeyInAnyAddress: keys travel in the body, never in an address.
func TestNoKeyInAnyAddress(t *testing.T) {
	t.Parallel()
	w, _ := newCell(t)
	b := w.as("ana")
	if a := b.get("/cell?key=C0001234"); strings.Contains(a.body, "C0001234") || strings.Contains(a.body, "/cell/calls/") {
		t.Error("a key in the address was taken")
	}
	for _, key := range []string{"", strings.Repeat("x", 400), "\x00\xff", "'; DROP TABLE calls; --", "../../etc/passwd", "%"} {
		if a := b.post("/cell", "key", key); a.status != http.StatusUnprocessableEntity && a.status != http.StatusSeeOther || strings.Contains(a.to, key) && key != "" && key != "%" {
			t.Errorf("%q: %d %s", key, a.status, a.to)
		}
	}
}
