package main

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/letter"
	"github.com/art34/art34/pipeline/postal"
	"github.com/art34/art34/pipeline/rehearsal"
)

// checkPrefix marks holds that check made, and may take back.
const checkPrefix = "check:"

// checkBatch is how many moves one commit takes, so that a service beside us is
// not kept waiting.
const checkBatch = 200

// checker renders all notices of a campaign in parallel and collects what it
// finds.
type checker struct {
	h        *house
	e        *edition
	c        pipeline.Campaign
	before   bool               // the launch is still ahead: channels may be chosen again
	approved map[int64]bool     // imports of the version in force
	noEmail  map[string]bool    // codes of the import that make an e-mail address unusable
	hold     map[string]bool    // codes of the import that hold
	general  map[[2]string]bool // code and sentence of what blocks: it is no customer's fault

	mu     sync.Mutex
	result *checked
	found  map[finding]int64 // without Count
	level  map[finding]letter.Severity
	emails map[string]int64         // provider → e-mails
	pages  map[rehearsal.Size]int64 // letters
	list   checklist
	stolen map[string]bool
	twins  map[int64]bool // notices that want a paper copy and have none, or the reverse
	moves  []pipeline.Change
}

func newChecker(h *house, e *edition, c pipeline.Campaign, r *checked) *checker {
	k := &checker{
		h: h, e: e, c: c, before: c.LaunchAt.IsZero(), result: r, approved: map[int64]bool{},
		noEmail: map[string]bool{}, hold: map[string]bool{}, general: map[[2]string]bool{},
		found: map[finding]int64{}, level: map[finding]letter.Severity{}, twins: map[int64]bool{}, stolen: map[string]bool{}, emails: map[string]int64{}, pages: map[rehearsal.Size]int64{},
	}
	for _, code := range intake.Codes() {
		switch code.Effect {
		case intake.NoEmail:
			k.noEmail[code.Code] = true
		case intake.Hold:
			k.hold[code.Code] = true
		}
	}
	return k
}

func (k *checker) approvedImports(ctx context.Context) error {
	if k.c.Version == 0 {
		return nil
	}
	v, err := k.h.ledger.Version(ctx, k.c.ID, k.c.Version)
	for _, id := range v.Imports {
		k.approved[id] = true
	}
	return err
}

