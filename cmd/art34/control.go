package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
)

// campaignArg is the argument that most commands take first.
type campaignArg struct {
	Campaign string `arg:"" help:"Name of the campaign." placeholder:"CAMPAIGN"`
}

// find loads the campaign, or says which there are.
func (c campaignArg) find(ctx context.Context, h *house) (pipeline.Campaign, error) {
	found, err := h.ledger.Campaign(ctx, c.Campaign)
	if !errors.Is(err, pipeline.ErrNotFound) {
		return found, err
	}
	all, err := h.ledger.AllCampaigns(ctx)
	if err != nil {
		return found, err
	}
	hint := "there is none yet; art34 new makes one"
	if len(all) > 0 {
		names := make([]string, len(all))
		for i, x := range all {
			names[i] = x.Name
		}
		hint = "there are " + strings.Join(names, ", ")
	}
	return found, refuse("campaign-unknown", fmt.Sprintf("there is no campaign %q", c.Campaign), hint)
}

type launchCmd struct {
	campaignArg
	At     string `help:"Not before this time, like 2026-01-20T08:00:00+01:00." placeholder:"TIME"`
	Canary int    `help:"Stop for art34 resume after so many e-mails were accepted." placeholder:"N"`

	RelayLater bool `help:"Do not try the relay now: it comes up later, and the service waits for it."`
}

// Help shows examples.
func (launchCmd) Help() string {
	return `The campaign must be approved, its files unchanged since, and a relay configured. The relay is called once, up to the login, without sending anything: one that cannot be reached (exit 3, after 30 s) or that refuses us or offers no STARTTLS (exit 2) is better known now than after the launch. The service (art34 run) does the work.

Examples:

    art34 launch muguet
    art34 launch muguet --canary 200
    art34 launch muguet --at 2026-01-20T08:00:00+01:00
    art34 launch muguet --at 2026-01-20T08:00:00+01:00 --relay-later`
}

// Run launches the campaign.
func (c launchCmd) Run(ctx context.Context, a *app) error {
	at := a.clock.Now()
	if c.At != "" {
		t, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return refuse("usage", fmt.Sprintf("--at %q is not a time like 2026-01-20T08:00:00+01:00", c.At), "the offset after the time is needed: +01:00, or Z for UTC")
		}
		at = t.UTC()
	}
	if c.Canary < 0 {
		return refuse("usage", "--canary is a number of customers", "--canary 200 stops for art34 resume after 200 accepted e-mails")
	}
	if a.Relay == "" {
		return refuse("no-relay", "no relay is configured, so nothing could be sent", "set ART34_RELAY=smtp://user@host:port, or try the campaign with art34 rehearse "+c.Campaign)
	}
	relay, err := a.relay()
	if err != nil {
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
	version, err := h.launchable(ctx, campaign)
	if err != nil {
		return err
	}
	if c.RelayLater {
		a.say("note: the relay was not tried; art34 status says if it cannot be reached")
	} else if err := a.tryRelay(ctx, relay); err != nil {
		return err
	}
	if version.ApprovedBy == a.actor() {
		// A second person will be needed once there are accounts.
		if err := h.ledger.Append(ctx, a.audit(campaign.ID, "launch", "", fmt.Sprintf("version %d is approved and launched by the same person", version.N))); err != nil {
			return err
		}
	}
	if err := h.operations().Launch(ctx, campaign.Name, at, c.Canary); err != nil {
		return notInState(err, campaign)
	}
	return a.answer(map[string]any{"campaign": campaign.Name, "state": pipeline.Running, "version": version.N, "launch_at": at, "canary": c.Canary}, func(w io.Writer) {
		fmt.Fprintf(w, "%s is launched with version %d", campaign.Name, version.N)
		if at.After(a.clock.Now()) {
			fmt.Fprintf(w, ", not before %s", shown(at))
		}
		fmt.Fprintln(w, ".")
		if c.Canary > 0 {
			fmt.Fprintf(w, "It stops for art34 resume after %s.\n", count(int64(c.Canary), "accepted e-mail", "accepted e-mails"))
		}
		fmt.Fprintln(w, "The service does the work: art34 run. To watch: art34 status --watch "+campaign.Name)
	})
}

