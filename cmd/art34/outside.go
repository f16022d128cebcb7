package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/listfile"
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
		return refuse("usage", "--reference and --on belong to --public-notice", "")
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

// toldRow is a line of the list: who told a customer, when and how.
type toldRow struct {
	line                    int
	customer                string
	reference               pipeline.Reference
	by, how, evidence, when string
	err                     *pipeline.Error
}

// toldColumns lists, folded, how the columns may be called.
func toldColumns() map[string][]string {
	return map[string][]string{
		"customer":  {"customer id", "customer", "customer number", "id client", "client", "numero client", "numero de client", "n client", "no client", "ref client"},
		"reference": {"reference", "ref", "letter ref", "notice ref", "reference courrier"},
		"by":        {"told by", "who", "by", "agent", "informed by", "informe par", "par", "conseiller", "operateur"},
		"at":        {"told at", "told on", "when", "at", "date", "date time", "informe le", "le", "date heure", "date appel", "date d appel"},
		"how":       {"how", "means", "channel", "canal", "moyen", "comment", "mode"},
		"evidence":  {"evidence", "proof", "preuve", "ticket", "numero de ticket", "enregistrement", "call id", "justificatif"},
	}
}

// hows lists, folded, by which means a customer can be told, and how they are called.
func hows() map[string][]string {
	return map[string][]string{
		"phone": {"phone", "call", "telephone", "tel", "appel", "par telephone"},
		"sms":   {"sms", "text", "texto", "text message"},
		"shop":  {"shop", "store", "counter", "boutique", "agence", "magasin", "guichet"},
		"hand":  {"hand", "in person", "visit", "en main propre", "remise en main propre", "main propre", "visite"},
		"other": {"other", "autre"},
	}
}

func (c outsideCmd) rows(a *app) ([]toldRow, error) {
	in := a.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return nil, refuse("unreadable", "the list cannot be read: "+pathless(err), "")
		}
		defer f.Close()
		in = f
	}
	list, err := listfile.Read(in)
	switch {
	case errors.Is(err, listfile.ErrEmpty), errors.Is(err, listfile.ErrBinary), errors.Is(err, listfile.ErrSheet), errors.Is(err, listfile.ErrTooLarge):
		return nil, refuse("list-invalid", "the list: "+err.Error(), "save it as CSV, with a head line")
	case err != nil:
		return nil, err
	}
	at, _, twice := listfile.Columns(list.Rows[0].Fields, toldColumns())
	var missing []string
	_, customer := at["customer"]
	_, reference := at["reference"]
	if !customer && !reference {
		missing = append(missing, "customer_id or reference")
	}
	for _, need := range [][2]string{{"by", "told_by"}, {"at", "told_at"}, {"how", "how"}} {
		if _, ok := at[need[0]]; !ok {
			missing = append(missing, need[1])
		}
	}
	if len(missing) > 0 || len(twice) > 0 {
		return nil, refuse("list-invalid", "the head line lacks "+strings.Join(missing, ", ")+strings.Join(twice, ", twice "), "it needs customer_id or reference, told_by, told_at and how; evidence is wise")
	}
	rows := []toldRow{}
	for _, r := range list.Rows[1:] {
		if r.Fault == "" && slices.Equal(r.Fields, list.Rows[0].Fields) {
			continue
		}
		rows = append(rows, readTold(r, at))
	}
	return rows, nil
}

// toldMost is how long who told, and the evidence, may be.
const toldMost = 120

// readTold checks what can be checked without the ledger.
func readTold(r listfile.Row, at map[string]int) toldRow {
	row := toldRow{line: r.Line}
	no := func(code, sentence, hint string) toldRow {
		row.err = refuse(code, sentence, hint)
		return row
	}
	if r.Fault != "" {
		return no("row-"+r.Fault, "the line is broken: a quotation mark that is open, control characters, or far too long", "")
	}
	field := func(name string) string {
		if i, ok := at[name]; ok && i < len(r.Fields) {
			return r.Fields[i]
		}
		return ""
	}
	row.customer, row.by, row.evidence, row.when = field("customer"), field("by"), field("evidence"), field("at")
	if s := field("reference"); s != "" {
		var err error
		if row.reference, err = pipeline.ParseReference(s); err != nil {
			return no("reference-check", "the reference does not check: a character is wrong, or two are swapped", "")
		}
	}
	if row.customer == "" && row.reference == "" {
		return no("customer-missing", "neither customer nor reference is given", "")
	}
	if row.how = howOf(field("how")); row.how == "" {
		return no("how-unknown", "how the customer was told is none of phone, sms, shop, hand, other", "")
	}
	if row.by == "" {
		return no("by-missing", "who told the customer is not given", "a team or a number will do")
	}
	if len(row.by) > toldMost || len(row.evidence) > toldMost {
		return no("text-long", "who told, or the evidence, is longer than 120 bytes", "give the number of the ticket, not what was said")
	}
	if row.when == "" {
		return no("at-missing", "when the customer was told is not given", "")
	}
	return row
}

func howOf(text string) string {
	s := listfile.Fold(text)
	for code, names := range hows() {
		if slices.Contains(names, s) {
			return code
		}
	}
	return ""
}

