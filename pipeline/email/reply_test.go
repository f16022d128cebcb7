package email

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wneessen/go-mail/smtp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

func TestReadReply(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		in   string
		want reply
		ok   bool
	}{
		{"250 ok\r\n", reply{250, "ok"}, true},
		{"250\r\n", reply{250, ""}, true},
		{"250 \n", reply{250, ""}, true},
		{"250-a\r\n250-b\r\n250 c\r\n", reply{250, "a\nb\nc"}, true},
		{"250-\r\n250 c\r\n", reply{250, "c"}, true},
		{"250-a\r\n250\r\n", reply{250, "a"}, true},
		{"250-a\r\n550 b\r\n", reply{}, false},
		{"ok\r\n", reply{}, false},
		{"25\r\n", reply{}, false},
		{"2500 ok\r\n", reply{}, false},
		{"250_ok\r\n", reply{}, false},
		{"150 ok\r\n", reply{}, false},
		{"650 ok\r\n", reply{}, false},
		{"\r\n", reply{}, false},
		{"250 " + long + "\r\n", reply{}, false},
		{strings.Repeat("250-x\r\n", 1000) + "250 x\r\n", reply{}, false},
		{"250 no end", reply{}, false},
		{"", reply{}, false},
	} {
		got, err := readReply(bufio.NewReader(strings.NewReader(tt.in)))
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("%.40q gives %.80v, %v", tt.in, got, err)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "550-5.1.1 <a@b>\r\n550 no\r\n", "354\n", "\x00", "250-\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := readReply(bufio.NewReader(strings.NewReader(s)))
		if err != nil {
			return
		}
		if r.code < 200 || r.code > 599 {
			t.Fatalf("code %d", r.code)
		}
		if r.is(4) || r.is(5) {
			for _, at := range []step{stepMail, stepRcpt, stepData, stepDot} {
				a := refused(at, r, "zoe.dupont@example.com")
				if strings.Contains(a.Reply, "@") || len(a.Reply) > maxReply || !utf8.ValidString(a.Reply) || strings.ContainsAny(a.Reply, "\r\n") {
					t.Fatalf("reply %q", a.Reply)
				}
				if a.Phase == pipeline.PhaseRefused && a.Outcome != pipeline.Dead && a.Outcome != pipeline.Transient && a.Outcome != pipeline.Ours {
					t.Fatalf("%+v", a)
				}
				if r.is(4) && a.Outcome != pipeline.Transient && a.Phase == pipeline.PhaseRefused {
					t.Fatalf("%d is %s", r.code, a.Outcome)
				}
				if at == stepMail && a.Outcome == pipeline.Dead {
					t.Fatalf("MAIL refused is %s", a.Outcome)
				}
			}
		}
		if id := queueID(r.text); len(id) > 80 || strings.ContainsAny(id, "@ <>\r\n") {
			t.Fatalf("queue id %q", id)
		}
	})
}

func TestQueueID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2.0.0 Ok: queued as 4WZ1fN1z9Yz3c":                                          "4WZ1fN1z9Yz3c",
		"2.0.0 Ok: queued as A1B2C3\nand more":                                       "A1B2C3",
		"OK id=1qXyZa-0001ab-2C":                                                     "1qXyZa-0001ab-2C",
		"2.6.0 <x@y> [InternalId=12884901890, Hostname=mx] Queued mail for delivery": "12884901890",
		"2.0.0 8f1c9b2a Message accepted for delivery":                               "8f1c9b2a",
		"ok 1700000000 qp 12345":                                                     "1700000000-qp-12345",
		"Ok 0102018c5f3e-5f1c-000000":                                                "0102018c5f3e-5f1c-000000",
		"2.0.0 OK  1700000000 a1-20020ac.1 - gsmtp":                                  "1700000000",
		"2.0.0 OK: queued":                                                           "",
		"Ok":                                                                         "",
		"":                                                                           "",
		"queued as":                                                                  "",
		"queued as zoe@example.com":                                                  "",
	} {
		if got := queueID(in); got != want {
			t.Errorf("queueID(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code     int
		enhanced string
		text     string
		want     pipeline.Outcome
	}{
		{550, "5.1.1", "User unknown", pipeline.Dead},
		{550, "5.1.1", "<spam@example.com> user unknown", pipeline.Dead},
		{554, "5.7.1", "user unknown", pipeline.Ours},
		{450, "", "", pipeline.Transient},
		{550, "", "", pipeline.Transient},
		{550, "nonsense", "no such user", pipeline.Dead},
	} {
		if got := Classify(tt.code, tt.enhanced, tt.text); got != tt.want {
			t.Errorf("Classify(%d, %q, %q) = %s, want %s", tt.code, tt.enhanced, tt.text, got, tt.want)
		}
	}
	// The two packages spell the outcomes alike.
	for a, b := range map[smtpcode.Outcome]pipeline.Outcome{
		smtpcode.Dead: pipeline.Dead, smtpcode.Transient: pipeline.Transient, smtpcode.Ours: pipeline.Ours, smtpcode.None: pipeline.None,
	} {
		if string(a) != string(b) {
			t.Errorf("%q is not %q", a, b)
		}
	}
}

func TestLoginChooses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		offered    string
		tls, local bool
		want       string
		err        error
	}{
		{"PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256", true, false, "SCRAM-SHA-256", nil},
		{"login plain scram-sha-1", true, false, "SCRAM-SHA-1", nil},
		{"CRAM-MD5 PLAIN", true, false, "PLAIN", nil},
		{"CRAM-MD5 PLAIN", false, true, "CRAM-MD5", nil},
		{"PLAIN SCRAM-SHA-256", false, false, "", errClear},
		{"GSSAPI", true, false, "", errMechanism},
		{"", true, false, "", errMechanism},
	} {
		l := &login{user: "u", password: "p", host: "mx.example.com", local: tt.local}
		got, _, err := l.Start(&smtp.ServerInfo{Name: "mx.example.com", TLS: tt.tls, Auth: strings.Fields(tt.offered)})
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q: %q, %v; want %q, %v", tt.offered, got, err, tt.want, tt.err)
		}
	}
}

func TestValidPath(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"a@b": true, "a.b+c@example.com": true, "o'neil@example.com": true, `"a b"@example.com`: true, `"a\"b"@example.com`: true,
		"": false, "@b": false, "a@": false, "a": false, "a b@c": false, "a>@c": false, "a@c>": false, "a@c d": false, "a\r@c": false, "a@c\n": false,
		`"a"b"@c`: false, `"a<b"@c`: false, `"@c`: false, `""@c`: false, `"a\"@c`: false, "é@c": false, "a@é": false, "a,b@c": false, "a@b@c": false, "a@[192.0.2.1]": false,
	} {
		if got := validPath(s); got != want {
			t.Errorf("validPath(%q) = %v", s, got)
		}
	}
}

func TestAppendXtext(t *testing.T) {
	t.Parallel()
	if got := string(appendXtext(nil, "a+b=c d\r\né@x")); got != "a+2Bb+3Dc+20d+0D+0A+C3+A9@x" {
		t.Error(got)
	}
}
