package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/redact"
	"github.com/art34/art34/pipeline/kit/smtpcode"
)

// Dial opens a connection that is ready for Send: greeted, encrypted and
// authenticated as configured. Errors are *pipeline.Error with the codes
// "relay-away" (and pipeline.ErrAway: try again later), "relay-tls", "relay-auth"
// and "relay-refuses" (Permanent: somebody has to change something).
func (r *Relay) Dial(ctx context.Context) (*Conn, error) {
	c := &Conn{relay: r}
	if err := c.dial(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// dial makes c a fresh connection.
func (c *Conn) dial(ctx context.Context) error {
	cfg := &c.relay.config
	setup := &setup{config: cfg, ctx: ctx}
	client, err := setup.open()
	if setup.stop != nil && !setup.stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		err = setup.explain(err)
		// go-mail keeps its sockets to itself when a step after connecting fails.
		if setup.wire != nil {
			setup.wire.abort()
		}
		return err
	}
	c.client, c.wire = client, setup.wire
	c.sent, c.reset, c.last = 0, false, clock.Real{}.Now()
	c.learn()
	return nil
}

// setup is the opening of one connection.
type setup struct {
	config *RelayConfig
	ctx    context.Context
	wire   *wire       // once connected
	stop   func() bool // once connected: ends the watch over ctx
	login  *login      // with a user
}

// open lets go-mail connect, encrypt and authenticate.
func (s *setup) open() (*smtp.Client, error) {
	a := s.config.Address
	encryption := &tls.Config{ServerName: a.Host, RootCAs: s.config.RootCAs, MinVersion: tls.VersionTLS12}
	options := []mail.Option{
		mail.WithPort(a.Port),
		mail.WithTimeout(s.config.Timeouts.Setup),
		mail.WithHELO(s.config.Hello),
		mail.WithTLSConfig(encryption),
		mail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			// The library's own address has no brackets around IPv6.
			raw, err := s.config.DialContext(ctx, network, a.hostport())
			if err != nil {
				return nil, err
			}
			s.wire = &wire{Conn: raw}
			// The library looks at ctx only while it connects.
			s.stop = context.AfterFunc(s.ctx, s.wire.abort)
			if a.TLS == TLSWhole {
				return tls.Client(s.wire, encryption), nil
			}
			return s.wire, nil
		}),
	}
	switch a.TLS {
	case TLSWhole:
		options = append(options, mail.WithSSL())
	case TLSNone:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if a.User != "" {
		s.login = &login{user: a.User, password: s.config.Password, host: a.Host, local: a.loopback()}
		options = append(options, mail.WithSMTPAuthCustom(s.login))
	}
	client, err := mail.NewClient(a.Host, options...)
	if err != nil {
		return nil, err
	}
	return client.DialToSMTPClientWithContext(s.ctx)
}

// explain translates what went wrong. It looks at types and at how far the setup
// got, never at the text of an error.
func (s *setup) explain(err error) error {
	where := s.config.Address.hostport()
	e := &pipeline.Error{Code: "relay-away", Sentence: "the relay at " + where + " cannot be reached", Hint: "check that it runs and that ART34_RELAY names it; sending goes on by itself when it is back"}
	away := func(cause error) error {
		e.Cause = fmt.Errorf("%w: %w", pipeline.ErrAway, cause)
		return e
	}
	var reply *textproto.Error
	switch authenticating := s.login != nil && s.login.started; {
	case s.ctx.Err() != nil:
		return away(context.Cause(s.ctx))
	case errors.As(err, &reply):
		said := fmt.Errorf("it answers %d %s", reply.Code, redact.Line(redact.Recipient(reply.Msg, s.config.Address.User), maxReply))
		switch {
		case reply.Code/100 != 5:
			e.Sentence = "the relay at " + where + " asks to come back later"
			return away(said)
		case authenticating:
			return refusal("relay-auth", "the relay at "+where+" does not accept our user name and password", "check the user in ART34_RELAY and the password file", said)
		}
		return refusal("relay-refuses", "the relay at "+where+" does not want to talk to us", "ask whoever runs it", said)
	case errors.Is(err, errMechanism):
		return refusal("relay-auth", "the relay at "+where+" offers no way to log in that we know", "PLAIN, LOGIN, CRAM-MD5 or SCRAM is needed; take the user out of ART34_RELAY if it needs none", nil)
	case errors.Is(err, errClear):
		return refusal("relay-auth", "the relay at "+where+" wants the password in clear", "use STARTTLS or smtps://", nil)
	}
	return s.explainWire(e, err, away)
}

