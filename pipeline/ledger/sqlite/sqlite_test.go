package sqlite

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

// start is when every test's campaign begins.
var start = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

// open opens a new ledger in a directory of its own.
func open(t testing.TB) *Ledger {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "ledger.db"))
}

func openAt(t testing.TB, path string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// crowd is a campaign with one published import.
type crowd struct {
	*Ledger
	campaign pipeline.Campaign
	imp      pipeline.Import
	first    int64 // ID of the first notice
}

// populate stages and publishes a campaign of n notices that are due.
func populate(t testing.TB, l *Ledger, name string, n int) crowd {
	t.Helper()
	ctx := t.Context()
	c := crowd{Ledger: l}
	var err error
	if c.campaign, err = l.CreateCampaign(ctx, pipeline.Campaign{Name: name, CodeName: "TEST", Kind: "breach", CreatedAt: start}); err != nil {
		t.Fatal(err)
	}
	if c.imp, err = l.BeginImport(ctx, pipeline.Import{Campaign: c.campaign.ID, Content: name, StagedAt: start, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	if c.first, err = l.ReserveIDs(ctx, n); err != nil {
		t.Fatal(err)
	}
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		var batch []pipeline.Staged
		for i := from; i < min(n, from+chunk); i++ {
			batch = append(batch, staged(c.first+int64(i)))
		}
		if err := l.Stage(ctx, c.imp.ID, batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Publish(ctx, c.imp.ID, pipeline.Manifest{Population: int64(n)}, false, c.audit("publish")); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c crowd) audit(action string) pipeline.Audit {
	return pipeline.Audit{Campaign: c.campaign.ID, At: start, Actor: "test", Action: action}
}

// staged is a notice as an import brings it, due by e-mail.
func staged(id int64) pipeline.Staged {
	providers := []string{"orange", "google", "microsoft", "free", "other"}
	return pipeline.Staged{
		Notice: pipeline.Notice{
			ID: id, Role: pipeline.Primary, Person: binary.BigEndian.AppendUint64([]byte("person--"), uint64(id)),
			State: pipeline.Due, Channel: pipeline.Email, Attempt: 1, Kind: pipeline.First, DueAt: start, Reach: pipeline.ByEmail | pipeline.ByPost,
			MovedAt: start, Born: pipeline.Due, Provider: providers[id%int64(len(providers))], Locale: "fr", Format: "standard", Country: "FR", Area: fmt.Sprintf("%02d", id%95+1), Sender: "main",
			Kinds: []string{"contact", "identity"}, Products: []string{"internet"},
		},
		Sealed: make([]byte, 600),
	}
}

// take returns the jobs of up to n due notices.
func (c crowd) take(t testing.TB, n int) []pipeline.Job {
	t.Helper()
	tickets, err := c.TakeDue(t.Context(), pipeline.Take{Campaign: c.campaign.ID, Channel: pipeline.Email, Limit: n, Now: start, Moved: start})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := c.Load(t.Context(), tickets)
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != len(tickets) {
		t.Fatalf("%d tickets, %d jobs", len(tickets), len(jobs))
	}
	return jobs
}

// mark is the change that starts a hand-over.
func mark(n pipeline.Notice, owner string) pipeline.Change {
	c := pipeline.Hop(n, pipeline.Sending, owner, start)
	c.Attempt = &pipeline.Attempt{Notice: n.ID, N: n.Attempt, Kind: n.Kind, Channel: n.Channel, Version: 1, At: start, Letter: make([]byte, 32), Bytes: make([]byte, 32), Renderer: "1"}
	return c
}

// accept is the change of a 250.
func accept(t testing.TB, n pipeline.Notice) pipeline.Change {
	t.Helper()
	e := pipeline.Event{Notice: n.ID, Attempt: n.Attempt, Kind: pipeline.EvAccepted, At: start.Add(time.Second), Actor: "courier", Code: "2.0.0", Detail: "queued as 4XyZ"}
	next, moves, err := pipeline.DefaultPolicy().Apply(n, e)
	if err != nil || !moves {
		t.Fatalf("notice %d: %v", n.ID, err)
	}
	c := pipeline.Move(n, next, e)
	c.Attempt = &pipeline.Attempt{Notice: n.ID, N: n.Attempt, Kind: n.Kind, Channel: n.Channel, At: start, QueueID: "4XyZ"}
	return c
}

// commit expects every change to apply.
func (c crowd) commit(t testing.TB, changes []pipeline.Change) {
	t.Helper()
	ok, err := c.Commit(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range changes {
		if !ok[i] {
			t.Fatalf("notice %d: the change did not apply", changes[i].From.ID)
		}
	}
}

// carry takes, marks and accepts up to n notices, a window at a time, and returns
// how many.
func (c crowd) carry(t testing.TB, n, window int, owner string) int {
	t.Helper()
	jobs := c.take(t, n)
	for from := 0; from < len(jobs); from += window {
		var marks, accepts []pipeline.Change
		for _, j := range jobs[from:min(len(jobs), from+window)] {
			m := mark(j.Notice, owner)
			marks, accepts = append(marks, m), append(accepts, accept(t, m.To))
		}
		c.commit(t, marks)
		c.commit(t, accepts)
	}
	return len(jobs)
}

func (c crowd) states(t testing.TB) map[pipeline.State]int64 {
	t.Helper()
	kept, err := c.Tally(t.Context(), c.campaign.ID)
	if err != nil {
		t.Fatal(err)
	}
	counted, err := c.Recount(t.Context(), c.campaign.ID)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(kept) != fmt.Sprint(counted) {
		t.Errorf("tallies say %v, the rows %v", kept, counted)
	}
	states := map[pipeline.State]int64{}
	for _, x := range counted {
		states[x.State] += x.Count
	}
	return states
}

func TestALetterOnItsWay(t *testing.T) {
	t.Parallel()
	c := populate(t, open(t), "way", 40)
	if n := c.carry(t, 8, 8, "p1"); n != 8 {
		t.Fatalf("carried %d", n)
	}
	if s := c.states(t); s[pipeline.Accepted] != 8 || s[pipeline.Due] != 32 {
		t.Errorf("states %v", s)
	}
	a, err := c.Attempts(t.Context(), c.first)
	if err != nil || len(a) != 1 || a[0].Tries != 1 || a[0].QueueID != "4XyZ" || a[0].Version != 1 || len(a[0].Letter) != 32 {
		t.Errorf("attempts %+v %v", a, err)
	}
	e, err := c.Events(t.Context(), c.first)
	if err != nil || len(e) != 1 || e[0].Into != pipeline.Accepted || !e[0].At.Equal(start.Add(time.Second)) {
		t.Errorf("events %+v %v", e, err)
	}
}
