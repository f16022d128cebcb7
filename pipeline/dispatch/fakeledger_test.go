package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// memLedger is a ledger in memory for the tests of this package. The real engines
// are held to the same contract by ledgertest; the program's own tests bring them
// together.
type memLedger struct {
	mu        sync.Mutex
	campaigns map[int64]*pipeline.Campaign
	breakers  map[int64]map[string]pipeline.Breaker
	notices   map[int64]*pipeline.Notice
	by        map[pipeline.State]map[int64]*pipeline.Notice // index
	tally     map[pipeline.Tally]int64
	attempts  map[int64][]pipeline.Attempt
	events    map[int64][]pipeline.Event
	runs      map[int64]*pipeline.Run
	items     map[int64][]pipeline.RunItem
	leases    map[string]memLease
	meta      map[string]string
	answers   map[int64]map[string]*pipeline.Answers
	audits    []pipeline.Audit
	again     int64
	doubts    int64
	commits   int // calls of Commit, and changes in them
	changes   int
}

type memLease struct {
	owner string
	until time.Time
}

func newMemLedger() *memLedger {
	return &memLedger{
		by: map[pipeline.State]map[int64]*pipeline.Notice{}, tally: map[pipeline.Tally]int64{},
		campaigns: map[int64]*pipeline.Campaign{}, breakers: map[int64]map[string]pipeline.Breaker{}, notices: map[int64]*pipeline.Notice{},
		attempts: map[int64][]pipeline.Attempt{}, events: map[int64][]pipeline.Event{}, runs: map[int64]*pipeline.Run{},
		items: map[int64][]pipeline.RunItem{}, leases: map[string]memLease{}, meta: map[string]string{}, answers: map[int64]map[string]*pipeline.Answers{},
	}
}

func (l *memLedger) Meta(_ context.Context, key string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.meta[key], nil
}

func (l *memLedger) SetMeta(_ context.Context, key, value string, ifEmpty bool) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ifEmpty || l.meta[key] == "" {
		l.meta[key] = value
	}
	return l.meta[key], nil
}

func (l *memLedger) Campaign(_ context.Context, name string) (pipeline.Campaign, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.campaigns {
		if c.Name == name {
			return *c, nil
		}
	}
	return pipeline.Campaign{}, pipeline.ErrNotFound
}

func (l *memLedger) AllCampaigns(context.Context) ([]pipeline.Campaign, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []pipeline.Campaign
	for _, id := range slices.Sorted(maps.Keys(l.campaigns)) {
		out = append(out, *l.campaigns[id])
	}
	return out, nil
}

func (l *memLedger) UpdateCampaign(_ context.Context, c pipeline.Campaign, from []pipeline.CampaignState, a pipeline.Audit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.campaigns[c.ID]
	if !slices.Contains(from, old.State) {
		return pipeline.ErrConflict
	}
	c.Version = old.Version
	*old = c
	l.audits = append(l.audits, a)
	return nil
}

func (l *memLedger) OpenBreaker(_ context.Context, b pipeline.Breaker) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.breakers[b.Campaign] == nil {
		l.breakers[b.Campaign] = map[string]pipeline.Breaker{}
	}
	l.breakers[b.Campaign][b.Scope] = b
	return nil
}

func (l *memLedger) CloseBreaker(_ context.Context, campaign int64, scope string, a pipeline.Audit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.breakers[campaign], scope)
	l.audits = append(l.audits, a)
	return nil
}

func (l *memLedger) Breakers(_ context.Context, campaign int64) ([]pipeline.Breaker, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.breakers[campaign])), nil
}

func (l *memLedger) Append(_ context.Context, a pipeline.Audit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.audits = append(l.audits, a)
	return nil
}

// put writes a notice and keeps the index.
func (l *memLedger) put(n pipeline.Notice) {
	key := func(n *pipeline.Notice, campaign int64) pipeline.Tally {
		return pipeline.Tally{Import: campaign, Channel: n.Channel, State: n.State}
	}
	old := l.notices[n.ID]
	if old != nil {
		delete(l.by[old.State], n.ID)
		l.tally[key(old, old.Campaign)]--
	} else {
		old = &pipeline.Notice{}
		l.notices[n.ID] = old
	}
	*old = n
	if l.by[n.State] == nil {
		l.by[n.State] = map[int64]*pipeline.Notice{}
	}
	l.by[n.State][n.ID] = old
	l.tally[key(old, old.Campaign)]++
}

