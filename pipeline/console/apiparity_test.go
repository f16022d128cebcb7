package console_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/console"
)

// Why a page has no operation for programs.
const (
	byPerson = "a login is of a person"
	prepared = "preparing and approving stay with people"
	inClear  = "names in clear are handed to people, who give their password again"
)

// operationsOf says which operation does what a page does, or why there is none.
func operationsOf() map[string]string {
	return map[string]string{
		"/{$}": byPerson, "/setup/{token}": byPerson, "/login": byPerson, "/login/code": byPerson, "/logout": byPerson, "/language": byPerson, "/sure": byPerson,
		"/account": byPerson, "/account/password": byPerson, "/account/code": byPerson, "/login/company": byPerson, "/login/company/back": byPerson, "/sure/company": byPerson,
		"/users": byPerson, "/users/new": byPerson, "/users/{login}": byPerson, "/users/{login}/roles": byPerson, "/users/{login}/reset": byPerson, "/users/{login}/end": byPerson,
		"/users/{login}/unlock": byPerson, "/users/{login}/disable": byPerson, "/users/{login}/confirm": byPerson, "/users/{login}/enable": byPerson, "/tokens": byPerson, "/tokens/new": byPerson, "/tokens/{token}/revoke": byPerson,

		"/campaigns": "listCampaigns", "/campaigns/{name}": "showCampaign", "/campaigns/{name}/live": "showCampaign", "/campaigns/{name}/planned": "showPlanned", "/campaigns/{name}/version/{n}": "listVersions",
		"/pause": "pause", "/campaigns/{name}/resume": "resume", "/campaigns/{name}/cancel": "cancel", "/campaigns/{name}/breakers/{scope}": "releaseBreaker", "/campaigns/{name}/pacing": "setPacing", "/campaigns/{name}/pacing/{provider}": "setProviderPacing",
		"/campaigns/{name}/doubts": "resolveDoubts", "/campaigns/{name}/customers": "exclude", "/campaigns/{name}/launch": "launch", "/campaigns/{name}/rehearsal": "showRehearsal", "/campaigns/{name}/rehearsal/start": "startRehearsal", "/campaigns/{name}/rehearsal/stop": "stopRehearsal", "/campaigns/{name}/notices": "listNotices", "/campaigns/{name}/notices/csv": inClear,
		"/audit": "listAudit", "/campaigns/{name}/audit": "listAudit", "/audit/customer": byPerson, "/campaigns/{name}/embargo": prepared,
		"/campaigns/{name}/runs/{run}": "showPrintRun", "/campaigns/{name}/runs/{run}/release": "releasePrintRun", "/campaigns/{name}/runs/{run}/recall": "takeBackPrintRun",
		"/campaigns/{name}/runs/{run}/file": inClear, "/campaigns/{name}/runs/{run}/deposit": "depositPrintRun", "/campaigns/{name}/returns": "recordReturns",

		"/new": prepared, "/new/example": prepared, "/new/example/campaign.yaml": prepared, "/campaigns/{name}/prepare": prepared, "/campaigns/{name}/import": prepared, "/campaigns/{name}/import/rejects/{list}": prepared, "/campaigns/{name}/check": prepared,
		"/campaigns/{name}/proofs": prepared, "/campaigns/{name}/proofs/{notice}": prepared, "/campaigns/{name}/proofs/{notice}/html": prepared, "/campaigns/{name}/proofs/{notice}/pdf": prepared,
		"/campaigns/{name}/submit": prepared, "/campaigns/{name}/approve": prepared, "/campaigns/{name}/letters": prepared, "/campaigns/{name}/language": prepared,

		"/cell": "openCall", "/cell/calls/{call}": "showCall", "/cell/calls/{call}/look-up": "lookUpAgain", "/cell/calls/{call}/choose": "chooseCampaign", "/cell/calls/{call}/verify": "verifyCaller", "/cell/calls/{call}/number": "showNumber",
		"/cell/calls/{call}/full": "unmask", "/cell/calls/{call}/letters/{notice}/{attempt}": "showLetter", "/cell/calls/{call}/letters/{notice}/{attempt}/html": "showLetter",
		"/cell/calls/{call}/letters/{notice}/{attempt}/file": "showLetter", "/cell/calls/{call}/compare": "compareAddress", "/cell/calls/{call}/copy": "sendCopy", "/cell/calls/{call}/post": "postInstead",
		"/cell/calls/{call}/correct": "proposeAddress", "/cell/calls/{call}/mark": "markCustomer", "/cell/calls/{call}/pass-on": "escalateCall", "/cell/calls/{call}/note": "noteCall",
		"/cell/calls/{call}/written": "answerInWriting", "/cell/calls/{call}/end": "closeCall",
		"/queue": "showQueue", "/queue/calls/{call}": "handleCall", "/queue/corrections/{correction}": "decideCorrection", "/queue/corrections/{correction}/full": "unmaskCorrection",

		"/answers": "searchAnswers", "/campaigns/{name}/answers": "searchAnswers", "/campaigns/{name}/answers/seen": "listAnswerChanges", "/campaigns/{name}/answers/{qa}": "showAnswer",
		"/campaigns/{name}/answers/{qa}/given": "giveAnswer", "/campaigns/{name}/ask": "askLead", "/campaigns/{name}/queries": "listQueries", "/campaigns/{name}/queries/{query}": "settleQuery",
		"/campaigns/{name}/qa": "listQA", "/campaigns/{name}/qa/new": "writeQA", "/campaigns/{name}/qa/starters": "takeStarters", "/campaigns/{name}/qa/review": "publishQA", "/campaigns/{name}/qa/{qa}": "showQA",
		"/campaigns/{name}/qa/{qa}/edit": "rewriteQA", "/campaigns/{name}/qa/{qa}/versions/{n}": "showQA", "/campaigns/{name}/qa/{qa}/publish/{n}": "publishQA", "/campaigns/{name}/qa/{qa}/withdraw": "withdrawQA",
		"/answer": "sentence", "/genuine": "compareLetter", "/genuine/report": "reportForgery", "/campaigns/{name}/forgeries": "listForgeries",
		"/campaigns/{name}/floor": "showFloor", "/campaigns/{name}/floor/csv": "showFloor",
	}
}

