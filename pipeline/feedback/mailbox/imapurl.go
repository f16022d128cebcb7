package mailbox

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/idna"
)

// Account is a folder of an IMAP server, and whose it is.
type Account struct {
	Host   string // a name in ASCII or an IP address
	Port   int
	User   string
	Folder string
	Move   string // where messages go once they are kept; "": they stay, marked as seen
	Whole  bool   // TLS from the first byte (RFC 8314); otherwise STARTTLS
	Clear  bool   // no TLS at all: on this machine only
	OAuth  bool   // what the password file holds is an access token (XOAUTH2)
}

const imapForms = "imaps://user@host[:port][/FOLDER][?move=FOLDER][&auth=oauth], or imap:// for STARTTLS"

// ParseAccount reads imaps://user@host[:993][/FOLDER] or imap://user@host[:143],
// where STARTTLS is required; the folder is INBOX where none is named. Options:
// move=FOLDER, auth=oauth, and for imap:// to this machine tls=none. A password is
// no part of it. Errors are *pipeline.Error with Exit 2 and never repeat the URL.
func ParseAccount(s string) (Account, error) {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "" {
		return Account{}, wrongAccount("the mailbox is not a URL", "write it as "+imapForms)
	}
	a := Account{Host: u.Hostname(), Folder: strings.TrimPrefix(u.Path, "/")}
	switch u.Scheme {
	case "imaps":
		a.Whole, a.Port = true, 993
	case "imap":
		a.Port = 143
	default:
		return Account{}, wrongAccount(fmt.Sprintf("the mailbox's scheme is %q", u.Scheme), "write it as "+imapForms)
	}
	if a.Folder == "" {
		a.Folder = "INBOX"
	}
	if err := a.options(u); err != nil {
		return Account{}, err
	}
	if _, ok := u.User.Password(); ok {
		return Account{}, wrongAccount("the mailbox's URL holds a password, which anybody can see in the list of processes", "put it into a file and name the file in ART34_FEEDBACK_IMAP_PASSWORD_FILE")
	}
	a.User = u.User.Username()
	if p := u.Port(); p != "" {
		if a.Port, err = strconv.Atoi(p); err != nil {
			return Account{}, wrongAccount("the mailbox's port is not a number", "write it as "+imapForms)
		}
	}
	if net.ParseIP(a.Host) == nil {
		if a.Host, err = idna.Domain(a.Host); err != nil {
			return Account{}, wrongAccount("the mailbox's host is not a host name", "write it as "+imapForms)
		}
	}
	return a, a.validate()
}

// options reads the part behind the question mark.
func (a *Account) options(u *url.URL) error {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrongAccount("the mailbox's options cannot be read", "write it as "+imapForms)
	}
	for name, values := range q {
		if len(values) != 1 {
			return wrongAccount(fmt.Sprintf("the mailbox's URL has the option %q twice", name), "")
		}
		switch value := values[0]; {
		case name == "move" && value != "":
			a.Move = value
		case name == "auth" && value == "oauth":
			a.OAuth = true
		case name == "tls" && value == "none" && !a.Whole:
			a.Clear = true
		default:
			return wrongAccount(fmt.Sprintf("the mailbox's URL has an option %q that says nothing", name), "the options are move=FOLDER, auth=oauth, and tls=none for imap:// to this machine")
		}
	}
	return nil
}

func (a Account) validate() error {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case a.Port < 1 || a.Port > 65535:
		return wrongAccount(fmt.Sprintf("the mailbox's port is %d", a.Port), "1 to 65535")
	case a.User == "":
		return wrongAccount("the mailbox's URL names no user", "write it as "+imapForms)
	case a.Clear && !a.loopback():
		return wrongAccount("the mailbox has tls=none: password and mail would cross the network in clear", "leave tls=none out")
	case a.Move == a.Folder:
		return wrongAccount("the mailbox moves messages into the folder that they are in", "name another folder in move, or leave it out")
	case strings.ContainsFunc(a.User+a.Folder+a.Move, control):
		return wrongAccount("the mailbox's URL holds a control character", "")
	}
	return nil
}

// loopback reports whether the server is on this machine.
func (a Account) loopback() bool {
	ip := net.ParseIP(a.Host)
	return a.Host == "localhost" || ip != nil && ip.IsLoopback()
}

// Server is where the account is, without whose it is.
func (a Account) Server() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

func wrongAccount(sentence, hint string) error {
	return &pipeline.Error{Code: "feedback-imap", Sentence: sentence, Hint: hint, Permanent: true, Exit: 2}
}
