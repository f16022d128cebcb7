package letter

import (
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline"
)

// maxLine is the longest line that mail can carry, in bytes without its end (RFC
// 5322, 2.1.1).
const maxLine = 998

// LintLetter checks one rendered letter against the notice that it was made from,
// and its text and HTML against each other. Whatever it finds is of severity Hold.
func (s *Set) LintLetter(req Request, l *pipeline.Letter) []Finding {
	r := &report{}
	v, ok := s.voices[l.Locale]
	if !ok {
		r.add(Hold, "L32", "", 0, "the campaign has no letters in the locale of this one", "")
		return r.findings
	}
	body := squeeze(blockText(nil, l.Blocks))
	holds := func(code, what, sentence string) {
		if what = squeeze([]byte(clean(what))); what != "" && !strings.Contains(body, what) {
			r.add(Hold, code, "", 0, sentence, "the letter was changed or is incomplete: correct it")
		}
	}
	c := s.spec.Controller
	holds("L01", c.Name, "who answers for the data is not in the letter")
	holds("L02", c.DPO.Name, "the data protection officer is not in the letter")
	if !slices.ContainsFunc([]string{c.DPO.Post, c.DPO.Phone}, func(way string) bool {
		way = squeeze([]byte(clean(way)))
		return way != "" && strings.Contains(body, way)
	}) {
		r.add(Hold, "L02", "", 0, "no way to reach the data protection officer is in the letter", "")
	}
	holds("L13", l.Reference.String(), "the reference is not in the letter")
	holds("L13", l.Sender.Phone, "the number to call is not in the letter")
	holds("L25", l.Recipient, "the letter does not name who it is for")
	if l.Reference != req.Person.Reference || l.Reference == "" {
		r.add(Hold, "L13", "", 0, "the reference is not that of the notice", "")
	}
	if sh, _, err := s.choose(req.Notice); err == nil && sh.template != templateAwareness {
		s.lintOwnData(r, v, req.Person, holds)
	}
	lintCharacters(r, l, body)
	lintParts(r, l)
	return r.sorted()
}

// lintOwnData checks that the letter tells this customer everything.
func (s *Set) lintOwnData(r *report, v *voice, p pipeline.Person, holds func(code, what, sentence string)) {
	told := 0
	tell := func(list []pipeline.Exposure) {
		for _, e := range list {
			i, ok := s.catalogue.index[e.Kind]
			if !ok || !v.kinds[i].worded {
				r.add(Hold, "L05", "", 0, "the data kind "+e.Kind+" has no complete wording", "word it in the catalogue")
				continue
			}
			told++
			entry := s.catalogue.entries[i]
			holds("L05", entry.Name[v.Code], "the data kind "+e.Kind+" is not in the letter")
			holds("L05", entry.Fields[v.Code], "the fields of the data kind "+e.Kind+" are not in the letter")
			holds("L07", entry.Consequence[v.Code], "the consequence of the data kind "+e.Kind+" is not in the letter")
			for _, a := range entry.Advice[v.Code] {
				holds("L09", a, "an advice on the data kind "+e.Kind+" is not in the letter")
			}
		}
	}
	tell(p.Own)
	for _, c := range p.Contracts {
		if len(c.Data) == 0 {
			continue
		}
		tell(c.Data)
		holds("L05", c.ID, "the number of a contract is not in the letter")
		holds("L05", v.label(c), "the name of a contract is not in the letter")
		if what := accountNumber(clean(c.ID)); what == "bank account number (IBAN)" {
			r.add(Hold, "L23", "", 0, "the number of a contract is a full "+what, "give the contract another number in the impact list")
		}
		if what := accountNumber(clean(c.Label)); what != "" {
			r.add(Hold, "L23", "", 0, "the name of a contract holds a full "+what, "correct the impact list")
		}
	}
	if told == 0 {
		r.add(Hold, "L05", "", 0, "the letter tells nothing of this customer", "exclude the notice, or correct the impact list")
	}
}

