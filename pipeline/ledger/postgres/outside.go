package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const outsideText = `
	WITH force AS (SELECT id FROM imports WHERE campaign_id = $1 AND published_at <> 0 AND replaced_at = 0)
	SELECT 'told'::text, ''::text, count(*) FROM force i JOIN notices n ON n.import_id = i.id AND n.state = 'informed' AND n.reason = 'told-otherwise' AND n.role = 'primary'
	UNION ALL
	SELECT 'returned', code, count(*) FROM (SELECT DISTINCT e.code, e.notice_id, e.attempt
		FROM events e JOIN notices n ON n.id = e.notice_id JOIN force i ON i.id = n.import_id WHERE e.kind = 'returned') r GROUP BY code
	UNION ALL
	SELECT 'notified', '', count(DISTINCT e.notice_id)
		FROM events e JOIN notices n ON n.id = e.notice_id JOIN force i ON i.id = n.import_id WHERE e.kind = 'notified' AND n.state = 'unreachable'`

// Outside counts what people and the post reported.
func (l *Ledger) Outside(ctx context.Context, campaign int64) (pipeline.Outside, error) {
	type said struct {
		Kind  pipeline.EventKind
		Code  string
		Count int64
	}
	all, err := query(ctx, l, l.hot, pgx.RowToStructByPos[said], outsideText, campaign)
	o := pipeline.Outside{Returned: map[string]int64{}}
	for _, s := range all {
		switch s.Kind {
		case pipeline.EvTold:
			o.Told = s.Count
		case pipeline.EvNotified:
			o.Notified = s.Count
		default:
			o.Returned[s.Code] = s.Count
		}
	}
	return o, err
}
