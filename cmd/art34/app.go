package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/visible"
)

// app is what every command has: its options, its streams and the time.
type app struct {
	*globals
	in       io.Reader
	out, err io.Writer
	clock    clock.Clock // of the business; the demo compresses it
	real     clock.Clock // of the machine
	log      *slog.Logger
	terminal bool   // err is a terminal: progress may be drawn
	acts     string // whose orders it carries out who came by the console, "user:LOGIN" or "token:NAME"; "" for the one at the keyboard
}

func newApp(g *globals, in io.Reader, out, err io.Writer) *app {
	return &app{globals: g, in: in, out: out, err: err, clock: clock.Real{}, real: clock.Real{}, terminal: isTerminal(err)}
}

// ready finishes the app once the options are known.
func (a *app) ready() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.Log)); err != nil {
		return refuse("usage", err.Error(), "")
	}
	a.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
	return nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// actor is who acts, as the audit trail names them.
func (a *app) actor() string {
	if a.acts != "" {
		return a.acts
	}
	name := a.As
	if name == "" {
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if name == "" {
		name = "unknown"
	}
	return "user:" + name
}

// say writes a line for people to standard error.
func (a *app) say(format string, args ...any) {
	fmt.Fprintln(a.err, visible.Text(fmt.Sprintf(format, args...)))
}

// answer prints a result: as one JSON value with --json, else as text.
func (a *app) answer(v any, text func(w io.Writer)) error {
	if a.JSON {
		return a.answerJSON(v)
	}
	text(visible.Writer(a.out))
	return nil
}

func (a *app) answerJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// fail prints an error as a sentence with its hint, or as JSON with its code. An
// answer of no was printed already.
func (a *app) fail(err error) {
	if errors.Is(err, errNo) {
		return
	}
	e := explained(err)
	if a.JSON {
		cause := ""
		if e.Cause != nil {
			cause = e.Cause.Error()
		}
		_ = json.NewEncoder(a.err).Encode(map[string]string{"error": e.Code, "sentence": e.Sentence, "cause": cause, "hint": e.Hint})
		return
	}
	fmt.Fprintf(a.err, "art34: %s\n", visible.Text(strings.TrimRight(e.Error(), "\n")))
}

// table lines up rows whose cells are separated by tabs.
func table(w io.Writer, rows func(w io.Writer)) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows(t)
	_ = t.Flush()
}

// audit is an entry of the audit trail by the person at the keyboard.
func (a *app) audit(campaign int64, action, reason, detail string) pipeline.Audit {
	return pipeline.Audit{Campaign: campaign, At: a.clock.Now(), Actor: a.actor(), Action: action, Reason: reason, Detail: detail}
}

// count writes n with its noun: "1 letter", "2 letters", "3,000 letters".
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

// thousands groups digits: 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
