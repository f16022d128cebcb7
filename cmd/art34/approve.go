package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/intake"
)

type approveCmd struct {
	campaignArg
}

// Help shows examples.
func (approveCmd) Help() string {
	return `Freezes campaign.yaml, letters, catalogue, logos and the lists as version n, with the difference to the version before. It is refused while check has blocks; what was not checked as it is now is checked first. Any later change of the files voids the approval of a campaign that is not launched; launch says what changed.

While a campaign is paused a corrected letter can be approved: resume goes on with it for everybody who was not written to yet. An import after the launch is approved without a pause.

Example:

    art34 approve muguet --as "A. Dupont, DPO"`
}

// approval is the answer of approve.
type approval struct {
	Campaign   string `json:"campaign"`
	Version    int    `json:"version"`
	ApprovedBy string `json:"approved_by"`
	Hash       string `json:"hash"`
	Population int64  `json:"population"`
	Absorbed   int64  `json:"absorbed"`
	Released   int64  `json:"released"`
	Diff       string `json:"diff"`
	NoChange   bool   `json:"no_change"`

	Next []followUp `json:"next,omitempty"`
}

// Run approves the campaign as it is now.
func (c approveCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := c.find(ctx, h)
	if err != nil {
		return err
	}
	result, err := h.approve(ctx, campaign, "")
	if err != nil {
		return err
	}
	if campaign, err = c.find(ctx, h); err != nil {
		return err
	}
	result.Next = h.nextAfterApproval(campaign)
	return a.answer(result, result.print)
}

// seen, as submitted words it, is what somebody has read: what is frozen is the same,
// also if somebody saves in between. "" takes what is there.
func (h *house) approve(ctx context.Context, c pipeline.Campaign, seen string) (approval, error) {
	if c.State == pipeline.Withdrawn {
		return approval{}, notInState(pipeline.ErrConflict, c)
	}
	files, spec, err := h.folder(c.Name).read()
	if err != nil {
		return approval{}, err
	}
	data, hash, err := files.canonical()
	if err != nil {
		return approval{}, err
	}
	imports, population, err := h.inForce(ctx, c.ID)
	if err != nil {
		return approval{}, err
	}
	if seen != "" && seen != submitted(hash, imports) {
		return approval{}, decline("seen-other", "the campaign was changed while you read it", "read it again: this page shows what is there now")
	}
	v := pipeline.Version{
		Campaign: c.ID, Hash: hash, Content: data, AuthoredBy: h.actor(), ApprovedBy: h.actor(), ApprovedAt: h.clock.Now(),
		Population: population, Imports: imports,
	}
	before, err := h.versionInForce(ctx, c)
	if err != nil {
		return approval{}, err
	}
	result := approval{Campaign: c.Name, ApprovedBy: h.actor(), Hash: hash, Population: population}
	if before != nil {
		if before.Hash == hash && slices.Equal(before.Imports, imports) && c.State != pipeline.Draft {
			result.Version, result.ApprovedBy, result.NoChange = before.N, before.ApprovedBy, true
			return result, h.takeIn(ctx, c, spec, &result)
		}
		if c.State == pipeline.Running && before.Hash != hash {
			return result, decline("running", c.Name+" is running; its letters can only be changed while it is paused", "art34 pause "+c.Name+", art34 approve "+c.Name+", art34 resume "+c.Name)
		}
		old, err := parseContent(before.Content)
		if err != nil {
			return result, err
		}
		v.Diff = files.unified(old, fmt.Sprintf("version %d", before.N), fmt.Sprintf("version %d", before.N+1))
		result.Diff = v.Diff
	}
	if population == 0 {
		return result, decline("nobody", "there is nobody to inform", "art34 import "+c.Name+" brings the impact list")
	}
	if err := h.checkedAs(ctx, c, hash, imports); err != nil {
		return result, err
	}
	state := c.State
	if state == pipeline.Draft {
		state = pipeline.Approved
	}
	v, err = h.ledger.AddVersion(ctx, v, c, state, h.audit(c.ID, "approve", "", fmt.Sprintf("sha256 %s, imports %v, population %d", hash, imports, population)))
	if errors.Is(err, pipeline.ErrConflict) {
		return result, decline("approve-meanwhile", c.Name+" was approved, launched, paused or cancelled meanwhile; nothing was approved", "look at where it stands, and approve it then")
	}
	if err != nil {
		return result, err
	}
	result.Version = v.N
	if err := h.adoptPacing(ctx, c.Name, before, spec); err != nil {
		return result, err
	}
	return result, h.takeIn(ctx, c, spec, &result)
}

