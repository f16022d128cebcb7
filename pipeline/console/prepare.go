package console

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/kit/clock"
)

// This file holds the way of a campaign from nothing to its approval, one thing a
// page: draft, lists, check, proofs, submission, approval.

func prepareRoutes() []route {
	return []route{
		{pattern: "GET /campaigns/{name}/prepare", may: ActProof, do: showSteps},
		{pattern: "GET /campaigns/{name}/import", may: ActPrepare, do: stepPage("import")},
		{pattern: "POST /campaigns/{name}/import", may: ActPrepare, upload: true, limit: listLimit, do: importLists},
		{pattern: "GET /campaigns/{name}/check", may: ActProof, do: stepPage("check")},
		{pattern: "POST /campaigns/{name}/check", may: ActProof, do: startCheck},
		{pattern: "GET /campaigns/{name}/proofs", may: ActProof, do: listProofs},
		{pattern: "GET /campaigns/{name}/proofs/{notice}", may: ActProof, do: showProof},
		{pattern: "GET /campaigns/{name}/proofs/{notice}/html", may: ActProof, frame: true, do: proofHTML},
		{pattern: "GET /campaigns/{name}/proofs/{notice}/pdf", may: ActProof, do: proofPDF},
		{pattern: "GET /campaigns/{name}/submit", may: ActPrepare, do: deedForm(submitDeed)},
		{pattern: "POST /campaigns/{name}/submit", may: ActPrepare, do: deedDone(submitDeed)},
		{pattern: "GET /campaigns/{name}/approve", may: ActApprove, sure: true, do: approveForm},
		{pattern: "POST /campaigns/{name}/approve", may: ActApprove, sure: true, do: approve},
	}
}

const (
	listLimit = 8 << 30 // lists, compressed or not
	// uploadFor is how long a list may take to arrive.
	uploadFor = 2 * time.Hour
)

// parts reads a form with files, part by part. take gets each file; fields are
// returned. The form token is the first part, and nothing is read before it.
func (v *visit) parts(take func(field, name string, from io.Reader) error) (map[string]string, error) {
	_ = http.NewResponseController(v.w).SetReadDeadline(clock.Real{}.Now().Add(uploadFor))
	_ = http.NewResponseController(v.w).SetWriteDeadline(clock.Real{}.Now().Add(uploadFor))
	mr, err := v.r.MultipartReader()
	if err != nil {
		return nil, errOldForm
	}
	fields := map[string]string{}
	for n := 0; n < 100; n++ {
		p, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		if err := v.part(p, n, fields, take); err != nil {
			return nil, err
		}
	}
	return nil, errTooMany
}

