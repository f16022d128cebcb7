package feedback

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/quick"

	"github.com/art34/art34/fixtures"
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
)

// meanings maps the reasons of the collection's labels to outcomes; "either" is
// dead or transient.
func meanings() map[string]string {
	m := map[string]string{}
	for outcome, reasons := range map[string]string{
		"dead":      "userunknown hostunknown hasmoved notaccept suspend",
		"either":    "filtered onhold undefined",
		"transient": "mailboxfull expired networkerror mailererror systemerror systemfull toomanyconn speeding",
		"ours":      "rejected blocked authfailure requireptr policyviolation spamdetected securityerror notcompliantrfc norelaying mesgtoobig exceedlimit badreputation virusdetected syntaxerror contenterror failedstarttls",
		"none":      "feedback vacation delivered",
	} {
		for _, r := range strings.Fields(reasons) {
			m[r] = outcome
		}
	}
	return m
}

// collection is the folder of real messages, "" where it is absent.
func collection() string {
	base := os.Getenv("ART34_SHARED")
	if base == "" {
		base = filepath.Join("..", "..", "..", "shared") // beside the module
	}
	dir := filepath.Join(base, "bounces")
	if _, err := os.Stat(filepath.Join(dir, "labels.tsv")); err != nil {
		return ""
	}
	return dir
}

