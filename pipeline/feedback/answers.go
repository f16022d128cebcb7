package feedback

import (
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/arf"
	"github.com/art34/art34/pipeline/feedback/dsn"
)

// answers are what people and robots write who report no failure.
type answers struct {
	stop, challenge, brand, left, closed, ticket, away, waiting, done pattern
}

func newAnswers() answers {
	return answers{
		stop: compile(stopText), challenge: compile(challengeText + "|" + brandText), brand: compile(brandText), left: compile(leftText), closed: compile(closedText), ticket: compile(ticketText),
		away: compile(awayText), waiting: compile(waitingText), done: compile(doneText),
	}
}

// Words of answers, in French, English and German; a blank stands for any space.
const (
	// stopText is all, or nearly all, that somebody writes.
	stopText = `^\W*(?:stop|unsubscribe|remove|opt[ -]?out|d[ée]sinscription|d[ée]sabonnement|abmelden|abmeldung|abbestellen|austragen)\W*$|
		^\W*(?:stop|unsubscribe)\b|sent this (?:e-?mail|message) to unsubscribe|
		^(?:.{0,60} )?(?:please |pls )?(?:unsubscribe|remove|take) me\b|
		(?:stop|don't|do not) (?:sending|send|e-?mail|mailing) me|no (?:more|longer) (?:want|wish) to (?:receive|get)|
		d[ée]sinscri(?:vez|re)|d[ée]sabonne(?:z|r)|(?:retire[zr]|supprime[zr]|enleve[zr]|enlève[zr])[ -](?:moi|mon adresse|mon (?:e-?)?mail|me)? ?de (?:vos|votre|la|cette) (?:liste|listing|base d'envoi|mailing|diffusion)|
		me (?:retirer|supprimer|enlever|d[ée]sinscrire|d[ée]sabonner) de|ne (?:souhaite|veux|désire|desire) plus (?:rien )?(?:recevoir|être contact|etre contact)|(?:arrêtez|arretez|cessez) de m'(?:envoyer|[ée]crire)|ne (?:plus )?m'envoyez plus|
		(?:bitte )?(?:melden|tragen) sie mich (?:ab|aus)|(?:möchte|moechte|will|wünsche) keine (?:weiteren )?(?:e-?mails|mails|nachrichten)|keine (?:weiteren )?(?:e-?mails|mails) mehr`

	// brandText are systems that let nobody in whom they don't know, in words that
	// hardly any person writes.
	brandText = `mail ?in ?black|spam ?arrest|boxbe|\btmda\b|choicemail|bluebottle|antispam ?cloud|
		to (?:release|deliver) (?:your|this) (?:message|e-?mail|mail)|sender (?:verification|confirmation|authentication) (?:is )?(?:required|request|needed)|
		(?:message|e-?mail|mail) (?:is |has been |was )?(?:being held|on hold|held|quarantined|pending|waiting)[^.]{0,80}(?:until you|confirm|verif|approv|authori[sz])|
		challenge[- ]response|this is a one-time (?:verification|confirmation)|
		(?:votre|ce|le) (?:message|e-?mail|mail|courriel|courrier)[^.]{0,60}(?:en attente|quarantaine|retenu|bloqu)[^.]{0,100}(?:authentif|valid|confirm|v[ée]rif)|
		demande d'authentification|authentification de l'exp[ée]diteur|pour que votre (?:message|e-?mail|mail|courriel)[^.]{0,40}(?:remis|distribu|parvienne|transmis|d[ée]livr)|
		absender(?:best[äa]tigung|verifizierung|[üu]berpr[üu]fung)|nachricht[^.]{0,60}(?:zur[üu]ckgehalten|quarant[äa]ne|wartet)[^.]{0,100}(?:best[äa]tig|freigeb|freigab|klick)|
		um (?:ihre|die) (?:nachricht|e-?mail|mail) zuzustellen`

	challengeText = `(?:confirm|verify|validate|authenticate) (?:that )?(?:your (?:e-?mail|message|identity|address)|you(?:'re| are) (?:a )?(?:human|real|not)|yourself)|
		(?:prove|verify) (?:that )?you(?:'re| are) (?:a )?human|not (?:yet )?(?:on|in) (?:my|the|his|her|our) (?:list of )?(?:approved|allowed|guest|white ?list|safe)|
		(?:confirmer|valider|authentifier|v[ée]rifier) (?:votre (?:envoi|message|e-?mail|mail|adresse|identit|courriel)|que vous)|vous authentifier|prouver que vous|
		best[äa]tigen sie[^.]{0,60}(?:absender|e-?mail|nachricht|mensch|adresse|identit)`

	leftText = `no longer (?:works?|working|employed|with (?:the|us|our|this)|part of (?:the|our)|an? (?:employee|member)|at (?:the|this|our))|
		(?:has|have) left (?:the |our |this )?(?:company|organi[sz]ation|firm|business|bank|school|university|position|team|us\b)|(?:has|have) (?:now )?retired|left the company|
		ne (?:travaille|travaillons|travaillent) plus|ne (?:fait|fais|font) plus partie|n'est plus (?:en poste|salari|collabora|employ|dans (?:l'entreprise|la soci|nos effectifs|les effectifs|le service)|chez |membre|parmi)|
		(?:a|ai|est|suis) (?:d[ée]sormais )?(?:quitt[ée]|parti(?:e)?) (?:de )?(?:la soci|l'entreprise|l'[ée]tablissement|l'organisme|notre|nos|le groupe|ses fonctions|mes fonctions|son poste|mon poste)|
		ne suis plus (?:en poste|chez |salari|dans |employ)|(?:en|à la|a la) retraite (?:depuis|à compter|a compter)|parti(?:e)? (?:[aà] la|en) retraite|
		arbeitet? nicht (?:mehr|länger)|nicht mehr (?:bei uns|(?:im|in unserem|in diesem) unternehmen|für (?:das|unser|die)|im haus|tätig|beschäftigt|angestellt)|
		(?:unternehmen|firma|haus) (?:.{0,40} )?verlassen|(?:bin|ist|sind) [^.]{0,60}ausgeschieden|(?:in|im) (?:den |die )?(?:rente|ruhestand)\b`

	closedText = `(?:mail ?box|e-?mail|address|account|inbox)[^.!?]{0,50}(?:no longer (?:in use|used|active|monitored|valid|checked|read|available|exist|accept|in service|maintained|attended)|not (?:being )?monitored|unmonitored|(?:has been|is now|is|was|will be) (?:closed|deactivated|disabled|discontinued|deleted|inactive|shut down)|not (?:in use|active|used) any ?more)|
		no longer (?:use|using|check|checking|read|reading|monitor|monitoring|have access to) this (?:e-?mail|mail|address|account|mailbox|inbox)|
		(?:adresse|bo[iî]te|messagerie|compte|mail|courriel)[^.!?]{0,60}n'est plus (?:utilis|activ?e?\b|valide|valable|consult|relev|en service|lue?\b|op[ée]rationn|fonctionn|disponible|surveill|exploit|en usage|attribu|d'actualit)|
		(?:adresse|bo[iî]te|messagerie|compte)[^.!?]{0,40}(?:est|a [ée]t[ée]|sera|sont) (?:d[ée]sormais |d[ée]finitivement )?(?:ferm|d[ée]sactiv|supprim|clos|cl[oô]tur|inacti|d[ée]saffect|r[ée]sili)|
		(?:adresse|bo[iî]te|messagerie|compte)[^.!?]{0,40}n'existe plus|(?:n'utilise|ne consulte|ne rel[eè]ve|ne lis) plus (?:cette|ce)|
		(?:adresse|postfach|mailbox|konto|account)[^.!?]{0,60}(?:nicht mehr (?:genutzt|benutzt|verwendet|gelesen|abgerufen|gültig|aktiv|gepflegt|betreut|in (?:gebrauch|betrieb)|verfügbar|bearbeitet|vorhanden|erreichbar)|existiert nicht mehr|(?:wurde|ist|wird) (?:geschlossen|deaktiviert|gelöscht|abgeschaltet|stillgelegt|inaktiv|aufgelöst))`

	// ticketText is of systems that close what they call cases, not mailboxes.
	ticketText = `\bticket|\b(?:your|votre|ihre?) (?:request|case|demande|dossier|anfrage)\b|case (?:number|id)`

	awayText = `out of (?:the )?office|vacation|holiday|on leave|away|absen[ct]|cong[ée]s?\b|vacances|de retour|abwesen|urlaub|nicht im (?:büro|haus|office)|maternity|maternit[ée]|elternzeit`

	// waitingText says that a system that follows no standard still tries.
	waitingText = `will keep trying|will continue to (?:try|attempt|be attempted)|attempts will continue|this is a warning message only|do not need to re-?send|no action is required on your part|only a temporary failure report|
		will be retried|will retry for|still being retried|not yet been delivered|will try again (?:for|until|later)|de nouvelles tentatives|nouvelle tentative (?:aura|sera)|
		weitere zustellversuche|wird weiterhin versucht`

	// doneText stands in the subject of a report of success.
	doneText = `\((?:success|relay)\)|successful mail delivery|^(?:delivered|relayed|expanded): |return receipt|delivery (?:receipt|confirmation)|remis : `
)

