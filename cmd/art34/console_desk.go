package main

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/postal"
)

// consoleDesk does what people decide on the pages.
type consoleDesk struct{ h *house }

// As returns the operations in somebody's name. They write nothing to the
// terminal.
func (d consoleDesk) As(actor string) console.Operations {
	h, a, g := *d.h, *d.h.app, *d.h.globals
	a.globals, a.out, a.err, a.terminal, a.acts = &g, io.Discard, io.Discard, false, actor
	h.app = &a
	return clerk{&h}
}

// clerk is a house that acts for somebody.
type clerk struct{ h *house }

func (k clerk) named(ctx context.Context, name string) (pipeline.Campaign, error) {
	return campaignArg{name}.find(ctx, k.h)
}

// note puts the reason of a deed on record whose own entry has none.
func (k clerk) note(ctx context.Context, name, action, reason string) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	return k.h.ledger.Append(ctx, k.h.audit(c.ID, action, reason, ""))
}

// Launch lets an approved campaign go.
func (k clerk) Launch(ctx context.Context, name string, at time.Time, canary int, reason string) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	if k.h.Relay == "" {
		return decline("no-relay", "no relay is configured, so nothing could be sent", "ART34_RELAY names it")
	}
	if _, err := k.h.launchable(ctx, c); err != nil {
		return err
	}
	if err := k.note(ctx, name, "launch-reason", reason); err != nil {
		return err
	}
	return notInState(k.h.operations().Launch(ctx, name, at, canary), c)
}

// Pause stops a campaign.
func (k clerk) Pause(ctx context.Context, name, reason string) error {
	return k.h.operations().Pause(ctx, name, reason)
}

// Resume goes on with a campaign.
func (k clerk) Resume(ctx context.Context, name, reason string) error {
	return k.h.operations().Resume(ctx, name, reason)
}

// Cancel ends a campaign.
func (k clerk) Cancel(ctx context.Context, name, reason string) (console.Moved, error) {
	m, err := k.h.operations().Cancel(ctx, name, reason)
	return console.Moved{Moved: m.Moved, Skipped: m.Skipped}, err
}

// ReleaseBreaker closes a breaker.
func (k clerk) ReleaseBreaker(ctx context.Context, name, scope, reason string) error {
	return k.h.operations().ReleaseBreaker(ctx, name, scope, reason)
}

// Resolve decides about all doubts of a campaign.
func (k clerk) Resolve(ctx context.Context, name string, send bool, reason string) (console.Moved, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Moved{}, err
	}
	m, err := k.h.operations().Resolve(ctx, dispatch.Cohort{Campaign: c.ID}, send, reason)
	return console.Moved{Moved: m.Moved, Skipped: m.Skipped}, err
}

// Cohort holds, releases or excludes customers.
func (k clerk) Cohort(ctx context.Context, name string, verb console.Verb, which console.Cohort, reason string) (console.Moved, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Moved{}, err
	}
	result := console.Moved{}
	cohort := dispatch.Cohort{Campaign: c.ID, Flag: which.Flag}
	if which.Flag == "" {
		if cohort.Notices, result.NotFound, err = k.h.noticesOf(ctx, c.ID, which.Customers); err != nil {
			return result, err
		}
		if len(cohort.Notices) == 0 {
			return result, nil
		}
	}
	o := k.h.operations()
	do := map[console.Verb]func(context.Context, dispatch.Cohort, string) (dispatch.Moved, error){console.Hold: o.Hold, console.Release: o.Release, console.Exclude: o.Exclude}[verb]
	m, err := do(ctx, cohort, reason)
	result.Moved, result.Skipped = m.Moved, m.Skipped
	return result, err
}

// ReleaseRun hands a run to the print shop.
func (k clerk) ReleaseRun(ctx context.Context, id int64, reason string) error {
	r, err := k.h.ledger.Run(ctx, id)
	if err != nil {
		return err
	}
	if _, err := k.h.releaseRun(ctx, r); err != nil {
		return err
	}
	return k.h.ledger.Append(ctx, k.h.audit(r.Campaign, "print-release-reason", reason, r.Name()))
}