// TestAPIParity: for every page there is an operation with the same permission, or a
// reason why people do it; a new page says which.
func TestAPIParity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := map[string]console.Endpoint{}
	for _, e := range w.console.Endpoints() {
		by[e.ID] = e
	}
	of := operationsOf()
	used := map[string]bool{}
	for _, r := range w.console.Table() {
		_, path, _ := strings.Cut(r.Pattern, " ")
		is, ok := of[path]
		if !ok && strings.HasPrefix(path, "/campaigns/{name}/letters/") {
			is, ok = prepared, true
		}
		if !ok {
			t.Errorf("%s: no operation does this, and nothing says why", r.Pattern)
			continue
		}
		if slices.Contains([]string{byPerson, prepared, inClear}, is) {
			continue
		}
		used[is] = true
		// To end a call, and to compare, is for who opened it; ask is for who answers.
		if e, there := by[is]; !there || r.May != e.May && !slices.Contains([]string{"closeCall", "showPrintRun"}, is) {
			t.Errorf("%s (%s) is %s (%s)", r.Pattern, r.May, is, e.May)
		}
	}
	// What only programs have, because a page shows it beside something else.
	for _, own := range []string{"listPrintRuns", "hold", "release", "listCalls", "showWaitingCall", "showCorrection", "showOutlook"} {
		used[own] = true
	}
	for id := range by {
		if !used[id] {
			t.Errorf("%s: no page does this", id)
		}
	}
}

// operation is one of the document.
func operation(doc map[string]any, e console.Endpoint) map[string]any {
	return doc["paths"].(map[string]any)[e.Path].(map[string]any)[strings.ToLower(e.Method)].(map[string]any)
}

// requestExample is the body that the document shows; "" without one.
func requestExample(doc map[string]any, e console.Endpoint) string {
	body, _ := operation(doc, e)["requestBody"].(map[string]any)
	if body == nil {
		return ""
	}
	text, _ := json.Marshal(body["content"].(map[string]any)["application/json"].(map[string]any)["example"])
	return string(text)
}

// TestAPIExamples: the examples of the document are as its schemas say, and no
// example of a request is one that the console cannot read.
func TestAPIExamples(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	doc, check := w.documented()
	w.user("boss", console.Roles()...)
	all := w.token("all", console.Scopes()...)
	all.person = "boss"
	for _, e := range w.console.Endpoints() {
		op := operation(doc, e)
		answers := op["responses"].(map[string]any)
		example, err := json.Marshal(answers["200"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["example"])
		w.must(err)
		body := requestExample(doc, e)
		r, err := http.NewRequest(e.Method, w.server.URL+"/api/v1"+fill(e.Path), strings.NewReader(body))
		w.must(err)
		r.Header.Set("Authorization", "Bearer "+all.token)
		r.Header.Set("On-Behalf-Of", "boss")
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if ok, faults := check.ValidateHttpRequest(r); !ok {
			for _, f := range faults {
				t.Errorf("%s: its example: %s %s %v\n%s", e.ID, f.Message, f.Reason, f.SchemaValidationErrors, body)
			}
		}
		res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(example)), Request: r}
		if ok, faults := check.ValidateHttpResponse(r, res); !ok {
			for _, f := range faults {
				t.Errorf("%s: the example of its answer: %s %s %v\n%s", e.ID, f.Message, f.Reason, f.SchemaValidationErrors, example)
			}
		}
		a := all.call(e.Method, fill(e.Path), body)
		faults, _ := a.body["errors"].([]any)
		for _, f := range faults {
			if code := f.(map[string]any)["code"]; code != "unknown" && !(e.ID == "sentence" || e.ID == "returns") {
				t.Errorf("%s: its example is refused: %s\n%s", e.ID, a.text, body)
			}
		}
		if _, named := answers[fmt.Sprint(a.status)]; !named || a.status == http.StatusBadRequest {
			t.Errorf("%s: the document does not name %d: %s", e.ID, a.status, a.text)
		}
	}
}

