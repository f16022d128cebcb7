package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/art34/art34/pipeline"
)

const proposalColumns = `id, call_id, campaign_id, notice_id, what, sealed, reason, asked_by, asked_at, state, decided_by, decided_at, note, applied_at`

func proposalFields(p *pipeline.Proposal) []any {
	return []any{&p.ID, &p.Call, &p.Campaign, &p.Notice, &p.What, &p.Sealed, &p.Reason, &p.AskedBy, when{&p.AskedAt}, &p.State, &p.DecidedBy, when{&p.DecidedAt}, &p.Note, when{&p.AppliedAt}}
}

// Propose stores a proposal as waiting, in place of what waits already.
func (l *Ledger) Propose(ctx context.Context, p pipeline.Proposal, s pipeline.CallStep) (_ pipeline.Proposal, replaced []int64, err error) {
	p.State = pipeline.ProposalWaiting
	err = l.write(ctx, "propose", 3, func(t *tx) error {
		if replaced, err = t.replace(p); err != nil {
			return err
		}
		err := t.scan(`INSERT INTO proposals (call_id, campaign_id, notice_id, what, sealed, reason, asked_by, asked_at, state, decided_by, decided_at, note)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '') RETURNING id`,
			[]any{p.Call, p.Campaign, p.Notice, string(p.What), blob(p.Sealed), clean(p.Reason), clean(p.AskedBy), micros(p.AskedAt), string(p.State)}, &p.ID)
		if err != nil {
			return err
		}
		s.Call, s.Detail = p.Call, strconv.FormatInt(p.ID, 10)
		return t.step(s)
	})
	return p, replaced, err
}

// replace lets what waits for the address that p corrects give way to it.
func (t *tx) replace(p pipeline.Proposal) (ids []int64, err error) {
	const waits = ` WHERE state = 'waiting' AND campaign_id = ? AND notice_id = ? AND what = ?`
	err = t.rows(func(r *sql.Rows) error {
		var id int64
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM proposals`+waits+` ORDER BY id`, p.Campaign, p.Notice, string(p.What))
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	_, err = t.exec(`UPDATE proposals SET state = 'failed', note = ?, decided_by = ?, decided_at = ?`+waits,
		pipeline.ProposalReplaced, clean(p.AskedBy), micros(p.AskedAt), p.Campaign, p.Notice, string(p.What))
	return ids, err
}

// Proposal returns a proposal.
func (l *Ledger) Proposal(ctx context.Context, id int64) (pipeline.Proposal, error) {
	return one(ctx, l, "read proposal", scanner(proposalFields), `SELECT `+proposalColumns+` FROM proposals WHERE id = ?`, id)
}

// Proposals returns those in a state, oldest first.
func (l *Ledger) Proposals(ctx context.Context, s pipeline.ProposalState) ([]pipeline.Proposal, error) {
	return list(ctx, l, "read proposals", scanner(proposalFields), `SELECT `+proposalColumns+` FROM proposals WHERE state = ? ORDER BY id`, string(s))
}

// Unapplied returns those that are accepted and not in force yet, oldest first.
func (l *Ledger) Unapplied(ctx context.Context) ([]pipeline.Proposal, error) {
	return list(ctx, l, "read proposals", scanner(proposalFields), `SELECT `+proposalColumns+` FROM proposals WHERE state = 'accepted' AND applied_at = 0 ORDER BY id`)
}

// Decide writes what somebody decided about a proposal.
func (l *Ledger) Decide(ctx context.Context, p pipeline.Proposal, from pipeline.ProposalState, a pipeline.Audit) error {
	return l.write(ctx, "decide", 2, func(t *tx) error {
		n, err := t.exec(`UPDATE proposals SET state = ?, decided_by = ?, decided_at = ?, note = ?, applied_at = ? WHERE id = ? AND state = ? AND applied_at = 0`,
			string(p.State), clean(p.DecidedBy), micros(p.DecidedAt), clean(p.Note), micros(p.AppliedAt), p.ID, string(from))
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrConflict
		}
		return t.audit(a)
	})
}

// AddCopy stores a copy of a notice in force.
func (l *Ledger) AddCopy(ctx context.Context, s pipeline.Staged, copied int64, tokens []pipeline.Token, a pipeline.Audit) error {
	return l.write(ctx, "add copy", 3+len(tokens), func(t *tx) error {
		var campaign, in int64
		err := t.scan(`SELECT n.campaign_id, n.import_id FROM notices AS n`+visible+` WHERE n.id = ?`, []any{s.Notice.Parent}, &campaign, &in)
		if errors.Is(err, sql.ErrNoRows) {
			return pipeline.ErrNotFound
		}
		if err != nil {
			return err
		}
		n, err := t.exec(`UPDATE imports SET copied = copied + 1 WHERE id = ? AND copied = ?`, in, copied)
		if err != nil {
			return err
		}
		if n == 0 {
			return pipeline.ErrStale
		}
		if err := t.stage(campaign, in, &s); err != nil {
			return err
		}
		for _, x := range tokens {
			if _, err := t.exec(`INSERT OR IGNORE INTO tokens (import_id, hash, notice_id) VALUES (?, ?, ?)`, in, x.Hash[:], s.Notice.ID); err != nil {
				return err
			}
		}
		return t.audit(a)
	})
}
