package testenv

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// requireVar names the programs that must not be missing: "all", or a list with
// commas.
const requireVar = "ART34_TEST_REQUIRE"

// toolTime bounds one run of a tool.
const toolTime = 2 * time.Minute

// Missing ends the test because a program is not here: it skips, or fails if
// ART34_TEST_REQUIRE names the program or says all. reason is a sentence without a
// full stop.
func Missing(t testing.TB, name, reason string) {
	t.Helper()
	if required(os.Getenv(requireVar), name) {
		t.Fatalf("%s (%s=%s)", reason, requireVar, os.Getenv(requireVar))
		return
	}
	t.Skipf("%s; set %s=%s to make this a failure", reason, requireVar, name)
}

func required(list, name string) bool {
	names := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(names, "all") || slices.Contains(names, name)
}

// Binary returns the path of a program. A test whose program is missing is
// skipped, or fails: see Missing.
func Binary(t testing.TB, name string) string {
	t.Helper()
	path := lookup(name)
	if path == "" {
		Missing(t, name, name+" is not installed")
	}
	return path
}

// lookup finds a program on PATH or where Debian keeps those that are not on it.
// It returns "" for none.
func lookup(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/"} {
		found, _ := filepath.Glob(pattern + name)
		slices.Sort(found)
		for _, path := range slices.Backward(found) { // the newest version first
			if i, err := os.Stat(path); err == nil && i.Mode()&0o111 != 0 {
				return path
			}
		}
	}
	return ""
}

// Run runs a tool to its end and returns its standard output. A tool that is
// missing skips or fails the test, an exit code other than 0 fails it with what
// the tool said.
func Run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), toolTime)
	defer cancel()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, Binary(t, name), args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.WaitDelay = patience
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, tail(out.Bytes()), tail(said.Bytes()))
	}
	return out.Bytes()
}

// tail returns the last lines of a log, short enough for a test's output.
func tail(b []byte) []byte {
	const most = 4000
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return b
}
