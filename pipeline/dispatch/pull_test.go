package dispatch

import (
	"sync"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// TestPulledLetter: one letter is taken out of a run that nobody has handed over, and
// held; the others keep their places in a file that is drawn again. Of a run that was
// handed over nothing is taken.
func TestPulledLetter(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(5, pipeline.Post, nil)
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		before := w.run(1)
		if before.State != pipeline.RunAssembled || before.Letters != 5 {
			t.Fatalf("%+v", before)
		}
		out := w.ledger.items[1][2]
		var wg sync.WaitGroup
		did := make([]bool, 4)
		for i := range did {
			wg.Go(func() {
				var err error
				if _, did[i], err = w.operate().PullLetter(t.Context(), 1, out.Notice, pipeline.FlagDeceased, "told by the family"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		for _, d := range did {
			if d {
				n++
			}
		}
		if r := w.run(1); n != 1 || r.State != pipeline.RunCut || r.SHA256 != "" || r.Letters != 4 {
			t.Errorf("pulled %d times: %+v", n, r)
		}
		if _, err := w.operate().ReleaseRun(t.Context(), 1); pipeline.ErrorCode(err) != "run-state" {
			t.Errorf("released before it is drawn again: %v", err)
		}
		p = w.start()
		p.rest(time.Minute)
		p.stop()
		if n := w.notice(out.Notice); n.State != pipeline.Held || n.Reason != pipeline.FlagDeceased {
			t.Errorf("%+v", n)
		}
		w.want(map[pipeline.State]int{pipeline.Printing: 4, pipeline.Held: 1})
		if r := w.run(1); r.State != pipeline.RunAssembled || r.Letters != 4 || w.runs() != 1 {
			t.Errorf("%+v", r)
		}
		for i, item := range w.ledger.items[1] {
			if item.Seq != i+1 || (item.State == pipeline.ItemOut) != (item.Notice == out.Notice) {
				t.Errorf("%+v", item)
			}
		}
		if _, err := w.operate().ReleaseRun(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, pulled, err := w.operate().PullLetter(t.Context(), 1, w.ledger.items[1][0].Notice, pipeline.FlagDeceased, "r"); pulled || err != nil || w.run(1).State != pipeline.RunReleased {
			t.Errorf("out of a run that was handed over: %v, %v", pulled, err)
		}
		w.want(map[pipeline.State]int{pipeline.Printing: 4, pipeline.Held: 1})
	})
}

// TestPulledOutOfOne: a run whose only letter is pulled is none any more.
func TestPulledOutOfOne(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.people(1, pipeline.Post, nil)
		p := w.start()
		p.rest(time.Minute)
		p.stop()
		if _, pulled, err := w.operate().PullLetter(t.Context(), 1, w.ledger.items[1][0].Notice, pipeline.FlagDeceased, "r"); !pulled || err != nil || w.run(1).State != pipeline.RunVoided {
			t.Errorf("%v, %v, %+v", pulled, err, w.run(1))
		}
		w.want(map[pipeline.State]int{pipeline.Held: 1})
	})
}
