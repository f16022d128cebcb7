package email

import (
	"context"
	"crypto/x509"
	"net"
	"time"

	"github.com/art34/art34/pipeline"
)

// TLSMode says how a connection to the relay is protected.
type TLSMode string

const (
	TLSStart TLSMode = "starttls" // required: a relay that does not offer it is refused
	TLSWhole TLSMode = "tls"      // from the first byte (smtps)
	TLSNone  TLSMode = "none"     // in clear, only where asked for
)

// Address says where a relay is and how to reach it.
type Address struct {
	Host string
	Port int
	User string // "": no authentication
	TLS  TLSMode
}

// ParseRelayURL reads smtp://[user@]host[:port][?tls=starttls|none] or
// smtps://[user@]host[:port]. Ports default to 587 and 465. A password is no part
// of it: passwords come from files. Errors are *pipeline.Error with Exit 2.
func ParseRelayURL(s string) (Address, error) { return Address{}, nil }

// Timeouts bound the waiting; zero values take the defaults, which are those of
// RFC 5321, section 4.5.3.2.
type Timeouts struct {
	Connect time.Duration // TCP connection, 30 s
	Setup   time.Duration // everything until the connection is ready: greeting, EHLO, TLS, AUTH; 5 min
	Command time.Duration // MAIL and RCPT, 5 min
	Data    time.Duration // DATA until 354, 2 min
	Block   time.Duration // writing the content, 3 min
	Dot     time.Duration // the answer after the final dot, 10 min
	Quit    time.Duration // QUIT, 2 s
}

// RelayConfig says how to talk to a relay.
type RelayConfig struct {
	Address  Address
	Password string
	Hello    string         // name in EHLO; "": localhost
	RootCAs  *x509.CertPool // nil: the system's
	Timeouts Timeouts
	// PerConnection is how many messages a connection carries before it is renewed,
	// default 100. Idle is how long it may rest before it is renewed, default 30 s.
	PerConnection int
	Idle          time.Duration
	// Plain keeps to one command at a time also where PIPELINING is offered.
	Plain bool
	// DialContext replaces the network; nil: net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
}

// Relay opens connections to one relay. It is safe for concurrent use.
type Relay struct {
	config RelayConfig
}

// NewRelay checks the configuration.
func NewRelay(c RelayConfig) (*Relay, error) { return &Relay{config: c}, nil }

// Dial opens a connection that is ready for Send: greeted, encrypted and
// authenticated as configured. Errors are *pipeline.Error with the codes
// "relay-away" (and pipeline.ErrAway, try again later), "relay-tls", "relay-auth"
// and "relay-refuses" (Permanent: somebody has to change something).
func (r *Relay) Dial(ctx context.Context) (*Conn, error) { return nil, nil }

// Conn is one connection to a relay. It is for one goroutine.
type Conn struct {
	relay *Relay
}

// Send hands over one message to its one recipient and waits for the answer. A
// connection that is worn out, has rested too long or was closed by the relay
// before it took anything is renewed without a word. Cancelling ctx closes the
// socket at once: before the dot the answer is unsent, after it doubtful; whoever
// wants to finish in peace cancels nothing and stops calling Send.
func (c *Conn) Send(ctx context.Context, m *pipeline.Message) pipeline.Answer {
	return pipeline.Answer{}
}

// Close says goodbye where the relay still listens, and closes the socket.
func (c *Conn) Close() error { return nil }
