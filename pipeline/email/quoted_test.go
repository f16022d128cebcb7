package email

import (
	"bytes"
	"mime/quotedprintable"
	"strings"
	"testing"
)

// FuzzQuoted holds AppendQuoted against the standard library, byte by byte.
func FuzzQuoted(f *testing.F) {
	for _, s := range []string{
		"", " ", "\n", "\r\n", "a \n", "a\t\r\n", " \n ", "=", "é", "\r\n\n", "a\x00b\x7f",
		strings.Repeat("a", 75), strings.Repeat("a", 76), strings.Repeat("a", 77), strings.Repeat("é", 40), strings.Repeat("a", 72) + "é",
		strings.Repeat("a", 73) + " \nb", strings.Repeat("a", 74) + " \nb", strings.Repeat("a", 75) + " \nb", strings.Repeat("a", 74) + "\t", strings.Repeat("ab=", 60),
		"Vos données, dont celles de votre contrat n° 42, ont été exposées entre le 12 et le 15 janvier 2026. \n\n.\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Contains(bytes.ReplaceAll(text, []byte("\r\n"), nil), []byte("\r")) {
			t.Skip("the standard library loses a line break some time after a CR that stands alone")
		}
		var want bytes.Buffer
		w := quotedprintable.NewWriter(&want)
		_, _ = w.Write(text)
		_ = w.Close()
		if got := AppendQuoted([]byte("before"), text); !bytes.Equal(got[len("before"):], want.Bytes()) {
			t.Errorf("%q:\n got %q\nwant %q", text, got[len("before"):], want.Bytes())
		}
	})
}

func BenchmarkQuoted(b *testing.B) {
	text := []byte(strings.Repeat("<p style=\"margin:0 0 1em\">Nous vous écrivons au sujet de votre contrat : vérifiez vos relevés.</p>\n", 80))
	b.SetBytes(int64(len(text)))
	b.Run("ours", func(b *testing.B) {
		var dst []byte
		for b.Loop() {
			dst = AppendQuoted(dst[:0], text)
		}
	})
	b.Run("standard", func(b *testing.B) {
		var dst bytes.Buffer
		for b.Loop() {
			dst.Reset()
			w := quotedprintable.NewWriter(&dst)
			_, _ = w.Write(text)
			_ = w.Close()
		}
	})
}
