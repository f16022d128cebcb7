package main

import (
	"slices"

	"github.com/art34/art34/pipeline"
)

// This file holds what is said to a caller before, or in place of, where their letter
// is.

// aloudUnreachable is what is said to who could not be reached: what was tried, and
// what became of it.
func aloudUnreachable(attempts []pipeline.Attempt, say func(fr, en string) map[string]string) map[string]string {
	tried := func(ch pipeline.Channel) bool {
		return slices.ContainsFunc(attempts, func(a pipeline.Attempt) bool { return a.Channel == ch })
	}
	switch mailed, posted := tried(pipeline.Email), tried(pipeline.Post); {
	case mailed && posted:
		return say("Vous êtes concerné. Nous vous avons écrit par e-mail, puis par courrier, et rien n'a pu vous être remis. Nous pouvons vous informer maintenant.",
			"You are concerned. We wrote to you by e-mail and by post, and neither could be delivered. We can tell you now.")
	case posted:
		return say("Vous êtes concerné. Nous vous avons écrit par courrier, mais la lettre n'a pas pu vous être remise. Nous pouvons vous informer maintenant.",
			"You are concerned. We wrote to you by post, but the letter could not be delivered. We can tell you now.")
	case mailed:
		return say("Vous êtes concerné. Nous vous avons écrit par e-mail, mais il n'a pas pu vous être remis. Nous pouvons vous informer maintenant.",
			"You are concerned. We wrote to you by e-mail, but it could not be delivered. We can tell you now.")
	}
	return say("Vous êtes concerné, et nous n'avons pas pu vous écrire : nous n'avons pas d'adresse valable. Nous pouvons vous informer maintenant.",
		"You are concerned, and we could not write to you: we have no valid address. We can tell you now.")
}

// aloudDeceased is what is said to who calls about somebody who has died: where a
// letter is, is no answer to them.
func aloudDeceased() map[string]string {
	return map[string]string{
		"fr": "Je vous présente toutes nos condoléances. Mon responsable s’en occupe personnellement et va vous rappeler.",
		"en": "Please accept our condolences. My supervisor will look after this personally and call you back.",
	}
}

// concernedWords is the answer to the first question of every caller, to read before
// the sentence about their letter; nil where that says it, or where a person decides
// first.
func concernedWords(n pipeline.Notice, whole pipeline.Person) map[string]string {
	switch n.State {
	case pipeline.Held, pipeline.Unreachable, pipeline.Excluded, pipeline.Cancelled:
		return nil
	}
	some, sure := false, false
	look := func(list []pipeline.Exposure) {
		some = some || len(list) > 0
		sure = sure || slices.ContainsFunc(list, func(e pipeline.Exposure) bool { return !e.Possible })
	}
	look(whole.Own)
	for _, c := range whole.Contracts {
		look(c.Data)
	}
	switch {
	case !some: // a general warning, for instance
		return nil
	case !sure:
		return map[string]string{"fr": "Il est possible que certaines de vos données soient concernées.", "en": "Some of your data may be concerned."}
	}
	return map[string]string{"fr": "Oui, certaines de vos données sont concernées.", "en": "Yes, some of your data is concerned."}
}

// before puts one sentence before another, in each language.
func before(first, then map[string]string) map[string]string {
	both := map[string]string{}
	for locale, text := range then {
		both[locale] = text
		if lead := first[locale]; lead != "" && text != "" {
			both[locale] = lead + " " + text
		}
	}
	return both
}
