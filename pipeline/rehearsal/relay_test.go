package rehearsal_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline/rehearsal"
)

// start serves a relay on a free port until the test ends.
func start(t *testing.T, c rehearsal.RelayConfig) (*rehearsal.Relay, string) {
	t.Helper()
	r, err := rehearsal.NewRelay(c)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return r, l.Addr().String()
}

// send hands one message over and returns the code of the reply that refused it,
// 250 if none did, 0 if the connection was lost.
func send(t *testing.T, addr, to, body string) int {
	t.Helper()
	err := smtp.SendMail(addr, nil, path, []string{to}, []byte(body))
	var te *textproto.Error
	switch {
	case err == nil:
		return 250
	case errors.As(err, &te):
		return te.Code
	}
	return 0
}

func TestRelayAnswersAsTheMixSays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mix           rehearsal.Mix
		first, second int
	}{
		"accepts":    {rehearsal.Mix{}, 250, 250},
		"dead":       {rehearsal.Mix{Dead: 1}, 550, 550},
		"greylisted": {rehearsal.Mix{Grey: 1}, 451, 250},
		"full":       {rehearsal.Mix{Full: 1}, 452, 452},
		"over":       {rehearsal.Mix{Over: 1}, 552, 552},
		"policy":     {rehearsal.Mix{Policy: 1}, 550, 550},
		"drops":      {rehearsal.Mix{Drop: 1}, 0, 250},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, addr := start(t, rehearsal.RelayConfig{Seed: 1, Mix: c.mix})
			for i, want := range []int{c.first, c.second} {
				if got := send(t, addr, "a@example.com", "Subject: x\r\n\r\nx\r\n"); got != want {
					t.Errorf("time %d: %d, want %d", i+1, got, want)
				}
			}
		})
	}
}

func TestSameSeedSameFate(t *testing.T) {
	t.Parallel()
	mix := rehearsal.Mix{Dead: 0.3, Full: 0.2}
	fate := func(seed uint64) (codes []int) {
		_, addr := start(t, rehearsal.RelayConfig{Seed: seed, Mix: mix})
		for i := range 60 {
			codes = append(codes, send(t, addr, fmt.Sprintf("p%d@example.com", i), "x\r\n"))
		}
		return codes
	}
	a, b, c := fate(7), fate(7), fate(8)
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("the same seed gave two fates")
	}
	if fmt.Sprint(a) == fmt.Sprint(c) {
		t.Error("another seed gave the same fate")
	}
	dead := strings.Count(fmt.Sprint(a), "550")
	if dead < 8 || dead > 30 {
		t.Errorf("%d of 60 dead, about 18 expected", dead)
	}
}

func TestMaildirHoldsTheEnvelopeAndTheMessage(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	r, addr := start(t, rehearsal.RelayConfig{Maildir: dir, Mix: rehearsal.Mix{Drop: 1}})
	body := "Subject: x\r\n\r\n.dot first\r\nlast\r\n"
	if got := send(t, addr, "a@example.com", body); got != 0 {
		t.Fatalf("the drop answered %d", got)
	}
	if got := send(t, addr, "a@example.com", body); got != 250 {
		t.Fatalf("second: %d", got)
	}
	files, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v; the dropped message was taken as well", len(files), err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "new", files[1].Name()))
	if want := "Return-Path: <b1-x@bounce.example>\r\nDelivered-To: a@example.com\r\n" + body; err != nil || string(b) != want {
		t.Errorf("got %q, %v\nwant %q", b, err, want)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "tmp")); len(left) != 0 {
		t.Errorf("%d files left in tmp", len(left))
	}
	if c := r.Counts(); c.Accepted != 2 || c.Dropped != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestSinkCounts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan int64, 1)
	go func() {
		n, err := rehearsal.ServeSink(ctx, l)
		if err != nil {
			t.Error(err)
		}
		got <- n
	}()
	for range 5 {
		if code := send(t, l.Addr().String(), "a@example.com", "x\r\n"); code != 250 {
			t.Fatalf("code %d", code)
		}
	}
	cancel()
	if n := <-got; n != 5 {
		t.Errorf("counted %d of 5", n)
	}
}

// TestStoppedAtOnce: a relay that is closed before it has begun to listen ends all the
// same when its time is over: the server under it forgets the listener then.
func TestStoppedAtOnce(t *testing.T) {
	t.Parallel()
	r, err := rehearsal.NewRelay(rehearsal.RelayConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it listens on")
	}
}
