package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// TestReadmeReasons: the README lists every kind of message and every reason.
func TestReadmeReasons(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("\n| kind | what it is, and what follows |\n|---|---|\n")
	for _, k := range feedback.Kinds() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", k, k.Meaning())
	}
	b.WriteString("\n| reason | outcome | meaning |\n|---|---|---|\n")
	for _, r := range smtpcode.Reasons() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Code, r.Outcome, r.Meaning)
	}
	b.WriteString("\n")
	compareReadme(t, map[string]string{"reasons": b.String()})
}
