package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// Transition is one row of the table: an event, with an outcome where the kind
// has one, may move a notice from any of From to any of To. Which of To is for
// Policy.Apply to say. An empty To means that the state stays.
type Transition struct {
	Event   EventKind
	Outcome Outcome
	From    []State
	To      []State
}

// transitions is the one table. What it does not list is an error.
var transitions = []Transition{
	// Answers and bounces from Due and Queued: the resend out of a doubt, where the
	// answer comes late from a courier that was given up for dead, or the first copy
	// proves to have left after all.
	{EvAccepted, "", []State{Sending, InDoubt, Due, Queued}, []State{Accepted}},
	{EvRefused, Dead, []State{Sending, InDoubt, Due, Queued}, []State{Due, Unreachable}},
	{EvRefused, Transient, []State{Sending, InDoubt, Due, Queued}, []State{Due, Unreachable}},
	{EvRefused, Ours, []State{Sending, InDoubt, Due, Queued}, []State{Due, Unreachable}},
	{EvDoubted, "", []State{Sending}, []State{InDoubt}},
	{EvResolved, "", []State{InDoubt}, []State{Due, Held}},
	{EvUnfit, "", []State{Due, Queued, Sending}, []State{Held}},

	{EvBounced, Dead, []State{InDoubt, Accepted, Informed, Due, Queued}, []State{Due, Unreachable}},
	{EvBounced, Transient, []State{InDoubt, Accepted, Informed, Due, Queued}, []State{Due, Unreachable}},
	{EvBounced, Ours, []State{InDoubt, Accepted, Informed, Due, Queued}, []State{Due, Unreachable}},
	{EvBounced, None, []State{InDoubt, Accepted, Informed}, nil},
	{EvDelivered, "", []State{InDoubt, Accepted, Due, Queued}, []State{Informed}},
	{EvOverdue, "", []State{Due}, []State{Due, Unreachable}},
	{EvConfirmed, "", []State{Accepted, Posted}, []State{Informed}},
	{EvReturned, Dead, []State{Printing, Posted, Informed}, []State{Due, Unreachable}},
	{EvReturned, None, []State{Printing, Posted, Informed}, nil},

	{EvCut, "", []State{Due, Queued}, []State{Printing}},
	{EvDeposited, "", []State{Printing}, []State{Posted}},
	{EvRejected, "", []State{Printing}, []State{Due, Held}},
	{EvVoided, "", []State{Printing}, []State{Due}},
	{EvRecalled, "", []State{Printing}, []State{Held}},

	{EvHeld, "", []State{Due, Queued, InDoubt}, []State{Held}},
	{EvReleased, "", []State{Held, InDoubt}, []State{Due, Unreachable}},
	{EvReleased, "", []State{Due}, []State{Due}}, // brought forward
	{EvExcluded, "", []State{Held, Due, Queued, Unreachable}, []State{Excluded}},
	{EvCancelled, "", []State{Held, Due, Queued}, []State{Cancelled}},
	{EvRouted, "", []State{Held, Due, Unreachable, Excluded}, []State{Held, Due, Unreachable, Excluded}},
	{EvAbsorbed, "", []State{Held, Due}, nil},

	{EvComplained, "", States(), nil},
	{EvDelayed, "", States(), nil},
	{EvReplied, "", States(), nil},
	// A robot says that nobody reads the mailbox: a letter at the deadline.
	{EvReplied, "", []State{InDoubt, Accepted, Informed}, []State{Due, Unreachable}},

	{EvTold, "", []State{Held, Due, Queued, InDoubt, Accepted, Posted, Informed, Unreachable}, []State{Informed}},
	{EvNotified, "", []State{Unreachable}, nil},
	{EvCorrected, "", []State{Held}, []State{Due, Held}},
	{EvCorrected, "", []State{Due, Queued, InDoubt, Accepted, Printing, Posted, Informed, Unreachable}, []State{Due}},
}

// hops are the moves through the queue that are not events.
var hops = map[State][]State{
	Due:     {Queued},
	Queued:  {Sending, Due},
	Sending: {Due}, // the relay took nothing: no attempt was made
}

