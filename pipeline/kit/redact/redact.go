// Package redact takes people out of text that other systems wrote, so that it
// can stand in events, errors and logs.
package redact

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark stands where something was taken out.
const Mark = "…"

// Addresses takes every e-mail address out of text: what stands in angle brackets,
// and every run of characters around an "@" or a "%40".
func Addresses(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		if text[0] == '<' {
			if end := strings.IndexByte(text, '>'); end > 0 {
				b.WriteString("<" + Mark + ">")
				text = text[end+1:]
				continue
			}
		}
		end := strings.IndexFunc(text, delimiter)
		if end == 0 {
			_, n := utf8.DecodeRuneInString(text)
			b.WriteString(text[:n])
			text = text[n:]
			continue
		}
		if end < 0 {
			end = len(text)
		}
		if run := text[:end]; strings.Contains(run, "@") || strings.Contains(run, "%40") {
			b.WriteString(Mark)
		} else {
			b.WriteString(run)
		}
		text = text[end:]
	}
	return b.String()
}

// delimiter reports whether r ends a run of characters that may be an address.
func delimiter(r rune) bool {
	switch r {
	case '<', '>', '(', ')', '[', ']', '"', ',', ';', ':', '\\':
		return true
	}
	return unicode.IsSpace(r) || unicode.IsControl(r)
}

// Words takes every occurrence of the given words out of text, whatever their
// case, where no letter or digit stands beside them. The words are ASCII.
func Words(text string, words ...string) string {
	for _, w := range words {
		text = word(text, w)
	}
	return text
}

func word(text, w string) string {
	if w == "" {
		return text
	}
	var b strings.Builder
	start := 0
	for i := 0; i+len(w) <= len(text); i++ {
		if !strings.EqualFold(text[i:i+len(w)], w) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(w):])
		if i > 0 && alphanumeric(before) || i+len(w) < len(text) && alphanumeric(after) {
			continue
		}
		b.WriteString(text[start:i] + Mark)
		start = i + len(w)
		i = start - 1
	}
	if start == 0 {
		return text
	}
	return b.String() + text[start:]
}

func alphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Recipient takes an e-mail address out of text in all the forms in which mail
// servers repeat it: whole, its local part, and the words that make up the local
// part, which are names. Short pieces stay: they are everywhere.
func Recipient(text, address string) string {
	text = Addresses(text)
	local := address
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		local = address[:at]
	}
	local = strings.Trim(local, `"`)
	words := []string{local}
	for _, piece := range strings.FieldsFunc(local, func(r rune) bool { return !alphanumeric(r) }) {
		if len(piece) >= 3 {
			words = append(words, piece)
		}
	}
	return Words(text, words...)
}

// Line makes one line of text: valid UTF-8, runs of space and control characters
// become one space, and at most limit bytes.
func Line(text string, limit int) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
	if len(text) <= limit {
		return text
	}
	cut := max(limit-len(Mark), 0)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	if limit < len(Mark) {
		return ""
	}
	return text[:cut] + Mark
}