// hop moves a notice through the queue.
func (l *memLedger) hop(n *pipeline.Notice, to pipeline.State, at time.Time) {
	next := *n
	next.State, next.MovedAt = to, at
	next.Gen++
	l.put(next)
}

func (l *memLedger) sorted(s pipeline.State, keep func(*pipeline.Notice) bool, less func(a, b *pipeline.Notice) int) []*pipeline.Notice {
	var out []*pipeline.Notice
	for _, n := range l.by[s] {
		if keep(n) {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, less)
	return out
}

func byID(a, b *pipeline.Notice) int { return cmp.Compare(a.ID, b.ID) }

func byDue(a, b *pipeline.Notice) int { return cmp.Or(a.DueAt.Compare(b.DueAt), byID(a, b)) }

func (l *memLedger) TakeDue(_ context.Context, t pipeline.Take) ([]pipeline.Ticket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []pipeline.Ticket
	for _, n := range l.sorted(pipeline.Due, func(n *pipeline.Notice) bool {
		return n.Campaign == t.Campaign && n.Lane == t.Lane && n.Channel == t.Channel && !n.DueAt.After(t.Now) && (t.Provider == "" || n.Provider == t.Provider)
	}, byDue) {
		if len(out) == t.Limit {
			break
		}
		l.hop(n, pipeline.Queued, t.Moved)
		out = append(out, pipeline.Ticket{Notice: n.ID, Gen: n.Gen})
	}
	return out, nil
}

func (l *memLedger) PeekDue(_ context.Context, campaign int64, ch pipeline.Channel, format string, now time.Time, after pipeline.PeekPosition, limit int) ([]pipeline.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	order := func(a, b pipeline.PeekPosition) int {
		return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Area, b.Area), cmp.Compare(a.ID, b.ID))
	}
	at := func(n *pipeline.Notice) pipeline.PeekPosition {
		return pipeline.PeekPosition{Country: n.Country, Area: n.Area, ID: n.ID}
	}
	var out []pipeline.Job
	for _, n := range l.sorted(pipeline.Due, func(n *pipeline.Notice) bool {
		return n.Campaign == campaign && n.Channel == ch && n.Format == format && !n.DueAt.After(now) && order(at(n), after) > 0
	}, func(a, b *pipeline.Notice) int { return order(at(a), at(b)) }) {
		if len(out) < limit {
			out = append(out, pipeline.Job{Notice: *n})
		}
	}
	return out, nil
}

func (l *memLedger) Load(_ context.Context, tickets []pipeline.Ticket) ([]pipeline.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []pipeline.Job
	for _, t := range tickets {
		if n := l.notices[t.Notice]; n != nil && n.State == pipeline.Queued && n.Gen == t.Gen {
			out = append(out, pipeline.Job{Notice: *n})
		}
	}
	return out, nil
}

func (l *memLedger) Requeue(_ context.Context, tickets []pipeline.Ticket, now time.Time) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := 0
	for _, t := range tickets {
		if n := l.notices[t.Notice]; n != nil && n.State == pipeline.Queued && n.Gen == t.Gen {
			l.hop(n, pipeline.Due, now)
			k++
		}
	}
	return k, nil
}

func (l *memLedger) Commit(_ context.Context, changes []pipeline.Change) ([]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range changes {
		if err := checkChange(c); err != nil {
			return nil, err
		}
	}
	l.commits++
	l.changes += len(changes)
	ok := make([]bool, len(changes))
	for i, c := range changes {
		ok[i] = l.apply(c)
	}
	return ok, nil
}

// checkChange repeats the essence of ledger.CheckChange.
func checkChange(c pipeline.Change) error {
	f, t := c.From, c.To
	if t.ID != f.ID || t.Gen != f.Gen+1 || t.Campaign != f.Campaign || t.Import != f.Import {
		return fmt.Errorf("notice %d: a bad change", f.ID)
	}
	if c.Event == nil {
		if t.State != f.State && !pipeline.HopAllowed(f.State, t.State) {
			return &pipeline.TransitionError{Notice: f.ID, From: f.State, To: t.State}
		}
		return nil
	}
	if !pipeline.Allowed(c.Event.Kind, c.Event.Outcome, f.State, t.State) {
		return &pipeline.TransitionError{Notice: f.ID, Event: c.Event.Kind, From: f.State, To: t.State}
	}
	return nil
}

