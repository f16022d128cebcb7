package dispatch

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/art34/art34/pipeline"
)

// round carries the jobs of one task over one connection. Three things go on at
// once, so that neither rendering nor the ledger's commits hold up the wire:
//
//	compose --ready--> loop --marked--> send --answers--> loop
//
// The loop alone writes to the ledger. Each of its commits takes the outcomes that
// have come in and marks as Sending what goes out next, so that the two share one
// write and at most a window of notices is in Sending at any time: that is what a
// crash puts in doubt.
type round struct {
	c        *courier
	campaign int64
	conn     Conn // the sender's while the round runs; nil when there is none
	told     bool // the sender's: the relay has the envelope of the message that follows

	halted  atomic.Bool // the relay is away, or we were told to stop
	ready   chan *parcel
	marked  chan *parcel
	answers chan *parcel
	quit    chan struct{} // closed when the loop takes nothing more from ready

	// Of the loop:
	marks, done []*parcel // to be marked; answered or unfit, to be recorded
	sending     int       // marked, outcome not durable
	atRelay     int       // marked, no answer yet
	claimed     []bool    // by index of the job: nothing is left to give back
}

// parcel is one notice on its way.
type parcel struct {
	index   int
	k       *campaign // as it was when the letter was built
	row     pipeline.Notice
	message *pipeline.Message
	attempt pipeline.Attempt
	unfit   string // code: it cannot be built
	answer  pipeline.Answer
	kept    bool // it was not handed over, by our own choice
}

// flushAfter is how long an outcome or a mark waits for others to share its
// commit.
const flushAfter = 3 * time.Millisecond

// run returns the tickets that nobody has claimed.
func (r *round) run(ctx context.Context, jobs []pipeline.Job) (left []pipeline.Ticket) {
	window := defaultWindow
	if k := r.c.s.control.campaign(r.campaign); k != nil {
		window = k.window()
	}
	r.claimed = make([]bool, len(jobs))
	r.ready = make(chan *parcel, window)
	r.marked = make(chan *parcel, window)
	r.answers = make(chan *parcel, window)
	r.quit = make(chan struct{})
	var both sync.WaitGroup
	both.Go(func() { r.compose(ctx, jobs) })
	both.Go(func() { r.send(ctx) })
	r.loop(ctx, window)
	close(r.quit)
	close(r.marked)
	both.Wait()
	for i, j := range jobs {
		if !r.claimed[i] {
			left = append(left, pipeline.Ticket{Notice: j.ID, Gen: j.Gen})
		}
	}
	return left
}

// stopped reports whether nothing more may be marked.
func (r *round) stopped(ctx context.Context) bool {
	return r.halted.Load() || r.c.drain.Err() != nil || ctx.Err() != nil
}

// compose builds ahead. What may not be sent now stays unclaimed.
func (r *round) compose(ctx context.Context, jobs []pipeline.Job) {
	defer close(r.ready)
	for i := range jobs {
		if r.stopped(ctx) {
			return
		}
		k := r.c.s.control.campaign(r.campaign)
		if k.maySend(jobs[i].Notice, 0, r.c.s.Clock.Now(), r.c.s.Real.Now()) != "" {
			continue
		}
		p := r.build(ctx, k, jobs[i])
		if p == nil {
			r.halted.Store(true)
			return
		}
		p.index = i
		select {
		case r.ready <- p:
		case <-r.quit:
			return
		}
	}
}

// build renders one notice; nil when something is away that is not the notice's
// fault.
func (r *round) build(ctx context.Context, k *campaign, j pipeline.Job) *parcel {
	s := r.c.s
	p := &parcel{k: k, row: j.Notice}
	at := s.Clock.Now().Truncate(time.Second)
	m, err := guardedCompose(ctx, s.Composer, j, k.Campaign, at)
	if err != nil {
		if ctx.Err() != nil || away(err) {
			s.reached(ctx, "ledger", err)
			return nil
		}
		p.unfit = pipeline.ErrorCode(err)
		if p.unfit == "" {
			p.unfit = pipeline.ReasonUnfit
		}
		s.Log.Warn("the e-mail cannot be built", "notice", j.ID, "code", p.unfit)
		s.trip(ctx, k, s.guard(k.ID).built(false, p.unfit))
		return p
	}
	s.guard(k.ID).built(true, "")
	hash := sha256.Sum256(m.Body)
	p.message = m
	p.attempt = pipeline.Attempt{
		Notice: j.ID, N: j.Attempt, Kind: j.Kind, Channel: pipeline.Email, Version: k.Version, Told: m.Told, At: at,
		Letter: m.Letter[:], Bytes: hash[:], Renderer: m.Renderer,
	}
	return p
}

