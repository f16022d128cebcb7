package email

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"time"
)

// Timeouts bound the waiting; zero values take the defaults, which are those of
// RFC 5321, section 4.5.3.2.
type Timeouts struct {
	Connect time.Duration // TCP connection, 30 s
	Setup   time.Duration // everything until the connection is ready: greeting, EHLO, TLS, AUTH; 5 min
	Command time.Duration // the answer to MAIL and RCPT, 5 min
	Data    time.Duration // the answer to DATA, 2 min
	Block   time.Duration // writing the content, 3 min
	Dot     time.Duration // the answer to the final dot, 10 min
	Quit    time.Duration // the answer to QUIT, 2 s
}

func (t Timeouts) withDefaults() Timeouts {
	for _, x := range []struct {
		d    *time.Duration
		want time.Duration
	}{
		{&t.Connect, 30 * time.Second},
		{&t.Setup, 5 * time.Minute},
		{&t.Command, 5 * time.Minute},
		{&t.Data, 2 * time.Minute},
		{&t.Block, 3 * time.Minute},
		{&t.Dot, 10 * time.Minute},
		{&t.Quit, 2 * time.Second},
	} {
		if *x.d <= 0 {
			*x.d = x.want
		}
	}
	return t
}

// RelayConfig says how to talk to a relay.
type RelayConfig struct {
	Address  Address
	Password string         // of Address.User; comes from a file
	Hello    string         // name in EHLO; "": localhost
	RootCAs  *x509.CertPool // nil: the system's
	Timeouts Timeouts
	// PerConnection is how many messages a connection carries before it is renewed,
	// default 500: where the relay takes fewer, it hangs up, and the next message opens
	// another. Idle is how long it may rest before it is renewed, default 30 s.
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
func NewRelay(c RelayConfig) (*Relay, error) {
	if err := c.Address.validate(); err != nil {
		return nil, err
	}
	if c.Address.User != "" && c.Password == "" {
		return nil, wrongRelay("the relay has a user and no password", "name the file with the password in ART34_RELAY_PASSWORD_FILE")
	}
	if c.Hello == "" {
		c.Hello = "localhost"
	}
	if !helloName(c.Hello) {
		return nil, wrongRelay(fmt.Sprintf("%q is not a name for EHLO", c.Hello), "use the host name of this machine")
	}
	c.Timeouts = c.Timeouts.withDefaults()
	if c.PerConnection <= 0 {
		c.PerConnection = 500
	}
	if c.Idle <= 0 {
		c.Idle = 30 * time.Second
	}
	if c.DialContext == nil {
		c.DialContext = (&net.Dialer{Timeout: c.Timeouts.Connect}).DialContext
	}
	return &Relay{config: c}, nil
}

// helloName reports whether s is a host name or an address literal.
func helloName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '.' && c != '_' && c != ':' && c != '[' && c != ']' {
			return false
		}
	}
	return s != "" && len(s) <= 255
}
