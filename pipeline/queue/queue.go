package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/art34/art34/pipeline"
)

// Config says which Redis carries the tasks.
type Config struct {
	// URL is redis://[user[:password]@]host[:port][/db], rediss://… for TLS or
	// unix://…; "" runs miniredis in this process, reached over a pipe.
	URL string
	// Namespace sets the installations apart that share one Redis; lower-case
	// letters, digits and hyphens. "" is "art34".
	Namespace string
	// Random returns a value that was never returned before; it marks the life of
	// a queue between two wipes.
	Random func() string
	// Check is the pause between two looks into empty queues. 0 is 75 ms.
	Check time.Duration
	Log   *slog.Logger
}

// Handler does the work of one task. It must end by itself, it reports failures
// to the ledger and not to the queue, and it may meet a copy of the same task:
// the queue hands out at least once. ctx ends when the process is told to stop
// hard.
type Handler = func(ctx context.Context, t pipeline.Task)

// Queue carries tasks. It is safe for concurrent use. Errors are pipeline.ErrAway
// where Redis cannot be reached or cannot take anything now.
type Queue struct{}

// Open connects, checks the version (Redis 6.2 or later, or Valkey) and warns
// when Redis may evict keys.
func Open(ctx context.Context, c Config) (*Queue, error) { panic("queue: not built yet") }

// Enqueue adds a task. One whose ID is waiting or running already is not added
// again, and that is no error.
func (q *Queue) Enqueue(ctx context.Context, t pipeline.Task) error { panic("queue: not built yet") }

// Unfinished reports which of these tasks wait, run, or were left behind by a
// process that died. The result is parallel to tasks.
func (q *Queue) Unfinished(ctx context.Context, tasks []pipeline.Task) ([]bool, error) {
	panic("queue: not built yet")
}

// Backlog returns how many tasks of a kind wait to be started.
func (q *Queue) Backlog(ctx context.Context, kind string) (int, error) {
	panic("queue: not built yet")
}

// Epoch returns the value that marks the present life of the queue, and whether
// this call began it: the queue is new, or was wiped.
func (q *Queue) Epoch(ctx context.Context) (value string, fresh bool, err error) {
	panic("queue: not built yet")
}

// Serve hands tasks of one kind to h, at most concurrency at once and the most
// urgent lane first, until drain ends. Then it starts nothing more, waits for the
// handlers without a limit, or until kill ends, which also ends their contexts,
// and returns nil.
func (q *Queue) Serve(drain, kill context.Context, kind string, concurrency int, h Handler) error {
	panic("queue: not built yet")
}

// Ping reports whether Redis answers.
func (q *Queue) Ping(ctx context.Context) error { panic("queue: not built yet") }

// Embedded reports whether the queue lives in this process.
func (q *Queue) Embedded() bool { panic("queue: not built yet") }

// Close ends all connections. Serve must have returned.
func (q *Queue) Close() error { panic("queue: not built yet") }
