package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/rehearsal"
)

// noticesEnv says how many notices the rehearsal has, about; 20,000 is what the
// design promises, 1,500 what a test may cost.
const noticesEnv = "ART34_TEST_NOTICES"

// drill is a demo at work in a directory of its own.
type drill struct {
	*installation
	campaign string // file
	span     time.Duration
	args     []string
}

// newDrill prepares a demo of about so many notices, in which a second is the
// better part of a day.
func newDrill(t *testing.T, notices int) *drill {
	t.Helper()
	d := &drill{installation: &installation{t: t, dir: t.TempDir()}}
	d.span = 20 * time.Second
	d.must("sample", "--customers", "10", "--out", d.path("sample"))
	text, err := os.ReadFile(d.path("sample", "campaign.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const usual = "resend: [4h, 24h, 72h], deadline: 168h, bounce_window: 120h, return_window: 1344h"
	short := strings.Replace(string(text), usual, "resend: [30h, 40h, 50h], deadline: 300h, bounce_window: 30h, return_window: 60h", 1)
	if short == string(text) {
		t.Fatal("the sample campaign has another schedule")
	}
	d.campaign = d.path("sample", "campaign.yaml")
	if err := os.WriteFile(d.campaign, []byte(short), 0o600); err != nil {
		t.Fatal(err)
	}
	d.args = []string{"demo", "--customers", fmt.Sprint(notices * 20 / 13), "--seed", "9", "--bounces", "0.08", "--out", d.path("demo"), "--file", d.campaign, "--span", d.span.String(), "--json"}
	return d
}

func (d *drill) resume() *running { return d.start("demo", "--resume", d.path("demo"), "--json") }

// hours is how many hours of the compressed clock have passed since the launch,
// about.
func (d *drill) hours(from time.Time) float64 {
	now, err := (&practiceNotes{dir: d.path("demo", "practice")}).clock()
	if err != nil || now.IsZero() {
		return 0
	}
	return now.Sub(from).Hours()
}

// end is where a rehearsal has left everybody.
type end struct {
	policy  pipeline.Policy
	factor  float64
	notices map[string]*ended // by customer
}

type ended struct {
	pipeline.Notice
	events   []pipeline.Event
	attempts []pipeline.Attempt
	letters  int // that went to the post
}

func (e *ended) had(k pipeline.EventKind, o pipeline.Outcome) bool {
	return slices.ContainsFunc(e.events, func(x pipeline.Event) bool { return x.Kind == k && (o == "" || x.Outcome == o) })
}

// timeline is what happened, for people who look for the reason.
func (e *ended) timeline() string {
	var b strings.Builder
	for _, x := range e.events {
		fmt.Fprintf(&b, "\n  %s %d %s %s %s → %s by %s (%s)", x.At.Format(time.DateTime), x.Attempt, x.Kind, x.Outcome, x.Code, x.Into, x.Channel, x.Actor)
	}
	return b.String()
}

func (e *ended) dead() bool {
	return e.had(pipeline.EvBounced, pipeline.Dead) || e.had(pipeline.EvRefused, pipeline.Dead)
}

// read opens the ledger that a demo left.
func (d *drill) read() *end {
	t := d.t
	t.Helper()
	var s status
	out, errs, code := d.run("--dir", d.path("demo", "art34-data"), "status", demoName, "--audit", "--json")
	if code != 0 {
		t.Fatalf("status --audit: exit %d\n%s%s", code, out, errs)
	}
	if err := json.Unmarshal([]byte(out), &s); err != nil || s.Balance != 0 || s.Audit == nil || !s.Audit.clean() || !restful(s.States) {
		t.Fatalf("not settled, or the balance is wrong: %v\n%s", err, out)
	}
	ctx := context.Background()
	a := newApp(&globals{Dir: d.path("demo", "art34-data"), Log: "info"}, nil, io.Discard, io.Discard)
	h, err := a.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c, err := h.ledger.Campaign(ctx, demoName)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := h.editions.Spec(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	e := &end{policy: spec.Policy(), factor: rehearsal.Factor(spec.Policy(), d.span), notices: map[string]*ended{}}
	byID := map[int64]*ended{}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.ID}) {
		if err != nil {
			t.Fatal(err)
		}
		p, err := openPerson(keys, j)
		if err != nil {
			t.Fatal(err)
		}
		attempts, err := h.ledger.Attempts(ctx, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		n := &ended{Notice: j.Notice, attempts: attempts}
		e.notices[string(j.Role)+"/"+p.CustomerIDs[0]], byID[j.ID] = n, n
	}
	for x, err := range h.ledger.EventsByNotice(ctx, c.ID) {
		if err != nil {
			t.Fatal(err)
		}
		byID[x.Notice].events = append(byID[x.Notice].events, x)
	}
	runs, err := h.ledger.Runs(ctx, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		items, err := h.ledger.RunItems(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			if i.State == pipeline.ItemPosted {
				byID[i.Notice].letters++
			}
		}
	}
	return e
}

// check looks at everybody: settled or held for a person, one letter at most, and
// exactly one for a dead address where one can be printed.
func (e *end) check(t *testing.T) {
	t.Helper()
	var bounced, dead, letters int
	outcomes := map[pipeline.Outcome]int{}
	for who, n := range e.notices {
		if !n.State.Settled() && n.State != pipeline.Held {
			t.Errorf("%s is %s", who, n.State)
		}
		if n.letters > 1 {
			t.Errorf("%s got %d letters", who, n.letters)
		}
		failed := false
		for _, x := range n.events {
			if x.Kind == pipeline.EvBounced || x.Kind == pipeline.EvRefused {
				outcomes[x.Outcome]++
				failed = true
			}
		}
		if failed {
			bounced++
		}
		if !n.dead() {
			continue
		}
		dead++
		// Who has no postal address that can be printed never got one.
		if printable := n.Reach.Has(pipeline.ByPost) || n.had(pipeline.EvReturned, ""); printable && n.letters != 1 || !printable && n.State != pipeline.Unreachable {
			t.Errorf("%s has a dead address, got %d letters and is %s (%s)", who, n.letters, n.State, n.Reason)
		}
		letters += n.letters
	}
	t.Logf("%d notices: %d of them failed at least once (%v), %d dead addresses, %d letters for them", len(e.notices), bounced, outcomes, dead, letters)
	if dead == 0 || outcomes[pipeline.Transient] == 0 || outcomes[pipeline.Ours] == 0 || bounced*100 < len(e.notices)*4 {
		t.Error("too little went wrong to show anything")
	}
}

// lateness returns how late each resend started, in seconds of the machine.
func (e *end) lateness(t *testing.T) (late []float64) {
	t.Helper()
	for who, n := range e.notices {
		start, resends, seen := map[int]time.Time{}, 0, 0
		for _, a := range n.attempts {
			start[a.N] = a.At
		}
		first := time.Time{}
		for _, x := range n.events {
			if first.IsZero() && (x.Kind == pipeline.EvAccepted || x.Kind == pipeline.EvRefused || x.Kind == pipeline.EvDoubted) {
				first = x.At
			}
			if x.Attempt <= seen || (x.Kind != pipeline.EvBounced && x.Kind != pipeline.EvRefused) || x.Outcome != pipeline.Transient || x.Into != pipeline.Due || x.Channel != pipeline.Email {
				continue
			}
			before := pipeline.Notice{ID: n.ID, State: pipeline.Accepted, Channel: pipeline.Email, Attempt: x.Attempt, Resends: resends, FirstAt: first, Reach: n.Reach}
			next, moved, err := e.policy.Apply(before, pipeline.Event{Notice: n.ID, Attempt: x.Attempt, Kind: pipeline.EvBounced, Outcome: x.Outcome, At: x.At})
			began, ok := start[next.Attempt]
			if err != nil || !moved || !ok {
				continue // superseded, for example by a success notification
			}
			resends++
			seen = x.Attempt // what comes again says nothing new
			by := began.Sub(next.DueAt).Seconds() / e.factor
			if by < -0.001 {
				t.Errorf("%s was resent %.3f s before its time: %s", who, -by, n.timeline())
			}
			late = append(late, by)
		}
	}
	slices.Sort(late)
	return late
}

// TestRehearsal carries a campaign with 8 % of bounces of all kinds out in
// compressed time: everybody is settled, each dead address has its one letter, and
// resends go when they are due. The same again, killed five times in the middle,
// ends the same.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	notices := 1500
	if text := os.Getenv(noticesEnv); text != "" {
		var err error
		if notices, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	var calm, killed *end
	t.Run("both", func(t *testing.T) {
		t.Run("calm", func(t *testing.T) {
			t.Parallel()
			d := newDrill(t, notices)
			r := d.start(d.args...)
			if code := r.wait(longest); code != 0 {
				t.Fatalf("exit %d\n%s", code, r.out.String())
			}
			calm = d.read()
			calm.check(t)
			late := calm.lateness(t)
			within := 0
			for _, s := range late {
				if s <= 1 {
					within++
				}
			}
			// The machine may be busy with other things: of a hundred five may be late.
			if len(late) == 0 || within*100 < len(late)*95 {
				t.Errorf("%d of %d resends went within a second of their time", within, len(late))
			}
			t.Logf("%d resends, half of them within %.2f s of their time, %d within a second, the last after %.2f s", len(late), late[len(late)/2], within, late[len(late)-1])
		})
		t.Run("killed", func(t *testing.T) {
			t.Parallel()
			d := newDrill(t, notices)
			r := d.start(d.args...)
			var from time.Time
			until(t, "launched", longest, func() bool {
				from, _ = (&practiceNotes{dir: d.path("demo", "practice")}).clock()
				return !from.IsZero()
			})
			for _, hours := range []float64{8, 35, 70, 120, 200} {
				until(t, "time to die", longest, func() bool {
					select {
					case <-r.done:
						t.Fatalf("it ended by itself: %s", r.out.String())
					default:
					}
					return d.hours(from) > hours
				})
				r.kill()
				r = d.resume()
			}
			if code := r.wait(longest); code != 0 {
				t.Fatalf("exit %d\n%s", code, r.out.String())
			}
			killed = d.read()
			killed.check(t)
		})
	})
	if calm == nil || killed == nil {
		return
	}
	compareEnds(t, calm, killed)
}

// compareEnds holds a rehearsal that was killed against one that was not. Who was
// in doubt twice is held for a person, and what the post brings back and the print
// shop spoils is drawn by numbers that another ledger gives anew: these may differ.
func compareEnds(t *testing.T, calm, killed *end) {
	t.Helper()
	if len(calm.notices) != len(killed.notices) {
		t.Fatalf("%d and %d notices", len(calm.notices), len(killed.notices))
	}
	drawn := func(n *ended) bool {
		return n.had(pipeline.EvReturned, "") || n.had(pipeline.EvRejected, "") || n.Reason == pipeline.ReasonSecondDoubt
	}
	// A robot's answer that comes while the mail is still counted as being sent moves
	// nothing; a courier that was killed leaves it so for seconds.
	overtook := func(n *ended) bool {
		sent := slices.IndexFunc(n.events, func(x pipeline.Event) bool { return x.Kind == pipeline.EvAccepted })
		said := slices.IndexFunc(n.events, func(x pipeline.Event) bool { return x.Kind == pipeline.EvReplied && pipeline.Unread(x.Code) })
		return said >= 0 && n.events[said].Into != pipeline.Due && (said < sent || !n.events[said].At.After(n.events[sent].At))
	}
	same, excused, overtaken := 0, 0, 0
	for who, a := range calm.notices {
		b := killed.notices[who]
		switch {
		case b == nil:
			t.Errorf("%s is nowhere", who)
		case a.State == b.State && a.Channel == b.Channel:
			same++
		case drawn(a) || drawn(b):
			excused++
		case overtook(a) || overtook(b):
			overtaken++
		default:
			t.Errorf("%s ended %s by %s, and %s by %s when killed:%s\nwhen killed:%s", who, a.State, a.Channel, b.State, b.Channel, a.timeline(), b.timeline())
		}
	}
	t.Logf("%d of %d ended the same; %d differ by what is drawn anew or was in doubt twice, %d by a robot's answer that overtook the relay's", same, len(calm.notices), excused, overtaken)
	if (excused+overtaken)*20 > len(calm.notices) {
		t.Errorf("%d differ", excused)
	}
}
