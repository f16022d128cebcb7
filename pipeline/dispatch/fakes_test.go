package dispatch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// memQueue is a queue in memory that behaves as badly as asynq may: it can be
// wiped, hand out copies, and lose a worker's acknowledgement.
type memQueue struct {
	mu      sync.Mutex
	pending map[string][]pipeline.Task // by kind
	open    map[string]bool            // ID → waiting or running
	epoch   int
	begun   int
	down    bool
	copies  float64 // share of tasks that are handed out twice
	rng     *rand.Rand
	more    chan struct{} // closed and replaced when there may be more to take
}

func newMemQueue(seed uint64) *memQueue {
	return &memQueue{pending: map[string][]pipeline.Task{}, open: map[string]bool{}, rng: rand.New(rand.NewPCG(seed, 1)), more: make(chan struct{})}
}

func (q *memQueue) err() error {
	if q.down {
		return fmt.Errorf("queue: %w", pipeline.ErrAway)
	}
	return nil
}

func (q *memQueue) Enqueue(_ context.Context, t pipeline.Task) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.down || q.open[t.ID] {
		return q.err()
	}
	q.open[t.ID] = true
	q.pending[t.Kind] = append(q.pending[t.Kind], t)
	if q.rng.Float64() < q.copies {
		q.pending[t.Kind] = append(q.pending[t.Kind], t)
	}
	q.tell()
	return nil
}

func (q *memQueue) tell() {
	close(q.more)
	q.more = make(chan struct{})
}

func (q *memQueue) Unfinished(_ context.Context, tasks []pipeline.Task) ([]bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]bool, len(tasks))
	for i, t := range tasks {
		out[i] = q.open[t.ID]
	}
	return out, q.err()
}

func (q *memQueue) Backlog(_ context.Context, kind string) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.pending[kind]), q.err()
}

func (q *memQueue) Epoch(context.Context) (string, bool, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	fresh := q.begun != q.epoch+1
	q.begun = q.epoch + 1
	return fmt.Sprint("epoch-", q.begun), fresh, q.err()
}

func (q *memQueue) wipe() {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.pending)
	clear(q.open)
	q.epoch++
}

func (q *memQueue) setDown(down bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.down = down
	q.tell()
}

func (q *memQueue) take(kind string) (t pipeline.Task, ok bool, more <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.pending[kind]
	if q.down || len(list) == 0 {
		return pipeline.Task{}, false, q.more
	}
	best := 0
	for i, t := range list {
		if t.Lane < list[best].Lane {
			best = i
		}
	}
	t = list[best]
	q.pending[kind] = append(list[:best:best], list[best+1:]...)
	return t, true, nil
}

func (q *memQueue) done(t pipeline.Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, t.ID)
}

