package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
)

// This file holds what people read out or read about one notice.

// dateIn writes a date as it is said.
func dateIn(locale string, t time.Time) string {
	if t.IsZero() {
		return map[string]string{"fr": "ce jour", "en": "today"}[locale]
	}
	if locale != "fr" {
		return t.Format("2 January 2006")
	}
	months := []string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}
	day := fmt.Sprint(t.Day())
	if t.Day() == 1 {
		day = "1er"
	}
	return fmt.Sprintf("%s %s %d", day, months[t.Month()-1], t.Year())
}

// french sets a sentence as French is set.
var french = strings.NewReplacer("'", "’", " ;", "\u202f;", " ?", "\u202f?")

// aloud is the sentence to read to a caller, per locale: what happened and when,
// nothing that is not known.
func aloud(n pipeline.Notice, attempts []pipeline.Attempt, events []pipeline.Event) map[string]string {
	last := lastOf(events, pipeline.EvAccepted, pipeline.EvCut, pipeline.EvDeposited)
	switch n.State {
	case pipeline.InDoubt:
		last = lastOf(events, pipeline.EvDoubted)
	case pipeline.Posted:
		last = lastOf(events, pipeline.EvDeposited)
	}
	if last.IsZero() && len(attempts) > 0 {
		last = attempts[len(attempts)-1].At
	}
	fr, en := "le "+dateIn("fr", last), "on "+dateIn("en", last)
	paper := n.Channel == pipeline.Post
	say := func(fr, en string) map[string]string {
		return map[string]string{"fr": french.Replace(fr), "en": en}
	}
	if words := aloudBeside(n, attempts, fr, en, say); words != nil {
		return words
	}
	switch n.State {
	case pipeline.Held:
		if n.Reason == pipeline.ReasonRecalled {
			return say("Une lettre était prête à partir ; nous l'avons arrêtée pour la vérifier, et nous vous écrirons.", "A letter was ready to leave; we stopped it to check it, and we will write to you.")
		}
		return say("L'un de nos collègues étudie votre dossier avant que nous vous écrivions.", "One of our colleagues is looking at your file before we write to you.")
	case pipeline.Due, pipeline.Queued:
		return aloudDue(n, attempts, fr, en, say)
	case pipeline.Sending:
		return say("Notre e-mail vous est envoyé en ce moment même.", "Our e-mail to you is being sent at this very moment.")
	case pipeline.InDoubt:
		return say("Nous vous avons envoyé un e-mail "+fr+", sans savoir encore s'il est bien parti.", "We sent you an e-mail "+en+"; we do not know yet whether it really left.")
	case pipeline.Accepted:
		return say("Nous vous avons écrit par e-mail "+fr+". Aucun retour d'échec ne nous est parvenu.", "We wrote to you by e-mail "+en+". No failure has come back to us.")
	case pipeline.Printing:
		return say("Votre lettre a été remise à l'impression "+fr+".", "Your letter was given to the printer "+en+".")
	case pipeline.Posted:
		return say("Votre lettre a été déposée à la poste "+fr+".", "Your letter was handed to the post "+en+".")
	case pipeline.Informed:
		if paper {
			return say("Nous vous avons écrit par courrier, déposé à la poste "+fr+".", "We wrote to you by letter, handed to the post "+en+".")
		}
		return say("Nous vous avons écrit par e-mail "+fr+".", "We wrote to you by e-mail "+en+".")
	case pipeline.Unreachable:
		return aloudUnreachable(attempts, say)
	case pipeline.Excluded:
		if len(attempts) > 0 {
			return say("Ce que nous vous avons envoyé n'a pas pu vous être remis ; je transmets votre appel à mon responsable.", "What we sent you could not be delivered; I am passing your call on to my supervisor.")
		}
		return say("Nous ne vous avons pas écrit ; je transmets votre appel à mon responsable.", "We did not write to you; I am passing your call on to my supervisor.")
	case pipeline.Cancelled:
		return say("Notre envoi a été annulé avant de vous parvenir ; je transmets votre appel à mon responsable.", "Our mailing was cancelled before it reached you; I am passing your call on to my supervisor.")
	}
	return say("", "")
}

