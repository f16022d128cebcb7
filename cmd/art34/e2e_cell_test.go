package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestCellInABrowser answers callers in a real browser, against a campaign that was
// sent to a foreign SMTP server: look-up by each key, verification by what was not
// stolen, the letter that lies at the server, an answer that the lead has published,
// a copy in the next print run, a corrected address that a second person agrees to,
// and somebody who is not concerned. Once with JavaScript, once without.
func TestCellInABrowser(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]bool{"with JavaScript": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cellJourney(t, script)
		})
	}
}

func cellJourney(t *testing.T, script bool) {
	k := openCell(t, script)
	k.publish("Can I change my password?", "Yes, at any time.")
	k.as("ana")
	k.lookUpByEachKey()
	k.verify()
	k.readLetter()
	k.giveAnswer("password", "Can I change my password?", "Yes, at any time.")
	k.copyByPost()
	k.correct("neuve@autre.example")
	k.notConcerned()
	k.listedLater()
	k.in.status(true)
}

// cell is the room of those who answer, with a caller on the line.
type cell struct {
	*visitor
	in        *installation
	sink      *testenv.SMTPSink
	passwords map[string]string // of who has not logged in yet
	caller    caller
	call      string // the address of the caller's page
}

// openCell sends a campaign to the last e-mail and opens the console.
func openCell(t *testing.T, script bool) *cell {
	t.Helper()
	sink := testenv.Sink(t)
	in := &installation{t: t, dir: t.TempDir(), env: []string{"ART34_RELAY=" + sink.URL, "ART34_CONSOLE=127.0.0.1:0"}}
	rows := cellLists(t, in)
	in.must("new", "muguet", "--file", in.path("sample", "campaign.yaml"))
	in.must(in.lists()...)
	in.must("check", "muguet")
	in.must("approve", "muguet")
	in.must("launch", "muguet")
	k := &cell{in: in, sink: sink, passwords: map[string]string{}}
	for _, p := range [][2]string{{"ana", "agent"}, {"lea", "lead"}} {
		said := in.must("user", "add", p[0], "--role", p[1])
		k.passwords[p[0]] = regexp.MustCompile(`[a-z0-9]{4}(-[a-z0-9]{4}){3}`).FindString(said)
	}
	said, err := os.Create(in.path("run.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = said.Close() })
	cmd := in.command("run")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var url string
	until(t, "everything is sent, and the console is open", longest, func() bool {
		text, _ := os.ReadFile(in.path("run.txt"))
		if m := regexp.MustCompile(`The console is at (http://\S+)`).FindStringSubmatch(string(text)); m != nil {
			url = m[1]
		}
		time.Sleep(300 * time.Millisecond)
		s := in.status(false)
		return url != "" && s.States[pipeline.Due]+s.States[pipeline.Queued]+s.States[pipeline.Sending] == 0
	})
	k.caller = callers(t, in, rows)
	k.visitor = &visitor{testenv.Chrome(t, browserTime), t, url}
	k.Size(1280, "light")
	k.Script(script)
	return k
}

// as lets somebody else sit down, in English.
func (k *cell) as(login string) {
	k.t.Helper()
	if k.Eval("document.querySelectorAll('form[action=\"/logout\"]').length") != "0" {
		k.logOut()
	}
	if p := k.passwords[login]; p != "" {
		delete(k.passwords, login)
		k.first(login, p)
		return
	}
	k.logIn(login, journeyPassword)
}

// publish is the lead's: a question is written, looked at, saved, changed, compared
// and published.
func (k *cell) publish(question, answer string) {
	k.t.Helper()
	k.as("lea")
	k.open("/campaigns/muguet/qa/new")
	k.Type("#topic", "password")
	if k.Eval(`document.querySelector("#for").checked`) == "false" {
		k.Click("#for")
	}
	k.Type("#question", question)
	k.Type("#answer", "No, **never**.")
	k.Press(`button[name="preview"]`)
	if shown := k.Eval(`document.querySelector("main .card strong").textContent`); shown != "never" {
		k.t.Errorf("the answer is looked at as %q", shown)
	}
	k.reason("many ask")
	k.says("Saved as a draft")
	k.Press(`main a[href$="/edit"]`)
	k.Fill("#answer", answer)
	k.reason("it was wrong")
	k.says("Version 2 written")
	k.Press(`main a[href$="/versions/2"]`)
	k.says("What this version changed")
	if was, is := k.Eval(`document.querySelector("main del").textContent`), k.Eval(`document.querySelector("main ins").textContent`); !strings.Contains(was, "No") || !strings.Contains(is, "Yes") {
		k.t.Errorf("the difference: %q, %q", was, is)
	}
	k.Press(`main a[href$="/publish/2"]`)
	k.reason("read aloud")
	k.says("Published.")
}

// lookUpByEachKey: each key leads to the same question, and says nothing of the
// customer.
func (k *cell) lookUpByEachKey() {
	k.t.Helper()
	c := k.caller
	for kind, key := range map[string]string{
		"reference": c.found.Reference, "customer": c.id, "contract": c.contract(), "e-mail": c.row["email"], "phone": c.row["phone"], "name": c.row["last_name"] + " " + c.row["postcode"],
	} {
		k.lookUp(key)
		k.says("Who is calling?")
		if text := k.Text(); strings.Contains(text, c.row["last_name"]) || strings.Contains(text, "e-mail on") {
			k.t.Errorf("%s: the page says who it is before the caller is verified", kind)
		}
		if where := k.Eval("location.pathname + location.search"); !regexp.MustCompile(`^/cell/calls/\d+$`).MatchString(where) {
			k.t.Errorf("%s: the address is %s", kind, where)
		}
	}
	k.Shot("cell-1-verify")
}

// verify: what was stolen proves nothing, what was not does.
func (k *cell) verify() {
	k.t.Helper()
	k.Type("#value-service_code", "0000")
	k.Press(`input[value="values"] ~ .buttons button`)
	k.says("That does not match")
	k.Type("#value-service_code", strings.ToLower(k.caller.row["service_code"]))
	k.Press(`input[value="values"] ~ .buttons button`)
	k.says("Read this aloud")
	k.says(k.caller.found.Sentence["fr"])
	k.says(k.caller.found.Sentence["en"])
	k.Shot("cell-2-answer")
	k.call = k.Eval("location.pathname")
}

// readLetter shows the letter that lies at the server.
func (k *cell) readLetter() {
	k.t.Helper()
	m := k.caller.mail(k.t, k.sink)
	k.Press(`main a[href*="/letters/"]`)
	k.says("exactly as it went out")
	sum := sha256.Sum256(m)
	k.says(hex.EncodeToString(sum[:]))
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	if shown := flat(k.Eval(`document.querySelector("main pre").textContent`)); shown != flat(plainPart(k.t, m)) {
		k.t.Errorf("the page shows another letter:\n%s\n%s", shown, flat(plainPart(k.t, m)))
	}
	k.Shot("cell-3-letter")
}

// giveAnswer finds an answer beside the call and notes that it was given: the call
// then says which version.
func (k *cell) giveAnswer(words, question, answer string) {
	k.t.Helper()
	k.open(k.call)
	k.Type("#q", words)
	k.Press(`form[role="search"] button`)
	k.says(question)
	k.says(answer)
	k.Press(`.answer form button`)
	k.says("It is noted that you gave this answer")
	k.open(k.call)
	k.Click("main > details:last-of-type > summary")
	k.says("An answer was given")
	k.says("password (")
}

// copyByPost: a copy on paper is in the next print run.
func (k *cell) copyByPost() {
	k.t.Helper()
	k.open(k.call + "/copy")
	k.Click("#large")
	k.reason("reads badly")
	k.says("The copy is on its way")
	var twin foundView
	until(k.t, "the copy is printed", longest, func() bool {
		for _, f := range findAll(k.t, k.in, k.caller.id) {
			if f.Role == pipeline.Copy && f.State == pipeline.Printing {
				twin = f
			}
		}
		time.Sleep(300 * time.Millisecond)
		return twin.Notice != 0
	})
	until(k.t, "a manifest of a print run lists the copy", longest, func() bool {
		time.Sleep(200 * time.Millisecond)
		return inARun(k.t, k.in, twin.Reference)
	})
	k.open(k.call)
	k.says("A copy of our letter was given to the printer")
}

// correct changes an address: nothing happens until somebody else agrees.
func (k *cell) correct(email string) {
	k.t.Helper()
	k.open(k.call + "/correct")
	k.Click("#what")
	k.Type("#email", email)
	k.reason("changed provider")
	k.says("A second person is asked")
	k.open("/queue")
	k.says("Not for your role")
	before := k.sink.Count(k.t)
	k.as("lea")
	k.open("/queue")
	k.Press(`main a[href^="/queue/corrections/"]`)
	k.says("•••@") // masked, beside the one on file
	k.Shot("cell-4-second")
	if n := k.sink.Count(k.t); n != before {
		k.t.Errorf("%d e-mails left before anybody agreed", n-before)
	}
	k.Click("#what")
	k.Type("#reason", "verified by the service code")
	k.Press(`main form:not([action$="/full"]) button`)
	k.says("The address is in force")
	until(k.t, "the corrected address is written to", longest, func() bool {
		time.Sleep(300 * time.Millisecond)
		return slices.ContainsFunc(k.sink.Messages(k.t), func(m testenv.Received) bool { return slices.Contains(m.To, email) })
	})
	k.lookUp(email)
	k.says("Who is calling?")
}

// notConcerned is told so.
func (k *cell) notConcerned() {
	k.t.Helper()
	k.lookUp(k.caller.bystander)
	k.says("Who is calling?")
	k.Press(`input[value="crm"] ~ .buttons button`)
	k.says("our analysis does not list you")
	k.Shot("cell-5-not-concerned")
}

// listedLater: a later import lists whoever was told that they are not concerned. The
// lead has them called back, and the next agent sees what was said.
func (k *cell) listedLater() {
	k.t.Helper()
	k.Press(`nav a[href="/queue"]`)
	if text := k.Text(); strings.Contains(text, "To be called back") {
		k.t.Errorf("the lead calls somebody back before they are listed:\n%s", text)
	}
	wave := k.in.path("wave2.csv")
	if err := os.WriteFile(wave, []byte("customer_id,contract_id,contract_kind,contract_label,data_kinds\n"+k.caller.bystander+",CV999,internet,Fibre,identity\n"), 0o600); err != nil {
		k.t.Fatal(err)
	}
	k.in.must("import", "muguet", "--customers", k.in.path("sample", "customers.csv"), "--impact", wave)
	k.in.must("check", "muguet")
	k.in.must("approve", "muguet")
	k.open("/queue")
	k.says("To be called back")
	k.says("A later list has added them since")
	k.Shot("cell-6-call-back")
	call := k.Eval(`[...document.querySelectorAll("main a[href^='/queue/calls/']")].at(-1).getAttribute("href")`)
	k.as("ana")
	k.lookUp(k.caller.bystander)
	k.Press(`input[value="crm"] ~ .buttons button`)
	k.says("was told on the phone that they were not concerned, as of list 1")
	k.says("Read this aloud")
	k.Shot("cell-7-told-before")
	k.as("lea")
	k.open(call)
	k.Type("#note", "called back, and apologised")
	k.Press("main form button:not([name])")
	k.says("Taken from the queue")
	if text := k.Text(); strings.Contains(text, "To be called back") {
		k.t.Errorf("it waits all the same:\n%s", text)
	}
}

// first logs somebody in who chooses a password then, in English.
func (v *visitor) first(login, password string) {
	v.t.Helper()
	v.logIn(login, password)
	v.Type("#old", password)
	v.Type("#password", journeyPassword)
	v.Type("#again", journeyPassword)
	v.Press("main form button:not([name])")
	if strings.Contains(v.Text(), "Se déconnecter") {
		v.Press(`form[action="/language"] button`)
	}
}

// lookUp types what a caller gives.
func (v *visitor) lookUp(key string) {
	v.t.Helper()
	v.open("/cell")
	v.Type("#key", key)
	v.Press(`form[action="/cell"] button`)
}
