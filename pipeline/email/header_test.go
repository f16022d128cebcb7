package email

import (
	"mime"
	"strings"
	"testing"
)

func FuzzEncodeSubject(f *testing.F) {
	for _, s := range []string{"", "plain", "Vos données : ce qui s’est passé", "=?utf-8?q?x?=", "a\r\nBcc: b", strings.Repeat("é", 100), "😀", "\xff", "a  b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := encodeSubject(s)
		back, err := new(mime.WordDecoder).DecodeHeader(got)
		if err != nil {
			t.Fatalf("%q gives %q: %v", s, got, err)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
		if back != want {
			t.Fatalf("%q comes back as %q", s, back)
		}
		if strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("%q gives %q", s, got)
		}
		if got != want {
			for _, word := range strings.Fields(got) {
				if len(word) > maxWord {
					t.Fatalf("%q gives a word of %d characters", s, len(word))
				}
			}
		}
	})
}
