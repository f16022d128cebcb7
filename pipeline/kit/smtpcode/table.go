package smtpcode

// Entry is one code of the registry, with what it means as a permanent failure
// (class 5).
type Entry struct {
	Subject, Detail int
	Meaning         string
	// Outcome of class 5; "" where the code alone does not say and the text decides.
	Outcome Outcome
	Reason  string // see Reasons
}

// registry is the IANA registry "SMTP Enhanced Status Codes" as of 2024-12-06,
// and three codes that Exchange Online added, in order.
var registry = []Entry{
	{0, 0, "other, undefined", "", Unknown},

	{1, 0, "other address status", "", Unknown},
	{1, 1, "bad destination mailbox address", Dead, NoMailbox},
	{1, 2, "bad destination system address", Dead, NoDomain},
	{1, 3, "bad destination mailbox address syntax", Dead, NoMailbox},
	{1, 4, "destination mailbox address ambiguous", Dead, NoMailbox},
	{1, 5, "destination address valid", "", Unknown},
	{1, 6, "destination mailbox has moved, no forwarding address", Dead, Moved},
	{1, 7, "bad sender's mailbox address syntax", Ours, BadSender},
	{1, 8, "bad sender's system address", Ours, BadSender},
	{1, 9, "message relayed to a non-compliant mailer", "", Unknown},
	{1, 10, "recipient address has null MX", Dead, NoMail},
	{1, 351, "remote server returned unknown recipient (Exchange Online)", Dead, NoMailbox},

	{2, 0, "other mailbox status", "", Unknown},
	{2, 1, "mailbox disabled, not accepting messages", Dead, Disabled},
	{2, 2, "mailbox full", Transient, MailboxFull},
	{2, 3, "message length exceeds administrative limit", Ours, TooBig},
	{2, 4, "mailing list expansion problem", Transient, System},

	{3, 0, "other mail system status", "", System},
	{3, 1, "mail system full", Transient, System},
	{3, 2, "system not accepting network messages", Transient, System},
	{3, 3, "system not capable of selected features", Transient, System},
	{3, 4, "message too big for the system", Ours, TooBig},
	{3, 5, "system incorrectly configured", Transient, System},
	{3, 6, "requested priority was changed", Transient, System},

	{4, 0, "other network or routing status", "", Network},
	{4, 1, "no answer from host", Transient, Network},
	{4, 2, "bad connection", Transient, Network},
	{4, 3, "directory server failure", Transient, Network},
	{4, 4, "unable to route", "", Network},
	{4, 5, "mail system congestion", Transient, Network},
	{4, 6, "routing loop detected", Transient, Network},
	{4, 7, "delivery time expired", Transient, Expired},
	{4, 300, "message expired (Exchange Online)", Transient, Expired},
	{4, 310, "DNS domain does not exist (Exchange Online)", Dead, NoDomain},

	{5, 0, "other protocol status", "", Protocol},
	{5, 1, "invalid command", Ours, Protocol},
	{5, 2, "syntax error", Ours, Protocol},
	{5, 3, "too many recipients", Ours, Protocol},
	{5, 4, "invalid command arguments", Ours, Protocol},
	{5, 5, "wrong protocol version", Ours, Protocol},
	{5, 6, "authentication exchange line is too long", Ours, Protocol},

	{6, 0, "other message content status", Ours, Content},
	{6, 1, "media not supported", Ours, Content},
	{6, 2, "conversion required and prohibited", Ours, Content},
	{6, 3, "conversion required but not supported", Ours, Content},
	{6, 4, "conversion with loss performed", Ours, Content},
	{6, 5, "conversion failed", Ours, Content},
	{6, 6, "message content not available", Ours, Content},
	{6, 7, "non-ASCII addresses not permitted", Ours, Content},
	{6, 8, "UTF-8 string reply is required", Ours, Content},
	{6, 9, "UTF-8 header message cannot be transferred", Ours, Content},
	{6, 10, "UTF-8 header message cannot be transferred", Ours, Content},

	{7, 0, "other security status", Ours, Policy},
	{7, 1, "delivery not authorised, message refused", Ours, Policy},
	{7, 2, "mailing list expansion prohibited", Ours, Policy},
	{7, 3, "security conversion required but not possible", Ours, Policy},
	{7, 4, "security features not supported", Ours, Policy},
	{7, 5, "cryptographic failure", Ours, Policy},
	{7, 6, "cryptographic algorithm not supported", Ours, Policy},
	{7, 7, "message integrity failure", Ours, Policy},
	{7, 8, "authentication credentials invalid", Ours, Auth},
	{7, 9, "authentication mechanism is too weak", Ours, Auth},
	{7, 10, "encryption needed", Ours, Auth},
	{7, 11, "encryption required for requested authentication mechanism", Ours, Auth},
	{7, 12, "a password transition is needed", Ours, Auth},
	{7, 13, "user account disabled", Ours, Auth},
	{7, 14, "trust relationship required", Ours, Auth},
	{7, 15, "priority level is too low", Ours, Policy},
	{7, 16, "message is too big for the specified priority", Ours, TooBig},
	{7, 17, "mailbox owner has changed", Ours, Policy},
	{7, 18, "domain owner has changed", Ours, Policy},
	{7, 19, "recipient validity test cannot be completed", Ours, Policy},
	{7, 20, "no passing DKIM signature found", Ours, Auth},
	{7, 21, "no acceptable DKIM signature found", Ours, Auth},
	{7, 22, "no valid author-matched DKIM signature found", Ours, Auth},
	{7, 23, "SPF validation failed", Ours, Auth},
	{7, 24, "SPF validation error", Ours, Auth},
	{7, 25, "reverse DNS validation failed", Ours, Auth},
	{7, 26, "multiple authentication checks failed", Ours, Auth},
	{7, 27, "sender address has null MX", Ours, BadSender},
	{7, 28, "mail flood detected", Ours, Rate},
	{7, 29, "ARC validation failure", Ours, Auth},
	{7, 30, "REQUIRETLS support required", Ours, Policy},
}
