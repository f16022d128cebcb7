package letter

import (
	"cmp"
	"slices"

	"github.com/art34/art34/pipeline"
)

// Severity says what a finding stops.
type Severity string

const (
	Block Severity = "block" // the campaign: a letter or the campaign's texts are at fault
	Hold  Severity = "hold"  // this notice: its own data are at fault
	Warn  Severity = "warn"  // nothing; a person should look
)

// Finding is one thing that a rule has found. It holds no personal data.
type Finding struct {
	Code     string // of the rule, see Rules; stable, for scripts
	Severity Severity
	File     string // of the letters, or "campaign.yaml"; "" where there is none
	Line     int    // from 1; 0 where there is none
	Sentence string // what is wrong, without a full stop
	Hint     string // what to do about it
}

// Rule is one entry of the linter's reference.
type Rule struct {
	Code string
	Doc  string
}

// Rules lists what the linter checks. Numbers follow the check list that was drawn
// from Article 34(2) with 33(3) GDPR, Regulation (EU) 611/2013 Annex II, and the
// decision SAN-2026-001 of the CNIL, which fined letters for saying nothing.
func Rules() []Rule {
	return []Rule{
		{"L01", "says who answers for the data, with a postal address"},
		{"L02", "names the data protection officer and a way to reach them without a click"},
		{"L03", "says what happened"},
		{"L04", "says when it happened and when it was discovered"},
		{"L05", "lists the data of this very customer, by contract, with the fields"},
		{"L06", "says what was not taken (warning)"},
		{"L07", "says what somebody could do with each kind of data"},
		{"L08", "names at least two concrete measures and no empty formula"},
		{"L09", "says what the customer can do about each kind of data"},
		{"L10", "gives the circumstances in more than a few words (warning)"},
		{"L11", "says that the authority was told and a complaint filed (warning)"},
		{"L12", "says what the sender will never ask for (warning)"},
		{"L13", "gives the reference, the number to call and the hours"},
		{"L14", "says why it took until today (warning)"},
		{"L20", "sells nothing: no promotion, price, social network"},
		{"L21", "holds no HTML and no picture"},
		{"L22", "holds no link beyond the campaign's list of hosts"},
		{"L23", "holds no full bank account or card number"},
		{"L24", "subject: names the sender, at most 70 characters, does not press"},
		{"L25", "greets the customer, leaves nothing to be filled in, damages no character"},
		{"L27", "has clean header values and lines that mail can carry"},
		{"L30", "has no sentence of more than 45 words (warning)"},
		{"L31", "says the same in text and in HTML"},
		{"L32", "says in each language what it says in the others"},
		{"L33", "has headings in order (warning)"},
		{"L34", "is in the language of its reader: nothing is still as in the language that it was begun with (warning where it is short)"},
		{"L35", "bears the version of its text"},
		{"L40", "says that it repeats or completes an earlier message, where it does"},
		{"L41", "asks to tell the household, where its data is concerned (warning)"},
	}
}

// report gathers findings.
type report struct{ findings []Finding }

func (r *report) add(severity Severity, code, file string, line int, sentence, hint string) {
	r.findings = append(r.findings, Finding{Code: code, Severity: severity, File: file, Line: line, Sentence: sentence, Hint: hint})
}

// sorted returns the findings in order of file, line and code, each once.
func (r *report) sorted() []Finding {
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence), cmp.Compare(a.Hint, b.Hint))
	})
	return slices.Compact(r.findings)
}

// Lint checks letters, catalogue and the campaign's texts, without customers.
// Findings come in order of file, line, code.
func (s *Set) Lint() []Finding {
	r := &report{}
	for _, code := range s.spec.Letters.Locales {
		v := s.voices[code]
		s.lintTexts(r, v)
		s.lintCatalogue(r, v)
		for _, kind := range s.templates() {
			lintFields(r, v.sheets[kind])
			s.lintSpecimens(r, v, v.sheets[kind])
		}
		for _, p := range s.passages(v) {
			s.lintPassage(r, v, p)
		}
	}
	s.lintLocales(r)
	s.lintLanguage(r)
	return r.sorted()
}

// demand is a field that a letter must use.
type demand struct {
	code     string
	severity Severity
	anyOf    []string // of these fields, one at least
	sentence string
	hint     string
}

