package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/art34/art34/pipeline"
)

// People returns the primary notices of persons.
func (l *Ledger) People(ctx context.Context, campaign int64, persons [][]byte) (map[string]pipeline.Job, error) {
	all := make(map[string]pipeline.Job, len(persons))
	for part := range slices.Chunk(persons, pageSize) {
		keys := make([]string, len(part))
		for i, p := range part {
			keys[i] = hex.EncodeToString(p)
		}
		text, err := json.Marshal(keys)
		if err != nil {
			return nil, err
		}
		err = l.rows(ctx, "look persons up", func(r *sql.Rows) error {
			j, err := scanJob(r)
			if first, ok := all[string(j.Person)]; !ok || j.ID < first.ID {
				all[string(j.Person)] = j
			}
			return err
		}, `SELECT `+noticeColumns+`, p.sealed FROM json_each(?) AS k CROSS JOIN imports AS i
			CROSS JOIN notices AS n INDEXED BY notices_person ON n.import_id = i.id AND n.person = unhex(k.value) AND n.role = 'primary'
			CROSS JOIN people AS p ON p.notice_id = n.id
			WHERE i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0`, string(text), campaign)
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Siblings returns the supplements of a primary notice, oldest first.
func (l *Ledger) Siblings(ctx context.Context, parent int64) ([]pipeline.Job, error) {
	return list(ctx, l, "look for supplements", scanJob, `SELECT `+noticeColumns+`, p.sealed FROM notices AS n INDEXED BY notices_parent
		CROSS JOIN people AS p ON p.notice_id = n.id`+visible+` WHERE n.parent_id = ? AND n.role = 'supplement' ORDER BY n.id`, parent)
}

// Unmerged returns supplements of an import in order of ID.
func (l *Ledger) Unmerged(ctx context.Context, importID, after int64, limit int) ([]pipeline.Job, error) {
	return list(ctx, l, "look for supplements", scanJob, `SELECT `+noticeColumns+`, p.sealed FROM notices AS n INDEXED BY notices_supplement
		CROSS JOIN people AS p ON p.notice_id = n.id`+visible+` WHERE n.import_id = ? AND n.role = 'supplement' AND n.id > ? ORDER BY n.id LIMIT ?`, importID, after, limit)
}

// Search returns the notices that a token leads to, newest first.
func (l *Ledger) Search(ctx context.Context, campaign int64, token [16]byte, limit int) (ids []int64, bystanderOf int64, err error) {
	err = l.rows(ctx, "search", func(r *sql.Rows) error {
		var id, of int64
		err := r.Scan(&id, &of)
		if id == 0 {
			bystanderOf = max(bystanderOf, of)
		} else if len(ids) < limit {
			ids = append(ids, id)
		}
		return err
	}, `SELECT DISTINCT coalesce(n.id, 0), iif(n.id IS NULL, i.id, 0) FROM imports AS i
		CROSS JOIN tokens AS t ON t.import_id = i.id AND t.hash = ?
		LEFT JOIN absorptions AS a ON a.notice_id = t.notice_id
		LEFT JOIN notices AS n ON n.id = coalesce(a.parent_id, t.notice_id)
		WHERE i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0 AND (t.notice_id = 0 OR n.id IS NOT NULL)
		ORDER BY 1 DESC`, token[:], campaign)
	return ids, bystanderOf, err
}

// Concerned returns those of the tokens that lead to a notice.
func (l *Ledger) Concerned(ctx context.Context, campaign int64, tokens [][16]byte) (map[[16]byte]bool, error) {
	asked := make([]string, len(tokens))
	for i, t := range tokens {
		asked[i] = hex.EncodeToString(t[:])
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	found := map[[16]byte]bool{}
	err = l.rows(ctx, "search many", func(r *sql.Rows) error {
		var hash []byte
		if err := r.Scan(&hash); err != nil || len(hash) != 16 {
			return err
		}
		found[[16]byte(hash)] = true
		return nil
	}, `SELECT DISTINCT t.hash FROM json_each(?) AS k CROSS JOIN imports AS i
		CROSS JOIN tokens AS t ON t.import_id = i.id AND t.hash = unhex(k.value)
		LEFT JOIN absorptions AS a ON a.notice_id = t.notice_id
		JOIN notices AS n ON n.id = coalesce(a.parent_id, t.notice_id)
		WHERE i.campaign_id = ? AND i.published_at > 0 AND i.replaced_at = 0`, string(text), campaign)
	return found, err
}

// Notice returns one notice, or pipeline.ErrNotFound.
func (l *Ledger) Notice(ctx context.Context, id int64) (pipeline.Job, error) {
	return one(ctx, l, "read notice", scanJob, `SELECT `+noticeColumns+`, p.sealed FROM notices AS n JOIN people AS p ON p.notice_id = n.id`+visible+` WHERE n.id = ?`, id)
}

// Events returns the events of a notice, oldest first.
func (l *Ledger) Events(ctx context.Context, notice int64) ([]pipeline.Event, error) {
	return list(ctx, l, "read events", scanEvent, `SELECT `+eventColumns+` FROM notices AS n`+visible+`
		CROSS JOIN events AS e INDEXED BY events_notice ON e.notice_id = n.id WHERE n.id = ? ORDER BY e.id`, notice)
}

// Attempts returns the attempts of a notice, oldest first.
func (l *Ledger) Attempts(ctx context.Context, notice int64) ([]pipeline.Attempt, error) {
	return list(ctx, l, "read attempts", scanAttempt, `SELECT `+attemptColumns+` FROM notices AS n`+visible+`
		JOIN attempts AS a ON a.notice_id = n.id WHERE n.id = ? ORDER BY a.n`, notice)
}
