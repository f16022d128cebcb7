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
	cmd := in.command("demo", "--stay", "--customers", "300", "--span", "2s", "--out", in.path("demo"), "--console", "127.0.0.1:0")
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
	until(t, "the demo stays", 2*time.Minute, func() bool {
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
	v := &visitor{testenv.Chrome(t, 4*time.Minute), t, regexp.MustCompile(`stays open: (\S+)`).FindStringSubmatch(read())[1]}
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
	as("didier")
	if _, err := enter.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	var code []string
	until(t, "a code is printed", 10*time.Second, func() bool {
		time.Sleep(50 * time.Millisecond)
		code = regexp.MustCompile(`(?m)^didier ([0-9]{6})$`).FindStringSubmatch(read())
		return code != nil
	})
	v.Type("#code", code[1])
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
	v.Eval(`document.querySelector("#canary").value = "0"`)
	v.Click("#read")
	v.reason("approved")
	v.patient("/campaigns/second", "Accepted by the mail relay")
	v.Shot("stay-second")
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
	case <-time.After(30 * time.Second):
		t.Error("the demo does not end")
	}
}
