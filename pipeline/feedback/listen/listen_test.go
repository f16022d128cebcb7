package listen_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/feedback/listen"
)

// bench is a server and what it kept.
type bench struct {
	t     *testing.T
	reach func() (net.Conn, error)
	stop  func() error
	mu    sync.Mutex
	kept  []listen.Envelope
	fault func(e listen.Envelope) error
}

func start(t *testing.T, c listen.Config) *bench {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, c, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
}

// startOn starts a server on any listener.
func startOn(t *testing.T, c listen.Config, l net.Listener, reach func() (net.Conn, error)) *bench {
	t.Helper()
	b := &bench{t: t, reach: reach}
	if c.Takes == nil {
		c.Takes = func(_ context.Context, a string) (bool, error) {
			if strings.HasPrefix(a, "away") {
				return false, errors.New("away")
			}
			return strings.HasPrefix(a, "b0-"), nil
		}
	}
	c.Keep = func(_ context.Context, e listen.Envelope) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.fault != nil {
			if err := b.fault(e); err != nil {
				return err
			}
		}
		b.kept = append(b.kept, e)
		return nil
	}
	s, err := listen.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	b.stop = sync.OnceValue(func() error { cancel(); return <-served })
	t.Cleanup(func() {
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *bench) all() []listen.Envelope {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]listen.Envelope(nil), b.kept...)
}

// client speaks by hand.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (b *bench) dial() *client {
	b.t.Helper()
	c, err := b.reach()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return &client{b.t, c, bufio.NewReader(c)}
}

// reply reads one reply.
func (c *client) reply() string {
	c.t.Helper()
	var all []string
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return strings.Join(all, "\n") + err.Error()
		}
		all = append(all, strings.TrimRight(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(all, "\n")
		}
	}
}

func (c *client) say(line, want string) string {
	c.t.Helper()
	_, err := io.WriteString(c, line+"\r\n")
	if err != nil {
		c.t.Fatal(err)
	}
	return c.want(want)
}

func (c *client) want(want string) string {
	c.t.Helper()
	got := c.reply()
	if !strings.HasPrefix(got, want) {
		c.t.Fatalf("got %q, want %q", got, want)
	}
	return got
}

func (c *client) greet(lmtp bool) *client {
	c.t.Helper()
	c.want("220")
	if lmtp {
		c.say("LHLO relay.example", "250")
	} else {
		c.say("EHLO relay.example", "250")
	}
	return c
}

func TestLMTP(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true})
	c := b.dial().greet(true)
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-one@retour.example.fr>", "250")
	c.say("RCPT TO:<nobody@retour.example.fr>", "550 5.1.1")
	c.say("RCPT TO:<away@retour.example.fr>", "451 4.3.0")
	c.say("RCPT TO:<b0-two@retour.example.fr>", "250")
	c.say("DATA", "354")
	b.mu.Lock()
	b.fault = func(e listen.Envelope) error {
		if strings.HasPrefix(e.To, "b0-two") {
			return errors.New("the disk is full")
		}
		return nil
	}
	b.mu.Unlock()
	// An answer a recipient: what is not kept stays with the relay.
	c.say("Subject: x\r\n\r\n..dotted\r\n.", "250")
	c.want("451 4.3.0")
	got := b.all()
	if len(got) != 1 || got[0].From != "" || got[0].To != "b0-one@retour.example.fr" || string(got[0].Raw) != "Subject: x\r\n\r\n.dotted\r\n" {
		t.Fatalf("%+v", got)
	}
	c.say("QUIT", "221")
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{MaxMessage: 2000})
	c := b.dial().greet(false)
	c.say("MAIL FROM:<bounce@mx.example> BODY=8BITMIME", "250")
	c.say("RCPT TO:<b0-one@retour.example.fr>", "250")
	c.say("RCPT TO:<b0-two@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say("x\r\n.", "250")
	if got := b.all(); len(got) != 2 || got[0].From != "bounce@mx.example" || got[1].To != "b0-two@retour.example.fr" {
		t.Fatalf("%+v", got)
	}
	// Too large: said, and the connection goes on.
	c.say("MAIL FROM:<> SIZE=9999", "552 5.3.4")
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-one@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say(strings.Repeat("a line of text\r\n", 200)+".", "552 5.3.4")
	c.say("NOOP", "250")
	// Nothing durable, no 250.
	b.mu.Lock()
	b.fault = func(listen.Envelope) error { return errors.New("away") }
	b.mu.Unlock()
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-one@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say("x\r\n.", "451 4.3.0")
	if got := b.all(); len(got) != 2 {
		t.Fatalf("%d kept", len(got))
	}
}