// aloudBeside is what is said of a letter that is not the first one: a supplement
// tells what that could not say yet, a copy tells it again on paper. nil where the
// same is said as of any other.
func aloudBeside(n pipeline.Notice, attempts []pipeline.Attempt, fr, en string, say func(fr, en string) map[string]string) map[string]string {
	paper := n.Channel == pipeline.Post
	if askedFor(n) {
		return aloudAsked(n, fr, en, say)
	}
	if n.Role == pipeline.Copy {
		switch n.State {
		case pipeline.Held:
			return say("Une copie papier de notre e-mail est prévue ; l'un de nos collègues la vérifie avant l'envoi.", "A paper copy of our e-mail is planned; one of our colleagues is checking it first.")
		case pipeline.Due, pipeline.Queued:
			return say("Une copie papier de notre e-mail va vous être envoyée.", "A paper copy of our e-mail is about to be sent to you.")
		case pipeline.Printing:
			return say("La copie papier de notre e-mail a été remise à l'impression "+fr+".", "The paper copy of our e-mail was given to the printer "+en+".")
		case pipeline.Posted, pipeline.Informed:
			return say("La copie papier de notre e-mail a été déposée à la poste "+fr+".", "The paper copy of our e-mail was handed to the post "+en+".")
		case pipeline.Unreachable:
			return say("La copie papier de notre e-mail n'a pas pu vous être remise.", "The paper copy of our e-mail could not be delivered to you.")
		}
		return nil
	}
	if n.Role != pipeline.Supplement {
		return nil
	}
	switch n.State {
	case pipeline.Held:
		return say("Nous savons depuis notre premier message que d'autres de vos données sont concernées ; l'un de nos collègues vérifie ce complément avant que nous vous l'envoyions.", "Since our first message we have learnt that more of your data is concerned; one of our colleagues is checking the addition before we send it to you.")
	case pipeline.Due, pipeline.Queued, pipeline.Sending:
		switch {
		case len(attempts) > 0 && n.State != pipeline.Sending:
			return say("Le message qui complète le premier n'a pas encore pu vous être remis ; nous essayons à nouveau.", "The message that completes the first one could not be delivered to you yet; we are trying again.")
		case paper:
			return say("D'autres de vos données sont concernées : une lettre qui complète notre premier message va vous être envoyée.", "More of your data is concerned: a letter that completes our first message is about to be sent to you.")
		}
		return say("D'autres de vos données sont concernées : un e-mail qui complète notre premier message va vous être envoyé.", "More of your data is concerned: an e-mail that completes our first message is about to be sent to you.")
	case pipeline.Accepted:
		return say("Nous avons complété notre premier message par un e-mail "+fr+". Aucun retour d'échec ne nous est parvenu.", "We completed our first message by an e-mail "+en+". No failure has come back to us.")
	case pipeline.Printing:
		return say("La lettre qui complète notre premier message a été remise à l'impression "+fr+".", "The letter that completes our first message was given to the printer "+en+".")
	case pipeline.Posted:
		return say("La lettre qui complète notre premier message a été déposée à la poste "+fr+".", "The letter that completes our first message was handed to the post "+en+".")
	case pipeline.Informed:
		if paper {
			return say("Nous avons complété notre premier message par une lettre, déposée à la poste "+fr+".", "We completed our first message by a letter, handed to the post "+en+".")
		}
		return say("Nous avons complété notre premier message par un e-mail "+fr+".", "We completed our first message by an e-mail "+en+".")
	case pipeline.Unreachable:
		return say("D'autres de vos données sont concernées, et nous n'avons pas pu vous l'écrire. Nous pouvons vous informer maintenant.", "More of your data is concerned, and we could not write to you about it. We can tell you now.")
	}
	return nil
}

