package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/seal"
	"github.com/art34/art34/pipeline/ledger/sqlite"
	"github.com/art34/art34/pipeline/rehearsal"
)

type rehearseCmd struct {
	campaignArg
	Seed    uint64  `help:"The same seed lets the same addresses fail." default:"1" placeholder:"S"`
	Bounces float64 `help:"Share of addresses at which an e-mail fails, at once or later, in all the ways known." default:"0.08" placeholder:"SHARE"`
	Dead    float64 `help:"Share of addresses more that do not exist." default:"0" placeholder:"SHARE"`
	Grey    float64 `help:"Share of addresses more that ask to try later once." default:"0" placeholder:"SHARE"`
	Full    float64 `help:"Share of mailboxes more that are full for good." default:"0" placeholder:"SHARE"`
	Reason  string  `help:"Why, for the audit trail." placeholder:"TEXT"`

	// Who has asked for it on the console, which holds the other end of standard input.
	Console string `hidden:"" name:"for-console"`
}

// Help shows examples.
func (rehearseCmd) Help() string {
	return `Carries the campaign out as its folder and lists are now, with the real letters, against a relay and a print shop of our own and a compressed clock, in a scratch ledger that is removed afterwards. The relay refuses some mails and returns others, hours or days later, in the words of Postfix, Exim, Exchange and Gmail; people answer and complain; forged bounces come. What follows is done as in earnest: resends on schedule, letters for dead addresses. Nothing leaves the machine, nothing real is touched. The answer forecasts duration and print volume; pacing and hours count in the forecast, not in the rehearsal. One goes on at a time; the console shows the last one of a campaign, and can begin and stop one.

` + reasonHelp + `

Examples:

    art34 rehearse muguet
    art34 rehearse muguet --bounces 0.15
    art34 rehearse muguet --dead 0.10 --seed 2`
}

// rehearsalMark stands over everything that a rehearsal shows.
const rehearsalMark = "REHEARSAL – nothing was really sent"

// rehearsed is the answer of a rehearsal.
type rehearsed struct {
	Rehearsal string           `json:"rehearsal"` // says that it is one
	Campaign  string           `json:"campaign"`
	Seconds   float64          `json:"seconds"`
	Forecast  outlook          `json:"forecast"`
	Letters   int64            `json:"letters"` // in all, with fallback letters
	Sheets    int64            `json:"sheets"`
	Status    *status          `json:"status"`
	Story     *story           `json:"story"`
	Relay     rehearsal.Counts `json:"relay"`
}

// mix is what the practice relay does.
func (c rehearseCmd) mix() (rehearsal.Mix, error) {
	m := rehearsal.Usual(c.Bounces)
	m.Dead, m.Grey, m.Full = m.Dead+c.Dead, m.Grey+c.Grey, m.Full+c.Full
	if c.Bounces < 0 || c.Dead < 0 || c.Grey < 0 || c.Full < 0 || m.Sum() > 1 {
		return m, refuse("usage", "the shares are between 0 and 0.9, together at most 0.9", "0.08 is eight of a hundred")
	}
	return m, nil
}

