package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/feedback/dsn"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/rehearsal"
)

// TestPracticeRelayOverLMTP runs the real service against the practice relay, which
// returns what it accepted over LMTP. The service is killed while the notifications
// come: the relay keeps what nobody took, and nothing is lost.
func TestPracticeRelayOverLMTP(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := rehearsal.NewRelay(rehearsal.RelayConfig{
		Seed: 3, Mix: rehearsal.Mix{LateDead: 0.1, LateFull: 0.1, Forged: 0.2, Twice: 0.3, Reply: 0.05},
		Clock:   clock.NewScaled(time.Now(), 3600*24), // a day a second
		Attempt: attemptOf, Home: func(string) bool { return false }, Journal: filepath.Join(t.TempDir(), "returning"),
	})
	if err != nil {
		t.Fatal(err)
	}
	back := testenv.FreeAddress(t)
	box := &recorder{LMTP: rehearsal.LMTP{Network: "tcp", Address: back}, judge: feedback.NewClassifier(), said: map[int64]pipeline.Outcome{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- relay.Serve(ctx, l) }()
	go func() { ended <- relay.Return(ctx, box) }()
	t.Cleanup(func() {
		cancel()
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Errorf("practice relay: %v", err)
			}
		}
		_ = box.Close()
		_ = relay.Close()
	})

	in := install(t, 300, 21, fmt.Sprintf("ART34_RELAY=smtp://%s?tls=none", l.Addr()), "ART34_FEEDBACK_LMTP="+back)
	box.mac = in.mac()
	in.must("launch", "muguet")
	r := in.start("run", "--prove-every", "0")
	until(t, "something came back", longest, func() bool { return relay.Counts().Returned["dead"] > 3 })
	r.kill()
	r = in.start("run", "--prove-every", "0")
	settled := func(s status) bool {
		return s.States[pipeline.Queued]+s.States[pipeline.Sending]+s.States[pipeline.InDoubt] == 0 && s.Channels[pipeline.Email][pipeline.Accepted] > 0
	}
	// All of it at one look: what is resent may come back too, and letters follow when
	// it is judged.
	until(t, "everything came back and is judged", longest, func() bool {
		time.Sleep(200 * time.Millisecond)
		s, got := in.status(false), in.judged()
		return relay.Coming() == 0 && settled(s) && got["pending"] == 0 && got["quarantined"] == relay.Counts().Returned["forged"] &&
			s.Channels[pipeline.Post][pipeline.Printing] > 0
	})
	r.kill()

	s, got := in.status(true), in.judged()
	t.Logf("returned %v, judged %v, %v", relay.Counts().Returned, got, s.States)
	if got["quarantined"] != relay.Counts().Returned["forged"] || got["quarantined"] == 0 {
		t.Errorf("%d are quarantined of %d forged", got["quarantined"], relay.Counts().Returned["forged"])
	}
	for _, n := range readNotices(t, in) {
		switch outcome := box.said[n.ID]; {
		case outcome == pipeline.Dead && (n.Channel == pipeline.Email || n.State == pipeline.Accepted),
			outcome == pipeline.Transient && n.State == pipeline.Accepted && n.Attempt == 1,
			outcome == "" && (n.Kind == pipeline.Fallback || n.Kind == pipeline.Resend):
			t.Errorf("notice %d: what came back means %q, and it is %s by %s", n.ID, outcome, n.State, n.Channel)
		}
	}
	if s.Channels[pipeline.Post][pipeline.Printing] == 0 || s.Channels[pipeline.Email][pipeline.Due] == 0 {
		t.Errorf("no letters for dead addresses, or no resends planned: %v", s.Channels)
	}
}

// mac is what signs the return paths of the campaign.
func (in *installation) mac() email.MAC {
	in.t.Helper()
	a := newApp(&globals{Dir: in.path("data"), Log: "info"}, nil, io.Discard, io.Discard)
	h, err := a.open(in.t.Context())
	if err != nil {
		in.t.Fatal(err)
	}
	defer h.Close()
	c, err := h.ledger.Campaign(in.t.Context(), "muguet")
	if err != nil {
		in.t.Fatal(err)
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		in.t.Fatal(err)
	}
	return keys.MAC
}

// judged counts what came back, by what became of it.
func (in *installation) judged() map[pipeline.InboundState]int64 {
	in.t.Helper()
	var view feedbackListView
	if err := json.Unmarshal([]byte(in.must("feedback", "list", "--json")), &view); err != nil {
		in.t.Fatal(err)
	}
	all := map[pipeline.InboundState]int64{}
	for _, c := range view.Counts {
		all[c.State] += c.Count
	}
	return all
}

// recorder is an LMTP server's client that remembers what it brought to its end.
type recorder struct {
	rehearsal.LMTP
	judge *feedback.Classifier
	mac   email.MAC // set before anything is sent

	mu   sync.Mutex
	said map[int64]pipeline.Outcome // by notice, of genuine bounces
}

// Deliver implements rehearsal.Mailbox.
func (r *recorder) Deliver(ctx context.Context, from, to string, raw []byte) error {
	if err := r.LMTP.Deliver(ctx, from, to, raw); err != nil {
		return err
	}
	token, err := email.ParseReturnPath(to)
	v := r.judge.Classify(dsn.Parse(raw))[0]
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && token.Verify(r.mac) && v.Kind == feedback.Bounce {
		r.said[token.Notice] = v.Outcome
	}
	return nil
}
