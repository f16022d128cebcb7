package pipeline_test

import (
	"testing"
	"time"

	"github.com/art34/art34/pipeline"
)

func TestHours(t *testing.T) {
	t.Parallel()
	paris, err := pipeline.ParseHours("08:00-20:00 Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	night, err := pipeline.ParseHours("22:00-06:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		h    pipeline.Hours
		at   string
		next string
	}{
		{paris, "2026-01-20T06:59:00Z", "2026-01-20T07:00:00Z"},
		{paris, "2026-07-20T06:00:00Z", "2026-07-20T06:00:00Z"},
		{paris, "2026-01-20T19:00:00Z", "2026-01-21T07:00:00Z"},
		{paris, "2026-03-28T21:00:00Z", "2026-03-29T06:00:00Z"}, // the clock goes forward that night
		{night, "2026-01-20T23:00:00Z", "2026-01-20T23:00:00Z"},
		{night, "2026-01-20T12:00:00Z", "2026-01-20T22:00:00Z"},
		{pipeline.Hours{}, "2026-01-20T12:00:00Z", "2026-01-20T12:00:00Z"},
	} {
		at, _ := time.Parse(time.RFC3339, c.at)
		next, _ := time.Parse(time.RFC3339, c.next)
		if got := c.h.Next(at); !got.Equal(next) {
			t.Errorf("%s: next is %s, want %s", c.at, got.Format(time.RFC3339), c.next)
		}
		if open := c.h.Open(at); open != at.Equal(next) {
			t.Errorf("%s: open is %v", c.at, open)
		}
	}
	for _, s := range []string{"8-20", "08:00-08:00", "25:00-26:00", "08:00-20:00 Mars/Olympus", "08:00"} {
		if _, err := pipeline.ParseHours(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestCutOff(t *testing.T) {
	t.Parallel()
	c, err := pipeline.ParseCutOff("17:30 Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{"2026-01-20T16:29:59Z": "2026-01-19T16:30:00Z", "2026-01-20T16:30:00Z": "2026-01-20T16:30:00Z"} {
		a, _ := time.Parse(time.RFC3339, at)
		if got := c.Last(a).Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	if none, _ := pipeline.ParseCutOff(""); !none.Last(time.Now()).IsZero() {
		t.Error("no cut-off, and yet one")
	}
}
