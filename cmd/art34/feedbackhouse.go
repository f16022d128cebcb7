package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/email"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/kit/idna"
	"github.com/art34/art34/pipeline/kit/seal"
)

// This file is where feedback, which knows only interfaces, meets the ledger, the
// keys and the return paths.

// addresses reads the tokens that the e-mails carry.
type addresses struct{}

// ReturnPath implements feedback.Tokens.
func (addresses) ReturnPath(s string) (feedback.Token, bool) {
	return tokenOf(email.ParseReturnPath(s))
}

// MessageID implements feedback.Tokens.
func (addresses) MessageID(s string) (feedback.Token, bool) {
	t, ok := tokenOf(email.ParseMessageID(s))
	t.Key = anyKey
	return t, ok
}

// anyKey stands for the key of a Message-ID: it has no number, because the same
// message must have the same one whenever it is sent.
const anyKey = -1

func tokenOf(t email.Token, err error) (feedback.Token, bool) {
	if err != nil {
		return feedback.Token{}, false
	}
	return feedback.Token{
		Notice: t.Notice, Attempt: t.Attempt, Key: t.Key, Domain: t.Domain, Text: t.String(),
		Verify: func(mac feedback.MAC) bool { return t.Verify(email.MAC(mac)) },
	}, true
}

// probePath is a return path of our own at a domain, for a message that proves the
// way back: kind is feedback.ProbeLoop or feedback.ProbeBounce. When it comes back
// the ledger's Meta feedback.MetaWayBack+domain+"/loop" or "/bounce" says when.
func (h *house) probePath(kind int, domain string) (string, error) {
	keys, err := h.keys.Installation()
	if err != nil {
		return "", err
	}
	domain, err = idna.Domain(domain)
	if err != nil {
		return "", err
	}
	return email.ReturnPath(keys.MAC, 0, 0, kind, strings.ToLower(domain))
}

// desk is what feedback asks about campaigns. What it learnt it believes for a
// moment: it is asked for every message.
type desk struct {
	h *house

	mu        sync.Mutex
	at        time.Time
	campaigns map[int64]pipeline.Campaign
	domains   map[string]bool // of return paths
	replyTo   map[string]bool
	current   int // key that signs return paths
}

// deskFresh is how long a desk believes what it learnt.
const deskFresh = 2 * time.Second

// look brings the desk up to date.
func (d *desk) look(ctx context.Context) error {
	now := d.h.real.Now()
	if d.campaigns != nil && now.Sub(d.at) < deskFresh {
		return nil
	}
	all, err := d.h.ledger.AllCampaigns(ctx)
	if err != nil {
		return err
	}
	current, err := d.h.returnKey(ctx)
	if err != nil {
		return err
	}
	campaigns, domains, replyTo := map[int64]pipeline.Campaign{}, map[string]bool{}, map[string]bool{}
	for _, c := range all {
		campaigns[c.ID] = c
		if c.Version == 0 {
			continue
		}
		spec, err := d.h.editions.Spec(ctx, c)
		if errors.Is(err, pipeline.ErrAway) {
			return err
		}
		if err != nil {
			continue // erased, or of another time: it gets no mail
		}
		for _, s := range spec.Senders {
			domains[strings.ToLower(s.EnvelopeDomain)] = true
			if s.ReplyTo != "" {
				replyTo[strings.ToLower(s.ReplyTo)] = true
			}
		}
	}
	d.at, d.campaigns, d.domains, d.replyTo, d.current = now, campaigns, domains, replyTo, current
	return nil
}

// Policy implements feedback.Policies.
func (d *desk) Policy(ctx context.Context, campaign int64) (pipeline.Policy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(ctx); err != nil {
		return pipeline.Policy{}, err
	}
	c, ok := d.campaigns[campaign]
	if !ok || c.Version == 0 {
		return pipeline.DefaultPolicy(), nil
	}
	e, err := d.h.editions.at(ctx, c, c.Version)
	if err != nil {
		return pipeline.Policy{}, err
	}
	return e.policy, nil
}

// MAC implements feedback.Keys. The number of a key is part of what it signs, so
// one secret makes as many as are needed.
func (d *desk) MAC(ctx context.Context, campaign int64, number int) (feedback.MAC, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(ctx); err != nil {
		return nil, err
	}
	var keys *seal.Keys
	var err error
	if campaign == 0 {
		keys, err = d.h.keys.Installation()
	} else {
		if number != anyKey && number != d.current && number != d.current-1 {
			return nil, feedback.ErrKey
		}
		keys, err = d.h.keys.Existing(campaign)
	}
	switch {
	case errors.Is(err, seal.ErrDestroyed):
		return nil, feedback.ErrErased
	case errors.Is(err, seal.ErrNoKeys):
		return nil, feedback.ErrKey
	case err != nil:
		return nil, err
	}
	return keys.MAC, nil
}

// takes reports whether mail to an address is for us: it has the form of a token,
// or is where customers are asked to answer. Anything else is refused, which is
// also how a relay is made to bounce on purpose.
func (d *desk) takes(ctx context.Context, address string) (bool, error) {
	if _, ok := (addresses{}).ReturnPath(address); ok {
		return true, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(ctx); err != nil {
		return false, err
	}
	return d.replyTo[strings.ToLower(address)], nil
}

// wayBack is the intake and the judge of a process.
type wayBack struct {
	desk   *desk
	intake *feedback.Intake
	judge  *feedback.Judge
	kept   chan struct{} // something waits to be judged
}

// newWayBack opens intake and judge. forward may be nil.
func (h *house) newWayBack(forward feedback.Forwarder) (*wayBack, error) {
	keys, err := h.keys.Installation()
	if err != nil {
		return nil, err
	}
	w := &wayBack{desk: &desk{h: h}, kept: make(chan struct{}, 1)}
	w.judge, err = feedback.NewJudge(feedback.JudgeConfig{
		Ledger: h.ledger, Keys: keys, Tokens: addresses{}, Signs: w.desk, Policies: w.desk, Forward: forward,
		Clock: h.clock, Real: h.real, Log: h.log, Noted: h.noted,
	})
	if err != nil {
		return nil, err
	}
	w.intake, err = feedback.NewIntake(feedback.IntakeConfig{Ledger: h.ledger, Keys: keys, Tokens: addresses{}, Clock: h.clock, Kept: func() {
		select {
		case w.kept <- struct{}{}:
		default:
		}
	}})
	return w, err
}

// Close ends the intake.
func (w *wayBack) Close() { w.intake.Close() }
