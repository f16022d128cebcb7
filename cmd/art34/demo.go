package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/rehearsal"
	"github.com/art34/art34/pipeline/rehearsal/sample"
)

type demoCmd struct {
	Customers int     `help:"How many sample customers." default:"3000" placeholder:"N"`
	Seed      uint64  `help:"The same seed gives the same customers, and lets the same addresses fail." default:"34" placeholder:"S"`
	Bounces   float64 `help:"Share of addresses at which an e-mail fails, at once or later, in all the ways known." default:"0.08" placeholder:"SHARE"`
	Out       string  `help:"Directory to work in; it must not exist (default: a fresh one under the temporary directory)." placeholder:"DIR" type:"path"`
	Stay      bool    `help:"Afterwards keep the console open, with ready-made people and a second campaign that waits to be checked, approved and launched. Ctrl-C ends it."`
	Resume    string  `help:"Go on with a demo that was interrupted, in the directory that it worked in." placeholder:"DIR" type:"path"`

	// For tests: into which the longest wait is compressed, and another campaign.yaml.
	Span time.Duration `hidden:"" default:"8s"`
	File string        `hidden:"" type:"path"`
	Pace float64       `hidden:"" default:"60"` // of the clock of --stay
}

// Help shows examples.
func (demoCmd) Help() string {
	return `Makes customers who do not exist, a campaign for them, and carries it out: by real SMTP to a practice relay that refuses some and returns others, in the words of Postfix, Exim, Exchange and Gmail, with print runs in PDF, against a clock on which weeks pass in seconds. Bounced mails are resent on their schedule, dead addresses become letters, people answer, forged bounces change nothing. Nothing has to be installed and nothing leaves the machine. It ends by itself and says where the mails and the letters lie.

Killed in the middle, it goes on with --resume where it was: nothing is lost.

Examples:

    art34 demo
    art34 demo --stay
    art34 demo --customers 500 --seed 7 --bounces 0.12
    art34 demo --resume /tmp/art34-demo-123`
}

// demoName is the campaign of the demo.
const demoName = "demo"

// Run plays the whole story.
func (c demoCmd) Run(ctx context.Context, a *app) error {
	var dir string
	var err error
	if c.Resume != "" {
		dir, c, err = c.resumed()
	} else {
		dir, err = c.directory()
	}
	if err != nil {
		return err
	}
	own := a.scratch(filepath.Join(dir, "art34-data"))
	drain, _, release := a.signals(ctx)
	defer release()
	a.say("Everything happens in %s", dir)
	var h *house
	var campaign pipeline.Campaign
	if c.Resume != "" {
		h, campaign, err = c.open(drain, own)
	} else {
		h, campaign, err = c.prepare(drain, own, dir)
	}
	if h != nil {
		defer h.Close()
	}
	if err != nil {
		return err
	}
	show := a.storyboard()
	p := &practice{
		h: h, campaign: campaign, seed: c.Seed, mix: rehearsal.Usual(c.Bounces), maildir: filepath.Join(dir, "Maildir"),
		span: c.Span, notes: c.notes(dir), look: show.look,
		printer: rehearsal.Printer{Seed: c.Seed, Spoil: 0.005, Return: 0.01, Place: "practice"},
	}
	start := a.real.Now()
	err = p.run(drain)
	show.end()
	if err != nil {
		if drain.Err() != nil {
			a.say("go on with: %s demo --resume %s", program(), dir)
		}
		return err
	}
	if err := c.finish(ctx, a, h, p, dir, a.real.Now().Sub(start)); err != nil || !c.Stay {
		return err
	}
	return c.stay(drain, a, p, dir)
}

// notes is what outlives the process.
func (demoCmd) notes(dir string) *practiceNotes {
	return &practiceNotes{dir: filepath.Join(dir, "practice")}
}

// resumed reads what an interrupted demo was asked for.
func (c demoCmd) resumed() (string, demoCmd, error) {
	dir := c.Resume
	asked, err := c.notes(dir).asked()
	c.Customers, c.Seed, c.Bounces, c.Span = asked.Customers, asked.Seed, asked.Bounces, time.Duration(asked.Seconds*float64(time.Second))
	return dir, c, err
}

// open opens what an interrupted demo left.
func (c demoCmd) open(ctx context.Context, own *app) (*house, pipeline.Campaign, error) {
	h, err := own.open(ctx)
	if err != nil {
		return nil, pipeline.Campaign{}, err
	}
	campaign, err := h.ledger.Campaign(ctx, demoName)
	if errors.Is(err, pipeline.ErrNotFound) || err == nil && campaign.Version == 0 {
		return h, campaign, refuse("nothing-to-resume", "the demo was interrupted before it was launched", "begin another one")
	}
	return h, campaign, err
}

func (c demoCmd) directory() (string, error) {
	if c.Customers < 1 {
		return "", refuse("usage", "--customers is at least 1", "art34 demo --customers 500 takes a minute")
	}
	if mix := rehearsal.Usual(c.Bounces); c.Bounces < 0 || mix.Sum() > 1 {
		return "", refuse("usage", "--bounces is between 0 and 0.9", "a share: 0.08 is eight of a hundred")
	}
	if c.Out == "" {
		return os.MkdirTemp("", "art34-demo-")
	}
	if err := os.Mkdir(c.Out, 0o700); err != nil {
		return "", refuse("out", "the directory cannot be made: "+err.Error(), "name one that does not exist yet")
	}
	return c.Out, nil
}

