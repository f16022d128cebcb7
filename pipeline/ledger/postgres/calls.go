package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const callColumns = `c.id, c.campaign_id, c.notice_id, c.import_id, c.agent, c.source, c.opened_at, c.closed_at, c.key, c.token, c.found,
	c.verified, c.verified_at, c.tries, c.told, c.cause, c.outcome, c.escalated, c.escalated_at, c.handled_by, c.handled_at, c.gen`

func rowToCall(row pgx.CollectableRow) (c pipeline.Call, err error) {
	var opened, closed, verified, escalated, handled int64
	err = row.Scan(&c.ID, &c.Campaign, &c.Notice, &c.Import, &c.Agent, &c.Source, &opened, &closed, &c.Key, &c.Token, &c.Found,
		&c.Verified, &verified, &c.Tries, &c.Told, &c.Cause, &c.Outcome, &c.Escalated, &escalated, &c.HandledBy, &handled, &c.Gen)
	c.OpenedAt, c.ClosedAt, c.VerifiedAt, c.EscalatedAt, c.HandledAt = moment(opened), moment(closed), moment(verified), moment(escalated), moment(handled)
	return c, err
}

// OpenCall stores a call with its first steps.
func (l *Ledger) OpenCall(ctx context.Context, c pipeline.Call, quota pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error) {
	c.Gen = 1
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if err := within(ctx, q, quota, steps); err != nil {
			return err
		}
		err := q.QueryRow(ctx, `INSERT INTO calls (campaign_id, notice_id, import_id, agent, source, opened_at, closed_at, key, token, found,
			verified, verified_at, tries, told, cause, outcome, escalated, escalated_at, handled_by, handled_at, gen)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) RETURNING id`,
			c.Campaign, c.Notice, c.Import, clean(c.Agent), clean(c.Source), micros(c.OpenedAt), micros(c.ClosedAt), c.Key, bytes(c.Token), string(c.Found),
			string(c.Verified), micros(c.VerifiedAt), c.Tries, c.Told, c.Cause, c.Outcome, c.Escalated, micros(c.EscalatedAt), clean(c.HandledBy), micros(c.HandledAt), c.Gen).Scan(&c.ID)
		if err != nil {
			return err
		}
		return addSteps(ctx, q, c.ID, steps)
	})
	return c, err
}

// within refuses look-ups beyond a quota. Look-ups of one person follow each other:
// else two at once would both be the last one.
func within(ctx context.Context, q querier, quota pipeline.Quota, steps []pipeline.CallStep) error {
	for _, s := range steps {
		if s.Kind != pipeline.StepLookUp {
			continue
		}
		for _, x := range quota.Bounds() {
			// Of the pages and of all programs: who has several ways looks up no more.
			who, query := pipeline.LoginOf(clean(s.Agent)), `SELECT count(*) FROM call_steps WHERE kind = 'look-up' AND at > $2
				AND agent IN (SELECT $3 UNION SELECT 'user:' || $1::text UNION SELECT 'token:' || name || '/' || $1::text FROM api_tokens)`
			args := []any{who, micros(quota.Now.Add(-x.Over)), clean(s.Agent)}
			if x.Shared {
				who, query = quota.Shared, `SELECT count(*) FROM call_steps WHERE kind = 'look-up' AND strpos(agent, '/') > 0
					AND left(agent, strpos(agent, '/')) = $1 AND at > $2`
				args = args[:2]
				args[0] = quota.Shared
			}
			if _, err := q.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('art34/look-up/' || $1::text, 0))`, who); err != nil {
				return err
			}
			var n int
			if err := q.QueryRow(ctx, query, args...).Scan(&n); err != nil {
				return err
			}
			if n >= x.Most {
				return pipeline.ErrQuota
			}
		}
	}
	return nil
}

// addSteps stores steps: of one call, or with 0 each of its own.
func addSteps(ctx context.Context, q querier, call int64, steps []pipeline.CallStep) error {
	for _, s := range steps {
		if call != 0 {
			s.Call = call
		}
		if _, err := q.Exec(ctx, `INSERT INTO call_steps (call_id, at, agent, kind, code, detail, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.Call, micros(s.At), clean(s.Agent), s.Kind, clean(s.Code), clean(s.Detail), bytes(s.Sealed)); err != nil {
			return err
		}
	}
	return nil
}

