package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/listen"
	"github.com/art34/art34/pipeline/feedback/mailbox"
	"github.com/art34/art34/pipeline/kit/idna"
)

// feedbackOptions say by which ways mail comes back.
type feedbackOptions struct {
	FeedbackLMTP    string   `help:"Take what comes back by LMTP on this address: host:port, or unix:/path." placeholder:"ADDR" group:"every"`
	FeedbackSMTP    string   `help:"The same by SMTP." placeholder:"ADDR" group:"every"`
	FeedbackClients []string `help:"Networks that may connect by LMTP or SMTP (default: all)." placeholder:"CIDR,…" group:"every"`
	FeedbackEach    int      `help:"Connections of one client by LMTP or SMTP at a time, of 100 in all; a relay that is told to come back later does." name:"feedback-per-client" placeholder:"N" default:"50" group:"every"`
	FeedbackCert    string   `help:"TLS certificate for STARTTLS, and for events by HTTP (PEM)." placeholder:"FILE" type:"path" group:"every"`
	FeedbackKey     string   `help:"Key of the certificate (PEM)." placeholder:"FILE" type:"path" group:"every"`
	FeedbackMaildir []string `help:"Collect what comes back from these Maildirs." placeholder:"DIR,…" type:"path" group:"every"`

	FeedbackIMAP             []string `help:"Collect what comes back from these IMAP folders: imaps://user@host/FOLDER, or imap:// for STARTTLS." placeholder:"URL,…" group:"every"`
	FeedbackIMAPPasswordFile []string `help:"Files that hold their passwords, one for all or one for each; or $$ART34_FEEDBACK_IMAP_PASSWORD." placeholder:"FILE,…" type:"path" group:"every"`

	FeedbackHTTP           string   `help:"Take events of mail providers on this address: /ses and /mailgun." placeholder:"ADDR" group:"every"`
	FeedbackBehindProxy    bool     `help:"Events come through a proxy that ends TLS." group:"every"`
	FeedbackSESTopic       []string `help:"Topics of Amazon SNS that post the events of Amazon SES." placeholder:"ARN,…" group:"every"`
	FeedbackMailgunKeyFile string   `help:"File that holds the signing key of Mailgun's webhooks, two lines while it is changed; or $$ART34_FEEDBACK_MAILGUN_KEY." placeholder:"FILE" type:"path" group:"every"`

	CellMailbox string `help:"Where the answers of customers are sent on to: the mailbox of the call-centre cell." placeholder:"ADDRESS" group:"every"`
}

// feedbackService is the feedback role of a process: what listens, what collects,
// and the judge.
type feedbackService struct {
	h         *house
	back      *wayBack
	owner     string
	listeners []feedbackListener
	collect   []func(context.Context) (int, error)
	folders   []*mailbox.IMAP
	events    *eventServer // nil without an address
}

type feedbackListener struct {
	*listen.Server
	net.Listener
}

// openFeedback prepares the role: addresses that cannot be listened on are found
// now. relay may be nil: nothing is sent on to the cell then.
func (h *house) openFeedback(ctx context.Context, relay dispatch.Relay) (_ *feedbackService, err error) {
	forward, err := h.forwarder(relay)
	if err != nil {
		return nil, err
	}
	s := &feedbackService{h: h, owner: rand.Text()}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.back, err = h.newWayBack(forward); err != nil {
		return nil, err
	}
	for _, l := range []struct {
		address string
		lmtp    bool
	}{{h.FeedbackLMTP, true}, {h.FeedbackSMTP, false}} {
		if l.address == "" {
			continue
		}
		if err := s.listen(ctx, l.address, l.lmtp); err != nil {
			return nil, err
		}
	}
	for _, dir := range h.FeedbackMaildir {
		s.collect = append(s.collect, func(ctx context.Context) (int, error) {
			return mailbox.Collect(ctx, dir, maxInbound, ingestAtOnce, s.keep)
		})
	}
	if s.folders, err = h.folders(s.keep); err != nil {
		return nil, err
	}
	if s.events, err = h.openEvents(ctx, s.back.intake); err != nil {
		return nil, err
	}
	return s, nil
}

// keep keeps messages of a mailbox.
func (s *feedbackService) keep(ctx context.Context, items []mailbox.Item) error {
	list := make([]feedback.Message, len(items))
	for i, x := range items {
		list[i] = feedback.FromMailbox(x.Source, x.Raw, addresses{})
	}
	_, err := s.back.intake.Take(ctx, list...)
	return err
}

