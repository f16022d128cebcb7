package console

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/art34/art34/pipeline"
)

// This file holds the pages of who has a customer on the phone: look up, verify,
// answer. No key of a customer is ever part of an address.

func cellRoutes() []route {
	const call = "/cell/calls/{call}"
	// What shows something is done each time.
	return onceOnly([]route{
		{pattern: "GET /cell", may: ActLookUp, do: cellPage},
		{pattern: "POST /cell", may: ActLookUp, do: lookUp},
		{pattern: "GET " + call, may: ActLookUp, do: showCase},
		{pattern: "POST " + call + "/look-up", may: ActLookUp, do: lookAgain},
		{pattern: "POST " + call + "/choose", may: ActLookUp, do: choose},
		{pattern: "POST " + call + "/verify", may: ActLookUp, do: verify},
		{pattern: "POST " + call + "/number", may: ActLookUp, do: showNumber},
		{pattern: "POST " + call + "/full", may: ActLookUp, do: unmask},
		{pattern: "GET " + call + "/letters/{notice}/{attempt}", may: ActLookUp, do: showSent},
		{pattern: "GET " + call + "/letters/{notice}/{attempt}/html", may: ActLookUp, frame: true, do: sentHTML},
		{pattern: "GET " + call + "/letters/{notice}/{attempt}/file", may: ActLookUp, do: sentFile},
		{pattern: "GET " + call + "/compare", may: ActHelp, do: callForm("cell_compare", StageAnswer)},
		{pattern: "POST " + call + "/compare", may: ActHelp, do: compare},
		{pattern: "GET " + call + "/copy", may: ActHelp, do: callForm("cell_copy", StageAnswer)},
		{pattern: "POST " + call + "/copy", may: ActHelp, do: sendCopy},
		{pattern: "GET " + call + "/post", may: ActHelp, do: callForm("cell_post", StageAnswer)},
		{pattern: "POST " + call + "/post", may: ActHelp, do: postInstead},
		{pattern: "GET " + call + "/correct", may: ActHelp, do: callForm("cell_correct", StageAnswer)},
		{pattern: "POST " + call + "/correct", may: ActHelp, do: propose},
		{pattern: "GET " + call + "/mark", may: ActHelp, do: callForm("cell_mark", StageAnswer)},
		{pattern: "POST " + call + "/mark", may: ActHelp, do: mark},
		{pattern: "GET " + call + "/pass-on", may: ActHelp, do: callForm("cell_pass", begun...)},
		{pattern: "POST " + call + "/pass-on", may: ActHelp, do: passOn},
		{pattern: "POST " + call + "/note", may: ActHelp, do: note},
		{pattern: "POST " + call + "/written", may: ActHelp, do: written},
		{pattern: "POST " + call + "/end", may: ActHelp, do: endCall},
	}, "/number", "/full", "/compare")
}

// asker is the visitor as the cell knows them.
func (v *visit) asker() (Asker, error) {
	all, err := v.campaigns()
	if t := v.program; t.ID != 0 {
		return Asker{Actor: v.actor(), Scopes: v.allowed(), Source: t.Name, Campaigns: all, LookUps: t.LookUps}, err
	}
	return Asker{Actor: v.user.Actor(), Roles: v.user.Roles, Source: "console", Campaigns: all}, err
}

