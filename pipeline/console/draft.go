package console

import (
	"io"
	"io/fs"
	"regexp"
)

// This file holds the beginning of a campaign: a campaign.yaml that somebody sends, or
// the example, rewritten on the page.

func draftRoutes() []route {
	return []route{
		{pattern: "GET /new", may: ActPrepare, do: func(v *visit) error { return v.page("new", draftForm{}) }},
		{pattern: "POST /new", may: ActPrepare, upload: true, limit: draftLimit, do: newDraft},
		{pattern: "GET /new/example", may: ActPrepare, do: draftExample},
		{pattern: "GET /new/example/campaign.yaml", may: ActPrepare, do: fetchExample},
	}
}

// draftLimit is for campaign.yaml and logos.
const draftLimit = 8 << 20

// campaignForm is what a campaign may be called: it becomes a directory.
var campaignForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// exampleFile explains every key of a campaign.yaml, and is one.
const exampleFile = "example/campaign.yaml"

// draftForm is a campaign.yaml on its way: sent as a file, or written on the page.
type draftForm struct {
	Name string
	Text string // "": as a file
}

func draftExample(v *visit) error {
	text, err := fs.ReadFile(v.Files, exampleFile)
	if err != nil {
		return err
	}
	return v.page("new_example", draftForm{Text: string(text)})
}

func fetchExample(v *visit) error {
	text, err := fs.ReadFile(v.Files, exampleFile)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Disposition", `attachment; filename="campaign.yaml"`)
	return v.bytes("application/yaml", text)
}

func newDraft(v *visit) error {
	var campaignYAML []byte
	logos := map[string][]byte{}
	fields, err := v.parts(func(field, name string, from io.Reader) error {
		data, err := io.ReadAll(from)
		switch {
		case err != nil:
			return err
		case field == "file":
			campaignYAML = data
		case field == "logo" && len(data) > 0:
			logos[name] = data
		}
		return nil
	})
	if err != nil {
		return err
	}
	f := draftForm{fields["name"], fileText(fields["text"])}
	page, field := "new", "file"
	if f.Text != "" {
		page, field, campaignYAML = "new_example", "text", []byte(f.Text)
	}
	if !campaignForm.MatchString(f.Name) {
		v.wrong("name", "problem.campaign_name")
	}
	if len(campaignYAML) == 0 {
		v.wrong(field, "problem.file")
	}
	if len(v.problems) == 0 {
		if err := v.refused(field, v.ops().New(v.ctx(), f.Name, campaignYAML, logos)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again(page, f)
	}
	return v.done("/campaigns/"+f.Name+"/prepare", "draft")
}
