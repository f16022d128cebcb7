package dispatch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// When the governor speaks up. Shares are of the e-mails that were answered since a
// person last released a cohort.
const (
	warnShare = 0.05 // failed: it warns
	oursShare = 0.05 // came back because of us: a provider's breaker
)

const actorGovernor = "governor"

// governor watches what comes back, over hours and restarts: its counts are the
// ledger's. Where too many addresses of a provider, an import or a contract kind
// are called dead, that cohort is held until a person has looked; where a provider
// sends back what it took because of us, its breaker opens. It also sees to
// what such a stop leaves behind.
type governor struct {
	s      *Service
	lead   *lease
	warned map[string]bool
	rest   map[int64]time.Duration // by campaign, when its rows may be read again
}

func newGovernor(s *Service, lead *lease) *governor {
	return &governor{s: s, lead: lead, warned: map[string]bool{}, rest: map[int64]time.Duration{}}
}

func (g *governor) run(ctx context.Context) { g.s.every(ctx, g.s.Times.Govern, nil, g.tick) }

func (g *governor) tick(ctx context.Context) {
	v := g.s.control.current()
	if !g.lead.held() || v == nil {
		return
	}
	var err error
	for _, k := range v.campaigns {
		if err == nil && k.State == pipeline.Running {
			err = g.campaign(ctx, k)
		}
	}
	g.s.reached(ctx, "ledger", err)
}

func (g *governor) campaign(ctx context.Context, k *campaign) error {
	since, looked, err := counts(ctx, g.s.Ledger, k.ID)
	if err != nil {
		return err
	}
	g.warn(k, since)
	if v := judge(k.breakers, since, looked, k.Email.Breaker.Refusals); len(v) > 0 {
		g.s.trip(ctx, k, v)
		if now := g.s.control.campaign(k.ID); now != nil {
			k = now
		}
	}
	return g.tidy(ctx, k)
}

// warn says once what many come back from.
func (g *governor) warn(k *campaign, since []pipeline.Answers) {
	for _, a := range since {
		key := fmt.Sprint(k.ID, " ", a.Scope)
		switch {
		case !TooMany(a):
			delete(g.warned, key)
		case !g.warned[key]:
			g.warned[key] = true
			g.s.Log.Warn("many e-mails come back", "campaign", k.ID, "scope", a.Scope, "answered", a.Sent(), "failed", a.Failed(), "dead", a.Dead)
		}
	}
}

// TooMany reports whether so much of a scope comes back that a person should know.
func TooMany(a pipeline.Answers) bool {
	return a.Sent() >= deadLeast && float64(a.Failed()) >= warnShare*float64(a.Sent())
}

// judge returns the breakers to open. The worst scope comes first. What a scope that
// is held explains is not counted against another that it may overlap: a provider
// that calls everybody dead does not stop the import it is part of. A share that a
// person has looked at is held again only if it gets half as bad again.
func judge(open []pipeline.Breaker, since, looked []pipeline.Answers, refusals int) (out []verdict) {
	if refusals == 0 {
		refusals = defaultRefusals
	}
	isOpen := func(scope string) bool {
		return slices.ContainsFunc(open, func(b pipeline.Breaker) bool { return b.Scope == scope })
	}
	list := slices.DeleteFunc(slices.Clone(since), func(a pipeline.Answers) bool { return dimension(a.Scope) == "" })
	slices.SortStableFunc(list, func(a, b pipeline.Answers) int { return cmp.Compare(share(b.Dead, b), share(a.Dead, a)) })
	held := map[string]int64{} // dimension → dead addresses of what is held in it
	for _, a := range list {
		if isOpen(a.Scope) {
			held[dimension(a.Scope)] += a.Dead
		}
	}
	for _, a := range list {
		if isOpen(a.Scope) {
			continue
		}
		dead := a.Dead
		for d, n := range held {
			if d != dimension(a.Scope) {
				dead -= n
			}
		}
		most := deadShare
		if i := slices.IndexFunc(looked, func(b pipeline.Answers) bool { return b.Scope == a.Scope }); i >= 0 {
			most = max(most, 1.5*share(looked[i].Dead, looked[i]))
		}
		switch {
		case a.Sent() >= deadLeast && float64(dead) > most*float64(a.Sent()):
			held[dimension(a.Scope)] += a.Dead
			out = append(out, verdict{scope: a.Scope, reason: BlockDeadShare, detail: fmt.Sprintf("%d of %d addresses were called dead", a.Dead, a.Sent())})
		case dimension(a.Scope) == scopeProvider && a.Ours >= int64(refusals) && share(a.Ours, a) >= oursShare:
			out = append(out, verdict{scope: a.Scope, reason: BlockProvider, detail: fmt.Sprintf("%d of %d e-mails came back because of us", a.Ours, a.Sent())})
		}
	}
	return out
}

func share(n int64, of pipeline.Answers) float64 { return float64(n) / float64(max(of.Sent(), 1)) }

// dimension is what a scope is one of, "" for what is no cohort.
func dimension(scope string) string {
	for _, d := range []string{scopeProvider, scopeImport, scopeKind} {
		if strings.HasPrefix(scope, d) && len(scope) > len(d) {
			return d
		}
	}
	return ""
}

// metaBaseline is where a campaign's answers stand that a person has looked at.
const metaBaseline = "governor/" // + id of the campaign

// reader is what the counts are read from.
type reader interface {
	Answers(ctx context.Context, campaign int64) ([]pipeline.Answers, error)
	Meta(ctx context.Context, key string) (string, error)
}

// Since returns what became of the e-mails of a campaign since a person last
// released a cohort, per scope.
func Since(ctx context.Context, l reader, campaign int64) ([]pipeline.Answers, error) {
	since, _, err := counts(ctx, l, campaign)
	return since, err
}

