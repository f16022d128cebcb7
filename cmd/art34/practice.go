package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/rehearsal"
)

// practice is a campaign carried out on the practice range: a relay and a print
// shop of our own, and a compressed clock. The demo and the rehearsal differ only
// in whose notices they are.
type practice struct {
	h        *house // on a scratch ledger
	campaign pipeline.Campaign
	seed     uint64
	mix      rehearsal.Mix
	maildir  string // "": mails are counted only
	printer  rehearsal.Printer
	span     time.Duration // into which the longest wait of the campaign is compressed
	notes    *practiceNotes
	look     func(*status) // called with every look at the state

	spec     *pipeline.Spec
	clock    *practiceClock
	factor   float64 // of the clock, while everybody waits
	relay    *rehearsal.Relay
	returned map[int64]bool // print runs whose returned letters were recorded
	mended   map[string]int // reason → breakers that the practice released as a person would
	settled  *status
	staying  bool // people work with it; it ends when they say so
}

// run launches the campaign and works until every notice is settled or held.
func (p *practice) run(ctx context.Context) (err error) {
	if p.spec, err = p.h.editions.Spec(ctx, p.campaign); err != nil {
		return err
	}
	if err := p.start(); err != nil {
		return err
	}
	client, listener, err := p.openRelay()
	if err != nil {
		return err
	}
	defer p.relay.Close()
	if p.campaign.State != pipeline.Running {
		if err := p.h.operations().Launch(ctx, p.campaign.Name, time.Time{}, 0); err != nil {
			return err
		}
	}
	s, err := p.service(ctx, client)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := p.work(ctx, s, client, listener); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if p.settled == nil {
		return decline("interrupted", "stopped before everything was settled", "run it again; nothing real was touched")
	}
	return nil
}

// openRelay prepares the practice relay and a client of it; it serves in work.
func (p *practice) openRelay() (dispatch.Relay, net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	if p.relay, err = rehearsal.NewRelay(p.relayConfig()); err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	address, err := email.ParseRelayURL("smtp://" + listener.Addr().String() + "?tls=none")
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close())
	}
	client, err := email.NewRelay(email.RelayConfig{Address: address, Hello: "localhost"})
	return relayAt{client}, listener, err
}

// service does all the work, through the practice relay. The way back is proven
// before anything is sent, and the relay is our own.
func (p *practice) service(ctx context.Context, relay dispatch.Relay) (*service, error) {
	return p.h.newService(ctx, serviceConfig{
		roles: allRoles(), relay: relay, times: practiceTimes(),
		wayBack: func(pipeline.Campaign, pipeline.Channel) bool { return true },
	})
}

// practiceTimes are short: an hour is over in no time, also after a death.
func practiceTimes() dispatch.Times {
	return dispatch.Times{Print: 250 * time.Millisecond, Reconcile: 250 * time.Millisecond, LeadTTL: 1500 * time.Millisecond, CourierTTL: 5 * time.Second}
}

// start sets the clock of the practice at the time of the machine, or where an
// earlier process left it. It stands still until the way back is proven.
func (p *practice) start() error {
	epoch := p.h.real.Now()
	if p.notes != nil {
		left, err := p.notes.clock()
		if err != nil {
			return err
		}
		if !left.IsZero() {
			epoch = left
		}
	}
	p.factor = rehearsal.Factor(p.spec.Policy(), p.span)
	p.clock = newPracticeClock(epoch)
	p.h.clock = p.clock
	p.returned, p.mended = map[int64]bool{}, map[string]int{}
	return nil
}

// work runs service and relay together. Whichever fails ends both.
func (p *practice) work(ctx context.Context, s *service, r dispatch.Relay, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	failed := make(chan error, 5)
	alongside := func(f func(context.Context) error) {
		group.Go(func() {
			defer cancel()
			if err := f(ctx); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, context.Canceled) {
				failed <- err
			}
		})
	}
	alongside(func(ctx context.Context) error { return p.relay.Serve(ctx, listener) })
	forward, err := p.h.forwarder(r)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	back, err := p.h.newWayBack(forward)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer back.Close()
	alongside(func(ctx context.Context) error { return p.relay.Return(ctx, practiceBox{back}) })
	alongside(func(ctx context.Context) error { return judgeAll(ctx, back) })
	if p.staying {
		err = s.run(ctx, ctx, nil)
	} else if err = p.prove(ctx, r); err == nil {
		alongside(p.drive)
		if p.notes != nil {
			alongside(func(ctx context.Context) error { return p.notes.keepClock(ctx, p.clock, p.factor) })
		}
		err = s.run(ctx, ctx, p.step)
	}
	cancel()
	group.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

func (p *practice) relayConfig() rehearsal.RelayConfig {
	home := map[string]bool{}
	for _, s := range p.spec.Senders {
		home[strings.ToLower(s.EnvelopeDomain)] = true
	}
	c := rehearsal.RelayConfig{
		Seed: p.seed, Mix: p.mix, Maildir: p.maildir, Clock: p.h.clock, Window: p.spec.Policy().BounceWindow,
		Attempt: attemptOf,
		Home:    func(domain string) bool { return home[strings.ToLower(domain)] },
	}
	if p.notes != nil {
		c.Journal = p.notes.journal()
	}
	return c
}

// attemptOf reads the attempt out of a return path, 0 where no notice is behind
// it.
func attemptOf(returnPath string) int {
	t, err := email.ParseReturnPath(returnPath)
	if err != nil || t.Notice == 0 {
		return 0
	}
	return t.Attempt
}

