package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
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

func (s *status) print(w io.Writer) {
	fmt.Fprintf(w, "%s is %s", s.Campaign, s.State)
	if s.PausedFor != "" {
		fmt.Fprintf(w, " (%s)", s.PausedFor)
	}
	if s.LaunchAt != nil && s.State == pipeline.Running && s.LaunchAt.After(time.Now()) {
		fmt.Fprintf(w, " from %s", shown(*s.LaunchAt))
	}
	fmt.Fprintf(w, ": %s to inform\n", count(s.Population, "customer", "customers"))
	if p := s.Paused; p != nil {
		fmt.Fprintf(w, "Paused by %s at %s: %s\n", p.By, shown(p.At), cmp.Or(p.Reason, "no reason was given"))
	}
	fmt.Fprintln(w)
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "\tEMAIL\tPOST\tNONE\tALL")
		for _, st := range pipeline.States() {
			if s.States[st] == 0 {
				continue
			}
			fmt.Fprintf(w, "%s", st)
			for _, ch := range pipeline.Channels() {
				fmt.Fprintf(w, "\t%s", dashed(s.Channels[ch][st]))
			}
			fmt.Fprintf(w, "\t%s\n", thousands(s.States[st]))
		}
		fmt.Fprintf(w, "balance\t\t\t\t%d\n", s.Balance)
	})
	fmt.Fprintf(w, "\n%s, of which %s sent again out of doubt; %s in doubt so far\n", count(s.Attempts, "attempt", "attempts"), thousands(s.Duplicates), thousands(s.InDoubt))
	for _, x := range []struct {
		name string
		account
	}{{"Supplements", s.Supplements}, {"Paper copies", s.Copies}} {
		if x.Expected > 0 {
			fmt.Fprintf(w, "%s: %s, %s\n", x.name, thousands(x.Expected), stateCounts(x.States))
		}
	}
	printCounts(w, "Held because of", s.Held)
	printCounts(w, "Unreachable because of", s.Unreachable)
	s.Outside.print(w, sumOf(s.Unreachable))
	if len(s.Runs) > 0 {
		fmt.Fprintf(w, "Print runs: %s\n", stateCounts(s.Runs))
		if s.Runs[pipeline.RunAssembled] > 0 {
			fmt.Fprintln(w, "  art34 print list shows them, art34 print release hands them to the print shop")
		}
	}
	for _, v := range s.Versions {
		once := ""
		if s.Duplicates > 0 {
			once = ", each counted once"
		}
		fmt.Fprintf(w, "Version %d, approved by %s at %s: %s%s\n", v.N, v.ApprovedBy, shown(v.ApprovedAt), count(v.Attempts, "attempt", "attempts"), once)
	}
	if s.PerSecond > 0 {
		fmt.Fprintf(w, "Pace: %.0f/s", s.PerSecond)
		if s.ExpectedEnd != nil {
			fmt.Fprintf(w, ", the e-mails would be out at %s", shown(*s.ExpectedEnd))
		}
		fmt.Fprintln(w)
	}
	s.printWayBack(w)
	for _, x := range s.Warnings {
		fmt.Fprintf(w, "Warning: %s\n", x.Sentence)
	}
	for _, b := range s.Breakers {
		b.print(w)
	}
	for _, b := range s.Blocked {
		fmt.Fprintf(w, "Blocked: %s of %s; %s\n", count(b.Notices, "notice", "notices"), s.Campaign, b.Sentence)
		if b.Hint != "" && !strings.HasPrefix(b.Code, "breaker:") && (b.Code != "relay-away" || len(s.Breakers) == 0) {
			fmt.Fprintf(w, "  %s\n", b.Hint)
		}
	}
	if len(s.Missing) > 0 {
		fmt.Fprintf(w, "Missing: %s\n", strings.Join(s.Missing, ", "))
		if slices.ContainsFunc(s.Missing, func(m string) bool { return strings.HasPrefix(m, "art34 run") }) {
			fmt.Fprintln(w, "  nobody does that work: start art34 run where the ledger is")
		}
	}
	printNext(w, s.Next)
	if s.Audit != nil {
		s.Audit.print(w)
	}
	if s.Balance != 0 {
		fmt.Fprintf(w, "\nThe balance is %d: notices are missing or too many. This is a defect of the program or the ledger; stop and have it looked at.\n", s.Balance)
	}
}

// print says why a breaker is open and what to do.
func (b breakerView) print(w io.Writer) {
	detail := ""
	if b.Detail != "" {
		detail = " (" + b.Detail + ")"
	}
	fmt.Fprintf(w, "Breaker %s, since %s: %s%s\n  %s\n", b.Scope, shown(b.Since), b.Sentence, detail, b.Hint)
}

func dashed(n int64) string {
	if n == 0 {
		return "-"
	}
	return thousands(n)
}

// stateCounts writes "informed 12, posted 3", without the empty ones.
func stateCounts[S ~string](m map[S]int64) string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(m)) {
		if m[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", s, thousands(m[s])))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
