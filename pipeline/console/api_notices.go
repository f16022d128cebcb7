package console

import (
	"slices"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds for programs what is about notices one by one or by the day, what
// was approved, and the record. Nothing of it names a person.

func noticeEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns/{name}/planned", "showPlanned", "What is planned, by day: resends, fallback letters, windows that close.", ActSee, apiPlanned),
		endpointOf("GET", "/campaigns/{name}/versions", "listVersions", "What was approved, oldest first.", ActSee, apiVersions),
		endpointOf("GET", "/campaigns/{name}/outlook", "showOutlook", "What a launch would do, and how long it would take.", ActLaunch, apiOutlook),
		endpointOf("GET", "/campaigns/{name}/notices", "listNotices", "Notices in a state, by their cause.", ActCohort, apiNotices,
			queryField{"state", "held without it.", false}, queryField{"reason", "All without it.", false}, queryField{"limit", "How many, 100 at most.", true}, queryField{"after", "The value of next of the page before.", false}),
		endpointOf("POST", "/campaigns/{name}/doubts", "resolveDoubts", "Decide about all doubts: send again, or hold.", ActControl, apiDoubts),
		endpointOf("POST", "/campaigns/{name}/cancel", "cancel", "Give a campaign up: what has not left is cancelled, for good.", ActControl, apiCancel),
		endpointOf("GET", "/campaigns/{name}/audit", "listAudit", "The record of a campaign, newest first; 500 entries at most.", ActAudit, apiAudit),
	}
}

type plannedLine struct {
	Day     string `json:"day" eg:"2026-01-21" doc:"By the calendar of the campaign; a day before today: overdue."`
	State   string `json:"state" enum:"due|queued|in_doubt|accepted|posted"`
	Channel string `json:"channel" enum:"email|post"`
	Kind    string `json:"kind" eg:"resend" doc:"Of the attempt; empty of a window that closes."`
	Reason  string `json:"reason"`
	Notices int64  `json:"notices"`
}

type plannedList struct {
	Items []plannedLine `json:"items"`
}

