package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// storyboard shows a practice run: a table that is redrawn on a terminal, a line
// every two seconds elsewhere.
type storyboard struct {
	a     *app
	mark  string // stands over the table
	last  time.Time
	lines int // drawn on the terminal
}

func (a *app) storyboard() *storyboard { return &storyboard{a: a} }

const boardBar = 40

// look draws the states of a campaign.
func (b *storyboard) look(s *status) {
	now := b.a.real.Now()
	if !b.a.terminal {
		if now.Sub(b.last) >= beatEvery {
			b.last = now
			b.a.say("run       %s", stateCounts(s.States))
		}
		return
	}
	var text strings.Builder
	if b.lines > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\x1b[J", b.lines)
	}
	b.lines = 0
	if b.mark != "" {
		fmt.Fprintf(&text, "  %s\n", b.mark)
		b.lines++
	}
	for _, st := range pipeline.States() {
		n := s.States[st]
		if n == 0 && st.Settled() || s.Population == 0 {
			continue
		}
		fmt.Fprintf(&text, "  %-11s %8s  %s\n", st, thousands(n), strings.Repeat("#", int((n*boardBar+s.Population-1)/s.Population)))
		b.lines++
	}
	fmt.Fprintf(&text, "  %-11s %8d\n", "balance", s.Balance)
	b.lines++
	fmt.Fprint(b.a.err, text.String())
}

// end leaves the screen to what follows.
func (b *storyboard) end() {
	if b.lines > 0 {
		fmt.Fprintf(b.a.err, "\x1b[%dA\x1b[J", b.lines)
		b.lines = 0
	}
}
