package rehearsal

import (
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
)

// Printer is a practice print shop.
type Printer struct {
	Seed   uint64
	Spoil  float64 // share of letters that it spoils, 0 to 1
	Return float64 // share of letters that the post brings back, 0 to 1
	Place  string  // of the deposit
}

// Acknowledge answers a released run: the deposit, with the count of the letters
// that were posted, and the positions (Seq) of those that were spoiled. The same
// run gets the same answer. A letter that was spoiled once is posted the next time.
func (p Printer) Acknowledge(run pipeline.Run, items []pipeline.RunItem, on time.Time) (pipeline.Deposit, []int) {
	var spoiled []int
	for _, i := range items {
		key := strconv.FormatInt(i.Notice, 10)
		if i.State == pipeline.ItemIn && i.Attempt == 1 && chance(p.Seed, "spoil", key) < p.Spoil {
			spoiled = append(spoiled, i.Seq)
		}
	}
	y, m, d := on.UTC().Date()
	return pipeline.Deposit{
		On:      pipeline.Date{Time: time.Date(y, m, d, 0, 0, 0, 0, time.UTC)},
		Place:   p.Place,
		Product: "practice",
		Slip:    "PRACTICE-" + run.Name(),
		Count:   len(items) - len(spoiled),
	}, spoiled
}

// Return is a letter that the post brought back.
type Return struct {
	Seq     int
	Reason  string // a code of package postal/returned
	Outcome pipeline.Outcome
}

// Returned says which letters of a run come back after a while, and why: for the
// four reasons on the label of La Poste, or none. The same run gets the same
// answer.
func (p Printer) Returned(items []pipeline.RunItem) (back []Return) {
	for _, i := range items {
		key := strconv.FormatInt(i.Notice, 10)
		if i.State != pipeline.ItemPosted || chance(p.Seed, "return", key) >= p.Return {
			continue
		}
		r := Return{Seq: i.Seq, Reason: "not-stated", Outcome: pipeline.None}
		switch c := chance(p.Seed, "reason", key); {
		case c < 0.25:
			r.Reason, r.Outcome = "access-or-address", pipeline.Dead
		case c < 0.75:
			r.Reason, r.Outcome = "unknown-at-address", pipeline.Dead
		case c < 0.80:
			r.Reason = "refused"
		case c < 0.97:
			r.Reason = "unclaimed"
		}
		back = append(back, r)
	}
	return back
}
