package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/seal"
)

type findCmd struct {
	Key      string `arg:"" help:"Reference, customer or contract number, e-mail address, phone number, or family name and postcode; - reads it from standard input, where no other process sees it." placeholder:"KEY"`
	Campaign string `help:"Only in this campaign." placeholder:"CAMPAIGN"`
	Letter   bool   `help:"Print the very letter, rendered again and compared with what was recorded."`
	Attempt  int    `help:"The letter of this attempt; default: the last one." placeholder:"N"`
	Out      string `help:"With --letter: write it to a file, .eml or .pdf, as it went out." placeholder:"FILE" type:"path"`
}

// Help shows examples.
func (findCmd) Help() string {
	return `Finds by exact match only; a name needs its postcode. Each look-up is on record. Exit 1 if nobody matches.

Examples:

    art34 find 7KQ2-M9XD-4T0V
    art34 find C0001234 --campaign muguet
    art34 find "martin 75011" --json
    art34 find C0001234 --letter
    art34 find - < key.txt`
}

// found is a notice that a key leads to, with its person opened.
type found struct {
	campaign pipeline.Campaign
	job      pipeline.Job
	person   pipeline.Person
}

// foundView is a line of find --json.
type foundView struct {
	Campaign  string            `json:"campaign"`
	Customer  string            `json:"customer"`
	Customers []string          `json:"customers"`
	Name      string            `json:"name"`
	Notice    int64             `json:"notice"`
	Role      pipeline.Role     `json:"role"`
	Reference string            `json:"reference"`
	State     pipeline.State    `json:"state"`
	Channel   pipeline.Channel  `json:"channel"`
	Reason    string            `json:"reason,omitempty"`
	Sentence  map[string]string `json:"sentence"` // to read aloud, per locale
	Impacts   []impactView      `json:"impacts"`
	Timeline  []timelineView    `json:"timeline"`
	Next      string            `json:"next"`
}

type impactView struct {
	Contract string   `json:"contract"` // "" of the person himself
	Kind     string   `json:"kind"`
	Label    string   `json:"label"`
	Data     []string `json:"data"`
}

type timelineView struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	Detail string    `json:"detail"`
}

// bystander says that somebody of the directory is not concerned.
type bystander struct {
	Campaign string            `json:"campaign"`
	State    string            `json:"state"` // not-concerned
	Import   int64             `json:"import"`
	At       time.Time         `json:"at"`
	Sentence map[string]string `json:"sentence"`
}

