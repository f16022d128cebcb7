package testenv

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// The ports that servers of tests get lie below the range from which the kernel
// serves outgoing connections: one that is free stays so while a server is down, and
// whoever knocks meanwhile is not connected to themselves.
const (
	firstPort = 15000
	lastPort  = 31999
	span      = 100 // ports of one test binary
)

// portSpan are the ports of this test binary as long as it lives: it listens on the first
// of them, so that no other binary takes a port between the moment it was found free
// and the start of its server.
type portSpan struct {
	first int
	held  net.Listener
	given atomic.Int64
}

// ownPorts are those of this binary.
var ownPorts = sync.OnceValues(func() (*portSpan, error) {
	for _, n := range rand.Perm((lastPort + 1 - firstPort) / span) {
		first := firstPort + n*span
		if l, err := net.Listen("tcp4", addr(first)); err == nil {
			return &portSpan{first: first, held: l}, nil
		}
	}
	return nil, errors.New("no ports of 127.0.0.1 are left for this test binary")
})

// freePort returns a port of 127.0.0.1 that nobody listens on.
func freePort() (int, error) {
	own, err := ownPorts()
	if err != nil {
		return 0, err
	}
	for range span - 1 {
		port := own.first + 1 + int((own.given.Add(1)-1)%(span-1))
		if l, err := net.Listen("tcp4", addr(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// FreeAddress is a host:port of the loopback that nobody listens on, for a server
// that the test starts itself, also more than once.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return addr(port)
}