// Acknowledge records a deposit.
func (k clerk) Acknowledge(ctx context.Context, id int64, d pipeline.Deposit, rejected map[int]string) error {
	ack := postal.Ack{Run: id, Deposits: []postal.AckDeposit{{Deposit: d}}}
	for _, seq := range slices.Sorted(maps.Keys(rejected)) {
		ack.Rejected = append(ack.Rejected, postal.AckItem{Seq: seq, Reason: rejected[seq]})
	}
	list, err := k.h.reconcile(ctx, []postal.Ack{ack}, false)
	if err != nil {
		return err
	}
	_, err = k.h.acknowledge(ctx, list[0])
	return err
}

// TakeBack voids or recalls a run.
func (k clerk) TakeBack(ctx context.Context, id int64, reason string) error {
	r, err := k.h.ledger.Run(ctx, id)
	if err != nil {
		return err
	}
	_, err = k.h.takeBack(ctx, r, reason)
	return err
}

// OpenRun opens the file of a run once its hash is the recorded one.
func (k clerk) OpenRun(ctx context.Context, id int64) (console.RunFile, error) {
	r, err := k.h.ledger.Run(ctx, id)
	if err != nil {
		return console.RunFile{}, err
	}
	root, err := os.OpenRoot(k.h.printRuns())
	if err != nil {
		return console.RunFile{}, err
	}
	defer root.Close()
	sum, err := fileHash(filepath.Join(k.h.printRuns(), filepath.Base(r.File)))
	if err != nil {
		return console.RunFile{}, decline("run-file", "the file of "+r.Name()+" is not here any more", "files go some time after the deposit")
	}
	if sum != r.SHA256 {
		return console.RunFile{}, decline("run-file-altered", "the file of "+r.Name()+" is not the one that was assembled", "recall the run; its letters go into a new one")
	}
	f, err := root.Open(filepath.Base(r.File))
	if err != nil {
		return console.RunFile{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return console.RunFile{}, errors.Join(err, f.Close())
	}
	return console.RunFile{Name: r.File, Size: info.Size(), Content: f}, nil
}

// uploads holds lists that people send, until they are read.
func (k clerk) uploads() string { return filepath.Join(k.h.Dir, "uploads") }

// New makes a draft.
func (k clerk) New(ctx context.Context, name string, campaignYAML []byte, logos map[string][]byte) error {
	spec, err := parseSpec(specFile, campaignYAML)
	if err != nil {
		return explained(err) // which names the line, and no file of ours
	}
	if missing := missingLogos(spec, logos); len(missing) > 0 {
		return refuse("logo-missing", "the logo "+strings.Join(missing, ", ")+", which the campaign file names, did not come along", "choose it beside the file, under the very name that stands there, or leave logo empty")
	}
	if err := os.MkdirAll(k.uploads(), 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(k.uploads(), "draft-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.WriteFile(specFile, campaignYAML, 0o600); err != nil {
		return err
	}
	for logo, data := range logos {
		if err := root.WriteFile(logo, data, 0o600); err != nil {
			return refuse("logo-missing", "the logo cannot be kept under this name", "a simple name, like logo.png")
		}
	}
	if _, err := k.h.newCampaign(ctx, name, filepath.Join(dir, specFile)); err != nil {
		return explained(err)
	}
	return nil
}

// missingLogos are those that a campaign.yaml names and that were not sent with it.
func missingLogos(spec *pipeline.Spec, logos map[string][]byte) []string {
	var missing []string
	for _, s := range spec.Senders {
		if _, there := logos[s.Logo]; s.Logo != "" && !there {
			missing = append(missing, s.Logo)
		}
	}
	return pipeline.Set(missing)
}

// Receive puts a list down.
func (k clerk) Receive(_ context.Context, role, name string, from io.Reader) (console.List, error) {
	if err := os.MkdirAll(k.uploads(), 0o700); err != nil {
		return console.List{}, err
	}
	dir := filepath.Join(k.uploads(), "list-"+strings.ToLower(rand.Text()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return console.List{}, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return console.List{}, err
	}
	defer root.Close()
	l := console.List{Role: role, Name: simpleName(name)}
	l.Path = filepath.Join(dir, l.Name)
	f, err := root.OpenFile(l.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return l, err
	}
	_, err = io.Copy(f, from)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.RemoveAll(dir)
	}
	return l, roomless(err, k.h.Dir)
}

// simpleName is a file name without anything that a path or a terminal reads
// otherwise.
func simpleName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_", r) {
			return r
		}
		return '_'
	}, s)
	s = strings.TrimLeft(s, ".")
	if len(s) > 100 {
		s = s[len(s)-100:]
	}
	if s == "" {
		s = "list"
	}
	return s
}

