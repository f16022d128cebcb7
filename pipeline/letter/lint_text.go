package letter

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// passage is a piece of text that a writer wrote, with the place to correct it.
type passage struct {
	file  string
	line  int
	where string // key of campaign.yaml or of the catalogue; "" in letters
	text  string
	next  string // of the following line: a formula may run over the line's end
}

// actions matches what is not text in a letter: actions and comments.
var actions = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// action stands for an action in a passage.
const action = "·"

// passages lists everything that a voice can say.
func (s *Set) passages(v *voice) []passage {
	var out []passage
	lines := func(file, text string) {
		// An action becomes a sign that is no word and no blank; its line breaks stay.
		text = actions.ReplaceAllStringFunc(text, func(a string) string { return action + strings.Repeat("\n", strings.Count(a, "\n")) })
		all := strings.Split(text, "\n")
		for i, l := range all {
			p := passage{file: file, line: i + 1, text: l}
			if i+1 < len(all) {
				p.next = all[i+1]
			}
			out = append(out, p)
		}
	}
	for _, kind := range s.templates() {
		lines(v.sheets[kind].file, v.sheets[kind].text)
	}
	lines(v.partsFile, v.parts)
	spec := func(key, text string) {
		if strings.TrimSpace(text) != "" {
			out = append(out, passage{file: "campaign.yaml", where: key + "." + v.Code, text: clean(text)})
		}
	}
	i := s.spec.Incident
	spec("incident.facts", i.Facts[v.Code])
	spec("incident.not_taken", i.NotTaken[v.Code])
	spec("incident.why_now", i.WhyNow[v.Code])
	for _, m := range i.Measures[v.Code] {
		spec("incident.measures", m)
	}
	for _, e := range s.catalogue.entries {
		kind := func(key, text string) {
			if text == "" {
				return
			}
			p := passage{file: e.in[v.Code], where: e.code + "." + key + "." + v.Code, text: clean(text)}
			if raw := s.catalogue.text[p.file]; raw != "" {
				p.line = lineOf(raw, text)
			}
			out = append(out, p)
		}
		kind("name", e.Name[v.Code])
		kind("fields", e.Fields[v.Code])
		kind("consequence", e.Consequence[v.Code])
		for _, a := range e.Advice[v.Code] {
			kind("advice", a)
		}
	}
	return out
}

// pattern is a shape of text that has no place in a letter.
type pattern struct {
	code     string
	re       *regexp.Regexp
	sentence string // followed by what was found
	hint     string
}

// patterns are looked for in every passage, in all languages alike.
var patterns = []pattern{
	{"L20", regexp.MustCompile(`(?i)\d[\d .,\x{a0}\x{202f}]*[ \x{a0}\x{202f}]?(?:€|euros?\b|eur\b|usd\b)|[€$£][ \x{a0}\x{202f}]?\d`), "a price", "a notice of a breach sells nothing"},
	{"L20", regexp.MustCompile(`(?i)\b(?:facebook|instagram|linkedin|tiktok|youtube|twitter|snapchat|utm_[a-z]+)\b`), "a social network or a campaign tag", "take it out"},
	{"L21", regexp.MustCompile(`<[a-zA-Z/!][^>]*>`), "HTML, which would be printed as it stands", "write Markdown"},
	{"L21", regexp.MustCompile(`!\[`), "an image, and letters have none", "take it out; the logo of the sender stands on paper by itself"},
	{"L25", regexp.MustCompile(`&(?:[a-zA-Z]+|#x?[0-9a-fA-F]+);`), "an HTML entity, which would be printed as it stands", "write the character itself"},
	{"L25", regexp.MustCompile(`\bX{3,}\b|\bTODO\b|\bTBD\b|\bFIXME\b|(?i:lorem ipsum|à compléter|to be completed)|\[\[|\]\]|%[A-Z_]{3,}%|<<|>>|\$\{|\{[a-z_]+\}`), "something to be filled in", "fill it in or take it out"},
}

