package console

import (
	"slices"
	"strconv"
	"time"

	"github.com/art34/art34/pipeline/console/vouch"
)

// This file holds for programs what the floor reports: its figures, what callers
// received against what was sent, and the forgeries that came to light so.

func floorEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns/{name}/floor", "showFloor", "What the floor reports, in figures: calls by cause and hour, calls per thousand letters, questions, forgeries, complaints.", ActFloor, apiFloor,
			queryField{"days", "How many days back, 400 at most; 14 without it.", true}),
		endpointOf("POST", "/genuine", "compareLetter", "What a caller received against the letter that was sent under its reference.", ActLookUp, apiGenuine),
		endpointOf("POST", "/genuine/report", "reportForgery", "Compare once more, and record a forgery.", ActLookUp, apiReport),
		endpointOf("GET", "/campaigns/{name}/forgeries", "listForgeries", "The forgeries of a campaign, those that are alike together, the most frequent first. On record.", ActPublish, apiForgeries),
	}
}

type floorReport struct {
	Campaign  string        `json:"campaign" eg:"muguet"`
	At        time.Time     `json:"at"`
	Calls     int64         `json:"calls"`
	Letters   int64         `json:"letters" doc:"That left, by e-mail or post."`
	Queries   int64         `json:"queries"`
	Open      int64         `json:"open_queries"`
	Forgeries int64         `json:"forgeries"`
	Causes    []floorCount  `json:"causes"`
	Outcomes  []floorCount  `json:"outcomes"`
	Ways      []floorCount  `json:"ways" doc:"Of forgeries."`
	Days      []floorPerDay `json:"days" doc:"Oldest first, by the calendar of the campaign, without gaps."`
	Hours     []floorPart   `json:"hours" doc:"Those in which somebody called, of these days, oldest first."`
}

type floorCount struct {
	Code  string `json:"code" eg:"data" doc:"Empty of calls that say none yet."`
	Count int64  `json:"count"`
	Today int64  `json:"today"`
}

type floorPerDay struct {
	Day         string   `json:"day" eg:"2026-01-20"`
	Calls       int64    `json:"calls"`
	Letters     int64    `json:"letters"`
	PerThousand *float64 `json:"calls_per_thousand_letters" doc:"So far; null before the first letter."`
	Complaints  int64    `json:"complaints"`
	Queries     int64    `json:"queries"`
	Forgeries   int64    `json:"forgeries"`
}

type floorPart struct {
	Hour   time.Time        `json:"hour"`
	Calls  int64            `json:"calls"`
	Causes map[string]int64 `json:"causes"`
}

func countsOf(list []counted) []floorCount {
	out := []floorCount{}
	for _, c := range list {
		out = append(out, floorCount{c.Code, c.Count, c.Today})
	}
	return out
}

func apiFloor(v *visit, _ nothing) (floorReport, error) {
	c, err := v.campaign()
	if err != nil {
		return floorReport{}, err
	}
	days := floorDays
	if s := v.r.URL.Query().Get("days"); s != "" {
		if days, err = strconv.Atoi(s); err != nil || days < 1 || days > mostFloorDays {
			return floorReport{}, invalid("days", "range", "days is 1 to 400")
		}
	}
	f, err := v.figures(c)
	if err != nil {
		return floorReport{}, err
	}
	r := floorReport{
		Campaign: c.Name, At: f.At.UTC(), Calls: f.Calls, Letters: f.Letters, Queries: f.Queries, Open: f.Open, Forgeries: f.Forgeries,
		Causes: countsOf(f.Causes), Outcomes: countsOf(f.Outcomes), Ways: countsOf(f.Ways), Days: []floorPerDay{}, Hours: []floorPart{},
	}
	shown := f.Days[max(0, len(f.Days)-days):]
	for _, d := range shown {
		x := floorPerDay{d.Day.Format(time.DateOnly), d.Calls, d.Letters, nil, d.Complaint, d.Queries, d.Forgeries}
		if p := d.PerThousand(); p >= 0 {
			x.PerThousand = &p
		}
		r.Days = append(r.Days, x)
	}
	for _, h := range f.Hours {
		if !h.Hour.Before(shown[0].Day) {
			r.Hours = append(r.Hours, floorPart{h.Hour.UTC(), h.Calls, h.Causes})
		}
	}
	return r, nil
}

// unstamped is the report without its time: for who asks whether anything is new.
func (r floorReport) unstamped() any {
	r.At = time.Time{}
	return r
}