// aloudAsked is what is said of a copy that the caller asked for.
func aloudAsked(n pipeline.Notice, fr, en string, say func(fr, en string) map[string]string) map[string]string {
	switch n.State {
	case pipeline.Due, pipeline.Queued, pipeline.Sending:
		if n.Channel == pipeline.Post {
			return say("Une copie de notre lettre va vous être envoyée par courrier.", "A copy of our letter is about to be sent to you by post.")
		}
		return say("Une copie de notre message va vous être envoyée par e-mail.", "A copy of our message is about to be sent to you by e-mail.")
	case pipeline.Printing:
		return say("Une copie de notre lettre a été remise à l'impression "+fr+".", "A copy of our letter was given to the printer "+en+".")
	case pipeline.Accepted:
		return say("Une copie de notre message vous a été envoyée par e-mail "+fr+". Aucun retour d'échec ne nous est parvenu.", "A copy of our message was sent to you by e-mail "+en+". No failure has come back to us.")
	case pipeline.Posted, pipeline.Informed:
		return say("Une copie de notre lettre vous a été envoyée "+fr+".", "A copy of our letter was sent to you "+en+".")
	case pipeline.Unreachable:
		return say("La copie de notre lettre n'a pas pu vous être remise.", "The copy of our letter could not be delivered to you.")
	}
	return say("Une copie de notre lettre est prévue ; l'un de nos collègues la vérifie avant l'envoi.", "A copy of our letter is planned; one of our colleagues is checking it first.")
}

func aloudDue(n pipeline.Notice, attempts []pipeline.Attempt, fr, en string, say func(fr, en string) map[string]string) map[string]string {
	paper := n.Channel == pipeline.Post
	mailed := slices.ContainsFunc(attempts, func(a pipeline.Attempt) bool { return a.Channel == pipeline.Email })
	switch {
	case len(attempts) > 0 && paper && !mailed:
		return say("Votre lettre est en préparation ; elle va vous être envoyée.", "Your letter is being prepared and is about to be sent to you.")
	case len(attempts) > 0 && !mailed:
		return say("Notre lettre n'a pas pu vous être remise ; un e-mail va vous être envoyé.", "Our letter could not be delivered to you; an e-mail is about to be sent.")
	case len(attempts) > 0 && paper:
		return say("Nous vous avons écrit par e-mail, mais il n'a pas pu être remis ; une lettre va partir.", "We wrote to you by e-mail, but it could not be delivered; a letter is about to leave.")
	case len(attempts) > 0:
		return say("Nous vous avons écrit par e-mail "+fr+", mais il n'a pas encore pu être remis ; nous essayons à nouveau.", "We wrote to you by e-mail "+en+", but it could not be delivered yet; we are trying again.")
	case paper:
		return say("Une lettre va vous être envoyée.", "A letter is about to be sent to you.")
	}
	return say("Un e-mail va vous être envoyé.", "An e-mail is about to be sent to you.")
}

// lastOf is the time of the latest event of these kinds.
func lastOf(events []pipeline.Event, kinds ...pipeline.EventKind) (at time.Time) {
	for _, e := range events {
		if slices.Contains(kinds, e.Kind) {
			at = e.At
		}
	}
	return at
}

// leftWords says why an operation leaves a notice as it is, "" if it does not.
func leftWords(action string, n pipeline.Notice) string {
	switch n.State {
	case pipeline.Held:
		if action == "hold" {
			return "held already: " + reasonWords(n.Reason)
		}
		return ""
	case pipeline.Due, pipeline.Queued:
		if action == "release" {
			return "not held: it is due"
		}
		return ""
	case pipeline.InDoubt:
		if action == "hold" {
			return ""
		}
		return "it is not known whether the e-mail left; art34 hold stops a second one"
	case pipeline.Sending:
		return "on the wire at this moment"
	case pipeline.Accepted:
		return "too late: the relay took the e-mail"
	case pipeline.Printing:
		return "in a print run; art34 print recall takes the run back"
	case pipeline.Posted:
		return "too late: the letter is at the post"
	case pipeline.Informed:
		return "too late: informed"
	case pipeline.Unreachable:
		if action == "exclude" {
			return ""
		}
		return "nobody is written to anyway: " + reasonWords(n.Reason)
	case pipeline.Excluded:
		return "excluded already: " + reasonWords(n.Reason)
	case pipeline.Cancelled:
		return "cancelled: the campaign is"
	}
	return string(n.State)
}

