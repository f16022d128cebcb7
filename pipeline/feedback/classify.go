package feedback

import (
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// Verdict is what a message that came back means for one recipient.
type Verdict struct {
	Kind      Kind
	Recipient string // as the report names it: for reading, never for identity
	Action    string
	Status    string // enhanced status code that decided, RFC 3463; "" without one
	Reply     string // SMTP reply code, "" without one
	Outcome   pipeline.Outcome
	Reason    string // of a bounce one of smtpcode.Reasons, else one of this package
	Detail    string // what the system said, at most 300 bytes; may hold an address
}

// Reasons of what is no bounce, where the kind does not say it all. All others
// have their kind for a reason.
const (
	ReasonReceipt   = "receipt"    // the message was opened, or deleted unread (RFC 8098)
	ReasonAutomatic = "automatic"  // a robot answered, and not because somebody is away
	ReasonNotSpam   = "not-spam"   // the recipient took a complaint back
	ReasonAuthCheck = "auth-check" // a report about our authentication (RFC 6591)
	ReasonOptOut    = "opt-out"    // the recipient's provider asks to stop
)

// Classifier judges what comes back. It is safe for concurrent use.
type Classifier struct {
	raw, strong, words []judgement
	answers            answers
}

// judgement is a rule ready for use.
type judgement struct {
	outcome pipeline.Outcome
	reason  string
	text    pattern
}

// NewClassifier compiles the rules.
func NewClassifier() *Classifier {
	return &Classifier{raw: ready(raw()), strong: ready(strong()), words: ready(rules()), answers: newAnswers()}
}

func ready(rules []rule) (list []judgement) {
	for _, r := range rules {
		list = append(list, judgement{r.outcome, r.reason, compile(r.text)})
	}
	return list
}

// Classify says what a message means, a verdict a recipient; one that is no report
// gets one verdict.
func (c *Classifier) Classify(r *dsn.Report) []Verdict {
	switch r.Shape {
	case dsn.Complaint:
		return complaint(r)
	case dsn.Delivery:
		out := make([]Verdict, 0, len(r.Recipients))
		for i, about := range r.About() {
			out = append(out, c.judge(r, r.Recipients[i], about))
		}
		return out
	}
	kind, reason := c.answers.kind(r)
	return []Verdict{{Kind: kind, Outcome: pipeline.None, Reason: reason}}
}

// judge takes the words of the system first, its codes second: many systems send
// 5.0.0 or a wrong code with the right words (Exim, qmail, Exchange).
func (c *Classifier) judge(r *dsn.Report, rec dsn.Recipient, text string) Verdict {
	said, about := newWords(rec.Diagnostic), words{}
	if text != rec.Diagnostic {
		about = newWords(text)
	}
	v := Verdict{Kind: Bounce, Recipient: rec.Address, Action: rec.Action, Outcome: pipeline.None}
	v.Status, v.Reply = specific(said.low, rec.Status), replyCode(said.low)
	v.Detail = cut(strings.Join(strings.Fields(cut(rec.Diagnostic, 2000)), " "), 300)
	if v.Kind = c.answers.progress(r, rec, said, about); v.Kind != Bounce {
		v.Reason = string(v.Kind)
		if v.Kind == Delayed && rec.Action == "" {
			v.Outcome = pipeline.Transient
		}
		return v
	}
	if o, reason, ok := told(rec); ok {
		v.Outcome, v.Reason = o, reason
		return v
	}
	v.Outcome, v.Reason = c.meaning(said, about, v.Status, v.Reply)
	switch {
	case v.Outcome == pipeline.Dead && security(v.Status):
		// A security status is about the sender or the message (RFC 3463 §3.8). Where
		// the words speak of the mailbox all the same, neither is believed: again on
		// schedule, and the letter at the deadline.
		v.Outcome = pipeline.Transient
		if v.Status[0] == '5' && (v.Reason == smtpcode.NoDomain || v.Reason == smtpcode.NoMail) {
			v.Outcome, v.Reason = pipeline.Ours, smtpcode.BadSender // it is our domain that they mean
		}
	case v.Outcome == pipeline.Dead && v.Reason != smtpcode.NoMail, v.Reason == smtpcode.Protocol:
		// What a system itself calls temporary is no dead address, whatever it says. But
		// a domain that declares that it takes no mail will not change its mind in a day.
		if strings.HasPrefix(v.Status, "4.") && !strings.HasPrefix(v.Reply, "5") {
			v.Outcome = pipeline.Transient
		}
	}
	return v
}

// security reports whether a status is an X.7.x.
func security(status string) bool { return len(status) > 3 && status[1:3] == ".7" && status[3] == '.' }

// meaning asks, in this order: strong words of the diagnostic, what an SMTP reply
// says by the rules of smtpcode, the other words of the diagnostic, those of the
// text about this recipient, and the bare codes.
func (c *Classifier) meaning(said, about words, status, reply string) (pipeline.Outcome, string) {
	for _, j := range c.raw {
		if j.text.match(said.low) || j.text.match(about.low) {
			return j.outcome, j.reason
		}
	}
	if o, reason, ok := first(c.strong, said.clean); ok {
		return o, reason
	}
	code, _ := strconv.Atoi(reply)
	if s, known := smtpcode.ParseStatus(status); known || code != 0 {
		if j := smtpcode.Judge(code, s, said.clean); certain(j.Reason) {
			if full := smtpcode.Full(about.clean); full && j.Outcome == smtpcode.Dead {
				return pipeline.Transient, smtpcode.MailboxFull // the text for people knows why
			}
			return pipeline.Outcome(j.Outcome), j.Reason
		}
	}
	if o, reason, ok := first(c.words, said.clean); ok {
		return o, reason
	}
	if o, reason, ok := first(c.strong, about.clean); ok {
		return o, reason
	}
	if o, reason, ok := first(c.words, about.clean); ok {
		return o, reason
	}
	return byCode(status, reply)
}

// certain reports whether a reason of smtpcode rests on more than a class of codes.
func certain(reason string) bool {
	switch reason {
	case "", smtpcode.Unknown, smtpcode.Later, smtpcode.Policy, smtpcode.Protocol, smtpcode.System, smtpcode.Network:
		return false
	}
	return true
}

func first(rules []judgement, clean string) (pipeline.Outcome, string, bool) {
	if clean == "" {
		return "", "", false
	}
	for _, j := range rules {
		if j.text.match(clean) {
			return j.outcome, j.reason, true
		}
	}
	return "", "", false
}

// byCode is the last resort: the classes of RFC 3463 and of RFC 5321 §4.2.1.
func byCode(status, reply string) (pipeline.Outcome, string) {
	class, subject, _ := strings.Cut(status, ".")
	if class == "" && reply != "" {
		class = reply[:1]
	}
	subject, _, _ = strings.Cut(subject, ".")
	switch {
	case class == "4":
		return pipeline.Transient, smtpcode.Later
	case subject == "1" && class == "5":
		return pipeline.Dead, smtpcode.NoMailbox
	case subject == "2" && class == "5":
		return pipeline.Dead, smtpcode.Disabled
	case subject == "3":
		return pipeline.Transient, smtpcode.System
	case subject == "4":
		return pipeline.Transient, smtpcode.Network
	case subject == "5", subject == "6", subject == "7":
		return pipeline.Ours, smtpcode.Policy
	}
	return pipeline.Transient, smtpcode.Unknown
}
