package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

const (
	// Rows of one INSERT: a statement costs about as much as two rows.
	noticesAtOnce, tokensAtOnce = 25, 100
	// Rows of one transaction while staging, short enough that a running service
	// beside it keeps its pace.
	noticesInTx, tokensInTx = 1000, 5000
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
			for rest := part; len(rest) > 0; {
				some := rest[:1]
				if len(rest) >= noticesAtOnce {
					some = rest[:noticesAtOnce]
				}
				if err := t.stage(campaign, importID, some); err != nil {
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

func (t *tx) stage(campaign, importID int64, some []pipeline.Staged) error {
	notices := make([]any, 0, len(some)*noticeWidth)
	people := make([]any, 0, len(some)*2)
	for _, s := range some {
		n := s.Notice
		n.Campaign, n.Import = campaign, importID
		if n.Born == "" {
			n.Born = n.State
		}
		notices = noticeValues(notices, &n)
		people = append(people, n.ID, blob(s.Sealed))
		t.tally(tallyOf(n), 1)
	}
	texts := &t.w.one
	if len(some) > 1 {
		texts = &t.w.many
	}
	if _, err := t.exec(texts.notices, notices...); err != nil {
		return err
	}
	_, err := t.exec(texts.people, people...)
	return err
}

// bulk are the statements that load an import, for so many rows at once.
type bulk struct{ notices, people, tokens string }

func newBulk(notices, tokens int) bulk {
	return bulk{stageText(notices), sealText(notices), tokenText(tokens)}
}

func stageText(rows int) string {
	return `INSERT INTO notices (` + strings.ReplaceAll(noticeColumns, "n.", "") + `) VALUES ` + repeated(marks(noticeWidth), rows)
}

func sealText(rows int) string {
	return `INSERT INTO people (notice_id, sealed) VALUES ` + repeated(marks(2), rows)
}

func repeated(s string, n int) string { return s + strings.Repeat(", "+s, n-1) }

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
				some, query := rest[:1], t.w.one.tokens
				if len(rest) >= tokensAtOnce {
					some, query = rest[:tokensAtOnce], t.w.many.tokens
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