func (l *memLedger) apply(c pipeline.Change) bool {
	n := l.notices[c.From.ID]
	if n == nil || n.Gen != c.From.Gen || n.State != c.From.State {
		return false
	}
	l.put(c.To)
	if e := c.Event; e != nil {
		e := *e
		e.Into, e.Channel = c.To.State, c.To.Channel
		l.events[n.ID] = append(l.events[n.ID], e)
		if e.Kind == pipeline.EvDoubted {
			l.doubts++
		}
		l.answer(c.From, &e)
	}
	if c.Again {
		l.again++
	}
	if a := c.Attempt; a != nil {
		l.attempt(c, *a)
	}
	return true
}

func (l *memLedger) attempt(c pipeline.Change, a pipeline.Attempt) {
	list := l.attempts[a.Notice]
	i := slices.IndexFunc(list, func(x pipeline.Attempt) bool { return x.N == a.N })
	starts := c.From.State != c.To.State && (c.To.State == pipeline.Sending || c.To.State == pipeline.Printing)
	switch {
	case i < 0:
		a.Tries = 1
		l.attempts[a.Notice] = append(list, a)
	case c.Event != nil && c.Event.Kind == pipeline.EvAccepted:
		list[i].QueueID = a.QueueID
	default:
		a.Tries = list[i].Tries
		if starts {
			a.Tries++
		}
		list[i] = a
	}
}

func (l *memLedger) Record(_ context.Context, events []pipeline.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		n := l.notices[e.Notice]
		if n == nil {
			return pipeline.ErrNotFound
		}
		e.Into, e.Channel = n.State, n.Channel
		l.events[n.ID] = append(l.events[n.ID], e)
	}
	return nil
}

func (l *memLedger) CutRun(_ context.Context, r pipeline.Run, items []pipeline.RunItem, members []pipeline.Change) (pipeline.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := int64(len(l.runs) + 1)
	if err := l.enter(id, items, members); err != nil {
		return r, err
	}
	r.ID = id
	l.runs[id] = &r
	return r, nil
}

func (l *memLedger) AddToRun(_ context.Context, id int64, items []pipeline.RunItem, members []pipeline.Change) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs[id].State != pipeline.RunFilling {
		return pipeline.ErrConflict
	}
	return l.enter(id, items, members)
}

func (l *memLedger) CloseRun(_ context.Context, id int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.runs[id]; r.State == pipeline.RunFilling {
		r.State, r.Letters = pipeline.RunCut, len(l.items[id])
	}
	return nil
}

func (l *memLedger) enter(id int64, items []pipeline.RunItem, members []pipeline.Change) error {
	for _, c := range members {
		if err := checkChange(c); err != nil {
			return err
		}
		if n := l.notices[c.From.ID]; n == nil || n.Gen != c.From.Gen {
			return pipeline.ErrStale
		}
	}
	for i := range items {
		items[i].Run = id
		if a := members[i].Attempt; a != nil {
			a.Run, a.Seq = id, items[i].Seq
		}
		l.apply(members[i])
	}
	l.items[id] = append(l.items[id], items...)
	return nil
}

func (l *memLedger) DrawRun(_ context.Context, id int64, letters []pipeline.Drawn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs[id].State != pipeline.RunCut {
		return pipeline.ErrConflict
	}
	for _, d := range letters {
		if n := l.notices[d.Notice]; n.Gen != d.Gen || n.State != pipeline.Printing {
			return pipeline.ErrStale
		}
	}
	for _, d := range letters {
		list := l.attempts[d.Notice]
		list[len(list)-1].Bytes = d.Bytes
		for j := range l.items[id] {
			if i := &l.items[id][j]; i.Seq == d.Seq {
				i.FirstPage, i.Pages = d.FirstPage, d.Pages
			}
		}
	}
	return nil
}

func (l *memLedger) AssembleRun(ctx context.Context, r pipeline.Run, drawn []pipeline.Ticket, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	l.mu.Lock()
	for _, k := range drawn {
		if n := l.notices[k.Notice]; n.Gen != k.Gen || n.State != pipeline.Printing {
			l.mu.Unlock()
			return pipeline.ErrStale
		}
	}
	l.mu.Unlock()
	return l.UpdateRun(ctx, r, []pipeline.RunState{pipeline.RunCut}, items, members, a)
}

