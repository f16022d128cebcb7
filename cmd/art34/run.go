package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/dispatch"
)

type runCmd struct {
	Roles     []string `help:"Which parts of the service: dispatch, courier, print, feedback, console." default:"dispatch,courier,print,feedback,console" enum:"dispatch,courier,print,feedback,console" placeholder:"ROLE,…"`
	UntilIdle bool     `help:"End when there is nothing left to do without a person."`
	wayBackOptions
	statesOptions
}

// Help shows examples.
func (runCmd) Help() string {
	return `Works on every launched campaign of the ledger until it is stopped. SIGTERM or an interrupt finishes what is on the wire and ends; a second one ends at once, and what was on the wire is in doubt. Neither loses anything.

With SQLite or the embedded queue one process plays all roles. With ART34_LEDGER=postgres://… and ART34_REDIS=redis://… there may be many, on several machines, each with some of the roles; the print role needs the same DIR everywhere. The feedback and console roles need the ledger alone: they may also run by themselves, beside a service.

The feedback role takes what comes back from the relay by LMTP or SMTP, or collects it from Maildirs, judges it, and sends answers of customers on to ART34_CELL_MAILBOX. The relay must route the domains of the return paths to it.

The print role also writes, every hour, where every notice of a launched campaign stands to DIR/exports, for systems that only read files: CODENAME-ID.ndjson is the newest and always whole, with numbers and states as of export states; campaigns under an embargo have none.

--until-idle opens no console, and ends when nothing is queued, sending or in automatic doubt, print runs are assembled, and nothing unblocked falls due within a minute. If blocked work is left it exits 1 and says why.

Examples:

    art34 run
    art34 run --until-idle
    art34 run --roles courier
    art34 run --feedback-lmtp 127.0.0.1:2424
    art34 run --roles console --console 127.0.0.1:9000`
}

// allRoles are the parts of the service.
func allRoles() []dispatch.Role {
	return []dispatch.Role{dispatch.RoleDispatch, dispatch.RoleCourier, dispatch.RolePrint}
}

// Run is the service.
func (c runCmd) Run(ctx context.Context, a *app) error {
	roles := allRoles()
	if len(c.Roles) > 0 {
		roles = slices.DeleteFunc(roles, func(r dispatch.Role) bool { return !slices.Contains(c.Roles, string(r)) })
	}
	plays := func(r dispatch.Role) bool { return len(c.Roles) == 0 || slices.Contains(c.Roles, string(r)) }
	if len(roles) == 0 && plays(roleFeedback) {
		return a.runFeedback(ctx, plays(roleConsole))
	}
	if len(roles) == 0 {
		return a.runConsole(ctx)
	}
	redis, err := a.redisURL()
	if err != nil {
		return err
	}
	ledgerURL, err := a.ledgerURL()
	if err != nil {
		return err
	}
	if len(roles) < len(allRoles()) && (redis == "" || ledgerURL == "") {
		return refuse("roles-need-services", "single roles need a ledger and a queue that they share", "set ART34_LEDGER=postgres://… and ART34_REDIS=redis://…, or run all roles in one process")
	}
	relay, err := a.relay()
	if err != nil {
		return err
	}
	h, err := a.found(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	drain, kill, release := a.signals(ctx)
	defer release()
	s, err := h.newService(drain, serviceConfig{roles: roles, relay: relay, redis: redis, wayBack: h.wayBackProven(c.ProvenFor), prover: h.newProver(relay, c.wayBackOptions)})
	if err != nil {
		return c.stopped(drain, err)
	}
	defer s.Close()
	if plays(roleFeedback) {
		if s.feedback, err = h.openFeedback(drain, relay); err != nil {
			return c.stopped(drain, err)
		}
	}
	if !c.UntilIdle && plays(dispatch.RolePrint) {
		if s.states, err = h.newStateFiles(c.statesOptions); err != nil {
			return err
		}
	}
	if !c.UntilIdle && plays(roleConsole) {
		if s.console, err = h.openConsole(drain); err != nil {
			return c.stopped(drain, err)
		}
	}
	var until func(context.Context) (bool, error)
	if c.UntilIdle {
		until = s.idle
	}
	if relay == nil && slices.Contains(roles, dispatch.RoleCourier) {
		a.say("note: no relay is configured (ART34_RELAY): no e-mail will leave")
	}
	stopWatching := a.follow(drain, h)
	err = s.run(drain, kill, until)
	stopWatching()
	if err != nil || drain.Err() != nil {
		return c.stopped(drain, err)
	}
	if !c.UntilIdle {
		return nil
	}
	waiting, err := h.awaitingApproval(ctx)
	if err != nil {
		return err
	}
	return a.idleAnswer(s.blocked, waiting)
}

// stopped is the answer of a service that was told to stop, perhaps while it was
// still starting: that is no failure, unless somebody waits for the work to be
// done. Other errors stay.
func (c runCmd) stopped(drain context.Context, err error) error {
	switch {
	case drain.Err() == nil, err != nil && !errors.Is(err, context.Canceled):
		return err
	case c.UntilIdle:
		return decline("interrupted", "stopped before there was nothing left to do", "art34 run goes on where it was")
	}
	return nil
}

// idleAnswer says what is left when nothing more happens by itself.
// waiting is what an approval would let go, per campaign.
func (a *app) idleAnswer(blocked, waiting map[string]int64) error {
	err := a.answer(map[string]any{"idle": true, "blocked": blocked, "awaiting_approval": waiting}, func(w io.Writer) {
		for _, name := range slices.Sorted(maps.Keys(waiting)) {
			defer fmt.Fprintf(w, "Waiting for a person: %s of %s; art34 check %s, then art34 approve %s\n", count(waiting[name], "notice", "notices"), name, name, name)
		}
		if len(blocked) == 0 {
			fmt.Fprintln(w, "Idle: nothing is left to do without a person.")
			return
		}
		fmt.Fprintln(w, "Idle, with work left that something stands in the way of:")
		for _, code := range slices.Sorted(maps.Keys(blocked)) {
			fmt.Fprintf(w, "  %s: %s\n", blockedWords(code), count(blocked[code], "notice", "notices"))
		}
	})
	if err == nil && len(blocked) > 0 {
		return errNo
	}
	return err
}

// follow shows how far the campaigns are while a service works, until the
// returned function is called.
func (a *app) follow(ctx context.Context, h *house) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	bar := a.progress("settled or handed over", 0)
	go func() {
		defer close(done)
		_ = poll(ctx, beatEvery/4, func(ctx context.Context) (bool, error) {
			campaigns, err := h.ledger.AllCampaigns(ctx)
			if err != nil {
				return false, err
			}
			var over, all int64
			for _, c := range campaigns {
				if c.State != pipeline.Running {
					continue
				}
				tallies, err := h.ledger.Tally(ctx, c.ID)
				if err != nil {
					return false, err
				}
				for _, t := range tallies {
					all += t.Count
					if t.State != pipeline.Due && t.State != pipeline.Queued && t.State != pipeline.Sending {
						over += t.Count
					}
				}
			}
			if all > 0 {
				bar.Set("settled or handed over", over, all)
			}
			return false, nil
		})
	}()
	return func() {
		cancel()
		<-done
		bar.End()
	}
}
