package door

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
)

func tcp(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

// TestRoom: one client never takes all, whatever port, zone or form of its address it
// comes from; what it gives back can be had again.
func TestRoom(t *testing.T) {
	t.Parallel()
	r := NewRoom(5, 2)
	for _, x := range []struct {
		from string
		ok   bool
	}{
		{"192.0.2.1:1", true}, {"[::ffff:192.0.2.1]:2", true}, {"192.0.2.1:3", false},
		{"[2001:db8::1]:1", true}, {"[2001:db8::2]:1", true}, {"[2001:db8::ffff:ffff]:1", false},
		{"[2001:db8:0:1::1]:1", true}, {"192.0.2.2:1", false}, // the sixth of all
	} {
		if got := r.Enter(tcp(x.from)); got != x.ok {
			t.Errorf("%s: %v", x.from, got)
		}
	}
	r.Leave(tcp("192.0.2.1:2"))
	if !r.Enter(tcp("192.0.2.1:9")) || r.Open() != 5 {
		t.Errorf("%d are open", r.Open())
	}
	for _, from := range []string{"192.0.2.1:1", "192.0.2.1:9", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"} {
		r.Leave(tcp(from))
	}
	if len(r.of) != 0 || r.Open() != 0 {
		t.Errorf("what is left: %v, %d", r.of, r.Open())
	}
	socket := &net.UnixAddr{Name: "@", Net: "unix"}
	for range 5 {
		if !r.Enter(socket) {
			t.Error("a socket of this machine is no client of the network")
		}
	}
	if r.Enter(socket) {
		t.Error("more than all")
	}
}

// TestListener: connections beyond the share are closed, others stay; closing twice
// gives back once.
func TestListener(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	room := NewRoom(10, 3)
	l := room.Listener(inner)
	let := make(chan net.Conn, 16)
	var served sync.WaitGroup
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "+")
			let <- c
		}
	})
	in := 0
	for range 8 {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
			in++
		}
	}
	if in != 3 || room.Open() != 3 {
		t.Errorf("%d of 8 were let in, %d are open", in, room.Open())
	}
	for range 3 {
		c := <-let
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	}
	if room.Open() != 0 {
		t.Errorf("%d are open", room.Open())
	}
	_ = l.Close()
	served.Wait()
}
