package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// TestKeyReturnPathsAtOnce: of programs that change the key at the same moment one
// does, and the others say why not; even of those that insist no two make the same.
func TestKeyReturnPathsAtOnce(t *testing.T) {
	t.Parallel()
	in := &installation{t: t, dir: t.TempDir()}
	in.must("sample", "--customers", "5", "--seed", "1", "--out", in.path("sample"))
	in.must("new", "muguet", "--file", in.path("sample", "campaign.yaml"))
	race := func(args ...string) (changed []string) {
		var all sync.WaitGroup
		outs, codes := make([]string, 4), make([]int, 4)
		for i := range codes {
			cmd := in.command(append([]string{"key", "return-paths"}, args...)...)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			all.Go(func() {
				_ = cmd.Run()
				outs[i], codes[i] = out.String(), cmd.ProcessState.ExitCode()
			})
		}
		all.Wait()
		for i, code := range codes {
			switch {
			case code == 0:
				changed = append(changed, outs[i])
			case code != 1 || !strings.Contains(outs[i], "somebody else has changed the key at this very moment") && !strings.Contains(outs[i], "the key was changed on"):
				t.Errorf("exit %d: %s", code, outs[i])
			}
		}
		return changed
	}
	if changed := race(); len(changed) != 1 || !strings.Contains(changed[0], "signed with key 1 ") {
		t.Errorf("changed by %d: %q", len(changed), changed)
	}
	if changed := race(); len(changed) != 0 {
		t.Errorf("before the bounces of the last one are in: %q", changed)
	}
	seen := map[string]bool{}
	for _, out := range race("--at-once") {
		if seen[out] {
			t.Errorf("twice: %s", out)
		}
		seen[out] = true
	}
	if len(seen) == 0 {
		t.Error("none of those that insist has changed it")
	}
}