// received is what a caller reads out of what they received.
type received struct {
	Reference string `json:"reference,omitempty" max:"40" eg:"7KQ2-M9XD-4T0V"`
	Way       string `json:"way" enum:"email|sms|phone|post|web"`
	Subject   string `json:"subject,omitempty" max:"500" eg:"Your data"`
	Sender    string `json:"sender,omitempty" max:"500" eg:"Muguet <info@muguet.example>"`
	Sentence  string `json:"sentence" max:"2000" eg:"Your contact data were exposed on 12 January and we are sorry." doc:"A sentence of it, word by word."`
	Links     string `json:"links,omitempty" max:"2000" eg:"https://evil.example/login" doc:"Links that it holds, one a line."`
	Phones    string `json:"phones,omitempty" max:"2000" doc:"Numbers to call, one a line."`
	Asks      bool   `json:"asks,omitempty" doc:"It asks for a password, a code or bank details."`
}

func (r received) data() (genuineData, error) {
	d := genuineData{Reference: oneLine(r.Reference), Way: r.Way}
	d.Heard = vouch.Heard{Subject: oneLine(r.Subject), Sender: oneLine(r.Sender), Asks: r.Asks}
	if !slices.Contains(ways(), r.Way) {
		return d, invalid("way", "unknown", "way is email, sms, phone, post or web")
	}
	var err error
	for _, x := range []struct {
		field, text string
		to          *string
	}{{"sentence", r.Sentence, &d.Heard.Sentence}, {"links", r.Links, &d.Heard.Links}, {"phones", r.Phones, &d.Heard.Phones}} {
		if *x.to, err = prose(x.field, x.text, mostHeard, false); err != nil {
			return d, err
		}
	}
	if !vouch.Enough(d.Heard.Sentence) {
		return d, invalid("sentence", "missing", "a whole sentence of the message is needed")
	}
	return d, nil
}

type genuineOrder struct {
	received
	Call int64 `json:"call,omitempty" doc:"In which; a call of the person that is under way."`
}

type genuineAnswer struct {
	Verdict    string        `json:"verdict" enum:"genuine|foreign|unsent|unknown|misread|none"`
	Suspicious bool          `json:"suspicious"`
	Campaign   string        `json:"campaign" eg:"muguet" doc:"Of the reference; empty if nobody has it."`
	Parts      []genuinePart `json:"parts" doc:"What was compared."`
}

type genuinePart struct {
	Part string `json:"part" enum:"subject|sender|sentence|link|phone|asks"`
	Ours bool   `json:"ours"`
}

func apiGenuine(v *visit, in genuineOrder) (genuineAnswer, error) {
	d, err := in.data()
	if err != nil {
		return genuineAnswer{}, err
	}
	result, letters, err := v.vouch(d)
	if err != nil {
		return genuineAnswer{}, err
	}
	if letters.Campaign.ID != 0 {
		err = v.vouchedIn(letters.Campaign, in.Call, result)
	}
	return verdictOf(result, letters.Campaign.Name), err
}

func verdictOf(r vouch.Result, campaign string) genuineAnswer {
	a := genuineAnswer{string(r.Verdict), r.Verdict.Suspicious(), campaign, []genuinePart{}}
	for _, p := range r.Parts {
		a.Parts = append(a.Parts, genuinePart{p.Field, p.Ours})
	}
	return a
}

type reportOrder struct {
	received
	Campaign string `json:"campaign,omitempty" eg:"muguet" doc:"Whose letters it imitates, where its reference does not say."`
}

type reported struct {
	Recorded bool `json:"recorded"`
}

func apiReport(v *visit, in reportOrder) (reported, error) {
	d, err := in.data()
	if err != nil {
		return reported{}, err
	}
	if err := v.report(d, in.Campaign); err != nil {
		return reported{}, err
	}
	return reported{true}, nil
}

type forgeryLine struct {
	Count     int       `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Ways      []string  `json:"ways" eg:"sms"`
	Verdict   string    `json:"verdict" eg:"foreign"`
	Gone      bool      `json:"gone" doc:"Its words went with the keys of the campaign."`
	Reference string    `json:"reference"`
	Subject   string    `json:"subject"`
	Sender    string    `json:"sender"`
	Sentence  string    `json:"sentence"`
	Links     string    `json:"links"`
	Phones    string    `json:"phones"`
	Asks      bool      `json:"asks"`
}

type forgeryList struct {
	Items []forgeryLine `json:"items"`
	Total int           `json:"total" doc:"Reports, the newest 2,000."`
}

func apiForgeries(v *visit, _ nothing) (forgeryList, error) {
	d := forgeryList{Items: []forgeryLine{}}
	c, err := v.campaign()
	if err != nil {
		return d, err
	}
	groups, total, err := v.forgeries(c)
	d.Total = total
	for _, g := range groups {
		f := g.Forged
		d.Items = append(d.Items, forgeryLine{g.Count, g.First.UTC(), g.Last.UTC(), g.Ways, g.Verdict, g.Gone, f.Reference, f.Subject, f.Sender, f.Sentence, f.Links, f.Phones, f.Asks})
	}
	return d, err
}
