package email_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // CRAM-MD5 is made of it
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/email"
)

// Things that the fault server does instead of answering.
const (
	drop = "drop" // closes the connection
	hang = "hang" // says nothing more and reads on
)

// script says how a fault server behaves. Answers are complete replies with CRLF,
// or drop or hang. Each verb has a list that is used up in order over all
// connections; the last one stays.
type script struct {
	greeting string
	offers   []string            // EHLO keywords
	answers  map[string][]string // EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, "." (after the content), RSET, QUIT
	takes    int                 // bytes of content before it resets the connection; 0: all
	tls      *tls.Config         // for STARTTLS
	whole    bool                // TLS from the first byte
	close    int                 // messages a connection before it hangs up; 0: no limit
}

// faults is a mail server over real sockets that does what its script says.
type faults struct {
	script
	t  *testing.T
	l  net.Listener
	wg sync.WaitGroup

	mu       sync.Mutex
	conns    int
	open     map[net.Conn]bool
	hasty    map[string]*hasty // by their own address
	commands []string          // as they came
	groups   int               // commands that had to be waited for
	messages []string          // complete ones, dots unstuffed
	verdicts []string          // what was answered to each of them
	cut      int               // contents that broke off
}

func serve(t *testing.T, s script) *faults {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faults{script: s, t: t, l: l, open: map[net.Conn]bool{}, hasty: map[string]*hasty{}}
	if s.whole {
		f.l = tls.NewListener(l, s.tls)
	}
	f.wg.Go(func() {
		for {
			c, err := f.l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns++
			f.open[c] = true
			f.mu.Unlock()
			f.wg.Go(func() { f.handle(c) })
		}
	})
	t.Cleanup(f.stop)
	return f
}

