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
		{"a supplement to come", pipeline.Notice{State: pipeline.Due, Role: pipeline.Supplement, Channel: pipeline.Post}, nil, "a letter that completes our first message is about to be sent", "wrote to you"},
		{"a supplement sent", pipeline.Notice{State: pipeline.Accepted, Role: pipeline.Supplement, Channel: pipeline.Email}, []pipeline.Attempt{mail}, "completed our first message by an e-mail", "wrote to you by"},
		{"a supplement held", pipeline.Notice{State: pipeline.Held, Role: pipeline.Supplement}, nil, "more of your data is concerned", "your file"},
		{"a copy to come", pipeline.Notice{State: pipeline.Due, Role: pipeline.Copy, Channel: pipeline.Post}, nil, "paper copy of our e-mail is about", "A letter is"},
		{"a copy posted", pipeline.Notice{State: pipeline.Posted, Role: pipeline.Copy, Channel: pipeline.Post}, []pipeline.Attempt{letter}, "paper copy of our e-mail was handed to the post", "Your letter"},
		{"an excluded supplement", pipeline.Notice{State: pipeline.Excluded, Role: pipeline.Supplement}, nil, "passing your call on", "completes"},
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
