package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds what lets a campaign go, slows it and stops it. Every deed has a
// page that says what it does, asks why, and is confirmed with one button.

func controlRoutes() []route {
	return []route{
		{pattern: "GET /pause", may: ActPause, do: pauseForm},
		{pattern: "POST /pause", may: ActPause, do: pause},
		{pattern: "GET /campaigns/{name}/resume", may: ActControl, do: deedForm(resumeDeed)},
		{pattern: "POST /campaigns/{name}/resume", may: ActControl, do: deedDone(resumeDeed)},
		{pattern: "GET /campaigns/{name}/cancel", may: ActControl, sure: true, do: deedForm(cancelDeed)},
		{pattern: "POST /campaigns/{name}/cancel", may: ActControl, sure: true, do: deedDone(cancelDeed)},
		{pattern: "GET /campaigns/{name}/breakers/{scope}", may: ActControl, do: deedForm(breakerDeed)},
		{pattern: "POST /campaigns/{name}/breakers/{scope}", may: ActControl, do: deedDone(breakerDeed)},
		{pattern: "GET /campaigns/{name}/doubts", may: ActControl, do: doubtsForm},
		{pattern: "POST /campaigns/{name}/doubts", may: ActControl, do: resolveDoubts},
		{pattern: "GET /campaigns/{name}/customers", may: ActCohort, do: cohortForm},
		{pattern: "POST /campaigns/{name}/customers", may: ActCohort, do: moveCohort},
		{pattern: "GET /campaigns/{name}/launch", may: ActLaunch, sure: true, do: launchForm},
		{pattern: "POST /campaigns/{name}/launch", may: ActLaunch, sure: true, do: launch},
	}
}

// ops are the operations in the name of the visitor.
func (v *visit) ops() Operations { return v.Desk.As(v.actor()) }

// deed is a decision that needs a reason and nothing else.
type deed struct {
	Key    string // of its texts: KEY.title, KEY.lead, KEY.submit
	About  string // what it is about, for the title
	Danger bool
	Back   string
	do     func(v *visit, reason string) error
	code   string // of what is said afterwards
}

func deedForm(of func(*visit) (deed, error)) func(*visit) error {
	return func(v *visit) error {
		d, err := of(v)
		if err != nil {
			return err
		}
		return v.page("deed", d)
	}
}

func deedDone(of func(*visit) (deed, error)) func(*visit) error {
	return func(v *visit) error {
		d, err := of(v)
		if err != nil {
			return err
		}
		reason := v.reason()
		if len(v.problems) == 0 {
			if err := v.refused("", d.do(v, reason)); err != nil {
				return err
			}
		}
		if len(v.problems) > 0 {
			return v.again("deed", d)
		}
		return v.done(d.Back, d.code)
	}
}

func campaignPath(c pipeline.Campaign) string { return "/campaigns/" + url.PathEscape(c.Name) }

func resumeDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	key := "resume"
	if c.PausedFor == "canary" {
		key = "resume_canary"
	}
	return deed{Key: key, About: c.Name, Back: campaignPath(c), code: "resumed", do: func(v *visit, reason string) error {
		return v.ops().Resume(v.ctx(), c.Name, reason)
	}}, err
}

func cancelDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	return deed{Key: "cancel", About: c.Name, Danger: true, Back: campaignPath(c), code: "cancelled", do: func(v *visit, reason string) error {
		_, err := v.ops().Cancel(v.ctx(), c.Name, reason)
		return err
	}}, err
}

func breakerDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	scope := v.r.PathValue("scope")
	about, err2 := v.words.scope(scope)
	if err == nil {
		err = err2
	}
	return deed{Key: "breaker", About: about, Back: campaignPath(c), code: "breaker", do: func(v *visit, reason string) error {
		return v.ops().ReleaseBreaker(v.ctx(), c.Name, scope, reason)
	}}, err
}

// pauseData lists what can be paused. One key leads here from every page.
type pauseData struct {
	Campaigns []pipeline.Campaign
	Chosen    string
	Idle      string // the campaign that the key was pressed on, if that does not run
}

func (v *visit) pausable() (pauseData, error) {
	all, err := v.campaigns()
	d := pauseData{Campaigns: slices.DeleteFunc(slices.Clone(all), func(c pipeline.Campaign) bool { return c.State != pipeline.Running })}
	if len(d.Campaigns) > 0 {
		d.Chosen = d.Campaigns[0].Name
	}
	from := v.r.URL.Query().Get("campaign") // the page that the key was pressed on
	named := func(c pipeline.Campaign) bool { return c.Name == from }
	switch {
	case slices.ContainsFunc(d.Campaigns, named):
		d.Chosen = from
	case slices.ContainsFunc(all, named):
		d.Chosen, d.Idle = "", from // none of the others was meant
	}
	return d, err
}

func pauseForm(v *visit) error {
	d, err := v.pausable()
	if err != nil {
		return err
	}
	return v.page("pause", d)
}

