package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// rehearserCommand is the name under which this test binary is a console that has
// begun a rehearsal, and that somebody kills.
const rehearserCommand = "art34-test-rehearser"

func rehearserMain() {
	h, err := newApp(&globals{Dir: os.Args[1], Log: "info"}, nil, io.Discard, io.Discard).open(context.Background())
	if err == nil {
		err = consoleDesk{h}.As("user:ana").Rehearse(context.Background(), "muguet", "before the kill")
	}
	fmt.Println("begun", err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// rehearsalDesk is a desk whose campaign can be rehearsed.
func rehearsalDesk(t *testing.T) (*installation, *house, console.Operations) {
	t.Helper()
	in, h := deskOf(t)
	h.log = slog.New(slog.DiscardHandler)
	t.Cleanup(h.Close)
	t.Cleanup(h.servants.end)
	return in, h, consoleDesk{h}.As("user:ana")
}

// rehearsalUntil looks until a rehearsal is as it should be.
func rehearsalUntil(t *testing.T, k console.Operations, what string, is func(console.Rehearsal) bool) console.Rehearsal {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r, err := k.Rehearsal(context.Background(), "muguet")
		if err != nil {
			t.Fatal(err)
		}
		if is(r) {
			return r
		}
		if time.Now().After(end) {
			t.Fatalf("not %s: %+v %+v", what, r, r.Fault)
		}
	}
}

func rehearsalOver(r console.Rehearsal) bool { return r.State != console.RehearsalRunning }

// scratchOf lists what rehearsals have in DIR.
func scratchOf(t *testing.T, h *house) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(h.Dir, rehearsalsDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// freeAgain waits until no process has the lock of rehearsals.
func freeAgain(t *testing.T, h *house) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		goes, err := h.rehearsing()
		if err != nil {
			t.Fatal(err)
		}
		if goes == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the lock is not given back")
		}
	}
}

// TestRehearsalFromTheDesk: a rehearsal that the console begins adds up, changes nothing
// of the campaign but its trail, is the only one meanwhile, and leaves nothing.
func TestRehearsalFromTheDesk(t *testing.T) {
	t.Parallel()
	in, h, ana := rehearsalDesk(t)
	ctx := context.Background()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	before := in.status(true)
	if r, err := ana.Rehearsal(ctx, "muguet"); err != nil || r.State != console.RehearsalNone || r.Busy {
		t.Fatalf("%+v %v", r, err)
	}
	if err := ana.StopRehearsal(ctx, "muguet", "none"); code(err) != "rehearsal-over" {
		t.Errorf("stopped without one: %v", err)
	}
	const reason = `--dead=1 "; $(x) ` // stays a reason
	if err := ana.Rehearse(ctx, "muguet", reason); err != nil {
		t.Fatal(err)
	}
	if err := ana.Rehearse(ctx, "muguet", "second"); code(err) != "rehearsal-running" {
		t.Errorf("two at once: %v", err)
	}
	if _, stderr, exit := in.run("rehearse", "muguet"); exit != exitNo || !strings.Contains(stderr, "another rehearsal goes on") {
		t.Errorf("beside it on the command line: %d %s", exit, stderr)
	}
	r := rehearsalUntil(t, ana, "ended", rehearsalOver)
	if r.State != console.RehearsalDone || r.Result == nil {
		t.Fatalf("%+v %+v", r, r.Fault)
	}
	var sum int64
	for _, n := range r.States {
		sum += n
	}
	if x := r.Result; sum != r.Population || r.Population != before.Population || x.Balance != 0 || x.Accepted == 0 || x.Letters == 0 || x.Outlook.Emails == 0 || !r.Same || r.By != "user:ana" || r.Reason != reason {
		t.Errorf("%+v %+v", r, r.Result)
	}
	freeAgain(t, h)
	if left := scratchOf(t, h); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	after := in.status(true)
	if after.Attempts != 0 || after.State != pipeline.Draft || !reflect.DeepEqual(before.States, after.States) || !reflect.DeepEqual(before.Held, after.Held) {
		t.Errorf("%+v\n%+v", before, after)
	}
	trail := map[string]string{}
	for a, err := range h.ledger.AuditTrail(ctx, c.ID) {
		if err != nil {
			t.Fatal(err)
		}
		trail[a.Action] = a.Actor + " " + a.Reason
	}
	if trail[actionRehearse] != "user:ana "+reason {
		t.Errorf("%v", trail)
	}
	// A later save is not what was rehearsed.
	is, err := ana.Text(ctx, "muguet", "breach.fr.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := ana.Save(ctx, "muguet", "breach.fr.md", is.Content+"\nEncore.\n", is.Hash, "more", false); err != nil {
		t.Fatal(err)
	}
	if r, err := ana.Rehearsal(ctx, "muguet"); err != nil || r.Same {
		t.Errorf("%+v %v", r, err)
	}
}