func (f *faults) stop() {
	_ = f.l.Close()
	f.mu.Lock()
	for c := range f.open {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
}

func (f *faults) address() email.Address {
	a, ok := f.l.Addr().(*net.TCPAddr)
	if !ok {
		f.t.Fatal("no TCP")
	}
	mode := email.TLSNone
	if f.whole {
		mode = email.TLSWhole
	} else if f.tls != nil {
		mode = email.TLSStart
	}
	return email.Address{Host: "127.0.0.1", Port: a.Port, TLS: mode}
}

// next returns the answer to a verb.
func (f *faults) next(verb, otherwise string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.answers[verb]
	if len(list) == 0 {
		return otherwise
	}
	if len(list) > 1 {
		f.answers[verb] = list[1:]
	}
	return list[0]
}

// session is one connection to a fault server.
type session struct {
	*faults
	c          net.Conn
	r          *bufio.Reader
	mail, rcpt bool // what was accepted of a transaction
	taken      int  // messages
	said       int  // bytes
}

func (f *faults) handle(c net.Conn) {
	s := &session{faults: f, c: c, r: bufio.NewReader(c)}
	defer func() {
		f.mu.Lock()
		delete(f.open, s.c)
		f.mu.Unlock()
		_ = s.c.Close()
	}()
	greeting := f.greeting
	if greeting == "" {
		greeting = "220 relay.test ESMTP\r\n"
	}
	for more := s.say(greeting); more; more = s.command() {
	}
}

// command reads and answers one command. It reports whether to go on.
func (s *session) command() bool {
	waiting := s.r.Buffered() == 0
	line, err := s.r.ReadString('\n')
	if err != nil {
		return false
	}
	line = strings.TrimRight(line, "\r\n")
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	s.mu.Lock()
	s.commands = append(s.commands, line)
	if waiting {
		s.groups++
	}
	s.mu.Unlock()
	switch verb {
	case "EHLO":
		return s.say(s.next(verb, ehlo(s.offers)))
	case "STARTTLS":
		return s.startTLS()
	case "AUTH":
		return s.auth(line)
	case "MAIL":
		answer := "503 5.5.1 nested MAIL\r\n"
		if !s.mail {
			answer = s.next(verb, "250 2.1.0 Ok\r\n")
		}
		s.mail = s.mail || strings.HasPrefix(answer, "2")
		return s.say(answer)
	case "RCPT":
		answer := "503 5.5.1 MAIL first\r\n"
		if s.mail {
			answer = s.next(verb, "250 2.1.5 Ok\r\n")
		}
		s.rcpt = s.rcpt || strings.HasPrefix(answer, "2")
		return s.say(answer)
	case "RSET":
		s.mail, s.rcpt = false, false
		return s.say(s.next(verb, "250 2.0.0 Ok\r\n"))
	case "DATA":
		return s.data()
	case "QUIT":
		s.say(s.next(verb, "221 bye\r\n"))
		return false
	}
	return s.say(s.next(verb, "250 2.0.0 Ok\r\n"))
}

func (s *session) startTLS() bool {
	answer := s.next("STARTTLS", "220 go\r\n")
	if !s.say(answer) || !strings.HasPrefix(answer, "220") {
		return answer != drop
	}
	secure := tls.Server(s.c, s.tls)
	if secure.Handshake() != nil {
		return false
	}
	s.mu.Lock()
	delete(s.open, s.c)
	s.open[secure] = true
	s.mu.Unlock()
	s.c, s.r = secure, bufio.NewReader(secure)
	return true
}

func (s *session) data() bool {
	otherwise := "554 5.5.1 no valid recipients\r\n"
	if s.rcpt {
		otherwise = "354 go on\r\n"
	}
	answer := s.next("DATA", otherwise)
	if !s.say(answer) {
		return false
	}
	if !strings.HasPrefix(answer, "354") {
		return true
	}
	if !s.content() {
		return false
	}
	s.mail, s.rcpt = false, false
	s.taken++
	answer = s.next(".", "250 2.0.0 Ok: queued as 4WZ1fN1z9Yz3c\r\n")
	s.mu.Lock()
	s.verdicts = append(s.verdicts, answer)
	s.mu.Unlock()
	return s.say(answer) && (s.close == 0 || s.taken < s.close)
}

// say answers, or does what stands for an answer. It reports whether to go on.
func (s *session) say(answer string) bool {
	switch answer {
	case drop:
		return false
	case hang:
		s.mu.Lock()
		h := s.hasty[s.c.RemoteAddr().String()]
		s.mu.Unlock()
		if h != nil {
			h.expire(s.said)
		}
		_, _ = io.Copy(io.Discard, s.r)
		return false
	}
	n, err := io.WriteString(s.c, answer)
	s.said += n
	return err == nil
}

// hasty is a client's socket whose time is up when the relay falls silent and all that
// it said has been read, and not before: a test of a silence takes no time and does
// not depend on how fast the machine is. It is for connections in clear.
type hasty struct {
	net.Conn
	mu        sync.Mutex
	got, last int // bytes that were read, and the number of the last one; -1: there is none
}

// dialHasty is a RelayConfig.DialContext.
func (f *faults) dialHasty(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	h := &hasty{Conn: c, last: -1}
	f.mu.Lock()
	f.hasty[c.LocalAddr().String()] = h
	f.mu.Unlock()
	return h, nil
}

// Read implements net.Conn.
func (h *hasty) Read(p []byte) (int, error) {
	h.mu.Lock()
	over := h.got == h.last
	h.mu.Unlock()
	if over {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := h.Conn.Read(p)
	h.mu.Lock()
	h.got += n
	h.mu.Unlock()
	return n, err
}

// expire says that no byte comes after the last one.
func (h *hasty) expire(last int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last = last; h.got == last {
		_ = h.Conn.SetDeadline(time.Unix(1, 0)) // it may be reading
	}
}

func ehlo(offers []string) string {
	lines := append([]string{"relay.test"}, offers...)
	var b strings.Builder
	for i, l := range lines {
		sep := "-"
		if i == len(lines)-1 {
			sep = " "
		}
		b.WriteString("250" + sep + l + "\r\n")
	}
	return b.String()
}

// content reads a message to its dot.
func (s *session) content() bool {
	if s.takes > 0 {
		_, _ = io.CopyN(io.Discard, s.r, int64(s.takes))
		s.mu.Lock()
		s.cut++
		s.mu.Unlock()
		if tcp, ok := s.c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	}
	var b strings.Builder
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			s.mu.Lock()
			s.cut++
			s.mu.Unlock()
			return false
		}
		if line == ".\r\n" {
			s.mu.Lock()
			s.messages = append(s.messages, b.String())
			s.mu.Unlock()
			return true
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// auth checks the user "sender" with the password "secret".
func (s *session) auth(line string) bool {
	if a := s.next("AUTH", ""); a != "" {
		return s.say(a)
	}
	ask := func(challenge string) string {
		if !s.say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)) + "\r\n") {
			return ""
		}
		answer, _ := s.r.ReadString('\n')
		b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(answer))
		return string(b)
	}
	words := strings.Fields(line)
	good := false
	switch strings.ToUpper(words[1]) {
	case "PLAIN":
		b, _ := base64.StdEncoding.DecodeString(words[len(words)-1])
		good = string(b) == "\x00sender\x00secret"
	case "LOGIN":
		good = ask("Username:") == "sender" && ask("Password:") == "secret"
	case "CRAM-MD5":
		h := hmac.New(md5.New, []byte("secret"))
		h.Write([]byte("<1.2@relay.test>"))
		good = ask("<1.2@relay.test>") == "sender "+hex.EncodeToString(h.Sum(nil))
	}
	if good {
		return s.say("235 2.7.0 welcome\r\n")
	}
	return s.say("535 5.7.8 sender is not welcome\r\n")
}

// seen returns the complete messages.
func (f *faults) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.messages...)
}

func (f *faults) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.commands...)
}

func (f *faults) connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns
}

// certificate makes a certificate for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relay.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}
