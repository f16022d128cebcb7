package console

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// This file says in the language of the page what the rest of the program says in
// English: why a row was not taken, what a check found, why something was refused. As
// with gettext the English sentence is the key, and {0}, {1} stand for the figures
// and names in it; sentences/fr.yaml has them. A test reads the sources and fails for
// each sentence that is not there.

// sentence is one that has figures or names in it.
type sentence struct {
	form    *regexp.Regexp
	slots   []string // the placeholder of each group
	text    string
	literal int // how much of it is fixed
}

// sentences are those of one language, from English.
type sentences struct {
	whole map[string]string // without placeholders
	forms []sentence        // the most definite first

	open, close string // quotation marks
}

var slot = regexp.MustCompile(`\{\d\}`)

// readSentences reads sentences/LOCALE.yaml.
func readSentences(files fs.FS, all map[string]*words) error {
	for _, locale := range slices.Sorted(maps.Keys(all)) {
		w := all[locale]
		w.sentences = &sentences{whole: map[string]string{}, open: "“", close: "”"}
		if locale == "fr" {
			w.sentences.open, w.sentences.close = "«\u00a0", "\u00a0»"
		}
		name := path.Join("sentences", locale+".yaml")
		data, err := fs.ReadFile(files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // English needs hardly any
		}
		var raw map[string]string
		if err == nil {
			err = strictyaml.Decode(name, data, &raw)
		}
		if err != nil {
			return err
		}
		for key, text := range raw {
			if err := w.sentences.add(key, w.typeset(text)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		slices.SortFunc(w.sentences.forms, func(a, b sentence) int {
			return cmp.Or(cmp.Compare(b.literal, a.literal), cmp.Compare(a.form.String(), b.form.String()))
		})
	}
	return nil
}

func (s *sentences) add(key, text string) error {
	slots := slot.FindAllString(key, -1)
	for _, at := range slot.FindAllString(text, -1) {
		if !slices.Contains(slots, at) {
			return fmt.Errorf("%q: %s is not in it", key, at)
		}
	}
	if len(slots) == 0 {
		s.whole[key] = text
		return nil
	}
	var form strings.Builder
	form.WriteString(`^`)
	literal := 0
	for i, part := range slot.Split(key, -1) {
		if i > 0 {
			form.WriteString(`(.+?)`)
		}
		form.WriteString(regexp.QuoteMeta(part))
		literal += len(part)
	}
	form.WriteString(`$`)
	re, err := regexp.Compile(form.String())
	s.forms = append(s.forms, sentence{re, slots, text, literal})
	return err
}

// longestSentence bounds what is looked up; longer ones are shown as they are.
const longestSentence = 2000

// tell says a sentence of the program, or a part of one, in the language of the page.
// What it does not know it leaves as it is.
func (s *sentences) tell(english string, depth int) string {
	if text, ok := s.whole[english]; ok {
		return text
	}
	if depth == 0 || len(english) > longestSentence {
		return english
	}
	for _, f := range s.forms {
		found := f.form.FindStringSubmatch(english)
		if found == nil {
			continue
		}
		text := f.text
		values := make([]string, 0, 2*len(f.slots))
		for i, at := range f.slots {
			values = append(values, at, s.quoted(s.tell(found[i+1], depth-1)))
		}
		return strings.NewReplacer(values...).Replace(text)
	}
	return english
}

// quoted gives a value that is in quotation marks those of the language.
func (s *sentences) quoted(value string) string {
	if n := len(value); n > 2 && value[0] == '"' && value[n-1] == '"' {
		return s.open + value[1:n-1] + s.close
	}
	return value
}

// depthOfSentences is how many sentences stand within each other: an error, its
// cause, what the cause names.
const depthOfSentences = 4

// tell says a sentence of the program as the beginning of one, line by line.
func (w *words) tell(english string) string {
	var b strings.Builder
	for i, line := range strings.Split(english, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		rest := strings.TrimLeft(line, " -")
		b.WriteString(line[:len(line)-len(rest)])
		b.WriteString(begin(w.sentences.tell(rest, depthOfSentences)))
	}
	return b.String()
}

// pronouns stand behind a French verb that begins a sentence: exportez-le.
var pronouns = []string{"la", "le", "les", "y", "vous"}

// begin lets a sentence begin with a capital, unless its first word is a name.
func begin(s string) string {
	first, _, _ := strings.Cut(s, " ")
	verb, pronoun, _ := strings.Cut(first, "-")
	if slices.Contains(pronouns, pronoun) {
		first = verb
	}
	if strings.ContainsAny(first, "._-*/0123456789@:") {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// stop ends a sentence.
func stop(s string) string {
	if s == "" || strings.HasSuffix(s, ".") || strings.ContainsRune("!?…:»", lastRune(s)) {
		return s
	}
	return s + "."
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

func (w *words) colon() string {
	if w.locale == "fr" {
		return "\u00a0: "
	}
	return ": "
}

func (w *words) semicolon() string {
	if w.locale == "fr" {
		return "\u202f; "
	}
	return "; "
}

// excerpt matches the lines of a file that a parser shows beside its complaint: the
// page says the line and the column.
var excerpt = regexp.MustCompile(`\n>? *\d+ \|[^\n]*|\n +\^[^\n]*`)

// fault is an error in the language of the page: in words for its code where there
// are any, else its sentence, cause and hint.
func (w *words) fault(e *pipeline.Error) string {
	for _, prefix := range []string{"account.", "refused."} {
		if key := prefix + e.Code; w.has(key) {
			s, _ := w.say(key)
			return s
		}
	}
	s := w.tell(strings.TrimSpace(excerpt.ReplaceAllString(e.Sentence, "")))
	if e.Cause != nil && !errors.Is(e.Cause, pipeline.ErrConflict) && !errors.Is(e.Cause, pipeline.ErrStale) && !errors.Is(e.Cause, pipeline.ErrNotFound) {
		var causes []string
		for line := range strings.SplitSeq(strings.TrimSpace(e.Cause.Error()), "\n") {
			causes = append(causes, w.sentences.tell(strings.TrimLeft(line, " -"), depthOfSentences))
		}
		s += w.colon() + strings.Join(causes, w.semicolon())
	}
	if e.Hint != "" {
		s = stop(s) + " " + w.tell(e.Hint)
	}
	return stop(s)
}

// faultOf is fault for what ended a job. What is no fault that people can mend is in
// the log of the program.
func (w *words) faultOf(err error) (string, error) {
	if own, ok := errors.AsType[*pipeline.Error](err); ok {
		return w.fault(own), nil
	}
	return w.say("job.failed")
}
