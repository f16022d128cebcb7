package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// printRoom cuts print runs from the letters that are due and has them drawn. One
// process leads in cutting; drawing is for whoever gets the task.
type printRoom struct {
	s    *Service
	lead *lease

	mu    sync.Mutex
	found map[int64]gathering // by campaign, what the last look found

	// Of the leader's own loop:
	sheets map[int64]measured      // by notice: letters that wait are not laid out again each time
	asked  map[int64]time.Duration // runs whose drawing was asked for, and when
	runs   time.Duration           // when all runs were last looked through
}

// gathering is what is left of the due letters of a campaign after everything was
// cut that may be.
type gathering struct {
	at      time.Duration
	waiting int              // letters that wait for others
	blocked map[string]int64 // code → letters that are kept back
	oldest  time.Time        // DueAt, of those waiting
	cutAt   time.Time        // when they are cut if no others come; zero: not by the clock
}

// total is the number of letters that the look has accounted for.
func (g gathering) total() int64 {
	n := int64(g.waiting)
	for _, b := range g.blocked {
		n += b
	}
	return n
}

const (
	countMost   = 100_000
	lookAgain   = 10 * time.Second // at letters that wait, even if their number is the same
	drawAgain   = 10 * time.Second // ask again for a run that is still not drawn
	runsEvery   = 3 * time.Second
	sheetsMost  = 50_000
	peekLetters = 200
)

func newPrintRoom(s *Service) *printRoom {
	return &printRoom{
		s: s, lead: s.newLease(leasePrint, s.Times.LeadTTL),
		found: map[int64]gathering{}, sheets: map[int64]measured{}, asked: map[int64]time.Duration{},
	}
}

func (r *printRoom) run(ctx context.Context) { r.s.every(ctx, r.s.Times.Print, nil, r.tick) }

func (r *printRoom) tick(ctx context.Context) {
	v := r.s.control.current()
	if !r.lead.held() || v == nil {
		return
	}
	for _, k := range v.campaigns {
		if r.mayCut(k) && r.s.reached(ctx, "ledger", r.campaign(ctx, k)) != nil {
			return
		}
	}
	r.s.reached(ctx, "ledger", r.redraw(ctx, v))
}

// mayCut reports whether letters of a campaign may become print runs now. While a
// canary is out nothing else leaves, on paper neither.
func (r *printRoom) mayCut(k *campaign) bool {
	return k != nil && k.state() == "" && k.launched(r.s.Clock.Now()) && k.Canary == 0
}

// campaign looks at the due letters of a campaign, if there is a reason to.
func (r *printRoom) campaign(ctx context.Context, k *campaign) error {
	now := r.s.Clock.Now()
	due, err := r.s.countDue(ctx, k.ID, pipeline.Post, now)
	if err != nil {
		return err
	}
	r.mu.Lock()
	old, known := r.found[k.ID]
	r.mu.Unlock()
	if due == 0 {
		r.remember(k.ID, gathering{})
		return nil
	}
	if known && due == old.total() && r.s.elapsed()-old.at < lookAgain {
		ready, _, err := r.ready(ctx, k, old, now)
		if err != nil || !ready {
			return err
		}
	}
	b := newBench(r, k, now)
	if err := b.fill(ctx); err != nil {
		return err
	}
	g := gathering{waiting: b.count(), blocked: b.blocked, oldest: b.oldest}
	ready, at, err := r.ready(ctx, k, g, now)
	if err != nil {
		return err
	}
	if ready {
		g.waiting = 0
		if err := b.cutAll(ctx); err != nil {
			return err
		}
	}
	g.cutAt = at
	if !b.whole {
		return nil // somebody said stop, or letters moved on: look again
	}
	r.remember(k.ID, g)
	return nil
}

func (r *printRoom) remember(campaign int64, g gathering) {
	g.at = r.s.elapsed()
	r.mu.Lock()
	r.found[campaign] = g
	r.mu.Unlock()
}

