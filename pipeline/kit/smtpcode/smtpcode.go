// Package smtpcode says what the answers of mail servers mean: enhanced status
// codes (RFC 3463, RFC 5248 and the IANA registry they started), reply codes
// (RFC 5321), and the words that servers use where the codes say nothing.
//
// A failure is one of three things, and the difference decides whether a customer
// gets a letter: the address is dead, it is a matter of time, or it is we who are
// refused. The package leans to one side: it says Dead only where an answer speaks
// about the mailbox or its domain and about nothing else, because "every 5xx is
// dead" posts letters to all customers of a provider that dislikes our sender.
package smtpcode

import (
	"slices"
	"strconv"
	"strings"
)

// Outcome is what a failure means for the notice. The values are those of
// pipeline.Outcome.
type Outcome string

const (
	Dead      Outcome = "dead"      // the address does not exist, or takes no mail at all
	Transient Outcome = "transient" // try again later
	Ours      Outcome = "ours"      // we are refused: sender, authentication, reputation, content, size
	None      Outcome = "none"      // no failure
)

// Status is an enhanced status code, class.subject.detail.
type Status struct{ Class, Subject, Detail int }

// ParseStatus reads a code such as "5.1.1" that stands alone or at the start of a
// text, followed by a space or nothing.
func ParseStatus(s string) (Status, bool) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		s = s[:i]
	}
	class, rest, ok := strings.Cut(s, ".")
	subject, detail, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 || class != "2" && class != "4" && class != "5" {
		return Status{}, false
	}
	n, ok := number(subject)
	m, ok2 := number(detail)
	return Status{int(class[0] - '0'), n, m}, ok && ok2
}

// number reads one to three digits.
func number(s string) (int, bool) {
	if s == "" || len(s) > 3 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// String writes the code as "5.1.1"; the zero value is "".
func (s Status) String() string {
	if s == (Status{}) {
		return ""
	}
	return strconv.Itoa(s.Class) + "." + strconv.Itoa(s.Subject) + "." + strconv.Itoa(s.Detail)
}

// Find returns the most telling enhanced status code in a text: the first one
// whose detail is not 0, else the first.
func Find(text string) (Status, bool) {
	var first Status
	for i := 0; i < len(text); i++ {
		if c := text[i]; c != '4' && c != '5' || i > 0 && !boundary(text[i-1]) {
			continue
		}
		end := i + 1
		for end < len(text) && end < i+9 && (text[end] == '.' || text[end] >= '0' && text[end] <= '9') {
			end++
		}
		// A version or an address has more dots, or goes on with a letter.
		if end < len(text) && (text[end] == '-' || !boundary(text[end])) {
			continue
		}
		s, ok := ParseStatus(strings.TrimSuffix(text[i:end], "."))
		if !ok {
			continue
		}
		if s.Detail != 0 {
			return s, true
		}
		if first == (Status{}) {
			first = s
		}
	}
	return first, first != (Status{})
}

// boundary reports whether c may stand beside a code.
func boundary(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '(', ')', '[', ']', '#', ':', ';', ',', '-', '\'', '"', '<', '>', '=', '/':
		return true
	}
	return false
}

// Lookup returns the entry of the registry for a code, whatever its class.
func Lookup(s Status) (Entry, bool) {
	i, ok := slices.BinarySearchFunc(registry, s, func(e Entry, s Status) int {
		if e.Subject != s.Subject {
			return e.Subject - s.Subject
		}
		return e.Detail - s.Detail
	})
	if !ok {
		return Entry{}, false
	}
	return registry[i], true
}
