package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/answer"
)

type qaCmd struct {
	List     qaListCmd     `cmd:"" help:"List the questions of a campaign and where each stands."`
	Show     qaShowCmd     `cmd:"" help:"Print a question with its answer, or its history."`
	Add      qaAddCmd      `cmd:"" help:"Bring in questions and answers as drafts, from Markdown files or the shipped ones."`
	Publish  qaPublishCmd  `cmd:"" help:"Put drafts in force."`
	Withdraw qaWithdrawCmd `cmd:"" help:"Take an answer out of force; its history stays."`
	Export   qaExportCmd   `cmd:"" help:"Write the answers in force to Markdown files, one a language."`
}

// qaView is a question as it is listed.
type qaView struct {
	Campaign  string              `json:"campaign"`
	Topic     string              `json:"topic"`
	Locale    string              `json:"locale"`
	State     pipeline.QAState    `json:"state"`
	Newest    int                 `json:"newest"`
	InForce   int                 `json:"in_force"` // 0: nothing
	Audiences []pipeline.Audience `json:"for"`
	Question  string              `json:"question"`
	Gaps      []string            `json:"gaps"` // of the newest version
	Given     int64               `json:"given"`
}

func viewQA(c pipeline.Campaign, q pipeline.QA, given int64) qaView {
	v := qaView{c.Name, q.Topic, q.Locale, q.State(), q.Newest.N, q.InForce.N, q.Newest.Audiences, q.Newest.Question, answer.Gaps(qaEntry(q, q.Newest)), given}
	if v.Gaps == nil {
		v.Gaps = []string{}
	}
	return v
}

func qaEntry(q pipeline.QA, x pipeline.QAVersion) answer.Entry {
	return answer.Entry{Topic: q.Topic, Locale: q.Locale, Audiences: x.Audiences, Question: x.Question, Answer: x.Answer}
}

// withQA lets a command work on the questions of a campaign.
func (a *app) withQA(ctx context.Context, arg campaignArg, do func(*house, pipeline.Campaign, []pipeline.QA) error) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	c, err := arg.find(ctx, h)
	if err != nil {
		return err
	}
	all, err := h.ledger.QAs(ctx, c.ID)
	if err != nil {
		return err
	}
	return do(h, c, all)
}

// qaFilter chooses questions.
type qaFilter struct {
	Locale string `help:"Only in this language." placeholder:"LOCALE"`
	For    string `help:"Only for this audience: cell, shop, press." placeholder:"AUDIENCE"`
}

func (f qaFilter) check() error {
	if f.Locale != "" && !slices.Contains(answer.Locales(), f.Locale) {
		return refuse("usage", "--locale is fr or en", "art34 qa --help shows examples")
	}
	if f.For != "" && !slices.Contains(pipeline.Audiences(), pipeline.Audience(f.For)) {
		return refuse("usage", "--for is cell, shop or press", "one of them; without --for all are meant")
	}
	return nil
}

func (f qaFilter) takes(q pipeline.QA, x pipeline.QAVersion) bool {
	return (f.Locale == "" || q.Locale == f.Locale) && (f.For == "" || x.For(pipeline.Audience(f.For)))
}

type qaListCmd struct {
	campaignArg
	qaFilter
}

// Help shows examples.
func (qaListCmd) Help() string {
	return `Says for each question which version is in force, whether a newer draft waits, and how often the answer was given.

Examples:

    art34 qa list muguet
    art34 qa list muguet --locale fr --for shop --json`
}

// Run lists questions.
func (c qaListCmd) Run(ctx context.Context, a *app) error {
	if err := c.check(); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		told, err := h.ledger.QATold(ctx, campaign.ID)
		if err != nil {
			return err
		}
		given := map[int64]int64{}
		for _, t := range told {
			given[t.QA] = t.Count
		}
		views := []qaView{}
		for _, q := range all {
			if c.takes(q, q.Newest) {
				views = append(views, viewQA(campaign, q, given[q.ID]))
			}
		}
		return a.answer(views, func(w io.Writer) {
			if len(views) == 0 {
				fmt.Fprintf(w, "No question; art34 qa add %s --starters brings in those to begin with.\n", campaign.Name)
				return
			}
			table(w, func(w io.Writer) {
				fmt.Fprintln(w, "TOPIC\tLANGUAGE\tSTATE\tFOR\tGIVEN\tQUESTION")
				for _, v := range views {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", v.Topic, v.Locale, v.standing(), audienceNames(v.Audiences), v.Given, v.Question)
				}
			})
		})
	})
}

