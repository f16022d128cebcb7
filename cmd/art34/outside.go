package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/redact"
	"github.com/art34/art34/pipeline/kit/seal"
)

type outsideCmd struct {
	campaignArg
	File         string `help:"List of customers who were told by other means (CSV); - is standard input." placeholder:"FILE"`
	PublicNotice bool   `help:"Record instead that a public notice stands in for everybody who is unreachable now."`
	Reference    string `help:"Of the public notice: where it stands, and where its proof is kept." placeholder:"TEXT"`
	On           string `help:"Day of the public notice." placeholder:"DATE"`
	Rejects      string `help:"Write the rejected lines to a CSV: line, code, sentence." placeholder:"FILE" type:"path"`
	DryRun       bool   `help:"Say what would follow, and record nothing."`
}

// Help shows examples.
func (outsideCmd) Help() string {
	return `Customers who were told on the phone, by SMS, in a shop or by hand are informed, and counted apart. Nothing more is sent to them, and what comes back later no longer changes that. One whose letter or e-mail is on its way at this moment is recorded, and counts once the list is read again after it has left.

The list has a head line with customer_id or reference; told_by (who told), told_at (when: 2026-02-03, 2026-02-03 14:05 or 03/02/2026 14:05), how (phone, sms, shop, hand, other) and evidence (a ticket or recording number, not what was said). English and French names are understood, in any order; other columns are ignored. A bad line is rejected with its code; the others are recorded. The same list again changes nothing.

A public notice (Article 34(3)(c) GDPR) is recorded with every customer who is unreachable on that day; they stay unreachable.

Examples:

    art34 outside muguet --file told-2026-02-03.csv --rejects rejects.csv
    art34 outside muguet --public-notice --reference "Le Quotidien, page 5, proof in file 12" --on 2026-02-10`
}

