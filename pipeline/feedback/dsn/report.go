// Package dsn reads what comes back: delivery status notifications (RFC 3464,
// RFC 6522) and the notices of the many systems that never heard of them. It
// parses and keeps no state; what a report means is for package feedback to say.
//
// Addresses in a report are whatever the reporting system wrote. They are good
// for reading, never for identity: a report belongs to the attempt that the signed
// return path of its envelope names.
package dsn

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
)

// Shape says what a message is, by its form alone.
type Shape string

const (
	Delivery  Shape = "delivery"  // a delivery report, standard or not
	Complaint Shape = "complaint" // an abuse report, RFC 5965
	Automatic Shape = "automatic" // answered by a robot: vacation, absence (RFC 3834)
	Receipt   Shape = "receipt"   // a disposition notification: read, or deleted unread (RFC 8098)
	Garbage   Shape = "garbage"   // a machine sent it, and it says nothing that we understand
	Personal  Shape = "personal"  // anything else, most likely written by a person
)

// Report is a message that came back, taken apart.
type Report struct {
	Shape   Shape
	Subject string
	From    string
	// EnvID is the Original-Envelope-Id (RFC 3464 §2.2.1), or where a report has the
	// sender of our envelope instead, that.
	EnvID        string
	ReportingMTA string
	MessageID    string // of the returned message, with angle brackets; "" without one
	// References are the messages that an answer belongs to: In-Reply-To, then
	// References from the newest, with angle brackets.
	References []string
	Text       string // the part for people, without the returned message
	Standard   bool   // there is a message/delivery-status part, or its like
	Recipients []Recipient
	Feedback   string // Feedback-Type of a complaint
	// Fields is the body of the message/feedback-report part of a complaint, for
	// package arf.
	Fields []byte
	// Returned is the message that came back with the report, or its header alone,
	// as it stands there with line ends LF; nil without one.
	Returned []byte
	Robot    bool // the header bears a sign of a machine, though perhaps not of RFC 3834
}

// Header returns a field of the returned message, "" without one.
func (r *Report) Header(name string) string {
	h, _ := splitHeader(r.Returned)
	return h.first(strings.ToLower(name))
}

// Recipient is one recipient of a delivery report.
type Recipient struct {
	Address    string // Final-Recipient, else Original-Recipient, else from the text; "" unknown
	Original   string // Original-Recipient
	Action     string // failed, delayed, delivered, relayed, expanded; "" where nothing says so
	Status     string // Status field, RFC 3463; "" without one
	Diagnostic string // Diagnostic-Code without its type, or the lines of the text about this recipient
	// What a provider says itself, not the server it spoke to.
	Held   bool   // it refused the message or did not send it (suppression list): our fault
	Reason string // in words of package smtpcode, "" without one
}

// Parse takes a message apart. It never fails: what cannot be read is Personal.
func Parse(raw []byte) *Report { return parse(raw, 0) }

// maxNested is how many reports within one another are opened.
const maxNested = 2

func parse(raw []byte, depth int) *Report {
	h, body := splitHeader(normalise(raw))
	r := &Report{Subject: decodeWords(h.first("subject")), From: h.first("from"), References: references(h), Robot: robot(h)}
	parts := walk(h, body, 0, nil)
	r.original(parts)
	for _, p := range parts {
		if p.kind == "message/feedback-report" {
			r.complaint(p)
			return r
		}
	}
	rest := r.readText(parts)
	if strings.HasPrefix(strings.ToLower(r.Subject), "complaint about message from") && r.Header("x-hmxmroriginalrecipient") != "" {
		r.Shape, r.Feedback, r.Fields = Complaint, "abuse", []byte("Feedback-Type: abuse\n") // Microsoft's, older than RFC 5965
		return r
	}
	for _, p := range parts {
		if p.kind == "message/delivery-status" || p.kind == "message/global-delivery-status" {
			r.status(text(p.body))
			r.Standard = r.Standard || len(r.Recipients) > 0
		}
	}
	if len(r.Recipients) == 0 && r.notification() {
		return r
	}
	if len(r.Recipients) == 0 && strings.Contains(strings.ToLower(r.Text), "final-recipient:") {
		r.status(loose(r.Text))
	}
	// A report that somebody wrapped in another one: the inner one knows more.
	if len(r.Recipients) == 0 && depth < maxNested && nested.MatchString(rest) {
		if inner := parse([]byte(rest), depth+1); inner.Shape == Delivery {
			inner.Subject, inner.From = r.Subject, r.From
			return inner
		}
	}
	r.Shape = shape(h, r)
	if r.Shape == Delivery && len(r.Recipients) == 0 {
		r.fromText(h)
	}
	return r
}

