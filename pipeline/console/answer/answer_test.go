package answer_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

func entry(text string) answer.Entry {
	return answer.Entry{Topic: "when", Locale: "fr", Audiences: []pipeline.Audience{pipeline.ForCell}, Question: "Quand ?", Answer: text}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	hosts := []string{"aide.muguet.example"}
	for name, c := range map[string]struct {
		e    answer.Entry
		want string // codes
	}{
		"fine":               {entry("Le **12 janvier**.\n\n- un\n- deux"), ""},
		"an allowed link":    {entry("Voir [aide.muguet.example](https://aide.muguet.example/x)."), ""},
		"another host":       {entry("[aide.muguet.example](https://evil.test/)"), "link"},
		"a link in disguise": {entry("[votre lettre](https://aide.muguet.example/x)"), "link"},
		"a script":           {entry("[aide.muguet.example](javascript:alert(1))"), "link"},
		"by http":            {entry("[aide.muguet.example](http://aide.muguet.example)"), "link"},
		"with a user":        {entry("[aide.muguet.example](https://aide.muguet.example@evil.test)"), "link"},
		"with a port":        {entry("[aide.muguet.example](https://aide.muguet.example:8443)"), "link"},
		"data":               {entry("- [aide.muguet.example](data:text/html,x)"), "link"},
		"an image":           {entry("![x](https://aide.muguet.example/x.png)"), "image"},
		"another question":   {entry("Oui.\n\n# Et alors ?"), "heading"},
		"turned":             {entry("a\u202eb"), "invisible"},
		"nothing":            {entry(" \n"), "answer"},
		"too long":           {entry(strings.Repeat("x", answer.MostAnswer+1)), "answer"},
		"two lines":          {answer.Entry{Topic: "when", Locale: "fr", Audiences: []pipeline.Audience{"cell"}, Question: "a\nb", Answer: "x"}, "question"},
		"nobody":             {answer.Entry{Topic: "when", Locale: "fr", Question: "a", Answer: "x"}, "for"},
		"somebody else":      {answer.Entry{Topic: "when", Locale: "fr", Audiences: []pipeline.Audience{"cell", "world"}, Question: "a", Answer: "x"}, "for"},
		"topic and language": {answer.Entry{Topic: "../etc", Locale: "de", Audiences: []pipeline.Audience{"cell"}, Question: "a", Answer: "x"}, "topic locale"},
	} {
		var codes []string
		for _, f := range answer.Check(c.e, hosts) {
			codes = append(codes, f.Code)
			if f.Sentence() == "" {
				t.Errorf("%s: no sentence for %s", name, f.Code)
			}
		}
		if got := strings.Join(codes, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestHTMLIsInert: what somebody stores runs nowhere.
func TestHTMLIsInert(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](data:text/html;base64,xxx)", "![x](https://evil.test/x.png)",
		"[<b>x</b>](https://evil.test/\"onmouseover=alert(1))", "<a href=\"https://evil.test\">x</a>", "`<b>`", "| a | <b> |\n|---|---|\n| <i> | [x](javascript:1) |", "> <style>*{}</style>", "&lt;script&gt;", "[aide.muguet.example\"><b>](https://aide.muguet.example/\"><b>)",
		"<!-- x -->", "<svg/onload=alert(1)>", "***<u>x***", "1. <iframe src=//evil.test>",
	} {
		got := string(answer.HTML(src, "fr", []string{"aide.muguet.example"}))
		low := strings.ToLower(got)
		for _, bad := range []string{"<script", "<img", "<style", "<svg", "<iframe", "<b>", "<u>", "<i>", "<a href=\"https://evil", "href=\"javascript", "href=\"data", "<!--", "\"onmouse"} {
			if strings.Contains(low, bad) {
				t.Errorf("%q gives %q", src, got)
			}
		}
	}
	if got := string(answer.HTML("Oui : **tout** *de suite*.\n\n## Et\n\n- un\n\n[aide.muguet.example](https://aide.muguet.example/x)", "fr", []string{"aide.muguet.example"})); got !=
		"<p>Oui\u00a0: <strong>tout</strong> <em>de suite</em>.</p>\n<h3>Et</h3>\n<ul><li>un</li>\n</ul>\n<p><a href=\"https://aide.muguet.example/x\" rel=\"noopener noreferrer\">aide.muguet.example</a></p>\n" {
		t.Errorf("%q", got)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	src := "\ufeff# Suis-je concerné ?\r\n\r\ntopic: am-i-concerned\r\nfor: cell, shop\r\n\r\nOui.\r\n\r\n## Comment\r\n\r\nAinsi.\r\n\r\n# Quand ?\r\n\r\ntopic: when\r\nfor: press\r\n\r\nHier.\r\n"
	list, faults := answer.Parse("fr", []byte(src))
	if len(faults) > 0 || len(list) != 2 || list[0].Answer != "Oui.\n\n## Comment\n\nAinsi." || list[0].Question != "Suis-je concerné ?" || list[1].Topic != "when" || list[1].Audiences[0] != pipeline.ForPress {
		t.Fatalf("%+v %+v", list, faults)
	}
	again, faults := answer.Parse("fr", answer.Format(list))
	if len(faults) > 0 || !reflect.DeepEqual(again, list) {
		t.Errorf("written and read again: %+v", again)
	}
	for src, want := range map[string]string{"text\n# Q": "before", "# Q\n\nno topic": "topic", "# A\ntopic: a\n\nx\n# B\ntopic: a\n\ny": "twice"} {
		if _, faults := answer.Parse("fr", []byte(src)); len(faults) != 1 || faults[0].Code != want || faults[0].Line == 0 {
			t.Errorf("%q: %+v", src, faults)
		}
	}
	for name, want := range map[string]string{"a/qa.fr.md": "fr", "x.en.md": "en", "qa.md": "", "qa.de.md": "", "fr": ""} {
		if got := answer.LocaleOf(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	got := answer.Compare("Le 12 janvier, en France.", "Le 13 janvier, à Lyon en France.")
	want := []answer.Piece{{"same", "Le "}, {"out", "12 "}, {"in", "13 "}, {"same", "janvier, "}, {"in", "à Lyon "}, {"same", "en France."}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, c := range [][2]string{{"", ""}, {"a", ""}, {"", "a b"}, {"a b c", "c b a"}, {strings.Repeat("a b c d ", 2000), strings.Repeat("d c b a ", 2000)}} {
		var before, after strings.Builder
		for _, p := range answer.Compare(c[0], c[1]) {
			if p.Op != "in" {
				before.WriteString(p.Text)
			}
			if p.Op != "out" {
				after.WriteString(p.Text)
			}
		}
		if before.String() != c[0] || after.String() != c[1] {
			t.Errorf("pieces of %.20q and %.20q do not add up", c[0], c[1])
		}
	}
}

// TestCompareLongTexts: of texts too long for a comparison of every word with every
// word the lines are laid over each other first, and the words that changed show.
func TestCompareLongTexts(t *testing.T) {
	t.Parallel()
	var old, changed strings.Builder
	for i := range 100 {
		fmt.Fprintf(&old, "Line %d says w%d and a b c d e f g h.\n", i, i)
		fmt.Fprintf(&changed, "Line %d says x%d and a b c d e f g h.\n", i, i)
		if i%20 == 0 {
			changed.WriteString("A line in between.\n")
		}
	}
	ins := 0
	var before, after strings.Builder
	for _, p := range answer.Compare(old.String(), changed.String()) {
		if p.Op != "in" {
			before.WriteString(p.Text)
		}
		if p.Op != "out" {
			after.WriteString(p.Text)
		}
		if p.Op == "in" {
			ins++
		}
	}
	if before.String() != old.String() || after.String() != changed.String() {
		t.Error("the pieces do not add up")
	}
	// A line that nobody changed is never out, however much is around it.
	got := answer.Compare("one two three.\n"+strings.Repeat("a b c d e\n", 300)+"the middle stays\n"+strings.Repeat("f g h i j\n", 300), "one two 3.\n"+strings.Repeat("v w x y z\n", 200)+"the middle stays\n"+strings.Repeat("q r s t u\n", 200))
	stays := false
	for _, p := range got {
		stays = stays || p.Op == "same" && strings.Contains(p.Text, "the middle stays")
	}
	if !stays || ins == 0 {
		t.Errorf("%d stretches; the middle: %v", ins, stays)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	list := []answer.Entry{
		{Topic: "bank", Question: "Ma carte bancaire a-t-elle été volée ?", Answer: "Non."},
		{Topic: "why", Question: "Pourquoi si tard ?", Answer: "Il a fallu vérifier, carte bancaire comprise."},
		{Topic: "complain", Question: "Où déposer une réclamation ?", Answer: "À la CNIL."},
	}
	for query, want := range map[string][]int{"CARTE": {0, 1}, "reclam": {2}, "cnil réclamation": {2}, "": {0, 1, 2}, "zzz": {}, "ou": {2}, "ancaire": {0, 1}, "%": {0, 1, 2},
		// In words of the caller's own: what holds most of them, unless nothing does.
		"ma carte a été piratée": {0, 1}, "réclamation remboursement": {2}, "remboursement immédiat": {}} {
		if got := answer.Search(list, query); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
}

// TestFactsStayText: what stands in campaign.yaml makes no structure.
func TestFactsStayText(t *testing.T) {
	t.Parallel()
	for _, fact := range []string{"# H", "1. a", "- x", "*b* _c_ `d`", "[x](javascript:1)", "a\n\n# Q\n\ntopic: x", "<b>", "{{.Phone}}", "| a |", "\\", "> q", "[[gap]]", "![x](y)", "===", "a & b &lt;"} {
		out, err := answer.Fill("f", []byte("{{.What}}\n"), answer.Facts{What: answer.Fact(fact)})
		if err != nil {
			t.Fatal(err)
		}
		got := string(answer.HTML(strings.TrimSpace(string(out)), "en", nil))
		want := strings.Join(strings.Fields(fact), " ")
		want = "<p>" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").Replace(want) + "</p>\n"
		if got != want {
			t.Errorf("%q became %q (%q)", fact, out, got)
		}
		if gaps := answer.Gaps(answer.Entry{Answer: string(out)}); len(gaps) > 0 {
			t.Errorf("%q makes a gap", fact)
		}
	}
	if _, err := answer.Fill("f", []byte("{{.Nothing}}"), answer.Facts{}); err == nil {
		t.Error("an unknown field is no error")
	}
	if got := answer.Gaps(entry("Écrivez à [[adresse à compléter]].")); !reflect.DeepEqual(got, []string{"adresse à compléter"}) {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("# Q\n\ntopic: a\nfor: cell\n\nx")
	f.Fuzz(func(t *testing.T, src string) {
		list, faults := answer.Parse("fr", []byte(src))
		if len(faults) > 0 {
			return
		}
		for _, e := range list {
			answer.Check(e, nil)
			if html := string(answer.HTML(e.Answer, "fr", nil)); strings.Contains(html, "<script") || strings.Contains(html, "<a ") {
				t.Errorf("%q", html)
			}
		}
	})
}