// lintPassage applies the rules on single texts.
func (s *Set) lintPassage(r *report, v *voice, p passage) {
	place := func(sentence string) string {
		if p.where == "" {
			return sentence
		}
		return p.where + ": " + sentence
	}
	for _, x := range patterns {
		if found := x.re.FindString(p.text); found != "" {
			r.add(Block, x.code, p.file, p.line, place(fmt.Sprintf("%s: %q", x.sentence, found)), x.hint)
		}
	}
	s.lintLinks(r, p, place)
	if found := accountNumber(p.text); found != "" {
		r.add(Block, "L23", p.file, p.line, place("a full "+found), "no letter holds one")
	}
	own := fold(p.text)
	text := own + " " + fold(p.next)
	for _, x := range []struct {
		word       word
		code, hint string
	}{
		{wordVague, "L08", "say what exactly was done, what exactly is concerned, when exactly: such formulas were fined as saying nothing"},
		{wordPromo, "L20", "a notice of a breach is tied to nothing else"},
	} {
		for _, w := range v.Words[x.word] {
			if at := findWord(text, fold(w)); at >= 0 && at < len(own) {
				r.add(Block, x.code, p.file, p.line, place(fmt.Sprintf("%q", w)), x.hint)
			}
		}
	}
}

// links matches links of Markdown; addresses those that stand in text.
var (
	links     = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)
	addresses = regexp.MustCompile(`(?i:\b(?:https?://|www\.)[^\s<>()\[\]"«»]+)`)
)

// lintLinks blocks every address that is not on the campaign's list: mail readers
// make links of addresses in text.
func (s *Set) lintLinks(r *report, p passage, place func(string) string) {
	check := func(target, text string) {
		if !allowedLink(target, text, s.spec.Letters.AllowLinks) || strings.Contains(target, action) {
			r.add(Block, "L22", p.file, p.line, place(fmt.Sprintf("the link %q", target)),
				"take it out; or list its host under letters.allow_links and write [https://…](https://…), without query and without a value of the customer")
		}
	}
	rest := links.ReplaceAllStringFunc(p.text, func(m string) string {
		parts := links.FindStringSubmatch(m)
		check(parts[2], parts[1])
		return " "
	})
	for _, m := range addresses.FindAllString(rest, -1) {
		m = strings.TrimRight(m, ".,;:!?")
		check(m, m)
	}
}

// fold makes texts comparable: small letters without accents, plain apostrophes
// and blanks, no emphasis.
func fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := true
	for _, r := range s {
		switch r {
		case '*', '_', '\\', '\u00ad', '\u200d':
			continue
		case '’', '‘', 'ʼ':
			r = '\''
		case 'œ', 'Œ':
			b.WriteString("oe")
			gap = false
			continue
		}
		if unicode.IsSpace(r) || r == '\u202f' || r == '\u00a0' {
			if !gap {
				b.WriteByte(' ')
			}
			gap = true
			continue
		}
		gap = false
		r = unicode.ToLower(r)
		if plain, ok := unaccented(r); ok {
			r = plain
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// unaccented returns the base letter of the accented ones in Western languages.
func unaccented(r rune) (rune, bool) {
	const from = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
	const to = "aaaaaaceeeeiiiinooooouuuuyy"
	if r < 0xe0 || r > 0xff {
		return r, false
	}
	i := 0
	for _, f := range from {
		if f == r {
			return rune(to[i]), true
		}
		i++
	}
	return r, false
}

// findWord returns where a folded text holds words as words, -1 if nowhere.
func findWord(text, words string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return -1
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(words):])
		if !wordRune(before) && !wordRune(after) {
			return i
		}
		from = i + 1
	}
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// fullIBAN is what accountNumber calls an account.
const fullIBAN = "bank account number (IBAN)"

// number matches what may be an account or card number.
var number = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?:[ \x{a0}]?[A-Z0-9]){11,30}\b|\b\d(?:[ \x{a0}-]?\d){12,18}\b`)

// accountNumber reports an IBAN (ISO 13616, checked modulo 97) or a card number
// (ISO/IEC 7812, 13 to 19 digits, first digit 2 to 6, checked by Luhn) in a text.
func accountNumber(s string) string {
	for _, m := range number.FindAllString(s, -1) {
		compact := strings.NewReplacer(" ", "", "\u00a0", "", "-", "").Replace(m)
		if compact[0] > '9' {
			if iban(compact) {
				return fullIBAN
			}
			continue
		}
		if compact[0] >= '2' && compact[0] <= '6' && luhn(compact) {
			return "card number"
		}
	}
	return ""
}

func iban(s string) bool {
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	rest := 0
	for _, c := range s[4:] + s[:4] {
		switch {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
