package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// fate is what the server of the customers answers, and what must come of it.
type fate struct {
	reply *smtp.SMTPError // nil: taken
	want  pipeline.Outcome
	code  string // of the event
}

func fates() []fate {
	answer := func(code int, e smtp.EnhancedCode, text string) *smtp.SMTPError {
		return &smtp.SMTPError{Code: code, EnhancedCode: e, Message: text}
	}
	return []fate{
		{answer(550, smtp.EnhancedCode{5, 1, 1}, "no such user here"), pipeline.Dead, "5.1.1"},
		{answer(452, smtp.EnhancedCode{4, 2, 2}, "mailbox full"), pipeline.Transient, "4.2.2"},
		{answer(552, smtp.EnhancedCode{5, 2, 2}, "mailbox full"), pipeline.Transient, "5.2.2"},
		{answer(550, smtp.EnhancedCode{5, 7, 1}, "message refused by policy"), pipeline.Ours, "5.7.1"},
		{answer(451, smtp.EnhancedCode{4, 3, 2}, "system not accepting messages"), pipeline.Transient, "4.3.2"},
		{},
	}
}

// refuser is the server of the customers: it refuses by local part.
type refuser struct {
	mu   sync.Mutex
	all  []fate
	seen map[string]int // address → fate
}

// NewSession implements smtp.Backend.
func (r *refuser) NewSession(*smtp.Conn) (smtp.Session, error) { return refuserSession{r}, nil }

type refuserSession struct{ *refuser }