// shape says what a message without a complaint is. A report is never an answer,
// whatever Auto-Submitted says: reports bear it too.
func shape(h header, r *Report) Shape {
	kind, params := mediaType(h.first("content-type"))
	switch {
	case len(r.Recipients) > 0:
		return Delivery
	case kind == "multipart/report" && strings.EqualFold(params["report-type"], "disposition-notification"):
		return Receipt
	case automatic(h):
		return Automatic
	case bounced(h, r):
		return Delivery
	case kind == "multipart/report":
		return Garbage // of what type, or about whom, is lost
	case word(h.first("auto-submitted")) != "" && !strings.EqualFold(word(h.first("auto-submitted")), "no"):
		return Automatic
	case len(h) == 0, strings.TrimSpace(r.Text) == "" && strings.TrimSpace(r.Subject) == "":
		return Garbage
	case strings.TrimSpace(h.first("return-path")) != "<>":
		return Personal
	case daemon.MatchString(r.From):
		return Garbage
	}
	return Automatic
}

// references lists the messages that an answer names, the nearest first.
func references(h header) (list []string) {
	ids := strings.Fields(h.first("in-reply-to"))
	refs := strings.Fields(h.first("references"))
	slices.Reverse(refs)
	for _, id := range append(ids, refs...) {
		if id = bracketed(id); id != "" && !slices.Contains(list, id) && len(list) < 20 {
			list = append(list, id)
		}
	}
	return list
}

// original finds the returned message or its header.
func (r *Report) original(parts []part) {
	for _, p := range parts {
		if p.kind != "message/rfc822" && p.kind != "text/rfc822-headers" && p.kind != "message/rfc822-headers" && p.kind != "message/global-headers" && p.kind != "message/global" {
			continue
		}
		r.Returned = trimBlank(p.body)
		if id := r.Header("message-id"); id != "" {
			r.MessageID = bracketed(id)
			return
		}
	}
}

// complaint keeps the fields of a feedback report for package arf.
func (r *Report) complaint(p part) {
	h, _ := splitHeader(p.body)
	r.Shape, r.Standard, r.Fields = Complaint, true, p.body
	r.Feedback, r.EnvID = strings.ToLower(h.first("feedback-type")), h.first("original-envelope-id")
	if r.EnvID == "" {
		r.EnvID = address(h.first("original-mail-from"))
	}
	if r.Fields == nil {
		r.Fields = []byte{}
	}
}

// nested begins a message that came back as a report: its sender is empty.
var nested = regexp.MustCompile(`(?i)^\s*return-path: ?<>`)

// readText keeps the text for people: the first readable part, up to where the
// returned message begins. It returns what follows.
func (r *Report) readText(parts []part) string {
	for _, kind := range []string{"text/plain", "text/html", ""} {
		for _, p := range parts {
			if p.kind != kind && !(kind == "" && strings.HasPrefix(p.kind, "text/")) {
				continue
			}
			t := text(p.body)
			if kind == "text/html" || strings.HasPrefix(strings.TrimSpace(strings.ToLower(t)), "<html") {
				t = stripTags(t)
			}
			if strings.TrimSpace(t) == "" {
				continue
			}
			head, rest := cutOriginal(t)
			r.Text = head
			if r.MessageID == "" {
				if m := messageID.FindStringSubmatch(rest); m != nil {
					r.MessageID = m[1]
				}
			}
			return rest
		}
	}
	return ""
}

