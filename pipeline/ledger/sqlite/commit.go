package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// Three statements move a notice. They differ in how much they write: a hop
// through the queue binds few values, and most answers of a relay change no
// column that the indexes of due notices hold.
const (
	unmoved = ` WHERE id = ? AND gen = ? AND import_id = ? AND role = ? AND state = ? AND channel = ?`
	hopText = `UPDATE notices SET gen = gen + 1, state = ?, owner = ?, moved_at = ?` + unmoved
	endText = `UPDATE notices SET gen = gen + 1, state = ?, owner = ?, moved_at = ?, reason = ?, due_at = ?, first_at = ?` + unmoved
	allText = `UPDATE notices SET gen = gen + 1, state = ?, owner = ?, moved_at = ?, reason = ?, due_at = ?, first_at = ?,
		channel = ?, lane = ?, attempt = ?, kind = ?, reach = ?, doubts = ?, resends = ?` + unmoved
	factText = `UPDATE notices SET provider = ?, locale = ?, format = ?, country = ?, area = ?, sender = ?, kinds = ?, products = ?, flags = ?, defects = ? WHERE id = ?`
)

// Commit applies changes by compare-and-set.
func (l *Ledger) Commit(ctx context.Context, changes []pipeline.Change) ([]bool, error) {
	if err := check(changes); err != nil || len(changes) == 0 {
		return nil, err
	}
	applied := make([]bool, len(changes))
	err := l.write(ctx, "commit", len(changes), func(t *tx) (err error) {
		for i := range changes {
			if applied[i], err = t.apply(&changes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return applied, nil
}

func check(changes []pipeline.Change) error {
	for i := range changes {
		if err := ledger.CheckChange(changes[i]); err != nil {
			return err
		}
	}
	return nil
}

// apply moves one notice if it is where the change found it.
func (t *tx) apply(c *pipeline.Change) (bool, error) {
	imports, err := t.imports()
	if err != nil {
		return false, err
	}
	in, ok := imports[c.From.Import]
	if !ok {
		return false, nil
	}
	f, to := &c.From, &c.To
	hop := f.Reason == to.Reason && f.DueAt.Equal(to.DueAt) && f.FirstAt.Equal(to.FirstAt)
	same := f.Channel == to.Channel && f.Lane == to.Lane && f.Attempt == to.Attempt && f.Kind == to.Kind &&
		f.Reach == to.Reach && f.Doubts == to.Doubts && f.Resends == to.Resends
	args := make([]any, 0, 19)
	args = append(args, string(to.State), to.Owner, micros(to.MovedAt))
	query := hopText
	if !hop || !same {
		query = endText
		args = append(args, to.Reason, micros(to.DueAt), micros(to.FirstAt))
	}
	if !same {
		query = allText
		args = append(args, string(to.Channel), int64(to.Lane), int64(to.Attempt), string(to.Kind), int64(to.Reach), int64(to.Doubts), int64(to.Resends))
	}
	args = append(args, f.ID, f.Gen, f.Import, string(f.Role), string(f.State), string(f.Channel))
	n, err := t.exec(query, args...)
	if err != nil || n == 0 {
		return false, err
	}
	if from, to := tallyOf(*f), tallyOf(*to); from != to {
		t.tally(from, -1)
		t.tally(to, 1)
	}
	return true, t.record(c, in.campaign)
}

// record writes what an applied change brings along.
func (t *tx) record(c *pipeline.Change, campaign int64) error {
	if c.Sealed != nil {
		n := &c.To
		if _, err := t.exec(`UPDATE people SET sealed = ? WHERE notice_id = ?`, c.Sealed, n.ID); err != nil {
			return err
		}
		if _, err := t.exec(factText, n.Provider, n.Locale, n.Format, n.Country, n.Area, n.Sender,
			joined(n.Kinds), joined(n.Products), joined(n.Flags), joined(n.Defects), n.ID); err != nil {
			return err
		}
	}
	if c.Again {
		t.count(campaign, "again", 1)
	}
	if e := c.Event; e != nil {
		if e.Kind == pipeline.EvDoubted {
			t.count(campaign, "doubts", 1)
		}
		t.answer(campaign, &c.From, e)
		if err := t.event(e, c.To.State, c.To.Channel); err != nil {
			return err
		}
	}
	if c.Attempt != nil {
		return t.attempt(c, campaign)
	}
	return nil
}

func (t *tx) event(e *pipeline.Event, into pipeline.State, ch pipeline.Channel) error {
	_, err := t.exec(`INSERT INTO events (notice_id, attempt, kind, outcome, at, actor, code, detail, into_state, channel) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.Notice, int64(e.Attempt), string(e.Kind), string(e.Outcome), micros(e.At), e.Actor, clean(e.Code), clean(e.Detail), string(into), string(ch))
	return err
}

const newAttempt = `INSERT INTO attempts (kind, channel, version, told, at, letter, bytes, renderer, run_id, seq, queue_id, notice_id, n, tries)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`

const oldAttempt = `UPDATE attempts SET kind = ?, channel = ?, version = ?, told = ?, at = ?, letter = ?, bytes = ?, renderer = ?, run_id = ?, seq = ?, queue_id = ?
	WHERE notice_id = ? AND n = ?`

// attempt writes the attempt of a change, and counts.
func (t *tx) attempt(c *pipeline.Change, campaign int64) error {
	a, starts := c.Attempt, ledger.Starts(*c)
	if c.Event != nil && c.Event.Kind == pipeline.EvAccepted {
		n, err := t.exec(`UPDATE attempts SET queue_id = ? WHERE notice_id = ? AND n = ?`, clean(a.QueueID), a.Notice, int64(a.N))
		if err != nil || n == 1 {
			return err
		}
	}
	args := []any{
		string(a.Kind), string(a.Channel), int64(a.Version), a.Told, micros(a.At), blob(a.Letter), blob(a.Bytes), a.Renderer, a.Run, int64(a.Seq), clean(a.QueueID),
		a.Notice, int64(a.N),
	}
	n, err := t.exec(newAttempt, args...)
	if err != nil {
		return err
	}
	if n == 1 {
		t.count(campaign, "attempts", 1)
		t.count(campaign, versionCounter(a.Version), 1)
		return nil
	}
	var before int
	if err := t.scan(`SELECT version FROM attempts WHERE notice_id = ? AND n = ?`, []any{a.Notice, a.N}, &before); err != nil {
		return err
	}
	if before != a.Version {
		t.count(campaign, versionCounter(before), -1)
		t.count(campaign, versionCounter(a.Version), 1)
	}
	if starts {
		t.count(campaign, "attempts", 1)
		if _, err := t.exec(`UPDATE attempts SET tries = tries + 1 WHERE notice_id = ? AND n = ?`, a.Notice, a.N); err != nil {
			return err
		}
	}
	_, err = t.exec(oldAttempt, args...)
	return err
}

// Record appends events that move nothing.
func (l *Ledger) Record(ctx context.Context, events []pipeline.Event) error {
	if len(events) == 0 {
		return nil
	}
	return l.write(ctx, "record", len(events), func(t *tx) error {
		for i := range events {
			if err := t.news(&events[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// news appends one event, unless it is there already.
func (t *tx) news(e *pipeline.Event) error {
	var into pipeline.State
	var ch pipeline.Channel
	err := t.scan(`SELECT n.state, n.channel FROM notices AS n`+visible+` WHERE n.id = ?`, []any{e.Notice}, &into, &ch)
	if errors.Is(err, sql.ErrNoRows) {
		return pipeline.ErrNotFound
	}
	if err != nil {
		return err
	}
	if e.Detail != "" {
		err := t.scan(`SELECT id FROM events WHERE notice_id = ? AND attempt = ? AND kind = ? AND code = ? AND detail = ? LIMIT 1`,
			[]any{e.Notice, e.Attempt, string(e.Kind), clean(e.Code), clean(e.Detail)}, new(int64))
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	return t.event(e, into, ch)
}

// Absorb gives a parent what its supplement brought, and removes the supplement.
func (l *Ledger) Absorb(ctx context.Context, parent pipeline.Change, supplement pipeline.Notice) (bool, error) {
	if err := ledger.CheckChange(parent); err != nil {
		return false, err
	}
	s, done := supplement, false
	if !ledger.MayAbsorb(parent.From, s) {
		return false, nil
	}
	err := l.write(ctx, "absorb", 1, func(t *tx) (err error) {
		done = false
		imports, err := t.imports()
		if _, ok := imports[s.Import]; err != nil || !ok {
			return err
		}
		var there bool
		if err := t.scan(`SELECT count(*) FROM notices WHERE id = ? AND gen = ? AND import_id = ? AND parent_id = ? AND role = 'supplement' AND state = ? AND channel = ?`,
			[]any{s.ID, s.Gen, s.Import, s.Parent, string(s.State), string(s.Channel)}, &there); err != nil || !there {
			return err
		}
		if done, err = t.apply(&parent); err != nil || !done {
			return err
		}
		for _, q := range []string{
			`DELETE FROM notices WHERE id = ?`,
			`DELETE FROM people WHERE notice_id = ?`,
			`DELETE FROM events WHERE notice_id = ?`,
			`DELETE FROM attempts WHERE notice_id = ?`,
		} {
			if _, err := t.exec(q, s.ID); err != nil {
				return err
			}
		}
		t.tally(tallyOf(s), -1)
		// What the supplement had taken in itself moves along.
		if _, err := t.exec(`UPDATE absorptions SET parent_id = ? WHERE parent_id = ?`, parent.From.ID, s.ID); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO absorptions (notice_id, parent_id) VALUES (?, ?)`, s.ID, parent.From.ID); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE imports SET absorbed = absorbed + 1 WHERE id = ?`, s.Import)
		return err
	})
	return done && err == nil, err
}
