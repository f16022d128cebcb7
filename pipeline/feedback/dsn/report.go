// Package dsn reads what comes back: delivery status notifications (RFC 3464,
// RFC 6522) and the notices of the many systems that never heard of them. It
// parses and keeps no state; what a report means is for package feedback to say.
//
// Addresses in a report are whatever the reporting system wrote. They are good
// for reading, never for identity: a report belongs to the attempt that the signed
// return path of its envelope names.
package dsn

import (
	"regexp"
	"strings"
)

// Shape says what a message is, by its form alone.
type Shape string

const (
	Delivery  Shape = "delivery"  // a delivery report, standard or not
	Complaint Shape = "complaint" // an abuse report, RFC 5965
	Automatic Shape = "automatic" // answered by a robot: vacation, absence (RFC 3834)
	Personal  Shape = "personal"  // anything else, most likely written by a person
)

// Report is a message that came back, taken apart.
type Report struct {
	Shape        Shape
	Subject      string
	From         string
	EnvID        string // Original-Envelope-Id, RFC 3464 §2.2.1
	ReportingMTA string
	MessageID    string // of the returned message, with angle brackets; "" without one
	Text         string // the part for people, without the returned message
	Standard     bool   // there is a message/delivery-status part, or its like
	Recipients   []Recipient
	Feedback     string // Feedback-Type of a complaint
}

// Recipient is one recipient of a delivery report.
type Recipient struct {
	Address    string // Final-Recipient, else Original-Recipient, else from the text; "" unknown
	Original   string // Original-Recipient
	Action     string // failed, delayed, delivered, relayed, expanded; "" where nothing says so
	Status     string // Status field, RFC 3463; "" without one
	Diagnostic string // Diagnostic-Code without its type, or the lines of the text about this recipient
}

// Parse takes a message apart. It never fails: what cannot be read is Personal.
func Parse(raw []byte) *Report { return parse(raw, 0) }

// maxNested is how many reports within one another are opened.
const maxNested = 2

func parse(raw []byte, depth int) *Report {
	h, body := splitHeader(normalise(raw))
	r := &Report{Subject: decodeWords(h.first("subject")), From: h.first("from")}
	parts := walk(h, body, 0, nil)
	r.original(parts)
	for _, p := range parts {
		if p.kind == "message/feedback-report" {
			r.complaint(p)
			return r
		}
	}
	rest := r.readText(parts)
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
	switch {
	case len(r.Recipients) > 0:
		r.Shape = Delivery
	case automatic(h):
		r.Shape = Automatic
	case bounced(h, r):
		r.Shape = Delivery
		r.fromText(h)
	default:
		r.Shape = Personal
	}
	return r
}

// original finds the returned message or its header.
func (r *Report) original(parts []part) {
	for _, p := range parts {
		if p.kind != "message/rfc822" && p.kind != "text/rfc822-headers" && p.kind != "message/rfc822-headers" && p.kind != "message/global-headers" && p.kind != "message/global" {
			continue
		}
		h, _ := splitHeader(append([]byte(nil), trimBlank(p.body)...))
		if id := h.first("message-id"); id != "" {
			r.MessageID = bracketed(id)
			return
		}
	}
}

// complaint reads a feedback report. Each Original-Rcpt-To is a recipient; many
// systems black the address out.
func (r *Report) complaint(p part) {
	h, _ := splitHeader(p.body)
	r.Shape, r.Standard, r.Feedback = Complaint, true, strings.ToLower(h.first("feedback-type"))
	r.EnvID = h.first("original-envelope-id")
	for _, to := range append(h.all("original-rcpt-to"), h.all("removal-recipient")...) {
		r.Recipients = append(r.Recipients, Recipient{Address: address(to)})
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{{}}
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
			_, line, ok := strings.Cut(string(rest), "\n")
			if !ok {
				return
			}
			rest = []byte(line)
			continue
		}
		rest = []byte(strings.TrimLeft(string(after), "\n"))
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
