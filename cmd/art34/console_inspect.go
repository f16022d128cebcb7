package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/kit/inert"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/postal/returned"
)

// Notices lists what stands in a state for a reason.
func (k clerk) Notices(ctx context.Context, name string, f console.NoticeFilter) (console.NoticePage, error) {
	var page console.NoticePage
	err := k.eachNotice(ctx, name, f, func(l console.NoticeLine) bool {
		if len(page.Lines) == f.Limit {
			page.Next = page.Lines[f.Limit-1].ID
			return false
		}
		page.Lines = append(page.Lines, l)
		return true
	})
	return page, err
}

// eachNotice hands over the notices of a filter until take has enough. Those whom only
// few may see are counted and not named, unless the filter says that they may be.
func (k clerk) eachNotice(ctx context.Context, name string, f console.NoticeFilter, take func(console.NoticeLine) bool) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	keys, err := k.h.keys.Existing(c.ID)
	if err != nil && !errors.Is(err, seal.ErrNoKeys) && !errors.Is(err, seal.ErrDestroyed) {
		return err
	}
	filter := pipeline.Filter{Campaign: c.ID, States: []pipeline.State{f.State}, Reason: f.Reason, After: f.After}
	if f.Limit > 0 {
		filter.Limit = f.Limit + 1
	}
	for j, err := range k.h.ledger.Each(ctx, filter) {
		if err != nil {
			return err
		}
		l := console.NoticeLine{
			ID: j.ID, Role: j.Role, State: j.State, Channel: j.Channel, Provider: j.Provider, Locale: j.Locale, Reason: j.Reason,
			Attempt: j.Attempt, Kind: j.Kind, Since: j.MovedAt, Due: j.DueAt,
		}
		if keys != nil && (f.VIP || !console.Reserved(j.Flags)) {
			p, err := openPerson(keys, j)
			if err != nil {
				return err
			}
			l.Reference = p.Reference.String()
		}
		if !take(l) {
			return nil
		}
	}
	return nil
}

// NoticeCSV writes all of them as a table.
func (k clerk) NoticeCSV(ctx context.Context, name string, f console.NoticeFilter, to io.Writer) error {
	w := inert.NewTable(to)
	f.After, f.Limit = 0, 0
	_ = w.Write("reference", "notice", "role", "state", "channel", "provider", "locale", "reason", "attempt", "kind", "since", "due")
	stamp := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	var n int64
	err := k.eachNotice(ctx, name, f, func(l console.NoticeLine) bool {
		n++
		return w.Write(
			l.Reference, fmt.Sprint(l.ID), string(l.Role), string(l.State), string(l.Channel), l.Provider, l.Locale, l.Reason,
			fmt.Sprint(l.Attempt), string(l.Kind), stamp(l.Since), stamp(l.Due),
		) == nil
	})
	return errors.Join(err, w.Flush())
}

// NoticeOf is the notice of a customer number.
func (k clerk) NoticeOf(ctx context.Context, name, customer string) (int64, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return 0, err
	}
	ids, _, err := k.h.noticesOf(ctx, c.ID, []string{customer})
	if err == nil && len(ids) == 0 {
		err = pipeline.ErrNotFound
	}
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// Outlook is what the launch would do.
func (k clerk) Outlook(ctx context.Context, name string) (console.Outlook, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Outlook{}, err
	}
	files, spec, err := k.h.folder(c.Name).read()
	if err != nil {
		return console.Outlook{}, explained(err)
	}
	o, err := k.lastForecast(ctx, c, files)
	if err != nil {
		return console.Outlook{}, explained(err)
	}
	due, err := k.h.ledger.CountDue(ctx, c.ID, k.h.clock.Now().Add(100*365*24*time.Hour), countCap)
	if err != nil {
		return console.Outlook{}, err
	}
	out := outlookOf(o)
	out.Hours, out.CutOff, out.RunSize = spec.Email.Hours, spec.Post.CutOff, spec.Post.RunSize
	by := map[string]int64{}
	for _, d := range due {
		if d.Channel == pipeline.Email {
			by[d.Provider] += d.Count
		}
	}
	out.Providers = nil
	for p, n := range by {
		out.Providers = append(out.Providers, console.ProviderOutlook{Provider: p, Emails: n, Time: time.Duration(o.Providers[p] * float64(time.Second))})
	}
	slices.SortFunc(out.Providers, func(a, b console.ProviderOutlook) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.Emails, a.Emails), cmp.Compare(a.Provider, b.Provider))
	})
	return out, nil
}

