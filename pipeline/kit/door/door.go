// Package door bounds how many connections a listener has open, over all and of one
// client. Whoever opens thousands and says nothing takes file descriptors that the
// ledger and the relay need, in the same process.
package door

import (
	"net"
	"net/netip"
	"sync"
)

// Room counts connections. It is safe for concurrent use.
type Room struct {
	most, each int

	mu  sync.Mutex
	all int
	of  map[netip.Prefix]int
}

// NewRoom is room for so many connections, and for so many of one client: an IPv4
// address, or an IPv6 /64, which one customer of a provider has. 0 bounds nothing.
func NewRoom(most, each int) *Room {
	return &Room{most: most, each: each, of: map[netip.Prefix]int{}}
}

// Enter counts a connection, unless there is no room for it. A socket of this machine
// has no address and counts only among all.
func (r *Room) Enter(from net.Addr) bool {
	client := clientOf(from)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.most > 0 && r.all >= r.most || client.IsValid() && r.each > 0 && r.of[client] >= r.each {
		return false
	}
	r.all++
	if client.IsValid() {
		r.of[client]++
	}
	return true
}

// Leave gives the room of a connection back.
func (r *Room) Leave(from net.Addr) {
	client := clientOf(from)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if !client.IsValid() {
		return
	}
	if r.of[client]--; r.of[client] <= 0 {
		delete(r.of, client)
	}
}

// Open is how many connections are open.
func (r *Room) Open() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all
}

// clientOf is whom an address belongs to; the zero prefix for a socket of this machine.
func clientOf(a net.Addr) netip.Prefix {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := at.Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// Listener lets connections in as long as there is room, and closes others at once.
func (r *Room) Listener(l net.Listener) net.Listener { return &listener{l, r} }

type listener struct {
	net.Listener
	room *Room
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.room.Enter(c.RemoteAddr()) {
			return &guest{Conn: c, room: l.room}, nil
		}
		_ = c.Close()
	}
}

// guest is a connection that counts until it is closed.
type guest struct {
	net.Conn
	room *Room
	left sync.Once
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.left.Do(func() { g.room.Leave(g.RemoteAddr()) })
	return g.Conn.Close()
}
