package console

import (
	"io"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds the page on which letters that came back are recorded: typed,
// scanned, or as the list of a print shop. A look comes first, then the deed.

func returnRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/returns", may: ActPrint, do: returnForm},
		{pattern: "POST /campaigns/{name}/returns", may: ActPrint, upload: true, limit: returnLimit, do: takeReturns},
	}
}

// returnLimit is how long a list of returned mail may be.
const returnLimit = 8 << 20

// returnData is the form, and what came of it.
type returnData struct {
	Campaign pipeline.Campaign
	Back     map[string]int64 // what came back until now, by reason
	Reasons  []string
	Returns  Returns
	Counted  string
	Result   *Returned
}

func (v *visit) returnData() (returnData, error) {
	c, err := v.campaign()
	if err != nil {
		return returnData{}, err
	}
	f, err := v.Board.Figures(v.ctx(), c)
	return returnData{Campaign: c, Back: f.Outside.Returned, Reasons: v.ops().ReturnReasons()}, err
}

func returnForm(v *visit) error {
	d, err := v.returnData()
	if err != nil {
		return err
	}
	return v.page("returns", d)
}

func takeReturns(v *visit) error {
	var list []byte
	fields, err := v.parts(func(field, _ string, from io.Reader) error {
		data, err := io.ReadAll(from)
		if field == "list" && len(data) > 0 {
			list = data
		}
		return err
	})
	if err != nil {
		return err
	}
	d, err := v.returnData()
	if err != nil {
		return err
	}
	d.Counted = oneLine(fields["counted"])
	d.Returns = Returns{
		Lines: strings.ToValidUTF8(fields["letters"], "?"), List: list, Reason: oneLine(fields["reason"]), On: oneLine(fields["on"]), Bag: oneLine(fields["bag"]),
		Dry: fields["do"] != "record",
	}
	if d.Counted != "" {
		d.Returns.Counted = v.numeral("counted", d.Counted, 100_000)
	}
	if d.Returns.Lines == "" && list == nil {
		v.wrong("letters", "problem.returns")
	}
	if len(v.problems) == 0 {
		result, err := v.ops().Return(v.ctx(), d.Campaign.Name, d.Returns)
		if err := v.refused("letters", err); err != nil {
			return err
		}
		d.Result = &result
	}
	if len(v.problems) > 0 {
		return v.again("returns", d)
	}
	if !d.Returns.Dry {
		if after, err := v.returnData(); err == nil {
			d.Back = after.Back
		}
	}
	return v.page("returns", d)
}