// ready reports whether letters that do not fill a run are cut all the same: a
// cut-off has passed since they fell due, they waited long enough, or there are
// enough of them and nothing more comes now. Otherwise at is when that will be.
func (r *printRoom) ready(ctx context.Context, k *campaign, g gathering, now time.Time) (ready bool, at time.Time, err error) {
	if g.waiting == 0 {
		return false, time.Time{}, nil
	}
	post := k.spec.Post
	off, err := pipeline.ParseCutOff(post.CutOff)
	if err != nil {
		return false, time.Time{}, err
	}
	if last := off.Last(now); !last.IsZero() {
		if !g.oldest.After(last) {
			return true, now, nil
		}
		at = last.Add(24 * time.Hour) // an hour off on the days when clocks change
	}
	if wait := time.Duration(post.MaxWait); wait > 0 {
		end := g.oldest.Add(wait)
		if !now.Before(end) {
			return true, now, nil
		}
		if at.IsZero() || end.Before(at) {
			at = end
		}
	}
	if g.waiting < post.MinLetters {
		return false, at, nil
	}
	more, err := r.s.moreComing(ctx, k, now)
	return err == nil && !more, at, err
}

// moreComing reports whether e-mail is under way, or about to be, that could come
// back as a letter now.
func (s *Service) moreComing(ctx context.Context, k *campaign, now time.Time) (bool, error) {
	moving, err := s.moving(ctx, k.ID)
	if err != nil || moving > 0 {
		return moving > 0, err
	}
	if block, _ := k.mayTake(pipeline.LaneNotice, now, s.Real.Now()); block != "" || s.noRelay() {
		return false, nil
	}
	counts, err := s.Ledger.CountDue(ctx, k.ID, now, 1)
	for _, c := range counts {
		if c.Channel == pipeline.Email && c.Count > 0 && k.provider(c.Provider) == "" {
			return true, err
		}
	}
	return false, err
}

// redraw asks for the drawing of runs that were cut and not drawn: their task was
// lost, or its process died. Nobody but the leader fills a run, and not now: one that
// is being filled was left half full, and is closed with the letters that it has. One
// that was cut at the very moment at which its campaign was cancelled is taken back.
func (r *printRoom) redraw(ctx context.Context, v *view) error {
	if r.runs != 0 && r.s.elapsed()-r.runs < runsEvery {
		return nil
	}
	runs, err := r.s.Ledger.Runs(ctx, 0)
	if err != nil {
		return err
	}
	o := Operations{Ledger: r.s.Ledger, Specs: r.s.Specs, Press: r.s.Press, Clock: r.s.Clock, Real: r.s.Real, Actor: actorClock}
	for _, run := range runs {
		open := run.State == pipeline.RunFilling || run.State == pipeline.RunCut || run.State == pipeline.RunAssembled
		if k := v.campaign(run.Campaign); open && k != nil && k.State == pipeline.Withdrawn {
			if _, err := o.VoidRun(ctx, run.ID, "campaign-cancelled"); err != nil && !conflict(err) {
				return err
			}
			continue
		}
		if run.State == pipeline.RunFilling {
			if err := r.s.Ledger.CloseRun(ctx, run.ID); err != nil {
				return err
			}
			r.ask(ctx, run.ID)
		} else if run.State != pipeline.RunCut {
			delete(r.asked, run.ID)
		} else if at, ok := r.asked[run.ID]; !ok || r.s.elapsed()-at >= drawAgain {
			r.ask(ctx, run.ID)
		}
	}
	r.runs = r.s.elapsed()
	return nil
}

// ask wakes a print worker.
func (r *printRoom) ask(ctx context.Context, run int64) {
	err := r.s.Queue.Enqueue(ctx, newPrintTask(run, r.s.Owner))
	if r.s.reached(ctx, "queue", err) == nil {
		r.asked[run] = r.s.elapsed()
	}
}
