package dsn

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/art34/art34/fixtures"
)

// TestRecipients: every shape names its recipients with what was said about each.
func TestRecipients(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ raw, want string }{
		"groups without an empty line between them": {
			"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@example.com\nAction: failed\nStatus: 5.1.1\nFinal-Recipient: rfc822; b@example.com\nAction: delayed\nStatus: 4.2.2\n",
			"delivery a@example.com/failed/5.1.1 b@example.com/delayed/4.2.2"},
		"fields in Exim's order": {
			"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nAction: failed\nFinal-Recipient: rfc822;a@example.com\nStatus: 5.0.0\n\nAction: failed\nFinal-Recipient: rfc822;b@example.com\nStatus: 5.0.0\n",
			"delivery a@example.com/failed/5.0.0 b@example.com/failed/5.0.0"},
		"Sendmail's transcript": {
			"From: MAILER-DAEMON\nSubject: Returned mail\n\n550 a.example (smtp)... Host unknown\n554 <a@a.example>... Host unknown\n>>> RCPT To:<b@b.example>\n<<< 550 no\n550 <b@b.example>... User unknown\n",
			"delivery a@a.example// b@b.example//"},
		"an event of Amazon SES": {
			"\n" + `{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"a@example.com","action":"failed","status":"5.1.1"}]}}`,
			"delivery a@example.com/failed/5.1.1"},
		"an event of Amazon SES in a broken line": {
			"\n" + `{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{"emailAddress":"a@exam` + "\n " + `ple.com","action":"failed","status":"5.1.1"}]}}` + "\n\n--\nto unsubscribe, click",
			"delivery a@example.com/failed/5.1.1"},
		"a complaint": {
			"Content-Type: multipart/report; report-type=feedback-report; boundary=x\n\n--x\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: <a@example.com>\n--x--\n",
			"complaint"},
		"an absence":   {"From: a@example.com\nAuto-Submitted: auto-replied\nSubject: away\n\nuntil Monday", "automatic"},
		"a reply":      {"From: a@example.com\nSubject: Re: your letter\n\nWhich contract?", "personal"},
		"nothing":      {"", "garbage"},
		"CR line ends": {"X-Failed-Recipients: a@example.com\r\ra@example.com: no", "delivery a@example.com//"},
	} {
		r := Parse([]byte(tt.raw))
		got := string(r.Shape)
		for _, x := range r.Recipients {
			got += " " + x.Address + "/" + x.Action + "/" + x.Status
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestBounds: what is built to be deep or endless is cut.
func TestBounds(t *testing.T) {
	t.Parallel()
	var deep strings.Builder
	for range 1000 {
		deep.WriteString("Content-Type: multipart/mixed; boundary=x\n\n--x\n")
	}
	many := "Content-Type: multipart/mixed; boundary=x\n\n" + strings.Repeat("--x\n\na\n", 5000)
	endless := "Content-Type: message/delivery-status\n\n" + strings.Repeat("Final-Recipient: rfc822; a@example.com\nStatus: 5.1.1\nAction: failed\nDiagnostic-Code: x\n\n", 5000)
	for _, raw := range []string{deep.String(), many, endless, strings.Repeat("Return-Path: <>\n\n", 1000)} {
		h, body := splitHeader(normalise([]byte(raw)))
		if parts := walk(h, body, 0, nil); len(parts) > maxParts {
			t.Errorf("%d parts", len(parts))
		}
		if r := Parse([]byte(raw)); len(r.Recipients) > maxParts || len(r.Text) > 4*maxText {
			t.Errorf("%d recipients, %d bytes of text", len(r.Recipients), len(r.Text))
		}
	}
}

// FuzzParse checks what must hold of any bytes.
func FuzzParse(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Parse(raw)
		if r.Shape == Delivery && len(r.Recipients) == 0 || len(r.Recipients) > maxParts {
			t.Fatalf("%s with %d recipients", r.Shape, len(r.Recipients))
		}
	})
}

// FuzzParts checks that MIME splitting keeps its bounds and makes nothing up.
func FuzzParts(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = normalise(raw)
		h, body := splitHeader(raw)
		parts, total := walk(h, body, 0, nil), 0
		for _, p := range parts {
			total += len(p.body)
		}
		if len(parts) == 0 || len(parts) > maxParts || total > 4*(len(raw)+maxParts) {
			t.Fatalf("%d parts with %d bytes out of %d", len(parts), total, len(raw))
		}
	})
}

func seed(f *testing.F) {
	f.Helper()
	names, err := fs.Glob(fixtures.FS, "bounces/*.eml")
	if err != nil || len(names) == 0 {
		f.Fatal("no notifications to start from")
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fixtures.FS, name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
}
