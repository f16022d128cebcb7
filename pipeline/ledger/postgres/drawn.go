package postgres

import (
	"context"

	"github.com/art34/art34/pipeline"
)

// DrawRun notes what the drawing says about letters of a run.
func (l *Ledger) DrawRun(ctx context.Context, id int64, letters []pipeline.Drawn) error {
	var notice, gen []int64
	var seq, page, pages []int32
	var sums [][]byte
	for _, d := range letters {
		notice, gen = append(notice, d.Notice), append(gen, d.Gen)
		seq, page, pages = append(seq, int32(d.Seq)), append(page, int32(d.FirstPage)), append(pages, int32(d.Pages))
		sums = append(sums, bytes(d.Bytes))
	}
	return l.tx(ctx, l.hot, func(ctx context.Context, q querier) error {
		if err := runIn(ctx, q, id, pipeline.RunCut); err != nil {
			return err
		}
		tag, err := q.Exec(ctx, `UPDATE attempts a SET bytes = d.bytes
			FROM unnest($2::bigint[], $3::bigint[], $4::int[], $5::bytea[]) AS d (notice_id, gen, seq, bytes)
			JOIN notices n ON n.id = d.notice_id AND n.gen = d.gen AND n.state = 'printing'
			WHERE a.notice_id = d.notice_id AND a.n = n.attempt AND a.run_id = $1 AND a.seq = d.seq`, id, notice, gen, seq, sums)
		if err != nil {
			return err
		}
		placed, err := q.Exec(ctx, `UPDATE run_items r SET first_page = d.first_page, pages = d.pages
			FROM unnest($2::bigint[], $3::int[], $4::int[], $5::int[]) AS d (notice_id, seq, first_page, pages)
			WHERE r.run_id = $1 AND r.seq = d.seq AND r.notice_id = d.notice_id AND r.state = 'in'`, id, notice, seq, page, pages)
		if err == nil && (tag.RowsAffected() != int64(len(letters)) || placed.RowsAffected() != int64(len(letters))) {
			err = pipeline.ErrStale
		}
		return err
	})
}

// printing locks the notices, and is pipeline.ErrStale unless all are Printing in
// their generation.
func printing(ctx context.Context, q querier, tickets []pipeline.Ticket) error {
	if len(tickets) == 0 {
		return nil
	}
	var notice, gen []int64
	for _, k := range tickets {
		notice, gen = append(notice, k.Notice), append(gen, k.Gen)
	}
	var n int
	err := q.QueryRow(ctx, `SELECT count(*) FROM (
		SELECT FROM unnest($1::bigint[], $2::bigint[]) AS d (id, gen) JOIN notices n ON n.id = d.id
		WHERE n.gen = d.gen AND n.state = 'printing' ORDER BY n.id FOR SHARE OF n) AS s`, notice, gen).Scan(&n)
	if err == nil && n != len(tickets) {
		err = pipeline.ErrStale
	}
	return err
}
