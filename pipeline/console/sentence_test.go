package console_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// any stands in a sentence for what is known only when it is said.
const anything = "§"

// said are the sentences of a source file: of errors, findings, faults and notes.
type said struct {
	t    *testing.T
	file string
	set  *token.FileSet
	say  func(at token.Position, sentence string)
}

// verb matches a verb of fmt.
var verb = regexp.MustCompile(`%(\[\d+\])?[-+# 0]*\d*(\.\d+)?[a-zA-Z]`)

// text is a string as it stands in the source.
func (s said) text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		return s.text(e.X) + s.text(e.Y)
	case *ast.ParenExpr:
		return s.text(e.X)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return s.format(e.Args[0])
		}
	}
	return anything
}

func (s said) format(e ast.Expr) string {
	return strings.ReplaceAll(verb.ReplaceAllString(s.text(e), anything), "%%", "%")
}

// spoken are the functions that make a sentence of their arguments: which of them,
// and whether they are a format.
var spoken = map[string]struct {
	args   []int
	format bool
}{
	"refuse": {[]int{1, 2}, false}, "decline": {[]int{1, 2}, false}, "fault": {[]int{1, 2}, true}, "wrongUse": {[]int{0, 1}, false}, "fileError": {[]int{2, 3}, false},
	"listError": {[]int{0, 1}, false}, "note": {[]int{0}, false}, "failed": {[]int{1}, true}, "missing": {[]int{0}, true}, "holds": {[]int{2}, false}, "value": {[]int{2}, false},
	"runState": {[]int{1, 2}, false}, "wrong": {[]int{0}, false},
}

// subject is what stands before the sentence that such a function is given.
var subject = map[string]string{"runState": "print run R000001 ", "state": "campaign a "}

func (s said) read() {
	s.set = token.NewFileSet()
	tree, err := parser.ParseFile(s.set, s.file, nil, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			s.literal(n)
		case *ast.CallExpr:
			s.call(n)
		}
		return true
	})
}

// literal: pipeline.Error{Sentence: …}, and the tables of rules.
func (s said) literal(n *ast.CompositeLit) {
	var plain []string
	for _, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok && (key.Name == "Sentence" || key.Name == "Hint") {
				s.say(s.set.Position(kv.Pos()), s.text(kv.Value))
			}
			continue
		}
		plain = append(plain, s.text(e))
	}
	row := func(at ...int) {
		for _, i := range at {
			s.say(s.set.Position(n.Pos()), plain[i])
		}
	}
	switch base := filepath.Base(s.file); {
	case base == "code.go" && len(plain) == 3 && strings.Contains(s.file, "intake"):
		row(2)
	case base == "lint.go" && len(plain) == 5:
		row(3, 4)
	case base == "lint_text.go" && len(plain) == 4:
		row(2, 3)
	}
}

func (s said) call(n *ast.CallExpr) {
	name := ""
	switch f := n.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	x, ok := spoken[name]
	switch {
	case name == "add" && strings.HasPrefix(filepath.Base(s.file), "lint") && len(n.Args) == 6:
		x.args, ok = []int{4, 5}, true
	case name == "fault" && filepath.Base(s.file) == "validate.go":
		x.args = []int{0}
	case name == "state" && len(n.Args) == 3:
		x.args, ok = []int{1, 2}, true
	}
	if !ok {
		return
	}
	for i, at := range x.args {
		if at >= len(n.Args) {
			continue
		}
		text := s.text(n.Args[at])
		if x.format {
			text = s.format(n.Args[at])
		}
		if i == 0 {
			text = subject[name] + text
		}
		s.say(s.set.Position(n.Pos()), text)
	}
}

// forPages are the sources whose sentences a page may show. Those of one file are not
// all for pages: what names an option of the command line is said there only.
var forPages = []string{
	"intake/*.go", "letter/*.go", "postal/*.go", "postal/returned/*.go", "dispatch/*.go", "validate.go",
	"../cmd/art34/approve.go", "../cmd/art34/check.go", "../cmd/art34/checker.go", "../cmd/art34/console_desk.go", "../cmd/art34/console_floor.go", "../cmd/art34/console_writing.go",
	"../cmd/art34/folder.go", "../cmd/art34/import.go", "../cmd/art34/returned_desk.go", "../cmd/art34/edition.go", "../cmd/art34/control.go", "../cmd/art34/new.go",
}

