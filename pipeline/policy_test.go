package pipeline_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/art34/art34/pipeline"
)

var start = time.Date(2026, 1, 20, 8, 0, 0, 0, time.UTC)

func notice(ch pipeline.Channel, reach pipeline.Reach) pipeline.Notice {
	return pipeline.Notice{ID: 7, Campaign: 1, State: pipeline.Due, Born: pipeline.Due, Channel: ch, Attempt: 1, Kind: pipeline.First, Reach: reach, DueAt: start, Gen: 1}
}

// step is one thing that happens in a scenario, and what must come of it.
type step struct {
	hop     pipeline.State // a hop through the queue, instead of an event
	event   pipeline.EventKind
	outcome pipeline.Outcome
	code    string
	to      pipeline.Channel // of a correction
	attempt int              // 0: the current one
	after   time.Duration
	state   pipeline.State
	channel pipeline.Channel
	number  int
	due     time.Duration // since start; 0: not checked
}

const both = pipeline.ByEmail | pipeline.ByPost

func TestPolicyScenarios(t *testing.T) {
	t.Parallel()
	p := pipeline.DefaultPolicy()
	send := step{hop: pipeline.Sending}
	accepted := step{event: pipeline.EvAccepted, state: pipeline.Accepted, number: 1, channel: pipeline.Email}
	for name, sc := range map[string]struct {
		n     pipeline.Notice
		steps []step
	}{
		"silence after acceptance informs": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvAccepted, state: pipeline.Accepted, number: 1, channel: pipeline.Email, due: p.BounceWindow},
			{event: pipeline.EvConfirmed, after: p.BounceWindow, state: pipeline.Informed, number: 1, channel: pipeline.Email}}},
		"a dead address becomes a letter": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvRefused, outcome: pipeline.Dead, state: pipeline.Due, channel: pipeline.Post, number: 2, due: 1}}},
		"a dead address without printable one is unreachable": {notice(pipeline.Email, pipeline.ByEmail), []step{send,
			{event: pipeline.EvRefused, outcome: pipeline.Dead, state: pipeline.Unreachable, channel: pipeline.NoChannel, number: 1}}},
		"our fault never becomes a letter before the deadline": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvRefused, outcome: pipeline.Ours, state: pipeline.Due, channel: pipeline.Email, number: 2}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Ours, after: 100 * time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 3}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Ours, after: 168 * time.Hour, state: pipeline.Due, channel: pipeline.Post, number: 4}}},
		"full mailbox is resent three times, then a letter": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvBounced, outcome: pipeline.Transient, after: time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 2}, send,
			{event: pipeline.EvAccepted, after: 6 * time.Hour, state: pipeline.Accepted, channel: pipeline.Email, number: 2},
			{event: pipeline.EvBounced, outcome: pipeline.Transient, after: 7 * time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 3}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Transient, after: 33 * time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 4}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Transient, after: 110 * time.Hour, state: pipeline.Due, channel: pipeline.Post, number: 5}}},
		"a doubt is sent once more, a second one is held": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvDoubted, state: pipeline.InDoubt, number: 1, channel: pipeline.Email},
			{event: pipeline.EvResolved, state: pipeline.Due, number: 1, channel: pipeline.Email}, send,
			{event: pipeline.EvDoubted, state: pipeline.InDoubt, number: 1, channel: pipeline.Email},
			{event: pipeline.EvResolved, state: pipeline.Held, number: 1, channel: pipeline.Email}}},
		"late evidence ends a doubt": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvDoubted, state: pipeline.InDoubt, number: 1, channel: pipeline.Email},
			{event: pipeline.EvAccepted, state: pipeline.Accepted, number: 1, channel: pipeline.Email}}},
		"late evidence cancels the resend out of a doubt": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvDoubted, state: pipeline.InDoubt, number: 1, channel: pipeline.Email},
			{event: pipeline.EvResolved, state: pipeline.Due, number: 1, channel: pipeline.Email},
			{event: pipeline.EvAccepted, state: pipeline.Accepted, number: 1, channel: pipeline.Email}}},
		"a late bounce revokes informed": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvConfirmed, after: p.BounceWindow, state: pipeline.Informed, number: 1, channel: pipeline.Email},
			{event: pipeline.EvBounced, outcome: pipeline.Dead, after: p.BounceWindow + time.Hour, state: pipeline.Due, channel: pipeline.Post, number: 2}}},
		"a bounce of attempt 1 leaves attempt 2 alone": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvBounced, outcome: pipeline.Transient, after: time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 2}, send,
			{event: pipeline.EvBounced, outcome: pipeline.Dead, attempt: 1, after: 2 * time.Hour, state: pipeline.Sending, channel: pipeline.Email, number: 2}}},
		"a first mail that proves delivered cancels the planned letter": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvBounced, outcome: pipeline.Dead, after: time.Hour, state: pipeline.Due, channel: pipeline.Post, number: 2},
			{event: pipeline.EvDelivered, attempt: 1, after: 2 * time.Hour, state: pipeline.Informed, channel: pipeline.Email, number: 1}}},
		"a letter is cut, posted, and silence informs": {notice(pipeline.Post, pipeline.ByPost), []step{
			{event: pipeline.EvCut, state: pipeline.Printing, number: 1, channel: pipeline.Post},
			{event: pipeline.EvDeposited, after: time.Hour, state: pipeline.Posted, number: 1, channel: pipeline.Post, due: time.Hour + p.ReturnWindow},
			{event: pipeline.EvConfirmed, after: p.ReturnWindow + 2*time.Hour, state: pipeline.Informed, number: 1, channel: pipeline.Post}}},
		"a spoiled letter is printed again, spoiled twice it is held": {notice(pipeline.Post, pipeline.ByPost), []step{
			{event: pipeline.EvCut, state: pipeline.Printing, number: 1, channel: pipeline.Post},
			{event: pipeline.EvRejected, state: pipeline.Due, number: 2, channel: pipeline.Post},
			{event: pipeline.EvCut, state: pipeline.Printing, number: 2, channel: pipeline.Post},
			{event: pipeline.EvRejected, state: pipeline.Held, number: 2, channel: pipeline.Post}}},
		"a recalled letter, released, is an attempt of its own": {notice(pipeline.Post, pipeline.ByPost), []step{
			{event: pipeline.EvCut, state: pipeline.Printing, number: 1, channel: pipeline.Post},
			{event: pipeline.EvRecalled, state: pipeline.Held, number: 1, channel: pipeline.Post},
			{event: pipeline.EvReleased, state: pipeline.Due, number: 2, channel: pipeline.Post}}},
		"a returned letter goes by e-mail if there is one": {notice(pipeline.Post, both), []step{
			{event: pipeline.EvCut, state: pipeline.Printing, number: 1, channel: pipeline.Post},
			{event: pipeline.EvReturned, outcome: pipeline.Dead, after: time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Email}}},
		"refused at the door is no wrong address": {notice(pipeline.Post, both), []step{
			{event: pipeline.EvCut, state: pipeline.Printing, number: 1, channel: pipeline.Post},
			{event: pipeline.EvDeposited, state: pipeline.Posted, number: 1, channel: pipeline.Post},
			{event: pipeline.EvReturned, outcome: pipeline.None, state: pipeline.Posted, number: 1, channel: pipeline.Post}}},
		"told by other means, a later bounce changes nothing": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvTold, after: time.Hour, state: pipeline.Informed, number: 1, channel: pipeline.Email},
			{event: pipeline.EvBounced, outcome: pipeline.Dead, after: 2 * time.Hour, state: pipeline.Informed, number: 1, channel: pipeline.Email}}},
		"informed by silence and told later, a bounce changes nothing": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvConfirmed, after: p.BounceWindow, state: pipeline.Informed, number: 1, channel: pipeline.Email},
			{event: pipeline.EvTold, after: p.BounceWindow + time.Hour, state: pipeline.Informed, number: 1, channel: pipeline.Email},
			{event: pipeline.EvBounced, outcome: pipeline.Dead, after: p.BounceWindow + 2*time.Hour, state: pipeline.Informed, number: 1, channel: pipeline.Email}}},
		"told at the telephone while out of reach": {notice(pipeline.Email, pipeline.ByEmail), []step{send,
			{event: pipeline.EvRefused, outcome: pipeline.Dead, state: pipeline.Unreachable, channel: pipeline.NoChannel, number: 1},
			{event: pipeline.EvNotified, after: time.Hour, state: pipeline.Unreachable, channel: pipeline.NoChannel, number: 1},
			{event: pipeline.EvTold, after: 2 * time.Hour, state: pipeline.Informed, channel: pipeline.NoChannel, number: 1}}},
		"told while the mail leaves is only recorded": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvTold, state: pipeline.Sending, number: 1, channel: pipeline.Email}}},
		"a closed mailbox gets a letter at the deadline, whatever was delivered": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvReplied, code: pipeline.ReplyClosed, after: time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post, due: p.Deadline},
			{event: pipeline.EvDelivered, attempt: 1, after: 2 * time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post, due: p.Deadline},
			{event: pipeline.EvReleased, after: 3 * time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post, due: 3 * time.Hour}}},
		"a closed mailbox revokes informed": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvConfirmed, after: p.BounceWindow, state: pipeline.Informed, number: 1, channel: pipeline.Email},
			{event: pipeline.EvReplied, code: pipeline.ReplyLeft, after: p.Deadline + time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post, due: p.Deadline + time.Hour}}},
		"a closed mailbox and no printable address": {notice(pipeline.Email, pipeline.ByEmail), []step{send, accepted,
			{event: pipeline.EvReplied, code: pipeline.ReplyClosed, after: time.Hour, state: pipeline.Unreachable, number: 1, channel: pipeline.NoChannel}}},
		"who answers, or is absent, is not moved": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvReplied, code: "reply", after: time.Hour, state: pipeline.Accepted, number: 1, channel: pipeline.Email, due: p.BounceWindow},
			{event: pipeline.EvReplied, code: "absent", after: time.Hour, state: pipeline.Accepted, number: 1, channel: pipeline.Email, due: p.BounceWindow}}},
		"a corrected address starts a new attempt": {notice(pipeline.Email, pipeline.ByEmail), []step{send,
			{event: pipeline.EvRefused, outcome: pipeline.Dead, state: pipeline.Unreachable, channel: pipeline.NoChannel, number: 1},
			{event: pipeline.EvCorrected, to: pipeline.Email, after: time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Email, due: time.Hour}}},
		"a corrected address replaces the letter that waits for the deadline": {notice(pipeline.Email, both), []step{send, accepted,
			{event: pipeline.EvReplied, code: pipeline.ReplyClosed, after: time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post, due: p.Deadline},
			{event: pipeline.EvCorrected, to: pipeline.Email, after: 2 * time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Email, due: 2 * time.Hour}}},
		"a corrected postal address leaves the planned e-mail alone": {notice(pipeline.Email, pipeline.ByEmail), []step{
			{event: pipeline.EvCorrected, to: pipeline.Post, after: time.Hour, state: pipeline.Due, number: 1, channel: pipeline.Email}}},
		"a corrected address, and the old letter is deposited": {notice(pipeline.Post, pipeline.ByPost), []step{
			{event: pipeline.EvCut, state: pipeline.Printing, number: 1, channel: pipeline.Post},
			{event: pipeline.EvCorrected, to: pipeline.Post, after: time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post, due: time.Hour},
			{event: pipeline.EvDeposited, attempt: 1, after: 2 * time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post},
			{event: pipeline.EvReturned, attempt: 1, outcome: pipeline.Dead, after: 3 * time.Hour, state: pipeline.Due, number: 2, channel: pipeline.Post}}},
		"a bounce of the first copy ends the resend out of a doubt": {notice(pipeline.Email, both), []step{send,
			{event: pipeline.EvDoubted, state: pipeline.InDoubt, number: 1, channel: pipeline.Email},
			{event: pipeline.EvResolved, state: pipeline.Due, number: 1, channel: pipeline.Email},
			{event: pipeline.EvBounced, outcome: pipeline.Dead, after: time.Minute, state: pipeline.Due, number: 2, channel: pipeline.Post}}},
		"transient with no other way: one more try when the time is up": {notice(pipeline.Email, pipeline.ByEmail), []step{send, accepted,
			{event: pipeline.EvBounced, outcome: pipeline.Transient, after: time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 2}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Transient, after: 6 * time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 3}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Transient, after: 33 * time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 4}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Transient, after: 110 * time.Hour, state: pipeline.Due, channel: pipeline.Email, number: 5, due: p.Deadline}, send,
			{event: pipeline.EvRefused, outcome: pipeline.Transient, after: p.Deadline, state: pipeline.Unreachable, channel: pipeline.NoChannel, number: 5}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sc.n
			for i, s := range sc.steps {
				n = take(t, p, n, s, i)
			}
		})
	}
}

