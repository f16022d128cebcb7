package feedback

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/fixtures"
	"github.com/art34/art34/pipeline/feedback/dsn"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// texts are real texts: of the collection where it is there, else of the fixtures.
func texts(tb testing.TB) (list []string) {
	tb.Helper()
	add := func(raw []byte) {
		r := dsn.Parse(raw)
		list = append(list, r.Text)
		for _, rec := range r.Recipients {
			list = append(list, rec.Diagnostic)
		}
	}
	for _, raw := range messages(tb) {
		add(raw)
	}
	return list
}

// messages are real messages.
func messages(tb testing.TB) (list [][]byte) {
	tb.Helper()
	names, err := fs.Glob(fixtures.FS, "bounces/*.eml")
	if err != nil || len(names) == 0 {
		tb.Fatal("no notifications")
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, raw)
	}
	if dir := collection(); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "eml", "*.eml"))
		if err != nil {
			tb.Fatal(err)
		}
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			list = append(list, raw)
		}
	}
	return list
}

// TestPrefilter: looking for literals first changes nothing.
func TestPrefilter(t *testing.T) {
	t.Parallel()
	layout := regexp.MustCompile(`[\n\t]+`)
	all := texts(t)
	some := all[:0]
	for i, text := range all {
		if i%7 == 0 {
			some = append(some, text)
		}
	}
	for _, r := range append(append(raw(), strong()...), rules()...) {
		p, whole := compile(r.text), regexp.MustCompile(layout.ReplaceAllString(r.text, ""))
		for _, text := range some {
			low := strings.ToLower(text)
			if p.match(low) != whole.MatchString(low) {
				t.Errorf("%s %.40s…: with literals %v, without %v: %.200q", r.reason, r.text, p.match(low), !p.match(low), low)
			}
		}
	}
}

// TestRulesAreInLowerCase: they are matched against a text in lower case.
func TestRulesAreInLowerCase(t *testing.T) {
	t.Parallel()
	escape := regexp.MustCompile(`\\.`)
	a := []string{stopText, brandText, challengeText, leftText, closedText, awayText, waitingText, doneText}
	for _, r := range append(append(raw(), strong()...), rules()...) {
		a = append(a, r.text)
	}
	for _, text := range a {
		if bare := escape.ReplaceAllString(text, ""); bare != strings.ToLower(bare) {
			t.Errorf("not in lower case: %.60s", text)
		}
		for _, alt := range split(text) {
			if alt == "" {
				t.Errorf("an empty alternative matches everything: %.60s", text)
			}
			if regexp.MustCompile(alt).MatchString("") {
				t.Errorf("%s matches everything", alt)
			}
		}
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`user unknown`:                    "user unknown",
		`no (?:mail|smtp) service`:        " service",
		`(?:host|domain)[^.]{0,9}unknown`: "unknown",
		`(?:a|b)?c+`:                      "c",
		`\bspam\b`:                        "spam",
		`[ab]\d`:                          "",
		`(?:abc|\d)`:                      "",
		`(?:xyz){2}`:                      "xyz",
		"\n\t\tone|\n\t\ttwo":             "one two",
	} {
		var got []string
		for _, a := range compile(src) {
			got = append(got, a.literals...)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", src, got, want)
		}
	}
}

// TestOneVocabulary: every reason of a bounce is in the table of smtpcode, with its
// outcome unless the code or the provider says otherwise, and is of use.
func TestOneVocabulary(t *testing.T) {
	t.Parallel()
	known := map[string]smtpcode.Outcome{}
	for _, r := range smtpcode.Reasons() {
		if known[r.Code] != "" || r.Meaning == "" {
			t.Errorf("%s is there twice, or has no meaning", r.Code)
		}
		known[r.Code] = r.Outcome
	}
	for _, r := range append(append(raw(), strong()...), rules()...) {
		if known[r.reason] != smtpcode.Outcome(r.outcome) {
			t.Errorf("a rule says that %s is %s", r.reason, r.outcome)
		}
	}
	c := NewClassifier()
	for _, m := range messages(t) {
		for _, v := range c.Classify(dsn.Parse(m)) {
			switch {
			case !slices.Contains(Kinds(), v.Kind) || v.Kind.Meaning() == "":
				t.Errorf("kind %q", v.Kind)
			case v.Kind == Bounce && known[v.Reason] == "":
				t.Errorf("a bounce for the reason %q", v.Reason)
			case v.Kind == Bounce && known[v.Reason] != smtpcode.Outcome(v.Outcome) && v.Outcome == "dead":
				t.Errorf("dead for the reason %s", v.Reason)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	list := messages(b)
	for i := 0; b.Loop(); i++ {
		dsn.Parse(list[i%len(list)])
	}
}

func BenchmarkClassify(b *testing.B) {
	var list []*dsn.Report
	for _, m := range messages(b) {
		list = append(list, dsn.Parse(m))
	}
	c := NewClassifier()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		c.Classify(list[i%len(list)])
	}
}

// hostile are messages built to cost time.
func hostile() map[string][]byte {
	var groups, named strings.Builder
	for i := range 400 {
		fmt.Fprintf(&groups, "\nFinal-Recipient: rfc822; user%d@example.com\nAction: failed\nStatus: 5.0.0\n", i)
	}
	for i := range 4000 {
		fmt.Fprintf(&named, "user%d@example.com: 550\n", i%400)
	}
	report := func(text string) []byte {
		return []byte("From: MAILER-DAEMON\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b\n\n--b\n\n" + text + "\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n" + groups.String() + "\n--b--\n")
	}
	return map[string][]byte{
		"many recipients, all named": report(named.String()),
		"at signs":                   report(strings.Repeat("@", 64<<10)),
		"no fields":                  []byte("Content-Type: message/delivery-status\n\n" + strings.Repeat("x\n", 32<<10)),
		"marks":                      []byte("From: MAILER-DAEMON\nSubject: Undelivered\n\n" + strings.Repeat("\n--- transcript of session follows", 2000)),
		"open tags":                  []byte("From: MAILER-DAEMON\nSubject: Undelivered\nContent-Type: text/html\n\n" + strings.Repeat("<style", 11000)),
		"words":                      []byte("From: MAILER-DAEMON\nSubject: Undelivered\n\n" + strings.Repeat("mailbox user address account ", 2200)),
		"words of an answer":         []byte("Auto-Submitted: auto-replied\nSubject: x\n\n" + strings.Repeat("mailbox adresse postfach votre message nachricht ", 1300)),
		"big":                        append([]byte("From: a@b.c\nSubject: x\n\n"), bytes.Repeat([]byte("lorem ipsum "), 400_000)...),
	}
}

// TestHostile: what is built to cost time is judged all the same.
func TestHostile(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	for name, raw := range hostile() {
		if why := sound(c, raw); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	c := NewClassifier()
	for name, raw := range hostile() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c.Classify(dsn.Parse(raw))
			}
		})
	}
}
