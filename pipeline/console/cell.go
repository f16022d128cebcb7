package console

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// CellConfig says what the cell works with.
type CellConfig struct {
	Calls     Calls
	Customers Customers
	Deeds     CustomerDeeds
	Clock     clock.Clock // of the business
	Log       *slog.Logger
	// Hour and Day bound the look-ups of one agent; 0: 60 and 400.
	Hour, Day int
}

// Cell answers for who has a customer on the phone. Pages and the API go through it,
// so that its rules hold for both: the caller is verified before anything is said,
// an agent has their own calls only, what is shown is masked, and everything is on
// record. It is safe for concurrent use.
type Cell struct{ CellConfig }

const (
	// mostTries is how many wrong answers about one customer lock them, for tryTime.
	mostTries = 3
	tryTime   = 24 * time.Hour
	// callTime is how long a call that nobody ends can be looked at.
	callTime = pipeline.LongestCall
	// quotaHour and quotaDay are more than anybody answers on the phone.
	quotaHour, quotaDay = 60, 400
)

// NewCell returns a cell.
func NewCell(c CellConfig) *Cell {
	if c.Hour <= 0 {
		c.Hour = quotaHour
	}
	if c.Day <= 0 {
		c.Day = quotaDay
	}
	return &Cell{c}
}

// Asker is who asks the cell, and what they may.
type Asker struct {
	Actor     string              // "user:LOGIN"
	Roles     []string            // of the table of permissions
	Scopes    []string            // of a program: its actions
	LookUps   int                 // of a program: an hour, of all for whom it acts; 0: of nobody
	Source    string              // "console", or the name of a program
	Campaigns []pipeline.Campaign // those that they may know of
}

func (a Asker) may(x Action) bool { return May(a.Roles, x) || slices.Contains(a.Scopes, string(x)) }

// knows returns the campaign of a call, if the asker may know of it.
func (a Asker) knows(id int64) (pipeline.Campaign, bool) {
	i := slices.IndexFunc(a.Campaigns, func(c pipeline.Campaign) bool { return c.ID == id })
	if i < 0 {
		return pipeline.Campaign{}, false
	}
	return a.Campaigns[i], true
}

// answering are the campaigns that callers can be told of: those that are frozen.
func (a Asker) answering() []pipeline.Campaign {
	return slices.DeleteFunc(slices.Clone(a.Campaigns), func(c pipeline.Campaign) bool { return c.State == pipeline.Draft })
}

// LookUp is what an agent asks for.
type LookUp struct {
	Key      string // reference, customer or contract number, e-mail, phone, name and postcode
	Campaign string // "": all
	Call     int64  // one that goes on with another key; 0: a new one
}

// reservedFlags keep a customer from all but a few.
var reservedFlags = []string{pipeline.FlagVIP, pipeline.FlagPress}

// reserved reports whether only few may see a customer.
func reserved(flags []string) bool {
	return slices.ContainsFunc(flags, func(f string) bool { return slices.Contains(reservedFlags, f) })
}

// Reserved reports whether only few may see a customer with these flags.
func Reserved(flags []string) bool { return reserved(flags) }

