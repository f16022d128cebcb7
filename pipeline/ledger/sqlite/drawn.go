package sqlite

import (
	"context"
	"encoding/json"

	"github.com/art34/art34/pipeline"
)

// DrawRun notes what the drawing says about letters of a run. It reads their notices
// and leaves them alone: rewriting those cost most of the time that others waited.
func (l *Ledger) DrawRun(ctx context.Context, id int64, letters []pipeline.Drawn) error {
	return l.write(ctx, "note what was drawn", len(letters), func(t *tx) error {
		if err := t.runIn(id, pipeline.RunCut); err != nil {
			return err
		}
		for _, d := range letters {
			n, err := t.exec(`UPDATE attempts SET bytes = ? WHERE notice_id = ? AND run_id = ? AND seq = ?
				AND n = (SELECT attempt FROM notices WHERE id = ? AND gen = ? AND state = 'printing')`,
				blob(d.Bytes), d.Notice, id, int64(d.Seq), d.Notice, d.Gen)
			if err != nil {
				return err
			}
			m, err := t.exec(`UPDATE run_items SET first_page = ?, pages = ? WHERE run_id = ? AND seq = ? AND notice_id = ? AND state = 'in'`,
				int64(d.FirstPage), int64(d.Pages), id, int64(d.Seq), d.Notice)
			if err != nil {
				return err
			}
			if n != 1 || m != 1 {
				return pipeline.ErrStale
			}
		}
		return nil
	})
}

// printing is pipeline.ErrStale unless all the notices are Printing in their
// generation.
func (t *tx) printing(tickets []pipeline.Ticket) error {
	if len(tickets) == 0 {
		return nil
	}
	list := make([][2]int64, len(tickets))
	for i, k := range tickets {
		list[i] = [2]int64{k.Notice, k.Gen}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	var n int
	err = t.scan(`SELECT count(*) FROM json_each(?) AS k CROSS JOIN notices AS n ON n.id = k.value ->> 0 WHERE n.gen = k.value ->> 1 AND n.state = 'printing'`,
		[]any{string(text)}, &n)
	if err == nil && n != len(tickets) {
		err = pipeline.ErrStale
	}
	return err
}
