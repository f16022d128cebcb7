package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// Deposited is what a print shop says about letters of a run.
type Deposited struct {
	Deposit pipeline.Deposit
	// Letters are the positions that this deposit is about, the rejected ones among
	// them or not; nil: all that are not deposited or rejected yet. Empty, and not
	// nil: none, only Rejected are news.
	Letters  []int
	Rejected []Rejected
}

// AcknowledgeRun records the deposit of a released run, less the rejected letters,
// which are printed again. Repeating it with the same deposit changes nothing.
func (o Operations) AcknowledgeRun(ctx context.Context, id int64, d pipeline.Deposit, rejected []Rejected) (pipeline.Run, error) {
	return o.Deposit(ctx, id, Deposited{Deposit: d, Rejected: rejected})
}

// Deposit records that letters of a released run went to the post, all of them or
// some, and which were rejected. Letters that nothing is said about stay with the
// print shop; when none is left the run is deposited. Repeating it changes nothing;
// what contradicts an earlier deposit is refused.
func (o Operations) Deposit(ctx context.Context, id int64, d Deposited) (pipeline.Run, error) {
	return o.run(ctx, id, func(r *pipeline.Run, letters []RunLetter, at time.Time) (*runChange, error) {
		if r.State != pipeline.RunReleased && r.State != pipeline.RunDeposited {
			return nil, runState(r, "is not with the print shop", "art34 print release comes first")
		}
		codes, err := rejectedOf(r, letters, d.Rejected)
		if err != nil {
			return nil, err
		}
		part, err := partOf(r, letters, d, codes)
		if err != nil || len(part.posted)+len(part.rejected) == 0 {
			return nil, err
		}
		if r.State == pipeline.RunDeposited {
			return nil, runState(r, "was acknowledged with another deposit", "art34 print list --json shows it; clear it up with the print shop")
		}
		on, err := depositTime(r, d.Deposit, at)
		if err != nil {
			return nil, err
		}
		if n := d.Deposit.Count; n != 0 && n != len(part.posted) {
			return nil, &pipeline.Error{Code: "deposit-count", Permanent: true,
				Sentence: fmt.Sprintf("the print shop deposited %s of %s; by position and without the rejected ones they are %d", plural(n, "letter", "letters"), r.Name(), len(part.posted)),
				Hint:     "name every rejected letter, or clear it up with the print shop"}
		}
		part.enter(r, d.Deposit)
		if len(stillIn(letters)) == len(part.posted)+len(part.rejected) {
			r.State, r.ClosedAt = pipeline.RunDeposited, at
		}
		e := pipeline.Event{Kind: pipeline.EvDeposited, At: on, Code: d.Deposit.Product, Detail: r.Name()}
		if d.Deposit.Slip != "" {
			e.Detail += pipeline.SlipMark + d.Deposit.Slip
		}
		return &runChange{action: "run-deposit", reason: d.Deposit.Slip, letters: slices.Concat(part.posted, part.rejected), item: pipeline.ItemPosted, event: e, rejected: codes}, nil
	})
}

// part is what of a deposit is news.
type part struct {
	posted, rejected []RunLetter
	whole            bool // it closes a run of which nothing was deposited before
}

// partOf sorts out what of a deposit is news. What was said before in the same way
// is none; what contradicts it is an error.
func partOf(r *pipeline.Run, letters []RunLetter, d Deposited, codes map[int]string) (part, error) {
	var p part
	all := d.Letters == nil
	if all && r.State == pipeline.RunDeposited {
		last := r.Deposit
		if n := len(last.Parts); n > 0 {
			last.Count = last.Parts[n-1].Count
		}
		if sameDeposit(last, d.Deposit) && sameRejected(letters, d) {
			return p, nil
		}
		return p, runState(r, "was acknowledged with another deposit", "art34 print list --json shows it; clear it up with the print shop")
	}
	meant := map[int]bool{}
	for _, seq := range d.Letters {
		if !slices.ContainsFunc(letters, func(l RunLetter) bool { return l.Item.Seq == seq }) {
			return p, seqUnknown(r, seq)
		}
		meant[seq] = true
	}
	var again []int // positions that are deposited already
	for _, l := range letters {
		_, spoiled := codes[l.Item.Seq]
		switch {
		case spoiled && l.Item.State == pipeline.ItemRejected:
		case spoiled && l.Item.State == pipeline.ItemPosted, !spoiled && meant[l.Item.Seq] && l.Item.State == pipeline.ItemRejected:
			return p, &pipeline.Error{Code: "ack-contradiction", Permanent: true, Sentence: fmt.Sprintf("letter %d of %s was acknowledged as %s before", l.Item.Seq, r.Name(), l.Item.State), Hint: "clear it up with the print shop"}
		case spoiled:
			p.rejected = append(p.rejected, l)
		case meant[l.Item.Seq] && l.Item.State == pipeline.ItemPosted:
			again = append(again, l.Item.Seq)
		case (all || meant[l.Item.Seq]) && l.Item.State == pipeline.ItemIn:
			p.posted = append(p.posted, l)
		}
	}
	p.whole = all && r.Deposit.Count == 0
	if len(again) > 0 && (len(p.posted) > 0 || !slices.ContainsFunc(r.Deposit.Parts, func(old pipeline.DepositPart) bool { return samePart(old, d.Deposit, Positions(again)) })) {
		return p, &pipeline.Error{Code: "ack-contradiction", Permanent: true, Sentence: "letters " + Positions(again) + " of " + r.Name() + " were acknowledged with another deposit before", Hint: "art34 print list --json shows it; clear it up with the print shop"}
	}
	return p, nil
}

