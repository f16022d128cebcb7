package feedback_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/feedback"
)

// TestBouncesTakeTheRightWay: dead, transient, ours, delayed and delivered, each to
// where the policy sends it.
func TestBouncesTakeTheRightWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.notices(6)
	w.accept(ids(list)...)
	w.clock.Advance(time.Hour)
	for i, c := range [][3]string{
		{"failed", "5.1.1", noUser}, {"failed", "4.2.2", full}, {"failed", "5.7.1", policied},
		{"delayed", "4.4.1", "connection timed out"}, {"delivered", "2.0.0", "250 ok"}, {"relayed", "2.0.0", "250 ok"},
	} {
		w.take(w.path(list[i].ID, 1), w.report(list[i].ID, 1, c[0], c[1], c[2]))
	}
	if got := w.round(); got[pipeline.InboundApplied] != 4 || got[pipeline.InboundRecorded] != 2 {
		t.Fatalf("%v", got)
	}
	for i, want := range []struct {
		state   pipeline.State
		channel pipeline.Channel
		attempt int
		reason  string
	}{
		{pipeline.Due, pipeline.Post, 2, pipeline.ReasonAddressDead}, {pipeline.Due, pipeline.Email, 2, pipeline.ReasonTransient},
		{pipeline.Due, pipeline.Email, 2, pipeline.ReasonOurs}, {pipeline.Accepted, pipeline.Email, 1, ""}, {pipeline.Informed, pipeline.Email, 1, ""}, {pipeline.Accepted, pipeline.Email, 1, ""},
	} {
		n := w.now(list[i].ID)
		if n.State != want.state || n.Channel != want.channel || n.Attempt != want.attempt || n.Reason != want.reason {
			t.Errorf("%d: %s by %s, attempt %d, %q; want %+v", i, n.State, n.Channel, n.Attempt, n.Reason, want)
		}
	}
	if e := w.events(list[0].ID, pipeline.EvBounced); len(e) != 1 || e[0].Code != "5.1.1" || !e[0].At.Equal(t0.Add(time.Hour)) || e[0].Outcome != pipeline.Dead {
		t.Errorf("%+v", e)
	}
	w.sound()
	if got := w.round(); len(got) != 0 {
		t.Errorf("a second round: %v", got)
	}
}

// TestEventsOfProviders: what a provider posts takes the same ways as a notification
// by mail; that it held a message back itself is our fault and no dead address.
func TestEventsOfProviders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.notices(6)
	w.accept(ids(list)...)
	post := func(source pipeline.InboundSource, id, text string) {
		w.takeAll(feedback.Message{Source: source, ID: id, Raw: []byte(text)})
	}
	ses := func(i int, sub string) string {
		return fmt.Sprintf(`{"notificationType":"Bounce","mail":{"source":%q},"bounce":{"bounceType":"Permanent","bounceSubType":%q,"bouncedRecipients":[{"emailAddress":"x@example.com","action":"failed","status":"5.1.1","diagnosticCode":"smtp; %s"}]}}`, w.path(list[i].ID, 1), sub, noUser)
	}
	mailgun := func(i int, event, rest string) string {
		return fmt.Sprintf(`{"signature":{},"event-data":{"id":"e%d","event":%q,"timestamp":1700000000.5,"recipient":"x@example.com","envelope":{"sender":%q}%s}}`, i, event, w.path(list[i].ID, 1), rest)
	}
	post(pipeline.FromSES, "m0", ses(0, "General"))
	post(pipeline.FromSES, "m0", ses(0, "General"))
	post(pipeline.FromSES, "m1", ses(1, "OnAccountSuppressionList"))
	post(pipeline.FromMailgun, "e2", mailgun(2, "failed", `,"severity":"permanent","delivery-status":{"code":550,"message":"5.1.1 no such user"}`))
	post(pipeline.FromMailgun, "e3", mailgun(3, "failed", `,"severity":"permanent","reason":"suppress-unsubscribe","delivery-status":{"code":607}`))
	post(pipeline.FromMailgun, "e4", mailgun(4, "complained", ""))
	post(pipeline.FromMailgun, "e5", mailgun(5, "failed", `,"severity":"temporary","delivery-status":{"code":450,"message":"4.2.0 later"}`))
	if got := w.round(); got[pipeline.InboundApplied] != 4 || got[pipeline.InboundRecorded] != 2 || len(got) != 2 {
		t.Fatalf("%v", got)
	}
	for i, want := range []struct {
		state   pipeline.State
		channel pipeline.Channel
		reason  string
	}{
		{pipeline.Due, pipeline.Post, pipeline.ReasonAddressDead}, {pipeline.Due, pipeline.Email, pipeline.ReasonOurs},
		{pipeline.Due, pipeline.Post, pipeline.ReasonAddressDead}, {pipeline.Due, pipeline.Email, pipeline.ReasonOurs},
		{pipeline.Accepted, pipeline.Email, ""}, {pipeline.Accepted, pipeline.Email, ""},
	} {
		if n := w.now(list[i].ID); n.State != want.state || n.Channel != want.channel || n.Reason != want.reason {
			t.Errorf("%d: %s by %s, %q; want %+v", i, n.State, n.Channel, n.Reason, want)
		}
	}
	w.sound()
}