// step plays the print shop and looks whether everything is settled.
func (p *practice) step(ctx context.Context) (bool, error) {
	open, err := p.print(ctx)
	if err != nil {
		return false, err
	}
	if err := p.mend(ctx); err != nil {
		return false, err
	}
	c, err := p.h.ledger.Campaign(ctx, p.campaign.Name)
	if err != nil {
		return false, err
	}
	s, err := p.h.status(ctx, c)
	if err != nil {
		return false, err
	}
	if p.look != nil {
		p.look(s)
	}
	if s.Balance != 0 {
		return false, decline("balance", fmt.Sprintf("the balance is %d", s.Balance), "this is a defect of the program")
	}
	if open || p.relay.Coming() > 0 || waiting(s) || !restful(s.States) || !restful(s.Supplements.States) || !restful(s.Copies.States) {
		return false, nil
	}
	if judged, err := p.judged(ctx); !judged || err != nil {
		return false, err
	}
	p.settled = s
	return true, nil
}

// judged reports whether nothing that came back waits to be understood.
func (p *practice) judged(ctx context.Context) (bool, error) {
	counts, err := p.h.ledger.CountInbox(ctx)
	for _, c := range counts {
		if c.State == pipeline.InboundPending && c.Count > 0 {
			return false, err
		}
	}
	return true, err
}

// mend releases breakers that wait for a person, as one would who has looked into
// it: in the practice whoever refused us can be talked to.
func (p *practice) mend(ctx context.Context) error {
	breakers, err := p.h.ledger.Breakers(ctx, p.campaign.ID)
	if err != nil {
		return err
	}
	for _, b := range breakers {
		if !b.Until.IsZero() {
			continue // it closes by itself
		}
		if err := p.h.operations().ReleaseBreaker(ctx, p.campaign.Name, b.Scope, "practice: looked into"); err != nil {
			return err
		}
		p.mended[b.Reason]++
	}
	return nil
}

// waiting reports whether cohorts are held that were released, or have still to be.
func waiting(s *status) bool {
	for reason, n := range s.Held {
		if n > 0 && strings.HasPrefix(reason, pipeline.ReasonBounces) {
			return true
		}
	}
	return len(s.Breakers) > 0
}

// restful reports whether only a person could do more.
func restful(states map[pipeline.State]int64) bool {
	for s, n := range states {
		if n > 0 && s != pipeline.Held && !s.Settled() {
			return false
		}
	}
	return true
}

// print hands assembled runs to the practice print shop and records what it
// answers. It reports whether a run is still on its way.
func (p *practice) print(ctx context.Context) (open bool, err error) {
	runs, err := p.h.ledger.Runs(ctx, p.campaign.ID)
	if err != nil {
		return false, err
	}
	for _, r := range runs {
		switch r.State {
		case pipeline.RunFilling, pipeline.RunCut:
			open = true
		case pipeline.RunAssembled:
			open = true
			if _, err := p.h.releaseRun(ctx, r); err != nil {
				return open, err
			}
		case pipeline.RunReleased:
			open = true
			if err := p.acknowledge(ctx, r); err != nil {
				return open, err
			}
		case pipeline.RunDeposited:
			if p.returned[r.ID] {
				continue
			}
			if p.h.clock.Now().Sub(r.ClosedAt) < p.bringBack() {
				open = true
				continue
			}
			if err := p.giveBack(ctx, r); err != nil {
				return open, err
			}
			p.returned[r.ID] = true
		}
	}
	return open, nil
}

// bringBack is how long the post takes to bring a letter back.
func (p *practice) bringBack() time.Duration {
	return min(10*24*time.Hour, p.spec.Policy().ReturnWindow/2)
}

// giveBack records the letters of a run that came back. Saying it twice, after a
// restart, changes nothing.
func (p *practice) giveBack(ctx context.Context, r pipeline.Run) error {
	items, err := p.h.ledger.RunItems(ctx, r.ID)
	if err != nil {
		return err
	}
	bySeq := map[int]pipeline.RunItem{}
	for _, i := range items {
		bySeq[i.Seq] = i
	}
	var news []dispatch.News
	for _, back := range p.printer.Returned(items) {
		item := bySeq[back.Seq]
		news = append(news, dispatch.News{Notice: item.Notice, Event: pipeline.Event{Attempt: item.Attempt, Outcome: back.Outcome, Code: back.Reason}})
	}
	if len(news) == 0 {
		return nil
	}
	_, err = p.h.operations().Returned(ctx, p.campaign.ID, news)
	return err
}

func (p *practice) acknowledge(ctx context.Context, r pipeline.Run) error {
	items, err := p.h.ledger.RunItems(ctx, r.ID)
	if err != nil {
		return err
	}
	deposit, spoiled := p.printer.Acknowledge(r, items, p.h.clock.Now())
	rejected := make([]dispatch.Rejected, len(spoiled))
	for i, seq := range spoiled {
		rejected[i] = dispatch.Rejected{Seq: seq, Code: "jam"}
	}
	_, err = p.h.operations().AcknowledgeRun(ctx, r.ID, deposit, rejected)
	return err
}

// practiceCell is where the practice relay takes the answers that are sent on.
const practiceCell = "cell@practice.example"

// scratch returns an app that keeps everything in a directory of its own and
// knows no service of the real one.
func (a *app) scratch(dir string) *app {
	g := *a.globals
	g.Dir, g.Ledger, g.LedgerFile, g.Redis, g.RedisFile, g.Relay, g.MasterKeyFile = dir, "", "", "", "", "", ""
	g.consoleOptions, g.feedbackOptions = consoleOptions{}, feedbackOptions{CellMailbox: practiceCell}
	own := *a
	own.globals = &g
	if g.Log == "info" {
		// What goes as planned is shown by the figures, and so is what goes wrong: it is
		// meant to.
		own.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	return &own
}