// demands lists what a letter must say. told: of exposed data.
func demands(template string) []demand {
	list := []demand{
		{"L01", Block, []string{"Controller.Name"}, "does not say who answers for the data", "use {{.Controller.Name}}"},
		{"L01", Block, []string{"Controller.Address"}, "gives no postal address of who answers for the data", "use {{.Controller.Address}}"},
		{"L02", Block, []string{"Controller.DPO.Name"}, "does not name the data protection officer", "use {{.Controller.DPO.Name}}"},
		{"L02", Block, []string{"Controller.DPO.Post", "Controller.DPO.Phone"}, "does not say how to reach the data protection officer without a click", "use {{.Controller.DPO.Post}} or {{.Controller.DPO.Phone}}"},
		{"L13", Block, []string{"Reference"}, "does not give the reference", "use {{.Reference}}"},
		{"L13", Block, []string{"Sender.Phone"}, "does not give the number to call", "use {{.Sender.Phone}}"},
		{"L13", Warn, []string{"Sender.Hours"}, "does not say when the number answers", "use {{.Sender.Hours}}"},
		{"L25", Block, []string{"Customer.Salutation", "Customer.Name"}, "does not greet the customer", "use {{.Customer.Salutation}}"},
		{"L25", Block, []string{"Customer.Attention", "Customer.Name"}, "does not name the customer where the salutation cannot", "use {{.Customer.Attention}}"},
		{"L40", Block, []string{"Fallback"}, "does not say that it replaces a message that could not be delivered", "use {{if .Fallback}}"},
		{"L40", Block, []string{"Copy"}, "does not say that it is a copy", "use {{if .Copy}}"},
	}
	if template == templateAwareness {
		return list
	}
	list = append(list, []demand{
		{"L03", Block, []string{"Incident.Facts"}, "does not say what happened", "use {{.Incident.Facts}}"},
		{"L04", Block, []string{"Incident.When", "Incident.HappenedFrom"}, "does not say when it happened", "use {{.Incident.When}}"},
		{"L04", Block, []string{"Incident.Discovered"}, "does not say when it was discovered", "use {{.Incident.Discovered}}"},
		{"L05", Block, []string{"Own"}, "does not list the data of the person", "use {{range .Own}}"},
		{"L05", Block, []string{"Groups"}, "does not list the contracts", "use {{range .Groups}}"},
		{"L05", Block, []string{"contractView.Number"}, "does not give the numbers of the contracts", "use {{.Number}} within {{range .Contracts}}"},
		{"L05", Block, []string{"itemView.Name"}, "does not name the data kinds", "use {{.Name}} within {{range .Data}}"},
		{"L05", Block, []string{"itemView.Fields"}, "does not say which fields exactly", "use {{.Fields}} within {{range .Data}}"},
		{"L05", Block, []string{"itemView.Possible", "Possible"}, "does not tell possible exposure from confirmed exposure", "use {{if .Possible}}"},
		{"L06", Warn, []string{"Incident.NotTaken"}, "does not say what was not taken", "use {{.Incident.NotTaken}}"},
		{"L07", Block, []string{"Consequences", "itemView.Consequence"}, "does not say what somebody could do with the data", "use {{range .Consequences}}"},
		{"L08", Block, []string{"Incident.Measures"}, "does not say what was done", "use {{range .Incident.Measures}}"},
		{"L09", Block, []string{"Advice"}, "does not say what the customer can do", "use {{range .Advice}}"},
		{"L14", Warn, []string{"Incident.WhyNow"}, "has no place to say why it took until today", "use {{.Incident.WhyNow}}"},
		{"L25", Block, []string{"Customer.Represented"}, "does not tell a legal representative whose data it is", "use {{if .Customer.Represented}}"},
		{"L41", Warn, []string{"Household"}, "does not ask to tell the household", "use {{if .Household}}"},
	}...)
	if template == templateSupplement {
		list = append(list, demand{"L40", Block, []string{"FirstWritten"}, "does not say which letter it completes", "use {{.FirstWritten}}"})
	}
	return list
}

// lintFields checks that a letter uses the fields that it must.
func lintFields(r *report, sh *sheet) {
	for _, d := range demands(sh.template) {
		if !slices.ContainsFunc(d.anyOf, func(f string) bool { return sh.uses[f] }) {
			r.add(d.severity, d.code, sh.file, 0, "the letter "+d.sentence, d.hint)
		}
	}
	if sh.front.Version < 1 {
		r.add(Block, "L35", sh.file, 2, "the front matter has no version", "write version: 1 and raise it with every change of the text")
	}
}

// lintCatalogue checks that every data kind is worded in full.
func (s *Set) lintCatalogue(r *report, v *voice) {
	for i, e := range s.catalogue.entries {
		t := v.kinds[i]
		if t.worded {
			continue
		}
		line := lineOf(s.catalogue.text[e.file], "code: "+e.code)
		for _, x := range []struct {
			ok         bool
			code, what string
		}{
			{t.item.Name != "", "L05", "name"}, {t.item.Fields != "", "L05", "fields"},
			{t.item.Consequence != "", "L07", "consequence"}, {len(t.advice) > 0, "L09", "advice"},
		} {
			if !x.ok {
				r.add(Block, x.code, e.file, line, "the data kind "+e.code+" has no "+x.what+" in "+v.Code, "word it in the catalogue, or under data_kinds in campaign.yaml")
			}
		}
	}
	for _, list := range []struct {
		key   string
		codes []string
	}{{"channels.post_if", s.spec.Channels.PostIf}, {"channels.both_if", s.spec.Channels.BothIf}} {
		for _, c := range list.codes {
			_, kind := s.catalogue.index[c]
			if _, flag := pipeline.DefaultFlagRules()[c]; !kind && !flag {
				r.add(Block, "L05", "campaign.yaml", 0, list.key+" names "+c+", which is neither a data kind nor a flag", "correct it, or add the kind to the catalogue")
			}
		}
	}
}
