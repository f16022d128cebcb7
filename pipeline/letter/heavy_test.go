package letter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline/letter"
)

// TestHeavyLetters: a text that would keep the program busy for seconds is a fault with
// its line, before anything is rendered.
func TestHeavyLetters(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"brackets": "a\n\n" + strings.Repeat("[", 60_000) + "\n",
		"quotes":   "a\n\n" + strings.Repeat(">", 60_000) + "\n",
		"emphasis": "a\n\n" + strings.Repeat("*a ", 20_000) + "\n",
	} {
		_, err := loadBody(t, body)
		faults, ok := errors.AsType[*letter.LoadError](err)
		if !ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		lines := strings.Split(letterOf(body), "\n")
		f := faults.Faults[0]
		if len(faults.Faults) != 1 || f.Line < 1 || f.Line > len(lines) || len(lines[f.Line-1]) < 50_000 || !strings.Contains(f.Sentence, "take them out") {
			t.Errorf("%s: %+v", name, faults.Faults)
		}
	}
	fsys := files(t)
	fsys["parts.fr.md"].Data = append(fsys["parts.fr.md"].Data, strings.Repeat("[", 60_000)...)
	if _, err := letter.Load(fsys, sampleSpec()); err == nil || !strings.Contains(err.Error(), "parts.fr.md") {
		t.Errorf("%v", err)
	}
}
