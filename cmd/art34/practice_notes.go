package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline/kit/clock"
)

// practiceNotes is what outlives the process of a practice run, in a directory:
// what was asked for, how late it is by the compressed clock, and what the relay
// has still to return.
type practiceNotes struct{ dir string }

// practiceAsked is what a practice run was asked for.
type practiceAsked struct {
	Customers int     `json:"customers"`
	Seed      uint64  `json:"seed"`
	Bounces   float64 `json:"bounces"`
	Seconds   float64 `json:"seconds"` // into which the longest wait is compressed
}

func (n *practiceNotes) journal() string { return filepath.Join(n.dir, "returning") }

func (n *practiceNotes) file() string { return filepath.Join(n.dir, "asked.json") }

func (n *practiceNotes) clockFile() string { return filepath.Join(n.dir, "clock") }

// begin writes down what was asked for.
func (n *practiceNotes) begin(asked practiceAsked) error {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return err
	}
	data, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	return os.WriteFile(n.file(), data, 0o600)
}

// asked reads it.
func (n *practiceNotes) asked() (asked practiceAsked, err error) {
	data, err := os.ReadFile(n.file())
	if errors.Is(err, fs.ErrNotExist) {
		return asked, refuse("nothing-to-resume", "no demo was begun in "+filepath.Dir(n.dir), "name the directory that an interrupted demo said it works in")
	}
	if err != nil {
		return asked, err
	}
	return asked, json.Unmarshal(data, &asked)
}

// clockWidth is the length of the file of the clock: a time is written over the
// one before in one piece.
const clockWidth = 20

// clock is where the compressed clock stopped at the latest; zero if it never ran.
func (n *practiceNotes) clock() (time.Time, error) {
	data, err := os.ReadFile(n.clockFile())
	if errors.Is(err, fs.ErrNotExist) || len(data) != clockWidth {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	us, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return time.UnixMicro(us).UTC(), err
}

// keepEvery is the pause between two notes of the clock.
const keepEvery = 100 * time.Millisecond

// keepClock writes down, until ctx ends, up to when the clock may have run before
// the next time: whoever goes on starts there, so that no time comes twice.
func (n *practiceNotes) keepClock(ctx context.Context, c clock.Clock, factor float64) error {
	f, err := os.OpenFile(n.clockFile(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		bound := c.Now().Add(time.Duration(2 * float64(keepEvery) * factor))
		if _, err := f.WriteAt(fmt.Appendf(nil, "%*d", clockWidth, bound.UnixMicro()), 0); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