func take(t *testing.T, p pipeline.Policy, n pipeline.Notice, s step, i int) pipeline.Notice {
	t.Helper()
	if s.hop != "" {
		n.State = s.hop
		return n
	}
	e := pipeline.Event{Notice: n.ID, Attempt: n.Attempt, Kind: s.event, Outcome: s.outcome, Code: s.code, Channel: s.to, At: start.Add(s.after)}
	if s.attempt != 0 {
		e.Attempt = s.attempt
	}
	next, _, err := p.Apply(n, e)
	if err != nil {
		t.Fatalf("step %d (%s): %v", i, s.event, err)
	}
	if next.State != s.state || next.Channel != s.channel || next.Attempt != s.number {
		t.Fatalf("step %d (%s): state %s, channel %s, attempt %d; want %s, %s, %d", i, s.event, next.State, next.Channel, next.Attempt, s.state, s.channel, s.number)
	}
	if s.due > 1 && !next.DueAt.Equal(start.Add(s.due)) {
		t.Fatalf("step %d (%s): due %v, want %v", i, s.event, next.DueAt.Sub(start), s.due)
	}
	return next
}

func TestDoubtHoldWaitsForAPerson(t *testing.T) {
	t.Parallel()
	p := pipeline.DefaultPolicy()
	p.InDoubt = pipeline.DoubtHold
	n := notice(pipeline.Email, both)
	n.State, n.Doubts = pipeline.InDoubt, 1
	next, moved, err := p.Apply(n, pipeline.Event{Notice: 7, Attempt: 1, Kind: pipeline.EvResolved, At: start})
	if err != nil || !moved || next.State != pipeline.Held {
		t.Fatalf("got %s, %v, %v; want held", next.State, moved, err)
	}
}

