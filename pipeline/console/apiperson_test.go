package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestAPIPersons: what an agent does is done for somebody who is named, their calls
// are theirs, and who has an account does no more than on the pages.
func TestAPIPersons(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	p := w.token("crm", console.Scopes()...)
	for name, header := range map[string][]string{
		"nobody": nil, "empty": {""}, "a role": {"token:crm"}, "a path": {"a/b"}, "capitals": {"Ana"}, "two": {"ana", "bob"}, "a list": {"ana,bob"}, "a space": {"ana martin"}, "long": {strings.Repeat("a", 64)},
	} {
		q := *p
		q.person = "-"
		r, err := http.NewRequest("POST", w.server.URL+"/api/v1/calls", strings.NewReader(`{"key":"C0001234"}`))
		w.must(err)
		r.Header = http.Header{"Authorization": {"Bearer " + q.token}, "Content-Type": {"application/json"}}
		r.Header["On-Behalf-Of"] = header
		w.clock.Advance(time.Second)
		res, err := http.DefaultClient.Do(r)
		w.must(err)
		w.must(res.Body.Close())
		if res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	w.user("vic", console.Viewer)
	w.user("old", console.Agent)
	_, err := w.accounts.SetDisabled(t.Context(), "user:root", "old", true)
	w.must(err)
	for _, login := range []string{"vic", "old"} {
		q := *p
		q.person = login
		if a := q.call("POST", "/calls", `{"key":"C0001234"}`); a.status != http.StatusForbidden || a.code() != "person" {
			t.Errorf("%s: %d %s", login, a.status, a.text)
		}
	}
	a := p.call("POST", "/calls", `{"key":"C0001234"}`)
	path := fmt.Sprintf("/calls/%.0f", a.body["call"])
	q := *p
	q.person = "bob"
	for method, at := range map[string]string{"GET": path, "POST": path + "/note"} {
		if a := q.call(method, at, `{"text":"x"}`); a.status != http.StatusNotFound {
			t.Errorf("%s of somebody else's call: %d", method, a.status)
		}
	}
	if a := q.call("GET", "/calls", ""); len(a.body["items"].([]any)) != 0 {
		t.Errorf("calls of somebody else: %s", a.text)
	}
	if a := p.call("GET", "/calls", ""); len(a.body["items"].([]any)) != 1 {
		t.Errorf("the own call: %s", a.text)
	}
	// The same key for somebody else is another request.
	if a := p.call("POST", path+"/note", `{"text":"once"}`, "Idempotency-Key", "n1"); a.status != http.StatusConflict && a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := q.call("POST", path+"/note", `{"text":"once"}`, "Idempotency-Key", "n1"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("an answer for somebody else: %d %s", a.status, a.text)
	}
	// The VIP scope does not make a VIP's agent of who has none.
	if a := p.call("POST", "/calls", `{"key":"C0000009"}`); a.body["stage"] != "reserved" {
		t.Errorf("a reserved customer for somebody without an account: %s", a.text)
	}
	w.user("lea", console.Lead)
	q.person = "lea"
	if a := q.call("POST", "/calls", `{"key":"C0000009"}`); a.body["stage"] != "verify" {
		t.Errorf("a reserved customer for a lead: %s", a.text)
	}
	all, err := w.ledger.LastAudits(t.Context(), 0, 50)
	w.must(err)
	named := false
	for _, e := range all {
		named = named || e.Actor == "token:crm/vic" && e.Action == "denied"
	}
	if !named {
		t.Errorf("the record names nobody: %v", all)
	}
}

// TestAPIQuotas: a person looks up what one answers, and all persons of a token what
// the token may, whatever names it gives.
func TestAPIQuotas(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, text, err := w.accounts.AddToken(t.Context(), "user:root", console.TokenOrder{Name: "crm", Scopes: []string{"look-up"}, LookUps: 50, PerMinute: 6000, Life: time.Hour}, "x")
	w.must(err)
	p := &program{w: w, token: text}
	ask := func(person string) (n int) {
		q := *p
		q.person = person
		for ; n < 100; n++ {
			if a := q.call("POST", "/calls", `{"key":"nobody"}`); a.status != http.StatusOK {
				if a.status != http.StatusTooManyRequests || a.code() != "quota" || a.header.Get("Retry-After") == "" {
					t.Errorf("%d %s", a.status, a.text)
				}
				return n
			}
		}
		return n
	}
	if n := ask("kim"); n != 40 { // as the cell of these tests bounds an agent
		t.Errorf("one person: %d look-ups", n)
	}
	if n := ask("lou") + ask("max"); n != 10 {
		t.Errorf("others after them: %d look-ups", n)
	}
}

// TestAPIFourEyes: a corrected address is decided by somebody else than who asked,
// by another program, and by who has an account for it.
func TestAPIFourEyes(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ana", console.Agent)
	for _, login := range []string{"lea", "leo"} {
		w.user(login, console.Lead)
	}
	_, check := w.documented()
	crm, desk := w.token("crm", console.ActLookUp, console.ActHelp, console.ActSecond), w.token("desk", console.ActSecond)
	crm.check, desk.check = check, check
	propose := func(person string) string {
		crm.person = person
		a := crm.call("POST", "/calls", `{"key":"C0001234"}`)
		path := fmt.Sprintf("/calls/%.0f", a.body["call"])
		if a := crm.call("POST", path+"/verify", `{"way":"crm"}`); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		if a := crm.call("POST", path+"/correct", `{"reason":"moved","email":"new-`+person+`@mail.example"}`); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		desk.person = "leo"
		list := desk.call("GET", "/queue", "").body["corrections"].([]any)
		return fmt.Sprintf("/queue/corrections/%.0f/decide", list[len(list)-1].(map[string]any)["correction"])
	}
	accept := `{"decision":"accept","reason":"heard the call"}`
	at := propose("lea")
	for name, c := range map[string]struct {
		p      *program
		person string
		status int
		code   string
	}{
		"the same person by another program": {desk, "lea", 409, "own-proposal"}, "the same program for another": {crm, "leo", 409, "own-proposal"},
		"an agent": {desk, "ana", 403, "person"}, "nobody with an account": {desk, "kim", 403, "person"}, "nobody": {desk, "-", 400, "on-behalf-of"},
	} {
		c.p.person = c.person
		if a := c.p.call("POST", at, accept); a.status != c.status || a.code() != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	if last := w.crowd.last(); strings.Contains(last, "correct |") {
		t.Errorf("applied: %s", last)
	}
	// On the pages it is one's own as well.
	b := w.as("lea")
	if a := b.post(strings.TrimSuffix(at, "/decide"), "what", "accept", "reason", "x"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("the same person on the page: %d", a.status)
	}
	desk.person = "leo"
	if a := desk.call("GET", strings.TrimSuffix(at, "/decide"), ""); a.body["standing"] != "waiting" || a.body["asked_by"] != "token:crm/lea" {
		t.Errorf("%s", a.text)
	}
	if a := desk.call("POST", strings.TrimSuffix(at, "/decide")+"/full", `{"reason":"compared with the call"}`); a.status != http.StatusOK || !strings.Contains(a.text, "new-lea@mail.example") {
		t.Errorf("in full: %d %s", a.status, a.text)
	}
	if a := desk.call("GET", strings.TrimSuffix(at, "/decide"), ""); strings.Contains(a.text, "new-lea@mail.example") {
		t.Errorf("still in full: %s", a.text)
	}
	if a := desk.call("POST", at, `{"decision":"perhaps","reason":"x"}`); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d", a.status)
	}
	if a := desk.call("POST", at, accept, "Idempotency-Key", "d1"); a.status != http.StatusOK || a.body["standing"] != "accepted" || a.body["decided_by"] != "token:desk/leo" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if last := w.crowd.last(); !strings.HasPrefix(last, "token:desk/leo | correct | 7 | new-lea@mail.example") {
		t.Errorf("applied: %s", last)
	}
	if a := desk.call("POST", at, accept); a.status != http.StatusConflict || a.code() != "decided" {
		t.Errorf("once more: %d %s", a.status, a.text)
	}
	at = propose("ana")
	desk.person = "leo"
	if a := desk.call("POST", at, `{"decision":"refuse","reason":"not the customer"}`); a.body["standing"] != "refused" {
		t.Errorf("%s", a.text)
	}
}

// TestAPITied: an account that was in somebody's hands is no second person for what
// they asked for by a program, nor a program whose token they made.
func TestAPITied(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("lea", console.Lead)
	w.user("ana", console.Admin, console.Agent)
	_, _, err := w.accounts.Add(t.Context(), "user:ana", "fay", "Fay", []string{"lead"}, "")
	w.must(err)
	_, err = w.accounts.SetPassword(t.Context(), "fay", password)
	w.must(err)
	crm, desk := w.token("crm", console.ActLookUp, console.ActHelp), w.token("desk", console.ActSecond)
	_, text, err := w.accounts.AddToken(t.Context(), "user:ana", console.TokenOrder{Name: "own", Scopes: []string{"second"}, Life: time.Hour}, "x")
	w.must(err)
	own := &program{w: w, token: text, person: "lea"}
	crm.person, desk.person = "ana", "fay"
	a := crm.call("POST", "/calls", `{"key":"C0001234"}`)
	path := fmt.Sprintf("/calls/%.0f", a.body["call"])
	crm.call("POST", path+"/verify", `{"way":"crm"}`)
	if a := crm.call("POST", path+"/correct", `{"reason":"moved","email":"mine@mail.example"}`); a.status != http.StatusOK {
		t.Fatal(a.text)
	}
	list := own.call("GET", "/queue", "").body["corrections"].([]any)
	at := fmt.Sprintf("/queue/corrections/%.0f/decide", list[len(list)-1].(map[string]any)["correction"])
	for name, p := range map[string]*program{"an account that they made": desk, "a program that they made": own} {
		if a := p.call("POST", at, `{"decision":"accept","reason":"x"}`); a.status != http.StatusConflict || a.code() != "tied" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	desk.person = "lea"
	if a := desk.call("POST", at, `{"decision":"accept","reason":"heard the call"}`); a.status != http.StatusOK {
		t.Errorf("somebody else: %d %s", a.status, a.text)
	}
}

// TestAPIDeeds: what is done in a call is what the pages do.
func TestAPIDeeds(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, check := w.documented()
	p := w.token("crm", console.ActLookUp, console.ActHelp)
	p.check = check
	open := func() string {
		a := p.call("POST", "/calls", `{"key":"C0001234","campaign":"pivoine"}`)
		return fmt.Sprintf("/calls/%.0f", a.body["call"])
	}
	path := open()
	for deed, body := range map[string]string{
		"post": `{"reason":"x"}`, "mark": `{"reason":"x","flag":"deceased"}`, "full": `{"reason":"x"}`, "compare": `{"email":"jeanne@mail.example"}`,
	} {
		if a := p.call("POST", path+"/"+deed, body); a.status != http.StatusConflict || a.code() != "call-stage" || strings.Contains(a.text, "Jeanne") {
			t.Errorf("%s before the caller is verified: %d %s", deed, a.status, a.text)
		}
	}
	if a := p.call("POST", path+"/number", `{}`); a.status != http.StatusOK || a.body["number"] != "+33639981001" {
		t.Errorf("the number: %d %s", a.status, a.text)
	}
	// Whoever cannot be verified is written to, and hears the same whoever they are.
	for _, key := range []string{"C0001234", "C7"} {
		a := p.call("POST", "/calls", `{"key":"`+key+`","campaign":"pivoine"}`)
		one := fmt.Sprintf("/calls/%.0f/written", a.body["call"])
		if a := p.call("POST", one, `{"who":"says they are Jeanne O'Neil"}`); a.status != http.StatusOK || a.body["customer"] != nil || len(a.body["steps"].([]any)) != 0 {
			t.Errorf("%s: %d %s", key, a.status, a.text)
		}
	}
	if a := p.call("POST", path+"/verify", `{"way":"values","values":{"pin":"4711"}}`); a.status != http.StatusOK || a.body["stage"] != "answer" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := p.call("POST", path+"/full", `{"reason":"spells the name"}`); a.status != http.StatusOK || !strings.Contains(a.text, "<b>O'Neil") {
		t.Errorf("in full: %d %s", a.status, a.text)
	}
	if a := p.call("GET", path, ""); strings.Contains(a.text, "<b>O'Neil") {
		t.Errorf("still in full: %s", a.text)
	}
	for body, same := range map[string]bool{`{"email":"jeanne@mail.example"}`: true, `{"email":"other@mail.example"}`: false} {
		if a := p.call("POST", path+"/compare", body); a.status != http.StatusOK || a.body["same"] != same {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	for deed, c := range map[string][2]string{
		"post": {`{"reason":"no mail any more"}`, "token:crm/kim | by-post | 7"}, "copy": {`{"reason":"mislaid","channel":"post","large":true,"locale":"en"}`, "token:crm/kim | copy | 7 | post | en | large-print"},
		"mark": {`{"reason":"told by the family","flag":"deceased"}`, "token:crm/kim | mark | 7 | deceased"},
	} {
		if a := p.call("POST", path+"/"+deed, c[0], "Idempotency-Key", deed); a.status != http.StatusOK || !strings.HasPrefix(w.crowd.last(), c[1]) {
			t.Errorf("%s: %d %s, %s", deed, a.status, a.text, w.crowd.last())
		}
	}
	if a := p.call("POST", path+"/escalate", `{"why":"press","note":"from the Quotidien"}`); a.status != http.StatusOK || a.body["waiting"] != true {
		t.Errorf("passed on: %d %s", a.status, a.text)
	}
	if a := p.call("POST", path+"/escalate", `{"why":"quota"}`); a.status != http.StatusConflict {
		t.Errorf("a reason that is the program's: %d", a.status)
	}
	w.user("lea", console.Lead)
	lead := w.token("lead", console.ActSecond)
	lead.check, lead.person = check, "lea"
	at := "/queue" + path
	if a := lead.call("GET", at, ""); a.status != http.StatusOK || a.body["stage"] != "answer" || !strings.Contains(a.text, "from the Quotidien") {
		t.Errorf("for the lead: %d %s", a.status, a.text)
	}
	if a := lead.call("POST", at+"/handle", `{"note":"called back"}`); a.status != http.StatusOK {
		t.Errorf("handled: %d %s", a.status, a.text)
	}
	if a := lead.call("POST", at+"/handle", `{"note":"called back"}`); a.status != http.StatusConflict || a.code() != "handled" {
		t.Errorf("handled again: %d %s", a.status, a.text)
	}
	if a := p.call("POST", open()+"/look-up", `{"key":"nobody"}`); a.status != http.StatusConflict || a.code() != "call-taken" {
		t.Errorf("another key in a call about somebody: %d %s", a.status, a.text)
	}
	a := p.call("POST", "/calls", `{"key":"nobody"}`)
	if a := p.call("POST", fmt.Sprintf("/calls/%.0f/look-up", a.body["call"]), `{"key":"C0001234"}`); a.status != http.StatusOK || a.body["stage"] != "verify" {
		t.Errorf("another key: %d %s", a.status, a.text)
	}
}

// TestAPIReadsForThePerson: a program that answers callers knows of no draft, and shows
// nobody who has an account what is not written for them.
func TestAPIReadsForThePerson(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("sam", console.Shop)
	w.campaign("lilas", pipeline.Draft)
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	w.write(c, "verify", "fr", "Comment vérifier l'appelant ?", "Par son numéro de client.", true, pipeline.ForCell)
	answering, writing := w.token("crm", console.ActAnswer), w.token("writers", console.ActAnswer, console.ActCompose)
	search := func(p *program, person, campaign string) reply {
		q := *p
		q.person = person
		return q.call("POST", "/campaigns/"+campaign+"/answers/search", `{"locale":"fr"}`)
	}
	if a := search(answering, "", "lilas"); a.status != http.StatusNotFound {
		t.Errorf("a draft, to who answers: %d %s", a.status, a.text)
	}
	if a := search(writing, "", "lilas"); a.status != http.StatusOK {
		t.Errorf("a draft, to who writes: %d %s", a.status, a.text)
	}
	count := func(person string) int {
		a := search(answering, person, "muguet")
		items, _ := a.body["items"].([]any)
		return len(items)
	}
	all, shop := count(""), count("sam")
	if own := strings.Count(w.as("sam").get("/campaigns/muguet/answers?lang=fr").body, `href="/campaigns/muguet/answers/`); shop != own || shop >= all {
		t.Errorf("the shop reads %d of %d, on the page %d", shop, all, own)
	}
}
