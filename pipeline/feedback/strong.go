package feedback

import "github.com/art34/art34/pipeline"

// strong are words that mean one thing wherever they stand, mostly those that a
// reporting system adds to what it was told.
func strong() []rule {
	return []rule{
		{pipeline.Ours, ReasonSender, rx(`after MAIL FROM|in reply to MAIL FROM|did not like our MAIL FROM|response to MAIL FROM`)},
		{pipeline.Ours, ReasonReputation, rx(`my name was rejected|not accepting connections|invalid ip for sending|daily relay quota|open relay`)},
		{pipeline.Ours, ReasonSize, rx(`message length exceeds|message size exceeds|line limit exceeded`)},
		{pipeline.Ours, ReasonProtocol, rx(`malformed address|e-?mail is redundant`)},
		{pipeline.Ours, ReasonAuth, rx(`send mail as`)},
		{pipeline.Ours, ReasonPolicy, rx(`not (?:a )?member of`)},
		{pipeline.Transient, ReasonSystem, rx(`duplicated message-id`)},
		{pipeline.Dead, ReasonNoMail, rx(`null mx|host does not accept mail`)},
		{pipeline.Transient, ReasonExpired, rx(`(?:envelope|message|delivery time|time) (?:has )?expired|host not reachable`)},
		{pipeline.Transient, ReasonMailer, rx(`\bprocmail:|mailer error|pipe to \|`)},
		{pipeline.Transient, ReasonFull, rx(`メールボックスが一杯`)},
		{pipeline.Dead, ReasonDisabled, rx(`compte du destinataire est bloqu|recipient account is blocked`)},
		{pipeline.Dead, ReasonUnknown, rx(`final delivery userid|mailbox unavailable|no such user here|mail\.local: unknown user`)},
		{pipeline.Dead, ReasonHostUnknown, rx(`domain is not reachable`)},
		{pipeline.Transient, ReasonRate, rx(`essayer plus tard|please try later`)},
	}
}

// raw are marks that clean would take away.
func raw() []rule {
	return []rule{
		// A Google group that does not exist or that we may not write to: the text comes
		// in every language, its link does not.
		{pipeline.Ours, ReasonPolicy, rx(`https?://(?:groups\.google\.com/support|support\.google\.com/a/\S*groups)`)},
		// The registry gives 5.7.13 to our account, this text to the recipient's.
		{pipeline.Dead, ReasonDisabled, rx(`recipient address rejected:\s*(?:the )?(?:user |recipient |e-?mail )?account (?:is |has been )?(?:disabled|suspended)|disabled recipient`)},
		// Postfix: an access table names this recipient. What it holds against a client
		// or a sender says "Client host rejected", "Sender address rejected".
		{pipeline.Dead, ReasonUnknown, rx(`554 5\.7\.1 <\S+>:\s+recipient address rejected: access denied`)},
	}
}
