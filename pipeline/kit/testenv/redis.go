package testenv

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// RedisConfig says what kind of Redis a test needs. maxmemory-policy is always
// noeviction.
type RedisConfig struct {
	Password   string // requirepass; "" for none
	AppendOnly bool   // appendonly yes, appendfsync always: nothing is lost by Kill
}

// RedisServer is a real Redis (or Valkey) for one test.
type RedisServer struct {
	Addr string // host:port
	URL  string // redis://[:password@]host:port/0

	config RedisConfig
	dir    string
	port   int
	proc   *process
}

// Redis starts a server that ends with the test.
func Redis(t testing.TB, c RedisConfig) *RedisServer {
	t.Helper()
	eitherBinary(t, "redis-server", "valkey-server") // before a directory is made
	dir, err := directory("redis", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &RedisServer{config: c, dir: dir}
	t.Cleanup(func() {
		if s.proc == nil {
			return
		}
		if err := s.proc.close(); err != nil {
			t.Errorf("redis: %v", err)
		}
	})
	for try := 1; ; try++ {
		if s.port, err = freePort(); err != nil {
			t.Fatal(err)
		}
		if err = s.start(t); err == nil {
			break
		}
		if try == starts {
			t.Fatal(err)
		}
	}
	s.Addr = addr(s.port)
	u := url.URL{Scheme: "redis", Host: s.Addr, Path: "/0"}
	if c.Password != "" {
		u.User = url.UserPassword("", c.Password)
	}
	s.URL = u.String()
	return s
}

// eitherBinary returns the first of the programs that is here.
func eitherBinary(t testing.TB, names ...string) string {
	t.Helper()
	for _, n := range names {
		if path := lookup(n); path != "" {
			return path
		}
	}
	return Binary(t, names[0])
}

func (s *RedisServer) start(t testing.TB) error {
	args := []string{
		eitherBinary(t, "redis-server", "valkey-server"), "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1",
		"--dir", s.dir, "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no",
	}
	if s.config.Password != "" {
		args = append(args, "--requirepass", s.config.Password)
	}
	if s.config.AppendOnly {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	}
	p, err := launch(spec{dir: s.dir, args: args, end: "KILL"})
	if err != nil {
		return err
	}
	s.proc = p
	// Asking for the process id proves that it is this server that answers; it does
	// so while it still loads what it appended.
	return p.until("redis", func() bool {
		info, err := s.command("INFO")
		return err == nil && strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", p.pid)) && strings.Contains(info, "\nloading:0\r\n")
	})
}

// FlushAll removes every key: the queue is wiped.
func (s *RedisServer) FlushAll(t testing.TB) {
	t.Helper()
	if _, err := s.command("FLUSHALL", "SYNC"); err != nil {
		t.Fatalf("FLUSHALL: %v", err)
	}
}

// Kill ends the server with SIGKILL. Start brings it back on the same port, with
// its data if it is AppendOnly.
func (s *RedisServer) Kill(t testing.TB) {
	t.Helper()
	if err := s.proc.signal(syscall.SIGKILL, true); err != nil {
		t.Fatalf("redis: %v", err)
	}
}

// Start starts a server that was killed.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	if !s.proc.ended() {
		t.Fatal("redis: it is running")
	}
	_ = s.proc.hold.Close()
	if err := s.start(t); err != nil {
		t.Fatal(err)
	}
}

// Command runs one command and returns its reply: the text of a simple or bulk
// string, the digits of an integer.
func (s *RedisServer) Command(t testing.TB, args ...string) string {
	t.Helper()
	reply, err := s.command(args...)
	if err != nil {
		t.Fatalf("redis %s: %v", args[0], err)
	}
	return reply
}

// command speaks RESP2 on a connection of its own: enough for a test, and the
// client library has its home elsewhere.
func (s *RedisServer) command(args ...string) (string, error) {
	c, err := net.DialTimeout("tcp4", addr(s.port), patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(c)
	if s.config.Password != "" {
		if _, err := ask(c, r, "AUTH", s.config.Password); err != nil {
			return "", err
		}
	}
	return ask(c, r, args...)
}

func ask(w io.Writer, r *bufio.Reader, args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return "", err
	}
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch line[:min(1, len(line))] {
	case "+", ":":
		return line[1:], nil
	case "$":
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 {
			return "", err
		}
		data := make([]byte, n+2)
		_, err = io.ReadFull(r, data)
		return string(data[:n]), err
	}
	return "", fmt.Errorf("reply %.100q", line)
}
