package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

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

	// renewAfter is how many tasks an embedded Redis carries; tests lower it.
	renewAfter int
	// drained, if set, is called when Serve starts nothing more; tests wait for it.
	drained func()
}

// Handler does the work of one task. It must end by itself, it reports failures
// to the ledger and not to the queue, and it may meet a copy of the same task:
// the queue hands out at least once. ctx ends when the process is told to stop
// hard.
type Handler = func(ctx context.Context, t pipeline.Task)

// timeout is how long asynq lets a task run before it starts a copy beside it.
// Zero would not mean for ever but half an hour.
const timeout = 24 * time.Hour

// Queue carries tasks. It is safe for concurrent use. Errors are pipeline.ErrAway
// where Redis cannot be reached or cannot take anything now.
type Queue struct {
	config   Config
	redis    *redis.Client
	embedded *embedded // nil with a real Redis

	mu     sync.Mutex
	client *asynq.Client
	epoch  string // last seen
}

// Open connects, checks the version (Redis 6.2 or later, or Valkey) and warns
// when Redis may evict keys.
func Open(ctx context.Context, c Config) (*Queue, error) {
	if c.Namespace == "" {
		c.Namespace = "art34"
	}
	if c.Check <= 0 {
		c.Check = 75 * time.Millisecond
	}
	if c.renewAfter <= 0 {
		c.renewAfter = renewAfter
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		return nil, errors.New("queue: Config.Random is missing")
	}
	silence()
	q := &Queue{config: c}
	if c.URL == "" {
		q.embedded = newEmbedded()
		q.redis = redis.NewClient(q.embedded.options())
	} else {
		o, err := options(c.URL)
		if err != nil {
			return nil, err
		}
		q.redis = redis.NewClient(o)
	}
	q.client = asynq.NewClientFromRedisClient(q.redis)
	if err := q.examine(ctx); err != nil {
		_ = q.Close()
		return nil, err
	}
	return q, nil
}

// Enqueue adds a task. One whose ID is waiting or running already is not added
// again, and that is no error.
func (q *Queue) Enqueue(ctx context.Context, t pipeline.Task) error {
	q.mu.Lock()
	client := q.client
	q.mu.Unlock()
	if q.embedded != nil {
		q.embedded.count(q.config.renewAfter)
	}
	// One retry, which never counts up (see server): asynq would archive a task
	// without any as soon as its process dies.
	_, err := client.EnqueueContext(ctx, asynq.NewTask(t.Kind, t.Payload),
		asynq.TaskID(t.ID), asynq.Queue(q.name(t.Kind, t.Lane)), asynq.Timeout(timeout), asynq.MaxRetry(1), asynq.Retention(0))
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return q.away(ctx, "add a task", err)
}

// Unfinished reports which of these tasks wait, run, or were left behind by a
// process that died. The result is parallel to tasks.
func (q *Queue) Unfinished(ctx context.Context, tasks []pipeline.Task) ([]bool, error) {
	if len(tasks) == 0 {
		return nil, nil
	}
	p := q.redis.Pipeline()
	found := make([]*redis.IntCmd, len(tasks))
	for i, t := range tasks {
		found[i] = p.Exists(ctx, q.key(t.Kind, t.Lane, "t:"+t.ID))
	}
	if _, err := p.Exec(ctx); err != nil {
		return nil, q.away(ctx, "look for tasks", err)
	}
	out := make([]bool, len(tasks))
	for i, f := range found {
		out[i] = f.Val() > 0
	}
	return out, nil
}

// Backlog returns how many tasks of a kind wait to be started.
func (q *Queue) Backlog(ctx context.Context, kind string) (int, error) {
	p := q.redis.Pipeline()
	var waiting []*redis.IntCmd
	for _, lane := range pipeline.Lanes() {
		waiting = append(waiting, p.LLen(ctx, q.key(kind, lane, "pending")))
	}
	if _, err := p.Exec(ctx); err != nil {
		return 0, q.away(ctx, "count tasks", err)
	}
	n := 0
	for _, w := range waiting {
		n += int(w.Val())
	}
	return n, nil
}

// Epoch returns the value that marks the present life of the queue, and whether
// this call began it: the queue is new, or was wiped.
func (q *Queue) Epoch(ctx context.Context) (value string, fresh bool, err error) {
	key := q.config.Namespace + ":epoch"
	value, err = q.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		mine := q.config.Random()
		if fresh, err = q.redis.SetNX(ctx, key, mine, 0).Result(); fresh {
			value = mine
		} else if err == nil {
			value, err = q.redis.Get(ctx, key).Result()
		}
	}
	if err != nil {
		return "", false, q.away(ctx, "read the epoch", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.epoch != "" && q.epoch != value {
		// A client remembers which queues it has registered, and a wipe does not
		// tell it otherwise. The connection is ours and stays.
		q.client = asynq.NewClientFromRedisClient(q.redis)
		q.config.Log.Warn("the queue was wiped and begins anew")
	}
	q.epoch = value
	return value, fresh, nil
}

// Ping reports whether Redis answers.
func (q *Queue) Ping(ctx context.Context) error {
	return q.away(ctx, "ping", q.redis.Ping(ctx).Err())
}

// Embedded reports whether the queue lives in this process.
func (q *Queue) Embedded() bool { return q.embedded != nil }

// Close ends all connections. Serve must have returned.
func (q *Queue) Close() error {
	err := q.redis.Close()
	if q.embedded != nil {
		q.embedded.close()
	}
	if err != nil {
		return fmt.Errorf("queue: close: %w", err)
	}
	return nil
}

// name is the asynq queue of a kind and lane.
func (q *Queue) name(kind string, l pipeline.Lane) string {
	return q.config.Namespace + "-" + kind + "-" + l.String()
}

// key is where asynq keeps something of a queue (internal/base of v0.26); a test
// holds it to that.
func (q *Queue) key(kind string, l pipeline.Lane, what string) string {
	return "asynq:{" + q.name(kind, l) + "}:" + what
}

// away translates an error of Redis. What Redis answers (out of memory, loading,
// read-only after a failover) passes just as a broken connection does.
func (q *Queue) away(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if cause := ctx.Err(); cause != nil {
		return cause
	}
	return fmt.Errorf("queue: %s: %w: %w", doing, pipeline.ErrAway, err)
}
