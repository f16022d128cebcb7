package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

// ReserveIDs returns the first of n fresh notice ids in a row.
func (l *Ledger) ReserveIDs(ctx context.Context, n int) (int64, error) {
	if n < 1 {
		return 0, fmt.Errorf("%d ids cannot be reserved", n)
	}
	return one(ctx, l, l.desk, pgx.RowTo[int64], `UPDATE sequences SET next = next + $1 WHERE name = 'notice' RETURNING next - $1`, int64(n))
}

// open locks an unpublished import until the end of the transaction, so that it
// cannot be published in the middle of a batch, and returns its campaign.
func open(ctx context.Context, q querier, importID int64) (campaign int64, err error) {
	rows, err := q.Query(ctx, `SELECT campaign_id, published_at = 0 AND replaced_at = 0 FROM imports WHERE id = $1 FOR SHARE`, importID)
	if err != nil {
		return 0, err
	}
	type state struct {
		Campaign int64
		Open     bool
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[state])
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, pipeline.ErrNotFound
	case !found[0].Open:
		return 0, pipeline.ErrConflict
	}
	return found[0].Campaign, nil
}

var (
	stagedNotice = []string{
		"id", "campaign_id", "import_id", "role", "state", "channel", "lane", "attempt", "kind", "due_at", "reason", "reach", "doubts", "resends", "first_at", "gen", "owner", "moved_at",
		"born", "provider", "locale", "format", "country", "area", "sender", "kinds", "products", "flags", "defects",
	}
	stagedPerson = []string{"notice_id", "import_id", "parent_id", "role", "person", "sealed"}
)

// Stage adds notices of an unpublished import by COPY.
func (l *Ledger) Stage(ctx context.Context, importID int64, batch []pipeline.Staged) error {
	if len(batch) == 0 {
		return nil
	}
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		campaign, err := open(ctx, q, importID)
		if err != nil {
			return err
		}
		return stage(ctx, q, campaign, importID, batch)
	})
}

// stage adds notices. Campaign and import are the ledger's: a row cannot stray into
// another one.
func stage(ctx context.Context, q querier, campaign, importID int64, batch []pipeline.Staged) error {
	_, err := q.CopyFrom(ctx, pgx.Identifier{"notices"}, stagedNotice, pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) {
		n := &batch[i].Notice
		return []any{
			n.ID, campaign, importID, string(n.Role), string(n.State), string(n.Channel), int32(n.Lane), int32(n.Attempt), string(n.Kind), micros(n.DueAt), clean(n.Reason),
			int32(n.Reach), int32(n.Doubts), int32(n.Resends), micros(n.FirstAt), n.Gen, clean(n.Owner), micros(n.MovedAt),
			string(n.Born), clean(n.Provider), clean(n.Locale), clean(n.Format), clean(n.Country), clean(n.Area), clean(n.Sender),
			joined(n.Kinds), joined(n.Products), joined(n.Flags), joined(n.Defects),
		}, nil
	}))
	if err != nil {
		return err
	}
	_, err = q.CopyFrom(ctx, pgx.Identifier{"people"}, stagedPerson, pgx.CopyFromSlice(len(batch), func(i int) ([]any, error) {
		n := &batch[i].Notice
		return []any{n.ID, importID, n.Parent, string(n.Role), bytes(n.Person), bytes(batch[i].Sealed)}, nil
	}))
	if err != nil {
		return err
	}
	return tallyStaged(ctx, q, importID, batch)
}

// tallyStaged adds a batch to the sums.
func tallyStaged(ctx context.Context, q querier, importID int64, batch []pipeline.Staged) error {
	sums := map[pipeline.Tally]int64{}
	for i := range batch {
		n := &batch[i].Notice
		sums[pipeline.Tally{Role: n.Role, Channel: n.Channel, State: n.State}]++
	}
	var role, channel, state []string
	var count []int64
	for t, n := range sums {
		role = append(role, string(t.Role))
		channel = append(channel, string(t.Channel))
		state = append(state, string(t.State))
		count = append(count, n)
	}
	_, err := q.Exec(ctx, `INSERT INTO tallies AS t (import_id, role, channel, state, shard, n)
		SELECT $1::bigint, d.role, d.channel, d.state, pg_backend_pid() % 64, d.n FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS d (role, channel, state, n)
		ORDER BY 1, 2, 3, 4
		ON CONFLICT (import_id, role, channel, state, shard) DO UPDATE SET n = t.n + excluded.n`, importID, role, channel, state, count)
	return err
}

// StageTokens adds tokens of an unpublished import. Sorted as they come they are
// appended to the index.
func (l *Ledger) StageTokens(ctx context.Context, importID int64, batch []pipeline.Token) error {
	if len(batch) == 0 {
		return nil
	}
	hashes := make([][16]byte, len(batch))
	notices := make([]int64, len(batch))
	for i, t := range batch {
		hashes[i], notices[i] = t.Hash, t.Notice
	}
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if _, err := open(ctx, q, importID); err != nil {
			return err
		}
		_, err := q.Exec(ctx, `INSERT INTO tokens (import_id, hash, notice_id)
			SELECT $1::bigint, t.hash, t.notice_id FROM unnest($2::uuid[], $3::bigint[]) AS t (hash, notice_id) ON CONFLICT DO NOTHING`, importID, hashes, notices)
		return err
	})
}

// People returns the primary notices of persons that are in force.
func (l *Ledger) People(ctx context.Context, campaign int64, persons [][]byte) (map[string]pipeline.Job, error) {
	jobs, err := query(ctx, l, l.desk, rowToJob, `SELECT `+jobColumns+`
		FROM imports i CROSS JOIN unnest($2::bytea[]) AS w (person)
		JOIN people p ON p.import_id = i.id AND p.person = w.person AND p.role = 'primary'
		JOIN notices n ON n.id = p.notice_id
		WHERE i.campaign_id = $1 AND i.published_at <> 0 AND i.replaced_at = 0
		ORDER BY n.id`, campaign, slices.Clone(persons))
	found := make(map[string]pipeline.Job, len(jobs))
	for _, j := range jobs {
		found[string(j.Person)] = j
	}
	return found, err
}

// Siblings returns the supplements in force of a primary notice, oldest first.
func (l *Ledger) Siblings(ctx context.Context, parent int64) ([]pipeline.Job, error) {
	return query(ctx, l, l.desk, rowToJob, `SELECT `+jobColumns+` FROM people p JOIN notices n ON n.id = p.notice_id
		WHERE p.parent_id = $1 AND p.role = 'supplement' AND `+inForce+` ORDER BY n.id`, parent)
}

// Unmerged returns supplements of a published import in order of ID.
func (l *Ledger) Unmerged(ctx context.Context, importID, after int64, limit int) ([]pipeline.Job, error) {
	return query(ctx, l, l.desk, rowToJob, `SELECT `+jobColumns+` FROM people p JOIN notices n ON n.id = p.notice_id
		WHERE p.import_id = $1 AND p.notice_id > $2 AND p.role = 'supplement' AND `+inForce+` ORDER BY p.notice_id LIMIT $3`, importID, after, limit)
}
