package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/art34/art34/pipeline"
)

// audiences scans a column of audiences.
type audiences struct{ list *[]pipeline.Audience }

// Scan implements sql.Scanner.
func (a audiences) Scan(v any) error {
	*a.list = nil
	if s, _ := v.(string); s != "" {
		for one := range strings.SplitSeq(s, "|") {
			*a.list = append(*a.list, pipeline.Audience(one))
		}
	}
	return nil
}

func joinedAudiences(list []pipeline.Audience) string {
	var names []string
	for _, a := range list {
		names = append(names, string(a))
	}
	return joined(names)
}

// WriteQA stores the next version of a question.
func (l *Ledger) WriteQA(ctx context.Context, q pipeline.QA, v pipeline.QAVersion, after int, a pipeline.Audit) (pipeline.QA, error) {
	err := l.write(ctx, "write answer", 1, func(t *tx) error {
		newest := 0
		err := t.scan(`SELECT q.id, coalesce((SELECT max(n) FROM qa_versions AS v WHERE v.qa_id = q.id), 0) FROM qa AS q WHERE campaign_id = ? AND topic = ? AND locale = ?`,
			[]any{q.Campaign, q.Topic, q.Locale}, &q.ID, &newest)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if newest != after {
			return pipeline.ErrStale
		}
		if err != nil {
			if err := t.scan(`INSERT INTO qa (campaign_id, topic, locale) VALUES (?, ?, ?) RETURNING id`, []any{q.Campaign, clean(q.Topic), clean(q.Locale)}, &q.ID); err != nil {
				return err
			}
		}
		v.N = newest + 1
		_, err = t.exec(`INSERT INTO qa_versions (qa_id, n, audiences, question, answer, author, at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			q.ID, v.N, joinedAudiences(v.Audiences), clean(v.Question), clean(v.Answer), clean(v.Author), micros(v.At), clean(v.Reason))
		if err != nil {
			return err
		}
		q.Newest = v
		return t.audit(a)
	})
	return q, err
}

// StepQA publishes or withdraws a version.
func (l *Ledger) StepQA(ctx context.Context, campaign int64, s pipeline.QAStep, a pipeline.Audit) (pipeline.QAStep, error) {
	err := l.write(ctx, "publish answer", 1, func(t *tx) error {
		var there, inForce int
		err := t.scan(`SELECT count(*), coalesce((SELECT CASE kind WHEN 'published' THEN s.n ELSE 0 END FROM qa_steps AS s WHERE s.qa_id = ?1 ORDER BY s.id DESC LIMIT 1), 0)
			FROM qa AS q JOIN qa_versions AS v ON v.qa_id = q.id AND v.n = ?2 WHERE q.id = ?1 AND q.campaign_id = ?3`, []any{s.QA, s.N, campaign}, &there, &inForce)
		if err != nil {
			return err
		}
		if there == 0 || (s.Kind == pipeline.QAPublished) == (s.N == inForce) {
			return pipeline.ErrConflict
		}
		err = t.scan(`INSERT INTO qa_steps (qa_id, n, kind, actor, at, reason) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
			[]any{s.QA, s.N, string(s.Kind), clean(s.Actor), micros(s.At), clean(s.Reason)}, &s.ID)
		if err != nil {
			return err
		}
		return t.audit(a)
	})
	return s, err
}

const qaVersionColumns = `v.n, v.audiences, v.question, v.answer, v.author, v.at, v.reason`

func qaVersionFields(v *pipeline.QAVersion) []any {
	return []any{&v.N, audiences{&v.Audiences}, &v.Question, &v.Answer, &v.Author, when{&v.At}, &v.Reason}
}

const qaStepColumns = `s.id, s.qa_id, s.n, s.kind, s.actor, s.at, s.reason`

func qaStepFields(s *pipeline.QAStep) []any {
	return []any{&s.ID, &s.QA, &s.N, &s.Kind, &s.Actor, when{&s.At}, &s.Reason}
}