// TestSameMessageTwice: by two ways, with what each server adds, and judged again.
func TestSameMessageTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notices(1)[0].ID
	w.accept(id)
	raw, path := w.report(id, 1, "failed", "4.2.2", full), w.path(id, 1)
	w.take(path, raw)
	w.take(strings.ToUpper(path), raw) // folded by a relay
	stored := append(fmt.Appendf(nil, "Return-Path: <>\nX-Original-To: %s\nDelivered-To: bounces@example.fr\nReceived: from relay\n\tby store\n", path), bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))...)
	if _, err := w.intake.Take(w.ctx, feedback.FromMailbox(pipeline.FromMaildir, stored, tokens{})); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); got[pipeline.InboundApplied] != 1 || len(got) != 1 {
		t.Fatalf("%v", got)
	}
	// A mailbox that does not say whom it was for: the quoted Message-ID does, and it
	// is the same event.
	if _, err := w.intake.Take(w.ctx, feedback.Message{Source: pipeline.FromIMAP, Raw: raw}); err != nil {
		t.Fatal(err)
	}
	w.round()
	for range 2 {
		if _, err := w.Reopen(w.ctx, pipeline.InboundStates()); err != nil {
			t.Fatal(err)
		}
		if got := w.round(); got[pipeline.InboundApplied] != 2 {
			t.Fatalf("judged again: %v", got)
		}
	}
	if n := w.now(id); n.Attempt != 2 || n.Resends != 1 || len(w.events(id, pipeline.EvBounced)) != 1 {
		t.Errorf("attempt %d, %d resends, %d events", n.Attempt, n.Resends, len(w.events(id, pipeline.EvBounced)))
	}
	w.sound()
}

// TestBounceBeforeTheAnswer: a bounce that overtakes the courier's record of the
// relay's answer waits for it.
func TestBounceBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notices(1)[0].ID
	w.commit(w.hop(id, pipeline.Queued))
	w.commit(w.hop(id, pipeline.Sending))
	w.take(w.path(id, 1), w.report(id, 1, "failed", "5.1.1", noUser))
	for range 3 {
		if got := w.round(); got[pipeline.InboundPending] != 1 {
			t.Fatalf("%v", got)
		}
	}
	w.commit(w.event(id, pipeline.EvAccepted))
	if got := w.round(); got[pipeline.InboundApplied] != 1 {
		t.Fatalf("%v", got)
	}
	if n := w.now(id); n.Channel != pipeline.Post {
		t.Errorf("%+v", n)
	}
	w.sound()
}

// TestInterruptedJudge: what ends the work between the commit and the note what
// became of the message leaves nothing to be done twice.
func TestInterruptedJudge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.notices(1)[0].ID
	w.accept(id)
	w.take(w.path(id, 1), w.report(id, 1, "failed", "4.2.2", full))
	w.round()
	for m, err := range w.Inbox(w.ctx, pipeline.InboundFilter{}) {
		w.must(err)
		m.State = pipeline.InboundPending
		w.must(w.Judge(w.ctx, []pipeline.Inbound{m}))
	}
	if got := w.round(); got[pipeline.InboundApplied] != 1 {
		t.Fatalf("%v", got)
	}
	if n := w.now(id); n.Attempt != 2 || n.Resends != 1 {
		t.Errorf("%+v", n)
	}
}

