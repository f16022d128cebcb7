package rehearsal

import (
	"context"
	"net"
	"time"
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
}

// NewRelay returns a relay and makes its Maildir.
func NewRelay(c RelayConfig) (*Relay, error) { return &Relay{config: c}, nil }

// Serve answers on l until ctx ends or Close is called; it closes l.
func (r *Relay) Serve(ctx context.Context, l net.Listener) error { return nil }

// Close ends Serve and closes all connections.
func (r *Relay) Close() error { return nil }

// Counts returns what was seen so far.
func (r *Relay) Counts() Counts { return Counts{} }