// lastForecast is that of the last check, which has measured every letter, if it was
// of what is there now; else what can be told from the counts.
func (k clerk) lastForecast(ctx context.Context, c pipeline.Campaign, files *content) (outlook, error) {
	last, same, err := k.h.lastCheck(ctx, c, files)
	if err != nil {
		return outlook{}, err
	}
	if last.Forecast != nil && same && c.LaunchAt.IsZero() {
		return *last.Forecast, nil
	}
	return k.h.forecastOf(ctx, c)
}

// lastCheck is the verdict of the last check, and whether it is of these files with the
// imports in force; its Content is "" where there was none.
func (h *house) lastCheck(ctx context.Context, c pipeline.Campaign, files *content) (last verdict, same bool, err error) {
	_, hash, err := files.canonical()
	if err != nil {
		return last, false, err
	}
	imports, _, err := h.inForce(ctx, c.ID)
	if err != nil {
		return last, false, err
	}
	last, err = news[verdict](ctx, h, fmt.Sprint(metaCheck, c.ID))
	return last, last.Content == hash && slices.Equal(last.Imports, imports), err
}

// LastCheck is the verdict of the last check, whoever made it and wherever.
func (k clerk) LastCheck(ctx context.Context, name string) (console.Verdict, error) {
	c, files, err := k.writable(ctx, name)
	if files == nil {
		return console.Verdict{}, explained(err)
	}
	last, same, err := k.h.lastCheck(ctx, c, files)
	return console.Verdict{Done: last.Content != "", At: last.At, Blocks: last.Blocks, Same: same}, err
}

// outlookOf is a forecast for the pages. E-mails are spread over the days that they
// take: sending hours are in the time already.
func outlookOf(o outlook) console.Outlook {
	out := console.Outlook{
		Emails: o.Emails, Letters: o.Letters, Pages: o.Pages, Sheets: o.Sheets, Runs: o.Runs, EmailTime: time.Duration(o.EmailSeconds * float64(time.Second)),
		Bounces: o.Bounces, Fallbacks: o.Fallbacks, FallbackSheets: o.FallbackSheets, AssumedFailed: o.AssumedFailed, AssumedDead: o.AssumedDead,
	}
	const day = 24 * time.Hour
	left := o.Emails
	for d := out.EmailTime; left > 0 && len(out.Days) < 60; d -= day {
		n := left
		if d > day {
			n = min(left, int64(float64(o.Emails)*float64(day)/float64(out.EmailTime)))
		}
		out.Days, left = append(out.Days, n), left-n
	}
	return out
}

// Submission is what was handed in for approval since the last one.
func (k clerk) Submission(ctx context.Context, name string) (console.Submission, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Submission{}, err
	}
	return k.submission(ctx, c)
}

func (k clerk) submission(ctx context.Context, c pipeline.Campaign) (console.Submission, error) {
	var s console.Submission
	prepared := map[string]bool{} // who ever had a hand in it, also in what was approved before
	for a, err := range k.h.ledger.AuditTrail(ctx, c.ID) {
		if err != nil {
			return s, err
		}
		switch a.Action {
		case "new", "import", actionEdit, actionSubmit, "launch":
			prepared[a.Actor] = true
		}
		switch a.Action {
		case "approve":
			s = console.Submission{}
		case actionSubmit:
			s = console.Submission{By: a.Actor, At: a.At, Reason: a.Reason, Hash: a.Detail}
		}
	}
	users, err := k.h.ledger.AllUsers(ctx)
	if err != nil {
		return s, err
	}
	if me := k.h.actor(); !prepared[me] {
		s.Tied = console.TiedTo(users, me, s.By, func(a string) bool { return prepared[a] })
	}
	now, _, err := k.asSubmitted(ctx, c)
	if err != nil {
		return s, err
	}
	s.Now, s.Same = now, s.By != "" && s.Hash == now
	s.Approved, err = k.approvedAs(ctx, c, now)
	return s, err
}

