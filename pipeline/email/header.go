package email

import (
	"mime"
	"strings"
	"unicode/utf8"
)

// maxWord is the longest encoded word that fits behind "Subject: " on a line of 76
// characters as go-mail folds it. RFC 2047 allows 75, but then the line starts
// with a fold, which some readers show as an empty subject.
const maxWord = 62

// encodeSubject returns s in encoded words (RFC 2047) if it needs them. Line
// breaks and other control characters become spaces: a subject is one line.
func encodeSubject(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if mime.QEncoding.Encode("utf-8", s) == s && !strings.Contains(s, "=?") {
		return s
	}
	const start, end = "=?utf-8?q?", "?="
	var b strings.Builder
	room := 0
	for _, r := range s {
		n := encodedLen(r)
		if n > room {
			if b.Len() > 0 {
				b.WriteString(end + " ")
			}
			b.WriteString(start)
			room = maxWord - len(start) - len(end)
		}
		appendEncoded(&b, r)
		room -= n
	}
	b.WriteString(end)
	return b.String()
}

// literal reports whether r stands for itself in an encoded word wherever it is.
func literal(r rune) bool {
	return r < utf8.RuneSelf && (alphanumeric(byte(r)) || strings.IndexByte("!*+-/", byte(r)) >= 0)
}

func encodedLen(r rune) int {
	if r == ' ' || literal(r) {
		return 1
	}
	return 3 * utf8.RuneLen(r)
}

func appendEncoded(b *strings.Builder, r rune) {
	const hex = "0123456789ABCDEF"
	switch {
	case r == ' ':
		b.WriteByte('_')
	case literal(r):
		b.WriteByte(byte(r))
	default:
		var u [utf8.UTFMax]byte
		for _, c := range u[:utf8.EncodeRune(u[:], r)] {
			b.WriteByte('=')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}
