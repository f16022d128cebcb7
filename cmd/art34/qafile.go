package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

// This file holds questions and answers as files.

type qaAddCmd struct {
	campaignArg
	File     []string `arg:"" optional:"" help:"Markdown files whose names say the language: qa.fr.md." placeholder:"FILE" type:"path"`
	Starters bool     `help:"The shipped questions, filled with what campaign.yaml says. Those whose topic is there already are left out."`
	Locale   string   `help:"Language of files whose name does not say it." placeholder:"LOCALE"`
	Reason   string   `help:"Why, for the history." placeholder:"TEXT"`
}

// Help shows examples.
func (qaAddCmd) Help() string {
	return `A heading of the first level is a question; the lines topic: and for: after it say what it is called and for whom it is written (cell, shop, press); the rest is the answer. A topic that is there gets another version if its text differs. Nothing is stored if anything is wrong with a file. What is brought in is a draft: nobody answers with it before it is published.

Raw HTML stays text, images are refused, and links go only to hosts that letters.allow_links names. [[Two brackets]] mark what is still to be filled in.

Examples:

    art34 qa add muguet --starters --reason "a begin"
    art34 qa add muguet qa.fr.md qa.en.md --reason "wording of the press office"
    art34 qa export muguet --out qa && art34 qa add muguet qa/qa.fr.md --reason "corrected"`
}

// qaAdded is what came of it.
type qaAdded struct {
	Added   []qaAddedView `json:"added"`
	Same    int           `json:"unchanged"`
	Skipped int           `json:"skipped"` // starting questions whose topic is there
	Gaps    int           `json:"gaps"`    // drafts with something to be filled in
}

type qaAddedView struct {
	Topic   string `json:"topic"`
	Locale  string `json:"locale"`
	Version int    `json:"version"`
}

// Run brings questions in.
func (c qaAddCmd) Run(ctx context.Context, a *app) error {
	if c.Starters == (len(c.File) > 0) {
		return refuse("usage", "name Markdown files, or --starters", "art34 qa add --help shows examples")
	}
	if err := (qaFilter{Locale: c.Locale}).check(); err != nil {
		return err
	}
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		var entries []answer.Entry
		var err error
		if c.Starters {
			entries, err = h.starters(ctx, campaign)
		} else {
			entries, err = c.read(ctx, h, campaign)
		}
		if err != nil {
			return err
		}
		there := map[[2]string]pipeline.QA{}
		for _, q := range all {
			there[[2]string{q.Topic, q.Locale}] = q
		}
		done := qaAdded{Added: []qaAddedView{}}
		for _, e := range entries {
			q, known := there[[2]string{e.Topic, e.Locale}]
			if c.Starters && known {
				done.Skipped++
				continue
			}
			if err := c.store(ctx, h, campaign, q, e, &done); err != nil {
				return err
			}
		}
		return a.answer(done, done.print(campaign.Name))
	})
}

func (d qaAdded) print(campaign string) func(io.Writer) {
	return func(w io.Writer) {
		fmt.Fprintf(w, "%s brought in", count(int64(len(d.Added)), "draft was", "drafts were"))
		if d.Same > 0 {
			fmt.Fprintf(w, ", %d unchanged", d.Same)
		}
		if d.Skipped > 0 {
			fmt.Fprintf(w, ", %d there already", d.Skipped)
		}
		fmt.Fprintln(w, ".")
		if d.Gaps > 0 {
			fmt.Fprintf(w, "%s to be filled in before the answer can be published.\n", count(int64(d.Gaps), "draft has gaps", "drafts have gaps"))
		}
		if len(d.Added) > 0 {
			fmt.Fprintf(w, "Read them, then: art34 qa publish %s TOPIC --reason …\n", campaign)
		}
	}
}

// store writes a version if it says something else than the newest one.
func (c qaAddCmd) store(ctx context.Context, h *house, campaign pipeline.Campaign, q pipeline.QA, e answer.Entry, done *qaAdded) error {
	v := pipeline.QAVersion{Audiences: e.Audiences, Question: e.Question, Answer: e.Answer, Author: h.actor(), At: h.clock.Now(), Reason: c.Reason}
	if q.Newest.N > 0 && v.SameText(q.Newest) {
		done.Same++
		return nil
	}
	detail := fmt.Sprintf("%s %s, version %d", e.Topic, e.Locale, q.Newest.N+1)
	stored, err := h.ledger.WriteQA(ctx, pipeline.QA{Campaign: campaign.ID, Topic: e.Topic, Locale: e.Locale}, v, q.Newest.N, h.audit(campaign.ID, "qa-write", c.Reason, detail))
	if errors.Is(err, pipeline.ErrStale) {
		return decline("qa-stale", "somebody else has written to "+e.Topic+" meanwhile", "look at their version, and repeat")
	}
	if err != nil {
		return err
	}
	if len(answer.Gaps(e)) > 0 {
		done.Gaps++
	}
	done.Added = append(done.Added, qaAddedView{e.Topic, e.Locale, stored.Newest.N})
	return nil
}