// TestSmuggling: only CRLF.CRLF ends a message, whatever other servers take for an
// end (CVE-2023-51764 and its kin).
func TestSmuggling(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n", "\r\n\x00.\r\n", "\r\n.\r\r\n", "\n\n.\r\n", "\r\r\n.\r\n"} {
		b := start(t, listen.Config{LMTP: true})
		c := b.dial().greet(true)
		c.say("MAIL FROM:<>", "250")
		c.say("RCPT TO:<b0-one@retour.example.fr>", "250")
		c.say("DATA", "354")
		smuggled := "Subject: outer\r\n\r\nfirst" + end + "MAIL FROM:<evil@example.com>\r\nRCPT TO:<b0-forged@retour.example.fr>\r\nDATA\r\nSubject: inner\r\n\r\nforged\r\n.\r\n"
		if _, err := io.WriteString(c, smuggled); err != nil {
			t.Fatal(err)
		}
		c.want("250")
		c.say("NOOP", "250")
		got := b.all()
		if len(got) != 1 || got[0].To != "b0-one@retour.example.fr" || !strings.Contains(string(got[0].Raw), "forged") {
			t.Errorf("%q ended the message: %d kept", end, len(got))
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true, MaxConnections: 2, MaxOfClient: 2, MaxLine: 4000, MaxMemory: 100 << 10, MaxRecipients: 3})
	c := b.dial().greet(true)
	other := b.dial().greet(true)
	b.dial().want("421 4.3.2")
	// Lines that are longer than RFC 5321 allows are taken, within reason.
	c.say("MAIL FROM:<>", "250")
	for i := range 3 {
		c.say(fmt.Sprintf("RCPT TO:<b0-%d@retour.example.fr>", i), "250")
	}
	c.say("RCPT TO:<b0-4@retour.example.fr>", "452")
	c.say("DATA", "354")
	c.say(strings.Repeat("x", 3000)+"\r\n.", "250")
	c.want("250")
	c.want("250")
	// More at a time than there is memory: later.
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say(strings.Repeat("some words\r\n", 20000)+".", "452 4.3.1")
	c.say("NOOP", "250")
	// What was held is given back.
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say("x\r\n.", "250")
	c.say("QUIT", "221")
	other.say("NOOP "+strings.Repeat("x", 5000), "500")
}

func TestClients(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	b.dial().want("554 5.7.1")
	b = start(t, listen.Config{Clients: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}})
	b.dial().want("220")
}

func TestStartTLS(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	b := start(t, listen.Config{TLS: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}})
	c := b.dial()
	c.want("220")
	if got := c.say("EHLO relay.example", "250"); !strings.Contains(got, "STARTTLS") {
		t.Fatalf("%q", got)
	}
	c.say("STARTTLS", "220")
	safe := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // our own certificate
	c = &client{t, safe, bufio.NewReader(safe)}
	c.say("EHLO relay.example", "250")
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
	c.say("DATA", "354")
	c.say("x\r\n.", "250")
	if len(b.all()) != 1 {
		t.Error("nothing kept")
	}
}

// TestStop: a message that is being read is taken to its end; who only waits is
// sent away, and what was not answered is not kept.
func TestStop(t *testing.T) {
	t.Parallel()
	b := start(t, listen.Config{LMTP: true})
	idle := b.dial().greet(true)
	c := b.dial().greet(true)
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
	c.say("DATA", "354")
	if _, err := io.WriteString(c, "half "); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- b.stop() }()
	if got := idle.reply(); got != "EOF" {
		t.Errorf("who waits was told %q", got)
	}
	c.say("a message\r\n.", "250")
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if got := b.all(); len(got) != 1 || string(got[0].Raw) != "half a message\r\n" {
		t.Errorf("%+v", got)
	}
}

// TestStopBetweenKeptAndAnswered: what was kept is answered with 250 whenever the
// server stops: a relay that does not hear it brings the message again.
func TestStopBetweenKeptAndAnswered(t *testing.T) {
	t.Parallel()
	for range 30 {
		b := start(t, listen.Config{LMTP: true})
		b.fault = func(listen.Envelope) error { go func() { _ = b.stop() }(); return nil }
		var clients []*client
		for range 8 {
			c := b.dial().greet(true)
			c.say("MAIL FROM:<>", "250")
			c.say("RCPT TO:<b0-1@retour.example.fr>", "250")
			c.say("DATA", "354")
			clients = append(clients, c)
		}
		for _, c := range clients {
			_, _ = io.WriteString(c, "x\r\n.\r\n")
		}
		for _, c := range clients {
			c.want("250")
		}
		if err := b.stop(); err != nil {
			t.Fatal(err)
		}
		if n := len(b.all()); n != len(clients) {
			t.Fatalf("%d were kept of %d that were answered", n, len(clients))
		}
	}
}

// TestStopAtTheDoor: a client that came in as the server stopped is not served after
// Serve has returned: what it needs to keep a message may be gone by then.
func TestStopAtTheDoor(t *testing.T) {
	t.Parallel()
	for range 20 {
		here, there := net.Pipe()
		closed := make(chan struct{})
		l := &lastMinute{closed: closed, guest: there}
		b := startOn(t, listen.Config{LMTP: true}, l, nil)
		if err := b.stop(); err != nil {
			t.Fatal(err)
		}
		_ = here.SetDeadline(time.Now().Add(time.Minute))
		if said, err := io.ReadAll(here); err != nil || len(said) != 0 {
			t.Fatalf("it was told %q, %v", said, err)
		}
	}
}

// lastMinute is a listener whose only client comes while it is being closed.
type lastMinute struct {
	closed chan struct{}
	guest  net.Conn
}

// Accept implements net.Listener.
func (l *lastMinute) Accept() (net.Conn, error) {
	<-l.closed
	if c := l.guest; c != nil {
		l.guest = nil
		return c, nil
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l *lastMinute) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

// Addr implements net.Listener.
func (l *lastMinute) Addr() net.Addr { return &net.UnixAddr{Name: "door", Net: "unix"} }
