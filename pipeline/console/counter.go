package console

import (
	"errors"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds the page of a shop: a reference in, a sentence out, and nothing
// else about anybody.

// counterPath is the page of a shop.
const counterPath = "/answer"

func counterRoutes() []route {
	return []route{
		{pattern: "GET " + counterPath, may: ActAnswer, do: func(v *visit) error { return v.page("counter", counterData{}) }},
		{pattern: "POST " + counterPath, may: ActAnswer, do: counter},
	}
}

// wants reports whether a place is worth a line in somebody's navigation: the page of
// the shop is not for who can look customers up.
func (v *visit) wants(href string) bool {
	return href != counterPath || !May(v.user.Roles, ActLookUp)
}

// under reports whether a page belongs to a place of the navigation. The answers of a
// campaign are a place of their own.
func under(path, href string) bool {
	if answers := strings.HasPrefix(path, "/campaigns/") && (strings.Contains(path, "/answers") || strings.HasSuffix(path, "/ask")); answers {
		return href == "/answers"
	}
	return path == href || strings.HasPrefix(path, href+"/")
}

// counterData is the form, and what may be said.
type counterData struct {
	Reference string // as it was typed, while it is wrong
	Spoken    *Spoken
	Aloud     []spokenIn
	Unknown   bool
}

// spokenIn is the sentence in one language.
type spokenIn struct{ Locale, Text string }

// counter looks a reference up. How often, and how often in vain, is bounded: nobody
// tries references out.
func counter(v *visit) error {
	typed := v.value("reference")
	r, err := pipeline.ParseReference(typed)
	if err != nil {
		v.wrong("reference", "problem.reference")
		return v.again("counter", counterData{Reference: typed})
	}
	s, err := v.spoken(r)
	if errors.Is(err, pipeline.ErrNotFound) {
		return v.page("counter", counterData{Unknown: true})
	}
	if err != nil {
		return err
	}
	d := counterData{Spoken: &s}
	first, second := v.lang("")
	for _, l := range []string{first, second} {
		if text := s.Sentence[l]; text != "" {
			d.Aloud = append(d.Aloud, spokenIn{l, text})
		}
	}
	return v.page("counter", d)
}

// spoken is the sentence for a reference within the visitor's limits. A campaign that
// they must not know of has no references.
func (v *visit) spoken(r pipeline.Reference) (Spoken, error) {
	if err := v.mayAsk(); err != nil {
		return Spoken{}, err
	}
	s, err := v.Floor.Spoken(v.ctx(), v.actor(), r)
	if err == nil {
		err = v.mayKnow(s.Campaign)
	}
	return s, v.missing(err)
}

// mayAsk counts a look-up of a reference.
func (v *visit) mayAsk() error {
	free := v.missed.has(v.bounded())
	if v.program.ID != 0 {
		free = v.api.mayLookUp(v.program, v.Real.Now()) && free
	} else {
		free = v.asked.allow(v.actor()) && free
	}
	if !free {
		v.note("references-limit", "", v.route.pattern)
		return errTooMany
	}
	return nil
}

// bounded is who shares the limits of look-ups: of a program all for whom it acts, as
// it could name anybody.
func (v *visit) bounded() string {
	if v.program.ID != 0 {
		return v.program.Actor()
	}
	return v.actor()
}

// missing counts a look-up in vain.
func (v *visit) missing(err error) error {
	if errors.Is(err, pipeline.ErrNotFound) {
		v.missed.allow(v.bounded())
		v.note("reference-unknown", "", v.route.pattern)
	}
	return err
}

// mayKnow is pipeline.ErrNotFound of a campaign that the visitor must not know of.
func (v *visit) mayKnow(c pipeline.Campaign) error {
	_, err := v.campaignOf(c.Name)
	return err
}
