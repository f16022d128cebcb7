package dispatch

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func TestRunsAreCutAndDrawn(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Post.RunSize = 100
		w.people(450, pipeline.Post, func(i int, n *pipeline.Notice) {
			if i%9 == 0 {
				n.Format = pipeline.FormatLargePrint
			}
		})
		w.press.measure = func(n pipeline.Notice) (Sheet, error) {
			s := Sheet{Pages: 1, Sheets: 1, Class: n.Format, Profile: "fr-dl", Sort: n.Country + n.Area}
			if n.ID%10 == 0 {
				s.Sheets, s.Pages = 2, 3
			}
			return s, nil
		}
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Printing: 450})
		seen := map[int64]bool{}
		full := 0
		for id, r := range w.ledger.runs {
			if r.State != pipeline.RunAssembled || r.File == "" || r.SHA256 == "" || r.Letters != len(w.ledger.items[id]) || r.Letters > 100 || r.Pages != 2*r.Letters {
				t.Errorf("%+v", r)
			}
			if r.Letters == 100 {
				full++
			}
			last := ""
			for i, item := range w.ledger.items[id] {
				n := w.notice(item.Notice)
				if n.Format != r.Class || (n.ID%10 == 0) != (r.Sheets == 2) {
					t.Errorf("%s holds notice %d of another class", r.Name(), n.ID)
				}
				if key := n.Country + n.Area; key < last {
					t.Errorf("%s is not sorted at %d", r.Name(), item.Seq)
				} else {
					last = key
				}
				if item.Seq != i+1 || item.FirstPage != 2*i+1 || seen[n.ID] {
					t.Errorf("%s: %+v", r.Name(), item)
				}
				seen[n.ID] = true
				a := w.ledger.attempts[n.ID][0]
				if a.Run != id || a.Seq != item.Seq || a.Channel != pipeline.Post || a.Letter[0] != 2 || a.Bytes[0] != 3 || a.Tries != 1 {
					t.Errorf("attempt %+v", a)
				}
			}
		}
		if full != 3 || w.runs() != 7 {
			t.Errorf("%d runs, %d of them full; want 7 and 3", w.runs(), full)
		}
	})
}

// TestOneBadLetterSpoilsNothing: whether it shows when it is measured or only when
// it is drawn.
func TestOneBadLetterSpoilsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(50, pipeline.Post, nil)
		w.press.measure = func(n pipeline.Notice) (Sheet, error) {
			switch n.ID {
			case 7:
				return Sheet{}, &pipeline.Error{Code: "glyph-missing", Sentence: "x", Permanent: true}
			case 8:
				panic("x")
			}
			return Sheet{Class: "standard", Sheets: 1}, nil
		}
		w.press.unfit[9] = "layout-failed"
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Printing: 47, pipeline.Held: 3})
		for id, reason := range map[int64]string{7: "glyph-missing", 8: "render-panic", 9: "layout-failed"} {
			if got := w.notice(id).Reason; got != reason {
				t.Errorf("notice %d is held for %q, want %q", id, got, reason)
			}
		}
		r := w.run(1)
		if w.runs() != 1 || r.Letters != 47 || r.State != pipeline.RunAssembled {
			t.Errorf("%d runs, %+v", w.runs(), r)
		}
		for _, item := range w.ledger.items[1] {
			if (item.State == pipeline.ItemOut) != (item.Notice == 9) {
				t.Errorf("%+v", item)
			}
		}
		// A person mends it: it is due again under the same number, in another run.
		delete(w.press.unfit, 9)
		if m, err := w.operate().Release(t.Context(), Cohort{Campaign: 1, Notices: []int64{9}}, "address mended"); m.Moved != 1 || err != nil {
			t.Fatal(m, err)
		}
		p = w.start()
		p.rest(time.Minute)
		p.stop()
		if n := w.notice(9); n.State != pipeline.Printing || n.Attempt != 1 {
			t.Errorf("%+v", n)
		}
	})
}

// TestAllUnfitVoidsTheRun: an empty file is nobody's.
func TestAllUnfitVoidsTheRun(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(2, pipeline.Post, nil)
		w.press.unfit[1], w.press.unfit[2] = "x", "y"
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Held: 2})
		if r := w.run(1); r.State != pipeline.RunVoided || len(w.press.files) != 0 {
			t.Errorf("%s, %d files", r.State, len(w.press.files))
		}
	})
}

