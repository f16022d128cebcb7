package email_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
)

// TestNothingIsLostOrDoubled lets a relay answer anything at any point over many
// messages. Whatever it does, what Send reports is what the relay has:
//
//	accepted   the relay has it once and said 2xx
//	refused    it has not, or it has seen it and said no
//	unsent     it has nothing of it that is whole
//	doubtful   it has it once and its answer did not arrive
func TestNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	common := []string{"421 4.3.2 closing\r\n", "451 4.3.0 later\r\n", "550 5.1.1 no such user\r\n", "554-5.7.1 no\r\n554 5.7.1 spam\r\n", drop, "garbage\r\n", "250-half\r\n550 other\r\n"}
	good := map[string]string{"MAIL": "250 2.1.0 Ok\r\n", "RCPT": "250 2.1.5 Ok\r\n", "DATA": "354 go\r\n", ".": "250 2.0.0 Ok\r\n", "RSET": "250 2.0.0 Ok\r\n"}
	extra := map[string][]string{
		"DATA": {"250 what\r\n"},
		".":    {"354 more\r\n", "250 2.0.0 Ok\r\n550 and no\r\n"}, // the second one says more than it was asked
		"RCPT": {"250 2.1.5 Ok\r\n250 twice\r\n"},
	}
	rapid.Check(t, func(rt *rapid.T) {
		answers := map[string][]string{}
		for verb, ok := range good {
			n := rapid.IntRange(0, 8).Draw(rt, "answers to "+verb)
			for range n {
				answer := ok
				if rapid.IntRange(0, 2).Draw(rt, "good") == 0 {
					answer = rapid.SampledFrom(append(append([]string(nil), common...), extra[verb]...)).Draw(rt, verb)
				}
				answers[verb] = append(answers[verb], answer)
			}
			answers[verb] = append(answers[verb], ok)
		}
		if rapid.Bool().Draw(rt, "sane") {
			delete(answers, "DATA") // its answer depends on the recipient then
		}
		offers := all
		if rapid.Bool().Draw(rt, "nothing offered") {
			offers = nil
		}
		f := serve(t, script{offers: offers, answers: answers, close: rapid.IntRange(0, 3).Draw(rt, "close")})
		defer f.stop()
		c, err := relay(t, f, func(c *email.RelayConfig) {
			c.PerConnection = rapid.IntRange(1, 10).Draw(rt, "per connection")
		}).Dial(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		// Some messages are announced behind the one before them, and some are not what
		// was announced.
		list := make([]*pipeline.Message, 10)
		for n := range list {
			list[n] = message(n + 1)
		}
		var got []pipeline.Answer
		for n := range 8 {
			next := []*pipeline.Message{nil, list[n+1], list[n+1], list[n+2]}[rapid.IntRange(0, 3).Draw(rt, "next")]
			got = append(got, c.Send(t.Context(), list[n], next))
		}
		_ = c.Close()
		f.stop()
		for n, a := range got {
			if why := disagrees(f, message(n+1), a); why != "" {
				rt.Fatalf("message %d: %+v, but %s", n+1, a, why)
			}
		}
	})
}

// disagrees says how an answer and what the relay has do not fit; "" if they do.
func disagrees(f *faults, m *pipeline.Message, a pipeline.Answer) string {
	copies, verdict := 0, ""
	for i, body := range f.messages {
		if body == string(m.Body) {
			copies, verdict = copies+1, f.verdicts[i]
		}
	}
	accepted := strings.HasPrefix(verdict, "250 ")
	switch {
	case copies > 1:
		return fmt.Sprintf("the relay has %d copies", copies)
	case a.Phase == pipeline.PhaseAccepted && !accepted:
		return fmt.Sprintf("the relay has %d and said %q", copies, verdict)
	case a.Phase == pipeline.PhaseRefused && accepted:
		return "the relay accepted it"
	case a.Phase == pipeline.PhaseRefused && a.Outcome != pipeline.Dead && a.Outcome != pipeline.Transient && a.Outcome != pipeline.Ours:
		return "nobody knows what that means"
	case a.Phase == pipeline.PhaseUnsent && copies > 0:
		return fmt.Sprintf("the relay has it and said %q", verdict)
	case a.Phase == pipeline.PhaseDoubtful && (copies == 0 || accepted):
		return fmt.Sprintf("the relay has %d and said %q", copies, verdict)
	}
	return ""
}
