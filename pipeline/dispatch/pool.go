package dispatch

import (
	"context"
	"sync"
	"time"
)

// pool keeps connections to the relay between tasks. How many there are at once
// is bounded by slots.
type pool struct {
	s *Service

	mu   sync.Mutex
	idle []idleConn
}

type idleConn struct {
	conn  Conn
	since time.Duration
}

// restMost is how long an unused connection is kept: relays hang up on idlers, and
// count them.
const restMost = 20 * time.Second

// take returns a connection that was kept, or opens one.
func (p *pool) take(ctx context.Context) (Conn, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1].conn
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return p.s.Relay.Dial(ctx)
}

// put keeps a connection for the next task.
func (p *pool) put(c Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, idleConn{c, p.s.elapsed()})
}

// drop closes a connection that is of no use any more.
func (p *pool) drop(c Conn) { _ = c.Close() }

// tire closes what has rested longer than most.
func (p *pool) tire(most time.Duration) {
	now := p.s.elapsed()
	p.mu.Lock()
	var old []Conn
	kept := p.idle[:0]
	for _, c := range p.idle {
		if now-c.since >= most {
			old = append(old, c.conn)
		} else {
			kept = append(kept, c)
		}
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.mu.Unlock()
	for _, c := range old {
		p.drop(c)
	}
}

// slots bounds the connections that each campaign uses in this process. asynq
// bounds the tasks that run, but it forgets those whose lease ran out, and a
// campaign's number may change while it runs.
type slots struct {
	mu    sync.Mutex
	used  map[int64]int
	freed chan struct{} // closed and replaced whenever one is given back
}

func newSlots() *slots { return &slots{used: map[int64]int{}, freed: make(chan struct{})} }

// try takes a slot if fewer than most are in use; else it returns a channel that
// is closed when it is worth trying again.
func (l *slots) try(campaign int64, most int) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used[campaign] < most {
		l.used[campaign]++
		return true, nil
	}
	return false, l.freed
}

func (l *slots) free(campaign int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used[campaign]--; l.used[campaign] == 0 {
		delete(l.used, campaign)
	}
	close(l.freed)
	l.freed = make(chan struct{})
}
