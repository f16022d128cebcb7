package smtpcode

import (
	"strings"
	"unicode"
)

// word is something that servers write, in normal form, and the reason it stands
// for. It matches from the beginning of a word: "throttl" is in "throttled".
type word struct{ text, reason string }

// normal returns the words of a text in lower case without accents, one space
// before each and one at the end: "Boîte pleine!" becomes " boite pleine ".
func normal(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	b.WriteByte(' ')
	gap := true
	for _, r := range text {
		r = plain(unicode.ToLower(r))
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 0x80 && unicode.IsLetter(r) {
			b.WriteRune(r)
			gap = false
			continue
		}
		if !gap {
			b.WriteByte(' ')
			gap = true
		}
	}
	if !gap {
		b.WriteByte(' ')
	}
	return b.String()
}

// plain takes the accent off a lower-case letter of the western languages.
func plain(r rune) rune {
	switch r {
	case 'à', 'á', 'â', 'ã', 'ä':
		return 'a'
	case 'ç':
		return 'c'
	case 'è', 'é', 'ê', 'ë':
		return 'e'
	case 'ì', 'í', 'î', 'ï':
		return 'i'
	case 'ñ':
		return 'n'
	case 'ò', 'ó', 'ô', 'õ', 'ö':
		return 'o'
	case 'ù', 'ú', 'û', 'ü':
		return 'u'
	}
	return r
}

// find returns the reason of the first word of the list that a text in normal
// form holds.
func find(list []word, text string) string {
	for _, w := range list {
		if has(text, w.text) {
			return w.reason
		}
	}
	return ""
}

func has(text, word string) bool {
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return false
		}
		if i > 0 && text[i-1] == ' ' {
			return true
		}
		text = text[i+1:]
	}
}

// oursWords speak about us, whatever the code says.
var oursWords = []word{
	{"spamhaus", Blocked}, {"spamcop", Blocked}, {"barracudacentral", Blocked}, {"blacklist", Blocked}, {"black list", Blocked},
	{"blocklist", Blocked}, {"block list", Blocked}, {"denylist", Blocked}, {"dnsbl", Blocked}, {"rbl", Blocked}, {"blocked using", Blocked},
	{"reputation", Blocked}, {"client host rejected", Blocked}, {"client host blocked", Blocked}, {"your ip", Blocked}, {"ip address has been", Blocked},
	{"banned sending ip", Blocked}, {"is listed", Blocked}, {"are listed", Blocked}, {"was listed", Blocked}, {"been listed", Blocked}, {"liste noire", Blocked},
	{"spf", Auth}, {"dkim", Auth}, {"dmarc", Auth}, {"reverse dns", Auth}, {"rdns", Auth}, {"ptr record", Auth}, {"reverse hostname", Auth},
	{"authentication required", Auth}, {"authentication is required", Auth}, {"smtp authentication", Auth}, {"not authenticated", Auth}, {"must issue a starttls", Auth},
	{"relay access denied", Auth}, {"relaying denied", Auth}, {"unable to relay", Auth}, {"relay not permitted", Auth}, {"not permitted to relay", Auth},
	{"relaying not allowed", Auth}, {"relay denied", Auth}, {"relaying is not", Auth}, {"we do not relay", Auth}, {"rcpthosts", Auth},
	{"spam", Content}, {"virus", Content}, {"malware", Content}, {"phish", Content}, {"junk mail", Content}, {"unsolicited", Content}, {"suspicious", Content},
	{"content rejected", Content}, {"message content", Content}, {"pourriel", Content},
	{"sender address rejected", BadSender}, {"sender rejected", BadSender}, {"sender denied", BadSender}, {"sender verify failed", BadSender}, {"sender domain", BadSender},
	{"sender address verification", BadSender}, {"domain of sender", BadSender}, {"invalid sender", BadSender}, {"from address", BadSender}, {"mail from", BadSender},
	{"message size exceeds", TooBig}, {"message too large", TooBig}, {"message too big", TooBig}, {"message is too large", TooBig}, {"message exceeds", TooBig},
	{"maximum message size", TooBig}, {"size limit exceeded", TooBig},
	{"suppression list", Suppressed}, {"suppressed", Suppressed}, {"previously bounced", Suppressed}, {"marked as inactive", Suppressed}, {"unsubscribed address", Suppressed}, {"unsubscribed recipient", Suppressed},
	{"policy violation", Policy}, {"for policy reasons", Policy}, {"local policy", Policy}, {"by policy", Policy}, {"security policy", Policy},
}

