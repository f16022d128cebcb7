package console_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

func (c clerk) Rehearse(_ context.Context, campaign, reason string) error {
	if err := c.note(c.actor, "rehearse", campaign, reason); err != nil {
		return err
	}
	c.rehearses(console.Rehearsal{State: console.RehearsalRunning, By: c.actor, Reason: reason, Began: t0, Seen: t0.Add(90 * time.Second), Population: 14})
	return nil
}

func (c clerk) StopRehearsal(_ context.Context, campaign, reason string) error {
	if err := c.note(c.actor, "rehearse-stop", campaign, reason); err != nil {
		return err
	}
	c.rehearses(console.Rehearsal{State: console.RehearsalStopped, By: "user:ona", Reason: "before the morning", Began: t0, Seen: t0.Add(2 * time.Minute)})
	return nil
}

func (c clerk) Rehearsal(context.Context, string) (console.Rehearsal, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rehearsal != nil {
		return *c.rehearsal, nil
	}
	return console.Rehearsal{
		State: console.RehearsalDone, By: "user:ona", Reason: "before the morning", Began: t0, Seen: t0.Add(2 * time.Minute), Population: 14, Settled: 12,
		States: map[pipeline.State]int64{pipeline.Informed: 11, pipeline.Unreachable: 1, pipeline.Held: 2},
		Result: &console.RehearsalResult{
			Took: 2 * time.Minute, Outlook: console.Outlook{Emails: 9, Letters: 3, Sheets: 3, Runs: 1, EmailTime: 3 * time.Hour, Bounces: 1, AssumedFailed: 0.05, AssumedDead: 0.03},
			Letters: 4, Sheets: 4, Accepted: 8, Refused: 1, Deferred: 2, Bounced: 1, Resent: 2, Dead: 1, Instead: 1, Late: 1, Answers: 1, Forged: 3, Returned: 1, Spoiled: 1,
			Held: map[string]int64{"vip": 2}, Unreachable: map[string]int64{"address-dead": 1}, Released: map[string]int64{"refused": 1},
		},
	}, nil
}

func (d *desk) rehearses(r console.Rehearsal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rehearsal = &r
}

func (c spoiledClerk) Rehearsal(ctx context.Context, campaign string) (console.Rehearsal, error) {
	v, err := c.Operations.Rehearsal(ctx, campaign)
	return spoil(c.s, v, err)
}

const rehearsalPage = muguet + "/rehearsal"

// TestRehearsalOnThePage: an operator begins one with a reason, sees that nothing is
// really sent and how far it is, and stops it; whoever only watches sees the same and
// no button.
func TestRehearsalOnThePage(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	w.user("ona", console.Operator)
	w.user("val", console.Viewer)
	b, val := w.as("ona"), w.as("val")
	says := func(b *browser, words ...string) {
		t.Helper()
		a := b.get(rehearsalPage)
		for _, want := range words {
			no := strings.TrimPrefix(want, "!")
			if strings.Contains(a.body, no) == (no != want) {
				t.Errorf("%d: %q\n%s", a.status, want, a.body)
			}
		}
	}
	says(b, "nothing was really sent", "nobody is lost", "Informed", ">11<", "Begun by", "before the morning", "Rehearse again", "Forged bounces", "/rehearsal/start")
	says(val, "nobody is lost", "!/rehearsal/start")
	if a := b.post(rehearsalPage + "/start"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", a.status)
	}
	if a := val.post(rehearsalPage+"/start", "reason", "ticket 7"); a.status != http.StatusForbidden {
		t.Errorf("a viewer: %d", a.status)
	}
	if a := b.post(rehearsalPage+"/start", "reason", "ticket 7"); a.status != http.StatusSeeOther || w.desk.last() != "user:ona | rehearse | muguet | ticket 7" {
		t.Fatalf("%d %s", a.status, w.desk.last())
	}
	says(b, "nothing was really sent", "The copy is being made, for 14 customers.", "data-wait", "/rehearsal/stop", "!/rehearsal/start")
	says(val, "data-wait", "!/rehearsal/stop")
	w.desk.rehearses(console.Rehearsal{State: console.RehearsalRunning, By: "user:ona", Began: t0, Seen: t0.Add(time.Minute), Population: 14, Settled: 5, States: map[pipeline.State]int64{pipeline.Informed: 5, pipeline.Due: 9}})
	says(b, "5 of 14 are settled", `max="14" value="5"`)
	if a := b.post(rehearsalPage+"/stop", "reason", "the wrong list"); a.status != http.StatusSeeOther || w.desk.last() != "user:ona | rehearse-stop | muguet | the wrong list" {
		t.Fatalf("%d %s", a.status, w.desk.last())
	}
	says(b, "without a result", "/rehearsal/start", "!data-wait")
	w.desk.rehearses(console.Rehearsal{State: console.RehearsalCut, By: "user:ona", Began: t0, Seen: t0.Add(time.Minute)})
	says(b, "It was cut off", "/rehearsal/start")
	w.desk.rehearses(console.Rehearsal{State: console.RehearsalFailed, By: "user:ona", Began: t0, Seen: t0, Fault: &pipeline.Error{Code: "disk-full", Sentence: "the disk is full", Hint: "make room"}})
	says(b, "It failed on", "disk is full")
	w.desk.rehearses(console.Rehearsal{Busy: true})
	says(b, "of another campaign goes on", "!/rehearsal/start")
	w.desk.broken(&pipeline.Error{Code: "rehearsal-running", Sentence: "another rehearsal goes on in this installation"})
	if a := b.post(rehearsalPage+"/start", "reason", "ticket 7"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "A rehearsal goes on already") || !strings.Contains(a.body, "ticket 7") {
		t.Errorf("two at once: %d %s", a.status, a.body)
	}
}

// TestRehearsalByPrograms: a program begins one, reads it, and stops it.
func TestRehearsalByPrograms(t *testing.T) {
	t.Parallel()
	w := furnished(t)
	p := w.token("night", console.ActSee, console.ActControl)
	is := func(a reply, state string) {
		t.Helper()
		if a.status != http.StatusOK || a.body["state"] != state {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	a := p.call("GET", "/campaigns/muguet/rehearsal", "")
	is(a, "done")
	if r, _ := a.body["result"].(map[string]any); r == nil || r["balance"] != 0.0 || r["accepted"] != 8.0 || r["email_seconds"] != 10800.0 {
		t.Error(a.text)
	}
	if a := p.call("POST", "/campaigns/muguet/rehearsal/start", `{"reason":""}`); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.text)
	}
	is(p.call("POST", "/campaigns/muguet/rehearsal/start", `{"reason":"deployed"}`), "running")
	is(p.call("POST", "/campaigns/muguet/rehearsal/stop", `{"reason":"enough"}`), "stopped")
	if w.desk.last() != "token:night/kim | rehearse-stop | muguet | enough" {
		t.Error(w.desk.last())
	}
	w.desk.rehearses(console.Rehearsal{})
	is(p.call("GET", "/campaigns/muguet/rehearsal", ""), "none")
	if a := w.token("watch", console.ActSee).call("POST", "/campaigns/muguet/rehearsal/start", `{"reason":"deployed"}`); a.status != http.StatusForbidden {
		t.Errorf("%d %s", a.status, a.text)
	}
}
