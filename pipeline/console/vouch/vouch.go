// Package vouch compares a message that a caller reads out with the letters that
// were sent under its reference. A reference and a text can be copied: what makes a
// forgery is the link, the number or the request that was put in. So a message is
// genuine only if everything that was read out is in one letter of ours, a sentence
// among it.
package vouch

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/fold"
)

// Sent is a letter as it went out.
type Sent struct {
	Notice    int64
	Attempt   int
	Channel   pipeline.Channel
	At        time.Time
	Subject   string
	Addresses []string // from which we write, and to which answers go
	Names     []string // of the brand and of the company
	Text      string
	Links     []string
	Phones    []string
}

// Heard is what the caller read out. An empty field says that the message has
// nothing of the kind.
type Heard struct {
	Subject  string
	Sender   string
	Sentence string
	Links    string // one a line
	Phones   string // one a line
	Asks     bool   // it has an attachment, or asks for a secret or for money
}

// Verdict is what the comparison came to.
type Verdict string

// The verdicts.
const (
	Genuine Verdict = "genuine" // the letter that was sent
	Foreign Verdict = "foreign" // the reference is real, the message is not ours
	Unsent  Verdict = "unsent"  // the reference is real, and nothing was sent yet
	Unknown Verdict = "unknown" // nobody has this reference
	Misread Verdict = "misread" // this is no reference: a character was misheard
	None    Verdict = "none"    // no reference, which every letter of ours has
)

// Suspicious reports whether a message with this verdict may be a forgery.
func (v Verdict) Suspicious() bool { return v != Genuine && v != Misread }

// Part is one thing that was read out.
type Part struct {
	Field string // subject, sender, sentence, link, phone, asks
	Said  string
	Ours  bool
}

// Result is a verdict with its grounds.
type Result struct {
	Verdict Verdict
	Parts   []Part
	Nearest int // of the letters; -1 without one
}

// Shortest is how much of a sentence has to be read out: letters and digits.
const Shortest = 20

// Enough reports whether a sentence is long enough to compare: words that are in
// every message prove nothing, and single words would let the letter be guessed.
func Enough(sentence string) bool {
	s := fold.Words(sentence)
	return utf8.RuneCountInString(strings.ReplaceAll(s, " ", "")) >= Shortest && strings.Count(s, " ") >= 3
}

// Compare looks for one letter that has everything that was read out.
func Compare(h Heard, letters []Sent) Result {
	if len(letters) == 0 {
		return Result{Verdict: Unsent, Nearest: -1}
	}
	best := Result{Verdict: Foreign, Nearest: -1}
	most := -1
	for i, s := range letters {
		parts := against(h, s)
		ours := 0
		for _, p := range parts {
			if p.Ours {
				ours++
			}
		}
		if ours > most {
			most, best.Parts, best.Nearest = ours, parts, i
		}
		if ours == len(parts) && Enough(h.Sentence) {
			return Result{Verdict: Genuine, Parts: parts, Nearest: i}
		}
	}
	return best
}

func against(h Heard, s Sent) (parts []Part) {
	add := func(field, said string, ours func(string) bool) {
		if said = strings.TrimSpace(said); said != "" {
			parts = append(parts, Part{field, said, ours(said)})
		}
	}
	add("subject", h.Subject, func(x string) bool { return fold.Words(bare(x)) == fold.Words(s.Subject) })
	add("sender", h.Sender, s.from)
	text := fold.Words(s.Text)
	add("sentence", h.Sentence, func(x string) bool { return Enough(x) && fold.Holds(text, fold.Words(x)) })
	links := s.links()
	for line := range strings.Lines(h.Links) {
		add("link", line, func(x string) bool { return slices.Contains(links, address(x)) })
	}
	phones := s.phones()
	for line := range strings.Lines(h.Phones) {
		add("phone", line, func(x string) bool { d := dialled(x); return d != "" && slices.Contains(phones, d) })
	}
	if h.Asks {
		parts = append(parts, Part{Field: "asks"})
	}
	return parts
}

var replied = regexp.MustCompile(`(?i)^\s*((re|fw|fwd|tr|ref)\s*:\s*)+`)

// bare is a subject without what mail programs put before it.
func bare(s string) string { return replied.ReplaceAllString(s, "") }

var bracketed = regexp.MustCompile(`<([^<>]*)>\s*$`)

// from compares a sender. An address is compared whole; a name alone is compared
// with the names that we use.
func (s Sent) from(said string) bool {
	if m := bracketed.FindStringSubmatch(said); m != nil {
		said = m[1]
	}
	if strings.Contains(said, "@") {
		return slices.ContainsFunc(s.Addresses, func(a string) bool { return strings.EqualFold(strings.TrimSpace(said), a) })
	}
	return slices.ContainsFunc(s.Names, func(n string) bool { return fold.Words(n) == fold.Words(said) })
}

var hostLike = regexp.MustCompile(`(?:https?://)?[\pL\pN][\pL\pN-]*(?:\.[\pL\pN][\pL\pN-]*)+(?:/[^\s<>"»)]*)?`)

// links are the addresses of pages in a letter, as address writes them. What stands
// behind an @ is no page.
func (s Sent) links() (list []string) {
	for _, l := range s.Links {
		list = append(list, address(l))
	}
	for _, at := range hostLike.FindAllStringIndex(s.Text, -1) {
		before := s.Text[:at[0]]
		after := s.Text[at[1]:]
		if strings.HasSuffix(before, "@") || strings.HasPrefix(after, "@") {
			continue
		}
		list = append(list, address(s.Text[at[0]:at[1]]))
	}
	return slices.DeleteFunc(list, func(l string) bool { return l == "" })
}

// address writes the address of a page in one way: host and path. One with a user in
// it, which is how hosts are disguised, keeps it and is therefore none of ours.
func address(s string) string {
	s = strings.TrimRight(strings.TrimSpace(s), ".,;:!?»)")
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "?" + s
	}
	host := strings.TrimPrefix(strings.ToLower(u.Host), "www.")
	if u.User != nil {
		host = u.User.String() + "@" + host
	}
	out := host + strings.TrimRight(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		out += "?" + u.RawQuery
	}
	return out
}

var numberLike = regexp.MustCompile(`(?:\+|\b0)[\d .()\-\x{00a0}\x{202f}]{6,}\d`)

// phones are the numbers in a letter, as dialled writes them.
func (s Sent) phones() (list []string) {
	for _, p := range append(slices.Clone(s.Phones), numberLike.FindAllString(s.Text, -1)...) {
		if d := dialled(p); d != "" {
			list = append(list, d)
		}
	}
	return list
}

// dialled writes a telephone number in one way: without the zero or the French
// country code before it.
func dialled(s string) string {
	s = strings.ReplaceAll(s, "(0)", "")
	d := fold.Digits(s)
	switch {
	case strings.HasPrefix(d, "0033"):
		d = d[4:]
	case strings.HasPrefix(d, "33") && len(d) == 11:
		d = d[2:]
	case strings.HasPrefix(d, "00"):
		d = d[2:]
	case strings.HasPrefix(d, "0"):
		d = d[1:]
	}
	return d
}
