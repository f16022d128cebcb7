package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/art34/art34/pipeline"
)

// rehearsalKeeper says meanwhile how far a rehearsal is, and at the end what came of
// it, to whoever looks at the campaign.
type rehearsalKeeper struct {
	h        *house
	campaign string
	now      rehearsalNote
}

// actionRehearse stands in the audit trail of the campaign that is rehearsed.
const actionRehearse = "rehearse"

// beginRehearsal puts on record that one begins, by whom and why.
func (h *house) beginRehearsal(ctx context.Context, c pipeline.Campaign, reason string) (*rehearsalKeeper, error) {
	files, _, err := h.folder(c.Name).read()
	if err != nil {
		return nil, err
	}
	_, hash, err := files.canonical()
	if err != nil {
		return nil, err
	}
	imports, population, err := h.inForce(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if population == 0 {
		return nil, decline("rehearsal-nobody", "nobody is in the campaign yet, so there is nothing to rehearse", "bring the lists in first")
	}
	if err := h.ledger.Append(ctx, h.audit(c.ID, actionRehearse, reason, "")); err != nil {
		return nil, err
	}
	k := &rehearsalKeeper{h: h, campaign: c.Name, now: rehearsalNote{
		State: rehearsalRuns, Actor: h.actor(), Reason: reason, Began: h.real.Now().UTC(), Content: hash, Imports: imports, Population: population,
	}}
	return k, h.keepRehearsal(c.Name, k.now)
}

// noteEvery is how often a rehearsal that goes on says how far it is.
const noteEvery = time.Second

// look takes over where everybody stands.
func (k *rehearsalKeeper) look(s *status) {
	if k.h.real.Now().Sub(k.now.Seen) < noteEvery {
		return
	}
	k.now.Population, k.now.States, k.now.Seen = s.Population, s.States, k.h.real.Now()
	if err := k.h.keepRehearsal(k.campaign, k.now); err != nil {
		k.h.log.Warn("how far the rehearsal is cannot be kept", "error", err)
	}
}

// end keeps what came of it, unless somebody stopped it. What failed is said with the
// sentence that the command ends with.
func (k *rehearsalKeeper) end(stopped bool, r *rehearsed, err error) error {
	switch {
	case err == nil:
		k.now.State, k.now.Result, k.now.States, k.now.Population = rehearsalDone, r, r.Status.States, r.Status.Population
	case stopped:
		k.now.State = rehearsalStopped
	default:
		own := explained(err)
		k.now.State, k.now.Code, k.now.Sentence, k.now.Hint = rehearsalFailed, own.Code, own.Sentence, own.Hint
	}
	return k.h.keepRehearsal(k.campaign, k.now)
}

// rehearsalBegun is what a rehearsal says to the console that began it, once it is on
// record.
const rehearsalBegun = "begun"

// servant makes the process that of a console: it ends with the other end of standard
// input, however that ends, and gives way to it where memory runs out.
func (a *app) servant(stop context.CancelFunc) {
	fmt.Fprintln(a.out, rehearsalBegun)
	a.out = io.Discard
	// A system without it does without.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("800"), 0)
	in := a.in
	go func() {
		defer stop()
		_, _ = io.Copy(io.Discard, in)
	}()
}

// stopEvery is how often a rehearsal looks whether somebody wants its end.
const stopEvery = 200 * time.Millisecond

// awaitStop ends a rehearsal that a person on some console has had enough of.
func (a *app) awaitStop(ctx context.Context, stop context.CancelFunc) {
	tick := time.NewTicker(stopEvery)
	defer tick.Stop()
	for {
		if _, err := os.Stat(filepath.Join(a.Dir, rehearsalStop)); err == nil {
			stop()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