// TestCollection scores the classifier on real messages by their labels: at least
// 95 % of rows, and nothing that is our fault called a dead address. Line ends make
// no difference.
func TestCollection(t *testing.T) {
	t.Parallel()
	dir := collection()
	if dir == "" {
		t.Skip("the collection of real bounces is absent: set ART34_SHARED to the folder that holds bounces/")
	}
	labels, err := os.ReadFile(filepath.Join(dir, "labels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	c, meaning, verdicts := NewClassifier(), meanings(), map[string][]Verdict{}
	table, agreed, rows, apart := map[string]int{}, 0, 0, []string(nil)
	for _, line := range strings.Split(strings.TrimSpace(string(labels)), "\n")[1:] {
		f := strings.Split(line, "\t")
		vs, known := verdicts[f[0]]
		if !known {
			vs = everyLineEnd(t, c, filepath.Join(dir, "eml", f[0]))
			verdicts[f[0]] = vs
		}
		i, err := strconv.Atoi(f[1])
		want, ok := meaning[f[4]]
		if err != nil || !ok {
			t.Fatalf("a label that the README does not explain: %q", line)
		}
		rows++
		if i > len(vs) {
			table[fmt.Sprintf("%-9s → missing", want)]++
			apart = append(apart, fmt.Sprintf("  %s #%d: %s, and we see %d recipients", f[0], i, f[4], len(vs)))
			continue
		}
		got := string(vs[i-1].Outcome)
		table[fmt.Sprintf("%-9s → %s", want, got)]++
		if want == got || want == "either" && (got == "dead" || got == "transient") {
			agreed++
		} else if want == "ours" && got == "dead" {
			t.Errorf("%s #%d is our fault (%s) and was called a dead address (%s)", f[0], i, f[4], vs[i-1].Reason)
		} else {
			apart = append(apart, fmt.Sprintf("  %s #%d: %s, and we say %s, %s (%s)", f[0], i, f[4], vs[i-1].Kind, got, vs[i-1].Reason))
		}
	}
	var lines []string
	for k, n := range table {
		lines = append(lines, fmt.Sprintf("  %-22s %d", k, n))
	}
	slices.Sort(lines)
	slices.Sort(apart)
	t.Logf("%d of %d rows agree (%.1f %%)\n%s\nwhere we differ:\n%s", agreed, rows, 100*float64(agreed)/float64(rows), strings.Join(lines, "\n"), strings.Join(apart, "\n"))
	if agreed*100 < rows*95 {
		t.Errorf("%d of %d rows agree: less than 95 %%", agreed, rows)
	}
}

// everyLineEnd classifies a file with LF, CRLF and CR line ends, which must agree.
func everyLineEnd(t *testing.T, c *Classifier, path string) []Verdict {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lf := bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	first := c.Classify(dsn.Parse(lf))
	for _, end := range []string{"\r\n", "\r"} {
		if got := c.Classify(dsn.Parse(bytes.ReplaceAll(lf, []byte("\n"), []byte(end)))); !slices.Equal(got, first) {
			t.Errorf("%s with line ends %q: %+v, with LF %+v", filepath.Base(path), end, got, first)
		}
	}
	return first
}

// TestGenuine holds what Postfix and Exim really send against what it means.
func TestGenuine(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	want := map[string]string{
		"exim-4.96-dsn-01.eml":   "nobodyhere@local.test dead",
		"exim-4.96-dsn-02.eml":   "x@nohost.test dead",
		"exim-4.96-dsn-03.eml":   "unknown@remote.test dead",
		"exim-4.96-dsn-04.eml":   "policy@remote.test ours",
		"exim-4.96-dsn-05.eml":   "hardfull@remote.test transient",
		"exim-4.96-dsn-06.eml":   "x@refused.test dead", // "Unrouteable address" is all it says
		"postfix-3.7-dsn-01.eml": "nobodyhere@local.test dead",
		"postfix-3.7-dsn-02.eml": "unknown@remote.test dead",
		"postfix-3.7-dsn-03.eml": "hardfull@remote.test transient",
		"postfix-3.7-dsn-04.eml": "x@nohost.test dead",
		"postfix-3.7-dsn-05.eml": "policy@remote.test ours",
		"postfix-3.7-dsn-06.eml": "x@refused.test none",
		"postfix-3.7-dsn-07.eml": "full@remote.test none",
		"postfix-3.7-dsn-08.eml": "x@refused.test transient",
		"postfix-3.7-dsn-09.eml": "full@remote.test transient",
	}
	names, err := fs.Glob(fixtures.FS, "bounces/*.eml")
	if err != nil || len(names) != len(want) {
		t.Fatalf("%d notifications, want %d: %v", len(names), len(want), err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		vs := c.Classify(dsn.Parse(raw))
		if len(vs) != 1 {
			t.Errorf("%s: %d recipients", name, len(vs))
			continue
		}
		if got := vs[0].Recipient + " " + string(vs[0].Outcome); got != want[filepath.Base(name)] {
			t.Errorf("%s: %s (%s), want %s", name, got, vs[0].Reason, want[filepath.Base(name)])
		}
	}
}

// TestOnlyFailedFails: no words turn a delay or a delivery into a failure.
func TestOnlyFailedFails(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	for _, action := range []string{"delayed", "delivered", "relayed", "expanded"} {
		r := dsn.Parse([]byte("Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@example.com\nAction: " + action + "\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n"))
		if vs := c.Classify(r); len(vs) != 1 || vs[0].Outcome != pipeline.None {
			t.Errorf("%s: %+v", action, vs)
		}
	}
}

// TestAddressesHaveNoSay: what a customer is called decides nothing.
func TestAddressesHaveNoSay(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	for _, local := range []string{"spam", "blocked", "user.unknown", "quota", "dkim"} {
		for said, want := range map[string]pipeline.Outcome{"550 5.1.1 <%s@example.com>: User unknown": pipeline.Dead, "552 5.2.2 <%s@example.com>: mailbox full": pipeline.Transient, "550 5.7.1 <%s@example.com>: relay access denied": pipeline.Ours} {
			r := &dsn.Report{Shape: dsn.Delivery, Recipients: []dsn.Recipient{{Action: "failed", Diagnostic: fmt.Sprintf(said, local)}}}
			if v := c.Classify(r)[0]; v.Outcome != want {
				t.Errorf("%s as %s: %s (%s), want %s", said, local, v.Outcome, v.Reason, want)
			}
		}
	}
}

// TestOutcomes: every message has at least one verdict, and its outcome is one of
// the four.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	if err := quick.Check(func(raw []byte) bool { return sound(c, raw) == "" }, nil); err != nil {
		t.Error(err)
	}
}

// sound says what is wrong with the verdicts on a message.
func sound(c *Classifier, raw []byte) string {
	vs := c.Classify(dsn.Parse(raw))
	if len(vs) == 0 {
		return "no verdict"
	}
	for _, v := range vs {
		switch v.Outcome {
		case pipeline.Dead, pipeline.Transient, pipeline.Ours, pipeline.None:
		default:
			return "outcome " + string(v.Outcome)
		}
		if v.Action == "delayed" && v.Outcome != pipeline.None {
			return "a delay became " + string(v.Outcome)
		}
		if v.Reason == "" || len(v.Detail) > 300 {
			return "no reason, or an endless detail"
		}
	}
	return ""
}

// FuzzClassify checks what must hold of any message whatever.
func FuzzClassify(f *testing.F) {
	seed(f)
	c := NewClassifier()
	f.Fuzz(func(t *testing.T, raw []byte) {
		if why := sound(c, raw); why != "" {
			t.Fatal(why)
		}
	})
}

func seed(f *testing.F) {
	f.Helper()
	names, err := fs.Glob(fixtures.FS, "bounces/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("X-Failed-Recipients: a@example.com\n\na@example.com: no such user"))
	f.Add([]byte(`{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"a@example.com","status":"5.1.1"}]}}`))
}