// kind says what a message is that reports no failure and no complaint. What might
// have been written by a person is a Reply: somebody reads it.
func (a answers) kind(r *dsn.Report) (Kind, string) {
	subject, own := fold(r.Subject), fold(ownWords(r.Text))
	robot := r.Shape == dsn.Automatic || r.Robot
	both := subject + " . " + own
	switch {
	case r.Shape == dsn.Receipt:
		return Absence, ReasonReceipt
	case a.wantsStop(answered(subject), own):
		return Stop, string(Stop)
	case robot && a.challenge.match(both), a.brand.match(both) && strings.Contains(r.Text, "://"):
		return Challenge, string(Challenge)
	case robot && a.left.match(both):
		return Left, string(Left)
	case robot && a.closed.match(both) && !a.ticket.match(both):
		return Closed, string(Closed)
	case r.Shape == dsn.Automatic && a.away.match(both):
		return Absence, string(Absence)
	case r.Shape == dsn.Automatic:
		return Absence, ReasonAutomatic
	case r.Shape == dsn.Garbage:
		return Unclear, string(Unclear)
	}
	return Reply, string(Reply)
}

// mostStop is how long a wish for no more mail may be: who writes more says more,
// and somebody has to read it.
const mostStop = 160

// wantsStop reports whether somebody asks for no more mail, and for nothing else.
func (a answers) wantsStop(subject, own string) bool {
	if len(own) > mostStop || strings.Contains(own, "?") {
		return false
	}
	return a.stop.match(own) || a.stop.match(subject) && (len(own) <= 40 || strings.Contains(own, "automatic"))
}

