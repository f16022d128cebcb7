package email_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wneessen/go-mail"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
)

// sinkEnv makes the test binary a mail sink: a benchmark of a client needs the
// other end in another process.
const sinkEnv = "ART34_EMAIL_TEST_SINK"

func TestMain(m *testing.M) {
	if os.Getenv(sinkEnv) != "" {
		sink()
		return
	}
	os.Exit(m.Run())
}

// sink prints its address and takes every message until standard input ends.
func sink() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go swallow(c)
		}
	}()
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
}

// swallow is one session. Answers go out when nothing more is to be read, as
// Postfix does it.
func swallow(c net.Conn) {
	defer func() { _ = c.Close() }()
	r, w := bufio.NewReaderSize(c, 16<<10), bufio.NewWriter(c)
	answer := "220 sink\r\n"
	content := false
	for {
		_, _ = w.WriteString(answer)
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if content {
			answer = ""
			if string(line) == ".\r\n" {
				answer, content = "250 2.0.0 Ok: queued as 4WZ1fN1z9Yz3c\r\n", false
			}
			continue
		}
		switch verb, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" ")); string(verb) {
		case "EHLO":
			answer = "250-sink\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n"
		case "DATA":
			answer, content = "354 go on\r\n", true
		case "QUIT":
			return
		default:
			answer = "250 2.0.0 Ok\r\n"
		}
	}
}

func startSink(b *testing.B) email.Address {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0]) //nolint:gosec // it is this binary
	cmd.Env = append(os.Environ(), sinkEnv+"=1")
	stop, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stop.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	_, port, err := net.SplitHostPort(strings.TrimSpace(line))
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		b.Fatal(err)
	}
	return email.Address{Host: "127.0.0.1", Port: n, TLS: email.TLSNone}
}

var (
	benchText = []byte(strings.Repeat("Nous vous écrivons au sujet de votre contrat : vérifiez vos relevés.\n", 20))
	benchHTML = []byte(strings.Repeat("<p style=\"margin:0 0 1em\">Nous vous écrivons au sujet de votre contrat.</p>\n", 30))
)

// BenchmarkDeliver compares building and handing over, as this package does it,
// with a loop over go-mail at its leanest (no NOOP, no RSET), over the same number
// of connections to the same sink in another process.
func BenchmarkDeliver(b *testing.B) {
	for _, connections := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("art34-%d", connections), func(b *testing.B) { benchOurs(b, connections, false) })
		b.Run(fmt.Sprintf("art34-plain-%d", connections), func(b *testing.B) { benchOurs(b, connections, true) })
		b.Run(fmt.Sprintf("go-mail-%d", connections), func(b *testing.B) { benchLoop(b, connections) })
	}
}

// share runs do on each of n goroutines until b.N messages are done.
func share(b *testing.B, n int, do func(next func() (int64, bool)) error) {
	b.Helper()
	var done atomic.Int64
	var wg sync.WaitGroup
	total := int64(b.N)
	b.ResetTimer()
	for range n {
		wg.Go(func() {
			if err := do(func() (int64, bool) { i := done.Add(1); return i, i <= total }); err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

func benchOurs(b *testing.B, connections int, plain bool) {
	r, err := email.NewRelay(email.RelayConfig{Address: startSink(b), Plain: plain})
	if err != nil {
		b.Fatal(err)
	}
	composer := newComposer(b)
	share(b, connections, func(next func() (int64, bool)) error {
		c, err := r.Dial(b.Context())
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		l := testLetter()
		for i, more := next(); more; i, more = next() {
			m, err := composer.Compose(l, benchText, benchHTML, pipeline.Notice{ID: i, Attempt: 1}, "zoe@example.com", testTime)
			if err != nil {
				return err
			}
			if a := c.Send(b.Context(), m, nil); a.Phase != pipeline.PhaseAccepted {
				return fmt.Errorf("%+v", a)
			}
		}
		return nil
	})
}

func benchLoop(b *testing.B, connections int) {
	a := startSink(b)
	client, err := mail.NewClient(a.Host, mail.WithPort(a.Port), mail.WithTLSPolicy(mail.NoTLS), mail.WithoutNoop(), mail.WithoutRset())
	if err != nil {
		b.Fatal(err)
	}
	share(b, connections, func(next func() (int64, bool)) error {
		c, err := client.DialToSMTPClientWithContext(b.Context())
		if err != nil {
			return err
		}
		defer func() { _ = client.CloseWithSMTPClient(c) }()
		l := testLetter()
		for i, more := next(); more; i, more = next() {
			msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
			path, err := email.ReturnPath(testMAC, 0, i, 1, l.Sender.EnvelopeDomain)
			if err != nil {
				return err
			}
			for _, err := range []error{
				msg.FromFormat(l.Sender.DisplayName, l.Sender.From), msg.EnvelopeFrom(path), msg.AddToFormat(l.Recipient, "zoe@example.com"), msg.ReplyTo(l.Sender.ReplyTo),
			} {
				if err != nil {
					return err
				}
			}
			msg.Subject(l.Subject)
			msg.SetDateWithValue(testTime)
			msg.SetMessageIDWithValue(path)
			msg.SetBodyString(mail.TypeTextPlain, string(benchText))
			msg.AddAlternativeString(mail.TypeTextHTML, string(benchHTML))
			if err := client.SendWithSMTPClient(c, msg); err != nil {
				return err
			}
		}
		return nil
	})
}
