package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
)

type correctCmd struct {
	campaignArg
	Customer string `help:"Customer number." placeholder:"ID" required:""`
	Email    string `help:"The e-mail address that is right; - reads it from standard input, where no other process sees it." placeholder:"ADDRESS"`
	Address1 string `name:"address-1" help:"First line of the postal address that is right." placeholder:"LINE"`
	Address2 string `name:"address-2" placeholder:"LINE" help:"Second line."`
	Address3 string `name:"address-3" placeholder:"LINE" help:"Third line."`
	Address4 string `name:"address-4" placeholder:"LINE" help:"Fourth line."`
	Address5 string `name:"address-5" placeholder:"LINE" help:"Fifth line."`
	Postcode string `help:"Postcode." placeholder:"CODE"`
	City     string `help:"Town." placeholder:"TOWN"`
	Country  string `help:"Country, if it is not that of the company." placeholder:"COUNTRY"`
	Reason   string `help:"Why, without personal data: a code such as called-us, or a sentence." placeholder:"REASON"`
}

// Help shows examples.
func (correctCmd) Help() string {
	return `Gives a customer another address and writes there: a new attempt where one was made, the planned one otherwise. The address is judged as in an import. The old one is kept, sealed, with the older letters; find works by either. A notice that is held for something else than its address stays held. What is being sent at this very moment is waited for.

With an e-mail and a postal address the next attempt goes by e-mail.

Examples:

    art34 correct muguet --customer C0001234 --email new@mail.example --reason called-us
    art34 correct muguet --customer C0001234 --email - --reason called-us < address.txt
    art34 correct muguet --customer C0001234 --address-1 "4 rue des Lilas" --postcode 75011 --city Paris --reason "read out on the phone"`
}

// correctedView is a notice as the correction left it.
type correctedView struct {
	Notice  int64            `json:"notice"`
	Role    pipeline.Role    `json:"role"`
	State   pipeline.State   `json:"state"`
	Channel pipeline.Channel `json:"channel"`
	Attempt int              `json:"attempt"`
	DueAt   *time.Time       `json:"due_at,omitempty"`
	Reason  string           `json:"reason,omitempty"`
}

// busyFor is how long a correction waits for a notice that is being sent.
const busyFor = 15 * time.Second

// Run corrects.
func (c correctCmd) Run(ctx context.Context, a *app) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	if c.Email == "-" {
		line, err := bufio.NewReader(io.LimitReader(a.in, 4096)).ReadString('\n')
		if c.Email = strings.TrimSpace(line); err != nil && c.Email == "" {
			return refuse("usage", "standard input holds no e-mail address", "one address, alone on its line")
		}
	}
	postal := c.lines() != nil || c.Postcode != "" || c.City != "" || c.Country != ""
	switch {
	case c.Email == "" && !postal:
		return refuse("usage", "say what is right: --email, or --address-1 with --postcode and --city", "art34 correct --help shows examples")
	case postal && (c.lines() == nil || c.City == ""):
		return refuse("usage", "a postal address is given as a whole: lines, postcode and town", "--address-1, --postcode, --city, and --country abroad")
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
	x, err := h.newCorrection(ctx, campaign, c)
	if err != nil {
		return err
	}
	return x.run(ctx)
}

// lines are the lines of the postal address that were given.
func (c correctCmd) lines() (list []string) {
	for _, l := range []string{c.Address1, c.Address2, c.Address3, c.Address4, c.Address5} {
		if strings.TrimSpace(l) != "" {
			list = append(list, l)
		}
	}
	return list
}

// correction is one correction of the notices of a customer.
type correction struct {
	correctCmd
	h        *house
	campaign pipeline.Campaign
	edition  *edition
	checks   *intake.Checks
	email    string           // as it goes on the wire
	channel  pipeline.Channel // of the next attempt
	decided  time.Time        // what was corrected in this way since stays as it is; zero: nothing does
}

func (h *house) newCorrection(ctx context.Context, campaign pipeline.Campaign, c correctCmd) (*correction, error) {
	x := &correction{correctCmd: c, h: h, campaign: campaign, channel: pipeline.Email}
	var err error
	if campaign.Version == 0 {
		x.edition, _, err = h.draft(campaign)
	} else {
		x.edition, err = h.editions.at(ctx, campaign, campaign.Version)
	}
	if err != nil {
		return nil, err
	}
	x.checks = intake.NewChecks(intake.Config{Spec: x.edition.spec, OwnDomains: ownDomains(x.edition.spec)})
	if c.Email == "" {
		x.channel = pipeline.Post
		return x, nil
	}
	email, faults := x.checks.Email(c.Email)
	if len(faults) > 0 {
		return nil, refuse(faults[0].Code, faults[0].Sentence, "the address is not repeated here")
	}
	x.email = email
	return x, nil
}

