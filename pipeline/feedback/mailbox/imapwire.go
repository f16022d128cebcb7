package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

const (
	// patience is how long the server may be silent.
	patience = 2 * time.Minute
	// smallTalk bounds what the server may say besides what it was asked for.
	smallTalk = 1 << 20
)

// wire is a connection on which no more is read than was allowed, nor waited for
// without end: an IMAP server may announce a literal of gigabytes, or never end a
// line, and the library takes both.
type wire struct {
	net.Conn
	left atomic.Int64
	over atomic.Bool // the server said more than it was allowed to
}

var errOver = errors.New("the server sends more than it was asked for")

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	left := w.left.Load()
	if left <= 0 {
		w.over.Store(true)
		return 0, errOver
	}
	if err := w.Conn.SetReadDeadline(clock.Real{}.Now().Add(patience)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(b[:min(int64(len(b)), left)])
	w.left.Add(-int64(n))
	return n, err
}

// SetReadDeadline implements net.Conn: the library would take its own away.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// allow says how much may be read from now on.
func (w *wire) allow(n int64) { w.left.Store(n) }

// session is a connection of somebody who has logged in.
type session struct {
	*imapclient.Client
	wire *wire
	caps imap.CapSet // after the login
}

// entrance is how long connecting and logging in may take.
const entrance = time.Minute

// enter is connect within bounds. The library can wait for ever for a server that
// answers a login before its question was answered: such a conversation is left
// behind with its connection closed.
func (c IMAPConfig) enter(ctx context.Context) (*session, error) {
	type entered struct {
		s   *session
		err error
	}
	ctx, cancel := context.WithTimeout(ctx, entrance)
	done := make(chan entered, 1)
	go func() {
		defer cancel()
		s, err := c.connect(ctx)
		done <- entered{s, err}
	}()
	select {
	case e := <-done:
		return e.s, e.err
	case <-ctx.Done():
	}
	select {
	case e := <-done:
		return e.s, e.err
	case <-time.After(time.Second):
		return nil, errors.New("the folder cannot be entered: the login does not come to an end")
	}
}

// connect dials, protects the connection and logs in.
func (c IMAPConfig) connect(ctx context.Context) (_ *session, err error) {
	conn, err := c.Dial(ctx, c.Account.Server())
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn}
	w.allow(smallTalk)
	s := &session{wire: w}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() {
		if err != nil {
			_ = conn.Close()
			err = s.explain(err, "cannot be entered")
		}
	}()
	secure := &tls.Config{ServerName: c.Account.Host, RootCAs: c.Roots, MinVersion: tls.VersionTLS12, NextProtos: []string{"imap"}}
	switch {
	case c.Account.Clear:
		s.Client = imapclient.New(w, nil)
	case c.Account.Whole:
		t := tls.Client(w, secure)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		s.Client = imapclient.New(t, nil)
	default:
		if s.Client, err = imapclient.NewStartTLS(w, &imapclient.Options{TLSConfig: secure}); err != nil {
			return nil, err
		}
	}
	if err := s.WaitGreeting(); err != nil {
		return nil, err
	}
	if s.State() == imap.ConnStateNotAuthenticated {
		if err := s.login(c); err != nil {
			return nil, err
		}
	}
	// What a server can do it often says after the login only.
	s.caps, err = s.Capability().Wait()
	return s, err
}

// login says who we are. The secret is read now: a token changes by the hour.
func (s *session) login(c IMAPConfig) error {
	secret, err := c.Secret()
	if err != nil {
		return err
	}
	if c.Account.OAuth {
		return s.Authenticate(&mechanism{name: "XOAUTH2", first: "user=" + c.Account.User + "\x01auth=Bearer " + secret + "\x01\x01"})
	}
	if caps := s.Caps(); caps.Has(imap.CapLoginDisabled) {
		return s.Authenticate(&mechanism{name: "PLAIN", first: "\x00" + c.Account.User + "\x00" + secret})
	}
	return s.Login(c.Account.User, secret).Wait()
}

// mechanism is a way to authenticate that says everything at once.
type mechanism struct{ name, first string }

// Start implements sasl.Client.
func (m *mechanism) Start() (string, []byte, error) { return m.name, []byte(m.first), nil }

// Next implements sasl.Client: XOAUTH2 explains a refusal before it gives it, and
// wants an empty answer.
func (m *mechanism) Next([]byte) ([]byte, error) { return []byte{}, nil }

// hangUp ends the connection at once.
func (s *session) hangUp() {
	if s != nil {
		_ = s.wire.Close()
	}
}

// explain says what failed in words that hold nothing of the server's text, which
// may name the user.
func (s *session) explain(err error, what string) error {
	var (
		refused *imap.Error
		network net.Error
		trust   *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		ours    *pipeline.Error // the secret cannot be read
	)
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.As(err, &ours):
		return err
	case s.wire.over.Load():
		return fmt.Errorf("the folder %s: %w", what, errOver)
	case errors.As(err, &refused):
		return &refusal{what, strings.TrimSpace(string(refused.Type) + " " + word(string(refused.Code)))}
	case errors.As(err, &trust), errors.As(err, &unknown):
		return fmt.Errorf("the folder %s: the server's certificate is not trusted: %w", what, err)
	case errors.As(err, &network):
		return fmt.Errorf("the folder %s: %w", what, err)
	}
	return fmt.Errorf("the folder %s: the connection broke, or the server does not speak IMAP as it should", what)
}

// refusal is an answer of the server.
type refusal struct{ what, answer string }

func (r *refusal) Error() string { return "the folder " + r.what + ": the server says " + r.answer }

// word keeps a response code only if it is one.
func word(code string) string {
	if len(code) > 40 || strings.ContainsFunc(code, func(r rune) bool { return r != '-' && (r < 'A' || r > 'Z') }) {
		return ""
	}
	return code
}