// TestFallbackLettersGather: a run that is not full waits for the e-mail under way.
func TestFallbackLettersGather(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.campaigns[1].Email.Rate = 20
		w.people(400, pipeline.Email, func(i int, n *pipeline.Notice) { n.Reach |= pipeline.ByPost })
		w.people(5, pipeline.Post, nil)
		w.relay.script = func(notice int64, _, _ int) pipeline.Answer {
			if notice%20 == 0 {
				return dead550
			}
			return ok250
		}
		p := w.start()
		time.Sleep(15 * time.Second)
		if w.runs() != 0 {
			t.Error("cut while e-mail was under way")
		}
		p.rest(time.Minute)
		p.stop()
		if w.runs() != 1 || w.run(1).Letters != 25 {
			t.Errorf("%d runs", w.runs())
		}
		w.want(map[pipeline.State]int{pipeline.Accepted: 380, pipeline.Printing: 25})
	})
}

func TestMinLettersAndMaxWait(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Post.MinLetters, w.spec.Post.MaxWait = 10, pipeline.Duration(5*time.Minute)
		w.people(9, pipeline.Post, nil)
		p := w.start()
		i := p.rest(time.Minute)
		if len(i.Blocked) != 0 || w.runs() != 0 {
			t.Errorf("blocked %v, %d runs", i.Blocked, w.runs())
		}
		if wait := time.Until(i.Next); wait < 3*time.Minute || wait > 5*time.Minute {
			t.Errorf("next in %v", wait)
		}
		time.Sleep(3 * time.Minute)
		w.ledger.mu.Lock()
		w.people(1, pipeline.Post, nil) // the tenth
		w.ledger.mu.Unlock()
		time.Sleep(3 * time.Second)
		if w.runs() != 1 || w.run(1).Letters != 10 {
			t.Errorf("%d runs after the tenth", w.runs())
		}
		w.ledger.mu.Lock()
		w.people(2, pipeline.Post, nil)
		w.ledger.mu.Unlock()
		time.Sleep(4*time.Minute + 30*time.Second)
		if w.runs() != 1 {
			t.Error("cut too early")
		}
		time.Sleep(time.Minute)
		p.stop()
		if w.runs() != 2 || w.run(2).Letters != 2 {
			t.Errorf("%d runs after max_wait", w.runs())
		}
	})
}

// TestCutOff: what is due by the cut-off goes into the day's runs, though e-mail is
// under way.
func TestCutOff(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Post.CutOff = "00:02 UTC" // a bubble begins at midnight
		w.ledger.campaigns[1].Email.Rate = 5
		w.people(1500, pipeline.Email, nil)
		w.people(7, pipeline.Post, nil)
		p := w.start()
		time.Sleep(110 * time.Second)
		if w.runs() != 0 {
			t.Error("cut before the cut-off")
		}
		time.Sleep(15 * time.Second)
		if w.runs() != 1 || w.run(1).Letters != 7 {
			t.Errorf("%d runs after the cut-off", w.runs())
		}
		p.stop()
	})
}

// TestCrashWhileDrawing: the run is drawn again, to the same bytes.
func TestCrashWhileDrawing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(20, pipeline.Post, nil)
		w.press.took = 10 * time.Second
		p := w.start()
		time.Sleep(8 * time.Second)
		if r := w.run(1); r.State != pipeline.RunCut {
			t.Fatalf("%+v", r)
		}
		p.crash()
		p = w.start() // the task of the dead one is still in the queue's books
		time.Sleep(15 * time.Second)
		first := w.file(1)
		if r := w.run(1); r.State != pipeline.RunAssembled || first == "" {
			t.Errorf("15 s after the restart: %s", r.State)
		}
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Printing: 20})
		if w.file(1) != first || w.runs() != 1 {
			t.Error("drawn twice, differently")
		}
	})
}

// TestDrawingFails: a full disk keeps the run where it is until there is room.
func TestDrawingFails(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(20, pipeline.Post, nil)
		w.press.fail = errors.New("no space left on device")
		p := w.start()
		time.Sleep(time.Minute)
		if r := w.run(1); r.State != pipeline.RunCut {
			t.Errorf("%s", r.State)
		}
		if i, _ := p.Idle(t.Context()); i.Idle {
			t.Error("idle with a run that is not drawn")
		}
		w.press.mu.Lock()
		w.press.fail = nil
		w.press.mu.Unlock()
		p.rest(time.Minute)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Printing: 20})
	})
}

