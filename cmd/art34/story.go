package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
)

// story is what happened to everybody in a practice run, counted from the events
// and from what came back.
type story struct {
	Refused    map[pipeline.Outcome]int64      `json:"refused"` // at once, by what it means
	Bounced    map[pipeline.Outcome]int64      `json:"bounced"` // later, by what it means
	Delayed    int64                           `json:"delayed"` // warnings
	Resent     int64                           `json:"resent"`  // e-mails that were planned again
	Dead       int64                           `json:"dead"`    // customers whose e-mail address proved dead
	Letters    map[string]int64                `json:"letters"` // reason → letters that take the place of e-mails
	Unreached  int64                           `json:"unreached"`
	Revoked    int64                           `json:"revoked"` // counted as informed until a bounce or a returned letter came late
	Replied    map[string]int64                `json:"replied"` // kind of answer → answers
	Complained int64                           `json:"complained"`
	Returned   map[string]int64                `json:"returned"` // reason → letters that the post brought back
	Rejected   int64                           `json:"rejected"` // letters that the print shop spoiled
	Inbox      map[pipeline.InboundState]int64 `json:"inbox"`    // what became of all that came back
	Released   map[string]int                  `json:"released"` // reason → breakers that were looked into and released
}

// tell counts the events of the campaign.
func (p *practice) tell(ctx context.Context) (*story, error) {
	s := &story{
		Refused: map[pipeline.Outcome]int64{}, Bounced: map[pipeline.Outcome]int64{}, Letters: map[string]int64{},
		Replied: map[string]int64{}, Returned: map[string]int64{}, Inbox: map[pipeline.InboundState]int64{}, Released: p.mended,
	}
	var before pipeline.Event
	var dead int64 // notice that was counted last
	for e, err := range p.h.ledger.EventsByNotice(ctx, p.campaign.ID) {
		if err != nil {
			return nil, err
		}
		if before.Notice != e.Notice {
			before = pipeline.Event{}
		}
		s.count(before, e)
		if (e.Kind == pipeline.EvBounced || e.Kind == pipeline.EvRefused) && e.Outcome == pipeline.Dead && dead != e.Notice {
			dead = e.Notice
			s.Dead++
		}
		before = e
	}
	counts, err := p.h.ledger.CountInbox(ctx)
	for _, c := range counts {
		s.Inbox[c.State] += c.Count
	}
	return s, err
}

// count adds an event, with the one of the same notice before it.
func (s *story) count(before, e pipeline.Event) {
	moved := e.Into != before.Into || e.Channel != before.Channel
	switch e.Kind {
	case pipeline.EvRefused:
		s.Refused[e.Outcome]++
	case pipeline.EvBounced:
		s.Bounced[e.Outcome]++
	case pipeline.EvDelayed:
		s.Delayed++
	case pipeline.EvReplied:
		s.Replied[e.Code]++
	case pipeline.EvComplained:
		s.Complained++
	case pipeline.EvReturned:
		s.Returned[e.Code]++
	case pipeline.EvRejected:
		s.Rejected++
	default:
		return
	}
	switch {
	case !moved || e.Kind == pipeline.EvRejected:
	case e.Into == pipeline.Due && e.Channel == pipeline.Email:
		s.Resent++
	case e.Into == pipeline.Due && e.Channel == pipeline.Post:
		s.Letters[reasonOf(e)]++
	case e.Into == pipeline.Unreachable:
		s.Unreached++
	}
	if moved && before.Into == pipeline.Informed {
		s.Revoked++
	}
}

// reasonOf is why a letter takes the place of an e-mail.
func reasonOf(e pipeline.Event) string {
	switch {
	case e.Kind == pipeline.EvReplied:
		return e.Code
	case e.Outcome == pipeline.Dead:
		return pipeline.ReasonAddressDead
	case e.Outcome == pipeline.Transient:
		return pipeline.ReasonTransient
	}
	return pipeline.ReasonOurs
}

func (s *story) print(w io.Writer) {
	fmt.Fprintln(w, "What came back:")
	line := func(name, what string) { fmt.Fprintf(w, "  %-12s %s\n", name, what) }
	line("refused", outcomes(s.Refused))
	line("bounced", outcomes(s.Bounced))
	if s.Revoked > 0 {
		line("late", count(s.Revoked, "customer", "customers")+" counted as informed until the bounce or the letter came back")
	}
	line("dead", count(s.Dead, "e-mail address", "e-mail addresses"))
	line("resent", count(s.Resent, "e-mail", "e-mails")+" on schedule")
	line("letters", summed(s.Letters, "instead of e-mails"))
	if n := total64(s.Replied); n > 0 {
		line("answers", fmt.Sprintf("%s; %s sent on to the cell", summed(s.Replied, ""), thousands(s.Inbox[pipeline.InboundForwarded])))
	}
	line("complaints", thousands(s.Complained))
	line("quarantined", count(s.Inbox[pipeline.InboundQuarantined], "forgery", "forgeries")+", which changed nothing")
	if n := s.Inbox[pipeline.InboundGarbage]; n > 0 {
		line("garbage", count(n, "message", "messages")+" that say nothing")
	}
	line("returned", summed(s.Returned, "brought back by the post"))
	if s.Rejected > 0 {
		line("spoiled", count(s.Rejected, "letter", "letters")+" by the print shop, printed again")
	}
	for _, reason := range slices.Sorted(maps.Keys(s.Released)) {
		line("breaker", fmt.Sprintf("%s, looked into and released %s", reason, times(s.Released[reason])))
	}
	fmt.Fprintln(w)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// outcomes writes "12: 8 address dead, 4 a matter of time".
func outcomes(m map[pipeline.Outcome]int64) string {
	names := map[string]int64{}
	for o, n := range m {
		switch o {
		case pipeline.Dead:
			names["address dead"] += n
		case pipeline.Transient:
			names["a matter of time"] += n
		case pipeline.Ours:
			names["our fault"] += n
		default:
			names["no bounce"] += n
		}
	}
	return summed(names, "")
}

// summed writes a sum, and its parts in order of their names.
func summed(m map[string]int64, what string) string {
	n := total64(m)
	s := strings.TrimSpace(thousands(n) + " " + what)
	if n == 0 {
		return s
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if m[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", k, thousands(m[k])))
		}
	}
	return s + ": " + strings.Join(parts, ", ")
}

func total64(m map[string]int64) (n int64) {
	for _, v := range m {
		n += v
	}
	return n
}
