package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/art34/art34/pipeline"
	"github.com/art34/art34/pipeline/console"
)

// secondName is the campaign of demo --stay that nobody has touched yet.
const secondName = "second"

// demoPerson is somebody of the demo.
type demoPerson struct {
	login, name string
	role        console.Role
	password    string
	secret      []byte // of the second factor; nil without one
}

func demoPeople() []demoPerson {
	return []demoPerson{
		{login: "olga", name: "Olga Operator", role: console.Operator}, {login: "didier", name: "Didier, DPO", role: console.Approver},
		{login: "wanda", name: "Wanda Writer", role: console.Writer}, {login: "anne", name: "Anne Agent", role: console.Agent},
		{login: "lea", name: "Léa Lead", role: console.Lead}, {login: "adam", name: "Adam Admin", role: console.Admin},
	}
}

// stay keeps the world of the demo open for people to click through.
func (c demoCmd) stay(ctx context.Context, a *app, p *practice, dir string) error {
	h := p.h
	lists := filepath.Join(dir, "sample")
	spec := filepath.Join(lists, specFile)
	if c.File != "" {
		spec = c.File
	}
	second, err := h.newCampaign(ctx, secondName, spec)
	if pipeline.ErrorCode(err) == "exists" { // an earlier demo stayed here
		second, err = h.ledger.Campaign(ctx, secondName)
	} else if err == nil {
		_, err = h.importLists(ctx, second, importCmd{
			campaignArg: campaignArg{secondName}, Customers: []string{filepath.Join(lists, "customers.csv")}, Impact: []string{filepath.Join(lists, "impact.csv")},
		})
	}
	if err != nil {
		return err
	}
	people, err := h.invite(ctx, demoPeople())
	if err != nil {
		return err
	}
	p.staying, p.notes, p.campaign = true, nil, second
	client, listener, err := p.openRelay()
	if err != nil {
		return err
	}
	defer p.relay.Close()
	p.clock.run(c.Pace)
	h.Relay = "smtp://" + listener.Addr().String() + "?tls=none"
	s, err := p.service(ctx, client)
	if err != nil {
		return err
	}
	defer s.Close()
	if s.console, err = h.stayConsole(ctx, a.consoleOptions); err != nil {
		return err
	}
	a.introduce(s.console.url, people, c.Pace)
	go a.codes(people)
	if err := p.work(ctx, s, client, listener); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// stayConsole opens the console where it is asked for, or on a free port.
func (h *house) stayConsole(ctx context.Context, o consoleOptions) (*consoleServer, error) {
	h.consoleOptions = consoleOptions{Console: o.Console}
	if o.Console == "" || o.Console == "off" {
		h.Console = defaultConsole
	}
	s, err := h.openConsole(ctx)
	if s == nil && err == nil {
		h.Console = "127.0.0.1:0"
		s, err = h.openConsole(ctx)
	}
	return s, err
}

// invite makes accounts that can be used at once: passwords are chosen, the second
// factor is set up.
func (h *house) invite(ctx context.Context, people []demoPerson) ([]demoPerson, error) {
	accounts, err := h.accounts()
	if err != nil {
		return nil, err
	}
	for i := range people {
		x := &people[i]
		roles := []string{string(x.role)}
		_, x.password, err = accounts.Add(ctx, h.actor(), x.login, x.name, roles, "")
		if pipeline.ErrorCode(err) == "login-taken" {
			_, x.password, err = accounts.Reset(ctx, h.actor(), x.login, true)
		}
		if err != nil {
			return nil, err
		}
		if _, err = accounts.SetPassword(ctx, x.login, x.password); err != nil {
			return nil, err
		}
		if !console.NeedsCode(roles) {
			continue
		}
		x.secret = accounts.NewSecret()
		// With the code of a moment ago, so that the one of now is still good for a login.
		if _, err = accounts.Enrol(ctx, x.login, x.secret, console.SecondFactor(x.secret, h.real.Now().Add(-30*time.Second))); err != nil {
			return nil, err
		}
	}
	return people, nil
}

// introduce says who may log in, and as what.
func (a *app) introduce(url string, people []demoPerson, pace float64) {
	fmt.Fprintf(a.out, "\nThe console stays open: %s\nThese people may log in. None of them exists, and neither does any customer.\n\n", url)
	table(a.out, func(w io.Writer) {
		fmt.Fprintln(w, "LOGIN\tPASSWORD\tROLE\tCODE NOW")
		for _, x := range people {
			code := "-"
			if x.secret != nil {
				code = console.SecondFactor(x.secret, a.real.Now())
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", x.login, x.password, x.role, code)
		}
	})
	fmt.Fprintf(a.out, "\nTry this: olga checks the campaign %q, reads some letters and submits it; didier approves it; olga launches it.\nBounces come back, and its clock goes %.0f times as fast as yours.\nPress Enter for another code, Ctrl-C to end.\n", secondName, pace)
}

// codes prints the code of the second factor whenever somebody presses Enter.
func (a *app) codes(people []demoPerson) {
	if a.in == nil {
		return
	}
	lines := bufio.NewScanner(a.in)
	for lines.Scan() {
		for _, x := range people {
			if x.secret != nil {
				fmt.Fprintf(a.out, "%s %s\n", x.login, strings.TrimSpace(console.SecondFactor(x.secret, a.real.Now())))
			}
		}
	}
}
