package console

import (
	"maps"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds the pace of a campaign: of all of it, and of one mailbox provider.
// Before a change is made the page says when the last e-mail leaves with it.

func pacingRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/pacing", may: ActControl, do: pacingForm},
		{pattern: "POST /campaigns/{name}/pacing", may: ActControl, do: setPacing},
		{pattern: "GET /campaigns/{name}/pacing/{provider}", may: ActControl, do: providerForm},
		{pattern: "POST /campaigns/{name}/pacing/{provider}", may: ActControl, do: setProvider},
	}
}

// pacingData is the form of the pacing as people write it.
type pacingData struct {
	Campaign                               pipeline.Campaign
	Rate, Connections, Window, Hours, Kind string // Kind of limits per provider: default, off, own
	Reason                                 string
	Lines                                  []paceLine
	Now, Then                              PaceOutlook
	Asked                                  bool // what the form says was looked at, and not done yet
}

// paceLine is one mailbox provider: what is left, by which limit it goes, and how long
// that takes now and then.
type paceLine struct {
	Provider  string
	Left      int64
	Limit     pipeline.ProviderLimit
	Limited   bool
	Now, Then time.Duration // 0: no limit of its own
}

func (v *visit) pacingData(c pipeline.Campaign) (pacingData, error) {
	e := c.Email
	d := pacingData{Campaign: c, Rate: decimal(e.Rate), Connections: strconv.Itoa(e.Connections), Window: strconv.Itoa(e.Window), Hours: e.Hours, Kind: "off"}
	if e.Providers.Default {
		d.Kind = "default"
	} else if len(e.Providers.InForce()) > 0 {
		d.Kind = "own"
	}
	var err error
	d.Now, err = v.ops().PaceOutlook(v.ctx(), c.Name, e)
	d.Then = d.Now
	d.Lines = paceLines(e, d.Now, d.Then)
	return d, err
}

// paceLines are the providers that are written to, or limited.
func paceLines(e pipeline.EmailPolicy, now, then PaceOutlook) []paceLine {
	by := map[string]*paceLine{}
	at := func(name string) *paceLine {
		if by[name] == nil {
			by[name] = &paceLine{Provider: name}
		}
		return by[name]
	}
	for name, l := range e.Providers.InForce() {
		at(name).Limit, at(name).Limited = l, true
	}
	for _, p := range now.Providers {
		at(p.Provider).Left, at(p.Provider).Now = p.Emails, p.Time
	}
	for _, p := range then.Providers {
		at(p.Provider).Then = p.Time
	}
	var list []paceLine
	for _, name := range sortedKeys(by) {
		list = append(list, *by[name])
	}
	return list
}

func pacingForm(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	d, err := v.pacingData(c)
	if err != nil {
		return err
	}
	return v.page("pacing", d)
}

func setPacing(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	p := c.Email
	p.Rate, p.Connections, p.Window, p.Hours = v.number("rate", 100_000), int(v.number("connections", 256)), int(v.number("window", 1000)), v.value("hours")
	switch v.value("providers") {
	case "default":
		p.Providers.Default = true
	case "off":
		p.Providers = pipeline.ProviderPolicy{}
	}
	if _, err := pipeline.ParseHours(p.Hours); err != nil {
		v.wrong("hours", "problem.hours")
	}
	look := v.value("do") == "look"
	reason := v.value("reason")
	if !look {
		reason = v.reason()
	}
	if len(v.problems) == 0 && !look {
		if err := v.refused("", v.ops().SetPacing(v.ctx(), c.Name, p, reason)); err != nil {
			return err
		}
	}
	if len(v.problems) == 0 && !look {
		return v.done(campaignPath(c)+"/pacing", "pacing")
	}
	d, err := v.pacingData(c)
	if err != nil {
		return err
	}
	d.Rate, d.Connections, d.Window, d.Hours, d.Kind, d.Reason = v.value("rate"), v.value("connections"), v.value("window"), v.value("hours"), v.value("providers"), reason
	if len(v.problems) > 0 {
		return v.again("pacing", d)
	}
	if d.Then, err = v.ops().PaceOutlook(v.ctx(), c.Name, p); err != nil {
		return err
	}
	d.Lines, d.Asked = paceLines(p, d.Now, d.Then), true
	return v.page("pacing", d)
}

