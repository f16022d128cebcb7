package main

import (
	"context"
	"io/fs"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/art34/art34/fixtures"
	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/rehearsal"
)

// feedback measures what comes back: genuine notifications by LMTP over eight
// connections, one about each e-mail, each durable before it is acknowledged.
func (s *suite) feedback() {
	s.mailing()
	s.say("what comes back")
	in := s.mail.copy()
	s.back("Notifications by LMTP, 8 connections, kept before 250: SQLite", in, s.mail.due)
	in.remove()
	if !installed("postgres", "initdb") {
		s.note("  PostgreSQL", "not measured: no server on PATH")
		return
	}
	p := s.prepare(s.mails, "ART34_LEDGER="+s.servers().Ledger)
	s.back("  PostgreSQL", p.installation, p.due)
	p.remove()
}

// back brings a notification about every e-mail of a campaign.
func (s *suite) back(what string, in *installation, due int64) {
	s.carry(in, due)
	h := in.house()
	defer h.Close()
	paths := s.returnPaths(h)
	raw, err := fs.ReadFile(fixtures.FS, "bounces/postfix-3.7-dsn-01.eml")
	if err != nil {
		s.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	r := in.start("run", "--roles", "feedback", "--feedback-lmtp", address, "--console", "off", "--prove-every", "0")
	until(s.B, "the address is open", time.Minute, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	peak := watchMemory(r.cmd.Process.Pid)
	start := time.Now()
	s.deliver(address, paths, raw)
	kept := time.Since(start)
	until(s.B, "everything is judged", 10*time.Minute, func() bool {
		time.Sleep(100 * time.Millisecond) // a look costs the ledger something
		return s.waiting(h) == 0
	})
	judged := time.Since(start)
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if code := r.wait(time.Minute); code != 0 {
		s.Fatalf("run: exit %d\n%s", code, r.out.String())
	}
	n, cpu := float64(len(paths)), r.cmd.ProcessState.UserTime()+r.cmd.ProcessState.SystemTime()
	s.note(what, "%.0f/s of %.1f kB; all %.0f judged at %.0f/s; CPU %.0f µs each; %.0f MiB", n/kept.Seconds(), float64(len(raw))/1000, n, n/judged.Seconds(), float64(cpu.Microseconds())/n, peak())
}

// returnPaths are those of all e-mails of the campaign that a relay has taken.
func (s *suite) returnPaths(h *house) (paths []string) {
	ctx := context.Background()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		s.Fatal(err)
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		s.Fatal(err)
	}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, States: []pipeline.State{pipeline.Accepted}}) {
		if err != nil {
			s.Fatal(err)
		}
		path, err := email.ReturnPath(keys.MAC, 0, j.ID, j.Attempt, "retour.telecom-exemple.example")
		if err != nil {
			s.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// deliver hands a message over once for each recipient.
func (s *suite) deliver(address string, to []string, raw []byte) {
	box := &rehearsal.LMTP{Network: "tcp", Address: address}
	defer func() { _ = box.Close() }()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(to) {
					return
				}
				if err := box.Deliver(context.Background(), "", to[i], raw); err != nil {
					s.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// waiting counts the messages that are not judged yet.
func (s *suite) waiting(h *house) (n int64) {
	counts, err := h.ledger.CountInbox(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range counts {
		if c.State == pipeline.InboundPending {
			n += c.Count
		}
	}
	return n
}
