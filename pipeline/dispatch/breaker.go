package dispatch

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
)

// How many signs of trouble open a breaker. Those of campaign.yaml
// (email.breaker) come on top.
const (
	dialFailures   = 3   // in a row: the relay is away
	policyRefusals = 3   // in a row: the relay refuses us altogether
	unfitLetters   = 20  // in a row: it is not the customers, it is the letters or the keys
	doubtWindow    = 200 // answers over which the share of doubts is taken
	deadWindow     = 1000
	deadLeast      = 200  // answers of a provider before its dead share says anything
	deadShare      = 0.10 // of a provider's answers: somebody there is wrong, and it is not the customers
)

// guard watches the answers that one campaign gets in this process and opens
// breakers. Counts are not kept over a restart: a relay that is still bad shows it
// again at once.
type guard struct {
	mu        sync.Mutex
	dials     int // failures in a row
	policy    int
	unfit     int
	reopened  int // how often the relay was found away since it last answered
	doubts    ring
	providers map[string]*providerGuard
	open      map[string]string // scope → reason, as last seen
}

type providerGuard struct {
	ours   int // refusals in a row
	dead   ring
	waived bool // a person has looked at the dead share and let it go on
}

func newGuard() *guard {
	return &guard{doubts: newRing(doubtWindow), providers: map[string]*providerGuard{}, open: map[string]string{}}
}

func (g *guard) provider(name string) *providerGuard {
	p := g.providers[name]
	if p == nil {
		p = &providerGuard{dead: newRing(deadWindow)}
		g.providers[name] = p
	}
	return p
}

// verdict is a breaker that has to be opened.
type verdict struct {
	scope, reason, detail string
	retry                 bool // it closes by itself: the relay is tried again later
}

// answered counts an answer and returns the breakers that it opens.
func (g *guard) answered(k *campaign, provider string, a pipeline.Answer) []verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.Phase == pipeline.PhaseUnsent {
		if a.Policy {
			return g.refusedUs(a.Code, a.Enhanced, a.Reply)
		}
		return g.notReached(replyDetail(a))
	}
	g.dials, g.reopened = 0, 0
	var out []verdict
	if a.Policy {
		out = g.refusedUs(a.Code, a.Enhanced, a.Reply)
	} else if a.Phase != pipeline.PhaseDoubtful {
		g.policy = 0
	}
	g.doubts.add(a.Phase == pipeline.PhaseDoubtful)
	share := k.Email.Breaker.DoubtShare
	if share == 0 {
		share = defaultDoubtShare
	}
	if float64(g.doubts.hits) > share*doubtWindow {
		out = append(out, verdict{scope: scopeRelay, reason: BlockDoubts, detail: fmt.Sprintf("%d of the last %d hand-overs ended without an answer", g.doubts.hits, g.doubts.n)})
	}
	return append(out, g.judgeProvider(k, provider, a)...)
}

// judgeProvider counts an answer about a recipient of one provider.
func (g *guard) judgeProvider(k *campaign, name string, a pipeline.Answer) (out []verdict) {
	if a.Policy || a.Phase == pipeline.PhaseDoubtful {
		return nil
	}
	p := g.provider(name)
	refused := a.Phase == pipeline.PhaseRefused
	if refused && a.Outcome == pipeline.Ours {
		p.ours++
		most := k.Email.Breaker.Refusals
		if most == 0 {
			most = defaultRefusals
		}
		if p.ours >= most {
			out = append(out, verdict{scope: scopeProvider + name, reason: BlockProvider, detail: replyDetail(a)})
		}
		return out // says nothing about the address
	}
	p.ours = 0
	p.dead.add(refused && a.Outcome == pipeline.Dead)
	if !p.waived && p.dead.n >= deadLeast && float64(p.dead.hits) > deadShare*float64(p.dead.n) {
		out = append(out, verdict{scope: scopeProvider + name, reason: BlockDeadShare, detail: fmt.Sprintf("%d of the last %d addresses were called dead", p.dead.hits, p.dead.n)})
	}
	return out
}

// dialled counts an attempt to connect; err is nil for a success, which proves
// nothing yet: the relay may still hang up on the first mail.
func (g *guard) dialled(err error) []verdict {
	if err == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if permanent(err) {
		return g.refusedUs(0, "", pipeline.ErrorCode(err))
	}
	return g.notReached(pipeline.ErrorCode(err))
}

func (g *guard) notReached(detail string) []verdict {
	g.dials++
	if g.dials < dialFailures && g.reopened == 0 {
		return nil
	}
	return []verdict{{scope: scopeRelay, reason: BlockRelayAway, detail: detail, retry: true}}
}