func apiPlanned(v *visit, _ nothing) (plannedList, error) {
	d := plannedList{[]plannedLine{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	list, err := v.Board.Planned(v.ctx(), c)
	for _, p := range list {
		day := time.Date(1970, 1, 1+int(p.Day), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		d.Items = append(d.Items, plannedLine{day, string(p.State), string(p.Channel), string(p.Kind), p.Reason, p.Count})
	}
	return d, err
}

type versionLine struct {
	Version    int       `json:"version"`
	SHA256     string    `json:"sha256"`
	AuthoredBy string    `json:"authored_by" eg:"user:ana"`
	ApprovedBy string    `json:"approved_by" eg:"user:dpo"`
	ApprovedAt time.Time `json:"approved_at"`
	Population int64     `json:"population" doc:"At the time of the approval."`
	InForce    bool      `json:"in_force"`
}

type versionList struct {
	Items []versionLine `json:"items"`
}

func apiVersions(v *visit, _ nothing) (versionList, error) {
	d := versionList{[]versionLine{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	f, err := v.Board.Figures(v.ctx(), c)
	for _, x := range f.Versions {
		d.Items = append(d.Items, versionLine{x.N, x.Hash, x.AuthoredBy, x.ApprovedBy, x.ApprovedAt.UTC(), x.Population, x.N == c.Version})
	}
	return d, err
}

type outlook struct {
	Emails    int64   `json:"emails"`
	Letters   int64   `json:"letters"`
	Pages     int64   `json:"pages"`
	Sheets    int64   `json:"sheets"`
	Runs      int64   `json:"runs" doc:"Print runs."`
	Seconds   int64   `json:"seconds" doc:"That the e-mails take, without what comes back."`
	Days      []int64 `json:"days" doc:"E-mails of the first day, the second, …"`
	Bounces   int64   `json:"bounces" doc:"As assumed."`
	Fallbacks int64   `json:"fallbacks" doc:"Letters after dead addresses, as assumed."`
}

func apiOutlook(v *visit, _ nothing) (outlook, error) {
	c, err := v.campaign()
	if err != nil {
		return outlook{}, err
	}
	o, err := v.ops().Outlook(v.ctx(), c.Name)
	return outlook{o.Emails, o.Letters, o.Pages, o.Sheets, o.Runs, int64(o.EmailTime / time.Second), append([]int64{}, o.Days...), o.Bounces, o.Fallbacks}, err
}

type noticeState struct {
	Notice    int64      `json:"notice"`
	Reference string     `json:"reference" eg:"7KQ2-M9XD-4T0V" doc:"Empty where the keys are gone, and of a customer whom only few may see, unless the caller may."`
	Role      string     `json:"role" eg:"primary"`
	State     string     `json:"state" eg:"held"`
	Channel   string     `json:"channel" eg:"email"`
	Provider  string     `json:"provider" eg:"orange"`
	Locale    string     `json:"locale" eg:"fr"`
	Reason    string     `json:"reason" eg:"vip"`
	Attempt   int        `json:"attempt"`
	Since     time.Time  `json:"since"`
	Due       *time.Time `json:"due"`
}

type noticeStates struct {
	Items []noticeState `json:"items"`
	Next  string        `json:"next" doc:"For the parameter after; empty on the last page."`
}

func apiNotices(v *visit, _ nothing) (noticeStates, error) {
	d := noticeStates{Items: []noticeState{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	q := v.r.URL.Query()
	f := NoticeFilter{State: pipeline.State(q.Get("state")), Reason: q.Get("reason"), Limit: longestPage, VIP: v.seesReserved()}
	if f.State == "" {
		f.State = pipeline.Held
	}
	if !slices.Contains(pipeline.States(), f.State) || len(f.Reason) > 200 {
		return d, invalid("state", "unknown", "state and reason are as the campaign shows them")
	}
	if f.After, err = v.queryNumber("after"); err != nil {
		return d, err
	}
	limit, err := v.queryNumber("limit")
	switch {
	case err != nil:
		return d, err
	case q.Has("limit") && (limit < 1 || limit > longestPage):
		return d, invalid("limit", "range", "limit is 1 to 100")
	case q.Has("limit"):
		f.Limit = int(limit)
	}
	page, err := v.ops().Notices(v.ctx(), c.Name, f)
	for _, n := range page.Lines {
		d.Items = append(d.Items, noticeState{n.ID, n.Reference, string(n.Role), string(n.State), string(n.Channel), n.Provider, n.Locale, n.Reason, n.Attempt, n.Since.UTC(), instant(n.Due)})
	}
	if page.Next > 0 {
		d.Next = strconv.FormatInt(page.Next, 10)
	}
	return d, err
}

// queryNumber reads a number of the address that is not below 0; 0 without one.
func (v *visit) queryNumber(name string) (int64, error) {
	text := v.r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid(name, "form", name+" is a number from 0")
	}
	return n, nil
}

type doubtOrder struct {
	Decision string `json:"decision" enum:"send|hold"`
	Reason   string `json:"reason" max:"300" eg:"the relay has no trace of them" doc:"Why; a sentence without names. It goes on record."`
}

type movedCount struct {
	Moved   int64 `json:"moved"`
	Skipped int64 `json:"skipped" doc:"In a state that does not allow it, or so already."`
}

func apiDoubts(v *visit, in doubtOrder) (movedCount, error) {
	c, err := v.campaign()
	if err != nil {
		return movedCount{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return movedCount{}, err
	}
	if in.Decision != "send" && in.Decision != "hold" {
		return movedCount{}, invalid("decision", "unknown", "the decision is send or hold")
	}
	m, err := v.ops().Resolve(v.ctx(), c.Name, in.Decision == "send", reason)
	return movedCount{m.Moved, m.Skipped}, err
}

func apiCancel(v *visit, in because) (movedCount, error) {
	c, err := v.campaign()
	if err != nil {
		return movedCount{}, err
	}
	reason, err := v.why(in.Reason)
	if err != nil {
		return movedCount{}, err
	}
	m, err := v.ops().Cancel(v.ctx(), c.Name, reason)
	return movedCount{m.Moved, m.Skipped}, err
}

type auditLine struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor" eg:"token:crm/ana"`
	Action string    `json:"action" eg:"pause"`
	Reason string    `json:"reason" eg:"ticket 7"`
	Detail string    `json:"detail"`
}

type auditList struct {
	Items []auditLine `json:"items"`
}

func apiAudit(v *visit, _ nothing) (auditList, error) {
	d := auditList{[]auditLine{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	all, err := v.Ledger.LastAudits(v.ctx(), c.ID, auditShown)
	for _, a := range all {
		d.Items = append(d.Items, auditLine{a.ID, a.At.UTC(), a.Actor, a.Action, a.Reason, a.Detail})
	}
	return d, err
}