// LookUp finds a customer by exact match, and opens a call about it. What was found
// is for Case to say.
func (k *Cell) LookUp(ctx context.Context, who Asker, l LookUp) (pipeline.Call, error) {
	l.Key = strings.TrimSpace(l.Key)
	if l.Key == "" || len(l.Key) > 320 {
		return pipeline.Call{}, refuse("key-missing", "nobody is looked for without a key", "a reference, a customer or contract number, an e-mail address, a phone number, or a name and postcode")
	}
	now := k.Clock.Now()
	c := pipeline.Call{Agent: who.Actor, Source: who.Source, OpenedAt: now}
	if l.Call != 0 {
		var err error
		if c, err = k.own(ctx, who, l.Call); err != nil {
			return c, err
		}
		if !c.Open() || c.Campaign != 0 {
			return c, errTaken
		}
	}
	campaigns := who.answering()
	if l.Campaign != "" {
		campaigns = slices.DeleteFunc(campaigns, func(c pipeline.Campaign) bool { return c.Name != l.Campaign })
	}
	s, err := k.Customers.Seek(ctx, who.Actor, campaigns, l.Key)
	if err != nil {
		return c, err
	}
	k.conclude(&c, who, s)
	steps := []pipeline.CallStep{{At: now, Agent: who.Actor, Kind: pipeline.StepLookUp, Code: string(c.Found), Detail: s.Kind}}
	if list := choices(c, s); list != "" {
		steps = append(steps, pipeline.CallStep{At: now, Agent: who.Actor, Kind: pipeline.StepChoice, Detail: list})
	}
	quota := pipeline.Quota{Hour: k.Hour, Day: k.Day, Now: now}
	if who.LookUps > 0 { // many agents stand behind a program, and it is one that may be stolen
		quota.Shared, quota.SharedHour = pipeline.ProgramOf(who.Actor)+"/", who.LookUps
	}
	noted := make(chan error, 1)
	go func() { noted <- k.note(ctx, s.Trail) }() // beside the call: they share a commit
	if l.Call == 0 {
		c, err = k.Calls.OpenCall(ctx, c, quota, steps...)
	} else {
		c, err = k.Calls.UpdateCall(ctx, c, quota, steps...)
	}
	if failed := <-noted; failed != nil {
		return c, failed
	}
	switch {
	case errors.Is(err, pipeline.ErrQuota):
		return c, k.overQuota(ctx, who)
	case errors.Is(err, pipeline.ErrStale): // two clicks at once
		return c, errTaken
	}
	return c, err
}

var errClosed = refuse("call-closed", "this call has ended", "begin another")

var errTaken = refuse("call-taken", "this call is about somebody already", "end it, and begin another")

// conclude writes into a call what a key led to.
func (k *Cell) conclude(c *pipeline.Call, who Asker, s Sought) {
	c.Key, c.Campaign, c.Notice, c.Import, c.Token, c.Escalated, c.EscalatedAt = s.Kind, 0, 0, 0, nil, "", time.Time{}
	sure := slices.DeleteFunc(slices.Clone(s.Others), func(b Bystander) bool { return b.ByName })
	switch {
	case len(s.Matches) == 1:
		m := s.Matches[0]
		c.Found, c.Campaign, c.Notice, c.Import = pipeline.FoundNotice, m.Campaign.ID, m.Notice, m.Import
		if reserved(m.Flags) && !who.may(ActVIP) {
			c.Found, c.Escalated, c.EscalatedAt = pipeline.FoundReserved, pipeline.FlagVIP, k.Clock.Now()
		}
	case len(s.Matches) > 1:
		c.Found = pipeline.FoundMany
	case len(sure) == 1:
		c.Found, c.Campaign, c.Import, c.Token = pipeline.FoundBystander, sure[0].Campaign.ID, sure[0].Import, sure[0].Token
	case len(s.Others) > 0:
		c.Found = pipeline.FoundMany // in several campaigns, or by a name that others may have
	default:
		c.Found = pipeline.FoundNobody
	}
}

// overQuota says that an agent has looked up more than calls explain, and tells the
// lead once.
func (k *Cell) overQuota(ctx context.Context, who Asker) error {
	told := false
	for c, err := range k.Calls.EachCall(ctx, pipeline.CallFilter{Agent: who.Actor, Since: k.Clock.Now().Add(-24 * time.Hour)}) {
		if err != nil {
			return err
		}
		if told = c.Escalated == pipeline.EscalatedQuota && c.Waiting(); told {
			break
		}
	}
	if !told {
		now := k.Clock.Now()
		c := pipeline.Call{
			Agent: who.Actor, Source: who.Source, OpenedAt: now, ClosedAt: now, Found: pipeline.FoundRefused, Outcome: "passed-on",
			Escalated: pipeline.EscalatedQuota, EscalatedAt: now,
		}
		if _, err := k.Calls.OpenCall(ctx, c, pipeline.Quota{}); err != nil {
			return err
		}
		if err := k.Calls.Append(ctx, pipeline.Audit{At: now, Actor: who.Actor, Action: "cell-quota"}); err != nil {
			return err
		}
		if k.Log != nil {
			k.Log.Warn("an agent has looked up more customers than calls explain", "agent", who.Actor)
		}
	}
	return refuse("quota", "you have looked up as many customers as one person answers", "the lead of the cell has been told, and can help")
}