func (q *memQueue) Serve(drain, kill context.Context, kind string, concurrency int, h func(context.Context, pipeline.Task)) error {
	var wg sync.WaitGroup
	for range concurrency {
		wg.Go(func() {
			for drain.Err() == nil && kill.Err() == nil {
				t, ok, more := q.take(kind)
				if !ok {
					select {
					case <-more:
					case <-drain.Done():
					case <-kill.Done():
					}
					continue
				}
				h(kill, t)
				if kill.Err() == nil {
					q.done(t)
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// Outcomes of a scripted relay.
var (
	ok250     = pipeline.Answer{Phase: pipeline.PhaseAccepted, Code: 250, Enhanced: "2.0.0", QueueID: "Q1"}
	dead550   = pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Dead, Code: 550, Enhanced: "5.1.1"}
	later451  = pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Transient, Code: 451, Enhanced: "4.2.2"}
	ours554   = pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 554, Enhanced: "5.7.1", Reply: "policy"}
	doubt     = pipeline.Answer{Phase: pipeline.PhaseDoubtful, Broken: true}
	hungUp    = pipeline.Answer{Phase: pipeline.PhaseUnsent, Broken: true}
	mailFrom  = pipeline.Answer{Phase: pipeline.PhaseRefused, Outcome: pipeline.Ours, Code: 550, Enhanced: "5.7.1", Policy: true}
	errRelay  = &pipeline.Error{Code: "relay-away", Sentence: "the relay cannot be reached", Cause: pipeline.ErrAway}
	errSecret = &pipeline.Error{Code: "relay-auth", Sentence: "the relay refuses us", Permanent: true}
)

// memRelay answers by script and counts what it delivers.
type memRelay struct {
	mu        sync.Mutex
	script    func(notice int64, attempt, times int) pipeline.Answer // times: how often this attempt came before
	delivers  func() bool                                            // whether one that got no answer arrived
	dial      error
	took      time.Duration // of one hand-over
	delivered map[int64]int // messages by notice
	came      map[[2]int64]int
	times     []time.Time // of deliveries
	open, max int
	dials     int
}

func newMemRelay() *memRelay {
	return &memRelay{
		script: func(int64, int, int) pipeline.Answer { return ok250 }, delivers: func() bool { return true },
		took: time.Millisecond, delivered: map[int64]int{}, came: map[[2]int64]int{},
	}
}

func (r *memRelay) Dial(ctx context.Context) (Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dials++
	if r.dial != nil {
		return nil, r.dial
	}
	r.open++
	r.max = max(r.max, r.open)
	return &memConn{r: r}, nil
}

func (r *memRelay) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// dialled is how often somebody connected, or tried to.
func (r *memRelay) dialled() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dials
}

func (r *memRelay) total() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.delivered {
		n += k
	}
	return n
}

type memConn struct {
	r      *memRelay
	closed bool
}

func (c *memConn) Send(ctx context.Context, m, _ *pipeline.Message) pipeline.Answer {
	if c.closed {
		return hungUp
	}
	var notice int64
	var attempt int
	if _, err := fmt.Sscanf(m.ID, "<%d.%d>", &notice, &attempt); err != nil {
		panic(err)
	}
	r := c.r
	r.mu.Lock()
	key := [2]int64{notice, int64(attempt)}
	a := r.script(notice, attempt, r.came[key])
	r.came[key]++
	took, arrives := r.took, a.Phase == pipeline.PhaseAccepted
	if a.Phase == pipeline.PhaseDoubtful {
		arrives = r.delivers()
	}
	stopped := a.Phase == pipeline.PhaseAccepted && r.delivers() // arrives though the process hangs up
	r.mu.Unlock()
	select {
	case <-time.After(took):
	case <-ctx.Done(): // the process hangs up; the relay may have it all the same
		if stopped {
			r.deliver(notice)
			return doubt
		}
		return hungUp
	}
	if arrives {
		r.deliver(notice)
	}
	return a
}

func (r *memRelay) deliver(notice int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delivered[notice]++
	r.times = append(r.times, time.Now())
}

func (c *memConn) Close() error {
	if c.closed {
		return errors.New("closed twice")
	}
	c.closed = true
	c.r.set(func() { c.r.open-- })
	return nil
}

// memComposer builds a message that the relay can recognise.
type memComposer struct {
	fail func(n pipeline.Notice) error
	took time.Duration
}

func (c *memComposer) Compose(_ context.Context, j pipeline.Job, k pipeline.Campaign, at time.Time) (*pipeline.Message, error) {
	if c.took > 0 {
		time.Sleep(c.took)
	}
	if c.fail != nil {
		if err := c.fail(j.Notice); err != nil {
			return nil, err
		}
	}
	return &pipeline.Message{ID: fmt.Sprintf("<%d.%d>", j.ID, j.Attempt), Body: []byte("body"), Letter: [32]byte{1}, Renderer: "test/1"}, nil
}

// memPress measures by script and keeps files in memory.
type memPress struct {
	mu       sync.Mutex
	measure  func(n pipeline.Notice) (Sheet, error)
	unfit    map[int64]string // fails when drawn
	files    map[int64]string
	draws    int
	measured int
	fail     error
	took     time.Duration
}

func newMemPress() *memPress {
	return &memPress{unfit: map[int64]string{}, files: map[int64]string{}, measure: func(n pipeline.Notice) (Sheet, error) {
		return Sheet{Pages: 1, Sheets: 1, Class: n.Format, Profile: "fr-dl", Sort: n.Country + n.Area}, nil
	}}
}

func (p *memPress) Measure(_ context.Context, j pipeline.Job, _ pipeline.Campaign, _ time.Time) (Sheet, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.measured++
	s, err := p.measure(j.Notice)
	s.Letter, s.Renderer = [32]byte{2}, "test/1"
	return s, err
}

func (p *memPress) Draw(ctx context.Context, run pipeline.Run, c pipeline.Campaign, letters []RunLetter) (Drawn, error) {
	if p.took > 0 {
		select {
		case <-time.After(p.took):
		case <-ctx.Done():
			return Drawn{}, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draws++
	if p.fail != nil {
		return Drawn{}, p.fail
	}
	d := Drawn{File: run.Name() + ".pdf"}
	content := fmt.Sprint(run.ID, run.Version, run.LetterDate)
	for _, l := range letters {
		if code, ok := p.unfit[l.Item.Notice]; ok {
			d.Unfit = append(d.Unfit, Unfit{Seq: l.Item.Seq, Code: code})
			continue
		}
		d.Items = append(d.Items, DrawnItem{Seq: l.Item.Seq, FirstPage: d.Pages + 1, Pages: 2, Hash: [32]byte{3}})
		d.Pages += 2
		content += fmt.Sprint(" ", l.Item.Notice)
	}
	d.SHA256 = fmt.Sprintf("%x", content)
	p.files[run.ID] = content
	return d, nil
}

func (p *memPress) Remove(_ context.Context, run pipeline.Run) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.files, run.ID)
	return nil
}

type memSpecs struct{ spec *pipeline.Spec }

func (m memSpecs) Spec(context.Context, pipeline.Campaign) (*pipeline.Spec, error) {
	return m.spec, nil
}

// flaky stands between a process and the ledger: it takes time, it can be away,
// lose the answer to a commit, or be cut off for good when the process dies.
type flaky struct {
	*memLedger
	mu      sync.Mutex
	down    bool
	dead    bool
	latency time.Duration
	lose    func() bool          // a commit is written and its answer lost
	slice   func(*flaky, string) // is called before a slice of a run is written
}

var errAway = fmt.Errorf("ledger: %w", pipeline.ErrAway)

func (f *flaky) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *flaky) up(ctx context.Context) error {
	f.mu.Lock()
	down, wait := f.down || f.dead, f.latency
	f.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if wait > 0 {
		time.Sleep(wait)
	}
	f.mu.Lock()
	down = down || f.dead
	f.mu.Unlock()
	if down {
		return errAway
	}
	return nil
}