func (v *visit) part(p *multipart.Part, n int, fields map[string]string, take func(field, name string, from io.Reader) error) error {
	defer p.Close()
	if n == 0 {
		token, err := io.ReadAll(io.LimitReader(p, 200))
		if err != nil || p.FormName() != "token" || !v.rightToken(string(token)) {
			return errOldForm
		}
		return nil
	}
	if p.FileName() == "" {
		value, err := io.ReadAll(io.LimitReader(p, formLimit+1))
		if len(value) > formLimit {
			return &http.MaxBytesError{Limit: formLimit} // half a text is none
		}
		fields[p.FormName()] = strings.TrimSpace(string(value))
		return err
	}
	return take(p.FormName(), path.Base(strings.ReplaceAll(p.FileName(), `\`, "/")), p)
}

// steps is how far a campaign is on its way to the launch.
type steps struct {
	Campaign pipeline.Campaign
	Figures  Figures
	Bar      []bar
	Import   *job
	Check    *job
	Last     Verdict // where there is no Check since this console began
	Cut      *cut    // an import that was cut off with an earlier console
	Next     string  // import, check, proofs, submit, launch, none
}

func (v *visit) steps() (steps, error) {
	c, err := v.campaign()
	if err != nil {
		return steps{}, err
	}
	s := steps{Campaign: c, Import: v.jobs.last(c.ID, "import"), Check: v.jobs.last(c.ID, "check")}
	if s.Figures, err = v.Board.Figures(v.ctx(), c); err != nil {
		return s, err
	}
	s.Bar = barOf(s.Figures.Balance)
	if s.Cut, err = v.cutJob(c.ID, "import"); err != nil {
		return s, err
	}
	if s.Check == nil {
		if s.Last, err = v.ops().LastCheck(v.ctx(), c.Name); err != nil {
			return s, err
		}
	}
	switch {
	case c.State != pipeline.Draft && c.State != pipeline.Approved:
		s.Next = "none"
	case s.Figures.Balance.Population == 0:
		s.Next = "import"
	case c.State == pipeline.Approved:
		s.Next = "launch"
	case s.Check == nil && s.Last.Done && s.Last.Same && s.Last.Blocks == 0:
		s.Next = "submit"
	case s.Check == nil || s.Check.Running() || s.Check.Stale || s.Check.Checked == nil || len(s.Check.Checked.Blocks) > 0:
		s.Next = "check"
	default:
		s.Next = "submit"
	}
	return s, nil
}

func showSteps(v *visit) (err error) {
	var d struct {
		steps
		Submission Submission
		Version    pipeline.Version // in force, if any
	}
	if d.steps, err = v.steps(); err != nil {
		return err
	}
	d.Version = versionOf(d.Figures, d.Campaign.Version)
	if d.Submission, err = v.ops().Submission(v.ctx(), d.Campaign.Name); err != nil {
		return err
	}
	return v.page("prepare", d)
}

// stepPage is a page that shows how far a campaign is.
func stepPage(name string) func(*visit) error {
	return func(v *visit) error {
		s, err := v.steps()
		if err != nil {
			return err
		}
		return v.page(name, s)
	}
}

func importLists(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	var lists []List
	handed := false // to an import, which removes them
	defer func() {
		if !handed && len(lists) > 0 {
			if err := v.ops().Discard(lists); err != nil {
				v.Log.Warn("lists that nobody reads cannot be removed", "campaign", c.ID, "error", err)
			}
		}
	}()
	fields, err := v.parts(func(field, name string, from io.Reader) error {
		if name == "" || name == "." || field != "customers" && field != "impact" {
			return nil
		}
		l, err := v.ops().Receive(v.ctx(), field, name, from)
		lists = append(lists, l)
		return err
	})
	if err != nil {
		return err
	}
	if len(lists) == 0 {
		v.wrong("impact", "problem.file")
	}
	var unmatched int
	if text := fields["unmatched"]; text != "" {
		unmatched = v.numeral("unmatched", text, 1_000_000)
	}
	if len(v.problems) == 0 {
		ops, jobs := v.ops(), v.jobs
		err := v.start(c, "import", func(ctx context.Context, j *job) error {
			result, err := ops.Import(ctx, c.Name, lists, fields["replace"] == "yes", int64(unmatched))
			j.Import = &result
			if err == nil {
				jobs.outdate(c.ID, "check")
			}
			return err
		})
		handed = err == nil
		if err := v.refused("", err); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		s, err := v.steps()
		if err != nil {
			return err
		}
		return v.again("import", s)
	}
	return v.seeOther(campaignPath(c) + "/import")
}

func startCheck(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	ops := v.ops()
	err = v.start(c, "check", func(ctx context.Context, j *job) error {
		result, err := ops.Check(ctx, c.Name)
		if err == nil {
			j.Checked = &result
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.seeOther(campaignPath(c) + "/check")
}

// proofCount is how many different letters are shown.
const proofCount = 12

func listProofs(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	return v.proofList(c, http.StatusOK)
}

// proofList shows letters that differ, and asks for a customer's number.
func (v *visit) proofList(c pipeline.Campaign, status int) error {
	list, err := v.ops().Samples(v.ctx(), c.Name, proofCount)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(s Sample) bool { return reserved(s.Flags) && !v.seesReserved() })
	return v.show(status, "proofs", struct {
		Campaign pipeline.Campaign
		Samples  []Sample
	}{c, list})
}

func (v *visit) proof() (pipeline.Campaign, Proof, error) {
	c, err := v.campaign()
	if err != nil {
		return c, Proof{}, err
	}
	id, err := strconv.ParseInt(v.r.PathValue("notice"), 10, 64)
	if err != nil || id < 1 {
		return c, Proof{}, pipeline.ErrNotFound
	}
	p, err := v.ops().Proof(v.ctx(), c.Name, id)
	if err == nil && reserved(p.Notice.Flags) && !v.seesReserved() {
		return c, Proof{}, errDenied
	}
	return c, p, err
}

func showProof(v *visit) error {
	c, p, err := v.proof()
	if err != nil {
		return err
	}
	v.noteOf(c.ID, "proof", "", "notice "+strconv.FormatInt(p.Notice.ID, 10))
	return v.page("proof", struct {
		Campaign pipeline.Campaign
		Proof    Proof
		Path     string
	}{c, p, campaignPath(c) + "/proofs/" + strconv.FormatInt(p.Notice.ID, 10)})
}

// proofHTML is the e-mail as a mail program would show it, for a sandboxed frame.
func proofHTML(v *visit) error {
	_, p, err := v.proof()
	if err != nil {
		return err
	}
	if len(p.HTML) == 0 {
		return pipeline.ErrNotFound
	}
	return v.bytes("text/html; charset=utf-8", p.HTML)
}

func proofPDF(v *visit) error {
	_, p, err := v.proof()
	if err != nil {
		return err
	}
	return v.paper("proof-"+strconv.FormatInt(p.Notice.ID, 10)+".pdf", p.PDF)
}

// bytes answers with something that is no page of ours.
func (v *visit) bytes(kind string, data []byte) error {
	v.w.Header().Set("Content-Type", kind)
	v.w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, err := v.w.Write(data)
	if err != nil {
		return errAnswered
	}
	return nil
}

func submitDeed(v *visit) (deed, error) {
	c, err := v.campaign()
	return deed{Key: "submit", About: c.Name, Back: campaignPath(c) + "/prepare", code: "submitted", do: func(v *visit, reason string) error {
		return v.ops().Submit(v.ctx(), c.Name, reason)
	}}, err
}

// approval is everything that an approver says yes to, on one page.
type approval struct {
	steps
	Submission Submission
	Texts      Texts
	Lines      []diffLine
	Outlook    Outlook
}

func (v *visit) approval() (a approval, err error) {
	if a.steps, err = v.steps(); err != nil {
		return a, err
	}
	name := a.Campaign.Name
	if a.Submission, err = v.ops().Submission(v.ctx(), name); err != nil {
		return a, err
	}
	if a.Texts, err = v.ops().Texts(v.ctx(), name); err != nil {
		return a, err
	}
	a.Lines = diffLines(a.Texts.Diff)
	a.Outlook, err = v.ops().Outlook(v.ctx(), name)
	return a, err
}

func approveForm(v *visit) error {
	a, err := v.approval()
	if err != nil {
		return err
	}
	return v.page("approve", a)
}

func approve(v *visit) error {
	c, err := v.campaign()
	if err != nil {
		return err
	}
	if v.value("read") != "yes" {
		v.wrong("read", "problem.read")
	}
	reason := v.reason()
	if len(v.problems) == 0 {
		_ = http.NewResponseController(v.w).SetWriteDeadline(clock.Real{}.Now().Add(uploadFor))
		if err := v.refused("", v.ops().Approve(v.ctx(), c.Name, v.value("seen"), reason)); err != nil {
			return err
		}
	}
	if len(v.problems) > 0 {
		a, err := v.approval()
		if err != nil {
			return err
		}
		return v.again("approve", a)
	}
	return v.done(campaignPath(c), "approved")
}
