package email_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// testMAC is a MAC with a fixed key, delimited as MAC asks.
func testMAC(label string, parts ...[]byte) (sum [32]byte) {
	h := hmac.New(sha256.New, []byte("a key for tests"))
	for _, p := range append([][]byte{[]byte(label)}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

func newComposer(t testing.TB) *email.Composer {
	t.Helper()
	c, err := email.NewComposer(email.Config{MAC: testMAC, Key: 3, CodeName: "MUGUET"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testLetter() *pipeline.Letter {
	return &pipeline.Letter{
		Locale:    "fr",
		Subject:   "Vos données personnelles : ce qui s’est passé et ce que vous pouvez faire",
		Kind:      pipeline.First,
		Channel:   pipeline.Email,
		SenderKey: "main",
		Reference: pipeline.NewReference(42),
		Recipient: "Zoé d’Aubigné-Lefèvre",
		Sender: pipeline.Sender{
			DisplayName:    "Télécom Exemple",
			From:           "information@example.fr",
			ReplyTo:        "reponse@example.fr",
			EnvelopeDomain: "retour.example.fr",
		},
	}
}

const (
	testText = "Madame, Monsieur,\n\nNous vous écrivons au sujet de votre contrat\u00a0: FR-0042.\n.\n..deux points\nFrom ici.  \nFin = fin.\n"
	testHTML = "<!DOCTYPE html>\n<html lang=\"fr\"><body><p style=\"margin:0\">Madame, Monsieur,</p>\n<p>Nous vous écrivons au sujet de votre contrat&nbsp;: <strong>FR-0042</strong>.</p></body></html>\n"
)

var testTime = time.Date(2026, 1, 20, 8, 30, 0, 0, time.UTC)

func TestComposeGolden(t *testing.T) {
	t.Parallel()
	c := newComposer(t)
	m, err := c.Compose(testLetter(), []byte(testText), []byte(testHTML), pipeline.Notice{ID: 42, Attempt: 1}, "zoe@example.com", testTime)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/letter.fr.eml"
	if *update {
		if err := os.WriteFile(golden, m.Body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\r\n"), strings.Split(string(m.Body), "\r\n")); diff != "" {
		t.Errorf("the message differs from %s (run with -update if that is right):\n%s", golden, diff)
	}
	if m.To != "zoe@example.com" || m.From != m.EnvID+"@retour.example.fr" || m.Letter != testLetter().Hash() {
		t.Errorf("envelope: from %q, to %q, envid %q", m.From, m.To, m.EnvID)
	}
	again, err := c.Compose(testLetter(), []byte(testText), []byte(testHTML), pipeline.Notice{ID: 42, Attempt: 1}, "zoe@example.com", testTime)
	if err != nil || !bytes.Equal(again.Body, m.Body) {
		t.Errorf("building twice gives other bytes (%v)", err)
	}
}

// parse reads a message as a receiver would.
func parse(t *testing.T, body []byte) (netmail.Header, map[string]string) {
	t.Helper()
	msg, err := netmail.ReadMessage(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q: %v", msg.Header.Get("Content-Type"), err)
	}
	parts := map[string]string{}
	r := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return msg.Header, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Fatalf("Content-Transfer-Encoding %q", got)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		parts[p.Header.Get("Content-Type")] = strings.ReplaceAll(string(text), "\r\n", "\n")
	}
}

// TestMessageIDOnOneLine: whoever looks for it line by line finds it, however long
// the domain of return paths is.
func TestMessageIDOnOneLine(t *testing.T) {
	t.Parallel()
	for _, domain := range []string{"retour.example.fr", "retour.telecom-exemple.example", strings.Repeat("long-", 11) + "name.retour.telecom-exemple.example"} {
		l := testLetter()
		l.Sender.EnvelopeDomain = domain
		m, err := newComposer(t).Compose(l, []byte(testText), []byte(testHTML), pipeline.Notice{ID: 42, Attempt: 1}, "zoe@example.com", testTime)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(m.Body, []byte("\r\nMessage-ID: "+m.ID+"\r\n")); n != 1 {
			t.Errorf("%s: %d lines with %s", domain, n, m.ID)
		}
	}
}

func TestComposeReadsBack(t *testing.T) {
	t.Parallel()
	m, err := newComposer(t).Compose(testLetter(), []byte(testText), []byte(testHTML), pipeline.Notice{ID: 42, Attempt: 2}, "zoe@example.com", testTime)
	if err != nil {
		t.Fatal(err)
	}
	h, parts := parse(t, m.Body)
	want := map[string]string{"text/plain; charset=UTF-8": testText, "text/html; charset=UTF-8": testHTML}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || subject != testLetter().Subject {
		t.Errorf("Subject %q, %v", subject, err)
	}
	to, err := h.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Name != testLetter().Recipient || to[0].Address != "zoe@example.com" {
		t.Errorf("To %v, %v", to, err)
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "Content-Language": "fr", "X-Auto-Response-Suppress": "OOF, AutoReply, RN, NRN",
		"Message-Id": m.ID, "Date": "Tue, 20 Jan 2026 08:30:00 +0000", "Mime-Version": "1.0", "Feedback-Id": "MUGUET:main:first:example-fr",
		"List-Unsubscribe": "", "Precedence": "", "User-Agent": "", "X-Mailer": "", "Return-Path": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(strings.ToLower(string(m.Body)), "go-mail") {
		t.Error("the message names the library")
	}
}

// TestComposeInjection puts line breaks and more into everything that comes from
// outside. No header may appear that was not asked for.
func TestComposeInjection(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{
		"From": true, "To": true, "Reply-To": true, "Subject": true, "Date": true, "Message-Id": true, "Mime-Version": true, "Content-Type": true,
		"Auto-Submitted": true, "Content-Language": true, "X-Auto-Response-Suppress": true, "Feedback-Id": true,
	}
	evils := []string{
		"x\r\nBcc: evil@example.net", "x\nBcc: evil@example.net", "x\rBcc: evil@example.net", "x\r\n\r\nbody", "\"x\" <evil@example.net>, y", "=?utf-8?q?x=0D=0ABcc:=20evil@example.net?=",
		"x\x00y", "x\u2028Bcc: y", "a, b <c@example.net>", strings.Repeat("long ", 300), strings.Repeat("x", 2500), "\xff\xfe", "<script>", `\"`, "(comment)", ";", " ", "",
	}
	for _, evil := range evils {
		for field, set := range map[string]func(*pipeline.Letter){
			"subject":   func(l *pipeline.Letter) { l.Subject = evil },
			"recipient": func(l *pipeline.Letter) { l.Recipient = evil },
			"display":   func(l *pipeline.Letter) { l.Sender.DisplayName = evil },
			"locale":    func(l *pipeline.Letter) { l.Locale = evil },
			"sender":    func(l *pipeline.Letter) { l.SenderKey = evil },
			"kind":      func(l *pipeline.Letter) { l.Kind = pipeline.AttemptKind(evil) },
		} {
			l := testLetter()
			set(l)
			m, err := newComposer(t).Compose(l, []byte(testText), []byte(testHTML), pipeline.Notice{ID: 1, Attempt: 1}, "zoe@example.com", testTime)
			if len(evil) > 1000 && pipeline.ErrorCode(err) == "message-line" {
				continue // nowhere to fold
			}
			if err != nil {
				t.Errorf("%s = %.60q: %v", field, evil, err)
				continue
			}
			h, parts := parse(t, m.Body)
			for name := range h {
				if !allowed[name] {
					t.Errorf("%s = %.60q made a header %s", field, evil, name)
				}
			}
			for _, name := range []string{"From", "To", "Reply-To"} {
				if list, err := h.AddressList(name); err != nil || len(list) != 1 || strings.Contains(list[0].Address, "evil") {
					t.Errorf("%s = %.60q made %s: %q (%v)", field, evil, name, h.Get(name), err)
				}
			}
			if parts["text/plain; charset=UTF-8"] != testText {
				t.Errorf("%s = %.60q changed the text", field, evil)
			}
		}
	}
}

func TestComposeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, to, from, domain, code string }{
		{"line break", "zoe@example.com\r\nRCPT TO:<x@example.net>", "", "", "address-unfit"},
		{"parameter", "zoe@example.com> NOTIFY=NEVER", "", "", "address-unfit"},
		{"space", "zoe x@example.com", "", "", "address-unfit"},
		{"accent", "zoé@example.com", "", "", "address-unfit"},
		{"IDN", "zoe@exämple.test", "", "", "address-unfit"},
		{"two", "zoe@example.com,x@example.net", "", "", "address-unfit"},
		{"empty", "", "", "", "address-unfit"},
		{"long", strings.Repeat("z", 65) + "@example.com", "", "", "address-unfit"},
		{"quote", `"zoe@example.com`, "", "", "address-unfit"},
		{"from", "zoe@example.com", "nobody", "", "sender-address"},
		{"domain", "zoe@example.com", "", "ex ample", "sender-domain"},
	} {
		l := testLetter()
		if tt.from != "" {
			l.Sender.From = tt.from
		}
		if tt.domain != "" {
			l.Sender.EnvelopeDomain = tt.domain
		}
		_, err := newComposer(t).Compose(l, nil, nil, pipeline.Notice{ID: 1, Attempt: 1}, tt.to, testTime)
		if got := pipeline.ErrorCode(err); got != tt.code {
			t.Errorf("%s: code %q, want %q (%v)", tt.name, got, tt.code, err)
		}
		if err != nil && strings.Contains(err.Error(), "example.com") {
			t.Errorf("%s: the error shows the address: %v", tt.name, err)
		}
	}
}

func TestComposeSenderDomains(t *testing.T) {
	t.Parallel()
	l := testLetter()
	l.Sender.From, l.Sender.EnvelopeDomain = "info@exämple.test", "Retour.Exämple.test"
	m, err := newComposer(t).Compose(l, []byte("x"), []byte("y"), pipeline.Notice{ID: 1, Attempt: 1}, `"zoé"@example.com`, testTime)
	if err == nil {
		t.Fatal("a quoted local part outside ASCII was accepted")
	}
	m, err = newComposer(t).Compose(l, []byte("x"), []byte("y"), pipeline.Notice{ID: 1, Attempt: 1}, `"zoe d"@example.com`, testTime)
	if err != nil {
		t.Fatal(err)
	}
	h, _ := parse(t, m.Body)
	if from, err := h.AddressList("From"); err != nil || from[0].Address != "info@xn--exmple-cua.test" {
		t.Errorf("From %v, %v", from, err)
	}
	if to, err := h.AddressList("To"); err != nil || to[0].Address != "zoe d@example.com" {
		t.Errorf("To %v, %v", h.Get("To"), err)
	}
	if !strings.HasSuffix(m.From, "@retour.xn--exmple-cua.test") || !strings.HasSuffix(m.ID, "@retour.xn--exmple-cua.test>") {
		t.Errorf("return path %q, id %q", m.From, m.ID)
	}
}

func BenchmarkCompose(b *testing.B) {
	c := newComposer(b)
	l := testLetter()
	text := []byte(strings.Repeat("Nous vous écrivons au sujet de votre contrat : vérifiez vos relevés.\n", 20))
	html := []byte(strings.Repeat("<p style=\"margin:0 0 1em\">Nous vous écrivons au sujet de votre contrat.</p>\n", 30))
	b.ReportAllocs()
	for b.Loop() {
		m, err := c.Compose(l, text, html, pipeline.Notice{ID: 42, Attempt: 1}, "zoe@example.com", testTime)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(m.Body)))
	}
}
