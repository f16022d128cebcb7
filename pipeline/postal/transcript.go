package postal

import (
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// Transcript is the letter as plain text without layout, for a transcriber into
// braille or a speaker: UTF-8, LF, one paragraph a line, tables as lists of
// "head: value".
func Transcript(l *pipeline.Letter, address []string) []byte {
	t := transcript{colon: colon(l)}
	name := l.Sender.DisplayName
	if name == "" {
		name = l.Sender.LegalName
	}
	t.lines(append([]string{name}, l.Sender.ReturnAddress...)...)
	if l.Sender.Phone != "" {
		t.lines(l.Sender.Phone)
	}
	t.blank()
	t.lines(address...)
	t.blank()
	if l.Labels.Date != "" {
		t.lines(l.Labels.Date)
	}
	if l.Labels.Reference != "" {
		t.lines(l.Labels.Reference + t.colon + l.Reference.String())
	}
	if label := l.Labels.Subject; label != "" {
		t.lines(label + t.colon + l.Subject)
	} else {
		t.lines(l.Subject)
	}
	t.blank()
	t.blocks(l.Blocks, "")
	if l.Sender.RegisteredLine != "" {
		t.lines(l.Sender.RegisteredLine)
	}
	return []byte(strings.TrimRight(t.b.String(), "\n") + "\n")
}

type transcript struct {
	b     strings.Builder
	colon string
}

func (t *transcript) lines(list ...string) {
	for _, s := range list {
		if s, _ = tidy(s); s != "" {
			t.b.WriteString(s + "\n")
		}
	}
}

func (t *transcript) blank() {
	if s := t.b.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		t.b.WriteByte('\n')
	}
}

func (t *transcript) blocks(list []pipeline.Block, prefix string) {
	for i, b := range list {
		first := prefix
		if i > 0 {
			first = ""
		}
		switch b.Kind {
		case pipeline.Table:
			t.table(b)
		case pipeline.List, pipeline.Quote:
			for n, item := range b.Items {
				mark := ""
				switch {
				case b.Kind == pipeline.List && b.Ordered:
					mark = strconv.Itoa(n+1) + ". "
				case b.Kind == pipeline.List:
					mark = "- "
				}
				t.blocks(item, mark)
			}
			t.blank()
		case pipeline.Divider:
			t.blank()
		default:
			for k, line := range strings.Split(spoken(b.Spans), "\n") {
				if k == 0 {
					line = first + line
				}
				t.lines(line)
			}
			if prefix == "" {
				t.blank()
			}
		}
	}
}

func (t *transcript) table(b pipeline.Block) {
	if len(b.Rows) == 0 {
		return
	}
	t.blank()
	for _, row := range b.Rows[1:] {
		for j, cell := range row {
			text := strings.ReplaceAll(spoken(cell), "\n", " ")
			if text == "" {
				continue
			}
			if j < len(b.Rows[0]) {
				if head := pipeline.Plain(b.Rows[0][j]); head != "" {
					text = head + t.colon + text
				}
			}
			t.lines(text)
		}
		t.blank()
	}
}

// spoken is the text of spans, with the targets of links.
func spoken(spans []pipeline.Span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.Text)
		if s.Link != "" && !strings.Contains(s.Text, bareLink(s.Link)) {
			b.WriteString(" (" + s.Link + ")")
		}
	}
	return b.String()
}
