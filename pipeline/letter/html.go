package letter

import (
	"strings"

	"github.com/art34/art34/pipeline"
)

// The look: one column of 600 px on a light ground, dark grey on white (contrast
// above 12:1), system fonts, no image and no colour that means something. Styles
// are inline because mail readers drop style sheets; the sheet in the head only
// adds a dark scheme and narrower margins where they are understood.
const (
	font     = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
	htmlOpen = `<!DOCTYPE html>
<html lang="`
	htmlHead = `" dir="ltr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><meta name="format-detection" content="telephone=no,date=no,address=no,email=no"><title>`
	htmlBody = `</title><style>
@media (prefers-color-scheme:dark){.g{background:#16181b!important}.s{background:#1f2226!important}.s,.s h1,.s h2,.s h3{color:#eceef0!important}.r,.s th,.s td,.q,.s hr{border-color:#4a4f55!important}.m{color:#b9bec4!important}.q{background:#2a2e33!important}}
@media (max-width:480px){.g{padding:0!important}.s{padding:24px 18px!important}}
</style></head>
<body class="g" style="margin:0;padding:24px 12px;background:#f1f2f4;-webkit-text-size-adjust:100%">
<!--[if mso]><table role="presentation" width="600" align="center" cellpadding="0" cellspacing="0"><tr><td><![endif]-->
<div class="s" role="article" aria-roledescription="email" lang="`
	htmlSheet = `" style="max-width:536px;margin:0 auto;padding:32px;background:#ffffff;color:#22262b;` + font + `font-size:16px;line-height:1.5;overflow-wrap:break-word">
`
	htmlClose = `</div>
<!--[if mso]></td></tr></table><![endif]-->
</body></html>
`
	styleP       = `<p style="margin:0 0 16px">`
	styleLead    = `<p style="margin:0 0 8px">`
	styleTight   = `<p style="margin:0 0 6px">`
	styleH1      = `<h1 style="margin:0 0 24px;font-size:22px;line-height:1.3;font-weight:700;color:#22262b">`
	styleH2      = `<h2 style="margin:28px 0 10px;font-size:17px;line-height:1.35;font-weight:700;color:#22262b">`
	styleH3      = `<h3 style="margin:20px 0 8px;font-size:16px;line-height:1.4;font-weight:700;color:#22262b">`
	styleLI      = `<li style="margin:0 0 6px;padding:0">`
	styleQuote   = `<div class="q" style="margin:0 0 16px;padding:14px 16px 1px;border-left:4px solid #5a6470;background:#f1f2f4">`
	styleTable   = `<table style="width:100%;border-collapse:collapse;margin:0 0 16px;font-size:15px">`
	styleTH      = `<th scope="col" style="text-align:left;vertical-align:top;padding:6px 10px 6px 0;border-bottom:2px solid #aeb4bb">`
	styleTD      = `<td style="text-align:left;vertical-align:top;padding:6px 10px 6px 0;border-bottom:1px solid #d5d9dd">`
	styleDivider = `<hr style="border:0;border-top:1px solid #d5d9dd;margin:24px 0">`
)

// HTML is the letter as one HTML document: inline styles, one column of at most
// 600 px, nothing that is fetched, no script. It says what Text says, in the same
// order. The subject is its only heading of the first level.
func HTML(l *pipeline.Letter) []byte {
	w := htmlWriter{out: make([]byte, 0, 12<<10), form: pipeline.FormHTML}
	w.letter(l)
	return w.out
}

// AppendHTML appends what HTML returns, encoded. What many letters share is encoded
// once.
func AppendHTML(dst []byte, l *pipeline.Letter, quote Encoding) []byte {
	scratch := scratches.Get().(*[]byte)
	w := htmlWriter{out: (*scratch)[:0], form: pipeline.FormHTMLQuoted, quoter: newQuoter(dst, quote)}
	w.letter(l)
	w.flush(&w.out)
	*scratch = w.out
	scratches.Put(scratch)
	return w.done
}

// htmlWriter writes a letter; out is what is not encoded yet, or all of it.
type htmlWriter struct {
	out  []byte
	form pipeline.Form
	quoter
}

func (w *htmlWriter) letter(l *pipeline.Letter) {
	b := append(w.out, htmlOpen...)
	b = appendText(b, l.Locale)
	b = append(b, htmlHead...)
	b = appendText(b, l.Subject)
	b = append(b, htmlBody...)
	b = appendText(b, l.Locale)
	b = append(b, htmlSheet...)
	b = appendHead(b, l)
	b = append(b, styleH1...)
	b = appendText(b, l.Subject)
	w.out = append(b, "</h1>\n"...)
	for i := range l.Blocks {
		w.top(l.Blocks, i)
	}
	b = w.out
	if l.Sender.RegisteredLine != "" {
		b = append(b, `<p class="m r" style="margin:28px 0 0;padding:14px 0 0;border-top:1px solid #d5d9dd;font-size:13px;line-height:1.45;color:#555c64">`...)
		b = appendText(b, l.Sender.RegisteredLine)
		b = append(b, "</p>\n"...)
	}
	w.out = append(b, htmlClose...)
}

// top writes a block of the letter itself. One that many letters share is written
// once, unless it belongs to the list behind it.
func (w *htmlWriter) top(list []pipeline.Block, i int) {
	x := &list[i]
	if x.Shared == nil || leads(list, i) {
		w.out = appendAt(w.out, list, i)
		return
	}
	made := x.Shared.Get(w.form)
	if made == nil {
		made = w.keep(x.Shared, w.form, appendBlock(nil, x))
	}
	w.join(&w.out, made)
}

