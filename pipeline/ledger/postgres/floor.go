package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

func joinedAudiences(list []pipeline.Audience) string {
	var names []string
	for _, a := range list {
		names = append(names, string(a))
	}
	return joined(names)
}

func splitAudiences(s string) (list []pipeline.Audience) {
	for _, name := range split(s) {
		list = append(list, pipeline.Audience(name))
	}
	return list
}

// lockFloor makes what is written about the questions of a campaign follow each
// other, so that steps become visible in the order of their ids.
func lockFloor(ctx context.Context, q querier, campaign int64) error {
	_, err := q.Exec(ctx, `SELECT FROM campaigns WHERE id = $1 FOR NO KEY UPDATE`, campaign)
	return err
}

// WriteQA stores the next version of a question.
func (l *Ledger) WriteQA(ctx context.Context, qa pipeline.QA, v pipeline.QAVersion, after int, a pipeline.Audit) (pipeline.QA, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if err := lockFloor(ctx, q, qa.Campaign); err != nil {
			return err
		}
		newest := 0
		err := q.QueryRow(ctx, `SELECT q.id, coalesce((SELECT max(n) FROM qa_versions v WHERE v.qa_id = q.id), 0) FROM qa q WHERE campaign_id = $1 AND topic = $2 AND locale = $3`,
			qa.Campaign, clean(qa.Topic), clean(qa.Locale)).Scan(&qa.ID, &newest)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if newest != after {
			return pipeline.ErrStale
		}
		if err != nil {
			if err := q.QueryRow(ctx, `INSERT INTO qa (campaign_id, topic, locale) VALUES ($1, $2, $3) RETURNING id`, qa.Campaign, clean(qa.Topic), clean(qa.Locale)).Scan(&qa.ID); err != nil {
				return err
			}
		}
		v.N = newest + 1
		_, err = q.Exec(ctx, `INSERT INTO qa_versions (qa_id, n, audiences, question, answer, author, at, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			qa.ID, v.N, joinedAudiences(v.Audiences), clean(v.Question), clean(v.Answer), clean(v.Author), micros(v.At), clean(v.Reason))
		if err != nil {
			return err
		}
		qa.Newest = v
		return audit(ctx, q, a)
	})
	return qa, err
}

// StepQA publishes or withdraws a version.
func (l *Ledger) StepQA(ctx context.Context, campaign int64, s pipeline.QAStep, a pipeline.Audit) (pipeline.QAStep, error) {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if err := lockFloor(ctx, q, campaign); err != nil {
			return err
		}
		var there, inForce int
		err := q.QueryRow(ctx, `SELECT count(*), coalesce((SELECT CASE kind WHEN 'published' THEN s.n ELSE 0 END FROM qa_steps s WHERE s.qa_id = $1 ORDER BY s.id DESC LIMIT 1), 0)
			FROM qa q JOIN qa_versions v ON v.qa_id = q.id AND v.n = $2 WHERE q.id = $1 AND q.campaign_id = $3`, s.QA, s.N, campaign).Scan(&there, &inForce)
		if err != nil {
			return err
		}
		if there == 0 || (s.Kind == pipeline.QAPublished) == (s.N == inForce) {
			return pipeline.ErrConflict
		}
		err = q.QueryRow(ctx, `INSERT INTO qa_steps (qa_id, n, kind, actor, at, reason) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
			s.QA, s.N, string(s.Kind), clean(s.Actor), micros(s.At), clean(s.Reason)).Scan(&s.ID)
		if err != nil {
			return err
		}
		return audit(ctx, q, a)
	})
	return s, err
}

const qaVersionColumns = `v.n, v.audiences, v.question, v.answer, v.author, v.at, v.reason`

// scanQAVersion reads qaVersionColumns behind the columns given.
func scanQAVersion(row pgx.CollectableRow, before ...any) (v pipeline.QAVersion, err error) {
	var audiences string
	var at int64
	err = row.Scan(append(before, &v.N, &audiences, &v.Question, &v.Answer, &v.Author, &at, &v.Reason)...)
	v.Audiences, v.At = splitAudiences(audiences), moment(at)
	return v, err
}

func rowToQAVersion(row pgx.CollectableRow) (pipeline.QAVersion, error) { return scanQAVersion(row) }

const qaStepColumns = `s.id, s.qa_id, s.n, s.kind, s.actor, s.at, s.reason`

func rowToQAStep(row pgx.CollectableRow) (s pipeline.QAStep, err error) {
	var at int64
	err = row.Scan(&s.ID, &s.QA, &s.N, &s.Kind, &s.Actor, &at, &s.Reason)
	s.At = moment(at)
	return s, err
}

