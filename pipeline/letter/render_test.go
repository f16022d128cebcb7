package letter_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
)

// zoo is a letter with every kind of block.
func zoo() *pipeline.Letter {
	p := func(s string) pipeline.Block {
		return pipeline.Block{Kind: pipeline.Paragraph, Spans: []pipeline.Span{{Text: s}}}
	}
	cell := func(s string) pipeline.Cell { return pipeline.Cell{{Text: s}} }
	return &pipeline.Letter{
		Locale: "en", Subject: "A & B <c>", Reference: pipeline.NewReference(1), Date: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC),
		Sender: pipeline.Sender{DisplayName: "Zoo \"Ltd\"", RegisteredLine: "Registered"}, Labels: pipeline.Labels{Date: "20 January 2026", Reference: "Reference", Subject: "Subject", Page: "Page {n}", Colon: ": "},
		Blocks: []pipeline.Block{
			p("one\ntwo"),
			{Kind: pipeline.Heading, Level: 2, Spans: []pipeline.Span{{Text: "Head"}}},
			{Kind: pipeline.Heading, Level: 3, Spans: []pipeline.Span{{Text: "Sub"}}},
			{Kind: pipeline.Paragraph, Spans: []pipeline.Span{{Text: "plain "}, {Text: "strong", Strong: true}, {Text: " "}, {Text: "both", Strong: true, Em: true}, {Text: " "}, {Text: "https://a.test/x", Link: "https://a.test/x"}, {Text: " "}, {Text: "named", Link: "https://a.test/y"}}},
			{Kind: pipeline.List, Items: [][]pipeline.Block{{p("first")}, {p("second"), p("more"), {Kind: pipeline.List, Ordered: true, Items: [][]pipeline.Block{{p("i")}, {p("j")}}}}, nil, {p("last")}}},
			{Kind: pipeline.Quote, Items: [][]pipeline.Block{{p("note"), p("well")}}},
			{Kind: pipeline.Divider},
			{Kind: pipeline.Table, Rows: [][]pipeline.Cell{{cell("A"), cell("B")}, {cell("1"), cell("2")}, {cell("3"), nil}}},
			p("n° 12-34/A. and A-B, 1.5"),
		},
	}
}

func TestTextOfEveryBlock(t *testing.T) {
	t.Parallel()
	want := `Zoo "Ltd"
20 January 2026
Reference: 0000-0000-0012

A & B <c>
=========

one
two

Head
----

Sub

plain strong both https://a.test/x named <https://a.test/y>

- first
- second

  more
  1. i
  2. j
-
- last

    note

    well

* * *

A: 1
B: 2

A: 3
B:

n° 12-34/A. and A-B, 1.5

Registered
`
	if got := string(letter.Text(zoo())); got != want {
		t.Errorf("%s", got)
	}
}

func TestHTMLOfEveryBlock(t *testing.T) {
	t.Parallel()
	style := regexp.MustCompile(` style="[^"]*"`)
	page := string(letter.HTML(zoo()))
	body := style.ReplaceAllString(page[strings.Index(page, "<h1"):], "")
	want := `<h1>A &amp; B &lt;c&gt;</h1>
<p>one<br>
two</p>
<h2>Head</h2>
<h3>Sub</h3>
<p>plain <strong>strong</strong> <strong><em>both</em></strong> <a href="https://a.test/x">https://a.test/x</a> <a href="https://a.test/y">named</a></p>
<ul><li>first</li>
<li><p>second</p><p>more</p><ol><li>i</li>
<li>j</li>
</ol>
</li>
<li></li>
<li>last</li>
</ul>
<div class="q"><p>note</p>
<p>well</p>
</div>
<hr>
<table><tr><th scope="col">A</th><th scope="col">B</th></tr>
<tr><td>1</td><td>2</td></tr>
<tr><td>3</td><td></td></tr>
</table>
<p>n° <span>12-34/A.</span> and A-B, <span>1.5</span></p>
<p class="m r">Registered</p>
</div>
`
	if !strings.HasPrefix(body, want) {
		t.Errorf("%s", body)
	}
}

// TestHTMLFetchesNothing: no picture, script, form, style sheet or address that a
// reader's program would follow by itself.
func TestHTMLFetchesNothing(t *testing.T) {
	t.Parallel()
	set := load(t, sampleSpec())
	for _, locale := range []string{"fr", "en"} {
		page := string(letter.HTML(render(t, set, sampleRequest(locale))))
		for _, bad := range []string{"src=", "href=", "url(", "@import", "<img", "<script", "<link", "<form", "<iframe", "background=", "http:", "https:", "onload", "javascript"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
		for _, good := range []string{`<html lang="` + locale + `"`, `role="article"`, `<meta charset="utf-8">`, "<title>"} {
			if strings.Count(page, good) != 1 {
				t.Errorf("the page does not hold %q once", good)
			}
		}
		if strings.Count(page, "<h1") != 1 || strings.Index(page, "<h1") > strings.Index(page, "<h2") {
			t.Error("headings are not in order")
		}
		balanced(t, page)
		if len(page) > 20000 {
			t.Errorf("%d bytes: mail readers cut long messages", len(page))
		}
	}
}

// balanced checks that every tag that opens is closed in order.
func balanced(t *testing.T, page string) {
	t.Helper()
	var stack []string
	page = regexp.MustCompile(`(?s)<!--.*?-->|<style>.*?</style>`).ReplaceAllString(page, "")
	for _, m := range regexp.MustCompile(`<(/?)([a-z0-9]+)[^>]*>`).FindAllStringSubmatch(page, -1) {
		switch {
		case m[2] == "meta" || m[2] == "br" || m[2] == "hr":
		case m[1] == "":
			stack = append(stack, m[2])
		case len(stack) == 0 || stack[len(stack)-1] != m[2]:
			t.Fatalf("</%s> closes %v", m[2], stack)
		default:
			stack = stack[:len(stack)-1]
		}
	}
	if len(stack) > 0 {
		t.Errorf("not closed: %v", stack)
	}
}

// TestContrast: text on its ground has a contrast of at least 4.5:1, in the light
// and in the dark scheme (WCAG 2.2, 1.4.3).
func TestContrast(t *testing.T) {
	t.Parallel()
	page := string(letter.HTML(zoo()))
	for _, c := range []struct{ text, ground string }{
		{"#22262b", "#ffffff"}, {"#555c64", "#ffffff"}, {"#22262b", "#f1f2f4"},
		{"#eceef0", "#1f2226"}, {"#b9bec4", "#1f2226"}, {"#eceef0", "#2a2e33"},
	} {
		if !strings.Contains(page, c.text) || !strings.Contains(page, c.ground) {
			t.Errorf("%v is not in the page any more", c)
		}
		a, b := luminance(c.text), luminance(c.ground)
		if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
			t.Errorf("%v: %.1f", c, ratio)
		}
	}
}

func luminance(hex string) float64 {
	part := func(i int) float64 {
		n, _ := strconv.ParseUint(hex[i:i+2], 16, 8)
		c := float64(n) / 255
		if c <= 0.03928 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(1) + 0.7152*part(3) + 0.0722*part(5)
}
