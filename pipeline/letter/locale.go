package letter

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/strictyaml"
)

// locale is what a language brings along: locale.LOCALE.yaml.
type locale struct {
	Code       string            `yaml:"-"`
	Dates      dateWords         `yaml:"dates"`
	Labels     labelWords        `yaml:"labels"`
	Salutation salutationWords   `yaml:"salutation"`
	Contract   string            `yaml:"contract"` // an offer without a name
	Typography typographyRules   `yaml:"typography"`
	Words      map[word][]string `yaml:"words"` // what the linter looks for

	titles    map[string]string // folded title as given → form of address
	particles map[string]bool
}

// dateWords write dates. {d} {month} {yyyy} are replaced, {date} {from} {to} too.
type dateWords struct {
	Months  []string `yaml:"months"`
	First   string   `yaml:"first"` // the first day of a month: "1er"; "": the number
	Day     string   `yaml:"day"`   // "{d} {month} {yyyy}"
	On      string   `yaml:"on"`    // "on {date}"
	Between string   `yaml:"between"`
}

type labelWords struct {
	Subject   string `yaml:"subject"`
	Reference string `yaml:"reference"`
	Page      string `yaml:"page"`
	Colon     string `yaml:"colon"`
}

type salutationWords struct {
	Titles         map[string][]string `yaml:"titles"`   // form of address → titles as directories write them
	Titled         string              `yaml:"titled"`   // {title} {name}
	Untitled       string              `yaml:"untitled"` // unknown or joint titles, companies; may hold {name}
	Courtesy       string              `yaml:"courtesy"` // where the title is unknown
	Attention      string              `yaml:"attention"`
	AtCompany      string              `yaml:"at_company"`     // {name} {company}
	Representative string              `yaml:"representative"` // {name} {person}
	Particles      []string            `yaml:"particles"`      // stay small when a name in capitals is title-cased
}

// typographyRules put no-break spaces into the campaign's own texts.
type typographyRules struct {
	Before string `yaml:"before"` // characters that keep the space before them
	After  string `yaml:"after"`  // characters that keep the space after them
	// Units stay with the number before them ("20 h"), Numbered with the number
	// after them ("Cedex 07").
	Units    []string `yaml:"units"`
	Numbered []string `yaml:"numbered"`
	// Elide replaces words of the locale's own patterns before a value that starts
	// with one of Vowels: "de Anne" → "d’Anne".
	Elide  map[string]string `yaml:"elide"`
	Vowels string            `yaml:"vowels"`
}

// word is a list of words that a rule of the linter looks for.
type word string

const (
	wordVague     word = "vague"     // says nothing: "all necessary measures"
	wordPromo     word = "promo"     // sells
	wordUrgent    word = "urgent"    // presses
	wordNever     word = "never"     // "we will never ask you"
	wordAuthority word = "authority" // the supervisory authority
	wordComplaint word = "complaint" // a complaint with the police
)

// words lists the lists that a locale brings.
func words() []word {
	return []word{wordVague, wordPromo, wordUrgent, wordNever, wordAuthority, wordComplaint}
}

func loadLocale(fsys fs.FS, code string) (*locale, []Fault) {
	name := "locale." + code + ".yaml"
	text, faults := readText(fsys, name)
	if faults != nil {
		return nil, faults
	}
	l := &locale{Code: code}
	if err := strictyaml.Decode(name, []byte(text), l); err != nil {
		return nil, []Fault{{File: name, Sentence: strings.TrimPrefix(err.Error(), name+": ")}}
	}
	need := func(ok bool, key string) {
		if !ok {
			faults = append(faults, Fault{File: name, Sentence: key + " is missing"})
		}
	}
	need(len(l.Dates.Months) == 12, "dates.months with twelve names")
	need(strings.Contains(l.Dates.Day, "{d}") && strings.Contains(l.Dates.Day, "{month}") && strings.Contains(l.Dates.Day, "{yyyy}"), "dates.day with {d}, {month} and {yyyy}")
	need(strings.Contains(l.Dates.On, "{date}"), "dates.on with {date}")
	need(strings.Contains(l.Dates.Between, "{from}") && strings.Contains(l.Dates.Between, "{to}"), "dates.between with {from} and {to}")
	need(l.Labels.Subject != "" && l.Labels.Reference != "" && l.Labels.Page != "" && l.Labels.Colon != "", "one of labels.subject, reference, page, colon")
	s := l.Salutation
	need(strings.Contains(s.Titled, "{name}") && strings.Contains(s.Titled, "{title}"), "salutation.titled with {title} and {name}")
	need(s.Untitled != "" && s.Courtesy != "", "salutation.untitled or courtesy")
	need(strings.Contains(s.Attention, "{name}") && strings.Contains(s.AtCompany, "{company}") && strings.Contains(s.Representative, "{person}"), "salutation.attention with {name}, at_company with {company} or representative with {person}")
	need(l.Contract != "", "contract")
	for _, w := range words() {
		need(len(l.Words[w]) > 0, "words."+string(w))
	}
	for w := range l.Words {
		need(strings.Contains(fmt.Sprint(words()), string(w)), "a rule for words."+string(w))
	}
	l.titles, l.particles = map[string]string{}, map[string]bool{}
	for form, list := range s.Titles {
		for _, t := range list {
			l.titles[foldTitle(t)] = form
		}
	}
	for _, p := range s.Particles {
		l.particles[strings.ToLower(p)] = true
	}
	return l, faults
}

