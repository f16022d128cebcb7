package markdown

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/util"
)

// special are the characters that can mean something in the Markdown that Parse
// reads; a backslash before any of them is allowed (CommonMark 0.31, 2.4).
const special = "\\`*_{}[]()<>#+-.!|~&"

// Escape returns Markdown that Parse reads as s and nothing but s, wherever it
// stands within a line: at the start of a paragraph, in a list, in a table cell
// or in the text of a link, but not directly before a backslash that breaks the
// line or a bar that ends a cell: leave a blank, or goldmark misreads a text that
// ends in a backslash. It stays on one line: a run of white space and control
// characters becomes one space, and none is left at either end. What is not UTF-8
// becomes U+FFFD.
func Escape(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + len(s)/8 + 8)
	gap := false
	for _, r := range s {
		if r <= ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		if r < utf8.RuneSelf && strings.IndexByte(special, byte(r)) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain reports whether s needs no change: letters and digits of ASCII only.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	return true
}

// unescape takes the backslashes of escapes out, as a renderer of CommonMark does.
func unescape(s []byte) string {
	i := 0
	for i < len(s) && s[i] != '\\' {
		i++
	}
	if i == len(s) {
		return string(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && util.IsPunct(s[i+1]) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
