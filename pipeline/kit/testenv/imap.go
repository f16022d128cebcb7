package testenv

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// IMAPConfig says what kind of IMAP server a test needs.
type IMAPConfig struct {
	TLS      *tls.Config // nil: in clear
	StartTLS bool        // TLS is offered by STARTTLS instead of from the first byte
	Caps     []imap.Cap  // besides IMAP4rev1
	// Before, if set, is called before a command of FETCH, STORE, MOVE, COPY or
	// EXPUNGE. An error is the server's answer; ErrHangUp ends the connection.
	Before func(command string, body bool) error
}

// ErrHangUp makes the server end the connection without an answer.
var ErrHangUp = &imap.Error{Type: imap.StatusResponseTypeBye, Text: "gone"}

// IMAPServer is a server in the process of the test, with one user.
type IMAPServer struct {
	Addr           string
	User, Password string

	config IMAPConfig
	user   *imapmemserver.User
}

// IMAP starts a server that ends with the test. Its INBOX is empty.
func IMAP(t testing.TB, c IMAPConfig) *IMAPServer {
	t.Helper()
	s := &IMAPServer{User: "bounces@example.com", Password: `pass "word\`, config: c}
	s.user = imapmemserver.NewUser(s.User, s.Password)
	s.Folder(t, "INBOX")
	all := imapmemserver.New()
	all.AddUser(s.user)
	caps := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, cap := range c.Caps {
		caps[cap] = struct{}{}
	}
	o := &imapserver.Options{
		NewSession: func(conn *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{Session: all.NewSession(), s: s, conn: conn.NetConn()}, nil, nil
		},
		Caps: caps, InsecureAuth: c.TLS == nil, Logger: log.New(io.Discard, "", 0),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	if c.TLS != nil && !c.StartTLS {
		l = tls.NewListener(l, c.TLS)
	} else {
		o.TLSConfig = c.TLS
	}
	server := imapserver.New(o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

// Folder makes a folder.
func (s *IMAPServer) Folder(t testing.TB, name string) {
	t.Helper()
	if err := s.user.Create(name, nil); err != nil {
		t.Fatal(err)
	}
}

// Remove removes a folder; one that is made again has another UIDVALIDITY.
func (s *IMAPServer) Remove(t testing.TB, name string) {
	t.Helper()
	if err := s.user.Delete(name); err != nil {
		t.Fatal(err)
	}
}

// Put puts a message into a folder.
func (s *IMAPServer) Put(t testing.TB, folder string, raw []byte, flags ...imap.Flag) {
	t.Helper()
	if _, err := s.user.Append(folder, literal{bytes.NewReader(raw), int64(len(raw))}, &imap.AppendOptions{Flags: flags}); err != nil {
		t.Fatal(err)
	}
}

type literal struct {
	io.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

// Count returns how many messages a folder holds, and how many of them are not
// seen; -1 if there is no such folder.
func (s *IMAPServer) Count(t testing.TB, folder string) (all, unseen int) {
	t.Helper()
	d, err := s.user.Status(folder, &imap.StatusOptions{NumMessages: true, NumUnseen: true})
	if err != nil {
		return -1, -1
	}
	return int(*d.NumMessages), int(*d.NumUnseen)
}

// imapSession is a session that a test may disturb.
type imapSession struct {
	imapserver.Session
	s    *IMAPServer
	conn net.Conn
}

// before asks the test what becomes of a command.
func (x *imapSession) before(command string, body bool) error {
	if x.s.config.Before == nil {
		return nil
	}
	err := x.s.config.Before(command, body)
	if err == error(ErrHangUp) {
		_ = x.conn.Close()
	}
	return err
}

func (x *imapSession) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	if err := x.before("FETCH", len(o.BodySection) > 0); err != nil {
		return err
	}
	return x.Session.Fetch(w, set, o)
}

func (x *imapSession) Store(w *imapserver.FetchWriter, set imap.NumSet, f *imap.StoreFlags, o *imap.StoreOptions) error {
	if err := x.before("STORE", false); err != nil {
		return err
	}
	return x.Session.Store(w, set, f, o)
}

func (x *imapSession) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	if err := x.before("COPY", false); err != nil {
		return nil, err
	}
	return x.Session.Copy(set, dest)
}

func (x *imapSession) Expunge(w *imapserver.ExpungeWriter, set *imap.UIDSet) error {
	if err := x.before("EXPUNGE", false); err != nil {
		return err
	}
	return x.Session.Expunge(w, set)
}

// Move implements imapserver.SessionMove.
func (x *imapSession) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	if err := x.before("MOVE", false); err != nil {
		return err
	}
	return x.Session.(imapserver.SessionMove).Move(w, set, dest)
}
