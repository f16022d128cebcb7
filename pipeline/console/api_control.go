package console

import (
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds what programs do to campaigns. Each answers with the campaign as it
// is then.

func controlEndpoints() []endpoint {
	return []endpoint{
		endpointOf("POST", "/campaigns/{name}/pause", "pause", "Stop sending within a second.", ActPause, deedOf(func(v *visit, c pipeline.Campaign, in because) error {
			return v.ops().Pause(v.ctx(), c.Name, in.Reason)
		})),
		endpointOf("POST", "/campaigns/{name}/resume", "resume", "Go on after a pause or the canary.", ActControl, deedOf(func(v *visit, c pipeline.Campaign, in because) error {
			return v.ops().Resume(v.ctx(), c.Name, in.Reason)
		})),
		endpointOf("POST", "/campaigns/{name}/launch", "launch", "Let an approved campaign go.", ActLaunch, deedOf(apiLaunch)),
		endpointOf("POST", "/campaigns/{name}/pacing", "setPacing", "Change rate, connections and hours; what is left out stays.", ActControl, deedOf(apiPacing)),
		endpointOf("POST", "/campaigns/{name}/pacing/{provider}", "setProviderPacing", "Limit the e-mails to one mailbox provider; what is left out stays. showOutlook says what is left.", ActControl, deedOf(apiProviderPacing)),
		endpointOf("POST", "/campaigns/{name}/breakers/release", "releaseBreaker", "Close a breaker, and send there again.", ActControl, deedOf(apiBreaker)),
		endpointOf("POST", "/campaigns/{name}/hold", "hold", "Stop the notices of customers, or of all with a flag.", ActCohort, apiCohort(Hold)),
		endpointOf("POST", "/campaigns/{name}/release", "release", "Let held notices go on.", ActCohort, apiCohort(Release)),
		endpointOf("POST", "/campaigns/{name}/exclude", "exclude", "Take notices out.", ActCohort, apiCohort(Exclude)),
	}
}

// reasoned is a request that says why.
type reasoned interface{ reason() *string }

type because struct {
	Reason string `json:"reason" max:"300" eg:"ticket 7" doc:"Why; a sentence without names. It goes on record."`
}

func (b *because) reason() *string { return &b.Reason }

// deedOf runs a deed on the campaign that the path names, once its reason is there.
func deedOf[In any, P interface {
	*In
	reasoned
}](do func(*visit, pipeline.Campaign, In) error) func(*visit, In) (campaignStatus, error) {
	return func(v *visit, in In) (campaignStatus, error) {
		c, err := v.campaign()
		if err != nil {
			return campaignStatus{}, err
		}
		text := P(&in).reason()
		if *text, err = v.why(*text); err != nil {
			return campaignStatus{}, err
		}
		if err := do(v, c, in); err != nil {
			return campaignStatus{}, err
		}
		if c, err = v.campaign(); err != nil {
			return campaignStatus{}, err
		}
		return v.status(c)
	}
}

type launchOrder struct {
	Reason string     `json:"reason" max:"300" eg:"ticket 7" doc:"Why now; a sentence without names. It goes on record."`
	At     *time.Time `json:"at,omitempty" doc:"When; now if it is left out."`
	Canary int        `json:"canary,omitempty" doc:"Pause for a resume after so many were accepted; 0: none."`
}

func (b *launchOrder) reason() *string { return &b.Reason }

func apiLaunch(v *visit, c pipeline.Campaign, in launchOrder) error {
	if in.Canary < 0 || in.Canary > 1_000_000 {
		return invalid("canary", "range", "canary is 0 to 1,000,000")
	}
	at := time.Time{}
	if in.At != nil {
		at = *in.At
	}
	return v.ops().Launch(v.ctx(), c.Name, at, in.Canary, in.Reason)
}

type pacingOrder struct {
	Reason      string   `json:"reason" max:"300" eg:"ticket 7" doc:"Why; a sentence without names. It goes on record."`
	Rate        *float64 `json:"rate,omitempty" eg:"20" doc:"E-mails a second over all; 0: no limit."`
	Connections *int     `json:"connections,omitempty"`
	Window      *int     `json:"window,omitempty" doc:"Notices marked ahead per connection."`
	Hours       *string  `json:"hours,omitempty" max:"100" eg:"08:00-20:00 Europe/Paris" doc:"08:00-20:00 Europe/Paris; empty: always."`
	Providers   string   `json:"providers,omitempty" enum:"default|off" doc:"The shipped limits per mailbox provider, or none."`
}

func (b *pacingOrder) reason() *string { return &b.Reason }

func apiPacing(v *visit, c pipeline.Campaign, in pacingOrder) error {
	p := c.Email
	var wrong faults
	if in.Rate != nil {
		if p.Rate = *in.Rate; !(p.Rate >= 0 && p.Rate <= 100_000) {
			wrong = append(wrong, fieldFault{"rate", "range", "rate is 0 to 100,000"})
		}
	}
	if in.Connections != nil {
		if p.Connections = *in.Connections; p.Connections < 0 || p.Connections > 256 {
			wrong = append(wrong, fieldFault{"connections", "range", "connections is 0 to 256"})
		}
	}
	if in.Window != nil {
		if p.Window = *in.Window; p.Window < 0 || p.Window > 1000 {
			wrong = append(wrong, fieldFault{"window", "range", "window is 0 to 1000"})
		}
	}
	if in.Hours != nil {
		p.Hours = *in.Hours
		if _, err := pipeline.ParseHours(p.Hours); err != nil {
			wrong = append(wrong, fieldFault{"hours", "form", "hours are like 08:00-20:00 Europe/Paris"})
		}
	}
	switch in.Providers {
	case "":
	case "default":
		p.Providers.Default = true
	case "off":
		p.Providers = pipeline.ProviderPolicy{}
	default:
		wrong = append(wrong, fieldFault{"providers", "unknown", "providers is default or off"})
	}
	if len(wrong) > 0 {
		return wrong
	}
	return v.ops().SetPacing(v.ctx(), c.Name, p, in.Reason)
}

type providerOrder struct {
	Reason      string   `json:"reason" max:"300" eg:"ticket 7" doc:"Why; a sentence without names. It goes on record."`
	Rate        *float64 `json:"rate,omitempty" eg:"5" doc:"E-mails a second to this provider; 0: no limit of its own."`
	Connections *int     `json:"connections,omitempty" eg:"2" doc:"At once; 0: as many as there are."`
	Ramp        *bool    `json:"ramp,omitempty" doc:"False ends a slow beginning that the limit in force has; one cannot be begun here."`
}

func (b *providerOrder) reason() *string { return &b.Reason }

func apiProviderPacing(v *visit, c pipeline.Campaign, in providerOrder) error {
	provider := v.r.PathValue("provider")
	if _, known := pipeline.DefaultProviderLimits()[provider]; !known {
		return pipeline.ErrNotFound
	}
	l := c.Email.Providers.InForce()[provider]
	ramped := l.RampOver > 0 && l.RampFrom > 0
	var wrong faults
	if in.Rate != nil {
		if l.Rate = *in.Rate; !(l.Rate >= 0 && l.Rate <= 100_000) {
			wrong = append(wrong, fieldFault{"rate", "range", "rate is 0 to 100,000"})
		}
	}
	if in.Connections != nil {
		if l.Connections = *in.Connections; l.Connections < 0 || l.Connections > 256 {
			wrong = append(wrong, fieldFault{"connections", "range", "connections is 0 to 256"})
		}
	}
	if in.Rate == nil && in.Connections == nil && in.Ramp == nil {
		wrong = append(wrong, fieldFault{"rate", "missing", "say what changes: rate, connections or ramp"})
	}
	if in.Ramp != nil && *in.Ramp && !ramped {
		wrong = append(wrong, fieldFault{"ramp", "unknown", "the limit in force does not begin slowly"})
	}
	if len(wrong) > 0 {
		return wrong
	}
	if in.Ramp != nil && !*in.Ramp {
		l.RampFrom, l.RampOver = 0, 0
	}
	l.RampFrom = min(l.RampFrom, l.Rate)
	return v.ops().SetPacing(v.ctx(), c.Name, limiting(c.Email, provider, l), in.Reason)
}

type breakerOrder struct {
	Reason string `json:"reason" max:"300" eg:"ticket 7" doc:"Why; a sentence without names. It goes on record."`
	Scope  string `json:"scope" max:"100" eg:"provider:orange" doc:"As in breakers of the campaign: relay, provider:NAME."`
}

func (b *breakerOrder) reason() *string { return &b.Reason }

func apiBreaker(v *visit, c pipeline.Campaign, in breakerOrder) error {
	f, err := v.Board.Figures(v.ctx(), c)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(f.Breakers, func(b pipeline.Breaker) bool { return b.Scope == in.Scope }) {
		return invalid("scope", "unknown", "no breaker of this scope is open")
	}
	return v.ops().ReleaseBreaker(v.ctx(), c.Name, in.Scope, in.Reason)
}

type cohortOrder struct {
	Reason    string   `json:"reason" max:"300" eg:"ticket 7" doc:"Why; a sentence without names. It goes on record."`
	Customers []string `json:"customers,omitempty" eg:"C10000042" doc:"Customer numbers, 1000 at most; or flag."`
	Flag      string   `json:"flag,omitempty" max:"40" doc:"All customers with this flag."`
}

type cohortResult struct {
	Moved    int64    `json:"moved"`
	Skipped  int64    `json:"skipped" doc:"In a state that does not allow it, or so already."`
	NotFound []string `json:"not_found" doc:"Customer numbers that nobody in the campaign has."`
}

func apiCohort(verb Verb) func(*visit, cohortOrder) (cohortResult, error) {
	return func(v *visit, in cohortOrder) (cohortResult, error) {
		c, err := v.campaign()
		if err != nil {
			return cohortResult{}, err
		}
		if in.Reason, err = v.why(in.Reason); err != nil {
			return cohortResult{}, err
		}
		flags := pipeline.DefaultFlagRules()
		switch _, known := flags[in.Flag]; {
		case (len(in.Customers) == 0) == (in.Flag == ""):
			return cohortResult{}, invalid("customers", "choose", "customers or a flag, and not both")
		case len(in.Customers) > mostNumbers:
			return cohortResult{}, invalid("customers", "range", "at most 1000 customers at once")
		case in.Flag != "" && !known:
			return cohortResult{}, invalid("flag", "unknown", "there is no such flag")
		case slices.ContainsFunc(in.Customers, func(s string) bool { return strings.TrimSpace(s) == "" || len(s) > 200 }):
			return cohortResult{}, invalid("customers", "form", "one of the customer numbers is empty or too long")
		}
		m, err := v.ops().Cohort(v.ctx(), c.Name, verb, Cohort{in.Customers, in.Flag}, in.Reason)
		return cohortResult{m.Moved, m.Skipped, append([]string{}, m.NotFound...)}, err
	}
}
