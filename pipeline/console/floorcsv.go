package console

import (
	"bytes"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/inert"
)

// floorCSV hands the figures out as a table: a line a day or hour and code. Questions
// are in it for those who may read them.
func floorCSV(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f, err := v.figures(c)
	if err != nil {
		return err
	}
	rows := [][]string{{"what", "day", "hour", "code", "count", "text"}}
	add := func(what string, at time.Time, hour bool, code, count, text string) {
		clock := ""
		if hour {
			clock = at.Format("15:00")
		}
		rows = append(rows, []string{what, at.Format(time.DateOnly), clock, code, count, text})
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, d := range f.Days {
		add("calls", d.Day, false, "", number(d.Calls), "")
		add("letters", d.Day, false, "", number(d.Letters), "")
		if p := d.PerThousand(); p >= 0 {
			add("calls-per-thousand-letters", d.Day, false, "", strconv.FormatFloat(p, 'f', 2, 64), "")
		}
		add("complaints", d.Day, false, "", number(d.Complaint), "")
		add("new-questions", d.Day, false, "", number(d.Queries), "")
		add("forgeries", d.Day, false, "", number(d.Forgeries), "")
	}
	for _, h := range f.Hours {
		for _, code := range sortedKeys(h.Causes) {
			add("calls-by-cause", h.Hour, true, code, number(h.Causes[code]), "")
		}
	}
	for _, h := range f.ToldBy {
		code := h.Code
		if code == "" {
			code = "open"
		}
		add("calls-came-to", h.Hour, true, code, number(h.Count), "")
	}
	if May(v.user.Roles, ActPublish) {
		for last := int64(0); ; {
			list, err := v.Ledger.Queries(v.ctx(), c.ID, pipeline.QueryFilter{Before: last}, mostQueries)
			if err != nil {
				return err
			}
			for _, q := range list {
				add("question", q.AskedAt.In(v.zone()), true, string(q.State), "1", v.unsealed(c, q.Sealed, q.SealContext()))
				last = q.ID
			}
			if len(list) < mostQueries {
				break
			}
		}
	}
	v.noteOf(c.ID, "floor-csv", "", "")
	return v.csv("floor-"+c.CodeName+"-"+f.At.Format("20060102-1504")+".csv", rows)
}

// csv answers with a table that no spreadsheet runs.
func (v *visit) csv(name string, rows [][]string) error {
	var b bytes.Buffer
	w := inert.NewSheet(&b)
	for _, row := range rows {
		if err := w.Write(row...); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+plainName(name)+`"`)
	if _, err := b.WriteTo(v.w); err != nil {
		return errAnswered
	}
	return nil
}
