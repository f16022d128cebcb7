package feedback

import (
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// rule maps what systems write to what it means. Rules are tried in order; the
// first that matches decides. What blames us comes before what blames the address:
// a wrong "dead" posts a letter to a whole provider, a wrong "ours" wakes a person.
type rule struct {
	outcome pipeline.Outcome
	reason  string
	text    string // see compile
}

// rules are patterns of real systems, by meaning.
func rules() []rule {
	return []rule{
		// A full mailbox is named in words that the rules for size would take.
		{pipeline.Transient, smtpcode.MailboxFull, `
			mail ?box (?:is )?(?:too )?full|mailbox .{0,40}\bfull\b|over ?quota|quota (?:exceeded|has been exceeded|limit|full)|
			exceed\w* (?:the |his |their |its |storage |mailbox |disk )*(?:quota|storage)|out of storage|inbox is full|
			not enough (?:disk |storage )space|insufficient (?:disk|mailbox|storage) space|mailbox size limit|maildir.{0,20}over quota|
			user has exhausted|too many messages in (?:the )?mailbox|mailfolder is full|bo[iî]te .{0,30}pleine|voll(?:es)? postfach|
			postfach .{0,20}voll|mailbox_full|disk quota|account is over|storage (?:limit|allocation) exceeded|mbox_full|mail quota|
			mailbox quota|full mailbox|quota violation|maximum (?:mailbox )?storage|volume of mail`},

		// Greylisting and pace: wait.
		{pipeline.Transient, smtpcode.Rate, `
			grey ?list|gray ?list|too many (?:connections|concurrent|sessions|messages|recipients.{0,20}hour)|too much mail|rate limit|rate of|
			receiving mail (?:at|too)|try again (?:in|later)|please retry|connection rate|throttl|max(?:imum)? (?:number of )?connections|
			sending (?:too|mail too)|exceeded .{0,30}(?:hour|minute|connection)|too fast|unusual rate`},

		// Ours: who we are and how we are seen.
		{pipeline.Ours, smtpcode.Auth, `
			reverse (?:dns|lookup|mapping)|\bptr\b|\brdns\b|no (?:matching )?(?:host ?)?name found|
			cannot (?:find|resolve) your (?:host|reverse)|ip (?:address )?.{0,30}(?:does not|without) (?:resolve|reverse)|fix reverse|
			not rfc.{0,10}(?:hostname|helo)|client host rejected: cannot find|hostname.{0,30}not resolv|invalid (?:helo|ehlo)|
			helo command rejected|unresolvable (?:client|hostname)`},
		{pipeline.Ours, smtpcode.Auth, `
			\bspf\b|\bdkim\b|\bdmarc\b|sender (?:id|policy)|authentication.{0,40}(?:check|fail|require|result)|unauthenticated|
			fail(?:s|ed)? (?:to pass )?authentication|not (?:permitted|allowed|authori[sz]ed) to send.{0,40}(?:domain|behalf)|
			envelope sender domain|spoof`},
		{pipeline.Ours, smtpcode.Blocked, `
			black ?list|block ?list|blocked|\brbl\b|dnsbl|spamhaus|spamcop|barracuda|sorbs|reputation|\bs3150\b|listed (?:in|at|on|by)|banned|
			denied by|bad (?:sender|ip)|poor|ip (?:address )?(?:has been )?(?:blocked|listed|rejected|denied)|real-?time black|open relay|
			dynamic (?:ip|address)|dial-?up|client host .{0,60}(?:blocked|rejected)|
			not accept(?:ed|ing)? (?:mail )?from (?:your|this) (?:ip|host|server|network)|connections? (?:refused|rejected) from|
			your (?:ip|host|server|network)|from your (?:ip|host|mail server)|tss0\d|user complaints|proofpoint|cloudmark|csi|senderscore|
			access denied.{0,40}(?:ip|host)|your access to (?:submit|this mail)|bad host|no access from|go away`},
		{pipeline.Ours, smtpcode.Content, `
			\bspam\b|spammy|unsolicited|junk|bulk mail|virus|malware|infected|content (?:rejected|filter|policy|reject|denied|restriction)|
			message (?:content|contains|body).{0,40}(?:reject|block|not|prohib|virus|restrict)|rejected .{0,30}content|
			high (?:spam )?(?:score|probability)|identified as|suspicious|illegal attachment|attachment|banned file|forbidden (?:file|word)|
			header (?:is )?(?:invalid|not|error|content)|bad header|prohibited|security (?:risk|reasons|policy)|phish|url |unacceptable|
			message filtered|filtered message|scanned|mailmarshal|disallowed (?:mime|content)`},
		{pipeline.Ours, smtpcode.TooBig, `
			message (?:size )?(?:is )?(?:too (?:big|large|long)|exceeds|larger)|too (?:big|large) (?:message|for)|
			size (?:of the message )?exceeds|exceeds? .{0,40}(?:size|maximum)|message file too big|max(?:imum)? message size|
			body too (?:big|large)|size limit`},
		{pipeline.Ours, smtpcode.Auth, `
			relay(?:ing)? (?:access )?(?:not (?:permitted|allowed)|denied|prohibited|is not|rejected|disallowed|not)|unable to relay|not relay|
			we do(?: not|n't) relay|insecure mail relay|no relaying|relay (?:not permitted|denied|access)|mail server requires authentication|
			sender (?:is )?not (?:authori[sz]ed|logged)|rcpthosts|not (?:a )?(?:gateway|local host)|authentication (?:is )?required|
			must (?:authenticate|log|check)|send (?:to|mail) only|open mail relay|relaying`},
		{pipeline.Ours, smtpcode.Auth, `
			must issue a starttls|starttls (?:is )?required|tls (?:is )?required|starttls first|
			tls (?:handshake|negotiation|is not available|connection failed)|certificate|cannot start tls|no shared cipher`},
		{pipeline.Ours, smtpcode.BadSender, `
			sender (?:address|domain|denied|verif|rejected|is|blocked|refused)|(?:return|from) address|from: ?<.{0,60}(?:reject|invalid)|
			invalid sender|unknown sender|mail from.{0,80}(?:reject|deni|refus|not)|domain of sender|sender.s (?:domain|address)|
			sender was rejected|sender rejected|backscatter|bounces? (?:address|not)|reject.{0,20}bounce|null sender|sender (?:must|does)|
			not accept .{0,30}sender|bad sender|senders? (?:not|allowed)|fake sender|forged|did not like our mail from`},

		// The address.
		{pipeline.Dead, smtpcode.Moved, `
			(?:has|have) (?:been )?moved|address (?:has )?changed|
			no longer (?:at|with|works|employed|valid|in use|available|here|on server|accept)|new address|user has left|
			left the (?:company|organi)|(?:mailbox|address|account) (?:has been )?replaced`},
		{pipeline.Dead, smtpcode.Disabled, `
			(?:account|mail ?box|user|recipient(?: address)?|address|e-?mail)[^.]{0,60}(?:disabled|deactivated|suspend|inactive|locked|terminated|expired|closed|cancel+ed|not active|temporarily unavailable|discontinued|frozen|on hold|is archived)|
			(?:disabled|deactivated|suspended|inactive|closed|locked|unavailable|expired|invalid and inactive) (?:account|user|mail ?box|recipient|address)|
			mailbox unavailable or access denied`},
		{pipeline.Dead, smtpcode.NoMailbox, `
			user (?:is )?(?:un ?known|not (?:found|known|exist|local|listed)|does(?:n't| not) (?:exist|have)|invalid|doesn)|
			(?:un ?known|no such|invalid|non-?existent|nonexistent|bad|wrong|illegal|missing) (?:local ?(?:user|part|mailbox)|user|mail ?box|recipient|address|account|e-?mail|person|rcpt|id|destination mailbox|virtual|alias|addressee|name|domain user|customer|local|mail address|receiver)|
			(?:mail ?box|recipient|address|account|rcpt|addressee|person|e-?mail|destination|local part|name)[^.\n]{0,60}(?:does not exist|doesn't exist|do not exist|not exist|not found|unknown|is invalid|not (?:a )?(?:valid|known|recogni[sz]ed|local|here|listed|correct)|could not be found|n'existe|existiert nicht|unbekannt|inconnu|couldn't be found|wasn't found|isn't|no such)|
			no (?:mail ?box|user|account|such|one|recipient|email|person|valid recipients|mapping|match)|
			n[o']t (?:have|find|our|a known|known|listed|our customer)[^.\n]{0,30}(?:user|account|mailbox|recipient|address|customer|directory)|
			does not have an? (?:\S+ )?account|(?:undeliverable|unroutable|unrouteable) (?:address|mail domain)|
			recipient (?:rejected|refused|address rejected|verif|not)|address (?:rejected|unknown|error|not)|recipientnotfound|recipnotfound|
			user ?unknown|resolverrecip|userunknown|check (?:the )?(?:recipient|address|if address|spelling)|typo|misspell|is correct|
			can't be found|couldn't be found|cannot be found|unable to find|(?:this|that) (?:account|user|address|mailbox) (?:is|has|does) n|
			there is no one|not our customer|destinataire inconnu|adresse (?:inconnue|n'existe|erron)|unbekannter|dest(?:ination)? unknown|
			invalid recipient|vmailbox|virtual mailbox table|local recipient table|virtual alias table|unknown rcpt|usuario|
			not a valid (?:user|mailbox|address)|access denied.{0,20}as\(|unknown_user|no mx record found for domain user`},
		{pipeline.Dead, smtpcode.NoMail, `
			null ?mx|does not (?:accept|receive) (?:e-?mail|mail|any)|doesn't accept|no (?:mail|smtp) service|takes no mail|
			mail is not accepted|(?:host|domain) (?:does|will) not accept|not accept mail|smtp (?:service )?(?:is )?disabled|no mx|
			no servers could be reached accept`},
		{pipeline.Dead, smtpcode.NoDomain, `
			(?:host|domain|server)(?: name)?[^.\n]{0,60}(?:not found|unknown|does(?: not|n't) exist|invalid|couldn't be found|can ?not be found|no such)|
			(?:unknown|no such|invalid|bad|unresolvable|non-?existent) (?:host|domain|server|destination|mail server)|
			name or service not known|nxdomain|non-existent|can't find any host|no mail server|couldn't find any host|
			(?:dns|domain) (?:error|lookup fail|lookup error|server returned|type .{0,20}lookup)|domain does not|unrouteable mail domain|
			illegal host|all relevant mx|bad destination|bad dest|destination system address|hostname lookup|isn't in my control`},

		// Time and machines.
		{pipeline.Transient, smtpcode.Expired, `
			expired|retry time(?:out)? (?:not|exceeded)|(?:message|delivery) time(?:d)? ?-?out|too long|undeliverable for|
			could not be delivered for|not be delivered (?:within|for)|delivery time|been in the queue|time limit|giv(?:en|ing) up|
			retries? (?:exceeded|exhaust)|deferred|warning: message still|has been retrying|keep trying|holding time|
			unable to deliver (?:this|the) message after|max(?:imum)? (?:retr|age|queue)`},
		{pipeline.Transient, smtpcode.Network, `
			connection (?:refused|timed|reset|lost|was|closed|dropped|failed)|timed? ?-?out|no route|unreachable|network|
			could(?: not|n't) connect|can(?:'t|not) connect|unable to connect|sorry, i wasn't able to establish|establish an? smtp|
			lost connection|broken pipe|not respond|no answer|socket|host (?:is )?down|loops? back|mail loop|too many hops|routing loop|
			hop count|recursive|routing|redirect|connect to|remote (?:host|server) (?:said|not|is)|forwarding loop|no connection|
			mx (?:list|points)`},
		{pipeline.Transient, smtpcode.System, `
			mailer error|procmail|local (?:delivery|error)|pipe to|command (?:failed|died|output|time)|exec(?:ut)?|maildrop|
			can't create (?:user )?output|child process|exit (?:status|value|code)|smtp;? ?554 .{0,20}process|unknown mailer|
			deliver(?:y)? agent|can't open mailbox|mail ?box (?:locked|busy|currently)|dovecot|lmtp|bounced by|x-unix`},
		{pipeline.Ours, smtpcode.Protocol, `
			syntax error|(?:bad|unrecogni[sz]ed|unknown|unimplemented|invalid|out of order|improper) (?:command|sequence|use of)|
			command (?:not|unrecogni|parameter)|bare (?:lf|line|cr)|protocol (?:error|violation)|pipelining|rfc ?\d{3,4}|
			not (?:rfc )?compliant|line (?:too long|length)|non-?ascii|8-?bit|smtputf8|not supported|header missing|date header|message-id`},
		// Somebody refused the recipient, and nobody says why.
		{pipeline.Transient, smtpcode.Unknown, `recipients? (?:was|were|is|are|has been|have been) rejected by`},
		{pipeline.Ours, smtpcode.Policy, `
			policy|polic(?:y|ies) (?:reasons|violation)|not (?:allowed|permitted|authori[sz]ed|accepted)|access (?:is )?denied|denied|refus|
			reject|forbidden|restrict|permission|only (?:accept|members|allow)|moderat|not a member|closed list|restricted|unauthori[sz]ed|
			delivery not authori[sz]ed|disallow`},
		{pipeline.Transient, smtpcode.System, `
			internal|system (?:error|problem|resources|load|not)|server (?:error|busy|is|unavailable|too busy|configuration)|local error|
			temporar|service (?:not|un)available|service (?:currently )?unavailable|unavailable|try (?:again|later)|resources|processing|disk|
			unexpected|i/o error|database|lookup (?:failure|error)|can(?:'t|not) (?:open|create|write|read)|backend|config|problem|
			error writing|queue|out of memory`},
	}
}
