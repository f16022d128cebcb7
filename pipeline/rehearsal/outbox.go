package rehearsal

import (
	"bufio"
	"bytes"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// entry is a message that will come back.
type entry struct {
	ID   int64 `json:"id"`
	Due  int64 `json:"due"` // microseconds of the clock of the business
	What what  `json:"what"`
	original
	Raw []byte `json:"raw,omitempty"` // of a message that is handed on as it is
}

// record is a line of the journal; exactly one field is set.
type record struct {
	Plan *entry `json:"plan,omitempty"`
	Done int64  `json:"done,omitempty"` // id of an entry that was delivered
	Once uint64 `json:"once,omitempty"` // a fault that happens once only has happened
}

// outbox keeps what will come back until it is delivered. With a journal a plan is
// in the hands of the system before plan returns, so that it outlives the death of
// the process, though not a power cut.
type outbox struct {
	mu       sync.Mutex
	journal  *os.File // nil: nothing outlives the process
	pending  byDue
	under    int // in the hands of Serve
	last     int64
	once     map[uint64]bool
	returned map[string]int64 // delivered, by what it was
}

func newOutbox(path string) (*outbox, error) {
	o := &outbox{once: map[uint64]bool{}, returned: map[string]int64{}}
	if path == "" {
		return o, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := o.read(f); err != nil {
		return nil, errors.Join(fmt.Errorf("journal of the practice relay: %w", err), f.Close())
	}
	o.journal = f
	return o, nil
}

// read takes up what an earlier process left. A last line without an end is of a
// message that was never acknowledged.
func (o *outbox) read(f *os.File) error {
	pending := map[int64]*entry{}
	whole := int64(0)
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		whole += int64(len(line))
		var rec record
		if err := json.Unmarshal(line, &rec); err != nil {
			return err
		}
		switch {
		case rec.Plan != nil:
			pending[rec.Plan.ID] = rec.Plan
			o.last = max(o.last, rec.Plan.ID)
		case rec.Done != 0:
			if e := pending[rec.Done]; e != nil {
				o.returned[string(e.What)]++
				delete(pending, rec.Done)
			}
		default:
			o.once[rec.Once] = true
		}
	}
	for _, e := range pending {
		o.pending = append(o.pending, e)
	}
	heap.Init(&o.pending)
	if err := f.Truncate(whole); err != nil {
		return err
	}
	_, err := f.Seek(whole, io.SeekStart)
	return err
}

// write appends records in one go. The caller has the lock.
func (o *outbox) write(records ...record) error {
	if o.journal == nil || len(records) == 0 {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	_, err := o.journal.Write(b.Bytes())
	return err
}

// plan takes messages that will come back.
func (o *outbox) plan(entries ...*entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	records := make([]record, len(entries))
	for i, e := range entries {
		o.last++
		e.ID = o.last
		records[i].Plan = e
	}
	if err := o.write(records...); err != nil {
		return err
	}
	for _, e := range entries {
		heap.Push(&o.pending, e)
	}
	return nil
}

// firstTime reports whether a fault that happens once only is met for the first
// time.
func (o *outbox) firstTime(key uint64) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.once[key] {
		return false, nil
	}
	o.once[key] = true
	return true, o.write(record{Once: key})
}

// due takes out the next message whose time has come; nil without one.
func (o *outbox) due(now time.Time) *entry {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) == 0 || o.pending[0].Due > now.UnixMicro() {
		return nil
	}
	o.under++
	return heap.Pop(&o.pending).(*entry) //nolint:forcetypeassert // the heap holds nothing else
}

// done ends what due began: the message was delivered, or goes back.
func (o *outbox) done(e *entry, delivered bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.under--
	if !delivered {
		heap.Push(&o.pending, e)
		return nil
	}
	o.returned[string(e.What)]++
	return o.write(record{Done: e.ID})
}

// left is how many messages are still to come back.
func (o *outbox) left() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.pending) + o.under
}

func (o *outbox) overdue(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.under > 0 || len(o.pending) > 0 && o.pending[0].Due <= now.UnixMicro()
}

func (o *outbox) counts() map[string]int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := make(map[string]int64, len(o.returned))
	for k, n := range o.returned {
		m[k] = n
	}
	return m
}

func (o *outbox) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.journal == nil {
		return nil
	}
	err := o.journal.Close()
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

// How Serve delivers.
const (
	carriers   = 8 // at the same time
	lookEvery  = 10 * time.Millisecond
	retryAfter = 200 * time.Millisecond // a mailbox that could not take it now
)

// serve delivers what falls due until ctx ends or a delivery is refused for good.
func (o *outbox) serve(ctx context.Context, now func() time.Time, deliver func(context.Context, *entry) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan *entry)
	var group sync.WaitGroup
	for range carriers {
		group.Go(func() {
			for e := range work {
				if err := o.carry(ctx, e, deliver); err != nil {
					cancel(err)
				}
			}
		})
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		e := o.due(now())
		if e == nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
			continue
		}
		select {
		case <-ctx.Done():
			_ = o.done(e, false)
		case work <- e:
		}
	}
	close(work)
	group.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (o *outbox) carry(ctx context.Context, e *entry, deliver func(context.Context, *entry) error) error {
	err := deliver(ctx, e)
	if err == nil {
		return o.done(e, true)
	}
	_ = o.done(e, false)
	if permanent(err) {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(retryAfter):
	}
	return nil
}

// byDue is a heap of entries.
type byDue []*entry

func (h byDue) Len() int { return len(h) }
func (h byDue) Less(i, j int) bool {
	return h[i].Due < h[j].Due || h[i].Due == h[j].Due && h[i].ID < h[j].ID
}
func (h byDue) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byDue) Push(x any)   { *h = append(*h, x.(*entry)) } //nolint:forcetypeassert // of this file only
func (h *byDue) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
