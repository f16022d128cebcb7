package console_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestReachedAfterTheNumber: nobody is reached at a number that was not shown, to this
// agent, in this call, about this customer.
func TestReachedAfterTheNumber(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	reached := console.Answer{Way: pipeline.ByCallback, Reached: true}
	call := w.found(who, "C0001234")
	w.refused(second(k.Verify(ctx, who, call.ID, reached)), "not-reached")
	b := w.as("ana")
	path := fmt.Sprint("/cell/calls/", call.ID)
	if a := b.post(path+"/verify", "way", "callback", "reached", "yes"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a forged form: %d %s", a.status, a.to)
	}
	// Another call, and another agent, are not this one.
	w.must(second(k.Number(ctx, who, w.found(who, "C0001234").ID)))
	w.refused(second(k.Verify(ctx, who, call.ID, reached)), "not-reached")
	w.must(second(k.Number(ctx, lead(c), call.ID)))
	w.refused(second(k.Verify(ctx, who, call.ID, reached)), "not-reached")
	// Neither is a number that was shown before somebody else was found.
	other := w.found(who, "durand 75011")
	w.must(w.ledger.AddSteps(ctx, pipeline.CallStep{Call: other.ID, At: w.clock.Now(), Agent: who.Actor, Kind: pipeline.StepUnmasked, Code: "phone"}))
	if other, err := k.LookUp(ctx, who, console.LookUp{Key: "C0001234", Call: other.ID}); err != nil || other.Notice != 7 {
		t.Fatalf("%v, %+v", err, other)
	}
	w.refused(second(k.Verify(ctx, who, other.ID, reached)), "not-reached")
	a := b.post(path + "/number")
	if a.status != http.StatusOK || !strings.Contains(a.body, "06 39 98 10 01") {
		t.Fatalf("%d", a.status)
	}
	if a := b.post(path+"/verify", "way", "callback", "reached", "yes"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got, err := w.ledger.Call(ctx, call.ID); err != nil || got.Verified != pipeline.ByCallback || got.Tries != 0 {
		t.Errorf("%v, %+v", err, got)
	}
}

// TestReferenceOnce: who was found by the reference that they read out is not asked
// for it again; the proof counts like any other, and not where the campaign takes no
// references.
func TestReferenceOnce(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	w.crowd.kind = map[string]string{reference(34): "reference"}
	byNumber := w.found(who, "C0001234")
	w.refused(second(k.Verify(ctx, who, byNumber.ID, console.Answer{Way: pipeline.ByReference})), "reference")
	b := w.as("ana")
	path := b.post("/cell", "key", reference(34)).to
	page := b.get(path).body
	if strings.Contains(page, `name="reference"`) || !strings.Contains(page, "<button autofocus>The caller read it out") {
		t.Errorf("the reference is asked for twice: %s", page)
	}
	if a := b.post(path+"/verify", "way", "reference"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := b.get(path); !strings.Contains(a.body, "e-mail on 19 January") {
		t.Error("the caller is not verified")
	}
	w.crowd.ways = []pipeline.Verification{pipeline.ByCRM}
	strict := w.found(who, reference(34))
	w.refused(second(k.Verify(ctx, who, strict.ID, console.Answer{Way: pipeline.ByReference})), "way")
	w.crowd.ways = nil
	// A locked customer stays locked.
	for range 2 {
		w.refused(second(k.Verify(ctx, who, byNumber.ID, console.Answer{Way: pipeline.ByReference, Reference: reference(99)})), "mismatch")
	}
	w.refused(second(k.Verify(ctx, who, byNumber.ID, console.Answer{Way: pipeline.ByReference, Reference: reference(99)})), "locked")
	w.refused(second(k.Verify(ctx, who, strict.ID, console.Answer{Way: pipeline.ByReference})), "locked")
}

// TestLockedSaysWhatNow: after each wrong answer the page says how many are left;
// after the last one until when nobody verifies the customer, and what can be done.
func TestLockedSaysWhatNow(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	who, b := agent(c), w.as("ana")
	for _, key := range []string{"C0001234", "C7"} { // concerned or not
		call := w.found(who, key)
		path := fmt.Sprint("/cell/calls/", call.ID)
		wrong := func() string {
			return b.post(path+"/verify", "way", "values", "value-pin", "0000").body
		}
		if page := wrong(); !strings.Contains(page, "2 more wrong answers") {
			t.Errorf("%s: %s", key, page)
		}
		if page := wrong(); !strings.Contains(page, "One more wrong answer") {
			t.Errorf("%s: after the second", key)
		}
		page := wrong()
		for _, want := range []string{"Nobody verifies them before 21 January 2026", "the general answer", "an answer in writing", "The lead has this call in the queue"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page does not say %q: %s", key, want, page)
			}
		}
		if strings.Contains(page, "Ask once more") || strings.Contains(page, `name="value-pin"`) {
			t.Errorf("%s: a locked customer is asked for", key)
		}
		if page := b.get(fmt.Sprint("/cell/calls/", w.found(who, key).ID)).body; !strings.Contains(page, "Nobody verifies them before") {
			t.Errorf("%s: another call does not know", key)
		}
	}
	w.clock.Advance(25 * time.Hour)
	call := w.found(who, "C0001234")
	if d, err := w.cell().Case(t.Context(), who, call.ID); err != nil || d.Locked || d.Tries.Left != 3 {
		t.Errorf("a day later: %v, %+v", err, d)
	}
}

var onceField = regexp.MustCompile(`name="once" value="([A-Za-z0-9_-]{43})"`)

// onceOf is what tells the forms of a page from those of its next showing.
func (b *browser) onceOf(path string) string {
	b.w.t.Helper()
	m := onceField.FindStringSubmatch(b.get(path).body)
	if m == nil {
		b.w.t.Fatalf("%s has no such field", path)
	}
	return m[1]
}

// TestTwoClicks: of one form that is sent several times at once, each deed happens
// once, and every click leads to the same page.
func TestTwoClicks(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, b, lea := t.Context(), w.as("ana"), w.as("lea")
	clicks := func(b *browser, path, once string, pairs ...string) map[string]int {
		t.Helper()
		token := b.token("/account")
		var wg sync.WaitGroup
		var mu sync.Mutex
		to := map[string]int{}
		for range 4 {
			wg.Go(func() {
				a := b.post(path, append([]string{"token", token, "once", once}, pairs...)...)
				mu.Lock()
				defer mu.Unlock()
				to[fmt.Sprint(a.status, " ", a.to)]++
			})
		}
		wg.Wait()
		return to
	}
	steps := func(call int64, kind string) (n int) {
		t.Helper()
		list, err := w.ledger.CallSteps(ctx, call)
		w.must(err)
		for _, s := range list {
			if s.Kind == kind {
				n++
			}
		}
		return n
	}
	if to := clicks(b, "/cell", b.onceOf("/cell"), "key", "C0001234"); len(to) != 1 || to["303 /cell/calls/1"] != 4 {
		t.Fatalf("looked up: %v", to)
	}
	const path = "/cell/calls/1"
	once := b.onceOf(path)
	clicks(b, path+"/verify", once, "way", "values", "value-pin", "0000")
	if got, err := w.ledger.Call(ctx, 1); err != nil || got.Tries != 1 || steps(1, pipeline.StepMismatch) != 1 {
		t.Errorf("one wrong answer counts %d times: %v", got.Tries, err)
	}
	// The same form with something else in it is something else.
	clicks(b, path+"/verify", once, "way", "values", "value-pin", "4711")
	for _, x := range []struct {
		to, kind string
		pairs    []string
	}{
		{"/note", pipeline.StepNote, []string{"note", "rings back on Monday"}},
		{"/copy", pipeline.StepCopy, []string{"channel", "post", "reason", "lost"}},
		{"/post", pipeline.StepRerouted, []string{"reason", "no computer"}},
		{"/correct", pipeline.StepProposed, []string{"what", "email", "email", "new@mail.example", "reason", "moved"}},
		{"/pass-on", pipeline.StepEscalated, []string{"why", "press", "note", "from the paper"}},
		{"/mark", pipeline.StepMarked, []string{"flag", "deceased", "reason", "told by the family"}},
		{"/written", pipeline.StepWritten, []string{"who", "K-5"}},
	} {
		if to := clicks(b, path+x.to, b.onceOf(path), x.pairs...); len(to) != 1 {
			t.Errorf("%s leads to %v", x.to, to)
		}
		if n := steps(1, x.kind); n != 1 && x.kind != pipeline.StepEscalated {
			t.Errorf("%s was done %d times", x.to, n)
		}
	}
	if n := steps(1, pipeline.StepEscalated); n != 2 { // passed on, and marked
		t.Errorf("passed on %d times", n)
	}
	if list, err := w.ledger.Proposals(ctx, pipeline.ProposalWaiting); err != nil || len(list) != 1 {
		t.Errorf("%d corrections wait: %v", len(list), err)
	}
	if to := clicks(lea, "/queue/corrections/1", lea.onceOf("/queue/corrections/1"), "what", "refuse", "reason", "not sure"); len(to) != 1 || to["303 /queue?done=correction_refused"] != 4 {
		t.Errorf("decided: %v", to)
	}
	if to := clicks(lea, "/queue/calls/1", lea.onceOf("/queue/calls/1"), "note", "called back"); len(to) != 1 || to["303 /queue?done=handled"] != 4 || steps(1, pipeline.StepHandled) != 1 {
		t.Errorf("handled: %v", to)
	}
	if to := clicks(b, path+"/end", b.onceOf(path), "cause", "data", "outcome", "answered"); len(to) != 1 || to["303 /cell?done=ended"] != 4 || steps(1, pipeline.StepClosed) != 1 {
		t.Errorf("ended: %v", to)
	}
	// Nobody else's form, and none that was made up, is taken for one that was sent.
	if a := w.as("bob").post(path+"/note", "once", once, "note", "rings back on Monday"); a.status != http.StatusNotFound {
		t.Errorf("somebody else's: %d", a.status)
	}
	_ = c
}

// TestTwoAtOnce: what an agent and a lead, or two leads, do to a call at the same
// moment happens once, and what the one did is not lost in what the other did.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	k, who := w.cell(), agent(c)
	ctx := context.WithoutCancel(t.Context())
	race := func(n int, f func(i int) error) (codes map[string]int) {
		var wg sync.WaitGroup
		errs := make([]error, n)
		for i := range n {
			wg.Go(func() { errs[i] = f(i) })
		}
		wg.Wait()
		codes = map[string]int{}
		for _, err := range errs {
			code := pipeline.ErrorCode(err)
			if err != nil && code == "" {
				t.Error(err)
			}
			codes[code]++
		}
		return codes
	}
	closed := w.found(who, "C0001234")
	if codes := race(4, func(i int) error {
		return k.Close(ctx, who, closed.ID, "data", []string{"answered", "general", "hung-up", "call-back"}[i], "")
	}); codes[""] != 1 || codes["call-closed"] != 3 {
		t.Errorf("ended: %v", codes)
	}
	passed := w.found(who, "C0001234")
	w.must(k.Escalate(ctx, who, passed.ID, "press", ""))
	leads := []console.Asker{lead(c), asker(c, "leo", "lead")}
	if codes := race(4, func(i int) error { return k.Handle(ctx, leads[i%2], passed.ID, "called back", false) }); codes[""] != 1 || codes["handled"] != 3 {
		t.Errorf("taken from the queue: %v", codes)
	}
	again := w.found(who, "durand 75011")
	if codes := race(4, func(i int) error {
		return second(k.LookUp(ctx, who, console.LookUp{Key: []string{"C0001234", "C7"}[i%2], Call: again.ID}))
	}); codes[""] != 1 || codes["call-taken"] != 3 {
		t.Errorf("another key: %v", codes)
	}
	verified := w.found(who, "C0001234")
	race(4, func(int) error { return second(k.Verify(ctx, who, verified.ID, console.Answer{Way: pipeline.ByCRM})) })
	steps, err := w.ledger.CallSteps(ctx, verified.ID)
	w.must(err)
	n := 0
	for _, s := range steps {
		if s.Kind == pipeline.StepVerified {
			n++
		}
	}
	if got, err := w.ledger.Call(ctx, verified.ID); err != nil || got.Tries != 0 || n != 1 {
		t.Errorf("verified %d times, %d wrong answers: %v", n, got.Tries, err)
	}
}

