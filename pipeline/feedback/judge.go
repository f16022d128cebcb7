package feedback

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/seal"
)

// Rules is the version of the rules by which messages are judged; each message
// keeps the one that judged it, so that one can see what a replay would change.
const Rules = 1

// Ledger is what judging needs of the ledger; ledger.Ledger says what each method
// does.
type Ledger interface {
	Inbox(ctx context.Context, f pipeline.InboundFilter) iter.Seq2[pipeline.Inbound, error]
	Judge(ctx context.Context, batch []pipeline.Inbound) error
	Notice(ctx context.Context, id int64) (pipeline.Job, error)
	Events(ctx context.Context, notice int64) ([]pipeline.Event, error)
	Commit(ctx context.Context, changes []pipeline.Change) ([]bool, error)
	Record(ctx context.Context, events []pipeline.Event) error
	Meta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string, ifEmpty bool) (string, error)
}

// Policies gives the policy in force of a campaign.
type Policies interface {
	Policy(ctx context.Context, campaign int64) (pipeline.Policy, error)
}

// ErrNotForwarded says that an answer will never be taken: a person has to see to
// it.
var ErrNotForwarded = errors.New("the answer is refused for good")

// CodeNotForwarded is the code of such an answer.
const CodeNotForwarded = "not-forwarded"

// Forwarder sends an answer on to the cell's mailbox. After an error other than
// ErrNotForwarded the message stays pending, to be tried again.
type Forwarder interface {
	Forward(ctx context.Context, m Message, id int64) error
}

// JudgeConfig says what a Judge needs.
type JudgeConfig struct {
	Ledger   Ledger
	Keys     *seal.Keys // of the installation, which seal what came in
	Tokens   Tokens
	Signs    Keys
	Policies Policies
	// Classifier may be nil: the shipped rules.
	Classifier *Classifier
	// Forward is nil where answers are not sent on.
	Forward Forwarder
	Clock   clock.Clock // of the business
	Real    clock.Clock
	Log     *slog.Logger
	// Noted, if set, is told at least once of every event that was stored: once more
	// if the process died before it knew. It gets the notice as it
	// was before.
	Noted func(ctx context.Context, n pipeline.Notice, e pipeline.Event)
}

// Judge decides what messages that came back mean for their notices, and writes
// it. Several may work on the same ledger at a time: whatever one has done already
// the other finds and does not do again.
type Judge struct {
	JudgeConfig

	mu   sync.Mutex
	rest time.Time // by Real, until when nothing is sent on: the mailbox was away
}

// forwardRest is how long a mailbox that was away is left alone.
const forwardRest = 30 * time.Second

