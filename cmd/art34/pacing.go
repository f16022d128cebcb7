package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

type pacingCmd struct {
	campaignArg
	Rate        *float64          `help:"E-mails per second over all providers; 0: no limit." placeholder:"N"`
	Connections *int              `help:"Connections to the relay at once." placeholder:"N"`
	Window      *int              `help:"Notices marked ahead per connection." placeholder:"N"`
	Hours       *string           `help:"Sending hours, like \"08:00-20:00 Europe/Paris\"; empty: always." placeholder:"SPAN"`
	Providers   string            `help:"default: the shipped limits per mailbox provider; off: none." enum:"default,off,," default:"" placeholder:"default|off"`
	Provider    map[string]string `help:"One provider's rate per second and connections, like orange=20/3." placeholder:"NAME=RATE[/CONNECTIONS]"`
	Reason      string            `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (pacingCmd) Help() string {
	return `Without options it shows the pacing in force. A change holds within a second, also while the campaign runs.

` + reasonHelp + `

Examples:

    art34 pacing muguet
    art34 pacing muguet --rate 200 --hours "08:00-20:00 Europe/Paris"
    art34 pacing muguet --providers default --provider orange=5/2 --reason "their postmaster asked for it"`
}

// Run shows or changes the pacing.
func (c pacingCmd) Run(ctx context.Context, a *app) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := c.find(ctx, h)
	if err != nil {
		return err
	}
	p := campaign.Email
	changed, err := c.change(&p)
	if err != nil {
		return err
	}
	if changed {
		if campaign.State == pipeline.Draft {
			return decline("draft", campaign.Name+" is a draft: its pacing stands in campaign.yaml", "change email: there, or approve first")
		}
		spec, err := h.editions.Spec(ctx, campaign)
		if err != nil {
			return err
		}
		whole := *spec
		whole.Email = p
		if err := whole.Validate(); err != nil {
			return err
		}
		if err := h.operations().SetPacing(ctx, campaign.Name, p, c.Reason); err != nil {
			return err
		}
	}
	return a.answer(pacingView(campaign.Name, p), func(w io.Writer) { printPacing(w, p) })
}

func (c pacingCmd) change(p *pipeline.EmailPolicy) (bool, error) {
	changed := false
	set := func(given bool, do func()) {
		if given {
			changed = true
			do()
		}
	}
	set(c.Rate != nil, func() { p.Rate = *c.Rate })
	set(c.Connections != nil, func() { p.Connections = *c.Connections })
	set(c.Window != nil, func() { p.Window = *c.Window })
	set(c.Hours != nil, func() { p.Hours = *c.Hours })
	set(c.Providers == "default", func() { p.Providers = pipeline.ProviderPolicy{Default: true} })
	set(c.Providers == "off", func() { p.Providers = pipeline.ProviderPolicy{} })
	limits := maps.Clone(p.Providers.Limits)
	if limits == nil {
		limits = map[string]pipeline.ProviderLimit{}
	}
	for name, text := range c.Provider {
		rate, connections, _ := strings.Cut(text, "/")
		var l pipeline.ProviderLimit
		var err error
		if l.Rate, err = strconv.ParseFloat(rate, 64); err == nil && connections != "" {
			l.Connections, err = strconv.Atoi(connections)
		}
		if err != nil {
			return false, refuse("usage", fmt.Sprintf("--provider %s=%s: a rate, or rate/connections, like orange=20/3", name, text), "art34 pacing CAMPAIGN shows the providers that have a limit; 0 is none")
		}
		set(true, func() { limits[name] = l })
	}
	if len(limits) > 0 {
		p.Providers.Limits = limits
	}
	return changed, nil
}

func pacingView(campaign string, p pipeline.EmailPolicy) any {
	type limit struct {
		Rate        float64 `json:"rate"`
		Connections int     `json:"connections"`
		RampFrom    float64 `json:"ramp_from,omitempty"`
		RampOver    string  `json:"ramp_over,omitempty"`
	}
	providers := map[string]limit{}
	for name, l := range p.Providers.InForce() {
		v := limit{Rate: l.Rate, Connections: l.Connections, RampFrom: l.RampFrom}
		if l.RampOver > 0 {
			text, _ := l.RampOver.MarshalText()
			v.RampOver = string(text)
		}
		providers[name] = v
	}
	return map[string]any{"campaign": campaign, "rate": p.Rate, "connections": p.Connections, "window": p.Window, "hours": p.Hours, "providers": providers}
}

func printPacing(w io.Writer, p pipeline.EmailPolicy) {
	orDefault := func(n int) string {
		if n == 0 {
			return "default"
		}
		return fmt.Sprint(n)
	}
	rate, hours := "no limit", p.Hours
	if p.Rate > 0 {
		rate = fmt.Sprintf("%g/s", p.Rate)
	}
	if hours == "" {
		hours = "always"
	}
	fmt.Fprintf(w, "rate %s, connections %s, window %s, hours %s\n", rate, orDefault(p.Connections), orDefault(p.Window), hours)
	limits := p.Providers.InForce()
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		l := limits[name]
		fmt.Fprintf(w, "  %s: %g/s, %s connections", name, l.Rate, orDefault(l.Connections))
		if l.RampOver > 0 {
			text, _ := l.RampOver.MarshalText()
			fmt.Fprintf(w, ", from %g/s over %s", l.RampFrom, text)
		}
		fmt.Fprintln(w)
	}
}
