package email_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
)

func TestParseRelayURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]email.Address{
		"smtp://mx.example.com":                   {Host: "mx.example.com", Port: 587, TLS: email.TLSStart},
		"smtp://mx.example.com:25":                {Host: "mx.example.com", Port: 25, TLS: email.TLSStart},
		"smtp://user@mx.example.com?tls=starttls": {Host: "mx.example.com", Port: 587, User: "user", TLS: email.TLSStart},
		"smtp://u%40example.com@MX.example.com/":  {Host: "mx.example.com", Port: 587, User: "u@example.com", TLS: email.TLSStart},
		"smtps://mx.example.com":                  {Host: "mx.example.com", Port: 465, TLS: email.TLSWhole},
		"smtps://u@[2001:db8::1]:4650":            {Host: "2001:db8::1", Port: 4650, User: "u", TLS: email.TLSWhole},
		"smtp://127.0.0.1:2525?tls=none":          {Host: "127.0.0.1", Port: 2525, TLS: email.TLSNone},
		"smtp://u@localhost:2525?tls=none":        {Host: "localhost", Port: 2525, User: "u", TLS: email.TLSNone},
		"smtp://mx.exämple.test?tls=none":         {Host: "mx.xn--exmple-cua.test", Port: 587, TLS: email.TLSNone},
		" smtp://mx.example.com ":                 {Host: "mx.example.com", Port: 587, TLS: email.TLSStart},
	} {
		got, err := email.ParseRelayURL(in)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "mx.example.com", "mx.example.com:25", "http://mx.example.com", "smtp://", "smtp://:25", "smtp:mx.example.com",
		"smtp://u:secret@mx.example.com", "smtp://mx.example.com:0", "smtp://mx.example.com:70000", "smtp://mx.example.com:x",
		"smtp://mx.example.com?tls=maybe", "smtp://mx.example.com?tls=tls", "smtp://mx.example.com?tsl=none", "smtps://mx.example.com?tls=none",
		"smtp://mx.example.com?tls=none&tls=starttls", "smtp://u@mx.example.com?tls=none", "smtp://mx.example.com/path", "smtp://mx.example.com#x", "smtp://mx_x.example.com", "smtp://u%0a@mx.example.com",
	} {
		_, err := email.ParseRelayURL(in)
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Exit != 2 || e.Code != "relay-url" {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", in, err)
		}
	}
}