// toldTime reads when a customer was told, in the time zone of the campaign.
func toldTime(s string, zone *time.Location, now time.Time) (time.Time, *pipeline.Error) {
	s = strings.Replace(strings.TrimSpace(s), "T", " ", 1)
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "02/01/2006", "02/01/2006 15:04", "02/01/2006 15:04:05", "02.01.2006", "02.01.2006 15:04"} {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		if len(layout) == 10 {
			t = t.Add(12 * time.Hour) // noon of the day
			if t.After(now) && !t.Add(-12*time.Hour).After(now) {
				t = now
			}
		}
		switch {
		case t.After(now.Add(10 * time.Minute)):
			return t, refuse("at-future", "the time lies in the future", "write the day before the month, or 2026-01-31")
		case t.Before(now.AddDate(-2, 0, 0)):
			return t, refuse("at-early", "the time lies more than two years back", "")
		}
		return t.UTC(), nil
	}
	return time.Time{}, refuse("at-invalid", "the time cannot be read", "write 2026-01-31 14:05 or 31/01/2026 14:05")
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
			row.err = refuse("customer-unknown", "no notice of this campaign is of this customer", "")
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
			row.err = refuse("reference-unknown", "no notice of this campaign has this reference", "")
		case row.customer != "" && !slices.ContainsFunc(jobs, same):
			row.err = refuse("customer-other", "customer and reference of the line are of two people", "")
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

// publicNotice is remembered for status.
type publicNotice struct {
	Reference string        `json:"reference"`
	On        pipeline.Date `json:"on"`
	Notices   int64         `json:"notices"` // that it stood in for when it was recorded
}

// metaPublic + id of the campaign remembers the newest public notice.
const metaPublic = "public-notice/"

// publish records a public notice with everybody who is unreachable.
func (c outsideCmd) publish(ctx context.Context, h *house, campaign pipeline.Campaign) error {
	p := publicNotice{Reference: strings.TrimSpace(c.Reference)}
	if err := p.On.UnmarshalText([]byte(c.On)); err != nil || p.On.IsZero() || p.Reference == "" || p.On.After(h.clock.Now()) {
		return refuse("usage", "a public notice needs --reference, where it stands, and --on, the day on which it was published, not in the future", `for example --reference "Le Quotidien, page 5" --on 2026-02-10`)
	}
	if what := redact.Personal(p.Reference); what != "" || len(p.Reference) > 200 {
		return refuse("usage", "--reference is at most 200 bytes, without addresses and telephone numbers", "name the newspaper or page, and where the proof is kept")
	}
	at := p.On.Add(12 * time.Hour)
	if at.After(h.clock.Now()) {
		at = h.clock.Now()
	}
	result := publicResult{Campaign: campaign.Name, Reference: p.Reference, On: c.On, DryRun: c.DryRun}
	var news []dispatch.News
	flush := func() error {
		if c.DryRun || len(news) == 0 {
			return nil
		}
		_, err := h.operations().Notified(ctx, campaign.ID, news)
		news = nil
		return err
	}
	e := pipeline.Event{At: at, Code: "public-notice", Detail: p.Reference + ", " + c.On}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: campaign.ID, States: []pipeline.State{pipeline.Unreachable}}) {
		if err != nil {
			return err
		}
		known, err := h.saidBefore(ctx, j.ID, e)
		if err != nil {
			return err
		}
		if p.Notices++; known {
			result.Already++
			continue
		}
		result.Recorded++
		if news = append(news, dispatch.News{Notice: j.ID, Event: e}); len(news) == 500 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if !c.DryRun && p.Notices > 0 {
		if err := h.rememberPublic(ctx, campaign, p); err != nil {
			return err
		}
	}
	if err := h.answer(result, result.print); err != nil {
		return err
	}
	if p.Notices == 0 {
		return errNo
	}
	return nil
}

// saidBefore reports whether an event of this kind and content is on record.
func (h *house) saidBefore(ctx context.Context, notice int64, e pipeline.Event) (bool, error) {
	events, err := h.ledger.Events(ctx, notice)
	return slices.ContainsFunc(events, func(old pipeline.Event) bool {
		return old.Kind == pipeline.EvNotified && old.Code == e.Code && old.Detail == e.Detail
	}), err
}

func (h *house) rememberPublic(ctx context.Context, campaign pipeline.Campaign, p publicNotice) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := h.ledger.SetMeta(ctx, fmt.Sprint(metaPublic, campaign.ID), string(data), false); err != nil {
		return err
	}
	return h.ledger.Append(ctx, h.audit(campaign.ID, "public-notice", p.Reference, fmt.Sprintf("%s, %d notices", p.On.Format(time.DateOnly), p.Notices)))
}

// publicResult is the answer of outside --public-notice.
type publicResult struct {
	Campaign  string `json:"campaign"`
	Reference string `json:"reference"`
	On        string `json:"on"`
	Recorded  int64  `json:"recorded"`
	Already   int64  `json:"already"`
	DryRun    bool   `json:"dry_run"`
}

func (r publicResult) print(w io.Writer) {
	if r.Recorded+r.Already == 0 {
		fmt.Fprintln(w, "Nobody is unreachable; nothing was recorded.")
		return
	}
	verb := "is recorded"
	if r.DryRun {
		verb = "would be recorded"
	}
	fmt.Fprintf(w, "The public notice of %s %s with %s; %s had it before. They stay unreachable.\n", r.On, verb, count(r.Recorded, "unreachable notice", "unreachable notices"), thousands(r.Already))
}
