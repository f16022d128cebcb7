package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/art34/art34/pipeline"
)

const proposalColumns = `id, call_id, campaign_id, notice_id, what, sealed, reason, asked_by, asked_at, state, decided_by, decided_at, note, applied_at`

func rowToProposal(row pgx.CollectableRow) (p pipeline.Proposal, err error) {
	var asked, decided, applied int64
	err = row.Scan(&p.ID, &p.Call, &p.Campaign, &p.Notice, &p.What, &p.Sealed, &p.Reason, &p.AskedBy, &asked, &p.State, &p.DecidedBy, &decided, &p.Note, &applied)
	p.AskedAt, p.DecidedAt, p.AppliedAt = moment(asked), moment(decided), moment(applied)
	return p, err
}

// Propose stores a proposal as waiting, in place of what waits already. Those about one
// customer follow each other.
func (l *Ledger) Propose(ctx context.Context, p pipeline.Proposal, s pipeline.CallStep) (_ pipeline.Proposal, replaced []int64, err error) {
	p.State = pipeline.ProposalWaiting
	err = l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		if _, err := q.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, fmt.Sprintf("art34/propose/%d/%d", p.Campaign, p.Notice)); err != nil {
			return err
		}
		rows, err := q.Query(ctx, `UPDATE proposals SET state = 'failed', note = $1, decided_by = $2, decided_at = $3
			WHERE state = 'waiting' AND campaign_id = $4 AND notice_id = $5 AND what = $6 RETURNING id`,
			pipeline.ProposalReplaced, clean(p.AskedBy), micros(p.AskedAt), p.Campaign, p.Notice, string(p.What))
		if err != nil {
			return err
		}
		if replaced, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
			return err
		}
		slices.Sort(replaced)
		err = q.QueryRow(ctx, `INSERT INTO proposals (call_id, campaign_id, notice_id, what, sealed, reason, asked_by, asked_at, state, decided_by, decided_at, note)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, '') RETURNING id`,
			p.Call, p.Campaign, p.Notice, string(p.What), bytes(p.Sealed), clean(p.Reason), clean(p.AskedBy), micros(p.AskedAt), string(p.State)).Scan(&p.ID)
		if err != nil {
			return err
		}
		s.Detail = strconv.FormatInt(p.ID, 10)
		return addSteps(ctx, q, p.Call, []pipeline.CallStep{s})
	})
	return p, replaced, err
}

// Proposal returns a proposal.
func (l *Ledger) Proposal(ctx context.Context, id int64) (pipeline.Proposal, error) {
	return one(ctx, l, l.desk, rowToProposal, `SELECT `+proposalColumns+` FROM proposals WHERE id = $1`, id)
}

// Proposals returns those in a state, oldest first.
func (l *Ledger) Proposals(ctx context.Context, s pipeline.ProposalState) ([]pipeline.Proposal, error) {
	return query(ctx, l, l.desk, rowToProposal, `SELECT `+proposalColumns+` FROM proposals WHERE state = $1 ORDER BY id`, string(s))
}

// Unapplied returns those that are accepted and not in force yet, oldest first.
func (l *Ledger) Unapplied(ctx context.Context) ([]pipeline.Proposal, error) {
	return query(ctx, l, l.desk, rowToProposal, `SELECT `+proposalColumns+` FROM proposals WHERE state = 'accepted' AND applied_at = 0 ORDER BY id`)
}

// Decide writes what somebody decided about a proposal.
func (l *Ledger) Decide(ctx context.Context, p pipeline.Proposal, from pipeline.ProposalState, a pipeline.Audit) error {
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		tag, err := q.Exec(ctx, `UPDATE proposals SET state = $3, decided_by = $4, decided_at = $5, note = $6, applied_at = $7 WHERE id = $1 AND state = $2 AND applied_at = 0`,
			p.ID, string(from), string(p.State), clean(p.DecidedBy), micros(p.DecidedAt), clean(p.Note), micros(p.AppliedAt))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pipeline.ErrConflict
		}
		return audit(ctx, q, a)
	})
}

// AddCopy stores a copy of a notice in force.
func (l *Ledger) AddCopy(ctx context.Context, s pipeline.Staged, copied int64, tokens []pipeline.Token, a pipeline.Audit) error {
	return l.tx(ctx, l.desk, func(ctx context.Context, q querier) error {
		rows, err := q.Query(ctx, `SELECT n.campaign_id, n.import_id FROM notices n WHERE n.id = $1 AND `+inForce, s.Notice.Parent)
		if err != nil {
			return err
		}
		type place struct{ Campaign, Import int64 }
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[place])
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return pipeline.ErrNotFound
		}
		tag, err := q.Exec(ctx, `UPDATE imports SET copied = copied + 1 WHERE id = $1 AND copied = $2`, found[0].Import, copied)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pipeline.ErrStale
		}
		if s.Notice.Born == "" {
			s.Notice.Born = s.Notice.State
		}
		if err := stage(ctx, q, found[0].Campaign, found[0].Import, []pipeline.Staged{s}); err != nil {
			return err
		}
		for _, x := range tokens {
			if _, err := q.Exec(ctx, `INSERT INTO tokens (import_id, hash, notice_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, found[0].Import, x.Hash, s.Notice.ID); err != nil {
				return err
			}
		}
		return audit(ctx, q, a)
	})
}
