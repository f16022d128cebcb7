package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/art34/art34/pipeline/kit/clock"
)

// RelayConfig says how a practice relay behaves.
type RelayConfig struct {
	Seed    uint64
	Mix     Mix
	Maildir string // where to keep the messages; "": they are counted only

	// Clock is that of the business, by which what comes back takes its time. nil is
	// the machine's.
	Clock  clock.Clock
	Window time.Duration // the bounce window, after which the very late bounces come; 0: 120 h
	// Attempt tells from a return path the number of the attempt that carries it, 0
	// for one that is none of the campaign's. nil: every message is a first attempt.
	Attempt func(returnPath string) int
	// Home reports whether a domain is ours: mail to it is handed on as it is. nil:
	// none is.
	Home func(domain string) bool
	// Journal is the file in which what is to come back outlives the process; "": it
	// is in memory only. It holds what the headers of the mails hold.
	Journal string
}

// Counts is what a practice relay saw since it was started.
type Counts struct {
	Accepted, Refused, Deferred, Dropped int64
	Bytes                                int64
	Returned                             map[string]int64 // what came back, by what it was
}

// Relay is a practice relay. It offers PIPELINING, 8BITMIME, SMTPUTF8, DSN, SIZE
// and enhanced status codes, neither TLS nor AUTH.
type Relay struct {
	config RelayConfig
	shares []share
	server *smtp.Server
	store  *maildir
	outbox *outbox
	post   *post

	accepted, refused, deferred, dropped, bytes atomic.Int64
}

// NewRelay returns a relay and makes its Maildir. What an earlier one planned in
// the same journal is taken up.
func NewRelay(c RelayConfig) (*Relay, error) {
	if c.Clock == nil {
		c.Clock = clock.Real{}
	}
	if c.Window == 0 {
		c.Window = 120 * time.Hour
	}
	r := &Relay{config: c, shares: c.Mix.table()}
	var err error
	if c.Maildir != "" {
		if r.store, err = newMaildir(c.Maildir); err != nil {
			return nil, err
		}
	}
	if r.post, err = newPost(c.Seed); err != nil {
		return nil, err
	}
	if r.outbox, err = newOutbox(c.Journal); err != nil {
		return nil, err
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
	stop := context.AfterFunc(ctx, func() {
		_ = l.Close() // the server may not know it yet
		_ = s.Close()
	})
	defer stop()
	err := s.Serve(grouping{l})
	if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
		return nil
	}
	return err
}

// Return delivers what comes back to m, each at its time, until ctx ends; it fails
// if m refuses something for good. Mail to a domain of ours that m refuses is
// returned to its sender, as any other that is refused.
func (r *Relay) Return(ctx context.Context, m Mailbox) error {
	return r.outbox.serve(ctx, r.config.Clock.Now, func(ctx context.Context, e *entry) error {
		if e.What == whatHome {
			err := m.Deliver(ctx, e.From, e.To, e.Raw)
			if !permanent(err) {
				return err
			}
			if e.From == "" {
				return nil // nobody is told of a notification that nobody wants (RFC 5321 §4.5.5)
			}
			o := e.original
			o.Header = headerOf(e.Raw)
			return r.outbox.plan(&entry{Due: e.Due, What: whatDead, original: o})
		}
		to, raw, err := r.post.write(e.What, e.original, time.UnixMicro(e.Due))
		if err != nil {
			return err
		}
		return m.Deliver(ctx, sender(e.What, e.original), to, raw)
	})
}

// Coming is how many messages are still to come back.
func (r *Relay) Coming() int { return r.outbox.left() }

// Overdue reports whether something that should have come back by now has not.
func (r *Relay) Overdue() bool { return r.outbox.overdue(r.config.Clock.Now()) }

// Close ends Serve and closes all connections and the journal.
func (r *Relay) Close() error { return errors.Join(r.server.Close(), r.outbox.close()) }

// Counts returns what was seen so far.
func (r *Relay) Counts() Counts {
	return Counts{
		Accepted: r.accepted.Load(), Refused: r.refused.Load(), Deferred: r.deferred.Load(), Dropped: r.dropped.Load(),
		Bytes: r.bytes.Load(), Returned: r.outbox.counts(),
	}
}

// session is one connection of a client.
type session struct {
	relay           *Relay
	conn            *smtp.Conn
	from, to, envID string
	fate            fate
	home, drop      bool
}