// Call returns a call.
func (l *Ledger) Call(ctx context.Context, id int64) (pipeline.Call, error) {
	return one(ctx, l, l.desk, rowToCall, `SELECT `+callColumns+` FROM calls c WHERE c.id = $1`, id)
}

// UpdateCall writes c if nobody has since it was read.
func (l *Ledger) UpdateCall(ctx context.Context, c pipeline.Call, quota pipeline.Quota, steps ...pipeline.CallStep) (pipeline.Call, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if err := within(ctx, q, quota, steps); err != nil {
			return err
		}
		tag, err := q.Exec(ctx, `UPDATE calls SET campaign_id = $3, notice_id = $4, import_id = $5, closed_at = $6, key = $7, token = $8, found = $9, verified = $10, verified_at = $11,
			tries = $12, told = $13, cause = $14, outcome = $15, escalated = $16, escalated_at = $17, handled_by = $18, handled_at = $19, gen = gen + 1 WHERE id = $1 AND gen = $2`,
			c.ID, c.Gen, c.Campaign, c.Notice, c.Import, micros(c.ClosedAt), c.Key, bytes(c.Token), string(c.Found), string(c.Verified), micros(c.VerifiedAt),
			c.Tries, c.Told, c.Cause, c.Outcome, c.Escalated, micros(c.EscalatedAt), clean(c.HandledBy), micros(c.HandledAt))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pipeline.ErrStale
		}
		return addSteps(ctx, q, c.ID, steps)
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
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error { return addSteps(ctx, q, 0, steps) })
}

// same selects the calls about the same customer as a call.
func same(c pipeline.Call) (string, []any) {
	switch {
	case c.Notice > 0:
		return ` WHERE notice_id > 0 AND notice_id = $1`, []any{c.Notice}
	case len(c.Token) > 0:
		return ` WHERE notice_id = 0 AND token <> '' AND campaign_id = $1 AND token = $2`, []any{c.Campaign, c.Token}
	}
	return ` WHERE id = $1`, []any{c.ID}
}

func readCall(ctx context.Context, q querier, id int64) (pipeline.Call, error) {
	rows, err := q.Query(ctx, `SELECT `+callColumns+` FROM calls c WHERE c.id = $1`, id)
	if err != nil {
		return pipeline.Call{}, err
	}
	c, err := pgx.CollectExactlyOneRow(rows, rowToCall)
	if errors.Is(err, pgx.ErrNoRows) {
		err = pipeline.ErrNotFound
	}
	return c, err
}

// TryAnswer counts a wrong answer ahead of looking at it. Answers about one customer
// follow each other.
func (l *Ledger) TryAnswer(ctx context.Context, id int64, most int, since time.Time) (c pipeline.Call, ok bool, err error) {
	err = l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		ok = false
		if c, err = readCall(ctx, q, id); err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, fmt.Sprintf("art34/try/%d/%d/%x", c.Campaign, c.Notice, c.Token)); err != nil {
			return err
		}
		where, args := same(c)
		args = append(args, micros(since))
		var tried int
		if err := q.QueryRow(ctx, `SELECT coalesce(sum(tries), 0)::bigint FROM calls`+where+` AND opened_at >= $`+strconv.Itoa(len(args)), args...).Scan(&tried); err != nil {
			return err
		}
		if tried >= most {
			return nil
		}
		ok = true
		return q.QueryRow(ctx, `UPDATE calls SET tries = tries + 1, gen = gen + 1 WHERE id = $1 RETURNING tries, gen`, id).Scan(&c.Tries, &c.Gen)
	})
	return c, ok && err == nil, err
}

// ForgetTries sets Tries of all calls about the customer of a call to 0.
func (l *Ledger) ForgetTries(ctx context.Context, id int64) error {
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		c, err := readCall(ctx, q, id)
		if err != nil {
			return err
		}
		where, args := same(c)
		_, err = q.Exec(ctx, `UPDATE calls SET tries = 0, gen = gen + 1`+where+` AND tries > 0`, args...)
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
	args = append(args, micros(since))
	return query(ctx, l, l.desk, rowToCall, `SELECT `+callColumns+` FROM calls c`+where+` AND tries > 0 AND opened_at >= $`+strconv.Itoa(len(args))+` ORDER BY opened_at, id`, args...)
}