// QAs returns the questions of a campaign, in one statement so that all of it is of
// one moment.
func (l *Ledger) QAs(ctx context.Context, campaign int64) ([]pipeline.QA, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (q pipeline.QA, err error) {
		var audiences string
		var forceAt, stepAt int64
		var force pipeline.QAVersion
		q.Campaign = campaign
		q.Newest, err = scanQAVersion(row, &q.ID, &q.Topic, &q.Locale, &q.Last.ID, &q.Last.N, &q.Last.Kind, &q.Last.Actor, &stepAt, &q.Last.Reason,
			&force.N, &audiences, &force.Question, &force.Answer, &force.Author, &forceAt, &force.Reason)
		if force.Audiences, force.At = splitAudiences(audiences), moment(forceAt); q.Last.Kind == pipeline.QAPublished {
			q.InForce = force
		}
		if q.Last.At = moment(stepAt); q.Last.ID > 0 {
			q.Last.QA = q.ID
		}
		return q, err
	}, `SELECT q.id, q.topic, q.locale, coalesce(s.id, 0), coalesce(s.n, 0), coalesce(s.kind, ''), coalesce(s.actor, ''), coalesce(s.at, 0), coalesce(s.reason, ''),
			coalesce(f.n, 0), coalesce(f.audiences, ''), coalesce(f.question, ''), coalesce(f.answer, ''), coalesce(f.author, ''), coalesce(f.at, 0), coalesce(f.reason, ''), `+qaVersionColumns+`
		FROM qa q JOIN qa_versions v ON v.qa_id = q.id AND v.n = (SELECT max(n) FROM qa_versions w WHERE w.qa_id = q.id)
		LEFT JOIN qa_steps s ON s.id = (SELECT max(id) FROM qa_steps w WHERE w.qa_id = q.id)
		LEFT JOIN qa_versions f ON f.qa_id = s.qa_id AND f.n = s.n
		WHERE q.campaign_id = $1 ORDER BY q.topic, q.locale`, campaign)
}

// QAHistory returns the versions and the steps of a question.
func (l *Ledger) QAHistory(ctx context.Context, campaign, id int64) ([]pipeline.QAVersion, []pipeline.QAStep, error) {
	versions, err := query(ctx, l, l.desk, rowToQAVersion, `SELECT `+qaVersionColumns+` FROM qa q JOIN qa_versions v ON v.qa_id = q.id
		WHERE q.id = $1 AND q.campaign_id = $2 ORDER BY v.n`, id, campaign)
	if err != nil {
		return nil, nil, err
	}
	if len(versions) == 0 {
		return nil, nil, pipeline.ErrNotFound
	}
	steps, err := query(ctx, l, l.desk, rowToQAStep, `SELECT `+qaStepColumns+` FROM qa_steps s WHERE s.qa_id = $1 ORDER BY s.id`, id)
	return versions, steps, err
}

// QASeen returns the newest step that a user has looked at.
func (l *Ledger) QASeen(ctx context.Context, user, campaign int64) (int64, error) {
	step, err := one(ctx, l, l.desk, pgx.RowTo[int64], `SELECT step FROM qa_looks WHERE user_id = $1 AND campaign_id = $2`, user, campaign)
	if errors.Is(err, pipeline.ErrNotFound) {
		return 0, nil
	}
	return step, err
}

// SeeQA stores the newest step that a user has looked at.
func (l *Ledger) SeeQA(ctx context.Context, user, campaign, step int64) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `INSERT INTO qa_looks (user_id, campaign_id, step) VALUES ($1, $2, $3)
			ON CONFLICT (user_id, campaign_id) DO UPDATE SET step = greatest(qa_looks.step, excluded.step)`, user, campaign, step)
		return err
	})
}

// GiveQA notes an answer given.
func (l *Ledger) GiveQA(ctx context.Context, g pipeline.QAGiven) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `INSERT INTO qa_given (campaign_id, qa_id, n, call_id, actor, at)
			SELECT $1, $2, $3, $4, $5, $6 FROM qa q WHERE q.id = $2 AND q.campaign_id = $1
			AND EXISTS (SELECT FROM qa_steps s WHERE s.qa_id = $2 AND s.n = $3 AND s.kind = 'published')`, g.Campaign, g.QA, g.N, g.Call, clean(g.Actor), micros(g.At))
		if err == nil && tag.RowsAffected() == 0 {
			err = pipeline.ErrConflict
		}
		return err
	})
}

// QAGivenIn returns the answers given in a call.
func (l *Ledger) QAGivenIn(ctx context.Context, campaign, call int64) ([]pipeline.QAGiven, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (g pipeline.QAGiven, err error) {
		var at int64
		err = row.Scan(&g.Campaign, &g.QA, &g.N, &g.Call, &g.Actor, &at)
		g.At = moment(at)
		return g, err
	}, `SELECT campaign_id, qa_id, n, call_id, actor, at FROM qa_given WHERE call_id = $1 AND call_id > 0 AND campaign_id = $2 ORDER BY id`, call, campaign)
}

// QATold counts the answers given.
func (l *Ledger) QATold(ctx context.Context, campaign int64) ([]pipeline.QATold, error) {
	return query(ctx, l, l.desk, func(row pgx.CollectableRow) (g pipeline.QATold, err error) {
		var at int64
		err = row.Scan(&g.QA, &g.Count, &at)
		g.Last = moment(at)
		return g, err
	}, `SELECT qa_id, count(*), max(at) FROM qa_given WHERE campaign_id = $1 GROUP BY qa_id ORDER BY qa_id`, campaign)
}
