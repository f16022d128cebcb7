// Package arf reads abuse reports: what a mailbox provider sends when a recipient
// presses "this is spam" (RFC 5965), with the additions of RFC 6591
// (authentication failures) and RFC 6650 (use between operators). It parses and
// keeps no state.
//
// Providers take recipients out of their reports (RFC 6590). What is left of them
// is good for reading; a report belongs to the attempt that the signed return path
// or the identifiers of the returned message name.
package arf

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Types of a report, RFC 5965 §7.3 and RFC 6591 §3.2.
const (
	Abuse       = "abuse"
	Fraud       = "fraud"
	Virus       = "virus"
	Other       = "other"
	NotSpam     = "not-spam"
	AuthFailure = "auth-failure"
	OptOut      = "opt-out" // some providers, from a draft of RFC 5965
)

// Report is an abuse report.
type Report struct {
	Type       string // in lower case; Other where the report does not say
	UserAgent  string
	MailFrom   string      // Original-Mail-From: our return path, with its token
	EnvID      string      // Original-Envelope-Id
	MessageID  string      // of the returned message, with angle brackets
	Recipients []Recipient // at least one
	Arrived    time.Time   // zero where the report does not say
	SourceIP   string      // of our relay
	Incidents  int         // how many complaints the report stands for, at least 1
	Failure    string      // Auth-Failure: dkim, spf, dmarc ...
}

// Recipient is who complained.
type Recipient struct {
	Address  string // as the report has it; "" where it is taken out altogether
	Redacted bool   // Address is none, or was made unreadable
}

const (
	maxFields     = 400
	maxRecipients = 200
	maxIncidents  = 1 << 20
)

// Parse reads the body of a message/feedback-report part, and the message that was
// returned with it or its header, nil without one. It never fails: a field that
// cannot be read is as if it were absent.
func Parse(body, returned []byte) *Report {
	f, orig := fields(body), fields(returned)
	r := &Report{
		Type: strings.ToLower(word(f.first("feedback-type"))), UserAgent: f.first("user-agent"),
		MailFrom: bare(f.first("original-mail-from")), EnvID: f.first("original-envelope-id"),
		MessageID: bracketed(orig.first("message-id")), SourceIP: f.first("source-ip"),
		Failure: strings.ToLower(word(f.first("auth-failure"))), Incidents: 1,
	}
	if r.Type == "" {
		r.Type = Other
	}
	if n, err := strconv.Atoi(word(f.first("incidents"))); err == nil && n > 1 {
		r.Incidents = min(n, maxIncidents)
	}
	for _, name := range []string{"arrival-date", "received-date"} {
		if at, ok := date(f.first(name)); ok {
			r.Arrived = at
			break
		}
	}
	r.recipients(f, orig)
	return r
}

// recipients takes the fields of the report, else what Microsoft writes into the
// returned message, else its To.
func (r *Report) recipients(f, orig list) {
	named := append(f.all("original-rcpt-to"), f.all("removal-recipient")...)
	for _, name := range []string{"x-hmxmroriginalrecipient", "to"} {
		if len(named) == 0 {
			named = orig.all(name)
		}
	}
	seen := map[string]bool{}
	for _, s := range named {
		rec := recipient(s)
		if key := strings.ToLower(rec.Address); !seen[key] && len(r.Recipients) < maxRecipients {
			seen[key] = true
			r.Recipients = append(r.Recipients, rec)
		}
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{{Redacted: true}}
	}
}

// recipient reads an address that may have been made unreadable: "redacted",
// "[redacted]@example.com", "xxxxx@example.com", "j***@example.com".
func recipient(s string) Recipient {
	a := bare(s)
	local, _, ok := strings.Cut(a, "@")
	low := strings.ToLower(local)
	switch {
	case !ok || local == "":
		return Recipient{Redacted: true}
	case strings.Trim(low, "x") == "", strings.Trim(low, "*") == "", strings.Contains(low, "redact"), strings.Contains(low, "**"), strings.ContainsAny(low, "[]<>"):
		return Recipient{Address: a, Redacted: true}
	}
	return Recipient{Address: a}
}

// list is a header: names in lower case, values unfolded, in order.
type list []struct{ name, value string }

func (l list) first(name string) string {
	for _, f := range l {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

func (l list) all(name string) (values []string) {
	for _, f := range l {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

// fields reads a header up to the first empty line after its first field, with any
// line ends. A line that is no field is skipped.
func fields(b []byte) (l list) {
	for len(b) > 0 && len(l) < maxFields {
		i := bytes.IndexAny(b, "\r\n")
		line := b
		if i >= 0 {
			line = b[:i]
			if bytes.HasPrefix(b[i:], []byte("\r\n")) {
				i++
			}
			b = b[i+1:]
		} else {
			b = nil
		}
		text := strings.ToValidUTF8(string(bytes.TrimSpace(line)), "")
		switch {
		case text == "" && len(l) > 0:
			return l
		case text == "":
			continue
		case line[0] == ' ' || line[0] == '\t':
			if len(l) > 0 {
				l[len(l)-1].value += " " + text
			}
			continue
		}
		if name, value, ok := strings.Cut(text, ":"); ok && name != "" && !strings.ContainsAny(name, " \t<") {
			l = append(l, struct{ name, value string }{strings.ToLower(name), strings.TrimSpace(value)})
		}
	}
	return l
}

// word is the first word of a value, without a comment.
func word(s string) string {
	f := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '(' || r == ';' || r == ',' })
	if len(f) == 0 {
		return ""
	}
	return f[0]
}

// bare takes type and brackets off an address: "rfc822;<a@example.com>".
func bare(s string) string {
	if kind, rest, ok := strings.Cut(s, ";"); ok && !strings.ContainsAny(kind, " <@") {
		s = rest
	}
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s, _, _ = strings.Cut(s[i+1:], ">")
	}
	return strings.Trim(s, " \t<>\"',;:")
}

func bracketed(id string) string {
	if i := strings.IndexByte(id, '<'); i >= 0 {
		if j := strings.IndexByte(id[i:], '>'); j > 0 {
			return id[i : i+j+1]
		}
	}
	return ""
}

// date reads a date of RFC 5322 §3.3, or one that systems write for it.
func date(s string) (time.Time, bool) {
	if i := strings.IndexByte(s, '('); i > 0 {
		s = strings.TrimSpace(s[:i])
	}
	for _, layout := range []string{"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
