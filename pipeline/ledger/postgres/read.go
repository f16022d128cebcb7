package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

func rowToTally(row pgx.CollectableRow) (t pipeline.Tally, err error) {
	err = row.Scan(&t.Import, &t.Role, &t.Channel, &t.State, &t.Count)
	return t, err
}

// Tally returns the sums that every move keeps.
func (l *Ledger) Tally(ctx context.Context, campaign int64) ([]pipeline.Tally, error) {
	return query(ctx, l, l.hot, rowToTally, `SELECT t.import_id, t.role, t.channel, t.state, sum(t.n)::bigint
		FROM imports i JOIN tallies t ON t.import_id = i.id
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0
		GROUP BY 1, 2, 3, 4 HAVING sum(t.n) <> 0 ORDER BY 1, 2, 3, 4`, campaign)
}

// Recount counts the rows themselves.
func (l *Ledger) Recount(ctx context.Context, campaign int64) ([]pipeline.Tally, error) {
	return query(ctx, l, l.desk, rowToTally, `SELECT n.import_id, n.role, n.channel, n.state, count(*)
		FROM imports i JOIN notices n ON n.import_id = i.id
		WHERE i.campaign_id = $1 AND n.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0
		GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`, campaign)
}

type named struct {
	Name  string
	Count int64
}

// Counters returns what was ever counted.
func (l *Ledger) Counters(ctx context.Context, campaign int64) (c pipeline.Counters, err error) {
	all, err := query(ctx, l, l.hot, pgx.RowToStructByPos[named],
		`SELECT name, sum(n)::bigint FROM counters WHERE campaign_id = $1 AND name IN ('attempts', 'doubts', 'again') GROUP BY 1`, campaign)
	for _, x := range all {
		switch x.Name {
		case "attempts":
			c.Attempts = x.Count
		case "doubts":
			c.Doubts = x.Count
		case "again":
			c.Again = x.Count
		}
	}
	return c, err
}

// PerVersion counts the attempts per version of the letters.
func (l *Ledger) PerVersion(ctx context.Context, campaign int64) (map[int]int64, error) {
	all, err := query(ctx, l, l.hot, pgx.RowToStructByPos[named],
		`SELECT name, sum(n)::bigint FROM counters WHERE campaign_id = $1 AND name LIKE 'version/%' GROUP BY 1 HAVING sum(n) <> 0`, campaign)
	out := make(map[int]int64, len(all))
	for _, x := range all {
		n, bad := strconv.Atoi(strings.TrimPrefix(x.Name, "version/"))
		if bad != nil {
			return nil, fmt.Errorf("the ledger has a counter %q", x.Name)
		}
		out[n] = x.Count
	}
	return out, err
}

// Reasons counts the notices of a state by reason.
func (l *Ledger) Reasons(ctx context.Context, campaign int64, s pipeline.State) (map[string]int64, error) {
	if !s.Valid() {
		return nil, fmt.Errorf("no such state: %q", s)
	}
	all, err := query(ctx, l, l.hot, pgx.RowToStructByPos[named], `SELECT n.reason, count(*) FROM imports i JOIN notices n ON n.import_id = i.id
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 AND n.state = '`+string(s)+`' GROUP BY 1`, campaign)
	out := make(map[string]int64, len(all))
	for _, x := range all {
		out[x.Name] = x.Count
	}
	return out, err
}

// duePrefixes are the lanes and channels of what the dispatcher may take: every
// prefix of the indexes on what is due.
const duePrefixes = `source AS MATERIALIZED (SELECT i.id AS import_id, r.role, w.lane, w.channel` +
	` FROM imports i CROSS JOIN (VALUES ('primary'), ('copy'), ('supplement')) AS r (role)
	CROSS JOIN (VALUES (0, 'email'), (1, 'email'), (2, 'email'), (0, 'post'), (1, 'post'), (2, 'post')) AS w (lane, channel)
	WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 AND (r.role <> 'supplement' OR i.merged_at <> 0))`

// NextDue returns the earliest DueAt of what the dispatcher may take, per channel.
func (l *Ledger) NextDue(ctx context.Context, campaign int64) (map[pipeline.Channel]time.Time, error) {
	all, err := query(ctx, l, l.hot, pgx.RowToStructByPos[named], `WITH `+duePrefixes+`
		SELECT s.channel, min(d.due_at) FROM source s CROSS JOIN LATERAL (
			SELECT n.due_at FROM notices n
			WHERE n.import_id = s.import_id AND n.role = s.role AND n.lane = s.lane AND n.channel = s.channel AND n.state = 'due'
			ORDER BY n.due_at LIMIT 1) d
		GROUP BY 1`, campaign)
	out := make(map[pipeline.Channel]time.Time, len(all))
	for _, x := range all {
		out[pipeline.Channel(x.Name)] = moment(x.Count)
	}
	return out, err
}

