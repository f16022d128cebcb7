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
	return `A customer in several rows or files is one notice. A bad row is never dropped silently: it goes to a rejects file with row, column and code, and rows are accepted plus rejected rows. The import is published as a whole or not at all; the same content again changes nothing.

After the launch, new customers wait until art34 approve has approved the import; nothing that runs is stopped. A customer who was written to already gets a supplement.

Examples:

    art34 import muguet --customers customers.csv --impact impact.csv
    art34 import muguet --customers b2c.csv.gz --customers b2b.xlsx --impact wave1.ndjson
    art34 import muguet --customers customers.csv --impact corrected.csv --replace`
}

// imported is the answer of an import.
type imported struct {
	Campaign string            `json:"campaign"`
	Import   int64             `json:"import"`
	NoChange bool              `json:"no_change"`
	Absorbed int64             `json:"absorbed"`
	Awaiting bool              `json:"awaiting_approval"`
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
	if err != nil {
		return err
	}
	return a.answer(result, result.print)
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
	if err != nil {
		return imported{}, err
	}
	out := imported{Campaign: campaign.Name, Import: result.Import.ID, NoChange: result.NoChange, Awaiting: launched && !result.NoChange, Manifest: result.Import.Manifest}
	if result.NoChange {
		return out, nil
	}
	if out.Rejects, out.Findings, err = reports.keep(result.Import.ID); err != nil {
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

func (r *reports) keep(id int64) (rejects, findings string, err error) {
	rejects = filepath.Join(r.dir, fmt.Sprintf("I%06d-rejects.csv", id))
	findings = filepath.Join(r.dir, fmt.Sprintf("I%06d-findings.csv", id))
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
	fmt.Fprintf(w, "\nImport %d is published: %s to inform", r.Import, count(m.Population, "customer", "customers"))
	if m.Supplements > 0 {
		fmt.Fprintf(w, ", %s known already with something new (%s absorbed)", thousands(m.Supplements), thousands(r.Absorbed))
	}
	fmt.Fprintf(w, ", %s, %s not concerned.\n", count(m.Impacts, "impact", "impacts"), thousands(m.Bystanders))
	if r.Awaiting {
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
	if len(m.Ignored) > 0 {
		fmt.Fprintf(w, "Ignored on purpose: %s. This is no advertising; nobody can opt out of being informed.\n", strings.Join(m.Ignored, ", "))
	}
	if len(m.Defects) > 0 {
		fmt.Fprintln(w, "Found in the records:")
		for _, code := range slices.Sorted(maps.Keys(m.Defects)) {
			fmt.Fprintf(w, "  %s: %s\n", code, thousands(m.Defects[code]))
		}
	}
	fmt.Fprintf(w, "Rejected rows: %s\nFindings: %s\n", r.Rejects, r.Findings)
	if r.Awaiting {
		fmt.Fprintf(w, "The campaign is launched: what is new waits for art34 check %s and art34 approve %s.\n", r.Campaign, r.Campaign)
	}
}
