package letter

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"

	"github.com/art34/art34/pipeline/kit/markdown"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// maxFile bounds a file of letters.
const maxFile = 64 << 10

// Fault is something wrong with the files of a campaign.
type Fault struct {
	File     string
	Line     int // from 1; 0 if unknown
	Sentence string
}

func (f Fault) String() string {
	if f.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Sentence)
	}
	return f.File + ": " + f.Sentence
}

// LoadError lists every fault of a campaign's letters at once.
type LoadError struct{ Faults []Fault }

func (e *LoadError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// source is one letter file as it was read.
type source struct {
	file  string
	text  string // whole
	front frontMatter
	body  string // with the front matter blanked, so that lines keep their number
}

// frontMatter stands between two lines of --- at the top of a letter.
type frontMatter struct {
	Subject string `yaml:"subject"` // a template too, without values of the customer
	Version int    `yaml:"version"` // of the text; the writer raises it
}

// readText reads a file that must be UTF-8 text without the characters that stand
// for values.
func readText(fsys fs.FS, name string) (string, []Fault) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", []Fault{{File: name, Sentence: "the file is missing"}}
		}
		return "", []Fault{{File: name, Sentence: err.Error()}}
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	if len(b) > maxFile {
		return "", []Fault{{File: name, Sentence: fmt.Sprintf("longer than %d bytes", maxFile)}}
	}
	for i, line := range strings.Split(string(b), "\n") {
		if !utf8.ValidString(line) {
			return "", []Fault{{File: name, Line: i + 1, Sentence: "not UTF-8"}}
		}
		if at := strings.IndexFunc(line, unwanted); at >= 0 {
			r, _ := utf8.DecodeRuneInString(line[at:])
			return "", []Fault{{File: name, Line: i + 1, Sentence: fmt.Sprintf("the invisible character %U: take it out", r)}}
		}
	}
	return string(b), nil
}

// readLetter reads a letter with its front matter.
func readLetter(fsys fs.FS, name string) (*source, []Fault) {
	text, faults := readText(fsys, name)
	if faults != nil {
		return nil, faults
	}
	s := &source{file: name, text: text}
	head, ok := strings.CutPrefix(text, "---\n")
	end := strings.Index(head, "\n---\n")
	if !ok || end < 0 {
		return nil, []Fault{{File: name, Line: 1, Sentence: "a letter starts with a front matter: a line ---, subject and version, a line ---"}}
	}
	// The blank line stands for the first ---, so that errors count lines right.
	if err := strictyaml.Decode(name, []byte("\n"+head[:end+1]), &s.front); err != nil {
		return nil, []Fault{{File: name, Line: 2, Sentence: strings.TrimPrefix(err.Error(), name+": ")}}
	}
	if s.front.Subject == "" {
		return nil, []Fault{{File: name, Line: 2, Sentence: "the front matter has no subject"}}
	}
	body := head[end+len("\n---\n"):]
	if faults := tooHeavy(name, text); faults != nil {
		return nil, faults
	}
	s.body = strings.Repeat("\n", strings.Count(text[:len(text)-len(body)], "\n")) + body
	return s, nil
}

// tooHeavy says where a text has more marks than the parser takes in short time.
func tooHeavy(name, text string) []Fault {
	heavy, ok := errors.AsType[*markdown.HeavyError](markdown.Heavy([]byte(text)))
	if !ok {
		return nil
	}
	return []Fault{{File: name, Line: heavy.Line, Sentence: heavy.Error() + ": no letter needs so many; take them out, or write \\ before those that are text"}}
}

// standalone matches a line that holds actions of control only: it leaves no line
// in the letter. The last group is the end of the last action.
var standalone = regexp.MustCompile(`(?m)^[ \t]*((?:\{\{-?[ \t]*(?:if|else|end|range|with|define|block|template)\b[^{}\n]*\}\}[ \t]*)*\{\{-?[ \t]*(?:if|else|end|range|with|define|block|template)\b[^{}\n]*?)([ \t]*-?\}\})[ \t]*\n`)