// TestIdentity: what is signed decides, and nothing else does.
func TestIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.notices(3)
	w.accept(ids(list)...)
	a, b := list[0].ID, list[1].ID
	about := func(id int64) []byte { return w.report(id, 1, "failed", "5.1.1", noUser) }
	forged := func(path string) string { return path[:20] + string('0'+(path[20]-'0'+1)%10) + path[21:] }
	for name, c := range map[string]struct {
		to, code string
		raw      []byte
		state    pipeline.InboundState
	}{
		"bad signature":          {forged(w.path(a, 1)), feedback.CodeSignature, about(a), pipeline.InboundQuarantined},
		"another's signature":    {w.path(a, 1)[:19] + w.path(b, 1)[19:], feedback.CodeSignature, about(a), pipeline.InboundQuarantined},
		"attempt changed":        {w.path(a, 2)[:19] + w.path(a, 1)[19:], feedback.CodeSignature, about(a), pipeline.InboundQuarantined},
		"a notice that is not":   {w.path(999999, 1), feedback.CodeNotice, about(a), pipeline.InboundQuarantined},
		"no token":               {"postmaster@" + domain, "5.1.1", []byte("Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; x@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n"), pipeline.InboundUnmatched},
		"a forged id is quoted":  {"", feedback.CodeSignature, bytes.ReplaceAll(about(a), []byte(email.MessageID(w.mac, a, 1, domain)), []byte(email.MessageID(func(string, ...[]byte) [32]byte { return [32]byte{} }, a, 1, domain))), pipeline.InboundQuarantined},
		"an id as a return path": {strings.Trim(email.MessageID(w.mac, a, 1, domain), "<>"), "5.1.1", []byte("From: x\r\n\r\n550 5.1.1 user unknown"), ""},
	} {
		w.take(c.to, append(c.raw, "\r\n<!-- "+name+" -->"...))
		got := w.round()
		if c.state != "" && got[c.state] != 1 {
			t.Errorf("%s: %v, want %s", name, got, c.state)
		}
		if n := w.now(a); n.State != pipeline.Accepted {
			t.Fatalf("%s moved the notice to %s", name, n.State)
		}
		if c.state == pipeline.InboundQuarantined {
			for m, err := range w.Inbox(w.ctx, pipeline.InboundFilter{States: []pipeline.InboundState{c.state}}) {
				w.must(err)
				if m.Notice != 0 {
					t.Errorf("%s: put aside under notice %d", name, m.Notice)
				}
			}
		}
	}
	// The good ones, wrapped by those on the way.
	w.take("prvs=0123abcdef="+w.path(a, 1), about(a))
	w.take("SRS0=HHH=TT="+domain+"="+strings.Split(w.path(b, 1), "@")[0]+"@relay.example.net", about(b))
	if got := w.round(); got[pipeline.InboundApplied] != 2 {
		t.Errorf("wrapped: %v", got)
	}
	// A retired key.
	w.retired = true
	w.take(w.path(list[2].ID, 1), about(list[2].ID))
	if got := w.round(); got[pipeline.InboundQuarantined] != 1 {
		t.Errorf("retired key: %v", got)
	}
	w.retired = false
	// Judged again once the key is back.
	if _, err := w.Reopen(w.ctx, []pipeline.InboundState{pipeline.InboundQuarantined}); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); got[pipeline.InboundApplied] != 1 {
		t.Errorf("key restored: %v", got)
	}
	// Nobody is left to be told anything about.
	w.must(w.keys.Destroy(w.campaign.ID, t0))
	w.take(w.path(list[2].ID, 1), append(about(list[2].ID), "again"...))
	if got := w.round(); got[pipeline.InboundQuarantined] != 1 {
		t.Errorf("erased: %v", got)
	}
}

// TestProbes: our own messages prove the way back, and touch nobody.
func TestProbes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, err := w.keys.Installation()
	w.must(err)
	probe := func(kind int, mac email.MAC) string {
		p, err := email.ReturnPath(mac, 0, 0, kind, domain)
		w.must(err)
		return p
	}
	meta := func(name string) string {
		s, err := w.Meta(w.ctx, feedback.MetaWayBack+domain+"/"+name)
		w.must(err)
		return s
	}
	plain := []byte("From: art34@example.fr\r\nSubject: probe\r\n\r\nprobe\r\n")
	dsn := []byte("From: MAILER-DAEMON@relay\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay\r\n\r\nFinal-Recipient: rfc822; nobody@" + domain + "\r\nAction: failed\r\nStatus: 5.1.1\r\n")
	w.take(probe(feedback.ProbeLoop, w.mac), plain)     // signed by a campaign
	w.take(probe(feedback.ProbeBounce, own.MAC), plain) // no notification
	if got := w.round(); got[pipeline.InboundQuarantined] != 1 || got[pipeline.InboundUnmatched] != 1 || meta("loop")+meta("bounce") != "" {
		t.Fatalf("%v %q %q", got, meta("loop"), meta("bounce"))
	}
	w.clock.Advance(time.Hour)
	w.take(probe(feedback.ProbeLoop, own.MAC), plain)
	w.take(probe(feedback.ProbeBounce, own.MAC), dsn)
	if got := w.round(); got[pipeline.InboundRecorded] != 2 || meta("loop") != "2026-01-20T09:00:00Z" || meta("bounce") != "2026-01-20T09:00:00Z" {
		t.Fatalf("%v %q %q", got, meta("loop"), meta("bounce"))
	}
	// Judged again later, they prove what they proved.
	w.clock.Advance(time.Hour)
	if _, err := w.Reopen(w.ctx, pipeline.InboundStates()); err != nil {
		t.Fatal(err)
	}
	if w.round(); meta("loop") != "2026-01-20T09:00:00Z" {
		t.Errorf("%q", meta("loop"))
	}
}

