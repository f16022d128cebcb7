package feedback

import (
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback/dsn"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	const robot = "Auto-Submitted: auto-replied\n"
	quoted := "\n\nLe mer. 25 nov. 2026 à 09:00, Service clients\n<avis@example.com> a écrit :\n> Madame, Monsieur,\n> cette adresse n'est plus utilisée, STOP, unsubscribe me\n"
	for name, tt := range map[string]struct {
		head, text string
		want       Kind
	}{
		// A robot, and nothing follows.
		"vacation":          {robot + "Subject: Out of office", "I am away until Monday.", Absence},
		"congés":            {robot + "Subject: Réponse automatique : votre courrier", "Je suis en congés, de retour lundi.", Absence},
		"Urlaub":            {robot + "Subject: Automatische Antwort", "Ich bin im Urlaub und ab Montag wieder erreichbar.", Absence},
		"only the subject":  {"From: a@example.com\nSubject: Automatic reply: hello", "I have limited access to mail.", Absence},
		"a ticket":          {"Auto-Submitted: auto-generated\nSubject: [#123] We received your request", "A person will answer soon.", Absence},
		"null sender":       {"Return-Path: <>\nFrom: a@example.com\nSubject: absente", "Je suis absente.", Absence},
		"a closed ticket":   {robot + "Subject: [#9] Closed", "This e-mail confirms that your request has been closed.", Absence},
		"no-reply":          {"From: no-reply@example.com\n" + robot + "Subject: Thank you", "We received it.", Absence},
		"a receipt":         {"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\nSubject: Read: letter", "--b\n\nYour message was displayed.\n--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--", Absence},
		"a receipt, unread": {robot + "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\nSubject: Not read: letter", "--b\n\nDeleted without being read.\n--b--", Absence},

		// A robot that says that nobody reads it.
		"left, English":     {robot + "Subject: Automatic reply", "Jane Doe no longer works for Example Ltd. Please write to info@example.com.", Left},
		"left, I":           {robot + "Subject: Automatic reply", "I have left the company.", Left},
		"left, French":      {robot + "Subject: Réponse automatique", "Bonjour,\nJe ne travaille\nplus chez Exemple.", Left},
		"left, French 2":    {robot + "Subject: Absence", "Mme Dupont a quitté l’entreprise le 31 mars.", Left},
		"left, French 3":    {robot + "Subject: Absence", "Monsieur Martin ne fait plus partie de nos effectifs.", Left},
		"left, retired":     {robot + "Subject: Absence", "Je suis parti à la retraite.", Left},
		"left, German":      {robot + "Subject: Automatische Antwort", "Frau Muster ist nicht mehr bei uns tätig.", Left},
		"left, German 2":    {robot + "Subject: Automatische Antwort", "Herr Muster hat unser Unternehmen zum 1. März verlassen.", Left},
		"closed, English":   {robot + "Subject: Automatic reply", "This mailbox is no longer monitored.", Closed},
		"closed, English 2": {"Precedence: bulk\nSubject: Re: letter", "This e-mail address is no longer in use.", Closed},
		"closed, French":    {robot + "Subject: Réponse automatique", "Cette adresse e-mail n'est plus utilisée.", Closed},
		"closed, French 2":  {robot + "Subject: Réponse automatique", "Cette boîte aux lettres a été définitivement fermée.", Closed},
		"closed, German":    {robot + "Subject: Automatische Antwort", "Diese E-Mail-Adresse wird nicht mehr gelesen.", Closed},
		"closed, German 2":  {robot + "Subject: Automatische Antwort", "Dieses Postfach wurde geschlossen.", Closed},

		// A filter that holds the message.
		"challenge, French":  {"From: a@example.com\nSubject: Votre message à a@example.com", "Votre message est en attente : merci de vous authentifier pour qu'il soit remis.\nhttps://exemple.example/x", Challenge},
		"challenge, brand":   {"From: a@example.com\nSubject: MailInBlack", "Bonjour, cliquez : https://exemple.example/x", Challenge},
		"challenge, English": {robot + "Subject: Please confirm your message", "To deliver your message to Jane, click https://filter.example/c", Challenge},
		"challenge, robot":   {"Precedence: bulk\nSubject: Re: letter", "You are not yet on my list of approved senders. Please verify that you are human: reply to this.", Challenge},
		"challenge, German":  {robot + "Subject: Absenderbestätigung", "Bitte bestätigen Sie Ihre Nachricht: https://filter.example/c", Challenge},

		// A wish to get no more.
		"STOP":           {"From: a@example.com\nSubject: Re: your letter", "STOP", Stop},
		"stop, quoted":   {"From: a@example.com\nSubject: Re: votre lettre", "Stop !" + quoted, Stop},
		"a list robot":   {"From: a@example.com\nSubject: unsubscribe", "This message was automatically generated.", Stop},
		"a list robot 2": {robot + "Subject: Unsubscribe", "", Stop},
		"a list robot 3": {robot + "Subject: unsubscribe", "Apple Mail sent this email to unsubscribe from the message “letter”.", Stop},
		"désinscrire":    {"From: a@example.com\nSubject: Re: lettre", "Merci de me désinscrire de vos envois.", Stop},
		"désabonnement":  {"From: a@example.com\nSubject: désabonnement", "merci", Stop},
		"Abmeldung":      {"From: a@example.com\nSubject: Abmelden", "Danke", Stop},
		"no more":        {"From: a@example.com\nSubject: Re: letter", "Please remove me from your list.", Stop},

		// A person: somebody reads it.
		"a question":         {"From: a@example.com\nSubject: Re: your letter", "Which of my contracts is it?", Reply},
		"a quote":            {"From: a@example.com\nSubject: Re: votre lettre", "Que dois-je faire ?" + quoted, Reply},
		"stop and a reason":  {"From: a@example.com\nSubject: Re: letter", "Stop this at once. You lost my bank details and now I hear of it by e-mail. " + strings.Repeat("I want to know who has them and what you will do about it. ", 8), Reply},
		"a subject only":     {"From: a@example.com\nSubject: STOP", "My bank called me yesterday and I do not know what to tell them.", Reply},
		"stop and address":   {"From: a@example.com\nSubject: Re: letter", "Please remove me from your list of e-mails, my husband reads them too. Write to my sister instead: Jane Roe, 1 Example Street, 75000 Exampleville, she knows all about it.", Reply},
		"can I unsubscribe":  {"From: a@example.com\nSubject: Re: letter", "Unsubscribe me from what? I never subscribed", Reply},
		"erase my data":      {"From: a@example.com\nSubject: RGPD", "Merci de supprimer toutes mes données.", Reply},
		"moved on, a person": {"From: a@example.com\nSubject: Re: letter", "My husband no longer works there, please write to his new address.", Reply},
		"dead, a person":     {"From: a@example.com\nSubject: Re: letter", "My mother passed away. This address is no longer used.", Reply},
		"away, a person":     {"From: a@example.com\nSubject: Re: letter", "I was on vacation and saw this only now.", Reply},
		"phishing":           {"From: a@example.com\nSubject: Re: letter", "How can I verify your identity? Is https://example.com yours?", Reply},
		"bounce, a person":   {"From: a@example.com\nSubject: your letter", "I tried to mail you and got 550 5.1.1 user unknown, is that right?", Reply},
		"an agent":           {"From: help@example.com\nX-Auto-Response-Suppress: All\nSubject: Re: letter", "I am the lawyer of Ms Doe.", Reply},

		// Nothing that anybody can use.
		"garbage":     {"", "\x00\x01\x02", Unclear},
		"cut off":     {"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\nAuto-Submitted: auto-replied\nSubject: Report", "--b\n\nThis is the mail system at", Unclear},
		"no contents": {"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: hello", "hello", Unclear},

		// A report is no answer, whatever Auto-Submitted says.
		"a report":    {robot + "From: a@example.com\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\nSubject: out of office", "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\n--b--", Bounce},
		"a report 2":  {robot + "From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=b\nSubject: Undelivered", "--b\n\nThe message to a@example.com could not be delivered: user unknown\n--b--", Bounce},
		"a warning":   {robot + "From: MAILER-DAEMON@mx.example\nSubject: Warning: could not send message for past 4 hours", "<a@example.com>... Deferred\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old", Delayed},
		"a success":   {"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: Delivery Status Notification (Success)", "Your message to a@example.com was delivered.", Relayed},
		"a complaint": {"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n" + robot, "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <redacted@example.com>\n--b--", Complaint},
	} {
		vs := c.Classify(dsn.Parse([]byte(tt.head + "\n\n" + tt.text)))
		if len(vs) != 1 || vs[0].Kind != tt.want {
			t.Errorf("%s: %+v, want %s", name, vs, tt.want)
		}
		if vs[0].Kind != Bounce && vs[0].Kind != Delayed && vs[0].Outcome != pipeline.None {
			t.Errorf("%s: outcome %s", name, vs[0].Outcome)
		}
	}
}

