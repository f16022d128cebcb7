package intake

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// This file reads what a tired person has typed where the text as it stands leads to
// nobody.

// spelled is the sign of an e-mail address as people say it.
var spelled = regexp.MustCompile(`(?i) +(?:arobase|arobas|at sign) +|\((?:at|arobase)\)`)

// Misheard returns the keys that a text may mean if letters were typed for digits,
// an accent too many, or a name without its particle. It is for texts of which
// QueryKeys finds nobody: each is looked for as exactly as any other.
func Misheard(text string) []Key {
	text = spaces(text)
	if text == "" || len(text) > 320 {
		return nil
	}
	if mail := spelled.ReplaceAllString(text, "@"); strings.ContainsRune(mail, '@') {
		return QueryKeys(plainLetters(mail))
	}
	var list []Key
	if words := strings.Fields(text); len(words) > 1 && len(words) < 8 {
		list = particleKeys(nameKeys(words))
	}
	if digits := asDigits(text); digits != text {
		for _, k := range QueryKeys(digits) {
			if k.Kind != KeyName {
				list = append(list, k)
			}
		}
	}
	return list
}

// particles stand before family names, folded, and are left away by some.
func particles() []string {
	return []string{"le", "la", "l", "de", "d", "du", "des", "dela", "van", "von"}
}

func particleKeys(names []Key) (list []Key) {
	for _, k := range names {
		for _, p := range particles() {
			list = append(list, Key{k.Kind, p + k.Value})
		}
	}
	return list
}

// plainLetters takes the accents off.
func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\u0300' && r <= '\u036f' {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// asDigits reads letters that look like digits as those, where they stand beside one.
func asDigits(s string) string {
	r := []rune(s)
	digit := func(i int) bool {
		for ; i >= 0 && i < len(r); i++ {
			switch c := r[i]; {
			case c >= '0' && c <= '9':
				return true
			case !strings.ContainsRune(" .-+()oOiIlL", c):
				return false
			}
		}
		return false
	}
	after := false // a digit stands before this one, whatever lies between
	for i, c := range r {
		like, is := map[rune]rune{'o': '0', 'O': '0', 'i': '1', 'I': '1', 'l': '1', 'L': '1'}[c]
		switch {
		case is && (after || i == 0 && digit(1)):
			r[i], after = like, true
		case c >= '0' && c <= '9':
			after = true
		case c != ' ' && c != '.' && c != '-' && c != '+' && c != '(' && c != ')':
			after = false
		}
	}
	return string(r)
}