func (f *flaky) before(what string) {
	if f.slice != nil {
		f.slice(f, what)
	}
}

func (f *flaky) Commit(ctx context.Context, c []pipeline.Change) ([]bool, error) {
	if err := f.up(ctx); err != nil {
		return nil, err
	}
	ok, err := f.memLedger.Commit(ctx, c)
	f.mu.Lock()
	lost := f.lose != nil && f.lose()
	f.mu.Unlock()
	if err == nil && lost {
		return nil, errAway
	}
	return ok, err
}

func (f *flaky) AllCampaigns(ctx context.Context) ([]pipeline.Campaign, error) {
	if err := f.up(ctx); err != nil {
		return nil, err
	}
	return f.memLedger.AllCampaigns(ctx)
}

func (f *flaky) Campaign(ctx context.Context, name string) (pipeline.Campaign, error) {
	if err := f.up(ctx); err != nil {
		return pipeline.Campaign{}, err
	}
	return f.memLedger.Campaign(ctx, name)
}

func (f *flaky) OpenBreaker(ctx context.Context, b pipeline.Breaker) error {
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.OpenBreaker(ctx, b)
}

func (f *flaky) TakeDue(ctx context.Context, t pipeline.Take) ([]pipeline.Ticket, error) {
	if err := f.up(ctx); err != nil {
		return nil, err
	}
	return f.memLedger.TakeDue(ctx, t)
}

func (f *flaky) Load(ctx context.Context, t []pipeline.Ticket) ([]pipeline.Job, error) {
	if err := f.up(ctx); err != nil {
		return nil, err
	}
	return f.memLedger.Load(ctx, t)
}

func (f *flaky) Requeue(ctx context.Context, t []pipeline.Ticket, now time.Time) (int, error) {
	if err := f.up(ctx); err != nil {
		return 0, err
	}
	return f.memLedger.Requeue(ctx, t, now)
}

func (f *flaky) Record(ctx context.Context, e []pipeline.Event) error {
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.Record(ctx, e)
}

func (f *flaky) CutRun(ctx context.Context, r pipeline.Run, i []pipeline.RunItem, m []pipeline.Change) (pipeline.Run, error) {
	if err := f.up(ctx); err != nil {
		return r, err
	}
	f.before("cut")
	return f.memLedger.CutRun(ctx, r, i, m)
}

func (f *flaky) AddToRun(ctx context.Context, id int64, i []pipeline.RunItem, m []pipeline.Change) error {
	f.before("add")
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.AddToRun(ctx, id, i, m)
}

func (f *flaky) CloseRun(ctx context.Context, id int64) error {
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.CloseRun(ctx, id)
}

func (f *flaky) DrawRun(ctx context.Context, id int64, d []pipeline.Drawn) error {
	f.before("draw")
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.DrawRun(ctx, id, d)
}

func (f *flaky) AssembleRun(ctx context.Context, r pipeline.Run, k []pipeline.Ticket, i []pipeline.RunItem, m []pipeline.Change, a pipeline.Audit) error {
	f.before("assemble")
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.AssembleRun(ctx, r, k, i, m, a)
}

func (f *flaky) UpdateRun(ctx context.Context, r pipeline.Run, from []pipeline.RunState, i []pipeline.RunItem, m []pipeline.Change, a pipeline.Audit) error {
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.UpdateRun(ctx, r, from, i, m, a)
}

func (f *flaky) Lease(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	if err := f.up(ctx); err != nil {
		return false, err
	}
	return f.memLedger.Lease(ctx, name, owner, ttl)
}

func (f *flaky) ReleaseLease(ctx context.Context, name, owner string) error {
	if err := f.up(ctx); err != nil {
		return err
	}
	return f.memLedger.ReleaseLease(ctx, name, owner)
}

func (f *flaky) RequeueAll(ctx context.Context, now time.Time) (int64, error) {
	if err := f.up(ctx); err != nil {
		return 0, err
	}
	return f.memLedger.RequeueAll(ctx, now)
}

func (f *flaky) Notice(ctx context.Context, id int64) (pipeline.Job, error) {
	if err := f.up(ctx); err != nil {
		return pipeline.Job{}, err
	}
	return f.memLedger.Notice(ctx, id)
}

func (f *flaky) Each(ctx context.Context, x pipeline.Filter) iter.Seq2[pipeline.Job, error] {
	if err := f.up(ctx); err != nil {
		return func(yield func(pipeline.Job, error) bool) { yield(pipeline.Job{}, err) }
	}
	return f.memLedger.Each(ctx, x)
}
