package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// Merger is the part of the ledger that takes new impacts into notices that have
// not left the house.
type Merger interface {
	Known
	Unmerged(ctx context.Context, importID, after int64, limit int) ([]pipeline.Job, error)
	Merged(ctx context.Context, importID int64, at time.Time) error
	Absorb(ctx context.Context, parent pipeline.Change, supplement pipeline.Notice) (bool, error)
	Commit(ctx context.Context, changes []pipeline.Change) ([]bool, error)
}

// MergeConfig is the absorption of one published import.
type MergeConfig struct {
	Campaign int64
	Spec     *pipeline.Spec
	Import   int64
	Sink     Merger
	Keys     Keys
	Actor    string
	Now      func() time.Time
}

// mergePage is how many supplements are looked at together.
const mergePage = 100

// Merge takes the supplements of a published import into their notices where
// those have not been queued yet, and then lets the dispatcher have the others.
// It returns how many were absorbed. It may be repeated after a failure.
func Merge(ctx context.Context, c MergeConfig) (absorbed int64, err error) {
	for after := int64(0); ; {
		page, err := c.Sink.Unmerged(ctx, c.Import, after, mergePage)
		if err != nil {
			return absorbed, err
		}
		if len(page) == 0 {
			return absorbed, c.Sink.Merged(ctx, c.Import, c.Now())
		}
		for _, job := range page {
			ok, err := c.absorb(ctx, job)
			if err != nil {
				return absorbed, err
			}
			if ok {
				absorbed++
			}
			after = job.ID
		}
	}
}

// absorb finds a notice that can take a supplement in. When that one moves away
// meanwhile, it looks again; a supplement that nobody takes goes out by itself.
func (c MergeConfig) absorb(ctx context.Context, supplement pipeline.Job) (bool, error) {
	for range 5 {
		into, ok, err := c.taker(ctx, supplement)
		if err != nil || !ok {
			return false, err
		}
		twins, left, err := c.copies(ctx, into)
		if err != nil || left {
			return false, err
		}
		again := false
		for _, twin := range twins {
			// The copy first: a supplement that is gone could not be told to it later.
			change, err := c.change(twin, supplement)
			if err != nil {
				return false, err
			}
			done, err := c.Sink.Commit(ctx, []pipeline.Change{change})
			if err != nil {
				return false, err
			}
			again = again || !done[0]
		}
		if again {
			continue
		}
		change, err := c.change(into, supplement)
		if err != nil {
			return false, err
		}
		done, err := c.Sink.Absorb(ctx, change, supplement.Notice)
		if err != nil || done {
			return done, err
		}
	}
	return false, nil
}