// fullWords say that the mailbox is over its quota.
var fullWords = []word{
	{"quota", MailboxFull}, {"mailbox full", MailboxFull}, {"mailbox is full", MailboxFull}, {"mailbox was full", MailboxFull}, {"inbox is full", MailboxFull}, {"out of storage", MailboxFull},
	{"storage limit", MailboxFull}, {"storage allocation", MailboxFull}, {"mailfolder is full", MailboxFull}, {"not enough space", MailboxFull}, {"disk full", MailboxFull}, {"not enough disk space", MailboxFull},
	{"boite pleine", MailboxFull}, {"boite aux lettres pleine", MailboxFull},
	{"postfach voll", MailboxFull}, {"postfach ist voll", MailboxFull}, {"buzon lleno", MailboxFull}, {"casella piena", MailboxFull}, {"caixa cheia", MailboxFull},
	{"too much mail data", MailboxFull}, {"size of mailbox", MailboxFull},
}

// rateWords say that too much came in too short a time.
var rateWords = []word{
	{"at a rate that", Rate}, {"rate limit", Rate}, {"too many messages", Rate}, {"too many connections", Rate}, {"too many recipients", Rate}, {"too many concurrent", Rate},
	{"throttl", Rate}, {"trop de connexions", Rate}, {"too fast", Rate}, {"too frequent", Rate},
}

// deadWords say that the mailbox or its domain does not exist.
var deadWords = []word{
	{"user unknown", NoMailbox}, {"unknown user", NoMailbox}, {"no such user", NoMailbox}, {"no such recipient", NoMailbox}, {"no such mailbox", NoMailbox}, {"no such account", NoMailbox},
	{"no such address", NoMailbox}, {"no such person", NoMailbox}, {"recipient unknown", NoMailbox}, {"unknown recipient", NoMailbox}, {"unknown address", NoMailbox}, {"unknown mailbox", NoMailbox}, {"unknown local", NoMailbox},
	{"address unknown", NoMailbox}, {"user not found", NoMailbox}, {"recipient not found", NoMailbox}, {"mailbox not found", NoMailbox}, {"account not found", NoMailbox}, {"address not found", NoMailbox},
	{"unknown account", NoMailbox}, {"invalid recipient", NoMailbox}, {"invalid mailbox", NoMailbox}, {"invalid user", NoMailbox}, {"bad destination mailbox", NoMailbox},
	{"recipientnotfound", NoMailbox}, {"no mailbox here", NoMailbox}, {"no mailbox by that name", NoMailbox}, {"not a valid mailbox", NoMailbox}, {"not a known user", NoMailbox}, {"not a valid user", NoMailbox},
	{"not a local user", NoMailbox}, {"not our customer", NoMailbox}, {"mailbox unavailable", NoMailbox}, {"mailbox not available", NoMailbox}, {"no account by that name", NoMailbox},
	{"doesn t have a", NoMailbox}, {"does not have a", NoMailbox}, {"user doesn t exist", NoMailbox}, {"user does not exist", NoMailbox}, {"mailbox does not exist", NoMailbox},
	{"account that you tried to reach does not exist", NoMailbox}, {"account does not exist", NoMailbox}, {"address does not exist", NoMailbox}, {"recipient does not exist", NoMailbox}, {"recipient no longer", NoMailbox},
	{"no longer available", NoMailbox}, {"no longer valid", NoMailbox}, {"undeliverable address", NoMailbox}, {"not listed in", NoMailbox}, {"not in my user list", NoMailbox},
	{"adresse inconnue", NoMailbox}, {"adresse d au moins un destinataire invalide", NoMailbox}, {"destinataire inconnu", NoMailbox}, {"destinataire invalide", NoMailbox}, {"utilisateur inconnu", NoMailbox},
	{"compte inexistant", NoMailbox}, {"boite inconnue", NoMailbox}, {"n existe pas", NoMailbox},
	{"empfanger unbekannt", NoMailbox}, {"empfaenger unbekannt", NoMailbox}, {"unbekannter empf", NoMailbox}, {"unbekannter benutzer", NoMailbox}, {"postfach existiert nicht", NoMailbox},
	{"usuario desconocido", NoMailbox}, {"destinatario desconocido", NoMailbox}, {"utente sconosciuto", NoMailbox}, {"destinatario sconosciuto", NoMailbox}, {"usuario desconhecido", NoMailbox},
	{"moved without", Moved}, {"has moved to", Moved}, {"changed their address", Moved}, {"no forwarding address", Moved}, {"user not local", Moved},
	{"account disabled", Disabled}, {"account is disabled", Disabled}, {"account has been disabled", Disabled}, {"mailbox disabled", Disabled}, {"mailbox is disabled", Disabled}, {"user disabled", Disabled},
	{"account is inactive", Disabled}, {"inactive user", Disabled}, {"mailbox is inactive", Disabled}, {"recipient is inactive", Disabled}, {"account inactive", Disabled}, {"is suspended", Disabled}, {"account suspended", Disabled},
	{"been suspended", Disabled}, {"account closed", Disabled}, {"account has been closed", Disabled}, {"compte desactive", Disabled}, {"account has expired", Disabled}, {"account expired", Disabled}, {"mailbox is frozen", Disabled}, {"account is blocked", Disabled}, {"account is locked", Disabled},
	{"compte du destinataire est bloque", Disabled},
	{"host unknown", NoDomain}, {"unknown host", NoDomain}, {"unknown domain", NoDomain}, {"domain unknown", NoDomain}, {"host not found", NoDomain}, {"domain not found", NoDomain}, {"host or domain name not found", NoDomain},
	{"domain does not exist", NoDomain}, {"no such domain", NoDomain}, {"no such host", NoDomain}, {"nxdomain", NoDomain}, {"does not accept mail", NoMail}, {"domain does not accept", NoMail}, {"null mx", NoMail},
	{"nullmx", NoMail}, {"all relevant mx records point to non existent hosts", NoDomain}, {"unrouteable address", NoDomain}, {"unroutable address", NoDomain}, {"domaine inconnu", NoDomain},
}

