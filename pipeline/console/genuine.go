package console

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console/vouch"
	"github.com/art34/art34/pipeline/kit/fold"
)

// This file holds "genuine or not": what a caller reads out against the letter that
// was sent, and the forgeries that come to light. There is no public page for it: a
// copied reference would vouch for every forgery.

func genuineRoutes() []route {
	return []route{
		{pattern: "GET /genuine", may: ActLookUp, do: genuineForm},
		{pattern: "POST /genuine", may: ActLookUp, do: genuine},
		{pattern: "POST /genuine/report", may: ActLookUp, do: reportForgery},
		{pattern: "GET /campaigns/{name}/forgeries", may: ActPublish, do: listForgeries},
	}
}

// ways are how a message came.
func ways() []string { return []string{"email", "sms", "phone", "post", "web"} }

const mostHeard = 2_000 // characters of a field

// genuineData is the form, and what the comparison came to.
type genuineData struct {
	Reference string
	Way       string
	Ways      []string
	Heard     vouch.Heard
	Call      string
	Result    *vouch.Result
	Sent      *vouch.Sent // the letter that it was compared with
	Campaign  string      // of the reference, "" if nobody has it
	Campaigns []pipeline.Campaign
}

func genuineForm(v *visit) error {
	return v.page("genuine", genuineData{Ways: ways(), Call: v.r.URL.Query().Get("call")})
}

// heard reads the form.
func (v *visit) heard() genuineData {
	d := genuineData{Reference: v.value("reference"), Way: v.value("way"), Ways: ways(), Call: v.value("call")}
	d.Heard = vouch.Heard{
		Subject: v.value("subject"), Sender: v.value("sender"), Sentence: v.text("sentence", mostHeard),
		Links: v.text("links", mostHeard), Phones: v.text("phones", mostHeard), Asks: v.value("asks") == "yes",
	}
	if !slices.Contains(d.Ways, d.Way) {
		v.wrong("way", "problem.choose")
	}
	if !vouch.Enough(d.Heard.Sentence) {
		v.wrong("sentence", "problem.sentence")
	}
	return d
}

func genuine(v *visit) error {
	d := v.heard()
	if len(v.problems) > 0 {
		return v.again("genuine", d)
	}
	result, letters, err := v.vouch(d)
	if err != nil {
		return err
	}
	d.Result = &result
	if letters.Campaign.ID != 0 {
		d.Campaign = letters.Campaign.Name
	}
	if result.Nearest >= 0 {
		d.Sent = &letters.Sent[result.Nearest]
	}
	if d.Campaigns, err = v.campaigns(); err != nil {
		return err
	}
	if letters.Campaign.ID != 0 {
		if err := v.vouchedIn(letters.Campaign, v.number64("call"), result); err != nil {
			return err
		}
	}
	return v.page("genuine_result", d)
}

// vouchedIn notes the result in the call that it belongs to, if any.
func (v *visit) vouchedIn(c pipeline.Campaign, id int64, result vouch.Result) error {
	call, err := v.ownCall(c, id)
	if err != nil || call == 0 {
		return err
	}
	return v.Ledger.AddSteps(v.ctx(), pipeline.CallStep{Call: call, At: v.Clock.Now(), Agent: v.actor(), Kind: pipeline.StepGenuine, Code: string(result.Verdict)})
}

// vouch compares what was heard with what was sent under the reference.
func (v *visit) vouch(d genuineData) (vouch.Result, Letters, error) {
	nothing := func(verdict vouch.Verdict) (vouch.Result, Letters, error) {
		return vouch.Result{Verdict: verdict, Nearest: -1}, Letters{}, nil
	}
	if strings.TrimSpace(d.Reference) == "" {
		return nothing(vouch.None)
	}
	r, err := pipeline.ParseReference(d.Reference)
	if err != nil {
		return nothing(vouch.Misread)
	}
	if err := v.mayAsk(); err != nil {
		return vouch.Result{}, Letters{}, err
	}
	letters, err := v.Floor.Letters(v.ctx(), v.actor(), r)
	if err == nil {
		err = v.mayKnow(letters.Campaign)
	}
	if errors.Is(v.missing(err), pipeline.ErrNotFound) {
		return nothing(vouch.Unknown)
	}
	if err == nil && letters.Reserved && !v.may(ActVIP) {
		err = refuse("genuine-reserved", "only the lead of the cell compares letters of this customer", "pass the caller on")
	}
	if err != nil {
		return vouch.Result{}, Letters{}, err
	}
	return vouch.Compare(d.Heard, letters.Sent), letters, nil
}

