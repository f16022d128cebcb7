package feedback

import (
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// strong are words that mean one thing wherever they stand, mostly those that a
// reporting system adds to what it was told.
func strong() []rule {
	return []rule{
		{pipeline.Ours, smtpcode.Suppressed, `suppression list|suppressed sending|previously bounced address|not delivering to (?:unsubscribed|a user who marked)|marked as inactive`},
		{pipeline.Ours, smtpcode.BadSender, `after mail from|in reply to mail from|did not like our mail from|response to mail from`},
		{pipeline.Ours, smtpcode.Blocked, `my name was rejected|not accepting connections|invalid ip for sending|daily relay quota|open relay`},
		// Orange and La Poste: family 006 is about the address of the sending host.
		{pipeline.Ours, smtpcode.Blocked, `\b(?:ofr|lpn)_?006_\d`},
		{pipeline.Ours, smtpcode.TooBig, `message length exceeds|message size exceeds|line limit exceeded`},
		{pipeline.Ours, smtpcode.Protocol, `malformed address|e-?mail is redundant`},
		{pipeline.Ours, smtpcode.Auth, `send mail as`},
		{pipeline.Ours, smtpcode.Policy, `not (?:a )?member of`},
		{pipeline.Transient, smtpcode.System, `duplicated message-id`},
		{pipeline.Dead, smtpcode.NoMail, `null mx|host does not accept mail`},
		{pipeline.Transient, smtpcode.Expired, `(?:envelope|message|delivery time|time) (?:has )?expired|host not reachable`},
		{pipeline.Transient, smtpcode.System, `\bprocmail:|mailer error|pipe to \|`},
		{pipeline.Transient, smtpcode.MailboxFull, `メールボックスが一杯`},
		{pipeline.Dead, smtpcode.Disabled, `compte du destinataire est bloqu|recipient account is blocked`},
		{pipeline.Dead, smtpcode.NoMailbox, `final delivery userid|mailbox unavailable|no such user here|mail\.local: unknown user`},
		{pipeline.Dead, smtpcode.NoDomain, `domain is not reachable`},
		{pipeline.Transient, smtpcode.Rate, `essayer plus tard|please try later`},
	}
}

// raw are marks that clean would take away.
func raw() []rule {
	return []rule{
		// A Google group that does not exist or that we may not write to: the text comes
		// in every language, its link does not.
		{pipeline.Ours, smtpcode.Policy, `https?://(?:groups\.google\.com/support|support\.google\.com/a/\S*groups)`},
		// The registry gives 5.7.13 to our account, this text to the recipient's: with
		// that code it is in doubt.
		{pipeline.Dead, smtpcode.Disabled, `recipient address rejected:\s*(?:the )?(?:user |recipient |e-?mail )?account (?:is |has been )?(?:disabled|suspended)|disabled recipient`},
	}
}
