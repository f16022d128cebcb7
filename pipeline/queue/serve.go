package queue

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"

	"github.com/art34/art34/pipeline"
)

// Waiting times at the end of Serve.
const (
	ackTime   = time.Second     // for the last acknowledgements, and for handlers after a hard stop
	closeTime = 5 * time.Second // for asynq's own goroutines; Redis may be away
)

// Serve hands tasks of one kind to h, at most concurrency at once and the most
// urgent lane first, until drain ends. Then it starts nothing more, waits for the
// handlers without a limit, or until kill ends, which also ends their contexts,
// and returns nil.
func (q *Queue) Serve(drain, kill context.Context, kind string, concurrency int, h Handler) error {
	w := &worker{queue: q, kind: kind, handler: h, kill: kill}
	server := asynq.NewServerFromRedisClient(q.redis, asynq.Config{
		Concurrency:              concurrency,
		Queues:                   q.priorities(kind),
		StrictPriority:           true,
		TaskCheckInterval:        q.config.Check,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          ackTime,
		// Only what a dead process left behind is ever retried, soon and for ever:
		// the handler finds in the ledger what is left to do, if anything.
		IsFailure:      func(error) bool { return false },
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Second },
		Logger:         logger{q.config.Log},
		LogLevel:       asynq.WarnLevel,
	})
	if err := server.Start(asynq.HandlerFunc(w.process)); err != nil {
		return fmt.Errorf("queue: start: %w", err)
	}
	select {
	case <-drain.Done():
	case <-kill.Done():
	}
	server.Stop()
	if q.config.drained != nil {
		q.config.drained()
	}
	w.wait()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		server.Shutdown()
	}()
	select {
	case <-closed:
	case <-time.After(closeTime): // Redis is away; what it does not know it will be told by the ledger
	}
	w.wait() // for a task that was being fetched when the server stopped
	return nil
}

// priorities orders the lanes; in strict mode only the order counts.
func (q *Queue) priorities(kind string) map[string]int {
	lanes := pipeline.Lanes()
	p := make(map[string]int, len(lanes))
	for i, l := range lanes {
		p[q.name(kind, l)] = len(lanes) - i
	}
	return p
}

// worker runs the handlers of one Serve and knows how many there are: asynq
// forgets those whose lease or time ran out.
type worker struct {
	queue   *Queue
	kind    string
	handler Handler
	kill    context.Context
	running atomic.Int64
}

// process never fails: a failed acknowledgement or an error would only bring the
// task back or bury it, and the ledger knows better. It ignores asynq's context,
// which ends with the lease, that is when Redis was away for half a minute.
func (w *worker) process(ctx context.Context, t *asynq.Task) error {
	w.running.Add(1)
	defer w.running.Add(-1)
	task := pipeline.Task{Kind: w.kind, Payload: t.Payload()}
	task.ID, _ = asynq.GetTaskID(ctx)
	name, _ := asynq.GetQueueName(ctx)
	for _, l := range pipeline.Lanes() {
		if name == w.queue.name(w.kind, l) {
			task.Lane = l
		}
	}
	defer func() {
		if r := recover(); r != nil {
			// The value of a panic may hold anything, also people.
			w.queue.config.Log.Error("a task's handler panicked", "task", task.ID, "type", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
		}
	}()
	w.handler(w.kill, task)
	return nil
}

// wait returns when all handlers have, or a moment after kill ended.
func (w *worker) wait() {
	const step = 10 * time.Millisecond
	var patience time.Duration
	for w.running.Load() > 0 && patience < ackTime {
		time.Sleep(step)
		if w.kill.Err() != nil {
			patience += step
		}
	}
}

// logger passes asynq's messages on for whoever looks for a fault: what matters of
// them we say ourselves (away, wiped). After a wipe asynq complains about every
// acknowledgement, for a while and in vain. They hold task ids, never payloads, and
// nothing of asynq ends the process.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug("queue", "asynq", fmt.Sprint(args...)) }
func (l logger) Info(args ...any)  { l.Debug(args...) }
func (l logger) Warn(args ...any)  { l.Debug(args...) }
func (l logger) Error(args ...any) { l.Debug(args...) }
func (l logger) Fatal(args ...any) { l.log.Error("queue", "asynq", fmt.Sprint(args...)) }