// tryRelay opens a connection to the relay, as far as the login, and closes it.
func (a *app) tryRelay(ctx context.Context, relay dispatch.Relay) error {
	err := a.wait(ctx, "the relay", func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		conn, err := relay.Dial(ctx)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	own, ok := errors.AsType[*pipeline.Error](err)
	switch {
	case err == nil || !ok:
		return err
	case own.Code == "service-away":
		sentence, cause := "the relay cannot be reached", own.Cause
		if inner, ok := errors.AsType[*pipeline.Error](own.Cause); ok {
			sentence, cause = inner.Sentence, inner.Cause
		}
		return &pipeline.Error{Code: "relay-away", Sentence: sentence + "; nothing was launched", Cause: plainCause(cause), Exit: exitAway,
			Hint: "check that it runs and that ART34_RELAY names it; --relay-later launches without trying it"}
	case own.Permanent:
		return &pipeline.Error{Code: own.Code, Sentence: own.Sentence + "; nothing was launched", Hint: own.Hint, Cause: own.Cause, Permanent: true, Exit: exitUsage}
	}
	return err
}

// plainCause is the first line of a cause, without the words that the sentence says.
func plainCause(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.TrimPrefix(firstLine(err), pipeline.ErrAway.Error()+": "))
}

// launchable returns the version in force, or says why the campaign cannot be
// launched: not approved, files or lists changed since, nobody to inform.
func (h *house) launchable(ctx context.Context, c pipeline.Campaign) (pipeline.Version, error) {
	if c.State != pipeline.Approved {
		if c.State == pipeline.Draft {
			return pipeline.Version{}, decline("not-approved", c.Name+" is not approved", "art34 check "+c.Name+", then art34 approve "+c.Name)
		}
		if c.State != pipeline.Withdrawn {
			return pipeline.Version{}, decline("launched", fmt.Sprintf("%s was launched already, at %s, with version %d; it is %s", c.Name, shown(c.LaunchAt), c.Version, c.State), "art34 status "+c.Name+" shows how far it is; art34 pause and art34 resume control it")
		}
		return pipeline.Version{}, notInState(pipeline.ErrConflict, c)
	}
	v, err := h.ledger.Version(ctx, c.ID, c.Version)
	if err != nil {
		return v, err
	}
	changes, err := h.changedSince(ctx, c, v)
	if err != nil {
		return v, err
	}
	if len(changes) > 0 {
		return v, decline("approval-void", "the approval is void: "+strings.Join(changes, "; ")+" since version "+fmt.Sprint(v.N), "art34 check "+c.Name+", then art34 approve "+c.Name)
	}
	if v.Population == 0 {
		return v, decline("nobody", "there is nobody to inform", "art34 import "+c.Name+" brings the impact list")
	}
	return v, nil
}

