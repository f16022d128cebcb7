package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/art34/art34/pipeline"
)

const importColumns = `id, campaign_id, content, staged_at, published_at, replaced_at, merged_at, absorbed, copied, actor, manifest`

func importFields(i *pipeline.Import, manifest *[]byte) []any {
	return []any{&i.ID, &i.Campaign, &i.Content, when{&i.StagedAt}, when{&i.PublishedAt}, when{&i.ReplacedAt}, when{&i.MergedAt}, &i.Absorbed, &i.Copied, &i.Actor, manifest}
}

func scanImport(r *sql.Rows) (i pipeline.Import, err error) {
	var manifest []byte
	if err = r.Scan(importFields(&i, &manifest)...); err == nil {
		err = json.Unmarshal(manifest, &i.Manifest)
	}
	return i, err
}

// Imports returns all imports of a campaign, oldest first.
func (l *Ledger) Imports(ctx context.Context, campaign int64) ([]pipeline.Import, error) {
	return list(ctx, l, "read imports", scanImport, `SELECT `+importColumns+` FROM imports WHERE campaign_id = ? ORDER BY id`, campaign)
}

const sameContent = ` FROM imports WHERE campaign_id = ? AND content = ? AND published_at > 0 AND replaced_at = 0 AND id <> ? ORDER BY id LIMIT 1`