// own returns a call that the asker may work with: their own one, or any for the
// lead. For everybody else it is not there.
func (k *Cell) own(ctx context.Context, who Asker, id int64) (pipeline.Call, error) {
	c, err := k.Calls.Call(ctx, id)
	if err != nil {
		return c, err
	}
	if _, known := who.knows(c.Campaign); c.Campaign != 0 && !known || c.Agent != who.Actor && !who.may(ActSecond) {
		return pipeline.Call{}, pipeline.ErrNotFound
	}
	return c, nil
}

// under returns a call that is under way, and its stage.
func (k *Cell) under(ctx context.Context, who Asker, id int64, stages ...Stage) (pipeline.Call, error) {
	c, err := k.own(ctx, who, id)
	if err != nil {
		return c, err
	}
	s, err := k.stageNow(ctx, who, c, stages)
	if err != nil {
		return c, err
	}
	if !slices.Contains(stages, s) {
		if s == StageClosed {
			return c, errClosed
		}
		return c, refuse("call-stage", "this cannot be done at this point of the call", "")
	}
	return c, nil
}

// stageNow is the stage of a call, for what is done at one of stages: a customer who
// became one for few since the look-up is out of reach of others. Of what may also be
// done with a reserved one the flags are not read.
func (k *Cell) stageNow(ctx context.Context, who Asker, c pipeline.Call, stages []Stage) (Stage, error) {
	s := k.stage(who, c)
	if s != StageVerify && s != StageAnswer || c.Notice == 0 || who.may(ActVIP) || slices.Contains(stages, StageReserved) {
		return s, nil
	}
	campaign, _ := who.knows(c.Campaign)
	f, err := k.Customers.File(ctx, campaign, c.Notice)
	if err == nil && reserved(f.Flags) {
		s = StageReserved
	}
	return s, err
}

// Stage is how far a call is.
type Stage string

// The stages of a call.
const (
	StageVerify       Stage = "verify"        // somebody was found: who is calling?
	StageAnswer       Stage = "answer"        // verified, and concerned
	StageNotConcerned Stage = "not-concerned" // verified, and not concerned as of an import
	StageNobody       Stage = "nobody"        // nobody has this key
	StageMany         Stage = "many"          // another key is needed
	StageReserved     Stage = "reserved"      // for few
	StageClosed       Stage = "closed"
)

// begun are the stages of a call that has not ended.
var begun = []Stage{StageVerify, StageAnswer, StageNotConcerned, StageNobody, StageMany, StageReserved}

func (k *Cell) stage(who Asker, c pipeline.Call) Stage {
	switch {
	case !c.Open() && !(c.Waiting() && who.may(ActSecond)) || k.Clock.Now().Sub(c.OpenedAt) > callTime && !c.Waiting():
		return StageClosed
	case c.Found == pipeline.FoundNobody || c.Found == pipeline.FoundRefused:
		return StageNobody
	case c.Found == pipeline.FoundMany:
		return StageMany
	case c.Found == pipeline.FoundReserved && !who.may(ActVIP):
		return StageReserved
	case c.Verified == "":
		return StageVerify
	case c.Found == pipeline.FoundBystander:
		return StageNotConcerned
	}
	return StageAnswer
}

// note writes what the search wants on record.
func (k *Cell) note(ctx context.Context, trail []pipeline.Audit) error {
	for _, a := range trail {
		if err := k.Calls.Append(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// record appends to the audit trail of the campaign of a call.
func (k *Cell) record(ctx context.Context, who Asker, c pipeline.Call, action, reason, detail string) error {
	return k.Calls.Append(ctx, pipeline.Audit{Campaign: c.Campaign, At: k.Clock.Now(), Actor: who.Actor, Action: action, Reason: reason, Detail: detail})
}

// change reads a call, changes it and writes it with steps, whatever else happens to
// it meanwhile.
func (k *Cell) change(ctx context.Context, id int64, f func(*pipeline.Call) []pipeline.CallStep) (pipeline.Call, error) {
	for try := 0; ; try++ {
		c, err := k.Calls.Call(ctx, id)
		if err != nil {
			return c, err
		}
		steps := f(&c)
		next, err := k.Calls.UpdateCall(ctx, c, pipeline.Quota{}, steps...)
		if !errors.Is(err, pipeline.ErrStale) || try == 5 {
			return next, err
		}
	}
}

// step is one of now.
func (k *Cell) step(who Asker, call int64, kind, code, detail string) pipeline.CallStep {
	return pipeline.CallStep{Call: call, At: k.Clock.Now(), Agent: who.Actor, Kind: kind, Code: code, Detail: detail}
}