// lintCharacters checks header values and characters.
func lintCharacters(r *report, l *pipeline.Letter, body string) {
	for _, h := range []struct{ what, value string }{{"subject", l.Subject}, {"name of the recipient", l.Recipient}, {"display name of the sender", l.Sender.DisplayName}} {
		if strings.ContainsFunc(h.value, func(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }) || !utf8.ValidString(h.value) {
			r.add(Hold, "L27", "", 0, "the "+h.what+" holds control characters", "correct the record")
		}
	}
	if strings.ContainsRune(body, utf8.RuneError) {
		r.add(Hold, "L25", "", 0, "the letter holds damaged characters (U+FFFD)", "correct the record: its encoding was lost")
	}
	if strings.ContainsFunc(body, func(c rune) bool { return c >= 0xE0000 || c >= 0xE000 && c <= 0xF8FF }) {
		r.add(Hold, "L25", "", 0, "the letter holds characters without a meaning", "correct the record")
	}
}

// lintParts checks that text and HTML say everything that the blocks say, in their
// order, and name the language.
func lintParts(r *report, l *pipeline.Letter) {
	text, page := Text(l), HTML(l)
	for line := range strings.Lines(string(text)) {
		if len(line) > maxLine {
			r.add(Hold, "L27", "", 0, "the text has a line of more than 998 bytes", "a word of this record is too long: correct it")
			break
		}
	}
	if !strings.Contains(string(page), `<html lang="`+l.Locale+`"`) {
		r.add(Hold, "L31", "", 0, "the HTML does not name the language", "")
	}
	head := []string{l.Sender.DisplayName, l.Labels.Date, l.Reference.String(), l.Subject}
	foot := []string{l.Sender.RegisteredLine}
	for _, p := range []struct {
		name string
		text string
		rows int // first row of a table that stands in order
	}{{"text", squeeze(text), 1}, {"HTML", squeeze(plainHTML(page)), 0}} {
		units := append(append(head, units(nil, l.Blocks, p.rows)...), foot...)
		rest := p.text
		for _, u := range units {
			if u = squeeze([]byte(u)); u == "" {
				continue
			}
			i := strings.Index(rest, u)
			if i < 0 {
				r.add(Hold, "L31", "", 0, "the "+p.name+" part does not say all that the letter says", "this is a defect of the program: report it")
				break
			}
			rest = rest[i+len(u):]
		}
	}
}

// units lists the texts of paragraphs, headings, items and cells in order.
func units(out []string, list []pipeline.Block, firstRow int) []string {
	for _, b := range list {
		if len(b.Spans) > 0 {
			out = append(out, pipeline.Plain(b.Spans))
		}
		for _, item := range b.Items {
			out = units(out, item, firstRow)
		}
		for i, row := range b.Rows {
			if i < firstRow && len(b.Rows) > 1 {
				continue
			}
			for _, cell := range row {
				out = append(out, pipeline.Plain(cell))
			}
		}
	}
	return out
}

// blockText appends all text of blocks, a line a unit.
func blockText(b []byte, list []pipeline.Block) []byte {
	for _, u := range units(nil, list, 0) {
		b = append(append(b, u...), '\n')
	}
	return b
}

// squeeze makes texts comparable across layouts: every run of white space is one
// blank, apostrophes are plain.
func squeeze(s []byte) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(string(s)), " "), "’", "'")
}

// plainHTML is the text of one of our own documents: what is in its body, without
// tags. Tags that break a line become blanks.
func plainHTML(page []byte) []byte {
	s := string(page)
	if i := strings.Index(s, "<body"); i >= 0 {
		s = s[i:]
	}
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '<')
		if i < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexByte(s, '>')
		if strings.HasPrefix(s, "<!--") {
			end = strings.Index(s, "-->") + 2
		}
		if end < 2 {
			break
		}
		name := strings.TrimLeft(s[1:end], "/")
		if i := strings.IndexByte(name, ' '); i >= 0 {
			name = name[:i]
		}
		switch name {
		case "strong", "em", "a", "span":
		default:
			b.WriteByte(' ')
		}
		s = s[end+1:]
	}
	return []byte(html.UnescapeString(b.String()))
}
