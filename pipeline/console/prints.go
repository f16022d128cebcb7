package console

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// This file holds print runs: what was assembled, its way to the print shop, and
// what the print shop says.

func printRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/runs/{run}", may: ActSee, do: showRun},
		{pattern: "GET /campaigns/{name}/runs/{run}/release", may: ActPrint, do: deedForm(releaseRunDeed)},
		{pattern: "POST /campaigns/{name}/runs/{run}/release", may: ActPrint, do: deedDone(releaseRunDeed)},
		{pattern: "GET /campaigns/{name}/runs/{run}/recall", may: ActPrint, do: deedForm(recallRunDeed)},
		{pattern: "POST /campaigns/{name}/runs/{run}/recall", may: ActPrint, do: deedDone(recallRunDeed)},
		{pattern: "GET /campaigns/{name}/runs/{run}/file", may: ActPrint, sure: true, do: fetchRun},
		{pattern: "GET /campaigns/{name}/runs/{run}/deposit", may: ActPrint, do: depositForm},
		{pattern: "POST /campaigns/{name}/runs/{run}/deposit", may: ActPrint, do: deposit},
	}
}

// runData is a print run and what may be done with it.
type runData struct {
	Campaign pipeline.Campaign
	Run      pipeline.Run
	Path     string
	Spoiled  int      // letters of a deposited run that the print shop could not deposit
	ByHand   []string // letters that have to be pulled by hand, in the order in which they were found out
}

// run is the one that the path names, of the campaign that the path names.
func (v *visit) run() (runData, error) {
	c, err := v.campaign()
	if err != nil {
		return runData{}, err
	}
	f, err := v.Board.Figures(v.ctx(), c)
	if err != nil {
		return runData{}, err
	}
	i := slices.IndexFunc(f.Runs, func(r pipeline.Run) bool { return r.Name() == v.r.PathValue("run") })
	if i < 0 {
		return runData{}, pipeline.ErrNotFound
	}
	d := runData{Campaign: c, Run: f.Runs[i], Path: campaignPath(c) + "/runs/" + f.Runs[i].Name()}
	if d.Run.State == pipeline.RunDeposited {
		d.Spoiled = d.Run.Letters - d.Run.Deposit.Count
	}
	return d, nil
}

func showRun(v *visit) error {
	d, err := v.run()
	if err != nil {
		return err
	}
	all, err := v.Ledger.ByHand(v.ctx(), d.Campaign.ID)
	if err != nil {
		return err
	}
	for _, a := range all {
		if strings.HasPrefix(a.Detail, d.Run.Name()+" ") && !slices.Contains(d.ByHand, a.Detail) {
			d.ByHand = append(d.ByHand, a.Detail)
		}
	}
	return v.page("run", d)
}

func releaseRunDeed(v *visit) (deed, error) {
	d, err := v.run()
	return deed{Key: "run_release", About: d.Run.Name(), Back: d.Path, code: "run_released", do: func(v *visit, reason string) error {
		return v.ops().ReleaseRun(v.ctx(), d.Run.ID, reason)
	}}, err
}

func recallRunDeed(v *visit) (deed, error) {
	d, err := v.run()
	key := "run_void"
	if d.Run.State == pipeline.RunReleased || d.Run.State == pipeline.RunDeposited {
		key = "run_recall"
	}
	return deed{Key: key, About: d.Run.Name(), Danger: true, Back: d.Path, code: "run_back", do: func(v *visit, reason string) error {
		return v.ops().TakeBack(v.ctx(), d.Run.ID, reason)
	}}, err
}

// fetchRun hands the file of a run out. It is on record: it holds names in clear
// unless it is encrypted to the print shop.
func fetchRun(v *visit) error {
	d, err := v.run()
	if err != nil {
		return err
	}
	f, err := v.ops().OpenRun(v.ctx(), d.Run.ID)
	if err != nil {
		return err
	}
	defer f.Content.Close()
	v.noteOf(d.Campaign.ID, "print-fetch", "", d.Run.Name())
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+plainName(f.Name)+`"`)
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	_ = http.NewResponseController(v.w).SetWriteDeadline(clock.Real{}.Now().Add(time.Hour))
	if _, err := io.Copy(v.w, f.Content); err != nil {
		return errAnswered
	}
	return nil
}

// plainName is a file name that no header can be split with.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

// depositData is the form of an acknowledgement.
type depositData struct {
	runData
	On, Place, Product, Slip, Count, Rejected string
}

func depositForm(v *visit) error {
	d, err := v.run()
	if err != nil {
		return err
	}
	return v.page("deposit", depositData{runData: d, On: v.Clock.Now().In(v.zone()).Format(time.DateOnly), Count: strconv.Itoa(d.Run.Letters)})
}

func deposit(v *visit) error {
	r, err := v.run()
	if err != nil {
		return err
	}
	d := depositData{r, v.value("on"), v.value("place"), v.value("product"), v.value("slip"), v.value("count"), v.text("rejected", 10_000)}
	dep := pipeline.Deposit{Place: d.Place, Product: d.Product, Slip: d.Slip, Count: int(v.number("count", 1_000_000))}
	if err := dep.On.UnmarshalText([]byte(d.On)); err != nil || d.On == "" {
		v.wrong("on", "problem.date")
	}
	if d.Place == "" {
		v.wrong("place", "problem.needed")
	}
	if d.Product == "" {
		v.wrong("product", "problem.needed")
	}
	rejected := map[int]string{}
	for line := range strings.FieldsFuncSeq(d.Rejected, func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
		seq, code, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "=", " "), " ")
		n, err := strconv.Atoi(seq)
		if err != nil || n < 1 || n > pipeline.MostRunLetters { // where letters were taken out, positions go beyond how many there are
			v.wrong("rejected", "problem.rejected")
			break
		}
		if code = strings.TrimSpace(code); code == "" {
			code = "spoiled"
		}
		rejected[n] = code
	}
	if len(v.problems) == 0 {
		if err := v.refused("count", v.ops().Acknowledge(v.ctx(), r.Run.ID, dep, rejected)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		return v.again("deposit", d)
	}
	return v.done(r.Path, "deposited")
}
