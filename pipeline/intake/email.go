package intake

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/art34/art34/pipeline/kit/idna"
)

// email returns an address as it goes on the wire, or "" with a finding that
// says why it is unusable. The rules are those of RFC 5321, sections 4.1.2 and
// 4.5.3, less what few systems carry: quoted local parts, address literals, and
// local parts outside ASCII (RFC 6531).
func (k *checker) email(raw []byte, column string) string {
	s := k.clean(raw, column, false)
	if s == "" {
		return ""
	}
	s = k.bare(s, column)
	if strings.Count(s, "@") > 1 && strings.ContainsAny(s, ",;/ |") {
		k.f.add(emailSeveral, column)
		return ""
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		if placeholder(s, "") {
			k.f.add(emailPlaceholder, column)
		} else {
			k.f.add(emailSyntax, column)
		}
		return ""
	}
	local, domain := s[:at], s[at+1:]
	if c := k.local(&local); c != noCode {
		k.f.add(c, column)
		return ""
	}
	if domain[0] == '[' {
		k.f.add(emailLiteral, column)
		return ""
	}
	if strings.ContainsAny(domain, " ,;") {
		k.f.add(emailSpace, column)
		return ""
	}
	ascii, err := idna.Domain(domain)
	if err != nil || !hostname(ascii) {
		k.f.add(emailDomain, column)
		return ""
	}
	switch {
	case len(local) > 64 || len(local)+1+len(ascii) > 254:
		k.f.add(emailLong, column)
		return ""
	case placeholder(strings.ToLower(local), ascii):
		k.f.add(emailPlaceholder, column)
		return ""
	case k.own(ascii):
		k.f.add(emailOwnDomain, column)
		return ""
	}
	return local + "@" + ascii
}

// bare takes off what people put around an address.
func (k *checker) bare(s, column string) string {
	was := s
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	if strings.ContainsRune(s, '<') {
		if a, err := mail.ParseAddress(s); err == nil {
			if a.Name != "" {
				k.f.add(emailName, column)
				return a.Address
			}
			s = a.Address
		}
	}
	s = strings.TrimRight(strings.TrimSpace(s), ".,; ")
	if s != was {
		k.f.add(emailTidied, column)
	}
	return s
}

// local checks a local part. A quoted one that needs no quotes loses them: it is
// the same mailbox (RFC 5321, 4.1.2).
func (k *checker) local(s *string) code {
	l := *s
	if len(l) > 2 && l[0] == '"' && l[len(l)-1] == '"' {
		l = l[1 : len(l)-1]
		if c := k.local(&l); c != noCode || strings.ContainsAny(l, `"\`) {
			return emailQuoted
		}
		*s = l
		return noCode
	}
	switch {
	case strings.ContainsRune(l, '"'):
		return emailQuoted
	case strings.ContainsAny(l, " \t"):
		return emailSpace
	case l[0] == '.' || l[len(l)-1] == '.' || strings.Contains(l, ".."):
		return emailDots
	}
	for i := range len(l) {
		c := l[i]
		switch {
		case c >= utf8.RuneSelf:
			return emailNonASCII
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0: // atext, RFC 5322, 3.2.3
		default:
			return emailSyntax
		}
	}
	return noCode
}

// hostname reports whether an ASCII domain may be in the public DNS: two labels
// at least, the last one not a number.
func hostname(d string) bool {
	dot := strings.LastIndexByte(d, '.')
	return dot > 0 && len(d)-dot > 2 && len(d) <= 253 && !digits(d[dot+1:])
}

// own reports whether a domain is one of the company's.
func (k *checker) own(domain string) bool {
	for d := domain; d != ""; {
		if k.ownDomains[d] {
			return true
		}
		_, d, _ = strings.Cut(d, ".")
	}
	return false
}

// placeholder reports whether an address was made up to fill a field that must
// not be empty. local is in lower case.
func placeholder(local, domain string) bool {
	flat := strings.Map(func(r rune) rune {
		if strings.ContainsRune("._-/ ", r) {
			return -1
		}
		return r
	}, strings.ToLower(local))
	switch flat {
	case "nomail", "noemail", "noadress", "noaddress", "nomel", "sansmail", "sansemail", "sansadresse", "pasdemail", "pasdemel", "pasdadresse", "pasdadressemail",
		"aucun", "aucune", "aucunmail", "aucunemail", "inconnu", "unknown", "none", "null", "nil", "nc", "neant", "vide", "empty",
		"noreply", "donotreply", "nepasrepondre", "xxx", "xxxx", "xxxxx", "azerty", "qwerty", "fake", "faux", "bidon", "refus", "refuse", "arenseigner", "arecuperer", "absent", "keinemail":
		return true
	}
	if flat == "" || len(flat) >= 3 && strings.Count(flat, flat[:1]) == len(flat) { // aaa@, 000@
		return true
	}
	name, _, _ := strings.Cut(domain, ".")
	switch name {
	case "nomail", "noemail", "sansmail", "pasdemail", "nodomain", "invalid", "inconnu":
		return true
	}
	return domain == "invalid" || strings.HasSuffix(domain, ".invalid") || strings.HasSuffix(domain, ".localhost")
}
