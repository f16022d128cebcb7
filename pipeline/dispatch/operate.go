package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// Operations is what people may do to campaigns, notices and print runs. It works
// on the ledger alone, so that any process may use it beside a running service,
// which follows within a second. Errors are *pipeline.Error.
type Operations struct {
	Ledger Ledger
	Specs  Specs
	Press  Press       // to destroy the files of voided runs; may be nil
	Clock  clock.Clock // of the business
	Real   clock.Clock
	Actor  string // "user:…" in events and the audit trail
}

// Launch starts an approved campaign at a time (zero: now) and, with canary above
// 0, has it pause after so many were accepted.
func (o Operations) Launch(ctx context.Context, name string, at time.Time, canary int) error {
	if canary < 0 {
		return &pipeline.Error{Code: "canary-negative", Permanent: true, Exit: 2, Sentence: "a canary is a number of notices above 0"}
	}
	now := o.Clock.Now()
	if at.IsZero() || at.Before(now) {
		at = now
	}
	detail := at.Format(time.RFC3339)
	if canary > 0 {
		detail += " canary " + strconv.Itoa(canary)
	}
	return o.turn(ctx, name, "launch", "", detail, func(c *pipeline.Campaign) (bool, error) {
		switch c.State {
		case pipeline.Approved:
			c.State, c.LaunchAt, c.Canary, c.PausedFor = pipeline.Running, at, canary, ""
			return true, nil
		case pipeline.Draft:
			return false, state(c, "is not approved", "art34 approve "+c.Name+" comes first")
		case pipeline.Withdrawn:
			return false, state(c, "was cancelled", "art34 new makes another campaign")
		}
		return false, state(c, "was launched already", "art34 pause and art34 resume control it")
	})
}

// Pause stops a running campaign: within a second nothing more leaves. A campaign
// that is paused stays so.
func (o Operations) Pause(ctx context.Context, name, reason string) error {
	return o.turn(ctx, name, "pause", reason, "", func(c *pipeline.Campaign) (bool, error) {
		switch c.State {
		case pipeline.Running:
			c.State, c.PausedFor = pipeline.Paused, "operator"
			return true, nil
		case pipeline.Paused:
			return false, nil
		}
		return false, state(c, "does not run", "")
	})
}

// Resume goes on with a paused campaign; after a canary, with all of it.
func (o Operations) Resume(ctx context.Context, name, reason string) error {
	return o.turn(ctx, name, "resume", reason, "", func(c *pipeline.Campaign) (bool, error) {
		switch c.State {
		case pipeline.Paused:
			if c.PausedFor == BlockCanary {
				c.Canary = 0
			}
			c.State, c.PausedFor = pipeline.Running, ""
			return true, nil
		case pipeline.Running:
			return false, nil
		}
		return false, state(c, "is not paused", "")
	})
}

// SetPacing replaces connections, window, rates, hours and breaker thresholds,
// also while the campaign runs.
func (o Operations) SetPacing(ctx context.Context, name string, p pipeline.EmailPolicy, reason string) error {
	return o.setPacing(ctx, name, "pacing", p, reason)
}

// AdoptPacing is SetPacing for what an approval takes over from campaign.yaml: the
// record does not say that the approver turned a knob.
func (o Operations) AdoptPacing(ctx context.Context, name string, p pipeline.EmailPolicy) error {
	return o.setPacing(ctx, name, "pacing-adopted", p, "")
}

func (o Operations) setPacing(ctx context.Context, name, action string, p pipeline.EmailPolicy, reason string) error {
	if _, err := pipeline.ParseHours(p.Hours); err != nil || p.Rate < 0 || p.Connections < 0 || p.Window < 0 {
		return &pipeline.Error{Code: "pacing-invalid", Permanent: true, Exit: 2, Sentence: "this pacing cannot be used", Hint: "rates and numbers are above 0, hours look like 08:00-20:00 Europe/Paris", Cause: err}
	}
	return o.turn(ctx, name, action, reason, pacingDetail(p), func(c *pipeline.Campaign) (bool, error) {
		if c.State == pipeline.Withdrawn {
			return false, state(c, "was cancelled", "")
		}
		c.Email = p
		return true, nil
	})
}

// pacingDetail is a pacing for the trail: whoever asks later why it was slow on a day
// reads what was in force.
func pacingDetail(p pipeline.EmailPolicy) string {
	s := fmt.Sprintf("rate %g connections %d window %d", p.Rate, p.Connections, p.Window)
	if p.Hours != "" {
		s += " hours " + p.Hours
	}
	limits := p.Providers.InForce()
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		s += fmt.Sprintf(" %s %g/%d", name, limits[name].Rate, limits[name].Connections)
	}
	return s
}

