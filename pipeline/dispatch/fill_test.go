package dispatch

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// oneRunEach checks that every letter is Printing, and in one run, which is
// assembled as it was drawn.
func (w *world) oneRunEach(letters int) {
	w.t.Helper()
	w.want(map[pipeline.State]int{pipeline.Printing: letters})
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	of := map[int64]int64{}
	for id, r := range w.ledger.runs {
		if r.State == pipeline.RunVoided {
			continue
		}
		in := 0
		for i, item := range w.ledger.items[id] {
			if item.Seq != i+1 {
				w.t.Errorf("%s: letter %d is at %d", r.Name(), i+1, item.Seq)
			}
			if item.State != pipeline.ItemIn {
				continue
			}
			in++
			list := w.ledger.attempts[item.Notice]
			a := list[len(list)-1]
			if of[item.Notice] != 0 || item.Pages == 0 || item.FirstPage == 0 || len(a.Bytes) == 0 || a.Run != id || a.Seq != item.Seq {
				w.t.Errorf("%s, and run %d: %+v, %+v", r.Name(), of[item.Notice], item, a)
			}
			of[item.Notice] = id
		}
		if r.State != pipeline.RunAssembled || r.Letters != in {
			w.t.Errorf("%s is %s with %d letters, and has %d", r.Name(), r.State, r.Letters, in)
		}
	}
	if len(of) != letters {
		w.t.Errorf("%d letters are in a run, not %d", len(of), letters)
	}
}

// TestCrashBetweenSlices: whatever slice of a cut, a drawing or an assembly is the
// last that a process writes, the next one finishes.
func TestCrashBetweenSlices(t *testing.T) {
	for _, x := range []struct {
		what string
		nth  int32
	}{{"add", 1}, {"add", 2}, {"add", 4}, {"draw", 1}, {"draw", 3}, {"assemble", 1}} {
		t.Run(x.what, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.people(450, pipeline.Post, nil)
				var seen atomic.Int32
				died := make(chan struct{})
				w.slice = func(f *flaky, what string) {
					if what == x.what && seen.Add(1) == x.nth {
						f.set(func() { f.dead = true })
						close(died)
					}
				}
				p := w.start()
				<-died
				p.crash()
				w.slice = nil
				w.queue.wipe()
				p = w.start()
				p.rest(5 * time.Minute)
				p.stop()
				w.oneRunEach(450)
			})
		})
	}
}

// TestTwoFillOneRun: who has lost the lead in the middle of a run adds nothing to it
// after the next leader has closed it.
func TestTwoFillOneRun(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(450, pipeline.Post, nil)
		var seen atomic.Int32
		w.slice = func(_ *flaky, what string) {
			if what == "add" && seen.Add(1) == 1 {
				if err := w.ledger.CloseRun(t.Context(), 1); err != nil {
					t.Error(err)
				}
			}
		}
		p := w.start()
		p.rest(5 * time.Minute)
		p.stop()
		if r := w.run(1); r.Letters != pipeline.RunSlice || w.runs() < 2 {
			t.Errorf("%d runs, %+v", w.runs(), r)
		}
		w.oneRunEach(450)
	})
}

// TestVoidWhileFilling: nothing joins a run that somebody takes back.
func TestVoidWhileFilling(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(450, pipeline.Post, nil)
		var seen atomic.Int32
		w.slice = func(_ *flaky, what string) {
			if what == "add" && seen.Add(1) == 1 {
				if r, err := w.operate().VoidRun(t.Context(), 1, "test"); err != nil || r.State != pipeline.RunVoided {
					t.Error(r.State, err)
				}
			}
		}
		p := w.start()
		p.rest(5 * time.Minute)
		p.stop()
		if r := w.run(1); r.State != pipeline.RunVoided {
			t.Errorf("%+v", r)
		}
		w.oneRunEach(450)
	})
}

// TestStaleSlice: a letter that moves on while its run is filled spoils the others of
// its slice for this run only.
func TestStaleSlice(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(450, pipeline.Post, nil)
		var seen atomic.Int32
		w.slice = func(_ *flaky, what string) {
			if what == "add" && seen.Add(1) == 1 {
				w.ledger.mu.Lock()
				for _, n := range w.ledger.notices {
					if n.State == pipeline.Due {
						n.Gen++
						break
					}
				}
				w.ledger.mu.Unlock()
			}
		}
		p := w.start()
		p.rest(5 * time.Minute)
		p.stop()
		if n := w.runs(); n != 2 {
			t.Errorf("%d runs", n)
		}
		w.oneRunEach(450)
	})
}

// TestMovedWhileDrawn: a letter that is pulled while the drawing is put on record is
// in no file.
func TestMovedWhileDrawn(t *testing.T) {
	for _, when := range []string{"draw", "assemble"} {
		t.Run(when, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.people(250, pipeline.Post, nil)
				var seen atomic.Int32
				w.slice = func(_ *flaky, what string) {
					if what != when || seen.Add(1) > 1 {
						return
					}
					if _, ok, err := w.operate().PullLetter(t.Context(), 1, 7, "moved", "test"); err != nil || !ok {
						t.Error(ok, err)
					}
				}
				p := w.start()
				p.rest(5 * time.Minute)
				p.stop()
				if n := w.notice(7); n.State != pipeline.Held {
					t.Errorf("%+v", n)
				}
				if r := w.run(1); r.State != pipeline.RunAssembled || r.Letters != 249 {
					t.Errorf("%+v", r)
				}
				w.oneRunEach(249)
			})
		})
	}
}

// TestCancelledWhileCut: a run that is written between the first write of a
// cancellation and its last, or of one that was cut off after the first, is taken back,
// and its letters are cancelled with the rest.
func TestCancelledWhileCut(t *testing.T) {
	for _, moment := range []string{"cut", "add", "draw", "assemble"} {
		t.Run(moment, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.people(250, pipeline.Post, nil)
				var seen atomic.Int32
				w.slice = func(_ *flaky, what string) {
					if what == moment && seen.Add(1) == 1 {
						w.ledger.mu.Lock()
						w.ledger.campaigns[1].State = pipeline.Withdrawn
						w.ledger.mu.Unlock()
					}
				}
				p := w.start()
				p.rest(5 * time.Minute)
				time.Sleep(5 * time.Minute)
				p.stop()
				if r := w.run(1); r.State != pipeline.RunVoided {
					t.Errorf("the run is %s", r.State)
				}
				if s := w.states(); s[pipeline.Cancelled] != 250 {
					t.Errorf("%v", s)
				}
				w.sound()
			})
		})
	}
}
