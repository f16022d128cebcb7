package email

import "strings"

// Limits of RFC 5321, section 4.5.3.1, in octets, without angle brackets.
const (
	maxLocal = 64
	maxPath  = 254
)

// validPath reports whether s may stand between the angle brackets of MAIL or
// RCPT: one local part, one host name, ASCII, and nothing that could end the
// command or smuggle a parameter into it.
func validPath(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > maxLocal || at == len(s)-1 || len(s) > maxPath {
		return false
	}
	for i := at + 1; i < len(s); i++ {
		c := s[i]
		if !alphanumeric(c) && c != '-' && c != '.' {
			return false
		}
	}
	local := s[:at]
	if local[0] == '"' {
		return quoted(local)
	}
	for i := range len(local) {
		if c := local[i]; !alphanumeric(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) < 0 {
			return false
		}
	}
	return true
}

// quoted reports whether s is a quoted string of printable ASCII. Angle brackets
// are refused in it too: not every relay knows that quotes protect them.
func quoted(s string) bool {
	if len(s) < 3 || s[len(s)-1] != '"' {
		return false
	}
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case c == '\\':
			if i++; i == len(s)-1 || s[i] < ' ' || s[i] > '~' {
				return false
			}
		case c == '"', c == '<', c == '>', c < ' ', c > '~':
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// appendXtext appends s in the encoding of RFC 3461, section 4.
func appendXtext(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			b = append(b, '+', hex[c>>4], hex[c&15])
			continue
		}
		b = append(b, s[i])
	}
	return b
}
