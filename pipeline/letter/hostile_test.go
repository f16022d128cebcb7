package letter_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/templates"
)

// shape is the structure of blocks without their text.
func shape(list []pipeline.Block) string {
	var b strings.Builder
	for _, x := range list {
		fmt.Fprintf(&b, "%s%d%v(", x.Kind, x.Level, x.Ordered)
		for _, s := range x.Spans {
			fmt.Fprintf(&b, "%v%v%q ", s.Strong, s.Em, s.Link)
		}
		for _, item := range x.Items {
			b.WriteString("[" + shape(item) + "]")
		}
		for _, row := range x.Rows {
			fmt.Fprintf(&b, "|%d", len(row))
		}
		b.WriteString(")")
	}
	return b.String()
}

// hostileValues try to be something else than text.
func hostileValues() []string {
	return []string{
		"*O'Neil* <b>", "{{.X}}", "{{range .Groups}}", "](http://evil.test)", "[a](https://evil.test)", "![a](b)", "# a", "## a\n## b", "- a", "1. a", "> a", "---", "```", "|a|b|", `\`, `\\`, "a\r\n\r\nBcc: b",
		"&lt;script&gt;", "<script>alert(1)</script>", "\u202ea\u2066", "\U000F0000", "\U000F0001\U000F0002", "\xf3\xb0", "\xf3\xb0\x80\x80", "\ue000", "{name}", "{person} {title}", "__a__", "'\"><img src=x>", "javascript:alert(1)", strings.Repeat("long ", 60), strings.Repeat("x", 300), "\n", " ",
	}
}

// withValues sets every value of a customer that a letter prints.
func withValues(r letter.Request, s string) letter.Request {
	r.Person.FirstName, r.Person.LastName = "A"+s, s+"Z"
	r.Person.Contracts = []pipeline.Contract{
		{ID: "1" + s + "2", Label: "L" + s, Data: []pipeline.Exposure{{Kind: "contact"}}},
		{ID: "3" + s, Label: s + "M", Data: []pipeline.Exposure{{Kind: "identity"}, {Kind: "household"}}},
	}
	return r
}

// checkValue compares a letter with hostile values against one with harmless ones.
func checkValue(t *testing.T, set *letter.Set, s string) {
	t.Helper()
	for _, change := range []func(*letter.Request){
		func(*letter.Request) {},
		func(r *letter.Request) { r.Person.Representative = "R" + s },
		func(r *letter.Request) { r.Person.Company = "C" + s },
		func(r *letter.Request) { r.Notice.Locale, r.Person.Title = "en", s },
	} {
		harmless, hostile := sampleRequest("fr"), withValues(sampleRequest("fr"), s)
		harmless = withValues(harmless, "b")
		change(&harmless)
		change(&hostile)
		if hostile.Person.Representative != "" {
			harmless.Person.Representative = "Rb"
		}
		if hostile.Person.Company != "" {
			harmless.Person.Company = "Cb"
		}
		if harmless.Notice.Locale == "en" {
			harmless.Person.Title = hostile.Person.Title
		}
		want, got := render(t, set, harmless), render(t, set, hostile)
		if a, b := shape(want.Blocks), shape(got.Blocks); a != b {
			t.Fatalf("%q makes structure:\n%s\nwant\n%s", s, b, a)
		}
		if want.Subject != got.Subject {
			t.Fatalf("%q gets into the subject: %q", s, got.Subject)
		}
		page, text := string(letter.HTML(got)), string(letter.Text(got))
		if tags(string(letter.HTML(want))) != tags(page) {
			t.Fatalf("%q makes HTML", s)
		}
		for _, out := range []string{page, text, got.Recipient} {
			if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return r >= 0xE0000 || r >= 0x202A && r <= 0x202E || r == '\r' || r == 0 }) {
				t.Fatalf("%q brings characters that have no place in a letter", s)
			}
		}
		if strings.ContainsFunc(got.Recipient, unicode.IsControl) {
			t.Fatalf("%q brings controls into a header", s)
		}
	}
}

// tags lists the tags of a page without what keeps numbers together.
func tags(page string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(page, '<')
		if i < 0 {
			return b.String()
		}
		page = page[i:]
		end := strings.IndexByte(page, '>')
		if tag := page[:end+1]; !strings.Contains(tag, "span") {
			b.WriteString(tag)
		}
		page = page[end+1:]
	}
}

func TestHostileValuesStayText(t *testing.T) {
	t.Parallel()
	set := load(t, sampleSpec())
	for _, s := range hostileValues() {
		checkValue(t, set, s)
	}
}

func FuzzValues(f *testing.F) {
	for _, s := range hostileValues() {
		f.Add(s)
	}
	set := load(f, sampleSpec())
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 10000 {
			t.Skip("longer than any field of a directory")
		}
		checkValue(t, set, s)
	})
}

// files is a copy of the shipped letters that a test may change.
func files(t testing.TB) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	all, err := os.ReadDir("../../templates/letters")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		b, err := os.ReadFile("../../templates/letters/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = &fstest.MapFile{Data: b}
	}
	return out
}

// edit replaces text in a file; what it replaces must be there.
func edit(t testing.TB, fsys fstest.MapFS, name, old, with string) {
	t.Helper()
	f, ok := fsys[name]
	if !ok || !strings.Contains(string(f.Data), old) {
		t.Fatalf("%s does not hold %q", name, old)
	}
	fsys[name] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(string(f.Data), old, with))}
}

// letterOf is the text of a letter with that body, on line 5 of the file.
func letterOf(body string) string {
	return "---\nsubject: \"{{.Sender.DisplayName}}: letter\"\nversion: 1\n---\n" + body
}

// loadBody loads the shipped letters with another body of breach.fr.md.
func loadBody(t testing.TB, body string) (*letter.Set, error) {
	t.Helper()
	fsys := files(t)
	fsys["breach.fr.md"] = &fstest.MapFile{Data: []byte(letterOf(body))}
	return letter.Load(fsys, sampleSpec())
}

// TestHostileLetters: a file of letters may say what the reference allows and
// nothing else. Each refusal names file and line.
func TestHostileLetters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"unknown field":          {"a\n{{.Customer.Password}}", "breach.fr.md:6: .Customer.Password: there is no field Password"},
		"unknown field in range": {"{{range .Groups}}\n{{.Label}}\n{{end}}", "breach.fr.md:6: .Label: there is no field Label"},
		"field of a text":        {"{{.Sender.Phone.Number}}", "breach.fr.md:5: .Sender.Phone.Number: a text has no field Number"},
		"unknown variable":       {"{{$x}}", `breach.fr.md:5: undefined variable "$x"`},
		"unknown function":       {"\n\n{{env \"HOME\"}}", `breach.fr.md:7: function "env" not defined`},
		"printf":                 {`{{printf "%s" .Date}}`, "breach.fr.md:5: function \"printf\" not defined"},
		"call":                   {"{{call .Date}}", "function \"call\" not defined"},
		"html":                   {"{{.Customer.Name | html}}", "function \"html\" not defined"},
		"index":                  {"{{index .Own 0}}", "function \"index\" not defined"},
		"our own escaper":        {`{{_escape "a"}}`, `function "_escape" not defined`},
		"method":                 {"{{.String}}", "no field String"},
		"value as argument":      {"{{if eq .Customer.Name .Date}}a{{end}}", "eq compares a value with a value"},
		"range over a number":    {"{{range 1000000000}}a{{end}}", "it is a number, not a list"},
		"range over a text":      {"{{range .Date}}a{{end}}", "it is a value, not a list"},
		"range in a range":       {"{{range .Own}}{{range $.Own}}a{{end}}{{end}}", "only a list of its own element"},
		"range by a variable":    {"{{range $g := .Groups}}{{range $g.Data}}a{{end}}{{end}}", "only a list of its own element"},
		"range by with":          {"{{range .Own}}{{with $}}{{range .Own}}a{{end}}{{end}}{{end}}", "only a list of its own element"},
		"part in a range":        {"{{range .Own}}{{template \"contact\" $}}{{end}}", "is called within a range"},
		"part that is not there": {"{{template \"nothing\" .}}", `there is no part "nothing"`},
		"part without fields":    {"{{template \"contact\"}}", "a part is called with all fields"},
		"part with a piece":      {"{{template \"contact\" .Sender}}", "a part is called with all fields"},
		"recursion":              {"{{define \"a\"}}{{template \"b\" .}}{{end}}{{define \"b\"}}{{template \"a\" .}}{{end}}{{template \"a\" .}}", "calls itself"},
		"self":                   {"{{template \"breach.fr.md\" .}}", "calls itself"},
		"doubling":               {doubling(40), "has more than 20000 parts"},
		"part of another file":   {"{{define \"contact\"}}a{{end}}", `the part "contact" is defined in parts.fr.md as well`},
		"unused part":            {"{{define \"mine\"}}{{.Nothing}}{{end}}a", "breach.fr.md:5: .Nothing: there is no field"},
		"group of fields":        {"{{.Sender}}", "is a group of fields and cannot be printed"},
		"list":                   {"{{.Own}}", "is a list and cannot be printed"},
		"yes or no":              {"{{.Household}}", "is a yes/no and cannot be printed"},
		"assignment":             {"{{$a := .Date}}{{$a = .Date}}", "a variable is declared once"},
		"break":                  {"{{range .Own}}{{break}}{{end}}", "{{break}} is not allowed"},
		"unclosed":               {"a\n{{if .Own}}", "breach.fr.md:6: unexpected EOF"},
		"nil":                    {"{{if nil}}{{end}}", "nil is not allowed"},
		"invisible character":    {"a\nb\u202ec", "breach.fr.md:6: the invisible character U+202E"},
		"stand-in":               {"\U000F0000", "breach.fr.md:5: the invisible character U+F0000"},
		"too long":               {strings.Repeat("a", 70000), "longer than 65536 bytes"},
		"not UTF-8":              {"\xff", "breach.fr.md:5: not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadBody(t, c.body)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "breach.fr.md") {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
}

// doubling is a letter that would print 2 to the power of n lines.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{{define \"p0\"}}a{{end}}")
	for i := range n {
		fmt.Fprintf(&b, "{{define \"p%d\"}}{{template \"p%d\" .}}{{template \"p%d\" .}}{{end}}", i+1, i, i)
	}
	fmt.Fprintf(&b, "{{template \"p%d\" .}}", n)
	return b.String()
}

// TestHostileMarkdown: what a letter of the campaign may hold and what becomes of
// the rest.
func TestHostileMarkdown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"html":             {"<script>alert(1)</script>", "<script>alert(1)</script>"},
		"code":             {"`a`\n\n    b", "`a`\n\nb"},
		"forbidden link":   {"[https://evil.test](https://evil.test)", "https://evil.test"},
		"link with value":  {"[https://www.example.fr/{{.Reference}}](https://www.example.fr/{{.Reference}})", "https://www.example.fr/00Z5-RYMR-PVA7"},
		"heading 1":        {"# a\n", "a\n-"},
		"plain constant":   {`{{"*a* | b"}}`, "*a* | b"},
		"constant by pipe": {`{{"a*b*"}} {{len .Own}}`, "a*b* 2"},
		"loop":             {"{{range $i, $o := .Own}}{{if $i}}, {{end}}{{$o.Name}}{{end}}", "Identité, Foyer"},
		"conditions":       {"{{if and .Household (not .ByPost) (gt (len .Groups) 1)}}yes{{else}}no{{end}}", "yes"},
		"table":            {"| a | b |\n|-|-|\n{{range .Own}}\n| {{.Name}} | {{.Fields}} |\n{{end}}\n", "a\u00a0: Identité\nb\u00a0: civilité, nom et prénom\n\na\u00a0: Foyer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := loadBody(t, c.body)
			if err != nil {
				t.Fatal(err)
			}
			l := render(t, set, sampleRequest("fr"))
			if text := string(letter.Text(l)); !strings.Contains(text, "\n"+c.want) {
				t.Errorf("%q\nwant %q", text, c.want)
			}
			if page := string(letter.HTML(l)); strings.Contains(page, "<script") || strings.Contains(page, "<a ") {
				t.Error("it makes HTML")
			}
		})
	}
}

func TestAllowedLinks(t *testing.T) {
	t.Parallel()
	fsys := files(t)
	fsys["breach.fr.md"] = &fstest.MapFile{Data: []byte(letterOf("[https://www.example.fr/aide](https://www.example.fr/aide)"))}
	spec := sampleSpec()
	spec.Letters.AllowLinks = []string{"www.example.fr"}
	set, err := letter.Load(fsys, spec)
	if err != nil {
		t.Fatal(err)
	}
	l := render(t, set, sampleRequest("fr"))
	want := []pipeline.Span{{Text: "https://www.example.fr/aide", Link: "https://www.example.fr/aide"}}
	if !reflect.DeepEqual(l.Blocks[0].Spans, want) {
		t.Errorf("%+v", l.Blocks[0].Spans)
	}
	if !strings.Contains(string(letter.HTML(l)), `<a href="https://www.example.fr/aide"`) {
		t.Error("no link in the page")
	}
	for _, f := range set.Lint() {
		if f.Code == "L22" {
			t.Errorf("%+v", f)
		}
	}
}

// TestLoadReportsEveryFault: all faults at once, in order, with their places.
func TestLoadReportsEveryFault(t *testing.T) {
	t.Parallel()
	fsys := files(t)
	edit(t, fsys, "parts.fr.md", "{{.Customer.Salutation}}", "{{.Customer.Salutaton}}")
	edit(t, fsys, "breach.en.md", "subject: \"", "subject: \"{{.Customer.Name}} ")
	edit(t, fsys, "supplement.en.md", "version: 1", "version: 1\nauthor: me")
	edit(t, fsys, "locale.fr.yaml", "contract: Contrat", "contract: \"\"")
	delete(fsys, "supplement.fr.md")
	_, err := letter.Load(fsys, sampleSpec())
	if err == nil {
		t.Fatal("loaded")
	}
	for _, want := range []string{"breach.en.md:2: subject: .Customer.Name is a value of the customer", "supplement.en.md:2: ", `unknown field "author"`, "locale.fr.yaml: contract is missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	edit(t, fsys, "locale.fr.yaml", "contract: \"\"", "contract: Contrat")
	if _, err = letter.Load(fsys, sampleSpec()); err == nil {
		t.Fatal("loaded")
	}
	for _, want := range []string{"supplement.fr.md: the file is missing", "parts.fr.md:8: .Customer.Salutaton: there is no field Salutaton; there are Name, Salutation,"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

// TestNewLocale adds a language by adding files.
func TestNewLocale(t *testing.T) {
	t.Parallel()
	fsys := files(t)
	for _, name := range []string{"breach", "supplement", "parts"} {
		fsys[name+".de.md"] = fsys[name+".en.md"]
	}
	fsys["locale.de.yaml"] = fsys["locale.en.yaml"]
	edit(t, fsys, "locale.de.yaml", "Dear {title}", "Guten Tag {title}")
	spec := sampleSpec()
	spec.Letters.Locales = append(spec.Letters.Locales, "de")
	spec.Incident.Facts["de"] = "Was geschah."
	fsys["catalogue.de.yaml"] = &fstest.MapFile{Data: []byte("kinds:\n  - code: contact\n    name: {de: Kontakt}\n    fields: {de: Anschrift}\n    consequence: {de: Betrug}\n    advice: {de: [Vorsicht]}\n")}
	set, err := letter.Load(fsys, spec)
	if err != nil {
		t.Fatal(err)
	}
	r := sampleRequest("de-AT")
	r.Person.Own = nil
	r.Person.Contracts = r.Person.Contracts[:1]
	if _, err := set.Render(r); pipeline.ErrorCode(err) != "data-kind-unknown" {
		t.Errorf("a kind that German has no words for: %v", err)
	}
	r.Person.Contracts = []pipeline.Contract{{ID: "1", Label: "A", Data: []pipeline.Exposure{{Kind: "contact"}}}}
	l := render(t, set, r)
	if text := string(letter.Text(l)); l.Locale != "de" || !strings.Contains(text, "Guten Tag Ms Claire O'Neil,") || !strings.Contains(text, "Kontakt: Anschrift.") {
		t.Error(text)
	}
}

// TestShippedFilesAreAll: what a new campaign gets is what this package reads.
func TestShippedFilesAreAll(t *testing.T) {
	t.Parallel()
	if _, err := letter.Load(templates.Letters(), sampleSpec()); err != nil {
		t.Error(err)
	}
	spec := sampleSpec()
	spec.Letters.Template = "awareness"
	if _, err := letter.Load(templates.Letters(), spec); err != nil {
		t.Error(err)
	}
}