// prepare makes the population and takes it to the approval, as a person would
// with sample, new, import, check and approve.
func (c demoCmd) prepare(ctx context.Context, a *app, dir string) (*house, pipeline.Campaign, error) {
	var none pipeline.Campaign
	lists := filepath.Join(dir, "sample")
	if err := c.notes(dir).begin(practiceAsked{c.Customers, c.Seed, c.Bounces, c.Span.Seconds()}); err != nil {
		return nil, none, err
	}
	totals, err := sample.Write(ctx, sample.Config{Customers: c.Customers, Seed: c.Seed, Dir: lists})
	if err != nil {
		return nil, none, err
	}
	a.say("sample    %s and %s", count(totals.Customers, "customer row", "customer rows"), count(totals.Impacts, "impact row", "impact rows"))
	h, err := a.found(ctx)
	if err != nil {
		return nil, none, err
	}
	spec := filepath.Join(lists, specFile)
	if c.File != "" {
		spec = c.File
	}
	campaign, err := h.newCampaign(ctx, demoName, spec)
	if err != nil {
		return h, none, err
	}
	a.say("new       campaign %s, letters in %s", campaign.CodeName, filepath.Join(h.folder(demoName).path, lettersDir))
	in, err := h.importLists(ctx, campaign, importCmd{
		campaignArg: campaignArg{demoName}, Customers: []string{filepath.Join(lists, "customers.csv")}, Impact: []string{filepath.Join(lists, "impact.csv")},
	})
	if err != nil {
		return h, none, err
	}
	var rejected int64
	for _, f := range in.Manifest.Files {
		rejected += f.Rejected
	}
	a.say("import    %s to inform, %s rejected, %s not concerned", count(in.Manifest.Population, "customer", "customers"), count(rejected, "row", "rows"), thousands(in.Manifest.Bystanders))
	checked, err := h.check(ctx, campaign)
	if err != nil {
		return h, none, err
	}
	for _, f := range checked.Blocks {
		f.print(a.err)
	}
	a.say("check     %s rendered, %d blocks, %s", count(checked.Rendered, "letter", "letters"), len(checked.Blocks), checked.Forecast.words())
	approved, err := h.approve(ctx, campaign, "")
	if err != nil {
		return h, none, err
	}
	a.say("approve   version %d, sha256 %s", approved.Version, approved.Hash[:16])
	campaign, err = h.ledger.Campaign(ctx, demoName)
	a.say("launch    and run, on a clock on which weeks pass in seconds")
	return h, campaign, err
}

// finish says what became of everybody and where to look.
func (c demoCmd) finish(ctx context.Context, a *app, h *house, p *practice, dir string, took time.Duration) error {
	s, counts := p.settled, p.relay.Counts()
	example, err := h.exampleOf(ctx, p.campaign.ID)
	if err != nil {
		return err
	}
	told, err := p.tell(ctx)
	if err != nil {
		return err
	}
	view := map[string]any{"dir": dir, "seconds": took.Seconds(), "status": s, "relay": counts, "story": told}
	err = a.answer(view, func(w io.Writer) {
		fmt.Fprintf(w, "\nSettled after %s. The balance is %d: %s, every one accounted for.\n\n", roughly(took), s.Balance, count(s.Population, "customer", "customers"))
		s.print(w)
		fmt.Fprintln(w)
		told.print(w)
		fmt.Fprintf(w, "The relay took %s, refused %s addresses, asked %s times to try later and dropped %s connections after the dot.\n",
			count(counts.Accepted, "message", "messages"), thousands(counts.Refused), thousands(counts.Deferred), thousands(counts.Dropped))
		fmt.Fprintf(w, "\nWhere to look:\n  mails       %s\n  print runs  %s\n  letters     %s\n", filepath.Join(dir, "Maildir"), h.printRuns(), filepath.Join(h.folder(demoName).path, lettersDir))
		fmt.Fprintf(w, "  one customer whose address was dead, and who got a letter:\n    %s --dir %s find %s\n    %s --dir %s find %s --letter\n", program(), h.Dir, example, program(), h.Dir, example)
		fmt.Fprintf(w, "  everybody\n    %s --dir %s status %s --audit\n", program(), h.Dir, demoName)
		fmt.Fprintf(w, "Remove it all with: rm -r %s\n", dir)
	})
	if err == nil && s.Balance != 0 {
		return errNo
	}
	return err
}

// program is how this program was called.
func program() string {
	if len(os.Args) > 0 && strings.ContainsRune(os.Args[0], os.PathSeparator) {
		return os.Args[0]
	}
	return "art34"
}

// exampleOf returns the reference of a customer who got a letter after an e-mail
// had failed, or of anybody.
func (h *house) exampleOf(ctx context.Context, campaign int64) (string, error) {
	keys, err := h.keys.Existing(campaign)
	if err != nil {
		return "", err
	}
	var reference string
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: campaign, States: []pipeline.State{pipeline.Informed}}) {
		if err != nil {
			return "", err
		}
		if j.Kind != pipeline.Fallback && reference != "" {
			continue
		}
		p, err := openPerson(keys, j)
		if err != nil {
			return "", err
		}
		if reference = p.Reference.String(); j.Kind == pipeline.Fallback {
			break
		}
	}
	return reference, nil
}
