package main

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/rehearsal"
)

// SetPacing changes rate, connections, hours and the limits of providers.
func (k clerk) SetPacing(ctx context.Context, name string, p pipeline.EmailPolicy, reason string) error {
	c, err := k.paceable(ctx, name, p)
	if err != nil {
		return err
	}
	return notInState(k.h.operations().SetPacing(ctx, name, p, reason), c)
}

// paceable is a campaign whose pacing may become p.
func (k clerk) paceable(ctx context.Context, name string, p pipeline.EmailPolicy) (pipeline.Campaign, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return c, err
	}
	if c.State == pipeline.Draft {
		return c, decline("draft", name+" is a draft: its pacing stands in campaign.yaml", "change email: there")
	}
	spec, err := k.h.editions.Spec(ctx, c)
	if err != nil {
		return c, err
	}
	whole := *spec
	whole.Email = p
	if err := whole.Validate(); err != nil {
		return c, explained(err)
	}
	return c, nil
}

// PaceOutlook says how long what is left would take with a pacing.
func (k clerk) PaceOutlook(ctx context.Context, name string, p pipeline.EmailPolicy) (console.PaceOutlook, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.PaceOutlook{}, err
	}
	load, err := k.h.dueLoad(ctx, c)
	if err != nil {
		return console.PaceOutlook{}, err
	}
	if !c.LaunchAt.IsZero() {
		p.Providers = warmed(p.Providers, k.h.real.Now().Sub(c.LaunchAt))
	}
	f := rehearsal.Predict(rehearsal.Load{Email: load.Email}, rehearsal.Capacity{Policy: p})
	out := console.PaceOutlook{Emails: f.Emails, Time: f.Email}
	for provider, n := range load.Email {
		out.Providers = append(out.Providers, console.ProviderOutlook{Provider: provider, Emails: n, Time: f.Providers[provider]})
	}
	slices.SortFunc(out.Providers, func(a, b console.ProviderOutlook) int {
		return cmp.Or(cmp.Compare(b.Emails, a.Emails), cmp.Compare(a.Provider, b.Provider))
	})
	return out, nil
}

// warmed are the limits as they are some time after the launch: a ramp begins where it
// has come to.
func warmed(p pipeline.ProviderPolicy, since time.Duration) pipeline.ProviderPolicy {
	all := map[string]pipeline.ProviderLimit{}
	for name, l := range p.InForce() {
		if over := time.Duration(l.RampOver); over > 0 && since > 0 {
			l.RampFrom += (l.Rate - l.RampFrom) * min(1, since.Seconds()/over.Seconds())
			l.RampOver = pipeline.Duration(max(0, over-since))
		}
		all[name] = l
	}
	return pipeline.ProviderPolicy{Limits: all}
}
