package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/postal"
)

type printAckCmd struct {
	Run_     string            `arg:"" optional:"" name:"run" help:"Print run, like R000042." placeholder:"RUN"`
	File     string            `help:"Acknowledgement file of the print shop (CSV or JSON); - is standard input." placeholder:"FILE"`
	Partial  bool              `help:"Letters that the file does not list are not missing: they stay with the print shop."`
	On       string            `help:"Date of the deposit, like 2026-01-21." placeholder:"DATE"`
	Place    string            `help:"Where it was deposited." placeholder:"PLACE"`
	Product  string            `help:"Postal product." placeholder:"PRODUCT"`
	Slip     string            `help:"Number of the deposit slip." placeholder:"NUMBER"`
	Count    *int              `help:"Letters deposited, without the rejected ones." placeholder:"N"`
	Letters  string            `help:"Positions in the run, like 1-500, where not all went to the post on that day." placeholder:"POSITIONS"`
	Pages    int               `help:"Pages of the file that was printed, with blank backs, as the print shop counted them." placeholder:"N"`
	Sheets   int               `help:"Sheets of the run, as the print shop counted them." placeholder:"N"`
	SHA256   string            `name:"sha256" help:"SHA-256 of the file that was printed, or of the PDF in it." placeholder:"HEX"`
	Rejected map[string]string `help:"Spoiled letters: position in the run and a code." placeholder:"SEQ=CODE"`
}

// Help shows examples.
func (printAckCmd) Help() string {
	return `The deposited and the rejected letters must add up to the run, and pages, sheets and SHA-256, where the print shop gives them, must be those of the manifest; otherwise nothing is recorded, and what differs is named: missing and surplus letters by position and reference. Rejected letters are printed again, a second time they are held. Saying the same twice changes nothing.

A run may go to the post on several days: --letters, or --partial with a list, records what went; the run is deposited when no letter is left.

A file may speak of many runs. CSV with the head line run_id,status,seq,letter_ref,date,place,product,slip,count,reason,pages,sheets,sha256 (the last three, place, product, slip and reason may be left out), or JSON objects with these keys. Rows are "deposited" per deposit (seq "1-500" where it is not the whole run) or "recalled" per run, "rejected" per spoiled letter, and "posted" per letter where the print shop lists them one by one.

Examples:

    art34 print ack --file ack-2026-01-21.csv
    art34 print ack R000001 --on 2026-01-21 --place "PIC Bonneuil" --product "Lettre verte" --slip 12345 --count 998 --rejected 17=jam --rejected 400=torn
    art34 print ack R000002 --on 2026-01-22 --place "PIC Bonneuil" --product "Lettre verte" --slip 12346 --letters 1-500 --count 500`
}

// Run records acknowledgements.
func (c printAckCmd) Run(ctx context.Context, a *app) error {
	acks, err := c.acks(a)
	if err != nil {
		return err
	}
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	list, err := h.reconcile(ctx, acks, c.Partial)
	if m, ok := errors.AsType[*postal.AckMismatch](err); ok && a.JSON {
		if err := a.answerJSON(mismatchView(m)); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	results := []ackResult{}
	for _, x := range list {
		r, err := h.acknowledge(ctx, x)
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

// mismatchView is the answer of print ack --json to an acknowledgement that does
// not fit.
func mismatchView(m *postal.AckMismatch) any {
	type letter struct {
		Seq       int    `json:"seq,omitempty"`
		Reference string `json:"letter_ref,omitempty"`
	}
	list := func(items []postal.AckItem) []letter {
		out := []letter{}
		for _, i := range items {
			out = append(out, letter{i.Seq, i.Reference.Compact()})
		}
		return out
	}
	return map[string]any{"run": pipeline.RunName(m.Run), "differences": append([]string{}, m.Differences...), "missing": list(m.Missing), "surplus": list(m.Surplus)}
}

func (c printAckCmd) acks(a *app) ([]postal.Ack, error) {
	if c.File != "" {
		if c.Run_ != "" || c.On+c.Place+c.Product+c.Slip+c.Letters+c.SHA256 != "" || c.Count != nil || len(c.Rejected) > 0 {
			return nil, refuse("usage", "either --file or one run with its options", "art34 print ack --help shows an example of both")
		}
		if c.File == "-" {
			return postal.ParseAck(a.in)
		}
		f, err := os.Open(c.File)
		if err != nil {
			return nil, refuse("unreadable", "the acknowledgement cannot be read: "+pathless(err), "name a file that is there and that this user may read")
		}
		defer f.Close()
		return postal.ParseAck(f)
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	id, err := parseRun(c.Run_)
	if err != nil {
		return nil, err
	}
	d := postal.AckDeposit{Deposit: pipeline.Deposit{Place: c.Place, Product: c.Product, Slip: c.Slip, Count: *c.Count}, Pages: c.Pages, Sheets: c.Sheets, SHA256: strings.ToLower(c.SHA256)}
	if err := d.On.UnmarshalText([]byte(c.On)); err != nil {
		return nil, refuse("usage", "--on: "+err.Error(), "the day of the deposit, like 2026-01-21")
	}
	if c.Letters != "" {
		if d.Letters, err = postal.ParsePositions(c.Letters); err != nil {
			return nil, refuse("usage", "--letters are positions in the run, like 1-500 or \"1-500 502\"", "")
		}
	}
	ack := postal.Ack{Run: id, Deposits: []postal.AckDeposit{d}}
	for seq, code := range c.Rejected {
		n, err := strconv.Atoi(seq)
		if err != nil || n < 1 {
			return nil, refuse("usage", fmt.Sprintf("--rejected %s=%s: the position in the run is a number from 1", seq, code), "the manifest of the run lists the letters by position")
		}
		ack.Rejected = append(ack.Rejected, postal.AckItem{Seq: n, Reason: code})
	}
	return []postal.Ack{ack}, nil
}

// complete says which options are missing.
func (c printAckCmd) complete() error {
	var missing []string
	for _, o := range []struct {
		name  string
		given bool
	}{{"the run", c.Run_ != ""}, {"--on", c.On != ""}, {"--place", c.Place != ""}, {"--product", c.Product != ""}, {"--count", c.Count != nil}} {
		if !o.given {
			missing = append(missing, o.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	verb := "is"
	if len(missing) > 1 {
		verb = "are"
	}
	return refuse("usage", strings.Join(missing, ", ")+" "+verb+" missing", "an acknowledgement needs the run, --on, --place, --product and --count, or --file alone")
}
