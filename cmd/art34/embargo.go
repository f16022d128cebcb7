package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

type embargoCmd struct {
	campaignArg
	Until  string   `help:"Time until which it is hidden, like 2026-01-20T08:00:00+01:00." placeholder:"TIME"`
	Add    []string `help:"Accounts (or token:NAME) that may know of it." placeholder:"LOGIN,…"`
	Remove []string `help:"Accounts that may not any more." placeholder:"LOGIN,…"`
	End    bool     `help:"End it now."`
	Reason string   `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (embargoCmd) Help() string {
	return `Until the embargo ends, pages and answers of the console are as if the campaign did not exist, for everyone but its members; for administrators too. It does not hide the campaign from who can read DIR or the ledger. Without options it shows what is in force.

` + reasonHelp + `

Examples:

    art34 embargo muguet
    art34 embargo muguet --until 2026-01-20T08:00:00+01:00 --add o.petit,dpo --reason "press conference at eight"
    art34 embargo muguet --end --reason "announced early"`
}

// embargoView is the embargo of a campaign as it is shown.
type embargoView struct {
	Campaign string     `json:"campaign"`
	InForce  bool       `json:"in_force"`
	Until    *time.Time `json:"until"`
	Members  []string   `json:"members"`
}

// Run shows or changes an embargo.
func (c embargoCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := c.find(ctx, h)
	if err != nil {
		return err
	}
	accounts, err := h.accounts()
	if err != nil {
		return err
	}
	e, err := accounts.Embargo(ctx, campaign.ID)
	if err != nil {
		return err
	}
	if c.Until != "" || len(c.Add) > 0 || len(c.Remove) > 0 || c.End {
		if err := c.change(&e, h.clock.Now()); err != nil {
			return err
		}
		if e.Members, err = accounts.Members(ctx, e.Members); err != nil {
			return err
		}
		if e, err = accounts.SetEmbargo(ctx, a.actor(), e, c.Reason); err != nil {
			return err
		}
	}
	v := embargoView{Campaign: campaign.Name, InForce: h.clock.Now().Before(e.Until), Members: e.Members}
	if v.Members == nil {
		v.Members = []string{}
	}
	if !e.Until.IsZero() {
		v.Until = &e.Until
	}
	return a.answer(v, func(w io.Writer) {
		if !v.InForce {
			fmt.Fprintf(w, "%s: no embargo is in force\n", v.Campaign)
			return
		}
		fmt.Fprintf(w, "%s is hidden until %s from everyone but %s\n", v.Campaign, v.Until.Local().Format(time.RFC3339), strings.Join(v.Members, ", "))
	})
}

// change makes of e what the options say.
func (c embargoCmd) change(e *pipeline.Embargo, now time.Time) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	if c.End {
		if c.Until != "" || len(c.Add)+len(c.Remove) > 0 {
			return refuse("usage", "--end ends the embargo; the other options go on with it", "")
		}
		e.Until = time.Time{}
		return nil
	}
	if c.Until != "" {
		t, err := time.Parse(time.RFC3339, c.Until)
		if err != nil {
			return refuse("usage", "--until is not a time like 2026-01-20T08:00:00+01:00", "the offset after the time is needed: +01:00, or Z for UTC")
		}
		e.Until = t.UTC()
	}
	if !now.Before(e.Until) {
		return refuse("usage", "no embargo is in force, and --until names no time to come", "--until 2026-01-20T08:00:00+01:00")
	}
	e.Members = slices.DeleteFunc(append(slices.Clone(e.Members), c.Add...), func(m string) bool { return slices.Contains(c.Remove, m) })
	return nil
}

// firstEmbargo is the embargo that a campaign.yaml asks for; its Until is zero if
// none. Whoever makes the campaign on the console is a member.
func (h *house) firstEmbargo(ctx context.Context, spec *pipeline.Spec) (pipeline.Embargo, error) {
	if spec.Embargo.Until == "" {
		return pipeline.Embargo{}, nil
	}
	until, err := time.Parse(time.RFC3339, spec.Embargo.Until)
	if err != nil {
		return pipeline.Embargo{}, err // Validate has seen it
	}
	members := slices.Clone(spec.Embargo.Members)
	if h.acts != "" {
		members = append(members, strings.TrimPrefix(h.acts, "user:"))
	}
	accounts, err := h.accounts()
	if err != nil {
		return pipeline.Embargo{}, err
	}
	if members, err = accounts.Members(ctx, members); err != nil {
		return pipeline.Embargo{}, err
	}
	return pipeline.Embargo{Until: until.UTC(), Members: members}, nil
}

// begin puts a new campaign under its embargo.
func (h *house) begin(ctx context.Context, c pipeline.Campaign, e pipeline.Embargo) error {
	if e.Until.IsZero() {
		return nil
	}
	accounts, err := h.accounts()
	if err != nil {
		return err
	}
	e.Campaign = c.ID
	_, err = accounts.SetEmbargo(ctx, h.actor(), e, "campaign.yaml")
	return err
}