// pathNumber reads a number of the path; what is none leads nowhere.
func (v *visit) pathNumber(name string) int64 {
	n, err := strconv.ParseInt(v.r.PathValue(name), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// searchData is the page with the one box. What was typed is not shown again.
type searchData struct {
	Campaigns []pipeline.Campaign
	Mine      []pipeline.Call
}

func (v *visit) searchData(who Asker) (d searchData, err error) {
	d.Campaigns = who.answering()
	d.Mine, err = v.Cell.Mine(v.ctx(), who)
	return d, err
}

func cellPage(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	d, err := v.searchData(who)
	if err != nil {
		return err
	}
	return v.page("cell", d)
}

func lookUp(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	c, err := v.Cell.LookUp(v.ctx(), who, LookUp{Key: v.value("key"), Campaign: v.value("campaign")})
	if err := v.refused("key", err); err != nil {
		return err
	}
	if len(v.problems) > 0 {
		d, err := v.searchData(who)
		if err != nil {
			return err
		}
		return v.again("cell", d)
	}
	return v.seeOther(callPath(c.ID))
}

// caseData is a case with what its page needs beside it.
type caseData struct {
	Case
	Path      string
	Ref       string // how colleagues name the call
	Lines     []line
	Campaigns []pipeline.Campaign
	Number    string // on file, once it was asked for
	Causes    []string
	Outcomes  []string
	CopyPost  bool // a copy may go there
	CopyEmail bool
	Flags     []string // that the cell may give
	Reasons   []string // to pass a call on
	Matched   string   // "match", "no-match" of an address that was compared
	ReadOut   bool     // the caller was found by the reference of a letter
	Focus     string   // the way whose field the cursor stands in
	Refusals  []refusal
	Form      map[string]string
}

// refusal is something that cannot be done now, and the code of why.
type refusal struct{ Deed, Code string }

// refusals are what an agent might look for and does not find, each once.
func (d *caseData) refusals() (list []refusal) {
	no := d.File.Cannot
	if !d.CopyPost && !d.CopyEmail {
		list = append(list, refusal{"copy", no[DeedCopyPost]})
	}
	// That nothing is planned by e-mail is no answer to who looks for a way to send a
	// letter: the copy is, or says why it is none.
	if code := no[DeedByPost]; code != "" && code != "nothing-planned" {
		list = append(list, refusal{"post", code})
	}
	if code := no[DeedCompare]; code != "" {
		list = append(list, refusal{"compare", code})
	}
	return list
}

// focus is the first way of a campaign for which something is typed.
func focus(p Proofs) string {
	for _, w := range p.Ways {
		if w == pipeline.ByReference || w == pipeline.ByValues && len(p.Columns) > 0 {
			return string(w)
		}
	}
	return ""
}

func (v *visit) caseData(who Asker, d Case) caseData {
	if d.Campaign.ID != 0 {
		v.about(d.Campaign)
	}
	ref := strconv.FormatInt(d.Call.ID, 10)
	x := caseData{
		Case: d, Path: callPath(d.Call.ID), Ref: ref, Lines: lines(d.File), Campaigns: who.answering(),
		Causes: pipeline.CallCauses(), Outcomes: pipeline.CallOutcomes(), Flags: MarkFlags(), Reasons: PassReasons(), Form: map[string]string{},
	}
	if d.File != nil {
		x.CopyPost, x.CopyEmail = d.File.Cannot[DeedCopyPost] == "", d.File.Cannot[DeedCopyEmail] == ""
		x.Refusals = x.refusals()
	}
	x.ReadOut, x.Focus = readOut(d.Call), focus(d.Proofs)
	return x
}

// theCase reads the call that the path names.
func (v *visit) theCase() (Asker, caseData, error) {
	who, err := v.asker()
	if err != nil {
		return who, caseData{}, err
	}
	d, err := v.Cell.Case(v.ctx(), who, v.pathNumber("call"))
	return who, v.caseData(who, d), err
}

func showCase(v *visit) error {
	_, d, err := v.theCase()
	if err != nil {
		return err
	}
	return v.page("call", d)
}

// onCall does something in a call; what it refuses is shown on the page of the call,
// or on that of its form.
func (v *visit) onCall(page, code string, do func(who Asker, id int64) error) error {
	return v.onCallIn(page, code, "", do)
}

// onCallIn is onCall for what is typed into one field: what is refused is said there.
func (v *visit) onCallIn(page, code, field string, do func(who Asker, id int64) error) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	id := v.pathNumber("call")
	if len(v.problems) == 0 {
		err := do(who, id)
		if pipeline.ErrorCode(err) == "locked" {
			field = "" // it is not there any more
		}
		if err := v.refused(field, err); err != nil {
			return err
		}
	}
	if len(v.problems) == 0 && code == "" {
		return v.seeOther(callPath(id)) // the page itself says what came of it
	}
	if len(v.problems) == 0 {
		return v.done(callPath(id), code)
	}
	d, err := v.Cell.Case(v.ctx(), who, id)
	if err != nil {
		return err
	}
	x := v.caseData(who, d)
	if x.Stage == StageClosed || page != "call" && x.Stage != StageAnswer && page != "cell_pass" {
		page = "call"
	}
	for name := range v.r.PostForm {
		if name != "token" && name != "note" && !strings.HasPrefix(name, "value-") {
			x.Form[name] = v.value(name)
		}
	}
	x.Form["note"] = v.text("note", noteLimit)
	return v.again(page, x)
}

// noteLimit is how long a note may be, in characters.
const noteLimit = 2000

func lookAgain(v *visit) error {
	key, campaign := v.value("key"), v.value("campaign")
	return v.onCallIn("call", "", "key", func(who Asker, id int64) error {
		_, err := v.Cell.LookUp(v.ctx(), who, LookUp{Key: key, Campaign: campaign, Call: id})
		return err
	})
}

func choose(v *visit) error {
	campaign := v.value("campaign")
	return v.onCall("call", "", func(who Asker, id int64) error {
		_, err := v.Cell.Choose(v.ctx(), who, id, campaign)
		return err
	})
}

func verify(v *visit) error {
	a := Answer{Way: pipeline.Verification(v.value("way")), Reference: v.value("reference"), Reached: v.value("reached") == "yes", Values: map[string]string{}}
	field := map[pipeline.Verification]string{pipeline.ByReference: "reference"}[a.Way]
	for _, name := range slices.Sorted(maps.Keys(v.r.PostForm)) {
		if column, ok := strings.CutPrefix(name, "value-"); ok {
			a.Values[column] = v.value(name)
			if field == "" {
				field = name // the first of several: which of them is wrong, nobody says
			}
		}
	}
	return v.onCallIn("call", "", field, func(who Asker, id int64) error {
		_, err := v.Cell.Verify(v.ctx(), who, id, a)
		return err
	})
}

func showNumber(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	number, err := v.Cell.Number(v.ctx(), who, v.pathNumber("call"))
	if err := v.refused("", err); err != nil {
		return err
	}
	_, d, err := v.theCase()
	if err != nil {
		return err
	}
	if d.Number = pipeline.Dialled(number); len(v.problems) > 0 {
		return v.again("call", d)
	}
	return v.page("call", d)
}

func unmask(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	reason := v.reason()
	if len(v.problems) > 0 {
		_, d, err := v.theCase()
		if err != nil {
			return err
		}
		return v.again("call", d)
	}
	d, err := v.Cell.Unmask(v.ctx(), who, v.pathNumber("call"), reason)
	if err != nil {
		return err
	}
	return v.page("call", v.caseData(who, d))
}

// sent is the letter that the path names.
func (v *visit) sent() (SentLetter, error) {
	who, err := v.asker()
	if err != nil {
		return SentLetter{}, err
	}
	return v.Cell.Letter(v.ctx(), who, v.pathNumber("call"), v.pathNumber("notice"), int(v.pathNumber("attempt")))
}

func showSent(v *visit) error {
	l, err := v.sent()
	if err != nil {
		return err
	}
	v.about(l.Campaign)
	return v.page("cell_letter", struct {
		Letter     SentLetter
		Path, Back string
	}{l, v.r.URL.Path, callPath(v.pathNumber("call"))})
}

// sentHTML is the e-mail as a mail program shows it, for a sandboxed frame.
func sentHTML(v *visit) error {
	l, err := v.sent()
	if err != nil {
		return err
	}
	if len(l.HTML) == 0 {
		return pipeline.ErrNotFound
	}
	return v.bytes("text/html; charset=utf-8", l.HTML)
}

// sentFile is the message, or the pages, as they went out.
func sentFile(v *visit) error {
	l, err := v.sent()
	if err != nil {
		return err
	}
	name := "letter-" + strconv.FormatInt(l.Of.Notice, 10) + "-" + strconv.Itoa(l.Of.Attempt)
	if l.Of.Channel == pipeline.Post {
		return v.paper(name+".pdf", l.Bytes)
	}
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.eml"`)
	return v.bytes("message/rfc822", l.Bytes)
}

// callForm shows the form of something that is done in a call.
func callForm(page string, stages ...Stage) func(*visit) error {
	return func(v *visit) error {
		_, d, err := v.theCase()
		if err != nil {
			return err
		}
		if !slices.Contains(stages, d.Stage) {
			return v.seeOther(d.Path)
		}
		return v.page(page, d)
	}
}

// stated is an address as a form says it.
func (v *visit) stated() Address {
	a := Address{Email: v.value("email"), Postcode: v.value("postcode"), City: v.value("city"), Country: v.value("country")}
	for line := range strings.SplitSeq(v.text("lines", 500), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			a.Lines = append(a.Lines, line)
		}
	}
	if v.value("what") == string(pipeline.Post) {
		a.Email = ""
	}
	return a
}

func compare(v *visit) error {
	who, err := v.asker()
	if err != nil {
		return err
	}
	same, err := v.Cell.Compare(v.ctx(), who, v.pathNumber("call"), v.stated())
	if err := v.refused("", err); err != nil {
		return err
	}
	_, d, err := v.theCase()
	if err != nil {
		return err
	}
	if len(v.problems) > 0 {
		return v.again("cell_compare", d)
	}
	if d.Matched = "no-match"; same {
		d.Matched = "match"
	}
	return v.show(http.StatusOK, "cell_compare", d)
}
