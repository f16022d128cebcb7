package listen_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/art34/art34/pipeline/feedback/listen"
)

// TestSlowClients: who says a little now and then keeps neither a message open nor a
// connection, and others are served meanwhile.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		before []string
		drip   string
		config listen.Config
	}{
		"a command, byte by byte": {nil, "N", listen.Config{Idle: 4 * time.Second}},
		"a message, byte by byte": {[]string{"MAIL FROM:<>", "RCPT TO:<b0-1@retour.example.fr>", "DATA"}, "x", listen.Config{Idle: 4 * time.Second}},
		"a message, line by line": {[]string{"MAIL FROM:<>", "RCPT TO:<b0-1@retour.example.fr>", "DATA"}, "x\r\n", listen.Config{Idle: 4 * time.Second}},
		"nothing but NOOP":        {nil, "NOOP\r\n", listen.Config{Stay: 4 * time.Second}},
		"recipients for ever":     {[]string{"MAIL FROM:<>"}, "RCPT TO:<x@retour.example.fr>\r\n", listen.Config{Stay: 4 * time.Second}},
		"RSET for ever":           {nil, "MAIL FROM:<>\r\nRSET\r\n", listen.Config{Stay: 4 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x.config.LMTP, x.config.MaxConnections = true, 2
			synctest.Test(t, func(t *testing.T) { slow(t, x.config, x.before, x.drip) })
		})
	}
}

// slow lets a client drip until it is gone.
func slow(t *testing.T, config listen.Config, before []string, drip string) {
	t.Helper()
	b := startPipes(t, config)
	c := b.dial().greet(true)
	for _, line := range before {
		want := "250"
		if line == "DATA" {
			want = "354"
		}
		c.say(line, want)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, c.r)
		gone <- err
	}()
	tick := time.NewTicker(400 * time.Millisecond)
	defer tick.Stop()
	end := time.After(time.Minute)
	for over := false; !over; {
		select {
		case <-gone:
			over = true
		case <-tick.C:
			_, _ = io.WriteString(c, drip)
		case <-end:
			t.Fatal("the client is still there")
		}
	}
	if n := len(b.all()); n != 0 {
		t.Errorf("%d messages were kept of one that never ended", n)
	}
	next := b.dial().greet(true)
	next.message("x")
}

// message sends one whole message.
func (c *client) message(body string) {
	c.t.Helper()
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say(body+"\r\n.", "250")
}

// TestWhoWorksStays: a relay keeps its connection as long as messages come.
func TestWhoWorksStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startPipes(t, listen.Config{LMTP: true, Stay: 4 * time.Second})
		c := b.dial().greet(true)
		const n = 5
		for range n {
			time.Sleep(3 * time.Second)
			c.message("x")
		}
		if got := len(b.all()); got != n {
			t.Errorf("%d of %d kept", got, n)
		}
	})
}

// pipes is a listener without a network. A server on it runs in a bubble, where time
// passes when nobody has anything to do: what is slow does not depend on the machine.
type pipes struct {
	came   chan net.Conn
	closed chan struct{}
	close  func()
}

// startPipes starts a server in a bubble.
func startPipes(t *testing.T, c listen.Config) *bench {
	t.Helper()
	p := &pipes{came: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return startOn(t, c, p, func() (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case p.came <- there:
			return here, nil
		case <-p.closed:
			return nil, net.ErrClosed
		}
	})
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.came:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.close()
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

// TestPipelinedAfterData: commands that come in one piece with a message are commands
// after its end and text before it, and a client that is ahead gains nothing.
func TestPipelinedAfterData(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true})
	c := b.dial().greet(true)
	all := "MAIL FROM:<>\r\nRCPT TO:<b0-1@retour.example.fr>\r\nDATA\r\nfirst\r\n.\r\nRCPT TO:<b0-2@retour.example.fr>\r\nDATA\r\nMAIL FROM:<>\r\nRCPT TO:<b0-3@retour.example.fr>\r\nDATA\r\nsecond\r\n..\r\n.\r\nQUIT\r\n"
	if _, err := io.WriteString(c, all); err != nil {
		t.Fatal(err)
	}
	// The recipient without a sender is refused, and so is the message without one.
	for i, want := range []string{"250", "250", "354", "250", "5", "5", "250", "250", "354", "250", "221"} {
		if got := c.reply(); !strings.HasPrefix(got, want) {
			t.Fatalf("reply %d is %q, want %s", i, got, want)
		}
	}
	got := b.all()
	if len(got) != 2 || got[0].To != "b0-1@retour.example.fr" || string(got[0].Raw) != "first\r\n" || got[1].To != "b0-3@retour.example.fr" || string(got[1].Raw) != "second\r\n.\r\n" {
		t.Errorf("%+v", got)
	}
}

