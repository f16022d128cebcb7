package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestJourneyThroughTheConsole takes a campaign from nothing to the last e-mail in
// a real browser: setup, a second person, draft, import with rejects, letters, check, proof,
// approval by the second person, canary, launch, pause, resume. Once with
// JavaScript, once without.
func TestJourneyThroughTheConsole(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]bool{"with JavaScript": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			journey(t, script)
		})
	}
}

// visitor is somebody at the browser.
type visitor struct {
	*testenv.Browser
	t   *testing.T
	url string
}

const journeyPassword = "quatre mots sans rapport"

func (v *visitor) open(path string) {
	v.t.Helper()
	v.Open(v.url + path)
}

// says fails unless the page says so.
func (v *visitor) says(what string) {
	v.t.Helper()
	if text := v.Text(); !strings.Contains(text, what) {
		v.t.Fatalf("the page does not say %q:\n%s", what, text)
	}
}

// patient opens a page again until it says so.
func (v *visitor) patient(path, what string) {
	v.t.Helper()
	until(v.t, path+" says "+what, longest, func() bool {
		v.open(path)
		if strings.Contains(v.Text(), what) {
			return true
		}
		time.Sleep(300 * time.Millisecond)
		return false
	})
}

// reason fills in why, and presses the button of the form.
func (v *visitor) reason(why string) {
	v.t.Helper()
	v.Type("#reason", why)
	v.Press("main form button:not([name])")
}

func (v *visitor) logIn(login, password string) {
	v.t.Helper()
	v.open("/login")
	v.Type("#login", login)
	v.Type("#password", password)
	v.Press("main form button")
}

func (v *visitor) logOut() {
	v.t.Helper()
	v.Press(`form[action="/logout"] button`)
}

// secondFactor is RFC 6238, written once more.
func secondFactor(t *testing.T, text string, at time.Time) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	off := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[off:])&0x7fffffff)%1_000_000)
}

// word changes a letter: a fault is shown and nothing is lost, the preview shows what
// is in the form, a save is compared with the one before it, and taken back to.
func (v *visitor) word(sentence string) {
	v.t.Helper()
	const path = "/campaigns/muguet/letters/breach.fr.md"
	write := func(text string) {
		v.t.Helper()
		v.open(path)
		v.Eval(fmt.Sprintf(`(() => { document.querySelector("#text").value += %q; return 1 })()`, "\n"+text+"\n"))
	}
	write("{{.Nonsense}}")
	v.Press(`button[value="preview"]`)
	v.says("This text cannot be used yet")
	if kept := v.Eval(`document.querySelector("#text").value`); !strings.Contains(kept, "{{.Nonsense}}") {
		v.t.Error("the text with a fault is lost")
	}
	write(sentence)
	v.Press(`button[value="preview"]`)
	v.says("Nothing in this text blocks the approval")
	if shown := v.Eval(`document.querySelector("#preview pre").textContent`); !strings.Contains(shown, sentence) {
		v.t.Errorf("the preview does not show the text:\n%s", shown)
	}
	v.Type("#reason", "a sentence more")
	v.Press(`button[value="save"]`)
	v.says("Saved.")
	write("Une phrase de trop.")
	v.Type("#reason", "another one")
	v.Press(`button[value="save"]`)
	v.says("another one")
	v.Press(`main a[href$="/saved/3"]`)
	if is := v.Eval(`[...document.querySelectorAll(".d-new")].map(x => x.textContent).join()`); !strings.Contains(is, "Une phrase de trop.") || strings.Contains(is, sentence) {
		v.t.Errorf("the difference shows %q", is)
	}
	v.Press(`main .crumb a`)
	v.Press(`main a[href$="/saved/2"]`)
	v.Press(`main form button`)
	v.Type("#reason", "as before")
	v.Press(`button[value="save"]`)
	v.says("as before")
	if text := v.Eval(`document.querySelector("#text").value`); !strings.Contains(text, sentence) || strings.Contains(text, "de trop") {
		v.t.Errorf("the letter is\n%s", text)
	}
}

