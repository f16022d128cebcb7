package pipeline

import (
	"cmp"
	"slices"
	"strings"
)

// Answers counts what became of the e-mails of one scope of a campaign: answers of
// the relay and bounces, an attempt each. Scope is "all", "provider:NAME",
// "import:ID" or "kind:CODE" of a contract.
type Answers struct {
	Scope    string
	Accepted int64 // 250 from the relay
	Refused  int64 // at RCPT or after the dot
	Bounced  int64 // accepted, and came back
	Dead     int64 // of Refused and Bounced: no such address
	Ours     int64 // of Bounced: because of us
}

// AllAnswers is the scope of a whole campaign.
const AllAnswers = "all"

// Sent is how many e-mails were answered.
func (a Answers) Sent() int64 { return a.Accepted + a.Refused }

// Failed is how many were refused or came back.
func (a Answers) Failed() int64 { return a.Refused + a.Bounced }

// Less returns what was counted since b.
func (a Answers) Less(b Answers) Answers {
	return Answers{a.Scope, a.Accepted - b.Accepted, a.Refused - b.Refused, a.Bounced - b.Bounced, a.Dead - b.Dead, a.Ours - b.Ours}
}

// Add counts n events of a kind: "accepted", "refused.dead", "bounced.ours", as
// AnswerKind writes them.
func (a *Answers) Add(kind string, n int64) {
	what, outcome, _ := strings.Cut(kind, ".")
	switch EventKind(what) {
	case EvAccepted:
		a.Accepted += n
	case EvRefused:
		a.Refused += n
	case EvBounced:
		a.Bounced += n
	}
	switch {
	case outcome == string(Dead):
		a.Dead += n
	case kind == string(EvBounced)+"."+string(Ours):
		a.Ours += n
	}
}

// AnswerKind is how an event counts in Answers; "" for one that does not.
func AnswerKind(e Event) string {
	switch e.Kind {
	case EvAccepted:
		return string(EvAccepted)
	case EvRefused, EvBounced:
		return string(e.Kind) + "." + string(e.Outcome)
	}
	return ""
}

// Planned counts notices for which the same falls due within one day.
type Planned struct {
	Day     int64 // since 1970-01-01 in the zone that was asked for; before the day of now: overdue
	State   State // Due, Queued, InDoubt, Accepted or Posted
	Role    Role
	Channel Channel
	Kind    AttemptKind
	Reason  string
	Resends int
	Count   int64
}

// Group returns p as its kin are summed up: what is said of a first try, a window
// or a doubt does not depend on how it came about.
func (p Planned) Group() Planned {
	p.Count = 0
	switch {
	case p.State == Accepted:
		p.Role, p.Channel, p.Kind, p.Reason, p.Resends = "", Email, "", "", 0
	case p.State == Posted:
		p.Role, p.Channel, p.Kind, p.Reason, p.Resends = "", Post, "", "", 0
	case p.State == InDoubt:
		p.Role, p.Channel, p.Kind, p.Reason, p.Resends = "", Email, "", ReasonDoubt, 0
	case p.Kind == First || p.Kind == CopyOf:
		p.State, p.Reason, p.Resends = Due, "", 0
		if p.Role == Copy {
			p.Kind = CopyOf
		}
	default:
		p.State = Due
	}
	return p
}

// SumPlanned lists groups with their sums, in the order of Watcher.Planned.
func SumPlanned(sums map[Planned]int64) []Planned {
	all := make([]Planned, 0, len(sums))
	for p, n := range sums {
		p.Count = n
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Planned) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.State, b.State), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Channel, b.Channel),
			cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Resends, b.Resends))
	})
	return all
}
