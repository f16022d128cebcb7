package dispatch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/art34/art34/pipeline"
)

// returnedWorld is a run of twelve letters at the print shop; every third customer
// has an e-mail address too.
func returnedWorld(t *testing.T, w *world) Operations {
	w.people(12, pipeline.Post, func(i int, n *pipeline.Notice) {
		if i%3 == 0 {
			n.Reach |= pipeline.ByEmail
		}
	})
	p := w.start()
	p.rest(time.Minute)
	p.stop()
	o := w.operate()
	if _, err := o.ReleaseRun(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	return o
}

func came(notice int64, code string, dead bool) News {
	e := pipeline.Event{Attempt: 1, Code: code, Outcome: pipeline.None, Detail: "R000001"}
	if dead {
		e.Outcome = pipeline.Dead
	}
	return News{Notice: notice, Event: e}
}

func TestReturned(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := returnedWorld(t, w)
		ctx := t.Context()
		dry, err := o.ReturnedDry(ctx, 1, []News{came(1, "unknown", true), came(2, "unknown", true), came(1, "unknown", true)})
		if err != nil || !dry[0].Moved || dry[0].After.Channel != pipeline.Email || dry[1].After.State != pipeline.Unreachable || dry[2].Moved {
			t.Fatalf("%+v %v", dry, err)
		}
		w.want(map[pipeline.State]int{pipeline.Printing: 12})
		// Before the deposit is acknowledged nothing is lost.
		got, err := o.Returned(ctx, 1, []News{came(1, "unknown", true), came(2, "unknown", true), came(3, "refused", false), came(1, "unknown", true)})
		if err != nil || !got[0].Moved || !got[1].Moved || got[2].Moved || got[3].Moved {
			t.Fatalf("%+v %v", got, err)
		}
		w.want(map[pipeline.State]int{pipeline.Due: 1, pipeline.Unreachable: 1, pipeline.Printing: 10})
		if _, err := o.AcknowledgeRun(ctx, 1, pipeline.Deposit{Count: 12}, nil); err != nil {
			t.Fatal(err)
		}
		w.want(map[pipeline.State]int{pipeline.Due: 1, pipeline.Unreachable: 1, pipeline.Posted: 10})
		// A late one revokes what the clock took for informed.
		n := w.notice(5)
		next := n
		next.State = pipeline.Informed
		e := pipeline.Event{Notice: 5, Attempt: 1, Kind: pipeline.EvConfirmed, At: time.Now()}
		if ok, err := w.ledger.Commit(ctx, []pipeline.Change{pipeline.Move(n, next, e)}); err != nil || !ok[0] {
			t.Fatal(ok, err)
		}
		got, err = o.Returned(ctx, 1, []News{came(5, "moved", true)})
		if err != nil || got[0].Before.State != pipeline.Informed || got[0].After.State != pipeline.Unreachable {
			t.Fatalf("%+v %v", got, err)
		}
		if _, err := o.Returned(ctx, 1, []News{came(99, "moved", true)}); !errors.Is(err, pipeline.ErrNotFound) {
			t.Error(err)
		}
		future, err := o.Returned(ctx, 1, []News{{Notice: 6, Event: pipeline.Event{Attempt: 2, Outcome: pipeline.Dead, Detail: "x"}}})
		if err != nil || future[0].Refused == nil || future[0].Moved {
			t.Errorf("an attempt that was never made: %+v %v", future, err)
		}
		w.sound()
	})
}