// TestRehearsalStops: whoever has had enough stops it, so does the end of the console,
// and neither leaves anything.
func TestRehearsalStops(t *testing.T) {
	t.Parallel()
	_, h, ana := rehearsalDesk(t)
	ctx := context.Background()
	for _, stop := range []func() error{
		func() error { return consoleDesk{h}.As("user:bob").StopRehearsal(ctx, "muguet", "the wrong list") },
		func() error { h.servants.end(); return nil },
	} {
		if err := ana.Rehearse(ctx, "muguet", "to see"); err != nil {
			t.Fatal(err)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if r := rehearsalUntil(t, ana, "stopped", rehearsalOver); r.State != console.RehearsalStopped || r.Result != nil {
			t.Errorf("%+v %+v", r, r.Fault)
		}
		freeAgain(t, h)
		if left := scratchOf(t, h); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// TestRehearsalWhenTheConsoleIsKilled: it ends with the console, and the next one says
// so. One that is killed itself is told as cut off, and what it had copied goes.
func TestRehearsalWhenTheConsoleIsKilled(t *testing.T) {
	t.Parallel()
	_, h, ana := rehearsalDesk(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = []string{rehearserCommand, h.Dir}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "begun <nil>") {
		t.Fatalf("%q %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if r := rehearsalUntil(t, ana, "ended with its console", rehearsalOver); r.State != console.RehearsalStopped || r.Reason != "before the kill" {
		t.Errorf("%+v %+v", r, r.Fault)
	}
	freeAgain(t, h)

	if err := ana.Rehearse(context.Background(), "muguet", "to be killed"); err != nil {
		t.Fatal(err)
	}
	for len(scratchOf(t, h)) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := syscall.Kill(childOf(t, os.Getpid(), h.Dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	freeAgain(t, h)
	if r := rehearsalUntil(t, ana, "ended by a kill", rehearsalOver); r.State != console.RehearsalCut {
		t.Errorf("%+v %+v", r, r.Fault)
	}
	h.sweepRehearsals()
	if left := scratchOf(t, h); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// childOf is the rehearsal of an installation that a process has begun. It is as modest
// as it should be.
func childOf(t *testing.T, parent int, dir string) int {
	t.Helper()
	list, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(list) == 0 {
		t.Skip("this system has no /proc")
	}
	for _, path := range list {
		env, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(env), "ART34_DIR="+dir+"\x00") {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(path), "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields[1] != strconv.Itoa(parent) {
			continue
		}
		if nice, _ := strconv.Atoi(fields[16]); nice < rehearsalNice || !strings.Contains(string(env), rehearsalMemory) || !strings.Contains(string(env), rehearsalCores) {
			t.Errorf("nice %d", nice)
		}
		return pid
	}
	t.Fatal("no process rehearses")
	return 0
}

// TestRehearsalThatCannotBegin says why, and leaves no trace.
func TestRehearsalThatCannotBegin(t *testing.T) {
	t.Parallel()
	in, h, ana := rehearsalDesk(t)
	ctx := context.Background()
	in.must("new", "lilas", "--file", in.path("sample", "campaign.yaml"))
	if err := ana.Rehearse(ctx, "lilas", "nobody"); code(err) != "rehearsal-nobody" {
		t.Errorf("%v", err)
	}
	spec := filepath.Join(h.folder("muguet").path, specFile)
	if err := os.WriteFile(spec, []byte("kind: party\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ana.Rehearse(ctx, "muguet", "broken"); code(err) != "campaign-file" || !strings.Contains(err.Error(), "kind") {
		t.Errorf("%v", err)
	}
	if err := ana.Rehearse(ctx, "absent", "absent"); err == nil {
		t.Error("a campaign that is not there")
	}
	freeAgain(t, h)
	if n, err := h.lastRehearsal("muguet"); n != nil || err != nil {
		t.Errorf("%+v %v", n, err)
	}
}
