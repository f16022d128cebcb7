// Package inert keeps tables that leave the house from doing anything where they are
// opened.
//
// Reference: OWASP ASVS 5.0, 1.2.10 (formula injection).
package inert

import "strings"

// Cell keeps a spreadsheet from running a value as a formula: an apostrophe before
// what starts like one, and no control characters.
func Cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if t := strings.TrimLeft(s, " \u00a0\u200b\ufeff"); t != "" && strings.ContainsRune("=+-@|%\uff1d\uff0b\uff0d\uff20", []rune(t)[0]) {
		return "'" + s
	}
	return s
}
