package console

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// This file holds what the floor reports to the crisis team, in figures: calls by
// cause and hour, calls per thousand letters, new questions, forgeries, complaints.

func floorRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/floor", may: ActFloor, do: showFloor},
		{pattern: "GET /campaigns/{name}/floor/csv", may: ActFloor, do: floorCSV},
	}
}

// floorDays is how many days the page shows; the CSV has all.
const floorDays = 14

// floorDay is a day of the floor, by the calendar of this machine.
type floorDay struct {
	Day       time.Time // its beginning
	Calls     int64
	Letters   int64 // that left that day, by e-mail or post
	SoFar     int64 // letters until its end
	CallsFar  int64
	Complaint int64
	Queries   int64
	Forgeries int64
}

// PerThousand is calls so far per thousand letters so far; -1 before the first letter.
func (d floorDay) PerThousand() float64 {
	if d.SoFar == 0 {
		return -1
	}
	return 1000 * float64(d.CallsFar) / float64(d.SoFar)
}

// fewLetters is below how many letters a rate per thousand says nothing yet.
const fewLetters = 50

// Rate is PerThousand for the page, which says nothing of a handful; the CSV does.
func (d floorDay) Rate() float64 {
	if d.SoFar < fewLetters {
		return -1
	}
	return d.PerThousand()
}

// floorHour is an hour with its calls, by cause.
type floorHour struct {
	Hour   time.Time
	Calls  int64
	Causes map[string]int64
}

// counted is a code with its count.
type counted struct {
	Code  string
	Count int64
	Today int64
}

// floorFigures are everything that the page and the CSV say.
type floorFigures struct {
	Campaign  pipeline.Campaign
	At        time.Time
	Days      []floorDay // oldest first
	Hours     []floorHour
	Causes    []counted
	Outcomes  []counted
	Told      []counted  // what the calls of the campaign came to
	NoOne     []counted  // calls of no campaign: nobody was found, or several
	ToldBy    []toldHour // both by hour, oldest first
	Ways      []counted  // of forgeries
	Calls     int64
	Letters   int64
	Open      int64 // queries
	Queries   int64
	Forgeries int64
}

// toldHour is how many calls of an hour came to one thing.
type toldHour struct {
	Hour  time.Time
	Code  string
	Count int64
}

// toldCode is what a call came to, as the floor counts it: whoever is concerned was
// told how far their letter is.
func toldCode(told string) string {
	switch told {
	case "", pipeline.ToldNotConcerned, pipeline.ToldNotFound, pipeline.ToldGeneral, string(pipeline.FoundNobody), string(pipeline.FoundMany):
		return told
	}
	return "concerned"
}

// countTold counts what calls came to. Those in which nobody was found belong to no
// campaign, and stand apart: nobody knows which one they were about.
func (v *visit) countTold(f *floorFigures, today time.Time) error {
	for _, x := range []struct {
		campaign int64
		into     *[]counted
	}{{f.Campaign.ID, &f.Told}, {0, &f.NoOne}} {
		list, err := v.toldByHour(x.campaign)
		if err != nil {
			return err
		}
		by := map[string]*counted{}
		for _, c := range list {
			at, code := c.Hour.In(today.Location()), toldCode(c.Told)
			tallied(by, code, c.Count, dayOf(at, today.Location()).Equal(today))
			f.ToldBy = append(f.ToldBy, toldHour{at, code, c.Count})
		}
		*x.into = ranked(by)
	}
	return nil
}

// Today is the last day, of which there is always one.
func (f floorFigures) Today() floorDay { return f.Days[len(f.Days)-1] }

// Complaints are the calls with that cause.
func (f floorFigures) Complaints() (n int64) {
	for _, c := range f.Causes {
		if c.Code == complaintCause {
			n = c.Count
		}
	}
	return n
}

const complaintCause = "complaint"

