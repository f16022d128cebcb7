package main

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"
)

// TestDoorman: one address never has more than half of what a listener takes, unless it
// is the proxy; whoever else comes is served meanwhile.
func TestDoorman(t *testing.T) {
	t.Parallel()
	for _, proxy := range []bool{false, true} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := doorman(inner, 6, proxy)
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Write([]byte("in\n"))
			}
		}()
		in := func(from byte) bool {
			t.Helper()
			c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, from)}}).Dial("tcp", inner.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			_ = c.SetDeadline(time.Now().Add(time.Minute))
			line, _ := bufio.NewReader(c).ReadString('\n')
			return strings.HasPrefix(line, "in")
		}
		got := 0
		for range 8 {
			if in(1) {
				got++
			}
		}
		if want := map[bool]int{false: 3, true: 6}[proxy]; got != want || in(2) == proxy {
			t.Errorf("behind a proxy: %v; %d of one address, want %d", proxy, got, want)
		}
	}
}