// progress tells a failure from a delivery and a delay. Only "failed" fails
// (RFC 3464 §2.3.3); where a system gives no action, its words decide.
func (a answers) progress(r *dsn.Report, rec dsn.Recipient, said, about words) Kind {
	switch {
	case rec.Action == "delayed":
		return Delayed
	case rec.Action == "delivered":
		return Delivered
	case rec.Action == "relayed", rec.Action == "expanded":
		return Relayed
	case strings.HasPrefix(rec.Action, "fail"), rec.Action == "" && strings.HasPrefix(rec.Status, "5."):
		return Bounce
	case rec.Action != "":
		return Unclear
	case strings.HasPrefix(rec.Status, "2."), a.done.match(strings.ToLower(r.Subject)):
		return Relayed
	case a.waiting.match(said.low), a.waiting.match(about.low):
		return Delayed
	}
	return Bounce
}

// complaint gives the verdicts on an abuse report. The message arrived.
func complaint(r *dsn.Report) (out []Verdict) {
	if r.Fields == nil { // an event of a provider
		kind, reason := Complaint, string(Complaint)
		if r.Feedback == arf.OptOut {
			kind, reason = Stop, ReasonOptOut
		}
		for _, rec := range r.Recipients {
			out = append(out, Verdict{Kind: kind, Recipient: rec.Address, Outcome: pipeline.None, Reason: reason})
		}
		return out
	}
	report := arf.Parse(r.Fields, r.Returned)
	reason := string(Complaint)
	switch report.Type {
	case arf.NotSpam:
		reason = ReasonNotSpam
	case arf.AuthFailure:
		reason = ReasonAuthCheck
	case arf.OptOut:
		reason = ReasonOptOut
	}
	for _, rec := range report.Recipients {
		out = append(out, Verdict{Kind: Complaint, Recipient: rec.Address, Outcome: pipeline.None, Reason: reason, Detail: cut(report.Type, 300)})
	}
	return out
}

