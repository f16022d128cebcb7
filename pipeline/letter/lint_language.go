package letter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// A text that two languages share was translated in neither of them, or needs no
// translation: "IBAN, BIC". From so many words on it is a sentence, and blocks.
const sharedWords = 5

// lintLanguage finds what a locale still says in the language that it was begun with.
// Locales of one language, fr and fr-be, may say the same.
func (s *Set) lintLanguage(r *report) {
	for i, code := range s.spec.Letters.Locales {
		v := s.voices[code]
		own := map[[2]string]bool{} // said before in the same language: others may have it from there
		for _, from := range s.spec.Letters.Locales[:i] {
			if language(code) == language(from) {
				maps.Copy(own, s.sayings(s.voices[from]))
			}
		}
		for _, from := range s.spec.Letters.Locales[:i] {
			if language(code) == language(from) {
				continue
			}
			o := s.voices[from]
			s.sharedPassages(r, v, o, own)
			if len(own) == 0 {
				s.sharedSenders(r, v, o)
				sharedLocale(r, v, o)
			}
		}
	}
}

// language is that of a locale: "fr" of "fr-be".
func language(code string) string {
	l, _, _ := strings.Cut(code, "-")
	return l
}

// wordsIn counts what a translation would change: words of at least three letters.
func wordsIn(text string) int {
	n := 0
	for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) }) {
		if len([]rune(w)) >= 3 {
			n++
		}
	}
	return n
}

// sayable is what a line of a letter says: its front matter has keys too.
func sayable(p passage) string {
	if p.where != "" {
		return strings.TrimSpace(p.text)
	}
	text := strings.TrimSpace(p.text)
	if strings.HasPrefix(text, "version:") {
		return ""
	}
	return strings.TrimSpace(strings.TrimPrefix(text, "subject:"))
}

// plot is where a passage stands, in every language alike.
func plot(p passage, locale string) string {
	if p.where != "" {
		return strings.TrimSuffix(p.where, "."+locale)
	}
	return strings.TrimSuffix(p.file, "."+locale+".md")
}

// sayings are the texts of a locale, each with its place.
func (s *Set) sayings(v *voice) map[[2]string]bool {
	all := map[[2]string]bool{}
	for _, p := range s.passages(v) {
		all[[2]string{plot(p, v.Code), sayable(p)}] = true
	}
	return all
}

// sharedPassages tells per file, and per key of campaign.yaml, how many texts are
// those of the other language.
func (s *Set) sharedPassages(r *report, v, o *voice, own map[[2]string]bool) {
	has := s.sayings(o)
	type place struct {
		file, key string
		severity  Severity
	}
	first, count := map[place]passage{}, map[place]int{}
	var order []place
	for _, p := range s.passages(v) {
		text := sayable(p)
		words := wordsIn(text)
		if said := [2]string{plot(p, v.Code), text}; words == 0 || !has[said] || own[said] {
			continue
		}
		at := place{file: p.file, severity: Warn}
		if p.file == "campaign.yaml" {
			at.key = p.where
		}
		if words >= sharedWords {
			at.severity = Block
		}
		if count[at]++; count[at] == 1 {
			first[at] = p
			order = append(order, at)
		}
	}
	for _, at := range order {
		what := fmt.Sprintf("%d texts are", count[at])
		if count[at] == 1 {
			what = "a text is"
		}
		if at.key != "" {
			r.add(at.severity, "L34", at.file, 0, fmt.Sprintf("%s is still the text of %s", at.key, o.Code), "translate it")
			continue
		}
		sentence := fmt.Sprintf("%s still in the language of %s", what, o.Code)
		r.add(at.severity, "L34", at.file, first[at].line, sentence, "translate from this line on; what is the same in both languages may stay where it is short")
	}
}

// sharedSenders: hours and titles are short, and often the same.
func (s *Set) sharedSenders(r *report, v, o *voice) {
	for key, b := range s.spec.Senders {
		for _, x := range []struct{ key, is, was string }{
			{"hours", b.Hours[v.Code], b.Hours[o.Code]}, {"signatory.title", b.Signatory.Title[v.Code], b.Signatory.Title[o.Code]},
		} {
			if x.is == x.was && wordsIn(x.is) > 0 {
				r.add(Warn, "L34", "campaign.yaml", 0, fmt.Sprintf("senders.%s.%s.%s is still the text of %s", key, x.key, v.Code, o.Code), "translate it")
			}
		}
	}
}

// sharedLocale looks at what the language brings along. Neighbours share some of it,
// the names of the months; never half of it.
func sharedLocale(r *report, v, o *voice) {
	a, b := v.locale, o.locale
	var same []string
	total := 0
	for _, x := range []struct {
		key  string
		same bool
	}{
		{"dates.months", slices.Equal(a.Dates.Months, b.Dates.Months)}, {"dates.between", a.Dates.Between == b.Dates.Between},
		{"salutation.untitled", a.Salutation.Untitled == b.Salutation.Untitled}, {"salutation.courtesy", a.Salutation.Courtesy == b.Salutation.Courtesy},
		{"salutation.attention", a.Salutation.Attention == b.Salutation.Attention}, {"salutation.representative", a.Salutation.Representative == b.Salutation.Representative},
	} {
		total++
		if x.same {
			same = append(same, x.key)
		}
	}
	for _, w := range words() {
		if slices.Equal(a.Words[w], b.Words[w]) {
			r.add(Warn, "L34", "locale."+v.Code+".yaml", lineOf(v.localeText, "  "+string(w)+":"), fmt.Sprintf("words.%s are still those of %s: what the rules look for, no letter in %s says", w, o.Code, v.Code), "write the words of the language")
		}
	}
	if len(same) == 0 {
		return
	}
	severity := Warn
	if 2*len(same) >= total {
		severity = Block
	}
	r.add(severity, "L34", "locale."+v.Code+".yaml", 0, fmt.Sprintf("still those of %s: %s", o.Code, strings.Join(same, ", ")), "write what dates and salutations are in the language")
}
