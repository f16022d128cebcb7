package intake

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// foldText is a text as it is compared: letters and digits only, without accents,
// in lower case. Ligatures and the ß are written out.
func foldText(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	if ascii(s) {
		b := make([]byte, 0, len(s))
		for i := range len(s) {
			switch c := s[i]; {
			case c >= 'A' && c <= 'Z':
				b = append(b, c|0x20)
			case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
				b = append(b, c)
			}
		}
		return string(b)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		switch r {
		case 'œ', 'Œ':
			b.WriteString("oe")
			continue
		case 'æ', 'Æ':
			b.WriteString("ae")
			continue
		case 'ß', 'ẞ':
			b.WriteString("ss")
			continue
		case 'ø', 'Ø':
			r = 'o'
		case 'ł', 'Ł':
			r = 'l'
		case 'đ', 'Đ', 'ð', 'Ð':
			r = 'd'
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// sameName reports whether two full names can be of the same person or company:
// the words of the shorter are among those of the longer, an initial standing
// for a word. "M. Dupont" and "DUPONT Jean-Pierre" can be the same, "Jean Dupont"
// and "Marie Dupont" cannot.
func sameName(a, b string) bool {
	if a == b || foldText(a) == foldText(b) {
		return true // also what one list writes in two words and the other in one
	}
	x, y := nameWords(a), nameWords(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) == 0 {
		return true
	}
	full := false // one whole word at least has to agree
	for _, w := range x {
		switch {
		case slices.Contains(y, w):
			full = full || len(w) > 1
		case len(w) == 1 && slices.ContainsFunc(y, func(v string) bool { return strings.HasPrefix(v, w) }):
		case slices.ContainsFunc(y, func(v string) bool { return len(v) == 1 && strings.HasPrefix(w, v) }):
		default:
			return false
		}
	}
	return full
}

// nameWords returns the folded words of a name.
func nameWords(s string) []string {
	var list []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}) {
		if w = foldText(w); w != "" {
			list = append(list, w)
		}
	}
	slices.Sort(list)
	return list
}
