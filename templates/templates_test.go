package templates_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/art34/art34/templates"
)

// TestEveryLocaleHasEveryFile: what one language has, the others have.
func TestEveryLocaleHasEveryFile(t *testing.T) {
	t.Parallel()
	entries, err := fs.ReadDir(templates.Letters(), ".")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string][]string{} // file without its locale → locales
	for _, e := range entries {
		name := e.Name()
		if name == "catalogue.yaml" {
			continue
		}
		parts := strings.Split(name, ".")
		if len(parts) != 3 {
			t.Errorf("%s: a file is named kind.locale.ext", name)
			continue
		}
		kinds[parts[0]] = append(kinds[parts[0]], parts[1])
	}
	for _, kind := range []string{"breach", "supplement", "awareness", "parts", "locale"} {
		if !slices.Equal(kinds[kind], []string{"en", "fr"}) {
			t.Errorf("%s is there in %v", kind, kinds[kind])
		}
	}
	if len(kinds) != 5 {
		t.Errorf("files that nobody reads: %v", kinds)
	}
}

// TestNoStraightApostrophes: letters are typeset by whoever writes them; only the
// plain texts of the catalogue are typeset by the program.
func TestNoStraightApostrophes(t *testing.T) {
	t.Parallel()
	within := regexp.MustCompile(`\pL'\pL`)
	action := regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	for _, name := range []string{"breach.fr.md", "supplement.fr.md", "awareness.fr.md", "parts.fr.md", "breach.en.md", "supplement.en.md", "awareness.en.md", "parts.en.md"} {
		b, err := fs.ReadFile(templates.Letters(), name)
		if err != nil {
			t.Fatal(err)
		}
		if found := within.FindString(action.ReplaceAllString(string(b), "")); found != "" {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// TestStartingQuestions: every language has the same questions for the same people,
// and none has a straight apostrophe within a word.
func TestStartingQuestions(t *testing.T) {
	t.Parallel()
	within := regexp.MustCompile(`\pL'\pL`)
	head := regexp.MustCompile(`(?m)^(topic|for): .*$`)
	heads := map[string][]string{}
	for _, locale := range []string{"fr", "en"} {
		b, err := fs.ReadFile(templates.QA(), "breach."+locale+".md")
		if err != nil {
			t.Fatal(err)
		}
		heads[locale] = head.FindAllString(string(b), -1)
		if found := within.FindString(string(b)); found != "" {
			t.Errorf("%s: %q", locale, found)
		}
	}
	if !slices.Equal(heads["fr"], heads["en"]) || len(heads["fr"]) < 60 {
		t.Errorf("%d lines in French, %d in English, or others", len(heads["fr"]), len(heads["en"]))
	}
}