// CountDue counts what TakeDue would take, per channel and provider. The
// recursion hops from one provider to the next in the index.
func (l *Ledger) CountDue(ctx context.Context, campaign int64, now time.Time, cap int, on ...pipeline.Channel) ([]pipeline.DueCount, error) {
	return query(ctx, l, l.hot, func(row pgx.CollectableRow) (c pipeline.DueCount, err error) {
		err = row.Scan(&c.Channel, &c.Provider, &c.Count)
		return c, err
	}, `WITH RECURSIVE `+duePrefixes+`, hop AS (
			SELECT s.*, (SELECT n.provider FROM notices n
				WHERE n.import_id = s.import_id AND n.role = s.role AND n.lane = s.lane AND n.channel = s.channel AND n.state = 'due'
				ORDER BY n.provider LIMIT 1) AS provider
			FROM source s WHERE cardinality($4::text[]) = 0 OR s.channel = ANY($4)
			UNION ALL
			SELECT s.import_id, s.role, s.lane, s.channel, (SELECT n.provider FROM notices n
				WHERE n.import_id = s.import_id AND n.role = s.role AND n.lane = s.lane AND n.channel = s.channel AND n.state = 'due' AND n.provider > s.provider
				ORDER BY n.provider LIMIT 1)
			FROM hop s WHERE s.provider IS NOT NULL
		)
		SELECT s.channel, s.provider, least(sum(d.n), $3)::bigint FROM hop s CROSS JOIN LATERAL (
			SELECT count(*) AS n FROM (SELECT FROM notices n
				WHERE n.import_id = s.import_id AND n.role = s.role AND n.lane = s.lane AND n.channel = s.channel AND n.provider = s.provider AND n.state = 'due' AND n.due_at <= $2
				LIMIT $3) x) d
		WHERE s.provider IS NOT NULL AND d.n > 0
		GROUP BY 1, 2 ORDER BY 1, 2`, campaign, micros(now), int64(cap), strs(on))
}