// TestOnlyWhatCanBeDone: what would be refused is not offered; the page says in a
// sentence why not.
func TestOnlyWhatCanBeDone(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	call := w.found(who, "C0001234")
	w.must(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})))
	b, path := w.as("ana"), fmt.Sprint("/cell/calls/", call.ID)
	page := b.get(path).body
	for _, x := range []string{"/copy", "/post", "/compare"} {
		if !strings.Contains(page, `href="`+path+x+`"`) {
			t.Errorf("%s is not offered", x)
		}
	}
	s, err := w.crowd.of(7)
	w.must(err)
	s.cannot = map[string]string{console.DeedCopyEmail: "copy-coming", console.DeedByPost: "nothing-planned"}
	if page = b.get(path + "/copy").body; strings.Contains(page, `value="email"`) || !strings.Contains(page, `value="post"`) {
		t.Error("a copy by e-mail is offered")
	}
	s.cannot[console.DeedCopyPost] = "no-address"
	page = b.get(path).body
	for _, x := range []string{"/copy", "/post"} {
		if strings.Contains(page, `href="`+path+x+`"`) {
			t.Errorf("%s is offered", x)
		}
		if form := b.get(path + x).body; strings.Contains(form, "<textarea") || strings.Contains(form, `name="reason"`) {
			t.Errorf("%s has a form", x)
		}
	}
	if !strings.Contains(page, "There is no address from before the incident") {
		t.Error("the page does not say why not")
	}
	// Who looks for a way to send a letter is not told about e-mail; who asks for just that is.
	if form := b.get(path + "/post").body; strings.Contains(page, "Nothing is planned by e-mail") || !strings.Contains(form, "Nothing is planned by e-mail") {
		t.Error("that nothing is planned by e-mail is not said where it is asked for, and there only")
	}
	// Raw text of a server stands behind what it means.
	if !strings.Contains(page, "<details class=\"raw\"><summary>What the mail server said</summary><code>250 2.0.0") || !strings.Contains(page, "the mailbox is full") {
		t.Errorf("the timeline: %s", page)
	}
}