// forged is what is sealed of a forgery.
type forged struct {
	Reference, Subject, Sender, Sentence, Links, Phones string
	Asks                                                bool
}

// reportForgery compares once more, so that no form decides what the verdict was, and
// records.
func reportForgery(v *visit) error {
	d := v.heard()
	if len(v.problems) > 0 {
		return v.again("genuine", d)
	}
	if err := v.report(d, v.value("campaign")); err != nil {
		return err
	}
	return v.done("/genuine", "forgery")
}

// report records a forgery. One whose reference nobody has is of the campaign that
// the reporter names.
func (v *visit) report(d genuineData, campaign string) error {
	result, letters, err := v.vouch(d)
	if err != nil {
		return err
	}
	if !result.Verdict.Suspicious() {
		return refuse("not-a-forgery", "this is the letter that was sent", "")
	}
	c := letters.Campaign
	if c.ID == 0 {
		if c, err = v.campaignOf(campaign); err != nil {
			return err
		}
	}
	keys, err := v.Floor.Keys(c.ID)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(forged{d.Reference, d.Heard.Subject, d.Heard.Sender, d.Heard.Sentence, d.Heard.Links, d.Heard.Phones, d.Heard.Asks})
	if err != nil {
		return err
	}
	print := keys.Token("forgery", printOf(d.Heard))
	f := pipeline.Forgery{Campaign: c.ID, Notice: letters.Notice, Way: d.Way, Verdict: string(result.Verdict), Print: print[:], Actor: v.actor(), At: v.Clock.Now()}
	f.Sealed = keys.Seal(plain, f.SealContext())
	_, err = v.Ledger.AddForgery(v.ctx(), f, pipeline.Audit{Campaign: c.ID, At: f.At, Actor: f.Actor, Action: "forgery", Detail: f.Way + ", " + f.Verdict})
	return err
}

// printOf is what two copies of one forgery share: the link or the number that was
// put in, else the words.
func printOf(h vouch.Heard) string {
	if strings.TrimSpace(h.Links+h.Phones) != "" {
		return "to " + strings.ToLower(strings.Join(strings.Fields(h.Links), " ")) + " " + fold.Digits(h.Phones)
	}
	return "words " + fold.Words(h.Sentence)
}

// forgeryGroup is one forgery, however often it was reported.
type forgeryGroup struct {
	Count       int
	First, Last time.Time
	Ways        []string
	Forged      forged // of the newest report
	Gone        bool   // the keys are destroyed
	Verdict     string
}

// mostForgeries is how many reports a page looks at: the newest.
const mostForgeries = 2_000

func listForgeries(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	groups, total, err := v.forgeries(c)
	if err != nil {
		return err
	}
	return v.page("forgeries", struct {
		Campaign pipeline.Campaign
		Groups   []*forgeryGroup
		Total    int
	}{c, groups, total})
}

// forgeries are the reports of a campaign, those that are alike together, the most
// frequent first. That they were read is on record.
func (v *visit) forgeries(c pipeline.Campaign) (groups []*forgeryGroup, total int, err error) {
	all, err := v.Ledger.Forgeries(v.ctx(), c.ID, mostForgeries)
	if err != nil {
		return nil, 0, err
	}
	by := map[string]*forgeryGroup{}
	for _, f := range all {
		g := by[string(f.Print)]
		if g == nil {
			g = &forgeryGroup{Last: f.At, Verdict: f.Verdict}
			plain := v.unsealed(c, f.Sealed, f.SealContext())
			g.Gone = json.Unmarshal([]byte(plain), &g.Forged) != nil
			by[string(f.Print)] = g
			groups = append(groups, g)
		}
		g.Count++
		g.First = f.At
		if !slices.Contains(g.Ways, f.Way) {
			g.Ways = append(g.Ways, f.Way)
		}
	}
	slices.SortStableFunc(groups, func(a, b *forgeryGroup) int { return b.Count - a.Count })
	if len(all) > 0 {
		v.noteOf(c.ID, "forgeries-read", "", "")
	}
	return groups, len(all), nil
}