// Run records what was told outside.
func (c outsideCmd) Run(ctx context.Context, a *app) error {
	if c.PublicNotice == (c.File != "") {
		return refuse("usage", "either --file with the customers who were told, or --public-notice", "art34 outside --help shows examples")
	}
	if !c.PublicNotice && (c.Reference != "" || c.On != "") {
		return refuse("usage", "--reference and --on belong to --public-notice", "with --file each line says when and how somebody was told")
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
	if c.PublicNotice {
		return c.publish(ctx, h, campaign)
	}
	keys, err := h.keys.Existing(campaign.ID)
	if err != nil {
		return err
	}
	rows, err := c.rows(a)
	if err != nil {
		return err
	}
	d := &toldDesk{h: h, campaign: campaign, keys: keys, dry: c.DryRun, result: &toldResult{Campaign: campaign.Name, How: map[string]int{}, Rejected: []rejectedLine{}, DryRun: c.DryRun}, seen: map[int64]bool{}}
	for _, part := range chunks(rows, 500) {
		if err := d.take(ctx, part); err != nil {
			return err
		}
	}
	if !c.DryRun {
		if err := h.ledger.Append(ctx, h.audit(campaign.ID, "outside", "", fmt.Sprintf("%d lines, %d told, %d rejected", d.result.Lines, d.result.Told, len(d.result.Rejected)))); err != nil {
			return err
		}
	}
	if c.Rejects != "" {
		if err := writeRejects(c.Rejects, d.result.Rejected); err != nil {
			return err
		}
	}
	if err := a.answer(d.result, d.result.print); err != nil {
		return err
	}
	if len(d.result.Rejected) > 0 {
		return errNo
	}
	return nil
}

// toldDesk takes in customers who were told.
type toldDesk struct {
	h        *house
	campaign pipeline.Campaign
	keys     *seal.Keys
	dry      bool
	zone     *time.Location
	result   *toldResult
	seen     map[int64]bool
}

// toldResult is the answer of outside --file.
type toldResult struct {
	Campaign string         `json:"campaign"`
	Lines    int            `json:"lines"`
	Told     int            `json:"told"`    // notices that are informed by it now
	Already  int            `json:"already"` // were so before
	Waiting  int            `json:"waiting"` // on record; a letter or e-mail is on its way at this moment
	Settled  int            `json:"settled"` // on record; excluded or cancelled, and stays so
	How      map[string]int `json:"how"`     // lines that were taken
	Rejected []rejectedLine `json:"rejected"`
	DryRun   bool           `json:"dry_run"`
}

// take records a part of the list.
func (d *toldDesk) take(ctx context.Context, rows []toldRow) error {
	if d.zone == nil {
		d.zone = time.UTC
		if spec, err := d.h.editions.Spec(ctx, d.campaign); err == nil {
			d.zone = zoneOf(spec)
		}
	}
	var news []dispatch.News
	for _, row := range rows {
		d.result.Lines++
		jobs, err := d.locate(ctx, &row)
		if err != nil {
			return err
		}
		if row.err != nil {
			d.result.Rejected = append(d.result.Rejected, reject(row.line, row.err))
			continue
		}
		d.result.How[row.how]++
		at, _ := toldTime(row.when, d.zone, d.h.clock.Now())
		for _, j := range jobs {
			news = append(news, dispatch.News{Notice: j.ID, Event: pipeline.Event{At: at, Code: row.how, Detail: toldDetail(row)}})
		}
	}
	do := d.h.operations().Told
	if d.dry {
		do = d.h.operations().ToldDry
	}
	taken, err := do(ctx, d.campaign.ID, news)
	if err != nil {
		return err
	}
	for _, t := range taken {
		switch told := t.Before.State == pipeline.Informed && t.Before.Reason == pipeline.ReasonTold; {
		case told || d.seen[t.Before.ID]:
			d.result.Already++
		case t.Moved:
			d.result.Told++
		case t.Before.State == pipeline.Excluded || t.Before.State == pipeline.Cancelled:
			d.result.Settled++
		default:
			d.result.Waiting++
		}
		d.seen[t.Before.ID] = true
	}
	return nil
}

// ofCustomer finds the notices of a customer number, or of the numbers of one
// customer as the exports of this program write them: with spaces between.
func (d *toldDesk) ofCustomer(ctx context.Context, number string) ([]pipeline.Job, error) {
	jobs, err := d.h.byCustomer(ctx, d.campaign.ID, d.keys, number)
	all := strings.Fields(number)
	for i := 0; err == nil && len(jobs) == 0 && len(all) > 1 && i < len(all); i++ {
		jobs, err = d.h.byCustomer(ctx, d.campaign.ID, d.keys, all[i])
	}
	return jobs, err
}

// locate finds the notices that a row is about: all of the customer, or the one
// with the reference.
func (d *toldDesk) locate(ctx context.Context, row *toldRow) (jobs []pipeline.Job, err error) {
	if row.err != nil {
		return nil, nil
	}
	if _, row.err = toldTime(row.when, d.zone, d.h.clock.Now()); row.err != nil {
		return nil, nil
	}
	if row.customer != "" {
		if jobs, err = d.ofCustomer(ctx, row.customer); err != nil {
			return nil, err
		}
		if len(jobs) == 0 {
			row.err = refuse("customer-unknown", "no notice of this campaign is of this customer", "compare the number with the list; is the line about another campaign?")
		}
	}
	if row.reference != "" && row.err == nil {
		ids, _, err := d.h.ledger.Search(ctx, d.campaign.ID, d.keys.Token(intake.KeyReference, row.reference.Compact()), 2)
		if err != nil {
			return nil, err
		}
		same := func(j pipeline.Job) bool { return slices.Contains(ids, j.ID) }
		switch {
		case len(ids) == 0:
			row.err = refuse("reference-unknown", "no notice of this campaign has this reference", "type it again from the letter; is it of another campaign?")
		case row.customer != "" && !slices.ContainsFunc(jobs, same):
			row.err = refuse("customer-other", "customer and reference of the line are of two people", "one of the two is wrong: compare both with the letter")
		case row.customer == "":
			j, err := d.h.ledger.Notice(ctx, ids[0])
			if err != nil {
				return nil, err
			}
			jobs = []pipeline.Job{j}
		}
	}
	return jobs, nil
}

// toldDetail says who told a customer and where the proof is, without addresses
// and telephone numbers.
func toldDetail(row toldRow) string {
	s := "by " + row.by
	if row.evidence != "" {
		s += ", " + row.evidence
	}
	s = redact.Line(redact.Addresses(s), 200)
	if redact.Personal(s) != "" {
		return "by " + redact.Mark // somebody's number stands there instead of who told
	}
	return s
}

func (r *toldResult) print(w io.Writer) {
	verb := "are"
	if r.DryRun {
		verb = "would be"
	}
	fmt.Fprintf(w, "%s: %s %s informed by other means, %s before.\n", r.Campaign, count(int64(r.Told), "notice", "notices"), verb, thousands(int64(r.Already)))
	if r.Waiting > 0 {
		fmt.Fprintf(w, "On record, and on its way at this moment: %s. Read the list again once it has left.\n", count(int64(r.Waiting), "notice", "notices"))
	}
	if r.Settled > 0 {
		fmt.Fprintf(w, "On record, and excluded or cancelled as before: %s.\n", count(int64(r.Settled), "notice", "notices"))
	}
	if len(r.How) > 0 {
		parts := []string{}
		for _, how := range []string{"phone", "sms", "shop", "hand", "other"} {
			if n := r.How[how]; n > 0 {
				parts = append(parts, fmt.Sprintf("%s %d", how, n))
			}
		}
		fmt.Fprintf(w, "Lines: %s\n", strings.Join(parts, ", "))
	}
	for i, x := range r.Rejected {
		if i == printMost {
			fmt.Fprintf(w, "… and %d more; --rejects writes them all.\n", len(r.Rejected)-printMost)
			break
		}
		fmt.Fprintf(w, "Line %d is not recorded: %s (%s)\n", x.Line, x.Sentence, x.Code)
	}
}
