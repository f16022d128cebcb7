package email

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/art34/art34/pipeline/kit/redact"
)

// maxReply is how much of a reply is kept, in bytes.
const maxReply = 200

// Limits of a reply. RFC 5321, section 4.5.3.1.5, allows lines of 512 octets.
const (
	maxReplyLines = 128
	maxReplyText  = 8 << 10
)

// errReply says that what came is no reply of RFC 5321, section 4.2: the two sides
// no longer agree about what is being said.
var errReply = errors.New("the relay's answer is not SMTP")

// reply is a complete answer of a relay.
type reply struct {
	code int    // 200 to 599
	text string // without codes, lines separated by "\n"
}

// readReply reads one reply. An error of the connection is returned as it is.
func readReply(r *bufio.Reader) (reply, error) {
	var text strings.Builder
	code := 0
	for range maxReplyLines {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if errors.Is(err, bufio.ErrBufferFull) {
				err = errReply
			}
			return reply{}, err
		}
		n := len(line) - 1
		if n > 0 && line[n-1] == '\r' {
			n--
		}
		line = line[:n]
		c, more, ok := replyLine(line)
		if !ok || code != 0 && c != code {
			return reply{}, errReply
		}
		code = c
		if len(line) > 4 && text.Len() < maxReplyText {
			if text.Len() > 0 {
				text.WriteByte('\n')
			}
			text.Write(line[4:])
		}
		if !more {
			return reply{code, text.String()}, nil
		}
	}
	return reply{}, errReply
}

// replyLine reads the code of one line and whether more lines follow.
func replyLine(line []byte) (code int, more, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || line[1] < '0' || line[1] > '9' || line[2] < '0' || line[2] > '9' {
		return 0, false, false
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	switch {
	case len(line) == 3, line[3] == ' ':
		return code, false, true
	case line[3] == '-':
		return code, true, true
	}
	return 0, false, false
}

// is reports whether the reply is of a class: 2, 3, 4 or 5.
func (r reply) is(class int) bool { return r.code/100 == class }

// clean returns the text without anybody's address, fit for an Answer.
func (r reply) clean(recipient string) string {
	return redact.Line(redact.Recipient(r.text, recipient), maxReply)
}

// queueID finds the relay's name for a message that it has just accepted; ""
// where it gives none. It is what an operator looks for in the relay's log.
//
//	2.0.0 Ok: queued as 4WZ1fN1z9Yz3c                       Postfix
//	OK id=1qXyZa-0001ab-2C                                  Exim
//	2.6.0 <…> [InternalId=123, Hostname=…] Queued mail …    Exchange
//	2.0.0 8f1c9b2a Message accepted for delivery            Sendmail, OpenSMTPD
//	ok 1700000000 qp 12345                                  qmail
//	Ok 0102018c5f3e-000000                                  and others
func queueID(text string) string {
	fields := strings.FieldsFunc(redact.Addresses(text), func(r rune) bool {
		return r <= ' ' || strings.ContainsRune("<>()[]{},;\"'", r)
	})
	for i, f := range fields {
		lower := strings.ToLower(f)
		switch {
		case lower == "as" && i > 0 && strings.EqualFold(fields[i-1], "queued") && i+1 < len(fields):
			return queueName(fields[i+1])
		case strings.HasPrefix(lower, "id="), strings.HasPrefix(lower, "internalid="):
			_, id, _ := strings.Cut(f, "=")
			return queueName(id)
		case lower == "qp" && i > 0 && i+1 < len(fields):
			return queueName(fmt.Sprintf("%s-qp-%s", fields[i-1], fields[i+1]))
		case lower == "message" && i > 0 && i+1 < len(fields) && strings.EqualFold(fields[i+1], "accepted"):
			return queueName(fields[i-1])
		}
	}
	// Otherwise the word after "Ok", if it looks like a name and not like a word.
	for i, f := range fields {
		if strings.EqualFold(strings.TrimSuffix(f, ":"), "ok") && i+1 < len(fields) {
			if next := fields[i+1]; len(next) >= 8 && strings.ContainsAny(next, "0123456789") {
				return queueName(next)
			}
			return ""
		}
	}
	return ""
}

// queueName returns s if it can be a queue id, else "".
func queueName(s string) string {
	s = strings.TrimRight(s, ".:")
	if len(s) > 80 {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && strings.IndexByte("-._+/=:", c) < 0 {
			return ""
		}
	}
	return s
}