// listen opens one address.
func (s *feedbackService) listen(ctx context.Context, address string, lmtp bool) error {
	source := pipeline.FromSMTP
	if lmtp {
		source = pipeline.FromLMTP
	}
	c := listen.Config{
		LMTP: lmtp, MaxMessage: maxInbound, MaxOfClient: s.h.FeedbackEach, Takes: s.back.desk.takes, Log: s.h.log,
		Keep: func(ctx context.Context, e listen.Envelope) error {
			_, err := s.back.intake.Take(ctx, feedback.Message{Source: source, From: e.From, To: e.To, Raw: e.Raw})
			return err
		},
	}
	if c.MaxOfClient < 1 || c.MaxOfClient > 100 {
		return refuse("feedback-per-client", "one client has between 1 and 100 connections", "--feedback-per-client 50")
	}
	if name, err := os.Hostname(); err == nil {
		c.Hello = name
	}
	for _, text := range s.h.FeedbackClients {
		p, err := netip.ParsePrefix(text)
		if one, bad := netip.ParseAddr(text); err != nil && bad == nil {
			p, err = one.Prefix(one.BitLen())
		}
		if err != nil {
			return refuse("feedback-clients", fmt.Sprintf("%q is no network", text), "write networks like 10.0.0.0/8, or single addresses, with commas between")
		}
		c.Clients = append(c.Clients, p)
	}
	var err error
	if c.TLS, err = s.h.feedbackTLS(); err != nil {
		return err
	}
	server, err := listen.New(c)
	if err != nil {
		return err
	}
	network, at := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, at = "unix", path
		if stale, err := net.Dial(network, at); err == nil {
			_ = stale.Close()
		} else if i, err := os.Stat(at); err == nil && i.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(at) // left by a process that was killed
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, network, at)
	if err != nil {
		return refuse("feedback-address", "nothing can listen on "+address+": "+errors.Unwrap(err).Error(), "choose another address, or stop what listens there")
	}
	s.listeners = append(s.listeners, feedbackListener{server, l})
	s.h.say("What comes back is taken at %s (%s)", l.Addr(), source)
	return nil
}