// TestDraftsAreUnspoken: who answers callers does not learn the name of a campaign
// that nobody is told of yet, on no page; who prepares it does.
func TestDraftsAreUnspoken(t *testing.T) {
	t.Parallel()
	w, _ := newCell(t)
	w.campaign("pivoine", pipeline.Draft)
	w.campaign("rose", pipeline.Running)
	w.user("sam", console.Shop)
	w.user("opa", console.Operator)
	for _, login := range []string{"ana", "sam"} {
		b := w.as(login)
		for _, path := range []string{"/answers", "/cell", "/genuine", "/counter", "/"} {
			if a := b.get(path); strings.Contains(a.body, "pivoine") || strings.Contains(a.body, "PIVOINE") {
				t.Errorf("%s reads of the draft on %s: %d", login, path, a.status)
			}
		}
		if a := b.get("/campaigns/pivoine/answers"); a.status != http.StatusNotFound {
			t.Errorf("the answers of the draft are there for %s: %d", login, a.status)
		}
		if a := b.get("/answers"); !strings.Contains(a.body, "muguet") || !strings.Contains(a.body, "rose") {
			t.Errorf("%s does not find what there is", login)
		}
	}
	forged := []string{"reference", "", "way", "email", "sentence", "Click here at once or your account will be closed for ever"}
	if a := w.as("ana").post("/genuine", forged...); a.status != http.StatusOK || strings.Contains(a.body, "pivoine") || !strings.Contains(a.body, "muguet") {
		t.Errorf("a forgery is reported under the draft: %d", a.status)
	}
	if a := w.as("ana").post("/genuine/report", append(forged, "campaign", "pivoine")...); a.status != http.StatusNotFound {
		t.Errorf("a forgery of the draft: %d", a.status)
	}
	if a := w.as("opa").get("/campaigns"); !strings.Contains(a.body, "pivoine") {
		t.Error("who prepares it does not see it")
	}
}