// CallSteps returns what happened in a call.
func (l *Ledger) CallSteps(ctx context.Context, id int64) ([]pipeline.CallStep, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (s pipeline.CallStep, err error) {
		var at int64
		err = row.Scan(&s.ID, &s.Call, &at, &s.Agent, &s.Kind, &s.Code, &s.Detail, &s.Sealed)
		s.At = moment(at)
		return s, err
	}, `SELECT id, call_id, at, agent, kind, code, detail, sealed FROM call_steps WHERE call_id = $1 ORDER BY id`, id)
}

// EachCall yields calls that match, newest first.
func (l *Ledger) EachCall(ctx context.Context, f pipeline.CallFilter) iter.Seq2[pipeline.Call, error] {
	text := `SELECT ` + callColumns + ` FROM calls c WHERE c.id < $1`
	args := []any{int64(math.MaxInt64)}
	and := func(before string, value any, after string) {
		args = append(args, value)
		text += " AND " + before + "$" + strconv.Itoa(len(args)) + after
	}
	if f.Campaign != 0 {
		and("c.campaign_id = ", f.Campaign, "")
	}
	if f.Agent != "" {
		and("c.agent = ", clean(f.Agent), "")
	}
	if f.Notice != 0 {
		and("c.notice_id > 0 AND c.notice_id = ", f.Notice, "")
	}
	if f.Told != "" {
		and("c.told = ", f.Told, "")
	}
	if f.Waiting {
		text += " AND c.escalated <> '' AND c.handled_at = 0"
	}
	if f.Open {
		text += " AND c.closed_at = 0"
	}
	if !f.Since.IsZero() {
		and("c.opened_at >= ", micros(f.Since), "")
	}
	text += ` ORDER BY c.id DESC LIMIT ` + strconv.Itoa(pageSize)
	return pages(func(last pipeline.Call) ([]pipeline.Call, error) {
		if args[0] = int64(math.MaxInt64); last.ID > 0 {
			args[0] = last.ID
		}
		return query(ctx, l, l.desk, rowToCall, text, args...)
	})
}

// ToldBefore returns the calls in which one of the tokens was told that they are not
// concerned.
func (l *Ledger) ToldBefore(ctx context.Context, campaign int64, tokens [][]byte) ([]pipeline.Call, error) {
	return query(ctx, l, l.desk, rowToCall, `SELECT `+callColumns+` FROM calls c
		WHERE c.campaign_id = $1 AND c.notice_id = 0 AND c.token <> '' AND c.told = 'not-concerned' AND c.token = ANY ($2::bytea[]) ORDER BY c.id`, campaign, tokens)
}

// CountCalls counts calls per hour, cause and outcome.
func (l *Ledger) CountCalls(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallCount, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (c pipeline.CallCount, err error) {
		var hour int64
		err = row.Scan(&hour, &c.Cause, &c.Outcome, &c.Count)
		c.Hour = moment(hour)
		return c, err
	}, `SELECT opened_at / 3600000000 * 3600000000, cause, outcome, count(*) FROM calls
		WHERE opened_at >= $1 AND ($2 = 0 OR campaign_id = $2) AND found <> 'refused' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, micros(since), campaign)
}

// CountTold counts calls per hour and what they came to.
func (l *Ledger) CountTold(ctx context.Context, campaign int64, since time.Time) ([]pipeline.CallTold, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (c pipeline.CallTold, err error) {
		var hour int64
		err = row.Scan(&hour, &c.Told, &c.Count)
		c.Hour = moment(hour)
		return c, err
	}, `SELECT opened_at / 3600000000 * 3600000000, CASE WHEN found IN ('nobody', 'many') THEN found ELSE told END, count(*) FROM calls
		WHERE opened_at >= $1 AND campaign_id = $2 AND found <> 'refused' GROUP BY 1, 2 ORDER BY 1, 2`, micros(since), campaign)
}
