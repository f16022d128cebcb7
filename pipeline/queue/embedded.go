package queue

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// renewAfter is how many tasks one miniredis carries. It keeps an entry for every
// key that ever was (some 84 bytes, even over FLUSHALL; miniredis v2.40), so that
// a service that runs for months would grow: at this number it has lost about
// 20 MiB and is replaced by an empty one. That is a wipe like any other, and the
// dispatcher heals it. A campaign of a million needs some 10,000 tasks.
const renewAfter = 250_000

// embedded is a Redis inside the process. It listens on no port: whoever can
// reach it can already read our memory.
type embedded struct {
	mu    sync.Mutex
	redis *miniredis.Miniredis
	tasks int
	stop  chan struct{}
	done  chan struct{}
}

func newEmbedded() *embedded {
	e := &embedded{redis: miniredis.NewMiniRedis(), stop: make(chan struct{}), done: make(chan struct{})}
	go e.tick()
	return e
}

// options connects a client to whichever miniredis is the present one.
func (e *embedded) options() *redis.Options {
	o := &redis.Options{Addr: "embedded", Dialer: func(context.Context, string, string) (net.Conn, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.redis.Dial()
	}}
	plain(o)
	return o
}

// tick moves miniredis' clock, which stands still otherwise: locks and the
// registration of workers would never expire. A second is as often as asynq can
// tell, and each step walks all keys, of which a shallow queue has few.
func (e *embedded) tick() {
	defer close(e.done)
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-t.C:
			e.mu.Lock()
			r := e.redis
			e.mu.Unlock()
			r.FastForward(time.Second)
		}
	}
}

// count counts a task and replaces the miniredis that has carried enough.
func (e *embedded) count(most int) {
	e.mu.Lock()
	e.tasks++
	var old *miniredis.Miniredis
	if e.tasks > most {
		old, e.redis, e.tasks = e.redis, miniredis.NewMiniRedis(), 1
	}
	e.mu.Unlock()
	if old != nil {
		old.Close() // its clients dial again and meet the new one
	}
}

func (e *embedded) close() {
	close(e.stop)
	<-e.done
	e.redis.Close()
}