// QAs returns the questions of a campaign: the newest version, the last step and
// the version that it put in force are read apart and laid together.
func (l *Ledger) QAs(ctx context.Context, campaign int64) (all []pipeline.QA, err error) {
	err = l.snapshot(ctx, "read answers", func(s *snapshot) error {
		all = nil
		at := map[int64]int{}
		err := s.rows(func(r *sql.Rows) error {
			q := pipeline.QA{Campaign: campaign}
			err := r.Scan(append([]any{&q.ID, &q.Topic, &q.Locale}, qaVersionFields(&q.Newest)...)...)
			at[q.ID] = len(all)
			all = append(all, q)
			return err
		}, `SELECT q.id, q.topic, q.locale, `+qaVersionColumns+` FROM qa AS q JOIN qa_versions AS v ON v.qa_id = q.id AND v.n = (SELECT max(n) FROM qa_versions AS w WHERE w.qa_id = q.id)
			WHERE q.campaign_id = ? ORDER BY q.topic, q.locale`, campaign)
		if err != nil {
			return err
		}
		return s.rows(func(r *sql.Rows) error {
			var step pipeline.QAStep
			var v pipeline.QAVersion
			err := r.Scan(append(qaStepFields(&step), qaVersionFields(&v)...)...)
			if i, ok := at[step.QA]; ok {
				if all[i].Last = step; step.Kind == pipeline.QAPublished {
					all[i].InForce = v
				}
			}
			return err
		}, `SELECT `+qaStepColumns+`, `+qaVersionColumns+` FROM qa AS q JOIN qa_steps AS s ON s.qa_id = q.id AND s.id = (SELECT max(id) FROM qa_steps AS w WHERE w.qa_id = q.id)
			JOIN qa_versions AS v ON v.qa_id = s.qa_id AND v.n = s.n WHERE q.campaign_id = ?`, campaign)
	})
	return all, err
}

// QAHistory returns the versions and the steps of a question.
func (l *Ledger) QAHistory(ctx context.Context, campaign, id int64) ([]pipeline.QAVersion, []pipeline.QAStep, error) {
	versions, err := list(ctx, l, "read versions", scanner(qaVersionFields), `SELECT `+qaVersionColumns+` FROM qa AS q JOIN qa_versions AS v ON v.qa_id = q.id
		WHERE q.id = ? AND q.campaign_id = ? ORDER BY v.n`, id, campaign)
	if err != nil {
		return nil, nil, err
	}
	if len(versions) == 0 {
		return nil, nil, pipeline.ErrNotFound
	}
	steps, err := list(ctx, l, "read steps", scanner(qaStepFields), `SELECT `+qaStepColumns+` FROM qa_steps AS s WHERE s.qa_id = ? ORDER BY s.id`, id)
	return versions, steps, err
}

// QASeen returns the newest step that a user has looked at.
func (l *Ledger) QASeen(ctx context.Context, user, campaign int64) (int64, error) {
	step, err := one(ctx, l, "read look", scanInt, `SELECT step FROM qa_looks WHERE user_id = ? AND campaign_id = ?`, user, campaign)
	if errors.Is(err, pipeline.ErrNotFound) {
		return 0, nil
	}
	return step, err
}

// SeeQA stores the newest step that a user has looked at.
func (l *Ledger) SeeQA(ctx context.Context, user, campaign, step int64) error {
	return l.write(ctx, "note look", 1, func(t *tx) error {
		_, err := t.exec(`INSERT INTO qa_looks (user_id, campaign_id, step) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET step = max(step, excluded.step)`, user, campaign, step)
		return err
	})
}

// GiveQA notes an answer given.
func (l *Ledger) GiveQA(ctx context.Context, g pipeline.QAGiven) error {
	return l.write(ctx, "note answer", 1, func(t *tx) error {
		n, err := t.exec(`INSERT INTO qa_given (campaign_id, qa_id, n, call_id, actor, at)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6 FROM qa AS q WHERE q.id = ?2 AND q.campaign_id = ?1
			AND EXISTS (SELECT 1 FROM qa_steps AS s WHERE s.qa_id = ?2 AND s.n = ?3 AND s.kind = 'published')`, g.Campaign, g.QA, g.N, g.Call, clean(g.Actor), micros(g.At))
		if err == nil && n == 0 {
			err = pipeline.ErrConflict
		}
		return err
	})
}

// QAGivenIn returns the answers given in a call.
func (l *Ledger) QAGivenIn(ctx context.Context, campaign, call int64) ([]pipeline.QAGiven, error) {
	return list(ctx, l, "read answers given", scanner(func(g *pipeline.QAGiven) []any {
		return []any{&g.Campaign, &g.QA, &g.N, &g.Call, &g.Actor, when{&g.At}}
	}), `SELECT campaign_id, qa_id, n, call_id, actor, at FROM qa_given WHERE call_id = ? AND call_id > 0 AND campaign_id = ? ORDER BY id`, call, campaign)
}

// QATold counts the answers given.
func (l *Ledger) QATold(ctx context.Context, campaign int64) ([]pipeline.QATold, error) {
	return list(ctx, l, "count answers given", scanner(func(g *pipeline.QATold) []any { return []any{&g.QA, &g.Count, when{&g.Last}} }),
		`SELECT qa_id, count(*), max(at) FROM qa_given WHERE campaign_id = ? GROUP BY qa_id ORDER BY qa_id`, campaign)
}