// BeginImport stores an unpublished import.
func (l *Ledger) BeginImport(ctx context.Context, i pipeline.Import) (pipeline.Import, error) {
	manifest, err := json.Marshal(i.Manifest)
	if err != nil {
		return i, err
	}
	var there *pipeline.Import
	err = l.write(ctx, "begin import", 1, func(t *tx) error {
		var known pipeline.Import
		var text []byte
		err := t.scan(`SELECT `+importColumns+sameContent, []any{i.Campaign, i.Content, 0}, importFields(&known, &text)...)
		if err == nil {
			there = &known
			return errors.Join(pipeline.ErrExists, json.Unmarshal(text, &known.Manifest))
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return t.scan(`INSERT INTO imports (campaign_id, content, staged_at, actor, manifest) VALUES (?, ?, ?, ?, ?) RETURNING id`,
			[]any{i.Campaign, i.Content, micros(i.StagedAt), i.Actor, string(manifest)}, &i.ID)
	})
	if there != nil {
		return *there, err
	}
	i.StagedAt = moment(micros(i.StagedAt))
	i.PublishedAt, i.ReplacedAt, i.MergedAt, i.Absorbed, i.Copied = time.Time{}, time.Time{}, time.Time{}, 0, 0
	return i, err
}

// errDiscarded says that an import is on its way out.
var errDiscarded = fmt.Errorf("the import was discarded: %w", pipeline.ErrConflict)

// staging returns the campaign and content of an import that takes notices, and
// pipeline.ErrConflict for one that does not any more.
func (t *tx) staging(id int64) (campaign int64, content string, err error) {
	var published, swept int64
	err = t.scan(`SELECT campaign_id, content, published_at, swept_at FROM imports WHERE id = ?`, []any{id}, &campaign, &content, &published, &swept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, "", pipeline.ErrNotFound
	case err == nil && published > 0:
		return 0, "", pipeline.ErrConflict
	case err == nil && swept > 0:
		return campaign, content, errDiscarded
	}
	return campaign, content, err
}

// Publish makes an import visible at once.
func (l *Ledger) Publish(ctx context.Context, importID int64, m pipeline.Manifest, replace bool, a pipeline.Audit) error {
	manifest, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return l.write(ctx, "publish", 1, func(t *tx) error {
		campaign, content, err := t.staging(importID)
		if err != nil {
			return err
		}
		err = t.scan(`SELECT id`+sameContent, []any{campaign, content, importID}, new(int64))
		if !errors.Is(err, sql.ErrNoRows) {
			return errors.Join(err, pipeline.ErrExists)
		}
		at := micros(a.At)
		if replace {
			if err := t.launched(campaign); err != nil {
				return err
			}
			if _, err := t.exec(`UPDATE imports SET replaced_at = ? WHERE campaign_id = ? AND published_at > 0 AND replaced_at = 0`, at, campaign); err != nil {
				return err
			}
		}
		defer t.forget()
		if _, err := t.exec(`UPDATE imports SET published_at = ?, manifest = ? WHERE id = ?`, at, string(manifest), importID); err != nil {
			return err
		}
		return t.audit(a)
	})
}

// launched returns ErrConflict if the campaign was launched.
func (t *tx) launched(campaign int64) error {
	var yes bool
	err := t.scan(`SELECT launch_at > 0 OR state NOT IN ('draft', 'approved') FROM campaigns WHERE id = ?`, []any{campaign}, &yes)
	if err == nil && yes {
		return pipeline.ErrConflict
	}
	return err
}

// Merged ends the absorption of an import.
func (l *Ledger) Merged(ctx context.Context, importID int64, at time.Time) error {
	return l.write(ctx, "end the absorption", 1, func(t *tx) error {
		defer t.forget()
		n, err := t.exec(`UPDATE imports SET merged_at = ? WHERE id = ? AND published_at > 0`, micros(at), importID)
		if err == nil && n == 0 {
			err = pipeline.ErrNotFound
		}
		return err
	})
}

// Discard removes an unpublished import.
func (l *Ledger) Discard(ctx context.Context, importID int64) error {
	// Marked first: who still stages or wants to publish it is refused from now on.
	err := l.write(ctx, "discard", 1, func(t *tx) error {
		if _, _, err := t.staging(importID); err != nil && !errors.Is(err, errDiscarded) {
			return err
		}
		_, err := t.exec(`UPDATE imports SET swept_at = 1 WHERE id = ?`, importID)
		return err
	})
	if err != nil {
		return err
	}
	return l.wipe(ctx, importID, `DELETE FROM imports WHERE id = ?`)
}

// Sweep removes what replaced and abandoned imports left.
func (l *Ledger) Sweep(ctx context.Context, campaign int64, stagedBefore time.Time) error {
	replaced, err := list(ctx, l, "sweep", scanInt, `SELECT id FROM imports WHERE campaign_id = ? AND replaced_at > 0 AND swept_at = 0`, campaign)
	for _, id := range replaced {
		err = errors.Join(err, l.wipe(ctx, id, `UPDATE imports SET swept_at = replaced_at WHERE id = ?`))
	}
	if err != nil {
		return err
	}
	abandoned, err := list(ctx, l, "sweep", scanInt, `SELECT id FROM imports WHERE campaign_id = ? AND published_at = 0 AND staged_at < ?`, campaign, micros(stagedBefore))
	for _, id := range abandoned {
		err = errors.Join(err, l.Discard(ctx, id))
	}
	return err
}

// wipeRows is how many rows a short transaction of wipe removes.
const wipeRows = 1000

// wipe removes everything that hangs on an import, in short transactions, and
// then runs the statement end on it.
func (l *Ledger) wipe(ctx context.Context, importID int64, end string) error {
	const some = ` IN (SELECT id FROM notices INDEXED BY notices_import WHERE import_id = ? ORDER BY id LIMIT ?)`
	for _, queries := range [][]string{
		{ // children first: their notices name them
			`DELETE FROM people WHERE notice_id` + some,
			`DELETE FROM events WHERE notice_id` + some,
			`DELETE FROM attempts WHERE notice_id` + some,
			`DELETE FROM notices WHERE id` + some,
		},
		{`DELETE FROM tokens WHERE import_id = ?1 AND (hash, notice_id) IN (SELECT hash, notice_id FROM tokens WHERE import_id = ?1 LIMIT ?2)`},
	} {
		for more := true; more; {
			err := l.write(ctx, "sweep", wipeRows, func(t *tx) error {
				for _, q := range queries {
					n, err := t.exec(q, importID, wipeRows)
					if err != nil {
						return err
					}
					more = n > 0
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return l.write(ctx, "sweep", 1, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM tallies WHERE import_id = ?`, importID); err != nil {
			return err
		}
		_, err := t.exec(end, importID)
		return err
	})
}
