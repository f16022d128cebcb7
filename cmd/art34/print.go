package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

type printCmd struct {
	List    printListCmd    `cmd:"" help:"List print runs with their totals."`
	Release printReleaseCmd `cmd:"" help:"Hand assembled runs to the print shop."`
	Ack     printAckCmd     `cmd:"" help:"Record what the print shop acknowledges: deposit, spoiled letters."`
	Recall  printRecallCmd  `cmd:"" help:"Take a run back: void it before the release, recall it after."`
	Return  printReturnCmd  `cmd:"" help:"Record letters that came back, by reference, scanner or list."`
}

// printRuns is the directory of the print runs.
func (a *app) printRuns() string { return filepath.Join(a.Dir, "print-runs") }

type printListCmd struct {
	Campaign string `help:"Only of this campaign." placeholder:"CAMPAIGN"`
}

// Help shows examples.
func (printListCmd) Help() string {
	return `The files of a run lie in DIR/print-runs: the PDF, and the manifest as CSV and JSON. They hold names: two weeks after the run was closed they are destroyed, at once if it was voided.

Examples:

    art34 print list
    art34 print list --campaign muguet --json`
}

// runView is a print run as it is listed.
type runView struct {
	Run       string            `json:"run"`
	Campaign  int64             `json:"campaign_id"`
	State     pipeline.RunState `json:"state"`
	Profile   string            `json:"profile"`
	Class     string            `json:"class"`
	Letters   int               `json:"letters"`
	Sheets    int               `json:"sheets"` // of the whole run
	Pages     int               `json:"pages"`
	Version   int               `json:"version"`
	File      string            `json:"file"`
	FileState string            `json:"file_state"` // there, destroyed, not-here
	Destroyed *time.Time        `json:"destroyed_at,omitempty"`
	SHA256    string            `json:"sha256"`
	Deposit   *depositView      `json:"deposit,omitempty"`
}

// depositView is what the print shop acknowledged.
type depositView struct {
	On      string        `json:"on"`
	Place   string        `json:"place"`
	Product string        `json:"product"`
	Slip    string        `json:"slip"`
	Count   int           `json:"count"`
	Letters string        `json:"letters,omitempty"` // positions, of a part
	Parts   []depositView `json:"parts,omitempty"`
}

func viewDeposit(d pipeline.Deposit) *depositView {
	v := &depositView{On: d.On.Format(time.DateOnly), Place: d.Place, Product: d.Product, Slip: d.Slip, Count: d.Count}
	for _, p := range d.Parts {
		v.Parts = append(v.Parts, depositView{On: p.On.Format(time.DateOnly), Place: p.Place, Product: p.Product, Slip: p.Slip, Count: p.Count, Letters: p.Letters})
	}
	return v
}

// What became of the file of a run.
const (
	fileThere     = "there"
	fileDestroyed = "destroyed" // by the program: it holds names
	fileNotHere   = "not-here"  // removed by somebody, or on another machine
)

func viewRun(r pipeline.Run) runView {
	v := runView{
		Run: r.Name(), Campaign: r.Campaign, State: r.State, Profile: r.Profile, Class: r.Class, Letters: r.Letters, Sheets: r.Sheets * r.Letters,
		Pages: r.Pages, Version: r.Version, File: r.File, FileState: fileThere, SHA256: r.SHA256,
	}
	if r.State == pipeline.RunDeposited || r.Deposit.Count > 0 {
		v.Deposit = viewDeposit(r.Deposit)
	}
	return v
}

// lookForFiles says which files are gone, and since when.
func (h *house) lookForFiles(ctx context.Context, runs []pipeline.Run, views []runView) error {
	removed := map[string]time.Time{}
	asked := map[int64]bool{}
	for i, r := range runs {
		v := &views[i]
		if r.File != "" {
			if _, err := os.Stat(filepath.Join(h.printRuns(), r.File)); err == nil {
				continue
			}
		}
		switch r.State {
		case pipeline.RunVoided:
			v.FileState, v.Destroyed = fileDestroyed, &r.ClosedAt
			continue
		case pipeline.RunFilling, pipeline.RunCut:
			continue // being drawn
		}
		if !asked[r.Campaign] {
			for a, err := range h.ledger.AuditTrail(ctx, r.Campaign) {
				if err != nil {
					return err
				}
				if a.Action == actionFilesRemoved {
					removed[a.Detail] = a.At
				}
			}
			asked[r.Campaign] = true
		}
		v.FileState = fileNotHere
		if at, ok := removed[r.Name()]; ok {
			v.FileState, v.Destroyed = fileDestroyed, &at
		}
	}
	return nil
}

// actionFilesRemoved is the entry of the audit trail when files of a run go.
const actionFilesRemoved = "print-files-removed"

// file is the name of the file, or what became of it.
func (v runView) file() string {
	switch v.FileState {
	case fileDestroyed:
		return "destroyed on " + v.Destroyed.Local().Format(time.DateOnly)
	case fileNotHere:
		return v.File + " (not here)"
	}
	return v.File
}

// stateWords is the state, with how far a deposit in parts is.
func (v runView) stateWords() string {
	if v.State == pipeline.RunReleased && v.Deposit != nil {
		return fmt.Sprintf("%s, %d posted", v.State, v.Deposit.Count)
	}
	return string(v.State)
}

