package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/rehearsal"
)

// practice is a campaign carried out on the practice range: a relay and a print
// shop of our own, and a compressed clock. The demo and the rehearsal differ only
// in whose notices they are.
type practice struct {
	h        *house // on a scratch ledger
	campaign pipeline.Campaign
	relay    *rehearsal.Relay
	printer  rehearsal.Printer
	span     time.Duration // into which the longest wait of the campaign is compressed
	look     func(*status) // called with every look at the state
	settled  *status
}

// run launches the campaign and works until every notice is settled or held.
func (p *practice) run(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- p.relay.Serve(ctx, listener) }()

	policy, err := p.policy(ctx)
	if err != nil {
		return err
	}
	real := p.h.real.Now()
	p.h.clock = clock.NewScaled(real, rehearsal.Factor(policy, p.span))
	address, err := email.ParseRelayURL("smtp://" + listener.Addr().String() + "?tls=none")
	if err != nil {
		return err
	}
	client, err := email.NewRelay(email.RelayConfig{Address: address, Hello: "localhost"})
	if err != nil {
		return err
	}
	if err := p.h.operations().Launch(ctx, p.campaign.Name, time.Time{}, 0); err != nil {
		return err
	}
	s, err := p.h.newService(ctx, serviceConfig{
		roles: allRoles(), relay: relayAt{client},
		wayBack: func(pipeline.Campaign, pipeline.Channel) bool { return true },
		times:   dispatch.Times{Print: 250 * time.Millisecond, Reconcile: 250 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.run(ctx, ctx, p.step); err != nil {
		return err
	}
	cancel()
	if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, context.Canceled) {
		return err
	}
	if p.settled == nil {
		return decline("interrupted", "stopped before everything was settled", "")
	}
	return nil
}

func (p *practice) policy(ctx context.Context) (pipeline.Policy, error) {
	spec, err := p.h.editions.Spec(ctx, p.campaign)
	if err != nil {
		return pipeline.Policy{}, err
	}
	return spec.Policy(), nil
}

// step plays the print shop and looks whether everything is settled.
func (p *practice) step(ctx context.Context) (bool, error) {
	open, err := p.print(ctx)
	if err != nil {
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
	if open || !restful(s.States) || !restful(s.Supplements.States) || !restful(s.Copies.States) {
		return false, nil
	}
	p.settled = s
	return true, nil
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
		case pipeline.RunCut:
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
		}
	}
	return open, nil
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

// scratch returns an app that keeps everything in a directory of its own and
// knows no service of the real one.
func (a *app) scratch(dir string) *app {
	g := *a.globals
	g.Dir, g.Ledger, g.LedgerFile, g.Redis, g.RedisFile, g.Relay, g.MasterKeyFile = dir, "", "", "", "", "", ""
	own := *a
	own.globals = &g
	if g.Log == "info" {
		// What goes as planned is shown by the figures.
		own.log = slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	return &own
}
