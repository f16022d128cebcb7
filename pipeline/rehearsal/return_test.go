package rehearsal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/dsn"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/rehearsal"
)

// came is a message that came back.
type came struct {
	from, to string
	raw      []byte
}

// box is a mailbox in memory that can be told to refuse.
type box struct {
	mu   sync.Mutex
	got  []came
	fail error
	no   int    // times that it failed
	only string // if set, all other addresses are refused for good
}

func (b *box) Deliver(_ context.Context, from, to string, raw []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		b.no++
		return b.fail
	}
	if b.only != "" && to != b.only {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	b.got = append(b.got, came{from, to, bytes.Clone(raw)})
	return nil
}

func (b *box) all() []came {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

// returning starts to deliver until the test ends or stop is called.
func returning(t *testing.T, r *rehearsal.Relay, m rehearsal.Mailbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Return(ctx, m) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("return: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// wait waits until nothing is left to come back.
func wait(t *testing.T, r *rehearsal.Relay) {
	t.Helper()
	for start := time.Now(); r.Coming() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d are still to come", r.Coming())
		}
	}
}

// path is what send gives as return path.
const path = "b1-x@bounce.example"

const notice = "From: Practice <info@practice.example>\r\nReply-To: <cell@practice.example>\r\nTo: =?UTF-8?Q?Zo=C3=A9?= <a@example.com>\r\n" +
	"Subject: =?UTF-8?Q?Vos_donn=C3=A9es?=\r\nMessage-ID: <practice.1@practice.example>\r\nDate: Tue, 3 Feb 2026 10:00:00 +0000\r\n\r\nBody\r\n"

// quick runs through a year in a second.
func quick() clock.Clock {
	return clock.NewScaled(time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC), 3600*24*365)
}

// TestShapesMeanWhatIsMeant reads each thing that comes back, in the words of each
// system, with the parser and the classifier.
func TestShapesMeanWhatIsMeant(t *testing.T) {
	t.Parallel()
	domains := map[string]string{"gmail": "gmail.example", "exchange": "outlook.example", "others": "wanadoo.example"}
	for name, c := range map[string]struct {
		mix  rehearsal.Mix
		want []string // outcome and shape of what comes back, sorted
	}{
		"dead":      {rehearsal.Mix{LateDead: 1}, []string{"dead delivery"}},
		"no domain": {rehearsal.Mix{LateHost: 1}, []string{"dead delivery"}},
		"full":      {rehearsal.Mix{LateFull: 1}, []string{"transient delivery"}},
		"refused":   {rehearsal.Mix{LatePolicy: 1}, []string{"ours delivery"}},
		"expired":   {rehearsal.Mix{Expired: 1}, []string{"none delivery", "transient delivery"}},
		"very late": {rehearsal.Mix{VeryLate: 1}, []string{"dead delivery"}},
		"delayed":   {rehearsal.Mix{Delayed: 1}, []string{"none delivery"}},
		"delivered": {rehearsal.Mix{Success: 1}, []string{"none delivery"}},
		"absence":   {rehearsal.Mix{Absence: 1}, []string{"none automatic"}},
		"left":      {rehearsal.Mix{Left: 1}, []string{"none automatic"}},
		"reply":     {rehearsal.Mix{Reply: 1}, []string{"none personal"}},
		"stop":      {rehearsal.Mix{Stop: 1}, []string{"none personal"}},
		"complaint": {rehearsal.Mix{Complaint: 1}, []string{"none complaint"}},
		"twice":     {rehearsal.Mix{LateDead: 1, Twice: 1}, []string{"dead delivery", "dead delivery"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, addr := start(t, rehearsal.RelayConfig{Seed: 5, Mix: c.mix, Clock: quick()})
			b := &box{}
			judge := feedback.NewClassifier()
			returning(t, r, b)
			for which, domain := range domains {
				for i := range 12 { // enough for each shape that the others have
					to := fmt.Sprintf("p%d@%s", i, domain)
					before := len(b.all())
					if code := send(t, addr, to, notice); code != 250 {
						t.Fatalf("%s: %d", to, code)
					}
					wait(t, r)
					got := b.all()[before:]
					if len(got) != len(c.want) {
						t.Fatalf("%s: %d came back, want %d", which, len(got), len(c.want))
					}
					var means []string
					for _, m := range got {
						means = append(means, check(t, judge, m, to))
					}
					slices.Sort(means) // several are delivered at the same time
					if !slices.Equal(means, c.want) {
						t.Errorf("%s: means %v, want %v:\n%s", which, means, c.want, got[0].raw)
					}
				}
			}
		})
	}
}

