// Package visible shows characters that nobody sees and that change what others see:
// those that turn the direction of a text, and those that a terminal obeys. A reason or
// the answer of a mail server could otherwise read as something else than it is, or
// write over what stands above it. What is kept stays as it was.
//
// Reference: Unicode Technical Report 36, 2.12; CVE-2021-42574.
package visible

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// turns reports whether r turns the direction of what follows it.
func turns(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// Text writes control characters, but for line ends and tabs, and those that turn the
// direction, as U+202E. What is no UTF-8 becomes U+FFFD: terminals have obeyed single
// bytes.
func Text(s string) string {
	odd := func(r rune) bool {
		return turns(r) || r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t'
	}
	if strings.IndexFunc(s, odd) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if odd(r) && r != utf8.RuneError {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Writer writes what [Text] makes of it. A character is not split between two writes
// by whoever prints lines.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ w io.Writer }

// Write implements io.Writer.
func (w writer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.w, Text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Page does the same with the text of a page: not in tags, and not where somebody
// edits a text, which has to come back as it is. The page is one of html/template,
// which leaves no < in what others wrote.
func Page(page []byte) []byte {
	if bytes.IndexFunc(page, turns) < 0 {
		return page
	}
	out := make([]byte, 0, len(page)+64)
	for len(page) > 0 {
		text := page
		if at := bytes.IndexByte(page, '<'); at >= 0 {
			text = page[:at]
		}
		out = append(out, shown(text)...)
		page = page[len(text):]
		n := tag(page)
		out = append(out, page[:n]...)
		page = page[n:]
	}
	return out
}

// tag is how long the tag is with which a page begins, with what it holds as it is.
func tag(page []byte) int {
	quote := byte(0)
	for i, c := range page {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			for _, kept := range []string{"textarea", "script", "style"} {
				if rest, ok := bytes.CutPrefix(page, []byte("<"+kept)); ok && (rest[0] == '>' || rest[0] == ' ' || rest[0] == '\n') {
					if end := bytes.Index(page[i:], []byte("</"+kept)); end >= 0 {
						return i + end
					}
					return len(page)
				}
			}
			return i + 1
		}
	}
	return len(page)
}

func shown(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if turns(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
		} else {
			b.Write(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}