// atTheTerminal are files of these whose sentences are about what only the command
// line takes: acknowledgements as a file, envelope profiles, scanners.
var atTheTerminal = []string{"postal/ack", "postal/manifest", "postal/profile", "postal/code.go", "intake/proof.go"}

// joined are sentences whose other half is one of these too.
var joined = []string{"campaign § §", "print run § §", "§ has §", "§ is §", "check has §"}

var fromTerminal = regexp.MustCompile(`(^|[ (])--?[a-z]|^art34 |: art34 `)

// TestEverySentenceHasFrench: whatever intake rejects, a check finds, a line of
// returned mail is refused for, and an operation says no with is French on a French
// page.
func TestEverySentenceHasFrench(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := 0
	for _, glob := range forPages {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(glob)))
		w.must(err)
		if len(files) == 0 {
			t.Errorf("there is no %s", glob)
		}
		for _, file := range files {
			name := filepath.ToSlash(file)
			if strings.HasSuffix(name, "_test.go") || slices.ContainsFunc(atTheTerminal, func(part string) bool { return strings.Contains(name, part) }) {
				continue
			}
			said{t: t, file: file, say: func(at token.Position, text string) {
				n++
				// What is nearly all variable is a sentence that is made elsewhere.
				if strings.Trim(text, anything+" :;\x00") == "" || slices.Contains(joined, text) || strings.Contains(name, "cmd/") && fromTerminal.MatchString(text) {
					return
				}
				if !w.console.Known("fr", text, anything) {
					t.Errorf("%s:%d: not in French: %q", name, at.Line, text)
				}
			}}.read()
		}
	}
	if n < 400 {
		t.Errorf("the sources have %d sentences: the test does not read them", n)
	}
}

// TestSentencesAreSaid: figures and names come through, a sentence stands within
// another, and what nobody knows is left as it is.
func TestSentencesAreSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for english, want := range map[string]string{
		"the row has fewer cells than the header":                                                     "La ligne a moins de cellules que l’en-tête",
		"impact.csv: is damaged or cut off":                                                           "impact.csv\u00a0: est abîmé ou tronqué",
		"incident.facts.fr: a price: \"10 €\"":                                                        "incident.facts.fr\u00a0: un prix\u00a0: «\u00a010 €\u00a0»",
		"acknowledgement of R000001: 1 letter is missing: 17 (7KQ2)":                                  "Dépôt de R000001\u00a0: il manque 1 lettre\u00a0: 17 (7KQ2)",
		"acknowledgement of R000003: run R000003 has 24 letters, but 24 are deposited and 1 rejected": "Dépôt de R000003\u00a0: le tirage R000003 compte 24 lettres, mais on en annonce 24 déposées et 1 gâchées",
		"empty.csv: is empty":                                                                         "empty.csv est vide",
		"export it again; art34 sample writes an example of each list":                                "Exportez-le de nouveau\u202f; art34 sample écrit un exemple de chaque liste",
		"campaign.yaml: line 1 is no key with its value; is it the right file?":                       "campaign.yaml\u00a0: la ligne 1 n’est pas une clé avec sa valeur\u202f; est-ce le bon fichier\u202f?",
		"print run R000001 was released":                                                              "Le tirage R000001 est livré",
		`campaign.yaml: [3:5] unknown field "colour"`:                                                 "campaign.yaml, ligne 3, colonne 5\u00a0: clé inconnue «\u00a0colour\u00a0»",
		"nobody has ever said this":                                                                   "Nobody has ever said this",
		"the letter does not greet the customer\n  - the file is missing":                             "La lettre ne salue pas le client\n  - Le fichier manque",
		"file {0} §: <script>alert(1)</script>":                                                       "File {0} §\u00a0: <script>alert(1)</script>",
	} {
		if got := w.console.Tell("fr", english); got != want {
			t.Errorf("%q: %q, not %q", english, got, want)
		}
	}
	if got, want := w.console.Tell("en", `campaign.yaml: [3:5] unknown field "colour"`), `campaign.yaml, line 3, column 5: unknown field "colour"`; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	long := strings.Repeat("a: ", 100_000)
	if got := w.console.Tell("fr", long); !strings.EqualFold(got, long) {
		t.Error("a sentence without end was changed")
	}
}