// Run rehearses the campaign.
func (c rehearseCmd) Run(ctx context.Context, a *app) error {
	mix, err := c.mix()
	if err == nil {
		err = checkReason(c.Reason)
	}
	if err != nil {
		return err
	}
	if c.Console != "" {
		a.acts = c.Console
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
	release, err := a.lockRehearsal(campaign.Name)
	if err != nil {
		return err
	}
	defer release()
	drain, _, done := a.signals(ctx)
	defer done()
	watched, stop := context.WithCancel(drain)
	defer stop()
	k, err := h.beginRehearsal(watched, campaign, c.Reason)
	if err != nil {
		return err
	}
	if c.Console != "" {
		a.servant(stop)
	}
	go a.awaitStop(watched, stop)
	r, err := c.rehearse(watched, h, campaign, mix, k)
	if err = errors.Join(err, k.end(watched.Err() != nil, r, err)); err != nil {
		return err
	}
	return a.answer(r, r.print)
}

// rehearse carries it out in a scratch ledger, which is gone afterwards.
func (c rehearseCmd) rehearse(ctx context.Context, h *house, campaign pipeline.Campaign, mix rehearsal.Mix, k *rehearsalKeeper) (*rehearsed, error) {
	own, scratch, remove, err := h.stage(ctx, campaign)
	if remove != nil {
		defer remove()
	}
	if err != nil {
		return nil, err
	}
	show := h.storyboard()
	show.mark = rehearsalMark
	p := &practice{
		h: own, campaign: scratch, seed: c.Seed, mix: mix, span: 8 * time.Second,
		look:    func(s *status) { show.look(s); k.look(s) },
		printer: rehearsal.Printer{Seed: c.Seed, Spoil: 0.002, Return: 0.01, Place: "rehearsal"},
	}
	_, spec, err := h.folder(campaign.Name).read()
	if err != nil {
		return nil, err
	}
	load, err := h.dueLoad(ctx, campaign)
	if err != nil {
		return nil, err
	}
	h.say("%s", rehearsalMark)
	start := h.real.Now()
	err = p.run(ctx)
	show.end()
	if err != nil {
		return nil, err
	}
	return c.result(ctx, own, p, spec, load, h.real.Now().Sub(start))
}

// result forecasts with the pages that the letters turned out to have.
func (c rehearseCmd) result(ctx context.Context, own *house, p *practice, spec *pipeline.Spec, load rehearsal.Load, took time.Duration) (*rehearsed, error) {
	r := &rehearsed{Rehearsal: rehearsalMark, Campaign: c.Campaign, Seconds: took.Seconds(), Status: p.settled, Relay: p.relay.Counts()}
	runs, err := own.ledger.Runs(ctx, p.campaign.ID)
	if err != nil {
		return nil, err
	}
	if len(load.Letters) > 0 {
		if load.Letters, err = own.firstLetters(ctx, runs); err != nil {
			return nil, err
		}
	}
	r.Forecast = predict(load, spec.Email, spec.Post, 0)
	for _, run := range runs {
		r.Letters += int64(run.Letters)
		r.Sheets += int64(run.Letters * run.Sheets)
	}
	r.Story, err = p.tell(ctx)
	return r, err
}

func (r *rehearsed) print(w io.Writer) {
	fmt.Fprintln(w, rehearsalMark+".")
	fmt.Fprintf(w, "Rehearsed in %s. In earnest: %s.\n", roughly(time.Duration(r.Seconds*float64(time.Second))), r.Forecast.words())
	fmt.Fprint(w, r.Forecast.expected())
	fmt.Fprintf(w, "With what the practice relay refused and returned, %s were printed on %s.\n\n", count(r.Letters, "letter", "letters"), count(r.Sheets, "sheet", "sheets"))
	r.Status.print(w)
	fmt.Fprintln(w)
	r.Story.print(w)
	fmt.Fprintln(w, rehearsalMark+".")
}

// stage copies a campaign with all that is still to be sent onto a scratch ledger
// with keys of its own. remove destroys it.
func (h *house) stage(ctx context.Context, c pipeline.Campaign) (own *house, scratch pipeline.Campaign, remove func(), err error) {
	files, spec, err := h.folder(c.Name).read()
	if err != nil {
		return nil, scratch, nil, err
	}
	parent := filepath.Join(h.Dir, rehearsalsDir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, scratch, nil, err
	}
	dir, err := os.MkdirTemp(parent, "rehearsal-")
	if err != nil {
		return nil, scratch, nil, err
	}
	made := &house{app: h.app.scratch(dir)} // also where own is not returned
	own = made
	own.editions = &editions{h: own, by: map[editionKey]*edition{}, adapt: atOnce}
	remove = func() {
		if made.ledger != nil {
			made.Close()
		}
		_ = os.RemoveAll(dir)
	}
	// The keys exist in this process only: what a crash leaves cannot be read.
	if own.keys, err = seal.Create(filepath.Join(dir, "keys.json"), seal.NewMaster(), h.real.Now()); err != nil {
		return nil, scratch, remove, err
	}
	l, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "ledger.db")})
	if err != nil {
		return nil, scratch, remove, err
	}
	own.ledger = l
	scratch, err = own.ledger.CreateCampaign(ctx, pipeline.Campaign{Name: c.Name, CodeName: spec.CodeName, Kind: spec.Kind, State: pipeline.Draft, Email: atOncePolicy(spec.Email), CreatedAt: h.real.Now()})
	if err != nil {
		return nil, scratch, remove, err
	}
	manifest, importID, err := h.copyNotices(ctx, c, own, scratch)
	if err != nil {
		return nil, scratch, remove, err
	}
	data, hash, err := files.canonical()
	if err != nil {
		return nil, scratch, remove, err
	}
	_, err = own.ledger.AddVersion(ctx, pipeline.Version{
		Campaign: scratch.ID, Hash: hash, Content: data, AuthoredBy: h.actor(), ApprovedBy: h.actor(), ApprovedAt: h.real.Now(),
		Population: manifest.Population, Imports: []int64{importID},
	}, scratch, pipeline.Approved, h.audit(scratch.ID, "approve", "rehearsal", ""))
	if err != nil {
		return nil, scratch, remove, err
	}
	scratch, err = own.ledger.Campaign(ctx, c.Name)
	return own, scratch, remove, err
}