// unclearWords speak about the recipient without saying what is wrong.
var unclearWords = []word{
	{"recipient address rejected", Unknown}, {"recipient rejected", Unknown}, {"address rejected", Unknown},
}

// waitWords say that it is a matter of time.
var waitWords = []word{
	{"greylist", Later}, {"graylist", Later}, {"try again later", Later}, {"try later", Later}, {"temporar", Later}, {"retry time", Expired}, {"retry timeout", Expired}, {"time expired", Expired}, {"expired", Expired},
	{"timed out", Network}, {"timeout", Network}, {"connection refused", Network}, {"no route to host", Network}, {"network is unreachable", Network}, {"loop", Network}, {"too many hops", Network}, {"lost connection", Network},
	{"internal error", System}, {"system error", System}, {"local error", System}, {"configuration error", System}, {"resources", System}, {"service unavailable", System}, {"can t create", System}, {"unable to connect", Network},
}

// refusalWords are what is left of a refusal that does not say whom it means.
var refusalWords = []word{
	{"access denied", Policy}, {"not allowed", Policy}, {"not accepted", Policy}, {"rejected", Policy}, {"refused", Policy}, {"denied", Policy}, {"policy", Policy}, {"forbidden", Policy}, {"prohibited", Policy}, {"blocked", Blocked},
	{"not authorized", Policy}, {"not authorised", Policy}, {"refuse", Policy}, {"abuse", Policy},
}

// Full reports whether a text says that the mailbox is over its quota.
func Full(text string) bool { return find(fullWords, normal(text)) != "" }

// Quotes reports whether a server repeats what another one said to it.
func Quotes(text string) bool {
	text = normal(text)
	return has(text, "said") || has(text, "remote server") || has(text, "remote host") || has(text, "response from") || has(text, "callout")
}
