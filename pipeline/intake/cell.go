package intake

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// clean returns the text of a cell as a person would have typed it: NFC, control
// characters as spaces, runs of spaces as one, none around it, nothing where the
// cell only says that it is empty. name says that the cell holds a name: there
// are people called Null, so only the capitals count.
func (k *checker) clean(raw []byte, column string, name bool) string {
	if len(raw) == 0 {
		return ""
	}
	if tidy(raw) {
		s := string(raw)
		if isNull(s, name) {
			k.f.add(nullText, column)
			return ""
		}
		return s
	}
	if !utf8.Valid(raw) {
		k.f.add(badEncoding, column)
		return ""
	}
	s := string(raw)
	if strings.ContainsAny(s, "ÃÂâ") {
		if t, ok := unmangle(s); ok {
			k.f.add(mojibake, column)
			s = t
		}
	}
	s = norm.NFC.String(s)
	s = spaces(s)
	if isNull(s, name) {
		k.f.add(nullText, column)
		return ""
	}
	return s
}

// tidy reports whether a cell is printable ASCII with single inner spaces.
func tidy(b []byte) bool {
	last := byte(' ')
	for _, c := range b {
		if c < ' ' || c >= 0x7f || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return last != ' '
}

// spaces makes one space of every run of white space and control characters, and
// drops characters that show nothing or that turn the direction of what follows.
func spaces(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	pending := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			pending = b.Len() > 0
			continue
		case r == '\u200b', r == '\ufeff', r == '\u00ad', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			continue
		}
		if pending {
			b.WriteByte(' ')
			pending = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// isNull reports whether a text only says that there is nothing.
func isNull(s string, name bool) bool {
	if len(s) > 10 || s == "" {
		return false
	}
	switch s {
	case "-", "--", "---", "—", "–", ".", "..", "...", "?", "/", "NULL", "null", "(null)", "N/A", "n/a", `\N`, "#N/A", "#N/D", "#REF!", "#VALUE!", "#VALEUR!", "#NAME?", "#NOM?", "#NULL!", "#DIV/0!", "NaN", "nan":
		return true
	}
	if name {
		return false
	}
	switch strings.ToLower(s) {
	case "null", "none", "nil", "néant", "neant", "undefined", "(vide)", "vide", "(empty)", "unknown", "inconnu":
		return true
	}
	return false
}

// unmangle undoes a UTF-8 text that was read as Windows-1252 once. It does so
// only if the whole text allows it.
func unmangle(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r < utf8.RuneSelf {
			b = append(b, byte(r))
			continue
		}
		c, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			if r >= 0x80 && r <= 0x9f { // what 1252 leaves open often comes through as a control
				c = byte(r)
			} else {
				return "", false
			}
		}
		b = append(b, c)
	}
	if !utf8.Valid(b) || bytes.ContainsRune(b, utf8.RuneError) {
		return "", false
	}
	return string(b), true
}

// damaged reports whether letters of a text were lost in a conversion.
func damaged(s string) bool { return strings.ContainsRune(s, utf8.RuneError) }