// TestPosted: what providers post is judged like what comes by mail.
func TestPosted(t *testing.T) {
	t.Parallel()
	c := NewClassifier()
	ses := func(s string) string {
		return `{"Type":"Notification","MessageId":"m","Message":` + quote(`{"mail":{"source":"token@bounce.example","commonHeaders":{"messageId":"1.1@example.com"}},`+s+`}`) + `}`
	}
	for name, tt := range map[string]struct {
		source pipeline.InboundSource
		raw    string
		want   string
	}{
		"dead":           {pipeline.FromSES, ses(`"eventType":"Bounce","bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"a@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}`), "bounce dead no-mailbox"},
		"suppressed":     {pipeline.FromSES, ses(`"eventType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"OnAccountSuppressionList","bouncedRecipients":[{"emailAddress":"a@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]}`), "bounce ours suppressed"},
		"full":           {pipeline.FromSES, ses(`"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":[{"emailAddress":"a@example.com"}]}`), "bounce transient mailbox-full"},
		"an absence":     {pipeline.FromSES, ses(`"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"General","bouncedRecipients":[{"emailAddress":"a@example.com"}]}`), "unclear none unclear"},
		"taken":          {pipeline.FromSES, ses(`"eventType":"Delivery","delivery":{"recipients":["a@example.com"]}`), "relayed none relayed"},
		"complaint":      {pipeline.FromSES, ses(`"eventType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"a@example.com"}]}`), "complaint none complaint"},
		"garbage":        {pipeline.FromSES, "{", "unclear none unclear"},
		"Mailgun, dead":  {pipeline.FromMailgun, `{"event-data":{"id":"e","event":"failed","severity":"permanent","recipient":"a@example.com","delivery-status":{"code":550,"message":"No such user"}}}`, "bounce dead no-mailbox"},
		"Mailgun, held":  {pipeline.FromMailgun, `{"event-data":{"id":"e","event":"failed","severity":"permanent","reason":"suppress-bounce","recipient":"a@example.com","delivery-status":{"code":605,"description":"Not delivering to previously bounced address"}}}`, "bounce ours suppressed"},
		"Mailgun, later": {pipeline.FromMailgun, `{"event-data":{"id":"e","event":"failed","severity":"temporary","recipient":"a@example.com","delivery-status":{"code":550,"message":"No such user"}}}`, "delayed none delayed"},
		"Mailgun, stop":  {pipeline.FromMailgun, `{"event-data":{"id":"e","event":"unsubscribed","recipient":"a@example.com"}}`, "stop none opt-out"},
	} {
		r := Read(tt.source, []byte(tt.raw))
		vs := c.Classify(r)
		if len(vs) != 1 || string(vs[0].Kind)+" "+string(vs[0].Outcome)+" "+vs[0].Reason != tt.want {
			t.Errorf("%s: %+v, want %s", name, vs, tt.want)
		}
		if tt.source == pipeline.FromSES && name != "garbage" && (r.EnvID != "token@bounce.example" || r.MessageID != "<1.1@example.com>") {
			t.Errorf("%s: %q %q", name, r.EnvID, r.MessageID)
		}
	}
	// The same words from a provider whose event came by mail, or as text alone.
	for _, said := range []string{
		"Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.",
		"550 5.1.1 Not delivering to previously bounced address", "554 5.7.1 recipient address was suppressed due to customer policy: suppression list",
	} {
		v := c.Classify(&dsn.Report{Shape: dsn.Delivery, Recipients: []dsn.Recipient{{Action: "failed", Status: "5.1.1", Diagnostic: said}}})[0]
		if v.Outcome != pipeline.Ours {
			t.Errorf("%s: %s (%s)", said, v.Outcome, v.Reason)
		}
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// TestHTML: a report whose only text is HTML.
func TestHTML(t *testing.T) {
	t.Parallel()
	raw := "From: Mail Delivery Subsystem <mailer-daemon@mx.example>\nSubject: Delivery Status Notification (Failure)\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
		"<html><head><style>.spam { color: red }</style></head><body><p>Your message wasn&#39;t delivered to <b>a@example.com</b> because the address couldn&#39;t be found.</p>\n<p>550 5.1.1 The email account that you tried to reach does=\n not exist.</p></body></html>\n"
	vs := NewClassifier().Classify(dsn.Parse([]byte(raw)))
	if len(vs) != 1 || vs[0].Outcome != pipeline.Dead || vs[0].Recipient != "a@example.com" || vs[0].Status != "5.1.1" {
		t.Errorf("%+v", vs)
	}
}

// TestOwnWords: what is quoted is not said.
func TestOwnWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"yes\n> no\n":                                   "yes\n\n",
		"yes\n\nOn Tue, A <a@b.c> wrote:\n> no":         "yes\n\n",
		"yes\nOn Tue, a very long name\n<a@b.c> wrote:": "yes\n",
		"ja\nAm Di. schrieb A:\n> nein":                 "ja\n",
		"oui\n\nDe : A\nEnvoyé : mardi\nnon":            "oui\n\n",
		"oui\n-----Message d'origine-----\nnon":         "oui\n",
		"yes\n-- \nA. Person":                           "yes\n",
		"On Monday I called.\nNobody answered.":         "On Monday I called.\nNobody answered.\n",
	} {
		if got := ownWords(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