// asSubmitted is what an approval would freeze now, as the trail writes it.
func (k clerk) asSubmitted(ctx context.Context, c pipeline.Campaign) (detail string, population int64, err error) {
	files, _, err := k.h.folder(c.Name).read()
	if err != nil {
		return "", 0, explained(err)
	}
	_, hash, err := files.canonical()
	if err != nil {
		return "", 0, err
	}
	imports, population, err := k.h.inForce(ctx, c.ID)
	return submitted(hash, imports), population, err
}

// submitted words what is submitted, read and approved: letters and lists.
func submitted(hash string, imports []int64) string {
	return fmt.Sprintf("sha256 %s, imports %v", hash, imports)
}

// rejectsForm is what an import calls the list of rows that it refused, and that of what
// it found in the others.
var rejectsForm = regexp.MustCompile(`^(I[0-9]{6,}|refused)-(rejects|findings)\.csv$`)

// Rejects opens the list of rows that an import refused.
func (k clerk) Rejects(ctx context.Context, name, file string) (io.ReadCloser, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return nil, err
	}
	if !rejectsForm.MatchString(file) {
		return nil, pipeline.ErrNotFound
	}
	root, err := os.OpenRoot(filepath.Join(k.h.folder(c.Name).path, "imports"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, pipeline.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, pipeline.ErrNotFound
	}
	return f, err
}

// ReturnReasons lists the codes, those first that mean a bad address.
func (k clerk) ReturnReasons() []string {
	var bad, other []string
	for _, r := range returned.Reasons() {
		if r.Bad {
			bad = append(bad, r.Code)
		} else {
			other = append(other, r.Code)
		}
	}
	return append(bad, other...)
}

// Return records returned mail.
func (k clerk) Return(ctx context.Context, name string, r console.Returns) (console.Returned, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Returned{}, err
	}
	cmd := printReturnCmd{Reason: cmp.Or(r.Reason, returned.NotStated), On: r.On, Bag: r.Bag, Counted: r.Counted, File: "-"}
	names, reason, on, err := cmd.usage(k.h.app)
	if err != nil {
		return console.Returned{}, explained(err)
	}
	d := newReturnDesk(k.h, names)
	d.reason, d.on, d.bag, d.dry, d.campaigns = reason, on, r.Bag, r.Dry, []pipeline.Campaign{c}
	if r.List != nil {
		err = d.list(ctx, strings.NewReader(string(r.List)))
	} else {
		err = d.scanner(ctx, strings.NewReader(r.Lines))
	}
	if err != nil {
		if _, ok := errors.AsType[*pipeline.Error](err); ok {
			return console.Returned{}, err
		}
		return console.Returned{}, fmt.Errorf("returned mail: %w", err)
	}
	result, err := d.finish(ctx, r.Counted)
	if err != nil {
		return console.Returned{}, err
	}
	out := console.Returned{Lines: result.Lines, Recorded: result.Recorded, Already: result.Already, Revoked: result.Revoked, Notes: result.Notes, Counted: r.Counted}
	if b := result.Bags[r.Bag]; b != nil {
		out.Read = b.Read
	}
	for _, l := range result.Letters {
		out.Letters = append(out.Letters, console.ReturnedLetter{Reference: l.Reference, Run: l.Run, Seq: l.Seq, Reason: l.Reason, Result: l.Result})
	}
	for _, x := range result.Rejected {
		out.Rejected = append(out.Rejected, console.ReturnedLine{Line: x.Line, Sentence: x.Sentence, Hint: x.Hint})
	}
	return out, nil
}