// check looks at what came back and returns what it means.
func check(t *testing.T, judge *feedback.Classifier, m came, to string) string {
	t.Helper()
	report := dsn.Parse(m.raw)
	verdicts := judge.Classify(report)
	if len(verdicts) != 1 {
		t.Fatalf("means %+v:\n%s", verdicts, m.raw)
	}
	if report.Shape == dsn.Delivery && (verdicts[0].Recipient != to || report.MessageID != "<practice.1@practice.example>") {
		t.Errorf("about %q of %q:\n%s", report.MessageID, verdicts[0].Recipient, m.raw)
	}
	if report.Shape == dsn.Personal && (m.from != to || m.to != path && m.to != "cell@practice.example") || report.Shape != dsn.Personal && (m.from != "" || m.to != path) {
		t.Errorf("from %q to %q", m.from, m.to)
	}
	if _, err := mail.ReadMessage(bytes.NewReader(m.raw)); err != nil {
		t.Errorf("no message: %v", err)
	}
	if bytes.Contains(bytes.ReplaceAll(m.raw, []byte("\r\n"), nil), []byte("\n")) || bytes.Contains(m.raw, []byte("<no value>")) {
		t.Errorf("not well made:\n%s", m.raw)
	}
	return string(verdicts[0].Outcome) + " " + string(report.Shape)
}

// TestGarbageAndForgeriesMeanNoHarm: what only looks like a notification names no
// dead address, and a forged one comes to an address that we never gave out.
func TestGarbageAndForgeriesMeanNoHarm(t *testing.T) {
	t.Parallel()
	r, addr := start(t, rehearsal.RelayConfig{Seed: 5, Mix: rehearsal.Mix{Garbage: 0.5, Forged: 1}, Clock: quick()})
	b := &box{}
	returning(t, r, b)
	for i := range 20 {
		send(t, addr, fmt.Sprintf("p%d@example.com", i), notice)
	}
	wait(t, r)
	judge, forged := feedback.NewClassifier(), 0
	for _, m := range b.all() {
		v := judge.Classify(dsn.Parse(m.raw))[0]
		switch {
		case m.to != path:
			forged++
			if v.Outcome != pipeline.Dead || len(m.to) != len(path) || bytes.Contains(m.raw, []byte("<practice.1@practice.example>")) {
				t.Errorf("a forgery to %s says %s", m.to, v.Outcome)
			}
		case v.Outcome == pipeline.Dead || v.Outcome == pipeline.Ours:
			t.Errorf("garbage means %s: %s", v.Outcome, m.raw)
		}
	}
	if forged != 20 || len(b.all()) < 25 {
		t.Errorf("%d forged of %d", forged, len(b.all()))
	}
}

// TestFatesPass: what passes in the world passes here, by attempt.
func TestFatesPass(t *testing.T) {
	t.Parallel()
	attempt := 1
	r, addr := start(t, rehearsal.RelayConfig{
		Seed: 5, Mix: rehearsal.Mix{LatePolicy: 1}, Clock: quick(), Attempt: func(string) int { return attempt },
	})
	b := &box{}
	returning(t, r, b)
	for _, want := range []int{1, 1, 1} {
		send(t, addr, "a@example.com", notice)
		wait(t, r)
		if got := len(b.all()); got != want {
			t.Fatalf("attempt %d: %d came back in all, want %d", attempt, got, want)
		}
		attempt++
	}
	attempt = 0 // a mail that is none of the campaign's
	send(t, addr, "b@example.com", notice)
	if r.Coming() != 0 {
		t.Error("somebody else's mail came back")
	}
}

// TestHomeIsHandedOn: mail to a domain of ours arrives as it was.
func TestHomeIsHandedOn(t *testing.T) {
	t.Parallel()
	r, addr := start(t, rehearsal.RelayConfig{Mix: rehearsal.Mix{Dead: 1}, Home: func(d string) bool { return d == "bounce.example" }})
	b := &box{}
	returning(t, r, b)
	if code := send(t, addr, "loop@bounce.example", notice); code != 250 {
		t.Fatalf("code %d", code)
	}
	wait(t, r)
	if got := b.all(); len(got) != 1 || got[0].to != "loop@bounce.example" || got[0].from != path || string(got[0].raw) != notice {
		t.Errorf("%+v", got)
	}
}

