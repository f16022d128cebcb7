package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
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
	return `Finds by exact match only; a name needs its postcode, and a first name that is given has to agree. Each look-up is on record.

Where several customers share what was asked for, such as an e-mail address or a name, only references and contract numbers are listed: ask the caller for one of them, and look that up. Times are those of the campaign's time zone.

Exit 0 if somebody was found, also if it is somebody who is not concerned; exit 1 if nobody matches.

Examples:

    art34 find 7KQ2-M9XD-4T0V
    art34 find C0001234 --campaign muguet
    art34 find "martin 75011"
    art34 find "jean martin 75011" --json
    art34 find 0639981001
    art34 find C0001234 --letter
    art34 find C0001234 --letter --attempt 1 --out letter.pdf
    art34 find - < key.txt`
}

// found is a notice that a key leads to, with its person opened.
type found struct {
	campaign pipeline.Campaign
	job      pipeline.Job
	person   pipeline.Person
	edition  *edition // that speaks of the notice; nil if its files cannot be read
	asked    bool     // by its own reference
	shared   bool     // somebody who is not concerned has the same key
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
	Data     []string `json:"data"`  // codes
	Names    []string `json:"names"` // as the letters of the customer's locale call them
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
	ByName   bool              `json:"by_name,omitempty"` // found by name and postcode: first names of such people are not kept
	Sentence map[string]string `json:"sentence"`
}

// misread matches what has the shape of a reference.
var misread = regexp.MustCompile(`^\s*[0-9A-Za-z]{4}[- ]?[0-9A-Za-z]{4}[- ]?[0-9A-Za-z]{4}\s*$`)