// TestMarkedSaysWhatStopped: what was stopped, what only the print shop can stop and
// what has left stands in the call, and on the page of the print run.
func TestMarkedSaysWhatStopped(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	w.user("opa", console.Operator)
	call := w.found(who, "C0001234")
	w.must(second(k.Verify(ctx, who, call.ID, console.Answer{Way: pipeline.ByCRM})))
	w.crowd.marked = console.Marked{Held: 1, Pulled: []int64{42}, ByHand: []console.InRun{{Run: 41, Seq: 17}}, Gone: 1}
	b, path := w.as("ana"), fmt.Sprint("/cell/calls/", call.ID)
	a := b.post(path+"/mark", "flag", "deceased", "reason", "told by the family")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, page := range []string{b.get(a.to).body, w.as("lea").get(fmt.Sprint("/queue/calls/", call.ID)).body} {
		for _, want := range []string{"R000042", "R000041 letter 17", "pulled by hand", "cannot be called back"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q: %s", want, page)
			}
		}
	}
	w.board.figures.Runs = []pipeline.Run{{ID: 41, Campaign: c.ID, State: pipeline.RunReleased, Letters: 20}, {ID: 4, Campaign: c.ID, State: pipeline.RunReleased, Letters: 20}}
	for range 2 {
		w.must(w.ledger.Append(ctx, pipeline.Audit{Campaign: c.ID, At: w.clock.Now(), Actor: "user:ana", Action: pipeline.ActionPullByHand, Detail: "R000041 letter 17"}))
	}
	op := w.as("opa")
	if page := op.get("/campaigns/muguet/runs/R000041").body; strings.Count(page, "R000041 letter 17") != 1 {
		t.Errorf("the print room is not told: %s", page)
	}
	if page := op.get("/campaigns/muguet/runs/R000004").body; strings.Contains(page, "letter 17") {
		t.Error("another run")
	}
}