// TestLinesWithoutEnd: a command or a line that does not end takes no memory, and a
// message far beyond the limit neither.
func TestLinesWithoutEnd(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true, MaxLine: 4000, MaxMessage: 50_000})
	for name, x := range map[string][2]string{
		"command":   {"", strings.Repeat("N", 1<<20)},
		"recipient": {"", "MAIL FROM:<" + strings.Repeat("a", 1<<20)},
		"line":      {"data", strings.Repeat("x", 1<<20)},
		"message":   {"data", strings.Repeat("x\r\n", 1<<20) + ".\r\n"},
		"dots":      {"data", strings.Repeat("..\r\n", 1<<18) + ".\r\n"},
		"no line":   {"data", strings.Repeat("x\r", 1<<19) + "\r\n.\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := b.dial().greet(true)
			if x[0] == "data" {
				c.say("MAIL FROM:<>", "250")
				c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
				c.say("DATA", "354")
			}
			go func() { _, _ = io.WriteString(c, x[1]) }() // it may hang up before the end
			if got := c.reply(); strings.HasPrefix(got, "2") {
				t.Errorf("taken: %q", got)
			}
		})
	}
	t.Cleanup(func() {
		if n := len(b.all()); n != 0 {
			t.Errorf("%d were kept", n)
		}
	})
}

// TestCrowd: who comes beyond the room is told so, and there is room again as soon as
// somebody goes.
func TestCrowd(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true, MaxConnections: 20, MaxOfClient: 20})
	var in []*client
	for range 20 {
		in = append(in, b.dial().greet(true))
	}
	var wg sync.WaitGroup
	said := make([]string, 60)
	for i := range said {
		c := b.dial()
		wg.Go(func() { said[i] = c.reply() })
	}
	wg.Wait()
	for i, s := range said {
		if !strings.HasPrefix(s, "421 4.3.2") {
			t.Errorf("%d was told %q", i, s)
		}
	}
	for i, c := range in {
		c.message(fmt.Sprint(i))
		c.say("QUIT", "221")
	}
	for end := time.Now().Add(time.Minute); ; {
		c := b.dial()
		if strings.HasPrefix(c.reply(), "220") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody gets in any more")
		}
	}
	if n := len(b.all()); n != 20 {
		t.Errorf("%d kept", n)
	}
}

// TestNobodyKeepsTheRelayOut: one client has its share of the connections and no more,
// so that another gets in; who gives one back has it again.
func TestNobodyKeepsTheRelayOut(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true, MaxConnections: 6}) // a share is half
	var in []*client
	for range 3 {
		in = append(in, b.dial().greet(true))
	}
	at := in[0].RemoteAddr().String()
	for range 10 {
		b.dial().want("421 4.3.2")
	}
	relay := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for i := range 3 {
		conn, err := relay.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		c := (&client{t, conn, bufio.NewReader(conn)}).greet(true)
		c.message(fmt.Sprint(i))
	}
	b.dial().want("421 4.3.2")
	in[0].say("QUIT", "221")
	for end := time.Now().Add(time.Minute); !strings.HasPrefix(b.dial().reply(), "220"); {
		if time.Now().After(end) {
			t.Fatal("the room is not given back")
		}
	}
	if n := len(b.all()); n != 3 {
		t.Errorf("%d kept", n)
	}
}

// TestNamesOfStrangers: whatever a client says makes no line of a reply, and the
// connection goes on.
func TestNamesOfStrangers(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true})
	for _, line := range []string{"LHLO a\rQUIT", "LHLO \x00\x1b[2J", "MAIL FROM:<a\rRSET@x.example>", "MAIL FROM:<> X=\r250", "VRFY root", "EXPN all", "HELP\x07", "RCPT TO:<|/bin/sh>", "AUTH PLAIN AGEAYQ==", "BDAT 5\r\nNO\r", "ETRN x", "\xff\xfe\x00"} {
		c := b.dial().greet(true)
		got := c.say(line, "")
		for said := range strings.SplitSeq(got, "\n") {
			if len(said) < 4 || strings.Trim(said[:3], "0123456789") != "" || said[:3] != got[:3] {
				t.Errorf("%q is answered %q", line, got)
			}
		}
		c.say("NOOP", "250")
	}
	if len(b.all()) != 0 {
		t.Error("something was kept")
	}
}
