package rehearsal

import (
	"bufio"
	"net"
	"sync"
)

// grouping makes a server answer a group of commands in one go, when it has read
// all of them, as RFC 2920 (section 3.2) wants it and real relays do. go-smtp alone
// sends every answer by itself.
type grouping struct{ net.Listener }

func (g grouping) Accept() (net.Conn, error) {
	c, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &groupedConn{Conn: c, out: bufio.NewWriter(c)}, nil
}

// groupedConn keeps what is written until the server has to wait for more.
type groupedConn struct {
	net.Conn
	mu  sync.Mutex
	out *bufio.Writer
}

func (c *groupedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(b)
}

func (c *groupedConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	err := c.out.Flush()
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Close sends what is left, unless somebody is writing just now: then the server is
// being closed from outside.
func (c *groupedConn) Close() error {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		_ = c.out.Flush()
	}
	return c.Conn.Close()
}
