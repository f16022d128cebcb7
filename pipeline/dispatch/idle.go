package dispatch

import (
	"context"
	"time"

	"github.com/art34/art34/pipeline"
)

// Idle says whether there is anything left to do without a person.
type Idle struct {
	Idle bool // nothing is queued, sending, in doubt or being drawn, and nothing unblocked falls due soon
	// Blocked is looked for only when nothing is moving.
	Blocked map[string]int64 // code → notices that are due and cannot go: paused, canary, hours, schedule, relay-away, breaker:SCOPE
	Next    time.Time        // the earliest work after the horizon; zero: none
}

// Idle looks at all campaigns by cheap queries; it may be asked every second. Work
// of roles that this process does not play, and letters that another process is
// the leader for, are not its business.
func (s *Service) Idle(ctx context.Context) (Idle, error) {
	i := Idle{Idle: true, Blocked: map[string]int64{}}
	v := s.control.current()
	if v == nil {
		i.Idle = false // not started yet, or the ledger is away
		return i, nil
	}
	for _, k := range v.campaigns {
		if err := s.look(ctx, k, &i); err != nil {
			return Idle{}, err
		}
	}
	if !i.Idle || !s.plays(RolePrint) {
		return i, nil
	}
	if !s.room.lead.known.Load() {
		i.Idle = false
	}
	runs, err := s.Ledger.Runs(ctx, 0)
	for _, r := range runs {
		if r.State == pipeline.RunFilling || r.State == pipeline.RunCut {
			i.Idle = false
		}
	}
	return i, err
}

// look adds what one campaign has left.
func (s *Service) look(ctx context.Context, k *campaign, i *Idle) error {
	now := s.Clock.Now()
	soon := now.Add(s.Times.Horizon)
	email := s.plays(RoleDispatch) || s.plays(RoleCourier)
	if email {
		n, err := s.moving(ctx, k.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			i.Idle = false
			return nil // counting a large campaign costs more than sending some e-mails
		}
	}
	if k.LaunchAt.After(soon) {
		i.next(k.LaunchAt)
		return nil
	}
	counts, err := s.Ledger.CountDue(ctx, k.ID, soon, countMost)
	if err != nil {
		return err
	}
	var letters int64
	for _, c := range counts {
		switch {
		case c.Count == 0:
		case k.State == pipeline.Withdrawn:
			i.Idle = i.Idle && !s.plays(RoleDispatch) // the sweep comes
		case c.Channel == pipeline.Email && email:
			i.add(s.blocked(k, c.Provider, now, soon), c.Count)
		case c.Channel == pipeline.Post && s.plays(RolePrint):
			letters += c.Count
		}
	}
	if letters > 0 {
		s.letters(k, letters, soon, i)
	}
	next, err := s.Ledger.NextDue(ctx, k.ID)
	for _, at := range next {
		if at.After(soon) {
			i.next(at)
		}
	}
	return err
}

// add counts work: blocked by a code, or, with "", still to be done.
func (i *Idle) add(code string, n int64) {
	if code == "" {
		i.Idle = false
		return
	}
	i.Blocked[code] += n
}

func (i *Idle) next(at time.Time) {
	if i.Next.IsZero() || at.Before(i.Next) {
		i.Next = at
	}
}

// blocked returns what keeps e-mail to a provider back until soon, "" for nothing.
// A relay that has been away for a moment only is not a block yet.
func (s *Service) blocked(k *campaign, provider string, now, soon time.Time) string {
	if code := k.state(); code != "" {
		return code
	}
	if s.noRelay() {
		return BlockNoRelay
	}
	// A resend may go where a first mail may not any more; the counts do not say
	// which is which, so the end of the schedule counts for all.
	switch {
	case soon.Before(k.from), !k.until.IsZero() && !now.Before(k.until):
		return BlockSchedule
	case k.hours.Next(now).After(soon):
		return BlockHours
	}
	if b := k.breaker(scopeRelay); b != nil {
		// Nor before this process has had the time to find out for itself.
		if b.Reason != BlockRelayAway || min(s.elapsed(), s.Real.Now().Sub(b.Since)) >= s.Times.Patience {
			return blockCode(*b)
		}
	}
	if b := k.breaker(scopeProvider + provider); b != nil {
		return blockCode(*b)
	}
	return ""
}

// letters adds the due letters of a campaign: the print room knows what it waits
// for and what is kept back.
func (s *Service) letters(k *campaign, n int64, soon time.Time, i *Idle) {
	if code := k.state(); code != "" {
		i.add(code, n)
		return
	}
	if k.Canary > 0 {
		// They wait for the canary, which the dispatcher ends when no e-mail is left.
		i.add(BlockCanary, n)
		return
	}
	if s.room.lead.known.Load() && !s.room.lead.held() {
		return // another process leads
	}
	s.room.mu.Lock()
	g, ok := s.room.found[k.ID]
	s.room.mu.Unlock()
	if !ok || g.total() != n {
		i.Idle = false // not looked at yet
		return
	}
	for code, b := range g.blocked {
		i.add(code, b)
	}
	if g.waiting > 0 && !g.cutAt.IsZero() {
		if g.cutAt.After(soon) {
			i.next(g.cutAt)
		} else {
			i.Idle = false
		}
	}
	if g.waiting > 0 && g.cutAt.IsZero() && g.waiting >= k.spec.Post.MinLetters {
		i.Idle = false // they wait for e-mail that is under way
	}
}
