package letter

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

func isLetter(r rune) bool { return unicode.IsLetter(r) }

// foldTitle makes titles of directories comparable: "M.", "m" and " M " are one.
func foldTitle(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// addressee is who a letter speaks to, in the words of its locale.
type addressee struct {
	name        string // to greet, and for the To header
	salutation  string
	attention   string // "" where the salutation names the person
	courtesy    string
	represented string // whose data it is, if somebody else is written to
}

// address decides how to speak to a person. A representative is greeted without a
// title, because the title in the directory is the customer's.
func (l *locale) address(p pipeline.Person) addressee {
	s := l.Salutation
	person := strings.TrimSpace(l.titleCase(clean(p.FirstName)) + " " + l.titleCase(clean(p.LastName)))
	company := clean(p.Company)
	a := addressee{name: person, courtesy: s.Courtesy}
	if person == "" {
		a.name = company
	}
	title := ""
	if r := clean(p.Representative); r != "" {
		a.represented, a.name = a.name, l.titleCase(r)
		a.attention = l.compose(s.Representative, "{name}", a.name, "{person}", a.represented)
	} else if company != "" && person != "" {
		a.attention = l.compose(s.AtCompany, "{name}", a.name, "{company}", company)
		title = l.titles[foldTitle(p.Title)]
	} else if person != "" {
		title = l.titles[foldTitle(p.Title)]
	}
	if title != "" {
		a.salutation, a.courtesy = l.compose(s.Titled, "{title}", title, "{name}", a.name), title
		return a
	}
	a.salutation = l.compose(s.Untitled, "{name}", a.name)
	if a.attention == "" && !strings.Contains(s.Untitled, "{name}") {
		a.attention = l.compose(s.Attention, "{name}", a.name)
	}
	return a
}

// titleCase gives a name that is written in capitals only its small letters back:
// "O'NEIL" → "O'Neil", "JEAN-PIERRE" → "Jean-Pierre", "DE LA TOUR" → "de La Tour"
// (particle small, article large, as in Jean de La Fontaine), "MCCARTHY" →
// "McCarthy". "MACDONALD" and "MACHADO" cannot be told apart and become
// "Macdonald", "Machado". Any other name stays as it is.
func (l *locale) titleCase(s string) string {
	letters := 0
	for _, r := range s {
		if unicode.IsLower(r) {
			return s
		}
		if unicode.IsUpper(r) {
			letters++
		}
	}
	if letters < 2 {
		return s
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		words[i] = l.caseWord(w, i == len(words)-1)
	}
	return strings.Join(words, " ")
}

// caseWord title-cases one word; a particle before another word stays small.
func (l *locale) caseWord(w string, last bool) string {
	if small := strings.ToLower(w); l.particles[small] && !last {
		return small
	}
	if w == "II" || w == "III" || w == "IV" {
		return w
	}
	parts := strings.Split(w, "-")
	for i, p := range parts {
		if small := strings.ToLower(p); i > 0 && i < len(parts)-1 && l.particles[small] {
			parts[i] = small
			continue
		}
		parts[i] = l.caseElided(p)
	}
	return strings.Join(parts, "-")
}

// caseElided title-cases a word that may hold apostrophes: "D'ORMESSON" →
// "d'Ormesson", "O'NEIL" → "O'Neil".
func (l *locale) caseElided(w string) string {
	i := strings.IndexAny(w, "'’")
	if i < 0 {
		return capital(w)
	}
	_, n := utf8.DecodeRuneInString(w[i:])
	head, mark, tail := w[:i], w[i:i+n], w[i+n:]
	if small := strings.ToLower(head); l.particles[small+"'"] && tail != "" {
		head = small
	} else {
		head = capital(head)
	}
	return head + mark + l.caseElided(tail)
}

// capital makes all letters small but the first, and the one after Mc.
func capital(w string) string {
	at := strings.IndexFunc(w, unicode.IsLetter)
	if at < 0 {
		return w
	}
	first, n := utf8.DecodeRuneInString(w[at:])
	rest := strings.ToLower(w[at+n:])
	if first == 'M' && len(rest) > 2 && rest[0] == 'c' {
		r, n := utf8.DecodeRuneInString(rest[1:])
		rest = "c" + string(unicode.ToTitle(r)) + rest[1+n:]
	}
	return w[:at] + string(unicode.ToTitle(first)) + rest
}
