package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// peekSource is where PeekDue looks: post has an index in its order; for another
// channel everything that is due is looked at and sorted.
func peekSource(ch pipeline.Channel) string {
	source := ` INDEXED BY notices_import CROSS JOIN people AS p ON p.notice_id = n.id WHERE n.channel = ?2`
	if ch == pipeline.Post {
		source = ` INDEXED BY notices_print CROSS JOIN people AS p ON p.notice_id = n.id WHERE n.channel = 'post' AND n.channel = ?2`
	}
	return `SELECT ` + noticeColumns + `, p.sealed FROM notices AS n` + source + ` AND n.state = 'due' AND n.import_id = ?1 AND n.format = ?3
		AND n.due_at <= ?4 AND (n.role <> 'supplement' OR ?5)`
}

// PeekDue returns due notices in order of country, area and ID.
func (l *Ledger) PeekDue(ctx context.Context, campaign int64, ch pipeline.Channel, format string, now time.Time, after pipeline.PeekPosition, limit int) ([]pipeline.Job, error) {
	// What is left of the area in which the last page ended, of its country, and what
	// follows: one condition on all three columns would read the area from its
	// beginning.
	parts := []string{
		peekSource(ch) + ` AND n.country = ?6 AND n.area = ?7 AND n.id > ?8 ORDER BY n.id LIMIT ?9`,
		peekSource(ch) + ` AND n.country = ?6 AND n.area > ?7 ORDER BY n.area, n.id LIMIT ?9`,
		peekSource(ch) + ` AND n.country > ?6 ORDER BY n.country, n.area, n.id LIMIT ?9`,
	}
	var jobs []pipeline.Job
	err := l.snapshot(ctx, "look at due notices", func(s *snapshot) error {
		imports, merged, err := s.imports(campaign)
		if err != nil {
			return err
		}
		for i, id := range imports {
			found := 0
			for _, query := range parts {
				if found >= limit {
					break
				}
				err := s.rows(func(r *sql.Rows) error {
					j, err := scanJob(r)
					jobs, found = append(jobs, j), found+1
					return err
				}, query, id, string(ch), format, micros(now), merged[i], after.Country, after.Area, after.ID, limit-found)
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	slices.SortFunc(jobs, func(a, b pipeline.Job) int {
		return cmp.Or(cmp.Compare(a.Country, b.Country), cmp.Compare(a.Area, b.Area), cmp.Compare(a.ID, b.ID))
	})
	return jobs[:min(len(jobs), limit)], err
}

// dueGroups returns the groups of due notices of a campaign.
func (s *snapshot) dueGroups(campaign int64) ([]group, error) {
	imports, merged, err := s.imports(campaign)
	if err != nil {
		return nil, err
	}
	var all []group
	for i, id := range imports {
		g, err := groups(s, id, merged[i], pipeline.Lanes(), []pipeline.Channel{pipeline.Email, pipeline.Post})
		if err != nil {
			return nil, err
		}
		all = append(all, g...)
	}
	return all, nil
}

// NextDue returns the earliest DueAt per channel.
func (l *Ledger) NextDue(ctx context.Context, campaign int64) (map[pipeline.Channel]time.Time, error) {
	next := map[pipeline.Channel]time.Time{}
	err := l.snapshot(ctx, "look for what is due next", func(s *snapshot) error {
		all, err := s.dueGroups(campaign)
		for _, g := range all {
			if at, ok := next[g.channel]; !ok || moment(g.first).Before(at) {
				next[g.channel] = moment(g.first)
			}
		}
		return err
	})
	return next, err
}

// CountDue counts what is due by now, up to limit for each channel and provider.
func (l *Ledger) CountDue(ctx context.Context, campaign int64, now time.Time, limit int, on ...pipeline.Channel) ([]pipeline.DueCount, error) {
	counts := map[pipeline.DueCount]int64{}
	err := l.snapshot(ctx, "count what is due", func(s *snapshot) error {
		all, err := s.dueGroups(campaign)
		if err != nil {
			return err
		}
		for _, g := range all {
			key := pipeline.DueCount{Channel: g.channel, Provider: g.provider}
			if len(on) > 0 && !slices.Contains(on, g.channel) {
				continue
			}
			if g.first > micros(now) || counts[key] >= int64(limit) {
				continue
			}
			err := s.rows(func(r *sql.Rows) error {
				var n int64
				err := r.Scan(&n)
				counts[key] += n
				return err
			}, `SELECT count(*) FROM (SELECT 1 FROM notices INDEXED BY notices_due
				WHERE state = 'due' AND import_id = ? AND role = ? AND lane = ? AND channel = ? AND provider = ? AND due_at <= ? LIMIT ?)`,
				g.imp, string(g.role), int64(g.lane), string(g.channel), g.provider, micros(now), int64(limit)-counts[key])
			if err != nil {
				return err
			}
		}
		return nil
	})
	var all []pipeline.DueCount
	for key, n := range counts {
		key.Count = n
		all = append(all, key)
	}
	slices.SortFunc(all, func(a, b pipeline.DueCount) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Provider, b.Provider))
	})
	return all, err
}

// Expired returns notices in a state whose DueAt has come, oldest first.
func (l *Ledger) Expired(ctx context.Context, campaign int64, state pipeline.State, now time.Time, limit int) ([]pipeline.Notice, error) {
	if !state.Valid() {
		return nil, fmt.Errorf("ledger: no such state: %q", state)
	}
	index := "notices_import"
	switch state {
	case pipeline.InDoubt, pipeline.Accepted, pipeline.Posted:
		index = "notices_window"
	case pipeline.Queued, pipeline.Sending: // never many
		index = "notices_moving"
	}
	// The state stands in the text: only so SQLite sees that a partial index has it.
	return list(ctx, l, "look for what has expired", scanNotice, `SELECT `+noticeColumns+` FROM imports AS i CROSS JOIN notices AS n INDEXED BY `+index+`
		ON n.import_id = i.id AND n.state = '`+string(state)+`' WHERE i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0
		AND n.due_at <= ? ORDER BY n.due_at, n.id LIMIT ?`, campaign, micros(now), limit)
}
