package intake

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxPhone is how long a phone number may be written.
const maxPhone = 40

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
	if len(s) == 9 && digits(s) && s[0] != '0' && country == "FR" {
		k.f.add(phoneZero, column)
		return frenchPhone("0"+s, country)
	}
	if e := k.e164(s, country); e != "" {
		return e
	}
	if i := strings.IndexAny(s, "/;,|"); i > 5 {
		if e := k.e164(strings.TrimSpace(s[:i]), country); e != "" {
			k.f.add(phoneSeveral, column)
			return e
		}
	}
	k.f.add(badPhone, column)
	return ""
}

// e164 reads a number by the country of the customer. Who moved abroad has often
// kept the number of home: one that is not valid there but could be in the
// region of the directory is read as that.
func (k *checker) e164(s, country string) string {
	if e := frenchPhone(s, country); e != "" {
		return e
	}
	if country == k.region || strings.HasPrefix(s, "+") || strings.HasPrefix(s, "00") {
		return e164(s, country)
	}
	if n, err := phonenumbers.Parse(s, country); len(s) <= maxPhone && err == nil && phonenumbers.IsValidNumberForRegion(n, country) {
		return phonenumbers.Format(n, phonenumbers.E164)
	}
	if e := frenchPhone(s, k.region); e != "" {
		return e
	}
	if e := e164(s, k.region); e != "" {
		return e
	}
	return e164(s, country)
}

// frenchPhone is the fast way for numbers as nine in ten are written: 06 39 98 12
// 34 in France, or +33 6 39 98 12 34 anywhere. It agrees with e164.
func frenchPhone(s, country string) string {
	var b [12]byte
	n := 0
	if rest, ok := strings.CutPrefix(s, "0033"); ok {
		s = rest
		n = copy(b[:], "+33")
	}
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
	if len(s) > maxPhone {
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
