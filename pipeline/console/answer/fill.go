package answer

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"
	"unicode"
)

// Facts are what the starting questions may say of a campaign, each in the language
// of the file. They come from campaign.yaml; what is empty there is a gap here.
type Facts struct {
	Brand      Fact // the brand that writes
	Phone      Fact // of the cell
	Hours      Fact
	From       Fact // address from which it writes
	Controller Fact
	Address    Fact // of the controller, in one line
	DPO        Contact
	When       Fact // "le 12 janvier 2026", "entre le 12 et le 15 janvier 2026"
	Discovered Fact
	What       Fact // what happened
	NotTaken   Fact
	WhyNow     Fact
	Measures   []Fact
	Links      []Fact // hosts that letters may link to
}

// Contact is a way to reach somebody.
type Contact struct{ Name, Post, Phone, Email Fact }

// Fact is a text of the campaign. In a file it is escaped: it stays text.
type Fact string

// String is the fact as Markdown: signs that could mean something are escaped where
// they could, so that who edits the answer reads a text and not its escapes.
func (f Fact) String() string {
	s := strings.Join(strings.FieldsFunc(string(f), func(r rune) bool { return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' || unicode.IsControl(r) }), " ")
	var b strings.Builder
	for i, r := range s {
		special := strings.ContainsRune("\\`*_[]<>|&!~", r)
		if i == 0 && strings.ContainsRune("#>+-=", r) {
			special = true
		}
		if r == '{' || r == '}' {
			special = true
		}
		if special {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	s = b.String()
	// A number with a full stop at the start of a line is a list.
	if n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }); n > 0 && (s[n] == '.' || s[n] == ')') {
		s = s[:n] + "\\" + s[n:]
	}
	return s
}

// Fill puts the facts of a campaign into a file of starting questions. It says "if",
// "with", "range" and "else" of text/template, and the fields of Facts; there are no
// other functions.
func Fill(name string, src []byte, f Facts) ([]byte, error) {
	t, err := template.New(name).Option("missingkey=error").Parse(string(src))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out.Bytes(), nil
}
