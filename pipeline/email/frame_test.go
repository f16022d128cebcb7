package email

import (
	"bytes"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"
	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

// TestFieldIsFoldedAsByGoMail compares the one header field that go-mail does not
// write with what it would have written.
func TestFieldIsFoldedAsByGoMail(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.OneOf(rapid.StringMatching(`[A-Za-zé"\\@<>(),.:;-]{0,20}`), rapid.StringN(0, 40, -1), rapid.Just(""))
		a := &netmail.Address{
			Name:    strings.Join(rapid.SliceOfN(word, 0, 8).Draw(rt, "words"), " "),
			Address: rapid.StringMatching(`[a-z.]{1,64}@[a-z]{1,60}\.example`).Draw(rt, "address"),
		}
		msg := mail.NewMsg()
		msg.SetAddrHeaderFromMailAddress(mail.HeaderTo, a)
		msg.SetBodyString(mail.TypeTextPlain, "x")
		var b bytes.Buffer
		if _, err := msg.WriteTo(&b); err != nil {
			rt.Fatal(err)
		}
		if got := field("To", a.String()); !bytes.Contains(b.Bytes(), []byte("\r\n"+got)) {
			rt.Fatalf("%q is not in\n%s", got, b.Bytes())
		}
	})
}

// TestFrameKnowsItsPlaces: what a sender calls himself is not taken for a place.
func TestFrameKnowsItsPlaces(t *testing.T) {
	t.Parallel()
	c, err := NewComposer(Config{MAC: func(string, ...[]byte) (sum [32]byte) { return sum }, CodeName: "MUGUET"})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 20, 10, 0, 0, 0, time.UTC)
	compose := func(name, subject, recipient string) (string, error) {
		l := &pipeline.Letter{
			Locale: "fr", Subject: subject, SenderKey: "main", Recipient: recipient,
			Sender: pipeline.Sender{From: "a@example.fr", DisplayName: name, EnvelopeDomain: "retour.example.fr"},
		}
		m, err := c.Compose(l, []byte("here\n\nhere\n"), []byte("<p>here</p>\n"), pipeline.Notice{ID: 7, Attempt: 1}, "zoe@example.com", at)
		if err != nil {
			return "", err
		}
		return string(m.Body), nil
	}
	plain, err := compose("A", "here", "Zoé")
	if err != nil {
		t.Fatal(err)
	}
	for _, recipient := range []string{"here", anyBoundary, anyTo, "a\r\n\r\nhere\r\nb", "\r\n" + anyTo + "\r\n"} {
		got, err := compose("A", "here", recipient)
		if err != nil {
			t.Errorf("%q: %v", recipient, err)
			continue
		}
		m, err := netmail.ReadMessage(strings.NewReader(got))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Header) != len(headerOf(t, plain)) {
			t.Errorf("%q made other header fields: %v", recipient, m.Header)
		}
		if _, after, _ := strings.Cut(plain, "\r\n\r\n"); !strings.HasSuffix(got, after) {
			t.Errorf("%q changed the body", recipient)
		}
	}
	if _, err := compose(anyBoundary, "S", "Z"); pipeline.ErrorCode(err) != "message-unbuildable" {
		t.Errorf("a name like the stand-in: %v", err)
	}
	if _, err := compose("here", anyBoundary, "Z"); pipeline.ErrorCode(err) != "message-unbuildable" {
		t.Errorf("a subject like the stand-in: %v", err)
	}
	if again, err := compose("A", "here", "Zoé"); err != nil || again != plain {
		t.Errorf("not the same again: %v", err)
	}
}

func headerOf(t *testing.T, message string) netmail.Header {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}
