// Package fold makes texts comparable that people have typed, heard or read out:
// what is the same to an ear is the same here. Case, accents, punctuation, ligatures
// and the kind of white space do not count.
package fold

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// pairs are letters that Unicode does not decompose.
var pairs = strings.NewReplacer("œ", "oe", "æ", "ae", "ß", "ss", "ø", "o", "ł", "l", "đ", "d", "ı", "i")

// Words returns the letters and digits of s, in lower case and without accents, as
// words separated by one space.
func Words(s string) string {
	s = pairs.Replace(strings.ToLower(norm.NFKD.String(strings.ToValidUTF8(s, " "))))
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
			continue // accents, soft hyphens, what nobody sees
		case unicode.IsLetter(r), unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// Holds reports whether text holds the words of part, whole and in this order. Both
// are as Words returns them; no words are in every text.
func Holds(text, part string) bool {
	return part == "" || strings.Contains(" "+text+" ", " "+part+" ")
}

// Digits returns the digits of s.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, norm.NFKC.String(s))
}
