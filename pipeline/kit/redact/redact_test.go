package redact

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRecipient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, address, want string }{
		{"5.1.1 <zoe.dupont@example.com>: Recipient address rejected", "zoe.dupont@example.com", "5.1.1 <…>: Recipient address rejected"},
		{"zoe.dupont@example.com unknown", "zoe.dupont@example.com", "… unknown"},
		{"mailbox ZOE.DUPONT is full", "zoe.dupont@example.com", "mailbox … is full"},
		{"no user Dupont here", "zoe.dupont@example.com", "no user … here"},
		{"dupontel is not dupont", "zoe.dupont@example.com", "dupontel is not …"},
		{"rfc822;zoe+40example.com", "zoe@example.com", "rfc822;…+40example.com"},
		{"https://help.example.net/?user=zoe%40example.com gone", "zoe@example.com", "https:… gone"},
		{"a message for a user", "a@example.com", "… message for … user"},
		{"<unclosed zoe@example.com", "zoe@example.com", "<unclosed …"},
		{"user unknown", "user@example.com", "… unknown"},
		{"é@exämple.test x", "é@exämple.test", "… x"},
		{"said: 550 no", "", "said: 550 no"},
		{"", "zoe@example.com", ""},
	} {
		if got := Recipient(tt.text, tt.address); got != tt.want {
			t.Errorf("Recipient(%q, %q) = %q, want %q", tt.text, tt.address, got, tt.want)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{" a\r\n b\tc\x00d ", 100, "a b c d"},
		{"éééé", 7, "éé…"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"abc", 2, ""},
		{"a\xffb", 10, "a?b"},
	} {
		if got := Line(tt.in, tt.limit); got != tt.want {
			t.Errorf("Line(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func FuzzRecipient(f *testing.F) {
	f.Add("550 <a@b> a@b %40", "a@b")
	f.Add("zoe.dupont ZOE", "zoe.dupont@example.com")
	f.Fuzz(func(t *testing.T, text, address string) {
		got := Line(Recipient(text, address), 200)
		if strings.Contains(got, "@") || strings.Contains(got, "%40") {
			t.Fatalf("%q keeps an address: %q", text, got)
		}
		if !utf8.ValidString(got) || len(got) > 200 || strings.ContainsAny(got, "\r\n\x00") {
			t.Fatalf("%q gives %q", text, got)
		}
	})
}