// TestWaitingLettersAreNotMeasuredAgain: letters that wait for hours cost nothing.
func TestWaitingLettersAreNotMeasuredAgain(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Post.MinLetters, w.spec.Post.MaxWait = 100, pipeline.Duration(time.Hour)
		w.people(50, pipeline.Post, nil)
		p := w.start()
		time.Sleep(5 * time.Minute)
		p.stop()
		if w.press.measured != 50 {
			t.Errorf("measured %d times", w.press.measured)
		}
	})
}

func TestPausedCampaignCutsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(50, pipeline.Post, nil)
		w.ledger.campaigns[1].State, w.ledger.campaigns[1].PausedFor = pipeline.Paused, "operator"
		p := w.start()
		if i := p.rest(time.Minute); i.Blocked[BlockPaused] != 50 || w.runs() != 0 {
			t.Errorf("blocked %v, %d runs", i.Blocked, w.runs())
		}
		p.stop()
	})
}

// printed is a world with one assembled run of ten letters.
func printed(t *testing.T, w *world) Operations {
	w.people(10, pipeline.Post, nil)
	p := w.start()
	p.rest(time.Minute)
	p.stop()
	if w.run(1).State != pipeline.RunAssembled {
		t.Fatal("no run")
	}
	return w.operate()
}

func TestDepositWithRejections(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := printed(t, w)
		ctx := t.Context()
		d := pipeline.Deposit{Place: "Lyon", Product: "letter", Slip: "S1", Count: 8}
		if _, err := o.AcknowledgeRun(ctx, 1, d, nil); pipeline.ErrorCode(err) != "run-state" {
			t.Errorf("acknowledged before the release: %v", err)
		}
		for range 2 {
			if r, err := o.ReleaseRun(ctx, 1); err != nil || r.State != pipeline.RunReleased || r.ReleasedAt.IsZero() {
				t.Fatal(r, err)
			}
		}
		rejected := []Rejected{{Seq: 3, Code: "jam"}, {Seq: 10}}
		for code, bad := range map[string][]Rejected{"deposit-count": rejected[:1], "seq-unknown": {{Seq: 11}}} {
			if _, err := o.AcknowledgeRun(ctx, 1, d, bad); pipeline.ErrorCode(err) != code {
				t.Errorf("%v, want %s", err, code)
			}
		}
		for _, days := range []int{-3, 2} {
			wrong := d
			wrong.On.Time = o.Clock.Now().AddDate(0, 0, days).Truncate(24 * time.Hour)
			if _, err := o.AcknowledgeRun(ctx, 1, wrong, rejected); pipeline.ErrorCode(err) != "deposit-date" {
				t.Errorf("a deposit %d days from now: %v", days, err)
			}
		}
		for range 2 {
			if r, err := o.AcknowledgeRun(ctx, 1, d, rejected); err != nil || r.State != pipeline.RunDeposited || r.Deposit.Slip != "S1" {
				t.Fatal(r, err)
			}
			w.want(map[pipeline.State]int{pipeline.Posted: 8, pipeline.Due: 2})
		}
		d.Slip = "S2"
		if _, err := o.AcknowledgeRun(ctx, 1, d, rejected); pipeline.ErrorCode(err) != "run-state" {
			t.Errorf("another deposit of the same run: %v", err)
		}
		third := w.ledger.items[1][2]
		if n := w.notice(third.Notice); third.State != pipeline.ItemRejected || n.Attempt != 2 || n.Kind != pipeline.Retry || n.Reason != pipeline.ReasonRejected {
			t.Errorf("%+v, %+v", third, n)
		}
		p := w.start() // the two are printed again
		p.rest(time.Minute)
		p.stop()
		if w.runs() != 2 || w.run(2).Letters != 2 {
			t.Errorf("%d runs", w.runs())
		}
	})
}