// date writes a calendar day: "20 janvier 2026", "1er mai 2026". Day and month
// stay together.
func (l *locale) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return fill(l.Dates.Day, "{d}", l.day(t), "{month}", l.Dates.Months[t.Month()-1], "{yyyy}", t.Format("2006"))
}

func (l *locale) day(t time.Time) string {
	if t.Day() == 1 && l.Dates.First != "" {
		return l.Dates.First
	}
	return t.Format("2")
}

// period writes a day or a span of days: "le 12 janvier 2026", "entre le 12 et le
// 15 janvier 2026".
func (l *locale) period(from, to time.Time) string {
	if to.IsZero() || to.Equal(from) {
		return fill(l.Dates.On, "{date}", l.date(from))
	}
	// What the two days share is said once.
	short := l.Dates.Day
	if from.Year() == to.Year() {
		short = cutWord(short, "{yyyy}")
		if from.Month() == to.Month() && strings.Index(short, "{d}") < strings.Index(short, "{month}") {
			short = cutWord(short, "{month}")
		}
	}
	start := fill(short, "{d}", l.day(from), "{month}", l.Dates.Months[from.Month()-1], "{yyyy}", from.Format("2006"))
	return fill(l.Dates.Between, "{from}", start, "{to}", l.date(to))
}

// cutWord takes a placeholder out of a pattern, with the blank that set it apart.
func cutWord(pattern, word string) string {
	return strings.Trim(strings.ReplaceAll(strings.ReplaceAll(pattern, word, ""), "  ", " "), " \u00a0,")
}

// fill replaces placeholders by what follows them, in one pass: a value that looks
// like a placeholder stays. An unknown placeholder stays too.
func fill(pattern string, pairs ...string) string {
	var b strings.Builder
	b.Grow(len(pattern) + 64)
next:
	for {
		i := strings.IndexByte(pattern, '{')
		if i < 0 {
			b.WriteString(pattern)
			return b.String()
		}
		b.WriteString(pattern[:i])
		pattern = pattern[i:]
		for j := 0; j < len(pairs); j += 2 {
			if strings.HasPrefix(pattern, pairs[j]) {
				b.WriteString(pairs[j+1])
				pattern = pattern[len(pairs[j]):]
				continue next
			}
		}
		b.WriteByte('{')
		pattern = pattern[1:]
	}
}

// compose fills a pattern with names and elides the words before them.
func (l *locale) compose(pattern string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		first, _ := utf8.DecodeRuneInString(pairs[i+1])
		if !strings.ContainsRune(l.Typography.Vowels, first) {
			continue
		}
		for word, short := range l.Typography.Elide {
			pattern = strings.ReplaceAll(pattern, " "+word+pairs[i], " "+short+pairs[i])
		}
	}
	return fill(pattern, pairs...)
}

// labels returns the words around the letter.
func (l *locale) labels(date string) pipeline.Labels {
	return pipeline.Labels{Date: date, Subject: l.Labels.Subject, Reference: l.Labels.Reference, Page: l.Labels.Page, Colon: l.Labels.Colon}
}

// letterLike reports whether an apostrophe beside r stands within a word.
func letterLike(r rune) bool { return isLetter(r) || r >= firstValue }

// typeset gives the campaign's own text the typography of the language:
// apostrophes, and no-break spaces before and after the characters and words that
// ask for them and between groups of digits.
func (l *locale) typeset(s string) string {
	if !strings.ContainsAny(s, " '") {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	runes := []rune(s)
	for i, r := range runes {
		var before, after rune
		if i > 0 {
			before = runes[i-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case r == '\'' && letterLike(before) && letterLike(after):
			r = '’'
		case r == ' ' && (after != 0 && strings.ContainsRune(l.Typography.Before, after) && !wordFollows(runes[i+1:]) ||
			before != 0 && strings.ContainsRune(l.Typography.After, before) || isDigit(before) && (isDigit(after) || l.monthFollows(runes[i+1:]) || l.unitFollows(runes[i+1:])) ||
			isDigit(after) && l.numbered(runes[:i])):
			r = '\u00a0'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wordFollows reports whether a sign starts a word (":-)", "!important") and does
// not end a phrase.
func wordFollows(s []rune) bool { return len(s) > 1 && s[0] != '»' && letterLike(s[1]) }

// monthFollows reports whether the name of a month starts here.
func (l *locale) monthFollows(s []rune) bool {
	text := string(s[:min(len(s), 12)])
	return slices.ContainsFunc(l.Dates.Months, func(m string) bool { return strings.HasPrefix(text, m) })
}

// unitFollows reports whether a unit and nothing more of a word starts here.
func (l *locale) unitFollows(s []rune) bool {
	return slices.ContainsFunc(l.Typography.Units, func(u string) bool {
		word := []rune(u)
		return len(s) >= len(word) && slices.Equal(s[:len(word)], word) && (len(s) == len(word) || !letterLike(s[len(word)]) && !isDigit(s[len(word)]))
	})
}

// numbered reports whether a word that its number belongs to ends here.
func (l *locale) numbered(s []rune) bool {
	return slices.ContainsFunc(l.Typography.Numbered, func(n string) bool {
		rest := len(s) - utf8.RuneCountInString(n)
		return rest >= 0 && strings.EqualFold(string(s[rest:]), n) && (rest == 0 || !letterLike(s[rest-1]))
	})
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
