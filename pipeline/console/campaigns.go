package console

import (
	"github.com/art34/art34/pipeline"
)

// This file holds the list of campaigns and the page of one.

func campaignRoutes() []route {
	return []route{
		{pattern: "GET /campaigns", may: ActSee, do: listCampaigns},
		{pattern: "GET /campaigns/{name}", may: ActSee, do: showCampaign},
	}
}

// overview is a campaign with its figures.
type overview struct {
	Campaign pipeline.Campaign
	Figures  Figures
	Bar      []bar
}

func (v *visit) overview(c pipeline.Campaign) (overview, error) {
	f, err := v.Board.Figures(v.ctx(), c)
	return overview{c, f, barOf(f.Balance)}, err
}

func listCampaigns(v *visit) error {
	all, err := v.campaigns()
	if err != nil {
		return err
	}
	var list []overview
	for _, c := range all {
		o, err := v.overview(c)
		if err != nil {
			return err
		}
		list = append(list, o)
	}
	return v.page("campaigns", list)
}

func showCampaign(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	o, err := v.overview(c)
	if err != nil {
		return err
	}
	return v.page("campaign", o)
}

// bar is one state in the picture of a campaign: X and Width in thousandths of the
// whole.
type bar struct {
	State    pipeline.State
	X, Width float64
	Count    int64
	Channels map[pipeline.Channel]int64
}

// barOf lays the states side by side. They fill the whole exactly: it is the
// population, not what happens to be counted.
func barOf(b pipeline.Balance) []bar {
	var list []bar
	x := 0.0
	for _, s := range pipeline.States() {
		n := b.States[s]
		if n == 0 {
			continue
		}
		one := bar{State: s, X: x, Count: n, Channels: map[pipeline.Channel]int64{}}
		for _, ch := range pipeline.Channels() {
			one.Channels[ch] = b.Channels[ch][s]
		}
		if b.Population > 0 {
			one.Width = 1000 * float64(n) / float64(b.Population)
		}
		x += one.Width
		list = append(list, one)
	}
	return list
}
