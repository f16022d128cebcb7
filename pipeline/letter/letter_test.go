package letter_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
)

var update = flag.Bool("update", false, "write the golden letters anew")

// golden compares with a file of testdata/golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not as it was (go test -update, and read the difference):\n%s", name, got)
	}
}

// cases are letters that somebody has read: each is a file in testdata/golden.
func cases() map[string]func(*pipeline.Spec, *letter.Request) {
	first := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	exposures := func(kinds ...string) (out []pipeline.Exposure) {
		for _, k := range kinds {
			out = append(out, pipeline.Exposure{Kind: k})
		}
		return out
	}
	return map[string]func(*pipeline.Spec, *letter.Request){
		"breach.fr": func(*pipeline.Spec, *letter.Request) {},
		"breach.en": func(_ *pipeline.Spec, r *letter.Request) { r.Notice.Locale = "en" },
		"fallback-post.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Kind, r.Channel, r.FirstWritten, r.Date = pipeline.Fallback, pipeline.Post, first, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		},
		"fallback-email.en": func(_ *pipeline.Spec, r *letter.Request) {
			r.Kind, r.Notice.Locale = pipeline.Fallback, "en" // the date of the first letter is not known
		},
		"copy.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Kind, r.Channel, r.FirstWritten = pipeline.CopyOf, pipeline.Post, first
		},
		"supplement.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Notice.Role, r.FirstWritten, r.Date = pipeline.Supplement, first, time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
			r.Person.Own, r.Person.Contracts = nil, []pipeline.Contract{{ID: "FM-77001234", Label: "Forfait 80 Go", Data: exposures("call-records")}}
		},
		"supplement.en": func(_ *pipeline.Spec, r *letter.Request) {
			r.Notice.Role, r.Notice.Locale = pipeline.Supplement, "en"
			r.Person.Own, r.Person.Contracts = exposures("birth"), nil
		},
		"awareness.fr": func(s *pipeline.Spec, r *letter.Request) {
			s.Kind, s.Letters.Template, s.Incident = "awareness", "awareness", pipeline.Incident{}
			r.Person.Own, r.Person.Contracts = nil, nil
		},
		"awareness.en": func(s *pipeline.Spec, r *letter.Request) {
			s.Kind, s.Letters.Template, s.Incident = "awareness", "awareness", pipeline.Incident{}
			r.Person.Own, r.Person.Contracts, r.Notice.Locale = nil, nil, "en"
		},
		"company.fr": func(_ *pipeline.Spec, r *letter.Request) {
			p := &r.Person
			p.Title, p.FirstName, p.LastName, p.Company = "", "", "", "BOULANGERIE MODÈLE & FILS SARL"
		},
		"company-contact.en": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Company, r.Notice.Locale = "Modèle & Fils SARL", "en"
		},
		"minor.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Title, r.Person.FirstName, r.Person.Representative = "M.", "Zoé", "PAUL O'NEIL"
		},
		"minor.en": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Title, r.Person.FirstName, r.Person.Representative, r.Notice.Locale = "M.", "Zoé", "Paul O'Neil", "en"
		},
		"joint.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Title, r.Person.FirstName, r.Person.LastName = "M. et Mme", "JEAN-PIERRE ET ANNE", "DE LA TOUR"
		},
		"unknown-title.en": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Title, r.Notice.Locale = "", "en"
		},
		"one-contract.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Own = nil
			r.Person.Contracts = []pipeline.Contract{{ID: "0123456789", Label: "Fibre Confort", Data: exposures("contact", "identity", "bank-truncated")}}
		},
		"same-kinds.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Person.Own = nil
			r.Person.Contracts = []pipeline.Contract{
				{ID: "111", Label: "Fibre", Data: exposures("contact", "identity")}, {ID: "222", Label: "", Data: exposures("identity", "contact")},
				{ID: "", Label: "Forfait bloqué", Data: exposures("identity", "contact", "contact")}, {ID: "444", Label: "Rien", Data: nil}}
		},
		"second-brand.fr": func(_ *pipeline.Spec, r *letter.Request) {
			r.Notice.Sender = ""
			r.Notice.Products = []string{"second-brand"}
		},
		"no-why.fr": func(s *pipeline.Spec, r *letter.Request) {
			s.Incident.WhyNow, s.Incident.HappenedTo = nil, pipeline.Date{}
			s.Incident.HappenedFrom = date(2026, 1, 1)
		},
		"hostile.fr": func(_ *pipeline.Spec, r *letter.Request) {
			p := &r.Person
			p.FirstName, p.LastName = "*O'Neil* <b>", "](http://evil.test)\r\nBcc: x@example.com"
			p.Contracts[0].Label, p.Contracts[0].ID = "{{.X}} ![a](b)", "\u202e12\t3\u2066"
			p.Contracts[1].Label = strings.TrimSpace(strings.Repeat("très long ", 30))
			p.Contracts[1].ID = strings.Repeat("9", 300)
		},
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, change := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, r := sampleSpec(), sampleRequest("fr")
			change(spec, &r)
			l := render(t, load(t, spec), r)
			golden(t, name+".txt", letter.Text(l))
			if strings.HasPrefix(name, "breach.") {
				golden(t, name+".html", letter.HTML(l))
			}
		})
	}
}

