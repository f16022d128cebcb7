package console

import (
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds in which time zone a page shows its times: a page about one
// campaign in that of the campaign, in which its letters are dated and sent; all
// others in that of the house. The page says which.

// about says that the page is about this campaign.
func (v *visit) about(c pipeline.Campaign) {
	if v.subject == nil || v.subject.ID != c.ID {
		v.subject, v.place = &c, nil
	}
}

// aboutAll says that the page is about these campaigns: it shows times in their zone
// if they have one.
func (v *visit) aboutAll(list []pipeline.Campaign) {
	var place *time.Location
	for _, c := range list {
		z := v.Board.Zone(v.ctx(), c)
		if z == nil || place != nil && place.String() != z.String() {
			return
		}
		place = z
	}
	v.place = place
}

// zone is the time zone of the page.
func (v *visit) zone() *time.Location {
	if v.place == nil && v.subject != nil {
		v.place = v.Board.Zone(v.ctx(), *v.subject)
	}
	if v.place == nil {
		v.place = v.Zone
	}
	return v.place
}

// said are the words of the page, with its times in its zone.
func (v *visit) said() *words { return v.words.in(v.zone()) }

// zoneName is how people know a zone: Europe/Paris, or CET where the machine knows
// no better.
func zoneName(z *time.Location, now time.Time) string {
	if name := z.String(); name != "Local" {
		return name
	}
	name, _ := now.In(z).Zone()
	return name
}
