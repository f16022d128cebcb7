package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/art34/art34/pipeline"
)

type proofCmd struct {
	campaignArg
	Customer []string `help:"Customer numbers, separated by commas." placeholder:"ID"`
	Sample   int      `help:"So many notices, as different from each other as there are." placeholder:"N"`
	Out      string   `help:"Directory to write to." required:"" placeholder:"DIR" type:"path"`
	Paper    bool     `help:"The letter that would follow by post, also for who is written to by e-mail."`
}

// Help shows examples.
func (proofCmd) Help() string {
	return `E-mails as .eml and letters as .pdf, from the letters as the folder has them now. The files hold personal data: remove them when they were read.

Examples:

    art34 proof muguet --sample 20 --out proofs
    art34 proof muguet --customer C0001234,C0001235 --out proofs
    art34 proof muguet --customer C0001234 --paper --out proofs`
}

// defaultSample is how many proofs are written when nothing is said.
const defaultSample = 10

// Run writes proofs.
func (c proofCmd) Run(ctx context.Context, a *app) error {
	if c.Sample < 0 || c.Sample > 0 && len(c.Customer) > 0 {
		return refuse("usage", "either --sample N or --customer", "--sample 20 takes notices as different from each other as there are")
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
	e, _, err := h.draft(campaign)
	if err != nil {
		return err
	}
	jobs, err := c.choose(ctx, h, campaign)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return refuse("out", "the directory cannot be made: "+err.Error(), "choose a directory that you may write to with --out")
	}
	files := []string{}
	failed := 0
	for _, j := range jobs {
		if c.Paper && j.Reach.Has(pipeline.ByPost) {
			j.Channel = pipeline.Post
		}
		name, err := e.proof(ctx, h, j, c.Out)
		if own, ok := errors.AsType[*pipeline.Error](err); ok {
			a.say("notice %d: %s", j.ID, firstLine(own))
			failed++
			continue
		}
		if err != nil {
			return err
		}
		if name != "" {
			files = append(files, name)
		}
	}
	err = a.answer(map[string]any{"files": files, "unfit": failed}, func(w io.Writer) {
		for _, f := range files {
			fmt.Fprintln(w, f)
		}
	})
	if err == nil && (failed > 0 || len(files) == 0) {
		if len(files) == 0 {
			a.say("no notice could be proofed")
		}
		return errNo
	}
	return err
}

// choose returns the notices to proof.
func (c proofCmd) choose(ctx context.Context, h *house, campaign pipeline.Campaign) ([]pipeline.Job, error) {
	if len(c.Customer) == 0 {
		n := c.Sample
		if n == 0 {
			n = defaultSample
		}
		return h.variety(ctx, campaign.ID, n)
	}
	ids, missing, err := h.noticesOf(ctx, campaign.ID, c.Customer)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, decline("nobody", "no notice for customer "+strings.Join(missing, ", "), "art34 find says whether a customer is known and concerned; --sample N chooses for you")
	}
	var jobs []pipeline.Job
	for _, id := range ids {
		j, err := h.ledger.Notice(ctx, id)
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// variety returns n notices that differ in what shows in a letter: locale,
// channel, sender, format, role, kinds of data and contract.
func (h *house) variety(ctx context.Context, campaign int64, n int) ([]pipeline.Job, error) {
	var different, more []pipeline.Job
	seen := map[string]bool{}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: campaign, States: []pipeline.State{pipeline.Due, pipeline.Held}}) {
		if err != nil {
			return nil, err
		}
		look := strings.Join([]string{j.Locale, string(j.Channel), j.Sender, j.Format, string(j.Role), strings.Join(j.Kinds, "|"), strings.Join(j.Products, "|")}, "/")
		switch {
		case !seen[look]:
			seen[look] = true
			different = append(different, j)
		case len(more) < n:
			more = append(more, j)
		}
		if len(different) >= n {
			break
		}
	}
	all := append(different, more...)
	return all[:min(n, len(all))], nil
}

// proof writes what a notice would send, and returns the name of the file, "" if
// it would send nothing.
func (e *edition) proof(ctx context.Context, h *house, j pipeline.Job, dir string) (string, error) {
	at := h.clock.Now()
	if j.Channel == pipeline.NoChannel {
		return "", nil
	}
	p, err := e.render(ctx, j, at)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	ext := ".eml"
	if j.Channel == pipeline.Email {
		m, err := e.message(p, at)
		if err != nil {
			return "", err
		}
		out.Write(m.Body)
	} else {
		ext = ".pdf"
		item, err := e.item(p, 1)
		if err != nil {
			return "", err
		}
		if _, err := e.press.DrawLetter(&out, item); err != nil {
			return "", err
		}
	}
	path := filepath.Join(dir, fmt.Sprintf("%08d-%s-%s%s", j.ID, j.Role, p.letter.Locale, ext))
	return path, os.WriteFile(path, out.Bytes(), 0o600)
}