// guardedCompose turns a panic of the renderer into an error: one customer's data
// must not stop all the others. What was panicked with may hold people.
func guardedCompose(ctx context.Context, c Composer, j pipeline.Job, k pipeline.Campaign, at time.Time) (m *pipeline.Message, err error) {
	defer func() {
		if recover() != nil {
			m, err = nil, &pipeline.Error{Code: "render-panic", Sentence: "the letter cannot be rendered", Permanent: true}
		}
	}()
	return c.Compose(ctx, j, k, at)
}

// loop collects and commits until everything that was marked is recorded.
func (r *round) loop(ctx context.Context, window int) {
	ready := r.ready
	group := max(1, window/2)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	waiting := false // the timer runs for what is pending
	for {
		if r.stopped(ctx) {
			ready, r.marks = nil, nil
		}
		pending := len(r.marks) + len(r.done)
		if ready == nil && pending == 0 && r.sending == 0 {
			return
		}
		if r.full(ready, group) {
			r.commit(ctx)
			waiting = false
			continue
		}
		if pending > 0 && !waiting {
			timer.Reset(flushAfter)
			waiting = true
		}
		in := ready
		if len(r.marks) >= window-(r.sending-r.answered()) {
			in = nil
		}
		select {
		case p, ok := <-in:
			switch {
			case !ok:
				ready = nil
			case p.unfit != "":
				r.done = append(r.done, p)
			default:
				r.marks = append(r.marks, p)
			}
		case p := <-r.answers:
			r.atRelay--
			r.done = append(r.done, p)
		case <-timer.C:
			if waiting {
				r.commit(ctx)
			}
			waiting = false
		}
	}
}

// answered counts those of done that were in Sending.
func (r *round) answered() (n int) {
	for _, p := range r.done {
		if p.unfit == "" {
			n++
		}
	}
	return n
}

// full reports whether it is time for a commit: the sender has little left to do
// and there is a group for it, or nothing more will come to wait for.
func (r *round) full(ready chan *parcel, group int) bool {
	if len(r.done) >= 2*group {
		return true
	}
	if r.atRelay >= group {
		return false
	}
	return len(r.marks) >= group || ready == nil && (len(r.marks) > 0 || r.atRelay == 0 && len(r.done) > 0)
}

// send hands over, one after the other, and keeps what may not go any more.
func (r *round) send(ctx context.Context) {
	for p := range r.marked {
		for p != nil {
			next := r.waiting()
			r.hand(ctx, p, next)
			r.answers <- p
			p = next
		}
	}
}

// waiting takes the next one if it is there already.
func (r *round) waiting() *parcel {
	select {
	case p := <-r.marked:
		return p
	default:
		return nil
	}
}

// hand hands over one message, if it may go, and lets the relay know of the one
// that follows, if that may go too.
func (r *round) hand(ctx context.Context, p, next *parcel) {
	s := r.c.s
	k := s.control.campaign(r.campaign)
	if !r.may(ctx, k, p) {
		r.keep(p)
		return
	}
	if r.conn == nil {
		if r.conn = r.c.connect(ctx, k); r.conn == nil {
			r.halted.Store(true)
			r.keep(p)
			return
		}
	}
	var follows *pipeline.Message
	if next != nil && r.may(ctx, k, next) {
		follows = next.message
	}
	if !r.c.lease.held() {
		r.keep(p)
		return
	}
	p.answer = guardedSend(ctx, r.conn, p.message, follows)
	r.told = follows != nil
	if p.answer.Broken {
		r.hangUp()
	}
	if ctx.Err() != nil && p.answer.Phase != pipeline.PhaseAccepted {
		return // we hung up, not the relay
	}
	s.trip(ctx, k, s.guard(k.ID).answered(k, p.row.Provider, p.answer))
	if p.answer.Phase == pipeline.PhaseAccepted || p.answer.Phase == pipeline.PhaseRefused && !p.answer.Policy {
		s.taken.Add(1)
		s.reachedRelay(nil)
		s.alive(ctx, k)
	}
}

// may reports whether nobody said stop, and the letter is still the approved one.
func (r *round) may(ctx context.Context, k *campaign, p *parcel) bool {
	return !r.halted.Load() && ctx.Err() == nil && k.maySend(p.row, p.k.Version, r.c.s.Clock.Now(), r.c.s.Real.Now()) == ""
}

// keep does not hand over a message. If the relay waits for it, the connection is
// of no use any more.
func (r *round) keep(p *parcel) {
	p.kept = true
	if r.told {
		r.hangUp()
	}
}

// hangUp closes the connection.
func (r *round) hangUp() {
	if r.conn != nil {
		r.c.pool.drop(r.conn)
	}
	r.conn, r.told = nil, false
}

// guardedSend turns a panic in the middle of a hand-over into a doubt.
func guardedSend(ctx context.Context, c Conn, m, next *pipeline.Message) (a pipeline.Answer) {
	defer func() {
		if recover() != nil {
			a = pipeline.Answer{Phase: pipeline.PhaseDoubtful, Broken: true}
		}
	}()
	return c.Send(ctx, m, next)
}
