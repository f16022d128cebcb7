package main

import (
	"context"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
)

// countCap bounds the counting of what is due: above it the figure is "at least".
const countCap = 1_000_000

// addBlocked says why due notices do not go: what stands in the way of all, then
// of single providers.
func (h *house) addBlocked(ctx context.Context, c pipeline.Campaign, s *status) error {
	now := h.clock.Now()
	breakers, err := h.ledger.Breakers(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, b := range breakers {
		v := breakerView{Scope: b.Scope, Reason: b.Reason, Detail: b.Detail, Since: b.Since}
		if !b.Until.IsZero() {
			v.Until = &b.Until
		}
		s.Breakers = append(s.Breakers, v)
	}
	if c.State != pipeline.Running && c.State != pipeline.Paused {
		return nil
	}
	due, err := h.ledger.CountDue(ctx, c.ID, now, countCap)
	if err != nil || len(due) == 0 {
		return err
	}
	if err := h.addMissing(ctx, s); err != nil {
		return err
	}
	spec, err := h.editions.Spec(ctx, c)
	if err != nil {
		return err
	}
	block := func(code string, n int64) {
		if n > 0 {
			s.Blocked = append(s.Blocked, blockage{code, blockedWords(code), n})
		}
	}
	mail := dueBy(due, pipeline.Email, "")
	switch {
	case c.State == pipeline.Paused && c.PausedFor == "canary":
		block("canary", mail+dueBy(due, pipeline.Post, ""))
	case c.State == pipeline.Paused:
		block("paused", mail+dueBy(due, pipeline.Post, ""))
	case c.LaunchAt.After(now):
		block("launch", mail+dueBy(due, pipeline.Post, ""))
	case outsideSchedule(spec.Schedule, now):
		block("schedule", mail)
	case outsideHours(c.Email.Hours, now):
		block("hours", mail)
	case slices.Contains(s.Missing, "relay"):
		block("relay-away", mail)
	default:
		for _, b := range breakers {
			block("breaker:"+b.Scope, dueBy(due, pipeline.Email, b.Scope))
		}
	}
	return nil
}

// dueBy counts what is due on a channel, within the scope of a breaker.
func dueBy(due []pipeline.DueCount, ch pipeline.Channel, scope string) (n int64) {
	for _, d := range due {
		if d.Channel == ch && (scope == "" || scope == "relay" || scope == "provider:"+d.Provider) {
			n += d.Count
		}
	}
	return n
}

func outsideHours(hours string, now time.Time) bool {
	h, err := pipeline.ParseHours(hours)
	return err == nil && !h.Open(now)
}

func outsideSchedule(s pipeline.Schedule, now time.Time) bool {
	from, err := s.From()
	until, err2 := s.Until()
	return err == nil && err2 == nil && (from.After(now) || !until.IsZero() && until.Before(now))
}

// addMissing says which roles nobody plays, and what those that are played
// cannot reach.
func (h *house) addMissing(ctx context.Context, s *status) error {
	missing := map[string]bool{}
	for _, role := range allRoles() {
		b, err := news[heartbeat](ctx, h, metaService+string(role))
		if err != nil {
			return err
		}
		if h.real.Now().Sub(b.At) > beatStale {
			missing["art34 run ("+string(role)+")"] = true
			continue
		}
		if role == dispatch.RoleCourier || role == dispatch.RoleDispatch {
			for _, m := range b.Missing {
				missing[m] = true
			}
		}
	}
	for m := range missing {
		s.Missing = append(s.Missing, m)
	}
	slices.Sort(s.Missing)
	return nil
}
