package main

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestDeedsOfTheCell does for customers of a real campaign what the cell asks for,
// before and after their letters left, and audits the ledger afterwards.
func TestDeedsOfTheCell(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	in := install(t, 120, 7, "ART34_RELAY="+sink.URL, "ART34_CONSOLE=off")
	in.must("launch", "muguet")
	h := in.house()
	defer h.Close()
	ctx := t.Context()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	k := consoleCustomers{h}
	refused := func(err error, code string) {
		t.Helper()
		if pipeline.ErrorCode(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	now := func(id int64) pipeline.Notice {
		t.Helper()
		j, err := h.ledger.Notice(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return j.Notice
	}
	// Three who wait for an e-mail and could be written to by post.
	var ids []int64
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, States: []pipeline.State{pipeline.Due}, Roles: []pipeline.Role{pipeline.Primary}}) {
		if err != nil {
			t.Fatal(err)
		}
		f, err := k.File(ctx, c, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		if j.Channel == pipeline.Email && f.Reach[pipeline.Post] && f.Reach[pipeline.Email] {
			ids = append(ids, j.ID)
		}
	}
	if len(ids) < 3 {
		t.Fatalf("%d customers fit", len(ids))
	}
	paper, dead, mailed := ids[0], ids[1], ids[2]
	_, err = k.Copy(ctx, "user:ana", c, mailed, console.CopyOrder{Channel: pipeline.Email}, "lost")
	refused(err, "not-sent")
	refused(k.ByPost(ctx, "user:ana", c, paper, "call 01 99 00 12 34"), "reason-personal")
	refused(k.Judge(ctx, c, paper, console.Address{Lines: []string{"1", "2", "3", "4", "5", "6"}, Postcode: "75011", City: "Paris"}), "address-long")
	if err := k.ByPost(ctx, "user:ana", c, paper, "has no computer"); err != nil {
		t.Fatal(err)
	}
	if n := now(paper); n.Channel != pipeline.Post || n.State != pipeline.Due || n.Reason != reasonAsked {
		t.Errorf("%+v", n)
	}
	refused(k.ByPost(ctx, "user:ana", c, paper, "again"), "nothing-planned")
	if _, err := k.Mark(ctx, "user:ana", c, dead, pipeline.FlagDeceased, "told by the family"); err != nil {
		t.Fatal(err)
	}
	if n := now(dead); n.State != pipeline.Held || n.Reason != pipeline.FlagDeceased || !slices.Contains(n.Flags, pipeline.FlagDeceased) {
		t.Errorf("%+v", n)
	}
	if f, err := k.File(ctx, c, dead); err != nil || !slices.Contains(f.Flags, pipeline.FlagDeceased) {
		t.Errorf("%v, %v", err, f.Flags)
	}
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run: exit %d", code)
	}
	if n := now(paper); n.State != pipeline.Printing || n.Channel != pipeline.Post {
		t.Errorf("%+v", n)
	}
	if n := now(dead); n.State != pipeline.Held {
		t.Errorf("%+v", n)
	}
	// A letter in a print run that was not handed over is taken out of it.
	m, err := k.Mark(ctx, "user:ana", c, paper, pipeline.FlagDeceased, "told by the family")
	if err != nil || len(m.Pulled) != 1 || len(m.ByHand) != 0 {
		t.Fatalf("%v, %+v", err, m)
	}
	if n := now(paper); n.State != pipeline.Held || n.Reason != pipeline.FlagDeceased || !slices.Contains(n.Flags, pipeline.FlagDeceased) {
		t.Errorf("%+v", n)
	}
	if m, err = k.Mark(ctx, "user:ana", c, paper, pipeline.FlagDeceased, "told again"); err != nil || len(m.Pulled) != 0 || m.Held != 1 {
		t.Errorf("%v, %+v", err, m)
	}
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run: exit %d", code)
	}
	run, err := h.ledger.Run(ctx, 1)
	if err != nil || run.State != pipeline.RunAssembled {
		t.Fatalf("%v, %+v", err, run)
	}
	if _, err := h.releaseRun(ctx, run); err != nil {
		t.Fatal(err)
	}
	items, err := h.ledger.RunItems(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(items, func(i pipeline.RunItem) bool {
		return i.State == pipeline.ItemIn && now(i.Notice).Role == pipeline.Primary
	})
	with := items[i]
	if m, err = k.Mark(ctx, "user:ana", c, with.Notice, pipeline.FlagDeceased, "told by the family"); err != nil || len(m.ByHand) != 1 || m.ByHand[0] != (console.InRun{Run: 1, Seq: with.Seq}) {
		t.Errorf("with the print shop: %v, %+v", err, m)
	}
	if n := now(with.Notice); n.State != pipeline.Printing || n.Reach != 0 {
		t.Errorf("%+v", n)
	}
	// What has left keeps its state, and bears the flag.
	if _, err := k.Mark(ctx, "user:ana", c, mailed, pipeline.FlagProtectedAddress, "asked for"); err != nil {
		t.Fatal(err)
	}
	n := now(mailed)
	if n.State != pipeline.Accepted || !slices.Contains(n.Flags, pipeline.FlagProtectedAddress) {
		t.Errorf("%+v", n)
	}
	// Nothing follows it: no letter to an address that is to be protected, no copy.
	for _, o := range []pipeline.Outcome{pipeline.Dead, pipeline.Transient, pipeline.Ours} {
		next, _, err := pipeline.Policy{Resend: []time.Duration{time.Hour}, Deadline: 240 * time.Hour, OursWait: time.Hour}.Apply(n, pipeline.Event{Kind: pipeline.EvBounced, Outcome: o, Attempt: n.Attempt, Channel: pipeline.Email, At: n.MovedAt})
		if err != nil || next.State != pipeline.Unreachable {
			t.Errorf("after a bounce (%s): %+v, %v", o, next, err)
		}
	}
	_, err = k.Copy(ctx, "user:ana", c, mailed, console.CopyOrder{Channel: pipeline.Post}, "asked for")
	refused(err, "customer-apart")
	refused(k.ByPost(ctx, "user:ana", c, mailed, "asked for"), "customer-apart")
	mails := sink.Count(t)
	for _, o := range []console.CopyOrder{{Channel: "fax"}, {Channel: pipeline.Email, Format: pipeline.FormatLargePrint}, {Channel: pipeline.Post, Locale: "tlh"}, {Channel: pipeline.Post, Format: pipeline.FormatBraille}} {
		if _, err := k.Copy(ctx, "user:ana", c, ids[3], o, "r"); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	// Two clicks at once, and six more: one copy.
	got := make(chan int64, 8)
	var group sync.WaitGroup
	for range cap(got) {
		group.Go(func() {
			n, err := k.Copy(ctx, "user:ana", c, ids[3], console.CopyOrder{Channel: pipeline.Email, Locale: "en"}, "deleted by mistake")
			if err == nil {
				got <- n
			} else if pipeline.ErrorCode(err) != "copy-coming" {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(got) != 1 {
		t.Fatalf("%d copies", len(got))
	}
	id := <-got
	_, err = k.Copy(ctx, "user:ana", c, ids[3], console.CopyOrder{Channel: pipeline.Email}, "again")
	refused(err, "copy-coming")
	if code := in.start("run", "--until-idle").wait(longest); code != 0 {
		t.Fatalf("run: exit %d", code)
	}
	if n := now(id); n.State != pipeline.Accepted || n.Locale != "en" || n.Role != pipeline.Copy || sink.Count(t) != mails+1 {
		t.Errorf("%d e-mails more, %+v", sink.Count(t)-mails, n)
	}
	l, err := k.Letter(ctx, c, id, 1)
	if err != nil || !l.Same || len(l.HTML) == 0 {
		t.Errorf("%v, %+v", err, l.Of)
	}
	x, err := k.customer(ctx, c, ids[3])
	if err != nil {
		t.Fatal(err)
	}
	refs := map[pipeline.Reference]bool{}
	for _, p := range x.persons {
		refs[p.Reference] = true
		if ok, err := k.HasReference(ctx, c, ids[3], p.Reference.String()); err != nil || !ok {
			t.Errorf("%v, %v", ok, err)
		}
	}
	if len(refs) != len(x.notices) {
		t.Errorf("%d references of %d letters", len(refs), len(x.notices))
	}
	in.status(true)
}

// TestCorrectedOnce: a correction that is applied once more changes nothing, and undoes
// no newer one.
func TestCorrectedOnce(t *testing.T) {
	t.Parallel()
	in := install(t, 40, 7, "ART34_RELAY="+testenv.Sink(t).URL, "ART34_CONSOLE=off")
	in.must("launch", "muguet")
	h := in.house()
	defer h.Close()
	ctx := t.Context()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	k, decided, id := consoleCustomers{h}, h.clock.Now().Truncate(time.Microsecond), int64(0)
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID, States: []pipeline.State{pipeline.Due}, Roles: []pipeline.Role{pipeline.Primary}}) {
		if err != nil {
			t.Fatal(err)
		}
		if j.Channel == pipeline.Email {
			id = j.ID
		}
	}
	now := func() (string, int) {
		t.Helper()
		x, err := k.customer(ctx, c, id)
		if err != nil {
			t.Fatal(err)
		}
		events, err := h.ledger.Events(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, e := range events {
			if e.Kind == pipeline.EvCorrected {
				n++
			}
		}
		return x.person.Email, n
	}
	trail := func() (n int) {
		for a, err := range h.ledger.AuditTrail(ctx, c.ID) {
			if err != nil {
				t.Fatal(err)
			}
			if a.Action == "correct" {
				n++
			}
		}
		return n
	}
	first, second := console.Address{Email: "first@mail.example"}, console.Address{Email: "second@mail.example"}
	for range 3 {
		if err := k.Correct(ctx, "user:leo", c, id, first, "moved", decided); err != nil {
			t.Fatal(err)
		}
		if email, n := now(); email != first.Email || n != 1 || trail() != 1 {
			t.Fatalf("%d corrections, %d entries", n, trail())
		}
	}
	if err := k.Correct(ctx, "user:leo", c, id, second, "moved again", h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := k.Correct(ctx, "user:leo", c, id, first, "moved", decided); err != nil {
		t.Fatal(err)
	}
	if email, n := now(); email != second.Email || n != 2 || trail() != 2 {
		t.Errorf("the older one came back: %d corrections, %d entries", n, trail())
	}
}