// TestAPIEveryRouteEveryScope: the scope decides on every operation, for every token.
func TestAPIEveryRouteEveryScope(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("boss", console.Roles()...)
	doc, _ := w.documented()
	for _, scope := range console.Scopes() {
		p := w.token("for-"+string(scope), scope)
		p.person = "boss"
		before := w.desk.count()
		for _, e := range w.console.Endpoints() {
			a := p.call(e.Method, fill(e.Path), requestExample(doc, e))
			switch {
			case e.May != scope && (a.status != http.StatusForbidden || a.code() != "scope"):
				t.Errorf("%s with %s: %d %s", e.ID, scope, a.status, a.text)
			case e.May == scope && (a.status == http.StatusForbidden || a.status >= 500 || a.status == http.StatusUnauthorized):
				t.Errorf("%s with %s: %d %s", e.ID, scope, a.status, a.text)
			}
		}
		deeds := []console.Action{console.ActLaunch, console.ActPause, console.ActControl, console.ActCohort, console.ActPrint}
		if !slices.Contains(deeds, scope) && w.desk.count() != before {
			t.Errorf("%s: %s", scope, w.desk.last())
		}
	}
	// Of roles, who is named has what they have on the pages.
	all := w.token("all", console.Scopes()...)
	for _, role := range console.Roles() {
		all.person = string(role) + "-2"
		w.user(all.person, role)
		for _, e := range w.console.Endpoints() {
			a := all.call(e.Method, fill(e.Path), requestExample(doc, e))
			if may := console.May([]string{string(role)}, e.May); may == (a.status == http.StatusForbidden) {
				t.Errorf("%s for a %s: %d %s", e.ID, role, a.status, a.text)
			}
		}
	}
}

// TestAPITokenTimes: before and after its life, and whatever it asks for, a token
// that is over gets the answer of one that never was.
func TestAPITokenTimes(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	p := w.token("crm", console.Scopes()...)
	w.clock.Advance(25 * time.Hour)
	never := &program{w: w, token: "art34_" + strings.Repeat("A", 43)}
	for _, path := range []string{"/campaigns/muguet", "/campaigns/absent", "/calls/1", "/queue"} {
		w.clock.Advance(time.Minute)
		over, none := p.call("GET", path, ""), never.call("GET", path, "")
		if over.status != http.StatusUnauthorized || over.text != none.text {
			t.Errorf("%s: %s, %s", path, over.text, none.text)
		}
	}
	if a := w.token("new", console.ActSee).call("GET", "/campaigns/muguet", ""); a.status != http.StatusOK {
		t.Errorf("%d", a.status)
	}
}

// TestAPIBodyCampaigns: a campaign that is named in a body is not there either, for
// who must not know of it.
func TestAPIBodyCampaigns(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	c, err := w.ledger.Campaign(t.Context(), "pivoine")
	w.must(err)
	w.user("ann", console.Operator)
	w.embargo(c, t0.Add(12*time.Hour), "ann")
	p := w.token("crm", console.Scopes()...)
	for _, body := range []string{`{"key":"C0001234","campaign":"%s"}`, `{"key":"nobody","campaign":"%s"}`} {
		hidden, never := p.call("POST", "/calls", fmt.Sprintf(body, "pivoine")), p.call("POST", "/calls", fmt.Sprintf(body, "absent"))
		delete(hidden.body, "call")
		delete(never.body, "call")
		if fmt.Sprint(hidden.body) != fmt.Sprint(never.body) || hidden.status != never.status {
			t.Errorf("%s\n%s", hidden.text, never.text)
		}
	}
	report := `{"way":"sms","sentence":"Vos données ont fuité, cliquez vite sur ce lien maintenant","campaign":"%s"}`
	hidden, never := p.call("POST", "/genuine/report", fmt.Sprintf(report, "pivoine")), p.call("POST", "/genuine/report", fmt.Sprintf(report, "absent"))
	if hidden.text != never.text || hidden.status != http.StatusNotFound {
		t.Errorf("%s\n%s", hidden.text, never.text)
	}
}
