package letter_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
)

// scene is a campaign, its files and one of its letters, all of which a test may
// spoil.
type scene struct {
	t      *testing.T
	spec   *pipeline.Spec
	files  fstest.MapFS
	before func(*letter.Request)  // of a letter
	after  func(*pipeline.Letter) // after it was rendered
	letter bool                   // the finding is in LintLetter
}

func (s *scene) edit(name, old, with string) { edit(s.t, s.files, name, old, with) }

// spoiled lists, for each rule, ways to break it, with the severity, the file and
// the line of the finding.
func spoiled() map[string]map[string]func(*scene) string {
	fact := func(text string) func(*scene) string {
		return func(s *scene) string {
			s.spec.Incident.Facts["fr"] += " " + text
			return "block campaign.yaml:0"
		}
	}
	part := func(old, with string, where string) func(*scene) string {
		return func(s *scene) string { s.edit("parts.fr.md", old, with); return where }
	}
	body := func(change func(*pipeline.Letter)) func(*scene) string {
		return func(s *scene) string { s.letter, s.after = true, change; return "hold :0" }
	}
	request := func(change func(*letter.Request)) func(*scene) string {
		return func(s *scene) string { s.letter, s.before = true, change; return "hold :0" }
	}
	const both = "block breach.fr.md:0"
	return map[string]map[string]func(*scene) string{
		"L01": {
			"no controller": part("{{.Controller.Name}}, ", "", both), "no address": part(", {{.Controller.Address}}", "", both),
			"letter": body(func(l *pipeline.Letter) { replace(l.Blocks, "Télécom Exemple SA", "Nous") }),
		},
		"L02": {
			"no name": part("{{.Controller.DPO.Name}}", "", both),
			"no way":  part("{{with .Controller.DPO.Post}}, {{.}}{{end}}{{with .Controller.DPO.Phone}}, tél.\u00a0{{.}}{{end}}", "", both),
			"letter": body(func(l *pipeline.Letter) {
				replace(l.Blocks, "TSA\u00a010001", "TSA")
				replace(l.Blocks, "12\u00a034", "")
			}),
		},
		"L03": {
			"no facts": func(s *scene) string { s.edit("breach.fr.md", "{{.Incident.Facts}}", ""); return both },
			"empty":    func(s *scene) string { s.spec.Incident.Facts["fr"] = " "; return "block campaign.yaml:0" },
		},
		"L04": {
			"no date": func(s *scene) string {
				s.edit("breach.fr.md", "{{.Incident.When}}", "")
				s.edit("parts.fr.md", "{{if .Incident.When}}", "{{if .Incident.Facts}}")
				return both
			},
			"no discovery": func(s *scene) string { s.edit("breach.fr.md", "{{.Incident.Discovered}}", ""); return both },
			"no dates":     func(s *scene) string { s.spec.Incident.Discovered = pipeline.Date{}; return "block campaign.yaml:0" },
		},
		"L05": {
			"no data": part("{{range .Own}}", "{{range .Advice}}", "load"), "no numbers": part("{{with .Number}} (n° **{{.}}**){{end}}", "", both),
			"no certainty": part("{{if .Possible}} – *exposition possible, non confirmée à ce jour*{{end}}", "", both),
			"no fields":    part(" : {{.Fields}}", "", both),
			"catalogue": func(s *scene) string {
				s.edit("catalogue.yaml", `name: {fr: "Foyer", en: "Household"}`, `name: {en: "Household"}`)
				return "block catalogue.yaml:*"
			},
			"unknown kind": func(s *scene) string { s.spec.Channels.PostIf = []string{"shoe-size"}; return "block campaign.yaml:0" },
			"no kind":      body(func(l *pipeline.Letter) { replace(l.Blocks, "Foyer", "") }),
			"no number":    body(func(l *pipeline.Letter) { replace(l.Blocks, "FM-77001234", "FM-7700123") }),
			"no label":     body(func(l *pipeline.Letter) { replace(l.Blocks, "Fibre Confort", "Fibre") }),
			"no field":     body(func(l *pipeline.Letter) { replace(l.Blocks, "civilité, nom et prénom", "nom") }),
		},
		"L06": {
			"no place": func(s *scene) string {
				s.edit("breach.fr.md", "{{with .Incident.NotTaken}}", "{{with .Incident.Facts}}")
				return "warn breach.fr.md:0"
			},
			"empty": func(s *scene) string { s.spec.Incident.NotTaken = nil; return "warn campaign.yaml:0" },
		},
		"L07": {
			"no place": part("{{range .Consequences}}", "{{range .Advice}}", both),
			"catalogue": func(s *scene) string {
				s.edit("catalogue.yaml", `fr: "Se faire passer pour un proche : « Maman, j'ai changé de numéro »."`, `fr: ""`)
				return "block catalogue.yaml:*"
			},
			"letter": body(func(l *pipeline.Letter) { replace(l.Blocks, "Maman", "Papa") }),
		},
		"L08": {
			"no place": part("{{range .Incident.Measures}}", "{{range .Advice}}", both),
			"one": func(s *scene) string {
				s.spec.Incident.Measures["fr"] = s.spec.Incident.Measures["fr"][:1]
				return "block campaign.yaml:0"
			},
			"short": func(s *scene) string {
				s.spec.Incident.Measures["fr"] = []string{"Faille corrigée.", "Plainte.", "CNIL."}
				return "block campaign.yaml:0"
			},
			"formula": fact("Nous avons pris toutes les mesures nécessaires."), "formula in bold": fact("Nous avons pris TOUTES **les mesures** necessaires."),
			"in a letter": func(s *scene) string {
				s.edit("breach.fr.md", "## Vos données", "Nous le ferons dans les meilleurs\ndélais.\n\n## Vos données")
				return "block breach.fr.md:10"
			},
			"in a part": part("## Pour nous joindre", "Soyez vigilant.\n\n## Pour nous joindre", "block parts.fr.md:*"),
			"catalogue": func(s *scene) string {
				s.edit("catalogue.yaml", "Tenter de payer en ligne", "Utiliser certaines données pour payer en ligne")
				return "block catalogue.yaml:*"
			},
		},
		"L09": {
			"no place": part("{{range .Advice}}", "{{range .Consequences}}", both),
			"catalogue": func(s *scene) string {
				s.edit("catalogue.yaml", `fr: ["Si un proche vous demande de l'argent depuis un numéro inconnu, rappelez-le sur son numéro habituel."]`, `fr: []`)
				return "block catalogue.yaml:*"
			},
			"letter": body(func(l *pipeline.Letter) { replace(l.Blocks, "33700", "33") }),
		},
		"L10": {"short": func(s *scene) string {
			s.spec.Incident.Facts["fr"] = "Un vol a eu lieu."
			return "warn campaign.yaml:0"
		}},
		"L11": {"silent": func(s *scene) string {
			s.spec.Incident.Measures["fr"][1] = "Nous avons remplacé tous les serveurs."
			return "warn campaign.yaml:0"
		}},
		"L12": {"silent": part("> **Nous ne vous demanderons jamais**", "> **On ne demande rien**", "warn breach.fr.md:0")},
		"L13": {
			"no reference": part("{{.Reference}}", "", both), "no phone": part("{{.Sender.Phone}}", "", both), "no hours": part("{{.Sender.Hours}}", "", "warn breach.fr.md:0"),
			"letter": body(func(l *pipeline.Letter) { replace(l.Blocks, "00Z5-RYMR-PVA7", "") }), "other": body(func(l *pipeline.Letter) { l.Reference = pipeline.NewReference(3) }),
		},
		"L14": {
			"no place": part("{{with .Incident.WhyNow}}", "{{with .Incident.Facts}}", "warn breach.fr.md:0"),
			"empty":    func(s *scene) string { s.spec.Incident.WhyNow = nil; return "warn campaign.yaml:0" },
		},
		"L20": {
			"promotion": fact("Profitez de notre newsletter."), "price": fact("Nous vous offrons 10 €."), "network": fact("Suivez-nous sur Facebook."), "tag": fact("utm_source"),
		},
		"L21": {
			"tag": func(s *scene) string {
				s.edit("breach.fr.md", "## Vos données", "<b>Vous</b>\n\n## Vos données")
				return "block breach.fr.md:10"
			},
		},
		"L22": {
			"link": func(s *scene) string {
				s.edit("breach.fr.md", "## Vos données", "[ici](https://example.fr/x)\n\n## Vos données")
				return "block breach.fr.md:10"
			},
			"text": func(s *scene) string {
				s.spec.Letters.AllowLinks = []string{"www.example.fr"}
				s.edit("breach.fr.md", "## Vos données", "[notre site](https://www.example.fr)\n\n## Vos données")
				return "block breach.fr.md:10"
			},
			"query": func(s *scene) string {
				s.spec.Letters.AllowLinks = []string{"www.example.fr"}
				s.edit("breach.fr.md", "## Vos données", "[https://www.example.fr/?a](https://www.example.fr/?a)\n\n## Vos données")
				return "block breach.fr.md:10"
			},
			"address": fact("Voyez http://example.fr."),
			"www":     fact("Voyez www.example.fr."),
			"per head": func(s *scene) string {
				s.spec.Letters.AllowLinks = []string{"www.example.fr"}
				s.edit("breach.fr.md", "## Vos données", "[https://www.example.fr/{{.Reference}}](https://www.example.fr/{{.Reference}})\n\n## Vos données")
				return "block breach.fr.md:10"
			},
		},
		"L23": {
			"iban": fact("Le compte FR76 3000 6000 0112 3456 7890 189."), "card": fact("La carte 4111 1111 1111 1111."),
			"number": request(func(r *letter.Request) { r.Person.Contracts[0].ID = "FR7630006000011234567890189" }),
			"label":  request(func(r *letter.Request) { r.Person.Contracts[0].Label = "Carte 4111111111111111" }),
		},
		"L24": {
			"long": func(s *scene) string {
				s.edit("breach.fr.md", "Une partie de vos données chez", "Une grande partie de toutes vos données personnelles chez")
				return "block breach.fr.md:2"
			},
			"sender": func(s *scene) string {
				s.edit("breach.fr.md", " chez {{.Sender.DisplayName}} a", " a")
				return "block breach.fr.md:2"
			},
			"urgent": func(s *scene) string {
				s.edit("breach.fr.md", "Une partie de vos", "URGENT, vos")
				return "block breach.fr.md:2"
			},
			"shouts": func(s *scene) string {
				s.edit("breach.fr.md", "a été exposée\"", "a été exposée !\"")
				return "block breach.fr.md:2"
			},
		},
		"L25": {
			"no greeting": part("{{.Customer.Salutation}}", "", both),
			"no name":     part("{{.Customer.Attention}}", "", "hold"), // the field is still asked for; the specimen shows it
			"minor": func(s *scene) string {
				s.edit("parts.fr.md", "{{if .Customer.Represented}}", "{{if .Copy}}")
				s.edit("parts.fr.md", "{{.Customer.Represented}}", "")
				return both
			},
			"blank": fact("Le serveur XXX a été volé."), "bracket": fact("Le [[nom du serveur]]."), "latin": fact("Lorem ipsum."), "entity": fact("a&nbsp;b"), "merge": fact("Cher {first_name}"), "todo": fact("TODO"),
			"damaged": request(func(r *letter.Request) { r.Person.LastName = "L\ufffdger" }),
			"other":   body(func(l *pipeline.Letter) { l.Recipient = "Somebody Else" }),
			"private": body(func(l *pipeline.Letter) { replace(l.Blocks, "Madame", "\U000F0000") }),
		},
		"L27": {
			"header": body(func(l *pipeline.Letter) { l.Subject = "a\r\nBcc: b" }),
			"line":   request(func(r *letter.Request) { r.Person.Contracts[0].ID = strings.Repeat("9", 2000) }),
		},
		"L30": {"long": func(s *scene) string {
			s.spec.Incident.Facts["fr"] = strings.Repeat("mot ", 60) + "."
			return "warn breach.fr.md:0"
		}},
		"L31": {
			"lang": body(func(l *pipeline.Letter) {
				l.Blocks = append(slices.Clone(l.Blocks), pipeline.Block{Kind: pipeline.Quote, Spans: []pipeline.Span{{Text: "lost"}}})
			}),
		},
		"L32": {
			"locale": body(func(l *pipeline.Letter) { l.Locale = "de" }),
			"why":    func(s *scene) string { delete(s.spec.Incident.WhyNow, "en"); return "block campaign.yaml:0" },
			"measures": func(s *scene) string {
				s.spec.Incident.Measures["en"] = s.spec.Incident.Measures["en"][:2]
				return "block campaign.yaml:0"
			},
			"title": func(s *scene) string {
				delete(s.spec.Senders["main"].Signatory.Title, "en")
				return "block campaign.yaml:0"
			},
		},
		"L33": {"jump": func(s *scene) string {
			s.edit("breach.fr.md", "{{.Incident.Facts}}", "### Les faits\n\n{{.Incident.Facts}}")
			return "warn breach.fr.md:0"
		}},
		"L34": {
			"letter": func(s *scene) string {
				s.edit("breach.en.md", "{{.Incident.Facts}}", "{{.Incident.Facts}}\n\nCe texte est resté dans la langue de départ.")
				s.edit("breach.fr.md", "{{.Incident.Facts}}", "Ce texte est resté dans la langue de départ.\n\n{{.Incident.Facts}}")
				return "block breach.en.md:10"
			},
			"heading": func(s *scene) string {
				s.edit("breach.en.md", "## Your exposed data", "## Vos données exposées")
				return "warn breach.en.md:10"
			},
			"facts": func(s *scene) string {
				s.spec.Incident.Facts["en"] = s.spec.Incident.Facts["fr"]
				return "block campaign.yaml:0"
			},
			"hours": func(s *scene) string {
				s.spec.Senders["main"].Hours["en"] = s.spec.Senders["main"].Hours["fr"]
				return "warn campaign.yaml:0"
			},
			"kind": func(s *scene) string {
				s.edit("catalogue.yaml", `en: "Identity"`, `en: "Identité"`)
				return "warn catalogue.yaml:7"
			},
			"months": func(s *scene) string {
				s.edit("locale.en.yaml", "[January, February, March, April, May, June, July, August, September, October, November, December]", "[janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, novembre, décembre]")
				return "warn locale.en.yaml:0"
			},
		},
		"L35": {"none": func(s *scene) string { s.edit("breach.fr.md", "version: 1\n", ""); return "block breach.fr.md:2" }},
		"L40": {
			"fallback": part("{{if .Fallback}}", "{{if .ByPost}}", both), "copy": part("{{else if .Copy}}", "{{else if .ByPost}}", both),
			"supplement": func(s *scene) string {
				s.edit("supplement.fr.md", "{{if .FirstWritten}}celle que nous vous avons envoyée le {{.FirstWritten}}{{else}}", "{{if .Copy}}{{else}}")
				s.edit("parts.fr.md", "{{with .FirstWritten}} le {{.}}{{end}}", "")
				return "block supplement.fr.md:0"
			},
		},
		"L41": {"none": part("{{if .Household}}", "{{if .Own}}", "warn breach.fr.md:0")},
	}
}

