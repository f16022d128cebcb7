package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

const (
	// Rows of one transaction while staging, short enough that a running service
	// beside it keeps its pace.
	noticesInTx, tokensInTx = 1000, 5000
	// tokensAtOnce is how many tokens one INSERT adds. Notices go one by one: several
	// at once gain nothing, because SQLite then keeps a journal of the statement.
	tokensAtOnce = 100
)

// ReserveIDs returns the first of n fresh notice ids in a row.
func (l *Ledger) ReserveIDs(ctx context.Context, n int) (first int64, err error) {
	if n < 0 {
		return 0, fmt.Errorf("ledger: %d ids asked for", n)
	}
	err = l.write(ctx, "reserve ids", 1, func(t *tx) error {
		return t.scan(`UPDATE sequences SET next = next + ? WHERE name = 'notice' RETURNING next - ?`, []any{n, n}, &first)
	})
	return first, err
}

// Stage adds notices of an unpublished import.
func (l *Ledger) Stage(ctx context.Context, importID int64, batch []pipeline.Staged) error {
	for len(batch) > 0 {
		part := batch[:min(len(batch), noticesInTx)]
		batch = batch[len(part):]
		err := l.write(ctx, "stage", len(part), func(t *tx) error {
			campaign, _, err := t.staging(importID)
			if err != nil {
				return err
			}
			for i := range part {
				if err := t.stage(campaign, importID, &part[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	stageText = `INSERT INTO notices (id, campaign_id, import_id, parent_id, role, person,
		state, channel, lane, attempt, kind, due_at, reason, reach, doubts, resends, first_at, gen, owner, moved_at,
		born, provider, locale, format, country, area, sender, kinds, products, flags, defects)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sealText = `INSERT INTO people (notice_id, sealed) VALUES (?, ?)`
)

func (t *tx) stage(campaign, importID int64, s *pipeline.Staged) error {
	n := s.Notice
	n.Campaign, n.Import = campaign, importID
	if n.Born == "" {
		n.Born = n.State
	}
	if _, err := t.exec(stageText, noticeValues(&n)...); err != nil {
		return err
	}
	t.tally(tallyOf(n), 1)
	_, err := t.exec(sealText, n.ID, blob(s.Sealed))
	return err
}

// StageTokens adds tokens of an unpublished import.
func (l *Ledger) StageTokens(ctx context.Context, importID int64, batch []pipeline.Token) error {
	for len(batch) > 0 {
		part := batch[:min(len(batch), tokensInTx)]
		batch = batch[len(part):]
		// Counted as few rows, because these are short.
		err := l.write(ctx, "stage tokens", len(part)/4, func(t *tx) error {
			if _, _, err := t.staging(importID); err != nil {
				return err
			}
			args := make([]any, 0, 1+2*tokensAtOnce)
			for rest := part; len(rest) > 0; {
				some, query := rest[:1], t.w.oneToken
				if len(rest) >= tokensAtOnce {
					some, query = rest[:tokensAtOnce], t.w.manyTokens
				}
				args = append(args[:0], importID)
				for i := range some {
					args = append(args, some[i].Hash[:], some[i].Notice)
				}
				if _, err := t.exec(query, args...); err != nil {
					return err
				}
				rest = rest[len(some):]
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func tokenText(rows int) string {
	var b strings.Builder
	b.WriteString(`INSERT OR IGNORE INTO tokens (import_id, hash, notice_id) VALUES `)
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("(?1, ?" + strconv.Itoa(2*i+2) + ", ?" + strconv.Itoa(2*i+3) + ")")
	}
	return b.String()
}
