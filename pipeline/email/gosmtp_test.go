package email_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
)

// TestGoSMTP talks to a server by other authors, which checks parameters and the
// order of commands, also over IPv6.
func TestGoSMTP(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "::1"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Skipf("nothing can listen on %s: %v", host, err)
		}
		var box inbox
		server := smtp.NewServer(&box)
		server.Domain, server.EnableDSN, server.MaxMessageBytes = "sink.test", true, 1<<20
		server.ErrorLog = log.New(io.Discard, "", 0)
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close() })

		a := l.Addr().(*net.TCPAddr) //nolint:forcetypeassert // it is TCP
		r, err := email.NewRelay(email.RelayConfig{Address: email.Address{Host: host, Port: a.Port, TLS: email.TLSNone}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		dead := message(1)
		dead.To = "dead@example.com"
		if a := c.Send(t.Context(), dead, nil); a.Phase != pipeline.PhaseRefused || a.Outcome != pipeline.Dead {
			t.Fatalf("%+v", a)
		}
		m := message(2)
		if a := c.Send(t.Context(), m, nil); a.Phase != pipeline.PhaseAccepted {
			t.Fatalf("%+v", a)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		box.mu.Lock()
		want := []mailed{{m.From, m.To, m.EnvID, "HDRS", int64(len(m.Body)), m.To, string(m.Body)}}
		if diff := cmp.Diff(want, box.mails); diff != "" {
			t.Error(diff)
		}
		box.mu.Unlock()
	}
}

// mailed is a message as the server understood it.
type mailed struct {
	From, To, EnvID, Return string
	Size                    int64
	Original                string
	Body                    string
}

type inbox struct {
	mu    sync.Mutex
	mails []mailed
}

func (b *inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &mailing{inbox: b}, nil }

type mailing struct {
	*inbox
	m mailed
}

func (s *mailing) Mail(from string, o *smtp.MailOptions) error {
	s.m = mailed{From: from, EnvID: o.EnvelopeID, Return: string(o.Return), Size: o.Size}
	return nil
}

func (s *mailing) Rcpt(to string, o *smtp.RcptOptions) error {
	if to == "dead@example.com" {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	s.m.To, s.m.Original = to, o.OriginalRecipient
	return nil
}

func (s *mailing) Data(r io.Reader) error {
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		return err
	}
	s.m.Body = b.String()
	s.mu.Lock()
	s.mails = append(s.mails, s.m)
	s.mu.Unlock()
	return nil
}

func (*mailing) Reset()        {}
func (*mailing) Logout() error { return nil }
