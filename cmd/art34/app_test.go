package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// TestTerminalsObeyNobody: what others wrote moves no cursor and turns no line round,
// in results, in remarks and in errors.
func TestTerminalsObeyNobody(t *testing.T) {
	t.Parallel()
	const hostile = "x\x1b[2J\x1b]0;owned\a \u009b1A paid \u202edecnuob"
	var out, errs bytes.Buffer
	a := newApp(&globals{Log: "info"}, nil, &out, &errs)
	if err := a.answer(nil, func(w io.Writer) { table(w, func(w io.Writer) { fmt.Fprintf(w, "it said\t%s\n", hostile) }) }); err != nil {
		t.Error(err)
	}
	a.say("it said %s", hostile)
	a.fail(refuse("x", hostile, hostile))
	desk := &returnDesk{h: &house{app: a}}
	desk.say("%s", hostile)
	for said, want := range map[string]int{out.String(): 2, errs.String(): 3} {
		if strings.ContainsAny(said, "\x1b\a\u009b\u202e") || strings.Count(said, "paid [U+202E]decnuob") != want {
			t.Errorf("%q", said)
		}
	}
}
