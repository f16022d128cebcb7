package answer

import (
	"html"
	"html/template"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline/kit/markdown"
)

// HTML shows an answer on a page. Everything is escaped; a link that the campaign
// does not allow (any more) is shown as text, with its address.
func HTML(answer, locale string, hosts []string) template.HTML {
	blocks, err := markdown.New().Parse([]byte(answer))
	if err != nil { // it was checked when it was written; then it is text
		return template.HTML("<p>" + html.EscapeString(answer) + "</p>")
	}
	w := writer{locale: locale, hosts: hosts}
	w.blocks(blocks)
	return template.HTML(w.b.String())
}

type writer struct {
	b      strings.Builder
	locale string
	hosts  []string
}

func (w *writer) blocks(list []markdown.Block) {
	for _, b := range list {
		w.block(b)
	}
}

func (w *writer) block(b markdown.Block) {
	wrap := func(tag string, inner func()) {
		w.b.WriteString("<" + tag + ">")
		inner()
		w.b.WriteString("</" + tag + ">\n")
	}
	switch b.Kind {
	case markdown.Paragraph:
		wrap("p", func() { w.spans(b.Spans) })
	case markdown.Heading:
		wrap("h"+strconv.Itoa(min(max(b.Level, 2)+1, 6)), func() { w.spans(b.Spans) })
	case markdown.Divider:
		w.b.WriteString("<hr>\n")
	case markdown.Quote:
		wrap("blockquote", func() { w.blocks(b.Items[0]) })
	case markdown.List:
		tag := map[bool]string{true: "ol", false: "ul"}[b.Ordered]
		wrap(tag, func() {
			for _, item := range b.Items {
				wrap("li", func() {
					if len(item) == 1 && item[0].Kind == markdown.Paragraph {
						w.spans(item[0].Spans)
						return
					}
					w.blocks(item)
				})
			}
		})
	case markdown.Table:
		wrap("table", func() { w.rows(b.Rows) })
	}
}

func (w *writer) rows(rows [][][]markdown.Span) {
	for i, row := range rows {
		w.b.WriteString("<tr>")
		for _, cell := range row {
			tag := map[bool]string{true: "th", false: "td"}[i == 0]
			w.b.WriteString("<" + tag + ">")
			w.spans(cell)
			w.b.WriteString("</" + tag + ">")
		}
		w.b.WriteString("</tr>\n")
	}
}

func (w *writer) spans(list []markdown.Span) {
	for _, s := range list {
		text := strings.ReplaceAll(html.EscapeString(Typeset(s.Text, w.locale)), "\n", "<br>")
		if s.Strong {
			text = "<strong>" + text + "</strong>"
		}
		if s.Em {
			text = "<em>" + text + "</em>"
		}
		switch {
		case s.Link == "":
		case linkAllowed(s, w.hosts):
			text = `<a href="` + html.EscapeString(s.Link) + `" rel="noopener noreferrer">` + text + "</a>"
		default:
			text += " (" + html.EscapeString(s.Link) + ")"
		}
		w.b.WriteString(text)
	}
}

// Typeset puts the spaces that French wants before its high signs.
func Typeset(s, locale string) string {
	if locale != "fr" {
		return s
	}
	return strings.NewReplacer(" :", "\u00a0:", " ;", "\u202f;", " !", "\u202f!", " ?", "\u202f?", "« ", "«\u00a0", " »", "\u00a0»", "'", "’").Replace(s)
}