// changedSince says in words what is no longer as a version froze it.
func (h *house) changedSince(ctx context.Context, c pipeline.Campaign, v pipeline.Version) ([]string, error) {
	now, _, err := h.folder(c.Name).read()
	if err != nil {
		return nil, err
	}
	then, err := parseContent(v.Content)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, name := range then.changed(now) {
		list = append(list, name+" was changed")
	}
	imports, _, err := h.inForce(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(imports, v.Imports) {
		list = append(list, "the imports were changed")
	}
	return list, nil
}

// inForce returns the ids of the published imports of a campaign that no other
// replaced, and the population that they declare.
func (h *house) inForce(ctx context.Context, campaign int64) (ids []int64, population int64, err error) {
	imports, err := h.ledger.Imports(ctx, campaign)
	for _, i := range imports {
		if !i.PublishedAt.IsZero() && i.ReplacedAt.IsZero() {
			ids = append(ids, i.ID)
			population += i.Manifest.Population
		}
	}
	return ids, population, err
}

type pauseCmd struct {
	campaignArg
	Reason string `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (pauseCmd) Help() string {
	return `Within a second nothing more reaches the relay, except what is on the wire at this moment. Nothing is lost; art34 resume goes on exactly there. Print runs that are assembled stay as they are: art34 print recall takes them back.

` + reasonHelp + `

Example:

    art34 pause muguet --reason "wrong hours of the cell in the letter"`
}

// Run pauses the campaign.
func (c pauseCmd) Run(ctx context.Context, a *app) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	return a.control(ctx, c.campaignArg, func(h *house, x pipeline.Campaign) error {
		return h.operations().Pause(ctx, x.Name, c.Reason)
	})
}

type resumeCmd struct {
	campaignArg
	Reason string `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (resumeCmd) Help() string {
	return `Goes on with the version in force: after a pause with art34 approve of a corrected letter, with the corrected one for everybody who was not written to yet.

` + reasonHelp + `

Example:

    art34 resume muguet --reason "the canary is fine"`
}

// Run resumes the campaign.
func (c resumeCmd) Run(ctx context.Context, a *app) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	return a.control(ctx, c.campaignArg, func(h *house, x pipeline.Campaign) error {
		if x.State == pipeline.Paused {
			h.noteChanges(ctx, x)
		}
		return h.operations().Resume(ctx, x.Name, c.Reason)
	})
}

// noteChanges says when the folder holds what resume will not use.
func (h *house) noteChanges(ctx context.Context, c pipeline.Campaign) {
	v, err := h.ledger.Version(ctx, c.ID, c.Version)
	if err != nil {
		return
	}
	changes, err := h.changedSince(ctx, c, v)
	switch {
	case err != nil:
		h.say("note: the folder of the campaign cannot be compared with version %d: %s", v.N, firstLine(err))
	case len(changes) > 0:
		h.say("note: %s since version %d; it goes on with version %d as approved. To use the change: art34 approve %s, then resume.", strings.Join(changes, "; "), v.N, v.N, c.Name)
	}
}

type cancelCmd struct {
	campaignArg
	Reason string `help:"Why, for the audit trail." placeholder:"TEXT"`
	Yes    bool   `help:"Do it; a cancelled campaign stays cancelled."`
}

// Help shows examples.
func (cancelCmd) Help() string {
	return `What was not sent yet never will be; print runs that were not released are voided. Released ones need a recall. It may be repeated.

` + reasonHelp + `

Example:

    art34 cancel muguet --reason "false alarm" --yes`
}

// Run cancels the campaign.
func (c cancelCmd) Run(ctx context.Context, a *app) error {
	if !c.Yes || c.Reason == "" {
		return refuse("usage", "cancelling is for good: it needs --reason and --yes", "art34 pause "+c.Campaign+" stops it without ending it")
	}
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
	moved, err := h.operations().Cancel(ctx, campaign.Name, c.Reason)
	if err != nil {
		return notInState(err, campaign)
	}
	return a.answer(map[string]any{"campaign": campaign.Name, "state": pipeline.Withdrawn, "cancelled": moved.Moved, "left": moved.Skipped}, func(w io.Writer) {
		fmt.Fprintf(w, "%s is cancelled: %s will never be sent.\n", campaign.Name, count(moved.Moved, "notice", "notices"))
		if moved.Skipped > 0 {
			fmt.Fprintf(w, "Too late for %s, on the wire or at the printer's; art34 status %s shows them.\n", thousands(moved.Skipped), campaign.Name)
		}
	})
}

// turned is what a campaign is after somebody has changed its state.
type turned struct {
	Campaign string                 `json:"campaign"`
	State    pipeline.CampaignState `json:"state"`
	Next     []followUp             `json:"next,omitempty"`
}

// control changes the state of a campaign and says what it is now.
func (a *app) control(ctx context.Context, arg campaignArg, change func(*house, pipeline.Campaign) error) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := arg.find(ctx, h)
	if err != nil {
		return err
	}
	if err := change(h, campaign); err != nil {
		return notInState(err, campaign)
	}
	if campaign, err = arg.find(ctx, h); err != nil {
		return err
	}
	next := nextAfterTurn(campaign)
	return a.answer(turned{campaign.Name, campaign.State, next}, func(w io.Writer) {
		fmt.Fprintf(w, "%s is %s.\n", campaign.Name, campaign.State)
		printNext(w, next)
	})
}

// notInState makes a sentence of a conflict: the state the campaign is in.
func notInState(err error, c pipeline.Campaign) error {
	if !errors.Is(err, pipeline.ErrConflict) {
		return err
	}
	hint := map[pipeline.CampaignState]string{
		pipeline.Draft:     "it has to be approved (art34 check, art34 approve) and launched first",
		pipeline.Approved:  "it has to be launched first: art34 launch " + c.Name,
		pipeline.Running:   "art34 pause " + c.Name + " stops it",
		pipeline.Paused:    "art34 resume " + c.Name + " goes on, art34 cancel " + c.Name + " ends it",
		pipeline.Withdrawn: "a cancelled campaign stays cancelled",
	}[c.State]
	return decline("conflict", fmt.Sprintf("%s is %s", c.Name, c.State), hint)
}
