package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
		v.Sentence, v.Hint = breakerWords(b, c.Name)
		if !b.Until.IsZero() {
			v.Until = &b.Until
		}
		s.Breakers = append(s.Breakers, v)
	}
	if c.State != pipeline.Running && c.State != pipeline.Paused {
		return nil
	}
	if n := s.Held[reasonApproval]; n > 0 {
		s.Blocked = append(s.Blocked, blockage{"awaiting-approval", blockedWords("awaiting-approval"), "art34 check " + c.Name + ", then art34 approve " + c.Name, n})
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
	block := func(code, sentence, hint string, n int64) {
		if n > 0 {
			s.Blocked = append(s.Blocked, blockage{code, sentence, hint, n})
		}
	}
	all := dueBy(due, pipeline.Email, "") + dueBy(due, pipeline.Post, "")
	mail := dueBy(due, pipeline.Email, "")
	switch {
	case c.State == pipeline.Paused && c.PausedFor == "canary":
		block("canary", fmt.Sprintf("the canary of %s was accepted", count(int64(c.Canary), "e-mail", "e-mails")), "look at it, then art34 resume "+c.Name+" lets the others go", all)
	case c.State == pipeline.Paused:
		block("paused", "the campaign is paused", "art34 resume "+c.Name+" goes on", all)
	case c.LaunchAt.After(now):
		block("launch", "the launch is set for "+shown(c.LaunchAt), "", all)
	case outsideSchedule(spec.Schedule, now):
		block("schedule", "before or after the time of the schedule", scheduleHint(spec.Schedule), mail)
	case outsideHours(c.Email.Hours, now):
		block("hours", "outside the sending hours, "+c.Email.Hours, "art34 pacing "+c.Name+" --hours changes them", mail)
	default:
		told := false
		for _, b := range breakers {
			code := "breaker:" + b.Scope
			if selfClosing(b) {
				code = "relay-away"
			}
			sentence, hint := breakerWords(b, c.Name)
			block(code, sentence, hint, dueBy(due, pipeline.Email, b.Scope))
			told = told || b.Scope == "relay"
		}
		if !told && slices.Contains(s.Missing, "relay") {
			block("relay-away", blockedWords("relay-away"), "it is tried again by itself", mail)
		}
	}
	return nil
}

// scheduleHint says when the schedule lets e-mails go.
func scheduleHint(s pipeline.Schedule) string {
	var parts []string
	if from, err := s.From(); err == nil && !from.IsZero() {
		parts = append(parts, "from "+shown(from))
	}
	if until, err := s.Until(); err == nil && !until.IsZero() {
		parts = append(parts, "until "+shown(until))
	}
	return "e-mails go " + strings.Join(parts, ", ")
}

// blockedWords says in general why due work does not go, and what lets it go;
// status knows more.
func blockedWords(code string) string {
	scope, of, _ := strings.Cut(code, ":")
	switch scope {
	case "paused":
		return "paused; art34 resume goes on"
	case "canary":
		return "the canary was accepted; art34 resume lets the others go"
	case "hours":
		return "outside the sending hours"
	case "schedule":
		return "before or after the time of the schedule"
	case "relay-away":
		return "the relay cannot be reached; it is tried again by itself"
	case "no-relay":
		return "no relay is configured (ART34_RELAY)"
	case "awaiting-approval":
		return "the import came after the launch and waits for its approval"
	case "breaker":
		return "the breaker of " + scopeWords(of) + " is open; art34 status says why, and what to do"
	}
	return code
}

// awaitingApproval counts what waits for art34 approve, per launched campaign.
func (h *house) awaitingApproval(ctx context.Context) (map[string]int64, error) {
	all, err := h.ledger.AllCampaigns(ctx)
	if err != nil {
		return nil, err
	}
	waiting := map[string]int64{}
	for _, c := range all {
		if c.State != pipeline.Running && c.State != pipeline.Paused {
			continue
		}
		held, err := h.ledger.Reasons(ctx, c.ID, pipeline.Held)
		if err != nil {
			return nil, err
		}
		if n := held[reasonApproval]; n > 0 {
			waiting[c.Name] = n
		}
	}
	return waiting, nil
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