func (refuserSession) Reset()                               {}
func (refuserSession) Logout() error                        { return nil }
func (refuserSession) Mail(string, *smtp.MailOptions) error { return nil }
func (refuserSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// Rcpt gives each address the next fate, and keeps to it.
func (s refuserSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	to = strings.ToLower(to)
	n, ok := s.seen[to]
	if !ok {
		n = len(s.seen) % len(s.all)
		s.seen[to] = n
	}
	if e := s.all[n].reply; e != nil {
		return e
	}
	return nil
}

func (r *refuser) fateOf(address string) (fate, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n, ok := r.seen[strings.ToLower(address)]
	return r.all[n], ok
}

// TestPostfixBounces: a real Postfix stands between art34 and a server that refuses
// by local part. Its genuine notifications come back over LMTP, and each notice
// takes the right way; so do the probes that prove the way back.
func TestPostfixBounces(t *testing.T) {
	t.Parallel()
	sink := &refuser{all: fates(), seen: map[string]int{}}
	remote, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(sink)
	server.Domain = "customers.example"
	go func() { _ = server.Serve(remote) }()
	t.Cleanup(func() { _ = server.Close() })
	back := testenv.FreeAddress(t)
	relay := testenv.Postfix(t, testenv.PostfixConfig{
		Routes: map[string]string{
			"*":                              "smtp:[127.0.0.1]:" + portOf(remote.Addr().String()),
			"retour.telecom-exemple.example": "lmtp:inet:" + back,
			"retour.nuage-mobile.example":    "lmtp:inet:" + back,
		},
		Settings: map[string]string{
			// A busy machine tries late, and warns of a delay where it tries again. Between two
			// tries it has to let go of the message: who finds it still being delivered leaves
			// it alone for five minutes.
			"maximal_queue_lifetime": "30s", "bounce_queue_lifetime": "300s", "delay_warning_time": "1s",
			"minimal_backoff_time": "10s", "maximal_backoff_time": "10s", "queue_run_delay": "1s",
		},
	})
	in := install(t, 40, 7, "ART34_RELAY="+relay.URL, "ART34_FEEDBACK_LMTP="+back, "ART34_CONSOLE=off", "ART34_RUN_PROVE_EVERY=1h")
	in.must("launch", "muguet")
	service := in.start("run")

	h := in.house()
	defer h.Close()
	var mailed []known
	settled := func() bool {
		time.Sleep(200 * time.Millisecond) // each look reads the whole ledger
		mailed = mailed[:0]
		open := 0
		for _, n := range readNotices(t, in) {
			f, ok := sink.fateOf(n.person.Email)
			if n.FirstAt.IsZero() || n.Born != pipeline.Due || !n.Reach.Has(pipeline.ByEmail) && n.Attempt == 1 || n.Role == pipeline.Copy {
				continue
			}
			if !ok || f.reply != nil && n.Attempt == 1 {
				open++
			}
			mailed = append(mailed, n)
		}
		return open == 0 && len(mailed) >= 20
	}
	begun := time.Now()
	until(t, "bounces of all refused mails", longest, settled)

	ways := map[pipeline.Outcome]int{}
	for _, n := range mailed {
		f, _ := sink.fateOf(n.person.Email)
		var bounces, delays []pipeline.Event
		events, err := h.ledger.Events(context.Background(), n.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			switch e.Kind {
			case pipeline.EvBounced:
				bounces = append(bounces, e)
			case pipeline.EvDelayed:
				delays = append(delays, e)
			}
			if strings.Contains(e.Detail, "@") || strings.Contains(strings.ToLower(e.Detail), strings.ToLower(n.person.LastName)) && len(n.person.LastName) > 3 {
				t.Errorf("an event names somebody: %q", e.Detail)
			}
		}
		if f.reply == nil {
			if n.State != pipeline.Accepted || len(bounces)+len(delays) != 0 {
				t.Errorf("taken by its server, and %s with %d bounces", n.State, len(bounces))
			}
			continue
		}
		ways[f.want]++
		if len(bounces) != 1 || bounces[0].Outcome != f.want || bounces[0].Code != f.code || bounces[0].Attempt != 1 {
			t.Errorf("refused with %s: %+v", f.code, bounces)
			continue
		}
		if wantDelay := f.reply.Code < 500; wantDelay != (len(delays) > 0) {
			t.Errorf("refused with %s: %d delays", f.code, len(delays))
		}
		switch f.want {
		case pipeline.Dead:
			if n.Channel == pipeline.Email || n.Reach.Has(pipeline.ByEmail) {
				t.Errorf("a dead address goes on by %s", n.Channel)
			}
		case pipeline.Transient:
			if n.State != pipeline.Due || n.Channel != pipeline.Email || n.Reason != pipeline.ReasonTransient || n.DueAt.Sub(bounces[0].At) < 4*time.Hour {
				t.Errorf("refused with %s: %s by %s, %s, in %s", f.code, n.State, n.Channel, n.Reason, n.DueAt.Sub(bounces[0].At))
			}
		case pipeline.Ours:
			if n.Channel != pipeline.Email || n.Reason != pipeline.ReasonOurs {
				t.Errorf("refused with %s: %s by %s, %s", f.code, n.State, n.Channel, n.Reason)
			}
		}
	}
	t.Logf("%d mails in %s: %v", len(mailed), time.Since(begun).Round(time.Second), ways)
	if ways[pipeline.Dead] == 0 || ways[pipeline.Transient] == 0 || ways[pipeline.Ours] == 0 {
		t.Errorf("not every way was taken: %v", ways)
	}
	// The probes took the same way.
	domain := "retour.telecom-exemple.example"
	until(t, "the proof of the way back", longest, func() bool {
		time.Sleep(200 * time.Millisecond)
		ok := true
		for _, name := range []string{"loop", "bounce"} {
			s, err := h.ledger.Meta(context.Background(), feedback.MetaWayBack+domain+"/"+name)
			if err != nil {
				t.Fatal(err)
			}
			ok = ok && s != ""
		}
		return ok
	})
	t.Logf("the way back is proven after %s", time.Since(begun).Round(time.Second))
	in.status(true)
	var counts []pipeline.InboundCount
	if counts, err = h.ledger.CountInbox(context.Background()); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(counts, func(c pipeline.InboundCount) bool {
		return c.State == pipeline.InboundQuarantined || c.State == pipeline.InboundGarbage || c.State == pipeline.InboundUnmatched
	}) {
		t.Errorf("genuine notifications were put aside: %v", counts)
	}
	_ = service.cmd.Process.Signal(syscall.SIGTERM)
	if code := service.wait(longest); code != 0 {
		t.Errorf("run: exit %d\n%s", code, service.out.String())
	}
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(fmt.Sprintf("%q has no port", address))
	}
	return port
}
