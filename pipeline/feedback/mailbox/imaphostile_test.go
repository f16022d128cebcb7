package mailbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/feedback/mailbox"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// script is a server that answers by rote: the first answer whose beginning the
// command has, without its tag. In an answer $ is the tag; one that ends in \x00 is
// repeated for ever, one with \x01 ends the connection there.
type script [][2]string

// honest is how a server with the messages 5 and 7 answers.
func honest() script {
	body := string(message(5))
	return script{
		{"CAPABILITY", "* CAPABILITY IMAP4rev1\r\n$ OK\r\n"},
		{"LOGIN", "$ OK\r\n"},
		{"SELECT", "* 2 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\n* OK [UIDNEXT 8] ok\r\n$ OK [READ-WRITE]\r\n"},
		{"UID SEARCH", "* SEARCH 5 7\r\n$ OK\r\n"},
		{"UID FETCH 5,7 (UID RFC822.SIZE", "* 1 FETCH (UID 5 RFC822.SIZE 70)\r\n* 2 FETCH (UID 7 RFC822.SIZE 70)\r\n$ OK\r\n"},
		{"UID FETCH 5,7 (UID BODY.PEEK[]", fmt.Sprintf("* 1 FETCH (UID 5 BODY[]<0> {%d}\r\n%s)\r\n* 2 FETCH (UID 7 BODY[]<0> \"x\")\r\n$ OK\r\n", len(body), body)},
		{"UID STORE", "$ OK\r\n"},
	}
}

// with is the script with another answer in front.
func (s script) with(command, answer string) script {
	return append(script{{command, answer}}, s...)
}

func (s script) serve(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(c)
		}
	}()
	return l
}

func (s script) talk(c net.Conn) {
	defer func() { _ = c.Close() }()
	greeting := "* OK hello\r\n"
	if len(s) > 0 && s[0][0] == "" {
		greeting = s[0][1]
	}
	if !say(c, greeting, "") {
		return
	}
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		tag, command, ok := strings.Cut(line, " ")
		if err != nil || !ok {
			return
		}
		i := slices.IndexFunc(s, func(a [2]string) bool { return a[0] != "" && strings.HasPrefix(command, a[0]) })
		answer := "$ BAD\r\n"
		if i >= 0 {
			answer = s[i][1]
		}
		if !say(c, answer, tag) {
			return
		}
	}
}

// say writes an answer, and reports whether the conversation goes on.
func say(w io.Writer, answer, tag string) bool {
	answer = strings.ReplaceAll(answer, "$", tag)
	if whole, end := strings.CutSuffix(answer, "\x00"); end {
		first, rest, _ := strings.Cut(whole, "\x02")
		if _, err := io.WriteString(w, first); err != nil {
			return false
		}
		for chunk := strings.Repeat(rest, 1+(64<<10)/max(len(rest), 1)); ; {
			if _, err := io.WriteString(w, chunk); err != nil {
				return false
			}
		}
	}
	text, _, cut := strings.Cut(answer, "\x01")
	_, err := io.WriteString(w, text)
	return err == nil && !cut
}

