package ledgertest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

// testModel drives the ledger with random operations, stale ones among them, and
// compares it with a map.
func testModel(t *testing.T, e Engine) {
	b := newBench(t, e)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		if round > 15 {
			return // each round is dozens of durable transactions
		}
		c, err := b.CreateCampaign(b.ctx, pipeline.Campaign{Name: fmt.Sprintf("model-%d", round), CodeName: "M", Kind: "breach", State: pipeline.Running, CreatedAt: t0})
		if err != nil {
			r.Fatal(err)
		}
		m := &model{bench: *b, r: r, rows: map[int64]pipeline.Notice{}, now: t0.Add(time.Hour)}
		m.campaign = c
		m.grow()
		for range rapid.IntRange(5, 40).Draw(r, "steps") {
			m.step()
		}
		m.compare()
	})
}

// model is what the ledger should hold.
type model struct {
	bench
	r    *rapid.T
	rows map[int64]pipeline.Notice
	old  []pipeline.Notice // rows as they once were: material for stale changes
	now  time.Time
}

func (m *model) check(err error) {
	if err != nil {
		m.r.Fatal(err)
	}
}

func (m *model) grow() {
	i, err := m.BeginImport(m.ctx, pipeline.Import{Campaign: m.campaign.ID, Content: fmt.Sprint("c", len(m.rows)), StagedAt: t0, Actor: "m"})
	m.check(err)
	list := m.staged(i.ID, rapid.IntRange(1, 12).Draw(m.r, "population"), nil)
	m.check(m.Stage(m.ctx, i.ID, list))
	m.check(m.Publish(m.ctx, i.ID, manifest(list), false, pipeline.Audit{Campaign: m.campaign.ID, At: t0, Actor: "m", Action: "import"}))
	m.check(m.Merged(m.ctx, i.ID, t0))
	for _, s := range list {
		m.rows[s.Notice.ID] = s.Notice
	}
}

// keys returns the notices in order of ID.
func (m *model) keys() []int64 { return slices.Sorted(maps.Keys(m.rows)) }

func (m *model) step() {
	switch rapid.IntRange(0, 9).Draw(m.r, "operation") {
	case 0:
		m.grow()
	case 1, 2:
		m.take()
	case 3:
		m.requeue()
	default:
		m.commit()
	}
}

func (m *model) take() {
	limit := rapid.IntRange(1, 5).Draw(m.r, "limit")
	var due []pipeline.Notice
	for _, id := range m.keys() {
		if n := m.rows[id]; n.State == pipeline.Due && n.Channel == pipeline.Email && n.Lane == pipeline.LaneNotice && !n.DueAt.After(m.now) {
			due = append(due, n)
		}
	}
	slices.SortStableFunc(due, func(a, b pipeline.Notice) int { return a.DueAt.Compare(b.DueAt) })
	got, err := m.TakeDue(m.ctx, pipeline.Take{Campaign: m.campaign.ID, Channel: pipeline.Email, Limit: limit, Now: m.now, Moved: m.now})
	m.check(err)
	if len(got) != min(limit, len(due)) {
		m.r.Fatalf("took %d of %d due, limit %d", len(got), len(due), limit)
	}
	for i, x := range got {
		n, ok := m.rows[x.Notice]
		if !ok || n.State != pipeline.Due || !n.DueAt.Equal(due[i].DueAt) {
			m.r.Fatalf("took %d, which is %s", x.Notice, n.State)
		}
		m.set(pipeline.Hop(n, pipeline.Queued, "", m.now).To)
		if x.Gen != m.rows[x.Notice].Gen {
			m.r.Fatalf("ticket of generation %d, want %d", x.Gen, m.rows[x.Notice].Gen)
		}
	}
}

func (m *model) set(n pipeline.Notice) {
	m.old = append(m.old, m.rows[n.ID])
	m.rows[n.ID] = n
}

