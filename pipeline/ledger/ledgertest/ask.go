package ledgertest

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/ledger"
)

// Ask does once whatever is done for every notice, every look-up or every few
// seconds, on a campaign of many notices by e-mail that are due since t, the first of
// them with the id first. An engine's test asks its database then how it ran the
// statements.
func Ask(ctx context.Context, l ledger.Ledger, campaign, first int64, t time.Time) error {
	for _, f := range []func(context.Context, ledger.Ledger, int64, int64, time.Time) error{askDispatch, askCourier, askPrint, askReaders, askDesk, askCell} {
		if err := f(ctx, l, campaign, first, t); err != nil {
			return err
		}
	}
	return nil
}

// askDispatch is the leader's round, and what it tidies up.
func askDispatch(ctx context.Context, l ledger.Ledger, campaign, first int64, t time.Time) error {
	var errs []error
	did := func(err error) { errs = append(errs, err) }
	take := pipeline.Take{Campaign: campaign, Channel: pipeline.Email, Provider: "google", Limit: 2, Now: t, Moved: t}
	tickets, err := l.TakeDue(ctx, take)
	did(err)
	take.Provider = ""
	others, err := l.TakeDue(ctx, take)
	did(err)
	_, err = l.Requeue(ctx, append(tickets, others...), t)
	did(err)
	_, err = l.RequeueAll(ctx, t)
	did(err)
	for _, s := range []pipeline.State{pipeline.Queued, pipeline.Sending, pipeline.InDoubt, pipeline.Accepted, pipeline.Posted} {
		_, err = l.Expired(ctx, campaign, s, t, 5)
		did(err)
	}
	_, err = l.Orphans(ctx, 5)
	did(err)
	_, err = l.StaleQueued(ctx, t, 5)
	did(err)
	_, err = l.NextDue(ctx, campaign)
	did(err)
	_, err = l.CountDue(ctx, campaign, t, 5)
	did(err)
	_, err = l.CountDue(ctx, campaign, t, 5, pipeline.Post)
	did(err)
	_, err = l.Tally(ctx, campaign)
	did(err)
	_, err = l.Counters(ctx, campaign)
	did(err)
	_, err = l.Answers(ctx, campaign)
	did(err)
	_, err = l.UnderWay(ctx, campaign)
	did(err)
	_, err = l.Lease(ctx, "l", "o", time.Minute)
	did(err)
	_, err = l.Siblings(ctx, first)
	did(err)
	_, err = l.Unmerged(ctx, 1, 0, 5)
	did(err)
	_, err = l.People(ctx, campaign, [][]byte{{1}})
	did(err)
	return errors.Join(errs...)
}

// askCourier carries one notice, and hears what came back.
func askCourier(ctx context.Context, l ledger.Ledger, campaign, _ int64, t time.Time) error {
	tickets, err := l.TakeDue(ctx, pipeline.Take{Campaign: campaign, Channel: pipeline.Email, Limit: 1, Now: t, Moved: t})
	if err != nil {
		return err
	}
	jobs, err := l.Load(ctx, tickets)
	if err != nil || len(jobs) != 1 {
		return errors.Join(err, errors.New("nothing is due"))
	}
	mark := send(jobs[0].Notice, "p")
	mark.Sealed = jobs[0].Sealed
	e := pipeline.Event{Notice: mark.To.ID, Attempt: 1, Kind: pipeline.EvAccepted, At: t, Detail: "queued"}
	next, _, err := pipeline.DefaultPolicy().Apply(mark.To, e)
	if err != nil {
		return err
	}
	for _, c := range []pipeline.Change{mark, pipeline.Move(mark.To, next, e)} {
		if _, err := l.Commit(ctx, []pipeline.Change{c}); err != nil {
			return err
		}
	}
	return l.Record(ctx, []pipeline.Event{{Notice: mark.To.ID, Attempt: 1, Kind: pipeline.EvReplied, At: t, Detail: "x"}})
}

// askPrint cuts a run of letters to two whose addresses are dead.
func askPrint(ctx context.Context, l ledger.Ledger, campaign, _ int64, t time.Time) error {
	tickets, err := l.TakeDue(ctx, pipeline.Take{Campaign: campaign, Channel: pipeline.Email, Limit: 2, Now: t, Moved: t})
	if err != nil {
		return err
	}
	jobs, err := l.Load(ctx, tickets)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		mark := send(j.Notice, "p")
		e := pipeline.Event{Notice: j.ID, Attempt: j.Attempt, Kind: pipeline.EvRefused, Outcome: pipeline.Dead, At: t}
		next, _, err := pipeline.DefaultPolicy().Apply(mark.To, e)
		if err != nil {
			return err
		}
		for _, c := range []pipeline.Change{mark, pipeline.Move(mark.To, next, e)} {
			if _, err := l.Commit(ctx, []pipeline.Change{c}); err != nil {
				return err
			}
		}
	}
	if jobs, err = l.PeekDue(ctx, campaign, pipeline.Post, "standard", t.Add(time.Hour), pipeline.PeekPosition{Country: "AA"}, 2); err != nil || len(jobs) != 2 {
		return errors.Join(err, errors.New("no letters are due"))
	}
	run := pipeline.Run{Campaign: campaign, State: pipeline.RunFilling, Profile: "fr-dl", Class: "standard", Sheets: 1, Letters: 2, Version: 1, CutAt: t, LetterDate: t}
	for i := range jobs {
		items, members, err := slice(jobs[i:i+1], i)
		if err != nil {
			return err
		}
		if i == 0 {
			run, err = l.CutRun(ctx, run, items, members)
		} else {
			err = l.AddToRun(ctx, run.ID, items, members)
		}
		if err != nil {
			return err
		}
	}
	_, err = l.RunItems(ctx, run.ID)
	return errors.Join(err, tidyRuns(ctx, l, campaign))
}

