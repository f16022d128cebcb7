package letter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A value of a customer travels through the template and the Markdown parser as
// one character of Supplementary Private Use Area-A: an ordinary letter to both.
const (
	firstValue = 0xF0000
	maxValues  = 0xFFF0 // the plane ends in two noncharacters
	valueLead  = 0xF3   // first byte of U+F0000 to U+FFFFF in UTF-8
	valueLen   = 4
)

// values holds the values of one letter.
type values []string

// put stores a value and returns its stand-in; "" stays "", so that a template can
// ask for it. Past the last stand-in, len tells.
func (v *values) put(s string) Value {
	if s == "" {
		return ""
	}
	*v = append(*v, s)
	return Value(rune(firstValue + (len(*v)-1)%maxValues))
}

// valueAt decodes a stand-in at the start of b.
func valueAt(b []byte) int {
	r, _ := utf8.DecodeRune(b)
	return int(r) - firstValue
}

// unwanted reports whether a character has no place in a letter: it controls, is
// invisible and can mislead, or belongs to the planes of the stand-ins. Joiners
// that scripts need (U+200C, U+200D) may stay.
func unwanted(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r), r >= 0xE0000, r >= 0xE000 && r <= 0xF8FF:
		return true
	case r >= 0x202A && r <= 0x202E, r >= 0x2060 && r <= 0x206F, r == 0x200B, r == 0x200E, r == 0x200F, r == 0x061C, r == 0xFEFF, r == 0x2028, r == 0x2029:
		return true
	}
	return false
}

// clean makes a value one line of text that can be seen: white space and
// controls become single spaces, direction marks and other invisible characters
// go, what is not UTF-8 becomes U+FFFD.
func clean(s string) string {
	if tidy(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		if r == ' ' || r == 0x2028 || r == 0x2029 || unicode.IsControl(r) {
			gap = b.Len() > 0
			continue
		}
		if unwanted(r) {
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// tidy reports whether clean would change nothing; most values are.
func tidy(s string) bool {
	gap := true
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf || c < ' ' || c == 0x7f || c == ' ' && gap {
			return false
		}
		gap = c == ' '
	}
	return s == "" || !gap
}

// solid is clean with no-break spaces, for what may not be broken across lines:
// numbers of contracts and telephones.
func solid(s string) string { return strings.ReplaceAll(clean(s), " ", "\u00a0") }
