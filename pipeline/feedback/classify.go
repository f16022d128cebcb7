package feedback

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// Verdict is what a report means for one recipient.
type Verdict struct {
	Kind      Kind
	Recipient string // as the report names it: for reading, never for identity
	Action    string
	Status    string // enhanced status code that decided, RFC 3463; "" without one
	Reply     string // SMTP reply code, "" without one
	Outcome   pipeline.Outcome
	Reason    string
	Detail    string // what the system said, at most 300 bytes; may hold an address
}

// Classifier judges reports. It is safe for concurrent use.
type Classifier struct{ raw, strong, rules []rule }

// NewClassifier compiles the rules.
func NewClassifier() *Classifier { return &Classifier{raw: raw(), strong: strong(), rules: rules()} }

// Classify says what a report means, a verdict a recipient; a message without
// recipients (a reply, an absence) gets one verdict.
func (c *Classifier) Classify(r *dsn.Report) []Verdict {
	switch r.Shape {
	case dsn.Complaint:
		return each(r, ReasonComplaint)
	case dsn.Automatic:
		return []Verdict{{Kind: Absence, Outcome: pipeline.None, Reason: ReasonAbsence}}
	case dsn.Personal:
		return []Verdict{{Kind: Reply, Outcome: pipeline.None, Reason: ReasonReply}}
	}
	out := make([]Verdict, 0, len(r.Recipients))
	for _, rec := range r.Recipients {
		out = append(out, c.judge(r, rec))
	}
	return out
}

func each(r *dsn.Report, reason string) (out []Verdict) {
	for _, rec := range r.Recipients {
		out = append(out, Verdict{Kind: Complaint, Recipient: rec.Address, Action: rec.Action, Outcome: pipeline.None, Reason: reason})
	}
	return out
}

var (
	enhanced = regexp.MustCompile(`\b([245]\.\d{1,3}\.\d{1,3})\b`)
	reply    = regexp.MustCompile(`(?:^|[\s:;>(\["'])([45][0-5]\d)(?:[\s\-#:;]|$)`)
)

// judge takes the words of the system first, its codes second: many systems send
// 5.0.0 or a wrong code with the right words (Exim, qmail, Exchange).
func (c *Classifier) judge(r *dsn.Report, rec dsn.Recipient) Verdict {
	v := Verdict{Kind: Bounce, Recipient: rec.Address, Action: rec.Action, Outcome: pipeline.None}
	said := rec.Diagnostic
	v.Status = specific(said, rec.Status)
	if m := reply.FindStringSubmatch(said); m != nil {
		v.Reply = m[1]
	}
	v.Detail = cut(strings.Join(strings.Fields(said), " "), 300)
	switch rec.Action {
	case "delayed":
		v.Kind, v.Reason = Delayed, ReasonDelayed
		return v
	case "delivered":
		v.Kind, v.Reason = Delivered, ReasonDelivered
		return v
	case "relayed", "expanded":
		v.Kind, v.Reason = Relayed, ReasonRelayed
		return v
	}
	v.Outcome, v.Reason = c.meaning(r, said, v.Status, v.Reply)
	// What a system itself calls temporary is no dead address, whatever it says.
	if (v.Outcome == pipeline.Dead && !firm(v.Reason) || v.Reason == ReasonProtocol) && strings.HasPrefix(v.Status, "4.") && !strings.HasPrefix(v.Reply, "5") {
		v.Outcome = pipeline.Transient
	}
	return v
}

// meaning asks, in this order: strong words of the diagnostic, what an SMTP reply
// says by the rules of smtpcode, the other words of the diagnostic, those of the
// text about this recipient, and the bare codes.
func (c *Classifier) meaning(r *dsn.Report, said, status, replyCode string) (pipeline.Outcome, string) {
	for _, m := range c.raw {
		if m.text.MatchString(said) || m.text.MatchString(r.Text) {
			return m.outcome, m.reason
		}
	}
	if o, reason, ok := match(c.strong, said); ok {
		return o, reason
	}
	code, _ := strconv.Atoi(replyCode)
	s, known := smtpcode.ParseStatus(status)
	if known || code != 0 {
		if j := smtpcode.Judge(code, s, clean(said)); certain(j.Reason) {
			return pipeline.Outcome(j.Outcome), j.Reason
		}
	}
	if o, reason, ok := match(c.rules, said); ok {
		return o, reason
	}
	if r.Text != "" && said != r.Text {
		if o, reason, ok := match(c.strong, r.Text); ok {
			return o, reason
		}
		if o, reason, ok := match(c.rules, r.Text); ok {
			return o, reason
		}
	}
	return byCode(status, replyCode)
}

// firm reports whether a reason stands even where the code says "later": a domain
// that declares that it takes no mail will not change its mind in a day.
func firm(reason string) bool { return reason == ReasonNoMail }

// certain reports whether a reason of smtpcode rests on more than a class of codes.
func certain(reason string) bool {
	switch reason {
	case "", smtpcode.Unknown, smtpcode.Later, smtpcode.Policy, smtpcode.Protocol, smtpcode.System, smtpcode.Network:
		return false
	}
	return true
}

func match(rules []rule, t string) (pipeline.Outcome, string, bool) {
	t = clean(t)
	for _, r := range rules {
		if r.text.MatchString(t) {
			return r.outcome, r.reason, true
		}
	}
	return "", "", false
}

// prefix is what Postfix and SES put before any refusal at RCPT: no meaning.
var prefix = regexp.MustCompile(`(?i)recipient address rejected:|unknown address error`)

func clean(t string) string {
	return prefix.ReplaceAllString(inText.ReplaceAllString(t, "<>"), " ")
}

// inText takes addresses and links out before the words are read: a customer may
// be called spam@blocked.example.
var inText = regexp.MustCompile(`<?[^\s<>"(),;:]+@[A-Za-z0-9.\-]+>?|https?://\S+`)

// specific returns the first status code that says more than "failed".
func specific(said, status string) string {
	for _, m := range enhanced.FindAllStringSubmatch(said, 8) {
		if !strings.HasSuffix(m[1], ".0.0") && m[1][0] != '2' {
			return m[1]
		}
	}
	return status
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// byCode is the last resort: the classes of RFC 3463 and of RFC 5321 §4.2.1.
func byCode(status, replyCode string) (pipeline.Outcome, string) {
	class, subject, _ := strings.Cut(status, ".")
	if class == "" && replyCode != "" {
		class = replyCode[:1]
	}
	switch {
	case class == "4":
		return pipeline.Transient, ReasonUnclear
	case strings.HasPrefix(subject, "1.") && class == "5":
		return pipeline.Dead, ReasonUnknown
	case strings.HasPrefix(subject, "2.") && class == "5":
		return pipeline.Dead, ReasonDisabled
	case strings.HasPrefix(subject, "3."), strings.HasPrefix(subject, "4."):
		return pipeline.Transient, ReasonSystem
	case strings.HasPrefix(subject, "5."), strings.HasPrefix(subject, "6."), strings.HasPrefix(subject, "7."):
		return pipeline.Ours, ReasonPolicy
	}
	return pipeline.Transient, ReasonUnclear
}