// TestAnswers: what people write goes to the cell, once and unchanged; what robots
// write does not.
func TestAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.notices(3)
	w.accept(ids(list)...)
	reply := func(id int64, more string) []byte {
		return []byte("From: Jeanne <jeanne.martin@example.com>\r\nTo: contact@example.fr\r\nSubject: Re: your letter\r\nIn-Reply-To: " + email.MessageID(w.mac, id, 1, domain) + "\r\n" + more + "\r\nWhich contract do you mean?\r\n")
	}
	take := func(from string, raw []byte) {
		_, err := w.intake.Take(w.ctx, feedback.Message{Source: pipeline.FromLMTP, From: from, To: "contact@example.fr", Raw: raw})
		w.must(err)
	}
	w.away = true
	take("jeanne.martin@example.com", reply(list[0].ID, ""))
	if got := w.round(); got[pipeline.InboundPending] != 1 || len(w.events(list[0].ID, pipeline.EvReplied)) != 1 {
		t.Fatalf("the mailbox is away: %v", got)
	}
	w.away = false
	if got := w.round(); got[pipeline.InboundPending] != 1 {
		t.Fatalf("a mailbox that was away is left alone for a moment: %v", got)
	}
	w.clock.Advance(time.Minute)
	if got := w.round(); got[pipeline.InboundForwarded] != 1 || len(w.sent) != 1 || !bytes.Equal(w.sent[0].Raw, reply(list[0].ID, "")) {
		t.Fatalf("%v, %d sent on", got, len(w.sent))
	}
	// What stranger writes without quoting anything is for the cell too.
	take("x@example.com", []byte("From: x@example.com\r\nSubject: question\r\n\r\nHello, I am on your list?\r\n"))
	// Null sender, a robot, what was sent on before: not to the cell.
	take("", []byte("From: y@example.com\r\nSubject: hm\r\n\r\nHello?\r\n"))
	take("z@example.com", reply(list[1].ID, "Auto-Submitted: auto-replied\r\nSubject: absent\r\n"))
	take("z@example.com", reply(list[1].ID, feedback.HeaderForwarded+": 1\r\n"))
	w.round()
	if len(w.sent) != 2 {
		t.Errorf("%d sent on, want 2", len(w.sent))
	}
	// Judged again, nothing is sent twice.
	if _, err := w.Reopen(w.ctx, pipeline.InboundStates()); err != nil {
		t.Fatal(err)
	}
	if got := w.round(); len(w.sent) != 2 || got[pipeline.InboundForwarded] != 2 || len(w.events(list[0].ID, pipeline.EvReplied)) != 1 {
		t.Errorf("%v, %d sent on", got, len(w.sent))
	}
	for _, n := range list {
		if s := w.now(n.ID); s.State != pipeline.Accepted {
			t.Errorf("an answer moved a notice to %s", s.State)
		}
	}
	w.sound()
}

func TestResent(t *testing.T) {
	t.Parallel()
	raw := "From x Mon Jan 19 10:00:00 2026\nFrom: a@example.com\nSubject: hi\n\nbody\n.\n"
	got := string(feedback.Resent([]byte(raw), "art34@example.fr", "cell@example.fr", "Tue, 20 Jan 2026 08:00:00 +0000", 7))
	want := "Resent-From: art34@example.fr\r\nResent-To: cell@example.fr\r\nResent-Date: Tue, 20 Jan 2026 08:00:00 +0000\r\nResent-Message-ID: <forwarded-7@example.fr>\r\nX-Art34-Forwarded: 7\r\n" +
		"From: a@example.com\r\nSubject: hi\r\n\r\nbody\r\n.\r\n"
	if got != want {
		t.Errorf("%q", got)
	}
}

// TestDeliveredAndBounced: a bounce holds against a report of delivery of the same
// attempt, whichever comes first.
func TestDeliveredAndBounced(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{{"delivered", "failed"}, {"failed", "delivered"}} {
		w := newWorld(t)
		id := w.notices(1)[0].ID
		w.accept(id)
		for _, action := range order {
			status, said := "5.1.1", noUser
			if action == "delivered" {
				status, said = "2.0.0", "250 ok"
			}
			w.take(w.path(id, 1), w.report(id, 1, action, status, said))
			w.round()
		}
		if n := w.now(id); n.State != pipeline.Due || n.Channel != pipeline.Post {
			t.Errorf("%v: %s by %s", order, n.State, n.Channel)
		}
		w.sound()
	}
}