func TestResendKeepsToItsSchedule(t *testing.T) {
	t.Parallel()
	p := pipeline.DefaultPolicy()
	for id := range int64(500) {
		n := notice(pipeline.Email, both)
		n.ID, n.State, n.FirstAt = id, pipeline.Accepted, start
		next, _, err := p.Apply(n, pipeline.Event{Notice: id, Attempt: 1, Kind: pipeline.EvBounced, Outcome: pipeline.Transient, At: start})
		if err != nil {
			t.Fatal(err)
		}
		if wait := next.DueAt.Sub(start); wait < 4*time.Hour || wait > 4*time.Hour+24*time.Minute {
			t.Fatalf("notice %d waits %v; want 4 h and at most a tenth more", id, wait)
		}
	}
}

// TestNoSequenceLosesANotice throws events of all kinds at a notice, current and
// stale, in any order, and holds Apply to what the design promises.
func TestNoSequenceLosesANotice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := pipeline.DefaultPolicy()
		n := notice(rapid.SampledFrom([]pipeline.Channel{pipeline.Email, pipeline.Post}).Draw(t, "channel"), pipeline.Reach(rapid.IntRange(1, 3).Draw(t, "reach")))
		if n.Channel == pipeline.Email {
			n.Reach |= pipeline.ByEmail
		} else {
			n.Reach |= pipeline.ByPost
		}
		born := n.State
		var log []pipeline.Event
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "hours")) * time.Hour)
			if to := rapid.SampledFrom(pipeline.States()).Draw(t, "hop"); pipeline.HopAllowed(n.State, to) {
				n.State = to
			}
			e := drawEvent(t, n, now)
			next, moved, err := p.Apply(n, e)
			check(t, n, next, e, moved, err)
			if err != nil {
				continue
			}
			e.Into = next.State
			log = append(log, e)
			n = next
			again(t, p, n, e)
		}
		at, err := pipeline.Replay(born, log)
		if err != nil {
			t.Fatalf("replay: %v", err)
		}
		if !pipeline.SameState(at, n.State) {
			t.Fatalf("the events lead to %s, the notice is %s", at, n.State)
		}
	})
}

