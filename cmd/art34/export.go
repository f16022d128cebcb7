package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/agefile"
	"github.com/art34/art34/pipeline/kit/inert"
	"github.com/art34/art34/pipeline/kit/seal"
)

type exportCmd struct {
	Unreachable exportUnreachableCmd `cmd:"" help:"Who cannot be reached by e-mail or letter, to call them: sealed."`
	Held        exportHeldCmd        `cmd:"" help:"Who waits for a person's decision, and why: sealed."`
	States      exportStatesCmd      `cmd:"" help:"Where every notice stands: numbers and states only, for other systems."`
}

// sealedOut is where a list with names goes: to the holders of keys, or in clear
// with a reason.
type sealedOut struct {
	campaignArg
	Out    string   `help:"File to write; it appears when it is whole." placeholder:"FILE" type:"path" required:""`
	To     []string `help:"Who may read it: age recipients (age1…), as age-keygen prints them." placeholder:"AGE"`
	Plain  bool     `help:"Write it in clear instead. It holds names, telephone numbers and addresses."`
	Reason string   `help:"Why in clear, for the audit trail." placeholder:"TEXT"`
}

// recipients checks for whom the list is.
func (o sealedOut) recipients() ([]agefile.Recipient, error) {
	if o.Plain != (len(o.To) == 0) || o.Plain != (strings.TrimSpace(o.Reason) != "") {
		return nil, refuse("in-clear", "the list holds names, telephone numbers and addresses: say who may read it with --to", "age-keygen makes a key; --plain with --reason writes it in clear, and goes on record")
	}
	var list []agefile.Recipient
	for _, s := range o.To {
		r, err := agefile.ParseRecipient(s)
		if err != nil {
			return nil, refuse("recipient-invalid", "one of --to is no age recipient", "it starts with age1; never give the secret key, which starts with AGE-SECRET-KEY")
		}
		list = append(list, r)
	}
	return list, nil
}

type exportUnreachableCmd struct{ sealedOut }

// Help shows examples.
func (exportUnreachableCmd) Help() string {
	return `A CSV with a line a notice: why the customer is unreachable and since when, name, telephone, the last addresses, language, and whether a public notice stands in. What a spreadsheet would take for a formula is made harmless. The list is sealed to the given keys (age -d opens it), and the export goes on record. Exit 1 if nobody is unreachable.

Examples:

    art34 export unreachable muguet --out unreachable.csv.age --to age1…
    art34 export unreachable muguet --out unreachable.csv --plain --reason "machine of the cell without age, file shredded tonight"`
}

// Run exports the unreachable.
func (c exportUnreachableCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, "unreachable", pipeline.Unreachable)
}

type exportHeldCmd struct{ sealedOut }

// Help shows examples.
func (exportHeldCmd) Help() string {
	return `A CSV with a line a notice, like export unreachable: why it is held, the customer's flags, and what the import found wrong with the record. Exit 1 if nobody is held.

Example:

    art34 export held muguet --out held.csv.age --to age1…`
}

// Run exports the held.
func (c exportHeldCmd) Run(ctx context.Context, a *app) error {
	return c.run(ctx, a, "held", pipeline.Held)
}

// exported is the answer of an export.
type exported struct {
	Campaign string `json:"campaign"`
	File     string `json:"file"`
	Notices  int64  `json:"notices"`
	Sealed   bool   `json:"sealed"`
}

func (e exported) print(w io.Writer) {
	how := ""
	if e.Sealed {
		how = ", sealed"
	}
	fmt.Fprintf(w, "%s: %s in %s%s\n", e.Campaign, count(e.Notices, "notice", "notices"), e.File, how)
}

// run writes the people of one state.
func (o sealedOut) run(ctx context.Context, a *app, what string, state pipeline.State) error {
	to, err := o.recipients()
	if err != nil {
		return err
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := o.find(ctx, h)
	if err != nil {
		return err
	}
	keys, err := h.keys.Existing(campaign.ID)
	if err != nil {
		return err
	}
	result := exported{Campaign: campaign.Name, File: o.Out, Sealed: len(to) > 0}
	// On record before the first name leaves, whatever becomes of the file.
	detail := fmt.Sprintf("%s, sealed to %s", what, strings.Join(o.To, " "))
	if o.Plain {
		detail = what + ", in clear"
	}
	if err := h.ledger.Append(ctx, h.audit(campaign.ID, "export", o.Reason, detail)); err != nil {
		return err
	}
	err = writeWhole(o.Out, 0o600, func(w io.Writer) error {
		out := io.WriteCloser(unsealed{w})
		if result.Sealed {
			var err error
			if out, err = agefile.EncryptTo(w, to...); err != nil {
				return err
			}
		}
		if result.Notices, err = h.writePeople(ctx, out, campaign, keys, state); err != nil {
			return err
		}
		return out.Close()
	})
	if err != nil {
		return err
	}
	if err := a.answer(result, result.print); err != nil {
		return err
	}
	if result.Notices == 0 {
		return errNo
	}
	return nil
}

type unsealed struct{ io.Writer }

func (unsealed) Close() error { return nil }

// peopleColumns is the head line of a list of people.
func peopleColumns() []string {
	return []string{"reference", "customer_ids", "role", "reason", "since", "title", "first_name", "last_name", "company", "representative", "phone", "email",
		"address_1", "address_2", "address_3", "address_4", "address_5", "postcode", "city", "country", "locale", "format", "flags", "defects", "returned", "public_notice"}
}

// writePeople writes the notices of a state as CSV, one at a time.
func (h *house) writePeople(ctx context.Context, w io.Writer, campaign pipeline.Campaign, keys *seal.Keys, state pipeline.State) (n int64, err error) {
	c := inert.NewSheet(w)
	if err := c.Write(peopleColumns()...); err != nil {
		return 0, err
	}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: campaign.ID, States: []pipeline.State{state}}) {
		if err != nil {
			return n, err
		}
		p, err := openPerson(keys, j)
		if err != nil {
			return n, err
		}
		events, err := h.ledger.Events(ctx, j.ID)
		if err != nil {
			return n, err
		}
		if err := c.Write(peopleRow(j.Notice, p, events)...); err != nil {
			return n, err
		}
		n++
	}
	return n, c.Flush()
}

