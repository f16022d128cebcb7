package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

type statusCmd struct {
	Campaign string        `arg:"" optional:"" help:"Name of the campaign; without one: all in a line each." placeholder:"CAMPAIGN"`
	Watch    bool          `help:"Show it again every two seconds until it is settled."`
	Audit    bool          `help:"Count the notices again and follow every notice through its events."`
	Planned  bool          `help:"Show what is planned instead: per day, how many notices for which cause."`
	Every    time.Duration `help:"Pause between two looks of --watch." default:"2s" hidden:""`
}

// Help shows examples.
func (statusCmd) Help() string {
	return `The balance is the population that the imports declared, less the notices in every state. Anything but 0 is a defect, and the command exits 1. --audit also counts the rows again and recomputes every state from its events.

Examples:

    art34 status muguet
    art34 status muguet --watch
    art34 status muguet --planned
    art34 status muguet --audit --json`
}

// status is the answer of the command. Its first fields are relied on by scripts.
type status struct {
	Campaign    string                                        `json:"campaign"`
	State       pipeline.CampaignState                        `json:"state"`
	Population  int64                                         `json:"population"`
	States      map[pipeline.State]int64                      `json:"states"`
	Channels    map[pipeline.Channel]map[pipeline.State]int64 `json:"channels"`
	Supplements account                                       `json:"supplements"`
	Copies      account                                       `json:"copies"`
	Attempts    int64                                         `json:"attempts"`
	Duplicates  int64                                         `json:"duplicates"`
	InDoubt     int64                                         `json:"in_doubt"`
	Balance     int64                                         `json:"balance"`

	PausedFor   string                      `json:"paused_for,omitempty"`
	LaunchAt    *time.Time                  `json:"launch_at,omitempty"`
	Canary      int                         `json:"canary,omitempty"`
	PerSecond   float64                     `json:"per_second"`
	ExpectedEnd *time.Time                  `json:"expected_end,omitempty"`
	Blocked     []blockage                  `json:"blocked"`
	Missing     []string                    `json:"missing"` // services that the running art34 cannot reach; "service" if none runs
	Breakers    []breakerView               `json:"breakers"`
	Versions    []versionView               `json:"versions"`
	Runs        map[pipeline.RunState]int64 `json:"print_runs"`
	Held        map[string]int64            `json:"held"`        // reason → notices
	Unreachable map[string]int64            `json:"unreachable"` // reason → notices
	Outside     outsideView                 `json:"outside"`
	Audit       *auditResult                `json:"audit,omitempty"`
	WayBack     []provenView                `json:"way_back,omitempty"`
	Warnings    []warning                   `json:"warnings,omitempty"`
	Paused      *deedView                   `json:"paused,omitempty"` // who paused it, and why
	Next        []followUp                  `json:"next,omitempty"`   // what a person does next

	settled bool
}

// account is the count of notices beside the population.
type account struct {
	Expected int64                    `json:"expected"`
	States   map[pipeline.State]int64 `json:"states"`
}

// blockage says why due notices do not go.
type blockage struct {
	Code     string `json:"code"`
	Sentence string `json:"sentence"`
	Hint     string `json:"hint,omitempty"`
	Notices  int64  `json:"notices"` // at least, where it is very many
}

type breakerView struct {
	Scope    string     `json:"scope"`
	Reason   string     `json:"reason"`
	Detail   string     `json:"detail"`
	Sentence string     `json:"sentence"`
	Hint     string     `json:"hint"`
	Since    time.Time  `json:"since"`
	Until    *time.Time `json:"until,omitempty"`
}

type versionView struct {
	N          int       `json:"n"`
	ApprovedBy string    `json:"approved_by"`
	ApprovedAt time.Time `json:"approved_at"`
	Attempts   int64     `json:"attempts"`
}

// Run shows the status.
func (c statusCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	if c.Campaign == "" {
		return h.listCampaigns(ctx)
	}
	campaign, err := campaignArg{c.Campaign}.find(ctx, h)
	if err != nil {
		return err
	}
	if c.Planned {
		return h.planned(ctx, campaign)
	}
	if c.Watch {
		return c.watch(ctx, h, campaign)
	}
	s, err := h.statusNext(ctx, campaign)
	if err != nil {
		return err
	}
	if c.Audit {
		if s.Audit, err = h.auditCampaign(ctx, campaign, s.Population); err != nil {
			return err
		}
	}
	if err := a.answer(s, s.print); err != nil {
		return err
	}
	if s.Balance != 0 || s.Audit != nil && !s.Audit.clean() {
		return errNo
	}
	return nil
}