// TestSeveralCampaigns: a customer of several campaigns is one press away from each,
// the newest first; what they have to do with any of them is not said before they are
// verified. Two people who share a key in one campaign still need another one.
func TestSeveralCampaigns(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	rose, iris := w.campaign("rose", pipeline.Running), w.campaign("iris", pipeline.Running)
	w.crowd.add(&somebody{notice: 21, campaign: rose, name: "Jeanne O'Neil", reference: reference(51), state: pipeline.Due}, "C0001234")
	w.crowd.add(&somebody{notice: 31, campaign: iris, name: "Paul", reference: reference(52), flags: []string{"vip"}, state: pipeline.Due}, "C0000009")
	w.crowd.add(&somebody{campaign: rose}, "C7")
	who := agent(c)
	who.Campaigns = []pipeline.Campaign{c, rose, iris}
	b, k, ctx := w.as("ana"), w.cell(), t.Context()
	path := b.post("/cell", "key", "C0001234").to
	page := b.get(path).body
	if strings.Count(page, path+"/choose") != 2 || strings.Contains(page, "Look at iris") || strings.Contains(page, "e-mail on") || strings.Contains(page, "Jeanne") {
		t.Fatalf("%s", page)
	}
	if a := b.post(path+"/choose", "campaign", "iris"); a.status != http.StatusNotFound {
		t.Errorf("a campaign that has nothing to do with it: %d", a.status)
	}
	if a := w.as("bob").post(path+"/choose", "campaign", "rose"); a.status != http.StatusNotFound {
		t.Errorf("somebody else: %d", a.status)
	}
	if a := b.post(path+"/choose", "campaign", "rose"); a.status != http.StatusSeeOther || a.to != path {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if page = b.get(path).body; !strings.Contains(page, "Who is calling?") {
		t.Errorf("%s", page)
	}
	w.refused(second(k.Choose(ctx, who, 1, "muguet")), "call-stage")
	w.must(second(k.Verify(ctx, who, 1, console.Answer{Way: pipeline.ByCRM})))
	if d, err := k.Case(ctx, who, 1); err != nil || d.Call.Notice != 21 {
		t.Errorf("%v, %+v", err, d.Call)
	}
	// A program chooses as its agent does.
	p := w.token("crm", console.ActLookUp)
	a := p.call("POST", "/calls", `{"key":"C0001234"}`)
	at := fmt.Sprintf("/calls/%.0f/choose", a.body["call"])
	if got := fmt.Sprint(a.body["choices"]); got != "[muguet rose]" && got != "[rose muguet]" || a.body["campaign"] != "" {
		t.Errorf("%s", a.text)
	}
	if a := p.call("POST", at, `{"campaign":"iris"}`); a.status != http.StatusNotFound {
		t.Errorf("a program chooses what is not there: %d %s", a.status, a.text)
	}
	if a := p.call("POST", at, `{"campaign":"rose"}`); a.status != http.StatusOK || a.body["stage"] != "verify" || a.body["campaign"] != "rose" {
		t.Errorf("%d %s", a.status, a.text)
	}
	// Who is concerned by none of several is told so for the one that was chosen.
	none := w.found(who, "C7")
	got, err := k.Choose(ctx, who, none.ID, "rose")
	if err != nil || got.Found != pipeline.FoundBystander || got.Campaign != rose.ID || len(got.Token) != 16 {
		t.Errorf("%v, %+v", err, got)
	}
	// For few, in one of them.
	w.crowd.add(&somebody{notice: 22, campaign: rose, name: "Paul", reference: reference(53), state: pipeline.Due}, "C0000009")
	few := w.found(who, "C0000009")
	if got, err = k.Choose(ctx, who, few.ID, "iris"); err != nil || got.Found != pipeline.FoundReserved || !got.Waiting() {
		t.Errorf("%v, %+v", err, got)
	}
	shared := w.found(asker(c, "ana", "agent"), "shared@mail.example")
	if _, err := k.Choose(ctx, who, shared.ID, "muguet"); err == nil {
		t.Error("chosen between two people")
	}
	race := w.found(who, "C0001234")
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = k.Choose(context.WithoutCancel(ctx), who, race.ID, []string{"rose", "muguet"}[i%2])
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of 4 chose: %v", won, errs)
	}
}