// Import reads lists that were received, and removes them.
func (k clerk) Import(ctx context.Context, name string, lists []console.List, replace bool, unmatched int64) (console.Imported, error) {
	c := importCmd{Replace: replace, MaxUnmatched: unmatched}
	for _, l := range lists {
		defer os.RemoveAll(filepath.Dir(l.Path))
		if l.Role == "customers" {
			c.Customers = append(c.Customers, l.Path)
		} else {
			c.Impact = append(c.Impact, l.Path)
		}
	}
	campaign, err := k.named(ctx, name)
	if err != nil {
		return console.Imported{}, err
	}
	result, err := k.h.importLists(ctx, campaign, c)
	out := console.Imported{NoChange: result.NoChange, Manifest: result.Manifest}
	if err != nil {
		if !result.Refused {
			return out, explained(err)
		}
		why := explained(err)
		out.Refused = why.Sentence
		if why.Code == "too-many-unmatched" || why.Code == "directory-needed" {
			out.Missing = result.Manifest.Unmatched
		}
	}
	if result.Rejects != "" {
		out.List, out.Findings = filepath.Base(result.Rejects), filepath.Base(result.Findings)
	}
	if result.Manifest.Defects["kind-unknown"]+result.Manifest.Defects["kinds-unknown"] > 0 {
		e, _, err := k.h.draft(campaign)
		if err != nil {
			return out, explained(err)
		}
		out.Kinds = e.set.Kinds()
	}
	out.Rejects, err = firstRejects(result.Rejects)
	return out, err
}

// rejectsShown is how many rejects a page lists; the file has all of them.
const rejectsShown = 100

func firstRejects(path string) ([]console.Reject, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return nil, nil // nothing was rejected
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.TrimPrefix(h, "\ufeff")] = i
	}
	var list []console.Reject
	for len(list) < rejectsShown {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return list, err
		}
		cell := func(name string) string {
			if i, ok := at[name]; ok && i < len(row) {
				return row[i]
			}
			return ""
		}
		list = append(list, console.Reject{File: cell("file"), Row: cell("row"), Column: cell("column"), Code: cell("code"), Sentence: cell("sentence")})
	}
	return list, nil
}

// Check renders and lints everything.
func (k clerk) Check(ctx context.Context, name string) (console.Checked, error) {
	c, err := k.named(ctx, name)
	if err != nil {
		return console.Checked{}, err
	}
	r, err := k.h.check(ctx, c)
	if err != nil {
		return console.Checked{}, explained(err)
	}
	out := console.Checked{
		Notices: r.Notices, Rendered: r.Rendered, Held: r.Held, Waiting: r.Waiting, Found: r.Found,
		States: keyed[pipeline.State](r.States), Roles: keyed[pipeline.Role](r.Roles),
		Emails: r.Forecast.Emails, Letters: r.Forecast.Letters, EmailTime: time.Duration(r.Forecast.EmailSeconds * float64(time.Second)), Sheets: r.Forecast.Sheets, Runs: r.Forecast.Runs,
	}
	for _, x := range []struct {
		to   *[]console.Finding
		from []finding
	}{{&out.Blocks, r.Blocks}, {&out.Warnings, r.Warnings}} {
		for _, f := range x.from {
			*x.to = append(*x.to, console.Finding{Code: f.Code, File: f.File, Line: f.Line, Sentence: f.Sentence, Hint: f.Hint, Count: f.Count})
		}
	}
	return out, nil
}

