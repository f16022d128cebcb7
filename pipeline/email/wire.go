package email

import (
	"net"
	"sync"
	"sync/atomic"
)

// wire is the socket under a connection. It can be cut off from anywhere, also
// under TLS, and knows how much of the last write went out.
type wire struct {
	net.Conn
	unsent atomic.Int64 // bytes of the write that failed and did not go out
	broken atomic.Bool
	cut    sync.Once
}

// Write notes what a failed write left behind: the sockets of this world take all
// bytes or report how many they took.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.broken.Store(true)
		w.unsent.Store(int64(len(p) - n))
	}
	return n, err
}

// Read notes failures.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.broken.Store(true)
	}
	return n, err
}

// failed reports whether reading or writing has failed.
func (w *wire) failed() bool { return w.broken.Load() }

// abort resets the connection. What the relay has of an unfinished message it must
// throw away, so nothing is flushed and no goodbye is said.
func (w *wire) abort() {
	w.cut.Do(func() {
		w.broken.Store(true)
		if tcp, ok := w.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // without it the rest of a message may still trickle out
		}
		_ = w.Conn.Close()
	})
}
