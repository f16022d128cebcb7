package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"

	"github.com/emersion/go-smtp"
)

// ErrRefused says that a mailbox will never take a message.
var ErrRefused = errors.New("refused for good")

// Mailbox takes what comes back. nil means that it is safe there; any error but
// ErrRefused and one of SMTP with a code from 500 on, that it is to be tried again.
type Mailbox interface {
	Deliver(ctx context.Context, from, to string, raw []byte) error
}

// permanent reports whether a delivery was refused for good.
func permanent(err error) bool {
	var reply *smtp.SMTPError
	return errors.Is(err, ErrRefused) || errors.As(err, &reply) && reply.Code >= 500
}

// LMTP is a Mailbox behind an LMTP server (RFC 2033), as a relay knows it. It keeps
// connections open; Close ends them.
type LMTP struct {
	Network, Address string // "tcp" or "unix", and where

	mu   sync.Mutex
	idle []*smtp.Client
}

// Deliver implements Mailbox.
func (m *LMTP) Deliver(ctx context.Context, from, to string, raw []byte) error {
	c, err := m.client(ctx)
	if err != nil {
		return err
	}
	if err := transact(c, from, to, raw); err != nil {
		_ = c.Close()
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle = append(m.idle, c)
	return nil
}

func transact(c *smtp.Client, from, to string, raw []byte) error {
	if err := c.Mail(from, nil); err != nil {
		return err
	}
	if err := c.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := bytes.NewReader(raw).WriteTo(w); err != nil {
		return err
	}
	return w.Close()
}

func (m *LMTP) client(ctx context.Context) (*smtp.Client, error) {
	m.mu.Lock()
	if n := len(m.idle); n > 0 {
		c := m.idle[n-1]
		m.idle = m.idle[:n-1]
		m.mu.Unlock()
		return c, nil
	}
	m.mu.Unlock()
	var d net.Dialer
	conn, err := d.DialContext(ctx, m.Network, m.Address)
	if err != nil {
		return nil, err
	}
	c := smtp.NewClientLMTP(conn)
	if err := c.Hello("relay.practice.example"); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Close ends the connections that are not in use.
func (m *LMTP) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all error
	for _, c := range m.idle {
		all = errors.Join(all, c.Close())
	}
	m.idle = nil
	return all
}
