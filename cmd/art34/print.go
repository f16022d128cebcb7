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

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/postal"
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
	return `The files of a run lie in DIR/print-runs: the PDF, and the manifest as CSV and JSON.

Examples:

    art34 print list
    art34 print list --campaign muguet --json`
}

// runView is a print run as it is listed.
type runView struct {
	Run      string            `json:"run"`
	Campaign int64             `json:"campaign_id"`
	State    pipeline.RunState `json:"state"`
	Profile  string            `json:"profile"`
	Class    string            `json:"class"`
	Letters  int               `json:"letters"`
	Sheets   int               `json:"sheets"` // of the whole run
	Pages    int               `json:"pages"`
	Version  int               `json:"version"`
	File     string            `json:"file"`
	SHA256   string            `json:"sha256"`
	Deposit  *pipeline.Deposit `json:"deposit,omitempty"`
}

func viewRun(r pipeline.Run) runView {
	v := runView{r.Name(), r.Campaign, r.State, r.Profile, r.Class, r.Letters, r.Sheets * r.Letters, r.Pages, r.Version, r.File, r.SHA256, nil}
	if r.State == pipeline.RunDeposited {
		v.Deposit = &r.Deposit
	}
	return v
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
	return a.answer(views, func(w io.Writer) {
		if len(views) == 0 {
			fmt.Fprintln(w, "No print runs.")
			return
		}
		table(w, func(w io.Writer) {
			fmt.Fprintln(w, "RUN\tSTATE\tCLASS\tLETTERS\tSHEETS\tPAGES\tFILE")
			for _, v := range views {
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", v.Run, v.State, v.Class, v.Letters, v.Sheets, v.Pages, v.File)
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
		return refuse("usage", "name print runs, or say --all", "")
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

type printAckCmd struct {
	Run_     string            `arg:"" optional:"" name:"run" help:"Print run, like R000042." placeholder:"RUN"`
	File     string            `help:"Acknowledgement file of the print shop (CSV)." placeholder:"CSV" type:"existingfile"`
	On       string            `help:"Date of the deposit, like 2026-01-21." placeholder:"DATE"`
	Place    string            `help:"Where it was deposited." placeholder:"PLACE"`
	Product  string            `help:"Postal product." placeholder:"PRODUCT"`
	Slip     string            `help:"Number of the deposit slip." placeholder:"NUMBER"`
	Count    int               `help:"Letters deposited, without the rejected ones." placeholder:"N"`
	Rejected map[string]string `help:"Spoiled letters: position in the run and a code." placeholder:"SEQ=CODE"`
}

// Help shows examples.
func (printAckCmd) Help() string {
	return `The deposited and the rejected letters must add up to the run. Rejected letters are printed again, a second time they are held. A file may speak of many runs: run_id,status,seq,letter_ref,date,place,product,slip,count,reason with a row "deposited" or "recalled" per run and a row "rejected" per spoiled letter. Saying the same twice changes nothing.

Examples:

    art34 print ack --file ack-2026-01-21.csv
    art34 print ack R000001 --on 2026-01-21 --place "PIC Bonneuil" --product "Lettre verte" --slip 12345 --count 998 --rejected 17=jam --rejected 400=torn`
}

// Run records acknowledgements.
func (c printAckCmd) Run(ctx context.Context, a *app) error {
	acks, err := c.acks()
	if err != nil {
		return err
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	results := []ackResult{}
	for _, ack := range acks {
		r, err := h.acknowledge(ctx, ack)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	return a.answer(results, func(w io.Writer) {
		for _, r := range results {
			fmt.Fprintln(w, r.sentence())
		}
	})
}

func (c printAckCmd) acks() ([]postal.Ack, error) {
	if c.File != "" {
		if c.Run_ != "" {
			return nil, refuse("usage", "either --file or one run with its options", "")
		}
		f, err := os.Open(c.File)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return postal.ParseAck(f)
	}
	if c.Run_ == "" || c.On == "" || c.Place == "" || c.Product == "" {
		return nil, refuse("usage", "an acknowledgement needs the run, --on, --place, --product and --count, or --file", "")
	}
	id, err := parseRun(c.Run_)
	if err != nil {
		return nil, err
	}
	d := pipeline.Deposit{Place: c.Place, Product: c.Product, Slip: c.Slip, Count: c.Count}
	if err := d.On.UnmarshalText([]byte(c.On)); err != nil {
		return nil, refuse("usage", "--on: "+err.Error(), "")
	}
	ack := postal.Ack{Run: id, Deposit: &d}
	for seq, code := range c.Rejected {
		n, err := strconv.Atoi(seq)
		if err != nil || n < 1 {
			return nil, refuse("usage", fmt.Sprintf("--rejected %s=%s: the position in the run is a number from 1", seq, code), "")
		}
		ack.Rejected = append(ack.Rejected, postal.AckItem{Seq: n, Reason: code})
	}
	return []postal.Ack{ack}, nil
}

type printRecallCmd struct {
	Run_   string `arg:"" name:"run" help:"Print run, like R000042." placeholder:"RUN"`
	Reason string `help:"Why, for the audit trail." placeholder:"TEXT"`
}

// Help shows examples.
func (printRecallCmd) Help() string {
	return `Before the release a run is voided and its letters are due again. After the release this records that the print shop acknowledged the recall; its letters are held until somebody releases them.

Example:

    art34 print recall R000042 --reason "wrong enclosure"`
}

// Run takes a run back.
func (c printRecallCmd) Run(ctx context.Context, a *app) error {
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