// Run lists the print runs.
func (c printListCmd) Run(ctx context.Context, a *app) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	var campaign int64
	if c.Campaign != "" {
		found, err := campaignArg{c.Campaign}.find(ctx, h)
		if err != nil {
			return err
		}
		campaign = found.ID
	}
	runs, err := h.ledger.Runs(ctx, campaign)
	if err != nil {
		return err
	}
	views := make([]runView, len(runs))
	for i, r := range runs {
		views[i] = viewRun(r)
	}
	if err := h.lookForFiles(ctx, runs, views); err != nil {
		return err
	}
	return a.answer(views, func(w io.Writer) {
		if len(views) == 0 {
			fmt.Fprintln(w, "No print runs.")
			return
		}
		table(w, func(w io.Writer) {
			fmt.Fprintln(w, "RUN\tSTATE\tCLASS\tLETTERS\tSHEETS\tPAGES\tFILE")
			for _, v := range views {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", v.Run, v.stateWords(), v.Class, v.Letters, v.Sheets, v.Pages, v.file())
			}
		})
	})
}

// parseRun reads a run as people write it: R000042, r42 or 42.
func parseRun(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimLeft(strings.ToUpper(s), "R"), 10, 64)
	if err != nil || n < 1 {
		return 0, refuse("usage", fmt.Sprintf("%q is no print run", s), "print runs are called R000042; art34 print list shows them")
	}
	return n, nil
}

func (h *house) printRun(ctx context.Context, name string) (pipeline.Run, error) {
	id, err := parseRun(name)
	if err != nil {
		return pipeline.Run{}, err
	}
	r, err := h.ledger.Run(ctx, id)
	if errors.Is(err, pipeline.ErrNotFound) {
		return r, refuse("run-unknown", "there is no print run "+pipeline.RunName(id), "art34 print list shows them")
	}
	return r, err
}

type printReleaseCmd struct {
	Runs []string `arg:"" optional:"" help:"Print runs, like R000042." placeholder:"RUN"`
	All  bool     `help:"Every assembled run."`
}

// Help shows examples.
func (printReleaseCmd) Help() string {
	return `From now on only a recall that the print shop acknowledges brings the letters back. The file is checked against its recorded hash first.

Examples:

    art34 print release R000001 R000002
    art34 print release --all`
}

// Run releases print runs.
func (c printReleaseCmd) Run(ctx context.Context, a *app) error {
	if c.All == (len(c.Runs) > 0) {
		return refuse("usage", "name print runs, or say --all", "art34 print list shows them")
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	var runs []pipeline.Run
	if c.All {
		all, err := h.ledger.Runs(ctx, 0)
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.State == pipeline.RunAssembled {
				runs = append(runs, r)
			}
		}
	}
	for _, name := range c.Runs {
		r, err := h.printRun(ctx, name)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	views := []runView{}
	for _, r := range runs {
		r, err := h.releaseRun(ctx, r)
		if err != nil {
			return err
		}
		views = append(views, viewRun(r))
	}
	return a.answer(views, func(w io.Writer) {
		for _, v := range views {
			fmt.Fprintf(w, "%s is released: %s, %s. Hand over %s\n", v.Run, count(int64(v.Letters), "letter", "letters"), count(int64(v.Sheets), "sheet", "sheets"), filepath.Join(a.printRuns(), v.File))
		}
		if len(views) == 0 {
			fmt.Fprintln(w, "No run is assembled.")
		}
	})
}

func (h *house) releaseRun(ctx context.Context, r pipeline.Run) (pipeline.Run, error) {
	if r.State == pipeline.RunReleased {
		return r, nil
	}
	if r.State != pipeline.RunAssembled {
		return r, decline("conflict", fmt.Sprintf("%s is %s, not assembled", r.Name(), r.State), "art34 print list shows the runs")
	}
	sum, err := fileHash(filepath.Join(h.printRuns(), r.File))
	if err != nil {
		return r, decline("run-file", "the file of "+r.Name()+" cannot be read: "+err.Error(), "recall the run; its letters go into a new one")
	}
	if sum != r.SHA256 {
		return r, decline("run-file-altered", "the file of "+r.Name()+" is not the one that was assembled", "recall the run; its letters go into a new one")
	}
	return h.operations().ReleaseRun(ctx, r.ID)
}

func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

type printRecallCmd struct {
	Run_   string `arg:"" name:"run" help:"Print run, like R000042." placeholder:"RUN"`
	Reason string `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (printRecallCmd) Help() string {
	return `Before the release a run is voided and its letters are due again. After the release this records that the print shop acknowledged the recall; its letters are held until somebody releases them.

` + reasonHelp + `

Example:

    art34 print recall R000042 --reason "wrong enclosure"`
}

// Run takes a run back.
func (c printRecallCmd) Run(ctx context.Context, a *app) error {
	if err := checkReason(c.Reason); err != nil {
		return err
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	r, err := h.printRun(ctx, c.Run_)
	if err != nil {
		return err
	}
	result, err := h.takeBack(ctx, r, c.Reason)
	if err != nil {
		return err
	}
	return a.answer(result, func(w io.Writer) { fmt.Fprintln(w, result.sentence()) })
}
