package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/ledger"
)

// reasonApproval holds what an import after the launch brought, until that import
// is approved.
const reasonApproval = "awaiting-approval"

type importCmd struct {
	campaignArg
	Customers    []string `help:"Customer directories: CSV, NDJSON or XLSX, also gzip or zstd." placeholder:"FILE" type:"existingfile" sep:"none"`
	Impact       []string `help:"Impact lists, in the same formats." placeholder:"FILE" type:"existingfile" sep:"none"`
	Replace      bool     `help:"Before the launch: this population instead of all earlier ones."`
	MaxUnmatched int64    `help:"Allow so many customers of the impact list who are in no directory; one per cent is always allowed." placeholder:"N"`
}

// Help shows examples.
func (importCmd) Help() string {
	return `A customer in several rows or files is one notice. A bad row is never dropped silently: it goes to a rejects file with row, column and code, and rows are accepted plus rejected rows. What was found in the other rows is in a findings file. The import is published as a whole or not at all; the same content again changes nothing.

After the launch, new customers wait until art34 approve has approved the import; nothing that runs is stopped. A customer who was written to already gets a supplement.

A later import may leave --customers away as long as everybody on its list has a notice already. Of those who were not concerned no name and no address was kept: for them the directory is needed again, the whole of it or their rows.

Examples:

    art34 import muguet --customers customers.csv --impact impact.csv
    art34 import muguet --customers b2c.csv.gz --customers b2b.xlsx --impact wave1.ndjson
    art34 import muguet --customers customers.csv --impact corrected.csv --replace
    art34 import muguet --impact more-contracts-of-the-same-customers.csv`
}

// imported is the answer of an import.
type imported struct {
	Campaign string            `json:"campaign"`
	Import   int64             `json:"import"`
	NoChange bool              `json:"no_change"`
	Absorbed int64             `json:"absorbed"`
	Awaiting bool              `json:"awaiting_approval"`
	Refused  bool              `json:"refused,omitempty"` // nothing was published; the manifest says what was read
	Rejects  string            `json:"rejects,omitempty"`
	Findings string            `json:"findings,omitempty"`
	Manifest pipeline.Manifest `json:"manifest"`
}