// standing says where a question stands, in a few words.
func (v qaView) standing() string {
	s := string(v.State)
	switch {
	case v.InForce > 0 && v.Newest != v.InForce:
		s = fmt.Sprintf("%s %d, draft %d", s, v.InForce, v.Newest)
	case v.InForce > 0:
		s = fmt.Sprintf("%s %d", s, v.InForce)
	default:
		s = fmt.Sprintf("%s %d", s, v.Newest)
	}
	if len(v.Gaps) > 0 {
		s += ", gaps"
	}
	return s
}

func audienceNames(list []pipeline.Audience) string {
	var names []string
	for _, a := range list {
		names = append(names, string(a))
	}
	return strings.Join(names, ",")
}

// topicArg names one question.
type topicArg struct {
	campaignArg
	Topic  string `arg:"" help:"Topic of the question, as qa list prints it." placeholder:"TOPIC"`
	Locale string `help:"Its language." default:"fr" placeholder:"LOCALE"`
}

func (t topicArg) of(all []pipeline.QA) (pipeline.QA, error) {
	i := slices.IndexFunc(all, func(q pipeline.QA) bool { return q.Topic == t.Topic && q.Locale == t.Locale })
	if i < 0 {
		return pipeline.QA{}, decline("qa-unknown", "there is no question of this topic in this language", "art34 qa list "+t.Campaign+" lists them; --locale chooses the language")
	}
	return all[i], nil
}

type qaShowCmd struct {
	topicArg
	Number  int  `help:"This version; default: the one in force, else the newest." placeholder:"N"`
	History bool `help:"Print who wrote, published and withdrew what, when and why."`
}

// Help shows examples.
func (qaShowCmd) Help() string {
	return `Prints Markdown as qa add reads it.

Examples:

    art34 qa show muguet am-i-concerned
    art34 qa show muguet am-i-concerned --locale en --number 2
    art34 qa show muguet am-i-concerned --history`
}

// qaShown is the answer of qa show.
type qaShown struct {
	qaView
	Version qaVersionView  `json:"version"`
	History []qaMomentView `json:"history"`
}

type qaVersionView struct {
	N         int                 `json:"n"`
	Audiences []pipeline.Audience `json:"for"`
	Question  string              `json:"question"`
	Answer    string              `json:"answer"`
}

type qaMomentView struct {
	At     string `json:"at"`
	Actor  string `json:"actor"`
	Did    string `json:"did"` // written, published, withdrawn
	N      int    `json:"n"`
	Reason string `json:"reason"`
}

// Run shows a question.
func (c qaShowCmd) Run(ctx context.Context, a *app) error {
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		q, err := c.of(all)
		if err != nil {
			return err
		}
		versions, steps, err := h.ledger.QAHistory(ctx, campaign.ID, q.ID)
		if err != nil {
			return err
		}
		x := q.InForce
		if x.N == 0 {
			x = q.Newest
		}
		if c.Number != 0 {
			if c.Number < 1 || c.Number > len(versions) {
				return decline("qa-version", fmt.Sprintf("there is no version %d", c.Number), fmt.Sprintf("there are %d", len(versions)))
			}
			x = versions[c.Number-1]
		}
		v := qaShown{qaView: viewQA(campaign, q, 0), Version: qaVersionView{x.N, x.Audiences, x.Question, x.Answer}, History: historyOf(versions, steps)}
		return a.answer(v, func(w io.Writer) {
			if c.History {
				table(w, func(w io.Writer) {
					for _, m := range v.History {
						fmt.Fprintf(w, "%s\t%s\tversion %d %s\t%s\n", m.At, m.Actor, m.N, m.Did, m.Reason)
					}
				})
				return
			}
			if x.N != q.InForce.N {
				h.say("note: version %d is not in force", x.N)
			}
			_, _ = w.Write(answer.Format([]answer.Entry{qaEntry(q, x)}))
		})
	})
}

func historyOf(versions []pipeline.QAVersion, steps []pipeline.QAStep) []qaMomentView {
	type moment struct {
		view qaMomentView
		at   int64
	}
	var list []moment
	for _, x := range versions {
		list = append(list, moment{qaMomentView{shown(x.At), x.Author, "written", x.N, x.Reason}, x.At.UnixMicro()})
	}
	for _, s := range steps {
		list = append(list, moment{qaMomentView{shown(s.At), s.Actor, string(s.Kind), s.N, s.Reason}, s.At.UnixMicro()})
	}
	slices.SortStableFunc(list, func(a, b moment) int { return int(min(max(a.at-b.at, -1), 1)) })
	views := []qaMomentView{}
	for _, m := range list {
		views = append(views, m.view)
	}
	return views
}
