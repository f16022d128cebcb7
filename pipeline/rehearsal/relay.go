package rehearsal

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// Mix gives the shares of what goes wrong, each between 0 and 1 of all
// recipients. What is left is accepted.
type Mix struct {
	Dead    float64       // 550 5.1.1 at RCPT, every time
	Grey    float64       // 451 4.7.1 at RCPT the first time, then accepted
	Full    float64       // 452 4.2.2 at RCPT, every time
	Over    float64       // 552 5.2.2 at RCPT, every time
	Policy  float64       // 550 5.7.1 at RCPT, every time: a provider that refuses us
	Drop    float64       // takes the message and drops the connection instead of answering, the first time
	Slow    float64       // answers late
	SlowFor time.Duration // how late
}

// RelayConfig says how a practice relay behaves.
type RelayConfig struct {
	Seed    uint64
	Mix     Mix
	Maildir string // where to keep the messages; "": they are counted only
}

// Counts is what a practice relay saw.
type Counts struct {
	Accepted, Refused, Deferred, Dropped int64
	Bytes                                int64
}

// Relay is a practice relay. It offers PIPELINING, 8BITMIME, SMTPUTF8, DSN, SIZE
// and enhanced status codes, neither TLS nor AUTH.
type Relay struct {
	config RelayConfig
	server *smtp.Server
	store  *maildir

	accepted, refused, deferred, dropped, bytes atomic.Int64

	mu   sync.Mutex
	once map[float64]bool // chances of recipients that failed once already
}

// NewRelay returns a relay and makes its Maildir.
func NewRelay(c RelayConfig) (*Relay, error) {
	r := &Relay{config: c, once: map[float64]bool{}}
	if c.Maildir != "" {
		store, err := newMaildir(c.Maildir)
		if err != nil {
			return nil, err
		}
		r.store = store
	}
	r.server = smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		return &session{relay: r, conn: conn}, nil
	}))
	configure(r.server)
	return r, nil
}

// configure sets what a practice server and a sink have in common.
func configure(s *smtp.Server) {
	s.Domain = "practice.example"
	s.MaxMessageBytes = 32 << 20
	s.MaxRecipients = 1000
	s.MaxLineLength = 2000
	s.ReadTimeout, s.WriteTimeout = 5*time.Minute, 5*time.Minute
	s.EnableDSN, s.EnableSMTPUTF8 = true, true
	s.ErrorLog = log.New(io.Discard, "", 0) // a client that hangs up is no news
}

// Serve answers on l until ctx ends or Close is called; it closes l.
func (r *Relay) Serve(ctx context.Context, l net.Listener) error { return serve(ctx, r.server, l) }

func serve(ctx context.Context, s *smtp.Server, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	err := s.Serve(grouping{l})
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
		return nil
	}
	return err
}

// Close ends Serve and closes all connections.
func (r *Relay) Close() error { return r.server.Close() }

// Counts returns what was seen so far.
func (r *Relay) Counts() Counts {
	return Counts{Accepted: r.accepted.Load(), Refused: r.refused.Load(), Deferred: r.deferred.Load(), Dropped: r.dropped.Load(), Bytes: r.bytes.Load()}
}

// firstTime reports whether this is the first time that a recipient of this chance
// meets a fault that passes.
func (r *Relay) firstTime(c float64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.once[c]
	r.once[c] = true
	return !was
}

// session is one connection of a client.
type session struct {
	relay    *Relay
	conn     *smtp.Conn
	from, to string
	drop     bool
}

func (s *session) Reset() { s.from, s.to, s.drop = "", "", false }

func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt decides by the chance of the recipient what becomes of the message.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	r, m := s.relay, s.relay.config.Mix
	c := chance(r.config.Seed, "rcpt", to)
	in := func(share float64) bool {
		hit := c >= 0 && c < share
		c -= share
		return hit
	}
	key := c
	switch {
	case in(m.Dead):
		return r.refuse(550, smtp.EnhancedCode{5, 1, 1}, "Recipient address rejected: User unknown")
	case in(m.Grey):
		if r.firstTime(key) {
			return r.deferral(451, smtp.EnhancedCode{4, 7, 1}, "Greylisted, please try again later")
		}
	case in(m.Full):
		return r.deferral(452, smtp.EnhancedCode{4, 2, 2}, "Mailbox full")
	case in(m.Over):
		return r.refuse(552, smtp.EnhancedCode{5, 2, 2}, "Mailbox full: quota exceeded")
	case in(m.Policy):
		return r.refuse(550, smtp.EnhancedCode{5, 7, 1}, "Message refused by policy")
	case in(m.Drop):
		s.drop = r.firstTime(key)
	case in(m.Slow):
		time.Sleep(m.SlowFor)
	}
	s.to = to
	return nil
}

func (r *Relay) refuse(code int, e smtp.EnhancedCode, text string) error {
	r.refused.Add(1)
	return &smtp.SMTPError{Code: code, EnhancedCode: e, Message: text}
}

func (r *Relay) deferral(code int, e smtp.EnhancedCode, text string) error {
	r.deferred.Add(1)
	return &smtp.SMTPError{Code: code, EnhancedCode: e, Message: text}
}

// Data keeps the message. A dropped one is kept as well: the relay took it, only
// its answer is lost.
func (s *session) Data(body io.Reader) error {
	r := s.relay
	var n int64
	var err error
	if r.store != nil {
		n, err = r.store.deliver(s.from, s.to, body)
	} else {
		n, err = io.Copy(io.Discard, body)
	}
	if err != nil {
		return err
	}
	r.bytes.Add(n)
	r.accepted.Add(1)
	if s.drop {
		r.dropped.Add(1)
		_ = s.conn.Conn().Close()
	}
	return nil
}
