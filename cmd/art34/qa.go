package main

import (
	"context"
	"errors"
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
		return refuse("usage", "--locale is fr or en", "")
	}
	if f.For != "" && !slices.Contains(pipeline.Audiences(), pipeline.Audience(f.For)) {
		return refuse("usage", "--for is cell, shop or press", "")
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

type qaPublishCmd struct {
	campaignArg
	Topic  []string `arg:"" optional:"" help:"Topics to publish." placeholder:"TOPIC"`
	All    bool     `help:"Every draft that has no gaps."`
	Locale string   `help:"Only in this language." placeholder:"LOCALE"`
	Number int      `help:"This version instead of the newest; of one topic in one language." placeholder:"N"`
	Reason string   `help:"Why, for the history." placeholder:"TEXT"`
}

// Help shows examples.
func (qaPublishCmd) Help() string {
	return `From then on it is the answer: agents and shops see it and that it is new. What has gaps, [[like this]], is not published. Read drafts before you publish them.

Examples:

    art34 qa publish muguet am-i-concerned --reason "read by the officer"
    art34 qa publish muguet am-i-concerned --locale en --number 2 --reason "the new wording was wrong"
    art34 qa publish muguet --all --reason "all read by the officer and the press office"`
}

// qaDone is what came of a publication.
type qaDone struct {
	Published []string `json:"published"` // topic.locale
	Gaps      []string `json:"gaps"`
	InForce   []string `json:"in_force"` // already
}

// Run publishes.
func (c qaPublishCmd) Run(ctx context.Context, a *app) error {
	switch {
	case c.All == (len(c.Topic) > 0):
		return refuse("usage", "name topics, or --all", "art34 qa list "+c.Campaign+" lists them")
	case c.Number != 0 && (len(c.Topic) != 1 || c.Locale == ""):
		return refuse("usage", "--number belongs to one topic in one language", "name both: TOPIC --locale fr --number 2")
	}
	if err := (qaFilter{Locale: c.Locale}).check(); err != nil {
		return err
	}
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		done := qaDone{[]string{}, []string{}, []string{}}
		seen := map[string]bool{}
		for _, q := range all {
			if c.Locale != "" && q.Locale != c.Locale || !c.All && !slices.Contains(c.Topic, q.Topic) {
				continue
			}
			seen[q.Topic] = true
			if c.All && !q.Pending() {
				continue
			}
			if err := c.publish(ctx, h, campaign, q, &done); err != nil {
				return err
			}
		}
		for _, t := range c.Topic {
			if !seen[t] {
				return decline("qa-unknown", "there is no question of the topic "+t, "art34 qa list "+c.Campaign+" lists them")
			}
		}
		err := a.answer(done, func(w io.Writer) {
			fmt.Fprintf(w, "%s published.\n", count(int64(len(done.Published)), "answer is", "answers are"))
			for _, g := range done.Gaps {
				fmt.Fprintf(w, "%s has gaps that are to be filled in first.\n", g)
			}
		})
		if err == nil && len(done.Gaps) > 0 {
			return errNo
		}
		return err
	})
}

func (c qaPublishCmd) publish(ctx context.Context, h *house, campaign pipeline.Campaign, q pipeline.QA, done *qaDone) error {
	name, x := q.Topic+"."+q.Locale, q.Newest
	if c.Number != 0 {
		versions, _, err := h.ledger.QAHistory(ctx, campaign.ID, q.ID)
		if err != nil {
			return err
		}
		if c.Number < 1 || c.Number > len(versions) {
			return decline("qa-version", fmt.Sprintf("there is no version %d", c.Number), fmt.Sprintf("there are %d", len(versions)))
		}
		x = versions[c.Number-1]
	}
	if x.N == q.InForce.N {
		done.InForce = append(done.InForce, name)
		return nil
	}
	e := qaEntry(q, x)
	if len(answer.Gaps(e)) > 0 {
		done.Gaps = append(done.Gaps, name)
		return nil
	}
	hosts, err := consoleFloor{h}.Links(ctx, campaign)
	if err != nil {
		return err
	}
	if faults := answer.Check(e, hosts); len(faults) > 0 {
		return decline("qa-faults", name+": "+faults[0].Sentence(), "")
	}
	s := pipeline.QAStep{QA: q.ID, N: x.N, Kind: pipeline.QAPublished, Actor: h.actor(), At: h.clock.Now(), Reason: c.Reason}
	if _, err := h.ledger.StepQA(ctx, campaign.ID, s, h.audit(campaign.ID, "qa-publish", c.Reason, fmt.Sprintf("%s %s, version %d", q.Topic, q.Locale, x.N))); err != nil {
		return err
	}
	done.Published = append(done.Published, name)
	return nil
}

type qaWithdrawCmd struct {
	topicArg
	Reason string `help:"Why: whoever has read the answer is told." placeholder:"TEXT"`
}

// Help shows examples.
func (qaWithdrawCmd) Help() string {
	return `Nobody answers with it any more; agents see that it is gone, and why.

Example:

    art34 qa withdraw muguet compensation --reason "the board decides on Monday"`
}

// Run withdraws an answer.
func (c qaWithdrawCmd) Run(ctx context.Context, a *app) error {
	if err := needReason(c.Reason); err != nil {
		return err
	}
	return a.withQA(ctx, c.campaignArg, func(h *house, campaign pipeline.Campaign, all []pipeline.QA) error {
		q, err := c.of(all)
		if err != nil {
			return err
		}
		s := pipeline.QAStep{QA: q.ID, N: q.InForce.N, Kind: pipeline.QAWithdrawn, Actor: h.actor(), At: h.clock.Now(), Reason: c.Reason}
		_, err = h.ledger.StepQA(ctx, campaign.ID, s, h.audit(campaign.ID, "qa-withdraw", c.Reason, fmt.Sprintf("%s %s, version %d", q.Topic, q.Locale, s.N)))
		if errors.Is(err, pipeline.ErrConflict) {
			return decline("qa-not-in-force", "nothing of this question is in force", "")
		}
		if err != nil {
			return err
		}
		q.Last, q.InForce = s, pipeline.QAVersion{}
		v := viewQA(campaign, q, 0)
		return a.answer(v, func(w io.Writer) { fmt.Fprintf(w, "%s (%s), version %d, is withdrawn.\n", v.Topic, v.Locale, s.N) })
	})
}
