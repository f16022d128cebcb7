package email

import (
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/redact"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// Classify says what a refusal of a recipient means, from the reply code, the
// enhanced status code of RFC 3463 ("" without one) and the text of the reply. It
// returns Dead, Transient or Ours; when in doubt Transient, which ends in a letter
// too, but not today and not for a whole provider at once.
//
// A disabled mailbox (5.2.1) is Dead at once and not after another try: a letter
// that was not needed costs a stamp, a customer who waits for days costs trust.
func Classify(code int, enhanced, text string) pipeline.Outcome {
	s, _ := smtpcode.ParseStatus(enhanced)
	return pipeline.Outcome(smtpcode.Judge(code, s, redact.Addresses(text)).Outcome)
}

// step is the command that a reply answers.
type step int

const (
	stepReset step = iota
	stepMail
	stepRcpt
	stepData
	stepDot
)

// refused turns a refusal into the answer for the notice.
//
// At MAIL nothing has been said about the recipient yet. What the relay says there
// it says to everybody: a 4xx means that it takes nothing now, a 5xx that it does
// not want us. So neither may cost a customer an attempt, and the second stops the
// line. DATA and the dot are about the message, which is the same letter for all;
// but with one recipient a relay may also speak of the mailbox there.
func refused(at step, r reply, recipient string) pipeline.Answer {
	status := replyStatus(r.code, r.text)
	text := redact.Addresses(r.text)
	v := smtpcode.Judge(r.code, status, text)
	a := pipeline.Answer{
		Phase: pipeline.PhaseRefused, Outcome: pipeline.Outcome(v.Outcome),
		Code: r.code, Enhanced: status.String(), Reply: r.clean(recipient),
	}
	switch {
	case at == stepReset:
		return broken(pipeline.PhaseUnsent, errReply)
	case r.code == 421 && at != stepDot, r.is(4) && at == stepMail:
		// It closes down, or is full. After the dot a 421 counts as an attempt, or a
		// message that makes a relay close would be sent for ever.
		a.Phase, a.Outcome, a.Broken = pipeline.PhaseUnsent, "", true
	case r.code == 421:
		a.Outcome, a.Broken = pipeline.Transient, true
	case r.is(4):
		a.Outcome = pipeline.Transient
	case at == stepMail:
		a.Outcome, a.Policy = pipeline.Ours, v.Reason != smtpcode.TooBig
	case at == stepRcpt:
		a.Policy = v.Outcome == smtpcode.Ours && (v.Reason == smtpcode.Auth || v.Reason == smtpcode.Protocol) && !smtpcode.Quotes(text)
	case v.Outcome == smtpcode.Transient && v.Reason == smtpcode.Unknown:
		// A message that is refused after its recipient was accepted is refused for what
		// it is.
		a.Outcome, a.Policy = pipeline.Ours, at == stepData
	default:
		a.Policy = v.Outcome == smtpcode.Ours && v.Reason != smtpcode.TooBig && v.Reason != smtpcode.Content && !smtpcode.Quotes(text)
	}
	return a
}