// NewJudge checks the configuration.
func NewJudge(c JudgeConfig) (*Judge, error) {
	if c.Ledger == nil || c.Keys == nil || c.Tokens == nil || c.Signs == nil || c.Policies == nil || c.Clock == nil || c.Real == nil {
		return nil, errors.New("feedback: JudgeConfig lacks something")
	}
	if c.Classifier == nil {
		c.Classifier = NewClassifier()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Judge{JudgeConfig: c}, nil
}

// batch is how many messages are decided and written together.
const batch = 200

// Tally counts what a round did, by state; what is left pending too.
type Tally map[pipeline.InboundState]int64

// Round judges everything that is pending, once, in order of arrival. Messages
// that cannot be judged now (their notice is at the relay at this moment, the
// cell's mailbox is away) stay pending. The error is that of the ledger.
func (j *Judge) Round(ctx context.Context) (Tally, error) {
	tally, after := Tally{}, int64(0)
	for ctx.Err() == nil {
		var list []*finding
		for in, err := range j.Ledger.Inbox(ctx, pipeline.InboundFilter{States: []pipeline.InboundState{pipeline.InboundPending}, After: after, Limit: batch, Raw: true}) {
			if err != nil {
				return tally, err
			}
			f, err := j.read(ctx, in)
			if err != nil {
				return tally, err
			}
			list, after = append(list, f), in.ID
		}
		if len(list) == 0 {
			break
		}
		if err := j.settle(ctx, list); err != nil {
			return tally, err
		}
		for _, f := range list {
			tally[f.in.State]++
		}
		if len(list) < batch {
			break
		}
	}
	return tally, ctx.Err()
}

// finding is what was found out about one message, until it is written.
type finding struct {
	in      pipeline.Inbound
	event   *pipeline.Event // nil: nothing for the timeline
	only    bool            // the event is recorded whatever the policy says
	forward *Message        // to be sent on to the cell
	decided bool
	fresh   bool // not judged before
}

// became sets what became of the message.
func (f *finding) became(s pipeline.InboundState) { f.in.State, f.decided = s, true }

// read says what one message means: whom it is about, and what happened.
func (j *Judge) read(ctx context.Context, in pipeline.Inbound) (*finding, error) {
	f := &finding{in: in, fresh: in.JudgedAt.IsZero()}
	f.in.Sealed, f.in.JudgedAt, f.in.Rules = nil, j.Clock.Now(), Rules
	f.in.Notice, f.in.Attempt, f.in.Kind, f.in.Outcome, f.in.Code = 0, 0, "", "", ""
	m, err := Open(j.Keys, in)
	if err != nil {
		// Nobody but who damaged the ledger can make this happen.
		j.Log.Error("a message that came back does not open", "message", in.ID)
		f.in.Code = CodeDamaged
		f.became(pipeline.InboundQuarantined)
		return f, nil
	}
	report := Read(in.Source, m.Raw)
	v := weightiest(j.Classifier.Classify(report))
	f.in.Kind, f.in.Outcome, f.in.Code = string(v.Kind), v.Outcome, codeOf(v)
	who, err := j.identify(ctx, m, report)
	if err != nil {
		return nil, err
	}
	switch {
	case who.code != "":
		f.in.Code = who.code
		f.became(pipeline.InboundQuarantined)
	case who.probe:
		return f, j.probe(ctx, f, who.token, v)
	case who.token.Notice == 0 && v.Kind == Reply:
		j.forward(f, m, pipeline.InboundUnmatched)
	case who.token.Notice == 0:
		f.became(pipeline.InboundUnmatched)
	default:
		f.in.Notice, f.in.Attempt = who.token.Notice, who.token.Attempt
		f.event, f.only = j.event(in, m, v)
		switch {
		case v.Kind == Unclear:
			f.became(pipeline.InboundGarbage)
		case f.event == nil:
			f.became(pipeline.InboundRecorded)
		case v.Kind == Reply:
			j.forward(f, m, "")
		}
		if f.event != nil {
			f.event.Notice, f.event.Attempt = f.in.Notice, f.in.Attempt
		}
	}
	return f, nil
}

// forward notes that a message is to be sent on; otherwise it becomes s at once,
// where s says something.
func (j *Judge) forward(f *finding, m Message, s pipeline.InboundState) {
	if j.Forward != nil && f.in.ForwardedAt.IsZero() && forwardable(m) {
		f.forward = &m
		return
	}
	if !f.in.ForwardedAt.IsZero() {
		s = pipeline.InboundForwarded
	}
	if s != "" && f.event == nil {
		f.became(s)
	}
}

// weight orders verdicts about several recipients of one report: each of our
// messages has one recipient, so they are what became of it behind an alias or a
// list. Somebody got it before nobody did, and among failures the one that costs
// least to believe: a wrong "dead" posts a letter.
func weight(v Verdict) int {
	switch {
	case v.Kind == Delivered:
		return 6
	case v.Kind == Bounce && v.Outcome == pipeline.Ours:
		return 5
	case v.Kind == Bounce && v.Outcome == pipeline.Transient:
		return 4
	case v.Kind == Bounce:
		return 3
	case v.Kind == Delayed, v.Kind == Relayed:
		return 2
	case v.Kind == Unclear:
		return 0
	}
	return 1
}

func weightiest(list []Verdict) (best Verdict) {
	best = Verdict{Kind: Unclear, Outcome: pipeline.None, Reason: string(Unclear)}
	for i, v := range list {
		if i == 0 || weight(v) > weight(best) {
			best = v
		}
	}
	return best
}

// probe notes that a message of our own came back.
func (j *Judge) probe(ctx context.Context, f *finding, t Token, v Verdict) error {
	f.in.Kind, f.in.Outcome = KindProbe, pipeline.None
	name := ""
	switch {
	case t.Attempt == ProbeLoop:
		name = "loop"
	case t.Attempt == ProbeBounce && v.Kind == Bounce:
		name = "bounce"
	}
	f.in.Code = name
	if name == "" || t.Domain == "" {
		f.became(pipeline.InboundUnmatched)
		return nil
	}
	key := MetaWayBack + t.Domain + "/" + name
	was, err := j.Ledger.Meta(ctx, key)
	if err != nil {
		return err
	}
	if before, err := time.Parse(time.RFC3339, was); err != nil || f.in.At.After(before) {
		if _, err := j.Ledger.SetMeta(ctx, key, f.in.At.UTC().Format(time.RFC3339), false); err != nil {
			return err
		}
	}
	f.became(pipeline.InboundRecorded)
	return nil
}

// KindProbe is the kind of a message that we sent to prove the way back.
const KindProbe = "probe"
