package email_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
)

var all = []string{"PIPELINING", "SIZE 1000000", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES"}

func message(n int) *pipeline.Message {
	path, err := email.ReturnPath(testMAC, 0, int64(n), 1, "retour.example.fr")
	if err != nil {
		panic(err)
	}
	return &pipeline.Message{
		From: path, To: "zoe.dupont@example.com", ID: "<x@retour.example.fr>", EnvID: path[:35],
		Body: []byte(fmt.Sprintf("Subject: %d\r\n\r\nMadame, Monsieur,\r\n.\r\n..\r\n.x\r\nfin\r\n", n)),
	}
}

func relay(t *testing.T, f *faults, change func(*email.RelayConfig)) *email.Relay {
	t.Helper()
	c := email.RelayConfig{Address: f.address(), Hello: "art34.test", Timeouts: email.Timeouts{Quit: 20 * time.Second}}
	if change != nil {
		change(&c)
	}
	r, err := email.NewRelay(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func dial(t *testing.T, f *faults, change func(*email.RelayConfig)) *email.Conn {
	t.Helper()
	c, err := relay(t, f, change).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		offers []string
		plain  bool
		want   []string // commands of the first message
		groups int      // round trips for one message before its content
	}{
		{"pipelining", all, false, []string{
			"MAIL FROM:<FROM> SIZE=49 RET=HDRS ENVID=ENVID", "RCPT TO:<zoe.dupont@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;zoe.dupont@example.com", "DATA",
		}, 1},
		{"plain", all, true, []string{
			"MAIL FROM:<FROM> SIZE=49 RET=HDRS ENVID=ENVID", "RCPT TO:<zoe.dupont@example.com> NOTIFY=FAILURE,DELAY ORCPT=rfc822;zoe.dupont@example.com", "DATA",
		}, 3},
		{"nothing offered", nil, false, []string{"MAIL FROM:<FROM>", "RCPT TO:<zoe.dupont@example.com>", "DATA"}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, script{offers: tt.offers})
			c := dial(t, f, func(c *email.RelayConfig) { c.Plain = tt.plain })
			m := message(1)
			a := c.Send(t.Context(), m, nil)
			want := pipeline.Answer{Phase: pipeline.PhaseAccepted, Code: 250, Enhanced: "2.0.0", Reply: "2.0.0 Ok: queued as 4WZ1fN1z9Yz3c", QueueID: "4WZ1fN1z9Yz3c"}
			if diff := cmp.Diff(want, a); diff != "" {
				t.Fatal(diff)
			}
			if diff := cmp.Diff([]string{string(m.Body)}, f.seen()); diff != "" {
				t.Fatal(diff)
			}
			got := f.heard()
			for i := range tt.want {
				tt.want[i] = strings.NewReplacer("ENVID=ENVID", "ENVID="+m.EnvID, "FROM>", m.From+">").Replace(tt.want[i])
			}
			if diff := cmp.Diff(append([]string{"EHLO art34.test"}, tt.want...), got); diff != "" {
				t.Fatal(diff)
			}
			f.mu.Lock()
			if f.groups > 1+tt.groups { // the EHLO is one
				t.Errorf("the relay waited for %d commands, want %d", f.groups, 1+tt.groups)
			}
			f.mu.Unlock()
			for n := 2; n <= 5; n++ {
				if a := c.Send(t.Context(), message(n), nil); a.Phase != pipeline.PhaseAccepted {
					t.Fatalf("message %d: %+v", n, a)
				}
			}
			if got := len(f.seen()); got != 5 || f.connections() != 1 {
				t.Fatalf("%d messages over %d connections", got, f.connections())
			}
		})
	}
}

