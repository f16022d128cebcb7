package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestReadmeSteps carries out the campaign of the README as it stands there, line by
// line. Only what a new operator replaces too is replaced: the relay, and the
// reference of somebody's letter; and the service ends once it is idle.
func TestReadmeSteps(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\n## A real campaign, step by step\n")
	text, _, _ = strings.Cut(text, "\n## ")
	script := readmeScript(text)
	if n := strings.Count(script, "exec art34 "); n < 25 {
		t.Fatalf("%d commands were found in the README:\n%s", n, script)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "readme.txtar"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			today(e)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"relay": practiceRelay, "reference": referenceOf, "exits": exits},
	})
}

// readmeScript makes a script of the lines in the shell blocks of a text.
func readmeScript(text string) string {
	var b strings.Builder
	in := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			in = line == "```sh"
			continue
		}
		if line, _, _ = strings.Cut(line, " #"); !in || line == "" {
			continue
		}
		for command := range strings.SplitSeq(line, " && ") {
			b.WriteString(readmeLine(strings.TrimSpace(command)))
		}
	}
	return b.String() + wave2
}

var readmeReference = regexp.MustCompile(`\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)

func readmeLine(line string) string {
	before := ""
	switch {
	case strings.HasPrefix(line, "export ART34_RELAY="):
		return "relay\n"
	case strings.HasPrefix(line, "export "):
		return ""
	case strings.HasPrefix(line, "art34 launch "):
		line += " --relay-later"
	case line == "art34 run":
		return "exits 1 art34 run --until-idle\n" // the canary waits for resume
	case strings.HasPrefix(line, "art34 status ") && strings.HasSuffix(line, " --watch"):
		line = strings.TrimSuffix(line, " --watch")
	case line == "art34 print list":
		// It is night somewhere: the hours of the example do not hold this test up.
		before = "exec art34 pacing muguet --hours ''\nexec art34 run --until-idle\n"
	case readmeReference.MatchString(line):
		before, line = "reference C10002331\n", readmeReference.ReplaceAllString(line, "$$REFERENCE")
	}
	line = strings.ReplaceAll(line, `"$(date +%F)"`, "$TODAY")
	return fmt.Sprintf("%sexec %s\n", before, strings.ReplaceAll(line, `"`, "'"))
}

// referenceOf is "reference CUSTOMER": it sets $REFERENCE to what the letter of a
// customer says.
func referenceOf(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("art34", "find", args[0], "--json"))
	_, rest, ok := strings.Cut(ts.ReadFile("stdout"), `"reference":"`)
	reference, _, _ := strings.Cut(rest, `"`)
	if !ok || reference == "" {
		ts.Fatalf("no reference of %s", args[0])
	}
	ts.Setenv("REFERENCE", reference)
}

// wave2 is the list that the forensics deliver later.
const wave2 = `
exec art34 status muguet --audit
stdout 'balance +0'
-- wave2.csv --
customer_id,contract_id,contract_kind,contract_label,data_kinds
C10000042,FI900000001,internet,Fibre,identity|contact
`
