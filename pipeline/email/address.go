package email

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/idna"
)

// TLSMode says how a connection to the relay is protected.
type TLSMode string

const (
	TLSStart TLSMode = "starttls" // required: a relay that does not offer it is refused
	TLSWhole TLSMode = "tls"      // from the first byte (smtps)
	TLSNone  TLSMode = "none"     // in clear, only where asked for
)

// Address says where a relay is and how to reach it.
type Address struct {
	Host string // a name in ASCII or an IP address
	Port int
	User string // "": no authentication
	TLS  TLSMode
}

// String writes the address as a URL without the user.
func (a Address) String() string {
	scheme, query := "smtp", ""
	switch a.TLS {
	case TLSWhole:
		scheme = "smtps"
	case TLSNone:
		query = "?tls=none"
	}
	return scheme + "://" + a.hostport() + query
}

func (a Address) hostport() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// loopback reports whether the relay is on this machine, so that what is said in
// clear does not leave it.
func (a Address) loopback() bool {
	ip := net.ParseIP(a.Host)
	return a.Host == "localhost" || ip != nil && ip.IsLoopback()
}

const relayForms = "smtp://[user@]host[:port][?tls=starttls|none] or smtps://[user@]host[:port]"

// ParseRelayURL reads smtp://[user@]host[:port][?tls=starttls|none] or
// smtps://[user@]host[:port]. Ports default to 587 and 465. A password is no part
// of it: passwords come from files. Errors are *pipeline.Error with Exit 2 and
// never repeat the URL, which may hold a password.
func ParseRelayURL(s string) (Address, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Opaque != "" {
		return Address{}, wrongRelay("the relay is not a URL", "write it as "+relayForms)
	}
	var a Address
	switch u.Scheme {
	case "smtp":
		a.TLS, a.Port = TLSStart, 587
	case "smtps":
		a.TLS, a.Port = TLSWhole, 465
	default:
		return Address{}, wrongRelay(fmt.Sprintf("the relay's scheme is %q", u.Scheme), "write it as "+relayForms)
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return Address{}, wrongRelay("the relay's URL has a path or a fragment", "write it as "+relayForms)
	}
	if err := a.options(u); err != nil {
		return Address{}, err
	}
	if u.User != nil {
		if _, ok := u.User.Password(); ok {
			return Address{}, wrongRelay("the relay's URL holds a password, which anybody can see in the list of processes", "put it into a file and name the file in ART34_RELAY_PASSWORD_FILE")
		}
		a.User = u.User.Username()
	}
	if p := u.Port(); p != "" {
		if a.Port, err = strconv.Atoi(p); err != nil {
			return Address{}, wrongRelay("the relay's port is not a number", "write it as "+relayForms)
		}
	}
	a.Host = u.Hostname()
	if net.ParseIP(a.Host) == nil {
		if a.Host, err = idna.Domain(a.Host); err != nil {
			return Address{}, wrongRelay("the relay's host is not a host name", "write it as "+relayForms)
		}
	}
	return a, a.validate()
}

// options reads the part behind the question mark.
func (a *Address) options(u *url.URL) error {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrongRelay("the relay's options cannot be read", "write it as "+relayForms)
	}
	for name, values := range q {
		if name != "tls" || len(values) != 1 {
			return wrongRelay(fmt.Sprintf("the relay's URL has the option %q", name), "the only option is tls")
		}
		switch mode := TLSMode(values[0]); {
		case u.Scheme == "smtps":
			return wrongRelay("smtps:// takes no option tls: it is encrypted from the first byte", "leave it out, or use smtp://")
		case mode == TLSStart, mode == TLSNone:
			a.TLS = mode
		default:
			return wrongRelay(fmt.Sprintf("tls is %q", values[0]), "use starttls or none; for TLS from the first byte write smtps://")
		}
	}
	return nil
}

func (a Address) validate() error {
	switch {
	case a.Host == "":
		return wrongRelay("the relay has no host", "write it as "+relayForms)
	case a.Port < 1 || a.Port > 65535:
		return wrongRelay(fmt.Sprintf("the relay's port is %d", a.Port), "1 to 65535")
	case a.TLS != TLSStart && a.TLS != TLSWhole && a.TLS != TLSNone:
		return wrongRelay(fmt.Sprintf("the relay's TLS mode is %q", a.TLS), "starttls, tls or none")
	case a.User != "" && a.TLS == TLSNone && !a.loopback():
		return wrongRelay("the relay has a user and tls=none: the password would cross the network in clear", "leave tls=none out")
	case strings.ContainsFunc(a.User, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return wrongRelay("the relay's user holds a control character", "")
	}
	return nil
}

func wrongRelay(sentence, hint string) error {
	return &pipeline.Error{Code: "relay-url", Sentence: sentence, Hint: hint, Permanent: true, Exit: 2}
}
