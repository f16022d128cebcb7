package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
)

const callColumns = `c.id, c.campaign_id, c.notice_id, c.import_id, c.agent, c.source, c.opened_at, c.closed_at, c.key, c.token, c.found,
	c.verified, c.verified_at, c.tries, c.told, c.cause, c.outcome, c.escalated, c.escalated_at, c.handled_by, c.handled_at, c.gen`

func callFields(c *pipeline.Call) []any {
	return []any{
		&c.ID, &c.Campaign, &c.Notice, &c.Import, &c.Agent, &c.Source, when{&c.OpenedAt}, when{&c.ClosedAt}, &c.Key, &c.Token, &c.Found,
		&c.Verified, when{&c.VerifiedAt}, &c.Tries, &c.Told, &c.Cause, &c.Outcome, &c.Escalated, when{&c.EscalatedAt}, &c.HandledBy, when{&c.HandledAt}, &c.Gen,
	}
}

// OpenCall stores a call with its first steps.
func (l *Ledger) OpenCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error) {
	c.Gen = 1
	err := l.write(ctx, "open call", 1+len(steps), func(t *tx) error {
		if err := t.within(q, steps); err != nil {
			return err
		}
		err := t.scan(`INSERT INTO calls (campaign_id, notice_id, import_id, agent, source, opened_at, closed_at, key, token, found,
			verified, verified_at, tries, told, cause, outcome, escalated, escalated_at, handled_by, handled_at, gen)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			[]any{c.Campaign, c.Notice, c.Import, clean(c.Agent), clean(c.Source), micros(c.OpenedAt), micros(c.ClosedAt), c.Key, blob(c.Token), string(c.Found),
				string(c.Verified), micros(c.VerifiedAt), c.Tries, c.Told, c.Cause, c.Outcome, c.Escalated, micros(c.EscalatedAt), clean(c.HandledBy), micros(c.HandledAt), c.Gen}, &c.ID)
		if err != nil {
			return err
		}
		for _, s := range steps {
			s.Call = c.ID
			if err := t.step(s); err != nil {
				return err
			}
		}
		return nil
	})
	return c, err
}

// within refuses look-ups beyond a quota.
func (t *tx) within(q pipeline.Quota, steps []pipeline.CallStep) error {
	for _, s := range steps {
		if s.Kind != pipeline.StepLookUp {
			continue
		}
		for _, x := range q.Bounds() {
			// Of the pages and of all programs: who has several ways looks up no more.
			login := pipeline.LoginOf(clean(s.Agent))
			query := `SELECT count(*) FROM call_steps WHERE kind = 'look-up' AND at > ?
				AND agent IN (SELECT ? UNION SELECT 'user:' || ? UNION SELECT 'token:' || name || '/' || ? FROM api_tokens)`
			args := []any{micros(q.Now.Add(-x.Over)), clean(s.Agent), login, login}
			if x.Shared {
				query = `SELECT count(*) FROM call_steps INDEXED BY call_steps_program WHERE kind = 'look-up' AND instr(agent, '/') > 0
					AND substr(agent, 1, instr(agent, '/')) = ? AND at > ?`
				args = []any{q.Shared, micros(q.Now.Add(-x.Over))}
			}
			var n int
			if err := t.scan(query, args, &n); err != nil {
				return err
			}
			if n >= x.Most {
				return pipeline.ErrQuota
			}
		}
	}
	return nil
}

func (t *tx) step(s pipeline.CallStep) error {
	_, err := t.exec(`INSERT INTO call_steps (call_id, at, agent, kind, code, detail, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.Call, micros(s.At), clean(s.Agent), s.Kind, clean(s.Code), clean(s.Detail), blob(s.Sealed))
	return err
}

// Call returns a call.
func (l *Ledger) Call(ctx context.Context, id int64) (pipeline.Call, error) {
	return one(ctx, l, "read call", scanner(callFields), `SELECT `+callColumns+` FROM calls AS c WHERE c.id = ?`, id)
}

// UpdateCall writes c if nobody has since it was read.
func (l *Ledger) UpdateCall(ctx context.Context, c pipeline.Call, q pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error) {
	err := l.write(ctx, "update call", 1+len(steps), func(t *tx) error {
		if err := t.within(q, steps); err != nil {
			return err
		}
		n, err := t.exec(`UPDATE calls SET campaign_id = ?, notice_id = ?, import_id = ?, closed_at = ?, key = ?, token = ?, found = ?, verified = ?, verified_at = ?,
			tries = ?, told = ?, cause = ?, outcome = ?, escalated = ?, escalated_at = ?, handled_by = ?, handled_at = ?, gen = gen + 1 WHERE id = ? AND gen = ?`,
			c.Campaign, c.Notice, c.Import, micros(c.ClosedAt), c.Key, blob(c.Token), string(c.Found), string(c.Verified), micros(c.VerifiedAt),
			c.Tries, c.Told, c.Cause, c.Outcome, c.Escalated, micros(c.EscalatedAt), clean(c.HandledBy), micros(c.HandledAt), c.ID, c.Gen)
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrStale
		}
		for _, s := range steps {
			s.Call = c.ID
			if err := t.step(s); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.Gen++
	}
	return c, err
}

// AddSteps appends steps to calls.
func (l *Ledger) AddSteps(ctx context.Context, steps ...pipeline.CallStep) error {
	if len(steps) == 0 {
		return nil
	}
	return l.write(ctx, "add steps", len(steps), func(t *tx) error {
		for _, s := range steps {
			if err := t.step(s); err != nil {
				return err
			}
		}
		return nil
	})
}

// same selects the calls about the same customer as a call.
func same(c pipeline.Call) (string, []any) {
	switch {
	case c.Notice > 0:
		return ` WHERE notice_id > 0 AND notice_id = ?`, []any{c.Notice}
	case len(c.Token) > 0:
		return ` WHERE notice_id = 0 AND token <> x'' AND campaign_id = ? AND token = ?`, []any{c.Campaign, c.Token}
	}
	return ` WHERE id = ?`, []any{c.ID}
}

func (t *tx) call(id int64) (c pipeline.Call, err error) {
	err = t.scan(`SELECT `+callColumns+` FROM calls AS c WHERE c.id = ?`, []any{id}, callFields(&c)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = pipeline.ErrNotFound
	}
	return c, err
}

// TryAnswer counts a wrong answer ahead of looking at it.
func (l *Ledger) TryAnswer(ctx context.Context, id int64, most int, since time.Time) (c pipeline.Call, ok bool, err error) {
	err = l.write(ctx, "try an answer", 1, func(t *tx) (err error) {
		ok = false
		if c, err = t.call(id); err != nil {
			return err
		}
		where, args := same(c)
		var tried int
		if err := t.scan(`SELECT coalesce(sum(tries), 0) FROM calls`+where+` AND opened_at >= ?`, append(args, micros(since)), &tried); err != nil {
			return err
		}
		if tried >= most {
			return nil
		}
		ok = true
		c.Tries, c.Gen = c.Tries+1, c.Gen+1
		_, err = t.exec(`UPDATE calls SET tries = tries + 1, gen = gen + 1 WHERE id = ?`, id)
		return err
	})
	return c, ok && err == nil, err
}

// ForgetTries sets Tries of all calls about the customer of a call to 0.
func (l *Ledger) ForgetTries(ctx context.Context, id int64) error {
	return l.write(ctx, "forget tries", 1, func(t *tx) error {
		c, err := t.call(id)
		if err != nil {
			return err
		}
		where, args := same(c)
		_, err = t.exec(`UPDATE calls SET tries = 0, gen = gen + 1`+where+` AND tries > 0`, args...)
		return err
	})
}

// WrongAnswers returns the calls about the customer of a call with wrong answers.
func (l *Ledger) WrongAnswers(ctx context.Context, id int64, since time.Time) ([]pipeline.Call, error) {
	c, err := l.Call(ctx, id)
	if err != nil {
		return nil, err
	}
	where, args := same(c)
	return list(ctx, l, "read wrong answers", scanner(callFields), `SELECT `+callColumns+` FROM calls AS c`+where+` AND tries > 0 AND opened_at >= ? ORDER BY opened_at, id`,
		append(args, micros(since))...)
}

// CallSteps returns what happened in a call.
func (l *Ledger) CallSteps(ctx context.Context, id int64) ([]pipeline.CallStep, error) {
	return list(ctx, l, "read steps", scanner(func(s *pipeline.CallStep) []any {
		return []any{&s.ID, &s.Call, when{&s.At}, &s.Agent, &s.Kind, &s.Code, &s.Detail, &s.Sealed}
	}), `SELECT id, call_id, at, agent, kind, code, detail, sealed FROM call_steps WHERE call_id = ? ORDER BY id`, id)
}

// EachCall yields calls that match, newest first.
func (l *Ledger) EachCall(ctx context.Context, f pipeline.CallFilter) iter.Seq2[pipeline.Call, error] {
	query := `SELECT ` + callColumns + ` FROM calls AS c WHERE c.id < ?`
	args := []any{int64(math.MaxInt64)}
	and := func(text string, values ...any) { query, args = query+" AND "+text, append(args, values...) }
	if f.Campaign != 0 {
		and("c.campaign_id = ?", f.Campaign)
	}
	if f.Agent != "" {
		and("c.agent = ?", clean(f.Agent))
	}
	if f.Notice != 0 {
		and("c.notice_id > 0 AND c.notice_id = ?", f.Notice)
	}
	if f.Told != "" {
		and("c.told = ?", f.Told)
	}
	if f.Waiting {
		and("c.escalated <> '' AND c.handled_at = 0")
	}
	if f.Open {
		and("c.closed_at = 0")
	}
	if !f.Since.IsZero() {
		and("c.opened_at >= ?", micros(f.Since))
	}
	query += ` ORDER BY c.id DESC LIMIT ` + strconv.Itoa(pageSize)
	return pages(func(last pipeline.Call) ([]pipeline.Call, error) {
		if args[0] = int64(math.MaxInt64); last.ID > 0 {
			args[0] = last.ID
		}
		return list(ctx, l, "read calls", scanner(callFields), query, args...)
	})
}

// ToldBefore returns the calls in which one of the tokens was told that they are not
// concerned.
func (l *Ledger) ToldBefore(ctx context.Context, campaign int64, tokens [][]byte) ([]pipeline.Call, error) {
	keys := make([]string, len(tokens))
	for i, t := range tokens {
		keys[i] = hex.EncodeToString(t)
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	return list(ctx, l, "read calls", scanner(callFields), `SELECT `+callColumns+` FROM calls AS c
		WHERE c.campaign_id = ? AND c.notice_id = 0 AND c.token <> x'' AND c.told = 'not-concerned' AND c.token IN (SELECT unhex(value) FROM json_each(?)) ORDER BY c.id`, campaign, string(text))
}

// CountCalls counts calls per hour, cause and outcome.
func (l *Ledger) CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error) {
	return list(ctx, l, "count calls", scanner(func(c *pipeline.CallCount) []any {
		return []any{when{&c.Hour}, &c.Cause, &c.Outcome, &c.Count}
	}), `SELECT opened_at / 3600000000 * 3600000000, cause, outcome, count(*) FROM calls
		WHERE opened_at >= ?1 AND (?2 = 0 OR campaign_id = ?2) AND found <> 'refused' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, micros(since), campaign)
}

// CountTold counts calls per hour and what they came to.
func (l *Ledger) CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error) {
	return list(ctx, l, "count calls", scanner(func(c *pipeline.CallTold) []any {
		return []any{when{&c.Hour}, &c.Told, &c.Count}
	}), `SELECT opened_at / 3600000000 * 3600000000, CASE WHEN found IN ('nobody', 'many') THEN found ELSE told END, count(*) FROM calls
		WHERE opened_at >= ? AND campaign_id = ? AND found <> 'refused' GROUP BY 1, 2 ORDER BY 1, 2`, micros(since), campaign)
}
