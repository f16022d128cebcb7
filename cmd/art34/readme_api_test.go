package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestReadmePrograms: the commands of the README that a program starts with work as
// they stand, against a console of this program; only its address is another.
func TestReadmePrograms(t *testing.T) {
	t.Parallel()
	testenv.Binary(t, "curl")
	data, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(data), "**Programs.**")
	part, _, ended := strings.Cut(part, "**Files.**")
	blocks := strings.Split(part, "```\n")
	if !ok || !ended || len(blocks) != 5 {
		t.Fatalf("the README speaks of programs in %d parts", len(blocks))
	}
	sink := testenv.Sink(t)
	in := install(t, 40, 6, "ART34_RELAY="+sink.URL, "ART34_CONSOLE=127.0.0.1:0")
	in.must("launch", "muguet", "--at", "2099-01-01T00:00:00Z")
	add, ok := strings.CutPrefix(strings.TrimSpace(blocks[1]), `art34 user token add crm --scope see,pause,look-up,help --reason "`)
	if !ok {
		t.Fatalf("the token is made by: %s", blocks[1])
	}
	said := in.must("user", "token", "add", "crm", "--scope", "see,pause,look-up,help", "--reason", strings.TrimSuffix(add, `"`))
	token := regexp.MustCompile(`art34_\S{43}`).FindString(said)
	if token == "" {
		t.Fatal("no token")
	}
	out, err := os.Create(in.path("run.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := in.command("run", "--roles", "console")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var url string
	until(t, "the console is open", longest, func() bool {
		text, _ := os.ReadFile(in.path("run.txt"))
		if m := regexp.MustCompile(`(?m)^The console is at (http://\S+)`).FindStringSubmatch(string(text)); m != nil {
			url = strings.TrimSuffix(m[1], "/")
		}
		time.Sleep(100 * time.Millisecond)
		return url != ""
	})
	commands := regexp.MustCompile(`(?m)^curl `).Split(blocks[3], -1)[1:]
	if len(commands) != 4 {
		t.Fatalf("%d commands", len(commands))
	}
	for i, want := range []string{"population", "at", "stage", "stage"} {
		sh := exec.Command("sh", "-c", strings.ReplaceAll("curl -sS "+commands[i], "https://console.example.com", url))
		sh.Env = append(os.Environ(), "TOKEN="+token)
		answer, err := sh.Output()
		if err != nil {
			t.Fatalf("curl %s: %v", commands[i], err)
		}
		var m map[string]any
		if err := json.Unmarshal(answer, &m); err != nil || m[want] == nil || m["code"] != nil {
			t.Errorf("curl %s%s", commands[i], answer)
		}
		switch {
		case i == 1 && m["campaign"].(map[string]any)["state"] != "paused":
			t.Errorf("it is not paused: %s", answer)
		case i == 3 && m["stage"] != "closed":
			t.Errorf("the call has not ended: %s", answer)
		}
	}
}