// fold puts a text into lower case with one blank for any space and the plain
// apostrophe.
func fold(t string) string {
	if len(t) > maxOwn {
		t = cut(t, maxOwn)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(t), "’", "'")), " ")
}

// maxOwn is how many bytes of an answer are read: what matters stands at its head.
const maxOwn = 16 << 10

// answered is a subject without the marks of an answer.
func answered(subject string) string {
	for {
		before := subject
		for _, mark := range []string{"re:", "aw:", "wg:", "tr:", "fw:", "fwd:", "ré:", "antw:", "[external]", "[ext]"} {
			subject = strings.TrimSpace(strings.TrimPrefix(subject, mark))
		}
		if subject == before {
			return subject
		}
	}
}

// ownWords is a text without what it quotes and without its signature.
func ownWords(t string) string {
	var b strings.Builder
	lines := strings.Split(cut(t, 4*maxOwn), "\n")
	for i, line := range lines {
		s := strings.TrimSpace(line)
		low := strings.ToLower(s)
		next := ""
		if i+1 < len(lines) {
			next = strings.ToLower(strings.TrimSpace(lines[i+1]))
		}
		if s == "--" || quoteBegins(low, next) {
			break
		}
		if !strings.HasPrefix(s, ">") {
			b.WriteString(s + "\n")
		}
	}
	return b.String()
}

// quoteBegins reports whether a line, with the one after it, introduces the message
// that is answered.
func quoteBegins(line, next string) bool {
	for _, s := range []string{"-----message d'origine", "-----original", "----- original", "-----ursprüngliche", "-------- message", "--------- forwarded", "---------- forwarded", "________________", "-------- original", "-------- ursprüngliche"} {
		if strings.HasPrefix(line, s) {
			return true
		}
	}
	for _, s := range []string{"le ", "on ", "am ", "il ", "el "} {
		if strings.HasPrefix(line, s) && (wrote(line) || !strings.HasSuffix(line, ".") && wrote(next) && len(next) < 80) {
			return true
		}
	}
	for _, s := range []string{"de :", "de:", "from:", "von:"} {
		if strings.HasPrefix(line, s) {
			for _, n := range []string{"envoyé", "sent:", "gesendet", "date", "à :", "à:", "to:", "an:"} {
				if strings.HasPrefix(next, n) {
					return true
				}
			}
		}
	}
	return false
}

func wrote(line string) bool {
	if strings.Contains(line, " schrieb ") && strings.HasSuffix(line, ":") {
		return true
	}
	line = strings.TrimRight(line, " :\u00a0")
	for _, s := range []string{"a écrit", "wrote", "schrieb", "ha scritto", "escribió"} {
		if strings.HasSuffix(line, s) {
			return true
		}
	}
	return false
}
