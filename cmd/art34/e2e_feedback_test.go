package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/rehearsal"
)

// mailed takes a campaign to where its e-mails are accepted, and returns some of
// the notices that a relay has taken, with the return paths of their e-mails.
func mailed(t *testing.T, customers, seed int, env ...string) (*installation, []posted) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay, err := rehearsal.NewRelay(rehearsal.RelayConfig{Attempt: attemptOf})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relay.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("practice relay: %v", err)
		}
		_ = relay.Close()
	})
	in := install(t, customers, seed, append([]string{fmt.Sprintf("ART34_RELAY=smtp://%s?tls=none", l.Addr()), "ART34_CONSOLE=off"}, env...)...)
	in.must("launch", "muguet")
	run := in.start("run", "--roles", "dispatch,courier,print", "--until-idle", "--prove-every", "0")
	if code := run.wait(longest); code != 0 && code != 1 {
		t.Fatalf("run: exit %d\n%s", code, run.out.String())
	}
	mac := in.mac()
	var list []posted
	for _, n := range readNotices(t, in) {
		if n.State != pipeline.Accepted || n.Attempt != 1 || n.Role == pipeline.Copy {
			continue
		}
		path, err := email.ReturnPath(mac, 0, n.ID, 1, "retour.telecom-exemple.example")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, posted{n.ID, path, n.person.Email})
	}
	slices.SortFunc(list, func(a, b posted) int { return int(a.notice - b.notice) })
	if len(list) < 10 {
		t.Fatalf("%d accepted", len(list))
	}
	return in, list
}

// posted is an e-mail that a relay took.
type posted struct {
	notice         int64
	returnPath, to string
}

// bounced is the notification that its server has no such user.
func (m posted) bounced() []byte {
	return fmt.Appendf(nil, "Return-Path: <>\r\nDelivered-To: %s\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"+
		"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b--\r\n", m.returnPath, m.to)
}

// way is where the notices of some e-mails stand now.
func (in *installation) ways() map[int64]known {
	in.t.Helper()
	all := map[int64]known{}
	for _, n := range readNotices(in.t.(*testing.T), in) {
		all[n.ID] = n
	}
	return all
}

// TestFeedbackByIMAP: the built program collects a folder over TLS, kept before it
// is marked. Killed between the two it reads nothing twice after its restart, and
// nothing is lost.
func TestFeedbackByIMAP(t *testing.T) {
	t.Parallel()
	authority := testenv.NewAuthority(t)
	pair, _, _ := authority.Issue(t, "127.0.0.1")
	var mu sync.Mutex
	var killed chan struct{} // closed once the process is dead
	marking := make(chan struct{}, 1)
	bodies := 0
	server := testenv.IMAP(t, testenv.IMAPConfig{
		TLS: &tls.Config{Certificates: []tls.Certificate{pair}}, StartTLS: true, Caps: []imap.Cap{imap.CapMove},
		Before: func(command string, body bool) error {
			mu.Lock()
			wait := killed
			if command == "FETCH" && body {
				bodies++
			}
			mu.Unlock()
			if command == "MOVE" && wait != nil {
				marking <- struct{}{}
				<-wait
				return testenv.ErrHangUp
			}
			return nil
		},
	})
	in, mails := mailed(t, 60, 11, "SSL_CERT_FILE="+authority.File,
		"ART34_FEEDBACK_IMAP=imap://"+server.User+"@"+server.Addr+"/INBOX?move=Kept", "ART34_FEEDBACK_IMAP_PASSWORD="+server.Password)
	for _, m := range mails[:5] {
		server.Put(t, "INBOX", m.bounced())
	}
	forged := posted{mails[5].notice, "x" + mails[5].returnPath[1:], mails[5].to}
	forged.returnPath = mails[5].returnPath[:30] + "0000" + mails[5].returnPath[34:]
	server.Put(t, "INBOX", forged.bounced())
	dead := make(chan struct{})
	mu.Lock()
	killed = dead
	mu.Unlock()

	run := in.start("run", "--roles", "feedback")
	select {
	case <-marking:
	case <-time.After(longest):
		t.Fatal("nothing was collected")
	}
	run.kill()
	close(dead)
	if all, _ := server.Count(t, "INBOX"); all != 6 {
		t.Fatalf("%d messages in the folder: moved before it was safe", all)
	}
	mu.Lock()
	killed = nil
	before := bodies
	mu.Unlock()
	if got := in.judged(); len(got) == 0 {
		t.Fatal("nothing was kept before the messages were to be moved")
	}

	run = in.start("run", "--roles", "feedback")
	until(t, "the folder is empty", longest, func() bool { all, _ := server.Count(t, "INBOX"); return all == 0 })
	until(t, "all is judged", longest, func() bool {
		got := in.judged()
		return got[pipeline.InboundApplied] == 5 && got[pipeline.InboundQuarantined] == 1 && got[pipeline.InboundPending] == 0
	})
	mu.Lock()
	again := bodies - before
	mu.Unlock()
	if moved, _ := server.Count(t, "Kept"); again != 0 || moved != 6 {
		t.Errorf("%d messages were fetched again, %d moved", again, moved)
	}
	for i, now := 0, in.ways(); i < 6; i++ {
		n := now[mails[i].notice]
		if dead := n.Channel != pipeline.Email && !n.Reach.Has(pipeline.ByEmail); dead != (i < 5) {
			t.Errorf("notice %d: %s by %s", n.ID, n.State, n.Channel)
		}
	}
	in.status(true)
	out, _, _ := in.run("doctor", "muguet", "--dns", "127.0.0.1:9")
	if !containsLine(out, "mailbox 127.0.0.1", "takes our login, encrypted; the folder holds 0 messages") {
		t.Errorf("doctor:\n%s", out)
	}
	_ = run.cmd.Process.Signal(syscall.SIGTERM)
	if code := run.wait(longest); code != 0 {
		t.Errorf("run: exit %d\n%s", code, run.out.String())
	}
}
