package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/console/vouch"
)

// TestAPIQuestions: agents ask and answer, a lead writes and publishes, and an
// intranet fetches what has changed and nothing else.
func TestAPIQuestions(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, check := w.documented()
	w.user("lea", console.Lead)
	agent, lead := w.token("crm", console.ActAnswer), w.token("desk", console.ActCompose, console.ActPublish)
	agent.check, lead.check, lead.person = check, check, "lea"
	const at = "/campaigns/muguet"
	begun := agent.call("GET", at+"/answers/changes", "")
	if begun.status != http.StatusOK || len(begun.body["published"].([]any)) != 2 || strings.Contains(begun.text, "BROUILLON") || strings.Contains(begun.text, "presse") {
		t.Fatalf("%d %s", begun.status, begun.text)
	}
	since := fmt.Sprintf("%s/answers/changes?since=%.0f", at, begun.body["newest"])
	if a := agent.call("GET", since, ""); len(a.body["published"].([]any)) != 0 {
		t.Errorf("nothing has changed: %s", a.text)
	}
	asked := agent.call("POST", at+"/queries", `{"question":"Le numéro du compteur est-il concerné ?","locale":"fr"}`)
	if asked.status != http.StatusOK || asked.body["state"] != "open" || asked.body["asked_by"] != "token:crm/kim" {
		t.Fatalf("%d %s", asked.status, asked.text)
	}
	if a := agent.call("POST", at+"/queries", `{"question":"Et jean@orange.example ?","locale":"fr"}`); a.status != http.StatusUnprocessableEntity || strings.Contains(a.text, "jean@") {
		t.Errorf("a question with a name: %d %s", a.status, a.text)
	}
	body := `{"topic":"meter","locale":"fr","audiences":["cell"],"question":"Le compteur ?","answer":"Non.","query":%.0f,"reason":"asked"}`
	wrote := lead.call("POST", at+"/qa", fmt.Sprintf(body, asked.body["query"]))
	if wrote.status != http.StatusOK {
		t.Fatalf("%d %s", wrote.status, wrote.text)
	}
	if a := lead.call("GET", at+"/queries?state=answered", ""); len(a.body["items"].([]any)) != 1 {
		t.Errorf("the question is answered: %s", a.text)
	}
	qa := fmt.Sprintf("%s/qa/%.0f", at, wrote.body["qa"].(map[string]any)["qa"])
	if a := lead.call("POST", at+"/qa", fmt.Sprintf(body, 0.0)); a.status != http.StatusConflict || a.code() != "qa-there" {
		t.Errorf("once more: %d %s", a.status, a.text)
	}
	if a := agent.call("GET", strings.Replace(qa, "/qa/", "/answers/", 1), ""); a.status != http.StatusNotFound {
		t.Errorf("a draft: %d", a.status)
	}
	if a := lead.call("POST", qa+"/publish", `{"version":2,"reason":"x"}`); a.status != http.StatusNotFound {
		t.Errorf("a version that there is not: %d", a.status)
	}
	if a := lead.call("POST", qa+"/publish", `{"version":1,"reason":"read"}`); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := agent.call("GET", since, ""); len(a.body["published"].([]any)) != 1 || !strings.Contains(a.text, "compteur") {
		t.Errorf("what is new: %s", a.text)
	}
	given := strings.Replace(qa, "/qa/", "/answers/", 1) + "/given"
	for body, status := range map[string]int{`{"version":1}`: 200, `{"version":9}`: 404, `{"version":1,"call":1}`: 404, `{}`: 422} {
		if a := agent.call("POST", given, body); a.status != status {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	if a := lead.call("GET", qa, ""); a.body["qa"].(map[string]any)["given"] != 1.0 {
		t.Errorf("given once: %s", a.text)
	}
	text := `{"audiences":["cell"],"question":"Le compteur ?","answer":"Non, [lire](https://evil.example)","after":1,"reason":"x"}`
	if a := lead.call("POST", qa+"/versions", text); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a link to elsewhere: %d %s", a.status, a.text)
	}
	text = strings.Replace(text, "(https://evil.example)", "", 1)
	if a := lead.call("POST", qa+"/versions", strings.Replace(text, `"after":1`, `"after":4`, 1)); a.code() != "qa-changed" {
		t.Errorf("after another: %d %s", a.status, a.text)
	}
	if a := lead.call("POST", qa+"/withdraw", `{"reason":"wrong"}`); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := agent.call("GET", since, ""); len(a.body["withdrawn"].([]any)) != 1 || len(a.body["published"].([]any)) != 0 {
		t.Errorf("taken back: %s", a.text)
	}
}

// TestAPIFloor: figures, forgeries, and the paper.
func TestAPIFloor(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	_, check := w.documented()
	w.user("boss", console.Roles()...)
	p := w.token("all", console.Scopes()...)
	p.check, p.person = check, "boss"
	const at = "/campaigns/muguet"
	if a := p.call("GET", at+"/floor?days=1", ""); a.status != http.StatusOK || a.body["open_queries"] != 2.0 || a.body["forgeries"] != 3.0 || len(a.body["days"].([]any)) != 1 {
		t.Errorf("%d %s", a.status, a.text)
	}
	for _, days := range []string{"0", "401", "x"} {
		if a := p.call("GET", at+"/floor?days="+days, ""); a.status != http.StatusUnprocessableEntity {
			t.Errorf("days=%s: %d", days, a.status)
		}
	}
	c, err := w.ledger.Campaign(t.Context(), "muguet")
	w.must(err)
	const words = "Vos coordonnées et votre adresse électronique ont été exposées le 12 janvier."
	w.floor.by[refSent] = console.Letters{Campaign: c, Notice: 7, Sent: []vouch.Sent{{Channel: pipeline.Email, Subject: "Vos données", Addresses: []string{"info@muguet.example"}, Names: []string{"Muguet"}, Text: words}}}
	letter := fmt.Sprintf(`{"reference":"%s","way":"email","subject":"Vos données","sender":"info@muguet.example","sentence":"%s"`, refSent, words)
	if a := p.call("POST", "/genuine", letter+"}"); a.body["verdict"] != "genuine" || a.body["campaign"] != "muguet" {
		t.Errorf("%s", a.text)
	}
	if a := p.call("POST", "/genuine/report", letter+"}"); a.status != http.StatusConflict || a.code() != "not-a-forgery" {
		t.Errorf("a real one is no forgery: %d %s", a.status, a.text)
	}
	forged := letter + `,"links":"https://evil.example/login"}`
	if a := p.call("POST", "/genuine", forged); a.body["verdict"] != "foreign" || a.body["suspicious"] != true {
		t.Errorf("%s", a.text)
	}
	if a := p.call("POST", "/genuine/report", forged, "Idempotency-Key", "f1"); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := p.call("GET", at+"/forgeries", ""); a.body["total"] != 4.0 || !strings.Contains(a.text, "evil.example/login") {
		t.Errorf("%s", a.text)
	}
	for path, want := range map[string]string{
		"/print-runs/R000001/release": "token:all/boss | run-release | 1", "/print-runs/R000001/take-back": "token:all/boss | run-back | 1",
		"/doubts": "token:all/boss | resolve | muguet | true", "/cancel": "token:all/boss | cancel | muguet",
	} {
		body := `{"reason":"ticket 7"}`
		if path == "/doubts" {
			body = `{"reason":"ticket 7","decision":"send"}`
		}
		if a := p.call("POST", at+path, body); a.status != http.StatusOK || !strings.HasPrefix(w.desk.last(), want) {
			t.Errorf("%s: %d %s, %s", path, a.status, a.text, w.desk.last())
		}
	}
	deposit := `{"on":"2026-01-21","place":"PIC Lyon","product":"lettre verte","count":998,"rejected":{"3":"torn","4":""}}`
	if a := p.call("POST", at+"/print-runs/R000001/deposit", deposit); a.status != http.StatusOK || !strings.HasSuffix(w.desk.last(), "998 | map[3:torn 4:spoiled]") {
		t.Errorf("%d %s, %s", a.status, a.text, w.desk.last())
	}
	// Where letters were taken out, a position is beyond how many there are.
	if a := p.call("POST", at+"/print-runs/R000001/deposit", strings.Replace(deposit, `"3"`, `"1001"`, 1)); a.status != http.StatusOK || !strings.HasSuffix(w.desk.last(), "998 | map[4:spoiled 1001:torn]") {
		t.Errorf("%d %s; %s", a.status, a.text, w.desk.last())
	}
	for _, bad := range []string{strings.Replace(deposit, `"3"`, `"4001"`, 1), strings.Replace(deposit, `"3"`, `"0"`, 1), strings.Replace(deposit, "2026-01-21", "21/01", 1), strings.Replace(deposit, "998", "-1", 1)} {
		if a := p.call("POST", at+"/print-runs/R000001/deposit", bad); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", bad, a.status)
		}
	}
	if a := p.call("GET", at+"/print-runs/R000009", ""); a.status != http.StatusNotFound {
		t.Errorf("%d", a.status)
	}
	if a := p.call("POST", at+"/returns", `{"letters":["7KQ2-M9XD-4T0V moved\nX"],"reason":"moved","dry":true}`); a.status != http.StatusOK || w.desk.last() != "token:all/boss | return | muguet | true | moved |  | 0 | 7KQ2-M9XD-4T0V moved X" {
		t.Errorf("%d %s, %q", a.status, a.text, w.desk.last())
	}
	if a := p.call("GET", at+"/notices?state=held&reason=vip&limit=1", ""); a.status != http.StatusOK || a.body["next"] != "8" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// TestAPIUnchanged: who has the figures already gets none, and what is about somebody
// has no tag.
func TestAPIUnchanged(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	p := w.token("intranet", console.ActSee, console.ActLookUp)
	for _, path := range []string{"/campaigns", "/campaigns/muguet", "/campaigns/muguet/print-runs", "/campaigns/muguet/planned"} {
		first := p.call("GET", path, "")
		tag := first.header.Get("ETag")
		if tag == "" {
			t.Fatalf("%s: no tag", path)
		}
		for name, c := range map[string]struct {
			match  string
			status int
		}{"the tag": {tag, 304}, "among others": {`"x", ` + tag, 304}, "any": {"*", 304}, "another": {`W/"x"`, 200}} {
			a := p.call("GET", path, "", "If-None-Match", c.match)
			if a.status != c.status || (a.status == 304) != (a.text == "") || a.header.Get("ETag") != tag {
				t.Errorf("%s with %s: %d %s", path, name, a.status, a.text)
			}
		}
	}
	tag := p.call("GET", "/campaigns/muguet", "").header.Get("ETag")
	w.board.figures.PerSecond++
	if a := p.call("GET", "/campaigns/muguet", "", "If-None-Match", tag); a.status != 200 {
		t.Errorf("what has changed: %d", a.status)
	}
	if a := p.call("GET", "/campaigns/absent", "", "If-None-Match", "*"); a.status != 404 {
		t.Errorf("%d", a.status)
	}
	a := p.call("POST", "/calls", `{"key":"C0001234"}`)
	a = p.call("GET", fmt.Sprintf("/calls/%.0f", a.body["call"]), "", "If-None-Match", "*")
	if a.status != 200 || a.header.Get("ETag") != "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a call: %d %v", a.status, a.header)
	}
}