func drawEvent(t *rapid.T, n pipeline.Notice, now time.Time) pipeline.Event {
	tr := rapid.SampledFrom(pipeline.Transitions()).Draw(t, "event")
	e := pipeline.Event{Notice: n.ID, Attempt: n.Attempt - rapid.IntRange(0, 2).Draw(t, "older"), Kind: tr.Event, Outcome: tr.Outcome, At: now}
	if e.Attempt < 0 {
		e.Attempt = 0
	}
	switch e.Kind {
	case pipeline.EvCorrected:
		e.Channel = rapid.SampledFrom([]pipeline.Channel{pipeline.Email, pipeline.Post}).Draw(t, "address")
	case pipeline.EvReplied:
		e.Code = rapid.SampledFrom([]string{"reply", "absent", pipeline.ReplyClosed, pipeline.ReplyLeft, pipeline.ReplyChallenge}).Draw(t, "answer")
	}
	return e
}

// check holds one application to the invariants.
func check(t *rapid.T, n, next pipeline.Notice, e pipeline.Event, moved bool, err error) {
	if err != nil {
		var te *pipeline.TransitionError
		if !errors.As(err, &te) {
			t.Fatalf("error is %T", err)
		}
		if next.State != n.State || moved {
			t.Fatalf("%s: an error moved the notice", e.Kind)
		}
		return
	}
	if !next.State.Valid() {
		t.Fatalf("state %q", next.State)
	}
	if !moved && (next.State != n.State || next.Attempt != n.Attempt || next.Channel != n.Channel) {
		t.Fatalf("%s: recorded only, and yet it moved", e.Kind)
	}
	whole := e.Kind == pipeline.EvTold || e.Kind == pipeline.EvNotified || e.Kind == pipeline.EvCorrected
	if e.Attempt != 0 && e.Attempt < n.Attempt && next.State != n.State && next.State != pipeline.Informed && !whole {
		t.Fatalf("%s of attempt %d moved a notice at attempt %d from %s to %s", e.Kind, e.Attempt, n.Attempt, n.State, next.State)
	}
	if next.State == pipeline.Due {
		reach := pipeline.ByEmail
		if next.Channel == pipeline.Post {
			reach = pipeline.ByPost
		}
		if next.Channel == pipeline.NoChannel || !next.Reach.Has(reach) {
			t.Fatalf("%s: due by %s with reach %d", e.Kind, next.Channel, next.Reach)
		}
		if next.DueAt.IsZero() {
			t.Fatalf("%s: due, but never", e.Kind)
		}
	}
	if (next.State == pipeline.Unreachable || next.State == pipeline.Held) && moved && next.Reason == "" {
		t.Fatalf("%s: %s without a reason", e.Kind, next.State)
	}
	deadline := n.FirstAt.Add(pipeline.DefaultPolicy().Deadline)
	failed := e.Kind == pipeline.EvRefused || e.Kind == pipeline.EvBounced
	if moved && failed && e.Outcome == pipeline.Ours && next.Channel != pipeline.Email && !n.FirstAt.IsZero() && e.At.Before(deadline) {
		t.Fatalf("our fault left the e-mail before the deadline: %s by %s", next.State, next.Channel)
	}
	if moved && e.Kind == pipeline.EvReplied && next.State == pipeline.Due && next.DueAt.Before(deadline) {
		t.Fatalf("a robot's answer planned a letter before the deadline")
	}
	if n.State == pipeline.Informed && n.Reason == pipeline.ReasonTold && next.State != pipeline.Informed && e.Kind != pipeline.EvCorrected {
		t.Fatalf("%s revoked that the customer was told otherwise", e.Kind)
	}
	if failed && e.Outcome != pipeline.None && n.State == pipeline.Sending && n.Channel == pipeline.Email && e.Attempt == n.Attempt && e.Kind == pipeline.EvBounced {
		t.Fatal("a bounce before the relay's answer was let pass")
	}
	if next.Attempt > n.Attempt+1 || next.Attempt > 255 {
		t.Fatalf("%s: attempt %d after %d", e.Kind, next.Attempt, n.Attempt)
	}
}

