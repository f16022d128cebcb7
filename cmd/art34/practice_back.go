package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
	"github.com/art34/art34/pipeline/feedback"
	"github.com/art34/art34/pipeline/rehearsal"
)

// practiceBox is where the practice relay delivers: the intake of the program,
// without a socket between them.
type practiceBox struct{ back *wayBack }

// Deliver implements rehearsal.Mailbox.
func (b practiceBox) Deliver(ctx context.Context, from, to string, raw []byte) error {
	takes, err := b.back.desk.takes(ctx, to)
	if err != nil {
		return err
	}
	if !takes {
		return rehearsal.ErrRefused
	}
	_, err = b.back.intake.Take(ctx, feedback.Message{Source: pipeline.FromLMTP, From: from, To: to, Raw: raw})
	return err
}

// judgeAll judges what comes in until ctx ends.
func judgeAll(ctx context.Context, back *wayBack) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-back.kept:
		case <-tick.C:
		}
		if _, err := back.judge.Round(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, pipeline.ErrAway) {
			return err
		}
	}
}

// How long the way back of a practice run may take to be proven, and for how long
// that counts: the compressed clock runs through months.
const (
	practicePatience = 30 * time.Second
	practiceProof    = 10 * 365 * 24 * time.Hour
)

// prove sends the messages that prove the way back, as a real run does, and waits
// until they came back.
func (p *practice) prove(ctx context.Context, r dispatch.Relay) error {
	h := p.h
	ctx, cancel := context.WithTimeoutCause(ctx, practicePatience, decline("way-back", "the way back of the practice relay could not be proven", "this is a defect of the program"))
	defer cancel()
	if _, err := h.ledger.SetMeta(ctx, metaProvenFor, practiceProof.String(), false); err != nil {
		return err
	}
	prover := h.newProver(r, wayBackOptions{ProveEvery: time.Hour, ProvenFor: practiceProof})
	for {
		proven, err := h.allProven(ctx, p.campaign, practiceProof)
		if proven || err != nil {
			return err
		}
		beat, err := json.Marshal(heartbeat{At: h.real.Now()}) // judgeAll is at work
		if err != nil {
			return err
		}
		if _, err := h.ledger.SetMeta(ctx, metaService+roleFeedback, string(beat), false); err != nil {
			return err
		}
		if err := prover.round(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