func (l *memLedger) Run(_ context.Context, id int64) (pipeline.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.runs[id]; r != nil {
		return *r, nil
	}
	return pipeline.Run{}, pipeline.ErrNotFound
}

func (l *memLedger) Runs(_ context.Context, campaign int64) ([]pipeline.Run, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []pipeline.Run
	for _, id := range slices.Sorted(maps.Keys(l.runs)) {
		if campaign == 0 || l.runs[id].Campaign == campaign {
			out = append(out, *l.runs[id])
		}
	}
	return out, nil
}

func (l *memLedger) RunItems(_ context.Context, id int64) ([]pipeline.RunItem, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items[id]), nil
}

func (l *memLedger) RunJobs(_ context.Context, id int64) ([]pipeline.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []pipeline.Job
	for _, i := range l.items[id] {
		out = append(out, pipeline.Job{Notice: *l.notices[i.Notice]})
	}
	return out, nil
}

func (l *memLedger) UpdateRun(_ context.Context, r pipeline.Run, from []pipeline.RunState, items []pipeline.RunItem, members []pipeline.Change, a pipeline.Audit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(from, l.runs[r.ID].State) {
		return pipeline.ErrConflict
	}
	for _, c := range members {
		if err := checkChange(c); err != nil {
			return err
		}
		if l.notices[c.From.ID].Gen != c.From.Gen {
			return pipeline.ErrStale
		}
	}
	for _, c := range members {
		l.apply(c)
	}
	for _, i := range items {
		for j := range l.items[r.ID] {
			if l.items[r.ID][j].Seq == i.Seq {
				l.items[r.ID][j] = i
			}
		}
	}
	*l.runs[r.ID] = r
	l.audits = append(l.audits, a)
	return nil
}

func (l *memLedger) Lease(_ context.Context, name, owner string, ttl time.Duration) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if h, ok := l.leases[name]; ok && h.owner != owner && now.Before(h.until) {
		return false, nil
	}
	l.leases[name] = memLease{owner, now.Add(ttl)}
	return true, nil
}

func (l *memLedger) ReleaseLease(_ context.Context, name, owner string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leases[name].owner == owner {
		delete(l.leases, name)
	}
	return nil
}

func (l *memLedger) Orphans(_ context.Context, limit int) ([]pipeline.Notice, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(pipeline.Sending, limit, func(n *pipeline.Notice) bool {
		h, ok := l.leases[leaseCourier+n.Owner]
		return (!ok || !time.Now().Before(h.until))
	}), nil
}

func (l *memLedger) first(s pipeline.State, limit int, keep func(*pipeline.Notice) bool) (out []pipeline.Notice) {
	for _, n := range l.sorted(s, keep, byID) {
		if len(out) < limit {
			out = append(out, *n)
		}
	}
	return out
}

func (l *memLedger) StaleQueued(_ context.Context, movedBefore time.Time, limit int) (out []pipeline.Ticket, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.first(pipeline.Queued, limit, func(n *pipeline.Notice) bool { return n.MovedAt.Before(movedBefore) }) {
		out = append(out, pipeline.Ticket{Notice: n.ID, Gen: n.Gen})
	}
	return out, nil
}

func (l *memLedger) RequeueAll(_ context.Context, now time.Time) (k int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.sorted(pipeline.Queued, func(*pipeline.Notice) bool { return true }, byID) {
		l.hop(n, pipeline.Due, now)
		k++
	}
	return k, nil
}

func (l *memLedger) Expired(_ context.Context, campaign int64, s pipeline.State, now time.Time, limit int) ([]pipeline.Notice, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(s, limit, func(n *pipeline.Notice) bool { return n.Campaign == campaign && !n.DueAt.After(now) }), nil
}

func (l *memLedger) Tally(_ context.Context, campaign int64) ([]pipeline.Tally, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []pipeline.Tally
	for t, k := range l.tally {
		if t.Import == campaign && k > 0 {
			t.Import, t.Role, t.Count = 1, pipeline.Primary, k
			out = append(out, t)
		}
	}
	return out, nil
}

