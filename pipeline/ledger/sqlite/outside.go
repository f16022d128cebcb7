package sqlite

import (
	"context"
	"database/sql"

	"github.com/art34/art34/pipeline"
)

// outsideText counts along the two small indexes of migration 4. The rows of one
// campaign are few among few.
const outsideText = `
	SELECT 'told', '', count(*) FROM imports AS i CROSS JOIN notices AS n ON n.import_id = i.id AND n.state = 'informed' AND n.reason = 'told-otherwise' AND n.role = 'primary'
		WHERE i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0
	UNION ALL
	SELECT 'returned', code, count(*) FROM (SELECT DISTINCT e.code, e.notice_id, e.attempt
		FROM events AS e CROSS JOIN notices AS n ON n.id = e.notice_id CROSS JOIN imports AS i ON i.id = n.import_id
		WHERE e.kind = 'returned' AND i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0) GROUP BY code
	UNION ALL
	SELECT 'notified', '', count(DISTINCT e.notice_id)
		FROM events AS e CROSS JOIN notices AS n ON n.id = e.notice_id CROSS JOIN imports AS i ON i.id = n.import_id
		WHERE e.kind = 'notified' AND n.state = 'unreachable' AND i.campaign_id = ?1 AND i.published_at > 0 AND i.replaced_at = 0`

// Outside counts what people and the post reported.
func (l *Ledger) Outside(ctx context.Context, campaign int64) (pipeline.Outside, error) {
	o := pipeline.Outside{Returned: map[string]int64{}}
	err := l.rows(ctx, "count what was reported", func(r *sql.Rows) error {
		var kind pipeline.EventKind
		var code string
		var n int64
		err := r.Scan(&kind, &code, &n)
		switch kind {
		case pipeline.EvTold:
			o.Told = n
		case pipeline.EvNotified:
			o.Notified = n
		default:
			o.Returned[code] = n
		}
		return err
	}, outsideText, campaign)
	return o, err
}
