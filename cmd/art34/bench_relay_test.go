package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/rehearsal"
)

// relayCommand is the name under which this test binary is a mail sink: the other
// end of a measurement has to be another process.
const relayCommand = "art34-bench-relay"

// relayMain serves one sink after the other, each on a port of its own: it prints
// the address, and for every line on standard input an account of what the sink
// took and the address of the next.
func relayMain() {
	in := bufio.NewScanner(os.Stdin)
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(l.Addr())
		ctx, end := context.WithCancel(context.Background())
		c, before := &clocked{Listener: l}, processorTime()
		done := make(chan int64)
		go func() {
			n, _ := rehearsal.ServeSink(ctx, c)
			done <- n
		}()
		more := in.Scan()
		end()
		a := taken{Messages: <-done, First: c.first.Load(), Last: c.last.Load(), Bytes: c.bytes.Load(), CPU: (processorTime() - before).Microseconds()}
		if !more {
			return
		}
		line, err := json.Marshal(a)
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}

// taken is what a sink took.
type taken struct {
	Messages, Bytes int64
	CPU             int64 // processor time of the sink in microseconds
	First, Last     int64 // when a message began to arrive, when one last did; in microseconds
}

// perSecond is the rate from the first message to the last: the program's start and
// how it finds out that there is no more are not in it.
func (a taken) perSecond() float64 {
	return float64(a.Messages) / (time.Duration(a.Last-a.First) * time.Microsecond).Seconds()
}

// clocked notes when messages come in.
type clocked struct {
	net.Listener
	first, last, bytes atomic.Int64
}

func (l *clocked) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return clockedConn{c, l}, nil
}

type clockedConn struct {
	net.Conn
	l *clocked
}

// Read looks at the clock. EHLO, RSET and QUIT are shorter than any message.
func (c clockedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.l.bytes.Add(int64(n))
	if n > 64 {
		now := time.Now().UnixMicro()
		c.l.last.Store(now)
		c.l.first.CompareAndSwap(0, now)
	}
	return n, err
}

// otherEnd is the sink as the measurement sees it.
type otherEnd struct {
	b    *testing.B
	in   io.WriteCloser
	out  *bufio.Reader
	addr string
}

// sink starts the sink, or returns the one that runs.
func (s *suite) sink() *otherEnd {
	if s.relay != nil {
		return s.relay
	}
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Args = []string{relayCommand}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = in.Close() // it ends when its input does
		_ = cmd.Wait()
	})
	s.relay = &otherEnd{b: s.B, in: in, out: bufio.NewReader(out)}
	s.relay.addr = s.relay.line()
	return s.relay
}

func (o *otherEnd) line() string {
	line, err := o.out.ReadString('\n')
	if err != nil {
		o.b.Fatalf("the sink ended: %v", err)
	}
	return line[:len(line)-1]
}

// env is how the program finds the sink.
func (o *otherEnd) env() string { return "ART34_RELAY=smtp://" + o.addr + "?tls=none" }

// next ends the present sink and opens another one.
func (o *otherEnd) next() taken {
	if _, err := fmt.Fprintln(o.in); err != nil {
		o.b.Fatal(err)
	}
	var a taken
	if err := json.Unmarshal([]byte(o.line()), &a); err != nil {
		o.b.Fatal(err)
	}
	o.addr = o.line()
	return a
}