// feedbackTLS is the certificate of the way back; nil without one.
func (h *house) feedbackTLS() (*tls.Config, error) {
	if h.FeedbackCert == "" && h.FeedbackKey == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(h.FeedbackCert, h.FeedbackKey)
	if err != nil {
		return nil, refuse("feedback-certificate", "the certificate for the way back cannot be used: "+err.Error(), "--feedback-cert and --feedback-key name two files in PEM that belong together")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// Close gives addresses back that were not served.
func (s *feedbackService) Close() {
	if s.events != nil {
		_ = s.events.listener.Close()
	}
	for _, l := range s.listeners {
		_ = l.Listener.Close()
	}
	if s.back != nil {
		s.back.Close()
	}
}

const (
	feedbackLease = "feedback"
	// feedbackTTL is how long another process waits for the judge of one that died.
	feedbackTTL = 15 * time.Second
	// judgeEvery is how soon a message that had to wait is looked at again, and
	// collectEvery how often mailboxes are.
	judgeEvery   = 250 * time.Millisecond
	judgeSlowest = 5 * time.Second
	collectEvery = 5 * time.Second
)

// run takes in and judges until ctx ends.
func (s *feedbackService) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	failed := make(chan error, len(s.listeners)+1)
	for _, l := range s.listeners {
		all.Go(func() {
			defer stop()
			if err := l.Serve(ctx, l.Listener); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	if s.events != nil {
		all.Go(func() {
			defer stop()
			if err := s.events.serve(ctx); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	for _, f := range s.folders {
		all.Go(func() { s.follow(ctx, f) })
	}
	all.Go(func() { s.judge(ctx) })
	all.Go(func() { s.gather(ctx) })
	all.Go(func() { s.beat(ctx) })
	all.Wait()
	close(failed)
	return errors.Join(<-failed)
}

// leads reports whether this process judges and collects: one at a time, or the
// same mailbox would be read twice.
func (s *feedbackService) leads(ctx context.Context) bool {
	ok, err := s.h.ledger.Lease(ctx, feedbackLease, s.owner, feedbackTTL)
	return ok && err == nil
}

// judge judges what waits. What has to wait longer is asked for less and less
// often, until something new comes.
func (s *feedbackService) judge(ctx context.Context) {
	wait := judgeEvery
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = s.h.ledger.ReleaseLease(context.WithoutCancel(ctx), feedbackLease, s.owner)
			return
		case <-s.back.kept:
		case <-timer.C:
		}
		if !s.leads(ctx) {
			timer.Reset(judgeSlowest / 2)
			continue
		}
		t, err := s.back.judge.Round(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil && !errors.Is(err, pipeline.ErrAway):
			s.h.log.Error("what came back cannot be judged now", "error", err)
			wait = judgeSlowest
		case err != nil, t[pipeline.InboundPending] > 0 && len(t) == 1:
			wait = min(2*wait, judgeSlowest)
		default:
			wait = judgeEvery
		}
		timer.Reset(wait)
	}
}

// beat says that somebody takes in what comes back.
func (s *feedbackService) beat(ctx context.Context) {
	s.h.beat(ctx, []dispatch.Role{roleFeedback}, func() heartbeat { return heartbeat{At: s.h.real.Now()} })
}

// gather collects from mailboxes.
func (s *feedbackService) gather(ctx context.Context) {
	if len(s.collect) == 0 {
		return
	}
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	said := make([]string, len(s.collect))
	for {
		for i, f := range s.collect {
			if !s.leads(ctx) {
				break
			}
			_, err := f(ctx)
			if ctx.Err() != nil {
				return
			}
			text := ""
			if err != nil {
				text = err.Error()
			}
			if text != said[i] && text != "" {
				s.h.log.Warn("a mailbox cannot be collected now; it is tried again", "error", err)
			}
			said[i] = text
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// cellForwarder sends answers on to the cell through the relay.
type cellForwarder struct {
	relay   dispatch.Relay
	mailbox string
	h       *house
}

// runFeedback plays the feedback role alone, with the console or without, beside a
// service that somebody else runs.
func (a *app) runFeedback(ctx context.Context, withConsole bool) error {
	relay, err := a.relay()
	if err != nil {
		return err
	}
	h, err := a.found(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	drain, _, release := a.signals(ctx)
	defer release()
	s, err := h.openFeedback(drain, relay)
	if err != nil {
		return err
	}
	defer s.Close()
	if withConsole {
		c, err := h.openConsole(drain)
		if err != nil {
			return err
		}
		if c != nil {
			var beside sync.WaitGroup
			defer beside.Wait()
			beside.Go(func() { c.run(drain, h) })
		}
	}
	return s.run(drain)
}

// forwarder is nil where answers stay here.
func (h *house) forwarder(relay dispatch.Relay) (feedback.Forwarder, error) {
	if h.CellMailbox == "" {
		return nil, nil
	}
	a, err := netmail.ParseAddress(h.CellMailbox)
	if err == nil {
		a.Address, err = idna.ToASCII(a.Address)
	}
	if err != nil {
		return nil, refuse("cell-mailbox", "the mailbox of the cell is no e-mail address", "write it like cell@example.com in --cell-mailbox or ART34_CELL_MAILBOX")
	}
	if relay == nil {
		h.say("note: answers cannot be sent on to the cell without a relay (ART34_RELAY); they are kept")
		return nil, nil
	}
	return &cellForwarder{relay, a.Address, h}, nil
}

// Forward implements feedback.Forwarder. The cell's own address is the reverse
// path: what cannot be delivered comes back to nobody who did not ask for it.
func (f *cellForwarder) Forward(ctx context.Context, m feedback.Message, id int64) error {
	c, err := f.relay.Dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	body := feedback.Resent(m.Raw, f.mailbox, f.mailbox, f.h.real.Now().Format(time.RFC1123Z), id)
	switch a := c.Send(ctx, &pipeline.Message{From: f.mailbox, To: f.mailbox, Body: body}, nil); a.Phase {
	case pipeline.PhaseAccepted:
		return nil
	case pipeline.PhaseRefused:
		if a.Code >= 500 || a.Code == 0 {
			return feedback.ErrNotForwarded
		}
		fallthrough
	default: // in doubt it is sent again: twice in the cell's mailbox is better than never
		return fmt.Errorf("the relay did not take it (%s %d %s)", a.Phase, a.Code, a.Enhanced)
	}
}
