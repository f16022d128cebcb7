package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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
	whole(t, data)
	// What a program that was killed has left goes when nobody can be writing it.
	left := in("data", "exports", "."+stateName(c)+"-20260120T080000Z.ndjson.123")
	if err := errors.Join(os.WriteFile(left, []byte("half"), 0o600), os.Chtimes(left, real.Now(), real.Now())); err != nil {
		t.Fatal(err)
	}
	real.Advance(time.Hour)
	look()
	if _, err := os.Stat(left); err != nil {
		t.Errorf("another machine may be writing it: %v", err)
	}
	real.Advance(time.Hour)
	look()
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := pipeline.Embargo{Campaign: c.ID, Until: h.clock.Now().Add(time.Hour), Members: []string{"ann"}}
	if _, err := h.ledger.SetEmbargo(t.Context(), e, h.audit(c.ID, "embargo", "", "")); err != nil {
		t.Fatal(err)
	}
	real.Advance(time.Hour)
	look()
	if under, err := os.ReadDir(in("data", "exports")); err != nil || len(under) != 0 {
		t.Errorf("a file of a campaign under an embargo: %v, %v", under, err)
	}
	if _, err := h.newStateFiles(statesOptions{StatesEvery: time.Second}); err == nil {
		t.Error("every second")
	}
	if none, err := h.newStateFiles(statesOptions{}); none != nil || err != nil {
		t.Error("off is on")
	}
}

// whole fails unless a file is complete: a first line that says what it is, a line a
// notice in the order of their numbers, and a last line that counts them.
func whole(t *testing.T, data []byte) (notices int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	var head statesHead
	var end statesEnd
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &head), json.Unmarshal([]byte(lines[len(lines)-1]), &end)); err != nil {
		t.Fatal(err)
	}
	if head.Type != "states" || head.Schema != 1 || head.Campaign != "muguet" || head.CodeName == "" || head.Begun.IsZero() || head.Every != 3600 {
		t.Errorf("the first line is %s", lines[0])
	}
	last := int64(0)
	for _, line := range lines[1 : len(lines)-1] {
		var l stateLine
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil || l.Notice <= last || l.Campaign != head.Campaign || !l.State.Valid() {
			t.Fatalf("after %d: %s: %v", last, line, err)
		}
		last = l.Notice
	}
	if end.Type != "end" || end.Notices != int64(len(lines)-2) || end.Ended.Before(head.Begun) {
		t.Errorf("the last line is %s, of %d notices", lines[len(lines)-1], len(lines)-2)
	}
	return len(lines) - 2
}

// halfStatesCommand is the name under which this test binary writes half a file of
// states and waits to be killed.
const halfStatesCommand = "art34-half-states"

func halfStatesMain() {
	err := func() error {
		a := newApp(&globals{Dir: os.Args[1], Log: "error"}, nil, io.Discard, os.Stderr)
		if err := a.ready(); err != nil {
			return err
		}
		ctx := context.Background()
		h, err := a.open(ctx)
		if err != nil {
			return err
		}
		c, err := h.ledger.Campaign(ctx, "muguet")
		if err != nil {
			return err
		}
		keys, err := h.keys.Existing(c.ID)
		if err != nil {
			return err
		}
		s := &stateFiles{h: h, every: time.Hour}
		dated := filepath.Join(h.exports(), stateName(c)+"-20990101T000000Z.ndjson")
		return writeWhole(dated, 0o600, func(w io.Writer) error { return s.write(ctx, &halfway{to: w.(*bufio.Writer), left: 900}, c, keys) })
	}()
	fmt.Println("written", err)
	os.Exit(1)
}

// halfway takes so many bytes, brings them to the disk, says so and stands still.
type halfway struct {
	to   *bufio.Writer
	left int
}

func (h *halfway) Write(p []byte) (int, error) {
	if h.left -= len(p); h.left < 0 {
		_, _ = h.to.Write(p[:len(p)/2])
		_ = h.to.Flush()
		fmt.Println("half")
		select {}
	}
	return h.to.Write(p)
}

// TestStatesFileKilled: who reads while the writer is killed in the middle of a line
// reads the file of before, whole; the next one is whole again.
func TestStatesFileKilled(t *testing.T) {
	t.Parallel()
	in := install(t, 60, 4)
	exports := in.path("data", "exports")
	write := func() []byte {
		t.Helper()
		a := newApp(&globals{Dir: in.path("data"), Log: "error"}, nil, io.Discard, io.Discard)
		if err := a.ready(); err != nil {
			t.Fatal(err)
		}
		h, err := a.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		c, err := h.ledger.Campaign(t.Context(), "muguet")
		if err != nil {
			t.Fatal(err)
		}
		if c.LaunchAt.IsZero() {
			from := c.State
			c.State, c.LaunchAt = pipeline.Running, h.clock.Now()
			if err := h.ledger.UpdateCampaign(t.Context(), c, []pipeline.CampaignState{from}, h.audit(c.ID, "launch", "", "")); err != nil {
				t.Fatal(err)
			}
		}
		s, err := h.newStateFiles(statesOptions{StatesEvery: time.Hour, StatesKeep: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(exports, "*Z.ndjson"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		base, _, _ := strings.Cut(filepath.Base(files[0]), "-2")
		data, err := os.ReadFile(filepath.Join(exports, base+".ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	before := write()
	n := whole(t, before)
	if n < 30 {
		t.Errorf("%d notices", n)
	}
	cmd := exec.Command(os.Args[0], in.path("data"))
	cmd.Args = []string{halfStatesCommand, in.path("data")}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if killed := cmd.Process.Kill(); err != nil || killed != nil || line != "half\n" {
		t.Fatalf("%q, %v, %v", line, err, killed)
	}
	_ = cmd.Wait()
	files, err := os.ReadDir(exports)
	if err != nil {
		t.Fatal(err)
	}
	half := 0
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(exports, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Name(), ".") {
			half++
			continue
		}
		if whole(t, data) != n {
			t.Errorf("%s is not whole", f.Name())
		}
	}
	if half != 1 {
		t.Errorf("the half file is not there under a name of its own: %v", files)
	}
	if whole(t, write()) != n {
		t.Error("the next file")
	}
}
