package console

import (
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds rehearsals for programs: a company that deploys at night wants one
// before the morning.

func rehearsalEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns/{name}/rehearsal", "showRehearsal", "The last rehearsal of a campaign, or how far it is.", ActSee, apiRehearsal),
		endpointOf("POST", "/campaigns/{name}/rehearsal/start", "startRehearsal", "Rehearse a campaign; nothing leaves the house. One goes on at a time in the installation.", ActControl, rehearsalDeed(func(v *visit, c pipeline.Campaign, reason string) error {
			return v.ops().Rehearse(v.ctx(), c.Name, reason)
		})),
		endpointOf("POST", "/campaigns/{name}/rehearsal/stop", "stopRehearsal", "Stop the rehearsal of a campaign. It is told within a second.", ActControl, rehearsalDeed(func(v *visit, c pipeline.Campaign, reason string) error {
			return v.ops().StopRehearsal(v.ctx(), c.Name, reason)
		})),
	}
}

// rehearsalLine is a rehearsal, and what came of it.
type rehearsalLine struct {
	Campaign   string           `json:"campaign" eg:"muguet"`
	State      string           `json:"state" enum:"none|running|done|stopped|failed|cut" doc:"cut: its process died."`
	By         string           `json:"by" eg:"user:ina"`
	Reason     string           `json:"reason" eg:"ticket 7"`
	Began      *time.Time       `json:"began"`
	Seen       *time.Time       `json:"seen" doc:"When it was last heard of; its end, once it has ended."`
	Same       bool             `json:"same" doc:"It is of the texts and lists as they are now."`
	Population int64            `json:"population"`
	Settled    int64            `json:"settled"`
	States     map[string]int64 `json:"states"`
	Fault      string           `json:"fault" eg:"disk-full" doc:"Code of why it failed; empty otherwise."`
	Result     *rehearsalFruit  `json:"result" doc:"Null until it is done."`
}

type rehearsalFruit struct {
	Seconds      float64          `json:"seconds" doc:"What it took."`
	Emails       int64            `json:"emails" doc:"In earnest."`
	EmailSeconds float64          `json:"email_seconds" doc:"How long the first e-mails would take in earnest."`
	Letters      int64            `json:"letters" doc:"With those in place of e-mails."`
	Sheets       int64            `json:"sheets"`
	Balance      int64            `json:"balance" doc:"Anything but 0 is a defect."`
	Accepted     int64            `json:"accepted"`
	Refused      int64            `json:"refused"`
	Deferred     int64            `json:"deferred"`
	Bounced      int64            `json:"bounced"`
	Resent       int64            `json:"resent"`
	Dead         int64            `json:"dead" doc:"E-mail addresses."`
	Instead      int64            `json:"instead" doc:"Letters in place of e-mails."`
	Returned     int64            `json:"returned" doc:"Letters that the post brought back."`
	Spoiled      int64            `json:"spoiled"`
	Forged       int64            `json:"forged" doc:"Bounces that were forged, and changed nothing."`
	Held         map[string]int64 `json:"held" doc:"By reason."`
	Unreachable  map[string]int64 `json:"unreachable" doc:"By reason."`
	Breakers     map[string]int64 `json:"breakers" doc:"Those that a person would have had to look into, by reason."`
}

func apiRehearsal(v *visit, _ nothing) (rehearsalLine, error) {
	c, err := v.campaign()
	if err != nil {
		return rehearsalLine{}, err
	}
	return v.rehearsal(c)
}

func (v *visit) rehearsal(c pipeline.Campaign) (rehearsalLine, error) {
	r, err := v.ops().Rehearsal(v.ctx(), c.Name)
	if err != nil {
		return rehearsalLine{}, err
	}
	line := rehearsalLine{
		Campaign: c.Name, State: string(r.State), By: r.By, Reason: r.Reason, Began: instant(r.Began), Seen: instant(r.Seen), Same: r.Same,
		Population: r.Population, Settled: r.Settled, States: counts(r.States),
	}
	if r.State == RehearsalNone {
		line.State = "none"
	}
	if r.Fault != nil {
		line.Fault = r.Fault.Code
	}
	if x := r.Result; x != nil {
		line.Result = &rehearsalFruit{
			Seconds: x.Took.Seconds(), Emails: x.Outlook.Emails, EmailSeconds: x.Outlook.EmailTime.Seconds(), Letters: x.Letters, Sheets: x.Sheets, Balance: x.Balance,
			Accepted: x.Accepted, Refused: x.Refused, Deferred: x.Deferred, Bounced: x.Bounced, Resent: x.Resent, Dead: x.Dead, Instead: x.Instead,
			Returned: x.Returned, Spoiled: x.Spoiled, Forged: x.Forged, Held: orEmpty(x.Held), Unreachable: orEmpty(x.Unreachable), Breakers: orEmpty(x.Released),
		}
	}
	return line, nil
}

// rehearsalDeed answers with the rehearsal as it is then.
func rehearsalDeed(do func(*visit, pipeline.Campaign, string) error) func(*visit, because) (rehearsalLine, error) {
	return func(v *visit, in because) (rehearsalLine, error) {
		c, err := v.campaign()
		if err != nil {
			return rehearsalLine{}, err
		}
		reason, err := v.why(in.Reason)
		if err == nil {
			err = do(v, c, reason)
		}
		if err != nil {
			return rehearsalLine{}, err
		}
		return v.rehearsal(c)
	}
}