// Search returns the notices that a token of the blind index leads to.
func (l *Ledger) Search(ctx context.Context, campaign int64, token [16]byte, limit int) (ids []int64, bystanderOf int64, err error) {
	type hit struct{ Import, Notice int64 }
	hits, err := query(ctx, l, l.hot, pgx.RowToStructByPos[hit], `SELECT t.import_id, coalesce(a.parent_id, t.notice_id)
		FROM imports i JOIN tokens t ON t.import_id = i.id LEFT JOIN absorptions a ON a.notice_id = t.notice_id
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 AND t.hash = $2`, campaign, token)
	for _, h := range hits {
		if h.Notice == 0 {
			bystanderOf = max(bystanderOf, h.Import)
		} else {
			ids = append(ids, h.Notice)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	slices.Reverse(ids)
	return ids[:min(len(ids), max(limit, 0))], bystanderOf, err
}

// Concerned returns those of the tokens that lead to a notice.
func (l *Ledger) Concerned(ctx context.Context, campaign int64, tokens [][16]byte) (map[[16]byte]bool, error) {
	hashes, err := query(ctx, l, l.hot, pgx.RowTo[[16]byte], `SELECT DISTINCT t.hash FROM imports i JOIN tokens t ON t.import_id = i.id
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0 AND t.notice_id <> 0 AND t.hash = ANY($2::uuid[])`, campaign, tokens)
	found := map[[16]byte]bool{}
	for _, h := range hashes {
		found[h] = true
	}
	return found, err
}

// Notice returns one notice in force, or pipeline.ErrNotFound.
func (l *Ledger) Notice(ctx context.Context, id int64) (pipeline.Job, error) {
	return one(ctx, l, l.hot, rowToJob, `SELECT `+jobColumns+` FROM notices n JOIN people p ON p.notice_id = n.id WHERE n.id = $1 AND `+inForce, id)
}

const eventColumns = `e.id, e.notice_id, e.attempt, e.kind, e.outcome, e.at, e.actor, e.code, e.detail, e.into_state, e.channel`

func rowToEvent(row pgx.CollectableRow) (e pipeline.Event, err error) {
	var at int64
	err = row.Scan(&e.ID, &e.Notice, &e.Attempt, &e.Kind, &e.Outcome, &at, &e.Actor, &e.Code, &e.Detail, &e.Into, &e.Channel)
	e.At = moment(at)
	return e, err
}

// Events returns the events of a notice, oldest first.
func (l *Ledger) Events(ctx context.Context, notice int64) ([]pipeline.Event, error) {
	return query(ctx, l, l.hot, rowToEvent, `SELECT `+eventColumns+` FROM events e JOIN notices n ON n.id = e.notice_id
		WHERE e.notice_id = $1 AND `+inForce+` ORDER BY e.id`, notice)
}

// EventsByNotice yields the events of a campaign in order of notice, then ID.
func (l *Ledger) EventsByNotice(ctx context.Context, campaign int64) iter.Seq2[pipeline.Event, error] {
	return pages(func(last pipeline.Event) ([]pipeline.Event, error) {
		return query(ctx, l, l.desk, rowToEvent, `SELECT `+eventColumns+` FROM events e JOIN notices n ON n.id = e.notice_id
			WHERE n.campaign_id = $1 AND (e.notice_id, e.id) > ($2, $3) AND `+inForce+`
			ORDER BY e.notice_id, e.id LIMIT $4`, campaign, last.Notice, last.ID, pageSize)
	})
}

// Attempts returns the attempts of a notice, oldest first.
func (l *Ledger) Attempts(ctx context.Context, notice int64) ([]pipeline.Attempt, error) {
	return query(ctx, l, l.hot, func(row pgx.CollectableRow) (a pipeline.Attempt, err error) {
		var at int64
		err = row.Scan(&a.Notice, &a.N, &a.Kind, &a.Channel, &a.Version, &a.Told, &at, &a.Tries, &a.Letter, &a.Bytes, &a.Renderer, &a.Run, &a.Seq, &a.QueueID)
		a.At = moment(at)
		return a, err
	}, `SELECT a.notice_id, a.n, a.kind, a.channel, a.version, a.told, a.at, a.tries, a.letter, a.bytes, a.renderer, a.run_id, a.seq, a.queue_id
		FROM attempts a JOIN notices n ON n.id = a.notice_id WHERE a.notice_id = $1 AND `+inForce+` ORDER BY a.n`, notice)
}

// Each yields the notices in force that match, in order of ID.
func (l *Ledger) Each(ctx context.Context, f pipeline.Filter) iter.Seq2[pipeline.Job, error] {
	where, args := filter(f)
	sql := `SELECT ` + jobColumns + ` FROM notices n JOIN people p ON p.notice_id = n.id WHERE ` + where + ` AND ` + inForce +
		` ORDER BY n.id LIMIT ` + strconv.Itoa(pageSize)
	if f.Limit > 0 && f.Limit < pageSize {
		sql = strings.TrimSuffix(sql, strconv.Itoa(pageSize)) + strconv.Itoa(f.Limit)
	}
	all := pages(func(last pipeline.Job) ([]pipeline.Job, error) {
		return query(ctx, l, l.desk, rowToJob, sql, append([]any{f.Campaign, max(f.After, last.ID)}, args...)...)
	})
	if f.Limit <= 0 {
		return all
	}
	return func(yield func(pipeline.Job, error) bool) {
		n := 0
		for j, err := range all {
			if !yield(j, err) {
				return
			}
			if n++; n == f.Limit {
				return
			}
		}
	}
}

// filter returns the condition of a filter; $1 is the campaign, $2 the ID above
// which to look, args the rest.
func filter(f pipeline.Filter) (where string, args []any) {
	where = "n.campaign_id = $1 AND n.id > $2"
	add := func(condition string, value any) {
		args = append(args, value)
		where += " AND " + strings.ReplaceAll(condition, "$", "$"+strconv.Itoa(len(args)+2))
	}
	if len(f.States) > 0 {
		// As part of the text, so that a partial index can be used. A state that does
		// not exist has no notices.
		var known []string
		for _, s := range f.States {
			if s.Valid() {
				known = append(known, "'"+string(s)+"'")
			}
		}
		if len(known) == 0 {
			known = []string{"NULL"}
		}
		where += " AND n.state IN (" + strings.Join(known, ", ") + ")"
	}
	if len(f.Roles) > 0 {
		add("n.role = ANY($)", strs(f.Roles))
	}
	if f.Flag != "" {
		add("position('|' || $ || '|' IN '|' || n.flags || '|') > 0", f.Flag)
	}
	if f.Reason != "" {
		add("n.reason = $", f.Reason)
	}
	return where, args
}

// strs returns codes as plain strings.
func strs[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
