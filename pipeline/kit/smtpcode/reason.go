package smtpcode

// Reasons: why a message was refused or came back. One vocabulary for the answers
// of a relay and for what comes back later; see Reasons for what each means.
const (
	NoMailbox   = "no-mailbox"
	NoDomain    = "no-domain"
	NoMail      = "no-mail"
	Moved       = "moved"
	Disabled    = "disabled"
	MailboxFull = "mailbox-full"
	Rate        = "rate"
	Later       = "later"
	Expired     = "expired"
	Network     = "network"
	System      = "system"
	Unknown     = "unknown"
	BadSender   = "bad-sender"
	Auth        = "auth"
	Blocked     = "blocked"
	Policy      = "policy"
	Suppressed  = "suppressed"
	Content     = "content"
	TooBig      = "too-big"
	Protocol    = "protocol"
)

// Reason is an entry of the vocabulary.
type Reason struct {
	Code string
	// Outcome is the usual one. What a server itself calls temporary (4xx, 4.x.x) is
	// Transient whatever the reason.
	Outcome Outcome
	Meaning string
}

// Reasons returns the vocabulary, by outcome.
func Reasons() []Reason {
	return []Reason{
		{NoMailbox, Dead, "the mailbox does not exist"},
		{NoDomain, Dead, "the domain does not exist"},
		{NoMail, Dead, "the domain declares that it takes no mail (null MX, RFC 7505)"},
		{Moved, Dead, "the mailbox moved and left no address"},
		{Disabled, Dead, "the mailbox is there and closed"},
		{MailboxFull, Transient, "the mailbox is over its quota"},
		{Rate, Transient, "too much in too short a time"},
		{Later, Transient, "the server asks to come back later (greylisting, shutdown)"},
		{Expired, Transient, "a relay on the way gave up"},
		{Network, Transient, "the server cannot be reached"},
		{System, Transient, "the receiving system has a problem"},
		{Unknown, Transient, "nothing that we recognise"},
		{BadSender, Ours, "our sender address or domain"},
		{Auth, Ours, "who we are: login, relaying, SPF, DKIM, DMARC, reverse DNS, TLS"},
		{Blocked, Ours, "our address or name is on a list, or has a bad name"},
		{Policy, Ours, "refused by a rule"},
		{Suppressed, Ours, "our own provider did not send: its suppression list, or it holds the recipient for unsubscribed"},
		{Content, Ours, "what the message says or how it is made"},
		{TooBig, Ours, "the message is too big"},
		{Protocol, Ours, "a command was not understood"},
	}
}