// TestSendFaults goes through every phase at which a relay can say no, fall
// silent or hang up, with and without PIPELINING. After each answer another
// message must get through as if nothing had happened, and no message that was
// not whole may ever be accepted.
func TestSendFaults(t *testing.T) {
	t.Parallel()
	dead := "550 5.1.1 <zoe.dupont@example.com>: Recipient address rejected: User unknown\r\n"
	ok := "250 2.0.0 Ok\r\n"
	for _, tt := range []struct {
		name    string
		answers map[string][]string // the first of each list is for the first message
		want    pipeline.Answer
		whole   bool // the relay took the first message nevertheless
	}{
		{"MAIL 4xx", map[string][]string{"MAIL": {"452 4.3.1 Insufficient system storage\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Code: 452, Enhanced: "4.3.1", Broken: true, Reply: "4.3.1 Insufficient system storage"}, false},
		{"MAIL 5xx", map[string][]string{"MAIL": {"550 5.7.1 Sender refused\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 550, Enhanced: "5.7.1", Policy: true, Reply: "5.7.1 Sender refused"}, false},
		{"MAIL 530", map[string][]string{"MAIL": {"530 5.7.0 Authentication required\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 530, Enhanced: "5.7.0", Policy: true, Reply: "5.7.0 Authentication required"}, false},
		{"MAIL too big", map[string][]string{"MAIL": {"552 5.3.4 Message size exceeds fixed limit\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 552, Enhanced: "5.3.4", Reply: "5.3.4 Message size exceeds fixed limit"}, false},
		{"MAIL 421 always", map[string][]string{"MAIL": {"421 4.3.2 closing\r\n", "421 4.3.2 closing\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Code: 421, Enhanced: "4.3.2", Broken: true, Reply: "4.3.2 closing"}, false},
		{"MAIL drop twice", map[string][]string{"MAIL": {drop, drop, ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "connection lost"}, false},
		{"MAIL hang", map[string][]string{"MAIL": {hang, hang, ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "no answer in time"}, false},
		{"MAIL garbage", map[string][]string{"MAIL": {"hello\r\n", "hello\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "the relay's answer is not SMTP"}, false},
		{"RCPT dead", map[string][]string{"RCPT": {dead, ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Dead, Code: 550, Enhanced: "5.1.1", Reply: "5.1.1 <…>: Recipient address rejected: User unknown"}, false},
		{"RCPT full", map[string][]string{"RCPT": {"552 5.2.2 zoe.dupont is over quota\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Transient, Code: 552, Enhanced: "5.2.2", Reply: "5.2.2 … is over quota"}, false},
		{"RCPT grey", map[string][]string{"RCPT": {"451 4.7.1 Greylisted\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Transient, Code: 451, Enhanced: "4.7.1", Reply: "4.7.1 Greylisted"}, false},
		{"RCPT policy", map[string][]string{"RCPT": {"554 5.7.1 rejected for policy reasons\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 554, Enhanced: "5.7.1", Reply: "5.7.1 rejected for policy reasons"}, false},
		{"RCPT relay denied", map[string][]string{"RCPT": {"554 5.7.1 <zoe.dupont@example.com>: Relay access denied\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 554, Enhanced: "5.7.1", Policy: true, Reply: "5.7.1 <…>: Relay access denied"}, false},
		{"RCPT callout", map[string][]string{"RCPT": {"550 5.1.1 undeliverable: host mx.example.net said: 550 5.7.26 DMARC\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 550, Enhanced: "5.1.1", Reply: "5.1.1 undeliverable: host mx.example.net said: 550 5.7.26 DMARC"}, false},
		{"RCPT many lines", map[string][]string{"RCPT": {"550-5.1.1 The account that you\r\n550-5.1.1 tried to reach\r\n550 5.1.1 does not exist\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Dead, Code: 550, Enhanced: "5.1.1", Reply: "5.1.1 The account that you 5.1.1 tried to reach 5.1.1 does not exist"}, false},
		{"RCPT two codes", map[string][]string{"RCPT": {"550-5.1.1 no\r\n250 5.1.1 yes\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "the relay's answer is not SMTP"}, false},
		{"RCPT refused then drop", map[string][]string{"RCPT": {dead, ok}, "DATA": {drop, "354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Dead, Code: 550, Enhanced: "5.1.1", Reply: "5.1.1 <…>: Recipient address rejected: User unknown"}, false},
		{"RCPT refused and DATA accepted", map[string][]string{"RCPT": {dead, ok}, "DATA": {"354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Dead, Code: 550, Enhanced: "5.1.1", Reply: "5.1.1 <…>: Recipient address rejected: User unknown"}, false},
		{"RCPT 421", map[string][]string{"RCPT": {"421 4.7.0 too many errors\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Code: 421, Enhanced: "4.7.0", Broken: true, Reply: "4.7.0 too many errors"}, false},
		{"RCPT drop", map[string][]string{"RCPT": {drop, ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "connection lost"}, false},
		{"DATA 4xx", map[string][]string{"DATA": {"451 4.3.0 queue file write error\r\n", "354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Transient, Code: 451, Enhanced: "4.3.0", Reply: "4.3.0 queue file write error"}, false},
		{"DATA 5xx", map[string][]string{"DATA": {"554 no\r\n", "354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 554, Policy: true, Reply: "no"}, false},
		{"DATA 250", map[string][]string{"DATA": {"250 what\r\n", "354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "the relay's answer is not SMTP"}, false},
		{"RCPT twice", map[string][]string{"RCPT": {"250 ok\r\n250 twice\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "the relay's answer is not SMTP"}, false},
		{"DATA drop", map[string][]string{"DATA": {drop, "354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "connection lost"}, false},
		{"DATA hang", map[string][]string{"DATA": {hang, "354 go\r\n"}},
			pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true, Reply: "no answer in time"}, false},
		{"dot 4xx", map[string][]string{".": {"451 4.7.1 try again later\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Transient, Code: 451, Enhanced: "4.7.1", Reply: "4.7.1 try again later"}, true},
		{"dot spam", map[string][]string{".": {"550 5.7.1 looks like spam\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 550, Enhanced: "5.7.1", Reply: "5.7.1 looks like spam"}, true},
		{"dot unknown", map[string][]string{".": {"554 Transaction failed\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 554, Reply: "Transaction failed"}, true},
		{"dot user unknown", map[string][]string{".": {dead, ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Dead, Code: 550, Enhanced: "5.1.1", Reply: "5.1.1 <…>: Recipient address rejected: User unknown"}, true},
		{"dot 421", map[string][]string{".": {"421 4.3.2 closing\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Transient, Code: 421, Enhanced: "4.3.2", Broken: true, Reply: "4.3.2 closing"}, true},
		{"dot drop", map[string][]string{".": {drop, ok}},
			pipeline.Answer{Phase: pipeline.PhaseDoubtful, Broken: true, Reply: "connection lost"}, true},
		{"dot hang", map[string][]string{".": {hang, ok}},
			pipeline.Answer{Phase: pipeline.PhaseDoubtful, Broken: true, Reply: "no answer in time"}, true},
		{"dot garbage", map[string][]string{".": {"\x00\x01\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseDoubtful, Broken: true, Reply: "the relay's answer is not SMTP"}, true},
		{"dot 354", map[string][]string{".": {"354 more\r\n", ok}},
			pipeline.Answer{Phase: pipeline.PhaseDoubtful, Broken: true, Reply: "the relay's answer is not SMTP"}, true},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/plain=%v", tt.name, plain), func(t *testing.T) {
				t.Parallel()
				answers := map[string][]string{}
				for k, v := range tt.answers {
					answers[k] = slices.Clone(v)
				}
				f := serve(t, script{offers: all, answers: answers})
				c := dial(t, f, func(c *email.RelayConfig) {
					c.Plain = plain
					c.DialContext = f.dialHasty
				})
				a := c.Send(t.Context(), message(1), nil)
				want := tt.want
				if strings.HasPrefix(tt.name, "RCPT refused") && !plain {
					want.Broken = true // by what follows the refusal
				}
				if diff := cmp.Diff(want, a); diff != "" {
					t.Fatal(diff)
				}
				taken := 0
				if tt.whole {
					taken = 1
				}
				if got := f.seen(); len(got) != taken {
					t.Fatalf("the relay saw %d complete messages, want %d", len(got), taken)
				}
				if tt.name == "RCPT refused then drop" && plain {
					return // its DATA still drops
				}
				if a := c.Send(t.Context(), message(2), nil); a.Phase != pipeline.PhaseAccepted {
					t.Fatalf("the next message: %+v", a)
				}
				got := f.seen()
				if len(got) != taken+1 || got[taken] != string(message(2).Body) {
					t.Fatalf("the relay saw %q", got)
				}
			})
		}
	}
}

// TestSendAnnounces sends each message with the envelope of the next behind its
// content: the relay waits for a command once a message.
func TestSendAnnounces(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers map[string][]string
		change  func(c *email.RelayConfig)
		takes   int // messages a connection, before the relay closes it
		dead    int // message that is refused; 0: none
		groups  int // commands that had to be waited for; 0: it does not matter
		conns   int
	}{
		{name: "all", groups: 3, conns: 1}, // EHLO, the first envelope, QUIT
		{name: "one refused", answers: map[string][]string{"RCPT": {"250 ok\r\n", "250 ok\r\n", "550 5.1.1 no\r\n", "250 ok\r\n"}}, dead: 3, groups: 4, conns: 1},
		{name: "content refused", answers: map[string][]string{".": {"250 ok\r\n", "550 5.1.1 no\r\n", "250 ok\r\n"}}, dead: 2, groups: 3, conns: 1},
		{name: "relay closes", takes: 3, conns: 4},
		{name: "closed by 421", answers: map[string][]string{"MAIL": {"250 ok\r\n", "421 4.3.2 enough\r\n", "250 ok\r\n"}}, conns: 2},
		{name: "renewed", change: func(c *email.RelayConfig) { c.PerConnection = 5 }, conns: 2},
		{name: "plain", change: func(c *email.RelayConfig) { c.Plain = true }, conns: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serve(t, script{offers: all, answers: tt.answers, close: tt.takes})
			c := dial(t, f, tt.change)
			const messages = 10
			list := make([]*pipeline.Message, messages+1)
			for n := range messages {
				list[n] = message(n + 1)
			}
			for n := range messages {
				want := pipeline.PhaseAccepted
				if n+1 == tt.dead {
					want = pipeline.PhaseRefused
				}
				if a := c.Send(t.Context(), list[n], list[n+1]); a.Phase != want {
					t.Fatalf("message %d: %+v", n+1, a)
				}
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			f.stop()
			var want []string
			for n, m := range list[:messages] {
				if n+1 != tt.dead || tt.name == "content refused" {
					want = append(want, string(m.Body))
				}
			}
			if diff := cmp.Diff(want, f.seen()); diff != "" {
				t.Error(diff)
			}
			if f.connections() != tt.conns || tt.groups > 0 && f.groups != tt.groups {
				t.Errorf("%d connections, want %d; the relay waited for %d commands, want %d", f.connections(), tt.conns, f.groups, tt.groups)
			}
		})
	}
}

// TestAnnouncedAndNotSent: the relay waits for a content. It gets neither another
// message nor a goodbye as one.
func TestAnnouncedAndNotSent(t *testing.T) {
	t.Parallel()
	f := serve(t, script{offers: all})
	c := dial(t, f, nil)
	first, second, third := message(1), message(2), message(3)
	for _, m := range []*pipeline.Message{first, third} {
		if a := c.Send(t.Context(), m, second); a.Phase != pipeline.PhaseAccepted {
			t.Fatalf("%+v", a)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f.stop()
	if diff := cmp.Diff([]string{string(first.Body), string(third.Body)}, f.seen()); diff != "" {
		t.Error(diff)
	}
	if f.connections() != 2 || slices.Contains(f.heard(), "QUIT") {
		t.Errorf("%d connections, %q", f.connections(), f.heard())
	}
}

// TestSendNeverTruncates breaks the connection at many places within the content.
func TestSendNeverTruncates(t *testing.T) {
	t.Parallel()
	big := message(1)
	big.Body = append([]byte("Subject: big\r\n\r\n"), []byte(strings.Repeat("une ligne de texte\r\n", 400_000))...) // more than socket buffers take
	for _, takes := range []int{1, 1000, 100_000} {
		f := serve(t, script{offers: []string{"PIPELINING"}, takes: takes})
		c := dial(t, f, nil)
		a := c.Send(t.Context(), big, nil)
		if a.Phase != pipeline.PhaseUnsent || !a.Broken {
			t.Errorf("after %d bytes: %+v", takes, a)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		f.stop()
		if got := f.seen(); len(got) != 0 {
			t.Errorf("after %d bytes the relay has a message of %d bytes", takes, len(got[0]))
		}
	}
}

// TestSendBreaksBehindTheDot cuts the socket off within one write: before the dot
// nothing was sent, in the envelope that follows it the relay may have the message.
func TestSendBreaksBehindTheDot(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		goes float64 // share of the write that goes out
		want pipeline.Phase
	}{{0.1, pipeline.PhaseUnsent}, {0.95, pipeline.PhaseDoubtful}} {
		f := serve(t, script{offers: all})
		c := dial(t, f, func(c *email.RelayConfig) {
			c.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				var d net.Dialer
				inner, err := d.DialContext(ctx, network, address)
				return &stall{Conn: inner, after: 2, share: tt.goes, then: func() {}}, err
			}
			c.Timeouts.Quit = 50 * time.Millisecond // the relay waits for the rest and says nothing
		})
		m := message(1)
		m.Body = append(m.Body, strings.Repeat("une ligne de texte\r\n", 100)...)
		if a := c.Send(t.Context(), m, message(2)); a.Phase != tt.want || !a.Broken {
			t.Errorf("after %.2f of the write: %+v", tt.goes, a)
		}
		f.stop()
		// Whether it has it depends on what it read before the reset.
		if got := f.seen(); len(got) > 0 && tt.want == pipeline.PhaseUnsent {
			t.Errorf("after %.2f of the write the relay has %d messages", tt.goes, len(got))
		}
	}
}

// TestSendCancelled ends ctx while the content goes out and while the answer to
// the dot is awaited.
func TestSendCancelled(t *testing.T) {
	t.Parallel()
	t.Run("content", func(t *testing.T) {
		t.Parallel()
		f := serve(t, script{offers: []string{"PIPELINING"}})
		ctx, cancel := context.WithCancel(t.Context())
		stalled := func(ctx context.Context, network, address string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, network, address)
			return &stall{Conn: c, after: 2, then: cancel}, err
		}
		c := dial(t, f, func(c *email.RelayConfig) { c.DialContext = stalled })
		a := c.Send(ctx, message(1), nil)
		if a.Phase != pipeline.PhaseUnsent || !a.Broken {
			t.Fatalf("%+v", a)
		}
		f.stop()
		if len(f.seen()) != 0 {
			t.Fatal("the relay has a message")
		}
	})
	t.Run("dot", func(t *testing.T) {
		t.Parallel()
		f := serve(t, script{offers: all, answers: map[string][]string{".": {hang}}})
		ctx, cancel := context.WithCancel(t.Context())
		c := dial(t, f, nil)
		go func() {
			for len(f.seen()) == 0 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if a := c.Send(ctx, message(1), nil); a.Phase != pipeline.PhaseDoubtful || !a.Broken {
			t.Fatalf("%+v", a)
		}
	})
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		f := serve(t, script{offers: all})
		c := dial(t, f, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if a := c.Send(ctx, message(1), nil); a.Phase != pipeline.PhaseUnsent || a.Broken {
			t.Fatalf("%+v", a)
		}
		if a := c.Send(t.Context(), message(1), nil); a.Phase != pipeline.PhaseAccepted {
			t.Fatalf("%+v", a)
		}
	})
}

// stall lets some writes through whole, then a share of one, half unless it says
// otherwise, calls then, and fails as the socket does that was closed meanwhile.
type stall struct {
	net.Conn
	after int
	share float64
	then  func()
}

func (s *stall) Write(p []byte) (int, error) {
	if s.after--; s.after >= 0 {
		return s.Conn.Write(p)
	}
	if s.share == 0 {
		s.share = 0.5
	}
	n, err := s.Conn.Write(p[:int(s.share*float64(len(p)))])
	s.then()
	if err == nil {
		err = net.ErrClosed
	}
	return n, err
}

// TestSendRenews lets the relay close connections between messages.
func TestSendRenews(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		f := serve(t, script{offers: all, close: 3})
		c := dial(t, f, func(c *email.RelayConfig) { c.Plain = plain })
		for n := range 10 {
			if a := c.Send(t.Context(), message(n+1), nil); a.Phase != pipeline.PhaseAccepted {
				t.Fatalf("message %d: %+v", n+1, a)
			}
		}
		if got := f.seen(); len(got) != 10 || f.connections() != 4 {
			t.Errorf("%d messages over %d connections", len(got), f.connections())
		}
	}
	f := serve(t, script{offers: all})
	c := dial(t, f, func(c *email.RelayConfig) { c.PerConnection = 2 })
	for n := range 5 {
		if a := c.Send(t.Context(), message(n+1), nil); a.Phase != pipeline.PhaseAccepted {
			t.Fatalf("message %d: %+v", n+1, a)
		}
	}
	if got := f.seen(); len(got) != 5 || f.connections() != 3 {
		t.Errorf("%d messages over %d connections", len(got), f.connections())
	}
	if !slices.Contains(f.heard(), "QUIT") {
		t.Error("a connection was left without QUIT")
	}
	idle := dial(t, f, func(c *email.RelayConfig) { c.Idle = time.Nanosecond })
	if a := idle.Send(t.Context(), message(6), nil); a.Phase != pipeline.PhaseAccepted {
		t.Fatalf("%+v", a)
	}
	if f.connections() != 5 {
		t.Errorf("%d connections: the one that had rested was not renewed", f.connections())
	}
}

// TestSendUnsolicited says something nobody asked for between two messages: the
// answers must not be shifted by one.
func TestSendUnsolicited(t *testing.T) {
	t.Parallel()
	f := serve(t, script{offers: all, answers: map[string][]string{
		".": {"250 2.0.0 Ok: queued as A1\r\n250 2.0.0 Ok: queued as B2\r\n", "250 2.0.0 Ok: queued as C3\r\n"}, "RCPT": {"250 ok\r\n", "550 5.1.1 no\r\n"},
	}})
	c := dial(t, f, nil)
	if a := c.Send(t.Context(), message(1), nil); a.QueueID != "A1" {
		t.Fatalf("%+v", a)
	}
	if a := c.Send(t.Context(), message(2), nil); a.Outcome != pipeline.Dead {
		t.Fatalf("%+v", a)
	}
	if f.connections() != 2 {
		t.Errorf("%d connections", f.connections())
	}
}

func TestSendRefusesUnfit(t *testing.T) {
	t.Parallel()
	f := serve(t, script{offers: []string{"PIPELINING", "SIZE 100"}})
	c := dial(t, f, nil)
	for name, change := range map[string]func(*pipeline.Message){
		"line break in To":   func(m *pipeline.Message) { m.To = "a@example.com>\r\nRCPT TO:<b@example.com" },
		"parameter in To":    func(m *pipeline.Message) { m.To = "a@example.com> NOTIFY=NEVER" },
		"line break in From": func(m *pipeline.Message) { m.From = "a\n@example.com" },
		"no From":            func(m *pipeline.Message) { m.From = "" },
		"no body":            func(m *pipeline.Message) { m.Body = nil },
		"too big":            func(m *pipeline.Message) { m.Body = []byte(strings.Repeat("x", 99) + "\r\n") },
	} {
		m := message(1)
		change(m)
		a := c.Send(t.Context(), m, nil)
		if a.Phase != pipeline.PhaseRefused || a.Outcome != pipeline.Ours || a.Broken || !strings.HasPrefix(a.Reply, "not handed over") {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if got := f.heard(); len(got) != 1 {
		t.Errorf("the relay heard %q", got)
	}
}
