package console

import (
	"cmp"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds the calendar of what is planned: resends by their cause, fallback
// letters, windows that close.

// plannedDay is what is planned for a day.
type plannedDay struct {
	Day  time.Time
	Past bool
	Rows []pipeline.Planned
	Sum  int64
	Bars []plannedBar
}

// plannedBar is a part of a day in the picture, in thousandths of the fullest day.
type plannedBar struct {
	Kind     string // first, again, letter, window, doubt
	X, Width float64
}

// plannedKinds are the kinds of a picture, in their order.
func plannedKinds() []string { return []string{"first", "again", "letter", "doubt", "window"} }

// plannedKind says what of the picture something is.
func plannedKind(p pipeline.Planned) string {
	switch {
	case p.State == pipeline.Accepted || p.State == pipeline.Posted:
		return "window"
	case p.State == pipeline.InDoubt:
		return "doubt"
	case p.Kind == pipeline.Fallback || p.Channel == pipeline.Post && p.Kind != pipeline.First:
		return "letter"
	case p.Kind == pipeline.First || p.Kind == pipeline.CopyOf:
		return "first"
	}
	return "again"
}

func showPlanned(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	list, err := v.Board.Planned(v.ctx(), c)
	if err != nil {
		return err
	}
	days := plannedDays(list, dayOf(v.Clock.Now(), v.zone()))
	return v.page("planned", struct {
		Campaign pipeline.Campaign
		Days     []plannedDay
		Kinds    []string
	}{c, days, plannedKinds()})
}

// plannedDays puts what is planned together by day; what was due before today is
// one.
func plannedDays(list []pipeline.Planned, today time.Time) []plannedDay {
	var days []plannedDay
	for _, p := range list {
		day := time.Date(1970, 1, 1+int(p.Day), 0, 0, 0, 0, today.Location())
		past := day.Before(today)
		if len(days) == 0 || !(past && days[len(days)-1].Past) && !days[len(days)-1].Day.Equal(day) {
			days = append(days, plannedDay{Day: day, Past: past})
		}
		d := &days[len(days)-1]
		d.Rows = append(d.Rows, p)
		d.Sum += p.Count
	}
	most := int64(1)
	for _, d := range days {
		most = max(most, d.Sum)
	}
	for i := range days {
		d := &days[i]
		slices.SortStableFunc(d.Rows, func(a, b pipeline.Planned) int { return cmp.Compare(b.Count, a.Count) })
		x := 0.0
		for _, kind := range plannedKinds() {
			var n int64
			for _, p := range d.Rows {
				if plannedKind(p) == kind {
					n += p.Count
				}
			}
			if width := 1000 * float64(n) / float64(most); n > 0 {
				d.Bars = append(d.Bars, plannedBar{kind, x, width})
				x += width
			}
		}
	}
	return days
}
