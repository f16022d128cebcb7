package pipeline

import (
	"fmt"
	"strings"
	"time"
)

// Hours is a daily span of time in a time zone. The zero value is all day.
type Hours struct {
	From, To time.Duration // since midnight; To may be before From: over midnight
	Zone     *time.Location
}

// ParseHours reads "08:00-20:00 Europe/Paris"; "" is all day. Without a zone it
// is UTC.
func ParseHours(s string) (Hours, error) {
	if s == "" {
		return Hours{}, nil
	}
	span, zone, _ := strings.Cut(strings.TrimSpace(s), " ")
	from, to, ok := strings.Cut(span, "-")
	a, err := clockTime(from)
	b, err2 := clockTime(to)
	if !ok || err != nil || err2 != nil || a == b {
		return Hours{}, fmt.Errorf("%q is not a span like 08:00-20:00 Europe/Paris", s)
	}
	loc, err := location(zone)
	if err != nil {
		return Hours{}, err
	}
	return Hours{From: a, To: b, Zone: loc}, nil
}

// Open reports whether t lies within h.
func (h Hours) Open(t time.Time) bool {
	if h.Zone == nil {
		return true
	}
	d := sinceMidnight(t.In(h.Zone))
	if h.From < h.To {
		return d >= h.From && d < h.To
	}
	return d >= h.From || d < h.To
}

// Next returns the earliest time not before t that lies within h.
func (h Hours) Next(t time.Time) time.Time {
	if h.Open(t) {
		return t
	}
	l := t.In(h.Zone)
	at := onDay(l, h.From)
	if at.Before(l) {
		at = onDay(l.AddDate(0, 0, 1), h.From)
	}
	return at.UTC()
}

// CutOff is a time of day in a time zone. The zero value is none.
type CutOff struct {
	At   time.Duration
	Zone *time.Location
}

// ParseCutOff reads "17:30 Europe/Paris"; "" is none.
func ParseCutOff(s string) (CutOff, error) {
	if s == "" {
		return CutOff{}, nil
	}
	text, zone, _ := strings.Cut(strings.TrimSpace(s), " ")
	at, err := clockTime(text)
	if err != nil {
		return CutOff{}, fmt.Errorf("%q is not a time of day like 17:30 Europe/Paris", s)
	}
	loc, err := location(zone)
	if err != nil {
		return CutOff{}, err
	}
	return CutOff{At: at, Zone: loc}, nil
}

// Last returns the last cut-off not after t; the zero time without a cut-off.
func (c CutOff) Last(t time.Time) time.Time {
	if c.Zone == nil {
		return time.Time{}
	}
	l := t.In(c.Zone)
	at := onDay(l, c.At)
	if at.After(l) {
		at = onDay(l.AddDate(0, 0, -1), c.At)
	}
	return at.UTC()
}

func clockTime(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, err
	}
	return sinceMidnight(t), nil
}

func location(zone string) (*time.Location, error) {
	if zone == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(strings.TrimSpace(zone))
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone like Europe/Paris", zone)
	}
	return loc, nil
}

// sinceMidnight is the reading of the clock on the wall, also on the days when it
// is changed.
func sinceMidnight(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}

// onDay is the time at which the clock on the wall shows d on the day of t.
func onDay(t time.Time, d time.Duration) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), int(d/time.Hour), int(d%time.Hour/time.Minute), 0, 0, t.Location())
}
