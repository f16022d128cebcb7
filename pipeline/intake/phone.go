package intake

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// phone returns a number in E.164, or "" with a finding. It serves to find
// people, not to call them: a number that could exist is good enough.
func (k *checker) phone(raw []byte, column, country string) string {
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	if t := unquote(s); t != s {
		k.f.add(excelQuoted, column)
		s = t
	}
	if country == "" {
		country = k.region
	}
	if rounded(s) {
		k.f.add(mangledPhone, column)
		return ""
	}
	if t, ok := strings.CutSuffix(s, ".0"); ok && digits(t) {
		k.f.add(decimalID, column)
		s = t
	}
	if e := frenchPhone(s, country); e != "" {
		return e
	}
	if i := strings.IndexAny(s, "/;,|"); i > 5 {
		k.f.add(phoneSeveral, column)
		s = strings.TrimSpace(s[:i])
		if e := frenchPhone(s, country); e != "" {
			return e
		}
	}
	if len(s) == 9 && digits(s) && s[0] != '0' && country == "FR" {
		k.f.add(phoneZero, column)
		return frenchPhone("0"+s, country)
	}
	e := e164(s, country)
	if e == "" {
		k.f.add(badPhone, column)
	}
	return e
}

// frenchPhone is the fast way for numbers as nine in ten are written: 06 39 98 12
// 34 in France, or +33 6 39 98 12 34 anywhere. It agrees with e164.
func frenchPhone(s, country string) string {
	var b [12]byte
	n := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9' || c == '+' && n == 0:
			if n == len(b) {
				return ""
			}
			b[n] = c
			n++
		case c == ' ' || c == '.' || c == '-':
		default:
			return ""
		}
	}
	switch {
	case n == 10 && b[0] == '0' && b[1] >= '1' && b[1] <= '9' && country == "FR":
		return "+33" + string(b[1:10])
	case n == 12 && string(b[:3]) == "+33" && b[3] >= '1' && b[3] <= '9':
		return string(b[:12])
	}
	return ""
}

// e164 reads any number, in the national form of a country or with a prefix.
func e164(s, country string) string {
	if len(s) > 40 {
		return ""
	}
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		s = "+" + rest
	}
	n, err := phonenumbers.Parse(s, country)
	if err != nil || phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		return ""
	}
	return phonenumbers.Format(n, phonenumbers.E164)
}
