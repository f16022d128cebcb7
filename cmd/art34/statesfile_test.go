package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// TestStateFiles: the newest file is whole and for its owner alone, the older ones go,
// and a campaign under an embargo, or of people who are erased, has none.
func TestStateFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{dir}, parts...)...) }
	for _, args := range [][]string{
		{"sample", "--customers", "30", "--seed", "1", "--out", in("sample")}, {"new", "muguet", "--file", in("sample", "campaign.yaml")},
		{"import", "muguet", "--customers", in("sample", "customers.csv"), "--impact", in("sample", "impact.csv")},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), append([]string{"--dir", in("data")}, args...), nil, &out, &out); code != 0 {
			t.Fatalf("%v: %d %s", args, code, out.String())
		}
	}
	a := newApp(&globals{Dir: in("data"), Log: "error"}, nil, io.Discard, io.Discard)
	if err := a.ready(); err != nil {
		t.Fatal(err)
	}
	real := clock.NewManual(time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC))
	a.real = real
	h, err := a.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c, err := h.ledger.Campaign(t.Context(), "muguet")
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.newStateFiles(statesOptions{StatesEvery: time.Hour, StatesKeep: 2})
	if err != nil {
		t.Fatal(err)
	}
	look := func() []string {
		t.Helper()
		if done, err := s.look(t.Context()); done || err != nil {
			t.Fatal(done, err)
		}
		all, err := filepath.Glob(in("data", "exports", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := look(); len(all) != 0 {
		t.Errorf("before the launch: %v", all)
	}
	c.State, c.LaunchAt = pipeline.Running, real.Now()
	if err := h.ledger.UpdateCampaign(t.Context(), c, []pipeline.CampaignState{pipeline.Draft}, h.audit(c.ID, "launch", "", "")); err != nil {
		t.Fatal(err)
	}
	if all := look(); len(all) != 0 {
		t.Errorf("before the hour is over: %v", all)
	}
	var all []string
	for range 5 {
		real.Advance(time.Hour)
		all = look()
	}
	if len(all) != 4 { // the newest under two names, and two before
		t.Errorf("%v", all)
	}
	newest := in("data", "exports", stateName(c)+".ndjson")
	data, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(newest)
	if err != nil || info.Mode().Perm() != 0o600 || strings.Count(string(data), "\n") < 10 || !strings.Contains(string(data), `"state":"due"`) || strings.Contains(string(data), "@") {
		t.Errorf("%v, %v:\n%s", info.Mode(), err, data)
	}
	e := pipeline.Embargo{Campaign: c.ID, Until: h.clock.Now().Add(time.Hour), Members: []string{"ann"}}
	if _, err := h.ledger.SetEmbargo(t.Context(), e, h.audit(c.ID, "embargo", "", "")); err != nil {
		t.Fatal(err)
	}
	real.Advance(time.Hour)
	if under := look(); len(under) != 0 {
		t.Errorf("a file of a campaign under an embargo: %v", under)
	}
	if _, err := h.newStateFiles(statesOptions{StatesEvery: time.Second}); err == nil {
		t.Error("every second")
	}
	if none, err := h.newStateFiles(statesOptions{}); none != nil || err != nil {
		t.Error("off is on")
	}
}
