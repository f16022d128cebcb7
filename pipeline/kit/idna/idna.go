// Package idna turns internationalised domain names into the ASCII form that
// goes on the wire (RFC 5891, UTS #46). It is the only home of x/net/idna.
package idna

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

// Conditions. The errors of this package never repeat the address.
var (
	// ErrAddress says that the text is not one local part and one domain.
	ErrAddress = errors.New("not an e-mail address")
	// ErrLocal says that the local part is not ASCII. Such a mailbox needs SMTPUTF8
	// (RFC 6531) on the whole way, which nobody can promise; a letter is surer.
	ErrLocal = errors.New("local part of the e-mail address is not ASCII")
	// ErrDomain says that the domain is not a host name of the public DNS.
	ErrDomain = errors.New("domain of the e-mail address is not a host name")
)

// Limits of RFC 5321, section 4.5.3.1, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxPath   = 254 // 256 with the angle brackets
)

// ToASCII returns an e-mail address with its domain in lower-case ASCII:
// "jean@exämple.test" becomes "jean@xn--exmple-cua.test". The local part is
// returned as it is; whether it is well-formed is for intake to judge.
func ToASCII(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		return "", ErrAddress
	}
	local := address[:at]
	for i := range len(local) {
		if local[i] >= 0x80 {
			return "", ErrLocal
		}
	}
	domain, err := Domain(address[at+1:])
	if err != nil {
		return "", err
	}
	if len(local) > maxLocal || len(local)+1+len(domain) > maxPath {
		return "", ErrAddress
	}
	return local + "@" + domain, nil
}

// Domain returns a domain name in lower-case ASCII, without a final full stop.
func Domain(domain string) (string, error) {
	domain = strings.TrimSuffix(domain, ".")
	if plain(domain) {
		return strings.ToLower(domain), nil
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !plain(ascii) {
		return "", ErrDomain
	}
	return ascii, nil
}

// plain reports whether s is a host name of at least one label: letters, digits
// and inner hyphens. It spares the common case the tables of Unicode.
func plain(s string) bool {
	if s == "" || len(s) > maxDomain {
		return false
	}
	ace := false
	label := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.':
			if label == 0 || s[i-1] == '-' {
				return false
			}
			label = 0
			continue
		case c == '-':
			if label == 0 {
				return false
			}
			ace = ace || label == 3 && s[i-1] == '-'
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return label > 0 && s[len(s)-1] != '-' && !(ace && !validACE(s))
}

// validACE checks labels that claim to be in ASCII-compatible encoding.
func validACE(s string) bool {
	_, err := idna.Lookup.ToUnicode(s)
	return err == nil
}
