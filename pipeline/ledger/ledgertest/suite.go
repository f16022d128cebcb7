// Package ledgertest is the conformance suite of the ledger: what every engine
// must do, whatever it is made of. An engine's tests call Run, and Main from
// TestMain so that the suite can kill a process of the engine.
package ledgertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// Engine is how the suite reaches an engine.
type Engine struct {
	// Place returns the name of a fresh, empty ledger: a path, a URL.
	Place func(t testing.TB) string
	// Open opens the ledger at a place. It may be open several times at once.
	Open func(ctx context.Context, place string) (ledger.Ledger, error)
}

// Run runs the whole suite.
func Run(t *testing.T, e Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Engine)
	}{
		{"meta", testMeta}, {"campaigns", testCampaigns}, {"versions", testVersions}, {"breakers", testBreakers}, {"audit", testAudit},
		{"import is invisible until published", testPublish}, {"import replaces", testReplace}, {"import idempotent", testSameContent},
		{"import discarded and swept", testDiscard}, {"stage refuses", testStageRefuses}, {"people", testPeople},
		{"supplements wait", testSupplements}, {"absorb", testAbsorb}, {"search", testSearch},
		{"take", testTake}, {"take concurrently", testTakeConcurrently}, {"load and requeue", testLoadRequeue},
		{"commit compares and sets", testCommit}, {"commit refuses", testCommitRefuses}, {"commit concurrently", testCommitConcurrently},
		{"late writer", testLateWriter}, {"attempts and counters", testAttempts}, {"sealed moves with the change", testSealed}, {"record", testRecord},
		{"peek", testPeek}, {"cut a run", testCutRun}, {"update a run", testUpdateRun}, {"fill a run", testFillRun}, {"draw a run", testDrawRun},
		{"lease", testLease}, {"orphans", testOrphans}, {"stale queued", testStaleQueued}, {"expired", testExpired},
		{"tally", testTally}, {"next due and count due", testDueCounts}, {"reasons and versions", testReasons}, {"each", testEach}, {"events by notice", testEventsByNotice},
		{"everything survives a restart", testRestart}, {"cancelled context", testCancelled}, {"two openers", testTwoOpeners},
		{"large batches", testLargeBatches}, {"pages", testPages}, {"take fairly", testTakeFairly}, {"rewritten attempt", testRewrittenAttempt},
		{"search over imports", testSearchOverImports}, {"absorb too late", testAbsorbTooLate}, {"absorb chain", testAbsorbChain}, {"what strangers write", testWhatStrangersWrite},
		{"answers", testAnswers}, {"planned", testPlanned}, {"outside", testOutside}, {"add tokens", testAddTokens},
		{"users", testUsers}, {"first user", testFirstUser}, {"sessions", testSessions}, {"embargoes", testEmbargoes}, {"programs", testPrograms}, {"answers remembered", testRemembered},
		{"calls", testCalls}, {"calls by filter", testEachCall}, {"look-up quota", testQuota}, {"look-up quota of a program", testSharedQuota}, {"look-up quota of a person", testQuotaOfOnePerson}, {"wrong answers", testTries}, {"told before", testToldBefore},
		{"proposals", testProposals}, {"proposed again", testProposedAgain}, {"add a copy", testAddCopy},
		{"answers written", testAnswersWritten}, {"answers concurrently", testAnswersConcurrently}, {"answers given", testAnswersGiven}, {"queries", testQueries}, {"forgeries", testForgeries},
		{"users", testUsers}, {"first user", testFirstUser}, {"sessions", testSessions},
		{"writings", testWritings}, {"writings race", testWritingsRace},
		{"inbox", testInbox}, {"inbox concurrently", testInboxConcurrently},
		{"model", testModel}, {"kill -9", testKill}, {"kill -9 while printing", testKillPrinting}, {"abandoned import", testAbandonedImport},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, e)
		})
	}
}

var t0 = time.Date(2026, 1, 20, 8, 0, 0, 123456000, time.UTC)

// bench is one open ledger with a running campaign in it.
type bench struct {
	ledger.Ledger
	t        *testing.T
	ctx      context.Context
	place    string
	engine   Engine
	campaign pipeline.Campaign
}

func newBench(t *testing.T, e Engine) *bench {
	t.Helper()
	b := &bench{t: t, ctx: context.Background(), place: e.Place(t), engine: e}
	b.Ledger = b.open()
	c, err := b.CreateCampaign(b.ctx, pipeline.Campaign{Name: "muguet", CodeName: "MUGUET", Kind: "breach", State: pipeline.Draft, CreatedAt: t0})
	b.must(err)
	b.campaign = c
	return b
}