// shown writes a time with its zone: that of this machine where none was chosen.
func shown(t time.Time) string {
	if t.Location() == time.UTC {
		t = t.Local()
	}
	return t.Format(time.DateTime + " MST")
}

// eventWords says in plain words what an event means.
func eventWords(e pipeline.Event) string {
	words := map[pipeline.EventKind]string{
		pipeline.EvAccepted:   "the relay took the e-mail",
		pipeline.EvDoubted:    "the e-mail was sent and no answer came: it may have left or not",
		pipeline.EvResolved:   "the doubt was settled",
		pipeline.EvUnfit:      "this letter could not be made",
		pipeline.EvDelivered:  "the mailbox confirmed the delivery",
		pipeline.EvConfirmed:  "nothing came back in time: counted as informed",
		pipeline.EvComplained: "the recipient reported the e-mail as unwanted",
		pipeline.EvOverdue:    "the deadline passed before the e-mail could be sent again",
		pipeline.EvDelayed:    "the delivery is delayed",
		pipeline.EvReplied:    "the recipient answered",
		pipeline.EvCut:        "the letter went into a print run",
		pipeline.EvDeposited:  "the print shop deposited the letter at the post",
		pipeline.EvRejected:   "the print shop spoiled or refused the letter",
		pipeline.EvVoided:     "the print run was voided before it was handed over",
		pipeline.EvRecalled:   "the print run was recalled",
		pipeline.EvReturned:   "the letter came back",
		pipeline.EvHeld:       "held by a person",
		pipeline.EvReleased:   "released",
		pipeline.EvExcluded:   "excluded",
		pipeline.EvCancelled:  "cancelled",
		pipeline.EvRouted:     "channel or state chosen again by check",
		pipeline.EvAbsorbed:   "a later import added data to this notice",
		pipeline.EvTold:       "the customer was informed by other means",
		pipeline.EvNotified:   "a public notice stands in for this customer",
		pipeline.EvCorrected:  "a person corrected an address; the old one is kept",
	}[e.Kind]
	if e.Kind == pipeline.EvReplied && pipeline.Unread(e.Code) {
		words = "a robot says that nobody reads this mailbox"
	}
	if e.Kind == pipeline.EvRefused || e.Kind == pipeline.EvBounced {
		words = map[pipeline.Outcome]string{
			pipeline.Dead:      "the address does not exist",
			pipeline.Transient: "the mailbox could not take it at the moment",
			pipeline.Ours:      "the provider refused the e-mail because of us, not of the address",
			pipeline.None:      "a message about the e-mail came back that is no failure",
		}[e.Outcome]
	}
	switch e.Code {
	case "", e.Detail, "held", "released", "excluded": // said already
	default:
		words += " (" + e.Code + ")"
	}
	if e.Detail != "" {
		words += ": " + e.Detail
	}
	return words
}

