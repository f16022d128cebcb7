package postgres

import (
	"context"
	"errors"
	"sync"

	"github.com/art34/art34/pipeline"
)

// groupSize is about how many changes go into one statement: enough that 32
// couriers with windows of 8 fit into two.
const groupSize = 256

var errClosed = errors.New("the ledger is closed")

// group collects the changes of concurrent Commit calls: while one statement is on
// its way, the next ones gather. Its goroutines end with close.
type group struct {
	write   func(ctx context.Context, changes []pipeline.Change) ([]bool, error)
	waiting chan *request
	stop    chan struct{}
	writers sync.WaitGroup
}

// request is one Commit call, or what is left of it: every notice in it once.
type request struct {
	changes []pipeline.Change
	answer  chan answer // with room for one
}

type answer struct {
	applied []bool
	err     error
}

func newGroup(writers int, write func(context.Context, []pipeline.Change) ([]bool, error)) *group {
	g := &group{write: write, waiting: make(chan *request), stop: make(chan struct{})}
	for range writers {
		g.writers.Go(g.run)
	}
	return g
}

// commit hands changes, every notice once, to a writer and waits for the answer.
// Until a writer has taken them the end of ctx withdraws them; after that it does
// not: the answer says what happened.
func (g *group) commit(ctx context.Context, changes []pipeline.Change) ([]bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &request{changes: changes, answer: make(chan answer, 1)}
	select {
	case g.waiting <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-g.stop:
		return nil, errClosed
	}
	a := <-r.answer
	return a.applied, a.err
}

func (g *group) close() {
	close(g.stop)
	g.writers.Wait()
}

func (g *group) run() {
	// A request that shares a notice with the group opens the next one.
	var next *request
	for {
		r := next
		if r == nil {
			select {
			case r = <-g.waiting:
			case <-g.stop:
				return
			}
		}
		var batch []*request
		batch, next = g.gather(r)
		g.serve(batch)
	}
}

// gather takes what waits, without waiting for more.
func (g *group) gather(first *request) (batch []*request, next *request) {
	batch = []*request{first}
	seen := make(map[int64]bool, groupSize)
	size := 0
	for r := first; ; {
		for _, c := range r.changes {
			seen[c.From.ID] = true
		}
		if size += len(r.changes); size >= groupSize {
			return batch, nil
		}
		select {
		case r = <-g.waiting:
		default:
			return batch, nil
		}
		for _, c := range r.changes {
			if seen[c.From.ID] {
				return batch, r
			}
		}
		batch = append(batch, r)
	}
}

// serve writes a group and answers each request.
func (g *group) serve(batch []*request) {
	// The callers wait whatever becomes of their contexts; write has its own limit.
	ctx := context.Background()
	if len(batch) == 1 {
		applied, err := g.write(ctx, batch[0].changes)
		batch[0].answer <- answer{applied, err}
		return
	}
	var all []pipeline.Change
	for _, r := range batch {
		all = append(all, r.changes...)
	}
	applied, err := g.write(ctx, all)
	if err != nil && !errors.Is(err, pipeline.ErrAway) {
		// One of them has something that the database refuses. The others must not
		// suffer for it.
		for _, r := range batch {
			applied, err := g.write(ctx, r.changes)
			r.answer <- answer{applied, err}
		}
		return
	}
	for _, r := range batch {
		if err != nil {
			r.answer <- answer{nil, err}
			continue
		}
		n := len(r.changes)
		r.answer <- answer{applied[:n:n], nil}
		applied = applied[n:]
	}
}