// Run brings an impact list in.
func (c importCmd) Run(ctx context.Context, a *app) error {
	if len(c.Customers)+len(c.Impact) == 0 {
		return refuse("usage", "name files with --customers and --impact", "art34 sample writes an example of both")
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
	result, err := h.importLists(ctx, campaign, c)
	if err != nil && !result.Refused {
		return err
	}
	return errors.Join(a.answer(result, result.print), err)
}

// importLists runs an import and says what it did.
func (h *house) importLists(ctx context.Context, campaign pipeline.Campaign, c importCmd) (imported, error) {
	launched := !campaign.LaunchAt.IsZero()
	switch {
	case campaign.State == pipeline.Withdrawn:
		return imported{}, notInState(pipeline.ErrConflict, campaign)
	case launched && c.Replace:
		return imported{}, decline("launched", campaign.Name+" is launched: its population cannot be replaced", "import without --replace adds to it")
	}
	keys, err := h.importKeys(ctx, campaign)
	if err != nil {
		return imported{}, err
	}
	e, _, err := h.draft(campaign)
	if err != nil {
		return imported{}, err
	}
	if err := h.ledger.Sweep(ctx, campaign.ID, h.clock.Now().Add(-24*time.Hour)); err != nil {
		return imported{}, err
	}
	reports, err := newReports(filepath.Join(h.folder(campaign.Name).path, "imports"))
	if err != nil {
		return imported{}, err
	}
	defer reports.discard()
	var sink intake.Sink = h.ledger
	if launched {
		sink = awaiting{h.ledger}
	}
	bar := h.progress("reading", 0)
	result, err := intake.Run(ctx, intake.Config{
		Campaign: campaign, Spec: e.spec, Customers: sources(c.Customers), Impacts: sources(c.Impact),
		Sink: sink, Keys: keys, Printable: e.press.Printable, KnownKinds: e.set.Kinds(), OwnDomains: ownDomains(e.spec),
		Rejects: reports.rejects, Findings: reports.findings, MaxUnmatched: c.MaxUnmatched, Replace: c.Replace,
		Actor: h.actor(), Now: h.clock.Now,
		Progress: func(p intake.Progress) {
			if p.Phase == "reading" && p.Total > 0 {
				bar.Set("reading "+p.File+", bytes", p.Bytes, p.Total)
			} else {
				bar.Set(p.Phase, p.Rows, p.Total)
			}
		},
	})
	bar.End()
	if files := result.Import.Manifest.Files; err != nil && len(files) > 0 {
		// Who has to repair the lists needs to see what was read.
		out := imported{Campaign: campaign.Name, Refused: true, Manifest: result.Import.Manifest}
		var failed error
		out.Rejects, out.Findings, failed = reports.keep("refused")
		return out, errors.Join(err, failed)
	}
	if err != nil {
		return imported{}, roomless(err, h.Dir)
	}
	out := imported{Campaign: campaign.Name, Import: result.Import.ID, NoChange: result.NoChange, Awaiting: launched && !result.NoChange, Manifest: result.Import.Manifest}
	if result.NoChange {
		return out, nil
	}
	if out.Rejects, out.Findings, err = reports.keep(fmt.Sprintf("I%06d", result.Import.ID)); err != nil {
		return out, err
	}
	if !launched {
		if out.Absorbed, err = h.merge(ctx, campaign, e.spec, keys, result.Import); err != nil {
			return out, err
		}
	}
	if c.Replace {
		err = h.ledger.Sweep(ctx, campaign.ID, h.clock.Now().Add(-24*time.Hour))
	}
	return out, err
}

// importKeys returns the keys of a campaign. They are made here only if the
// process that made the campaign died before it had made them.
func (h *house) importKeys(ctx context.Context, c pipeline.Campaign) (*seal.Keys, error) {
	keys, err := h.keys.Existing(c.ID)
	if !errors.Is(err, seal.ErrNoKeys) {
		return keys, err
	}
	imports, listErr := h.ledger.Imports(ctx, c.ID)
	if listErr != nil || len(imports) > 0 {
		return nil, errors.Join(err, listErr)
	}
	return h.keys.Campaign(c.ID)
}

// merge lets notices that were not queued yet absorb what an import adds.
func (h *house) merge(ctx context.Context, c pipeline.Campaign, spec *pipeline.Spec, keys *seal.Keys, i pipeline.Import) (int64, error) {
	if i.Manifest.Supplements == 0 {
		return 0, nil
	}
	return intake.Merge(ctx, intake.MergeConfig{
		Campaign: c.ID, Spec: spec, Import: i.ID, Sink: h.ledger, Keys: keys, Actor: h.actor(), Now: h.clock.Now,
	})
}

func sources(paths []string) (list []intake.Source) {
	for _, p := range paths {
		list = append(list, intake.File(p))
	}
	return list
}

// ownDomains are the mail domains of the senders: an address there is no
// customer's.
func ownDomains(s *pipeline.Spec) []string {
	var list []string
	for _, sender := range s.Senders {
		for _, address := range []string{sender.From, sender.ReplyTo} {
			if _, domain, ok := strings.Cut(address, "@"); ok {
				list = append(list, strings.ToLower(domain))
			}
		}
	}
	return pipeline.Set(list)
}

// awaiting holds every notice that would be due, because the campaign was
// launched and this import is not approved yet.
type awaiting struct{ ledger.Ledger }

// Stage implements intake.Sink.
func (s awaiting) Stage(ctx context.Context, importID int64, batch []pipeline.Staged) error {
	for i := range batch {
		if n := &batch[i].Notice; n.State == pipeline.Due {
			n.State, n.Born, n.Reason = pipeline.Held, pipeline.Held, reasonApproval
		}
	}
	return s.Ledger.Stage(ctx, importID, batch)
}

// reports are the rejects and findings of an import, kept under its number once
// it is published.
type reports struct {
	dir               string
	rejects, findings *os.File
}

func newReports(dir string) (*reports, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	r := &reports{dir: dir}
	var err, err2 error
	r.rejects, err = os.CreateTemp(dir, ".rejects-")
	r.findings, err2 = os.CreateTemp(dir, ".findings-")
	if err = errors.Join(err, err2); err != nil {
		r.discard()
		return nil, err
	}
	return r, nil
}

// keep gives the files their names: those of an import, or of one that was refused.
func (r *reports) keep(name string) (rejects, findings string, err error) {
	rejects, findings = filepath.Join(r.dir, name+"-rejects.csv"), filepath.Join(r.dir, name+"-findings.csv")
	err = errors.Join(r.rejects.Close(), r.findings.Close(), os.Rename(r.rejects.Name(), rejects), os.Rename(r.findings.Name(), findings))
	return rejects, findings, err
}

// discard removes what was not kept.
func (r *reports) discard() {
	for _, f := range []*os.File{r.rejects, r.findings} {
		if f != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}
}

func (r imported) print(w io.Writer) {
	if r.NoChange {
		fmt.Fprintf(w, "This content is in force already, as import %d; nothing was changed.\n", r.Import)
		return
	}
	m := r.Manifest
	table(w, func(w io.Writer) {
		fmt.Fprintln(w, "FILE\tROWS\tACCEPTED\tREJECTED\tFORMAT")
		for _, f := range m.Files {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Name, thousands(f.Rows), thousands(f.Accepted), thousands(f.Rejected), strings.TrimSpace(f.Format+" "+f.Encoding))
		}
	})
	if r.Refused {
		fmt.Fprintln(w)
		r.printFound(w)
		return
	}
	fmt.Fprintf(w, "\nImport %d is published: %s to inform", r.Import, count(m.Population, "customer", "customers"))
	if m.Supplements > 0 {
		fmt.Fprintf(w, ", %s known already with something new (%s absorbed)", thousands(m.Supplements), thousands(r.Absorbed))
	}
	fmt.Fprintf(w, ", %s, %s not concerned.\n", count(m.Impacts, "impact", "impacts"), thousands(m.Bystanders))
	if r.Awaiting && m.Population+m.Unmatched > 0 {
		fmt.Fprintln(w, "Once approved:")
	}
	for _, s := range pipeline.States() {
		if n := m.States[s]; n > 0 {
			fmt.Fprintf(w, "  %s: %s\n", s, thousands(n))
		}
	}
	if m.Unmatched > 0 {
		fmt.Fprintf(w, "  %s of the impact list in no directory: unreachable (no contact)\n", count(m.Unmatched, "customer", "customers"))
	}
	r.printFound(w)
	if r.Awaiting {
		fmt.Fprintf(w, "The campaign is launched: what is new waits for art34 check %s and art34 approve %s.\n", r.Campaign, r.Campaign)
	} else {
		fmt.Fprintf(w, "Next: art34 check %s\n", r.Campaign)
	}
}

