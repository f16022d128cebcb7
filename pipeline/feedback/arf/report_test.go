package arf

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	body := "Feedback-Type: abuse (really)\nUser-Agent: SomeGenerator/1.0\nVersion: 1\nOriginal-Mail-From: <token@bounce.example>\n" +
		"Original-Rcpt-To: <user@example.com>\nArrival-Date: Thu, 8 Mar 2007 17:40:36 +0100 (CET)\nOriginal-Envelope-Id: env-7\nSource-IP: 192.0.2.1\nIncidents: 3\n"
	returned := "Received: from mx\n\tby other\nMessage-ID:\n <1.1@example.com>\nTo: <shown@example.com>\n\nMessage-ID: <body@example.com>\n"
	want := &Report{
		Type: Abuse, UserAgent: "SomeGenerator/1.0", MailFrom: "token@bounce.example", EnvID: "env-7", MessageID: "<1.1@example.com>",
		Recipients: []Recipient{{Address: "user@example.com"}}, Arrived: time.Date(2007, 3, 8, 16, 40, 36, 0, time.UTC), SourceIP: "192.0.2.1", Incidents: 3,
	}
	for _, end := range []string{"\n", "\r\n", "\r"} {
		got := Parse([]byte(strings.ReplaceAll(body, "\n", end)), []byte(strings.ReplaceAll(returned, "\n", end)))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("line ends %q: %+v", end, got)
		}
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, returned, want string }{
		"plain":                  {"Original-Rcpt-To: rfc822;a@example.com", "", "a@example.com"},
		"several, one twice":     {"Original-Rcpt-To: <a@example.com>\nOriginal-Rcpt-To: A@example.com\nRemoval-Recipient: b@example.com", "", "a@example.com b@example.com"},
		"taken out":              {"Original-Rcpt-To: redacted", "To: <a@example.com>", "!"},
		"local part taken out":   {"Original-Rcpt-To: <redacted@example.com>", "", "!redacted@example.com"},
		"crossed out":            {"Original-Rcpt-To: xxxxxxxx@example.com", "", "!xxxxxxxx@example.com"},
		"stars":                  {"Original-Rcpt-To: j***@example.com", "", "!j***@example.com"},
		"none, the To is there":  {"Feedback-Type: abuse", "To: Somebody <a@example.com>", "a@example.com"},
		"Microsoft's own header": {"", "X-HmXmrOriginalRecipient: a@example.com\nTo: b@example.com", "a@example.com"},
		"nothing":                {"", "", "!"},
	} {
		var got []string
		for _, rec := range Parse([]byte(tt.body), []byte(tt.returned)).Recipients {
			mark := ""
			if rec.Redacted {
				mark = "!"
			}
			got = append(got, mark+rec.Address)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Feedback-Type: abuse\nOriginal-Rcpt-To: <a@example.com>\nIncidents: 7\n"), []byte("Message-ID: <a@b>\n\nx"))
	f.Add([]byte("Feedback-Type: auth-failure\r\nAuth-Failure: dmarc\r\nArrival-Date: Thu, 8 Mar 2007 17:40:36 +0100"), []byte("To: a\r\n"))
	f.Fuzz(func(t *testing.T, body, returned []byte) {
		r := Parse(body, returned)
		if r.Type == "" || r.Incidents < 1 || r.Incidents > maxIncidents || len(r.Recipients) == 0 || len(r.Recipients) > maxRecipients {
			t.Fatalf("%+v", r)
		}
		for _, rec := range r.Recipients {
			if rec.Address == "" && !rec.Redacted || strings.ContainsAny(rec.Address, "\r\n") {
				t.Fatalf("%+v", rec)
			}
		}
	})
}
