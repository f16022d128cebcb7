package rehearsal

import (
	"context"
	"io"
	"net"
	"sync/atomic"

	"github.com/emersion/go-smtp"
)

// ServeSink takes every message on l as fast as it can and forgets it, until ctx
// ends; it returns how many it took. It is the other end of benchmarks.
func ServeSink(ctx context.Context, l net.Listener) (int64, error) {
	var n atomic.Int64
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return sink{&n}, nil }))
	configure(s)
	err := serve(ctx, s, l)
	return n.Load(), err
}

type sink struct{ n *atomic.Int64 }

func (sink) Reset()                               {}
func (sink) Logout() error                        { return nil }
func (sink) Mail(string, *smtp.MailOptions) error { return nil }
func (sink) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s sink) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	s.n.Add(1)
	return nil
}