// Run finds one customer.
func (c findCmd) Run(ctx context.Context, a *app) error {
	if c.Key == "-" {
		line, err := bufio.NewReader(io.LimitReader(a.in, 1<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		c.Key = strings.TrimSpace(line)
	}
	if strings.TrimSpace(c.Key) == "" {
		return refuse("usage", "say whom to look for", "a reference, a customer or contract number, an e-mail address, a phone number, or a family name and postcode")
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
	if len(list) == 0 && len(others) == 0 && misread.MatchString(c.Key) {
		return decline("nobody", "nobody matches this key", "it looks like a reference of which a character was misheard or mistyped: ask for it again, or try the customer or contract number")
	}
	if len(list) == 0 && len(others) == 0 {
		return decline("nobody", "nobody matches this key", "a first name has to agree, and a name needs its postcode (\"martin 75011\"); try the reference on the letter, the customer or contract number, the e-mail address or the phone number")
	}
	if slices.ContainsFunc(list, func(f found) bool { return f.shared }) {
		h.say("note: somebody who is not concerned shares this key; make sure who is calling")
	}
	persons := personsOf(list)
	if len(persons) > 1 && (c.Letter || !h.JSON) {
		return h.choose(persons, c.Letter)
	}
	if c.Letter {
		if len(list) == 0 {
			return decline("nobody", "this customer is not concerned in "+others[0].Campaign+": there is no letter", "art34 find without --letter says what to answer")
		}
		f, err := h.lastWritten(ctx, list)
		if err != nil {
			return err
		}
		return h.showLetter(ctx, c, f)
	}
	for i, f := range list {
		v, err := h.view(ctx, f)
		if err != nil {
			return err
		}
		if i > 0 && !h.JSON {
			fmt.Fprintln(h.out)
		}
		if err := a.answer(v, v.print(f)); err != nil {
			return err
		}
	}
	for _, b := range others {
		if err := a.answer(b, b.print); err != nil {
			return err
		}
	}
	return nil
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
	f.local(events, attempts)
	v := foundView{
		Campaign: f.campaign.Name, Customers: f.person.CustomerIDs, Name: f.person.FullName(), Notice: f.job.ID, Role: f.job.Role,
		Reference: f.person.Reference.String(), State: f.job.State, Channel: f.job.Channel, Reason: f.job.Reason,
		Sentence: aloud(f.job.Notice, attempts, events), Impacts: f.impacts(), Timeline: []timelineView{},
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

// speaking is the edition that speaks of a campaign: the version in force, else
// the folder as it is. nil if neither can be read: codes are said instead.
func (h *house) speaking(ctx context.Context, c pipeline.Campaign) *edition {
	if c.Version > 0 {
		if e, err := h.editions.at(ctx, c, c.Version); err == nil {
			return e
		}
	}
	e, _, err := h.draft(c)
	if err != nil {
		return nil
	}
	return e
}

// local turns times to the calendar of the campaign.
func (f *found) local(events []pipeline.Event, attempts []pipeline.Attempt) {
	if f.edition == nil {
		return
	}
	for i := range events {
		events[i].At = f.edition.local(events[i].At)
	}
	for i := range attempts {
		attempts[i].At = f.edition.local(attempts[i].At)
	}
	if !f.job.DueAt.IsZero() {
		f.job.DueAt = f.edition.local(f.job.DueAt)
	}
}

func (f *found) impacts() []impactView {
	list := []impactView{}
	add := func(v impactView, data []pipeline.Exposure) {
		v.Data, v.Names = exposed(data), []string{}
		for _, x := range data {
			name := x.Kind
			if f.edition != nil {
				name = f.edition.set.KindName(f.job.Locale, x.Kind)
			}
			if x.Possible {
				name += map[bool]string{true: " (possible)", false: " (possibly)"}[f.job.Locale == "fr"]
			}
			v.Names = append(v.Names, name)
		}
		list = append(list, v)
	}
	if len(f.person.Own) > 0 {
		add(impactView{}, f.person.Own)
	}
	for _, c := range f.person.Contracts {
		add(impactView{Contract: c.ID, Kind: c.Kind, Label: c.Label}, c.Data)
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
		role := ""
		if v.Role != pipeline.Primary {
			role = string(v.Role) + ", "
		}
		fmt.Fprintf(w, "%s  %s  customer %s  campaign %s  (%snotice %d)\n\n", v.Reference, v.Name, strings.Join(v.Customers, ", "), v.Campaign, role, v.Notice)
		locale := "en"
		if f.job.Locale == "fr" {
			locale = "fr"
		}
		fmt.Fprintf(w, "To read aloud: %s\n\n", v.Sentence[locale])
		fmt.Fprintln(w, "Concerned:")
		for _, i := range v.Impacts {
			what := "the person, whatever the contract"
			if i.Contract != "" || i.Kind != "" {
				what = strings.TrimSpace(fmt.Sprintf("%s %s", i.Contract, cmp.Or(i.Label, i.Kind)))
			}
			fmt.Fprintf(w, "  %s: %s\n", what, strings.Join(i.Names, "; "))
		}
		fmt.Fprintln(w, "What happened:")
		for _, t := range v.Timeline {
			fmt.Fprintf(w, "  %s  %s\n", shown(t.At), t.Detail)
		}
		if len(v.Timeline) == 0 {
			fmt.Fprintln(w, "  nothing yet")
		}
		fmt.Fprintf(w, "Next: %s\n", v.Next)
	}
}

// print says to whom it may be said, and of which campaign and list.
func (b bystander) print(w io.Writer) {
	if b.ByName {
		fmt.Fprintf(w, "Somebody of this name and postcode is not concerned in campaign %s, by import %d of %s.\nFirst names of those are not kept: ask for the customer or contract number, the e-mail address or the phone number to be sure that it is the caller.\n", b.Campaign, b.Import, shown(b.At))
		return
	}
	fmt.Fprintf(w, "Not concerned in campaign %s, by import %d of %s.\n\nTo read aloud: %s\n               %s\n", b.Campaign, b.Import, shown(b.At), b.Sentence["fr"], b.Sentence["en"])
}