// Cancel ends a campaign: print runs that were not released are voided and
// everything that was not sent is cancelled. It may be repeated; a running service
// finishes what an interrupted one left.
func (o Operations) Cancel(ctx context.Context, name, reason string) (Moved, error) {
	err := o.turn(ctx, name, "cancel", reason, "", func(c *pipeline.Campaign) (bool, error) {
		again := c.State == pipeline.Withdrawn
		c.State, c.PausedFor = pipeline.Withdrawn, ""
		return !again, nil
	})
	if err != nil {
		return Moved{}, err
	}
	c, err := o.Ledger.Campaign(ctx, name)
	if err != nil {
		return Moved{}, o.explain(err, name)
	}
	runs, err := o.Ledger.Runs(ctx, c.ID)
	for _, r := range runs {
		if r.State == pipeline.RunFilling || r.State == pipeline.RunCut || r.State == pipeline.RunAssembled {
			// One that is released at this very moment stays with the print shop.
			if _, err := o.VoidRun(ctx, r.ID, "campaign-cancelled"); err != nil && !conflict(err) {
				return Moved{}, err
			}
		}
	}
	if err != nil {
		return Moved{}, o.explain(err, name)
	}
	n, err := o.hand().cancelAll(ctx, c.ID, o.Actor)
	return Moved{Moved: n}, o.explain(err, name)
}

// ReleaseBreaker closes a breaker of a campaign: "relay", "provider:NAME",
// "import:ID", "kind:CODE". Whoever does has looked: what comes back is counted
// from nothing again. What the breaker held, or waits for a repair, goes on as soon
// as a service runs.
func (o Operations) ReleaseBreaker(ctx context.Context, name, scope, reason string) error {
	c, err := o.Ledger.Campaign(ctx, name)
	if err != nil {
		return o.explain(err, name)
	}
	open, err := o.Ledger.Breakers(ctx, c.ID)
	if err != nil {
		return o.explain(err, name)
	}
	var scopes []string
	for _, b := range open {
		if b.Scope == scope {
			if err := o.forgive(ctx, c.ID, b); err != nil {
				return o.explain(err, name)
			}
			return o.explain(o.Ledger.CloseBreaker(ctx, c.ID, scope, o.audit(c.ID, "breaker-release", reason, scope+": "+b.Reason)), name)
		}
		scopes = append(scopes, b.Scope)
	}
	hint := "no breaker is open"
	if len(scopes) > 0 {
		hint = "open: " + strings.Join(scopes, ", ")
	}
	return &pipeline.Error{Code: "breaker-unknown", Permanent: true, Sentence: "no breaker " + scope + " is open in campaign " + name, Hint: hint}
}

// turn changes a campaign by compare-and-set on its state. decide reports whether
// there is anything to write.
func (o Operations) turn(ctx context.Context, name, action, reason, detail string, decide func(*pipeline.Campaign) (bool, error)) error {
	for range 5 {
		c, err := o.Ledger.Campaign(ctx, name)
		if err != nil {
			return o.explain(err, name)
		}
		from := []pipeline.CampaignState{c.State}
		write, err := decide(&c)
		if err != nil || !write {
			return err
		}
		err = o.Ledger.UpdateCampaign(ctx, c, from, o.audit(c.ID, action, reason, detail))
		if !conflict(err) {
			return o.explain(err, name)
		}
	}
	return &pipeline.Error{Code: "campaign-busy", Sentence: "campaign " + name + " is being changed by somebody else", Hint: "try again", Cause: pipeline.ErrConflict}
}

func (o Operations) audit(campaign int64, action, reason, detail string) pipeline.Audit {
	return pipeline.Audit{Campaign: campaign, At: o.Clock.Now(), Actor: o.Actor, Action: action, Reason: reason, Detail: detail}
}

// state is the answer to an operation that the campaign's state does not allow.
func state(c *pipeline.Campaign, is, hint string) error {
	return &pipeline.Error{Code: "campaign-state", Permanent: true, Sentence: "campaign " + c.Name + " " + is, Hint: hint, Cause: pipeline.ErrConflict}
}

// explain makes a sentence of what the ledger answers.
func (o Operations) explain(err error, campaign string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*pipeline.Error](err); ok {
		return err
	}
	switch {
	case errors.Is(err, pipeline.ErrNotFound):
		return &pipeline.Error{Code: "campaign-unknown", Permanent: true, Sentence: "there is no campaign " + campaign, Hint: "art34 status lists them", Cause: err}
	case away(err):
		return &pipeline.Error{Code: "ledger-away", Exit: 3, Sentence: "the ledger cannot be reached", Cause: err}
	}
	return &pipeline.Error{Code: "ledger", Sentence: "the ledger refused", Cause: err}
}

// hand moves notices for this person.
func (o Operations) hand() hand { return hand{o.Ledger, o.Clock, o.Real} }
