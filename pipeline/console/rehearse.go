package console

import "github.com/art34/art34/pipeline"

// This file holds the rehearsal of a campaign: what came of the last one, and the deeds
// that begin and stop one.

func rehearsalRoutes() []route {
	return onceOnly([]route{
		{pattern: "GET /campaigns/{name}/rehearsal", may: ActSee, do: showRehearsal},
		{pattern: "GET /campaigns/{name}/rehearsal/start", may: ActControl, do: deedForm(rehearseDeed)},
		{pattern: "POST /campaigns/{name}/rehearsal/start", may: ActControl, do: deedDone(rehearseDeed)},
		{pattern: "GET /campaigns/{name}/rehearsal/stop", may: ActControl, do: deedForm(stopRehearsalDeed)},
		{pattern: "POST /campaigns/{name}/rehearsal/stop", may: ActControl, do: deedDone(stopRehearsalDeed)},
	})
}

func showRehearsal(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	r, err := v.ops().Rehearsal(v.ctx(), c.Name)
	if err != nil {
		return err
	}
	return v.page("rehearsal", struct {
		Campaign  pipeline.Campaign
		Rehearsal Rehearsal
	}{c, r})
}

func rehearseDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	return deed{Key: "rehearse", About: c.Name, Back: campaignPath(c) + "/rehearsal", code: "rehearsing", do: func(v *visit, reason string) error {
		return v.ops().Rehearse(v.ctx(), c.Name, reason)
	}}, err
}

func stopRehearsalDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	return deed{Key: "rehearse_stop", About: c.Name, Back: campaignPath(c) + "/rehearsal", code: "rehearsal_stopped", do: func(v *visit, reason string) error {
		return v.ops().StopRehearsal(v.ctx(), c.Name, reason)
	}}, err
}
