package dispatch

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// Codes of what can be in the way of work that is due. Those from BlockRefused on
// are reasons of breakers that a person releases; Idle calls these
// "breaker:" + scope.
const (
	BlockPaused    = "paused"
	BlockCanary    = "canary"
	BlockHours     = "hours"
	BlockSchedule  = "schedule"
	BlockNoRelay   = "no-relay"
	BlockRelayAway = "relay-away"      // opens and closes by itself
	BlockRefused   = "relay-refuses"   // a person releases it
	BlockDoubts    = "doubts"          // a person releases it
	BlockUnfit     = "letters-unfit"   // a person releases it
	BlockProvider  = "provider-refuse" // a person releases it
	BlockDeadShare = "dead-share"      // a person releases it; also keeps the cohort's fallback letters back
)

// blockCode is what Idle calls work that a breaker keeps back.
func blockCode(b pipeline.Breaker) string {
	if b.Reason == BlockRelayAway {
		return BlockRelayAway
	}
	return "breaker:" + b.Scope
}

// Scopes of breakers.
const (
	scopeRelay    = "relay"
	scopeProvider = "provider:" // + name
	scopeImport   = "import:"   // + id
	scopeKind     = "kind:"     // + code of a contract kind
)

// cohort returns the breaker of an import or contract kind that a notice belongs
// to, or nil. The governor holds such notices; until it has come round nobody
// sends or prints them.
func (k *campaign) cohort(n pipeline.Notice) *pipeline.Breaker {
	for i := range k.breakers {
		if belongs(n, k.breakers[i].Scope) {
			return &k.breakers[i]
		}
	}
	return nil
}

// belongs reports whether a notice is in the scope of an import or contract kind.
func belongs(n pipeline.Notice, scope string) bool {
	if kind, ok := strings.CutPrefix(scope, scopeKind); ok {
		return slices.Contains(n.Products, kind)
	}
	id, ok := strings.CutPrefix(scope, scopeImport)
	return ok && id == strconv.FormatInt(n.Import, 10)
}

// state returns what keeps the whole campaign back: "", BlockPaused, or
// BlockCanary after one.
func (k *campaign) state() string {
	switch {
	case k.State == pipeline.Running:
		return ""
	case k.PausedFor == BlockCanary:
		return BlockCanary
	}
	return BlockPaused
}

// launched reports whether the time of the launch has come.
func (k *campaign) launched(now time.Time) bool { return !k.LaunchAt.After(now) }

// relay returns what keeps all e-mail back at the relay, "" for nothing. A relay
// that was away may be tried again when its time has come: probe.
func (k *campaign) relay(real time.Time) (block string, probe bool) {
	b := k.breaker(scopeRelay)
	switch {
	case b == nil:
		return "", false
	case !b.Until.IsZero() && !real.Before(b.Until):
		return "", true
	}
	return b.Reason, false
}

// provider returns what keeps one mailbox provider back, "" for nothing.
func (k *campaign) provider(name string) string {
	if b := k.breaker(scopeProvider + name); b != nil {
		return b.Reason
	}
	return ""
}

// hour returns what keeps e-mail of a lane back at a time, "" for nothing. The
// end of the schedule keeps first mails back, never resends.
func (k *campaign) hour(lane pipeline.Lane, now time.Time) string {
	switch {
	case now.Before(k.from), !k.until.IsZero() && !now.Before(k.until) && lane != pipeline.LaneResend:
		return BlockSchedule
	case !k.hours.Open(now):
		return BlockHours
	}
	return ""
}

// mayTake returns what keeps the dispatcher from taking e-mail of a lane.
func (k *campaign) mayTake(lane pipeline.Lane, now, real time.Time) (block string, probe bool) {
	if block = k.state(); block != "" {
		return block, false
	}
	if block = k.hour(lane, now); block != "" {
		return block, false
	}
	return k.relay(real)
}

// maySend returns what keeps a courier from handing over a notice that was taken
// before: somebody said stop meanwhile, or the letters are others now.
func (k *campaign) maySend(n pipeline.Notice, version int, now, real time.Time) string {
	if k == nil {
		return BlockPaused
	}
	if block, _ := k.mayTake(n.Lane, now, real); block != "" {
		return block
	}
	if block := k.provider(n.Provider); block != "" {
		return block
	}
	if b := k.cohort(n); b != nil {
		return b.Reason
	}
	if version != 0 && version != k.Version {
		return BlockPaused
	}
	return ""
}