// comments matches a line that holds a comment only.
var comments = regexp.MustCompile(`(?m)^[ \t]*(\{\{-?[ \t]*/\*[^{}\n]*?)(\*/[ \t]*-?\}\})[ \t]*\n`)

// settle moves the line break of such a line into its last action, where it means
// nothing: what is printed has no blank line in its place, and errors still count
// lines as the writer does.
func settle(body string) string {
	return comments.ReplaceAllString(standalone.ReplaceAllString(body, "$1\n$2"), "$1\n$2")
}

// sheet is a letter ready to be executed.
type sheet struct {
	*source
	template string // breach, supplement, awareness
	letter   *template.Template
	subject  *template.Template
	uses     map[string]bool // fields that the letter can print or ask for: "Incident.When", "groupView.Data"
	plans    recent[*plan]
}

// allowed gives the parser the names of the functions of text/template; the
// checker then refuses those that are not in Functions.
func allowed() map[string]any {
	m := map[string]any{}
	for _, f := range Functions() {
		m[f] = true
	}
	return m
}

// compile parses and checks a letter with the parts of its locale.
func compile(s *source, kind, partsFile, parts string) (*sheet, []Fault) {
	trees, faults := parseFile(s.file, settle(s.body))
	more, partFaults := parseFile(partsFile, settle(parts))
	if faults = append(faults, partFaults...); len(faults) > 0 {
		return nil, faults
	}
	for name, tree := range more {
		if own, ok := trees[name]; ok && name != s.file {
			_, line := position(own, own.Root)
			faults = append(faults, Fault{File: s.file, Line: line, Sentence: fmt.Sprintf("the part %q is defined in %s as well", name, partsFile)})
			continue
		}
		trees[name] = tree
	}
	delete(trees, partsFile)
	c := &checker{trees: trees, uses: map[string][]string{}, sizes: map[string]int{}}
	c.check(s.file)
	for name := range trees {
		c.check(name) // a part that nothing calls yet is checked as well
	}
	subject, subjectFaults := parseFile(s.file, s.front.Subject)
	faults = append(faults, subjectFaults...)
	sc := &checker{trees: subject, subject: true, uses: map[string][]string{}, sizes: map[string]int{}}
	sc.check(s.file)
	for _, f := range sc.faults {
		f.Line, f.Sentence = 2, "subject: "+f.Sentence
		faults = append(faults, f)
	}
	if faults = append(faults, c.faults...); len(faults) > 0 {
		return nil, faults
	}
	sh := &sheet{source: s, template: kind, letter: assemble(s.file, trees), subject: assemble(s.file, subject), uses: map[string]bool{}, plans: recent[*plan]{room: planBytes}}
	for _, u := range c.uses[s.file] {
		sh.uses[u] = true
	}
	return sh, nil
}

// parseFile parses a file and the parts that it defines.
func parseFile(file, text string) (map[string]*parse.Tree, []Fault) {
	trees, err := parse.Parse(file, text, "", "", allowed())
	if err != nil {
		location, sentence, _ := strings.Cut(strings.TrimPrefix(err.Error(), "template: "), ": ")
		name, line := splitLocation(location)
		if name != file {
			return nil, []Fault{{File: file, Sentence: err.Error()}}
		}
		return nil, []Fault{{File: file, Line: line, Sentence: sentence}}
	}
	if trees[file] == nil {
		trees[file] = &parse.Tree{Name: file, ParseName: file, Root: &parse.ListNode{NodeType: parse.NodeList}}
	}
	return trees, nil
}

// assemble makes one executable template of checked trees.
func assemble(name string, trees map[string]*parse.Tree) *template.Template {
	t := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		escapeFunc: func(s string) Markdown { return Markdown(markdown.Escape(s)) },
	})
	for n, tree := range trees {
		template.Must(t.AddParseTree(n, tree)) // fails on a name that is empty only
	}
	return t.Lookup(name)
}

// splitLocation reads "breach.fr.md:12:3" and "breach.fr.md:12".
func splitLocation(s string) (file string, line int) {
	file, rest, _ := strings.Cut(s, ":")
	number, _, _ := strings.Cut(rest, ":")
	line, _ = strconv.Atoi(number)
	return file, line
}