// read reads files; every fault of all of them is said at once.
func (c qaAddCmd) read(ctx context.Context, h *house, campaign pipeline.Campaign) (list []answer.Entry, err error) {
	hosts, err := consoleFloor{h}.Links(ctx, campaign)
	if err != nil {
		return nil, err
	}
	var wrong []string
	seen := map[[2]string]bool{}
	for _, name := range c.File {
		base := filepath.Base(name)
		data, err := readSmall(name, answer.MostFile)
		if err != nil {
			return nil, err
		}
		locale := answer.LocaleOf(base)
		if locale == "" {
			locale = c.Locale
		}
		entries, faults := answer.Parse(locale, data)
		for _, f := range faults {
			wrong = append(wrong, fmt.Sprintf("%s:%d: %s", base, f.Line, f.Sentence()))
		}
		if len(entries) == 0 && len(faults) == 0 {
			wrong = append(wrong, base+": there is no question in it")
		}
		for _, e := range entries {
			for _, f := range answer.Check(e, hosts) {
				wrong = append(wrong, fmt.Sprintf("%s, %s: %s", base, e.Topic, f.Sentence()))
			}
			key := [2]string{e.Topic, e.Locale}
			if seen[key] && e.Topic != "" {
				wrong = append(wrong, base+": "+answer.Fault{Code: "twice", Detail: e.Topic}.Sentence())
			}
			seen[key] = true
		}
		list = append(list, entries...)
	}
	if len(wrong) > 0 {
		return nil, refuse("qa-faults", "nothing was brought in", strings.Join(wrong, "\n        "))
	}
	return list, nil
}

// readSmall reads a file of at most so many bytes.
func readSmall(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, refuse("unreadable", "the file cannot be read: "+pathless(err), "name a file that is there and that this user may read")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, refuse("unreadable", "the file cannot be read: "+pathless(err), "name a file that is there and that this user may read")
	}
	if int64(len(data)) > most {
		return nil, refuse("too-large", fmt.Sprintf("%s is longer than %d bytes", filepath.Base(name), most), "")
	}
	return data, nil
}

type qaExportCmd struct {
	campaignArg
	qaFilter
	Out    string `help:"Directory for qa.fr.md and qa.en.md; it is made if it is not there." placeholder:"DIR" type:"path" required:""`
	Drafts bool   `help:"The newest version of every question instead, drafts included."`
}

// Help shows examples.
func (qaExportCmd) Help() string {
	return `The files are those that qa add reads. Only what is in force is written, unless --drafts asks for more: what leaves the house is what a lead has published.

Examples:

    art34 qa export muguet --out qa
    art34 qa export muguet --for press --locale fr --out press
    art34 qa export muguet --drafts --out draft`
}

// qaExported is what was written.
type qaExported struct {
	File    string `json:"file"`
	Locale  string `json:"locale"`
	Answers int    `json:"answers"`
}

// Run exports.
func (c qaExportCmd) Run(ctx context.Context, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(_ *house, _ pipeline.Campaign, all []pipeline.QA) error {
		by := map[string][]answer.Entry{}
		for _, q := range all {
			x := q.InForce
			if c.Drafts {
				x = q.Newest
			}
			if x.N > 0 && c.takes(q, x) {
				by[q.Locale] = append(by[q.Locale], qaEntry(q, x))
			}
		}
		done := []qaExported{}
		for _, locale := range answer.Locales() {
			if len(by[locale]) == 0 {
				continue
			}
			if err := os.MkdirAll(c.Out, 0o755); err != nil {
				return refuse("unwritable", "the directory cannot be made: "+pathless(err), "name a place where this account may write")
			}
			file := filepath.Join(c.Out, "qa."+locale+".md")
			err := writeWhole(file, 0o644, func(w io.Writer) error {
				_, err := w.Write(answer.Format(by[locale]))
				return err
			})
			if err != nil {
				return err
			}
			done = append(done, qaExported{file, locale, len(by[locale])})
		}
		err := a.answer(done, func(w io.Writer) {
			for _, d := range done {
				fmt.Fprintf(w, "%s: %s\n", d.File, count(int64(d.Answers), "answer", "answers"))
			}
			if len(done) == 0 {
				fmt.Fprintln(w, "There is nothing to export.")
			}
		})
		if err == nil && len(done) == 0 {
			return errNo
		}
		return err
	})
}