func (s *session) Reset() { *s = session{relay: s.relay, conn: s.conn} }

func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.from = from
	if o != nil {
		s.envID = o.EnvelopeID
	}
	return nil
}

// Rcpt decides by the chance of the recipient what becomes of the message.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	r := s.relay
	s.to, s.fate, s.drop = to, fateNone, false
	if s.home = r.config.Home != nil && r.config.Home(domainOf(to)); s.home {
		return nil
	}
	attempt := r.attempt(s.from)
	if attempt == 0 {
		return nil
	}
	s.fate = r.fateOf(to, attempt)
	switch s.fate {
	case fateDead:
		return r.refuse(550, smtp.EnhancedCode{5, 1, 1}, "Recipient address rejected: User unknown")
	case fateGrey:
		first, err := r.outbox.firstTime(r.key(fateGrey, to))
		if err != nil {
			return err
		}
		if first {
			return r.deferral(451, smtp.EnhancedCode{4, 7, 1}, "Greylisted, please try again later")
		}
	case fateFull:
		return r.deferral(452, smtp.EnhancedCode{4, 2, 2}, "Mailbox full")
	case fateOver:
		return r.refuse(552, smtp.EnhancedCode{5, 2, 2}, "Mailbox full: quota exceeded")
	case fatePolicy:
		return r.refuse(550, smtp.EnhancedCode{5, 7, 1}, "Message refused by policy")
	case fateDrop:
		var err error
		if s.drop, err = r.outbox.firstTime(r.key(fateDrop, to)); err != nil {
			return err
		}
	case fateSlow:
		time.Sleep(r.config.Mix.SlowFor)
	}
	return nil
}

func (r *Relay) attempt(from string) int {
	if r.config.Attempt == nil {
		return 1
	}
	return r.config.Attempt(from)
}

// key names a fault of a recipient that happens once only, without the recipient.
func (r *Relay) key(f fate, to string) uint64 {
	return math.Float64bits(chance(r.config.Seed, "once/"+string(f), to))
}

func (r *Relay) refuse(code int, e smtp.EnhancedCode, text string) error {
	r.refused.Add(1)
	return &smtp.SMTPError{Code: code, EnhancedCode: e, Message: text}
}

func (r *Relay) deferral(code int, e smtp.EnhancedCode, text string) error {
	r.deferred.Add(1)
	return &smtp.SMTPError{Code: code, EnhancedCode: e, Message: text}
}

// Data keeps the message, and plans what comes back for it, before it says so. A
// dropped one is kept as well: the relay took it, only its answer is lost.
func (s *session) Data(body io.Reader) error {
	r := s.relay
	var list []coming
	if s.home {
		list = []coming{{what: whatHome}}
	} else if r.attempt(s.from) > 0 {
		list = r.coming(s.fate, s.from)
	}
	var kept head
	switch {
	case s.home:
		kept.most = maxHome
	case len(list) > 0:
		kept.most = maxHeader
	}
	body = io.TeeReader(body, &kept)
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
	if err := r.plan(s, list, kept.Bytes()); err != nil {
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

// plan puts what comes back for an accepted message into the outbox.
func (r *Relay) plan(s *session, list []coming, kept []byte) error {
	if len(list) == 0 {
		return nil
	}
	now := r.config.Clock.Now()
	entries := make([]*entry, len(list))
	for i, c := range list {
		e := &entry{Due: now.Add(c.after).UnixMicro(), What: c.what, original: original{From: s.from, To: s.to, EnvID: s.envID}}
		if c.what == whatHome {
			e.Raw = kept
		} else {
			e.Header = headerOf(kept)
		}
		entries[i] = e
	}
	return r.outbox.plan(entries...)
}

// headerOf is the header at the beginning of a message, with LF line ends.
func headerOf(raw []byte) string {
	header, _, _ := strings.Cut(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n\n")
	return header
}

const (
	maxHeader = 8 << 10 // bytes of a header that are quoted
	maxHome   = 1 << 20 // bytes of a message to ourselves
)

// head keeps the beginning of what is written to it.
type head struct {
	bytes.Buffer
	most int
}

// Write implements io.Writer.
func (h *head) Write(b []byte) (int, error) {
	if room := h.most - h.Len(); room > 0 {
		h.Buffer.Write(b[:min(room, len(b))])
	}
	return len(b), nil
}
