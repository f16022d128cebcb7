package console_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/templates"
)

var (
	inTemplate  = regexp.MustCompile(`\bt "([^"]+)"`)
	composed    = regexp.MustCompile(`\bt \(print ([^)]*)\)`)
	labels      = regexp.MustCompile(`"(?:label|hint|text)" "([^"]+)"`)
	placeholder = regexp.MustCompile(`\{\d\}`)
)

// TestWords: every language has every text, in the same shape, every text that a
// page asks for is there, and none that nobody asks for.
func TestWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	en, fr := w.console.Words("en"), w.console.Words("fr")
	for key, text := range en {
		other, ok := fr[key]
		if !ok {
			t.Errorf("%s is not in French", key)
			continue
		}
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(other, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%s: %v in English, %v in French", key, a, b)
		}
	}
	for key := range fr {
		if _, ok := en[key]; !ok {
			t.Errorf("%s is not in English", key)
		}
	}
	if a, b := slices.Sorted(maps.Keys(w.console.Plural("en"))), slices.Sorted(maps.Keys(w.console.Plural("fr"))); !slices.Equal(a, b) {
		t.Errorf("one and other: %v in English, %v in French", a, b)
	}

	asked := map[string]bool{}
	prefixes := []string{"done.", "error.", "cause.", "blocked.", "account.", "missing.", "planned.", "kind.", "flag.", "cohort.done_", "scope.", "refused.", "event.", "qa_fault.", "specimen.", "mailbox.", "class.", "profile.", "bounce.", "rule.", "actor.", "back.", "qalocale."}
	err := fs.WalkDir(templates.Console(), "html", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates.Console(), name)
		if err != nil {
			return err
		}
		for _, re := range []*regexp.Regexp{inTemplate, labels} {
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				asked[m[1]] = true
				if en[m[1]] == "" {
					t.Errorf("%s asks for %q, which is not there", name, m[1])
				}
			}
		}
		for _, m := range composed.FindAllStringSubmatch(string(text), -1) {
			if first := strings.Trim(strings.Fields(m[1])[0], `"`); strings.HasSuffix(first, ".") || strings.HasSuffix(first, "_") {
				prefixes = append(prefixes, first)
			}
		}
		return nil
	})
	w.must(err)
	sources, err := filepath.Glob("*.go")
	w.must(err)
	var code strings.Builder
	for _, name := range sources {
		if !strings.HasSuffix(name, "_test.go") {
			data, err := os.ReadFile(name)
			w.must(err)
			code.Write(data)
		}
	}
	for _, m := range regexp.MustCompile(`wrong\([^,\n]+, "([^"]+)"`).FindAllStringSubmatch(code.String(), -1) {
		if en[m[1]] == "" {
			t.Errorf("a page asks for %q, which is not there", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`Key: "([^"]+)"|key := "([^"]+)"|key = "(run_[^"]+|resume_[^"]+)"`).FindAllStringSubmatch(code.String(), -1) {
		if strings.HasSuffix(m[1]+m[2]+m[3], ".") {
			continue
		}
		for _, part := range []string{".title", ".lead", ".submit"} {
			key := m[1] + m[2] + m[3] + part
			if asked[key] = true; en[key] == "" {
				t.Errorf("a deed asks for %q, which is not there", key)
			}
		}
	}
	for _, m := range regexp.MustCompile(`v\.done\([^\n]*, "([^"]+)"\)|code: "([^"]+)"`).FindAllStringSubmatch(code.String(), -1) {
		if key := "done." + m[1] + m[2]; en[key] == "" {
			t.Errorf("a page goes on to %q, which is not there", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if !asked[key] && !strings.Contains(code.String(), `"`+key+`"`) && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

// TestWordsOfTheVocabulary: what comes from the vocabulary has words in every
// language.
func TestWordsOfTheVocabulary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var keys []string
	for _, s := range pipeline.States() {
		keys = append(keys, "state."+string(s))
	}
	for _, c := range pipeline.Channels() {
		keys = append(keys, "channel."+string(c))
	}
	for _, s := range []pipeline.CampaignState{pipeline.Draft, pipeline.Approved, pipeline.Running, pipeline.Paused, pipeline.Withdrawn} {
		keys = append(keys, "campaign."+string(s))
	}
	for _, s := range []pipeline.RunState{pipeline.RunFilling, pipeline.RunCut, pipeline.RunAssembled, pipeline.RunReleased, pipeline.RunDeposited, pipeline.RunVoided, pipeline.RunRecalled} {
		keys = append(keys, "runstate."+string(s))
	}
	for _, s := range []pipeline.State{pipeline.Due, pipeline.Queued, pipeline.InDoubt, pipeline.Accepted, pipeline.Posted} {
		keys = append(keys, "planned."+string(s))
	}
	for _, k := range []pipeline.AttemptKind{pipeline.First, pipeline.Retry, pipeline.Resend, pipeline.Fallback, pipeline.CopyOf} {
		keys = append(keys, "kind."+string(k))
	}
	for flag := range pipeline.DefaultFlagRules() {
		keys = append(keys, "flag."+flag)
	}
	for _, r := range console.Roles() {
		keys = append(keys, "role."+string(r), "role."+string(r)+".is")
	}
	for _, p := range console.Permissions() {
		keys = append(keys, "may."+string(p.Action))
	}
	for _, k := range keys {
		for _, locale := range []string{"en", "fr"} {
			if w.console.Words(locale)[k] == "" {
				t.Errorf("%s is not in %s", k, locale)
			}
		}
	}
}

var (
	highSign  = regexp.MustCompile(`[^\s\x{a0}\x{202f}][ ]*[;!?%»]|« |[^\x{a0}]»|[ ]:`)
	counted   = regexp.MustCompile(`\{0\} (\p{L}+s)\b`)
	verbatims = regexp.MustCompile("`[^`]*`|\\{\\{.*?\\}\\}|\\[[^\\]]*\\]\\([^)]*\\)|[\\w.*#-]+\\?[a-z]")
)

// TestFrenchTypography: no French text has a plain space, or none, before a high sign
// or within quotation marks, and none has an apostrophe of a typewriter.
func TestFrenchTypography(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func(key, text string) {
		text = verbatims.ReplaceAllString(text, "x")
		if m := highSign.FindString(text); m != "" {
			t.Errorf("%s: %q in %q", key, m, text)
		}
		if strings.Contains(text, "'") {
			t.Errorf("%s: an apostrophe in %q", key, text)
		}
	}
	for key, text := range w.console.Words("fr") {
		check(key, text)
	}
	for key, text := range w.console.Plural("fr") {
		check(key+" (one)", text)
	}
	for english, text := range w.console.Sentences("fr") {
		check(english, text)
	}
}

// TestCountsHaveTwoForms: what is counted is said of one, too.
func TestCountsHaveTwoForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// These are limits of ours and shares, and never 1.
	limits := []string{"problem.password_short", "problem.ask_long", "problem.cohort_many", "outlook.assumed"}
	one := w.console.Plural("fr")
	for key, text := range w.console.Words("fr") {
		if counted.MatchString(text) && one[key] == "" && !slices.Contains(limits, key) {
			t.Errorf("%s has no form for one: %q", key, text)
		}
	}
}
