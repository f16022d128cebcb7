package redact

import (
	"regexp"
	"strings"
)

// phones matches what is a phone number beyond doubt: an international prefix with
// at least eight digits, or ten digits as France writes them. Dates, run names and
// amounts are none.
var phones = regexp.MustCompile(`(?:^|[^\w+])(?:(?:\+|00)[1-9](?:[ .\-/()\x{a0}\x{202f}]{0,2}\d){7,13}|0[1-9](?:[ .\-/\x{a0}\x{202f}]?\d\d){4})(?:$|\W)`)

// mailboxes matches an e-mail address.
var mailboxes = regexp.MustCompile(`[^\s@<>(),;:"]+@[^\s@<>(),;:"]+\.[^\s@<>(),;:"]+`)

// Personal names what in a text is personal beyond doubt, "an e-mail address" or "a
// phone number"; "" if nothing is. Names it cannot know.
func Personal(text string) string {
	switch {
	case strings.ContainsRune(text, '@') && mailboxes.MatchString(text):
		return "an e-mail address"
	case phones.MatchString(text):
		return "a phone number"
	}
	return ""
}