// appendHead writes who writes, when, and the reference.
func appendHead(b []byte, l *pipeline.Letter) []byte {
	b = append(b, `<p class="r" style="margin:0 0 28px;padding:0 0 14px;border-bottom:2px solid #22262b"><strong style="font-size:18px">`...)
	b = appendText(b, l.Sender.DisplayName)
	b = append(b, `</strong><br><span class="m" style="font-size:14px;color:#555c64">`...)
	if l.Labels.Date != "" {
		b = appendText(b, l.Labels.Date)
		b = append(b, `<br>`...)
	}
	b = appendText(b, l.Labels.Reference)
	b = appendText(b, l.Labels.Colon)
	b = append(b, `<strong style="white-space:nowrap">`...)
	b = appendText(b, l.Reference.String())
	return append(b, "</strong></span></p>\n"...)
}

func appendBlocks(b []byte, list []pipeline.Block) []byte {
	for i := range list {
		b = appendAt(b, list, i)
	}
	return b
}

// leads reports whether a paragraph introduces a list.
func leads(list []pipeline.Block, i int) bool {
	return list[i].Kind == pipeline.Paragraph && i+1 < len(list) && list[i+1].Kind == pipeline.List
}

func appendAt(b []byte, list []pipeline.Block, i int) []byte {
	if leads(list, i) {
		b = appendSpansHTML(append(b, styleLead...), list[i].Spans)
		return append(b, "</p>\n"...)
	}
	return appendBlock(b, &list[i])
}

func appendBlock(b []byte, x *pipeline.Block) []byte {
	switch x.Kind {
	case pipeline.Heading:
		if x.Level <= 2 {
			b = appendSpansHTML(append(b, styleH2...), x.Spans)
			return append(b, "</h2>\n"...)
		}
		b = appendSpansHTML(append(b, styleH3...), x.Spans)
		return append(b, "</h3>\n"...)
	case pipeline.List:
		return appendList(b, x)
	case pipeline.Quote:
		b = append(b, styleQuote...)
		for _, item := range x.Items {
			b = appendBlocks(b, item)
		}
		return append(b, "</div>\n"...)
	case pipeline.Table:
		return appendTable(b, x.Rows)
	case pipeline.Divider:
		return append(append(b, styleDivider...), '\n')
	}
	b = appendSpansHTML(append(b, styleP...), x.Spans)
	return append(b, "</p>\n"...)
}

func appendList(b []byte, x *pipeline.Block) []byte {
	tag := "ul"
	if x.Ordered {
		tag = "ol"
	}
	b = append(append(append(b, '<'), tag...), ` style="margin:0 0 16px;padding:0 0 0 22px">`...)
	for _, item := range x.Items {
		b = append(b, styleLI...)
		for i := range item {
			switch {
			case item[i].Kind != pipeline.Paragraph:
				b = appendBlock(b, &item[i])
			case len(item) == 1:
				b = appendSpansHTML(b, item[i].Spans)
			default:
				b = appendSpansHTML(append(b, styleTight...), item[i].Spans)
				b = append(b, "</p>"...)
			}
		}
		b = append(b, "</li>\n"...)
	}
	return append(append(append(b, "</"...), tag...), ">\n"...)
}

func appendTable(b []byte, rows [][]pipeline.Cell) []byte {
	b = append(b, styleTable...)
	for i, row := range rows {
		b = append(b, "<tr>"...)
		for _, cell := range row {
			open, end := styleTD, "</td>"
			if i == 0 {
				open, end = styleTH, "</th>"
			}
			b = appendSpansHTML(append(b, open...), cell)
			b = append(b, end...)
		}
		b = append(b, "</tr>\n"...)
	}
	return append(b, "</table>\n"...)
}

func appendSpansHTML(b []byte, list []pipeline.Span) []byte {
	for _, s := range list {
		if s.Link != "" {
			b = append(b, `<a href="`...)
			b = appendText(b, s.Link)
			b = append(b, `" style="color:inherit">`...)
		}
		if s.Strong {
			b = append(b, "<strong>"...)
		}
		if s.Em {
			b = append(b, "<em>"...)
		}
		b = appendWords(b, s.Text)
		if s.Em {
			b = append(b, "</em>"...)
		}
		if s.Strong {
			b = append(b, "</strong>"...)
		}
		if s.Link != "" {
			b = append(b, "</a>"...)
		}
	}
	return b
}

// maxNumber is the longest word with a digit that is kept on one line; a longer
// one would not fit a phone.
const maxNumber = 30

// appendWords writes text; numbers with hyphens, dots or strokes are kept on one
// line, where a browser would break them.
func appendWords(b []byte, s string) []byte {
	done := 0 // what is written
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		start := strings.LastIndexAny(s[:i], " \n") + 1
		end := i + 1
		for end < len(s) && s[end] != ' ' && s[end] != '\n' {
			end++
		}
		i = end
		if word := strings.TrimRight(s[start:end], "."); len(word) > maxNumber || !strings.ContainsAny(word, "-/.") {
			continue
		}
		b = appendText(b, s[done:start])
		b = append(b, `<span style="white-space:nowrap">`...)
		b = appendText(b, s[start:end])
		b = append(b, "</span>"...)
		done = end
	}
	return appendText(b, s[done:])
}

// appendText escapes text for element content and for attributes in double
// quotes. A line feed is a line break.
func appendText(b []byte, s string) []byte {
	last := 0
	for i := range len(s) {
		var esc string
		switch s[i] {
		case '<':
			esc = "&lt;"
		case '>':
			esc = "&gt;"
		case '&':
			esc = "&amp;"
		case '"':
			esc = "&#34;"
		case '\'':
			esc = "&#39;"
		case '\n':
			esc = "<br>\n"
		default:
			continue
		}
		b = append(append(b, s[last:i]...), esc...)
		last = i + 1
	}
	return append(b, s[last:]...)
}