// open opens the place once more, until the test ends.
func (b *bench) open() ledger.Ledger {
	b.t.Helper()
	l, err := b.engine.Open(b.ctx, b.place)
	b.must(err)
	b.t.Cleanup(func() { _ = l.Close() })
	return l
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// want fails unless err is the condition.
func (b *bench) want(err, condition error) {
	b.t.Helper()
	if !is(err, condition) {
		b.t.Fatalf("got %v, want %v", err, condition)
	}
}

func (b *bench) audit(action string) pipeline.Audit {
	return pipeline.Audit{Campaign: b.campaign.ID, At: t0, Actor: "user:test", Action: action, Reason: "why"}
}

// begin stores an unpublished import.
func (b *bench) begin(content string) pipeline.Import {
	b.t.Helper()
	i, err := b.BeginImport(b.ctx, pipeline.Import{Campaign: b.campaign.ID, Content: content, StagedAt: t0, Actor: "user:test"})
	b.must(err)
	return i
}

// staged is how the notices of an import look that are not given otherwise.
func (b *bench) staged(importID int64, n int, shape func(i int, n *pipeline.Notice)) []pipeline.Staged {
	b.t.Helper()
	first, err := b.ReserveIDs(b.ctx, n)
	b.must(err)
	list := make([]pipeline.Staged, n)
	for i := range list {
		id := first + int64(i)
		x := pipeline.Notice{
			ID: id, Campaign: b.campaign.ID, Import: importID, Role: pipeline.Primary, Person: person(id),
			State: pipeline.Due, Born: pipeline.Due, Channel: pipeline.Email, Lane: pipeline.LaneNotice, Attempt: 1, Kind: pipeline.First,
			DueAt: t0.Add(time.Duration(i) * time.Second), Reach: pipeline.ByEmail | pipeline.ByPost, Gen: 1, MovedAt: t0,
			Provider: "orange", Locale: "fr", Format: "standard", Country: "FR", Area: "75", Sender: "main",
			Kinds: []string{"contact", "identity"}, Products: []string{"internet"}, Flags: nil, Defects: nil,
		}
		if shape != nil {
			shape(i, &x)
		}
		list[i] = pipeline.Staged{Notice: x, Sealed: fmt.Appendf(nil, "sealed %d", id)}
	}
	return list
}

func person(id int64) []byte { return fmt.Appendf(nil, "person%010d", id) }

func manifest(list []pipeline.Staged) (m pipeline.Manifest) {
	m.States = map[pipeline.State]int64{}
	for _, s := range list {
		switch s.Notice.Role {
		case pipeline.Supplement:
			m.Supplements++
		case pipeline.Copy:
			m.Copies++
		default:
			m.Population++
			m.States[s.Notice.State]++
		}
	}
	return m
}

// publish stages and publishes n notices, and merges the import.
func (b *bench) publish(n int, shape func(i int, n *pipeline.Notice)) (pipeline.Import, []pipeline.Notice) {
	b.t.Helper()
	i := b.begin(fmt.Sprintf("content %d %p", n, &n))
	list := b.staged(i.ID, n, shape)
	b.must(b.Stage(b.ctx, i.ID, list))
	b.must(b.Publish(b.ctx, i.ID, manifest(list), false, b.audit("import")))
	b.must(b.Merged(b.ctx, i.ID, t0))
	notices := make([]pipeline.Notice, len(list))
	for k := range list {
		notices[k] = list[k].Notice
	}
	return i, notices
}

func (b *bench) take(limit int) []pipeline.Ticket {
	b.t.Helper()
	tickets, err := b.TakeDue(b.ctx, pipeline.Take{Campaign: b.campaign.ID, Channel: pipeline.Email, Limit: limit, Now: t0.Add(time.Hour), Moved: t0.Add(time.Hour)})
	b.must(err)
	return tickets
}

func (b *bench) load(tickets []pipeline.Ticket) []pipeline.Job {
	b.t.Helper()
	jobs, err := b.Load(b.ctx, tickets)
	b.must(err)
	return jobs
}

// commit applies changes that must all apply.
func (b *bench) commit(changes ...pipeline.Change) {
	b.t.Helper()
	ok, err := b.Commit(b.ctx, changes)
	b.must(err)
	for i := range ok {
		if !ok[i] {
			b.t.Fatalf("change %d of notice %d did not apply", i, changes[i].From.ID)
		}
	}
}

func (b *bench) notice(id int64) pipeline.Notice {
	b.t.Helper()
	j, err := b.Notice(b.ctx, id)
	b.must(err)
	return j.Notice
}

// send takes one notice from Queued to Sending, with its attempt.
func send(n pipeline.Notice, owner string) pipeline.Change {
	c := pipeline.Hop(n, pipeline.Sending, owner, t0.Add(time.Hour))
	c.Attempt = attempt(n)
	return c
}

func attempt(n pipeline.Notice) *pipeline.Attempt {
	return &pipeline.Attempt{Notice: n.ID, N: n.Attempt, Kind: n.Kind, Channel: n.Channel, Version: 1, Told: n.Import, At: t0, Letter: make([]byte, 32), Bytes: make([]byte, 32), Renderer: "test/1"}
}

// move applies an event by the rules.
func (b *bench) move(n pipeline.Notice, e pipeline.Event) pipeline.Change {
	b.t.Helper()
	e.Notice, e.Attempt = n.ID, n.Attempt
	if e.At.IsZero() {
		e.At = t0.Add(2 * time.Hour)
	}
	if e.Actor == "" {
		e.Actor = "test"
	}
	next, moved, err := pipeline.DefaultPolicy().Apply(n, e)
	b.must(err)
	if !moved {
		b.t.Fatalf("%s does not move a notice in %s", e.Kind, n.State)
	}
	return pipeline.Move(n, next, e)
}
