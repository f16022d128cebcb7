package dsn

import (
	"html"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// Where the returned message begins in a report without MIME. Each is a phrase of
// a family of systems, at the start of a line.
var originalMark = regexp.MustCompile(`(?im)^[ \t>*]*(?:` + strings.Join([]string{
	`-{2,} ?(?:this is a copy of (?:the|your) message|original message|original message header|message header|returned message|begin (?:forwarded|original|message)|unsent message|the body of the message|the header of the message|the following is|weitergeleitet|message text|undelivered|included|forwarded message)`,
	`--- below this line is (?:a copy of the message|the original bounce)`,
	`(?:original )?message (?:headers? )?follows?\b`,
	`original message follows`,
	`below is a copy of the original message`,
	`included is a copy of the message`,
	`(?:your )?original message headers?:?\s*$`,
	`the following is a copy of`,
	`={5,} ?(?:original|message)`,
	`-{3,} ?(?:transcript of session follows|_+ original)`,
	`received: ?from`,
	`return-path: ?<`,
}, "|") + `)`)

// transcript is no original: Sendmail puts the SMTP dialogue under it.
var transcript = regexp.MustCompile(`(?i)^[ \t>-]*transcript of session follows`)

// cutOriginal splits a text where the returned message begins.
func cutOriginal(t string) (head, rest string) {
	from := 0
	for {
		loc := originalMark.FindStringIndex(t[from:])
		if loc == nil {
			return t, ""
		}
		at := from + loc[0]
		if transcript.MatchString(t[at:]) || at == 0 && !strings.HasPrefix(strings.ToLower(t), "received:") && !strings.HasPrefix(strings.ToLower(t), "return-path:") {
			from += loc[1]
			continue
		}
		return t[:at], t[at:]
	}
}

var tag = regexp.MustCompile(`(?s)<(?:style|script|head)[^>]*>.*?</(?:style|script|head)>|</?[a-zA-Z!][^>@]*>`)

// stripTags makes text of HTML, roughly; addresses in angle brackets stay.
func stripTags(s string) string {
	return html.UnescapeString(tag.ReplaceAllStringFunc(s, func(t string) string {
		l := strings.ToLower(t)
		if strings.HasPrefix(l, "<br") || strings.HasPrefix(l, "</p") || strings.HasPrefix(l, "</div") || strings.HasPrefix(l, "</tr") || strings.HasPrefix(l, "</li") || strings.HasPrefix(l, "<p") {
			return "\n"
		}
		return " "
	}))
}

// decodeWords undoes RFC 2047; what it cannot decode stays as it is.
func decodeWords(s string) string {
	dec := mime.WordDecoder{}
	if out, err := dec.DecodeHeader(s); err == nil {
		return out
	}
	return s
}

// loose makes a delivery-status body of fields that stand in running text.
func loose(t string) string {
	var b strings.Builder
	for line := range strings.Lines(t) {
		l := strings.TrimLeft(strings.TrimRight(line, "\n"), " \t>")
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return b.String()
}

// automatic reports whether the header says that a robot answered (RFC 3834) and
// nothing says that it reports a delivery.
func automatic(h header) bool {
	if kind, params := mediaType(h.first("content-type")); kind == "multipart/report" && !strings.EqualFold(params["report-type"], "disposition-notification") {
		return false
	}
	if daemon.MatchString(h.first("from")) || h.first("x-failed-recipients") != "" {
		return false
	}
	auto := strings.ToLower(word(h.first("auto-submitted")))
	switch {
	case auto == "auto-replied":
		return true
	case h.first("x-autoreply") != "" || h.first("x-autorespond") != "" || h.first("x-auto-response") != "":
		return true
	case strings.Contains(strings.ToLower(h.first("precedence")), "auto_reply"):
		return true
	}
	return absent.MatchString(decodeWords(h.first("subject")))
}

// robot reports whether the header bears a sign of a machine that people's mail
// does not bear.
func robot(h header) bool {
	if auto := strings.ToLower(word(h.first("auto-submitted"))); auto != "" && auto != "no" {
		return true
	}
	for _, p := range []string{"bulk", "junk", "auto_reply", "list"} {
		if strings.EqualFold(word(h.first("precedence")), p) {
			return true
		}
	}
	return strings.TrimSpace(h.first("return-path")) == "<>" || h.first("x-auto-response-suppress") != "" || automatic(h) || daemon.MatchString(h.first("from"))
}

var (
	daemon = regexp.MustCompile(`(?i)mailer-daemon|mail delivery|post_?master|poostmaster|system administrator|mail delivery subsystem|<>|mailerdaemon|delivery (?:service|status|system)|internet mail|mail system|mailadmin|no-?reply@`)
	absent = regexp.MustCompile(`(?i)^\s*(?:(?:auto|automatic(?: reply)?|automatische antwort|auto-?reply|auto-?response|out of (?:the )?office|réponse automatique|reponse automatique|absence|absent|abwesen\w*|risposta automatica|respuesta automática|vacation)\b)`)
	failed = regexp.MustCompile(`(?i)undeliver|not deliver|non[- ]?deliver|non remis|unzustellbar|delivery (?:status|failure|failed|has failed|problem|error)|returned mail|failure notice|mail (?:delivery|system) (?:error|fail)|could ?n[o']t be (?:delivered|sent)|warning: (?:could not send|message)|returning message|unable to deliver|mail failure|échec|rückläufer|permanent error|message status|did not reach|error message below|メールエラー|送信できませんでした|配信できません|notification d'état|mail non livr|bounce`)
)

// bounced reports whether a message that follows no standard tells of a delivery
// that failed.
func bounced(h header, r *Report) bool {
	kind, params := mediaType(h.first("content-type"))
	if kind == "multipart/report" && !strings.EqualFold(params["report-type"], "disposition-notification") && (failed.MatchString(r.Subject) || failed.MatchString(r.Text) || smtpReply.MatchString(r.Text)) {
		return true
	}
	if h.first("x-failed-recipients") != "" {
		return true
	}
	robot := daemon.MatchString(r.From) || strings.TrimSpace(h.first("return-path")) == "<>"
	subject := failed.MatchString(r.Subject)
	return robot && (subject || failed.MatchString(r.Text) || smtpReply.MatchString(r.Text)) || subject && smtpReply.MatchString(r.Text) || list.MatchString(r.Subject) && strings.Contains(r.From, "-admin@")
}

var (
	listed = regexp.MustCompile(`(?im)^.*\b(?:following (?:recipient|address|destinataire)|destinataires? suivants?|folgende[nr]? empf).*$`)
	// list is a mailing list that refuses a message without a delivery report.
	list      = regexp.MustCompile(`(?i)not (?:a )?member|loop alert`)
	smtpReply = regexp.MustCompile(`(?:^|[\s:>'"(\[])[45]\d\d[ \-#](?:- )?(?:[#(]?[45]\.\d{1,3}\.\d{1,3}|[A-Za-z<\[(])`)
	inText    = regexp.MustCompile(`[A-Za-z0-9!#$%&'*+/=?^_{|}~.\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+`)
	heading   = regexp.MustCompile(`(?im)^[ \t*>]*(?:recipient(?: address)?:|to:|rcpt to:|(?:your message|message|mail) (?:to|for) |delivery to |<?` + inText.String() + `>?[ \t]*(?::|$|,|\.\.\.| on | - | invalid address,| error,))`)
)

// fromText makes recipients of the text for people. One system names each
// recipient at the head of a paragraph, another all of them first; what is said
// behind a recipient, up to the next one, is its diagnostic.
func (r *Report) fromText(h header) {
	seen := map[string]bool{}
	add := func(addr, diag string) {
		key := strings.ToLower(addr)
		if addr == "" || seen[key] || len(r.Recipients) >= maxParts {
			return
		}
		seen[key] = true
		r.Recipients = append(r.Recipients, Recipient{Address: addr, Diagnostic: strings.TrimSpace(diag)})
	}
	for _, list := range h.all("x-failed-recipients") {
		for addr := range strings.SplitSeq(list, ",") {
			add(address(addr), "")
		}
	}
	for i, said := range r.About() {
		r.Recipients[i].Diagnostic = strings.TrimSpace(said)
	}
	if len(r.Recipients) > 0 {
		return
	}
	if r.fromTranscript(add); len(r.Recipients) > 0 {
		return
	}
	heads := heading.FindAllStringIndex(r.Text, maxParts)
	// Exchange and others first say what was sent and to whom, then who did not get it.
	if mark := listed.FindStringIndex(r.Text); mark != nil {
		if i := slices.IndexFunc(heads, func(loc []int) bool { return loc[0] >= mark[1] }); i > 0 {
			heads = heads[i:]
		}
	}
	for i, loc := range heads {
		end := len(r.Text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		line, _, _ := strings.Cut(r.Text[loc[0]:], "\n")
		add(inText.FindString(line), r.Text[loc[0]:end])
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{{Address: inText.FindString(r.Text), Diagnostic: r.Text}}
	}
	if len(r.Recipients) == 1 {
		r.Recipients[0].Diagnostic = r.Text
	}
}

// outcomeLine ends what Sendmail's transcript says about a recipient.
var outcomeLine = regexp.MustCompile(`(?m)^[45]\d\d (?:[45]\.\d+\.\d+ )?<?(` + inText.String() + `)>?\.\.\..*$`)

// fromTranscript reads the transcript of a Sendmail that sends no report: what
// stands before the line of a recipient belongs to it. One recipient alone is left
// to the words of the whole text.
func (r *Report) fromTranscript(add func(addr, diag string)) {
	lines := outcomeLine.FindAllStringSubmatchIndex(r.Text, maxParts)
	if len(lines) < 2 {
		return
	}
	from := 0
	for _, l := range lines {
		add(r.Text[l[2]:l[3]], r.Text[from:l[1]])
		from = l[1]
	}
}