// TestEveryShippedLetterPasses holds the letters that a campaign starts with to
// the linter, and each of the letters above as well.
func TestEveryShippedLetterPasses(t *testing.T) {
	t.Parallel()
	for name, change := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, r := sampleSpec(), sampleRequest("fr")
			change(spec, &r)
			set := load(t, spec)
			if strings.HasSuffix(name, ".en") || name == "no-why.fr" { // the campaign's texts are checked in both languages at once
				for _, f := range set.Lint() {
					if f.Severity != letter.Warn {
						t.Errorf("%+v", f)
					}
				}
			}
			for _, f := range set.LintLetter(r, render(t, set, r)) {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestDeterministic renders the same letters from many goroutines, in sets of
// their own, in different order: one hash, one text, one page.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	spec := sampleSpec()
	shared := load(t, spec)
	type made struct {
		hash       [32]byte
		text, page string
	}
	var mu sync.Mutex
	seen := map[int]made{}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			set := shared
			if g == 3 {
				set = load(t, sampleSpec())
			}
			for i := range 60 {
				n := (i*7 + g*13) % 60
				r := sampleRequest([]string{"fr", "en"}[n%2])
				r.Person.Contracts = r.Person.Contracts[:n%3]
				r.Person.LastName = strings.Repeat("x", n+1)
				l, err := set.Render(r)
				if err != nil {
					t.Error(err)
					return
				}
				m := made{l.Hash(), string(letter.Text(l)), string(letter.HTML(l))}
				mu.Lock()
				if was, ok := seen[n]; ok && was != m {
					t.Errorf("letter %d differs", n)
				}
				seen[n] = m
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(seen) != 60 {
		t.Errorf("%d letters", len(seen))
	}
}

// TestRenderedBlocksAreNotShared: the values of one customer never show in the
// letter of the next, though both come from the same parsed blocks.
func TestRenderedBlocksAreNotShared(t *testing.T) {
	t.Parallel()
	set := load(t, sampleSpec())
	r := sampleRequest("fr")
	first := render(t, set, r)
	before := first.Hash()
	r.Person.LastName, r.Person.Contracts[0].ID, r.Person.Reference = "CANARY", "CANARY", pipeline.NewReference(7)
	second := render(t, set, r)
	if first.Hash() != before || strings.Contains(string(letter.Text(first)), "CANARY") {
		t.Error("the first letter has changed")
	}
	if text := string(letter.Text(second)); strings.Contains(text, "1203") || strings.Contains(text, "O'Neil") {
		t.Error("the second letter holds data of the first")
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	const canary = "Zanzibar"
	for code, change := range map[string]func(*letter.Request){
		"no-recipient": func(r *letter.Request) {
			r.Person.FirstName, r.Person.LastName, r.Person.Company = " \u200b", "\r\n", ""
		},
		"no-reference":      func(r *letter.Request) { r.Person.Reference = "" },
		"nothing-exposed":   func(r *letter.Request) { r.Person.Own, r.Person.Contracts = nil, []pipeline.Contract{{ID: "1"}} },
		"data-kind-unknown": func(r *letter.Request) { r.Person.Own = []pipeline.Exposure{{Kind: "shoe-size"}} },
		"letter-missing":    func(r *letter.Request) { r.Notice.Sender = "third" },
		"letter-too-long": func(r *letter.Request) {
			for range 20000 {
				r.Person.Contracts = append(r.Person.Contracts, r.Person.Contracts[0])
			}
		},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r := sampleRequest("fr")
			r.Person.LastName, r.Person.Contracts[0].Label = canary, canary
			change(&r)
			_, err := load(t, sampleSpec()).Render(r)
			var e *pipeline.Error
			if !errors.As(err, &e) || e.Code != code || !e.Permanent {
				t.Fatalf("%v", err)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error names the customer: %v", err)
			}
		})
	}
}

// TestValuesStayTogether: neither a number nor a reference is broken, and no line
// of the text is longer than it has to be.
func TestValuesStayTogether(t *testing.T) {
	t.Parallel()
	set := load(t, sampleSpec())
	r := sampleRequest("fr")
	for n := range 40 {
		r.Person.Contracts[0].Label = strings.Repeat("ab ", n) + "c"
		text := string(letter.Text(render(t, set, r)))
		for _, whole := range []string{"1203\u00a03445\u00a056", "FM-77001234", "00Z5-RYMR-PVA7", "0\u00a0801\u00a099\u00a000\u00a000", "n°\u00a0"} {
			if !strings.Contains(text, whole) {
				t.Errorf("%q is broken at %d", whole, n)
			}
		}
		for line := range strings.Lines(text) {
			if width := len([]rune(strings.TrimSuffix(line, "\n"))); width > 76 {
				t.Errorf("%d columns: %q", width, line)
			}
			if strings.HasSuffix(line, " \n") || strings.Contains(line, "\t") {
				t.Errorf("blanks at the end: %q", line)
			}
		}
	}
}

func TestFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range letter.Fields() {
		if f.Doc == "" || f.Type == "" || seen[f.Path] {
			t.Errorf("%+v", f)
		}
		seen[f.Path] = true
	}
	for _, path := range []string{".Customer.Salutation", ".Groups[].Contracts[].Number", ".Groups[].Data[].Fields", ".Controller.DPO.Phone", ".Advice"} {
		if !seen[path] {
			t.Errorf("no %s", path)
		}
	}
}

func TestKindsInOrder(t *testing.T) {
	t.Parallel()
	spec := sampleSpec()
	spec.DataKinds = map[string]pipeline.DataKind{"loyalty": {}, "contact": {Name: pipeline.Texts{"fr": "Adresse"}}}
	got := strings.Join(load(t, spec).Kinds(), " ")
	if !strings.HasPrefix(got, "identity birth contact household ") || !strings.HasSuffix(got, " loyalty") || strings.Count(got, "contact") != 1 {
		t.Error(got)
	}
	r := sampleRequest("fr")
	text := string(letter.Text(render(t, load(t, spec), r)))
	if !strings.Contains(text, "- Adresse\u00a0: adresse postale") {
		t.Errorf("the campaign's own wording is not over the catalogue's:\n%s", text)
	}
}