// keyed is a count under the words of the vocabulary.
func keyed[K ~string](by map[string]int64) map[K]int64 {
	out := map[K]int64{}
	for key, n := range by {
		out[K(key)] = n
	}
	return out
}

// actionSubmit says in the audit trail that a campaign is ready to be approved.
const actionSubmit = "submit"

// Submit says that the campaign is ready to be approved as it is now.
func (k clerk) Submit(ctx context.Context, name, reason string) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	detail, population, err := k.asSubmitted(ctx, c)
	if err != nil {
		return err
	}
	if population == 0 {
		return decline("nobody", "there is nobody to inform", "import the lists first")
	}
	if n, err := k.approvedAs(ctx, c, detail); err != nil || n > 0 {
		return errors.Join(err, approvedAlready(n))
	}
	return k.h.ledger.Append(ctx, k.h.audit(c.ID, actionSubmit, reason, detail))
}

// Approve freezes the campaign as it was submitted and as the one who approves has
// seen it, unless they had a hand in it.
func (k clerk) Approve(ctx context.Context, name, seen, reason string) error {
	c, err := k.named(ctx, name)
	if err != nil {
		return err
	}
	mine, err := k.hadAHand(ctx, c)
	if err != nil {
		return err
	}
	if mine != "" {
		return decline("approve-own", "nobody approves what they prepared themselves ("+mine+")", "a second person with the role approver does")
	}
	s, err := k.submission(ctx, c)
	switch {
	case err != nil:
		return err
	case s.Tied.Refused:
		if err := k.h.ledger.Append(ctx, k.h.audit(c.ID, "approve-tied", reason, s.Tied.Account+" was in the hands of "+s.Tied.Actor+": "+s.Tied.Did)); err != nil {
			return err
		}
		return console.RefuseTied(s.Tied)
	case s.By == "":
		return decline("not-submitted", "nobody has submitted this campaign for approval as it stands", "whoever prepared it says that it is ready")
	case !s.Same:
		return decline("submitted-other", "letters, campaign.yaml or lists were changed after the campaign was submitted", "whoever changed them submits it again")
	case seen != s.Now:
		return decline("seen-other", "the campaign was changed while you read it", "read it again: this page shows what is there now")
	}
	if s.Approved > 0 {
		return approvedAlready(s.Approved)
	}
	if err := k.note(ctx, name, "approve-reason", reason); err != nil {
		return err
	}
	_, err = k.h.approve(ctx, c, seen)
	if err != nil {
		return explained(err)
	}
	return nil
}

// approvedAlready refuses to approve, or to hand in, once more what is in force.
func approvedAlready(version int) error {
	if version == 0 {
		return nil
	}
	return decline("approved-already", fmt.Sprintf("this is approved already, as version %d: nothing was changed since", version), "change a text or a list first, or go on with what is approved")
}

// approvedAs is the version in force if it froze exactly this, and nothing waits for
// its approval: 0 otherwise. now is as submitted words it.
func (k clerk) approvedAs(ctx context.Context, c pipeline.Campaign, now string) (int, error) {
	v, err := k.h.versionInForce(ctx, c)
	if err != nil || v == nil || c.State == pipeline.Draft || submitted(v.Hash, v.Imports) != now {
		return 0, err
	}
	held, err := k.h.ledger.Reasons(ctx, c.ID, pipeline.Held)
	if err != nil || held[reasonApproval] > 0 {
		return 0, err
	}
	return v.N, nil
}

// hadAHand returns what this person did to the campaign since it was last approved,
// "" if nothing.
func (k clerk) hadAHand(ctx context.Context, c pipeline.Campaign) (string, error) {
	did := ""
	for a, err := range k.h.ledger.AuditTrail(ctx, c.ID) {
		if err != nil {
			return "", err
		}
		switch a.Action {
		case "approve":
			did = ""
		case "new", "import", actionEdit, actionSubmit:
			if a.Actor == k.h.actor() {
				did = a.Action
			}
		}
	}
	return did, nil
}