// askReaders is what the pages of a campaign read.
func askReaders(ctx context.Context, l ledger.Ledger, campaign, first int64, t time.Time) error {
	var errs []error
	did := func(err error) { errs = append(errs, err) }
	for _, s := range []pipeline.State{pipeline.Held, pipeline.Unreachable, pipeline.Excluded, pipeline.Cancelled} {
		_, err := l.Reasons(ctx, campaign, s)
		did(err)
	}
	_, err := l.Notice(ctx, first)
	did(err)
	_, err = l.Events(ctx, first)
	did(err)
	_, err = l.Attempts(ctx, first)
	did(err)
	_, err = l.PerVersion(ctx, campaign)
	did(err)
	_, err = l.Outside(ctx, campaign)
	did(err)
	_, err = l.LastAudits(ctx, campaign, 20)
	did(err)
	actions, err := l.Actions(ctx, campaign)
	did(err)
	_, err = l.LastDeeds(ctx, campaign, append(actions, "pause"), 12)
	did(err)
	_, err = l.ByHand(ctx, campaign)
	did(err)
	_, err = l.Imports(ctx, campaign)
	did(err)
	did(begin(l.Each(ctx, pipeline.Filter{Campaign: campaign, States: []pipeline.State{pipeline.Held}, Flag: "vip", Reason: "x", Roles: []pipeline.Role{pipeline.Primary}, Limit: 5})))
	did(begin(l.EventsByNotice(ctx, campaign)))
	did(begin(l.AuditTrail(ctx, campaign)))
	did(l.Sweep(ctx, campaign, t.Add(-time.Hour)))
	return errors.Join(errs...)
}

// begin reads the first of many.
func begin[T any](all iter.Seq2[T, error]) error {
	for _, err := range all {
		return err
	}
	return nil
}

// askDesk is what a call of the cell writes and reads.
func askDesk(ctx context.Context, l ledger.Ledger, campaign, first int64, t time.Time) error {
	quota := pipeline.Quota{Hour: 1000, Day: 1000, Now: t, Shared: "token:crm/", SharedHour: 1000}
	step := pipeline.CallStep{At: t, Agent: "token:crm/ana", Kind: pipeline.StepLookUp}
	for _, call := range []pipeline.Call{
		{Campaign: campaign, Notice: first, Agent: "token:crm/ana", OpenedAt: t, Found: pipeline.FoundNotice},
		{Campaign: campaign, Token: []byte{1}, Agent: "token:crm/ana", OpenedAt: t, Found: pipeline.FoundBystander},
	} {
		var errs []error
		did := func(err error) { errs = append(errs, err) }
		call, err := l.OpenCall(ctx, call, quota, step)
		did(err)
		_, _, err = l.TryAnswer(ctx, call.ID, 3, t)
		did(err)
		_, err = l.WrongAnswers(ctx, call.ID, t)
		did(err)
		_, err = l.CallSteps(ctx, call.ID)
		did(err)
		did(l.ForgetTries(ctx, call.ID))
		now, err := l.Call(ctx, call.ID)
		did(err)
		_, err = l.UpdateCall(ctx, now, quota, step)
		did(err)
		did(l.AddSteps(ctx, pipeline.CallStep{Call: call.ID, At: t, Agent: "token:crm/ana", Kind: pipeline.StepNote}))
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	_, err := l.CountTold(ctx, campaign, t)
	return err
}

// askCell is what the cell looks up beside it.
func askCell(ctx context.Context, l ledger.Ledger, campaign, first int64, t time.Time) error {
	var errs []error
	did := func(err error) { errs = append(errs, err) }
	_, _, err := l.Search(ctx, campaign, [16]byte{1}, 5)
	did(err)
	_, err = l.Concerned(ctx, campaign, [][16]byte{{1}, {2}})
	did(err)
	_, err = l.ToldBefore(ctx, campaign, [][]byte{{1}})
	did(err)
	for _, f := range []pipeline.CallFilter{{Agent: "token:crm/ana"}, {Notice: first}, {Waiting: true}, {Agent: "token:crm/ana", Open: true}} {
		did(begin(l.EachCall(ctx, f)))
	}
	for _, f := range []pipeline.QueryFilter{{}, {State: pipeline.QueryOpen}, {AskedBy: "token:crm/ana"}} {
		_, err = l.Queries(ctx, campaign, f, 5)
		did(err)
	}
	_, err = l.QAs(ctx, campaign)
	did(err)
	_, err = l.Unapplied(ctx)
	did(err)
	_, err = l.Proposals(ctx, pipeline.ProposalWaiting)
	did(err)
	r := pipeline.Remembered{Token: -1, At: t}
	_, _, err = l.Remember(ctx, r)
	did(err)
	did(l.Answered(ctx, r))
	_, err = l.Recall(ctx, r.Token, r.Key)
	did(err)
	did(l.Forget(ctx, r))
	did(l.ForgetAnswers(ctx, t))
	return errors.Join(errs...)
}