// Transitions returns the table.
func Transitions() []Transition { return slices.Clone(transitions) }

// HopAllowed reports whether a notice may move from one state to the other
// through the queue, without an event.
func HopAllowed(from, to State) bool { return slices.Contains(hops[from], to) }

// Allowed reports whether the table lets an event take a notice from one state
// to another. A notice that stays where it is is allowed where To is empty.
func Allowed(kind EventKind, outcome Outcome, from, to State) bool {
	for _, t := range transitions {
		if t.Event != kind || t.Outcome != "" && t.Outcome != outcome || !slices.Contains(t.From, from) {
			continue
		}
		if len(t.To) == 0 && from == to || slices.Contains(t.To, to) {
			return true
		}
	}
	return false
}

// known reports whether the table has any row for this event in this state.
func known(kind EventKind, outcome Outcome, from State) bool {
	return slices.ContainsFunc(transitions, func(t Transition) bool {
		return t.Event == kind && (t.Outcome == "" || t.Outcome == outcome) && slices.Contains(t.From, from)
	})
}

// TransitionError says that the table knows no such move.
type TransitionError struct {
	Notice int64
	Event  EventKind
	From   State
	To     State // "" when the event itself has no place in From
}

func (e *TransitionError) Error() string {
	if e.To == "" {
		return fmt.Sprintf("notice %d: event %s has no place in state %s", e.Notice, e.Event, e.From)
	}
	return fmt.Sprintf("notice %d: event %s does not lead from %s to %s", e.Notice, e.Event, e.From, e.To)
}

// Replay follows the events of a notice from its birth and returns the state in
// which they leave it. It fails where the chain is broken or the table is
// violated. Hops are not events, so Due, Queued and Sending count as one.
func Replay(born State, events []Event) (State, error) {
	at := born
	for _, e := range events {
		ok := false
		for _, from := range open(at) {
			if from == e.Into && stays(e) || Allowed(e.Kind, e.Outcome, from, e.Into) {
				ok = true
				break
			}
		}
		if !ok {
			return at, &TransitionError{Notice: e.Notice, Event: e.Kind, From: at, To: e.Into}
		}
		at = e.Into
	}
	return at, nil
}

// SameState reports whether two states are equal but for hops through the queue.
func SameState(a, b State) bool { return a == b || slices.Contains(open(a), b) }

func open(s State) []State {
	if s == Due || s == Queued || s == Sending {
		return []State{Due, Queued, Sending}
	}
	return []State{s}
}

// Unwrap makes feedback that came before the relay's answer was recorded an
// ErrEarly.
func (e *TransitionError) Unwrap() error {
	if e.From == Sending && e.To == "" && early(e.Event) {
		return ErrEarly
	}
	return nil
}

// early reports whether an event can only be understood once the answer of the
// relay is known.
func early(k EventKind) bool { return k == EvBounced || k == EvDelivered }

// stays reports whether an event may be recorded without effect in any state:
// an answer or feedback about an older attempt, or a repetition.
func stays(e Event) bool {
	switch e.Kind {
	case EvAccepted, EvRefused, EvBounced, EvDelivered, EvDeposited, EvReturned, EvComplained, EvDelayed, EvReplied, EvTold, EvNotified:
		return true
	}
	return false
}

// Diagram draws the table as a Mermaid state diagram.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, s := range []State{Held, Due, Unreachable, Excluded} {
		fmt.Fprintf(&b, "    [*] --> %s: import\n", s)
	}
	for _, from := range States() {
		for _, to := range hops[from] {
			fmt.Fprintf(&b, "    %s --> %s\n", from, to)
		}
		for _, to := range States() {
			var names []string
			for _, t := range transitions {
				if slices.Contains(t.From, from) && slices.Contains(t.To, to) && from != to {
					name := string(t.Event)
					if t.Outcome != "" {
						name += " (" + string(t.Outcome) + ")"
					}
					names = append(names, name)
				}
			}
			if len(names) > 0 {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, strings.Join(names, ", "))
			}
		}
	}
	return b.String()
}
