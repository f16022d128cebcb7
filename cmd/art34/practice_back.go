package main

import (
	"context"
	"errors"
	"time"

	"github.com/art34/art34/pipeline"
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