// run corrects, and says what came of it.
func (x *correction) run(ctx context.Context) error {
	done, err := x.apply(ctx)
	if err != nil {
		return err
	}
	return x.h.answer(map[string]any{"campaign": x.campaign.Name, "customer": x.Customer, "corrected": x.what(), "notices": done}, func(w io.Writer) {
		for _, v := range done {
			switch {
			case v.State == pipeline.Held:
				fmt.Fprintf(w, "Notice %d (%s) has the new %s and stays held because of %s.\n", v.Notice, v.Role, x.what(), v.Reason)
			default:
				fmt.Fprintf(w, "Notice %d (%s) has the new %s; attempt %d goes by %s.\n", v.Notice, v.Role, x.what(), v.Attempt, map[pipeline.Channel]string{pipeline.Email: "e-mail", pipeline.Post: "post"}[v.Channel])
			}
		}
	})
}

// jobs are the notices of the customer, with one whose address is nobody else's.
func (x *correction) jobs(ctx context.Context) ([]pipeline.Job, error) {
	keys, err := x.h.keys.Existing(x.campaign.ID)
	if err != nil {
		return nil, err
	}
	jobs, err := x.h.byCustomer(ctx, x.campaign.ID, keys, x.Customer)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, decline("customer-unknown", "nobody in "+x.campaign.Name+" has the customer number "+x.Customer, "compare the number with the record, or look in another campaign")
	}
	return jobs, x.shared(ctx, jobs)
}

// apply corrects the primary notice with its supplements and copies.
func (x *correction) apply(ctx context.Context) (done []correctedView, err error) {
	jobs, err := x.jobs(ctx)
	if err != nil {
		return nil, err
	}
	if left, err := x.left(ctx, jobs); err != nil || !left {
		return nil, err
	}
	if err := x.h.ledger.Append(ctx, x.h.audit(x.campaign.ID, "correct", x.Reason, fmt.Sprintf("notice %d: %s", jobs[0].ID, x.what()))); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if !x.concerns(j) {
			continue
		}
		n, err := x.one(ctx, j.ID)
		if err != nil && (j.Role == pipeline.Primary || len(done) == 0) {
			return nil, err
		}
		if err != nil {
			x.h.say("notice %d (%s) stays as it is: %s", j.ID, j.Role, firstLine(err))
			continue
		}
		v := correctedView{Notice: n.ID, Role: n.Role, State: n.State, Channel: n.Channel, Attempt: n.Attempt, Reason: n.Reason}
		if n.State == pipeline.Due {
			v.DueAt = &n.DueAt
		}
		done = append(done, v)
	}
	return done, nil
}

// left reports whether anything is left to correct.
func (x *correction) left(ctx context.Context, jobs []pipeline.Job) (bool, error) {
	for _, j := range jobs {
		if !x.concerns(j) {
			continue
		}
		if done, err := x.since(ctx, j.ID); err != nil || !done {
			return true, err
		}
	}
	return false, nil
}

// concerns reports whether a correction changes a notice: a copy goes by post, and one
// that a caller asked for went where it was to go.
func (x *correction) concerns(j pipeline.Job) bool {
	return j.Role != pipeline.Copy || x.lines() != nil && !askedFor(j.Notice)
}

// since reports whether a notice was corrected in this way since the decision: by this
// very correction, or by a newer one, which it must not undo.
func (x *correction) since(ctx context.Context, notice int64) (bool, error) {
	if x.decided.IsZero() {
		return false, nil
	}
	events, err := x.h.ledger.Events(ctx, notice)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(events, func(e pipeline.Event) bool {
		return e.Kind == pipeline.EvCorrected && !e.At.Before(x.decided) && (e.Code == x.code() || e.Code == codeBoth)
	}), nil
}

// codeBoth is the code of the event if both addresses are corrected.
const codeBoth = "e-mail-and-postal-address"

// code is what is corrected, for the event.
func (x *correction) code() string { return strings.ReplaceAll(x.what(), " ", "-") }

// what says what is corrected.
func (x *correction) what() string {
	switch {
	case x.email == "":
		return "postal address"
	case x.lines() == nil:
		return "e-mail address"
	}
	return "e-mail and postal address"
}

// shared refuses an address that too many others have: it is nobody's own.
func (x *correction) shared(ctx context.Context, own []pipeline.Job) error {
	limit := x.edition.spec.Channels.SharedEmailLimit
	if x.email == "" || limit == 0 {
		return nil
	}
	keys, err := x.h.keys.Existing(x.campaign.ID)
	if err != nil {
		return err
	}
	ids, _, err := x.h.ledger.Search(ctx, x.campaign.ID, keys.Token(intake.KeyEmail, strings.ToLower(x.email)), maxMatches)
	if err != nil {
		return err
	}
	others := 0
	for _, id := range ids {
		if !slices.ContainsFunc(own, func(j pipeline.Job) bool { return j.ID == id }) {
			others++
		}
	}
	if others >= limit {
		return decline("email-shared", fmt.Sprintf("the e-mail address belongs to %d others already; channels.shared_email_limit is %d", others, limit), "ask for one of the customer's own, or correct the postal address")
	}
	return nil
}
