package letter

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// Limits of the rules.
const (
	maxSubject  = 70 // characters, L24
	minFacts    = 80 // characters, L10
	minMeasure  = 4  // words, L08
	maxSentence = 45 // words, L30
)

// lintTexts checks the campaign's own texts in one locale.
func (s *Set) lintTexts(r *report, v *voice) {
	if s.spec.Letters.Template == templateAwareness {
		return
	}
	i := s.spec.Incident
	at := func(key string) string { return key + "." + v.Code }
	if strings.TrimSpace(i.Facts[v.Code]) == "" {
		r.add(Block, "L03", "campaign.yaml", 0, at("incident.facts")+" is empty", "say in two or three sentences what happened")
	} else if n := utf8.RuneCountInString(i.Facts[v.Code]); n < minFacts {
		r.add(Warn, "L10", "campaign.yaml", 0, fmt.Sprintf("%s has %d characters: the circumstances are hardly said", at("incident.facts"), n), "say who did what to which system, as far as is known")
	}
	if i.HappenedFrom.IsZero() || i.Discovered.IsZero() {
		r.add(Block, "L04", "campaign.yaml", 0, "incident.happened_from or discovered is missing", "give both dates")
	}
	if strings.TrimSpace(i.NotTaken[v.Code]) == "" {
		r.add(Warn, "L06", "campaign.yaml", 0, at("incident.not_taken")+" is empty", "say what was not taken, if it is verified")
	}
	concrete := 0
	for _, m := range i.Measures[v.Code] {
		if len(strings.Fields(m)) >= minMeasure && !slices.ContainsFunc(v.Words[wordVague], func(w string) bool { return findWord(fold(m), fold(w)) >= 0 }) {
			concrete++
		}
	}
	if concrete < 2 {
		r.add(Block, "L08", "campaign.yaml", 0, fmt.Sprintf("%s has %d concrete measures", at("incident.measures"), concrete), "name at least two things that were done, each with a verb and an object")
	}
	if strings.TrimSpace(i.WhyNow[v.Code]) == "" {
		r.add(Warn, "L14", "campaign.yaml", 0, at("incident.why_now")+" is empty", "say why it took until today if more than a few days lie between discovery and letter")
	}
	said := fold(strings.Join(append(slices.Clone(i.Measures[v.Code]), i.Facts[v.Code]), " . "))
	for _, x := range []struct {
		word word
		what string
	}{{wordAuthority, "that the authority was told"}, {wordComplaint, "that a complaint was filed"}} {
		if !slices.ContainsFunc(v.Words[x.word], func(w string) bool { return findWord(said, fold(w)) >= 0 }) {
			r.add(Warn, "L11", "campaign.yaml", 0, at("incident.measures")+" do not say "+x.what, "say it if it is so")
		}
	}
}

// lintLocales checks that a text that one locale has is there in all.
func (s *Set) lintLocales(r *report) {
	i := s.spec.Incident
	check := func(key string, has func(locale string) bool) {
		some := slices.ContainsFunc(s.spec.Letters.Locales, has)
		for _, l := range s.spec.Letters.Locales {
			if some && !has(l) {
				r.add(Block, "L32", "campaign.yaml", 0, fmt.Sprintf("%s.%s is missing, other languages have it", key, l), "write it, or take it out of the others")
			}
		}
	}
	in := func(t pipeline.Texts) func(string) bool {
		return func(l string) bool { return strings.TrimSpace(t[l]) != "" }
	}
	check("incident.facts", in(i.Facts))
	check("incident.not_taken", in(i.NotTaken))
	check("incident.why_now", in(i.WhyNow))
	longest := 0
	for _, l := range s.spec.Letters.Locales {
		longest = max(longest, len(i.Measures[l]))
	}
	for _, l := range s.spec.Letters.Locales {
		if n := len(i.Measures[l]); n > 0 && n < longest {
			r.add(Block, "L32", "campaign.yaml", 0, fmt.Sprintf("incident.measures.%s has %d entries, another language %d", l, n, longest), "say the same in every language")
		}
	}
	for key, b := range s.spec.Senders {
		check("senders."+key+".hours", in(b.Hours))
		if b.Signatory.Name != "" {
			check("senders."+key+".signatory.title", in(b.Signatory.Title))
		}
	}
}