func TestVoidAndRecall(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := printed(t, w)
		ctx := t.Context()
		if _, err := o.RecallRun(ctx, 1, ""); pipeline.ErrorCode(err) != "run-state" {
			t.Errorf("recalled before the release: %v", err)
		}
		for range 2 {
			if _, err := o.VoidRun(ctx, 1, "typo"); err != nil {
				t.Fatal(err)
			}
		}
		w.want(map[pipeline.State]int{pipeline.Due: 10})
		if len(w.press.files) != 0 {
			t.Error("the file of a voided run is still there")
		}
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		if n := w.notice(1); n.State != pipeline.Printing || n.Attempt != 1 || w.ledger.attempts[1][0].Tries != 2 || w.ledger.attempts[1][0].Run != 2 {
			t.Errorf("%+v %+v", n, w.ledger.attempts[1])
		}
		if _, err := o.ReleaseRun(ctx, 1); pipeline.ErrorCode(err) != "run-state" {
			t.Errorf("released a voided run: %v", err)
		}
		if _, err := o.ReleaseRun(ctx, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := o.VoidRun(ctx, 2, ""); pipeline.ErrorCode(err) != "run-state" {
			t.Errorf("voided after the release: %v", err)
		}
		for range 2 {
			if r, err := o.RecallRun(ctx, 2, "wrong enclosure"); err != nil || r.State != pipeline.RunRecalled {
				t.Fatal(r, err)
			}
		}
		w.want(map[pipeline.State]int{pipeline.Held: 10})
		if _, err := o.RecallRun(ctx, 99, ""); pipeline.ErrorCode(err) != "run-unknown" {
			t.Errorf("%v", err)
		}
	})
}

// TestDepositAfterTheReturn: a letter that came back before the shop's
// acknowledgement stays where its return has put it.
func TestDepositAfterTheReturn(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := printed(t, w)
		if _, err := o.ReleaseRun(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		n := w.notice(4)
		e := pipeline.Event{Notice: 4, Attempt: 1, Kind: pipeline.EvReturned, Outcome: pipeline.Dead, At: time.Now()}
		next, _, err := pipeline.DefaultPolicy().Apply(n, e)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := w.ledger.Commit(t.Context(), []pipeline.Change{pipeline.Move(n, next, e)}); err != nil || !ok[0] {
			t.Fatal(ok, err)
		}
		if _, err := o.AcknowledgeRun(t.Context(), 1, pipeline.Deposit{Count: 10}, nil); err != nil {
			t.Fatal(err)
		}
		w.want(map[pipeline.State]int{pipeline.Posted: 9, pipeline.Unreachable: 1})
		if !slices.ContainsFunc(w.ledger.events[4], func(e pipeline.Event) bool { return e.Kind == pipeline.EvDeposited }) {
			t.Error("the deposit is not on record")
		}
	})
}

// TestReturnWindow: posted letters settle without proof of a way back.
func TestReturnWindow(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.spec.Feedback.ReturnWindow = pipeline.Duration(time.Minute)
		o := printed(t, w)
		if _, err := o.ReleaseRun(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := o.AcknowledgeRun(t.Context(), 1, pipeline.Deposit{}, nil); err != nil {
			t.Fatal(err)
		}
		p := w.start()
		time.Sleep(70 * time.Second)
		p.stop()
		w.want(map[pipeline.State]int{pipeline.Informed: 10})
	})
}

// TestDepositCountsFromItsDay: the return window starts on the day of the deposit,
// not when somebody typed it in.
func TestDepositCountsFromItsDay(t *testing.T) {
	t.Parallel()
	cut := time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC)
	typed := time.Date(2026, 1, 26, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		on   string
		want time.Time
	}{
		{"2026-01-21", time.Date(2026, 1, 21, 12, 0, 0, 0, time.UTC)},
		{"2026-01-20", time.Date(2026, 1, 20, 14, 0, 0, 0, time.UTC)}, // the day of the release
		{"2026-01-26", time.Date(2026, 1, 26, 12, 0, 0, 0, time.UTC)},
	} {
		var d pipeline.Deposit
		if err := d.On.UnmarshalText([]byte(c.on)); err != nil {
			t.Fatal(err)
		}
		r := pipeline.Run{ID: 1, CutAt: cut, ReleasedAt: cut.Add(5 * time.Hour)}
		if got, err := depositTime(&r, d, typed); err != nil || !got.Equal(c.want) {
			t.Errorf("%s: %v, %v, want %v", c.on, got, err, c.want)
		}
	}
}
