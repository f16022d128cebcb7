package main

import (
	"context"
	"errors"
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
	Reason   string   `help:"Why: a code such as deceased, or a sentence without personal data; it lies in clear in the ledger." placeholder:"REASON"`
}

type holdCmd struct {
	campaignArg
	cohort
}

// Help shows examples.
func (holdCmd) Help() string {
	return `A held notice waits for release or exclude. What has left the house already cannot be held; the answer says which, and why.

` + reasonHelp + `

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
	return `Lets held notices go on where they were, or closes a breaker once what opened it is mended. The breaker of a relay that is away closes by itself.

` + reasonHelp + `

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
		return refuse("usage", "--breaker stands alone, without --customer or --flag", "art34 status names the breakers that are open")
	}
	if err := needReason(c.Reason); err != nil {
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
	return h.closeBreaker(ctx, campaign, c.Breaker, c.Reason)
}

type excludeCmd struct {
	campaignArg
	cohort
}

// Help shows examples.
func (excludeCmd) Help() string {
	return `Takes notices out for good: nobody is written to. The reason stays on record.

` + reasonHelp + `

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
	Campaign string     `json:"campaign"`
	Action   string     `json:"action"`
	Moved    int64      `json:"moved"`
	Skipped  int64      `json:"skipped"`   // in a state that does not allow it, or so already
	Left     []leftView `json:"left"`      // each of those, with why
	NotFound []string   `json:"not_found"` // customer numbers that nobody in the campaign has
}

// leftView is a notice that an operation left as it is; of a flag, how many.
type leftView struct {
	Customer string         `json:"customer,omitempty"`
	Notice   int64          `json:"notice,omitempty"`
	Role     pipeline.Role  `json:"role,omitempty"`
	Count    int64          `json:"count,omitempty"`
	State    pipeline.State `json:"state"`
	Why      string         `json:"why"`
}

// cohort lets an operation work on the notices of a cohort.
func (a *app) cohort(ctx context.Context, arg campaignArg, c cohort, action string, do func(dispatch.Operations, context.Context, dispatch.Cohort, string) (dispatch.Moved, error)) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	if (len(c.Customer) == 0) == (c.Flag == "") {
		return refuse("usage", "say which customers: either --customer or --flag", "art34 "+action+" --help shows both")
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
	result := moved{Campaign: campaign.Name, Action: action, NotFound: []string{}, Left: []leftView{}}
	which := dispatch.Cohort{Campaign: campaign.ID, Flag: c.Flag}
	named := map[int64]string{}
	if c.Flag == "" {
		if named, result.NotFound, err = h.named(ctx, campaign.ID, c.Customer); err != nil {
			return err
		}
		which.Notices = slices.Sorted(maps.Keys(named))
	}
	if c.Flag != "" || len(which.Notices) > 0 {
		before, err := h.standing(ctx, which)
		if err != nil {
			return err
		}
		m, err := do(h.operations(), ctx, which, c.Reason)
		if err != nil {
			return err
		}
		result.Moved, result.Skipped = m.Moved, m.Skipped
		result.leave(before, named, c.Flag != "")
	}
	if err := a.answer(result, result.print); err != nil {
		return err
	}
	if result.Moved == 0 || len(result.NotFound) > 0 {
		return errNo
	}
	return nil
}

// standing is where the notices of a cohort stand.
func (h *house) standing(ctx context.Context, c dispatch.Cohort) (list []pipeline.Notice, err error) {
	if len(c.Notices) == 0 {
		for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: c.Campaign, Flag: c.Flag}) {
			if err != nil {
				return nil, err
			}
			list = append(list, j.Notice)
		}
		return list, nil
	}
	for _, id := range c.Notices {
		j, err := h.ledger.Notice(ctx, id)
		if errors.Is(err, pipeline.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, j.Notice)
	}
	return list, nil
}

// leave says which notices stay as they were, and why: each by its customer, those
// of a flag by state.
func (r *moved) leave(before []pipeline.Notice, named map[int64]string, together bool) {
	for _, n := range before {
		why := leftWords(r.Action, n)
		if why == "" {
			continue
		}
		v := leftView{Customer: named[n.ID], Notice: n.ID, Role: n.Role, State: n.State, Why: why}
		if !together {
			r.Left = append(r.Left, v)
			continue
		}
		v.Notice, v.Role, v.Count = 0, "", 1
		if i := slices.IndexFunc(r.Left, func(x leftView) bool { return x.State == v.State && x.Why == v.Why }); i >= 0 {
			r.Left[i].Count++
		} else {
			r.Left = append(r.Left, v)
		}
		r.Skipped++
	}
}

func (r moved) print(w io.Writer) {
	verb := map[string]string{"hold": "held", "release": "released", "exclude": "excluded"}[r.Action]
	fmt.Fprintf(w, "%s %s.\n", count(r.Moved, "notice", "notices"), verb)
	for _, l := range r.Left {
		if l.Count > 0 {
			fmt.Fprintf(w, "Left as they are: %s, %s.\n", thousands(l.Count), l.Why)
			continue
		}
		fmt.Fprintf(w, "Left as it is: customer %s (%s, notice %d), %s.\n", l.Customer, l.Role, l.Notice, l.Why)
	}
	for _, id := range r.NotFound {
		fmt.Fprintf(w, "No notice for customer %s in this campaign.\n", id)
	}
}

// noticesOf returns the notices of customers, and the numbers that nobody has.
func (h *house) noticesOf(ctx context.Context, campaign int64, customers []string) (ids []int64, missing []string, err error) {
	named, missing, err := h.named(ctx, campaign, customers)
	return slices.Sorted(maps.Keys(named)), missing, err
}

// named returns the notices of customers, with the number that led there.
func (h *house) named(ctx context.Context, campaign int64, customers []string) (by map[int64]string, missing []string, err error) {
	keys, err := h.keys.Existing(campaign)
	if err != nil {
		return nil, nil, err
	}
	by, missing = map[int64]string{}, []string{}
	for _, customer := range customers {
		jobs, err := h.byCustomer(ctx, campaign, keys, customer)
		if err != nil {
			return nil, nil, err
		}
		if len(jobs) == 0 {
			missing = append(missing, customer)
		}
		for _, j := range jobs {
			by[j.ID] = customer
		}
	}
	return by, missing, nil
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