// TestIMAPHostile: whatever a server says, nothing is kept that is not whole, no
// memory is taken beyond the limits, and it ends in an error that holds nothing of
// what the server said. The place never moves past what was not kept.
func TestIMAPHostile(t *testing.T) {
	t.Parallel()
	sizes, bodies := "UID FETCH 5,7 (UID RFC822.SIZE", "UID FETCH 5,7 (UID BODY.PEEK[]"
	for name, c := range map[string]struct {
		script script
		kept   int
		want   string // of the error; "" for none
	}{
		"honest":                   {honest(), 2, ""},
		"no greeting":              {script{{"", "\x01"}}, 0, "cannot be entered"},
		"another protocol":         {script{{"", "220 smtp.example ESMTP\r\n"}}, 0, "cannot be entered"},
		"endless greeting":         {script{{"", "* OK \x02secret\x00"}}, 0, "more than it was asked for"},
		"endless capabilities":     {honest().with("CAPABILITY", "* CAPABILITY\x02 SECRET\x00"), 0, "more than it was asked for"},
		"endless untagged lines":   {honest().with("SELECT", "\x02* 1 EXISTS\r\n\x00"), 0, "more than it was asked for"},
		"no numbers that last":     {honest().with("SELECT", "* 2 EXISTS\r\n$ OK\r\n"), 0, "UIDVALIDITY"},
		"goodbye":                  {honest().with("SELECT", "* BYE secret\r\n\x01"), 0, "cannot be opened"},
		"unknown tag":              {honest().with("SELECT", "T999 OK secret\r\n"), 0, "cannot be opened"},
		"numbers of the future":    {honest().with("UID SEARCH", "* SEARCH 5 7 8 4294967295\r\n$ OK\r\n"), 2, ""},
		"numbers of the past":      {honest().with("UID SEARCH", "* SEARCH 7 5 5 7\r\n$ OK\r\n"), 2, ""},
		"nested too deep":          {honest().with(sizes, "* 1 FETCH (UID 5 ENVELOPE "+strings.Repeat("(", 100_000)+"\r\n"), 0, "cannot be read"},
		"no sizes":                 {honest().with(sizes, "$ OK\r\n"), 0, ""},
		"other numbers":            {honest().with(sizes, "* 1 FETCH (UID 6 RFC822.SIZE 70)\r\n* 9 FETCH (UID 900 RFC822.SIZE 70)\r\n$ OK\r\n"), 0, ""},
		"negative size":            {honest().with(sizes, "* 1 FETCH (UID 5 RFC822.SIZE -70)\r\n$ OK\r\n"), 0, "cannot be read"},
		"wrong number":             {honest().with(bodies, "* 1 FETCH (UID 6 BODY[]<0> \"secret\")\r\n* 1 FETCH (UID 7 BODY[]<0> \"x\")\r\n$ OK\r\n"), 0, "did not hand over 1 of 2"},
		"number after the message": {honest().with(bodies, "* 1 FETCH (BODY[]<0> {1}\r\nx UID 5)\r\n* 1 FETCH (UID 7 BODY[]<0> \"x\")\r\n$ OK\r\n"), 0, "did not hand over 1 of 2"},
		"the same twice":           {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> \"a\")\r\n* 1 FETCH (UID 5 BODY[]<0> \"b\")\r\n* 2 FETCH (UID 7 BODY[]<0> \"c\")\r\n$ OK\r\n"), 2, ""},
		"two texts of one":         {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> \"a\" BODY[]<0> {1}\r\nb)\r\n* 2 FETCH (UID 7 BODY[]<0> \"c\")\r\n$ OK\r\n"), 2, ""},
		"no text":                  {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> NIL)\r\n* 2 FETCH (UID 7 BODY[]<0> \"\")\r\n$ OK\r\n"), 0, "did not hand over 2 of 2"},
		"another section":          {honest().with(bodies, "* 1 FETCH (UID 5 BODY[HEADER]<0> \"secret\")\r\n* 2 FETCH (UID 7 BODY[]<9> \"secret\")\r\n$ OK\r\n"), 0, "did not hand over 2 of 2"},
		"refused":                  {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> \"a\")\r\n$ NO [secret] secret\r\n"), 0, "the server says NO"},
		"cut off":                  {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> {100}\r\nhalf a message\x01"), 0, "cannot be read"},
		"a literal without end":    {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> {4000000000}\r\n\x02secret\x00"), 0, "more than it was asked for"},
		"a literal out of range":   {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> {99999999999999999999}\r\nx)\r\n"), 0, "cannot be read"},
		"a string without end":     {honest().with(bodies, "* 1 FETCH (UID 5 BODY[]<0> \"\x02secret\x00"), 0, "more than it was asked for"},
		"flags without end":        {honest().with(bodies, "* 1 FETCH (UID 5 FLAGS (\\Seen\x02 secret\x00"), 0, "more than it was asked for"},
		"marks refused":            {honest().with("UID STORE", "$ NO [NOPERM] secret\r\n"), 2, "cannot be marked: the server says NO NOPERM"},
		"marks answered with mail": {honest().with("UID STORE", "* 1 FETCH (UID 5 FLAGS (\\Seen) BODY[]<0> {6}\r\nsecret)\r\n$ OK\r\n"), 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := c.script.serve(t)
			o := &office{t: t}
			s := &testenv.IMAPServer{Addr: l.Addr().String(), User: "me", Password: "secret"}
			p := collector(t, o.config(account(s, "imap", "?tls=none"), s))
			began := time.Now()
			n, err := p.Collect(t.Context())
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
			if n != c.kept || len(o.kept) != c.kept {
				t.Errorf("%d and %d kept, want %d", n, len(o.kept), c.kept)
			}
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("%v, want %q", err, c.want)
			}
			for _, raw := range o.kept {
				if strings.Contains(raw, "secret") {
					t.Errorf("kept %q", raw)
				}
			}
			if c.kept == 0 && bytes.Contains(o.place, []byte(`"uid":7`)) {
				t.Errorf("the place moved to %s", o.place)
			}
		})
	}
}

// TestIMAPAllNumbers: a server that names four thousand million messages takes no
// memory for them. It is not run beside others: they take memory too.
func TestIMAPAllNumbers(t *testing.T) {
	s := honest().with("SELECT", "* OK [UIDVALIDITY 9] ok\r\n* OK [UIDNEXT 4294967295] ok\r\n$ OK\r\n").
		with("UID SEARCH", "* ESEARCH (TAG \"$\") UID ALL 1:4294967294\r\n$ OK\r\n").
		with("UID FETCH", "$ OK\r\n")
	l := s.serve(t)
	o := &office{t: t}
	server := &testenv.IMAPServer{Addr: l.Addr().String(), User: "me", Password: "x"}
	p := collector(t, o.config(account(server, "imap", "?tls=none"), server))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	collect(t, p, 0)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 64<<20 {
		t.Errorf("%d MiB", taken>>20)
	}
}