// dayOf is the beginning of a day by the calendar of a zone.
func dayOf(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

func hourOf(h pipeline.Hourly) time.Time { return time.Unix(h.Hour*3600, 0) }

// figures counts everything that the floor of a campaign reports.
func (v *visit) figures(c pipeline.Campaign) (floorFigures, error) {
	zone := v.zone()
	f := floorFigures{Campaign: c, At: v.Clock.Now().In(zone)}
	calls, err := v.callsByHour(c.ID)
	if err != nil {
		return f, err
	}
	letters, err := v.lettersByHour(c.ID)
	if err != nil {
		return f, err
	}
	queries, err := v.Ledger.QueriesByHour(v.ctx(), c.ID)
	if err != nil {
		return f, err
	}
	forgeries, err := v.Ledger.ForgeriesByHour(v.ctx(), c.ID)
	if err != nil {
		return f, err
	}
	days := map[time.Time]*floorDay{}
	day := func(t time.Time) *floorDay {
		d := dayOf(t, zone)
		if days[d] == nil {
			days[d] = &floorDay{Day: d}
		}
		return days[d]
	}
	today := day(f.At).Day
	f.countCalls(calls, day, today)
	if err := v.countTold(&f, today); err != nil {
		return f, err
	}
	for _, h := range letters {
		day(hourOf(h)).Letters += h.Count
		f.Letters += h.Count
	}
	for _, h := range queries {
		day(hourOf(h)).Queries += h.Count
		if f.Queries += h.Count; h.Code == string(pipeline.QueryOpen) {
			f.Open += h.Count
		}
	}
	ways := map[string]*counted{}
	for _, h := range forgeries {
		day(hourOf(h)).Forgeries += h.Count
		f.Forgeries += h.Count
		tallied(ways, h.Code, h.Count, dayOf(hourOf(h), zone).Equal(today))
	}
	f.Ways = ranked(ways)
	f.Days = inOrder(days, today)
	return f, nil
}

func (f *floorFigures) countCalls(calls []pipeline.CallCount, day func(time.Time) *floorDay, today time.Time) {
	hours := map[time.Time]*floorHour{}
	causes, outcomes := map[string]*counted{}, map[string]*counted{}
	for _, c := range calls {
		d := day(c.Hour)
		d.Calls += c.Count
		f.Calls += c.Count
		if c.Cause == complaintCause {
			d.Complaint += c.Count
		}
		isToday := d.Day.Equal(today)
		tallied(causes, c.Cause, c.Count, isToday)
		tallied(outcomes, c.Outcome, c.Count, isToday)
		at := c.Hour.In(today.Location())
		if hours[at] == nil {
			hours[at] = &floorHour{Hour: at, Causes: map[string]int64{}}
		}
		hours[at].Calls += c.Count
		hours[at].Causes[c.Cause] += c.Count
	}
	f.Causes, f.Outcomes = ranked(causes), ranked(outcomes)
	for _, at := range slices.SortedFunc(maps.Keys(hours), time.Time.Compare) {
		f.Hours = append(f.Hours, *hours[at])
	}
}

func tallied(m map[string]*counted, code string, n int64, today bool) {
	if m[code] == nil {
		m[code] = &counted{Code: code}
	}
	if m[code].Count += n; today {
		m[code].Today += n
	}
}

func ranked(m map[string]*counted) []counted {
	var list []counted
	for _, c := range m {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b counted) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return list
}

// mostFloorDays bounds how far back days are filled in: a clock that was wrong once
// must not make a page of a thousand years.
const mostFloorDays = 400

// inOrder lists the days until today without gaps, with what they add up to.
func inOrder(days map[time.Time]*floorDay, today time.Time) (list []floorDay) {
	first := today
	for d := range days {
		if d.Before(first) {
			first = d
		}
	}
	if earliest := today.AddDate(0, 0, -mostFloorDays); first.Before(earliest) {
		first = earliest
	}
	var calls, letters int64
	for _, d := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		if d.Before(first) {
			calls, letters = calls+days[d].Calls, letters+days[d].Letters
		}
	}
	for d := first; !d.After(today); d = dayOf(d.AddDate(0, 0, 1).Add(time.Hour), today.Location()) {
		one := floorDay{Day: d}
		if days[d] != nil {
			one = *days[d]
		}
		calls, letters = calls+one.Calls, letters+one.Letters
		one.CallsFar, one.SoFar = calls, letters
		list = append(list, one)
	}
	return list
}

// floorPage is what the page shows.
type floorPage struct {
	floorFigures
	Shown  []floorDay // the last days, newest first
	ByDay  []column
	ByHour []column
	Last   []floorHour // of the last day, newest first
	Codes  []string    // causes of the last day
	Newest []shownQuery
	Texts  bool // the reader may read questions
}

func showFloor(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	f, err := v.figures(c)
	if err != nil {
		return err
	}
	d := floorPage{floorFigures: f, Texts: May(v.user.Roles, ActPublish)}
	shown := f.Days[max(0, len(f.Days)-floorDays):]
	d.ByDay = columns(len(shown), func(i int) (string, int64) { return shown[i].Day.Format("2/1"), shown[i].Calls })
	d.Shown = slices.Clone(shown)
	slices.Reverse(d.Shown)
	d.hours(f)
	if d.Texts {
		if d.Newest, err = v.newestQueries(c, pipeline.QueryFilter{State: pipeline.QueryOpen}, 20); err != nil {
			return err
		}
	}
	return v.page("floor", d)
}

// hours are the last 24, with those in which nobody called.
func (d *floorPage) hours(f floorFigures) {
	by := map[int64]floorHour{}
	for _, h := range f.Hours {
		by[h.Hour.Unix()/3600] = h
	}
	last := f.At.Unix() / 3600
	codes := map[string]bool{}
	d.ByHour = columns(24, func(i int) (string, int64) {
		at := last - 23 + int64(i)
		h, ok := by[at]
		if ok {
			d.Last = append(d.Last, h)
			for code := range h.Causes {
				codes[code] = true
			}
		}
		return time.Unix(at*3600, 0).In(f.At.Location()).Format("15"), h.Calls
	})
	slices.Reverse(d.Last)
	for _, c := range f.Causes {
		if codes[c.Code] {
			d.Codes = append(d.Codes, c.Code)
		}
	}
}

// column is a bar of a chart: percentages of its width and height.
type column struct {
	X, Y, Width, Height float64
	Label               string
	Middle              float64
	Count               int64
	Named               bool // its label has room
}

// widest is how wide a bar is at most.
const widest = 70

// columns lays n bars side by side in 1000 × 200; the highest is as high as there is
// room.
func columns(n int, of func(i int) (string, int64)) []column {
	list := make([]column, n)
	most := int64(1)
	for i := range list {
		list[i].Label, list[i].Count = of(i)
		most = max(most, list[i].Count)
	}
	step := 1000 / float64(max(n, 1))
	every := (n + 7) / 8
	for i := range list {
		c := &list[i]
		c.Width, c.Middle = min(step*.7, widest), step*(float64(i)+.5)
		c.X = c.Middle - c.Width/2
		c.Height = 200 * float64(c.Count) / float64(most)
		c.Y = 200 - c.Height
		c.Named = (n-1-i)%every == 0
	}
	return list
}
