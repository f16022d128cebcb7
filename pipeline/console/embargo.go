package console

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds who may know of a campaign before the world does.

func embargoRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/embargo", may: ActPrepare, do: embargoForm},
		{pattern: "POST /campaigns/{name}/embargo", may: ActPrepare, do: setEmbargo},
	}
}

// hidden are the campaigns that whoever asks must not know of now. They are read for
// each question: who was let out a moment ago sees nothing more.
func (v *visit) hidden() (map[int64]bool, error) {
	all, err := v.Ledger.Embargoes(v.ctx())
	if err != nil {
		return nil, err
	}
	hidden := map[int64]bool{}
	for _, e := range all {
		if e.Hides(v.actor(), v.Clock.Now()) {
			hidden[e.Campaign] = true
		}
	}
	return hidden, nil
}

// Embargo returns the embargo of a campaign; its Gen is 0 if there never was one.
func (a *Accounts) Embargo(ctx context.Context, campaign int64) (pipeline.Embargo, error) {
	all, err := a.Users.Embargoes(ctx)
	for _, e := range all {
		if e.Campaign == campaign {
			return e, err
		}
	}
	return pipeline.Embargo{Campaign: campaign}, err
}

// Members makes a list of members: each is there already, as an account or a token.
// A login that nobody has yet could become that of anybody.
func (a *Accounts) Members(ctx context.Context, members []string) ([]string, error) {
	users, err := a.Users.AllUsers(ctx)
	if err != nil {
		return nil, err
	}
	tokens, err := a.Users.AllTokens(ctx)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, u := range users {
		there[u.Login] = true
	}
	for _, t := range tokens {
		there[t.Actor()] = true
	}
	list := []string{}
	for _, m := range members {
		m = strings.ToLower(strings.TrimSpace(m))
		if !pipeline.ValidMember(m) || !there[m] {
			return nil, refuse("member-unknown", "one of the members is neither an account nor a token that there is", "make the account first: a login that nobody has yet could become anybody's")
		}
		list = append(list, m)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// SetEmbargo hides a campaign until a time from everyone but its members; the zero
// time ends that. e is as Embargo returned it.
func (a *Accounts) SetEmbargo(ctx context.Context, actor string, e pipeline.Embargo, reason string) (pipeline.Embargo, error) {
	detail := "ended"
	if !e.Until.IsZero() {
		detail = "until " + e.Until.UTC().Format(time.RFC3339) + ", members " + strings.Join(e.Members, ",")
		if len(e.Members) == 0 {
			return e, refuse("embargo-nobody", "an embargo without members hides the campaign from everybody", "name at least one")
		}
	}
	e, err := a.Users.SetEmbargo(ctx, e, pipeline.Audit{Campaign: e.Campaign, At: a.Clock.Now(), Actor: actor, Action: "embargo", Reason: reason, Detail: detail})
	if errors.Is(err, pipeline.ErrStale) {
		err = &pipeline.Error{Code: "embargo-busy", Sentence: "somebody else has just changed this embargo", Hint: "look at it again", Cause: err}
	}
	return e, err
}

// embargoData is the form of an embargo, as people write it.
type embargoData struct {
	Campaign pipeline.Campaign
	InForce  bool
	Until    string // in the zone of the page; "" ends it
	Members  string // one a line
	Ends     time.Time
}

// formTime is how a browser writes a date and time in a form.
const formTime = "2006-01-02T15:04"

func (v *visit) embargo() (pipeline.Campaign, pipeline.Embargo, error) {
	c, err := v.campaign()
	if err != nil {
		return c, pipeline.Embargo{}, err
	}
	e, err := v.Accounts.Embargo(v.ctx(), c.ID)
	return c, e, err
}

func embargoForm(v *visit) error {
	c, e, err := v.embargo()
	if err != nil {
		return err
	}
	d := embargoData{Campaign: c, InForce: v.Clock.Now().Before(e.Until), Members: strings.Join(e.Members, "\n"), Ends: e.Until}
	if d.InForce {
		d.Until = e.Until.In(v.zone()).Format(formTime)
	}
	if d.Members == "" {
		d.Members = v.user.Login
	}
	return v.page("embargo", d)
}

func setEmbargo(v *visit) error {
	c, e, err := v.embargo()
	if err != nil {
		return err
	}
	d := embargoData{Campaign: c, InForce: v.Clock.Now().Before(e.Until), Until: v.value("until"), Members: v.text("members", 5000), Ends: e.Until}
	e.Until = time.Time{}
	if d.Until != "" {
		if e.Until, err = time.ParseInLocation(formTime, d.Until, v.zone()); err != nil {
			v.wrong("until", "problem.time")
		}
	}
	members, err := v.Accounts.Members(v.ctx(), strings.FieldsFunc(d.Members, func(r rune) bool { return strings.ContainsRune(", ;\n\t", r) }))
	if err := v.refused("members", err); err != nil {
		return err
	}
	e.Members = members
	if err == nil && e.Hides(v.user.Actor(), v.Clock.Now()) {
		v.wrong("members", "problem.embargo_self")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		_, err := v.Accounts.SetEmbargo(v.ctx(), v.user.Actor(), e, reason)
		if err := v.refused("members", err); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again("embargo", d)
	}
	return v.done(campaignPath(c), "embargo")
}
