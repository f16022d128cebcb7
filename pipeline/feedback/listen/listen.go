// Package listen takes mail from the relay, by LMTP (RFC 2033) or SMTP (RFC 5321).
// It answers 250 when a message is durable and not before, 451 when it cannot be,
// and never makes mail of its own.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/door"
)

// Envelope is one message for one recipient.
type Envelope struct {
	From string // reverse path, "" is the null sender
	To   string
	Raw  []byte // CRLF line ends, not dot-stuffed; shared between recipients
}

// Config says how a Server listens.
type Config struct {
	LMTP  bool   // else SMTP
	Hello string // name in the greeting
	// Takes reports whether mail to an address is for us; anything else is refused
	// with 550 5.1.1. An error is answered with 451.
	Takes func(ctx context.Context, address string) (bool, error)
	// Keep makes one message durable. It is called once a recipient, with the address
	// that Takes took; an error is answered with 451.
	Keep func(ctx context.Context, e Envelope) error
	Log  *slog.Logger

	// Clients are the networks that may connect; empty: all.
	Clients []netip.Prefix
	// TLS offers STARTTLS; nil does not.
	TLS *tls.Config

	MaxMessage     int64         // bytes; 0: 10 MiB
	MaxLine        int           // bytes; 0: 1 MiB. RFC 5321 allows 1,000, real reports have more
	MaxRecipients  int           // of one message; 0: 100
	MaxConnections int           // at a time; 0: 100
	MaxOfClient    int           // connections of one client at a time (as door.Room counts); 0: half of all
	MaxMemory      int64         // bytes of all messages that are being read; 0: 64 MiB
	Idle           time.Duration // without a command, and for one message; 0: 5 min (RFC 5321 §4.5.3.2.7)
	// Stay is how long a client keeps its connection without a message that was kept,
	// whatever else it says; 0: 15 min. Nobody holds all connections by saying NOOP.
	Stay time.Duration
}

func (c Config) withDefaults() Config {
	if c.MaxMessage <= 0 {
		c.MaxMessage = 10 << 20
	}
	if c.MaxLine <= 0 {
		c.MaxLine = 1 << 20
	}
	if c.MaxRecipients <= 0 {
		c.MaxRecipients = 100
	}
	if c.MaxConnections <= 0 {
		c.MaxConnections = 100
	}
	if c.MaxOfClient <= 0 {
		c.MaxOfClient = max(1, c.MaxConnections/2)
	}
	if c.MaxMemory <= 0 {
		c.MaxMemory = 64 << 20
	}
	if c.Idle <= 0 {
		c.Idle = 5 * time.Minute
	}
	if c.Stay <= 0 {
		c.Stay = 15 * time.Minute
	}
	if c.Hello == "" {
		c.Hello = "localhost"
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Server takes mail. It is safe for concurrent use.
type Server struct {
	config Config
	memory atomic.Int64 // bytes of messages that are being read
	room   *door.Room

	mu     sync.Mutex
	guests map[*guest]struct{}
}

// New checks the configuration.
func New(c Config) (*Server, error) {
	if c.Takes == nil || c.Keep == nil {
		return nil, errors.New("listen: Config.Takes or Keep is missing")
	}
	c = c.withDefaults()
	return &Server{config: c, room: door.NewRoom(c.MaxConnections, c.MaxOfClient), guests: map[*guest]struct{}{}}, nil
}

// grace is how long transactions that have a recipient may take to their end when
// the server stops.
const grace = 10 * time.Second

// Serve takes mail from l until ctx ends, and closes l. Messages that are being
// read then are taken to their end, within a moment: what is not answered with 250
// the relay keeps.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	inner := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{s: s, ctx: ctx, guest: guestOf(c.Conn())}, nil
	}))
	inner.LMTP, inner.Domain, inner.TLSConfig = s.config.LMTP, s.config.Hello, s.config.TLS
	inner.MaxRecipients, inner.MaxMessageBytes, inner.MaxLineLength = s.config.MaxRecipients, s.config.MaxMessage, s.config.MaxLine
	inner.ReadTimeout, inner.WriteTimeout = s.config.Idle, s.config.Idle
	inner.EnableSMTPUTF8 = true
	inner.ErrorLog = log.New(io.Discard, "", 0) // it would repeat what clients say
	served := make(chan error, 1)
	go func() { served <- inner.Serve(&doorman{Listener: l, s: s}) }()
	select {
	case err := <-served:
		return errors.Join(err, inner.Close())
	case <-ctx.Done():
	}
	_ = l.Close()
	<-served // nobody comes in any more, and all who did are guests
	s.leave()
	_ = inner.Close()
	return nil
}

// leave closes connections as soon as they are in no transaction.
func (s *Server) leave() {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(grace)
	defer end.Stop()
	for {
		busy := false
		s.mu.Lock()
		for g := range s.guests {
			if g.busy.Load() {
				busy = true
			} else {
				_ = g.Conn.Close()
			}
		}
		s.mu.Unlock()
		if !busy {
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			return
		}
	}
}

// doorman lets in whom it may, and no more than there is room for: of one client, so
// that a stranger does not keep the relay out, and of all.
type doorman struct {
	net.Listener
	s *Server
}

// Accept implements net.Listener.
func (d *doorman) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !d.s.welcome(c.RemoteAddr()) {
			d.s.config.Log.Warn("a client that is not on the list was turned away", "client", host(c.RemoteAddr()))
			turnAway(c, "554 5.7.1 not for you\r\n")
			continue
		}
		g := &guest{Conn: c, s: d.s}
		g.stay()
		if !d.s.enter(g) {
			turnAway(c, "421 4.3.2 too many connections, come back later\r\n")
			continue
		}
		return g, nil
	}
}

// enter lets a guest in if there is room.
func (s *Server) enter(g *guest) bool {
	if !s.room.Enter(g.RemoteAddr()) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.guests[g] = struct{}{}
	return true
}

// guest is a connection that counts.
type guest struct {
	net.Conn
	s    *Server
	busy atomic.Bool // in a transaction that has a recipient
	end  atomic.Int64
}

// stay lets a guest stay from now on.
func (g *guest) stay() { g.end.Store(clock.Real{}.Now().Add(g.s.config.Stay).UnixNano()) }

// SetReadDeadline implements net.Conn: never later than the guest may stay.
func (g *guest) SetReadDeadline(t time.Time) error {
	if end := time.Unix(0, g.end.Load()); t.IsZero() || t.After(end) {
		t = end
	}
	return g.Conn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (g *guest) SetDeadline(t time.Time) error {
	return errors.Join(g.SetReadDeadline(t), g.SetWriteDeadline(t))
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.s.mu.Lock()
	_, here := g.s.guests[g]
	delete(g.s.guests, g)
	g.s.mu.Unlock()
	if here {
		g.s.room.Leave(g.RemoteAddr())
	}
	return g.Conn.Close()
}

// guestOf finds the guest beneath TLS.
func guestOf(c net.Conn) *guest {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g, _ := c.(*guest)
	return g
}

func turnAway(c net.Conn, line string) {
	go func() {
		_ = c.SetDeadline(clock.Real{}.Now().Add(time.Second))
		_, _ = io.WriteString(c, line)
		_ = c.Close()
	}()
}

// welcome reports whether a client may connect.
func (s *Server) welcome(a net.Addr) bool {
	if len(s.config.Clients) == 0 || a.Network() == "unix" {
		return true // who may reach a socket of this machine, the file system says
	}
	at, err := netip.ParseAddrPort(a.String())
	return err == nil && slices.ContainsFunc(s.config.Clients, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.Network()
	}
	return h
}
