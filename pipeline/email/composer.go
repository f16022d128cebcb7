package email

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/idna"
)

// MAC is a keyed hash over labelled, length-delimited parts; the keys of a
// campaign provide it.
type MAC func(label string, parts ...[]byte) [32]byte

// Config says how a Composer builds.
type Config struct {
	// MAC signs return paths and derives Message-IDs.
	MAC MAC
	// Key is the number of the key behind MAC, 0 to 31. It is part of the return
	// path, so that two keys can be in force while one replaces the other.
	Key int
	// CodeName is the campaign's code name, the only name that headers show. It may
	// be empty.
	CodeName string
}

// Composer builds messages. It is safe for concurrent use.
type Composer struct {
	config Config
	frames frames
}

// NewComposer returns a composer for one campaign.
func NewComposer(c Config) (*Composer, error) {
	switch {
	case c.MAC == nil:
		return nil, fmt.Errorf("email: Config.MAC is missing")
	case c.Key < 0 || c.Key > maxKey:
		return nil, fmt.Errorf("email: Config.Key is %d: 0 to %d", c.Key, maxKey)
	case strings.ContainsFunc(c.CodeName, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }):
		return nil, fmt.Errorf("email: Config.CodeName %q cannot stand in a header", c.CodeName)
	}
	return &Composer{config: c}, nil
}

// Header fields that go-mail has no names for.
const (
	headerAutoSubmitted   mail.Header = "Auto-Submitted"   // RFC 3834
	headerContentLanguage mail.Header = "Content-Language" // RFC 3282
	headerFeedbackID      mail.Header = "Feedback-ID"
)

// autoResponses asks Exchange for no out-of-office notes, automatic replies and
// receipts ([MS-OXCMAIL] 2.1.3.2.20). It must never be "All": that would suppress
// the non-delivery reports too.
const autoResponses = "OOF, AutoReply, RN, NRN"

// Compose builds the message that carries a letter, from its plain text and HTML
// form, for one attempt of a notice (n.ID, n.Attempt) to one address, dated at.
// The same arguments give the same bytes. It fails with a permanent
// *pipeline.Error when this letter or address cannot be an e-mail.
func (c *Composer) Compose(l *pipeline.Letter, text, html []byte, n pipeline.Notice, to string, at time.Time) (*pipeline.Message, error) {
	return c.ComposeQuoted(l, AppendQuoted(nil, text), AppendQuoted(nil, html), n, to, at)
}

// ComposeQuoted is Compose with both forms in quoted-printable already, by
// AppendQuoted.
func (c *Composer) ComposeQuoted(l *pipeline.Letter, text, html []byte, n pipeline.Notice, to string, at time.Time) (*pipeline.Message, error) {
	unquoted, err := recipient(to)
	if err != nil {
		return nil, err
	}
	f, err := c.frame(l, at)
	if err != nil {
		return nil, err
	}
	from, err := ReturnPath(c.config.MAC, c.config.Key, n.ID, n.Attempt, f.domain)
	if err != nil {
		return nil, unfit("return-path", err.Error(), "")
	}
	id := MessageID(c.config.MAC, n.ID, n.Attempt, f.domain)
	field := field("To", (&netmail.Address{Name: l.Recipient, Address: unquoted}).String())
	if err := wellFormed([]byte(field)); err != nil {
		return nil, err
	}
	// Nobody who does not have the key can write a text that holds the boundary.
	return &pipeline.Message{
		From:   from,
		To:     to,
		ID:     id,
		EnvID:  from[:tokenLength],
		Body:   f.fill(field, id[1:1+messageIDLength], text, html),
		Letter: l.Hash(),
	}, nil
}

// feedbackID names the campaign, the sender and the kind of attempt to Gmail's
// Postmaster Tools, which count by them. It names no customer.
func (c *Composer) feedbackID(l *pipeline.Letter, from string) string {
	// The last field has to be the same for all mail of a sender, 5 to 15 characters.
	domain := strings.ReplaceAll(from[strings.LastIndexByte(from, '@')+1:], ".", "-")
	if len(domain) > 15 {
		domain = strings.TrimLeft(domain[len(domain)-15:], "-")
	}
	return c.config.CodeName + ":" + token(l.SenderKey) + ":" + token(string(l.Kind)) + ":" + domain
}

// token keeps of s what may stand in a structured header field.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return -1
	}, s)
}

// recipient checks an address of the input and returns it without quotes.
func recipient(to string) (string, error) {
	if !validPath(to) {
		return "", unfit("address-unfit", "the e-mail address cannot be used on the wire", "it should not have passed the import; correct the customer's address or exclude it")
	}
	if !strings.HasPrefix(to, `"`) {
		return to, nil
	}
	a, err := netmail.ParseAddress(to)
	if err != nil {
		return "", unfit("address-unfit", "the e-mail address is quoted wrongly", "correct the customer's address")
	}
	return a.Address, nil
}

func senderAddress(key, s string) (string, error) {
	a, err := idna.ToASCII(s)
	if err != nil || !validPath(a) {
		return "", unfit("sender-address", "the sender's "+key+" is not an e-mail address", "correct it in campaign.yaml")
	}
	return a, nil
}

// maxLine is the longest line of a message, without CRLF (RFC 5322, section 2.1.1).
const maxLine = 998

// wellFormed checks what every relay may refuse: lines of 998 octets at most that
// end in CRLF, no other CR or LF, no NUL and no octet above 127.
func wellFormed(b []byte) error {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 1 || b[i-1] != '\r' || i-1 > maxLine {
			return unfit("message-line", "the message has a line that is too long or not ended by CRLF", "")
		}
		for _, c := range b[:i-1] {
			if c == '\r' || c == 0 || c >= 0x80 {
				return unfit("message-octet", "the message has an octet that may not be in it", "")
			}
		}
		b = b[i+1:]
	}
	return nil
}

func unfit(code, sentence, hint string) error {
	return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Permanent: true}
}