func TestNewRelay(t *testing.T) {
	t.Parallel()
	good := email.Address{Host: "mx.example.com", Port: 587, TLS: email.TLSStart}
	user := good
	user.User = "u"
	clear := user
	clear.TLS = email.TLSNone
	for name, tt := range map[string]struct {
		c    email.RelayConfig
		fail bool
	}{
		"good":             {email.RelayConfig{Address: good}, false},
		"no password":      {email.RelayConfig{Address: user}, true},
		"password":         {email.RelayConfig{Address: user, Password: "x"}, false},
		"password clear":   {email.RelayConfig{Address: clear, Password: "x"}, true},
		"hello":            {email.RelayConfig{Address: good, Hello: "a\r\nMAIL"}, true},
		"nothing":          {email.RelayConfig{}, true},
		"address literal":  {email.RelayConfig{Address: good, Hello: "[192.0.2.1]"}, false},
		"unknown TLS mode": {email.RelayConfig{Address: email.Address{Host: "a", Port: 1, TLS: "x"}}, true},
	} {
		if _, err := email.NewRelay(tt.c); (err != nil) != tt.fail {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDialFaults checks what each failure before MAIL is called, that it leaves no
// socket open, and that no answer can make the password leave in clear.
func TestDialFaults(t *testing.T) {
	t.Parallel()
	secure, pool := certificate(t)
	for _, tt := range []struct {
		name      string
		script    script
		user      string
		password  string
		trust     bool
		mode      email.TLSMode // instead of the server's
		code      string
		away      bool
		permanent bool
	}{
		{name: "greeting 554", script: script{greeting: "554 5.7.1 no\r\n"}, code: "relay-refuses", permanent: true},
		{name: "greeting 421", script: script{greeting: "421 4.3.2 later\r\n"}, code: "relay-away", away: true},
		{name: "greeting drop", script: script{greeting: drop}, code: "relay-away", away: true},
		{name: "greeting hang", script: script{greeting: hang}, code: "relay-away", away: true},
		{name: "greeting garbage", script: script{greeting: "HTTP/1.1 400 Bad Request\r\n"}, code: "relay-refuses", permanent: true},
		{name: "EHLO refused", script: script{answers: map[string][]string{"EHLO": {"550 no\r\n"}, "HELO": {"550 no\r\n"}}}, code: "relay-refuses", permanent: true},
		{name: "EHLO drop", script: script{answers: map[string][]string{"EHLO": {drop}}}, code: "relay-away", away: true},
		{name: "EHLO hang", script: script{answers: map[string][]string{"EHLO": {hang}}}, code: "relay-away", away: true},
		{name: "no STARTTLS", script: script{offers: all}, mode: email.TLSStart, code: "relay-tls", permanent: true},
		{name: "no STARTTLS with user", script: script{offers: []string{"AUTH PLAIN"}}, user: "sender", password: "secret", mode: email.TLSStart, code: "relay-tls", permanent: true},
		{name: "STARTTLS refused", script: script{offers: []string{"STARTTLS"}, answers: map[string][]string{"STARTTLS": {"502 no\r\n"}}}, mode: email.TLSStart, code: "relay-refuses", permanent: true},
		{name: "STARTTLS 454", script: script{offers: []string{"STARTTLS"}, answers: map[string][]string{"STARTTLS": {"454 4.7.0 not now\r\n"}}}, mode: email.TLSStart, code: "relay-away", away: true},
		{name: "certificate unknown", script: script{offers: []string{"STARTTLS"}, tls: secure}, code: "relay-tls", permanent: true},
		{name: "certificate unknown whole", script: script{whole: true, tls: secure}, code: "relay-tls", permanent: true},
		{name: "smtps to plain", script: script{}, mode: email.TLSWhole, code: "relay-tls", permanent: true},
		{name: "smtps to silence", script: script{greeting: hang}, mode: email.TLSWhole, code: "relay-away", away: true},
		{name: "AUTH wrong", script: script{offers: []string{"STARTTLS", "AUTH PLAIN LOGIN"}, tls: secure}, trust: true, user: "sender", password: "wrong", code: "relay-auth", permanent: true},
		{name: "AUTH wrong CRAM", script: script{offers: []string{"STARTTLS", "AUTH CRAM-MD5"}, tls: secure}, trust: true, user: "sender", password: "wrong", code: "relay-auth", permanent: true},
		{name: "AUTH 454", script: script{offers: []string{"STARTTLS", "AUTH PLAIN"}, tls: secure, answers: map[string][]string{"AUTH": {"454 4.7.0 later\r\n"}}}, trust: true, user: "sender", password: "secret", code: "relay-away", away: true},
		{name: "AUTH drop", script: script{offers: []string{"STARTTLS", "AUTH PLAIN"}, tls: secure, answers: map[string][]string{"AUTH": {drop}}}, trust: true, user: "sender", password: "secret", code: "relay-away", away: true},
		{name: "AUTH not offered", script: script{offers: []string{"STARTTLS"}, tls: secure}, trust: true, user: "sender", password: "secret", code: "relay-auth", permanent: true},
		{name: "AUTH unknown", script: script{offers: []string{"STARTTLS", "AUTH GSSAPI XOAUTH2"}, tls: secure}, trust: true, user: "sender", password: "secret", code: "relay-auth", permanent: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, tt.script)
			sockets := &counting{}
			r := relay(t, f, func(c *email.RelayConfig) {
				c.Address.User, c.Password = tt.user, tt.password
				if tt.mode != "" {
					c.Address.TLS = tt.mode
				}
				if tt.trust {
					c.RootCAs = pool
				}
				if strings.Contains(tt.name, "hang") || strings.Contains(tt.name, "silence") {
					c.Timeouts.Setup = 50 * time.Millisecond
				}
				c.DialContext = sockets.dial
			})
			_, err := r.Dial(t.Context())
			var e *pipeline.Error
			if !errors.As(err, &e) {
				t.Fatalf("error %v", err)
			}
			if e.Code != tt.code || errors.Is(err, pipeline.ErrAway) != tt.away || e.Permanent != tt.permanent {
				t.Errorf("code %q, away %v, permanent %v: %v", e.Code, errors.Is(err, pipeline.ErrAway), e.Permanent, err)
			}
			for _, word := range []string{"secret", "wrong", "sender "} {
				if strings.Contains(err.Error(), word) {
					t.Errorf("the error shows %q: %v", word, err)
				}
			}
			if sockets.open() != 0 {
				t.Errorf("%d sockets left open", sockets.open())
			}
			for _, line := range f.heard() {
				if strings.HasPrefix(line, "AUTH") && tt.script.tls == nil {
					t.Errorf("in clear: %q", line)
				}
			}
		})
	}
}

// counting counts the sockets that it opened and that are still open.
type counting struct{ opened, closed int }

func (d *counting) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.opened++
	return &counted{Conn: c, d: d}, nil
}

