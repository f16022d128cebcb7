package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

func scanTally(r *sql.Rows) (t pipeline.Tally, err error) {
	err = r.Scan(&t.Import, &t.Role, &t.Channel, &t.State, &t.Count)
	return t, err
}

// Tally counts the notices of a campaign.
func (l *Ledger) Tally(ctx context.Context, campaign int64) ([]pipeline.Tally, error) {
	return list(ctx, l, "tally", scanTally, `SELECT t.import_id, t.role, t.channel, t.state, t.n FROM imports AS i JOIN tallies AS t ON t.import_id = i.id
		WHERE i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0 AND t.n <> 0 ORDER BY t.import_id, t.role, t.channel, t.state`, campaign)
}

// Recount counts the rows themselves.
func (l *Ledger) Recount(ctx context.Context, campaign int64) ([]pipeline.Tally, error) {
	return list(ctx, l, "recount", scanTally, `SELECT n.import_id, n.role, n.channel, n.state, count(*) FROM notices AS n`+visible+`
		WHERE i.campaign_id = ? GROUP BY n.import_id, n.role, n.channel, n.state ORDER BY n.import_id, n.role, n.channel, n.state`, campaign)
}

// Counters returns what a campaign ever counted.
func (l *Ledger) Counters(ctx context.Context, campaign int64) (c pipeline.Counters, err error) {
	err = l.counters(ctx, campaign, func(name string, n int64) {
		switch name {
		case "attempts":
			c.Attempts = n
		case "doubts":
			c.Doubts = n
		case "again":
			c.Again = n
		}
	})
	return c, err
}

// PerVersion counts the attempts per version of the letters.
func (l *Ledger) PerVersion(ctx context.Context, campaign int64) (map[int]int64, error) {
	all := map[int]int64{}
	err := l.counters(ctx, campaign, func(name string, n int64) {
		v, ok := strings.CutPrefix(name, versionPrefix)
		if number, err := strconv.Atoi(v); ok && err == nil && n != 0 {
			all[number] = n
		}
	})
	return all, err
}

func (l *Ledger) counters(ctx context.Context, campaign int64, f func(name string, n int64)) error {
	return l.rows(ctx, "read counters", func(r *sql.Rows) error {
		var name string
		var n int64
		err := r.Scan(&name, &n)
		f(name, n)
		return err
	}, `SELECT name, n FROM counters WHERE campaign_id = ?`, campaign)
}

// Reasons counts the notices of a state by reason.
func (l *Ledger) Reasons(ctx context.Context, campaign int64, s pipeline.State) (map[string]int64, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("ledger: no such state: %q", s)
	}
	index := "notices_import"
	switch s {
	case pipeline.Held, pipeline.Unreachable, pipeline.Excluded, pipeline.Cancelled:
		index = "notices_reason"
	}
	all := map[string]int64{}
	err := l.rows(ctx, "count reasons", func(r *sql.Rows) error {
		var reason string
		var n int64
		err := r.Scan(&reason, &n)
		all[reason] = n
		return err
	}, `SELECT n.reason, count(*) FROM imports AS i CROSS JOIN notices AS n INDEXED BY `+index+` ON n.import_id = i.id AND n.state = '`+string(s)+`'
		WHERE i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0 GROUP BY n.reason`, campaign)
	return all, err
}