// explainWire translates failures of TLS, of the protocol and of the network.
func (s *setup) explainWire(e *pipeline.Error, err error, away func(error) error) error {
	where := s.config.Address.hostport()
	var (
		certificate *tls.CertificateVerificationError
		header      tls.RecordHeaderError
		alert       tls.AlertError
		protocol    textproto.ProtocolError
		network     net.Error
	)
	switch {
	case errors.As(err, &certificate):
		return refusal("relay-tls", "the certificate of the relay at "+where+" is not to be trusted", "use the name that is in the certificate, or install its authority on this machine", certificate.Err)
	case errors.As(err, &header):
		return refusal("relay-tls", "the relay at "+where+" does not speak TLS there", "smtps:// is for TLS from the first byte (port 465), smtp:// for STARTTLS (port 587 or 25)", nil)
	case errors.As(err, &alert):
		return refusal("relay-tls", "the relay at "+where+" and we find no common TLS", "it needs TLS 1.2 or newer", alert)
	case errors.As(err, &protocol):
		return refusal("relay-refuses", "what answers at "+where+" is no mail relay", "check host, port and scheme of ART34_RELAY", nil)
	case errors.As(err, &network):
		return away(err)
	case s.wire == nil, s.wire.failed(), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return away(err)
	case s.login != nil && s.login.started:
		return refusal("relay-auth", "logging in at the relay at "+where+" failed", "check the user in ART34_RELAY and the password file", nil)
	case s.config.Address.TLS == TLSStart:
		return refusal("relay-tls", "the relay at "+where+" does not offer STARTTLS", "repair that; or write ?tls=none if the network between is yours alone", nil)
	}
	return away(err)
}

func refusal(code, sentence, hint string, cause error) error {
	return &pipeline.Error{Code: code, Sentence: sentence, Hint: hint, Permanent: true, Cause: cause}
}

var (
	errMechanism = errors.New("no common authentication mechanism")
	errClear     = errors.New("authentication in clear")
)

// login chooses the mechanism when the relay has said which ones it knows, and
// leaves the rest to go-mail.
type login struct {
	user, password, host string
	local                bool // the relay is on this machine
	started              bool
	inner                smtp.Auth
}

// Start implements smtp.Auth.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	l.started = true
	if !server.TLS && !l.local {
		return "", nil, errClear
	}
	// A password that is hashed on the way comes first; on an encrypted connection
	// CRAM-MD5 comes last, because relays offer it and then cannot check it.
	order := []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"}
	if !server.TLS {
		order = []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	for _, mechanism := range order {
		if !slices.ContainsFunc(server.Auth, func(s string) bool { return strings.EqualFold(s, mechanism) }) {
			continue
		}
		switch mechanism {
		case "SCRAM-SHA-256":
			l.inner = smtp.ScramSHA256Auth(l.user, l.password)
		case "SCRAM-SHA-1":
			l.inner = smtp.ScramSHA1Auth(l.user, l.password)
		case "PLAIN":
			l.inner = smtp.PlainAuth("", l.user, l.password, l.host, l.local)
		case "LOGIN":
			l.inner = smtp.LoginAuth(l.user, l.password, l.host, l.local)
		case "CRAM-MD5":
			l.inner = smtp.CRAMMD5Auth(l.user, l.password)
		}
		return l.inner.Start(server)
	}
	return "", nil, errMechanism
}

// Next implements smtp.Auth.
func (l *login) Next(fromServer []byte, more bool) ([]byte, error) {
	return l.inner.Next(fromServer, more)
}

// learn notes what the relay offers.
func (c *Conn) learn() {
	offers := func(name string) bool {
		ok, _ := c.client.Extension(name)
		return ok
	}
	c.pipelining = !c.relay.config.Plain && offers("PIPELINING")
	c.eightBit = offers("8BITMIME")
	c.dsn = offers("DSN")
	ok, limit := c.client.Extension("SIZE")
	c.size, c.limit = ok, 0
	if n, valid := parseSize(limit); valid {
		c.limit = n
	}
}

// parseSize reads the limit of RFC 1870, section 4; 0 means that there is none.
func parseSize(s string) (int64, bool) {
	var n int64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1<<50 {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, s != ""
}

// replyStatus returns the enhanced status code of a reply: at its start as RFC
// 2034 has it, or somewhere in the text, if its class agrees with the reply code.
func replyStatus(code int, text string) smtpcode.Status {
	if s, ok := smtpcode.ParseStatus(text); ok && s.Class == code/100 {
		return s
	}
	if s, ok := smtpcode.Find(text); ok && s.Class == code/100 {
		return s
	}
	// "550 4.2.2 …": the reply code rules the transaction, the other one tells why.
	if s, ok := smtpcode.ParseStatus(text); ok {
		return s
	}
	return smtpcode.Status{}
}