// copies returns the paper copies of a notice that may still be changed, so that
// paper and e-mail tell the same. left says that one has left already: what is new
// then needs a letter of its own.
func (c MergeConfig) copies(ctx context.Context, of pipeline.Job) (list []pipeline.Job, left bool, err error) {
	if of.Role != pipeline.Primary {
		return nil, false, nil
	}
	person, err := openPerson(c.Keys, of)
	if err != nil || len(person.CustomerIDs) == 0 {
		return nil, false, err
	}
	ids, _, err := c.Sink.Search(ctx, c.Campaign, c.Keys.Token(KeyCustomer, foldNumber(person.CustomerIDs[0])), 100)
	if err != nil {
		return nil, false, err
	}
	for _, id := range ids {
		j, err := c.Sink.Notice(ctx, id)
		if errors.Is(err, pipeline.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		switch {
		case j.Role != pipeline.Copy || j.Parent != of.ID:
		case (j.State == pipeline.Due || j.State == pipeline.Held) && j.FirstAt.IsZero() && j.Attempt == 1:
			list = append(list, j)
		case !j.State.Settled() || !j.FirstAt.IsZero():
			left = true
		}
	}
	return list, left, nil
}

// taker returns the notice that takes the supplement in: the primary one, or an
// older supplement that has not left either.
func (c MergeConfig) taker(ctx context.Context, supplement pipeline.Job) (pipeline.Job, bool, error) {
	if supplement.State != pipeline.Due && supplement.State != pipeline.Held {
		return pipeline.Job{}, false, nil
	}
	parent, err := c.Sink.Notice(ctx, supplement.Parent)
	if errors.Is(err, pipeline.ErrNotFound) {
		return pipeline.Job{}, false, nil
	}
	if err != nil {
		return pipeline.Job{}, false, err
	}
	if takes(parent.Notice, supplement.Notice) {
		return parent, true, nil
	}
	siblings, err := c.Sink.Siblings(ctx, parent.ID)
	if err != nil {
		return pipeline.Job{}, false, err
	}
	for _, s := range siblings {
		if s.ID < supplement.ID && s.Import != supplement.Import && takes(s.Notice, supplement.Notice) {
			return s, true, nil
		}
	}
	return pipeline.Job{}, false, nil
}

// takes reports whether a notice can take a supplement in: nothing of it has left
// the house, and no person has to look at the supplement for what it is or whom
// it is for. Held for another reason (its import awaits approval) it can go in.
func takes(n, supplement pipeline.Notice) bool {
	if n.State != pipeline.Due && n.State != pipeline.Held || !n.FirstAt.IsZero() || n.Attempt != 1 {
		return false
	}
	if supplement.State != pipeline.Held || n.State == pipeline.Held {
		return true
	}
	why := supplement.Reason
	return !slices.Contains(supplement.Flags, why) && !slices.Contains(supplement.Defects, why) && why != supplement.Format && why != reasonCancelled
}

// change makes the notice tell what the supplement would have told.
func (c MergeConfig) change(into, supplement pipeline.Job) (pipeline.Change, error) {
	person, err := openPerson(c.Keys, into)
	if err != nil {
		return pipeline.Change{}, err
	}
	news, err := openPerson(c.Keys, supplement)
	if err != nil {
		return pipeline.Change{}, err
	}
	unite(&person, news)
	plain, err := person.MarshalBinary()
	if err != nil {
		return pipeline.Change{}, fmt.Errorf("notice %d: %w", into.ID, err)
	}
	n := into.Notice
	n.Kinds, _ = person.Kinds()
	n.Products = pipeline.Set(append(slices.Clone(n.Products), supplement.Products...))
	n.Defects = pipeline.Set(append(slices.Clone(n.Defects), supplement.Defects...))
	n.Sender = c.Spec.SenderFor(n.Products)
	if n.Role != pipeline.Copy {
		c.reroute(&n)
	}
	change := pipeline.Move(into.Notice, n, pipeline.Event{
		Kind: pipeline.EvAbsorbed, At: c.Now(), Actor: c.Actor, Detail: fmt.Sprintf("import %d", supplement.Import),
	})
	change.Sealed = c.Keys.Seal(plain, into.SealContext())
	return change, nil
}

// reroute asks again for the channel: a new data kind may want a letter.
func (c MergeConfig) reroute(n *pipeline.Notice) {
	r := c.Spec.ChooseRoute(pipeline.Traveller{
		Kinds: n.Kinds, Flags: n.Flags, Format: n.Format, HasContact: true, Representative: true,
		EmailUsable: n.Reach.Has(pipeline.ByEmail), Printable: n.Reach.Has(pipeline.ByPost),
	})
	if n.Channel != pipeline.NoChannel && r.Channel != pipeline.NoChannel {
		n.Channel = r.Channel
	}
}

// unite adds what news holds to p.
func unite(p *pipeline.Person, news pipeline.Person) {
	p.CustomerIDs = pipeline.Set(append(p.CustomerIDs, news.CustomerIDs...))
	p.Own = uniteExposures(p.Own, news.Own)
	for _, c := range news.Contracts {
		at := slices.IndexFunc(p.Contracts, func(x pipeline.Contract) bool { return x.ID == c.ID })
		if at < 0 {
			p.Contracts = append(p.Contracts, c)
			continue
		}
		p.Contracts[at].Data = uniteExposures(p.Contracts[at].Data, c.Data)
	}
	slices.SortFunc(p.Contracts, func(x, y pipeline.Contract) int { return strings.Compare(x.ID, y.ID) })
}

func uniteExposures(list, news []pipeline.Exposure) []pipeline.Exposure {
	for _, e := range news {
		at := slices.IndexFunc(list, func(x pipeline.Exposure) bool { return x.Kind == e.Kind })
		switch {
		case at < 0:
			list = append(list, e)
		case list[at].Possible && !e.Possible:
			list[at] = e
		}
	}
	slices.SortFunc(list, func(x, y pipeline.Exposure) int { return strings.Compare(x.Kind, y.Kind) })
	return list
}
