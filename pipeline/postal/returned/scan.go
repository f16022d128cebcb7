package returned

import (
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/postal"
)

// Letter is the letter that somebody names: by its reference, with the attempt if
// the symbol was scanned, or by its place in a print run.
type Letter struct {
	Reference pipeline.Reference
	Attempt   int // 0: not said
	Run       int64
	Seq       int
}

// fault is what is wrong with what was typed or scanned.
func fault(code, sentence, hint string) *pipeline.Error {
	return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Permanent: true, Exit: 2}
}

var (
	errNothing  = fault("letter-missing", "neither a reference nor a code is there", "")
	errMistyped = fault("reference-check", "the reference does not check: a character is wrong, or two are swapped", "read it again from the letter, or scan the symbol at its foot")
	errLength   = fault("reference-length", "this is no reference: one has 12 letters and digits, the letter U is never among them", "read it again from the letter, or scan the symbol at its foot")
	errMisread  = fault("scan-misread", "the symbol was misread: its check character is wrong", "scan it again")
	errForeign  = fault("scan-foreign", "this is no symbol of a letter of ours", "scan the symbol at the foot of the letter, not the stamp or the label of the post")
	errKeyboard = fault("scan-keyboard", "the scanner types as if the keyboard were American", "set the scanner, or the computer, to the same keyboard layout; nothing is guessed")
)

// ParseLetter reads what was typed or scanned. Scanners put an identifier before
// the text (]d2, ISO/IEC 15424) and a tab or a control character after it.
func ParseLetter(s string) (Letter, *pipeline.Error) {
	typed := strings.TrimSpace(s)
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0xa0 || r == 0xfeff || r == '"' })
	if len(s) > 3 && s[0] == ']' {
		s = strings.TrimFunc(s[3:], func(r rune) bool { return r <= ' ' })
	}
	if s == "" {
		return Letter{}, errNothing
	}
	if c, err := postal.ParseCode(s); err == nil {
		return Letter{Reference: c.Reference, Attempt: c.Attempt}, nil
	}
	if r, err := pipeline.ParseReference(s); err == nil {
		return Letter{Reference: r}, nil
	}
	if _, err := postal.ParseCode(american(typed)); err == nil {
		return Letter{}, errKeyboard
	}
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' || r == '.' || r == 0xa0 || r == 0x202f || r == 0x2011 || r == 0x2013 {
			return -1
		}
		return r
	}, strings.ToUpper(s))
	switch n := len(plain); {
	case n == 22 && strings.HasPrefix(plain, "A34"):
		return Letter{}, errMisread
	case n > 16:
		return Letter{}, errForeign
	case n == 12 && !strings.ContainsFunc(plain, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') || r == 'U' }):
		return Letter{}, errMistyped
	}
	return Letter{}, errLength
}

// american undoes what a French keyboard makes of the keys of an American one:
// scanners that pose as a keyboard often come set to it.
func american(s string) string {
	const french, us = "&é\"'(-è_çàqazwQAZW?,", "1234567890aqwzAQWZMm"
	to := []rune(us)
	return strings.Map(func(r rune) rune {
		n := 0
		for _, f := range french {
			if f == r {
				return to[n]
			}
			n++
		}
		return r
	}, s)
}
