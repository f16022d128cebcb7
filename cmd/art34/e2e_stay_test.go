package main

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestDemoStays: a newcomer starts the demo, and with the logins that it prints words
// a letter, has it checked and approved, launches, stops, and records a letter that
// came back.
func TestDemoStays(t *testing.T) {
	t.Parallel()
	in := &installation{t: t, dir: t.TempDir()}
	said, err := os.Create(in.path("demo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := in.command("demo", "--stay", "--customers", "300", "--span", "2s", "--pace", "100000", "--out", in.path("demo"), "--console", "127.0.0.1:0")
	cmd.Stdout, cmd.Stderr = said, said
	enter, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	read := func() string { text, _ := os.ReadFile(in.path("demo.txt")); return string(text) }
	until(t, "the demo stays", longest, func() bool {
		time.Sleep(100 * time.Millisecond)
		return strings.Contains(read(), "Press Enter")
	})
	passwords := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(\w+) +(\S+) +(operator|approver|writer|agent|lead|admin) `).FindAllStringSubmatch(read(), -1) {
		passwords[m[1]] = m[2]
	}
	if len(passwords) != 6 {
		t.Fatalf("the demo introduces %d people:\n%s", len(passwords), read())
	}
	v := &visitor{testenv.Chrome(t, browserTime), t, regexp.MustCompile(`stays open: (\S+)`).FindStringSubmatch(read())[1]}
	v.Size(1280, "light")
	as := func(login string) {
		t.Helper()
		v.logIn(login, passwords[login])
	}
	english := func() {
		if strings.Contains(v.Text(), "Se déconnecter") {
			v.Press(`form[action="/language"] button`)
		}
	}

	// The writer words a letter and sees it as she writes.
	as("wanda")
	v.open("/campaigns")
	v.Shot("stay-campaigns")
	v.open("/campaigns/demo")
	v.Shot("stay-demo")
	v.open("/campaigns/second/letters/breach.fr.md")
	v.Shot("stay-letter-fr")
	english()
	v.Eval(`(() => { const a = document.querySelector("#text"); a.value += "\nUne phrase de Wanda.\n{{.Nonsense}}\n"; a.dispatchEvent(new Event("input", {bubbles: true})); return 1 })()`)
	v.Until("This text cannot be used yet")
	v.says("{{.Nonsense}}")
	v.Shot("stay-letter-fault")
	v.Eval(`(() => { const a = document.querySelector("#text"); a.value = a.value.replace("{{.Nonsense}}\n", ""); a.dispatchEvent(new Event("input", {bubbles: true})); return 1 })()`)
	v.Until("Nothing in this text blocks the approval")
	if html := v.Eval(`fetch(document.querySelector("#preview iframe").src).then(r => r.text())`); !strings.Contains(html, "Une phrase de Wanda.") {
		t.Error("the preview does not show what was written")
	}
	v.Type("#reason", "a sentence more")
	v.Press(`button[value="save"]`)
	v.says("Saved.")
	v.says("a sentence more")
	v.Shot("stay-letter-saved")
	v.open("/campaigns/second/proofs")
	v.says("Not for your role")
	v.logOut()

	// The operator submits what the officer approves.
	as("olga")
	english()
	v.open("/campaigns/second/check")
	v.Press("main form button")
	v.patient("/campaigns/second/check", "Nothing blocks the approval")
	v.open("/campaigns/second/proofs")
	v.Shot("stay-proofs")
	v.Press("main table a")
	v.Shot("stay-proof")
	v.open("/campaigns/second/submit")
	v.reason("ready")
	v.logOut()
	// Each code is good once: Enter prints them until there is another. What an Enter
	// before the last has printed may be old by now.
	used, pressed := "", 0
	next := func() string {
		t.Helper()
		is := used
		until(t, "another code is printed", longest, func() bool {
			if _, err := enter.Write([]byte("\n")); err != nil {
				t.Fatal(err)
			}
			pressed++
			until(t, "the code is printed", longest, func() bool {
				all := regexp.MustCompile(`(?m)^didier ([0-9]{6})$`).FindAllStringSubmatch(read(), -1)
				if len(all) == pressed {
					is = all[len(all)-1][1]
				}
				return len(all) == pressed
			})
			time.Sleep(300 * time.Millisecond)
			return is != used
		})
		used = is
		return is
	}
	as("didier")
	v.Type("#code", next())
	v.Press("main form button")
	english()
	v.open("/campaigns/second/approve")
	v.says("Submitted by olga")
	v.Shot("stay-approve")
	v.Click("#read")
	v.reason("read in both languages")
	v.says("Approved.")
	v.logOut()

	as("olga")
	english()
	v.open("/campaigns/second/launch")
	v.says("What will be sent, and how long it takes")
	v.Shot("stay-launch")
	v.Eval(`document.querySelector("#canary").value = "10"`)
	v.Click("#read")
	v.reason("approved")
	v.patient("/campaigns/second", "The first 10 e-mails were accepted")
	v.Shot("stay-second")

	// A letter is corrected while the campaign waits, approved as the next version, and
	// the campaign goes on with that.
	v.open("/campaigns/second/letters/breach.fr.md")
	v.says("The campaign is paused")
	v.Eval(`(() => { document.querySelector("#text").value += "\nUne correction.\n"; return 1 })()`)
	v.Type("#reason", "a correction")
	v.Press(`button[value="save"]`)
	v.says("Saved.")
	v.open("/campaigns/second/submit")
	v.reason("corrected")
	v.logOut()
	as("didier")
	v.Type("#code", next())
	v.Press("main form button")
	v.open("/campaigns/second/approve")
	v.says("Une correction.")
	v.Shot("stay-approve-again")
	v.Click("#read")
	v.reason("the correction is right")
	v.says("Approved.")
	v.logOut()
	as("olga")
	v.open("/campaigns/second/resume")
	v.reason("version 2 is approved")
	settle(v)
	v.open("/campaigns/second")
	v.says("Version 2, approved by didier")
	v.Shot("stay-settled")
	v.open("/campaigns/demo/returns")
	reference := regexp.MustCompile(`--dir \S+ find ([0-9A-Z-]{14})\n`).FindStringSubmatch(read())
	v.Type("#letters", reference[1])
	v.Press(`button[value="look"]`)
	v.says("This would follow")
	v.says(reference[1])
	v.Shot("stay-returns")
	v.open("/campaigns/demo/planned")
	v.Shot("stay-planned")
	v.open("/campaigns/demo/notices?state=unreachable")
	v.Shot("stay-notices")

	// Ctrl-C ends it, and that is no failure.
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the demo ended badly: %v\n%s", err, read())
		}
	case <-time.After(longest):
		t.Error("the demo does not end")
	}
}

// settle hands print runs over and acknowledges them, as their state asks for, and
// looks at the page, which moves by itself, until nobody is on the way.
func settle(v *visitor) {
	v.t.Helper()
	run := func(tag string) string {
		return v.Eval(`(() => { for (const r of document.querySelectorAll("tr")) if (r.querySelector(".tag-` + tag + `")) return r.querySelector("a").getAttribute("href"); return "" })()`)
	}
	v.open("/campaigns/second")
	moved, was, is := 0, "", ""
	v.t.Cleanup(func() {
		if v.t.Failed() {
			v.t.Log(is)
		}
	})
	until(v.t, "everybody is informed, held or unreachable", longest, func() bool {
		if path := run("assembled"); path != "" {
			v.open(path + "/release")
			v.reason("the print shop waits")
			v.open("/campaigns/second")
			was = ""
		}
		if path := run("released"); path != "" {
			v.open(path + "/deposit")
			v.Type("#place", "Lyon")
			v.Type("#product", "Lettre verte")
			v.Press("main form button")
			v.open("/campaigns/second")
			was = ""
		}
		is = v.Eval(`document.querySelector("[data-live]").innerText`)
		if was != "" && is != was {
			moved++ // nobody opened it again
		}
		was = is
		time.Sleep(500 * time.Millisecond)
		for _, on := range []string{"Planned", "About to go", "Being sent", "In doubt", "Accepted by", "At the printer's", "Posted"} {
			if strings.Contains(is, on) {
				return false
			}
		}
		return strings.Contains(is, "Informed")
	})
	if moved == 0 {
		v.t.Error("the page did not move by itself")
	}
}