// all checks every notice that may still be sent.
func (k *checker) all(ctx context.Context, population int64) error {
	bar := k.h.progress("checking", population)
	defer bar.End()
	g, working := errgroup.WithContext(ctx) // ends with the group
	jobs := make(chan pipeline.Job, 64)
	g.Go(func() error {
		defer close(jobs)
		for j, err := range k.h.ledger.Each(working, pipeline.Filter{Campaign: k.c.ID}) {
			if err != nil {
				return err
			}
			select {
			case jobs <- j:
			case <-working.Done():
				return working.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for j := range jobs {
				if err := k.one(working, j); err != nil {
					return err
				}
				bar.Add(1)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return k.commit(ctx, true)
}

// one checks a notice and plans its move, if it needs one.
func (k *checker) one(ctx context.Context, j pipeline.Job) error {
	open := j.State == pipeline.Due || j.State == pipeline.Held || k.before && (j.State == pipeline.Unreachable || j.State == pipeline.Excluded)
	if j.Role == pipeline.Copy {
		k.twin(j.Parent)
	}
	if !open && len(j.Defects) == 0 && j.State != pipeline.Unreachable {
		k.tally(j.Notice, j.Notice, nil)
		return nil
	}
	person, err := k.e.open(j)
	if err != nil {
		return err
	}
	if !open {
		k.tally(j.Notice, j.Notice, nil)
		k.remember(j.Notice, person, nil)
		return nil
	}
	want, err := k.route(ctx, j.Notice, person)
	if err != nil {
		return err
	}
	var defects []letter.Finding
	if want.State == pipeline.Due || want.State == pipeline.Held {
		if defects, err = k.inspect(ctx, want, person); err != nil {
			return err
		}
	}
	if len(defects) > 0 && want.State == pipeline.Due {
		want.State, want.Reason = pipeline.Held, checkPrefix+defects[0].Code
	}
	k.tally(j.Notice, want, defects)
	k.remember(want, person, defects)
	return k.plan(ctx, j.Notice, want)
}

// route is where the notice would start by the present campaign.yaml. What a
// person decided about it stands.
func (k *checker) route(ctx context.Context, n pipeline.Notice, p pipeline.Person) (pipeline.Notice, error) {
	want := n
	byCheck := n.State == pipeline.Held && strings.HasPrefix(n.Reason, checkPrefix)
	if !k.before || n.Role != pipeline.Primary {
		if byCheck {
			want.State, want.Reason = pipeline.Due, ""
			if !k.before && !k.approved[n.Import] {
				want.State, want.Reason = pipeline.Held, reasonApproval
			}
		}
		return want, nil
	}
	r := k.e.spec.ChooseRoute(k.traveller(n, p))
	want.State, want.Channel, want.Reach, want.Reason = r.State, r.Channel, r.Reach, r.Reason
	if r.Both {
		k.twin(n.ID)
	}
	if sender := k.e.spec.SenderFor(n.Products); sender != n.Sender {
		// The sender is part of what was imported: nothing here may change it.
		k.note(letter.Finding{Code: "sender-changed", Severity: letter.Block, File: specFile, Sentence: "sender_of leads to another sender than at the import", Hint: "import the lists again with --replace"})
	}
	if same(n, want) || byCheck {
		return want, nil
	}
	events, err := k.h.ledger.Events(ctx, n.ID)
	if err != nil {
		return n, err
	}
	for _, e := range events {
		if e.Kind == pipeline.EvHeld || e.Kind == pipeline.EvReleased || e.Kind == pipeline.EvExcluded {
			return n, nil
		}
	}
	return want, nil
}

// traveller is what the choice of a channel needs to know, as the import saw it.
func (k *checker) traveller(n pipeline.Notice, p pipeline.Person) pipeline.Traveller {
	t := pipeline.Traveller{
		Flags: n.Flags, Kinds: n.Kinds, Format: n.Format, EmailUsable: p.Email != "", Printable: k.e.press.Printable(p) == nil,
		HasContact: n.Reason != pipeline.ReasonNoContact, Representative: p.Representative != "",
	}
	for _, code := range n.Defects {
		if k.noEmail[code] {
			t.EmailUsable = false
		}
		if k.hold[code] {
			t.Defects = append(t.Defects, code)
		}
	}
	return t
}

// same reports whether two notices stand at the same place for the same reason.
func same(a, b pipeline.Notice) bool {
	return a.State == b.State && a.Channel == b.Channel && a.Reach == b.Reach && a.Reason == b.Reason
}

// inspect renders a notice for its channel and returns what is wrong with it
// alone. What is wrong with the letters is noted for the campaign.
func (k *checker) inspect(ctx context.Context, n pipeline.Notice, p pipeline.Person) ([]letter.Finding, error) {
	at := k.h.clock.Now()
	rendered, err := k.e.renderPerson(ctx, n, p, at)
	if code := pipeline.ErrorCode(err); code == "letter-broken" || code == "letter-missing" {
		// Values cannot break a letter, they are text: it is the letter itself.
		k.note(letter.Finding{Code: code, Severity: letter.Block, Sentence: firstLine(err), Hint: "correct the letter"})
		return nil, nil
	}
	if err != nil {
		return ownFault(err)
	}
	var own []letter.Finding
	for _, f := range k.e.set.LintLetter(rendered.request, rendered.letter) {
		if k.general[[2]string{f.Code, f.Sentence}] {
			continue // said already, of the letter itself
		}
		if f.Severity == letter.Hold {
			own = append(own, f)
		} else {
			k.note(f)
		}
	}
	switch n.Channel {
	case pipeline.Email:
		_, err = k.e.message(rendered, at)
	case pipeline.Post:
		var item postal.Item
		if item, err = k.e.item(rendered, 0); err == nil {
			var size postal.Size
			if size, err = k.e.press.Measure(item); err == nil && goes(n) {
				k.mu.Lock()
				k.pages[rehearsal.Size{Class: size.Class, Pages: size.Pages}]++
				k.mu.Unlock()
			}
		}
	}
	if err != nil {
		fault, err := ownFault(err)
		return append(own, fault...), err
	}
	return own, nil
}

// ownFault turns an error that concerns one customer into a finding; any other
// ends the check.
func ownFault(err error) ([]letter.Finding, error) {
	e, ok := errors.AsType[*pipeline.Error](err)
	if !ok || errors.Is(err, pipeline.ErrAway) {
		return nil, err
	}
	return []letter.Finding{{Code: e.Code, Severity: letter.Hold, Sentence: e.Sentence, Hint: e.Hint}}, nil
}

// note counts a finding about letters or campaign.
func (k *checker) note(f letter.Finding) {
	key := finding{Code: f.Code, File: f.File, Line: f.Line, Sentence: f.Sentence, Hint: f.Hint}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.found[key]++
	k.level[key] = f.Severity
}

// goes reports whether a notice goes out by itself, or will once its import is
// approved: the forecast counts it.
func goes(n pipeline.Notice) bool {
	return n.State == pipeline.Due || n.State == pipeline.Held && n.Reason == reasonApproval
}

// twin notes that a notice wants a paper copy, or has one: what is noted once and
// not twice is at odds.
func (k *checker) twin(notice int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.twins[notice] {
		delete(k.twins, notice)
	} else {
		k.twins[notice] = true
	}
}

// tally counts a notice as it will stand.
func (k *checker) tally(was, is pipeline.Notice, defects []letter.Finding) {
	k.mu.Lock()
	defer k.mu.Unlock()
	r := k.result
	r.Notices++
	for _, kind := range is.Kinds {
		k.stolen[kind] = true
	}
	r.States[string(is.State)]++
	r.Roles[string(is.Role)]++
	r.Channels[string(is.Channel)]++
	for _, code := range is.Defects {
		r.Found[code]++
	}
	if is.State == pipeline.Due || is.State == pipeline.Held {
		r.Rendered++
	}
	if goes(is) && is.Channel == pipeline.Email {
		k.emails[is.Provider]++
	}
	if is.State == pipeline.Held && !strings.HasPrefix(is.Reason, checkPrefix) {
		r.Waiting[is.Reason]++
	}
	if strings.HasPrefix(is.Reason, checkPrefix) && len(defects) > 0 {
		r.Held[defects[0].Code]++
		return
	}
	switch {
	case strings.HasPrefix(was.Reason, checkPrefix):
		r.Released++
	case !same(was, is):
		r.Rerouted++
	}
}

// plan moves a notice to where it should stand.
func (k *checker) plan(ctx context.Context, n, want pipeline.Notice) error {
	if same(n, want) {
		return nil
	}
	now := k.h.clock.Now()
	if want.State == pipeline.Due && n.State != pipeline.Due {
		want.DueAt = now
	}
	want.MovedAt = k.h.real.Now()
	change := pipeline.Move(n, want, pipeline.Event{Kind: pipeline.EvRouted, At: now, Actor: k.h.actor(), Code: want.Reason})
	k.mu.Lock()
	k.moves = append(k.moves, change)
	k.mu.Unlock()
	return k.commit(ctx, false)
}

// commit writes planned moves, in batches. A notice that moved on meanwhile is
// somebody else's by now.
func (k *checker) commit(ctx context.Context, all bool) error {
	k.mu.Lock()
	moves := k.moves
	if len(moves) == 0 || !all && len(moves) < checkBatch {
		k.mu.Unlock()
		return nil
	}
	k.moves = nil
	k.mu.Unlock()
	_, err := k.h.ledger.Commit(ctx, moves)
	return err
}

// findings returns what was noted with a severity, in order of file and line.
func (k *checker) findings(s letter.Severity) []finding {
	list := []finding{}
	for f, n := range k.found {
		if k.level[f] == s {
			f.Count = n
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Sentence, b.Sentence))
	})
	return list
}