// providerData is the form of one mailbox provider.
type providerData struct {
	Campaign                  pipeline.Campaign
	Provider                  string
	Rate, Connections, Reason string
	Limit                     pipeline.ProviderLimit // in force
	Limited                   bool
	Ramped, Ramp              bool // the limit rises slowly; and goes on doing so
	Line                      paceLine
	Now, Then                 PaceOutlook
	Asked                     bool
}

// providerOf reads the campaign and the provider that the path names.
func (v *visit) providerOf() (providerData, error) {
	c, err := v.campaign()
	d := providerData{Campaign: c, Provider: v.r.PathValue("provider")}
	if err != nil {
		return d, err
	}
	if _, known := pipeline.DefaultProviderLimits()[d.Provider]; !known {
		return d, pipeline.ErrNotFound
	}
	d.Limit, d.Limited = c.Email.Providers.InForce()[d.Provider]
	d.Ramped = d.Limit.RampOver > 0 && d.Limit.RampFrom > 0
	d.Rate, d.Connections, d.Ramp = decimal(d.Limit.Rate), strconv.Itoa(d.Limit.Connections), d.Ramped
	d.Now, err = v.ops().PaceOutlook(v.ctx(), c.Name, c.Email)
	d.Then = d.Now
	return d, err
}

// limiting is a pacing with another limit of one provider.
func limiting(p pipeline.EmailPolicy, provider string, l pipeline.ProviderLimit) pipeline.EmailPolicy {
	p.Providers.Limits = maps.Clone(p.Providers.Limits)
	if p.Providers.Limits == nil {
		p.Providers.Limits = map[string]pipeline.ProviderLimit{}
	}
	p.Providers.Limits[provider] = l
	return p
}

// line compares how long the provider takes now and then.
func (d *providerData) line() {
	for _, l := range paceLines(d.Campaign.Email, d.Now, d.Then) {
		if l.Provider == d.Provider {
			d.Line = l
		}
	}
}

func providerForm(v *visit) error {
	d, err := v.providerOf()
	if err != nil {
		return err
	}
	d.line()
	return v.page("pacing_provider", d)
}

func setProvider(v *visit) error {
	d, err := v.providerOf()
	if err != nil {
		return err
	}
	l := pipeline.ProviderLimit{Rate: v.number("rate", 100_000), Connections: int(v.number("connections", 256))}
	d.Rate, d.Connections, d.Ramp = v.value("rate"), v.value("connections"), d.Ramped && v.value("ramp") == "yes"
	if d.Ramp {
		l.RampFrom, l.RampOver = min(d.Limit.RampFrom, l.Rate), d.Limit.RampOver
	}
	p := limiting(d.Campaign.Email, d.Provider, l)
	look := v.value("do") == "look"
	if d.Reason = v.value("reason"); !look {
		d.Reason = v.reason()
	}
	if len(v.problems) == 0 && !look {
		if err := v.refused("", v.ops().SetPacing(v.ctx(), d.Campaign.Name, p, d.Reason)); err != nil {
			return err
		}
	}
	if len(v.problems) == 0 && !look {
		return v.done(campaignPath(d.Campaign)+"/pacing", "pacing")
	}
	if len(v.problems) > 0 {
		d.line()
		return v.again("pacing_provider", d)
	}
	if d.Then, err = v.ops().PaceOutlook(v.ctx(), d.Campaign.Name, p); err != nil {
		return err
	}
	d.Asked = true
	d.line()
	return v.page("pacing_provider", d)
}
