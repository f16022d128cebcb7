package main

import (
	"testing"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/testenv"
)

// TestTwoServicesShareLedgerAndQueue: two processes on PostgreSQL and Redis, and a
// queue that is wiped in the middle. Nobody is lost and nobody written to twice.
func TestTwoServicesShareLedgerAndQueue(t *testing.T) {
	t.Parallel()
	sink := testenv.Sink(t)
	servers := testenv.Stack(t)
	in := install(t, 600, 14, append(servers.Environ(), "ART34_RELAY="+sink.URL)...)
	in.must("pacing", "muguet", "--rate", "150")
	in.must("launch", "muguet")
	a, b := in.start("run", "--until-idle"), in.start("run", "--until-idle")
	until(t, "sending", longest, func() bool { return sink.Count(t) > 60 })
	servers.Redis.FlushAll(t)
	for _, r := range []*running{a, b} {
		if code := r.wait(longest); code != 0 {
			t.Fatalf("run: exit %d\n%s", code, r.out.String())
		}
	}
	s := in.status(true)
	for ref, n := range receivedBy(t, sink) {
		if n != 1 {
			t.Errorf("%s got %d messages", ref, n)
		}
	}
	if got := sink.Count(t); int64(got) != s.States[pipeline.Accepted] || got == 0 {
		t.Errorf("%d accepted, %d arrived", s.States[pipeline.Accepted], got)
	}
	if s.InDoubt != 0 {
		t.Errorf("%d in doubt", s.InDoubt)
	}
	runs := in.must("print", "list", "--json")
	if len(runs) < 10 {
		t.Errorf("no print runs: %s", runs)
	}
	lists, notices := readLists(t, in.path("sample")), readNotices(t, in)
	compareMails(t, sink, lists, notices)
}

// TestRolesNeedSharedServices: a single role without a shared ledger and queue is
// refused.
func TestRolesNeedSharedServices(t *testing.T) {
	t.Parallel()
	in := &installation{t: t, dir: t.TempDir()}
	_, errs, code := in.run("run", "--roles", "courier")
	if code != exitUsage || errs == "" {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestLedgerAway: a ledger that is not there is waited for, then named; nothing is
// made in DIR.
func TestLedgerAway(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits half a minute")
	}
	in := &installation{t: t, dir: t.TempDir(), env: []string{"ART34_LEDGER=postgres://art34@127.0.0.1:1/art34?sslmode=disable"}}
	_, errs, code := in.run("status")
	if code != exitAway {
		t.Errorf("exit %d: %s", code, errs)
	}
}