// counts returns what was counted since a person last looked, and until then.
func counts(ctx context.Context, l reader, campaign int64) (since, looked []pipeline.Answers, err error) {
	all, err := l.Answers(ctx, campaign)
	if err != nil || len(all) == 0 {
		return nil, nil, err
	}
	text, err := l.Meta(ctx, fmt.Sprint(metaBaseline, campaign))
	if err != nil || text == "" {
		return all, nil, err
	}
	if err := json.Unmarshal([]byte(text), &looked); err != nil {
		return nil, nil, fmt.Errorf("%s%d: %w", metaBaseline, campaign, err)
	}
	for i, a := range all {
		if k := slices.IndexFunc(looked, func(b pipeline.Answers) bool { return b.Scope == a.Scope }); k >= 0 {
			all[i] = a.Less(looked[k])
		}
	}
	return all, looked, nil
}

// forgive remembers where the counts stand.
func (o Operations) forgive(ctx context.Context, campaign int64, b pipeline.Breaker) error {
	if dimension(b.Scope) == "" {
		return nil
	}
	all, err := o.Ledger.Answers(ctx, campaign)
	if err != nil {
		return err
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if b.Reason == BlockProvider {
		if err := o.resend(ctx, campaign, strings.TrimPrefix(b.Scope, scopeProvider)); err != nil {
			return err
		}
	}
	_, err = o.Ledger.SetMeta(ctx, fmt.Sprint(metaBaseline, campaign), string(text), false)
	return err
}

// resend brings forward what waits for the repair of which somebody now says that it
// is done.
func (o Operations) resend(ctx context.Context, campaign int64, provider string) error {
	f := pipeline.Filter{Campaign: campaign, States: []pipeline.State{pipeline.Due}, Reason: pipeline.ReasonOurs}
	waits := func(n pipeline.Notice) bool {
		return n.State == pipeline.Due && n.Provider == provider && n.DueAt.After(o.Clock.Now())
	}
	_, _, err := o.hand().some(ctx, f, waits, func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		if !waits(n) {
			return pipeline.DefaultPolicy(), pipeline.Event{} // it has moved on meanwhile
		}
		return pipeline.DefaultPolicy(), pipeline.Event{Kind: pipeline.EvReleased, Actor: o.Actor, Code: "breaker-released"}
	})
	return err
}

// tidy holds the notices of cohorts that are stopped, lets those go that are
// not any more, and gives up on resends whose deadline passed behind a breaker. It
// reads rows, so it rests fifty times as long as it takes.
func (g *governor) tidy(ctx context.Context, k *campaign) error {
	if g.s.elapsed() < g.rest[k.ID] {
		return nil
	}
	began := g.s.elapsed()
	held, err := g.s.Ledger.Reasons(ctx, k.ID, pipeline.Held)
	if err != nil {
		return err
	}
	for reason, n := range held {
		scope, ok := strings.CutPrefix(reason, pipeline.ReasonBounces)
		if !ok || n == 0 || k.breaker(scope) != nil {
			continue
		}
		_, moved, err := g.s.hand().each(ctx, pipeline.Filter{Campaign: k.ID, States: []pipeline.State{pipeline.Held}, Reason: reason}, func(pipeline.Notice) (pipeline.Policy, pipeline.Event) {
			return k.policy, pipeline.Event{Kind: pipeline.EvReleased, Actor: actorGovernor, Code: "cohort-released"}
		})
		if err != nil {
			return err
		}
		g.s.Log.Info("a cohort goes on", "campaign", k.ID, "scope", scope, "notices", moved)
	}
	stopped := slices.ContainsFunc(k.breakers, func(b pipeline.Breaker) bool { return b.Until.IsZero() })
	if stopped {
		if err := g.stop(ctx, k); err != nil {
			return err
		}
	}
	g.rest[k.ID] = g.s.elapsed() + max(g.s.Times.Govern, 50*(g.s.elapsed()-began))
	return nil
}

// stop holds what belongs to a cohort that is stopped, and ends the waiting of
// resends whose deadline has passed.
func (g *governor) stop(ctx context.Context, k *campaign) error {
	now := g.s.Clock.Now()
	what := func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		if b := k.cohort(n); b != nil && (n.State == pipeline.Due || n.State == pipeline.Queued) {
			return k.policy, pipeline.Event{Kind: pipeline.EvHeld, Actor: actorGovernor, Code: pipeline.ReasonBounces + b.Scope}
		}
		if k.policy.Overdue(n, now) && (k.provider(n.Provider) != "" || k.breaker(scopeRelay) != nil) {
			return k.policy, pipeline.Event{Attempt: n.Attempt, Kind: pipeline.EvOverdue, Actor: actorClock, Code: pipeline.ReasonDeadline}
		}
		return k.policy, pipeline.Event{}
	}
	reasons := []string{pipeline.ReasonOurs, pipeline.ReasonTransient}
	if slices.ContainsFunc(k.breakers, func(b pipeline.Breaker) bool {
		return strings.HasPrefix(b.Scope, scopeImport) || strings.HasPrefix(b.Scope, scopeKind)
	}) {
		reasons = []string{""} // all of them
	}
	for _, reason := range reasons {
		f := pipeline.Filter{Campaign: k.ID, States: []pipeline.State{pipeline.Due, pipeline.Queued}, Reason: reason}
		concerned := func(n pipeline.Notice) bool { _, e := what(n); return e.Kind != "" }
		if _, _, err := g.s.hand().some(ctx, f, concerned, what); err != nil {
			return err
		}
	}
	return nil
}
