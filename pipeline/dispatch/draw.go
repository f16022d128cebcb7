package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/art34/art34/pipeline"
)

// handle is the queue's handler for drawing. The file of a run depends on the run
// alone, so that a copy of the task, or a worker that was given up for dead, writes
// the same bytes once more.
func (r *printRoom) handle(ctx context.Context, t pipeline.Task) {
	var p printTask
	if err := json.Unmarshal(t.Payload, &p); err != nil {
		r.s.Log.Error("a task cannot be read", "task", t.ID)
		return
	}
	err := r.draw(ctx, p.Run)
	if err == nil || away(err) {
		r.s.reached(ctx, "ledger", err)
	} else if ctx.Err() == nil && !conflict(err) {
		r.s.Log.Error("the print run cannot be drawn; it is tried again", "run", pipeline.RunName(p.Run), "code", pipeline.ErrorCode(err), "error", err)
	}
}

func (r *printRoom) draw(ctx context.Context, id int64) error {
	s := r.s
	run, err := s.Ledger.Run(ctx, id)
	if err != nil || run.State != pipeline.RunCut {
		return err // drawn or voided
	}
	c, err := s.campaignOf(ctx, run.Campaign)
	if err != nil {
		return err
	}
	letters, err := s.runLetters(ctx, run.ID)
	if err != nil {
		return err
	}
	drawn, err := s.Press.Draw(ctx, run, c, letters)
	if err != nil {
		return err
	}
	return r.assemble(ctx, run, letters, drawn)
}

// runLetters pairs the items of a run that are still in it with their jobs.
func (s *Service) runLetters(ctx context.Context, run int64) ([]RunLetter, error) {
	items, err := s.Ledger.RunItems(ctx, run)
	if err != nil {
		return nil, err
	}
	jobs, err := s.Ledger.RunJobs(ctx, run)
	if err != nil {
		return nil, err
	}
	by := make(map[int64]pipeline.Job, len(jobs))
	for _, j := range jobs {
		by[j.ID] = j
	}
	var out []RunLetter
	for _, i := range items {
		if j, ok := by[i.Notice]; ok && i.State == pipeline.ItemIn && j.Attempt == i.Attempt && j.State == pipeline.Printing {
			out = append(out, RunLetter{Item: i, Job: j})
		}
	}
	return out, nil
}

// assemble records what is in the file: the letters some at a time, and when all are
// on record, the run. If we die between, or a letter has moved on, it is drawn again.
// A letter that measured well and could not be drawn is taken out of the run, and
// held.
func (r *printRoom) assemble(ctx context.Context, run pipeline.Run, letters []RunLetter, d Drawn) error {
	s := r.s
	now := s.Clock.Now()
	policy := s.policyOf(run.Campaign)
	l, err := r.sort(run, letters, d, policy, now)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(l.drawn, pipeline.RunSlice) {
		if err == nil {
			err = s.Ledger.DrawRun(ctx, run.ID, some)
		}
	}
	run.State, run.File, run.SHA256, run.Pages, run.Letters, run.AssembledAt = pipeline.RunAssembled, d.File, d.SHA256, d.Pages, len(d.Items), now
	if len(d.Items) == 0 {
		run.State, run.ClosedAt = pipeline.RunVoided, now
	}
	if err == nil {
		err = s.Ledger.AssembleRun(ctx, run, l.tickets, l.items, l.members, pipeline.Audit{
			Campaign: run.Campaign, At: now, Actor: actorPrint, Action: "run-" + string(run.State), Detail: run.Name(),
		})
	}
	if errors.Is(err, pipeline.ErrConflict) {
		return r.tidy(ctx, run)
	}
	if err != nil || len(l.out) == 0 {
		return err
	}
	if run.State == pipeline.RunVoided {
		err = s.Press.Remove(ctx, run)
	}
	return errors.Join(err, r.hold(ctx, run, policy, l.out))
}

// sorted are the letters of a run after its drawing: those in the file, and those
// that are taken out.
type sorted struct {
	drawn   []pipeline.Drawn
	tickets []pipeline.Ticket // of drawn

	items   []pipeline.RunItem // taken out
	members []pipeline.Change
	out     map[int64]string // notice → code
}

