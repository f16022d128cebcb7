package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/art34/art34/pipeline/rehearsal"
)

// TestScripts runs the program as people do. Beside the usual commands scripts
// have:
//
//	prepared draft|approved   an installation with the campaign muguet, 300 customers of seed 7, in $ART34_DIR and sample/
//	relay [dead|starttls]     a practice relay; sets ART34_RELAY. dead: it refuses every address; starttls: we want what it does not offer
//	exits N COMMAND …         runs a command and checks its exit code
//	sed OLD NEW FILE          replaces a text that must be there
//	waitfor FILE              waits for a file of the installation
//	letter RUN SEQ NAME       sets $NAME and $NAME_SCAN to reference and symbol of a letter
//	scans FILE FIRST SECOND   writes what a scanner sends for two letters
//	agekey NAME               sets $NAME to a fresh age recipient
//	opened FILE OUT           opens a file that is sealed to it
//	told EXPORT OUT           writes a call centre's list about two people of an export
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("ART34_DIR", filepath.Join(e.WorkDir, "data"))
			e.Setenv("ART34_AS", "tester")
			today(e)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"prepared": prepared,
			"relay":    practiceRelay,
			"exits":    exits,
			"sed":      replace,
			"waitfor":  waitFor,
			"letter":   letterOf,
			"scans":    scans,
			"agekey":   ageKey,
			"opened":   opened,
			"told":     toldList,
		},
	})
}

// today sets $TODAY and the zone in which it is that day; $ORNEXT matches it and the
// day after, for a script that goes on past midnight.
func today(e *testscript.Env) {
	now := time.Now().UTC()
	e.Setenv("TZ", "UTC")
	e.Setenv("TODAY", now.Format(time.DateOnly))
	e.Setenv("ORNEXT", "("+now.Format(time.DateOnly)+"|"+now.AddDate(0, 0, 1).Format(time.DateOnly)+")")
}

// templates of installations, made once and copied into each script.
var templateInstallations = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "art34-prepared-")
	if err != nil {
		return "", err
	}
	sample := filepath.Join(dir, "sample")
	do := func(to string, args ...string) error {
		all := append([]string{"--dir", filepath.Join(dir, to), "--as", "tester"}, args...)
		if code := run(context.Background(), all, nil, io.Discard, os.Stderr); code != 0 {
			return fmt.Errorf("art34 %v: exit %d", args, code)
		}
		return nil
	}
	steps := []struct {
		to   string
		args []string
	}{
		{"draft", []string{"sample", "--customers", "300", "--seed", "7", "--out", sample}},
		{"draft", []string{"new", "muguet", "--file", filepath.Join(sample, "campaign.yaml")}},
		{"draft", []string{"import", "muguet", "--customers", filepath.Join(sample, "customers.csv"), "--impact", filepath.Join(sample, "impact.csv")}},
	}
	for _, s := range steps {
		if err := do(s.to, s.args...); err != nil {
			return "", err
		}
	}
	if err := os.CopyFS(filepath.Join(dir, "approved"), os.DirFS(filepath.Join(dir, "draft"))); err != nil {
		return "", err
	}
	if err := do("approved", "approve", "muguet"); err != nil {
		return "", err
	}
	return dir, nil
})

func prepared(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: prepared draft|approved")
	}
	dir, err := templateInstallations()
	ts.Check(err)
	ts.Check(os.CopyFS(ts.Getenv("ART34_DIR"), os.DirFS(filepath.Join(dir, args[0]))))
	ts.Check(os.CopyFS(ts.MkAbs("sample"), os.DirFS(filepath.Join(dir, "sample"))))
}

func practiceRelay(ts *testscript.TestScript, _ bool, args []string) {
	mix := rehearsal.Mix{}
	if len(args) > 0 && args[0] == "dead" {
		mix.Dead = 1
	}
	r, err := rehearsal.NewRelay(rehearsal.RelayConfig{Seed: 1, Mix: mix})
	ts.Check(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = r.Serve(context.Background(), l)
	}()
	ts.Defer(func() {
		_ = r.Close()
		<-served
	})
	address := "smtp://" + l.Addr().String()
	if len(args) == 0 || args[0] != "starttls" {
		address += "?tls=none"
	}
	ts.Setenv("ART34_RELAY", address)
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, not %d", code, want)
	}
}

// replace is "sed OLD NEW FILE": it replaces a text that must be there.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sed OLD NEW FILE")
	}
	path := ts.MkAbs(args[2])
	data, err := os.ReadFile(path)
	ts.Check(err)
	if !strings.Contains(string(data), args[0]) {
		ts.Fatalf("%s does not hold %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(path, []byte(strings.ReplaceAll(string(data), args[0], args[1])), 0o600))
}

// waitFor waits until a process holds the lock of the installation.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	for end := time.Now().Add(longest); time.Now().Before(end); {
		data, err := os.ReadFile(filepath.Join(ts.Getenv("ART34_DIR"), args[0]))
		if err == nil && len(data) > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	ts.Fatalf("no %s", args[0])
}
