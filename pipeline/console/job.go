package console

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// job is work that takes longer than a page: an import, a check. It goes on while
// nobody looks, and ends with the process; what it does is whole or not at all.
type job struct {
	Kind    string // import, check
	Began   time.Time
	Ended   time.Time // zero: it runs
	Err     error
	Import  *Imported
	Checked *Checked
	Stale   bool // a text or a list has changed since it began
}

// Running reports whether the job is under way.
func (j *job) Running() bool { return j.Ended.IsZero() }

// jobs are the last job of each kind of each campaign.
type jobs struct {
	mu   sync.Mutex
	by   map[int64]map[string]*job
	quit context.Context
	end  context.CancelFunc
	all  sync.WaitGroup
}

func newJobs() *jobs {
	quit, end := context.WithCancel(context.Background())
	return &jobs{by: map[int64]map[string]*job{}, quit: quit, end: end}
}

// stop ends what runs and waits for it.
func (j *jobs) stop() {
	j.end()
	j.all.Wait()
}

// last returns a copy of the last job of a kind, nil without one.
func (j *jobs) last(campaign int64, kind string) *job {
	j.mu.Lock()
	defer j.mu.Unlock()
	if x := j.by[campaign][kind]; x != nil {
		c := *x
		return &c
	}
	return nil
}

// outdate marks the last job of a kind: what it looked at has changed since.
func (j *jobs) outdate(campaign int64, kind string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if x := j.by[campaign][kind]; x != nil {
		x.Stale = true
	}
}

// start begins a job unless one of the campaign runs. It outlives the request.
func (v *visit) start(c pipeline.Campaign, kind string, work func(context.Context, *job) error) error {
	j := v.jobs
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, x := range j.by[c.ID] {
		if x.Running() {
			return refuse("job-running", "an import or a check of this campaign is under way", "")
		}
	}
	if j.by[c.ID] == nil {
		j.by[c.ID] = map[string]*job{}
	}
	x := &job{Kind: kind, Began: v.Real.Now()}
	j.by[c.ID][kind] = x
	ctx, cancel := context.WithCancel(context.WithoutCancel(v.ctx()))
	if err := v.noteJob(ctx, c.ID, kind, v.actor()+"|"+strconv.FormatInt(x.Began.Unix(), 10)); err != nil {
		cancel()
		delete(j.by[c.ID], kind)
		return err
	}
	stop := context.AfterFunc(j.quit, cancel)
	log, clock := v.Log, v.Real
	j.all.Go(func() {
		defer cancel()
		defer stop()
		var done job
		err := work(ctx, &done)
		if j.quit.Err() == nil { // else the next console says that it was cut off
			err = errors.Join(err, v.noteJob(ctx, c.ID, kind, ""))
		}
		if _, own := errors.AsType[*pipeline.Error](err); err != nil && !own {
			log.Error("a job of the console has failed", "kind", kind, "campaign", c.ID, "error", err)
		}
		j.mu.Lock()
		defer j.mu.Unlock()
		x.Import, x.Checked, x.Err, x.Ended = done.Import, done.Checked, err, clock.Now()
	})
	return nil
}

// metaJob + campaign and kind says who has begun a job whose end no console has seen.
const metaJob = "console-job:"

func (k *Console) noteJob(ctx context.Context, campaign int64, kind, begun string) error {
	if kind != "import" {
		return nil // a check leaves its verdict, or none
	}
	_, err := k.Ledger.SetMeta(ctx, fmt.Sprint(metaJob, campaign, ":", kind), begun, false)
	return err
}

// cut is a job that was begun and did not end.
type cut struct {
	By string
	At time.Time
}

// cutJob is the import whose end this console has not seen and no other has noted: its
// process died, or is at it still. nil without one.
func (v *visit) cutJob(campaign int64, kind string) (*cut, error) {
	if j := v.jobs.last(campaign, kind); j != nil {
		return nil, nil
	}
	begun, err := v.Ledger.Meta(v.ctx(), fmt.Sprint(metaJob, campaign, ":", kind))
	by, at, ok := strings.Cut(begun, "|")
	if err != nil || !ok {
		return nil, err
	}
	unix, err := strconv.ParseInt(at, 10, 64)
	return &cut{by, time.Unix(unix, 0)}, err
}
