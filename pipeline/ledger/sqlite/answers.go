package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// answerPrefix begins the counters of answers: "mail/bounced.dead/provider:orange".
const answerPrefix = "mail/"

// answer counts an answer of the relay, or a bounce, in every scope that the
// notice belongs to.
func (t *tx) answer(campaign int64, n *pipeline.Notice, e *pipeline.Event) {
	kind := pipeline.AnswerKind(*e)
	if kind == "" {
		return
	}
	kind = answerPrefix + kind + "/"
	t.count(campaign, kind+pipeline.AllAnswers, 1)
	t.count(campaign, kind+"provider:"+n.Provider, 1)
	t.count(campaign, kind+"import:"+strconv.FormatInt(n.Import, 10), 1)
	for _, k := range n.Products {
		t.count(campaign, kind+"kind:"+k, 1)
	}
}

// Answers returns what became of the e-mails of a campaign.
func (l *Ledger) Answers(ctx context.Context, campaign int64) ([]pipeline.Answers, error) {
	by := map[string]*pipeline.Answers{}
	err := l.counters(ctx, campaign, func(name string, n int64) {
		rest, ok := strings.CutPrefix(name, answerPrefix)
		kind, scope, ok2 := strings.Cut(rest, "/")
		if !ok || !ok2 {
			return
		}
		if by[scope] == nil {
			by[scope] = &pipeline.Answers{Scope: scope}
		}
		by[scope].Add(kind, n)
	})
	all := make([]pipeline.Answers, 0, len(by))
	for _, a := range by {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b pipeline.Answers) int { return cmp.Compare(a.Scope, b.Scope) })
	return all, err
}

// UnderWay counts what is queued or being sent, by provider. Those are few.
func (l *Ledger) UnderWay(ctx context.Context, campaign int64) (map[string]int64, error) {
	all := map[string]int64{}
	err := l.rows(ctx, "count what is under way", func(r *sql.Rows) error {
		var provider string
		var n int64
		err := r.Scan(&provider, &n)
		all[provider] = n
		return err
	}, `SELECT n.provider, count(*) FROM notices AS n INDEXED BY notices_moving CROSS JOIN imports AS i ON i.id = n.import_id
		WHERE (n.state = 'queued' OR n.state = 'sending') AND i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0 GROUP BY n.provider`, campaign)
	return all, err
}

// plannedText counts along two indexes that hold all they need: first tries, which
// are the many, and windows. Only what was tried before is read row by row.
const plannedText = `
	SELECT (n.due_at + ?2) / 86400000000, 'due', n.role, n.channel, 'first', '', 0, count(*)
	FROM imports AS i CROSS JOIN notices AS n INDEXED BY notices_due ON n.import_id = i.id AND n.state = 'due' AND n.lane = 0
	WHERE i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0 GROUP BY 1, 3, 4
UNION ALL
	SELECT (n.due_at + ?2) / 86400000000, n.state, n.role, n.channel, n.kind, n.reason, n.resends, count(*)
	FROM imports AS i CROSS JOIN notices AS n INDEXED BY notices_due ON n.import_id = i.id AND n.state = 'due' AND n.lane > 0
	WHERE i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0 GROUP BY 1, 3, 4, 5, 6, 7
UNION ALL
	SELECT (n.due_at + ?2) / 86400000000, n.state, n.role, n.channel, n.kind, n.reason, n.resends, count(*)
	FROM notices AS n INDEXED BY notices_moving` + visible + ` AND i.campaign_id = ?1
	WHERE n.state = 'queued' GROUP BY 1, 3, 4, 5, 6, 7
UNION ALL
	SELECT (n.due_at + ?2) / 86400000000, n.state, '', '', '', '', 0, count(*)
	FROM imports AS i CROSS JOIN notices AS n INDEXED BY notices_window ON n.import_id = i.id
		AND (n.state = 'in_doubt' OR n.state = 'accepted' OR n.state = 'posted')
	WHERE i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0 GROUP BY 1, 2`

// Planned counts what is planned.
func (l *Ledger) Planned(ctx context.Context, campaign int64, offset time.Duration) ([]pipeline.Planned, error) {
	sums := map[pipeline.Planned]int64{}
	err := l.rows(ctx, "count what is planned", func(r *sql.Rows) error {
		var p pipeline.Planned
		err := r.Scan(&p.Day, &p.State, &p.Role, &p.Channel, &p.Kind, &p.Reason, &p.Resends, &p.Count)
		key := p.Group()
		sums[key] += p.Count
		return err
	}, plannedText, campaign, offset.Microseconds())
	return pipeline.SumPlanned(sums), err
}
