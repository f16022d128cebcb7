// Package markdown is the one home of goldmark: the Markdown that letters are
// written in. It is CommonMark without code, images, raw HTML, autolinks and
// reference links, with tables.
package markdown

// Escape returns Markdown that Parse reads as s and nothing but s, wherever it
// stands within a line: at the start of a paragraph, in a list, a table cell or
// the text of a link. Line breaks become spaces.
func Escape(s string) string { panic("markdown: not built yet") }
