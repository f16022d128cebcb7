package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run this test binary as the program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"art34": main, relayCommand: relayMain, deskCommand: deskMain, halfStatesCommand: halfStatesMain, rehearserCommand: rehearserMain})
}

// program builds the program once for all tests that start it.
var builtProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "art34-built-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "art34")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return bin, nil
})

// installation is a directory that the built program works in.
type installation struct {
	t   testing.TB
	dir string
	env []string
	// stop ends what measure runs; nil where nobody interrupts.
	stop context.Context
}

// install makes the population and takes it to the approval.
func install(t testing.TB, customers, seed int, env ...string) *installation {
	t.Helper()
	return installWith(t, customers, seed, func(campaign string) string { return campaign }, env...)
}

// installWith is install with another campaign.yaml.
func installWith(t testing.TB, customers, seed int, edit func(campaign string) string, env ...string) *installation {
	t.Helper()
	in := &installation{t: t, dir: t.TempDir(), env: env}
	in.must("sample", "--customers", fmt.Sprint(customers), "--seed", fmt.Sprint(seed), "--out", in.path("sample"))
	file := in.path("sample", "campaign.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(edit(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	in.must("new", "muguet", "--file", in.path("sample", "campaign.yaml"))
	in.must("import", "muguet", "--customers", in.path("sample", "customers.csv"), "--impact", in.path("sample", "impact.csv"))
	in.must("check", "muguet")
	in.must("approve", "muguet")
	return in
}

func (in *installation) path(parts ...string) string {
	return filepath.Join(append([]string{in.dir}, parts...)...)
}

// command prepares the program with this installation. What counts messages at a
// sink counts none that only prove the way back: who tests those turns them on.
func (in *installation) command(args ...string) *exec.Cmd {
	in.t.Helper()
	bin, err := builtProgram()
	if err != nil {
		in.t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), append([]string{"ART34_DIR=" + in.path("data"), "ART34_AS=tester", "ART34_RUN_PROVE_EVERY=0"}, in.env...)...)
	return cmd
}

// run runs a command and returns its output and exit code.
func (in *installation) run(args ...string) (stdout, stderr string, code int) {
	in.t.Helper()
	var out, errs bytes.Buffer
	cmd := in.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		in.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// must runs a command that has to succeed and returns its output.
func (in *installation) must(args ...string) string {
	in.t.Helper()
	out, errs, code := in.run(args...)
	if code != 0 {
		in.t.Fatalf("art34 %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

// status returns status --json, audited if asked for.
func (in *installation) status(audit bool) status {
	in.t.Helper()
	args := []string{"status", "muguet", "--json"}
	if audit {
		args = append(args, "--audit")
	}
	var s status
	if err := json.Unmarshal([]byte(in.must(args...)), &s); err != nil {
		in.t.Fatal(err)
	}
	if s.Balance != 0 {
		in.t.Fatalf("balance %d", s.Balance)
	}
	return s
}

// start starts a long command. It is killed with the test if it still runs.
func (in *installation) start(args ...string) *running {
	in.t.Helper()
	r := &running{t: in.t, cmd: in.command(args...), done: make(chan struct{})}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		in.t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait()
		close(r.done)
	}()
	in.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
	})
	return r
}

// running is a command at work.
type running struct {
	t    testing.TB
	cmd  *exec.Cmd
	out  bytes.Buffer // to be read after done
	done chan struct{}
}

// wait waits for the end and returns the exit code.
func (r *running) wait(most time.Duration) int {
	r.t.Helper()
	select {
	case <-r.done:
		return r.cmd.ProcessState.ExitCode()
	case <-time.After(most):
		_ = r.cmd.Process.Signal(syscall.SIGQUIT) // shows where it hangs
		<-r.done
		r.t.Fatalf("still running after %s\n%s", most, r.out.String())
	}
	return 0
}

// kill ends the process as a power cut would.
func (r *running) kill() {
	_ = r.cmd.Process.Kill()
	<-r.done
}

// longest bounds what has to happen, on a machine that has too much to do: what is
// not there by then never comes.
const longest = 10 * time.Minute

// browserTime is the same for all that a test does in a browser.
const browserTime = 35 * time.Minute

// until waits for a condition that real servers bring about.
func until(t testing.TB, what string, most time.Duration, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(most)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, most)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
