package answer

import (
	"fmt"
	"strings"

	"github.com/art34/art34/pipeline"
)

// MostFile is how long a file of questions may be, in bytes.
const MostFile = 1 << 20

// Parse reads the questions of a file. Faults of form only: Check says the others.
func Parse(locale string, data []byte) (list []Entry, faults []Fault) {
	text := strings.TrimPrefix(strings.ReplaceAll(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n", "\n"), "\ufeff")
	seen := map[string]bool{}
	var current *Entry
	var body []string
	begun, answering := 0, false
	end := func() {
		if current == nil {
			return
		}
		current.Answer = strings.Trim(strings.Join(body, "\n"), "\n")
		if current.Topic == "" {
			faults = append(faults, Fault{Field: "topic", Code: "topic", Line: begun})
		} else if seen[current.Topic] {
			faults = append(faults, Fault{Field: "topic", Code: "twice", Detail: current.Topic, Line: begun})
		}
		seen[current.Topic] = true
		list = append(list, *current)
	}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t")
		if question, ok := strings.CutPrefix(line, "# "); ok {
			end()
			current, body, begun, answering = &Entry{Locale: locale, Question: strings.TrimSpace(question)}, nil, i+1, false
			continue
		}
		if current == nil {
			if line != "" {
				return nil, []Fault{{Field: "question", Code: "before", Line: i + 1}}
			}
			continue
		}
		if !answering {
			if line == "" {
				continue
			}
			if value, ok := strings.CutPrefix(line, "topic:"); ok {
				current.Topic = strings.TrimSpace(value)
				continue
			}
			if value, ok := strings.CutPrefix(line, "for:"); ok {
				current.Audiences = audiences(value)
				continue
			}
			answering = true
		}
		body = append(body, line)
	}
	end()
	return list, faults
}

// audiences reads "cell, shop". What is none stays: Check says so.
func audiences(s string) (list []pipeline.Audience) {
	for a := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		list = append(list, pipeline.Audience(a))
	}
	return list
}

// Format writes questions as Parse reads them.
func Format(list []Entry) []byte {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		var names []string
		for _, a := range e.Audiences {
			names = append(names, string(a))
		}
		fmt.Fprintf(&b, "# %s\n\ntopic: %s\nfor: %s\n\n%s\n", e.Question, e.Topic, strings.Join(names, ", "), strings.Trim(e.Answer, "\n"))
	}
	return []byte(b.String())
}