func (r *printRoom) sort(run pipeline.Run, letters []RunLetter, d Drawn, policy pipeline.Policy, now time.Time) (l sorted, err error) {
	places := make(map[int]DrawnItem, len(d.Items))
	for _, i := range d.Items {
		places[i.Seq] = i
	}
	codes := make(map[int]string, len(d.Unfit))
	for _, u := range d.Unfit {
		codes[u.Seq] = u.Code
	}
	l.out = map[int64]string{}
	for _, x := range letters {
		item := x.Item
		if place, ok := places[item.Seq]; ok {
			ticket := pipeline.Ticket{Notice: item.Notice, Gen: x.Job.Gen}
			l.tickets = append(l.tickets, ticket)
			l.drawn = append(l.drawn, pipeline.Drawn{Ticket: ticket, Seq: item.Seq, FirstPage: place.FirstPage, Pages: place.Pages, Bytes: place.Hash[:]})
			continue
		}
		code := codes[item.Seq]
		if code == "" {
			code = "not-drawn"
		}
		item.State, l.out[item.Notice] = pipeline.ItemOut, code
		e := pipeline.Event{Notice: item.Notice, Attempt: item.Attempt, Kind: pipeline.EvVoided, At: now, Actor: actorPrint, Code: code, Detail: run.Name()}
		next, _, err := policy.Apply(x.Job.Notice, e)
		if err != nil {
			return l, err
		}
		next.MovedAt = r.s.Real.Now()
		l.items, l.members = append(l.items, item), append(l.members, pipeline.Move(x.Job.Notice, next, e))
	}
	return l, nil
}

// tidy removes the file of a run that was voided while it was being drawn. One
// that somebody else assembled keeps it: the bytes are the same.
func (r *printRoom) tidy(ctx context.Context, run pipeline.Run) error {
	now, err := r.s.Ledger.Run(ctx, run.ID)
	if err != nil || now.State != pipeline.RunVoided {
		return err
	}
	return r.s.Press.Remove(ctx, now)
}

// hold keeps letters for a person that were taken out of their run. If we die
// before, they are due, are cut into the next run and taken out again.
func (r *printRoom) hold(ctx context.Context, run pipeline.Run, policy pipeline.Policy, out map[int64]string) error {
	var list []pipeline.Notice
	for id := range out {
		j, err := r.s.Ledger.Notice(ctx, id)
		if err != nil {
			return err
		}
		list = append(list, j.Notice)
		r.s.Log.Warn("the letter cannot be drawn and was taken out", "run", run.Name(), "notice", id, "code", out[id])
	}
	_, err := r.s.hand().move(ctx, list, func(n pipeline.Notice) (pipeline.Policy, pipeline.Event) {
		return policy, pipeline.Event{Attempt: n.Attempt, Kind: pipeline.EvUnfit, Actor: actorPrint, Code: out[n.ID], Detail: run.Name()}
	})
	return err
}

// campaignOf reads a campaign by its number.
func (s *Service) campaignOf(ctx context.Context, id int64) (pipeline.Campaign, error) {
	all, err := s.Ledger.AllCampaigns(ctx)
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
	}
	if err == nil {
		err = pipeline.ErrNotFound
	}
	return pipeline.Campaign{}, err
}

// policyOf is the policy in force of a campaign.
func (s *Service) policyOf(id int64) pipeline.Policy {
	if v := s.control.seen.Load(); v != nil {
		if k := v.campaign(id); k != nil {
			return k.policy
		}
	}
	return pipeline.DefaultPolicy()
}

// countDue counts what is due by now on a channel.
func (s *Service) countDue(ctx context.Context, campaign int64, ch pipeline.Channel, now time.Time) (n int64, err error) {
	counts, err := s.Ledger.CountDue(ctx, campaign, now, countMost, ch)
	for _, c := range counts {
		n += c.Count
	}
	return n, err
}

// moving counts what is on its way by e-mail: queued, sending or in doubt.
func (s *Service) moving(ctx context.Context, campaign int64) (n int64, err error) {
	list, err := s.Ledger.Tally(ctx, campaign)
	for _, t := range list {
		if t.State == pipeline.Queued || t.State == pipeline.Sending || t.State == pipeline.InDoubt {
			n += t.Count
		}
	}
	return n, err
}

// noRelay reports that this process carries e-mail and has no relay.
func (s *Service) noRelay() bool { return s.Relay == nil && s.plays(RoleCourier) }