func journey(t *testing.T, script bool) {
	sink := testenv.Sink(t)
	in := &installation{t: t, dir: t.TempDir(), env: []string{"ART34_RELAY=" + sink.URL, "ART34_CONSOLE=127.0.0.1:0"}}
	in.must("sample", "--customers", "300", "--seed", "7", "--out", in.path("sample"))
	said, err := os.Create(in.path("run.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := in.command("run")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var link []string
	until(t, "the console opens", longest, func() bool {
		text, _ := os.ReadFile(in.path("run.txt"))
		link = regexp.MustCompile(`(http://127\.0\.0\.1:\d+)(/setup/\S+)`).FindStringSubmatch(string(text))
		return link != nil
	})
	v := &visitor{testenv.Chrome(t, browserTime), t, link[1]}
	v.Size(1280, "light")
	v.Script(script)
	shot := func(name string) {
		if script {
			v.Shot("journey-" + name)
		}
	}

	// Setup, and a second person.
	v.open(link[2])
	v.Type("#login", "ana")
	v.Type("#name", "Ana Martin")
	v.Type("#password", journeyPassword)
	v.Type("#again", journeyPassword)
	shot("1-setup")
	v.Press("main form button")
	v.Press(`form[action="/language"] button[value="en"], form[action="/language"] button`)
	if strings.Contains(v.Text(), "Se déconnecter") {
		v.Press(`form[action="/language"] button`)
	}
	v.open("/users/new")
	v.Type("#login", "dpo")
	v.Type("#name", "D. P. Officer")
	v.Click("#role-approver")
	v.Press("main form button")
	temporary := v.Eval(`document.querySelector(".secret code").textContent`)

	// Draft, lists, check, proof.
	v.open("/new")
	v.Type("#name", "muguet")
	v.Files("#file", in.path("sample", "campaign.yaml"))
	v.Files("#logo", in.path("sample", "logo-main.png"), in.path("sample", "logo-second.png"))
	v.Press("main form button")
	v.says("The draft is made")
	v.open("/campaigns/muguet/import")
	v.Files("#customers", in.path("sample", "customers.csv"))
	v.Files("#impact", in.path("sample", "impact.csv"))
	v.Press("main form button")
	v.patient("/campaigns/muguet/import", "What the last import did")
	v.says("Rows that were not taken")
	shot("2-import")
	v.word("Nous restons à votre écoute.")
	v.open("/campaigns/muguet/check")
	v.Press("main form button")
	v.patient("/campaigns/muguet/check", "Nothing blocks the approval")
	shot("3-check")
	v.open("/campaigns/muguet/proofs")
	v.Press("main table a")
	v.says("As plain text")
	shot("4-proof")
	v.open("/campaigns/muguet/submit")
	v.reason("the lists are complete")
	v.open("/campaigns/muguet/approve")
	v.says("Not for your role")
	v.logOut()

	// The second person chooses a password, sets up a second factor, and approves.
	v.logIn("dpo", temporary)
	v.Type("#old", temporary)
	v.Type("#password", journeyPassword)
	v.Type("#again", journeyPassword)
	v.Press("main form button:not([name])")
	v.open("/campaigns")
	shot("5-second-factor")
	v.Type("#code", secondFactor(t, v.Eval(`document.querySelector(".secret code").textContent`), time.Now()))
	v.Press("main form button")
	v.open("/campaigns/muguet/approve")
	// The one who prepared it has made this account: it is no second person until somebody
	// else says so.
	v.says("was in the hands of ana")
	v.Click("#read")
	v.reason("read in both languages")
	v.says("No second person")
	in.must("user", "confirm", "dpo", "--as", "security")
	v.open("/campaigns/muguet/approve")
	v.Click("#read")
	v.reason("read in both languages")
	v.says("Approved.")
	shot("6-approved")
	v.logOut()

	// Canary, launch, pace, pause, resume.
	v.logIn("ana", journeyPassword)
	v.open("/campaigns/muguet/launch")
	v.Eval(`document.querySelector("#canary").value = "20"`)
	v.Click("#read")
	shot("7-launch")
	v.reason("approved by the officer")
	v.patient("/campaigns/muguet", "The first 20 e-mails were accepted")
	shot("8-canary")
	if n := sink.Count(t); n != 20 {
		t.Errorf("the canary was %d e-mails", n)
	}
	v.open("/campaigns/muguet/pacing")
	v.Eval(`document.querySelector("#rate").value = "1"`) // it lasts until somebody pauses it
	v.reason("slowly first")
	v.open("/campaigns/muguet/resume")
	v.reason("the first ones look right")
	if script {
		moved := v.Eval(`document.querySelector("[data-live]").textContent`)
		until(t, "the page moves by itself", longest, func() bool { return v.Eval(`document.querySelector("[data-live]").textContent`) != moved })
		shot("9-moves")
	}
	v.Press("a.stop")
	v.reason("the hours of the cell are wrong")
	v.says("Paused. Nothing more leaves.")
	shot("10-paused")
	time.Sleep(time.Second) // by then no courier takes another one
	until(t, "the wire is empty", longest, func() bool { return in.status(false).States[pipeline.Sending] == 0 })
	paused := sink.Count(t)
	time.Sleep(2 * time.Second) // at this rate two would go
	if n := sink.Count(t); n != paused {
		t.Errorf("%d e-mails left after the pause", n-paused)
	}
	v.open("/campaigns/muguet/pacing")
	v.Eval(`document.querySelector("#rate").value = "0"`)
	v.reason("all the others")
	v.open("/campaigns/muguet/resume")
	v.reason("the hours are right now")
	until(t, "everything is sent", longest, func() bool {
		s := in.status(false)
		time.Sleep(300 * time.Millisecond)
		e := s.Channels[pipeline.Email]
		return e[pipeline.Due]+e[pipeline.Queued]+e[pipeline.Sending] == 0
	})
	v.open("/campaigns/muguet")
	shot("11-sent")
	s := in.status(true)
	if int64(sink.Count(t)) != s.Channels[pipeline.Email][pipeline.Accepted] || s.Channels[pipeline.Email][pipeline.Accepted] < 100 {
		t.Errorf("%d arrived, %d accepted", sink.Count(t), s.Channels[pipeline.Email][pipeline.Accepted])
	}
}
