// Package answer is questions and answers as people write them: Markdown files with
// many of them, what is wrong with one, how it is shown, found and compared.
//
// A file holds questions of one language, which its name says: qa.fr.md. A heading
// of the first level is the question; the lines after it say what it is called and
// for whom it is written; the rest is the answer:
//
//	# Suis-je concerné ?
//
//	topic: am-i-concerned
//	for: cell, shop
//
//	Si vos données ont été exposées, nous vous avons écrit.
package answer

import (
	"errors"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/markdown"
)

// Entry is a question with its answer.
type Entry struct {
	Topic     string
	Locale    string
	Audiences []pipeline.Audience
	Question  string
	Answer    string // Markdown
}

// Limits of an entry, in characters.
const (
	MostQuestion = 200
	MostAnswer   = 10_000
	mostTopic    = 60
)

// Fault is something wrong with an entry.
type Fault struct {
	Field  string // topic, locale, for, question, answer
	Code   string // stable
	Detail string // which link, which sign; ""
	Line   int    // of its file; 0: unknown
}

// Sentence says what is wrong.
func (f Fault) Sentence() string {
	s := map[string]string{
		"topic":     "a topic is small letters, digits and hyphens, at most " + strconv.Itoa(mostTopic),
		"locale":    "the language is fr or en; the name of the file says it: qa.fr.md",
		"for":       "for whom: cell, shop, press",
		"question":  "a question is one line of at most " + strconv.Itoa(MostQuestion) + " characters",
		"answer":    "an answer has 1 to " + strconv.Itoa(MostAnswer) + " characters",
		"heading":   "a heading of the first level begins another question; use ## within an answer",
		"image":     "an image: answers have none",
		"markdown":  "the Markdown cannot be read",
		"link":      "a link goes to https and to a host that the campaign allows (letters.allow_links), and its text shows that host",
		"invisible": "a sign that nobody sees, or that turns the direction of the text",
		"twice":     "the topic is in the file twice",
		"before":    "text before the first question",
	}[f.Code]
	if f.Detail != "" {
		s += ": " + f.Detail
	}
	return s
}

var topicForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// IsTopic reports whether s can name a question.
func IsTopic(s string) bool { return topicForm.MatchString(s) && len(s) <= mostTopic }

// Locales lists the languages of answers.
func Locales() []string { return []string{"fr", "en"} }

// Check says what is wrong with an entry. hosts are those that it may link to.
func Check(e Entry, hosts []string) (faults []Fault) {
	wrong := func(field, code, detail string) {
		faults = append(faults, Fault{Field: field, Code: code, Detail: detail})
	}
	if !IsTopic(e.Topic) {
		wrong("topic", "topic", "")
	}
	if !slices.Contains(Locales(), e.Locale) {
		wrong("locale", "locale", "")
	}
	if len(e.Audiences) == 0 || slices.ContainsFunc(e.Audiences, func(a pipeline.Audience) bool { return !slices.Contains(pipeline.Audiences(), a) }) {
		wrong("for", "for", "")
	}
	if n := utf8.RuneCountInString(e.Question); strings.TrimSpace(e.Question) == "" || n > MostQuestion || strings.ContainsAny(e.Question, "\r\n") {
		wrong("question", "question", "")
	}
	if strings.ContainsFunc(e.Question, invisible) {
		wrong("question", "invisible", "")
	}
	if n := utf8.RuneCountInString(e.Answer); strings.TrimSpace(e.Answer) == "" || n > MostAnswer {
		wrong("answer", "answer", "")
		return faults
	}
	if strings.ContainsFunc(e.Answer, invisible) {
		wrong("answer", "invisible", "")
	}
	blocks, err := markdown.New().Parse([]byte(e.Answer))
	switch {
	case errors.Is(err, markdown.ErrImage):
		wrong("answer", "image", "")
	case err != nil:
		detail := err.Error()
		if heavy, ok := errors.AsType[*markdown.HeavyError](err); ok {
			detail += ", line " + strconv.Itoa(heavy.Line)
		}
		wrong("answer", "markdown", detail)
	}
	walk(blocks, func(b markdown.Block) {
		if b.Kind == markdown.Heading && b.Level == 1 {
			wrong("answer", "heading", "")
		}
	}, func(s markdown.Span) {
		if s.Link != "" && !linkAllowed(s, hosts) {
			wrong("answer", "link", s.Link)
		}
	})
	return faults
}

// invisible reports signs that make a text say another thing than it shows.
func invisible(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || r >= 0xE000 && r <= 0xF8FF
}

// linkAllowed reports whether a link leads where it says, to a host of the list.
func linkAllowed(s markdown.Span, hosts []string) bool {
	u, err := url.Parse(s.Link)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Opaque != "" {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if !slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
		return false
	}
	return strings.Contains(strings.ToLower(s.Text), strings.TrimPrefix(host, "www."))
}

// walk visits blocks and spans in order.
func walk(blocks []markdown.Block, block func(markdown.Block), span func(markdown.Span)) {
	for _, b := range blocks {
		block(b)
		for _, s := range b.Spans {
			span(s)
		}
		for _, row := range b.Rows {
			for _, cell := range row {
				for _, s := range cell {
					span(s)
				}
			}
		}
		for _, item := range b.Items {
			walk(item, block, span)
		}
	}
}

var gap = regexp.MustCompile(`\[\[(.*?)\]\]`)

// Gaps returns what an entry leaves to be filled in: "[[…]]". Nobody publishes one
// that has any.
func Gaps(e Entry) (list []string) {
	for _, m := range gap.FindAllStringSubmatch(e.Question+"\n"+e.Answer, -1) {
		list = append(list, strings.TrimSpace(m[1]))
	}
	return list
}

// LocaleOf is the language that the name of a file says, "" if it says none.
func LocaleOf(name string) string {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	locale := strings.TrimPrefix(path.Ext(base), ".")
	if slices.Contains(Locales(), locale) {
		return locale
	}
	return ""
}
