package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/intake"
)

// cohort says which notices a command is about, and why.
type cohort struct {
	Customer []string `help:"Customer numbers, separated by commas." placeholder:"ID"`
	Flag     string   `help:"All customers with this flag, for example vip." placeholder:"FLAG"`
	Reason   string   `help:"Why: a code such as deceased, or a sentence without names." placeholder:"REASON"`
}

type holdCmd struct {
	campaignArg
	cohort
}

// Help shows examples.
func (holdCmd) Help() string {
	return `A held notice waits for release or exclude. What has left the house already cannot be held; the answer says how many.

Examples:

    art34 hold muguet --customer C0001234 --reason "calls back on Monday"
    art34 hold muguet --flag press --reason press-office`
}

// Run holds notices.
func (c holdCmd) Run(ctx context.Context, a *app) error {
	return a.cohort(ctx, c.campaignArg, c.cohort, "hold", dispatch.Operations.Hold)
}

type releaseCmd struct {
	campaignArg
	cohort
	Breaker string `help:"Close this breaker instead: relay, or provider:NAME." placeholder:"SCOPE"`
}

// Help shows examples.
func (releaseCmd) Help() string {
	return `Lets held notices go on where they were, or closes a breaker once what opened it is mended.

Examples:

    art34 release muguet --flag vip --reason "called by their account managers"
    art34 release muguet --customer C0001234 --reason "address corrected"
    art34 release muguet --breaker provider:orange --reason "unblocked by their postmaster"`
}

// Run releases notices or a breaker.
func (c releaseCmd) Run(ctx context.Context, a *app) error {
	if c.Breaker == "" {
		return a.cohort(ctx, c.campaignArg, c.cohort, "release", dispatch.Operations.Release)
	}
	if len(c.Customer) > 0 || c.Flag != "" {
		return refuse("usage", "--breaker stands alone, without --customer or --flag", "")
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
	open, err := h.ledger.Breakers(ctx, campaign.ID)
	if err != nil {
		return err
	}
	var scopes []string
	for _, b := range open {
		scopes = append(scopes, b.Scope)
	}
	if !slices.Contains(scopes, c.Breaker) {
		hint := "no breaker is open"
		if len(scopes) > 0 {
			hint = "open are " + strings.Join(scopes, ", ")
		}
		return decline("no-breaker", "there is no open breaker "+c.Breaker, hint)
	}
	if err := h.operations().ReleaseBreaker(ctx, campaign.Name, c.Breaker, c.Reason); err != nil {
		return err
	}
	return a.answer(map[string]string{"campaign": campaign.Name, "breaker": c.Breaker, "state": "closed"}, func(w io.Writer) {
		fmt.Fprintf(w, "The breaker %s is closed; sending goes on.\n", c.Breaker)
	})
}

type excludeCmd struct {
	campaignArg
	cohort
}

// Help shows examples.
func (excludeCmd) Help() string {
	return `Takes notices out for good: nobody is written to. The reason stays on record.

Examples:

    art34 exclude muguet --customer C0001234 --reason deceased
    art34 exclude muguet --flag employee --reason "told in person by their manager"`
}

// Run excludes notices.
func (c excludeCmd) Run(ctx context.Context, a *app) error {
	return a.cohort(ctx, c.campaignArg, c.cohort, "exclude", dispatch.Operations.Exclude)
}

// moved is what came of moving a cohort.
type moved struct {
	Campaign string   `json:"campaign"`
	Action   string   `json:"action"`
	Moved    int64    `json:"moved"`
	Skipped  int64    `json:"skipped"`   // in a state that does not allow it, or so already
	NotFound []string `json:"not_found"` // customer numbers that nobody in the campaign has
}

// cohort lets an operation work on the notices of a cohort.
func (a *app) cohort(ctx context.Context, arg campaignArg, c cohort, action string, do func(dispatch.Operations, context.Context, dispatch.Cohort, string) (dispatch.Moved, error)) error {
	if c.Reason == "" {
		return refuse("usage", "--reason is missing", "it goes on record: a code such as press-office, or a sentence without names")
	}
	if (len(c.Customer) == 0) == (c.Flag == "") {
		return refuse("usage", "say which customers: either --customer or --flag", "")
	}
	if _, ok := pipeline.DefaultFlagRules()[c.Flag]; c.Flag != "" && !ok {
		return refuse("usage", "there is no flag "+c.Flag, "there are "+strings.Join(slices.Sorted(maps.Keys(pipeline.DefaultFlagRules())), ", "))
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := arg.find(ctx, h)
	if err != nil {
		return err
	}
	result := moved{Campaign: campaign.Name, Action: action, NotFound: []string{}}
	which := dispatch.Cohort{Campaign: campaign.ID, Flag: c.Flag}
	if c.Flag == "" {
		if which.Notices, result.NotFound, err = h.noticesOf(ctx, campaign.ID, c.Customer); err != nil {
			return err
		}
	}
	if c.Flag != "" || len(which.Notices) > 0 {
		m, err := do(h.operations(), ctx, which, c.Reason)
		if err != nil {
			return err
		}
		result.Moved, result.Skipped = m.Moved, m.Skipped
	}
	if err := a.answer(result, result.print); err != nil {
		return err
	}
	if result.Moved == 0 || len(result.NotFound) > 0 {
		return errNo
	}
	return nil
}

func (r moved) print(w io.Writer) {
	verb := map[string]string{"hold": "held", "release": "released", "exclude": "excluded"}[r.Action]
	fmt.Fprintf(w, "%s %s.\n", count(r.Moved, "notice", "notices"), verb)
	if r.Skipped > 0 {
		fmt.Fprintf(w, "Left as they are: %s, so already or too late; art34 find shows each.\n", thousands(r.Skipped))
	}
	for _, id := range r.NotFound {
		fmt.Fprintf(w, "No notice for customer %s in this campaign.\n", id)
	}
}

// noticesOf returns the notices of customers, and the numbers that nobody has.
func (h *house) noticesOf(ctx context.Context, campaign int64, customers []string) (ids []int64, missing []string, err error) {
	keys, err := h.keys.Existing(campaign)
	if err != nil {
		return nil, nil, err
	}
	missing = []string{}
	for _, customer := range customers {
		jobs, err := h.byCustomer(ctx, campaign, keys, customer)
		if err != nil {
			return nil, nil, err
		}
		if len(jobs) == 0 {
			missing = append(missing, customer)
		}
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), missing, nil
}

// byCustomer returns the notices of a customer number: the primary one, its
// supplements and copies.
func (h *house) byCustomer(ctx context.Context, campaign int64, keys tokens, customer string) ([]pipeline.Job, error) {
	var jobs []pipeline.Job
	for _, k := range intake.QueryKeys(customer) {
		if k.Kind != intake.KeyCustomer {
			continue
		}
		ids, _, err := h.ledger.Search(ctx, campaign, keys.Token(k.Kind, k.Value), maxMatches)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			j, err := h.ledger.Notice(ctx, id)
			if err != nil {
				return nil, err
			}
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// maxMatches bounds a search: more matches are not one customer.
const maxMatches = 100

// tokens is the blind index of a campaign.
type tokens interface {
	Token(kind, normalised string) [16]byte
}