func peopleRow(n pipeline.Notice, p pipeline.Person, events []pipeline.Event) []string {
	since, returned, public := "", "", ""
	for _, e := range events {
		if e.Into == n.State && since == "" {
			since = e.At.Format(time.DateOnly)
		} else if e.Into != n.State {
			since = ""
		}
		switch e.Kind {
		case pipeline.EvReturned:
			returned = e.Code
		case pipeline.EvNotified:
			public = e.Detail
		}
	}
	address := make([]string, 5)
	copy(address, p.Address)
	row := []string{p.Reference.String(), strings.Join(p.CustomerIDs, " "), string(n.Role), n.Reason, since, p.Title, p.FirstName, p.LastName, p.Company, p.Representative, pipeline.Dialled(p.Phone), p.Email}
	row = append(row, address...)
	return append(row, p.Postcode, p.City, p.Country, n.Locale, n.Format, strings.Join(n.Flags, " "), strings.Join(n.Defects, " "), returned, public)
}

type exportStatesCmd struct {
	campaignArg
	Out   string   `help:"File to write; it appears when it is whole. - is standard output." placeholder:"FILE" required:""`
	State []string `help:"Only notices in these states; default: all." placeholder:"STATE"`
}

// Help shows examples.
func (exportStatesCmd) Help() string {
	return `A JSON object a line and a notice: customers, reference, role, state, channel, reason, attempt, since, due. Customer numbers are the only link to a person; nothing else of one is in the file. A file that is there is replaced in one step, so that who reads it every hour never sees half of it.

Examples:

    art34 export states muguet --out /srv/crm/muguet.ndjson
    art34 export states muguet --out - --state unreachable --state held`
}

// stateLine is a line of export states.
type stateLine struct {
	Campaign  string           `json:"campaign"`
	Notice    int64            `json:"notice"`
	Customers []string         `json:"customers"`
	Reference string           `json:"reference"`
	Role      pipeline.Role    `json:"role"`
	State     pipeline.State   `json:"state"`
	Channel   pipeline.Channel `json:"channel"`
	Reason    string           `json:"reason"`
	Attempt   int              `json:"attempt"`
	Since     *time.Time       `json:"since"` // last move
	Due       *time.Time       `json:"due"`   // of what is planned, or when the window closes
}

// Run writes where every notice stands.
func (c exportStatesCmd) Run(ctx context.Context, a *app) error {
	filter := pipeline.Filter{}
	for _, s := range c.State {
		if !pipeline.State(s).Valid() {
			return refuse("usage", "--state is none of the states", fmt.Sprintf("there are %v", pipeline.States()))
		}
		filter.States = append(filter.States, pipeline.State(s))
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
	keys, err := h.keys.Existing(campaign.ID)
	if err != nil {
		return err
	}
	filter.Campaign = campaign.ID
	result := exported{Campaign: campaign.Name, File: c.Out}
	fill := func(w io.Writer) error {
		result.Notices, err = h.writeStates(ctx, w, campaign, keys, filter)
		return err
	}
	if err := h.ledger.Append(ctx, h.audit(campaign.ID, "export", "", "states")); err != nil {
		return err
	}
	if c.Out == "-" {
		return fill(a.out)
	}
	if err := writeWhole(c.Out, 0o640, fill); err != nil {
		return err
	}
	return a.answer(result, result.print)
}

func (h *house) writeStates(ctx context.Context, w io.Writer, campaign pipeline.Campaign, keys *seal.Keys, filter pipeline.Filter) (n int64, err error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	instant := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	for j, err := range h.ledger.Each(ctx, filter) {
		if err != nil {
			return n, err
		}
		p, err := openPerson(keys, j)
		if err != nil {
			return n, err
		}
		line := stateLine{
			Campaign: campaign.Name, Notice: j.ID, Customers: slices.Clone(p.CustomerIDs), Reference: p.Reference.String(), Role: j.Role,
			State: j.State, Channel: j.Channel, Reason: j.Reason, Attempt: j.Attempt, Since: instant(j.MovedAt),
		}
		if !j.State.Settled() {
			line.Due = instant(j.DueAt)
		}
		if line.Customers == nil {
			line.Customers = []string{}
		}
		if err := enc.Encode(line); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