// reasonWords says in plain words what a reason code of a notice means.
func reasonWords(reason string) string {
	if words, ok := map[string]string{
		"":                            "for no reason on record",
		reasonApproval:                "the import came after the launch and waits for its approval",
		pipeline.ReasonAddressDead:    "the address does not exist",
		pipeline.ReasonDeadline:       "the address could not be reached until the deadline",
		pipeline.ReasonTransient:      "the mailbox could not take it at the moment",
		pipeline.ReasonOurs:           "the provider refuses the e-mail because of us, not of the address",
		pipeline.ReasonSecondDoubt:    "twice it is not known whether the e-mail left",
		pipeline.ReasonDoubt:          "it is not known whether the e-mail left",
		pipeline.ReasonReturned:       "the letter came back",
		pipeline.ReasonRejected:       "the print shop spoiled or refused the letter twice",
		pipeline.ReasonVoided:         "the print run was taken back before it was handed over",
		pipeline.ReasonRecalled:       "the print run was recalled",
		pipeline.ReasonUnfit:          "the letter cannot be made of this record",
		pipeline.ReasonNoContact:      "the customer is in no directory",
		pipeline.ReasonNoAddress:      "there is no e-mail address and no postal address that can be used",
		pipeline.ReasonNoPrintable:    "there is no postal address that can be printed",
		pipeline.ReasonLateEvidence:   "a late answer settled it",
		pipeline.FlagVIP:              "the flag vip asks for a person's decision",
		pipeline.FlagPress:            "the flag press asks for a person's decision",
		pipeline.FlagEmployee:         "the flag employee asks for a person's decision",
		pipeline.FlagMinor:            "a minor without a representative",
		pipeline.FlagProtectedAdult:   "the flag protected-adult asks for a person's decision",
		pipeline.FlagProtectedAddress: "the flag protected-address asks for a person's decision",
		pipeline.FlagDeceased:         "the customer has died",
		pipeline.FlagLitigation:       "the flag litigation asks for a person's decision",
		pipeline.FormatBraille:        "braille is made by hand",
		pipeline.FormatAudio:          "an audio letter is made by hand",
		pipeline.ReasonTold:           "told by other means",
		pipeline.ReasonCorrected:      "the address was corrected",
		reasonAsked:                   "the customer asked for a letter",
		pipeline.ReplyClosed:          "a robot answers that nobody reads this mailbox",
		pipeline.ReplyLeft:            "a robot answers that the person has left",
		pipeline.ReplyChallenge:       "a filter holds the e-mail until somebody confirms it",
		"parent-cancelled":            "the letter that it completes was cancelled",
		"held":                        "a person held it",
		"excluded":                    "a person excluded it",
	}[reason]; ok {
		return words
	}
	if scope, ok := strings.CutPrefix(reason, pipeline.ReasonBounces); ok {
		return "so much of " + scopeWords(scope) + " comes back that the list or the provider must be wrong; art34 release --breaker " + scope + " lets all of it go"
	}
	if code, ok := strings.CutPrefix(reason, checkPrefix); ok {
		return "check found a defect (" + code + ")"
	}
	for _, c := range intake.Codes() {
		if c.Code == reason {
			return c.Sentence
		}
	}
	return "a person decided so (" + reason + ")"
}

// nextStep says what happens next, and who does it.
func nextStep(c pipeline.Campaign, n pipeline.Notice) string {
	when := ""
	if !n.DueAt.IsZero() {
		when = " from " + shown(n.DueAt)
	}
	switch n.State {
	case pipeline.Held:
		return "a person decides, release or exclude: " + reasonWords(n.Reason)
	case pipeline.Due, pipeline.Queued:
		switch c.State {
		case pipeline.Draft, pipeline.Approved:
			return "sent by " + string(n.Channel) + " once the campaign is launched"
		case pipeline.Paused:
			return "sent by " + string(n.Channel) + " once the campaign is resumed"
		}
		return "sent by " + string(n.Channel) + when
	case pipeline.Sending:
		return "the relay's answer"
	case pipeline.InDoubt:
		return "settled by policy" + when
	case pipeline.Accepted:
		return "counted as informed if nothing comes back" + when
	case pipeline.Printing:
		return "the print shop's acknowledgement"
	case pipeline.Posted:
		return "counted as informed if the letter does not come back" + when
	case pipeline.Unreachable:
		return "nothing by itself; the substitute notice and the call centre take over: " + reasonWords(n.Reason)
	case pipeline.Excluded, pipeline.Cancelled:
		return "nothing by itself; pass the call on to the lead of the cell: " + reasonWords(n.Reason)
	}
	return "nothing; settled"
}
