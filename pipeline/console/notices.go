package console

import (
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
	"github.com/art34/art34/pipeline/kit/inert"
)

// This file holds lists of notices by their cause, and what an import refused. A
// line names a reference, never a person.

func noticeRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/notices", may: ActCohort, do: listNotices},
		{pattern: "GET /campaigns/{name}/notices/csv", may: ActExport, sure: true, do: noticesCSV},
		{pattern: "GET /campaigns/{name}/import/rejects/{list}", may: ActPrepare, do: fetchRejects},
		{pattern: "POST /campaigns/{name}/proofs", may: ActProof, do: findProof},
	}
}

// noticesShown is how many notices a page lists.
const noticesShown = 100

// noticeList is a page of them.
type noticeList struct {
	Campaign pipeline.Campaign
	Filter   NoticeFilter
	Page     NoticePage
	Query    string // of this list
	Next     string // query of the following page
	States   []pipeline.State
}

// noticeFilter reads the list that an address asks for: codes and numbers only.
func (v *visit) noticeFilter() (NoticeFilter, error) {
	q := v.r.URL.Query()
	f := NoticeFilter{State: pipeline.State(q.Get("state")), Reason: q.Get("reason"), Limit: noticesShown, VIP: v.seesReserved()}
	if q.Get("state") == "" {
		f.State = pipeline.Held
	}
	if !slices.Contains(pipeline.States(), f.State) || len(f.Reason) > 200 {
		return f, pipeline.ErrNotFound
	}
	if text := q.Get("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return f, pipeline.ErrNotFound
		}
		f.After = n
	}
	return f, nil
}

// seesReserved reports whether the visitor may see customers whom only few may see.
func (v *visit) seesReserved() bool {
	if v.program.ID != 0 {
		return slices.Contains(v.allowed(), string(ActVIP))
	}
	return May(v.user.Roles, ActVIP)
}

func (f NoticeFilter) query() url.Values {
	q := url.Values{"state": {string(f.State)}}
	if f.Reason != "" {
		q.Set("reason", f.Reason)
	}
	return q
}

func listNotices(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f, err := v.noticeFilter()
	if err != nil {
		return err
	}
	d := noticeList{Campaign: c, Filter: f, Query: f.query().Encode(), States: pipeline.States()}
	if d.Page, err = v.ops().Notices(v.ctx(), c.Name, f); err != nil {
		return err
	}
	if d.Page.Next > 0 {
		q := f.query()
		q.Set("after", strconv.FormatInt(d.Page.Next, 10))
		d.Next = q.Encode()
	}
	return v.page("notices", d)
}

func noticesCSV(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f, err := v.noticeFilter()
	if err != nil {
		return err
	}
	v.noteOf(c.ID, "export", "", "notices "+string(f.State)+" "+plainName(f.Reason))
	v.attachment("text/csv; charset=utf-8", c.Name+"-"+string(f.State)+".csv")
	if err := v.ops().NoticeCSV(v.ctx(), c.Name, f, v.w); err != nil {
		v.Log.Error("a list of notices has broken off", "campaign", c.ID, "error", err)
		panic(http.ErrAbortHandler) // half a list must not look like a whole one
	}
	return nil
}

// attachment announces a file to keep.
func (v *visit) attachment(kind, name string) {
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+plainName(name)+`"`)
	_ = http.NewResponseController(v.w).SetWriteDeadline(clock.Real{}.Now().Add(time.Hour))
}

// fetchRejects hands the rows out that an import refused. Its cells were made
// harmless when they were written, and are once more: the file lay in a folder that
// people edit.
func fetchRejects(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f, err := v.ops().Rejects(v.ctx(), c.Name, v.r.PathValue("list"))
	if err != nil {
		return err
	}
	defer f.Close()
	v.noteOf(c.ID, "import-rejects", "", plainName(v.r.PathValue("list")))
	v.attachment("text/csv; charset=utf-8", v.r.PathValue("list"))
	r, w := csv.NewReader(f), inert.NewTable(v.w)
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if err := w.Write(row...); err != nil {
			return errAnswered
		}
	}
	if w.Flush() != nil {
		return errAnswered
	}
	return nil
}

// findProof goes to the letter of a customer whom somebody chose by number. The
// number is in no address.
func findProof(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	number := v.value("customer")
	if number == "" {
		v.wrong("customer", "problem.needed")
	} else {
		id, err := v.ops().NoticeOf(v.ctx(), c.Name, number)
		if err == nil {
			return v.seeOther(campaignPath(c) + "/proofs/" + strconv.FormatInt(id, 10))
		}
		if !errors.Is(err, pipeline.ErrNotFound) {
			return err
		}
		v.wrong("customer", "problem.customer")
	}
	return v.proofList(c, http.StatusUnprocessableEntity)
}
