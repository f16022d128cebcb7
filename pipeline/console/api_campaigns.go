package console

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/redact"
)

// This file holds what programs see of campaigns.

func campaignEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns", "listCampaigns", "The campaigns that this token may know of, by name.", ActSee, apiCampaigns,
			queryField{"limit", "How many, 100 at most.", true}, queryField{"after", "The value of next of the page before.", false}),
		endpointOf("GET", "/campaigns/{name}", "showCampaign", "A campaign with its figures; the states sum to the population.", ActSee, apiCampaign),
		endpointOf("GET", "/campaigns/{name}/print-runs", "listPrintRuns", "The print runs of a campaign, newest first.", ActSee, apiRuns,
			queryField{"limit", "How many, 100 at most.", true}, queryField{"after", "The value of next of the page before.", false}),
	}
}

// campaignLine is a campaign in a list.
type campaignLine struct {
	Name      string     `json:"name"`
	CodeName  string     `json:"code_name" eg:"MUGUET" doc:"The only name that others see."`
	Kind      string     `json:"kind" enum:"breach|awareness"`
	State     string     `json:"state" enum:"draft|approved|running|paused|cancelled"`
	PausedFor string     `json:"paused_for" doc:"Code of why it is paused: operator, canary."`
	LaunchAt  *time.Time `json:"launch_at"`
	CreatedAt time.Time  `json:"created_at"`
}

type campaignPage struct {
	Items []campaignLine `json:"items"`
	Next  string         `json:"next" doc:"For the parameter after; empty on the last page."`
}

func lineOf(c pipeline.Campaign) campaignLine {
	return campaignLine{c.Name, c.CodeName, c.Kind, string(c.State), c.PausedFor, instant(c.LaunchAt), c.CreatedAt.UTC()}
}

// instant is a time, nil for never.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// longestPage is how many items a page of a list has at most.
const longestPage = 100

