package email_test

import (
	"bufio"
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
	commands []string // as they came
	groups   int      // commands that had to be waited for
	messages []string // complete ones, dots unstuffed
	cut      int      // contents that broke off
}

func serve(t *testing.T, s script) *faults {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faults{script: s, t: t, l: l, open: map[net.Conn]bool{}}
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

func (f *faults) handle(c net.Conn) {
	defer func() {
		f.mu.Lock()
		delete(f.open, c)
		f.mu.Unlock()
		_ = c.Close()
	}()
	r := bufio.NewReader(c)
	greeting := f.greeting
	if greeting == "" {
		greeting = "220 relay.test ESMTP\r\n"
	}
	if !f.say(c, r, greeting) {
		return
	}
	mail, rcpt, taken := false, false, 0
	for {
		waiting := r.Buffered() == 0
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		f.mu.Lock()
		f.commands = append(f.commands, line)
		if waiting {
			f.groups++
		}
		f.mu.Unlock()
		switch verb {
		case "MAIL":
			answer := "503 5.5.1 nested MAIL\r\n"
			if !mail {
				answer = f.next(verb, "250 2.1.0 Ok\r\n")
			}
			mail = mail || strings.HasPrefix(answer, "2")
			if !f.say(c, r, answer) {
				return
			}
		case "RCPT":
			answer := "503 5.5.1 MAIL first\r\n"
			if mail {
				answer = f.next(verb, "250 2.1.5 Ok\r\n")
			}
			rcpt = rcpt || strings.HasPrefix(answer, "2")
			if !f.say(c, r, answer) {
				return
			}
		case "RSET":
			mail, rcpt = false, false
			if !f.say(c, r, f.next(verb, "250 2.0.0 Ok\r\n")) {
				return
			}
		case "EHLO":
			if !f.say(c, r, f.next("EHLO", ehlo(f.offers))) {
				return
			}
		case "STARTTLS":
			answer := f.next(verb, "220 go\r\n")
			if !f.say(c, r, answer) {
				return
			}
			if strings.HasPrefix(answer, "220") {
				secure := tls.Server(c, f.tls)
				if secure.Handshake() != nil {
					return
				}
				f.mu.Lock()
				delete(f.open, c)
				f.open[secure] = true
				f.mu.Unlock()
				c, r = secure, bufio.NewReader(secure)
			}
		case "AUTH":
			if !f.auth(c, r, line) {
				return
			}
		case "DATA":
			otherwise := "554 5.5.1 no valid recipients\r\n"
			if rcpt {
				otherwise = "354 go on\r\n"
			}
			answer := f.next(verb, otherwise)
			if !f.say(c, r, answer) {
				return
			}
			if !strings.HasPrefix(answer, "354") {
				continue
			}
			if !f.content(c, r) {
				return
			}
			mail, rcpt = false, false
			if !f.say(c, r, f.next(".", "250 2.0.0 Ok: queued as 4WZ1fN1z9Yz3c\r\n")) {
				return
			}
			if taken++; f.close > 0 && taken >= f.close {
				return
			}
		case "QUIT":
			f.say(c, r, f.next(verb, "221 bye\r\n"))
			return
		default:
			if !f.say(c, r, f.next(verb, "250 2.0.0 Ok\r\n")) {
				return
			}
		}
	}
}

// say answers, or does what stands for an answer. It reports whether to go on.
func (f *faults) say(c net.Conn, r *bufio.Reader, answer string) bool {
	switch answer {
	case drop:
		return false
	case hang:
		_, _ = io.Copy(io.Discard, r)
		return false
	}
	_, err := io.WriteString(c, answer)
	return err == nil
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
func (f *faults) content(c net.Conn, r *bufio.Reader) bool {
	if f.takes > 0 {
		_, _ = io.CopyN(io.Discard, r, int64(f.takes))
		f.mu.Lock()
		f.cut++
		f.mu.Unlock()
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	}
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			f.mu.Lock()
			f.cut++
			f.mu.Unlock()
			return false
		}
		if line == ".\r\n" {
			f.mu.Lock()
			f.messages = append(f.messages, b.String())
			f.mu.Unlock()
			return true
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// auth checks the user "sender" with the password "secret".
func (f *faults) auth(c net.Conn, r *bufio.Reader, line string) bool {
	if a := f.next("AUTH", ""); a != "" {
		return f.say(c, r, a)
	}
	ask := func(challenge string) string {
		if !f.say(c, r, "334 "+base64.StdEncoding.EncodeToString([]byte(challenge))+"\r\n") {
			return ""
		}
		s, _ := r.ReadString('\n')
		b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
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
		return f.say(c, r, "235 2.7.0 welcome\r\n")
	}
	return f.say(c, r, "535 5.7.8 sender is not welcome\r\n")
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