// Neither order nor repetition, nor when the deposit is acknowledged, makes a
// difference to where the notices end.
func TestReturnedInAnyOrder(t *testing.T) {
	t.Parallel()
	var news []News
	for n := int64(1); n <= 9; n++ {
		switch n % 4 {
		case 0:
			news = append(news, came(n, "refused", false))
		case 1:
			news = append(news, came(n, "unknown", true), came(n, "not-stated", false))
		case 2:
			news = append(news, came(n, "unknown", true), came(n, "access", true))
		default:
			news = append(news, came(n, "refused", false), came(n, "unknown", true))
		}
	}
	var first string
	for seed := range uint64(25) {
		var end string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			o := returnedWorld(t, w)
			r := rand.New(rand.NewPCG(seed, 34))
			list := append(slices.Clone(news), news[r.IntN(len(news))], news[r.IntN(len(news))], news[r.IntN(len(news))])
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			acknowledge := r.IntN(len(list))
			for i := 0; i < len(list); {
				n := min(1+r.IntN(4), len(list)-i)
				if _, err := o.Returned(t.Context(), 1, list[i:i+n]); err != nil {
					t.Fatal(err)
				}
				if i += n; i > acknowledge {
					acknowledge = len(list)
					if _, err := o.AcknowledgeRun(t.Context(), 1, pipeline.Deposit{Count: 12}, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.sound()
			end = ends(w)
		})
		if first == "" {
			first = end
		}
		if end != first {
			t.Errorf("seed %d:\n%s\nnot\n%s", seed, end, first)
		}
	}
	if strings.Count(first, "unreachable") == 0 || strings.Count(first, "due email") == 0 {
		t.Error(first)
	}
}

// ends writes where every notice stands, and the reasons on record.
func ends(w *world) string {
	var b strings.Builder
	for id := int64(1); id <= 12; id++ {
		n := w.notice(id)
		var codes []string
		for _, e := range w.ledger.events[id] {
			if e.Kind == pipeline.EvReturned {
				codes = append(codes, e.Code)
			}
		}
		slices.Sort(codes)
		codes = slices.Compact(codes) // the real ledger stores a repetition once
		fmt.Fprintf(&b, "%d %s %s %d %s %v\n", id, n.State, n.Channel, n.Attempt, n.Reason, codes)
	}
	return b.String()
}

func TestTold(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := returnedWorld(t, w)
		ctx := t.Context()
		told := func(id int64) News {
			return News{Notice: id, Event: pipeline.Event{Code: "phone", Detail: "by team 3", At: time.Now().Add(-time.Hour)}}
		}
		// While the letter is at the print shop it is recorded, and counts later.
		got, err := o.Told(ctx, 1, []News{told(4)})
		if err != nil || got[0].Moved {
			t.Fatalf("%+v %v", got, err)
		}
		if _, err := o.AcknowledgeRun(ctx, 1, pipeline.Deposit{Count: 12}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Returned(ctx, 1, []News{came(2, "unknown", true)}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err = o.Told(ctx, 1, []News{told(2), told(4)}); err != nil {
				t.Fatal(err)
			}
			w.want(map[pipeline.State]int{pipeline.Informed: 2, pipeline.Posted: 10})
		}
		// Who was told stays told, whatever comes back.
		if got, err = o.Returned(ctx, 1, []News{came(4, "unknown", true)}); err != nil || got[0].Moved {
			t.Errorf("%+v %v", got, err)
		}
		w.want(map[pipeline.State]int{pipeline.Informed: 2, pipeline.Posted: 10})
		if _, err := o.Returned(ctx, 1, []News{came(8, "unknown", true)}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err = o.Notified(ctx, 1, []News{{Notice: 8, Event: pipeline.Event{Code: "public-notice", Detail: "page 5"}}})
			if err != nil || got[0].Moved || got[0].Refused != nil || w.notice(8).State != pipeline.Unreachable {
				t.Errorf("%+v %v", got, err)
			}
		}
	})
}

func TestDepositInParts(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := returnedWorld(t, w)
		ctx := t.Context()
		day := pipeline.Date{Time: time.Now().UTC().Truncate(24 * time.Hour)}
		deposit := func(slip string, count int) pipeline.Deposit {
			return pipeline.Deposit{On: day, Place: "PIC", Product: "V", Slip: slip, Count: count}
		}
		say := func(d Deposited) (pipeline.Run, error) { return o.Deposit(ctx, 1, d) }
		first := Deposited{Deposit: deposit("1", 4), Letters: []int{1, 2, 3, 4, 5}, Rejected: []Rejected{{2, "jam"}}}
		for range 2 {
			r, err := say(first)
			if err != nil || r.State != pipeline.RunReleased || r.Deposit.Count != 4 || len(r.Deposit.Parts) != 1 || r.Deposit.Parts[0].Letters != "1 3-5" {
				t.Fatalf("%+v %v", r, err)
			}
		}
		w.want(map[pipeline.State]int{pipeline.Posted: 4, pipeline.Due: 1, pipeline.Printing: 7})
		for name, bad := range map[string]Deposited{
			"deposit-count":     {Deposit: deposit("2", 9), Letters: []int{6, 7}},
			"ack-contradiction": {Deposit: deposit("2", 2), Letters: []int{5, 6}},
			"seq-unknown":       {Deposit: deposit("2", 1), Letters: []int{13}},
		} {
			if _, err := say(bad); pipeline.ErrorCode(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := say(Deposited{Deposit: deposit("2", 0), Letters: []int{}, Rejected: []Rejected{{1, "jam"}}}); pipeline.ErrorCode(err) != "ack-contradiction" {
			t.Error(err)
		}
		if r, err := say(Deposited{Letters: []int{}, Rejected: []Rejected{{12, "torn"}}}); err != nil || r.State != pipeline.RunReleased || r.Deposit.Slip != "1" {
			t.Fatalf("%+v %v", r, err)
		}
		for range 2 {
			r, err := say(Deposited{Deposit: deposit("3", 6)})
			if err != nil || r.State != pipeline.RunDeposited || r.Deposit.Count != 10 || len(r.Deposit.Parts) != 2 || r.Deposit.Parts[1].Letters != "6-11" {
				t.Fatalf("%+v %v", r, err)
			}
			if _, err := say(first); err != nil { // the first file, read again
				t.Fatal(err)
			}
		}
		if _, err := say(Deposited{Deposit: deposit("4", 6)}); pipeline.ErrorCode(err) != "run-state" {
			t.Error(err)
		}
		w.want(map[pipeline.State]int{pipeline.Posted: 10, pipeline.Due: 2})
	})
}
