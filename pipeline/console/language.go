package console

import (
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file adds a language to the letters of a campaign. Whoever does it is shown
// what campaign.yaml says in the language that the new one begins with, and may
// translate it there and then; the letters follow on their own pages.

func languageRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/language", may: ActWrite, do: languageForm},
		{pattern: "POST /campaigns/{name}/language", may: ActWrite, do: addLanguage, limit: textForm},
	}
}

// languageData is the form of a language on its way.
type languageData struct {
	Campaign pipeline.Campaign
	Locale   string
	Wording  Wording
	Texts    map[string]string // phrases as they stand in the form
}

// languageData reads what is to be translated, from the language that was chosen.
func (v *visit) languageData(from string) (languageData, error) {
	c, err := v.campaign()
	if err != nil {
		return languageData{}, err
	}
	d := languageData{Campaign: c, Texts: map[string]string{}}
	d.Wording, err = v.ops().Wording(v.ctx(), c.Name, from)
	return d, err
}

func languageForm(v *visit) error {
	d, err := v.languageData(v.r.URL.Query().Get("from"))
	if err != nil {
		return err
	}
	return v.page("language", d)
}

func addLanguage(v *visit) error {
	d, err := v.languageData(v.value("from"))
	if err != nil {
		return err
	}
	d.Locale = strings.ToLower(strings.ReplaceAll(v.value("locale"), "_", "-"))
	for _, p := range d.Wording.Phrases {
		if text := strings.TrimSpace(fileText(v.r.PostForm.Get(p.Key))); text != "" {
			d.Texts[p.Key] = text
		}
	}
	if d.Locale == "" {
		v.wrong("locale", "problem.locale")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		l := NewLocale{Locale: d.Locale, From: d.Wording.Locale, Texts: d.Texts}
		if err := v.refused("locale", v.ops().AddLocale(v.ctx(), d.Campaign.Name, l, reason)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again("language", d)
	}
	v.jobs.outdate(d.Campaign.ID, "check")
	return v.done(campaignPath(d.Campaign)+"/letters", "locale")
}
