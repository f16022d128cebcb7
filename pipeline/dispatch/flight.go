package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// flights are the tasks that the dispatcher has given to the queue and that are
// not done: the window that it keeps outstanding. Couriers of the same process
// report at once; those of others are found out by asking the queue.
type flights struct {
	mu   sync.Mutex
	list map[string]flight // by task ID
	wake chan struct{}
}

type flight struct {
	task     pipeline.Task
	campaign int64
	provider string
	tickets  []pipeline.Ticket
	since    time.Duration
}

func newFlights() *flights {
	return &flights{list: map[string]flight{}, wake: make(chan struct{}, 1)}
}

func (f *flights) add(x flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list[x.task.ID] = x
}

// landed takes a task off the window and wakes the dispatcher.
func (f *flights) landed(id string) {
	f.mu.Lock()
	_, ok := f.list[id]
	delete(f.list, id)
	f.mu.Unlock()
	if ok {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

// outstanding counts the notices in flight of a campaign.
func (f *flights) outstanding(campaign int64) (notices int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		if x.campaign == campaign {
			notices += len(x.tickets)
		}
	}
	return notices
}

// tasks counts the tasks in flight to one provider: each takes a connection.
func (f *flights) tasks(campaign int64, provider string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		if x.campaign == campaign && x.provider == provider {
			n++
		}
	}
	return n
}

// clear forgets everything and returns the tickets.
func (f *flights) clear() (tickets []pipeline.Ticket) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.list {
		tickets = append(tickets, x.tickets...)
	}
	clear(f.list)
	return tickets
}

// grace is how long a task is left alone before the queue is asked about it: by
// then a courier of this process has mostly reported it done.
const grace = 300 * time.Millisecond

// overdue is after how long a task is no longer counted if nothing waits in the
// queue: its courier may have died, and asynq hands it out again only after a
// minute or two. If it is alive after all, a little more is outstanding.
const overdue = 15 * time.Second

// ask takes off what the queue has done with, and what is overdue.
func (f *flights) ask(ctx context.Context, q Queue, now time.Duration) error {
	f.mu.Lock()
	var tasks []pipeline.Task
	var late []string
	for id, x := range f.list {
		if now-x.since > grace {
			tasks = append(tasks, x.task)
		}
		if now-x.since > overdue {
			late = append(late, id)
		}
	}
	f.mu.Unlock()
	open, err := q.Unfinished(ctx, tasks)
	if err != nil {
		return err
	}
	waiting := 0
	if len(late) > 0 {
		if waiting, err = q.Backlog(ctx, kindEmail); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, t := range tasks {
		if !open[i] {
			delete(f.list, t.ID)
		}
	}
	if waiting == 0 {
		for _, id := range late {
			delete(f.list, id)
		}
	}
	return nil
}
