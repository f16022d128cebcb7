package pipeline_test

import (
	"os"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestEveryStateCanBeLeftAndReached: no state is a trap unless it is settled, and
// none is unreachable.
func TestEveryStateCanBeLeftAndReached(t *testing.T) {
	t.Parallel()
	in, out := map[pipeline.State]bool{pipeline.Held: true, pipeline.Due: true, pipeline.Unreachable: true, pipeline.Excluded: true}, map[pipeline.State]bool{}
	for _, from := range pipeline.States() {
		for _, to := range pipeline.States() {
			if from == to {
				continue
			}
			leads := pipeline.HopAllowed(from, to)
			for _, tr := range pipeline.Transitions() {
				leads = leads || pipeline.Allowed(tr.Event, tr.Outcome, from, to)
			}
			if leads {
				out[from], in[to] = true, true
			}
		}
	}
	for _, s := range pipeline.States() {
		if !in[s] {
			t.Errorf("nothing leads to %s", s)
		}
		if !out[s] && !s.Settled() {
			t.Errorf("nothing leads out of %s, and it is not settled", s)
		}
	}
}

func TestReplayFindsABrokenChain(t *testing.T) {
	t.Parallel()
	good := []pipeline.Event{{Kind: pipeline.EvAccepted, Into: pipeline.Accepted}, {Kind: pipeline.EvConfirmed, Into: pipeline.Informed}}
	if s, err := pipeline.Replay(pipeline.Due, good); err != nil || s != pipeline.Informed {
		t.Fatalf("got %s, %v", s, err)
	}
	if _, err := pipeline.Replay(pipeline.Due, good[1:]); err == nil {
		t.Fatal("confirmed without accepted was believed")
	}
	if _, err := pipeline.Replay(pipeline.Excluded, good); err == nil {
		t.Fatal("an excluded notice was accepted")
	}
}

// TestDiagramIsCurrent compares the diagram in the README with the table.
func TestDiagramIsCurrent(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), pipeline.Diagram()) {
		t.Errorf("README.md does not show the diagram of the table; put this between ```mermaid and ```:\n%s", pipeline.Diagram())
	}
}
