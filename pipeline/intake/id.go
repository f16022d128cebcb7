package intake

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxID is how many characters a customer, person or contract number may have.
const maxID = 64

// idCodes are the findings of a number in one column.
type idCodes struct{ mangled, date, unfit code }

// number checks a customer, person or contract number and returns it without
// what spreadsheets put around it.
func (k *checker) number(raw []byte, column string, c idCodes) string {
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	if t := unquote(s); t != s {
		k.f.add(excelQuoted, column)
		s = t
	}
	if t, ok := strings.CutSuffix(s, ".0"); ok && digits(t) {
		k.f.add(decimalID, column)
		s = t
	}
	switch {
	case rounded(s), k.spreadsheet && len(s) > 15 && digits(s) && strings.Trim(s[15:], "0") == "":
		k.f.add(c.mangled, column)
	case dated(s):
		k.f.add(c.date, column)
	case len(s) > maxID && utf8.RuneCountInString(s) > maxID, damaged(s):
		k.f.add(c.unfit, column)
	}
	return s
}

// unquote takes off what makes spreadsheets keep a number as text: ="0012" and a
// leading apostrophe.
func unquote(s string) string {
	if strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) && len(s) > 3 {
		return s[2 : len(s)-1]
	}
	if len(s) > 1 && s[0] == '\'' {
		return s[1:]
	}
	return s
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// rounded reports whether a text is a number in scientific notation, as
// spreadsheets write long ones: 6.12E+08, 1,23e11. 12E05 may be a real number of
// a contract.
func rounded(s string) bool {
	e := strings.IndexAny(s, "eE")
	if e <= 0 || e == len(s)-1 {
		return false
	}
	mantissa, exponent := strings.TrimLeft(s[:e], "+-"), s[e+1:]
	sign := exponent[0] == '+' || exponent[0] == '-'
	if sign {
		exponent = exponent[1:]
	}
	whole, fraction, point := strings.Cut(strings.Replace(mantissa, ",", ".", 1), ".")
	if !digits(whole) || len(whole) > 1 && point || point && !digits(fraction) || !digits(exponent) || len(exponent) > 3 {
		return false
	}
	return sign || point
}

// dated reports whether a text is a date that a spreadsheet made of a number:
// 2026-01-12 00:00:00, 12/01/2026, 12-janv, Jan-26.
func dated(s string) bool {
	if len(s) < 5 || len(s) > 19 || !strings.ContainsAny(s, "-/. ") {
		return false
	}
	day, _, _ := strings.Cut(s, " ")
	if len(s) == len("2026-01-12 00:00:00") && s[10] == ' ' && s[13] == ':' && isDate(day) {
		return true
	}
	if len(s) == 10 && isDate(s) {
		return true
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' || r == '.' || r == ' ' })
	if len(parts) < 2 || len(parts) > 3 {
		return false
	}
	month := false
	for _, p := range parts {
		switch {
		case monthName(p) && !month:
			month = true
		case !digits(p) || len(p) > 4 || len(p) == 3:
			return false
		}
	}
	return month
}

func isDate(s string) bool { _, ok := parseDate(s); return ok }

// monthName reports whether a text is the short name of a month in French or
// English, as spreadsheets write it.
func monthName(s string) bool {
	switch strings.ToLower(s) {
	case "jan", "janv", "feb", "févr", "fevr", "fév", "fev", "mar", "mars", "apr", "avr", "may", "mai", "jun", "juin", "jul", "juil",
		"aug", "août", "aout", "sep", "sept", "oct", "nov", "dec", "déc":
		return true
	}
	return false
}

// foldID is a customer number as two lists may write it differently: without
// spaces, in capitals, in normal width.
func foldID(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c >= 'a' && c <= 'z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(s))
}