// again applies the same event once more: a repetition must not plan a second
// attempt.
func again(t *rapid.T, p pipeline.Policy, n pipeline.Notice, e pipeline.Event) {
	twice, moved, err := p.Apply(n, e)
	if err != nil || !moved {
		return
	}
	switch e.Kind {
	case pipeline.EvReleased, pipeline.EvHeld, pipeline.EvRouted, pipeline.EvAbsorbed, pipeline.EvUnfit, pipeline.EvCorrected:
		return // not feedback: a person or check may say the same again
	}
	if e.Attempt != 0 && twice.Attempt > n.Attempt {
		t.Fatalf("%s applied twice planned attempt %d", e.Kind, twice.Attempt)
	}
}

// TestABounceThatOvertakesTheAnswerIsKept: a relay may bounce faster than its 250 is
// recorded.
func TestABounceThatOvertakesTheAnswerIsKept(t *testing.T) {
	t.Parallel()
	p := pipeline.DefaultPolicy()
	n := notice(pipeline.Email, both)
	n.State = pipeline.Sending
	e := pipeline.Event{Notice: 7, Attempt: 1, Kind: pipeline.EvBounced, Outcome: pipeline.Dead, At: start}
	if _, moved, err := p.Apply(n, e); moved || !errors.Is(err, pipeline.ErrEarly) {
		t.Fatalf("got %v, %v; want ErrEarly", moved, err)
	}
	n, _, _ = p.Apply(n, pipeline.Event{Notice: 7, Attempt: 1, Kind: pipeline.EvAccepted, At: start})
	if n, _, err := p.Apply(n, e); err != nil || n.Channel != pipeline.Post {
		t.Fatalf("after the answer it leads to %s by %s, %v", n.State, n.Channel, err)
	}
}

