package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
)

// statesOptions say how often the service writes where every notice stands, for
// systems that only read files.
type statesOptions struct {
	StatesEvery time.Duration `help:"How often the states of every launched campaign are written to DIR/exports; 0: never." default:"1h" placeholder:"DURATION"`
	StatesKeep  int           `help:"How many files of a campaign are kept beside the newest." default:"24" placeholder:"N"`
}

// stateFiles writes them.
type stateFiles struct {
	h     *house
	every time.Duration
	keep  int
	last  time.Time
}

// newStateFiles returns the writer of the files, nil if it is off.
func (h *house) newStateFiles(o statesOptions) (*stateFiles, error) {
	if o.StatesEvery == 0 {
		return nil, nil
	}
	if o.StatesEvery < time.Minute || o.StatesKeep < 0 {
		return nil, refuse("usage", "--states-every is a minute or more, or 0, and --states-keep no less than 0", "")
	}
	return &stateFiles{h: h, every: o.StatesEvery, keep: o.StatesKeep}, nil
}

// exports is where the files lie.
func (a *app) exports() string { return filepath.Join(a.Dir, "exports") }

// look writes the files if it is time. It never reports that it is done, and a fault
// of one campaign is said and stops nothing.
func (s *stateFiles) look(ctx context.Context) (bool, error) {
	now := s.h.real.Now()
	if !s.last.IsZero() && now.Sub(s.last) < s.every {
		return false, nil
	}
	s.last = now
	if err := s.all(ctx, now); err != nil && !errors.Is(err, pipeline.ErrAway) && ctx.Err() == nil {
		s.h.log.Error("the states cannot be written to the exports", "error", err)
	}
	return false, nil
}

func (s *stateFiles) all(ctx context.Context, now time.Time) error {
	campaigns, err := s.h.ledger.AllCampaigns(ctx)
	if err != nil {
		return err
	}
	embargoes, err := s.h.ledger.Embargoes(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, c := range campaigns {
		// A campaign under an embargo leaves no file for others to find.
		hidden := slices.ContainsFunc(embargoes, func(e pipeline.Embargo) bool { return e.Campaign == c.ID && s.h.clock.Now().Before(e.Until) })
		if c.LaunchAt.IsZero() {
			continue
		}
		var err error
		if hidden {
			err = s.prune(filepath.Join(s.h.exports(), stateName(c)), -1)
		} else {
			err = s.one(ctx, c, now)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("campaign %d: %w", c.ID, err))
		}
	}
	return failed
}

// one writes the file of a campaign: CODENAME.ndjson is always the newest and always
// whole, CODENAME-TIME.ndjson are those before.
func (s *stateFiles) one(ctx context.Context, c pipeline.Campaign, now time.Time) error {
	base := filepath.Join(s.h.exports(), stateName(c))
	keys, err := s.h.keys.Existing(c.ID)
	if errors.Is(err, seal.ErrDestroyed) {
		return s.prune(base, -1) // nobody is known any more: neither are their numbers
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.h.exports(), 0o700); err != nil {
		return err
	}
	if err := s.sweep(base, now.Add(-s.every)); err != nil {
		return err
	}
	dated := base + "-" + now.UTC().Format("20060102T150405Z") + ".ndjson"
	err = writeWhole(dated, 0o600, func(w io.Writer) error { return s.write(ctx, w, c, keys) })
	if err != nil {
		return err
	}
	// The same file under the name that others read: it is replaced in one step.
	next := base + ".next"
	if err := errors.Join(gone(os.Remove(next)), os.Link(dated, next)); err != nil {
		return err
	}
	if err := os.Rename(next, base+".ndjson"); err != nil {
		return err
	}
	return s.prune(base, s.keep+1)
}

// statesSchema is the version of the lines. It changes when a program that reads them
// has to; a field may be added without.
const statesSchema = 1

// statesHead is the first line of a file.
type statesHead struct {
	Type     string    `json:"type"` // "states"
	Schema   int       `json:"schema"`
	Campaign string    `json:"campaign"`
	CodeName string    `json:"code_name"`
	Begun    time.Time `json:"begun"`
	Every    int64     `json:"every"` // seconds until the next file; 0: not said
}

// statesEnd is the last line: without it the file is not whole.
type statesEnd struct {
	Type    string    `json:"type"` // "end"
	Notices int64     `json:"notices"`
	Ended   time.Time `json:"ended"`
}

// write writes a file: what it is, a line a notice in the order of their numbers, and
// how many there were. Each state is of a moment between begun and ended.
func (s *stateFiles) write(ctx context.Context, w io.Writer, c pipeline.Campaign, keys *seal.Keys) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(statesHead{"states", statesSchema, c.Name, c.CodeName, s.h.clock.Now().UTC(), int64(s.every / time.Second)}); err != nil {
		return err
	}
	n, err := s.h.writeStates(ctx, w, c, keys, pipeline.Filter{Campaign: c.ID})
	if err != nil {
		return err
	}
	return enc.Encode(statesEnd{"end", n, s.h.clock.Now().UTC()})
}

// sweep removes what a program that was killed has left half written: what is older
// than any that another machine writes at this moment.
func (s *stateFiles) sweep(base string, before time.Time) error {
	left, err := filepath.Glob(literal(filepath.Join(filepath.Dir(base), "."+filepath.Base(base))) + "-2*Z.ndjson.*")
	for _, path := range left {
		info, failed := os.Stat(path)
		if failed == nil && info.ModTime().Before(before) {
			failed = os.Remove(path)
		}
		err = errors.Join(err, gone(failed))
	}
	return err
}

// gone is an error of a removal; that the file is not there is none.
func gone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// literal is a path in which a pattern means every character as it is.
func literal(path string) string {
	return strings.NewReplacer("[", `\[`, "*", `\*`, "?", `\?`, `\`, `\\`).Replace(path)
}

// stateName is the name of the files of a campaign: its code name, with the number
// that two campaigns of one code name do not share.
func stateName(c pipeline.Campaign) string { return fmt.Sprintf("%s-%d", c.CodeName, c.ID) }

// prune leaves so many dated files; below 0 the newest goes too.
func (s *stateFiles) prune(base string, keep int) error {
	all, err := filepath.Glob(literal(base) + "-2*Z.ndjson")
	if err != nil {
		return err
	}
	slices.Sort(all)
	if keep < 0 {
		if err := s.sweep(base, time.Unix(1<<40, 0)); err != nil { // whatever its age
			return err
		}
		all = append(all, base+".ndjson", base+".next")
	}
	for _, path := range all[:max(0, len(all)-max(0, keep))] {
		if err := gone(os.Remove(path)); err != nil {
			return err
		}
	}
	return nil
}
