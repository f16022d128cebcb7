package postgres

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// Answers returns what became of the e-mails of a campaign. applySQL counts it:
// "mail/bounced.dead/provider:orange".
func (l *Ledger) Answers(ctx context.Context, campaign int64) ([]pipeline.Answers, error) {
	counts, err := query(ctx, l, l.hot, pgx.RowToStructByPos[named],
		`SELECT name, sum(n)::bigint FROM counters WHERE campaign_id = $1 AND name LIKE 'mail/%' GROUP BY 1`, campaign)
	by := map[string]*pipeline.Answers{}
	for _, c := range counts {
		kind, scope, _ := strings.Cut(strings.TrimPrefix(c.Name, "mail/"), "/")
		if by[scope] == nil {
			by[scope] = &pipeline.Answers{Scope: scope}
		}
		by[scope].Add(kind, c.Count)
	}
	all := make([]pipeline.Answers, 0, len(by))
	for _, a := range by {
		all = append(all, *a)
	}
	slices.SortFunc(all, func(a, b pipeline.Answers) int { return cmp.Compare(a.Scope, b.Scope) })
	return all, err
}

// UnderWay counts what is queued or being sent, by provider. Those are few.
func (l *Ledger) UnderWay(ctx context.Context, campaign int64) (map[string]int64, error) {
	counts, err := query(ctx, l, l.hot, pgx.RowToStructByPos[named], `SELECT n.provider, count(*) FROM notices n JOIN imports i ON i.id = n.import_id
		WHERE n.state IN ('queued', 'sending') AND i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 GROUP BY 1`, campaign)
	all := map[string]int64{}
	for _, c := range counts {
		all[c.Name] = c.Count
	}
	return all, err
}

// Planned counts what is planned.
func (l *Ledger) Planned(ctx context.Context, campaign int64, offset time.Duration) ([]pipeline.Planned, error) {
	rows, err := query(ctx, l, l.desk, func(row pgx.CollectableRow) (p pipeline.Planned, err error) {
		err = row.Scan(&p.Day, &p.State, &p.Role, &p.Channel, &p.Kind, &p.Reason, &p.Resends, &p.Count)
		return p, err
	}, `SELECT (n.due_at + $2) / 86400000000, n.state, n.role, n.channel, n.kind,
			CASE WHEN n.state IN ('due', 'queued') THEN n.reason ELSE '' END, CASE WHEN n.state IN ('due', 'queued') THEN n.resends ELSE 0 END, count(*)
		FROM imports i JOIN notices n ON n.import_id = i.id
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 AND n.state IN ('due', 'queued', 'in_doubt', 'accepted', 'posted')
		GROUP BY 1, 2, 3, 4, 5, 6, 7`, campaign, offset.Microseconds())
	sums := map[pipeline.Planned]int64{}
	for _, p := range rows {
		sums[p.Group()] += p.Count
	}
	return pipeline.SumPlanned(sums), err
}
