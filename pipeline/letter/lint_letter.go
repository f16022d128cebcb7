package letter

import (
	"bytes"
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

// said is what LintLetter looks for in a letter, squeezed once for all letters.
type said struct {
	kinds      []saidKind
	controller string
	dpo        string
	reach      []string // ways to reach the data protection officer
}

type saidKind struct {
	name, fields, consequence string
	advice                    []string
}

// saidBy prepares the texts of a voice.
func (s *Set) saidBy(v *voice) said {
	one := func(text string) string { return string(squeeze(nil, clean(text))) }
	c := s.spec.Controller
	out := said{controller: one(c.Name), dpo: one(c.DPO.Name)}
	for _, way := range []string{c.DPO.Post, c.DPO.Phone} {
		if way = one(way); way != "" {
			out.reach = append(out.reach, way)
		}
	}
	for _, e := range s.catalogue.entries {
		k := saidKind{name: one(e.Name[v.Code]), fields: one(e.Fields[v.Code]), consequence: one(e.Consequence[v.Code])}
		for _, a := range e.Advice[v.Code] {
			k.advice = append(k.advice, one(a))
		}
		out.kinds = append(out.kinds, k)
	}
	return out
}

// inspection is one letter under the linter.
type inspection struct {
	report
	set   *Set
	voice *voice
	body  string // text of the blocks, squeezed
	buf   []byte
}

// holds reports a text that the letter should hold and does not.
func (x *inspection) holds(code, squeezed, sentence string) {
	if !strings.Contains(x.body, squeezed) {
		x.add(Hold, code, "", 0, sentence, "the letter was changed or is incomplete: correct it")
	}
}

// value is holds for a text that was not squeezed before.
func (x *inspection) value(code, text, sentence string) {
	x.buf = squeeze(x.buf[:0], clean(text))
	if len(x.buf) > 0 && !strings.Contains(x.body, string(x.buf)) {
		x.holds(code, string(x.buf), sentence)
	}
}

// LintLetter checks one rendered letter against the notice that it was made from,
// and its text and HTML against each other. Whatever it finds is of severity Hold.
func (s *Set) LintLetter(req Request, l *pipeline.Letter) []Finding {
	x := &inspection{set: s, voice: s.voices[l.Locale], buf: make([]byte, 0, 1<<10)}
	if x.voice == nil {
		x.add(Hold, "L32", "", 0, "the campaign has no letters in the locale of this one", "")
		return x.findings
	}
	body := make([]byte, 0, 8<<10)
	for _, u := range units(nil, l.Blocks, 0) {
		body = append(squeeze(body, u), '\n')
	}
	x.body = string(body)
	c := &x.voice.said
	x.holds("L01", c.controller, "who answers for the data is not in the letter")
	x.holds("L02", c.dpo, "the data protection officer is not in the letter")
	if !slices.ContainsFunc(c.reach, func(way string) bool { return strings.Contains(x.body, way) }) {
		x.add(Hold, "L02", "", 0, "no way to reach the data protection officer is in the letter", "")
	}
	x.value("L13", l.Reference.String(), "the reference is not in the letter")
	x.value("L13", l.Sender.Phone, "the number to call is not in the letter")
	x.value("L25", l.Recipient, "the letter does not name who it is for")
	if l.Reference != req.Person.Reference || l.Reference == "" {
		x.add(Hold, "L13", "", 0, "the reference is not that of the notice", "")
	}
	if sh, _, err := s.choose(req.Notice); err == nil && sh.template != templateAwareness {
		x.ownData(&req.Person)
	}
	lintCharacters(&x.report, l, x.body)
	x.parts(l)
	return x.sorted()
}

// ownData checks that the letter tells this customer everything.
func (x *inspection) ownData(p *pipeline.Person) {
	done := make([]bool, len(x.voice.kinds))
	told := 0
	told += x.exposures(p.Own, done)
	for i := range p.Contracts {
		c := &p.Contracts[i]
		if len(c.Data) == 0 {
			continue
		}
		told += x.exposures(c.Data, done)
		x.value("L05", c.ID, "the number of a contract is not in the letter")
		x.value("L05", x.voice.label(*c), "the name of a contract is not in the letter")
		if what := accountNumber(clean(c.ID)); what == fullIBAN {
			x.add(Hold, "L23", "", 0, "the number of a contract is a full "+what, "give the contract another number in the impact list")
		}
		if what := accountNumber(clean(c.Label)); what != "" {
			x.add(Hold, "L23", "", 0, "the name of a contract holds a full "+what, "correct the impact list")
		}
	}
	if told == 0 {
		x.add(Hold, "L05", "", 0, "the letter tells nothing of this customer", "exclude the notice, or correct the impact list")
	}
}

// exposures checks the data kinds that were not checked before and returns how many
// the letter can tell.
func (x *inspection) exposures(list []pipeline.Exposure, done []bool) (told int) {
	for _, e := range list {
		i, ok := x.set.catalogue.index[e.Kind]
		if !ok || !x.voice.kinds[i].worded {
			x.add(Hold, "L05", "", 0, "the data kind "+e.Kind+" has no complete wording", "word it in the catalogue")
			continue
		}
		told++
		if done[i] {
			continue
		}
		done[i] = true
		k := &x.voice.said.kinds[i]
		x.holds("L05", k.name, "the data kind "+e.Kind+" is not in the letter")
		x.holds("L05", k.fields, "the fields of the data kind "+e.Kind+" are not in the letter")
		x.holds("L07", k.consequence, "the consequence of the data kind "+e.Kind+" is not in the letter")
		for _, a := range k.advice {
			x.holds("L09", a, "an advice on the data kind "+e.Kind+" is not in the letter")
		}
	}
	return told
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

// parts checks that text and HTML say everything that the blocks say, in their
// order, and name the language.
func (x *inspection) parts(l *pipeline.Letter) {
	text, page := Text(l), HTML(l)
	for rest := text; len(rest) > 0; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		if i > maxLine {
			x.add(Hold, "L27", "", 0, "the text has a line of more than 998 bytes", "a word of this record is too long: correct it")
			break
		}
		rest = rest[min(i+1, len(rest)):]
	}
	if !bytes.Contains(page, []byte(`<html lang="`+l.Locale+`"`)) {
		x.add(Hold, "L31", "", 0, "the HTML does not name the language", "")
	}
	x.part("text", squeeze(make([]byte, 0, len(text)), string(text)), l, 1)
	x.part("HTML", plainHTML(page), l, 0)
}

// part looks for each unit of the letter in a part of the message, in order. The
// head of a table stands before each row in text: it is looked for from firstRow.
func (x *inspection) part(name string, part []byte, l *pipeline.Letter, firstRow int) {
	all := append(make([]string, 0, 64), l.Sender.DisplayName, l.Labels.Date, l.Reference.String(), l.Subject)
	all = append(units(all, l.Blocks, firstRow), l.Sender.RegisteredLine)
	for _, u := range all {
		x.buf = squeeze(x.buf[:0], u)
		i := bytes.Index(part, x.buf)
		if i < 0 {
			x.add(Hold, "L31", "", 0, "the "+name+" part does not say all that the letter says", "this is a defect of the program: report it")
			return
		}
		part = part[i+len(x.buf):]
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

// squeeze appends a text in a form that is the same across layouts: every run of
// white space, no-break spaces included, is one blank, none at the start and the
// end; apostrophes are plain.
func squeeze(b []byte, s string) []byte {
	start, gap := len(b), false
	for i := 0; i < len(s); i++ {
		c := s[i]
		blank := c == ' ' || c == '\n' || c == '\t' || c == '\r'
		switch {
		case c == 0xC2 && i+1 < len(s) && s[i+1] == 0xA0: // U+00A0
			blank = true
			i++
		case c == 0xE2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2] == 0xAF: // U+202F
			blank = true
			i += 2
		case c == 0xE2 && i+2 < len(s) && s[i+1] == 0x80 && s[i+2] == 0x99: // ’
			c = '\''
			i += 2
		}
		if blank {
			gap = len(b) > start
			continue
		}
		if gap {
			b = append(b, ' ')
			gap = false
		}
		b = append(b, c)
	}
	return b
}

// plainHTML is the squeezed text of one of our own documents: what is in its body,
// without tags. Tags that break a line become blanks.
func plainHTML(page []byte) []byte {
	s := string(page)
	if i := strings.Index(s, "<body"); i >= 0 {
		s = s[i:]
	}
	var b strings.Builder
	b.Grow(len(s))
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
	return squeeze(make([]byte, 0, b.Len()), html.UnescapeString(b.String()))
}
