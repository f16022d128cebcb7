package dispatch

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func TestLaunchPauseResume(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o, ctx := w.operate(), t.Context()
		c := w.ledger.campaigns[1]
		for _, c.State = range []pipeline.CampaignState{pipeline.Draft, pipeline.Running, pipeline.Paused, pipeline.Withdrawn} {
			if err := o.Launch(ctx, "muguet", time.Time{}, 7); pipeline.ErrorCode(err) != "campaign-state" || !errors.Is(err, pipeline.ErrConflict) {
				t.Errorf("launch from %s: %v", c.State, err)
			}
		}
		c.State = pipeline.Approved
		if err := o.Launch(ctx, "muguet", time.Time{}, 7); err != nil {
			t.Error(err)
		}
		if c.State != pipeline.Running || c.Canary != 7 || c.LaunchAt.IsZero() {
			t.Errorf("%+v", c)
		}
		for range 2 {
			if err := o.Pause(ctx, "muguet", "lunch"); err != nil || c.State != pipeline.Paused || c.PausedFor != "operator" {
				t.Errorf("%v %+v", err, c)
			}
		}
		for range 2 {
			if err := o.Resume(ctx, "muguet", ""); err != nil || c.State != pipeline.Running || c.PausedFor != "" || c.Canary != 7 {
				t.Errorf("%v %+v", err, c)
			}
		}
		if err := o.Pause(ctx, "nobody", ""); pipeline.ErrorCode(err) != "campaign-unknown" || !errors.Is(err, pipeline.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if err := o.Launch(ctx, "muguet", time.Time{}, -1); pipeline.ErrorCode(err) != "canary-negative" {
			t.Errorf("%v", err)
		}
		if err := o.SetPacing(ctx, "muguet", pipeline.EmailPolicy{Hours: "morning"}, "slower"); pipeline.ErrorCode(err) != "pacing-invalid" {
			t.Errorf("%v", err)
		}
		var actions []string
		for _, a := range w.ledger.audits {
			actions = append(actions, a.Action)
			if a.Actor != "user:test" || a.Campaign != 1 || a.At.IsZero() {
				t.Errorf("%+v", a)
			}
		}
		if want := []string{"launch", "pause", "resume"}; !slices.Equal(actions, want) {
			t.Errorf("audit %v, want %v", actions, want)
		}
	})
}

func TestCohorts(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o, ctx := w.operate(), t.Context()
		w.ledger.campaigns[1].State = pipeline.Paused
		w.people(1200, pipeline.Email, func(i int, n *pipeline.Notice) {
			if i%2 == 0 {
				n.Flags = []string{"vip"}
			}
			if i < 100 {
				n.State, n.Born, n.DueAt = pipeline.InDoubt, pipeline.InDoubt, time.Now().Add(time.Hour)
				n.Doubts, n.Reason = 1, pipeline.ReasonDoubt
			}
		})
		check := func(m Moved, err error, moved, skipped int64) {
			t.Helper()
			if err != nil || m.Moved != moved || m.Skipped != skipped {
				t.Errorf("%+v, %v; want %d moved, %d skipped", m, err, moved, skipped)
			}
		}
		m, err := o.Hold(ctx, Cohort{Campaign: 1, Flag: "vip"}, "press-office")
		check(m, err, 600, 0)
		if n := w.notice(201); n.State != pipeline.Held || n.Reason != "press-office" {
			t.Errorf("%+v", n)
		}
		m, err = o.Exclude(ctx, Cohort{Campaign: 1, Notices: []int64{201, 202, 4000}}, "Deceased, says the family")
		check(m, err, 2, 1)
		if n := w.notice(202); n.State != pipeline.Excluded || n.Reason != "excluded" {
			t.Errorf("%+v", n)
		}
		if e := w.ledger.events[202][0]; e.Detail != "Deceased, says the family" || e.Actor != "user:test" {
			t.Errorf("%+v", e)
		}
		m, err = o.Release(ctx, Cohort{Campaign: 1, Notices: []int64{203, 204, 2}}, "") // held, due, in doubt
		check(m, err, 1, 2)
		m, err = o.Release(ctx, Cohort{Campaign: 1, Reason: "press-office"}, "")
		check(m, err, 598, 0)
		m, err = o.Resolve(ctx, Cohort{Campaign: 1, Notices: []int64{2, 4}}, true, "")
		check(m, err, 2, 0)
		m, err = o.Resolve(ctx, Cohort{Campaign: 1, Notices: []int64{6}}, false, "")
		check(m, err, 1, 0)
		if a, b := w.notice(2), w.notice(6); a.State != pipeline.Due || a.Reason != pipeline.ReasonDoubt || b.State != pipeline.Held {
			t.Errorf("%s %s, %s", a.State, a.Reason, b.State)
		}
		if _, err := o.Hold(ctx, Cohort{}, "x"); pipeline.ErrorCode(err) != "cohort-campaign" {
			t.Errorf("%v", err)
		}
		w.sound()
	})
}

// TestHoldRacesTheCourier: a hold at full speed either stops a notice or comes too
// late, and is never half done.
func TestHoldRacesTheCourier(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(4000, pipeline.Email, func(i int, n *pipeline.Notice) {
			if i%3 == 0 {
				n.Flags = []string{"vip"}
			}
		})
		w.relay.took = 2 * time.Millisecond
		p := w.start()
		time.Sleep(300 * time.Millisecond)
		m, err := w.operate().Hold(t.Context(), Cohort{Campaign: 1, Flag: "vip"}, "vip")
		if err != nil || m.Moved == 0 {
			t.Fatal(m, err)
		}
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Held: int(m.Moved), pipeline.Accepted: 4000 - int(m.Moved)})
		for _, n := range w.ledger.notices {
			if n.State == pipeline.Held && w.relay.delivered[n.ID] != 0 {
				t.Errorf("notice %d was held and sent", n.ID)
			}
		}
	})
}

func TestReleaseBreakerNamesWhatIsOpen(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o, ctx := w.operate(), t.Context()
		if err := w.ledger.OpenBreaker(ctx, pipeline.Breaker{Campaign: 1, Scope: "provider:orange", Reason: BlockProvider}); err != nil {
			t.Fatal(err)
		}
		err := o.ReleaseBreaker(ctx, "muguet", scopeRelay, "")
		e, ok := errors.AsType[*pipeline.Error](err)
		if !ok || e.Code != "breaker-unknown" || e.Hint != "open: provider:orange" {
			t.Errorf("%v", err)
		}
		if err := o.ReleaseBreaker(ctx, "muguet", "provider:orange", "talked to them"); err != nil || w.open("provider:orange") != "" {
			t.Errorf("%v", err)
		}
	})
}
