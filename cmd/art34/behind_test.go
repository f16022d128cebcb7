package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// TestDeedsBehindLookUps: who paused a campaign, and what the operations did last, is
// found behind any number of look-ups.
func TestDeedsBehindLookUps(t *testing.T) {
	t.Parallel()
	_, h := deskOf(t)
	ctx := t.Context()
	c, err := h.ledger.Campaign(ctx, "muguet")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Second)
	for i := range 700 {
		a := pipeline.Audit{Campaign: c.ID, At: at.Add(time.Duration(i) * time.Second), Actor: "user:ana", Action: "look-up"}
		if i == 1 {
			a.Actor, a.Action, a.Reason = "user:noe", "pause", "wrong hours"
		}
		if err := h.ledger.Append(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	c.State, c.PausedFor = pipeline.Paused, "operator"
	var s status
	if err := h.addPaused(ctx, c, &s); err != nil || s.Paused == nil || s.Paused.By != "user:noe" || s.Paused.Reason != "wrong hours" || !s.Paused.At.Equal(at.Add(time.Second)) {
		t.Errorf("%+v, %v", s.Paused, err)
	}
	latest, err := consoleBoard{h, new(meters)}.latest(ctx, c)
	if err != nil || len(latest) < 2 || latest[0].Action != "pause" {
		t.Fatalf("%+v, %v", latest, err)
	}
	for i, a := range latest {
		if a.Action == "look-up" || i > 0 && a.ID > latest[i-1].ID {
			t.Errorf("%d: %+v", i, a)
		}
	}
}

// TestTurnedWithoutNext: where nothing comes next, nothing is said about it.
func TestTurnedWithoutNext(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		next []followUp
		want string
	}{
		{nil, `{"campaign":"muguet","state":"cancelled"}`},
		{[]followUp{{"it goes on", "art34 status muguet"}}, `{"campaign":"muguet","state":"cancelled","next":[{"sentence":"it goes on","command":"art34 status muguet"}]}`},
	} {
		if got, err := json.Marshal(turned{"muguet", pipeline.Withdrawn, x.next}); err != nil || string(got) != x.want {
			t.Errorf("%s, %v", got, err)
		}
	}
}

// TestPaceOfWhatMoves: e-mails that are queued or being sent are to go, at each
// provider as in all.
func TestPaceOfWhatMoves(t *testing.T) {
	t.Parallel()
	f := console.Figures{
		Balance: pipeline.Balance{Channels: map[pipeline.Channel]map[pipeline.State]int64{pipeline.Email: {pipeline.Due: 5, pipeline.Queued: 3, pipeline.Sending: 2}}},
		Due:     []pipeline.DueCount{{Channel: pipeline.Email, Provider: "orange", Count: 5}},
	}
	p := new(meters).paces(pipeline.Campaign{ID: 1}, f, map[string]int64{"orange": 1, "free": 4}, time.Now())
	if all, orange, free := p["email"].Left, p["provider:orange"].Left, p["provider:free"].Left; all != 10 || orange != 6 || free != 4 {
		t.Errorf("to go: %d, of which %d and %d", all, orange, free)
	}
}

// TestFileIsReadAsLookedAt: a name that is turned to another file while it is read
// never yields that file, and one that is too large is refused.
func TestFileIsReadAsLookedAt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("other", "other")
	write("large", strings.Repeat("x", maxCampaignFile+1))
	write("fits", strings.Repeat("x", maxCampaignFile))
	if _, err := readLimited(root, "large"); pipeline.ErrorCode(err) != "campaign-file-large" {
		t.Errorf("too large: %v", err)
	}
	if data, err := readLimited(root, "fits"); err != nil || len(data) != maxCampaignFile {
		t.Errorf("fits: %d, %v", len(data), err)
	}
	end, turning := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(turning)
		for {
			select {
			case <-end:
				return
			default:
			}
			write("new", "letter")
			for _, f := range []func() error{
				func() error { return os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "letter")) },
				func() error { return os.Symlink("other", filepath.Join(dir, "link")) },
				func() error { return os.Rename(filepath.Join(dir, "link"), filepath.Join(dir, "letter")) },
			} {
				if err := f(); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for range 2000 {
		if data, err := readLimited(root, "letter"); err == nil && !bytes.Equal(data, []byte("letter")) {
			t.Errorf("read %q", data)
			break
		}
	}
	close(end)
	<-turning
}