func (l *memLedger) Reasons(_ context.Context, campaign int64, s pipeline.State) (map[string]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int64{}
	for _, n := range l.by[s] {
		if n.Campaign == campaign {
			out[n.Reason]++
		}
	}
	return out, nil
}

func (l *memLedger) Answers(_ context.Context, campaign int64) (out []pipeline.Answers, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, scope := range slices.Sorted(maps.Keys(l.answers[campaign])) {
		out = append(out, *l.answers[campaign][scope])
	}
	return out, nil
}

// answer counts as the engines do.
func (l *memLedger) answer(n pipeline.Notice, e *pipeline.Event) {
	kind := ""
	if e != nil {
		kind = pipeline.AnswerKind(*e)
	}
	if kind == "" {
		return
	}
	scopes := []string{pipeline.AllAnswers, scopeProvider + n.Provider, scopeImport + fmt.Sprint(n.Import)}
	for _, k := range n.Products {
		scopes = append(scopes, scopeKind+k)
	}
	for _, s := range scopes {
		if l.answers[n.Campaign] == nil {
			l.answers[n.Campaign] = map[string]*pipeline.Answers{}
		}
		if l.answers[n.Campaign][s] == nil {
			l.answers[n.Campaign][s] = &pipeline.Answers{Scope: s}
		}
		l.answers[n.Campaign][s].Add(kind, 1)
	}
}

func (l *memLedger) NextDue(_ context.Context, campaign int64) (map[pipeline.Channel]time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[pipeline.Channel]time.Time{}
	for _, n := range l.by[pipeline.Due] {
		if at := out[n.Channel]; n.Campaign == campaign && (at.IsZero() || n.DueAt.Before(at)) {
			out[n.Channel] = n.DueAt
		}
	}
	return out, nil
}

func (l *memLedger) CountDue(_ context.Context, campaign int64, now time.Time, most int, on ...pipeline.Channel) ([]pipeline.DueCount, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := map[pipeline.DueCount]int64{}
	for _, n := range l.by[pipeline.Due] {
		k := pipeline.DueCount{Channel: n.Channel, Provider: n.Provider}
		if n.Campaign == campaign && !n.DueAt.After(now) && (len(on) == 0 || slices.Contains(on, n.Channel)) && m[k] < int64(most) {
			m[k]++
		}
	}
	var out []pipeline.DueCount
	for k, n := range m {
		k.Count = n
		out = append(out, k)
	}
	return out, nil
}

func (l *memLedger) Notice(_ context.Context, id int64) (pipeline.Job, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.notices[id]; n != nil {
		return pipeline.Job{Notice: *n}, nil
	}
	return pipeline.Job{}, pipeline.ErrNotFound
}

func (l *memLedger) Attempts(_ context.Context, id int64) ([]pipeline.Attempt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.attempts[id]), nil
}

func (l *memLedger) Each(_ context.Context, f pipeline.Filter) iter.Seq2[pipeline.Job, error] {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []pipeline.Notice
	states := f.States
	if len(states) == 0 {
		states = pipeline.States()
	}
	for _, s := range states {
		list = append(list, l.first(s, len(l.notices), func(n *pipeline.Notice) bool {
			return n.Campaign == f.Campaign && (f.Flag == "" || slices.Contains(n.Flags, f.Flag)) && (f.Reason == "" || n.Reason == f.Reason)
		})...)
	}
	return func(yield func(pipeline.Job, error) bool) {
		for _, n := range list {
			if !yield(pipeline.Job{Notice: n}, nil) {
				return
			}
		}
	}
}

// check holds the ledger to its books: every notice's state follows from its
// events, and nobody is missing.
func (l *memLedger) check(population int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.notices) != population {
		return fmt.Errorf("%d notices, %d were imported", len(l.notices), population)
	}
	var errs []error
	for id, n := range l.notices {
		at, err := pipeline.Replay(n.Born, l.events[id])
		if err != nil {
			errs = append(errs, err)
		} else if !pipeline.SameState(at, n.State) {
			errs = append(errs, fmt.Errorf("notice %d is %s; its events lead to %s", id, n.State, at))
		}
		for _, a := range l.attempts[id] {
			if len(a.Letter) != 32 || bytes.Equal(a.Letter, make([]byte, 32)) {
				errs = append(errs, fmt.Errorf("attempt %d of notice %d lost its letter's hash", a.N, id))
			}
		}
	}
	return errors.Join(errs...)
}
