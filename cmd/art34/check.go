package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/letter"
)

type checkCmd struct {
	campaignArg
}

// Help shows examples.
func (checkCmd) Help() string {
	return `Renders every notice in its locale, for its channel, and applies the rules of the law and of the craft. A defect of letters or campaign blocks the approval (exit 1). A defect of one customer holds that notice (exit 0) and is listed in DIR/campaigns/CAMPAIGN/check.csv, with everything else that was found about single records; a hold whose cause is mended is released. Before the launch the channel of each notice is chosen again by the present campaign.yaml.

Examples:

    art34 check muguet
    art34 check muguet --json`
}

// Run checks the campaign as its folder has it now.
func (c checkCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	campaign, err := c.find(ctx, h)
	if err != nil {
		return err
	}
	result, err := h.check(ctx, campaign)
	if err != nil {
		return err
	}
	if err := a.answer(result, result.print); err != nil {
		return err
	}
	if len(result.Blocks) > 0 {
		return errNo
	}
	return nil
}

// checked is the answer of a check.
type checked struct {
	Campaign string           `json:"campaign"`
	Content  string           `json:"content"` // hash of what was checked
	Imports  []int64          `json:"imports"`
	Notices  int64            `json:"notices"`
	Rendered int64            `json:"rendered"`
	Blocks   []finding        `json:"blocks"`
	Warnings []finding        `json:"warnings"`
	Held     map[string]int64 `json:"held"`    // held now because of a defect: code → notices
	Waiting  map[string]int64 `json:"waiting"` // held for another reason: code → notices
	Released int64            `json:"released"`
	Rerouted int64            `json:"rerouted"`
	List     string           `json:"list,omitempty"` // file that lists what was found, notice by notice
	Found    map[string]int64 `json:"found"`          // what the import found wrong: code → notices
	Channels map[string]int64 `json:"channels"`
	States   map[string]int64 `json:"states"`
	Roles    map[string]int64 `json:"roles"` // primary (the population), supplement, copy
	Forecast outlook          `json:"forecast"`
}

