package postgres

import (
	"cmp"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// changeArrays is the table that applySQL takes, column by column.
type changeArrays struct {
	id, gen, importID            []int64
	role, fromState, fromChannel []string
	state, channel               []string
	lane, attempt                []int32
	kind                         []string
	dueAt                        []int64
	reason                       []string
	reach, doubts, resends       []int32
	firstAt                      []int64
	owner                        []string
	movedAt                      []int64
	again                        []bool

	event   eventArrays
	tried   attemptArrays
	triedAs []int16 // attemptNone, …
}

// eventArrays are events column by column; kind is "" for none.
type eventArrays struct {
	notice  []int64
	attempt []int32
	kind    []string
	outcome []string
	at      []int64
	actor   []string
	code    []string
	detail  []string
}

type attemptArrays struct {
	n             []int32
	kind, channel []string
	version       []int32
	told, at      []int64
	letter, bytes [][]byte
	renderer      []string
	run           []int64
	seq           []int32
	queueID       []string
}

// newArguments returns the arguments of applySQL, sorted by notice.
func newArguments(changes []pipeline.Change) []any {
	sorted := make([]*pipeline.Change, len(changes))
	for i := range changes {
		sorted[i] = &changes[i]
	}
	slices.SortFunc(sorted, func(a, b *pipeline.Change) int { return cmp.Compare(a.From.ID, b.From.ID) })
	var c changeArrays
	for _, ch := range sorted {
		c.add(ch)
	}
	e, a := &c.event, &c.tried
	return []any{
		c.id, c.gen, c.importID, c.role, c.fromState, c.fromChannel,
		c.state, c.channel, c.lane, c.attempt, c.kind, c.dueAt, c.reason, c.reach, c.doubts, c.resends, c.firstAt, c.owner, c.movedAt, c.again,
		e.attempt, e.kind, e.outcome, e.at, e.actor, e.code, e.detail,
		c.triedAs, a.n, a.kind, a.channel, a.version, a.told, a.at, a.letter, a.bytes, a.renderer, a.run, a.seq, a.queueID,
	}
}

func (c *changeArrays) add(ch *pipeline.Change) {
	f, t := &ch.From, &ch.To
	c.id = append(c.id, f.ID)
	c.gen = append(c.gen, f.Gen)
	c.importID = append(c.importID, f.Import)
	c.role = append(c.role, string(f.Role))
	c.fromState = append(c.fromState, string(f.State))
	c.fromChannel = append(c.fromChannel, string(f.Channel))
	c.state = append(c.state, string(t.State))
	c.channel = append(c.channel, string(t.Channel))
	c.lane = append(c.lane, int32(t.Lane))
	c.attempt = append(c.attempt, int32(t.Attempt))
	c.kind = append(c.kind, string(t.Kind))
	c.dueAt = append(c.dueAt, micros(t.DueAt))
	c.reason = append(c.reason, clean(t.Reason))
	c.reach = append(c.reach, int32(t.Reach))
	c.doubts = append(c.doubts, int32(t.Doubts))
	c.resends = append(c.resends, int32(t.Resends))
	c.firstAt = append(c.firstAt, micros(t.FirstAt))
	c.owner = append(c.owner, clean(t.Owner))
	c.movedAt = append(c.movedAt, micros(t.MovedAt))
	c.again = append(c.again, ch.Again)
	if ch.Event != nil {
		c.event.add(*ch.Event)
	} else {
		c.event.add(pipeline.Event{})
	}
	how := int16(attemptNone)
	var tried pipeline.Attempt
	if ch.Attempt != nil {
		tried = *ch.Attempt
		switch {
		case ch.Event != nil && ch.Event.Kind == pipeline.EvAccepted:
			how = attemptAnswered
		case ledger.Starts(*ch):
			how = attemptStarted
		default:
			how = attemptRewritten
		}
	}
	c.triedAs = append(c.triedAs, how)
	c.tried.add(tried)
}

func (a *eventArrays) add(e pipeline.Event) {
	a.notice = append(a.notice, e.Notice)
	a.attempt = append(a.attempt, int32(e.Attempt))
	a.kind = append(a.kind, clean(string(e.Kind)))
	a.outcome = append(a.outcome, string(e.Outcome))
	a.at = append(a.at, micros(e.At))
	a.actor = append(a.actor, clean(e.Actor))
	a.code = append(a.code, clean(e.Code))
	a.detail = append(a.detail, clean(e.Detail))
}

func (a *attemptArrays) add(t pipeline.Attempt) {
	a.n = append(a.n, int32(t.N))
	a.kind = append(a.kind, string(t.Kind))
	a.channel = append(a.channel, string(t.Channel))
	a.version = append(a.version, int32(t.Version))
	a.told = append(a.told, t.Told)
	a.at = append(a.at, micros(t.At))
	a.letter = append(a.letter, bytes(t.Letter))
	a.bytes = append(a.bytes, bytes(t.Bytes))
	a.renderer = append(a.renderer, clean(t.Renderer))
	a.run = append(a.run, t.Run)
	a.seq = append(a.seq, int32(t.Seq))
	a.queueID = append(a.queueID, clean(t.QueueID))
}
