package pipeline_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestLetterHashSeesEveryField changes each field that a reader can see, one at a
// time: none may leave the hash alone.
func TestLetterHashSeesEveryField(t *testing.T) {
	t.Parallel()
	make := func() *pipeline.Letter {
		return &pipeline.Letter{
			Locale: "fr", Subject: "s", Kind: pipeline.First, Channel: pipeline.Email, Format: "standard", Date: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC),
			SenderKey: "main", Reference: "7KQ2M9XD4T0V", Recipient: "R",
			Blocks: []pipeline.Block{{Kind: pipeline.List, Level: 2, Ordered: true,
				Spans: []pipeline.Span{{Text: "a"}, {Text: "b"}},
				Items: [][]pipeline.Block{{{Kind: pipeline.Paragraph}}},
				Rows:  [][]pipeline.Cell{{{{Text: "c"}}}}}},
		}
	}
	seen := map[[32]byte]string{make().Hash(): "none"}
	for name, change := range map[string]func(*pipeline.Letter){
		"locale": func(l *pipeline.Letter) { l.Locale = "en" }, "subject": func(l *pipeline.Letter) { l.Subject = "t" },
		"kind": func(l *pipeline.Letter) { l.Kind = pipeline.Fallback }, "channel": func(l *pipeline.Letter) { l.Channel = pipeline.Post },
		"format": func(l *pipeline.Letter) { l.Format = "large-print" }, "date": func(l *pipeline.Letter) { l.Date = l.Date.AddDate(0, 0, 1) },
		"sender": func(l *pipeline.Letter) { l.SenderKey = "second" }, "reference": func(l *pipeline.Letter) { l.Reference = "0" },
		"recipient":  func(l *pipeline.Letter) { l.Recipient = "Q" },
		"date label": func(l *pipeline.Letter) { l.Labels.Date = "x" }, "subject label": func(l *pipeline.Letter) { l.Labels.Subject = "x" },
		"reference label": func(l *pipeline.Letter) { l.Labels.Reference = "x" }, "page label": func(l *pipeline.Letter) { l.Labels.Page = "x" },
		"colon": func(l *pipeline.Letter) { l.Labels.Colon = "x" },
		"block": func(l *pipeline.Letter) { l.Blocks[0].Kind = pipeline.Quote }, "level": func(l *pipeline.Letter) { l.Blocks[0].Level = 3 },
		"ordered": func(l *pipeline.Letter) { l.Blocks[0].Ordered = false },
		"joined":  func(l *pipeline.Letter) { l.Blocks[0].Spans = []pipeline.Span{{Text: "ab"}} },
		"strong":  func(l *pipeline.Letter) { l.Blocks[0].Spans[0].Strong = true }, "em": func(l *pipeline.Letter) { l.Blocks[0].Spans[0].Em = true },
		"link": func(l *pipeline.Letter) { l.Blocks[0].Spans[0].Link = "https://example.com" },
		"item": func(l *pipeline.Letter) { l.Blocks[0].Items[0] = nil }, "row": func(l *pipeline.Letter) { l.Blocks[0].Rows[0][0][0].Text = "d" },
	} {
		l := make()
		change(l)
		h := l.Hash()
		if was, ok := seen[h]; ok {
			t.Errorf("%s gives the hash of %s", name, was)
		}
		seen[h] = name
	}
	if make().Hash() != make().Hash() {
		t.Error("the same letter gives two hashes")
	}
}

// TestPersonPrintsNothing: whoever formats a person by accident gets no data.
func TestPersonPrintsNothing(t *testing.T) {
	t.Parallel()
	p := pipeline.Person{LastName: "Canary"}
	for _, s := range []string{p.String(), p.GoString(), p.LogValue().String()} {
		if s != "(person)" {
			t.Errorf("prints %q", s)
		}
	}
	if !reflect.ValueOf(p).Type().Implements(reflect.TypeFor[interface{ String() string }]()) {
		t.Error("a value of Person does not hide itself")
	}
}
