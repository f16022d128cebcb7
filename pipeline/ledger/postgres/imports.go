package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const importColumns = `id, campaign_id, content, staged_at, published_at, replaced_at, merged_at, absorbed, copied, actor, manifest`

func rowToImport(row pgx.CollectableRow) (i pipeline.Import, err error) {
	var manifest []byte
	var staged, published, replaced, merged int64
	err = row.Scan(&i.ID, &i.Campaign, &i.Content, &staged, &published, &replaced, &merged, &i.Absorbed, &i.Copied, &i.Actor, &manifest)
	if err != nil {
		return i, err
	}
	i.StagedAt, i.PublishedAt, i.ReplacedAt, i.MergedAt = moment(staged), moment(published), moment(replaced), moment(merged)
	return i, json.Unmarshal(manifest, &i.Manifest)
}

// Imports returns all imports of a campaign, oldest first.
func (l *Ledger) Imports(ctx context.Context, campaign int64) ([]pipeline.Import, error) {
	return query(ctx, l, l.desk, rowToImport, `SELECT `+importColumns+` FROM imports WHERE campaign_id = $1 ORDER BY id`, campaign)
}

// BeginImport stores an unpublished import. Another one of the same content may
// be staged beside it; Publish lets one of them through.
func (l *Ledger) BeginImport(ctx context.Context, i pipeline.Import) (pipeline.Import, error) {
	manifest, err := json.Marshal(i.Manifest)
	if err != nil {
		return i, err
	}
	there, err := query(ctx, l, l.desk, rowToImport, `SELECT `+importColumns+` FROM imports
		WHERE campaign_id = $1 AND content = $2 AND published_at <> 0 AND replaced_at = 0`, i.Campaign, i.Content)
	if err != nil {
		return i, err
	}
	if len(there) > 0 {
		return there[0], pipeline.ErrExists
	}
	i.StagedAt = moment(micros(i.StagedAt))
	i.PublishedAt, i.ReplacedAt, i.MergedAt, i.Absorbed, i.Copied = time.Time{}, time.Time{}, time.Time{}, 0, 0
	i.ID, err = one(ctx, l, l.desk, pgx.RowTo[int64], `INSERT INTO imports (campaign_id, content, staged_at, actor, manifest)
		VALUES ($1, $2, $3, $4, $5) RETURNING id`, i.Campaign, i.Content, micros(i.StagedAt), i.Actor, string(manifest))
	return i, err
}

// Publish makes an import visible at once.
func (l *Ledger) Publish(ctx context.Context, importID int64, m pipeline.Manifest, replace bool, a pipeline.Audit) error {
	manifest, err := json.Marshal(m)
	if err != nil {
		return err
	}
	err = l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		// The campaign first: a launch waits for us, or we see it. Then the import:
		// whoever stages holds a lock on it.
		var campaign int64
		var launched bool
		err := q.QueryRow(ctx, `SELECT c.id, c.launch_at <> 0 OR c.state NOT IN ('draft', 'approved')
			FROM campaigns c JOIN imports i ON i.campaign_id = c.id WHERE i.id = $1 FOR NO KEY UPDATE OF c`, importID).Scan(&campaign, &launched)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return pipeline.ErrNotFound
		case err != nil:
			return err
		case replace && launched:
			return pipeline.ErrConflict
		}
		if replace {
			if _, err := q.Exec(ctx, `UPDATE imports SET replaced_at = $2 WHERE campaign_id = $1 AND published_at <> 0 AND replaced_at = 0 AND id <> $3`,
				campaign, micros(a.At), importID); err != nil {
				return err
			}
		}
		tag, err := q.Exec(ctx, `UPDATE imports SET published_at = $2, manifest = $3 WHERE id = $1 AND published_at = 0 AND replaced_at = 0`,
			importID, micros(a.At), string(manifest))
		switch {
		case isUnique(err):
			return pipeline.ErrExists
		case err != nil:
			return err
		case tag.RowsAffected() == 0:
			return pipeline.ErrConflict
		}
		return audit(ctx, q, a)
	})
	if err != nil {
		return err
	}
	// The planner has to know what was loaded before the first courier asks. It is
	// published all the same if this fails; autovacuum gets there later.
	_ = l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, `ANALYZE notices, people, tokens`)
		return err
	})
	return nil
}

