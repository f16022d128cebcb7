package main

import (
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
)

// TestAloudSaysOnlyWhatHappened: a caller is not told of an e-mail that never was,
// nor promised an answer that nobody gives.
func TestAloudSaysOnlyWhatHappened(t *testing.T) {
	t.Parallel()
	letter, mail := pipeline.Attempt{N: 1, Channel: pipeline.Post}, pipeline.Attempt{N: 1, Channel: pipeline.Email}
	for _, c := range []struct {
		name     string
		n        pipeline.Notice
		attempts []pipeline.Attempt
		says     string
		never    string
	}{
		{"a spoiled letter", pipeline.Notice{State: pipeline.Due, Channel: pipeline.Post}, []pipeline.Attempt{letter}, "letter is being prepared", "e-mail"},
		{"a dead address", pipeline.Notice{State: pipeline.Due, Channel: pipeline.Post}, []pipeline.Attempt{mail}, "a letter is about to leave", "handed to the post"},
		{"a letter that came back", pipeline.Notice{State: pipeline.Due, Channel: pipeline.Email}, []pipeline.Attempt{letter}, "an e-mail is about to be sent", "wrote to you by e-mail"},
		{"excluded", pipeline.Notice{State: pipeline.Excluded}, nil, "passing your call on", "will answer"},
		{"cancelled", pipeline.Notice{State: pipeline.Cancelled}, nil, "passing your call on", "will answer"},
		{"recalled", pipeline.Notice{State: pipeline.Held, Reason: pipeline.ReasonRecalled}, []pipeline.Attempt{letter}, "we stopped it", "colleagues"},
	} {
		said := aloud(c.n, c.attempts, nil)
		if !strings.Contains(said["en"], c.says) || strings.Contains(said["en"], c.never) {
			t.Errorf("%s: %q", c.name, said["en"])
		}
		if said["fr"] == "" {
			t.Errorf("%s: nothing in French", c.name)
		}
	}
}
