package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/intake"
)

// one corrects one notice, whatever else happens to it meanwhile.
func (x *correction) one(ctx context.Context, id int64) (pipeline.Notice, error) {
	until := x.h.real.Now().Add(busyFor)
	for {
		j, err := x.h.ledger.Notice(ctx, id)
		if err != nil {
			return j.Notice, err
		}
		n, busy, err := x.try(ctx, j)
		if !busy || err != nil {
			return n, err
		}
		if x.h.real.Now().After(until) {
			return n, decline("notice-busy", fmt.Sprintf("notice %d is being sent at this very moment", id), "try again in a minute")
		}
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// try corrects a notice as it stands; busy says that it moved on, or is being sent.
func (x *correction) try(ctx context.Context, j pipeline.Job) (n pipeline.Notice, busy bool, err error) {
	n = j.Notice
	if done, err := x.since(ctx, n.ID); err != nil || done {
		return n, false, err
	}
	switch n.State {
	case pipeline.Sending:
		return n, true, nil
	case pipeline.Excluded, pipeline.Cancelled:
		return n, false, decline("notice-"+string(n.State), fmt.Sprintf("notice %d is %s (%s): nobody writes to this customer", n.ID, n.State, n.Reason), "")
	}
	now := x.h.clock.Now()
	before, err := x.edition.open(j)
	if err != nil {
		return n, false, err
	}
	after, err := x.correct(before, now)
	if err != nil {
		return n, false, err
	}
	if err := x.allowed(n, after); err != nil {
		return n, false, err
	}
	channel := x.channel
	if n.Role == pipeline.Copy {
		channel = pipeline.Post
	}
	e := pipeline.Event{Notice: n.ID, Kind: pipeline.EvCorrected, Channel: channel, At: now, Actor: x.h.actor(), Code: x.code(), Detail: x.Reason}
	next, _, err := x.edition.policy.Apply(n, e)
	if err != nil {
		return n, false, err
	}
	next.MovedAt = x.h.real.Now()
	if x.email != "" && n.Role != pipeline.Copy {
		next.Reach |= pipeline.ByEmail
		next = intake.Corrected(next, after, pipeline.Email)
	}
	if x.lines() != nil {
		next.Reach |= pipeline.ByPost
		next = intake.Corrected(next, after, pipeline.Post)
	}
	keys := x.edition.keys
	plain, err := after.MarshalBinary()
	if err != nil {
		return n, false, err
	}
	var tokens []pipeline.Token
	for _, k := range intake.SearchKeys(after) {
		tokens = append(tokens, pipeline.Token{Hash: keys.Token(k.Kind, k.Value), Notice: n.ID})
	}
	if err := x.h.ledger.AddTokens(ctx, tokens); err != nil {
		return n, false, err
	}
	change := pipeline.Move(n, next, e)
	change.Sealed = keys.Seal(plain, n.SealContext())
	ok, err := x.h.ledger.Commit(ctx, []pipeline.Change{change})
	if err != nil {
		return n, false, err
	}
	return next, !ok[0], nil
}

// correct returns the person with the new addresses, and the old ones kept.
func (x *correction) correct(p pipeline.Person, now time.Time) (pipeline.Person, error) {
	was := pipeline.Former{Until: now, Email: p.Email, Address: p.Address, Postcode: p.Postcode, City: p.City, Country: p.Country}
	q := p
	if x.email != "" {
		q.Email = x.email
	}
	if lines := x.lines(); lines != nil {
		if faults := x.checks.Address(&q, lines, x.Postcode, x.City, x.Country); len(faults) > 0 {
			return p, refuse(faults[0].Code, faults[0].Sentence, "the address is not repeated here")
		}
		if err := x.edition.press.Printable(q); err != nil {
			var own *pipeline.Error
			if errors.As(err, &own) {
				return p, refuse(own.Code, own.Sentence, own.Hint)
			}
			return p, err
		}
	}
	if strings.EqualFold(q.Email, was.Email) && slices.Equal(q.Address, was.Address) && q.Postcode == was.Postcode && q.City == was.City && q.Country == was.Country {
		return p, decline("same-address", "that is the address on file already", "nothing was changed")
	}
	q.Former = append(slices.Clone(p.Former), was)
	return q, nil
}

// allowed refuses a channel that the customer's flags, or the campaign, rule out.
func (x *correction) allowed(n pipeline.Notice, p pipeline.Person) error {
	if n.Role == pipeline.Copy {
		return nil
	}
	r := x.edition.spec.ChooseRoute(pipeline.Traveller{
		Flags: n.Flags, Kinds: n.Kinds, Format: n.Format, HasContact: true, Representative: p.Representative != "",
		EmailUsable: x.email != "" || n.Reach.Has(pipeline.ByEmail), Printable: x.edition.press.Printable(p) == nil,
	})
	switch {
	case x.email != "" && !r.Reach.Has(pipeline.ByEmail):
		return decline("no-email", "a flag of this customer rules e-mail out", "correct the postal address instead")
	case x.lines() != nil && !r.Reach.Has(pipeline.ByPost):
		return decline("no-post", "a flag of this customer rules post out", "correct the e-mail address instead")
	case x.channel == pipeline.Email && r.Channel == pipeline.Post:
		return decline("post-only", "this customer is to be written to by post (channels.post_if, or the format of the letter)", "correct the postal address instead")
	}
	return nil
}