// TestEveryCallIsCounted: the floor counts the calls in which nobody was found, and
// those who are not in the population or heard no more than the general answer.
func TestEveryCallIsCounted(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	ctx, k, who := t.Context(), w.cell(), agent(c)
	w.must(k.Close(ctx, who, w.found(who, "nobody at all").ID, "concerned", "answered", ""))
	w.found(who, "durand 75011")
	w.must(k.Close(ctx, who, w.found(who, "C0001234").ID, "concerned", "general", ""))
	for key, way := range map[string]pipeline.Verification{"C7": pipeline.ByCRM, "C0001234": pipeline.ByCRM} {
		w.must(second(k.Verify(ctx, who, w.found(who, key).ID, console.Answer{Way: way})))
	}
	page := w.as("lea").get("/campaigns/muguet/floor").body
	_, table, _ := strings.Cut(page, `id="told"`)
	table, _, _ = strings.Cut(table, "</section>")
	rows := regexp.MustCompile(`<th scope="row">([^<]*?) ?(<span class="soft">[^<]*</span>)?</th><td[^>]*>([0-9]+)</td>`).FindAllStringSubmatch(table, -1)
	got := map[string]string{}
	for _, r := range rows {
		got[r[1]] = r[3]
	}
	for _, name := range []string{"How far their letter is", "Not in the population", "The general answer only", "Nobody under this key", "Several under this key, and no other key"} {
		if got[name] != "1" {
			t.Errorf("%s: %q calls, 1 was made; %v", name, got[name], got)
		}
	}
	if a := w.as("lea").get("/campaigns/muguet/floor/csv"); !strings.Contains(a.body, "calls-came-to") || !strings.Contains(a.body, ",not-concerned,1,") || !strings.Contains(a.body, ",nobody,1,") {
		t.Errorf("the table: %s", a.body)
	}
}

// TestGenuineForFew: letters of a customer for few are compared by the lead alone.
func TestGenuineForFew(t *testing.T) {
	t.Parallel()
	w, c := newCell(t)
	r, err := pipeline.ParseReference(reference(35))
	w.must(err)
	w.floor.by[r] = console.Letters{Campaign: c, Notice: 8, Reserved: true}
	form := []string{"reference", reference(35), "way", "email", "sentence", "We write to you because some of your data were seen by others"}
	for _, path := range []string{"/genuine", "/genuine/report"} {
		if a := w.as("ana").post(path, form...); a.status != http.StatusConflict || !strings.Contains(a.body, "Only the lead of the cell compares letters") {
			t.Errorf("%s by an agent: %d", path, a.status)
		}
	}
	if a := w.as("lea").post("/genuine", form...); a.status != http.StatusOK {
		t.Errorf("by the lead: %d", a.status)
	}
}