func (g *guard) refusedUs(code int, enhanced, reply string) []verdict {
	g.policy++
	if g.policy < policyRefusals {
		return nil
	}
	return []verdict{{scope: scopeRelay, reason: BlockRefused, detail: replyDetail(pipeline.Answer{Code: code, Enhanced: enhanced, Reply: reply})}}
}

// built counts letters that could or could not be built.
func (g *guard) built(ok bool, code string) []verdict {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ok {
		g.unfit = 0
		return nil
	}
	if g.unfit++; g.unfit < unfitLetters {
		return nil
	}
	return []verdict{{scope: scopeRelay, reason: BlockUnfit, detail: code}}
}

// backoff returns how long the relay is left alone now, twice as long each time.
func (g *guard) backoff(from, to time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := from
	for range g.reopened {
		if d *= 2; d >= to {
			d = to
			break
		}
	}
	g.reopened++
	return d
}

// seen compares the open breakers with those seen before: one that a person
// released starts to count from nothing.
func (g *guard) seen(k *campaign) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for scope, reason := range g.open {
		if k.breaker(scope) != nil {
			continue
		}
		delete(g.open, scope)
		if scope == scopeRelay {
			g.dials, g.policy, g.unfit = 0, 0, 0
			g.doubts = newRing(doubtWindow)
			continue
		}
		name, ok := strings.CutPrefix(scope, scopeProvider)
		if !ok {
			continue // a cohort of the governor, who counts elsewhere
		}
		p := g.provider(name)
		p.ours = 0
		p.waived = p.waived || reason == BlockDeadShare
	}
	for _, b := range k.breakers {
		g.open[b.Scope] = b.Reason
	}
}

// ring remembers the last answers and how many of them were hits.
type ring struct {
	last        []bool
	n, at, hits int
}

func newRing(size int) ring { return ring{last: make([]bool, size)} }

func (r *ring) add(hit bool) {
	if r.last[r.at] && r.n == len(r.last) {
		r.hits--
	}
	r.last[r.at] = hit
	if hit {
		r.hits++
	}
	r.at = (r.at + 1) % len(r.last)
	r.n = min(r.n+1, len(r.last))
}

func replyDetail(a pipeline.Answer) string {
	s := a.Enhanced
	if a.Code != 0 {
		s = fmt.Sprint(a.Code)
		if a.Enhanced != "" {
			s += " " + a.Enhanced
		}
	}
	if a.Reply != "" {
		if s != "" {
			s += " "
		}
		s += a.Reply
	}
	return s
}

// guard returns the guard of a campaign.
func (s *Service) guard(id int64) *guard {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.guards[id]
	if g == nil {
		g = newGuard()
		s.guards[id] = g
	}
	return g
}

// trip opens breakers, here at once and in the ledger for all. A breaker that
// waits for a person is not replaced.
func (s *Service) trip(ctx context.Context, k *campaign, verdicts []verdict) {
	for _, v := range verdicts {
		now := s.Real.Now()
		b := pipeline.Breaker{Campaign: k.ID, Scope: v.scope, Reason: v.reason, Detail: v.detail, Since: now}
		if cur := s.control.campaign(k.ID); cur != nil {
			if old := cur.breaker(v.scope); old != nil {
				if old.Until.IsZero() || v.retry && now.Before(old.Until) {
					continue // open already, or just opened by another connection
				}
				if old.Reason == v.reason {
					b.Since = old.Since
				}
			}
		}
		if v.retry {
			b.Until = now.Add(s.guard(k.ID).backoff(s.Times.BackoffMin, s.Times.BackoffMax))
		}
		s.control.note(b, false)
		s.Log.Warn("breaker opened", "campaign", k.ID, "scope", b.Scope, "reason", b.Reason, "detail", b.Detail)
		if err := s.Ledger.OpenBreaker(ctx, b); err != nil {
			s.reached(ctx, "ledger", err)
			continue // what caused it will cause it again
		}
		if !v.retry {
			_ = s.Ledger.Append(ctx, pipeline.Audit{Campaign: k.ID, At: s.Clock.Now(), Actor: "breaker", Action: "breaker-open", Reason: b.Reason, Detail: b.Scope + ": " + b.Detail})
		}
	}
}

// alive closes the breaker of a relay that was away and has answered.
func (s *Service) alive(ctx context.Context, k *campaign) {
	b := k.breaker(scopeRelay)
	if b == nil || b.Until.IsZero() {
		return
	}
	s.control.note(*b, true)
	a := pipeline.Audit{Campaign: k.ID, At: s.Clock.Now(), Actor: "breaker", Action: "breaker-closed", Reason: b.Reason, Detail: b.Scope}
	if err := s.Ledger.CloseBreaker(ctx, k.ID, b.Scope, a); err != nil {
		s.reached(ctx, "ledger", err)
	}
	s.Log.Info("the relay answers again", "campaign", k.ID)
}