func samePart(a pipeline.DepositPart, d pipeline.Deposit, letters string) bool {
	return a.On.Equal(d.On.Time) && a.Place == d.Place && a.Product == d.Product && a.Slip == d.Slip && a.Letters == letters
}

// enter writes the deposit into the run.
func (p part) enter(r *pipeline.Run, d pipeline.Deposit) {
	if len(p.posted) == 0 {
		return // only rejections are news
	}
	before := r.Deposit
	r.Deposit = d
	r.Deposit.Count, r.Deposit.Parts = len(p.posted), nil
	if p.whole {
		return
	}
	var seqs []int
	for _, l := range p.posted {
		seqs = append(seqs, l.Item.Seq)
	}
	r.Deposit.Parts = append(slices.Clone(before.Parts), pipeline.DepositPart{On: d.On, Place: d.Place, Product: d.Product, Slip: d.Slip, Count: len(p.posted), Letters: Positions(seqs)})
	r.Deposit.Count += before.Count
}

// stillIn are the letters that the print shop still has.
func stillIn(letters []RunLetter) (list []RunLetter) {
	for _, l := range letters {
		if l.Item.State == pipeline.ItemIn {
			list = append(list, l)
		}
	}
	return list
}

// Positions writes positions in a run as people do: "1-500 502". They are in order.
func Positions(seqs []int) string {
	var parts []string
	for i := 0; i < len(seqs); {
		j := i
		for j+1 < len(seqs) && seqs[j+1] == seqs[j]+1 {
			j++
		}
		s := strconv.Itoa(seqs[i])
		if j > i {
			s += "-" + strconv.Itoa(seqs[j])
		}
		parts = append(parts, s)
		i = j + 1
	}
	return strings.Join(parts, " ")
}

// rejectedOf checks that rejected letters are part of the run.
func rejectedOf(r *pipeline.Run, letters []RunLetter, rejected []Rejected) (map[int]string, error) {
	codes := map[int]string{}
	for _, x := range rejected {
		if !slices.ContainsFunc(letters, func(l RunLetter) bool { return l.Item.Seq == x.Seq }) {
			return nil, seqUnknown(r, x.Seq)
		}
		if x.Code == "" {
			x.Code = "rejected"
		}
		codes[x.Seq] = x.Code
	}
	return codes, nil
}

func seqUnknown(r *pipeline.Run, seq int) error {
	return &pipeline.Error{Code: "seq-unknown", Permanent: true, Exit: 2, Sentence: fmt.Sprintf("%s has no letter %d", r.Name(), seq)}
}

func sameDeposit(a, b pipeline.Deposit) bool {
	return a.On.Equal(b.On.Time) && a.Place == b.Place && a.Product == b.Product && a.Slip == b.Slip && (a.Count == b.Count || b.Count == 0)
}

// sameRejected reports whether a repeated acknowledgement rejects what is rejected:
// the same letters, or, where the count fits, some that were reported before it.
func sameRejected(letters []RunLetter, d Deposited) bool {
	var is, said []int
	for _, l := range letters {
		if l.Item.State == pipeline.ItemRejected {
			is = append(is, l.Item.Seq)
		}
	}
	for _, x := range d.Rejected {
		if !slices.Contains(is, x.Seq) {
			return false
		}
		said = append(said, x.Seq)
	}
	slices.Sort(said)
	return d.Deposit.Count > 0 || len(is) == len(slices.Compact(said))
}
