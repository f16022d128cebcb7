package console

import (
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds the way of the paper for programs: what goes to the print shop,
// what it says, and what comes back. The files themselves, with names in clear, are
// handed to people only.

func printEndpoints() []endpoint {
	return []endpoint{
		endpointOf("GET", "/campaigns/{name}/print-runs/{run}", "showPrintRun", "A print run.", ActSee, apiRun),
		endpointOf("POST", "/campaigns/{name}/print-runs/{run}/release", "releasePrintRun", "Hand a run to the print shop.", ActPrint, runDeed(func(v *visit, d runData, reason string) error {
			return v.ops().ReleaseRun(v.ctx(), d.Run.ID, reason)
		})),
		endpointOf("POST", "/campaigns/{name}/print-runs/{run}/take-back", "takeBackPrintRun", "Void a run before its release, recall it afterwards.", ActPrint, runDeed(func(v *visit, d runData, reason string) error {
			return v.ops().TakeBack(v.ctx(), d.Run.ID, reason)
		})),
		endpointOf("POST", "/campaigns/{name}/print-runs/{run}/deposit", "depositPrintRun", "Record what the print shop acknowledges.", ActPrint, apiDeposit),
		endpointOf("POST", "/campaigns/{name}/returns", "recordReturns", "Record letters that came back; with dry only say what would follow.", ActPrint, apiReturns),
	}
}

func lineOfRun(c pipeline.Campaign, r pipeline.Run) runLine {
	return runLine{r.Name(), string(r.State), int64(r.Letters), int64(r.Pages), r.CutAt.UTC(), r.Profile, r.SHA256, c.Name}
}

func apiRun(v *visit, _ nothing) (runLine, error) {
	d, err := v.run()
	if err != nil {
		return runLine{}, err
	}
	return lineOfRun(d.Campaign, d.Run), nil
}

// runDeed does something with the run that the path names, and answers with it as it
// is then.
func runDeed(do func(*visit, runData, string) error) func(*visit, because) (runLine, error) {
	return func(v *visit, in because) (runLine, error) {
		d, err := v.run()
		if err != nil {
			return runLine{}, err
		}
		reason, err := v.why(in.Reason)
		if err != nil {
			return runLine{}, err
		}
		if err := do(v, d, reason); err != nil {
			return runLine{}, err
		}
		return apiRun(v, nothing{})
	}
}

type depositOrder struct {
	On       string            `json:"on" eg:"2026-01-21" doc:"The day, YYYY-MM-DD."`
	Place    string            `json:"place" max:"200" eg:"PIC Lyon"`
	Product  string            `json:"product" max:"200" eg:"lettre verte"`
	Slip     string            `json:"slip,omitempty" max:"200" eg:"4711" doc:"Number of the deposit slip."`
	Count    int               `json:"count" eg:"998" doc:"Letters that were deposited."`
	Rejected map[string]string `json:"rejected,omitempty" doc:"Spoiled letters: position in the run to a code."`
}

func apiDeposit(v *visit, in depositOrder) (runLine, error) {
	d, err := v.run()
	if err != nil {
		return runLine{}, err
	}
	dep := pipeline.Deposit{Place: oneLine(in.Place), Product: oneLine(in.Product), Slip: oneLine(in.Slip), Count: in.Count}
	var wrong faults
	if err := dep.On.UnmarshalText([]byte(in.On)); err != nil || in.On == "" {
		wrong = append(wrong, fieldFault{"on", "form", "a day is YYYY-MM-DD"})
	}
	for field, text := range map[string]string{"place": dep.Place, "product": dep.Product} {
		if text == "" {
			wrong = append(wrong, fieldFault{field, "missing", "this is needed"})
		}
	}
	if in.Count < 0 || in.Count > 1_000_000 {
		wrong = append(wrong, fieldFault{"count", "range", "count is 0 to 1,000,000"})
	}
	rejected := map[int]string{}
	for seq, code := range in.Rejected {
		n, err := strconv.Atoi(seq)
		if code = oneLine(code); code == "" {
			code = "spoiled"
		}
		if rejected[n] = code; err != nil || n < 1 || n > pipeline.MostRunLetters { // as on the page: positions go beyond how many there are
			wrong = append(wrong, fieldFault{"rejected", "range", "a position is the number of a letter in the manifest of the run"})
			break
		}
	}
	if len(wrong) > 0 {
		return runLine{}, wrong
	}
	if err := v.ops().Acknowledge(v.ctx(), d.Run.ID, dep, rejected); err != nil {
		return runLine{}, err
	}
	return apiRun(v, nothing{})
}

type returnOrder struct {
	Letters []string `json:"letters" eg:"7KQ2-M9XD-4T0V moved" doc:"References, each with a reason where it has one of its own; 1,000 at most."`
	Reason  string   `json:"reason,omitempty" eg:"moved" doc:"Of those that give none."`
	On      string   `json:"on,omitempty" eg:"2026-02-02" doc:"The day, YYYY-MM-DD; today if it is left out."`
	Bag     string   `json:"bag,omitempty" max:"100" eg:"B12"`
	Counted int      `json:"counted,omitempty" doc:"Letters of the bag that somebody counted."`
	Dry     bool     `json:"dry,omitempty" eg:"true" doc:"Record nothing; say what would follow."`
}

type returnResult struct {
	Lines    int            `json:"lines"`
	Recorded int            `json:"recorded"`
	Already  int            `json:"already"`
	Revoked  int            `json:"revoked" doc:"Who counted as informed, and does not any more."`
	Letters  []returnLetter `json:"letters"`
	Rejected []returnFault  `json:"rejected"`
	Notes    []string       `json:"notes"`
}

type returnLetter struct {
	Reference string `json:"reference" eg:"7KQ2-M9XD-4T0V"`
	Run       string `json:"run" eg:"R000001"`
	Position  int    `json:"position"`
	Reason    string `json:"reason" eg:"moved"`
	Result    string `json:"result" enum:"email|unreachable|recorded|already"`
}

type returnFault struct {
	Line   int    `json:"line"`
	Detail string `json:"detail" eg:"no letter of ours has this reference"`
	Hint   string `json:"hint"`
}

func apiReturns(v *visit, in returnOrder) (returnResult, error) {
	out := returnResult{Letters: []returnLetter{}, Rejected: []returnFault{}}
	c, err := v.campaign()
	if err != nil {
		return out, err
	}
	switch {
	case len(in.Letters) == 0:
		return out, invalid("letters", "missing", "say which letters came back")
	case len(in.Letters) > mostNumbers:
		return out, invalid("letters", "range", "at most 1000 letters at once")
	case in.Counted < 0 || in.Counted > 100_000:
		return out, invalid("counted", "range", "counted is 0 to 100,000")
	}
	lines := make([]string, len(in.Letters))
	for i, l := range in.Letters {
		lines[i] = oneLine(l)
	}
	r, err := v.ops().Return(v.ctx(), c.Name, Returns{Lines: strings.Join(lines, "\n"), Reason: oneLine(in.Reason), On: oneLine(in.On), Bag: oneLine(in.Bag), Counted: in.Counted, Dry: in.Dry})
	out.Lines, out.Recorded, out.Already, out.Revoked, out.Notes = r.Lines, r.Recorded, r.Already, r.Revoked, append([]string{}, r.Notes...)
	for _, l := range r.Letters {
		out.Letters = append(out.Letters, returnLetter{l.Reference, l.Run, l.Seq, l.Reason, l.Result})
	}
	for _, l := range r.Rejected {
		out.Rejected = append(out.Rejected, returnFault{l.Line, l.Sentence, l.Hint})
	}
	return out, err
}
