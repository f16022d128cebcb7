package ledgertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

func testRestart(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(4, nil)
	mark := send(b.load(b.take(1))[0].Notice, "p")
	b.commit(mark)
	b.commit(b.move(mark.To, pipeline.Event{Kind: pipeline.EvAccepted, Detail: "queued"}))
	before, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	b.must(b.Close())
	b.Ledger = b.open()
	after, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	if fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("tally %v, was %v", after, before)
	}
	if got := b.notice(n[0].ID); got.State != pipeline.Accepted {
		t.Errorf("%+v", got)
	}
	b.visible(4)
	if first, err := b.ReserveIDs(b.ctx, 1); err != nil || first <= n[3].ID {
		t.Errorf("id %d given twice, %v", first, err)
	}
}

func testCancelled(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(2, nil)
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	if _, err := b.Commit(ctx, []pipeline.Change{pipeline.Hop(n[0], pipeline.Queued, "", t0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if _, err := b.TakeDue(ctx, pipeline.Take{Campaign: b.campaign.ID, Channel: pipeline.Email, Limit: 1, Now: t0}); !errors.Is(err, context.Canceled) {
		t.Errorf("take: %v", err)
	}
	if _, err := b.Notice(ctx, n[0].ID); !errors.Is(err, context.Canceled) {
		t.Errorf("notice: %v", err)
	}
	if got := b.take(10); len(got) != 2 {
		t.Errorf("took %d of 2 afterwards", len(got))
	}
}

func testTwoOpeners(t *testing.T, e Engine) {
	b := newBench(t, e)
	_, n := b.publish(1, nil)
	other := b.open()
	b.commit(pipeline.Hop(n[0], pipeline.Queued, "", t0))
	j, err := other.Notice(b.ctx, n[0].ID)
	b.must(err)
	if j.State != pipeline.Queued {
		t.Errorf("the other opener sees %s", j.State)
	}
	ok, err := other.Commit(b.ctx, []pipeline.Change{pipeline.Hop(j.Notice, pipeline.Due, "", t0)})
	b.must(err)
	equal(t, "the other opener's change", ok, []bool{true})
	same(t, b.notice(n[0].ID), pipeline.Hop(j.Notice, pipeline.Due, "", t0).To)
}

// These environment variables make a test binary the child of a test that kills
// it: where its ledger is, and what it does there.
const (
	childPlace = "ART34_LEDGERTEST_CHILD"
	childWork  = "ART34_LEDGERTEST_WORK"
)

// What a child does.
const (
	childSends  = "sends"
	childStages = "stages"
	childPrints = "prints"
)

// Main runs the tests, or, as the child of a test, works until it is killed. Call
// it from TestMain.
func Main(m *testing.M, e Engine) int {
	if place := os.Getenv(childPlace); place != "" {
		if err := child(e, place, os.Getenv(childWork)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	return m.Run()
}

// child works in several goroutines, and says what is durable.
func child(e Engine, place, what string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	l, err := e.Open(ctx, place)
	if err != nil {
		return err
	}
	c, err := l.Campaign(ctx, "muguet")
	if err != nil {
		return err
	}
	switch what {
	case childStages:
		return stageForever(ctx, l, c)
	case childPrints:
		return printForever(ctx, l, c)
	}
	failed := make(chan error)
	for range 4 {
		go func() { failed <- work(ctx, l, c) }()
	}
	return <-failed
}

// work moves notices on.
func work(ctx context.Context, l ledger.Ledger, c pipeline.Campaign) error {
	p := pipeline.DefaultPolicy()
	for ctx.Err() == nil {
		tickets, err := l.TakeDue(ctx, pipeline.Take{Campaign: c.ID, Channel: pipeline.Email, Limit: 4, Now: t0.Add(1000 * time.Hour), Moved: t0})
		if err != nil {
			return err
		}
		jobs, err := l.Load(ctx, tickets)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			mark := send(j.Notice, "child")
			if _, err := l.Commit(ctx, []pipeline.Change{mark}); err != nil {
				return err
			}
			fmt.Printf("sending %d\n", j.ID)
			ev := pipeline.Event{Notice: j.ID, Attempt: 1, Kind: pipeline.EvAccepted, At: t0, Actor: "child"}
			next, _, err := p.Apply(mark.To, ev)
			if err != nil {
				return err
			}
			if _, err := l.Commit(ctx, []pipeline.Change{pipeline.Move(mark.To, next, ev)}); err != nil {
				return err
			}
			fmt.Printf("accepted %d\n", j.ID)
		}
	}
	return ctx.Err()
}

// testKill kills a process that commits, several times: everything that it said
// was durable is there, and nothing is half done.
func testKill(t *testing.T, e Engine) {
	b := newBench(t, e)
	const population = 4000
	b.publish(population, nil)
	said := map[int64]pipeline.State{}
	for round := range 3 {
		runChild(t, b.place, childSends, 60+40*round, said)
	}
	// A server may still be at the last statements of a client that was killed, and
	// the check reads in several steps.
	wrong := b.whole(said)
	for limit := time.Now().Add(time.Minute); len(wrong) > 0 && time.Now().Before(limit); {
		wrong = b.whole(said)
	}
	for _, w := range wrong {
		t.Error(w)
	}
	if len(said) < 100 {
		t.Errorf("the children did only %d notices", len(said))
	}
}

// whole returns what is wrong with the ledger after a crash: what was said to be
// durable and is not, sums that are not those of the rows, notices whose events do
// not lead to their state.
func (b *bench) whole(said map[int64]pipeline.State) (wrong []string) {
	b.t.Helper()
	counted := map[pipeline.State]int64{}
	for j, err := range b.Each(b.ctx, pipeline.Filter{Campaign: b.campaign.ID}) {
		b.must(err)
		counted[j.State]++
		if want, ok := said[j.ID]; ok && j.State != want && !(want == pipeline.Sending && j.State == pipeline.Accepted) {
			wrong = append(wrong, fmt.Sprintf("notice %d is %s, was said to be %s", j.ID, j.State, want))
		}
		wrong = append(wrong, audit(b, j.Notice)...)
	}
	tally, err := b.Tally(b.ctx, b.campaign.ID)
	b.must(err)
	for _, x := range tally {
		if counted[x.State] != x.Count {
			wrong = append(wrong, fmt.Sprintf("tally says %d %s, there are %d", x.Count, x.State, counted[x.State]))
		}
	}
	return wrong
}

// audit recomputes the state of one notice from its events.
func audit(b *bench, n pipeline.Notice) (wrong []string) {
	b.t.Helper()
	events, err := b.Events(b.ctx, n.ID)
	b.must(err)
	at, err := pipeline.Replay(n.Born, events)
	if err != nil || !pipeline.SameState(at, n.State) {
		wrong = append(wrong, fmt.Sprintf("notice %d is %s, its events lead to %s, %v", n.ID, n.State, at, err))
	}
	attempts, err := b.Attempts(b.ctx, n.ID)
	b.must(err)
	if (n.State == pipeline.Sending || n.State == pipeline.Accepted) && len(attempts) != 1 {
		wrong = append(wrong, fmt.Sprintf("notice %d is %s with %d attempts", n.ID, n.State, len(attempts)))
	}
	return wrong
}

// runChild starts a child, reads so many lines, kills it, and reads the rest.
func runChild(t *testing.T, place, what string, lines int, said map[int64]pipeline.State) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPlace+"="+place, childWork+"="+what)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	scan := bufio.NewScanner(out)
	n := 0
	for scan.Scan() {
		state, id, ok := strings.Cut(scan.Text(), " ")
		k, err := strconv.ParseInt(id, 10, 64)
		if !ok || err != nil {
			continue // cut short by the kill
		}
		said[k] = pipeline.State(state)
		if n++; n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n < lines {
		t.Fatalf("the child ended after %d lines", n)
	}
}