// Run finds one customer.
func (c findCmd) Run(ctx context.Context, a *app) error {
	if c.Key == "-" {
		line, err := bufio.NewReader(io.LimitReader(a.in, 1<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		c.Key = strings.TrimSpace(line)
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	list, others, err := h.search(ctx, c)
	if err != nil {
		return err
	}
	if len(list) == 0 && len(others) == 0 {
		return decline("nobody", "nobody matches this key", "a name needs its postcode (\"martin 75011\"); try the reference on the letter, the customer or contract number, the e-mail address or the phone number")
	}
	if c.Letter {
		if len(list) == 0 {
			return decline("nobody", "this customer is not concerned: there is no letter", "")
		}
		return h.showLetter(ctx, c, list[0])
	}
	for _, f := range list {
		v, err := h.view(ctx, f)
		if err != nil {
			return err
		}
		if err := a.answer(v, v.print(f)); err != nil {
			return err
		}
	}
	for _, b := range others {
		if err := a.answer(b, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s\n", b.Sentence["fr"], b.Sentence["en"]) }); err != nil {
			return err
		}
	}
	return nil
}

// search looks a key up in the blind index of each campaign, newest notice first.
func (h *house) search(ctx context.Context, c findCmd) (list []found, others []bystander, err error) {
	campaigns, err := h.ledger.AllCampaigns(ctx)
	if err != nil {
		return nil, nil, err
	}
	if c.Campaign != "" {
		one, err := campaignArg{c.Campaign}.find(ctx, h)
		if err != nil {
			return nil, nil, err
		}
		campaigns = []pipeline.Campaign{one}
	}
	for _, campaign := range campaigns {
		keys, err := h.keys.Existing(campaign.ID)
		if errors.Is(err, seal.ErrNoKeys) || errors.Is(err, seal.ErrDestroyed) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		matches, bystanderOf, err := h.searchIn(ctx, campaign, keys, c.Key)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, matches...)
		if len(matches) == 0 && bystanderOf != 0 {
			b, err := h.notConcerned(ctx, campaign, bystanderOf)
			if err != nil {
				return nil, nil, err
			}
			others = append(others, b)
		}
	}
	slices.SortFunc(list, func(a, b found) int { return cmp.Compare(b.job.ID, a.job.ID) })
	return list, others, nil
}

func (h *house) searchIn(ctx context.Context, campaign pipeline.Campaign, keys *seal.Keys, text string) (list []found, bystanderOf int64, err error) {
	seen := map[int64]bool{}
	for _, k := range intake.QueryKeys(text) {
		ids, other, err := h.ledger.Search(ctx, campaign.ID, keys.Token(k.Kind, k.Value), maxMatches)
		if err != nil {
			return nil, 0, err
		}
		bystanderOf = max(bystanderOf, other)
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			j, err := h.ledger.Notice(ctx, id)
			if errors.Is(err, pipeline.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, 0, err
			}
			p, err := openPerson(keys, j)
			if err != nil {
				return nil, 0, err
			}
			list = append(list, found{campaign, j, p})
		}
	}
	if len(seen)+int(bystanderOf) > 0 {
		// Who looked whom up belongs on record; the key itself does not.
		err = h.ledger.Append(ctx, h.audit(campaign.ID, "find", "", fmt.Sprintf("%d notices", len(seen))))
	}
	return list, bystanderOf, err
}

func (h *house) notConcerned(ctx context.Context, c pipeline.Campaign, importID int64) (bystander, error) {
	b := bystander{Campaign: c.Name, State: "not-concerned", Import: importID}
	imports, err := h.ledger.Imports(ctx, c.ID)
	for _, i := range imports {
		if i.ID == importID {
			b.At = i.PublishedAt
		}
	}
	b.Sentence = map[string]string{
		"fr": fmt.Sprintf("Au %s, notre analyse ne vous compte pas parmi les personnes concernées.", dateIn("fr", b.At)),
		"en": fmt.Sprintf("As of %s, our analysis does not list you among the people concerned.", dateIn("en", b.At)),
	}
	return b, err
}

func (h *house) view(ctx context.Context, f found) (foundView, error) {
	events, err := h.ledger.Events(ctx, f.job.ID)
	if err != nil {
		return foundView{}, err
	}
	attempts, err := h.ledger.Attempts(ctx, f.job.ID)
	if err != nil {
		return foundView{}, err
	}
	v := foundView{
		Campaign: f.campaign.Name, Customers: f.person.CustomerIDs, Name: f.person.FullName(), Notice: f.job.ID, Role: f.job.Role,
		Reference: f.person.Reference.String(), State: f.job.State, Channel: f.job.Channel, Reason: f.job.Reason,
		Sentence: aloud(f.job.Notice, attempts, events), Impacts: impactsOf(f.person), Timeline: []timelineView{},
		Next: nextStep(f.campaign, f.job.Notice),
	}
	if len(v.Customers) > 0 {
		v.Customer = v.Customers[0]
	}
	for _, e := range events {
		v.Timeline = append(v.Timeline, timelineView{e.At, string(e.Kind), eventWords(e)})
	}
	return v, nil
}

func impactsOf(p pipeline.Person) []impactView {
	list := []impactView{}
	if len(p.Own) > 0 {
		list = append(list, impactView{Data: exposed(p.Own)})
	}
	for _, c := range p.Contracts {
		list = append(list, impactView{c.ID, c.Kind, c.Label, exposed(c.Data)})
	}
	return list
}

func exposed(list []pipeline.Exposure) []string {
	kinds := []string{}
	for _, x := range list {
		kinds = append(kinds, x.Kind)
	}
	return kinds
}

func (v foundView) print(f found) func(io.Writer) {
	return func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s  customer %v  campaign %s  (%s, notice %d)\n\n", v.Reference, v.Name, v.Customers, v.Campaign, v.Role, v.Notice)
		locale := "en"
		if f.job.Locale == "fr" {
			locale = "fr"
		}
		fmt.Fprintf(w, "%s\n\n", v.Sentence[locale])
		fmt.Fprintln(w, "Concerned:")
		for _, i := range v.Impacts {
			what := "the person"
			if i.Contract != "" || i.Kind != "" {
				what = fmt.Sprintf("%s %s %s", i.Contract, i.Kind, i.Label)
			}
			fmt.Fprintf(w, "  %s: %v\n", what, i.Data)
		}
		fmt.Fprintln(w, "What happened:")
		for _, t := range v.Timeline {
			fmt.Fprintf(w, "  %s  %s\n", t.At.Local().Format(time.DateTime), t.Detail)
		}
		fmt.Fprintf(w, "Next: %s\n", v.Next)
	}
}
