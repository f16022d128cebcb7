package postgres_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
	"github.com/art34/art34/pipeline/ledger/postgres"
)

// start is when every test's campaign begins.
var start = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

// patience bounds a statement: schemas of one server are made one after the other, and
// many tests begin with that.
const patience = 5 * time.Minute

func openAt(t testing.TB, url string) *postgres.Ledger {
	t.Helper()
	l, err := postgres.Open(t.Context(), postgres.Config{URL: url, Timeout: patience})
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

// population is a campaign with one published import.
type population struct {
	*postgres.Ledger
	campaign pipeline.Campaign
	imported pipeline.Import
	first    int64 // ID of the first notice
}

// populate stages and publishes a campaign of n due notices by e-mail.
func populate(t testing.TB, l *postgres.Ledger, name string, n int) population {
	t.Helper()
	ctx := t.Context()
	p := population{Ledger: l}
	var err error
	if p.campaign, err = l.CreateCampaign(ctx, pipeline.Campaign{Name: name, CodeName: "TEST", Kind: "breach", CreatedAt: start}); err != nil {
		t.Fatal(err)
	}
	if p.imported, err = l.BeginImport(ctx, pipeline.Import{Campaign: p.campaign.ID, Content: name, StagedAt: start, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	if p.first, err = l.ReserveIDs(ctx, n); err != nil {
		t.Fatal(err)
	}
	const chunk = 5000
	for from := 0; from < n; from += chunk {
		batch := make([]pipeline.Staged, 0, chunk)
		for i := from; i < min(n, from+chunk); i++ {
			batch = append(batch, staged(p.campaign.ID, p.imported.ID, p.first+int64(i)))
		}
		if err := l.Stage(ctx, p.imported.ID, batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Publish(ctx, p.imported.ID, pipeline.Manifest{Population: int64(n)}, false, pipeline.Audit{Campaign: p.campaign.ID, At: start, Actor: "test", Action: "publish"}); err != nil {
		t.Fatal(err)
	}
	return p
}

func staged(campaign, imported, id int64) pipeline.Staged {
	providers := []string{"orange", "google", "microsoft", "free", "other"}
	return pipeline.Staged{
		Notice: pipeline.Notice{
			ID: id, Campaign: campaign, Import: imported, Role: pipeline.Primary, Person: binary.BigEndian.AppendUint64([]byte("person--"), uint64(id)),
			State: pipeline.Due, Channel: pipeline.Email, Attempt: 1, Kind: pipeline.First, DueAt: start, Reach: pipeline.ByEmail | pipeline.ByPost,
			MovedAt: start, Born: pipeline.Due, Provider: providers[id%int64(len(providers))], Locale: "fr", Format: "standard", Country: "FR", Area: fmt.Sprintf("%02d", id%95+1), Sender: "main",
			Kinds: []string{"contact", "identity"}, Products: []string{"internet"},
		},
		Sealed: make([]byte, 400),
	}
}

// take returns the jobs of up to n due notices.
func (p population) take(t testing.TB, n int) []pipeline.Job {
	t.Helper()
	tickets, err := p.TakeDue(t.Context(), pipeline.Take{Campaign: p.campaign.ID, Channel: pipeline.Email, Limit: n, Now: start, Moved: start})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := p.Load(t.Context(), tickets)
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != len(tickets) {
		t.Fatalf("%d tickets, %d jobs", len(tickets), len(jobs))
	}
	return jobs
}

// mark is the change that starts a hand-over.
func mark(n pipeline.Notice, owner string, at time.Time) pipeline.Change {
	c := pipeline.Hop(n, pipeline.Sending, owner, at)
	c.Attempt = &pipeline.Attempt{Notice: n.ID, N: n.Attempt, Kind: n.Kind, Channel: n.Channel, Version: 1, At: at, Letter: make([]byte, 32), Bytes: make([]byte, 32), Renderer: "1"}
	return c
}

// accept is the change of a 250.
func accept(t testing.TB, n pipeline.Notice, at time.Time) pipeline.Change {
	t.Helper()
	e := pipeline.Event{Notice: n.ID, Attempt: n.Attempt, Kind: pipeline.EvAccepted, At: at, Actor: "courier", Code: "2.0.0", Detail: "queued as 4XyZ"}
	next, moves, err := pipeline.DefaultPolicy().Apply(n, e)
	if err != nil || !moves {
		t.Fatalf("notice %d: %v", n.ID, err)
	}
	c := pipeline.Move(n, next, e)
	c.Attempt = &pipeline.Attempt{Notice: n.ID, N: n.Attempt, Kind: n.Kind, Channel: n.Channel, At: at, QueueID: "4XyZ"}
	return c
}

// commit expects every change to apply, and returns the notices as they are then.
func (p population) commit(t testing.TB, changes ...pipeline.Change) []pipeline.Notice {
	t.Helper()
	ok, err := p.Commit(context.WithoutCancel(t.Context()), changes)
	if err != nil {
		t.Fatal(err)
	}
	var out []pipeline.Notice
	for i, c := range changes {
		if !ok[i] {
			t.Fatalf("notice %d: the change did not apply", c.From.ID)
		}
		out = append(out, c.To)
	}
	return out
}

// balanced fails the test unless the sums are those of the rows, and n in all.
func (p population) balanced(t testing.TB, n int64) map[pipeline.State]int64 {
	t.Helper()
	kept, err := p.Tally(t.Context(), p.campaign.ID)
	if err != nil {
		t.Fatal(err)
	}
	counted, err := p.Recount(t.Context(), p.campaign.ID)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(kept) != fmt.Sprint(counted) {
		t.Errorf("the sums are %v, the rows %v", kept, counted)
	}
	states := map[pipeline.State]int64{}
	var sum int64
	for _, x := range counted {
		states[x.State] += x.Count
		sum += x.Count
	}
	if sum != n {
		t.Errorf("%d notices, want %d", sum, n)
	}
	return states
}

func TestALetterOnItsWay(t *testing.T) {
	t.Parallel()
	p := populate(t, openAt(t, testenv.Postgres(t)), "way", 20)
	jobs := p.take(t, 8)
	if len(jobs) != 8 || jobs[0].ID != p.first || len(jobs[0].Sealed) != 400 {
		t.Fatalf("took %d jobs: %+v", len(jobs), jobs[0])
	}
	var marks, accepts []pipeline.Change
	for _, j := range jobs {
		marks = append(marks, mark(j.Notice, "o1", start))
	}
	for _, n := range p.commit(t, marks...) {
		accepts = append(accepts, accept(t, n, start.Add(time.Second)))
	}
	p.commit(t, accepts...)
	if ok, err := p.Commit(t.Context(), accepts); err != nil || ok[0] {
		t.Errorf("a change applied twice: %v %v", ok, err)
	}
	got := p.balanced(t, 20)
	if got[pipeline.Accepted] != 8 || got[pipeline.Due] != 12 {
		t.Errorf("states %v", got)
	}
	attempts, err := p.Attempts(t.Context(), p.first)
	if err != nil || len(attempts) != 1 || attempts[0].Tries != 1 || attempts[0].QueueID != "4XyZ" || attempts[0].Version != 1 || len(attempts[0].Letter) != 32 {
		t.Errorf("attempts %+v %v", attempts, err)
	}
	events, err := p.Events(t.Context(), p.first)
	if err != nil || len(events) != 1 || events[0].Into != pipeline.Accepted || !events[0].At.Equal(start.Add(time.Second)) {
		t.Errorf("events %+v %v", events, err)
	}
	c, err := p.Counters(t.Context(), p.campaign.ID)
	if err != nil || c != (pipeline.Counters{Attempts: 8}) {
		t.Errorf("counters %+v %v", c, err)
	}
	v, err := p.PerVersion(t.Context(), p.campaign.ID)
	if err != nil || fmt.Sprint(v) != "map[1:8]" {
		t.Errorf("per version %v %v", v, err)
	}
}
