package feedback_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/fixtures"
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/listen"
)

// theirs is the return path, and theirID the Message-ID, of the messages that the
// genuine notifications are about.
var (
	theirs  = regexp.MustCompile(`b\+1\.\d+\.abcd@bounce\.test`)
	theirID = regexp.MustCompile(`<n1\.\d+\.\d+@acme\.test>`)
)

// listener serves LMTP before the world's intake and returns its address.
func (w *world) listener() string {
	w.t.Helper()
	s, err := listen.New(listen.Config{
		LMTP: true,
		Takes: func(_ context.Context, a string) (bool, error) {
			_, ok := tokens{}.ReturnPath(a)
			return ok, nil
		},
		Keep: func(ctx context.Context, e listen.Envelope) error {
			_, err := w.intake.Take(ctx, feedback.Message{Source: pipeline.FromLMTP, From: e.From, To: e.To, Raw: e.Raw})
			return err
		},
	})
	w.must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	return l.Addr().String()
}

// lmtp is a client that delivers one message after the other.
type lmtp struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func dialLMTP(t testing.TB, addr string) *lmtp {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(5 * time.Minute))
	l := &lmtp{t, c, bufio.NewReader(c)}
	l.want("220")
	l.say("LHLO relay.example", "250")
	return l
}

func (l *lmtp) want(code string) {
	l.t.Helper()
	for {
		line, err := l.r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, code) {
			l.t.Fatalf("got %q, %v; want %s", line, err, code)
		}
		if line[3] == ' ' {
			return
		}
	}
}

func (l *lmtp) say(line, code string) {
	l.t.Helper()
	if _, err := fmt.Fprintf(l, "%s\r\n", line); err != nil {
		l.t.Fatal(err)
	}
	l.want(code)
}

// deliver hands one message over; raw has CRLF line ends.
func (l *lmtp) deliver(to string, raw []byte) {
	l.t.Helper()
	l.say("MAIL FROM:<>", "250")
	l.say("RCPT TO:<"+to+">", "250")
	l.say("DATA", "354")
	stuffed := bytes.ReplaceAll(append([]byte("\r\n"), raw...), []byte("\r\n."), []byte("\r\n.."))[2:]
	if _, err := l.Write(stuffed); err != nil {
		l.t.Fatal(err)
	}
	l.say(".", "250")
}

// TestGenuineNotifications replays what Postfix and Exim really sent, over LMTP,
// about notices of ours.
func TestGenuineNotifications(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(fixtures.FS, "bounces/*.eml")
	if err != nil || len(names) < 15 {
		t.Fatalf("%d notifications: %v", len(names), err)
	}
	w := newWorld(t)
	list := w.notices(len(names))
	c := dialLMTP(t, w.listener())
	w.accept(ids(list)...)
	for i, name := range names {
		raw, err := fs.ReadFile(fixtures.FS, name)
		w.must(err)
		raw = theirs.ReplaceAll(raw, []byte(w.path(list[i].ID, 1)))
		raw = theirID.ReplaceAll(raw, []byte(email.MessageID(w.mac, list[i].ID, 1, domain)))
		raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if !bytes.HasSuffix(raw, []byte("\r\n")) {
			raw = append(raw, "\r\n"...)
		}
		c.deliver(w.path(list[i].ID, 1), raw)
		c.deliver(w.path(list[i].ID, 1), raw)
	}
	w.round()
	ways := map[pipeline.Outcome]string{pipeline.Dead: "post", pipeline.Transient: "email transient", pipeline.Ours: "email refused-by-provider", pipeline.None: "accepted"}
	want := map[string]pipeline.Outcome{
		"exim-4.96-dsn-01.eml": pipeline.Dead, "exim-4.96-dsn-02.eml": pipeline.Dead, "exim-4.96-dsn-03.eml": pipeline.Dead,
		"exim-4.96-dsn-04.eml": pipeline.Ours, "exim-4.96-dsn-05.eml": pipeline.Transient, "exim-4.96-dsn-06.eml": pipeline.Dead,
		"postfix-3.7-dsn-01.eml": pipeline.Dead, "postfix-3.7-dsn-02.eml": pipeline.Dead, "postfix-3.7-dsn-03.eml": pipeline.Transient,
		"postfix-3.7-dsn-04.eml": pipeline.Dead, "postfix-3.7-dsn-05.eml": pipeline.Ours, "postfix-3.7-dsn-06.eml": pipeline.None,
		"postfix-3.7-dsn-07.eml": pipeline.None, "postfix-3.7-dsn-08.eml": pipeline.Transient, "postfix-3.7-dsn-09.eml": pipeline.Transient,
	}
	for i, name := range names {
		n := w.now(list[i].ID)
		got := ""
		switch {
		case n.State == pipeline.Accepted && len(w.events(n.ID, pipeline.EvDelayed)) == 1:
			got = "accepted"
		case n.State == pipeline.Due && n.Channel == pipeline.Post:
			got = "post"
		case n.State == pipeline.Due:
			got = "email " + n.Reason
		}
		if o := want[path.Base(name)]; o == "" || got != ways[o] {
			t.Errorf("%s: %q (%s by %s), want %q", name, got, n.State, n.Channel, ways[o])
		}
	}
	w.sound()
}