func (d *counting) open() int { return d.opened - d.closed }

type counted struct {
	net.Conn
	d    *counting
	once bool
}

func (c *counted) Close() error {
	if !c.once {
		c.once = true
		c.d.closed++
	}
	return c.Conn.Close()
}

func TestDialNobodyThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := l.Addr().(*net.TCPAddr) //nolint:forcetypeassert // it is TCP
	_ = l.Close()
	r, err := email.NewRelay(email.RelayConfig{Address: email.Address{Host: "127.0.0.1", Port: a.Port, TLS: email.TLSNone}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = r.Dial(t.Context()); !errors.Is(err, pipeline.ErrAway) || pipeline.ErrorCode(err) != "relay-away" {
		t.Fatal(err)
	}
}

func TestDialCancelled(t *testing.T) {
	t.Parallel()
	f := serve(t, script{greeting: hang})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for f.connections() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	start := time.Now()
	_, err := relay(t, f, nil).Dial(ctx)
	if !errors.Is(err, context.Canceled) || time.Since(start) > time.Minute {
		t.Fatalf("%v after %v", err, time.Since(start))
	}
}

// TestDialSecure sends over each kind of protection and with each mechanism.
func TestDialSecure(t *testing.T) {
	t.Parallel()
	secure, pool := certificate(t)
	for _, tt := range []struct {
		name   string
		script script
		want   string // mechanism
	}{
		{"STARTTLS", script{offers: append([]string{"STARTTLS"}, all...), tls: secure}, ""},
		{"whole", script{offers: all, tls: secure, whole: true}, ""},
		{"PLAIN", script{offers: []string{"STARTTLS", "AUTH LOGIN PLAIN CRAM-MD5"}, tls: secure}, "PLAIN"},
		{"LOGIN", script{offers: []string{"PIPELINING", "AUTH LOGIN"}, tls: secure, whole: true}, "LOGIN"},
		{"CRAM-MD5", script{offers: []string{"STARTTLS", "AUTH CRAM-MD5"}, tls: secure}, "CRAM-MD5"},
		{"clear on loopback", script{offers: []string{"AUTH PLAIN LOGIN"}}, "PLAIN"},
		{"clear on loopback, hashed", script{offers: []string{"AUTH PLAIN LOGIN CRAM-MD5"}}, "CRAM-MD5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, tt.script)
			c := dial(t, f, func(c *email.RelayConfig) {
				c.RootCAs = pool
				if tt.want != "" {
					c.Address.User, c.Password = "sender", "secret"
				}
			})
			for n := range 3 {
				if a := c.Send(t.Context(), message(n+1), nil); a.Phase != pipeline.PhaseAccepted {
					t.Fatalf("%+v", a)
				}
			}
			if got := f.seen(); len(got) != 3 || got[0] != string(message(1).Body) {
				t.Fatalf("the relay saw %q", got)
			}
			mechanism := ""
			for _, line := range f.heard() {
				if rest, ok := strings.CutPrefix(line, "AUTH "); ok {
					mechanism, _, _ = strings.Cut(rest, " ")
				}
			}
			if mechanism != tt.want {
				t.Errorf("logged in with %q, want %q", mechanism, tt.want)
			}
		})
	}
}

// TestSecureNeverTruncates breaks a TLS connection in mid-message.
func TestSecureNeverTruncates(t *testing.T) {
	t.Parallel()
	secure, pool := certificate(t)
	f := serve(t, script{offers: []string{"PIPELINING", "STARTTLS"}, tls: secure})
	ctx, cancel := context.WithCancel(t.Context())
	var s *stall
	c := dial(t, f, func(c *email.RelayConfig) {
		c.RootCAs = pool
		c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			s = &stall{Conn: conn, after: 1000, then: cancel}
			return s, err
		}
	})
	m := message(1)
	m.Body = []byte("Subject: x\r\n\r\n" + strings.Repeat("ligne\r\n", 20_000))
	s.after = 5 // the envelope, some records, half of one
	a := c.Send(ctx, m, nil)
	if a.Phase != pipeline.PhaseUnsent || !a.Broken {
		t.Fatalf("%+v", a)
	}
	f.stop()
	if len(f.seen()) != 0 {
		t.Fatal("the relay has a message")
	}
}