var messageID = regexp.MustCompile(`(?im)^\s*message-id:\s*(<[^<>\s]+>)`)

// status reads the groups of fields of a delivery-status body (RFC 3464 §2.1): one
// for the message, then one for each recipient. A group without recipient but with
// a status is taken as well; the order of fields is free (Exim).
func (r *Report) status(body string) {
	rest := []byte(strings.TrimLeft(body, "\n"))
	for len(rest) > 0 {
		h, after := splitHeader(rest)
		if len(after) >= len(rest) { // a line that is no field: skip it
			_, next, ok := bytes.Cut(rest, []byte("\n"))
			if !ok {
				return
			}
			rest = next
			continue
		}
		rest = bytes.TrimLeft(after, "\n")
		for _, g := range groups(h) {
			r.group(g)
		}
	}
}

// groups cuts fields at the first one that comes again: some gateways forget the
// empty line between two recipients.
func groups(h header) (list []header) {
	from, seen := 0, map[string]bool{}
	for i, f := range h {
		switch f.name {
		case "final-recipient", "action", "status":
			if seen[f.name] {
				// Original-Recipient stands before or after the final one.
				at := i
				if at > from && h[at-1].name == "original-recipient" && f.name == "final-recipient" {
					at--
				}
				list = append(list, h[from:at])
				from, seen = at, map[string]bool{}
			}
			seen[f.name] = true
		}
	}
	return append(list, h[from:])
}

func (r *Report) group(h header) {
	if id := h.first("original-envelope-id"); id != "" {
		r.EnvID = id
	}
	if mta := h.first("reporting-mta"); mta != "" && r.ReportingMTA == "" {
		r.ReportingMTA = value(mta)
	}
	final, orig := h.first("final-recipient"), h.first("original-recipient")
	action, status := strings.ToLower(word(h.first("action"))), word(h.first("status"))
	if final == "" && orig == "" && action == "" && status == "" {
		return
	}
	diag := value(h.first("diagnostic-code"))
	if x := h.first("x-postfix-queue-id"); diag == "" && x != "" {
		diag = h.first("x-postfix-reason")
	}
	rec := Recipient{Address: address(value(final)), Original: address(value(orig)), Action: action, Status: status, Diagnostic: diag}
	if rec.Address == "" {
		rec.Address = rec.Original
	}
	// Exchange and some gateways repeat a recipient's group; the later one wins
	// where it says more.
	for i, was := range r.Recipients {
		if was.Address == rec.Address && rec.Address != "" && (was.Diagnostic == rec.Diagnostic || was.Diagnostic == "") {
			r.Recipients[i] = rec
			return
		}
	}
	if len(r.Recipients) < maxParts {
		r.Recipients = append(r.Recipients, rec)
	}
}

// value drops the type of a typed field: "rfc822; a@example.com", "smtp; 550 no".
func value(s string) string {
	if kind, v, ok := strings.Cut(s, ";"); ok && !strings.ContainsAny(strings.TrimSpace(kind), " <@") {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(s)
}

// word is the first word of a field, without comments.
func word(s string) string {
	f := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '(' || r == ';' })
	if len(f) == 0 {
		return ""
	}
	return f[0]
}

// address strips what systems put around an address.
func address(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s, _, _ = strings.Cut(s[i+1:], ">")
	}
	return strings.Trim(s, " <>\"',;:")
}

func bracketed(id string) string {
	if i := strings.IndexByte(id, '<'); i >= 0 {
		if j := strings.IndexByte(id[i:], '>'); j > 0 {
			return id[i : i+j+1]
		}
	}
	return ""
}

func trimBlank(b []byte) []byte {
	for len(b) > 0 && (b[0] == '\n' || b[0] == ' ') {
		b = b[1:]
	}
	return b
}