// versionInForce is the version that a campaign points to, nil before the first.
func (h *house) versionInForce(ctx context.Context, c pipeline.Campaign) (*pipeline.Version, error) {
	if c.Version == 0 {
		return nil, nil
	}
	v, err := h.ledger.Version(ctx, c.ID, c.Version)
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// checkedAs makes sure that exactly this content was checked with exactly these
// imports, and has no blocks.
func (h *house) checkedAs(ctx context.Context, c pipeline.Campaign, hash string, imports []int64) error {
	last, err := news[verdict](ctx, h, fmt.Sprint(metaCheck, c.ID))
	if err != nil {
		return err
	}
	if last.Content != hash || !slices.Equal(last.Imports, imports) {
		h.say("checking first: this was not checked as it is now")
		result, err := h.check(ctx, c)
		if err != nil {
			return err
		}
		last.Blocks = len(result.Blocks)
	}
	if last.Blocks > 0 {
		return decline("check-blocks", "check has "+count(int64(last.Blocks), "block", "blocks"), "art34 check "+c.Name+" shows them")
	}
	return nil
}

// adoptPacing takes over the pacing of campaign.yaml where it is new; what was
// changed by hand while running stays.
func (h *house) adoptPacing(ctx context.Context, campaign string, before *pipeline.Version, spec *pipeline.Spec) error {
	if before != nil {
		old, err := parseContent(before.Content)
		if err != nil {
			return err
		}
		was, err := old.spec()
		if err != nil {
			return err
		}
		a, err := json.Marshal(was.Email)
		b, err2 := json.Marshal(spec.Email)
		if err = errors.Join(err, err2); err != nil || string(a) == string(b) {
			return err
		}
	}
	return h.operations().AdoptPacing(ctx, campaign, spec.Email)
}

// takeIn lets go what waited for the approval of an import after the launch. It
// may be repeated after a failure.
func (h *house) takeIn(ctx context.Context, c pipeline.Campaign, spec *pipeline.Spec, result *approval) error {
	if c.LaunchAt.IsZero() {
		return nil
	}
	keys, err := h.keys.Existing(c.ID)
	if err != nil {
		return err
	}
	imports, err := h.ledger.Imports(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, i := range imports {
		if i.PublishedAt.IsZero() || !i.ReplacedAt.IsZero() || !i.MergedAt.IsZero() {
			continue
		}
		absorbed, err := intake.Merge(ctx, intake.MergeConfig{Campaign: c.ID, Spec: spec, Import: i.ID, Sink: h.ledger, Keys: keys, Actor: h.actor(), Now: h.clock.Now})
		if err != nil {
			return err
		}
		result.Absorbed += absorbed
	}
	moved, err := h.operations().Release(ctx, dispatch.Cohort{Campaign: c.ID, Reason: reasonApproval}, "approved")
	result.Released = moved.Moved
	return err
}

func (r approval) print(w io.Writer) {
	switch {
	case r.NoChange:
		fmt.Fprintf(w, "Nothing was changed since version %d, which %s approved.\n", r.Version, r.ApprovedBy)
	default:
		if r.Diff != "" {
			fmt.Fprint(w, r.Diff)
		}
		fmt.Fprintf(w, "%s is approved as version %d: %s, sha256 %s\n", r.Campaign, r.Version, count(r.Population, "customer", "customers"), r.Hash)
	}
	if r.Absorbed+r.Released > 0 {
		fmt.Fprintf(w, "%s released", count(r.Released, "notice", "notices"))
		if r.Absorbed > 0 {
			fmt.Fprintf(w, ", %s absorbed by letters that have not left yet", count(r.Absorbed, "supplement", "supplements"))
		}
		fmt.Fprintln(w, ".")
	}
	printNext(w, r.Next)
}
