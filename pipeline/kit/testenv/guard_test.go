package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childVar turns TestGuard into the process that dies.
const childVar = "ART34_TESTENV_CHILD"

// TestGuard kills a test binary that has a server running and looks whether the
// server and its directory go with it.
func TestGuard(t *testing.T) {
	if os.Getenv(childVar) != "" {
		s := Redis(t, RedisConfig{})
		fmt.Printf("\nchild %d %s\n", s.proc.pid, s.dir)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	t.Parallel()
	eitherBinary(t, "redis-server", "valkey-server")
	cmd := exec.Command(os.Args[0], "-test.run=^TestGuard$")
	cmd.Env = append(os.Environ(), childVar+"=1")
	out, err := cmd.Output()
	if x, ok := errors.AsType[*exec.ExitError](err); !ok || x.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child did not die as it should: %v\n%s", err, out)
	}
	var pid int
	var dir string
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "child %d %s", &pid, &dir)
	}
	if pid == 0 {
		t.Fatalf("the child said nothing: %s", out)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for running(pid) || exists(dir) {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("server %d running: %v, %s there: %v", pid, running(pid), dir, exists(dir))
		}
	}
}

// running reports whether a process is there and no zombie.
func running(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !exists("/proc/self")
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestRequired(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, name string
		want       bool
	}{
		{"", "qpdf", false}, {"all", "qpdf", true}, {"postgres,qpdf", "qpdf", true}, {"postgres, qpdf", "qpdf", true},
		{"postgres", "qpdf", false}, {"qpdfx", "qpdf", false},
	} {
		if got := required(c.list, c.name); got != c.want {
			t.Errorf("required(%q, %q) = %v", c.list, c.name, got)
		}
	}
}

// watched is a test that only tells how it ended.
type watched struct {
	testing.TB
	said string
}

func (w *watched) Helper() {}
func (w *watched) Fatalf(format string, args ...any) {
	w.said = "fatal: " + fmt.Sprintf(format, args...)
}
func (w *watched) Skipf(format string, args ...any) { w.said = "skip: " + fmt.Sprintf(format, args...) }

func TestMissing(t *testing.T) {
	for list, want := range map[string]string{
		"":    "skip: no-such-tool is not installed; set ART34_TEST_REQUIRE=no-such-tool to make this a failure",
		"all": "fatal: no-such-tool is not installed (ART34_TEST_REQUIRE=all)",
	} {
		t.Setenv(requireVar, list)
		w := &watched{TB: t}
		if path := Binary(w, "no-such-tool"); path != "" || !strings.HasPrefix(w.said, want) {
			t.Errorf("with %q: path %q, said %q", list, path, w.said)
		}
	}
}

func TestStack(t *testing.T) {
	t.Parallel()
	s := Stack(t)
	env := s.Environ()
	if !strings.HasPrefix(env[0], "ART34_LEDGER=postgres://") || env[1] != "ART34_REDIS="+s.Redis.URL {
		t.Errorf("%q", env)
	}
	if got := s.Redis.Command(t, "PING"); got != "PONG" {
		t.Errorf("PING: %s", got)
	}
}