// atOnce takes out of a campaign.yaml what only costs time.
func atOnce(s *pipeline.Spec) {
	s.Schedule = pipeline.Schedule{DepositOn: s.Schedule.DepositOn}
	s.Email = atOncePolicy(s.Email)
	s.Post.CutOff, s.Post.MinLetters, s.Post.MaxWait = "", 0, 0
}

func atOncePolicy(p pipeline.EmailPolicy) pipeline.EmailPolicy {
	p.Rate, p.Hours, p.Providers = 0, "", pipeline.ProviderPolicy{}
	return p
}

// copyBatch is how many notices are copied at a time.
const copyBatch = 500

// copyNotices copies every notice that is still to be sent, or would be, under
// new numbers and keys.
func (h *house) copyNotices(ctx context.Context, from pipeline.Campaign, own *house, to pipeline.Campaign) (pipeline.Manifest, int64, error) {
	m := pipeline.Manifest{States: map[pipeline.State]int64{}}
	oldKeys, err := h.keys.Existing(from.ID)
	if err != nil {
		return m, 0, err
	}
	newKeys, err := own.keys.Campaign(to.ID)
	if err != nil {
		return m, 0, err
	}
	i, err := own.ledger.BeginImport(ctx, pipeline.Import{Campaign: to.ID, Content: "rehearsal", StagedAt: h.real.Now(), Actor: h.actor()})
	if err != nil {
		return m, 0, err
	}
	c := &copier{h: h, own: own, to: to, importID: i.ID, oldKeys: oldKeys, newKeys: newKeys, ids: map[int64]int64{}, m: &m}
	states := []pipeline.State{pipeline.Held, pipeline.Due, pipeline.Queued, pipeline.Unreachable, pipeline.Excluded}
	for j, err := range h.ledger.Each(ctx, pipeline.Filter{Campaign: from.ID, States: states}) {
		if err != nil {
			return m, 0, err
		}
		if err := c.add(ctx, j); err != nil {
			return m, 0, err
		}
	}
	if err := c.flush(ctx); err != nil {
		return m, 0, err
	}
	return m, i.ID, own.ledger.Publish(ctx, i.ID, m, false, own.audit(to.ID, "import", "rehearsal", ""))
}

// copier seals notices anew for the scratch ledger.
type copier struct {
	h, own           *house
	to               pipeline.Campaign
	importID         int64
	oldKeys, newKeys *seal.Keys
	ids              map[int64]int64 // primary notices that have others beside them: old number → new
	pending          []pipeline.Job
	m                *pipeline.Manifest
}

func (c *copier) add(ctx context.Context, j pipeline.Job) error {
	c.pending = append(c.pending, j)
	if len(c.pending) < copyBatch {
		return nil
	}
	return c.flush(ctx)
}

func (c *copier) flush(ctx context.Context) error {
	if len(c.pending) == 0 {
		return nil
	}
	first, err := c.own.ledger.ReserveIDs(ctx, len(c.pending))
	if err != nil {
		return err
	}
	batch := make([]pipeline.Staged, 0, len(c.pending))
	for i, j := range c.pending {
		plain, err := c.oldKeys.Open(j.Sealed, j.SealContext())
		if err != nil {
			return fmt.Errorf("notice %d: %w", j.ID, err)
		}
		n := c.renumber(j.Notice, first+int64(i))
		batch = append(batch, pipeline.Staged{Notice: n, Sealed: c.newKeys.Seal(plain, n.SealContext())})
	}
	c.pending = c.pending[:0]
	return c.own.ledger.Stage(ctx, c.importID, batch)
}

// renumber is a notice as it starts in the scratch ledger: what was queued is due
// again.
func (c *copier) renumber(n pipeline.Notice, id int64) pipeline.Notice {
	old := n.ID
	if n.State == pipeline.Queued {
		n.State = pipeline.Due
	}
	n.ID, n.Campaign, n.Import, n.Born, n.Gen, n.Owner, n.DueAt = id, c.to.ID, c.importID, n.State, 0, "", c.h.real.Now()
	parent, known := c.ids[n.Parent]
	switch {
	case n.Role == pipeline.Primary:
		c.ids[old] = id
		c.m.Population++
	case !known:
		// Its primary notice is out of the house already: here it stands alone.
		n.Role, n.Parent = pipeline.Primary, 0
		n.Person = slices.Concat(n.Person[:8], fmt.Appendf(nil, "%08d", id%100_000_000))
		c.m.Population++
	case n.Role == pipeline.Copy:
		n.Parent = parent
		c.m.Copies++
	default:
		n.Parent = parent
		c.m.Supplements++
	}
	c.m.States[n.State]++
	return n
}