// TestOurFaultDoesNotLoopForEver: a provider that refuses us all the time is asked
// less and less often, and the deadline ends it.
func TestOurFaultDoesNotLoopForEver(t *testing.T) {
	t.Parallel()
	for _, deadline := range []time.Duration{time.Hour, 168 * time.Hour, 2 * 365 * 24 * time.Hour} {
		p := pipeline.DefaultPolicy()
		p.Deadline = deadline
		n, now := notice(pipeline.Email, both), start
		for n.Channel == pipeline.Email {
			n.State = pipeline.Sending
			next, _, err := p.Apply(n, pipeline.Event{Notice: 7, Attempt: n.Attempt, Kind: pipeline.EvRefused, Outcome: pipeline.Ours, At: now})
			if err != nil {
				t.Fatal(err)
			}
			if n, now = next, next.DueAt; n.Attempt > 220 {
				t.Fatalf("deadline %v: attempt %d", deadline, n.Attempt)
			}
		}
		if want := start.Add(deadline); now.Before(want) {
			t.Fatalf("deadline %v: the letter is due after %v", deadline, now.Sub(start))
		}
		if deadline == 168*time.Hour && n.Attempt > 15 {
			t.Errorf("a week takes %d attempts", n.Attempt)
		}
	}
}

func TestHeldForAnotherReasonStaysHeld(t *testing.T) {
	t.Parallel()
	p := pipeline.DefaultPolicy()
	n := notice(pipeline.Email, both)
	for reason, want := range map[string]pipeline.State{"vip": pipeline.Held, "check:recipient-invalid": pipeline.Due, "address-line-too-long": pipeline.Due, pipeline.ReasonSecondDoubt: pipeline.Due} {
		n.State, n.Reason = pipeline.Held, reason
		next, _, err := p.Apply(n, pipeline.Event{Notice: 7, Kind: pipeline.EvCorrected, Channel: pipeline.Email, At: start})
		if err != nil || next.State != want {
			t.Errorf("held for %s: %s, %v; want %s", reason, next.State, err, want)
		}
	}
}