// specimen is a customer whom everything has happened to.
func (s *Set) specimen() pipeline.Person {
	var all []pipeline.Exposure
	for _, e := range s.catalogue.entries {
		all = append(all, pipeline.Exposure{Kind: e.code})
	}
	p := pipeline.Person{FirstName: "Camille", LastName: "Exemple", Reference: pipeline.NewReference(1), Own: all}
	if n := len(all); n > 0 {
		p.Contracts = []pipeline.Contract{
			{ID: "0000000001", Label: "Specimen A", Data: all},
			{ID: "0000000002", Label: "Specimen B", Data: all},
			{ID: "0000000003", Label: "Specimen C", Data: []pipeline.Exposure{{Kind: all[0].Kind, Possible: true}}},
		}
	}
	return p
}

// lintSpecimens renders a letter from every sender, first, fallback and copy, and
// checks what comes out.
func (s *Set) lintSpecimens(r *report, v *voice, sh *sheet) {
	if slices.ContainsFunc(v.kinds, func(k kindText) bool { return !k.worded }) {
		return // said already; no letter can be rendered
	}
	for key := range s.spec.Senders {
		for _, kind := range []pipeline.AttemptKind{pipeline.First, pipeline.Fallback, pipeline.CopyOf} {
			req := Request{Notice: pipeline.Notice{Role: role(sh), Locale: v.Code, Sender: key}, Person: s.specimen(), Kind: kind, Channel: pipeline.Post,
				Date: s.spec.Incident.Discovered.AddDate(0, 0, 1), FirstWritten: s.spec.Incident.Discovered.Time}
			l, err := s.Render(req)
			if err != nil {
				r.add(Block, "L25", sh.file, 0, "the letter cannot be rendered: "+strings.ReplaceAll(err.Error(), "\n", " "), "correct the letter")
				return
			}
			for _, f := range s.LintLetter(req, l) {
				if f.Severity == Hold {
					f.Severity = Block // nothing but the letter can be at fault
				}
				r.add(f.Severity, f.Code, sh.file, 0, f.Sentence, f.Hint)
			}
			s.lintSubject(r, v, sh, key, l.Subject)
			lintShape(r, sh, l)
			said := fold(string(Text(l)))
			if !slices.ContainsFunc(v.Words[wordNever], func(w string) bool { return findWord(said, fold(w)) >= 0 }) {
				r.add(Warn, "L12", sh.file, 0, "the letter does not say what you will never ask for", "say it: fake letters do ask")
			}
		}
	}
}

func role(sh *sheet) pipeline.Role {
	if sh.template == templateSupplement {
		return pipeline.Supplement
	}
	return pipeline.Primary
}

// lintSubject checks the line that stands in the list of mails.
func (s *Set) lintSubject(r *report, v *voice, sh *sheet, sender, subject string) {
	if n := utf8.RuneCountInString(subject); n > maxSubject {
		r.add(Block, "L24", sh.file, 2, fmt.Sprintf("the subject of sender %s has %d characters, %d are allowed", sender, n, maxSubject), "shorten it: mail readers cut it")
	}
	folded := fold(subject)
	b := s.spec.Senders[sender]
	if findWord(folded, fold(b.DisplayName)) < 0 && findWord(folded, fold(b.LegalName)) < 0 {
		r.add(Block, "L24", sh.file, 2, "the subject does not name the sender", "use {{.Sender.DisplayName}}")
	}
	for _, w := range v.Words[wordUrgent] {
		if findWord(folded, fold(w)) >= 0 {
			r.add(Block, "L24", sh.file, 2, fmt.Sprintf("the subject presses: %q", w), "fraudsters press; say what it is about")
		}
	}
	if strings.Contains(subject, "!") || strings.ToUpper(subject) == subject {
		r.add(Block, "L24", sh.file, 2, "the subject shouts", "no exclamation mark, no capitals throughout")
	}
}

// lintShape checks headings and the length of sentences.
func lintShape(r *report, sh *sheet, l *pipeline.Letter) {
	level := 1
	var walk func([]pipeline.Block)
	walk = func(list []pipeline.Block) {
		for _, b := range list {
			if b.Kind == pipeline.Heading {
				if b.Level > level+1 {
					r.add(Warn, "L33", sh.file, 0, fmt.Sprintf("a heading of level %d follows one of level %d", b.Level, level), "use ## for sections and ### within them")
				}
				level = b.Level
			}
			for _, sentence := range strings.FieldsFunc(pipeline.Plain(b.Spans), func(c rune) bool { return strings.ContainsRune(".?!;:", c) }) {
				if words := strings.Fields(sentence); len(words) > maxSentence {
					r.add(Warn, "L30", sh.file, 0, fmt.Sprintf("a sentence of %d words: %q …", len(words), strings.Join(words[:6], " ")), "make two of it")
				}
			}
			for _, item := range b.Items {
				walk(item)
			}
		}
	}
	walk(l.Blocks)
}