// TestIMAPSilent: a server that says nothing more, at whatever point, is left when the
// time is over, and nothing is said against it.
func TestIMAPSilent(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "CAPABILITY", "LOGIN", "SELECT", "UID SEARCH", "UID FETCH"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			l := honest().with("EXAMINE", "").with(at, "").serve(t) // a check examines
			o := &office{t: t}
			server := &testenv.IMAPServer{Addr: l.Addr().String(), User: "me", Password: "x"}
			p := collector(t, o.config(account(server, "imap", "?tls=none"), server))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, err := p.Collect(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if strings.HasPrefix(at, "UID") {
				return // a check does not ask for that
			}
			ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, err := p.Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// FuzzPoll: whatever bytes a server sends after the login, what is kept was asked
// for, and collecting ends.
func FuzzPoll(f *testing.F) {
	for _, a := range honest()[2:] {
		f.Add(a[1])
	}
	all := ""
	for _, a := range honest()[2:] {
		all += a[1]
	}
	f.Add(all)
	f.Add("* ESEARCH (TAG \"$\") UID ALL 5:7\r\n$ OK\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		here, there := net.Pipe()
		defer func() { _ = here.Close() }()
		go func() {
			defer func() { _ = there.Close() }()
			in := bufio.NewReader(there)
			if _, err := io.WriteString(there, "* OK hello\r\n"); err != nil {
				return
			}
			for n := 0; n < 6; n++ {
				line, err := in.ReadString('\n')
				tag, command, _ := strings.Cut(line, " ")
				if err != nil {
					return
				}
				reply := answer
				if strings.HasPrefix(command, "CAPABILITY") || strings.HasPrefix(command, "LOGIN") || n > 4 {
					reply = "$ OK\r\n"
				}
				if _, err := io.WriteString(there, strings.ReplaceAll(reply, "$", tag)); err != nil || !strings.Contains(reply, "$ ") {
					return // or both would wait
				}
			}
		}()
		kept := 0
		p, err := mailbox.NewIMAPOn(here, func(items []mailbox.Item) { kept += len(items) })
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		n, _ := p.Collect(ctx)
		if n != kept {
			t.Fatalf("%d kept, %d said", kept, n)
		}
		p.Close()
	})
}

// TestIMAPLogin: where LOGIN is not allowed the password goes by PLAIN, and a token
// by XOAUTH2; what the server explains of a refusal is answered, and not repeated.
func TestIMAPLogin(t *testing.T) {
	t.Parallel()
	caps := "* CAPABILITY IMAP4rev1 LOGINDISABLED SASL-IR AUTH=PLAIN AUTH=XOAUTH2\r\n$ OK\r\n"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00me\x00secret"))
	oauth := base64.StdEncoding.EncodeToString([]byte("user=me\x01auth=Bearer secret\x01\x01"))
	for name, c := range map[string]struct {
		script script
		rest   string
		kept   int
	}{
		"plain":   {honest().with("LOGIN", "$ BAD\r\n").with("CAPABILITY", caps).with("AUTHENTICATE PLAIN "+plain+"\r\n", "$ OK\r\n"), "?tls=none", 2},
		"token":   {honest().with("LOGIN", "$ BAD\r\n").with("CAPABILITY", caps).with("AUTHENTICATE XOAUTH2 "+oauth+"\r\n", "$ OK\r\n"), "?tls=none&auth=oauth", 2},
		"refused": {honest().with("CAPABILITY", caps).with("AUTHENTICATE XOAUTH2", "$ NO [AUTHENTICATIONFAILED] secret\r\n"), "?tls=none&auth=oauth", 0},
	} {
		o := &office{t: t}
		s := &testenv.IMAPServer{Addr: c.script.serve(t).Addr().String(), User: "me", Password: "secret"}
		n, err := collector(t, o.config(account(s, "imap", c.rest), s)).Collect(t.Context())
		if n != c.kept || (err == nil) != (c.kept > 0) || err != nil && (!strings.Contains(err.Error(), "NO AUTHENTICATIONFAILED") || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: %d kept, %v", name, n, err)
		}
	}
}

// TestIMAPEager: a server that refuses a login while it still asks for something
// does not hold the collector.
func TestIMAPEager(t *testing.T) {
	t.Parallel()
	caps := "* CAPABILITY IMAP4rev1 LOGINDISABLED SASL-IR AUTH=PLAIN\r\n$ OK\r\n"
	l := honest().with("CAPABILITY", caps).with("AUTHENTICATE", "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n$ NO secret\r\n").serve(t)
	o := &office{t: t}
	s := &testenv.IMAPServer{Addr: l.Addr().String(), User: "me", Password: "secret"}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := collector(t, o.config(account(s, "imap", "?tls=none"), s)).Collect(ctx); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
