package email_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

// TestNoBareLineEnds: whatever names, subjects and texts hold, a message is refused or
// has lines of at most 998 octets that end in CRLF, and no other CR, LF or NUL; so no
// server on the way sees two messages in it (RFC 5321 section 4.1.1.4).
func TestNoBareLineEnds(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"\r", "\n", "\r\n", "\n.\n", "\r.\r", "\r\n.\r\n", "\n.\r\n", "\x00", ".", "..", "\u2028", "\u0085", "\xff", "é", "=", "=0D=0A", "=?utf-8?q?=0D=0A?=", "\t", " ", "\x0b", "\x0c",
		"DATA\r\n", "From ", "MAIL FROM:<evil@example.net>\r\n", strings.Repeat("x", 1100), strings.Repeat("é", 600), strings.Repeat("a ", 700), "\"<>,;:\\", "name",
	})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "") })
	c := newComposer(t)
	sent := 0
	rapid.Check(t, func(rt *rapid.T) {
		l := testLetter()
		l.Recipient, l.Subject, l.Locale, l.SenderKey = text.Draw(rt, "recipient"), text.Draw(rt, "subject"), text.Draw(rt, "locale"), text.Draw(rt, "sender")
		l.Sender.DisplayName, l.Kind = text.Draw(rt, "display"), pipeline.AttemptKind(text.Draw(rt, "kind"))
		to := rapid.SampledFrom([]string{"zoe@example.com", "zoe@example.com", "zoe@example.com", "\"z o\"@example.com", "zoe@example.com\r\nRCPT TO:<evil@example.net>", "\"a\r\nb\"@example.com", "\"a\\\nb\"@example.com", "z\x00oe@example.com", strings.Repeat("z", 1200) + "@example.com"}).Draw(rt, "to")
		m, err := c.Compose(l, []byte(text.Draw(rt, "text")), []byte(text.Draw(rt, "html")), pipeline.Notice{ID: 1, Attempt: 1}, to, testTime)
		if err != nil {
			if pipeline.ErrorCode(err) == "" {
				rt.Fatalf("an error without a code: %v", err)
			}
			return
		}
		sent++
		if strings.ContainsAny(m.From+m.To+m.ID+m.EnvID, "\r\n\x00") {
			rt.Fatalf("the envelope: %q %q", m.From, m.To)
		}
		body := string(m.Body)
		if !strings.HasSuffix(body, "\r\n") {
			rt.Fatal("no CRLF at the end")
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(body, "\r\n"), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e }) {
				rt.Fatalf("a line of %d octets: %.200q", len(line), line)
			}
		}
	})
	if sent == 0 {
		t.Error("nothing was sent at all")
	}
}
