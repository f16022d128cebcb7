package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration
	peak      float64 // most resident memory in MiB; 0 where the system does not tell
	out       []byte  // its standard output
}

// measure runs a command that has to succeed, for at most so long.
func (in *installation) measure(most time.Duration, args ...string) cost {
	in.t.Helper()
	var out, errs bytes.Buffer
	cmd := in.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	start := time.Now()
	if err := cmd.Start(); err != nil {
		in.t.Fatal(err)
	}
	late := time.AfterFunc(most, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	if in.stop != nil {
		defer context.AfterFunc(in.stop, func() { _ = cmd.Process.Kill() })()
	}
	peak := watchMemory(cmd.Process.Pid)
	err := cmd.Wait()
	c := cost{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak: peak(), out: out.Bytes()}
	if err != nil {
		in.t.Fatalf("art34 %s, %s: %v\n%s%s", strings.Join(args, " "), c.wall.Round(time.Second), err, out.Bytes(), tail(errs.Bytes(), 2000))
	}
	return c
}

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// watchMemory reads a process's high-water mark until it has ended, and then
// returns it in MiB. What wait tells instead would count what was resident before
// the exec.
func watchMemory(pid int) func() float64 {
	var peak atomic.Int64
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			peak.Store(max(peak.Load(), highWater(pid)))
			select {
			case <-end:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() float64 {
		close(end)
		<-ended
		return float64(peak.Load()) / 1024
	}
}

// highWater is VmHWM of a process in KiB, 0 if it cannot be known.
func highWater(pid int) int64 {
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// directoryPerInformed is how many customers the sample's directory has for each
// that its impact list names.
const directoryPerInformed = 1.526

// draft makes a population with about so many customers to inform, and a draft
// campaign for it.
func (s *suite) draft(informed int, env ...string) *installation {
	s.Helper()
	dir, err := os.MkdirTemp(s.TempDir(), "installation-")
	if err != nil {
		s.Fatal(err)
	}
	in := &installation{t: s.B, dir: dir, env: env, stop: s.stop}
	in.measure(time.Hour, "sample", "--customers", fmt.Sprint(int(float64(informed)*directoryPerInformed)), "--seed", "7", "--out", in.path("sample"))
	in.must("new", "muguet", "--file", in.path("sample", "campaign.yaml"))
	return in
}

// lists are the arguments that import the population.
func (in *installation) lists() []string {
	return []string{"import", "muguet", "--json", "--customers", in.path("sample", "customers.csv"), "--impact", in.path("sample", "impact.csv")}
}

// copy returns an installation with a copy of the data, ready for another round.
func (in *installation) copy(env ...string) *installation {
	in.t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(in.dir), "copy-")
	if err != nil {
		in.t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(in.path("data"))); err != nil {
		in.t.Fatal(err)
	}
	return &installation{t: in.t, dir: dir, env: env, stop: in.stop}
}

// remove frees the disk before the end of the benchmark does.
func (in *installation) remove() {
	if err := os.RemoveAll(in.dir); err != nil {
		in.t.Fatal(err)
	}
}

// house opens the installation within this process, beside whatever works on it.
func (in *installation) house() *house {
	in.t.Helper()
	a := newApp(&globals{Dir: in.path("data"), Log: "info"}, nil, io.Discard, io.Discard)
	for _, e := range in.env {
		if address, ok := strings.CutPrefix(e, "ART34_LEDGER="); ok {
			a.Ledger = address
		}
	}
	h, err := a.open(context.Background())
	if err != nil {
		in.t.Fatal(err)
	}
	return h
}
