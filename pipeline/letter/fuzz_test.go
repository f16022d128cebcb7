package letter

import (
	"io/fs"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/templates"
)

// fuzzSet is a small campaign in one language.
func fuzzSet(t testing.TB) *Set {
	t.Helper()
	day := pipeline.Date{Time: time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)}
	set, err := Load(templates.Letters(), &pipeline.Spec{
		Incident: pipeline.Incident{HappenedFrom: day, Discovered: day, Facts: pipeline.Texts{"fr": "Un *vol*.\n\n# Deux"}, Measures: pipeline.TextLists{"fr": {"1. Une", "- deux"}}},
		Senders:  map[string]pipeline.Sender{"main": {DisplayName: "Télécom Exemple", Phone: "01 99 00 00 00"}}, SenderOf: map[string]string{"*": "main"},
		Letters: pipeline.Letters{Template: "breach", Locales: []string{"fr"}, FallbackLocale: "fr"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// FuzzTemplate: no letter file makes the program panic, run for ever or print what
// it may not, whatever a writer types.
func FuzzTemplate(f *testing.F) {
	for _, name := range []string{"breach.fr.md", "parts.fr.md", "awareness.en.md"} {
		shipped, err := fs.ReadFile(templates.Letters(), name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(shipped))
	}
	for _, s := range []string{
		"*a* <b>", "](http://evil.test)", "{{range .Groups}}\n{{range .Data}}\n- {{.Name}}\n{{end}}\n{{end}}", "{{with .Own}}{{len .}}{{end}}", "{{$a := len .Own}}{{$a}}", "{{if .Own}}\n- a\n{{else if .Groups}}\n> b\n{{end}}",
		"{{- /* a */ -}}", "{{\"*a*\"}}", "|a|b|\n|-|-|\n{{range .Own}}\n|{{.Name}}|{{.Fields}}|\n{{end}}", "{{define \"a\"}}b{{end}}{{template \"a\" .}}", "{{range $i, $x := .Own}}{{if gt $i 0}}, {{end}}{{$x.Name}}{{end}}", "{{block \"c\" .}}{{.Date}}{{end}}",
		"[{{.Reference}}]({{.Reference}})", "# {{.Customer.Name}}", "{{with $x := .Incident}}{{$x.Facts}}{{end}}", "{{and .Own .Date | not}}", "{{(len .Own)}}", "{{range .Own}}{{else}}{{end}}", "{{.Customer.Name}}**{{.Date}}**\\\n{{.Reference}}",
	} {
		f.Add(s)
	}
	set := fuzzSet(f)
	v := set.voices["fr"]
	r := Request{Person: pipeline.Person{FirstName: "*A*", LastName: "<b>", Reference: pipeline.NewReference(1), Own: []pipeline.Exposure{{Kind: "identity"}, {Kind: "household"}},
		Contracts: []pipeline.Contract{{ID: "1|2", Label: "# x", Data: []pipeline.Exposure{{Kind: "contact"}}}, {ID: "3", Data: []pipeline.Exposure{{Kind: "login", Possible: true}}}}}}
	f.Fuzz(func(t *testing.T, body string) {
		if len(body) > maxFile || !utf8.ValidString(body) || strings.ContainsFunc(body, unwanted) {
			t.Skip("refused when the file is read")
		}
		src := &source{file: "breach.fr.md", text: body, body: body, front: frontMatter{Subject: "{{.Sender.DisplayName}}", Version: 1}}
		sh, faults := compile(src, templateBreach, "none.md", "")
		if len(faults) > 0 {
			for _, fault := range faults {
				if fault.File != "breach.fr.md" || fault.Sentence == "" {
					t.Fatalf("%+v", fault)
				}
			}
			return
		}
		own := *v
		own.sheets = map[string]*sheet{templateBreach: sh}
		fuzzed := &Set{spec: set.spec, catalogue: set.catalogue, voices: map[string]*voice{"fr": &own}}
		fuzzed.states.New = func() any { return new(state) }
		l, err := fuzzed.Render(r)
		if err != nil {
			if code := pipeline.ErrorCode(err); code != "letter-broken" && code != "letter-too-long" {
				t.Fatal(err)
			}
			return
		}
		page, text := HTML(l), Text(l)
		if strings.Contains(string(page), "<script") || strings.Contains(string(page), "<img") || strings.Contains(string(page), "<a ") || !utf8.Valid(page) || !utf8.Valid(text) {
			t.Fatalf("%q makes HTML", body)
		}
		if strings.ContainsFunc(string(text), func(r rune) bool { return r >= firstValue }) {
			t.Fatalf("%q leaves a value open", body)
		}
	})
}