// Merged ends the absorption of an import.
func (l *Ledger) Merged(ctx context.Context, importID int64, at time.Time) error {
	return l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE imports SET merged_at = $2 WHERE id = $1 AND published_at <> 0`, importID, micros(at))
		if err == nil && tag.RowsAffected() == 0 {
			return pipeline.ErrNotFound
		}
		return err
	})
}

// condemn ends an unpublished import: from now on it can neither be staged to nor
// be published. Times are the database's.
const condemn = `UPDATE imports SET replaced_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint WHERE published_at = 0 AND replaced_at = 0`

// Discard removes an unpublished import.
func (l *Ledger) Discard(ctx context.Context, importID int64) error {
	err := l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if _, err := q.Exec(ctx, condemn+` AND id = $1`, importID); err != nil {
			return err
		}
		var published bool
		err := q.QueryRow(ctx, `SELECT published_at <> 0 FROM imports WHERE id = $1`, importID).Scan(&published)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return pipeline.ErrNotFound
		case err == nil && published:
			return pipeline.ErrConflict
		}
		return err
	})
	if err != nil {
		return err
	}
	return l.wipe(ctx, importID)
}

// Sweep removes what replaced and abandoned imports left.
func (l *Ledger) Sweep(ctx context.Context, campaign int64, stagedBefore time.Time) error {
	err := l.on(ctx, l.desk, func(ctx context.Context, q querier) error {
		_, err := q.Exec(ctx, condemn+` AND campaign_id = $1 AND staged_at < $2`, campaign, micros(stagedBefore))
		return err
	})
	if err != nil {
		return err
	}
	ids, err := query(ctx, l, l.desk, pgx.RowTo[int64], `SELECT id FROM imports WHERE campaign_id = $1 AND replaced_at <> 0 AND swept_at = 0 ORDER BY id`, campaign)
	for _, id := range ids {
		if err := l.wipe(ctx, id); err != nil {
			return err
		}
	}
	return err
}

// wipeRows is how many notices or tokens a short transaction of wipe removes.
const wipeRows = 2000

// wipe removes everything that hangs on an import which is not in force, in short
// transactions. It can be repeated from wherever it stopped.
func (l *Ledger) wipe(ctx context.Context, importID int64) error {
	for after := int64(0); ; {
		ids, err := query(ctx, l, l.desk, pgx.RowTo[int64], `WITH batch AS MATERIALIZED (
				SELECT notice_id FROM people WHERE import_id = $1 AND notice_id > $2 ORDER BY notice_id LIMIT $3
			), e AS (DELETE FROM events WHERE notice_id IN (SELECT notice_id FROM batch)
			), a AS (DELETE FROM attempts WHERE notice_id IN (SELECT notice_id FROM batch)
			), n AS (DELETE FROM notices WHERE id IN (SELECT notice_id FROM batch)
			), b AS (DELETE FROM absorptions WHERE notice_id IN (SELECT notice_id FROM batch) OR parent_id IN (SELECT notice_id FROM batch)
			), p AS (DELETE FROM people WHERE notice_id IN (SELECT notice_id FROM batch))
			SELECT coalesce(max(notice_id), 0) FROM batch`, importID, after, wipeRows)
		if err != nil {
			return err
		}
		if after = ids[0]; after == 0 {
			break
		}
	}
	for after := ([16]byte{}); ; {
		hashes, err := query(ctx, l, l.desk, pgx.RowTo[[16]byte], `WITH gone AS (
				DELETE FROM tokens WHERE ctid = ANY (ARRAY (
					SELECT ctid FROM tokens WHERE import_id = $1 AND hash >= $2 ORDER BY hash, notice_id LIMIT $3))
				RETURNING hash)
			SELECT hash FROM gone ORDER BY hash DESC LIMIT 1`, importID, after, wipeRows)
		if err != nil {
			return err
		}
		if len(hashes) == 0 {
			break
		}
		after = hashes[0]
	}
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if _, err := q.Exec(ctx, `DELETE FROM tallies WHERE import_id = $1`, importID); err != nil {
			return err
		}
		if _, err := q.Exec(ctx, `DELETE FROM imports WHERE id = $1 AND published_at = 0`, importID); err != nil {
			return err
		}
		_, err := q.Exec(ctx, `UPDATE imports SET swept_at = replaced_at WHERE id = $1`, importID)
		return err
	})
}
