package feedback

import (
	"context"
	"errors"
	"sync"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/seal"
)

// Keeper stores what came back; ledger.Inbox says what Keep does.
type Keeper interface {
	Keep(ctx context.Context, batch []pipeline.Inbound) ([]bool, error)
}

// Intake takes messages in: seals them and keeps them, durable when Take returns.
// It is safe for concurrent use; concurrent calls share transactions of the
// ledger.
type Intake struct {
	ledger Keeper
	keys   *seal.Keys
	tokens Tokens
	clock  clock.Clock
	queue  chan *taking
	wake   func()

	end  chan struct{}
	once sync.Once
	done sync.WaitGroup
}

// IntakeConfig says what an Intake needs.
type IntakeConfig struct {
	Ledger Keeper
	Keys   *seal.Keys // of the installation
	Tokens Tokens
	Clock  clock.Clock // of the business
	// Kept, if set, is told after messages were kept: something waits to be judged.
	Kept func()
}

type taking struct {
	in   []pipeline.Inbound
	done chan taken
}

type taken struct {
	fresh []bool
	err   error
}

const (
	// writers is how many transactions may be on their way at a time.
	writers = 2
	// mostAtOnce bounds the messages, and mostBytes the bytes, of one transaction.
	mostAtOnce = 200
	mostBytes  = 16 << 20
)

// NewIntake starts an intake. Close ends it.
func NewIntake(c IntakeConfig) (*Intake, error) {
	if c.Ledger == nil || c.Keys == nil || c.Tokens == nil || c.Clock == nil {
		return nil, errors.New("feedback: IntakeConfig lacks something")
	}
	i := &Intake{ledger: c.Ledger, keys: c.Keys, tokens: c.Tokens, clock: c.Clock, wake: c.Kept, queue: make(chan *taking), end: make(chan struct{})}
	for range writers {
		i.done.Go(i.write)
	}
	return i, nil
}

// Close waits for what was begun.
func (i *Intake) Close() {
	i.once.Do(func() { close(i.end) })
	i.done.Wait()
}

var errClosed = errors.New("the intake is closed")

// Take keeps messages and reports which are new: one that came before, by whatever
// way, is kept once. The end of ctx gives up what was not begun.
func (i *Intake) Take(ctx context.Context, list ...Message) ([]bool, error) {
	if len(list) == 0 {
		return nil, nil
	}
	t := &taking{in: make([]pipeline.Inbound, len(list)), done: make(chan taken, 1)}
	now := i.clock.Now()
	for n, m := range list {
		key := m.key(i.keys, i.tokens)
		sealed, err := m.sealed(i.keys, key)
		if err != nil {
			return nil, err
		}
		t.in[n] = pipeline.Inbound{Key: key, Source: m.Source, At: now, Sealed: sealed}
	}
	select {
	case i.queue <- t:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-i.end:
		return nil, errClosed
	}
	r := <-t.done
	if r.err == nil && i.wake != nil {
		i.wake()
	}
	return r.fresh, r.err
}

// write keeps what waits, group after group: while one is on its way the next
// gathers.
func (i *Intake) write() {
	for {
		var group []*taking
		select {
		case t := <-i.queue:
			group = append(group, t)
		case <-i.end:
			return
		}
		count, size := weigh(group[0])
	gather:
		for count < mostAtOnce && size < mostBytes {
			select {
			case t := <-i.queue:
				group = append(group, t)
				n, s := weigh(t)
				count, size = count+n, size+s
			default:
				break gather
			}
		}
		i.keep(group)
	}
}

func weigh(t *taking) (count, size int) {
	for _, m := range t.in {
		size += len(m.Sealed)
	}
	return len(t.in), size
}

// keep stores a group. Its callers wait for the answer whatever becomes of their
// contexts: what is stored is stored.
func (i *Intake) keep(group []*taking) {
	var all []pipeline.Inbound
	for _, t := range group {
		all = append(all, t.in...)
	}
	fresh, err := i.ledger.Keep(context.Background(), all)
	for _, t := range group {
		if err != nil {
			t.done <- taken{nil, err}
			continue
		}
		n := len(t.in)
		t.done <- taken{fresh[:n:n], nil}
		fresh = fresh[n:]
	}
}