func (m *model) requeue() {
	var tickets []pipeline.Ticket
	want := 0
	for _, id := range m.keys() {
		n := m.rows[id]
		gen := n.Gen - int64(rapid.IntRange(0, 1).Draw(m.r, "stale"))
		tickets = append(tickets, pipeline.Ticket{Notice: id, Gen: gen})
		if n.State == pipeline.Queued && gen == n.Gen {
			want++
			m.set(pipeline.Hop(n, pipeline.Due, "", m.now).To)
		}
	}
	got, err := m.Requeue(m.ctx, tickets, m.now)
	m.check(err)
	if got != want {
		m.r.Fatalf("requeued %d, want %d", got, want)
	}
}

// commit applies a few changes, each to a row as it is or as it once was.
func (m *model) commit() {
	var changes []pipeline.Change
	var want []bool
	used := map[int64]bool{}
	for range rapid.IntRange(1, 4).Draw(m.r, "changes") {
		n := m.rows[rapid.SampledFrom(m.keys()).Draw(m.r, "notice")]
		fresh := true
		if len(m.old) > 0 && rapid.IntRange(0, 4).Draw(m.r, "old") == 0 {
			n, fresh = rapid.SampledFrom(m.old).Draw(m.r, "row"), false
		}
		c, ok := m.change(n)
		if !ok || used[n.ID] {
			continue
		}
		used[n.ID] = true
		changes, want = append(changes, c), append(want, fresh || m.rows[n.ID].Gen == n.Gen)
	}
	got, err := m.Commit(m.ctx, changes)
	m.check(err)
	if !slices.Equal(got, want) {
		m.r.Fatalf("applied %v, want %v", got, want)
	}
	for i, ok := range got {
		if ok {
			m.set(changes[i].To)
		}
	}
}

// change draws something that may happen to a notice.
func (m *model) change(n pipeline.Notice) (pipeline.Change, bool) {
	if to := rapid.SampledFrom(pipeline.States()).Draw(m.r, "hop"); pipeline.HopAllowed(n.State, to) {
		if to == pipeline.Sending {
			c := pipeline.Hop(n, to, "p", m.now)
			c.Attempt = attempt(n)
			return c, true
		}
		return pipeline.Hop(n, to, "", m.now), true
	}
	tr := rapid.SampledFrom(pipeline.Transitions()).Draw(m.r, "event")
	e := pipeline.Event{Notice: n.ID, Attempt: n.Attempt, Kind: tr.Event, Outcome: tr.Outcome, At: m.now, Actor: "m"}
	next, moved, err := pipeline.DefaultPolicy().Apply(n, e)
	if err != nil || !moved {
		return pipeline.Change{}, false
	}
	return pipeline.Move(n, next, e), true
}

func (m *model) compare() {
	counted := map[pipeline.State]int64{}
	seen := 0
	for j, err := range m.Each(m.ctx, pipeline.Filter{Campaign: m.campaign.ID}) {
		m.check(err)
		want, ok := m.rows[j.ID]
		if !ok || j.State != want.State || j.Gen != want.Gen || j.Channel != want.Channel || j.Attempt != want.Attempt || j.Reason != want.Reason || !j.DueAt.Equal(want.DueAt.Truncate(time.Microsecond)) {
			m.r.Fatalf("ledger %+v\nmodel %+v", j.Notice, want)
		}
		counted[j.State]++
		seen++
		events, err := m.Events(m.ctx, j.ID)
		m.check(err)
		if at, err := pipeline.Replay(j.Born, events); err != nil || !pipeline.SameState(at, j.State) {
			m.r.Fatalf("the events of %d lead to %s, it is %s: %v", j.ID, at, j.State, err)
		}
	}
	if seen != len(m.rows) {
		m.r.Fatalf("%d notices, the model has %d", seen, len(m.rows))
	}
	tally, err := m.Tally(m.ctx, m.campaign.ID)
	m.check(err)
	for _, x := range tally {
		counted[x.State] -= x.Count
	}
	for s, d := range counted {
		if d != 0 {
			m.r.Fatalf("the tally of %s is off by %d", s, d)
		}
	}
}