func pause(v *visit) error {
	d, err := v.pausable()
	if err != nil {
		return err
	}
	name := v.value("campaign")
	known := slices.ContainsFunc(d.Campaigns, func(c pipeline.Campaign) bool { return c.Name == name })
	if !known {
		v.wrong("campaign", "problem.campaign")
	} else {
		d.Chosen = name
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		if err := v.refused("campaign", v.ops().Pause(v.ctx(), name, reason)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again("pause", d)
	}
	return v.done("/campaigns/"+url.PathEscape(name), "paused")
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// number reads a number of a form; French ones have a comma.
func (v *visit) number(field string, most float64) float64 {
	text := strings.ReplaceAll(strings.ReplaceAll(v.value(field), ",", "."), " ", "")
	if text == "" {
		return 0
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0) || f > most {
		v.wrong(field, "problem.number", int64(most))
	}
	return f
}

// numeral reads a whole number that did not come in v.r.PostForm.
func (v *visit) numeral(field, text string, most int) int {
	n, err := strconv.Atoi(strings.ReplaceAll(text, " ", ""))
	if err != nil || n < 0 || n > most {
		v.wrong(field, "problem.number", most)
	}
	return n
}

// doubtsData are the notices in doubt: how many, and what the campaign does by
// itself.
type doubtsData struct {
	Campaign pipeline.Campaign
	Count    int64
	Chosen   string
	Lines    []NoticeLine // the first of them
}

func (v *visit) doubtsData() (doubtsData, error) {
	c, err := v.campaign()
	if err != nil {
		return doubtsData{}, err
	}
	f, err := v.Board.Figures(v.ctx(), c)
	if err != nil {
		return doubtsData{}, err
	}
	page, err := v.ops().Notices(v.ctx(), c.Name, NoticeFilter{State: pipeline.InDoubt, Limit: noticesShown})
	return doubtsData{c, f.Balance.States[pipeline.InDoubt], v.value("what"), page.Lines}, err
}

func doubtsForm(v *visit) error {
	d, err := v.doubtsData()
	if err != nil {
		return err
	}
	return v.page("doubts", d)
}

func resolveDoubts(v *visit) error {
	d, err := v.doubtsData()
	if err != nil {
		return err
	}
	if d.Chosen != "send" && d.Chosen != "hold" {
		v.wrong("what", "problem.choose")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		_, err := v.ops().Resolve(v.ctx(), d.Campaign.Name, d.Chosen == "send", reason)
		if err := v.refused("", err); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again("doubts", d)
	}
	return v.done(campaignPath(d.Campaign), "doubts")
}

// cohortData is the form that holds, releases and excludes.
type cohortData struct {
	Campaign  pipeline.Campaign
	Flags     []string
	Verb      string
	Customers string
	Flag      string
	Result    *Moved
	Asked     bool // an exclusion of a whole flag waits for its confirmation
}

func (v *visit) cohortData() (cohortData, error) {
	c, err := v.campaign()
	return cohortData{Campaign: c, Flags: sortedKeys(pipeline.DefaultFlagRules()), Verb: v.value("verb"), Customers: v.text("customers", 20_000), Flag: v.value("flag")}, err
}

func cohortForm(v *visit) error {
	d, err := v.cohortData()
	if err != nil {
		return err
	}
	return v.page("cohort", d)
}

// mostNumbers is how many customers a form takes; more are a list, or a flag.
const mostNumbers = 1000

func moveCohort(v *visit) error {
	d, err := v.cohortData()
	if err != nil {
		return err
	}
	numbers := strings.FieldsFunc(d.Customers, func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\t' || r == ' ' })
	if !slices.Contains([]Verb{Hold, Release, Exclude}, Verb(d.Verb)) {
		v.wrong("verb", "problem.choose")
	}
	switch {
	case len(numbers) == 0 && d.Flag == "", len(numbers) > 0 && d.Flag != "":
		v.wrong("customers", "problem.cohort")
	case len(numbers) > mostNumbers:
		v.wrong("customers", "problem.cohort_many", mostNumbers)
	case d.Flag != "" && !slices.Contains(d.Flags, d.Flag):
		v.wrong("flag", "problem.choose")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		m, err := v.ops().Cohort(v.ctx(), d.Campaign.Name, Verb(d.Verb), Cohort{numbers, d.Flag}, reason)
		if err := v.refused("", err); err != nil {
			return err
		}
		d.Result = &m
	}
	if len(v.problems) > 0 {
		return v.again("cohort", d)
	}
	// The answer names customer numbers, so it is this page and no address of one.
	return v.page("cohort", d)
}

// launchData is the page that says once more what is about to happen.
type launchData struct {
	Campaign   pipeline.Campaign
	Version    pipeline.Version
	Figures    Figures
	Canary, At string
	Outlook    Outlook
}

func (v *visit) launchData() (launchData, error) {
	c, err := v.campaign()
	if err != nil {
		return launchData{}, err
	}
	d := launchData{Campaign: c, Canary: "200"}
	if d.Figures, err = v.Board.Figures(v.ctx(), c); err != nil {
		return d, err
	}
	d.Version = versionOf(d.Figures, c.Version)
	d.Outlook, err = v.ops().Outlook(v.ctx(), c.Name)
	return d, err
}

func launchForm(v *visit) error {
	d, err := v.launchData()
	if err != nil {
		return err
	}
	return v.page("launch", d)
}

func launch(v *visit) error {
	d, err := v.launchData()
	if err != nil {
		return err
	}
	d.Canary, d.At = v.value("canary"), v.value("at")
	canary := int(v.number("canary", 1_000_000))
	var at time.Time
	if d.At != "" {
		var err error
		if at, err = time.ParseInLocation(formTime, d.At, v.zone()); err != nil {
			v.wrong("at", "problem.time")
		}
	}
	if v.value("read") != "yes" {
		v.wrong("read", "problem.read")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		if err := v.refused("", v.ops().Launch(v.ctx(), d.Campaign.Name, at, canary, reason)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again("launch", d)
	}
	return v.done(campaignPath(d.Campaign), "launched")
}
