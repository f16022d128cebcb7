package markdown_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/art34/art34/pipeline/kit/markdown"
)

// show writes blocks as one line a block, so that a test can state structure.
func show(blocks []markdown.Block) string {
	var b strings.Builder
	var walk func([]markdown.Block, string)
	spans := func(list []markdown.Span) {
		for _, s := range list {
			style := ""
			if s.Strong {
				style += "*"
			}
			if s.Em {
				style += "/"
			}
			if s.Link != "" {
				style += "@" + s.Link + " "
			}
			fmt.Fprintf(&b, "[%s%q]", style, s.Text)
		}
	}
	walk = func(blocks []markdown.Block, indent string) {
		for _, x := range blocks {
			fmt.Fprintf(&b, "%s%s", indent, x.Kind)
			if x.Level > 0 {
				fmt.Fprintf(&b, " %d", x.Level)
			}
			if x.Ordered {
				b.WriteString(" ordered")
			}
			b.WriteByte(' ')
			spans(x.Spans)
			for _, row := range x.Rows {
				b.WriteString(" |")
				for _, cell := range row {
					spans(cell)
					b.WriteByte('|')
				}
			}
			b.WriteByte('\n')
			for _, item := range x.Items {
				b.WriteString(indent + " -\n")
				walk(item, indent+"   ")
			}
		}
	}
	walk(blocks, "")
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"paragraph":       {"a\nb", `paragraph ["a b"]`},
		"hard break":      {"a\\\nb", `paragraph ["a\nb"]`},
		"strong and em":   {"a **b *c* d** e", `paragraph ["a "][*"b "][*/"c"][*" d"][" e"]`},
		"heading":         {"## a\nb", "heading 2 [\"a\"]\nparagraph [\"b\"]"},
		"list":            {"- a\n- b\n\n  c", "list \n -\n   paragraph [\"a\"]\n -\n   paragraph [\"b\"]\n   paragraph [\"c\"]"},
		"ordered":         {"1. a\n2. b", "list ordered \n -\n   paragraph [\"a\"]\n -\n   paragraph [\"b\"]"},
		"quote":           {"> a", "quote \n -\n   paragraph [\"a\"]"},
		"divider":         {"a\n\n---\n", "paragraph [\"a\"]\ndivider "},
		"no setext":       {"a\n===", `paragraph ["a ==="]`},
		"link":            {"[a](https://b.test/c_d)", `paragraph [@https://b.test/c_d "a"]`},
		"table":           {"|a|b|\n|-|-|\n|c|**d**|", `table  |["a"]|["b"]| |["c"]|[*"d"]|`},
		"no code":         {"`a`\n\n    b\n\n~~~\nc", "paragraph [\"`a`\"]\nparagraph [\"b\"]\nparagraph [\"~~~ c\"]"},
		"no html":         {"<b>a</b>\n\n<div>\n", "paragraph [\"<b>a</b>\"]\nparagraph [\"<div>\"]"},
		"no autolink":     {"<https://a.test> https://a.test", `paragraph ["<https://a.test> https://a.test"]`},
		"no reference":    {"[a]: https://a.test\n\n[a]", "paragraph [\"[a]: https://a.test\"]\nparagraph [\"[a]\"]"},
		"no entity":       {"a&nbsp;b &#10; c", `paragraph ["a&nbsp;b &#10; c"]`},
		"escapes":         {`\*a\* \& b\c`, `paragraph ["*a* & b\\c"]`},
		"nothing at all":  {"\n \n", ``},
		"empty list item": {"-\n- a", "list \n -\n -\n   paragraph [\"a\"]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocks, err := markdown.New().Parse([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimRight(show(blocks), "\n"); got != c.want {
				t.Errorf("%q is\n%s\nwant\n%s", c.in, got, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"image":      {"a ![b](c.png)", markdown.ErrImage},
		"start":      {"3. a", markdown.ErrStart},
		"deep":       {strings.Repeat("> ", 40) + "a", markdown.ErrDepth},
		"deep still": {strings.Repeat("*a **b ", 200) + strings.Repeat("c** d*", 200), markdown.ErrDepth},
		"cells":      {"|a|\n|-|\n|b|c|", markdown.ErrCells},
		"large":      {strings.Repeat("a", 256<<10+1), markdown.ErrSize},
	} {
		if _, err := markdown.New().Parse([]byte(c.in)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// frames are the places where an escaped text may stand; %s is the text.
func frames() []string {
	return []string{
		"%s", "a %s b", "%s b", "a %s", "a\n%s\nb", "a\\\n%s  \nb", "# %s", "## a %s", "- %s", "- a\n- %s\n- b", "- a\n\n  %s", "1. %s", "> %s", "> a\n> %s",
		"|a|b|\n|-|-|\n| %s |c|", "| %s |\n|-|\n|c|", "[a %s b](https://a.test)", "(%s)", "n° %s.",
	}
}

// norm is what Escape promises to keep of a text.
func norm(s string) string {
	return strings.Join(strings.FieldsFunc(string([]rune(s)), func(r rune) bool {
		return r <= ' ' || unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	}), " ")
}

// checkEscape compares the document with the escaped text against the same
// document with a harmless word in its place.
func checkEscape(t *testing.T, s string) {
	t.Helper()
	const word = "zqz"
	want := norm(s)
	if want == "" {
		return
	}
	for _, f := range frames() {
		got, err := markdown.New().Parse([]byte(strings.ReplaceAll(f, "%s", markdown.Escape(s))))
		if err != nil {
			t.Fatalf("%q in %q: %v", s, f, err)
		}
		like, err := markdown.New().Parse([]byte(strings.ReplaceAll(f, "%s", word)))
		if err != nil {
			t.Fatal(err)
		}
		if like = replaceAll(like, word, want); !reflect.DeepEqual(got, like) {
			t.Fatalf("%q in %q is\n%swant\n%s", s, f, show(got), show(like))
		}
	}
}

func replaceAll(blocks []markdown.Block, old, with string) []markdown.Block {
	spans := func(list []markdown.Span) {
		for i := range list {
			list[i].Text = strings.ReplaceAll(list[i].Text, old, with)
		}
	}
	for i := range blocks {
		spans(blocks[i].Spans)
		for _, item := range blocks[i].Items {
			replaceAll(item, old, with)
		}
		for _, row := range blocks[i].Rows {
			for _, cell := range row {
				spans(cell)
			}
		}
	}
	return blocks
}

// hostile are values that try to be something else than text.
func hostile() []string {
	return []string{
		"*O'Neil* <b>", "](http://evil.test)", "[a](b)", "![a](b)", "# a", "1. a", "1) a", "- a", "+ a", "* a", "> a", "---", "***", "===", "```", "~~~", "`a`", "|", "a|b", `\`, `\\`, `a\`,
		"a\nb", "a\r\n\r\n# b", "&lt;", "&#35;", "__a__", "a_b_c", "  a", "a  ", "\ta", "<!-- a -->", "<script>", "https://a.test", "a\u2028b", "\u00a0a", "\x00", "\xff", "{{.X}}", ":--", "|-|", "[ ]", "[x] a",
	}
}

func TestEscape(t *testing.T) {
	t.Parallel()
	for _, s := range hostile() {
		checkEscape(t, s)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range hostile() {
		f.Add(s)
	}
	f.Fuzz(checkEscape)
}

// FuzzParse looks for panics and for lost letters: what a writer wrote is in the
// letter, whatever the parser makes of it. Targets of links are apart.
func FuzzParse(f *testing.F) {
	for _, s := range append(hostile(), frames()...) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		blocks, err := markdown.New().Parse([]byte(s))
		if err != nil {
			return
		}
		if strings.ContainsAny(s, "[]") || !utf8.ValidString(s) {
			return
		}
		var got strings.Builder
		collect(&got, blocks)
		if got, want := letters(got.String()), letters(s); got != want {
			t.Errorf("%q keeps the letters %q", s, got)
		}
	})
}

func collect(b *strings.Builder, blocks []markdown.Block) {
	for _, x := range blocks {
		for _, s := range x.Spans {
			b.WriteString(s.Text)
		}
		for _, item := range x.Items {
			collect(b, item)
		}
		for _, row := range x.Rows {
			for _, cell := range row {
				for _, s := range cell {
					b.WriteString(s.Text)
				}
			}
		}
	}
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

func BenchmarkParse(b *testing.B) {
	p := markdown.New()
	doc := []byte(strings.Repeat("## A heading\n\nA paragraph with **strong** words, quite long, as they are in letters.\n\n- one item\n- another item\n\n", 12))
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := p.Parse(doc); err != nil {
			b.Fatal(err)
		}
	}
}