// printFound prints what is wrong with the lists, and where it is listed.
func (r imported) printFound(w io.Writer) {
	m := r.Manifest
	if len(m.Ignored) > 0 {
		fmt.Fprintf(w, "Ignored on purpose: %s. This is no advertising; nobody can opt out of being informed.\n", strings.Join(m.Ignored, ", "))
	}
	if len(m.Defects) > 0 {
		fmt.Fprintln(w, "Found in the records:")
		codes := intake.Codes()
		table(w, func(w io.Writer) {
			for _, code := range slices.Sorted(maps.Keys(m.Defects)) {
				effect := ""
				if i := slices.IndexFunc(codes, func(c intake.Code) bool { return c.Code == code }); i >= 0 {
					effect = effectWords(codes[i].Effect)
				}
				fmt.Fprintf(w, "  %s\t%s\t%s\n", code, thousands(m.Defects[code]), effect)
			}
		})
	}
	fmt.Fprintf(w, "Rejected rows: %s\nFindings in the other rows: %s\n", r.Rejects, r.Findings)
}

// effectWords says what a finding does.
func effectWords(e intake.Effect) string {
	switch e {
	case intake.Reject:
		return "the row is not taken"
	case intake.Hold:
		return "held until a person looks"
	case intake.NoEmail:
		return "by post instead of e-mail"
	case intake.NoPost:
		return "not by post"
	case intake.Drop:
		return "the value is not used"
	}
	return "only noted"
}

// roomless explains a full disk, wherever it showed. Nothing was published: the
// ledger does that in one step, after everything else is written.
func roomless(err error, dir string) error {
	if own, ok := errors.AsType[*pipeline.Error](err); ok && own.Code != "spill-failed" && own.Code != "ledger-disk-full" {
		return err
	}
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) && pipeline.ErrorCode(err) != "ledger-disk-full" {
		return err
	}
	return &pipeline.Error{
		Code: "disk-full", Sentence: "the disk is full; nothing was imported", Exit: exitAway,
		Hint: fmt.Sprintf("make room in %s and in the temporary directory %s (TMPDIR chooses another), about three times the size of the lists, and repeat the command", dir, os.TempDir()),
	}
}
