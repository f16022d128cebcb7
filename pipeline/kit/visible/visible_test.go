package visible

import (
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Élodie, 12 €\n\tçà": "Élodie, 12 €\n\tçà", "": "",
		"paid \u202edecnuob\u202c": "paid [U+202E]decnuob[U+202C]", "\u2066a\u2069": "[U+2066]a[U+2069]",
		"\x1b[2J\x1b]0;x\x07": "[U+001B][2J[U+001B]]0;x[U+0007]", "a\rb": "a[U+000D]b", "\u009b2J": "[U+009B]2J", "\x9b2J": "\ufffd2J", "a\x00b\x7f": "a[U+0000]b[U+007F]",
		"\u200d\u200f": "\u200d\u200f", // joins and marks turn nothing round
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if n, err := Writer(&b).Write([]byte("\x1b[Hx")); n != 4 || err != nil || b.String() != "[U+001B][Hx" {
		t.Errorf("%d %v %q", n, err, b.String())
	}
}

// TestPage: what people read is shown, what they edit and what the page is made of
// stays.
func TestPage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"<p>a</p>": "<p>a</p>", "a\u202eb": "a[U+202E]b",
		"<p title=\"\u202e>\">x\u202ey</p>\u2067":          "<p title=\"\u202e>\">x[U+202E]y</p>[U+2067]",
		"<textarea name=\"a\">\u202e</textarea><td>\u202e": "<textarea name=\"a\">\u202e</textarea><td>[U+202E]",
		"<input value='\u202e>'>\u202d":                    "<input value='\u202e>'>[U+202D]",
		"<script>if (a<b) \"\u202e\"</script>\u202e":       "<script>if (a<b) \"\u202e\"</script>[U+202E]",
		"\u202e<textarea>\u202e":                           "[U+202E]<textarea>\u202e", "\u202e<": "[U+202E]<", "<b>\u202e<i": "<b>[U+202E]<i", "<textareas>\u202e": "<textareas>[U+202E]",
	} {
		if got := string(Page([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzPage: no byte gets lost but those of the characters that are shown.
func FuzzPage(f *testing.F) {
	f.Add("<p>\u202e</p><textarea>\u2066</textarea>")
	f.Add("<a b='\u202e")
	f.Fuzz(func(t *testing.T, page string) {
		got := string(Page([]byte(page)))
		plain := strings.NewReplacer("\u202a", "[U+202A]", "\u202b", "[U+202B]", "\u202c", "[U+202C]", "\u202d", "[U+202D]", "\u202e", "[U+202E]",
			"\u2066", "[U+2066]", "\u2067", "[U+2067]", "\u2068", "[U+2068]", "\u2069", "[U+2069]").Replace
		if plain(got) != plain(page) {
			t.Errorf("%q became %q", page, got)
		}
	})
}