// replace changes text in blocks of one letter. The blocks are shared in general:
// this set is the test's own.
func replace(list []pipeline.Block, old, with string) {
	for i := range list {
		for j := range list[i].Spans {
			list[i].Spans[j].Text = strings.ReplaceAll(list[i].Spans[j].Text, old, with)
		}
		for _, item := range list[i].Items {
			replace(item, old, with)
		}
	}
}

// TestRules breaks every rule in turn; the linter must say so, with the right code,
// severity and place.
func TestRules(t *testing.T) {
	t.Parallel()
	all := spoiled()
	for _, r := range letter.Rules() {
		if len(all[r.Code]) == 0 {
			t.Errorf("no test breaks %s", r.Code)
		}
	}
	for code, ways := range all {
		if !slices.ContainsFunc(letter.Rules(), func(r letter.Rule) bool { return r.Code == code }) {
			t.Errorf("%s is not in Rules", code)
		}
		for name, spoil := range ways {
			t.Run(code+"/"+name, func(t *testing.T) {
				t.Parallel()
				checkRule(t, code, spoil)
			})
		}
	}
}

func checkRule(t *testing.T, code string, spoil func(*scene) string) {
	s := &scene{t: t, spec: sampleSpec(), files: files(t)}
	if code != "L32" && code != "L34" { // which compare languages
		s.spec.Letters.Locales = []string{"fr"}
	}
	want := spoil(s)
	set, err := letter.Load(s.files, s.spec)
	if want == "load" {
		if err == nil {
			t.Error("loads")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	r := sampleRequest("fr")
	if want == "hold" { // shows in the letters of some customers only
		s.letter, want = true, "hold :0"
		r.Person.Title, r.Person.Representative = "", "Paul Exemple"
	}
	var findings []letter.Finding
	if s.letter {
		if s.before != nil {
			s.before(&r)
		}
		l := render(t, set, r)
		if s.after != nil {
			s.after(l)
		}
		findings = set.LintLetter(r, l)
	} else {
		findings = set.Lint()
	}
	severity, place, _ := strings.Cut(want, " ")
	file, line, _ := strings.Cut(place, ":")
	ok := slices.ContainsFunc(findings, func(f letter.Finding) bool {
		at := "0"
		if f.Line > 0 {
			at = strconv.Itoa(f.Line)
		}
		return f.Code == code && string(f.Severity) == severity && f.File == file && (at == line || line == "*" && f.Line > 0)
	})
	if !ok {
		t.Errorf("want %s %s, found %+v", code, want, findings)
	}
	for _, f := range findings {
		if f.Sentence == "" || strings.HasSuffix(f.Sentence, ".") || f.Severity == "" || f.Code == "" {
			t.Errorf("%+v", f)
		}
	}
}

// TestLintHoldsNoPersonalData: a finding may go to a log.
func TestLintHoldsNoPersonalData(t *testing.T) {
	t.Parallel()
	const canary = "Zanzibar"
	set := load(t, sampleSpec())
	r := sampleRequest("fr")
	r.Person.LastName, r.Person.Contracts[0].ID, r.Person.Contracts[0].Label = canary+"\ufffd", "FR7630006000011234567890189", canary
	l := render(t, set, r)
	cut := *l
	cut.Blocks = l.Blocks[:2]
	findings := append(set.LintLetter(r, l), set.LintLetter(r, &cut)...)
	if len(findings) < 5 {
		t.Errorf("only %d findings", len(findings))
	}
	for _, f := range findings {
		if strings.Contains(f.Sentence+f.Hint, canary) || strings.Contains(f.Sentence+f.Hint, "FR76") {
			t.Errorf("%+v", f)
		}
	}
}