// TestHomeRefusedIsReturned: mail to a domain of ours that nobody there wants comes
// back as a bounce, which is how a way back is tried on purpose.
func TestHomeRefusedIsReturned(t *testing.T) {
	t.Parallel()
	r, addr := start(t, rehearsal.RelayConfig{Home: func(d string) bool { return d == "bounce.example" }, Attempt: func(string) int { return 0 }})
	b := &box{only: path}
	returning(t, r, b)
	if code := send(t, addr, "nobody@bounce.example", notice); code != 250 {
		t.Fatalf("code %d", code)
	}
	wait(t, r)
	got := b.all()
	if len(got) != 1 {
		t.Fatalf("%d came back", len(got))
	}
	if means := check(t, feedback.NewClassifier(), got[0], "nobody@bounce.example"); means != "dead delivery" {
		t.Errorf("means %s:\n%s", means, got[0].raw)
	}
}

// TestPlansOutliveTheRelay: what was planned before a death is delivered after it,
// what was delivered is not, and a torn line is of a message that nobody
// acknowledged.
func TestPlansOutliveTheRelay(t *testing.T) {
	t.Parallel()
	now := clock.NewManual(time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC))
	c := rehearsal.RelayConfig{Seed: 5, Mix: rehearsal.Mix{Expired: 1}, Clock: now, Journal: filepath.Join(t.TempDir(), "journal")}
	first, addr := start(t, c)
	for i := range 10 {
		send(t, addr, fmt.Sprintf("p%d@example.com", i), notice)
	}
	b := &box{}
	stop := returning(t, first, b)
	now.Advance(5 * time.Hour) // the delays are told, the failures are still to come
	for start := time.Now(); first.Coming() > 10; time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatalf("%d are still to come", first.Coming())
		}
	}
	stop()
	if n := len(b.all()); n != 10 {
		t.Fatalf("%d came back", n)
	}
	f, err := os.OpenFile(c.Journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"plan":{"id":99,"due":`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	second, addr := start(t, c)
	if second.Coming() != 10 || second.Counts().Returned["delayed"] != 10 {
		t.Fatalf("%d are to come, %v came", second.Coming(), second.Counts().Returned)
	}
	send(t, addr, "q@example.com", notice)
	b.fail = errors.New("away")
	returning(t, second, b)
	now.Advance(48 * time.Hour)
	for refused := false; !refused; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		if refused = b.no > 0; refused {
			b.fail = nil
		}
		b.mu.Unlock()
	}
	wait(t, second)
	if n := len(b.all()); n != 22 {
		t.Errorf("%d came back in all, want 22", n)
	}
}

// TestRefusedForGoodIsSaid: a mailbox that will never take it is a defect.
func TestRefusedForGoodIsSaid(t *testing.T) {
	t.Parallel()
	r, addr := start(t, rehearsal.RelayConfig{Mix: rehearsal.Mix{LateDead: 1}, Clock: quick()})
	send(t, addr, "a@example.com", notice)
	err := r.Return(context.Background(), &box{fail: &smtp.SMTPError{Code: 550, Message: "no"}})
	var reply *smtp.SMTPError
	if !errors.As(err, &reply) {
		t.Errorf("got %v", err)
	}
}

// TestLMTPDelivers hands over to an LMTP server and keeps the connection.
func TestLMTPDelivers(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &boxSession{box: b}, nil }))
	s.LMTP, s.Domain = true, "home.example"
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	m := &rehearsal.LMTP{Network: "tcp", Address: l.Addr().String()}
	for i := range 3 {
		if err := m.Deliver(context.Background(), "", fmt.Sprintf("b%d@bounce.example", i), []byte("Subject: x\r\n\r\n.dot\r\n")); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.all(); len(got) != 3 || got[2].to != "b2@bounce.example" || string(got[2].raw) != "Subject: x\r\n\r\n.dot\r\n" {
		t.Errorf("%+v", got)
	}
	b.fail = &smtp.SMTPError{Code: 451, Message: "later"}
	if err := m.Deliver(context.Background(), "", "b@bounce.example", []byte("x\r\n")); err == nil || !strings.Contains(err.Error(), "later") {
		t.Errorf("got %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

type boxSession struct {
	box      *box
	from, to string
}

func (s *boxSession) Reset()                                      {}
func (s *boxSession) Logout() error                               { return nil }
func (s *boxSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *boxSession) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = to; return nil }
func (s *boxSession) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	return s.box.Deliver(context.Background(), s.from, s.to, raw.Bytes())
}

// TestUsualMixIsPossible: shares stay within all recipients and add up to what was
// asked for.
func TestUsualMixIsPossible(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 0.08, 0.5, 0.9} {
		m := rehearsal.Usual(share)
		if m.Sum() > 1 || m.Bounces() < share-1e-9 || m.Bounces() > share+1e-9 {
			t.Errorf("%v: %v bounce, %v in all", share, m.Bounces(), m.Sum())
		}
	}
}
