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

// ask takes off what the queue has done with.
func (f *flights) ask(ctx context.Context, q Queue, now time.Duration) error {
	f.mu.Lock()
	var tasks []pipeline.Task
	for _, x := range f.list {
		if now-x.since > grace {
			tasks = append(tasks, x.task)
		}
	}
	f.mu.Unlock()
	open, err := q.Unfinished(ctx, tasks)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, t := range tasks {
		if !open[i] {
			delete(f.list, t.ID)
		}
	}
	return nil
}