// pageLimit is how many items the page is to have that was asked for.
func (v *visit) pageLimit() (int, error) {
	s := v.r.URL.Query().Get("limit")
	if s == "" {
		return longestPage, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > longestPage {
		return 0, invalid("limit", "range", "limit is 1 to 100")
	}
	return n, nil
}

// onePage cuts a list to the page that was asked for: what follows the key after.
func onePage[T any](v *visit, all []T, key func(T) string) (items []T, next string, err error) {
	limit, err := v.pageLimit()
	if err != nil {
		return nil, "", err
	}
	if after := v.r.URL.Query().Get("after"); after != "" {
		i := slices.IndexFunc(all, func(t T) bool { return key(t) == after })
		if i < 0 {
			return nil, "", invalid("after", "unknown", "after is no value of next")
		}
		all = all[i+1:]
	}
	items = append([]T{}, all[:min(limit, len(all))]...)
	if len(all) > limit {
		next = key(items[limit-1])
	}
	return items, next, nil
}

func apiCampaigns(v *visit, _ nothing) (campaignPage, error) {
	all, err := v.campaigns()
	if err != nil {
		return campaignPage{}, err
	}
	slices.SortFunc(all, func(a, b pipeline.Campaign) int { return cmp.Compare(a.Name, b.Name) })
	page, next, err := onePage(v, all, func(c pipeline.Campaign) string { return c.Name })
	items := []campaignLine{}
	for _, c := range page {
		items = append(items, lineOf(c))
	}
	return campaignPage{items, next}, err
}

// campaignStatus is a campaign at one moment.
type campaignStatus struct {
	Campaign    campaignLine                `json:"campaign"`
	At          time.Time                   `json:"at"`
	Population  int64                       `json:"population"`
	States      map[string]int64            `json:"states" doc:"They sum to the population."`
	Channels    map[string]map[string]int64 `json:"channels" doc:"email, post, none: states in each."`
	Balance     int64                       `json:"balance" doc:"Population less the sum of the states; anything but 0 is a defect."`
	Attempts    int64                       `json:"attempts"`
	InDoubt     int64                       `json:"in_doubt" doc:"All that ever were."`
	Duplicates  int64                       `json:"duplicates" doc:"Resends out of doubt: the upper bound of real duplicates."`
	PerSecond   float64                     `json:"per_second"`
	ExpectedEnd *time.Time                  `json:"expected_end" doc:"Of the e-mails."`
	Blocked     []blockedLine               `json:"blocked"`
	Missing     []string                    `json:"missing" doc:"Services that cannot be reached: ledger, queue, relay, service."`
	Breakers    []breakerLine               `json:"breakers"`
	Held        map[string]int64            `json:"held" doc:"By reason."`
	Unreachable map[string]int64            `json:"unreachable" doc:"By reason."`
}

type blockedLine struct {
	Code    string `json:"code"`
	Notices int64  `json:"notices"`
}

type breakerLine struct {
	Scope  string     `json:"scope" doc:"relay, or provider:NAME."`
	Reason string     `json:"reason"`
	Since  time.Time  `json:"since"`
	Until  *time.Time `json:"until" doc:"When it is tried again by itself; null: when a person releases it."`
}

func counts(m map[pipeline.State]int64) map[string]int64 {
	out := map[string]int64{}
	for s, n := range m {
		out[string(s)] = n
	}
	return out
}

func orEmpty(m map[string]int64) map[string]int64 {
	if m == nil {
		return map[string]int64{}
	}
	return m
}

func apiCampaign(v *visit, _ nothing) (campaignStatus, error) {
	c, err := v.campaign()
	if err != nil {
		return campaignStatus{}, err
	}
	return v.status(c)
}

func (v *visit) status(c pipeline.Campaign) (campaignStatus, error) {
	f, err := v.Board.Figures(v.ctx(), c)
	if err != nil {
		return campaignStatus{}, err
	}
	s := campaignStatus{
		Campaign: lineOf(c), At: v.Clock.Now().UTC(), Population: f.Balance.Population, States: counts(f.Balance.States), Channels: map[string]map[string]int64{}, Balance: f.Balance.Difference(),
		Attempts: f.Counters.Attempts, InDoubt: f.Counters.Doubts, Duplicates: f.Counters.Again, PerSecond: f.PerSecond, ExpectedEnd: instant(f.ExpectedEnd),
		Blocked: []blockedLine{}, Missing: append([]string{}, f.Missing...), Breakers: []breakerLine{}, Held: orEmpty(f.Held), Unreachable: orEmpty(f.Unreachable),
	}
	for _, ch := range pipeline.Channels() {
		s.Channels[string(ch)] = counts(f.Balance.Channels[ch])
	}
	for _, b := range f.Blocked {
		s.Blocked = append(s.Blocked, blockedLine{b.Code, b.Notices})
	}
	for _, b := range f.Breakers {
		s.Breakers = append(s.Breakers, breakerLine{b.Scope, b.Reason, b.Since.UTC(), instant(b.Until)})
	}
	return s, nil
}

type runLine struct {
	Run      string    `json:"run"`
	State    string    `json:"state"`
	Letters  int64     `json:"letters"`
	Pages    int64     `json:"pages"`
	CutAt    time.Time `json:"cut_at"`
	Profile  string    `json:"profile"`
	SHA256   string    `json:"sha256"`
	Campaign string    `json:"campaign"`
}

type runPage struct {
	Items []runLine `json:"items"`
	Next  string    `json:"next" doc:"For the parameter after; empty on the last page."`
}

func apiRuns(v *visit, _ nothing) (runPage, error) {
	c, err := v.campaign()
	if err != nil {
		return runPage{}, err
	}
	f, err := v.Board.Figures(v.ctx(), c)
	if err != nil {
		return runPage{}, err
	}
	runs := slices.Clone(f.Runs)
	slices.SortFunc(runs, func(a, b pipeline.Run) int { return cmp.Compare(b.ID, a.ID) })
	page, next, err := onePage(v, runs, pipeline.Run.Name)
	items := []runLine{}
	for _, r := range page {
		items = append(items, lineOfRun(c, r))
	}
	return runPage{items, next}, err
}

// why is the reason of a deed: one line, and never none.
func (v *visit) why(reason string) (string, error) {
	s := strings.TrimSpace(redact.Line(reason, 300))
	switch {
	case s == "":
		return "", invalid("reason", "missing", "say why; it goes on record")
	case redact.Personal(s) != "":
		return "", invalid("reason", "personal", "the reason holds "+redact.Personal(s)+", and reasons lie in clear in the ledger")
	}
	return s, nil
}

// unstamped is the campaign without its time: for who asks whether anything is new.
func (s campaignStatus) unstamped() any {
	s.At = time.Time{}
	return s
}