func (h *house) listCampaigns(ctx context.Context) error {
	all, err := h.ledger.AllCampaigns(ctx)
	if err != nil {
		return err
	}
	list := []status{}
	for _, c := range all {
		s, err := h.status(ctx, c)
		if err != nil {
			return err
		}
		list = append(list, *s)
	}
	return h.answer(list, func(w io.Writer) {
		if len(list) == 0 {
			fmt.Fprintln(w, "No campaign yet; art34 new makes one.")
			return
		}
		table(w, func(w io.Writer) {
			fmt.Fprintln(w, "CAMPAIGN\tSTATE\tPOPULATION\tBALANCE")
			for _, s := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", s.Campaign, s.State, thousands(s.Population), s.Balance)
			}
		})
	})
}

// watch shows the status again and again, until it is settled or interrupted.
func (c statusCmd) watch(ctx context.Context, h *house, campaign pipeline.Campaign) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	redraw := isTerminal(h.out) && !h.JSON
	for {
		campaign, err := campaignArg{campaign.Name}.find(ctx, h)
		if err != nil {
			return err
		}
		s, err := h.statusNext(ctx, campaign)
		if err != nil {
			return err
		}
		if redraw {
			fmt.Fprint(h.out, "\x1b[H\x1b[2J")
		}
		if err := h.answer(s, s.print); err != nil {
			return err
		}
		if s.Balance != 0 {
			return errNo
		}
		if s.settled {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(c.Every):
		}
		if !redraw && !h.JSON {
			fmt.Fprintln(h.out)
		}
	}
}

// status reads everything that is known about a campaign by cheap queries.
func (h *house) status(ctx context.Context, c pipeline.Campaign) (*status, error) {
	imports, err := h.ledger.Imports(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	tallies, err := h.ledger.Tally(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	counters, err := h.ledger.Counters(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	b := pipeline.NewBalance(published(imports), tallies)
	s := &status{
		Campaign: c.Name, State: c.State, Population: b.Population, States: b.States, Channels: b.Channels,
		Supplements: account{b.Supplements.Expected, b.Supplements.States}, Copies: account{b.Copies.Expected, b.Copies.States},
		Attempts: counters.Attempts, Duplicates: counters.Again, InDoubt: counters.Doubts, Balance: b.Difference(),
		PausedFor: c.PausedFor, Canary: c.Canary, settled: b.Settled(),
		Runs: map[pipeline.RunState]int64{}, Breakers: []breakerView{}, Versions: []versionView{}, Blocked: []blockage{}, Missing: []string{},
	}
	if !c.LaunchAt.IsZero() {
		s.LaunchAt = &c.LaunchAt
	}
	for _, add := range []func(context.Context, pipeline.Campaign, *status) error{h.addReasons, h.addOutside, h.addRuns, h.addVersions, h.addPace, h.addBlocked, h.addWayBack, h.addWarnings} {
		if err := add(ctx, c, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// statusNext is the status with what comes next, which reads the campaign's folder.
func (h *house) statusNext(ctx context.Context, c pipeline.Campaign) (*status, error) {
	s, err := h.status(ctx, c)
	if err != nil {
		return nil, err
	}
	return s, h.addNext(ctx, c, s)
}

// published are the imports in force.
func published(all []pipeline.Import) []pipeline.Import {
	return slices.DeleteFunc(slices.Clone(all), func(i pipeline.Import) bool { return i.PublishedAt.IsZero() || !i.ReplacedAt.IsZero() })
}

func (h *house) addReasons(ctx context.Context, c pipeline.Campaign, s *status) (err error) {
	if s.Held, err = h.ledger.Reasons(ctx, c.ID, pipeline.Held); err != nil {
		return err
	}
	s.Unreachable, err = h.ledger.Reasons(ctx, c.ID, pipeline.Unreachable)
	return err
}

func (h *house) addRuns(ctx context.Context, c pipeline.Campaign, s *status) error {
	runs, err := h.ledger.Runs(ctx, c.ID)
	for _, r := range runs {
		s.Runs[r.State]++
	}
	return err
}

func (h *house) addVersions(ctx context.Context, c pipeline.Campaign, s *status) error {
	versions, err := h.ledger.Versions(ctx, c.ID)
	if err != nil {
		return err
	}
	per, err := h.ledger.PerVersion(ctx, c.ID)
	for _, v := range versions {
		s.Versions = append(s.Versions, versionView{v.N, v.ApprovedBy, v.ApprovedAt, per[v.N]})
	}
	return err
}

// addPace takes over what the service says of itself.
func (h *house) addPace(ctx context.Context, c pipeline.Campaign, s *status) error {
	p, err := news[pace](ctx, h, fmt.Sprint(metaPace, c.ID))
	if err != nil {
		return err
	}
	now := h.real.Now()
	if now.Sub(p.At) > beatStale || c.State != pipeline.Running {
		return nil
	}
	s.PerSecond = p.PerSecond
	mail := s.Channels[pipeline.Email]
	if left := mail[pipeline.Due] + mail[pipeline.Queued] + mail[pipeline.Sending]; left > 0 && p.PerSecond > 0 {
		end := now.Add(time.Duration(float64(left) / p.PerSecond * float64(time.Second)))
		s.ExpectedEnd = &end
	}
	return nil
}