// finding is what a rule found, with how often.
type finding struct {
	Code     string `json:"code"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Sentence string `json:"sentence"`
	Hint     string `json:"hint,omitempty"`
	Count    int64  `json:"count"`
}

// metaCheck + id of the campaign remembers the last check, for approve.
const metaCheck = "check/"

// verdict is the last check of a campaign: of which content and imports, and with
// how many blocks.
type verdict struct {
	Content string  `json:"content"`
	Imports []int64 `json:"imports"`
	Blocks  int     `json:"blocks"`

	At       time.Time `json:"at,omitzero"`        // when; zero in old ones
	Forecast *outlook  `json:"forecast,omitempty"` // for the pages
}

// noteTwins blocks when channels.both_if asks for other paper copies than the
// import made: they are part of what was imported.
func (k *checker) noteTwins() {
	if !k.before || len(k.twins) == 0 {
		return
	}
	k.note(letter.Finding{
		Code: "both-changed", Severity: letter.Block, File: specFile,
		Sentence: "channels.both_if, flags or channels ask for other paper copies than at the import: " + count(int64(len(k.twins)), "customer", "customers"),
		Hint:     "import the lists again with --replace, or put campaign.yaml back",
	})
}

// noteBurnt blocks when callers would be verified by what was stolen: whoever has it
// would pass for the customer.
func (k *checker) noteBurnt() {
	for _, column := range k.e.spec.Cell.Burnt(slices.Collect(maps.Keys(k.stolen))) {
		k.note(letter.Finding{
			Code: "verify-stolen", Severity: letter.Block, File: specFile,
			Sentence: "cell.values: " + column + " belongs to the data kind " + k.e.spec.Cell.Values[column] + ", which was stolen: it proves nothing about a caller",
			Hint:     "take it out of cell.values, and verify callers otherwise",
		})
	}
}

// check renders and lints every notice of a campaign as its folder has it now.
func (h *house) check(ctx context.Context, c pipeline.Campaign) (*checked, error) {
	e, files, err := h.draft(c)
	if err != nil {
		return nil, err
	}
	_, hash, err := files.canonical()
	if err != nil {
		return nil, err
	}
	imports, population, err := h.inForce(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	result := &checked{
		Campaign: c.Name, Content: hash, Imports: imports, Held: map[string]int64{}, Waiting: map[string]int64{}, Found: map[string]int64{},
		Channels: map[string]int64{}, States: map[string]int64{}, Roles: map[string]int64{}, Blocks: []finding{}, Warnings: []finding{},
	}
	k := newChecker(h, e, c, result)
	for _, f := range e.set.Lint() {
		k.note(f)
		if f.Severity == letter.Block {
			k.general[[2]string{f.Code, f.Sentence}] = true
		}
	}
	if err := k.approvedImports(ctx); err != nil {
		return nil, err
	}
	start := h.real.Now()
	if err := k.all(ctx, population); err != nil {
		return nil, err
	}
	k.noteTwins()
	k.noteBurnt()
	if result.List, err = k.list.write(filepath.Join(h.folder(c.Name).path, "check.csv")); err != nil {
		return nil, err
	}
	result.Blocks, result.Warnings = k.findings(letter.Block), k.findings(letter.Warn)
	result.Forecast = k.forecast(h.real.Now().Sub(start))
	data, err := json.Marshal(verdict{Content: hash, Imports: imports, Blocks: len(result.Blocks), At: h.real.Now(), Forecast: &result.Forecast})
	if err != nil {
		return nil, err
	}
	_, err = h.ledger.SetMeta(ctx, fmt.Sprint(metaCheck, c.ID), string(data), false)
	return result, err
}

func (r *checked) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s rendered.\n", count(r.Notices, "notice", "notices"), thousands(r.Rendered))
	printCounts(w, "By channel", r.Channels)
	printCounts(w, "By state", r.States)
	if r.Rerouted > 0 {
		fmt.Fprintf(w, "Channel or state chosen again by campaign.yaml: %s.\n", count(r.Rerouted, "notice", "notices"))
	}
	if r.Released > 0 {
		fmt.Fprintf(w, "Mended since the last check, and let go: %s.\n", count(r.Released, "notice", "notices"))
	}
	printCounts(w, "Found in the records", r.Found)
	printCounts(w, "Held because of a defect", r.Held)
	printCounts(w, "Held because of a decision, a flag or a format", r.Waiting)
	if r.List != "" {
		fmt.Fprintf(w, "Each of these, and who reaches nobody, by reference: %s\n", r.List)
	}
	for _, list := range []struct {
		title    string
		findings []finding
	}{{"Worth a look", r.Warnings}, {"Blocks the approval", r.Blocks}} {
		if len(list.findings) > 0 {
			fmt.Fprintf(w, "%s:\n", list.title)
		}
		for _, f := range list.findings {
			f.print(w)
		}
	}
	r.Forecast.print(w)
	switch {
	case r.Notices == 0:
		fmt.Fprintf(w, "There is nobody to inform. Next: art34 import %s --customers FILE --impact FILE\n", r.Campaign)
	case len(r.Blocks) == 0:
		fmt.Fprintf(w, "Nothing blocks the approval. Next: art34 proof %s --sample 10 --out proofs, then art34 approve %s\n", r.Campaign, r.Campaign)
	}
}

func (f finding) print(w io.Writer) {
	place := f.File
	if f.Line > 0 {
		place += fmt.Sprintf(":%d", f.Line)
	}
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(" (%s times)", thousands(f.Count))
	}
	fmt.Fprintf(w, "  %s\n", strings.TrimSpace(fmt.Sprintf("%s %s %s%s", f.Code, place, f.Sentence, times)))
	if f.Hint != "" {
		fmt.Fprintf(w, "      %s\n", f.Hint)
	}
}

// printCounts prints "Title: a 12, b 3" in the order of the codes.
func printCounts(w io.Writer, title string, counts map[string]int64) {
	if len(counts) == 0 {
		return
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, code+" "+thousands(counts[code]))
	}
	fmt.Fprintf(w, "%s: %s\n", title, strings.Join(parts, ", "))
}
